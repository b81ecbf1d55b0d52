//! What the rehearsal showed.

use std::time::Duration;

use console::{format_duration, format_rate, format_size};
use format_types::{ConditionCode, PageSetId, Rba};
use operation_workload::AuditReport;
use serde::Serialize;

/// Everything measured, and the verdict.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) queue_manager: String,
    /// Puts and gets acknowledged before the kill.
    pub(crate) messages: u64,
    pub(crate) message_bytes: u64,
    /// Longest time between two acknowledgements, the recovery point's making included.
    pub(crate) longest_pause_seconds: f64,
    pub(crate) log_bytes: u64,
    pub(crate) point_bytes: u64,
    pub(crate) point_seconds: f64,
    pub(crate) killed_process: u32,
    pub(crate) page_set_removed: PageSetId,
    pub(crate) page_set_corrupted: PageSetId,
    pub(crate) pages_corrupted: u64,
    pub(crate) restored_bytes: u64,
    pub(crate) restore_seconds: f64,
    pub(crate) log_needed_from: Rba,
    pub(crate) log_read_bytes: u64,
    pub(crate) log_records: u64,
    pub(crate) forward_seconds: f64,
    /// From the start of the recovery until the queue manager takes requests.
    pub(crate) back_seconds: f64,
    pub(crate) audit: AuditReport,
    pub(crate) messages_after: u64,
    pub(crate) audit_after: AuditReport,
    /// Archives that only the first recovery point needed, deleted while the queue manager ran.
    pub(crate) archives_deleted: u64,
    pub(crate) archive_bytes_deleted: u64,
    pub(crate) archives_kept: u64,
    pub(crate) delete_seconds: f64,
    /// The recovery from the second point, with the log that is left.
    pub(crate) restored_bytes_after: u64,
    pub(crate) log_needed_from_after: Rba,
    pub(crate) log_read_bytes_after: u64,
    pub(crate) audit_deleted: AuditReport,
    /// Queues of the copied queue manager whose persistent messages are not what they were.
    pub(crate) differences: Vec<String>,
    /// Processes that did not end as they should.
    pub(crate) troubles: Vec<String>,
    pub(crate) seconds: f64,
    pub(crate) kept: Option<String>,
    pub(crate) clean: bool,
    pub(crate) condition_code: ConditionCode,
}

impl Report {
    /// Whether nothing was lost and nothing appeared.
    pub(crate) fn judge(&mut self) {
        self.clean = self.audit.is_clean()
            && self.audit_after.is_clean()
            && self.audit_deleted.is_clean()
            && self.differences.is_empty()
            && self.troubles.is_empty();
        self.condition_code = if self.clean { ConditionCode::Done } else { ConditionCode::Partial };
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let time = |seconds: f64| format_duration(Duration::from_secs_f64(seconds));
        let rate = |bytes: u64, seconds: f64| format_rate(bytes, Duration::from_secs_f64(seconds));
        let mut lines = vec![
            format!(
                "LOAD        {} messages put and got, {}, log {}; longest pause {}",
                self.messages,
                format_size(self.message_bytes),
                format_size(self.log_bytes),
                time(self.longest_pause_seconds)
            ),
            format!(
                "POINT       {} copied meanwhile in {}, {}",
                format_size(self.point_bytes),
                time(self.point_seconds),
                rate(self.point_bytes, self.point_seconds)
            ),
            format!(
                "LOSS        process {} killed, page set {} removed, {} pages of page set {} overwritten",
                self.killed_process, self.page_set_removed, self.pages_corrupted, self.page_set_corrupted
            ),
            format!(
                "RECOVERY    {} restored in {}, {}; log from {}, {} read in {}, {}, {} records",
                format_size(self.restored_bytes),
                time(self.restore_seconds),
                rate(self.restored_bytes, self.restore_seconds),
                self.log_needed_from,
                format_size(self.log_read_bytes),
                time(self.forward_seconds),
                rate(self.log_read_bytes, self.forward_seconds),
                self.log_records
            ),
            format!("BACK        after {}", time(self.back_seconds)),
            audit_line("AUDIT      ", &self.audit),
            format!("LOAD ON     {} messages put and got", self.messages_after),
            audit_line("AUDIT      ", &self.audit_after),
            format!(
                "PRUNE       after another recovery point {} archives deleted, {}, in {}; {} kept",
                self.archives_deleted,
                format_size(self.archive_bytes_deleted),
                time(self.delete_seconds),
                self.archives_kept
            ),
            format!(
                "RECOVERY    with the rest: {} restored; log from {}, {} read",
                format_size(self.restored_bytes_after),
                self.log_needed_from_after,
                format_size(self.log_read_bytes_after)
            ),
            audit_line("AUDIT      ", &self.audit_deleted),
        ];
        lines.extend(
            [&self.audit, &self.audit_after, &self.audit_deleted]
                .into_iter()
                .flat_map(|audit| &audit.findings)
                .map(|f| format!("FOUND       {f}")),
        );
        lines.extend(self.differences.iter().map(|difference| format!("FOUND       {difference}")));
        lines.extend(self.troubles.iter().map(|trouble| format!("TROUBLE     {trouble}")));
        if let Some(kept) = &self.kept {
            lines.push(format!("KEPT        {kept}"));
        }
        lines.push(if self.clean {
            format!(
                "HWT796I NOTHING WAS LOST, NOTHING APPEARED: THE REHEARSAL IS CLEAN AFTER {}",
                time(self.seconds)
            )
        } else {
            "HWT797E THE REHEARSAL IS NOT CLEAN".to_owned()
        });
        lines
    }
}

fn audit_line(head: &str, audit: &AuditReport) -> String {
    format!(
        "{head} {} units, {} puts, {} gets acknowledged, {} units unknown; {} messages there; lost {}, duplicated {}, \
            reordered {}, altered {}, resurrected {}, foreign {}, torn {}",
        audit.acknowledged_units,
        audit.acknowledged_puts,
        audit.acknowledged_gets,
        audit.unknown_units,
        audit.present,
        audit.lost,
        audit.duplicated,
        audit.reordered,
        audit.altered,
        audit.resurrected,
        audit.foreign,
        audit.torn_units
    )
}
