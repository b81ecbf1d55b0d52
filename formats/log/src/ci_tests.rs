//! Tests of control intervals: every flip, truncation and mix of sectors is noticed.

use super::*;
use crate::segment::{FIRST, LAST};
use crate::{Body, Record, RecordHeader, RecordKind, ResourceManager};
use format_types::{Lrsn, PageAddress, PageNumber, PageSetId, Urid};

fn identity() -> LogIdentity {
    LogIdentity {
        queue_manager: QueueManagerId(0x1122_3344_5566_7788),
        history: HistoryId { number: 1, random: 0x99AA_BBCC_DDEE_FF00 },
    }
}

fn record_bytes(length: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..length - HEADER_LENGTH - 8).map(|i| (i * 31 % 251) as u8 + 1).collect();
    let header = RecordHeader {
        total_length: 0,
        previous_length: 0,
        kind: RecordKind::INSERT,
        resource_manager: ResourceManager::DATA,
        flags: 0,
        release: 1,
        urid: Urid(Rba(0x30)),
        link: Rba(0x30),
        lrsn: Lrsn(0xD5E0_0D66_6DAA_0003),
    };
    let at = PageAddress::new(PageSetId::new(20).unwrap(), PageNumber(2));
    let mut out = Vec::new();
    Record { header, body: Body::Insert { at, slot: 1, record: &data } }.to_bytes(&mut out);
    assert_eq!(out.len(), length);
    out
}

const RBA: Rba = Rba(0x5_A000);

fn place() -> CiPlace {
    CiPlace { rba: RBA, identity: identity(), instance: Some(3) }
}

/// A continuation, two whole records, and the start of a third that reaches to the trailer; or, with `open`, room left.
fn built(closed: bool) -> [u8; CI_SIZE] {
    let checksum = SegmentChecksum::new(identity());
    let mut ci = [0; CI_SIZE];
    let mut at = checksum.put(&mut ci, RBA, 0, LAST, &[0xAB; 100]);
    at = checksum.put(&mut ci, RBA, at, FIRST | LAST, &record_bytes(542));
    at = checksum.put(&mut ci, RBA, at, FIRST | LAST, &record_bytes(80));
    if closed {
        let long = record_bytes(4000);
        at = checksum.put(&mut ci, RBA, at, FIRST, &long[..CI_DATA - at - SEGMENT_HEADER]);
    }
    let trailer = CiTrailer {
        rba: RBA,
        identity: identity(),
        instance: 3,
        used: at as u16,
        first_record: Some(108),
        synced: Rba(0x5_9123),
        closed,
    };
    trailer.put(&mut ci);
    ci
}

#[test]
fn the_documentation_has_the_fields() {
    use std::mem::offset_of;
    let text = include_str!("../../../docs/formats/log.md");
    macro_rules! rows {
        ($($field:ident),+) => {
            vec![$((CI_DATA + offset_of!(Layout, $field), stringify!($field))),+]
        };
    }
    let fields = rows!(
        eye_catcher,
        version,
        flags,
        rba,
        queue_manager,
        history_number,
        history_random,
        instance,
        used,
        first_record,
        synced,
        zero,
        crc
    );
    let ends = fields.iter().skip(1).map(|(offset, _)| *offset).chain([CI_SIZE]);
    for ((offset, name), end) in fields.iter().zip(ends) {
        let row = format!("| {offset} | {} | `{name}` |", end - offset);
        assert!(text.contains(&row), "{row}");
    }
    for fact in [
        format!("starts only where {LEAST_ROOM} bytes are left"),
        format!("trailer, {TRAILER} bytes"),
        format!("header, {SEGMENT_HEADER} bytes"),
        format!("| `version` | version {VERSION} |"),
        format!("{FIRST:02X} first of its record, {LAST:02X} last of its record"),
    ] {
        assert!(text.contains(&fact), "{fact}");
    }
}

#[test]
fn layout_is_pinned() {
    let ci = built(true);
    assert_eq!(&ci[0..8], &[ci[0], ci[1], ci[2], ci[3], 0, 100, 0x40, 0]);
    assert_eq!(&ci[4032..4040], b"HWCI\x00\x01\x00\x01");
    assert_eq!(&ci[4040..4048], &RBA.0.to_be_bytes());
    assert_eq!(&ci[4048..4056], &identity().queue_manager.0.to_be_bytes());
    assert_eq!(&ci[4056..4068], &[0, 0, 0, 1, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0]);
    assert_eq!(&ci[4068..4084], &[0, 0, 0, 3, 0x0F, 0xC0, 0, 108, 0, 0, 0, 0, 0, 5, 0x91, 0x23]);
    assert_eq!(&ci[4092..], &crc32c(&ci[4032..4092]).to_be_bytes());
    // The segment's checksum, by an independent implementation.
    let mut input = Vec::new();
    input.extend(identity().queue_manager.0.to_be_bytes());
    input.extend(identity().history.number.to_be_bytes());
    input.extend(identity().history.random.to_be_bytes());
    input.extend(RBA.0.to_be_bytes());
    input.extend(&ci[4..108]);
    assert_eq!(crc32c(&input).to_be_bytes(), ci[..4]);
}

#[test]
fn a_closed_ci_is_read_back() {
    let checksum = SegmentChecksum::new(identity());
    let ci = built(true);
    let trailer = verify_closed(&ci, &place(), &checksum).unwrap();
    assert_eq!((trailer.used, trailer.first_record), (CI_DATA as u16, Some(108)));
    let segments: Vec<_> = Segments::new(&ci, RBA, &checksum).collect();
    assert_eq!(segments.len(), 4);
    assert_eq!(segments[1].payload, record_bytes(542));
    assert!(segments[3].first && !segments[3].last);
}

#[test]
fn every_bit_flip_and_truncation_is_detected() {
    let checksum = SegmentChecksum::new(identity());
    for good in [built(true), built(false)] {
        verify(&good, &place(), &checksum).unwrap();
        for bit in 0..CI_SIZE * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&bad, &place(), &checksum).is_err(), "bit {bit}");
        }
        for len in 0..CI_SIZE {
            assert!(verify(&good[..len], &place(), &checksum).is_err(), "cut to {len}");
            let mut bad = good;
            bad[len..].fill(0);
            if bad != good {
                assert!(verify(&bad, &place(), &checksum).is_err(), "zeros from {len}");
            }
        }
    }
}

#[test]
fn a_ci_counts_only_where_it_belongs() {
    let ci = built(true);
    let checksum = SegmentChecksum::new(identity());
    let stale = CiPlace { instance: Some(4), ..place() };
    assert_eq!(verify(&ci, &stale, &checksum), Err(CiDamage::OtherInstance(3)));
    let elsewhere = CiPlace { rba: Rba(0x6_A000), ..place() };
    assert_eq!(verify(&ci, &elsewhere, &checksum), Err(CiDamage::OtherRba(RBA)));
    let foreign = LogIdentity { queue_manager: QueueManagerId(1), ..identity() };
    let place = CiPlace { identity: foreign, ..place() };
    assert!(matches!(verify(&ci, &place, &checksum), Err(CiDamage::OtherQueueManager(_))));
    // Segments alone, without any trailer, refuse as well.
    for (rba, identity) in [(Rba(0x6_A000), identity()), (RBA, foreign)] {
        let checksum = SegmentChecksum::new(identity);
        assert_eq!(Segments::new(&ci, rba, &checksum).count(), 0);
    }
    assert_eq!(verify_closed(&built(false), &self::place(), &checksum), Err(CiDamage::NotClosed));
    let mut newer = built(true);
    newer[4037] = 2;
    let crc = crc32c(&newer[4032..4092]);
    newer[4092..].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(verify(&newer, &self::place(), &checksum), Err(CiDamage::NewerVersion(2)));
}

#[test]
fn any_mix_of_sectors_of_two_versions_keeps_the_older_ones_segments() {
    let checksum = SegmentChecksum::new(identity());
    let (old, new) = (built(false), built(true));
    let kept = Segments::new(&old, RBA, &checksum).count();
    for mix in 0..256u32 {
        let mut torn = old;
        for sector in 0..8 {
            if mix >> sector & 1 == 1 {
                torn[sector * 512..][..512].copy_from_slice(&new[sector * 512..][..512]);
            }
        }
        assert!(Segments::new(&torn, RBA, &checksum).count() >= kept, "mix {mix:08b}");
    }
}

#[test]
fn copies_complete_each_other() {
    let checksum = SegmentChecksum::new(identity());
    let good = built(true);
    let (mut one, mut two) = (good, good);
    one[200] ^= 1;
    two[10] ^= 1;
    two[4050] ^= 1;
    let merged = Merged::of(&[&one, &two], RBA, &checksum);
    assert_eq!((merged.used, merged.first_record), (CI_DATA, Some(108)));
    assert_eq!(merged.bytes[..CI_DATA], good[..CI_DATA]);
    two[200] ^= 4;
    assert_eq!(Merged::of(&[&one, &two], RBA, &checksum).used, 108);
    assert_eq!(Merged::of(&[], RBA, &checksum).used, 0);
}
