//! DISPLAY LOG: the CSQJ322I parameter table and the CSQJ370I status report.
//!
//! Columns of CSQJ370I, from 0: copy in 1, percent full right-aligned to 8, PPRC from 11, data set name from 16. Where encryption is
//! printed too, zHyperWrite stands in place of PPRC, and each answer is as wide as its heading. Those of CSQJ322I are as wide as their
//! longest value, for they are read by column.

use format_types::{Rba, Timestamp};

use crate::log_display::{DisplayedCopy, DisplayedLog, DisplayedParameter};
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
    let rows = parameters.iter().map(|row| [row.name, &row.initial, row.set.as_deref().unwrap_or("")]);
    parameter_table(prefix, &rows.collect::<Vec<_>>())
}

/// CSQJ322I of rows as they are read.
pub(crate) fn displayed_parameters(prefix: &str, parameters: &[DisplayedParameter]) -> Vec<String> {
    let rows = parameters.iter().map(|row| {
        let set = row.set.as_deref().unwrap_or("");
        [row.name.as_str(), row.initial.as_str(), set]
    });
    parameter_table(prefix, &rows.collect::<Vec<_>>())
}

/// Rows of a name, its value at start, and its value since.
fn parameter_table(prefix: &str, rows: &[[&str; 3]]) -> Vec<String> {
    let width = |text: &str| text.chars().count();
    let names = rows.iter().map(|[name, ..]| width(name)).fold(11, usize::max);
    let values = rows.iter().map(|[_, initial, _]| width(initial)).fold(22, usize::max);
    let line = |[name, initial, set]: &[&str; 3]| {
        format!("{name:<names$} {initial:<values$}  {set}").trim_end().to_owned()
    };
    let mut lines = vec![
        format!("CSQJ322I {prefix} LOG parameters ..."),
        line(&["Parameter", "Initial value", "SET value"]),
        line(&[&"-".repeat(names), &"-".repeat(values), &"-".repeat(22)]),
    ];
    lines.extend(rows.iter().map(line));
    lines.push("End of LOG report".to_owned());
    lines
}

/// The lines of CSQJ370I.
#[must_use]
pub fn log_status(prefix: &str, status: &LogStatus) -> Vec<String> {
    let copies = status.copies.each_ref().map(|copy| {
        let copy = copy.as_ref()?;
        Some((copy.percent_full, &[false][..], copy.data_set.as_str()))
    });
    let mut lines = copy_table(prefix, copies);
    lines.extend(log_lines(&LogLines {
        restarted_at: &date_and_time(status.restarted_at),
        restart_rba: status.restart_rba,
        latest: status.latest,
        offload: status.offload,
        full: [status.full, status.data_sets],
    }));
    lines
}

/// CSQJ370I as it is read.
pub(crate) fn displayed_log(prefix: &str, log: &DisplayedLog) -> Vec<String> {
    let copies = log.copies.each_ref().map(|copy| {
        let DisplayedCopy { percent_full, answers, data_set } = copy.as_ref()?;
        Some((*percent_full, answers.as_slice(), data_set.as_str()))
    });
    let mut lines = copy_table(prefix, copies);
    lines.extend(log_lines(&LogLines {
        restarted_at: &log.restarted_at.dashed(),
        restart_rba: log.restart_rba,
        latest: log.latest,
        offload: log.offload,
        full: [log.full, log.data_sets],
    }));
    lines
}

/// The copies: how full the current data set of each is, the answers between that and its name, and its name.
fn copy_table(prefix: &str, copies: [Option<(u8, &[bool], &str)>; 2]) -> Vec<String> {
    let encryption = copies.iter().flatten().any(|(_, answers, _)| answers.len() > 1);
    let headings: &[&str] = if encryption { &["zHyperWrite", "Encrypted"] } else { &["PPRC"] };
    let mut lines = vec![
        format!("CSQJ370I {prefix} LOG status report ..."),
        format!("Copy %Full {} DSName", headings.join(" ")),
    ];
    for (number, copy) in (1..).zip(copies) {
        lines.push(match copy {
            Some((percent_full, answers, data_set)) => {
                let widths = headings.iter().map(|heading| heading.len() + 1).chain(std::iter::repeat(5));
                let answers = answers.iter().zip(widths).map(|(yes, width)| {
                    let answer = if *yes { "YES" } else { "NO" };
                    format!("{answer:<width$}")
                });
                format!(" {number}{percent_full:>7}  {}{data_set}", answers.collect::<String>())
            }
            None => format!(" {number}              Inactive"),
        });
    }
    lines
}

/// What stands below the copies.
struct LogLines<'a> {
    restarted_at: &'a str,
    restart_rba: Rba,
    latest: Rba,
    offload: OffloadState,
    /// Full data sets that wait for the offload, and data sets of one copy.
    full: [usize; 2],
}

fn log_lines(log: &LogLines<'_>) -> [String; 4] {
    let offload = match log.offload {
        OffloadState::Available => "AVAILABLE",
        OffloadState::Busy => "BUSY",
        OffloadState::AllocatingArchive => "ALLOCATING ARCHIVE",
        OffloadState::CopyingBsds => "COPYING BSDS",
        OffloadState::CopyingLog => "COPYING LOG",
    };
    let [full, data_sets] = log.full;
    [
        format!("Restarted at {} using RBA={}", log.restarted_at, log.restart_rba),
        format!("Latest RBA={}", log.latest),
        format!("Offload task is {offload}"),
        format!("Full logs to offload - {full} of {data_sets}"),
    ]
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
