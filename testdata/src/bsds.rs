//! Bootstrap data sets of queue manager QM1.

use format_bsds::slot::FIRST_CAPACITY;
use format_bsds::{ActiveLog, ActiveStatus, Bsds, PageSetEntry, Settings, encode_slot};
use format_types::{
    Expand, HistoryId, LogHistory, PageSetId, QueueManagerId, Rba, RbaRange, Timestamp, crc32c_combine_parts,
};

use crate::Verdict::{Damaged, Refused, Whole};
use crate::{Kind, Specimen, Verdict, flipped};

/// Byte offsets in a slot's header, and its length.
const VERSION_OFFSET: usize = 8;
const LENGTH_OFFSET: usize = 24;
const CRC_OFFSET: usize = 28;
const HEADER: usize = 32;

fn inventory(sequence: u64) -> Bsds {
    let history = HistoryId { number: 1, random: 0x2222 };
    Bsds {
        sequence,
        queue_manager: QueueManagerId(0x1111),
        name: "QM1".parse().expect("a name"),
        created: Timestamp(1_800_000_000_000_000),
        settings: Settings {
            dual_active: false,
            dual_archive: false,
            log_data_set_size: 1 << 20,
            log_load: 100_000,
            buffer_pool_pages: 1024,
        },
        histories: vec![LogHistory { id: history, parent: None, first: Rba::ZERO }],
        active_logs: vec![ActiveLog {
            copy: 1,
            name: "LOGCOPY1.DS01".to_owned(),
            size: 1 << 20,
            range: Some(RbaRange::new(Rba::ZERO, Rba(1 << 20))),
            status: ActiveStatus::default(),
            instance: 1,
            history,
        }],
        copy_stopped: [None, None],
        archives: vec![],
        next_archive: 1,
        highest_written: Rba(0x8000),
        highest_offloaded: Rba::ZERO,
        checkpoints: vec![],
        clean_stop: None,
        conditional_restarts: vec![],
        backups_in_progress: vec![],
        recovery_points: vec![],
        holds: vec![],
        page_sets: vec![PageSetEntry {
            page_set: PageSetId::new(1).expect("below 100"),
            initial_pages: 64,
            expand: Expand::User,
            defined: Some((history, Rba::ZERO)),
        }],
        holes: vec![],
    }
}

fn file() -> Vec<u8> {
    let slot = |sequence| encode_slot(&inventory(sequence), FIRST_CAPACITY).expect("a small inventory fits");
    [slot(4), slot(5)].concat()
}

fn newer() -> Vec<u8> {
    let mut file = file();
    for slot in file.chunks_mut(FIRST_CAPACITY) {
        slot[VERSION_OFFSET + 1] = 2;
        let length: [u8; 4] = slot[LENGTH_OFFSET..CRC_OFFSET].try_into().expect("four bytes");
        let image = HEADER..HEADER + u32::from_be_bytes(length) as usize;
        let crc = crc32c_combine_parts(&[&slot[..CRC_OFFSET], &slot[image]]);
        slot[CRC_OFFSET..HEADER].copy_from_slice(&crc.to_be_bytes());
    }
    file
}

pub(crate) fn specimens() -> Vec<Specimen> {
    let whole = file();
    let new =
        |name: &str, verdict: Verdict, damage, bytes| Specimen::new(Kind::Bsds, name, verdict, damage, bytes);
    vec![
        new("whole", Whole, "nothing is wrong", whole.clone()),
        new("newest-slot-torn", Damaged, "the newest slot is damaged, the one before serves", {
            flipped(&whole, FIRST_CAPACITY + 60)
        }),
        new(
            "both-slots-damaged",
            Refused,
            "both slots are damaged",
            flipped(&flipped(&whole, FIRST_CAPACITY + 60), 60),
        ),
        new("newer", Refused, "it was written by a newer version", newer()),
    ]
}

#[cfg(test)]
mod tests {
    use format_bsds::decode_file;

    use super::*;

    #[test]
    fn the_decoders_agree_with_the_labels() {
        for specimen in specimens() {
            let read = decode_file(&specimen.bytes);
            assert_eq!(read.newest.is_some(), specimen.verdict != Refused, "{}", specimen.name);
            assert_eq!(read.is_sound(), specimen.verdict == Whole, "{}", specimen.name);
        }
    }
}
