//! DISPLAY USAGE, written: CSQI010I, CSQI065I, CSQI070I, CSQI024I, CSQI025I, CSQE280I, CSQE285I.
//!
//! Columns of a CSQI010I row, from 0: `_` in 0, page set right-aligned to 3, pool to 9, total to 18, unused to 27, persistent to 39,
//! nonpersistent to 50, expansion from 52, count right-aligned to 63, encryption from 67. Of CSQI065I: `_` in 0, pool right-aligned
//! to 7, available to 18, stealable to 29, percentage to 41, page class from 44, location from 54. Of CSQE280I and CSQE285I: `_` in 0,
//! structure from 1. A number that is too long for its column pushes the rest to the right; one blank stays between the two.

use format_types::{BufferPoolUsage, DataSetUsage, PageSetUsage, Rba, RecoveryPart, SystemRecovery};

use crate::usage_reader::{
    BufferPoolRow, DataSetUsageRow, LogAddress, PageSetCondition, PageSetPages, PageSetRow, SmdsBufferRow,
    SmdsRow,
};

impl From<&PageSetUsage> for PageSetRow {
    fn from(usage: &PageSetUsage) -> Self {
        let pages = || PageSetPages {
            buffer_pool: usage.buffer_pool,
            total: usage.total_pages,
            unused: usage.unused_pages,
            persistent: usage.persistent_pages,
            nonpersistent: usage.nonpersistent_pages,
            expand: usage.expand,
            expansions: usage.expansions,
            encrypted: Some(false),
        };
        let condition =
            if usage.online { PageSetCondition::Online(pages()) } else { PageSetCondition::Offline };
        Self { page_set: usage.page_set, condition }
    }
}

/// The rows of CSQI010I, with heading and end.
#[must_use]
pub fn page_set_usage(prefix: &str, page_sets: &[PageSetUsage]) -> Vec<String> {
    let rows: Vec<PageSetRow> = page_sets.iter().map(PageSetRow::from).collect();
    self::page_sets(prefix, &rows)
}

/// CSQI010I of rows as they are read.
pub(crate) fn page_sets(prefix: &str, rows: &[PageSetRow]) -> Vec<String> {
    let mut lines = vec![
        format!("CSQI010I {prefix} Page set usage ..."),
        "Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-".to_owned(),
        " set  pool    pages    pages  data pages data pages        count   ypt".to_owned(),
    ];
    for row in rows {
        let number = row.page_set.number();
        let absent = |words: &str| format!("_{number:>3}   Page set {words}");
        lines.push(match &row.condition {
            PageSetCondition::Online(pages) => {
                let encrypted = pages.encrypted.map_or("", |yes| if yes { "  YES" } else { "   NO" });
                format!(
                    "_{number:>3} {:>5} {:>8} {:>8} {:>11} {:>10} {:<6} {:>5}{encrypted}",
                    pages.buffer_pool,
                    pages.total,
                    pages.unused,
                    pages.persistent,
                    pages.nonpersistent,
                    pages.expand,
                    pages.expansions
                )
            }
            PageSetCondition::Offline => absent("is offline"),
            PageSetCondition::NotDefined => absent("is not defined"),
            PageSetCondition::NeverOnline => absent("has never been online"),
            PageSetCondition::Suspended => absent("is suspended"),
        });
    }
    lines.push(" End of page set report".to_owned());
    lines
}

/// The rows of CSQI065I, with heading and end.
#[must_use]
pub fn buffer_pool_attributes(prefix: &str, pools: &[BufferPoolUsage]) -> Vec<String> {
    let row = |pool: &BufferPoolUsage| {
        let percentage = pool.stealable.saturating_mul(100).checked_div(pool.available).unwrap_or(0);
        BufferPoolRow {
            buffer_pool: pool.buffer_pool,
            available: pool.available,
            stealable: pool.stealable,
            percentage: u8::try_from(percentage).unwrap_or(u8::MAX),
            page_class: "4KB".to_owned(),
            location: "ABOVE".to_owned(),
        }
    };
    buffer_pools(prefix, &pools.iter().map(row).collect::<Vec<_>>())
}

/// CSQI065I of rows as they are read.
pub(crate) fn buffer_pools(prefix: &str, rows: &[BufferPoolRow]) -> Vec<String> {
    let mut lines = vec![
        format!("CSQI065I {prefix} Buffer pool attributes ..."),
        "  Buffer  Available  Stealable   Stealable  Page      Location".to_owned(),
        "    pool    buffers    buffers  percentage  class".to_owned(),
    ];
    for row in rows {
        let BufferPoolRow { buffer_pool, available, stealable, percentage, page_class, location } = row;
        lines.push(format!(
            "_{buffer_pool:>7} {available:>10} {stealable:>10}{percentage:>12}  {page_class:<9} {location}"
        ));
    }
    lines.push(" End of buffer pool attributes".to_owned());
    lines
}

/// What a row of CSQI070I is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSetRow {
    /// The oldest active unit of work.
    OldestUnit,
    /// The lowest recovery RBA of the page sets.
    OldestPageSet,
    /// The oldest structure backup.
    OldestStructure,
}

impl DataSetRow {
    /// The line above the row.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::OldestUnit => "Log, oldest with active unit of work",
            Self::OldestPageSet => "Log, oldest for page set recovery",
            Self::OldestStructure => "Log, oldest for CF structure recovery",
        }
    }
}

/// A row of CSQI070I below its title: an RBA or LRSN, and the data set or what stands in its place.
fn data_set_lines(row: DataSetRow, address: &str, data_set: &str) -> [String; 2] {
    [row.title().to_owned(), format!("          {address:16}  {data_set}")]
}

fn data_set_table(prefix: &str, rows: impl IntoIterator<Item = [String; 2]>) -> Vec<String> {
    let mut lines = vec![
        format!("CSQI070I {prefix} Data set usage ..."),
        "Data set    RBA/LRSN         DSName".to_owned(),
    ];
    lines.extend(rows.into_iter().flatten());
    lines.push("End of data set report".to_owned());
    lines
}

/// The rows of CSQI070I, with heading and end. There are no structures.
#[must_use]
pub fn data_set_usage(prefix: &str, unit: Option<&DataSetUsage>, page_set: &DataSetUsage) -> Vec<String> {
    let rows = [
        (DataSetRow::OldestUnit, unit),
        (DataSetRow::OldestPageSet, Some(page_set)),
        (DataSetRow::OldestStructure, None),
    ];
    let line = |(row, usage): (DataSetRow, Option<&DataSetUsage>)| match usage {
        Some(usage) => {
            data_set_lines(row, &usage.rba.to_string(), usage.data_set.as_deref().unwrap_or("Not found"))
        }
        None => data_set_lines(row, "", "None"),
    };
    data_set_table(prefix, rows.map(line))
}

/// CSQI070I of rows as they are read.
pub(crate) fn data_sets(prefix: &str, rows: &[DataSetUsageRow]) -> Vec<String> {
    let line = |usage: &DataSetUsageRow| {
        let address = match usage.from {
            Some(LogAddress::Rba(rba)) => rba.to_string(),
            Some(LogAddress::Lrsn(lrsn)) => lrsn.to_string(),
            None => return data_set_lines(usage.row, "", "None"),
        };
        let data_set = usage.data_set.as_ref().map_or("Not found", |name| name.as_str());
        data_set_lines(usage.row, &address, data_set)
    };
    data_set_table(prefix, rows.iter().map(line))
}

/// CSQI024I.
pub(crate) fn restart_rba(prefix: &str, rba: Rba) -> Vec<String> {
    vec![format!("CSQI024I {prefix} CSQIDUSE Restart RBA for system as"), format!("configured={rba}")]
}

/// CSQI025I.
pub(crate) fn restart_rba_with_offline(prefix: &str, rba: Rba) -> Vec<String> {
    vec![format!("CSQI025I {prefix} CSQIDUSE Restart RBA including offline page sets={rba}")]
}

/// CSQI024I and CSQI025I.
#[must_use]
pub fn restart_rbas(prefix: &str, system: &SystemRecovery) -> Vec<String> {
    let mut lines = restart_rba(prefix, system.restart_rba());
    lines.extend(restart_rba_with_offline(prefix, system.restart_rba_with_offline()));
    lines
}

/// CSQE280I.
pub(crate) fn shared_message_data_sets(prefix: &str, rows: &[SmdsRow]) -> Vec<String> {
    let mut lines = vec![
        format!("CSQE280I {prefix} SMDS usage ..."),
        "Application  Offloaded  Total  Total data  Used data  Used".to_owned(),
        "structure    messages   blocks   blocks     blocks    part".to_owned(),
    ];
    for row in rows {
        let SmdsRow { structure, messages, blocks, data_blocks, used_blocks, used_percent } = row;
        lines.push(format!(
            "_{:<12} {messages:>6} {blocks:>9} {data_blocks:>10} {used_blocks:>10} {used_percent:>5}%",
            structure.as_str()
        ));
    }
    lines.push("End of SMDS report".to_owned());
    lines
}

/// CSQE285I.
pub(crate) fn shared_message_buffers(prefix: &str, rows: &[SmdsBufferRow]) -> Vec<String> {
    let mut lines = vec![
        format!("CSQE285I {prefix} SMDS buffer usage ..."),
        "Application  Block ----- Buffers -----  Reads Lowest  Wait".to_owned(),
        "structure    size  Total In use Saved Empty saved free  rate".to_owned(),
    ];
    for row in rows {
        let SmdsBufferRow { structure, block_kib, reads_saved, lowest_free, wait_rate, .. } = row;
        let [all, in_use, saved, empty] = row.buffers;
        lines.push(format!(
            "_{:<12} {block_kib:>3}K {all:>5} {in_use:>6} {saved:>5} {empty:>5} {reads_saved:>4}% {lowest_free:>4} {wait_rate:>4}%",
            structure.as_str()
        ));
    }
    lines.push("End of SMDS buffer report".to_owned());
    lines
}

/// The system recovery RBA, and each of its parts with its holder.
#[must_use]
pub fn recovery_parts(system: &SystemRecovery, log_end: Rba) -> Vec<String> {
    let part = |name: &str, part: Option<&RecoveryPart>| match part {
        Some(part) => format!("  {name:<18}{}  {}", part.rba, part.holder),
        None => format!("  {name:<18}{:16}  none", ""),
    };
    let lowest = system.lowest();
    vec![
        format!("System recovery RBA {}, held by {}", lowest.rba, lowest.holder),
        part("page sets", Some(&system.page_sets)),
        part("structures", system.structures.as_ref()),
        part("units of recovery", system.units.as_ref()),
        format!("  {:<18}{log_end}", "end of log"),
    ]
}

#[cfg(test)]
mod tests {
    use format_types::{Expand, PageSetId};

    use super::*;

    fn set(page_set: u8, buffer_pool: u8, unused: u64, persistent: u64, nonpersistent: u64) -> PageSetUsage {
        PageSetUsage {
            page_set: PageSetId::new(page_set).unwrap(),
            buffer_pool,
            online: true,
            total_pages: unused + persistent + nonpersistent,
            unused_pages: unused,
            persistent_pages: persistent,
            nonpersistent_pages: nonpersistent,
            expand: Expand::User,
            expansions: 0,
            recovery_rba: Rba(0),
        }
    }

    #[test]
    fn page_sets_are_the_published_sample() {
        let sets = [
            set(0, 0, 1045, 33, 0),
            set(1, 0, 1061, 17, 0),
            set(2, 1, 1074, 4, 0),
            set(3, 2, 1075, 0, 3),
            set(4, 3, 1075, 3, 0),
        ];
        let sample = "\
CSQI010I ZQS2 Page set usage ...
Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-
 set  pool    pages    pages  data pages data pages        count   ypt
_  0     0     1078     1045          33          0 USER       0   NO
_  1     0     1078     1061          17          0 USER       0   NO
_  2     1     1078     1074           4          0 USER       0   NO
_  3     2     1078     1075           0          3 USER       0   NO
_  4     3     1078     1075           3          0 USER       0   NO
 End of page set report";
        assert_eq!(page_set_usage("ZQS2", &sets).join("\n"), sample);
    }

    #[test]
    fn page_set_columns_are_the_measured_ones() {
        let mut row = set(99, 9, 16_777_215, 16_777_214, 16_777_213);
        row.total_pages = 16_777_216;
        row.expand = Expand::System;
        row.expansions = 123;
        let line = &page_set_usage("QM1", &[row.clone()])[3];
        for (text, last) in [
            ("99", 3),
            ("9", 9),
            ("16777216", 18),
            ("16777215", 27),
            ("16777214", 39),
            ("16777213", 50),
            ("123", 63),
        ] {
            assert_eq!(&line[last + 1 - text.len()..=last], text);
        }
        assert!(line[52..].starts_with("SYSTEM") && line[67..] == *"NO");
        row.online = false;
        assert_eq!(page_set_usage("QM1", &[row])[3], "_ 99   Page set is offline");
    }

    #[test]
    fn buffer_pools_have_the_columns_of_the_published_sample() {
        let pool = |buffer_pool, available, stealable| BufferPoolUsage { buffer_pool, available, stealable };
        let lines = buffer_pool_attributes("ZQS2", &[pool(0, 50_000, 49_998), pool(1, 0, 0)]);
        let sample = "\
CSQI065I ZQS2 Buffer pool attributes ...
  Buffer  Available  Stealable   Stealable  Page      Location
    pool    buffers    buffers  percentage  class
_      0      50000      49998          99  4KB       ABOVE
_      1          0          0           0  4KB       ABOVE
 End of buffer pool attributes";
        assert_eq!(lines.join("\n"), sample);
    }

    #[test]
    fn data_sets_and_restart_rbas() {
        let usage =
            |rba, name: Option<&str>| DataSetUsage { rba: Rba(rba), data_set: name.map(str::to_owned) };
        let lines = data_set_usage("QM1", None, &usage(0x4000, Some("LOGCOPY1.DS01")));
        assert_eq!(
            lines.join("\n"),
            "CSQI070I QM1 Data set usage ...\n\
             Data set    RBA/LRSN         DSName\n\
             Log, oldest with active unit of work\n                            None\n\
             Log, oldest for page set recovery\n          0000000000004000  LOGCOPY1.DS01\n\
             Log, oldest for CF structure recovery\n                            None\n\
             End of data set report"
        );
        let part = |rba, holder: &str| RecoveryPart { rba: Rba(rba), holder: holder.to_owned() };
        let system = SystemRecovery {
            page_sets: part(0x3000, "page set 02 (offline)"),
            structures: None,
            units: Some(part(0x5000, "unit of recovery 0000000000005000 (in-flight, connection X)")),
            page_sets_online: Rba(0x4000),
        };
        assert_eq!(
            restart_rbas("QM1", &system),
            [
                "CSQI024I QM1 CSQIDUSE Restart RBA for system as",
                "configured=0000000000004000",
                "CSQI025I QM1 CSQIDUSE Restart RBA including offline page sets=0000000000003000",
            ]
        );
        assert_eq!(
            recovery_parts(&system, Rba(0x9000)),
            [
                "System recovery RBA 0000000000003000, held by page set 02 (offline)",
                "  page sets         0000000000003000  page set 02 (offline)",
                "  structures                          none",
                "  units of recovery 0000000000005000  unit of recovery 0000000000005000 (in-flight, connection X)",
                "  end of log        0000000000009000",
            ]
        );
    }
}
