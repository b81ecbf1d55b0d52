//! The system recovery RBA: the lowest log address that any recovery of this queue manager needs at a moment.
//!
//! It is the lowest of (a) the page sets' recovery RBAs, (b) the lowest RBA that this log must supply to recover any coupling
//! facility structure from its most recent backup, (c) the oldest active unit of recovery (IBM MQ, "Creating a point of recovery"
//! and "Example of queue manager backup activity"). There are no structures yet, so part (b) is absent.

use format_bsds::Bsds;
use format_types::{DataSetUsage, PageSetId, Rba, RecoveryPart, SystemRecovery, UnitUsage};

/// The system recovery RBA over page sets, as (page set, recovery RBA, online), and the active units.
///
/// `log_end` stands in where there is no page set at all.
#[must_use]
pub fn system_recovery(
    page_sets: &[(PageSetId, Rba, bool)],
    units: &[UnitUsage],
    log_end: Rba,
) -> SystemRecovery {
    let page_set_part = page_sets.iter().min_by_key(|(_, rba, _)| *rba).map_or_else(
        || RecoveryPart { rba: log_end, holder: "no page set".to_owned() },
        |(id, rba, online)| RecoveryPart {
            rba: *rba,
            holder: format!("page set {id}{}", if *online { "" } else { " (offline)" }),
        },
    );
    let unit_part = units.iter().min_by_key(|unit| unit.urid).map(|unit| RecoveryPart {
        rba: unit.urid.0,
        holder: format!("unit of recovery {} ({}, connection {})", unit.urid, unit.state, unit.connection),
    });
    let page_sets_online =
        page_sets.iter().filter(|(_, _, online)| *online).map(|(_, rba, _)| *rba).min().unwrap_or(log_end);
    SystemRecovery { page_sets: page_set_part, structures: None, units: unit_part, page_sets_online }
}

/// The log data set of copy 1 that holds `rba`, as CSQI070I names it.
#[must_use]
pub fn data_set_usage(bsds: &Bsds, rba: Rba) -> DataSetUsage {
    DataSetUsage { rba, data_set: bsds.data_set_holding(rba, 1).map(ToOwned::to_owned) }
}

#[cfg(test)]
mod tests {
    use format_types::{UnitState, Urid};

    use super::*;

    fn set(number: u8, rba: u64, online: bool) -> (PageSetId, Rba, bool) {
        (PageSetId::new(number).unwrap(), Rba(rba), online)
    }

    fn unit(rba: u64) -> UnitUsage {
        UnitUsage { urid: Urid(Rba(rba)), state: UnitState::InFlight, connection: "APP".to_owned() }
    }

    #[test]
    fn the_lowest_part_decides_and_names_its_holder() {
        let value = system_recovery(
            &[set(0, 0x5000, true), set(2, 0x3000, true)],
            &[unit(0x4000), unit(0x2800)],
            Rba(0x9000),
        );
        assert_eq!(value.lowest().rba, Rba(0x2800));
        assert!(value.lowest().holder.contains("0000000000002800"), "{}", value.lowest().holder);
        assert_eq!(value.page_sets.holder, "page set 02");
        let value = system_recovery(&[set(0, 0x5000, true), set(2, 0x3000, true)], &[], Rba(0x9000));
        assert_eq!((value.lowest().rba, value.lowest().holder.as_str()), (Rba(0x3000), "page set 02"));
    }

    #[test]
    fn offline_page_sets_count_in_csqi025i_only() {
        let value =
            system_recovery(&[set(0, 0x5000, true), set(2, 0x3000, false)], &[unit(0x4000)], Rba(0x9000));
        assert_eq!(value.restart_rba(), Rba(0x4000));
        assert_eq!(value.restart_rba_with_offline(), Rba(0x3000));
        assert_eq!(value.lowest().rba, Rba(0x3000));
    }
}
