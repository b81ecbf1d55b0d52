//! DISPLAY LOG: the CSQJ322I parameter table and the CSQJ370I status report.
//!
//! Columns of CSQJ370I, from 0: copy in 1, percent full right-aligned to 8, PPRC from 11, data set name from 16.

use format_types::{Rba, Timestamp};

use crate::time::date_and_time;

/// A row of CSQJ322I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogParameter {
    /// Its name, `LOGLOAD`.
    pub name: &'static str,
    /// Its value at start.
    pub initial: String,
    /// Its value since, where it was changed.
    pub set: Option<String>,
}

/// One copy of the active log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyStatus {
    /// How full the current data set is.
    pub percent_full: u8,
    /// Its name.
    pub data_set: String,
}

/// What the offload task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffloadState {
    /// Nothing.
    Available,
    /// Something else.
    Busy,
    /// Makes room for an archive.
    AllocatingArchive,
    /// Copies the BSDS.
    CopyingBsds,
    /// Copies the log.
    CopyingLog,
}

/// What CSQJ370I says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStatus {
    /// Copies 1 and 2; none when the copy is not written.
    pub copies: [Option<CopyStatus>; 2],
    /// When the queue manager was started.
    pub restarted_at: Timestamp,
    /// Where its restart began to read the log.
    pub restart_rba: Rba,
    /// End of the log.
    pub latest: Rba,
    /// What the offload task does.
    pub offload: OffloadState,
    /// Full data sets that wait for the offload.
    pub full: usize,
    /// Data sets of one copy.
    pub data_sets: usize,
}

/// The lines of CSQJ322I.
#[must_use]
pub fn log_parameters(prefix: &str, parameters: &[LogParameter]) -> Vec<String> {
    let mut lines = vec![
        format!("CSQJ322I {prefix} LOG parameters ..."),
        "Parameter   Initial value           SET value".to_owned(),
        "----------- ----------------------  ----------------------".to_owned(),
    ];
    for parameter in parameters {
        let set = parameter.set.as_deref().unwrap_or("");
        let line = format!("{:<11} {:<22}  {set}", parameter.name, parameter.initial);
        lines.push(line.trim_end().to_owned());
    }
    lines.push("End of LOG report".to_owned());
    lines
}

/// The lines of CSQJ370I.
#[must_use]
pub fn log_status(prefix: &str, status: &LogStatus) -> Vec<String> {
    let mut lines =
        vec![format!("CSQJ370I {prefix} LOG status report ..."), "Copy %Full PPRC DSName".to_owned()];
    for (number, copy) in (1..).zip(&status.copies) {
        lines.push(match copy {
            Some(copy) => format!(" {number}{:>7}  NO   {}", copy.percent_full, copy.data_set),
            None => format!(" {number}              Inactive"),
        });
    }
    let offload = match status.offload {
        OffloadState::Available => "AVAILABLE",
        OffloadState::Busy => "BUSY",
        OffloadState::AllocatingArchive => "ALLOCATING ARCHIVE",
        OffloadState::CopyingBsds => "COPYING BSDS",
        OffloadState::CopyingLog => "COPYING LOG",
    };
    lines.extend([
        format!("Restarted at {} using RBA={}", date_and_time(status.restarted_at), status.restart_rba),
        format!("Latest RBA={}", status.latest),
        format!("Offload task is {offload}"),
        format!("Full logs to offload - {} of {}", status.full, status.data_sets),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_published_sample() {
        let status = LogStatus {
            copies: [Some(CopyStatus { percent_full: 15, data_set: "QML1.LOGCOPY1.DS001".into() }), None],
            restarted_at: Timestamp(1_560_776_112_000_000),
            restart_rba: Rba(0),
            latest: Rba(0x0010_6F64),
            offload: OffloadState::Available,
            full: 0,
            data_sets: 4,
        };
        let sample = "\
CSQJ370I QML1 LOG status report ...
Copy %Full PPRC DSName
 1     15  NO   QML1.LOGCOPY1.DS001
 2              Inactive
Restarted at 2019-06-17 12:55:12 using RBA=0000000000000000
Latest RBA=0000000000106F64
Offload task is AVAILABLE
Full logs to offload - 0 of 4";
        assert_eq!(log_status("QML1", &status).join("\n"), sample);
    }

    #[test]
    fn parameters_are_a_table() {
        let row = |name, set: Option<&str>| LogParameter {
            name,
            initial: "500000".into(),
            set: set.map(str::to_owned),
        };
        let lines = log_parameters("QM1", &[row("LOGLOAD", None), row("MAXARCH", Some("9"))]);
        assert_eq!(lines[3], "LOGLOAD     500000");
        assert_eq!(lines[4], "MAXARCH     500000                  9");
        assert_eq!(lines[4].find('9'), lines[1].find("SET value"));
        assert_eq!(lines.last().unwrap(), "End of LOG report");
    }
}
