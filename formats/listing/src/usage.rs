//! DISPLAY USAGE, written: CSQI010I, CSQI065I, CSQI070I, CSQI024I, CSQI025I.
//!
//! Columns of a CSQI010I row, from 0: `_` in 0, page set right-aligned to 3, pool to 9, total to 18, unused to 27, persistent to 39,
//! nonpersistent to 50, expansion from 52, count right-aligned to 63, encryption from 67. Of CSQI065I: `_` in 0, pool right-aligned
//! to 7, available to 18, stealable to 29, percentage to 41, page class from 44, location from 54.

use format_types::{BufferPoolUsage, DataSetUsage, PageSetUsage, Rba, RecoveryPart, SystemRecovery};

/// The rows of CSQI010I, with heading and end.
#[must_use]
pub fn page_set_usage(prefix: &str, page_sets: &[PageSetUsage]) -> Vec<String> {
    let mut lines = vec![
        format!("CSQI010I {prefix} Page set usage ..."),
        "Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-".to_owned(),
        " set  pool    pages    pages  data pages data pages        count   ypt".to_owned(),
    ];
    for row in page_sets {
        let number = row.page_set.number();
        lines.push(if row.online {
            format!(
                "_{number:>3}{:>6}{:>9}{:>9}{:>12}{:>11} {:<6}{:>6}   NO",
                row.buffer_pool,
                row.total_pages,
                row.unused_pages,
                row.persistent_pages,
                row.nonpersistent_pages,
                row.expand,
                row.expansions
            )
        } else {
            format!("_{number:>3}   Page set is offline")
        });
    }
    lines.push(" End of page set report".to_owned());
    lines
}

/// The rows of CSQI065I, with heading and end.
#[must_use]
pub fn buffer_pool_attributes(prefix: &str, pools: &[BufferPoolUsage]) -> Vec<String> {
    let mut lines = vec![
        format!("CSQI065I {prefix} Buffer pool attributes ..."),
        "  Buffer  Available  Stealable   Stealable  Page      Location".to_owned(),
        "    pool    buffers    buffers  percentage  class".to_owned(),
    ];
    for pool in pools {
        let percentage = pool.stealable.saturating_mul(100).checked_div(pool.available).unwrap_or(0);
        lines.push(format!(
            "_{:>7}{:>11}{:>11}{percentage:>12}  {:<10}ABOVE",
            pool.buffer_pool, pool.available, pool.stealable, "4KB"
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

/// The rows of CSQI070I, with heading and end. There are no structures.
#[must_use]
pub fn data_set_usage(prefix: &str, unit: Option<&DataSetUsage>, page_set: &DataSetUsage) -> Vec<String> {
    let mut lines = vec![
        format!("CSQI070I {prefix} Data set usage ..."),
        "Data set    RBA/LRSN         DSName".to_owned(),
    ];
    for (row, usage) in [
        (DataSetRow::OldestUnit, unit),
        (DataSetRow::OldestPageSet, Some(page_set)),
        (DataSetRow::OldestStructure, None),
    ] {
        lines.push(row.title().to_owned());
        lines.push(match usage {
            Some(usage) => {
                format!("          {}  {}", usage.rba, usage.data_set.as_deref().unwrap_or("Not found"))
            }
            None => format!("          {:16}  None", ""),
        });
    }
    lines.push("End of data set report".to_owned());
    lines
}

/// CSQI024I and CSQI025I.
#[must_use]
pub fn restart_rbas(prefix: &str, system: &SystemRecovery) -> Vec<String> {
    vec![
        format!("CSQI024I {prefix} CSQIDUSE Restart RBA for system as"),
        format!("configured={}", system.restart_rba()),
        format!(
            "CSQI025I {prefix} CSQIDUSE Restart RBA including offline page sets={}",
            system.restart_rba_with_offline()
        ),
    ]
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
