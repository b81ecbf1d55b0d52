//! The cards that a job begins with: the JOB statement of a site.
//!
//! # Picture
//! ```text
//! //PRUNELOG JOB (ACCT,1),'LOG RETENTION',CLASS=A,
//! //             MSGCLASS=X,NOTIFY=&SYSUID
//! //* deletes archives of QM1
//! //MQLIBS   JCLLIB ORDER=SYS2.PROCLIB
//! ```
//!
//! # Validity rule
//! The first statement is JOB; OUTPUT, JCLLIB and SET may follow, and comments stand anywhere behind it. Nothing else may: a step, data or
//! the end of the job among the cards would make another job of it. Every line begins with `//`, is printable ASCII and ends in column
//! 71. A statement is whole: its operands end with a comma only where the next line goes on, and a value in apostrophes ends on its line.
//!
//! # Non-goals
//! What the operands mean: that is the site's.

use crate::job::LAST_COLUMN;

/// Checked cards that a job begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCards(Vec<String>);

/// Cards that no job can begin with. It is shown as `line L of the job cards: WHY`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the job cards: {why}")]
pub struct JobCardError {
    line: usize,
    why: String,
}

/// Operations that may follow JOB: none of them begins a step or data.
const BEHIND_JOB: [&str; 3] = ["OUTPUT", "JCLLIB", "SET"];

impl Default for JobCards {
    /// A JOB statement that leaves everything to the site's defaults.
    fn default() -> Self {
        Self(vec!["//PRUNELOG JOB".to_owned()])
    }
}

impl JobCards {
    /// A JOB statement for a backup that leaves everything to the site's defaults.
    #[must_use]
    pub fn of_backup() -> Self {
        Self(vec!["//RECPOINT JOB".to_owned()])
    }

    /// Checks cards, a line each.
    ///
    /// # Errors
    /// Names the line that cannot stand there, and why.
    pub fn parse(text: &str) -> Result<Self, JobCardError> {
        let mut lines = Vec::new();
        let mut goes_on = false;
        let mut has_job = false;
        for (index, line) in text.lines().enumerate() {
            let refused = |why: &str| JobCardError { line: index + 1, why: why.to_owned() };
            let line = line.trim_end_matches(' ');
            if !line.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
                return Err(refused("printable ASCII is wanted"));
            }
            if line.len() > LAST_COLUMN {
                return Err(refused("it reaches beyond column 71"));
            }
            let rest = line.strip_prefix("//").ok_or_else(|| refused("'//' is wanted in columns 1 and 2"))?;
            if rest.is_empty() {
                return Err(refused("it ends the job"));
            }
            if !rest.starts_with('*') {
                goes_on = if goes_on {
                    continued(rest).map_err(refused)?
                } else {
                    let (operation, goes_on) = begun(rest).map_err(refused)?;
                    let wanted = if has_job { BEHIND_JOB.contains(&operation) } else { operation == "JOB" };
                    if !wanted {
                        let first = "the first statement is to be JOB";
                        let behind = "behind JOB only OUTPUT, JCLLIB, SET and comments may stand";
                        return Err(refused(if has_job { behind } else { first }));
                    }
                    has_job = true;
                    goes_on
                };
            } else if !has_job {
                return Err(refused("the first statement is to be JOB"));
            }
            lines.push(line.to_owned());
        }
        let at_end = |why: &str| JobCardError { line: lines.len().max(1), why: why.to_owned() };
        if !has_job {
            return Err(at_end("a JOB statement is wanted"));
        }
        if goes_on {
            return Err(at_end("it ends with a comma, and nothing goes on"));
        }
        Ok(Self(lines))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.clone()
    }
}

/// The operation of a statement, and whether it goes on. `rest` is what stands behind `//`.
fn begun(rest: &str) -> Result<(&str, bool), &'static str> {
    let (name, behind) = rest.split_once(' ').ok_or("an operation is wanted behind the name")?;
    let wrong = |c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '@' | '#' | '$'));
    if name.len() > 8 || name.contains(wrong) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a name of 1 to 8 letters, digits, @, # or $ is wanted in column 3, or a blank");
    }
    let behind = behind.trim_start_matches(' ');
    let (operation, operands) = behind.split_once(' ').unwrap_or((behind, ""));
    if operation == "JOB" && name.is_empty() {
        return Err("the job has no name");
    }
    Ok((operation, ends_with_comma(operands.trim_start_matches(' '))?))
}

/// Whether the statement that `rest` continues goes on behind it.
fn continued(rest: &str) -> Result<bool, &'static str> {
    let operands = rest.trim_start_matches(' ');
    let column = rest.len() - operands.len() + 3;
    if !(4..=16).contains(&column) {
        return Err("the statement above goes on: its next operand is wanted in columns 4 to 16");
    }
    ends_with_comma(operands)
}

/// Whether the operands, which end at the first blank outside of apostrophes, end with a comma.
fn ends_with_comma(operands: &str) -> Result<bool, &'static str> {
    let mut quoted = false;
    let mut last = None;
    for c in operands.chars() {
        match c {
            ' ' if !quoted => break,
            '\'' => quoted = !quoted,
            _ => {}
        }
        last = Some(c);
    }
    if quoted {
        return Err("a value in apostrophes does not end on its line");
    }
    Ok(last == Some(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_of_a_site_are_taken() {
        let text = "//PRUNE    JOB (ACCT,1),'LOGS, OLD',   a comment,\n//* why\n//             CLASS=A,\n// MSGCLASS=X   \n\
                    //OUT      OUTPUT DEFAULT=YES\n// SET HLQ=CSQ\n";
        // The comma that ends an operand makes the statement go on, the one of a comment does not.
        let text = text.replacen("'LOGS, OLD',", "'LOGS, OLD',CLASS=B,", 1);
        let cards = JobCards::parse(&text).unwrap();
        assert_eq!(cards.lines().len(), 6);
        assert_eq!(cards.lines()[3], "// MSGCLASS=X");
        assert!(JobCards::parse("//A JOB (X) a comment,\r\n").is_ok());
        JobCards::parse(&JobCards::default().lines().join("\n")).unwrap();
    }

    #[test]
    fn cards_that_would_make_another_job_are_refused() {
        for (text, wanted) in [
            ("", "line 1 of the job cards: a JOB statement is wanted"),
            ("//* only talk\n", "line 1 of the job cards: the first statement is to be JOB"),
            ("//A EXEC PGM=X\n", "line 1 of the job cards: the first statement is to be JOB"),
            ("//A JOB (X),\n", "line 1 of the job cards: it ends with a comma, and nothing goes on"),
            (
                "//A JOB (X), but why\n//S EXEC PGM=X\n",
                "line 2 of the job cards: the statement above goes on",
            ),
            (
                "//A JOB (X),\n//              CLASS=A\n",
                "line 2 of the job cards: the statement above goes on",
            ),
            ("//A JOB (X)\n//S EXEC PGM=X\n", "line 2 of the job cards: behind JOB only"),
            ("//A JOB (X)\n//S DD *\n", "line 2 of the job cards: behind JOB only"),
            ("//A JOB (X)\n//B JOB (X)\n", "line 2 of the job cards: behind JOB only"),
            ("//A JOB (X)\n//\n", "line 2 of the job cards: it ends the job"),
            ("//A JOB (X)\n//   \n", "line 2 of the job cards: it ends the job"),
            ("//A JOB (X)\n/*\n", "line 2 of the job cards: '//' is wanted"),
            ("//A JOB (X)\n\n", "line 2 of the job cards: '//' is wanted"),
            ("//A JOB (X)\n//ONLYNAME\n", "line 2 of the job cards: an operation is wanted"),
            ("//A JOB 'X\n", "line 1 of the job cards: a value in apostrophes"),
            ("//A JOB (X)\r\u{b}\n", "line 1 of the job cards: printable ASCII"),
            ("//A JOB (\u{e9})\n", "line 1 of the job cards: printable ASCII"),
            ("// JOB (X)\n", "line 1 of the job cards: the job has no name"),
            ("//LONGER789 JOB (X)\n", "line 1 of the job cards: a name of 1 to 8"),
        ] {
            let error = JobCards::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{text:?}: {error}");
        }
        let wide = format!("//A JOB (X{})\n", "X".repeat(61));
        assert!(JobCards::parse(&wide).unwrap_err().to_string().contains("column 71"), "{}", wide.len());
        assert!(JobCards::parse(&wide.replacen('X', "", 1)).is_ok());
    }
}
