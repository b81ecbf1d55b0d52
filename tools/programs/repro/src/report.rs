//! What was copied, as text and as JSON.

use format_listing::{function_completed, processing_complete, records_processed};
use format_types::{ConditionCode, HistoryId, PageSetId, QueueManagerId, QueueManagerName, Rba};
use operation_copy::{CopyReport, ImageKind};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct Document {
    infile: String,
    outfile: String,
    kind: &'static str,
    replaces: bool,
    records: u64,
    bytes: u64,
    checksum: Option<String>,
    reread: u64,
    damaged_count: u64,
    damaged: Vec<Damaged>,
    warnings: Vec<String>,
    page_set: Option<PageSet>,
    seconds: f64,
    copied: bool,
    condition_code: ConditionCode,
}

#[derive(Debug, Serialize)]
struct Damaged {
    record: u64,
    rba: Rba,
    why: String,
}

#[derive(Debug, Serialize)]
struct PageSet {
    page_set: PageSetId,
    queue_manager: QueueManagerName,
    queue_manager_id: QueueManagerId,
    history: HistoryId,
    recovery_rba: Rba,
}

/// The two ends, for the report.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) infile: String,
    pub(crate) outfile: String,
    pub(crate) kind: ImageKind,
    pub(crate) replaces: bool,
}

impl Document {
    /// Of a copy that was made.
    pub(crate) fn copied(ends: Ends, report: &CopyReport, seconds: f64) -> Self {
        Self {
            infile: ends.infile,
            outfile: ends.outfile,
            kind: ends.kind.name(),
            replaces: ends.replaces,
            records: report.records,
            bytes: report.length,
            checksum: Some(format!("{:08X}", report.checksum)),
            reread: report.reread,
            damaged_count: report.damaged_count,
            damaged: report
                .damaged
                .iter()
                .map(|d| Damaged { record: d.number, rba: Rba(d.number * 4096), why: d.why.clone() })
                .collect(),
            warnings: report.warnings.clone(),
            page_set: report.page_set.as_ref().map(|facts| PageSet {
                page_set: facts.page_set,
                queue_manager: facts.queue_manager.clone(),
                queue_manager_id: facts.queue_manager_id,
                history: facts.history,
                recovery_rba: facts.recovery_rba,
            }),
            seconds,
            copied: true,
            condition_code: report.code(),
        }
    }

    /// Of a copy that would be made.
    pub(crate) fn planned(ends: Ends, length: Option<u64>) -> Self {
        Self {
            infile: ends.infile,
            outfile: ends.outfile,
            kind: ends.kind.name(),
            replaces: ends.replaces,
            records: length.unwrap_or(0) / 4096,
            bytes: length.unwrap_or(0),
            checksum: None,
            reread: 0,
            damaged_count: 0,
            damaged: Vec::new(),
            warnings: Vec::new(),
            page_set: None,
            seconds: 0.0,
            copied: false,
            condition_code: ConditionCode::Done,
        }
    }

    pub(crate) fn code(&self) -> ConditionCode {
        self.condition_code
    }

    /// The listing, as IDCAMS ends one.
    pub(crate) fn lines(&self) -> Vec<String> {
        if !self.copied {
            let verb = if self.replaces { "WOULD REPLACE" } else { "WOULD MAKE" };
            return vec![format!(
                "HWT535I {} {} FROM {} {}",
                verb,
                self.outfile,
                self.kind.to_uppercase(),
                self.infile
            )];
        }
        vec![
            records_processed(self.records),
            function_completed(self.condition_code),
            processing_complete(self.condition_code),
        ]
    }

    /// Damage and warnings, with their identifiers.
    pub(crate) fn talk(&self) -> Vec<(&'static str, String)> {
        let record = if self.page_set.is_some() { "page" } else { "control interval" };
        let mut talk: Vec<(&'static str, String)> = self
            .damaged
            .iter()
            .map(|d| {
                ("HWT536E", format!("{}: {record} {:08X} never verified: {}", self.infile, d.record, d.why))
            })
            .collect();
        let unnamed = self.damaged_count - self.damaged.len() as u64;
        if unnamed > 0 {
            talk.push(("HWT536E", format!("{}: {unnamed} more never verified", self.infile)));
        }
        if self.damaged_count > 0 {
            let text = format!(
                "{} holds what was read, and counts for nothing as a backup; repair {} with recover",
                self.outfile, self.infile
            );
            talk.push(("HWT537E", text));
        }
        talk.extend(self.warnings.iter().map(|warning| ("HWT538W", format!("{}: {warning}", self.infile))));
        talk
    }
}
