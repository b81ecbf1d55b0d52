//! DISPLAY THREAD: the CSQV401I report.
//!
//! Columns of CSQV402I and CSQV406I, from 0: name in 9 (longer ones push the rest to the right), then the columns that the headings name,
//! separated by blanks. The unit's address stands where IBM's THREAD-XREF does not say anything here.

use format_types::Urid;

/// A unit of recovery of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread<'a> {
    /// Its connection.
    pub name: &'a str,
    /// RBA of its first record.
    pub urid: Urid,
    /// Messages that it put or got.
    pub requests: usize,
    /// The coordinator's name of it; empty unless it is in doubt.
    pub network_id: &'a str,
}

/// The first line.
#[must_use]
pub fn thread_report_follows(prefix: &str) -> String {
    format!("CSQV401I {prefix} DISPLAY THREAD REPORT FOLLOWS -")
}

/// The last line.
#[must_use]
pub fn thread_report_complete() -> String {
    "DISPLAY THREAD REPORT COMPLETE".to_owned()
}

/// CSQV400I: ARCHIVE LOG MODE(QUIESCE) holds updates back at present.
#[must_use]
pub fn archive_log_quiesce_active(prefix: &str) -> String {
    format!("CSQV400I {prefix} ARCHIVE LOG QUIESCE CURRENTLY ACTIVE")
}

/// Threads of connections.
#[must_use]
pub fn active_threads(prefix: &str, threads: &[Thread<'_>]) -> Vec<String> {
    if threads.is_empty() {
        return vec![format!("CSQV419I {prefix} NO ACTIVE CONNECTIONS FOUND")];
    }
    let mut lines =
        vec![format!("CSQV402I {prefix} ACTIVE THREADS -"), "NAME      S T   REQ URID".to_owned()];
    lines.extend(
        threads.iter().map(|thread| format!("{:<9} T * {:>5} {}", thread.name, thread.requests, thread.urid)),
    );
    lines
}

/// Threads in doubt.
#[must_use]
pub fn in_doubt_threads(prefix: &str, threads: &[Thread<'_>]) -> Vec<String> {
    if threads.is_empty() {
        return vec![format!("CSQV420I {prefix} NO INDOUBT THREADS FOUND")];
    }
    let mut lines =
        vec![format!("CSQV406I {prefix} INDOUBT THREADS -"), "NAME      URID             NID".to_owned()];
    lines.extend(
        threads.iter().map(|thread| format!("{:<9} {} {}", thread.name, thread.urid, thread.network_id)),
    );
    lines
}

#[cfg(test)]
mod tests {
    use format_types::Rba;

    use super::*;

    #[test]
    fn the_columns_stand_below_their_headings() {
        let thread = Thread { name: "PUT-17", urid: Urid(Rba(0x1000)), requests: 3, network_id: "X1" };
        assert_eq!(
            in_doubt_threads("QM1", &[thread]),
            [
                "CSQV406I QM1 INDOUBT THREADS -",
                "NAME      URID             NID",
                "PUT-17    0000000000001000 X1"
            ]
        );
        assert_eq!(
            active_threads("QM1", &[thread])[1..],
            ["NAME      S T   REQ URID", "PUT-17    T *     3 0000000000001000"]
        );
        assert_eq!(in_doubt_threads("QM1", &[]), ["CSQV420I QM1 NO INDOUBT THREADS FOUND"]);
        assert_eq!(active_threads("QM1", &[]), ["CSQV419I QM1 NO ACTIVE CONNECTIONS FOUND"]);
    }
}
