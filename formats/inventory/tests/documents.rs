//! Inventory and plan documents read back as they were written, and nothing else is read.

use std::borrow::Cow;

use format_inventory::{
    AbsentEntry, ActionEntry, DeleteEntry, DocumentError, GapEntry, History, Hold, HolderEntry, HolderKind,
    Hole, InProgress, InProgressKind, Inputs, Inventory, KeepEntry, LogDataSet, LogKind, LrsnRange, Now,
    PageSetNow, Part, Plan, Point, PointEntry, PointPageSet, Rates, RecordedParts, StructureNow, TimeRange,
    Totals, UnitNow, WarningEntry, format_time, parse_time,
};
use format_types::{PageSetId, PointMethod, PointState, Rba, Timestamp};
use proptest::prelude::*;

fn rba() -> impl Strategy<Value = Rba> {
    any::<u64>().prop_map(Rba)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..200_000_000_000_000_000_u64).prop_map(Timestamp)
}

fn psid() -> impl Strategy<Value = PageSetId> {
    (0..100_u8).prop_map(|number| PageSetId::new(number).unwrap())
}

fn state() -> impl Strategy<Value = PointState> {
    prop_oneof![Just(PointState::Verified), Just(PointState::Unverified), Just(PointState::Damaged)]
}

fn log() -> impl Strategy<Value = LogDataSet<'static>> {
    // Names with quotes and line ends must be escaped, and be read back all the same.
    let names = ("[A-Z0-9.]{1,44}|.{1,9}", "[0-9]{1,3}", proptest::option::of("[A-Z0-9]{6}"));
    let range = (rba(), rba(), any::<u64>(), 1..=2_u8);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), state());
    let more = (proptest::option::of((rba(), rba())), proptest::option::of((time(), time())));
    (names, range, flags, more).prop_map(
        |((name, history, volume), (a, b, bytes, copy), flags, (lrsn, times))| {
            let (present, registered, active, catalogued, state) = flags;
            LogDataSet {
                name: Cow::Owned(name),
                kind: if active { LogKind::Active } else { LogKind::Archive },
                copy,
                history: Cow::Owned(history),
                start: a.min(b),
                end: a.max(b),
                bytes,
                present,
                state,
                registered,
                volume: volume.map(Cow::Owned),
                catalogued,
                lrsn: lrsn.map(|(start, end)| Box::new(LrsnRange { start, end })),
                time: times.map(|(start, end)| Box::new(TimeRange { start, end })),
            }
        },
    )
}

fn part() -> impl Strategy<Value = Option<Part>> {
    proptest::option::of((rba(), ".{0,9}").prop_map(|(rba, holder)| Part { rba, holder }))
}

fn point() -> impl Strategy<Value = Point> {
    let parts = (part(), part(), part());
    let copies = proptest::collection::vec((psid(), rba()), 0..4);
    (".{1,9}", any::<bool>(), state(), time(), (rba(), rba()), copies, parts).prop_map(
        |(name, full, state, at, (start, end), copies, (page_sets, structures, units))| Point {
            name,
            method: if full { PointMethod::Full } else { PointMethod::Fuzzy },
            state,
            at,
            history: "1".to_owned(),
            start,
            end,
            page_sets: copies
                .into_iter()
                .map(|(psid, recovery_rba)| PointPageSet { psid, recovery_rba })
                .collect(),
            system_recovery: RecordedParts { page_sets, structures, units },
        },
    )
}

fn now() -> impl Strategy<Value = Now> {
    let sets = proptest::collection::vec((psid(), rba(), any::<bool>(), proptest::option::of(rba())), 0..4);
    let structures = proptest::collection::vec(("[A-Z]{1,12}", proptest::option::of(rba())), 0..3);
    let units = proptest::collection::vec((rba(), proptest::option::of(rba())), 0..3);
    let rest = (
        proptest::option::of(time()),
        proptest::option::of(rba()),
        proptest::option::of(any::<(Option<u64>, Option<u64>)>()),
    );
    (rba(), proptest::collection::vec(rba(), 0..4), sets, structures, units, rest).prop_map(
        |(log_end, checkpoints, sets, structures, units, (at, rba_limit, rates))| Now {
            log_end,
            checkpoints,
            page_sets: sets
                .into_iter()
                .map(|(psid, recovery_rba, online, created)| PageSetNow {
                    psid,
                    recovery_rba,
                    online,
                    created,
                    system_value: false,
                })
                .collect(),
            structures: structures.into_iter().map(|(name, rba)| StructureNow { name, rba }).collect(),
            units: units
                .into_iter()
                .map(|(urid, shunted)| UnitNow { urid, state: "in-flight".to_owned(), shunted })
                .collect(),
            at,
            history: at.map(|_| "2".to_owned()),
            rba_limit,
            rates: rates.map(|(log_bytes_per_hour, recovery_bytes_per_second)| Rates {
                log_bytes_per_hour,
                recovery_bytes_per_second,
            }),
        },
    )
}

fn inventory() -> impl Strategy<Value = Inventory<'static>> {
    let lists = (proptest::collection::vec(log(), 0..6), proptest::collection::vec(point(), 0..4));
    (lists, now(), proptest::option::of(rba()), proptest::option::of(time())).prop_map(
        |((logs, points), now, cut, until)| Inventory {
            version: 1,
            queue_manager: "QM1".parse().unwrap(),
            histories: vec![History { id: "1".to_owned(), parent: cut.map(|_| "0".to_owned()), cut }],
            logs,
            points,
            now,
            holds: vec![Hold { point: "T1".to_owned(), reason: "audit".to_owned(), until }],
            in_progress: vec![InProgress {
                kind: InProgressKind::Recovery,
                name: "R1".to_owned(),
                history: until.map(|_| "1".to_owned()),
                rba: Rba(5),
            }],
            holes: cut.map(|start| Hole { history: "1".to_owned(), start, end: start }).into_iter().collect(),
        },
    )
}

proptest! {
    #[test]
    fn inventories_read_back(inventory in inventory()) {
        let text = inventory.to_json().unwrap();
        prop_assert_eq!(&Inventory::parse(text.as_bytes()).unwrap(), &inventory);
        for short in 1..text.len().min(60) {
            prop_assert!(Inventory::parse(&text.as_bytes()[..text.len() - short]).is_err());
        }
    }

    #[test]
    fn times_read_back(at in time()) {
        prop_assert_eq!(parse_time(&format_time(at)), Some(at));
    }
}

fn sample() -> String {
    let log = r#"{"name": "A", "kind": "archive", "copy": 1, "history": "1", "start": "0000000000000000",
                  "end": "0000000000000FFF", "bytes": 4096, "present": true}"#;
    format!(
        r#"{{"queue_manager": "QM1", "histories": [{{"id": "1", "parent": null, "cut": null}}], "logs": [{log}], "points": [],
            "now": {{"log_end": "0000000000001000", "page_sets": []}}, "holds": [], "in_progress": []}}"#
    )
}

#[test]
fn names_are_borrowed_and_rbas_are_exact() {
    let sample = sample();
    let inventory = Inventory::parse(sample.as_bytes()).unwrap();
    assert!(matches!(inventory.logs[0].name, Cow::Borrowed("A")));
    assert_eq!(inventory.logs[0].range().end, Rba(0x1000));
    for wrong in [
        "0",
        "00000000000000000",
        "X'0000000000000'",
        "000000000000000G",
        "+000000000000000",
        "0x00000000000000",
    ] {
        let text = sample.replace("0000000000000000", wrong);
        assert!(Inventory::parse(text.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let sample = sample();
    assert!(Inventory::parse(sample.as_bytes()).is_ok());
    for (from, to) in [
        ("\"holds\"", "\"holdz\""),
        ("\"bytes\"", "\"size\": 1, \"bytes\""),
        ("\"log_end\"", "\"later\": 1, \"log_end\""),
        ("\"archive\"", "\"tape\""),
        ("\"copy\": 1", "\"copy\": 3"),
        ("\"copy\": 1", "\"copy\": 1, \"copy\": 1"),
        ("\"end\": \"0000000000000FFF\"", "\"end\": \"0000000000000FFF\", \"time\": {\"start\": \"today\"}"),
        ("\"QM1\"", "\"too long\""),
        ("\"bytes\": 4096", "\"bytes\": -1"),
    ] {
        let text = sample.replacen(from, to, 1);
        assert!(matches!(Inventory::parse(text.as_bytes()), Err(DocumentError::Content(_))), "{to}");
    }
    let newer = sample.replacen('{', "{\"version\": 2, \"later\": {}, ", 1);
    assert_eq!(Inventory::parse(newer.as_bytes()), Err(DocumentError::Newer(2)));
    let none = sample.replacen('{', "{\"version\": 0, ", 1);
    assert!(Inventory::parse(none.as_bytes()).is_err());
    let backwards = sample.replacen("\"0000000000000000\"", "\"0000000000001000\"", 1);
    assert!(Inventory::parse(backwards.as_bytes()).is_err());
}

fn plan() -> Plan<'static> {
    let holder =
        HolderEntry { kind: HolderKind::Rule, what: "T1".to_owned(), from: Rba(1), to: Some(Rba(2)) };
    let (name, history) = (Cow::Borrowed("A.B"), Cow::Borrowed("1"));
    let (copy, start, end, bytes) = (2, Rba(0), Rba(u64::MAX), u64::MAX);
    Plan {
        version: 1,
        queue_manager: "QM1".parse().unwrap(),
        at: Timestamp(1_790_000_000_000_001),
        policy: vec!["--keep-last 1".to_owned()],
        boundary: Some(Rba(7)),
        boundary_history: Some("1".to_owned()),
        boundary_holder: None,
        totals: Totals { delete_data_sets: 1, delete_percent: 50, ..Totals::default() },
        max_delete_percent: 50,
        over_max_delete: false,
        points: vec![PointEntry {
            name: "T1".to_owned(),
            method: PointMethod::Full,
            state: PointState::Verified,
            kept: true,
            because: vec!["--keep-last 1".to_owned()],
            consistent_only: false,
            recoverable: true,
            needed_from: Rba(1),
            kept_from: Rba(0),
        }],
        actions: vec![ActionEntry { action: "x".to_owned(), data_sets: 1, bytes: 2 }],
        gaps: vec![GapEntry {
            history: "1".to_owned(),
            start,
            end: start,
            destroys: vec!["T1".to_owned()],
            needed_by: vec![],
        }],
        warnings: vec![WarningEntry { id: "W".to_owned(), text: "t".to_owned() }],
        inputs: Inputs { inventory: "0".to_owned(), inventory_bytes: 1, policy: "1".to_owned() },
        delete: vec![DeleteEntry {
            name: name.clone(),
            copy,
            history: history.clone(),
            start,
            end,
            bytes,
            volume: None,
            catalogued: true,
        }],
        keep: vec![KeepEntry {
            name: name.clone(),
            kind: LogKind::Archive,
            copy,
            history: history.clone(),
            start,
            end,
            bytes,
            volume: Some("TAPE01".into()),
            holders: vec![holder].into(),
            more_holders: 3,
            released_by: vec!["y".to_owned()].into(),
        }],
        absent: vec![AbsentEntry { name, copy, history, start, end, held: true }],
    }
}

#[test]
fn plans_read_back() {
    let plan = plan();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(Plan::parse(text.as_bytes()).unwrap(), plan);
    let mut lines = Vec::new();
    format_inventory::write(&mut lines, &plan).unwrap();
    assert_eq!(Plan::parse(&lines).unwrap(), plan);
    for plan in
        [Plan { delete: vec![], absent: vec![], ..plan.clone() }, Plan { keep: vec![], ..plan.clone() }, plan]
    {
        let mut written = Vec::new();
        format_inventory::write(&mut written, &plan).unwrap();
        let pieces: Vec<u8> = plan.pieces().iter().flat_map(|piece| piece.text().unwrap()).collect();
        assert_eq!(String::from_utf8(pieces).unwrap(), String::from_utf8(written).unwrap());
    }
    let many = Plan { keep: vec![self::plan().keep[0].clone(); 9_000], ..self::plan() };
    let pieces: Vec<u8> = many.pieces().iter().flat_map(|piece| piece.text().unwrap()).collect();
    assert_eq!(Plan::parse(&pieces).unwrap(), many);
    let lines = String::from_utf8(lines).unwrap();
    let kept = r#""holders": [{"kind": "rule", "what": ""#;
    assert_eq!(lines.lines().filter(|line| line.contains(kept)).count(), 1, "an entry has a line: {lines}");
    let newer = text.replacen("\"version\":1", "\"version\":9,\"later\":0", 1);
    assert_eq!(Plan::parse(newer.as_bytes()), Err(DocumentError::Newer(9)));
    let unknown = text.replacen("\"at\"", "\"on\"", 1);
    assert!(matches!(Plan::parse(unknown.as_bytes()), Err(DocumentError::Content(_))));
}
