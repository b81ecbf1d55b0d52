//! Scripts: from lines to statements.

/// A place in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// A statement of a script, its lines joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStatement {
    /// The text, without continuation marks and the ending `;`.
    pub text: String,
    pieces: Vec<Piece>,
}

/// Characters of the joined text that stood together in the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    start: usize,
    position: Position,
}

impl ScriptStatement {
    /// Where in the script the character at `column` (from 1) of the statement's text stood.
    #[must_use]
    pub fn locate(&self, column: usize) -> Position {
        let index = column.saturating_sub(1);
        let piece = self.pieces.iter().rev().find(|piece| piece.start <= index).or(self.pieces.first());
        piece.map_or(Position { line: 1, column }, |piece| Position {
            line: piece.position.line,
            column: piece.position.column + index.saturating_sub(piece.start),
        })
    }
}

#[derive(Default)]
struct Building {
    text: String,
    length: usize,
    pieces: Vec<Piece>,
    quoted: bool,
}

impl Building {
    fn push(&mut self, c: char, position: Position) {
        let follows = self.pieces.last().is_some_and(|piece| {
            piece.position.line == position.line
                && piece.position.column + (self.length - piece.start) == position.column
        });
        if !follows {
            self.pieces.push(Piece { start: self.length, position });
        }
        self.text.push(c);
        self.length += 1;
    }

    fn end(&mut self, statements: &mut Vec<ScriptStatement>) {
        let done = std::mem::take(self);
        if !done.text.trim().is_empty() {
            statements.push(ScriptStatement { text: done.text, pieces: done.pieces });
        }
    }
}

/// The statements of a script, comments left out.
#[must_use]
pub fn script(text: &str) -> Vec<ScriptStatement> {
    let mut statements = Vec::new();
    let mut building = Building::default();
    let mut skip_blanks = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('*') {
            continue;
        }
        let line = line.trim_end();
        let (body, mark) = match line.chars().next_back() {
            Some(mark @ ('+' | '-')) => (line.strip_suffix(mark).unwrap_or(line), Some(mark)),
            _ => (line, None),
        };
        let leading = if skip_blanks { body.len() - body.trim_start().len() } else { 0 };
        for (column, c) in body.chars().enumerate().skip(leading) {
            if c == '\'' {
                building.quoted = !building.quoted;
            }
            if c == ';' && !building.quoted {
                building.end(&mut statements);
            } else {
                building.push(c, Position { line: index + 1, column: column + 1 });
            }
        }
        skip_blanks = mark == Some('+');
        if mark.is_none() {
            building.end(&mut statements);
        }
    }
    building.end(&mut statements);
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        script(text).into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn lines_join_comments_go_and_semicolons_end() {
        let text = "* first\nDEFINE QLOCAL(A) +  \n* in between\n   DESCR('a;b-\nc''d') ; DIS LOG;\n\n  ;\nDIS QMGR +";
        assert_eq!(texts(text), ["DEFINE QLOCAL(A) DESCR('a;bc''d') ", " DIS LOG", "DIS QMGR "]);
    }

    #[test]
    fn a_star_elsewhere_is_no_comment() {
        assert_eq!(texts("DIS QL(*)\n *"), ["DIS QL(*)", " *"]);
    }

    #[test]
    fn a_column_is_found_in_its_line() {
        let text = "*\nDEF QL(A) +\n    MAXDEPTH(X); DIS Z\n";
        let all = script(text);
        assert_eq!(all[0].text, "DEF QL(A) MAXDEPTH(X)");
        assert_eq!(all[0].locate(5), Position { line: 2, column: 5 });
        assert_eq!(all[0].locate(11), Position { line: 3, column: 5 });
        assert_eq!(all[0].locate(20), Position { line: 3, column: 14 });
        assert_eq!(all[1].locate(6), Position { line: 3, column: 22 });
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[A(;'+ \n*\u{e9}-]{0,60}") {
            for statement in script(&text) {
                for column in 0..70 {
                    assert!(statement.locate(column).line >= 1);
                }
            }
        }
    }
}
