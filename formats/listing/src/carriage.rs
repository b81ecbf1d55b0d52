//! Carriage control in column 1 of printed lines: a blank (next line), `0` (skip one), `-` (skip two), `1` (new page), `+` (overprint).
//!
//! A captured listing may have kept the column or lost it, and one file may hold both kinds. The column is taken off only where it can
//! be nothing else; a digit that is the first one of a row's RBA is never taken for it.

const CONTROLS: [char; 5] = [' ', '0', '-', '1', '+'];

/// Whether each line has carriage control in column 1: all lines of a file where every line could have it and one clearly has; all
/// lines of one where every line begins with a blank; else the lines from a clear page heading on, up to one that can't have it. Nothing
/// if no line has it.
pub(crate) fn controlled<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Option<Vec<bool>> {
    let mut filled = lines.clone().filter(|line| !line.is_empty());
    let all_could = filled.clone().all(could);
    if all_could && (filled.clone().any(clearly) || filled.all(|line| line.starts_with(' '))) {
        return Some(lines.map(|line| !line.is_empty()).collect());
    }
    let heads = |line: &str| line.starts_with('1') && clearly(line);
    if !lines.clone().any(heads) {
        return None;
    }
    let mut inside = false;
    let controlled = lines.map(|line| {
        if !line.is_empty() {
            inside = could(line) && (inside || heads(line));
        }
        inside && !line.is_empty()
    });
    Some(controlled.collect())
}

/// Whether column 1 may be carriage control: one of its characters, and not the first digit of an RBA.
fn could(line: &str) -> bool {
    if line.starts_with(' ') {
        return true;
    }
    let word = line.split([' ', '/', '.']).next().unwrap_or("");
    let rba = matches!(word.len(), 12 | 16) && word.bytes().all(|b| b.is_ascii_hexdigit());
    line.starts_with(CONTROLS) && !rba
}

/// Whether column 1 is carriage control and nothing else: what follows begins with a letter or `*`, or there is nothing.
fn clearly(line: &str) -> bool {
    let mut characters = line.chars();
    let control = characters.next().is_some_and(|c| c != ' ' && CONTROLS.contains(&c));
    let rest = characters.as_str();
    control
        && could(line)
        && (rest.trim_start().starts_with(|c: char| c.is_ascii_alphabetic() || c == '*')
            || rest.trim().is_empty())
}

#[cfg(test)]
mod tests {
    fn controlled(lines: &[&str]) -> Vec<bool> {
        super::controlled(lines.iter().copied()).unwrap_or_else(|| vec![false; lines.len()])
    }

    #[test]
    fn the_column_is_told_from_the_rows() {
        assert_eq!(controlled(&["1LOG MAP", "0", " 000000001000 / 000000001FFF"]), [true; 3]);
        assert_eq!(controlled(&[" CSQI010I QM1", "", " _  0"]), [true, false, true], "a blank column");
        assert_eq!(controlled(&["000000001000 / 000000001FFF", "100000000000 / 100000000FFF"]), [false; 2]);
        assert_eq!(controlled(&["1000000000000000 /", " DSN=A"]), [false; 2]);
        assert_eq!(
            controlled(&["0NONVSAM ---- A", "-TITLE", "     HISTORY"]),
            [true; 3],
            "no page heading in the file"
        );
        assert_eq!(controlled(&["  Buffer", "- - -"]), [false; 2]);
    }

    #[test]
    fn a_part_of_a_file_may_have_it() {
        let lines = [
            "CSQI010I QM1",
            "_  0",
            "1IDCAMS  SYSTEM SERVICES",
            "0NONVSAM",
            "",
            "     IN-CAT",
            "CSQJ370I QM1",
            " 1  15",
        ];
        assert_eq!(controlled(&lines), [false, false, true, true, false, true, false, false]);
    }
}
