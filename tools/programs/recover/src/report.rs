//! What was recovered, as text and as JSON.

use std::time::Duration;

use console::{format_duration, format_rate, format_size, format_time};
use format_types::{ConditionCode, HistoryId, PageSetId, Rba, RbaRange};
use operation_points::{LostCommit, PlannedCut, RecoverReport};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    queue_manager: String,
    point: &'a str,
    recovered: bool,
    page_sets: &'a [PageSetId],
    page_sets_from_log: &'a [PageSetId],
    pages: u64,
    bytes: u64,
    restore_seconds: f64,
    log_needed: RbaRange,
    log_check_seconds: f64,
    log_read: RbaRange,
    log_bytes: u64,
    log_records: u64,
    redo_seconds: f64,
    forward_seconds: f64,
    restart_rba: Rba,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Cut<'a>>,
    messages: &'a [String],
    condition_code: ConditionCode,
}

/// The end of a recovery to a point in time, and what it loses.
#[derive(Serialize)]
struct Cut<'a> {
    target: Rba,
    cut: Rba,
    log_end: Rba,
    /// An interrupted recovery to the same target made it; what it lost was listed then.
    made_before: bool,
    history: Option<HistoryId>,
    commits_lost: u64,
    first: Option<Commit<'a>>,
    last: Option<Commit<'a>>,
    puts_lost: u64,
    gets_undone: u64,
    definitions_lost: u64,
    units_backed_out: u64,
    units_in_doubt: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable_from: Option<Rba>,
    #[serde(skip)]
    why: &'a str,
}

#[derive(Serialize)]
struct Commit<'a> {
    rba: Rba,
    at: String,
    connection: &'a str,
}

impl<'a> Commit<'a> {
    fn of(commit: &'a LostCommit) -> Self {
        Self { rba: commit.rba, at: format_time(commit.at), connection: &commit.connection }
    }

    fn text(&self) -> String {
        let connection = if self.connection.is_empty() { "UNKNOWN" } else { self.connection };
        format!("{} AT {} BY {connection}", self.rba, self.at)
    }
}

impl<'a> Cut<'a> {
    fn of(cut: &'a PlannedCut, history: Option<HistoryId>) -> Self {
        let lost = &cut.lost;
        Self {
            target: cut.target,
            cut: cut.cut,
            log_end: cut.end,
            made_before: cut.made.is_some(),
            history,
            commits_lost: lost.commits,
            first: lost.first.as_ref().map(Commit::of),
            last: lost.last.as_ref().map(Commit::of),
            puts_lost: lost.puts,
            gets_undone: lost.gets,
            definitions_lost: lost.definitions,
            units_backed_out: lost.backed_out,
            units_in_doubt: lost.in_doubt,
            unreadable_from: lost.unreadable.as_ref().map(|(rba, _)| *rba),
            why: lost.unreadable.as_ref().map_or("", |(_, why)| why),
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "HWT540I TARGET RBA {}, LOG CUT AT {}, BEFORE ITS END {}",
            self.target, self.cut, self.log_end
        )];
        if self.made_before {
            lines.push("HWT297I THE CUT WAS MADE BY A RECOVERY THAT WAS INTERRUPTED, AND STANDS".to_owned());
            return lines;
        }
        match (&self.first, &self.last) {
            (Some(first), Some(last)) => lines.push(format!(
                "HWT539W COMMITS LOST {}, THE FIRST {}, THE LAST {}",
                self.commits_lost,
                first.text(),
                last.text()
            )),
            // What cannot be read is not called nothing.
            _ if self.unreadable_from.is_some() => {}
            _ => lines.push("HWT299I NO COMMIT IS LOST".to_owned()),
        }
        lines.push(format!(
            "HWT508I MESSAGES PUT AND LOST {}, GOT AND BACK AGAIN {}, DEFINITIONS LOST {}",
            self.puts_lost, self.gets_undone, self.definitions_lost
        ));
        lines.push(format!(
            "HWT509I UNITS OF RECOVERY BACKED OUT {}, LEFT IN DOUBT {}",
            self.units_backed_out, self.units_in_doubt
        ));
        if let Some(from) = self.unreadable_from {
            lines.push(format!(
                "HWT298W THE LOG CANNOT BE READ FROM RBA {from} ON: ALL THAT WAS COMMITTED BEHIND IT, UP TO THE END OF THE LOG, IS LOST AND IS \
                 NOT COUNTED: {}",
                self.why
            ));
        }
        lines
    }
}

impl<'a> Document<'a> {
    pub(crate) fn new(queue_manager: String, report: &'a RecoverReport, code: ConditionCode) -> Self {
        let history = report.history.as_ref().map(|history| history.id);
        Self {
            queue_manager,
            point: &report.point,
            recovered: report.recovered,
            page_sets: &report.page_sets,
            page_sets_from_log: &report.from_log,
            pages: report.pages,
            bytes: report.bytes,
            restore_seconds: report.restore_seconds,
            log_needed: report.needed,
            log_check_seconds: report.check_seconds,
            log_read: report.forward,
            log_bytes: report.forward.len(),
            log_records: report.records,
            redo_seconds: report.redo_seconds,
            forward_seconds: report.forward_seconds,
            restart_rba: report.restart_rba,
            cut: report.cut.as_ref().map(|cut| Cut::of(cut, history)),
            messages: &report.messages,
            condition_code: code,
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let restored = list(self.page_sets);
        let (restore, forward) =
            (Duration::from_secs_f64(self.restore_seconds), Duration::from_secs_f64(self.forward_seconds));
        let mut lines =
            vec![format!("HWT554I RECOVERY POINT {}, LOG NEEDED {}", self.point, self.log_needed)];
        lines.extend(self.cut.iter().flat_map(Cut::lines));
        if !self.page_sets_from_log.is_empty() {
            lines.push(format!(
                "HWT242I PAGE SETS {} WERE DEFINED AFTER THE RECOVERY POINT: THEY COME FROM THE LOG",
                list(self.page_sets_from_log)
            ));
        }
        if !self.recovered {
            lines.push(format!("HWT555I WOULD RESTORE PAGE SETS {restored} AND BRING THEM FORWARD"));
            return lines;
        }
        lines.extend(self.messages.iter().cloned());
        lines.push(format!(
            "HWT556I PAGE SETS {restored} RESTORED, {} PAGES, {} IN {}, {}",
            self.pages,
            format_size(self.bytes),
            format_duration(restore),
            format_rate(self.bytes, restore)
        ));
        lines.push(format!(
            "HWT557I LOG {} READ, {} RECORDS, {} IN {}, {}",
            self.log_read,
            self.log_records,
            format_size(self.log_bytes),
            format_duration(forward),
            format_rate(self.log_bytes, forward)
        ));
        if let Some(history) = self.cut.as_ref().and_then(|cut| cut.history) {
            lines.push(format!("HWT296I THE LOG GOES ON IN HISTORY {history}"));
        }
        lines.push(format!("HWT558I {} RECOVERED, START IT WITH 'qmgr start'", self.queue_manager));
        lines
    }
}

fn list(page_sets: &[PageSetId]) -> String {
    if page_sets.is_empty() {
        return "NONE".to_owned();
    }
    page_sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
