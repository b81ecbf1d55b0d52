//! What was recovered, as text and as JSON.

use std::time::Duration;

use console::{format_duration, format_rate, format_size};
use format_types::{ConditionCode, PageSetId, Rba, RbaRange};
use operation_points::RecoverReport;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    queue_manager: String,
    point: &'a str,
    recovered: bool,
    page_sets: &'a [PageSetId],
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
    messages: &'a [String],
    condition_code: ConditionCode,
}

impl<'a> Document<'a> {
    pub(crate) fn new(queue_manager: String, report: &'a RecoverReport, recovered: bool) -> Self {
        Self {
            queue_manager,
            point: &report.point,
            recovered,
            page_sets: &report.page_sets,
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
            messages: &report.messages,
            condition_code: ConditionCode::Done,
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let sets: Vec<String> = self.page_sets.iter().map(ToString::to_string).collect();
        let (restore, forward) =
            (Duration::from_secs_f64(self.restore_seconds), Duration::from_secs_f64(self.forward_seconds));
        let mut lines =
            vec![format!("HWT554I RECOVERY POINT {}, LOG NEEDED {}", self.point, self.log_needed)];
        if !self.recovered {
            lines.push(format!("HWT555I WOULD RESTORE PAGE SETS {} AND BRING THEM FORWARD", sets.join(" ")));
            return lines;
        }
        lines.extend(self.messages.iter().cloned());
        lines.push(format!(
            "HWT556I PAGE SETS {} RESTORED, {} PAGES, {} IN {}, {}",
            sets.join(" "),
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
        lines.push(format!("HWT558I {} RECOVERED, START IT WITH 'qmgr start'", self.queue_manager));
        lines
    }
}
