//! What became of each kind of loss.

use std::time::Duration;

use console::format_duration;
use format_types::ConditionCode;
use serde::Serialize;

/// One kind.
#[derive(Debug, Serialize)]
pub(super) struct KindReport {
    pub(super) kind: &'static str,
    pub(super) about: &'static str,
    pub(super) ok: bool,
    /// Puts and gets that were compared with what was promised.
    pub(super) audited_messages: u64,
    pub(super) seconds: f64,
    /// What was done, in order.
    pub(super) done: Vec<String>,
    /// What went wrong.
    pub(super) problems: Vec<String>,
}

impl KindReport {
    pub(super) fn new(kind: &'static str, about: &'static str) -> Self {
        Self {
            kind,
            about,
            ok: false,
            audited_messages: 0,
            seconds: 0.0,
            done: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// All kinds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) kinds: Vec<KindReport>,
    pub(super) failed: usize,
    pub(super) seconds: f64,
    pub(super) kept: Option<String>,
    pub(super) condition_code: ConditionCode,
}

impl Report {
    pub(super) fn lines(&self) -> Vec<String> {
        let time = |seconds: f64| format_duration(Duration::from_secs_f64(seconds));
        let width = self.kinds.iter().map(|kind| kind.kind.len()).max().unwrap_or(0).max(4);
        let mut lines =
            vec![format!("{:width$}  {:6}  {:>8}  {:>10}  LOSS", "KIND", "RESULT", "MESSAGES", "TIME")];
        for kind in &self.kinds {
            let result = if kind.ok { "ok" } else { "FAILED" };
            lines.push(format!(
                "{:width$}  {result:6}  {:>8}  {:>10}  {}",
                kind.kind,
                kind.audited_messages,
                time(kind.seconds),
                kind.about
            ));
            let indent = " ".repeat(width);
            lines.extend(kind.done.iter().map(|step| format!("{indent}    {step}")));
            lines.extend(kind.problems.iter().map(|problem| format!("{indent}  ! {problem}")));
        }
        if let Some(kept) = &self.kept {
            lines.push(format!("KEPT  {kept}"));
        }
        let all = self.kinds.len();
        lines.push(if self.failed == 0 {
            format!(
                "HWT752I {all} KINDS OF LOSS REHEARSED, NONE LOST A MESSAGE, AFTER {}",
                time(self.seconds)
            )
        } else {
            format!("HWT753E {} OF {all} KINDS OF LOSS FAILED", self.failed)
        });
        lines
    }
}
