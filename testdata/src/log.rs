//! A log data set of queue manager QM1: eight control intervals from RBA 0, full of records.

use format_log::ci::{CI_DATA, CiTrailer, LEAST_ROOM};
use format_log::segment::{FIRST, LAST, SEGMENT_HEADER, SegmentChecksum};
use format_log::{Body, LogIdentity, Record, RecordHeader, RecordKind, ResourceManager};
use format_types::{CI_SIZE, HistoryId, Lrsn, PageAddress, PageNumber, PageSetId, QueueManagerId, Rba, Urid};

use crate::Verdict::{Damaged, Refused, Whole};
use crate::{Kind, Specimen, Verdict, flipped, patched};

const INTERVALS: usize = 8;

fn identity(queue_manager: u64) -> LogIdentity {
    LogIdentity {
        queue_manager: QueueManagerId(queue_manager),
        history: HistoryId { number: 1, random: 0x2222 },
    }
}

fn record(number: u64) -> Vec<u8> {
    let header = RecordHeader {
        total_length: 0,
        previous_length: 0,
        kind: RecordKind { major: 0, minor: 0 },
        resource_manager: ResourceManager(0),
        flags: 0,
        release: 0,
        urid: Urid(Rba(0x40)),
        link: Rba(0x40),
        lrsn: Lrsn(number),
    };
    let at = PageAddress::new(PageSetId::new(1).expect("below 100"), PageNumber(2));
    let mut bytes = Vec::new();
    let text = [b'r'; 200];
    Record { header, body: Body::Insert { at, slot: 0, record: &text } }.to_bytes(&mut bytes);
    bytes
}

/// A closed control interval, filled with whole records.
fn interval(index: usize, queue_manager: u64, instance: u32) -> Vec<u8> {
    let identity = identity(queue_manager);
    let checksum = SegmentChecksum::new(identity);
    let rba = Rba((index * CI_SIZE) as u64);
    let mut ci = vec![0; CI_SIZE];
    let mut used = 0;
    for number in 0.. {
        let bytes = record(number);
        if used + SEGMENT_HEADER + bytes.len() + LEAST_ROOM > CI_DATA {
            break;
        }
        used = checksum.put(&mut ci, rba, used, FIRST | LAST, &bytes);
    }
    let trailer = CiTrailer {
        rba,
        identity,
        instance,
        used: u16::try_from(used).expect("inside the interval"),
        first_record: Some(0),
        synced: rba,
        closed: true,
    };
    trailer.put(&mut ci);
    ci
}

fn data_set() -> Vec<u8> {
    (0..INTERVALS).flat_map(|index| interval(index, 0x1111, 1)).collect()
}

pub(crate) fn specimens() -> Vec<Specimen> {
    let whole = data_set();
    let at = |index: usize| index * CI_SIZE;
    let new =
        |name: &str, verdict: Verdict, damage, bytes| Specimen::new(Kind::Log, name, verdict, damage, bytes);
    vec![
        new("whole", Whole, "nothing is wrong", whole.clone()),
        new(
            "bit-flipped",
            Damaged,
            "a bit of a record in interval 3 is flipped",
            flipped(&whole, at(3) + 100),
        ),
        new(
            "trailer-flipped",
            Damaged,
            "a bit of the trailer of interval 3 is flipped",
            flipped(&whole, at(4) - 20),
        ),
        new(
            "foreign",
            Damaged,
            "interval 3 is another queue manager's",
            patched(&whole, at(3), &interval(3, 0x9999, 1)),
        ),
        new("misdirected", Damaged, "interval 4 was written where interval 3 belongs", {
            patched(&whole, at(3), &whole[at(4)..at(5)])
        }),
        new("zeroed", Damaged, "interval 3 was never written", patched(&whole, at(3), &[0; CI_SIZE])),
        new("cut-inside", Refused, "it ends inside a control interval", whole[..at(5) + 1000].to_vec()),
    ]
}

#[cfg(test)]
mod tests {
    use format_log::ci::{self, CiPlace};

    use super::*;

    #[test]
    fn the_decoders_agree_with_the_labels() {
        let identity = identity(0x1111);
        let checksum = SegmentChecksum::new(identity);
        for specimen in specimens() {
            let bad = specimen.bytes.chunks(CI_SIZE).enumerate().filter(|(index, ci)| {
                let place = CiPlace { rba: Rba((index * CI_SIZE) as u64), identity, instance: Some(1) };
                ci::verify_closed(ci, &place, &checksum).is_err()
            });
            let expected = usize::from(specimen.verdict != Whole);
            assert_eq!(bad.count(), expected, "{}", specimen.name);
        }
    }
}
