//! What is given up by a recovery that does not reach the end of the original's log.

use std::fmt;

use engine_log::UnusableFile;
use format_types::{PageSetId, Rba, Timestamp};

/// What is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Log at or above this RBA is not here: what it holds is lost.
    pub after: Rba,
    /// When the last record before it was written, as far as that can be read.
    pub last: Option<Timestamp>,
    /// All log is given up, not only what is behind `after`.
    pub logs: bool,
    /// Page sets that are given up: they were defined after the point.
    pub page_sets: Vec<PageSetId>,
    /// Files that should hold log or a copy of the BSDS and are left out, for they cannot be read.
    pub unusable: Vec<UnusableFile>,
    /// Somebody has to say that it is accepted: there may be a queue manager that had more.
    pub must_be_accepted: bool,
}

impl Loss {
    /// One line for each kind of loss.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let time = |at: Timestamp| {
            let micros = i64::try_from(at.0).unwrap_or(i64::MAX);
            jiff::Timestamp::from_microsecond(micros)
                .map_or_else(|_| "an unknown time".to_owned(), |at| at.to_string())
        };
        let last =
            self.last.map_or(String::new(), |at| format!(", the last record before it is of {}", time(at)));
        let mut lines = vec![format!(
            "HWT560W LOG AFTER RBA {} IS NOT HERE{last}: WHAT WAS COMMITTED SINCE IS LOST, AND WHAT WAS GOT SINCE IS THERE AGAIN",
            self.after
        )];
        lines.extend(
            self.unusable.iter().map(|file| format!("HWT901W {} IS LEFT OUT: {}", file.name, file.why)),
        );
        if self.logs {
            lines.push(
                "HWT561W ALL LOGS ARE GIVEN UP: RECOVERY POINTS THAT NEED LOG CANNOT BE RECOVERED ANY MORE"
                    .to_owned(),
            );
        }
        for page_set in &self.page_sets {
            lines.push(format!(
                "HWT562W PAGE SET {page_set} WAS DEFINED AFTER THE RECOVERY POINT AND IS GIVEN UP"
            ));
        }
        lines
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("; "))
    }
}
