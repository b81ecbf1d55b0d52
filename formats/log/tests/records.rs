//! Every kind of record survives the trip, and nothing else is read as one.

use format_log::segment::{FIRST, LAST, SegmentChecksum};
use format_log::{
    Body, CheckpointUnit, HEADER_LENGTH, LogIdentity, MAX_RECORD_LENGTH, Record, RecordError, RecordHeader,
    RecordKind, ResourceManager, split_units,
};
use format_types::{
    HistoryId, Lrsn, PAGE_SIZE, PageAddress, PageNumber, PageSetId, QueueManagerId, Rba, Timestamp,
    UnitState, Urid,
};
use proptest::prelude::*;

fn header() -> RecordHeader {
    RecordHeader {
        total_length: 0,
        previous_length: 50,
        kind: RecordKind::INSERT,
        resource_manager: ResourceManager::DATA,
        flags: 0,
        release: 1,
        urid: Urid(Rba(0x8B_E034)),
        link: Rba(0x8B_E0CD),
        lrsn: Lrsn(0xD5E0_0D66_6DAA_0003),
    }
}

fn encoded(body: &Body<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Record { header: header(), body: body.clone() }.to_bytes(&mut bytes);
    bytes
}

fn unit(number: u64) -> CheckpointUnit {
    CheckpointUnit {
        urid: Urid(Rba(number)),
        last: Rba(number + 100),
        state: UnitState::InBackout,
        undo_next: Rba(number + 50),
        connection: format!("LOAD-{number}"),
    }
}

fn one_of_each<'a>(image: &'a [u8], text: &'a str) -> Vec<Body<'a>> {
    let at = PageAddress::new(PageSetId::new(20).unwrap(), PageNumber(2));
    let page_set = at.page_set;
    vec![
        Body::BeginUr { connection: text, at: Timestamp(1_553_543_587_314_336) },
        Body::Insert { at, slot: 1, record: text.as_bytes() },
        Body::DeleteIntent { at, slot: 2, key: 77 },
        Body::Delete { at, slot: 3 },
        Body::Compensate { at, slot: 4, undo_next: Rba(0x1234) },
        Body::Prepare { xid: text.as_bytes() },
        Body::BeginPhase2 { complete: true, at: Timestamp(9) },
        Body::BeginPhase2 { complete: false, at: Timestamp(9) },
        Body::EndUr,
        Body::BeginAbort,
        Body::EndAbort,
        Body::Format { at, page_type: 0x30 },
        Body::PageImage { at, image },
        Body::SpaceMap { map: at, first: PageNumber(55), state: 3, count: 12 },
        Body::UsedRaised { page_set, from: 100, to: 200, extents: 3, expansions: 2 },
        Body::OpenPageSet { page_set, recovery_rba: Rba(0x5000) },
        Body::ClosePageSet { page_set, recovery_rba: Rba(0x6000) },
        Body::BeginCheckpoint { bsds_sequence: 41 },
        Body::CheckpointUnits { units: vec![unit(1), unit(2)] },
        Body::CheckpointUnits { units: Vec::new() },
        Body::CheckpointPageSets { sets: vec![(page_set, Rba(7), true), (PageSetId::ZERO, Rba(8), false)] },
        Body::EndCheckpoint { begin: Rba(0x9000) },
        Body::Switch { bsds_sequence: 42 },
        Body::CleanStop,
    ]
}

#[test]
fn every_kind_is_read_back() {
    let image = [0x5A; PAGE_SIZE];
    let bodies = one_of_each(&image, "APP-1");
    for kind in RecordKind::ALL {
        assert!(bodies.iter().any(|body| body.kind() == *kind), "{kind} is not in the list");
        assert!(kind.name().is_some());
    }
    for body in bodies {
        let bytes = encoded(&body);
        let record = Record::decode(&bytes).unwrap();
        assert_eq!(record.body, body);
        assert_eq!(record.header.total_length as usize, bytes.len());
        assert_eq!((record.header.kind, record.header.urid), (body.kind(), header().urid));
        let touches = matches!(
            body,
            Body::Insert { .. }
                | Body::Delete { .. }
                | Body::Compensate { .. }
                | Body::Format { .. }
                | Body::PageImage { .. }
                | Body::SpaceMap { .. }
        );
        assert_eq!(body.page().is_some(), touches, "{body:?}");
    }
}

#[test]
fn an_insert_is_laid_out_as_the_table_says() {
    let at = PageAddress::new(PageSetId::new(20).unwrap(), PageNumber(2));
    let bytes = encoded(&Body::Insert { at, slot: 1, record: b"abc" });
    assert_eq!(bytes[..16], [0, 0, 0, 51, 0, 0, 0, 50, 0x06, 0x00, 0x00, 0x0C, 0xC9, 0, 40, 1]);
    assert_eq!(bytes[HEADER_LENGTH..], [20, 0, 0, 1, 0, 0, 0, 2, b'a', b'b', b'c']);
}

#[test]
fn every_bit_flip_and_truncation_of_a_record_in_its_segment_is_detected() {
    let identity =
        LogIdentity { queue_manager: QueueManagerId(3), history: HistoryId { number: 1, random: 4 } };
    let checksum = SegmentChecksum::new(identity);
    let image = [0x5A; 100];
    for body in one_of_each(&image, "APP-1") {
        let record = encoded(&body);
        let mut ci = [0; 4096];
        let end = checksum.put(&mut ci, Rba(0x7000), 64, FIRST | LAST, &record);
        assert_eq!(checksum.take(&ci, Rba(0x7000), 64).unwrap().payload, record);
        for bit in 64 * 8..end * 8 {
            let mut bad = ci;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(checksum.take(&bad, Rba(0x7000), 64).is_err(), "{body:?} bit {bit}");
        }
        for cut in 64..end {
            assert!(checksum.take(&ci[..cut], Rba(0x7000), 64).is_err(), "{body:?} cut to {cut}");
        }
        for cut in 0..record.len() {
            assert!(Record::decode(&record[..cut]).is_err(), "{body:?} cut to {cut}");
        }
        let mut longer = record;
        longer.push(0);
        assert!(matches!(Record::decode(&longer), Err(RecordError::Long(1))));
    }
}

#[test]
fn long_lists_are_split_and_names_are_cut() {
    let mut units: Vec<_> = (1..=1000).map(unit).collect();
    units[0].connection = "\u{e9}".repeat(400);
    let bodies = split_units(units.clone());
    let mut found = Vec::new();
    for body in &bodies {
        let bytes = encoded(body);
        assert!(bytes.len() <= MAX_RECORD_LENGTH);
        let Body::CheckpointUnits { units } = Record::decode(&bytes).unwrap().body else {
            panic!("no units")
        };
        found.extend(units);
    }
    assert!(bodies.len() > 1);
    units[0].connection.truncate(254);
    assert_eq!(found, units);
    assert_eq!(split_units(Vec::new()).len(), 1);
    let longest = CheckpointUnit { connection: "x".repeat(255), ..unit(1) };
    for body in split_units(vec![longest; 450]) {
        assert!(encoded(&body).len() <= MAX_RECORD_LENGTH);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
        kind in 0..RecordKind::ALL.len(),
    ) {
        let _ = Record::decode(&bytes);
        let kind = RecordKind::ALL[kind];
        if let Ok(body) = Body::decode(kind, &bytes) {
            // What is read is written as it was: there is one form of everything.
            let mut again = Vec::new();
            body.to_bytes(&mut again);
            let long_name = matches!(body, Body::BeginUr { connection, .. } if connection.len() > 255);
            let long_names = matches!(&body, Body::CheckpointUnits { units } if units.iter().any(|u| u.connection.len() > 255));
            prop_assert!(again == bytes || long_name || long_names);
        }
        bytes.truncate(40);
        let _ = RecordHeader::decode(&bytes);
    }

    #[test]
    fn records_of_any_content_are_read_back(
        content in proptest::collection::vec(any::<u8>(), 0..5000),
        slot in any::<u16>(), page in any::<u32>(), page_set in 0u8..100, urid in any::<u64>(), lrsn in any::<u64>(),
    ) {
        let at = PageAddress::new(PageSetId::new(page_set).unwrap(), PageNumber(page));
        let body = Body::Insert { at, slot, record: &content };
        let header = RecordHeader { urid: Urid(Rba(urid)), lrsn: Lrsn(lrsn), ..header() };
        let mut bytes = Vec::new();
        Record { header, body: body.clone() }.to_bytes(&mut bytes);
        let record = Record::decode(&bytes).unwrap();
        prop_assert_eq!(record.body, body);
        prop_assert_eq!((record.header.urid, record.header.lrsn), (header.urid, header.lrsn));
    }
}
