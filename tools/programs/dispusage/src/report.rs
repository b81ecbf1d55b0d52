//! The usage as text and as JSON.

use format_listing::{
    buffer_pool_attributes, data_set_usage, normal_completion, page_set_usage, recovery_parts, restart_rbas,
};
use format_types::{
    BufferPoolUsage, DataSetUsage, PageSetUsage, QueueManagerName, Rba, SystemRecovery, UnitUsage,
    UsageReport,
};
use serde::Serialize;

use crate::args::Kind;

/// The usage of a queue manager, and where it comes from.
pub(crate) struct Report {
    /// Its name.
    pub(crate) name: QueueManagerName,
    /// Answered by the running queue manager, or read from its files.
    pub(crate) live: bool,
    /// Which part is shown.
    pub(crate) kind: Kind,
    /// What it says.
    pub(crate) usage: UsageReport,
}

#[derive(Serialize)]
struct Document<'a> {
    queue_manager: &'a QueueManagerName,
    source: &'static str,
    log_end: Rba,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_sets: Option<&'a [PageSetUsage]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buffer_pools: Option<&'a [BufferPoolUsage]>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    recovery: Option<Recovery<'a>>,
}

#[derive(Serialize)]
struct Recovery<'a> {
    oldest_unit: Option<&'a DataSetUsage>,
    oldest_page_set: &'a DataSetUsage,
    units: &'a [UnitUsage],
    restart_rba: Rba,
    restart_rba_with_offline: Rba,
    system_recovery_rba: Rba,
    held_by: &'a str,
    system_recovery: &'a SystemRecovery,
}

impl Report {
    fn page_sets(&self) -> bool {
        self.kind != Kind::DataSet
    }

    fn data_sets(&self) -> bool {
        self.kind != Kind::PageSet
    }

    /// The listing, then the parts of the system recovery RBA with their holders.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (name, usage) = (self.name.as_str(), &self.usage);
        let mut lines = Vec::new();
        if self.page_sets() {
            lines.extend(page_set_usage(name, &usage.page_sets));
            if self.live {
                lines.extend(buffer_pool_attributes(name, &usage.buffer_pools));
            }
        }
        if self.data_sets() {
            lines.extend(data_set_usage(name, usage.oldest_unit.as_ref(), &usage.oldest_page_set));
            lines.extend(restart_rbas(name, &usage.system_recovery));
        }
        lines.push(normal_completion(name, "CSQIDUSE", "DISPLAY USAGE"));
        if self.data_sets() {
            lines.extend(recovery_parts(&usage.system_recovery, usage.log_end));
        }
        lines
    }

    /// The same as a document.
    pub(crate) fn document(&self) -> impl Serialize + '_ {
        let usage = &self.usage;
        let system = &usage.system_recovery;
        Document {
            queue_manager: &self.name,
            source: if self.live { "live" } else { "files" },
            log_end: usage.log_end,
            page_sets: self.page_sets().then_some(usage.page_sets.as_slice()),
            buffer_pools: (self.page_sets() && self.live).then_some(usage.buffer_pools.as_slice()),
            recovery: self.data_sets().then(|| Recovery {
                oldest_unit: usage.oldest_unit.as_ref(),
                oldest_page_set: &usage.oldest_page_set,
                units: &usage.units,
                restart_rba: system.restart_rba(),
                restart_rba_with_offline: system.restart_rba_with_offline(),
                system_recovery_rba: system.lowest().rba,
                held_by: &system.lowest().holder,
                system_recovery: system,
            }),
        }
    }
}
