//! The fields of a usage report.

use format_types::{
    BufferPoolUsage, DataSetUsage, PageSetUsage, RecoveryPart, SystemRecovery, UnitUsage, UsageReport,
};

use crate::field::struct_field;

struct_field!(PageSetUsage {
    page_set,
    buffer_pool,
    online,
    total_pages,
    unused_pages,
    persistent_pages,
    nonpersistent_pages,
    expand,
    expansions,
    recovery_rba,
});
struct_field!(BufferPoolUsage { buffer_pool, available, stealable });
struct_field!(UnitUsage { urid, state, connection });
struct_field!(RecoveryPart { rba, holder });
struct_field!(SystemRecovery { page_sets, structures, units, page_sets_online });
struct_field!(DataSetUsage { rba, data_set });
struct_field!(UsageReport {
    page_sets,
    buffer_pools,
    oldest_unit,
    oldest_page_set,
    units,
    system_recovery,
    log_end,
});
