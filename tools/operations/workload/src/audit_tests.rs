//! The audit against queues and journals made by hand: it must see everything that can go wrong, and nothing else.

use std::path::PathBuf;

use format_bsds::Line;
use format_journal::{Header, Put, Unit};
use format_types::{HistoryId, LogHistory};

use super::*;
use crate::journal::JournalFile;

const LOAD: u64 = 77;

fn id(number: u64) -> MessageId {
    let mut id = [0xEE; 24];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

fn put(sequence: u64) -> Put {
    Put { queue: 0, message_id: Some(id(sequence)), sequence, length: (sequence as u32 * 37) % 200 }
}

fn proof(sequence: u64) -> Proof {
    Proof { load: LOAD, connection: 0, sequence, length: put(sequence).length }
}

/// A queue as it is browsed.
struct Queue(Vec<Browsed>);

impl Queue {
    fn of(sequences: &[u64]) -> Self {
        Self(sequences.iter().map(|sequence| message(*sequence)).collect())
    }
}

fn message(sequence: u64) -> Browsed {
    Browsed { id: id(sequence), key: sequence * 10, priority: 0, body: body::body(&proof(sequence)) }
}

fn unit(number: u64, puts: &[u64], gets: &[u64]) -> Unit {
    Unit {
        connection: 0,
        unit: number,
        puts: puts.iter().map(|sequence| put(*sequence)).collect(),
        gets: gets.iter().map(|sequence| id(*sequence)).collect(),
    }
}

fn acknowledged(number: u64, puts: &[u64], gets: &[u64]) -> Entry {
    Entry::Acknowledged { commit: Rba(number * 0x100), unit: unit(number, puts, gets) }
}

struct Case {
    dir: tempfile::TempDir,
    journals: Vec<PathBuf>,
    to_rba: Option<Rba>,
    line: Option<Line>,
}

impl Case {
    fn new(entries: &[Entry]) -> Self {
        let mut case =
            Self { dir: tempfile::tempdir().unwrap(), journals: Vec::new(), to_rba: None, line: None };
        case.add(LOAD, entries, true);
        case
    }

    fn add(&mut self, load: u64, entries: &[Entry], ended: bool) {
        self.add_of(None, load, entries, ended);
    }

    fn add_of(&mut self, history: Option<HistoryId>, load: u64, entries: &[Entry], ended: bool) {
        let path = self.dir.path().join(format!("J{}", self.journals.len()));
        let header = Header { load, seed: 1, connections: 2, queues: vec!["Q".parse().unwrap()], history };
        let journal = JournalFile::create(&path, &header).unwrap();
        for entry in entries {
            journal.append(entry).unwrap();
        }
        if ended {
            journal.append(&Entry::End { acknowledged: 0, unknown: 0 }).unwrap();
        }
        self.journals.push(path);
    }

    fn audit(&self, queue: &Queue) -> AuditReport {
        let bounds = Bounds { to_rba: self.to_rba, line: self.line.clone() };
        let settings = AuditSettings {
            dir: PathBuf::new(),
            journals: self.journals.clone(),
            to_rba: self.to_rba,
            timeout: Duration::from_secs(1),
        };
        let mut audit = Audit::new(Expectation::read(&settings.journals, &bounds).unwrap());
        let name = "Q".parse().unwrap();
        for message in &queue.0 {
            audit.look(&name, message);
        }
        audit.finish(&settings).unwrap()
    }
}

/// Puts 1 to 5, gets 2; the get of 4 is journalled before its put.
fn usual() -> Case {
    Case::new(&[
        acknowledged(1, &[1, 2], &[]),
        acknowledged(2, &[3], &[2]),
        acknowledged(4, &[], &[4]),
        acknowledged(3, &[4, 5], &[]),
    ])
}

#[test]
fn what_was_acknowledged_and_nothing_else_is_clean() {
    let report = usual().audit(&Queue::of(&[1, 3, 5]));
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.acknowledged_units, report.acknowledged_puts, report.acknowledged_gets), (4, 5, 2));
    assert_eq!(report.present, 3);
    assert!(report.lines().last().unwrap().contains("CLEAN"));
}

#[test]
fn every_single_wrong_is_seen_as_what_it_is() {
    let case = usual();
    let lost = case.audit(&Queue::of(&[1, 5]));
    assert_eq!((lost.lost, lost.is_clean()), (1, false));
    assert!(lost.findings[0].contains("lost") && lost.findings[0].contains("sequence 3"));

    let mut twice = Queue::of(&[1, 3, 5]);
    twice.0.push(Browsed { key: 99, ..message(5) });
    assert_eq!(case.audit(&twice).duplicated, 1);

    let mut other_id = Queue::of(&[1, 3, 5]);
    other_id.0.push(Browsed { id: id(1000), key: 99, ..message(5) });
    let report = case.audit(&other_id);
    assert_eq!((report.duplicated, report.foreign), (1, 0));

    let reordered = case.audit(&Queue::of(&[3, 1, 5]));
    assert!(reordered.reordered >= 1 && reordered.lost == 0);
    let mut keys_right = Queue::of(&[3, 1, 5]);
    for (message, key) in keys_right.0.iter_mut().zip([1, 2, 3]) {
        message.key = key;
    }
    assert_eq!(case.audit(&keys_right).reordered, 1);

    for bit in [0, 7] {
        let mut altered = Queue::of(&[1, 3, 5]);
        altered.0[1].body[0] ^= 1 << bit;
        let report = case.audit(&altered);
        assert_eq!((report.altered, report.lost), (1, 0));
    }
    let mut cut = Queue::of(&[1, 3, 5]);
    cut.0[1].body.pop();
    assert_eq!(case.audit(&cut).altered, 1);

    let got_again = case.audit(&Queue::of(&[1, 2, 3, 5]));
    assert_eq!((got_again.resurrected, got_again.foreign), (1, 0));

    // Put, and backed out: no line speaks of it. Sequence 7 has a body that proves itself.
    let backed_out = case.audit(&Queue::of(&[1, 3, 5, 7]));
    assert_eq!((backed_out.resurrected, backed_out.foreign), (1, 0));

    let mut foreign = Queue::of(&[1, 3, 5]);
    foreign.0.push(Browsed { id: id(500), key: 500, priority: 0, body: b"not of a load".to_vec() });
    let report = case.audit(&foreign);
    assert_eq!((report.foreign, report.code()), (1, ConditionCode::Partial));
}

#[test]
fn unknown_units_happen_whole_or_not_at_all() {
    let entries = [acknowledged(1, &[1, 2], &[]), Entry::Unknown(unit(2, &[3, 4], &[1]))];
    let case = Case::new(&entries);
    let undone = case.audit(&Queue::of(&[1, 2]));
    assert!(undone.is_clean(), "{:?}", undone.findings);
    assert_eq!((undone.unknown_units, undone.unknown_happened), (1, 0));
    let happened = case.audit(&Queue::of(&[2, 3, 4]));
    assert!(happened.is_clean(), "{:?}", happened.findings);
    assert_eq!(happened.unknown_happened, 1);
    for torn in [&[1, 2, 3, 4][..], &[2, 3], &[2], &[1, 2, 4]] {
        let report = case.audit(&Queue::of(torn));
        assert_eq!((report.torn_units, report.is_clean()), (1, false), "{torn:?}");
    }
    let mut altered = Queue::of(&[2, 3, 4]);
    altered.0[2].body[0] ^= 1;
    assert_eq!(case.audit(&altered).altered, 1);
}

#[test]
fn an_unknown_put_without_identifier_is_known_by_its_body() {
    let lost_answer = Put { message_id: None, ..put(3) };
    let mut unknown = unit(2, &[], &[]);
    unknown.puts.push(lost_answer);
    let case = Case::new(&[acknowledged(1, &[1], &[]), Entry::Unknown(unknown)]);
    assert!(put(3).length >= 32);
    assert!(case.audit(&Queue::of(&[1])).is_clean());
    assert!(case.audit(&Queue::of(&[1, 3])).is_clean());
    let mut twice = Queue::of(&[1, 3]);
    twice.0.push(Browsed { id: id(900), key: 900, ..message(3) });
    assert_eq!(case.audit(&twice).duplicated, 1);
}

#[test]
fn a_later_load_may_get_what_an_unknown_unit_left() {
    let mut case = Case::new(&[acknowledged(1, &[1, 2], &[]), Entry::Unknown(unit(2, &[3], &[1]))]);
    // It happened: the later load got 3. Then 1 must be gone.
    let mut got = unit(1, &[], &[3]);
    got.connection = 1;
    case.add(LOAD + 1, &[Entry::Acknowledged { commit: Rba(0x900), unit: got }], true);
    assert!(case.audit(&Queue::of(&[2])).is_clean());
    assert_eq!(case.audit(&Queue::of(&[1, 2])).torn_units, 1);

    let mut case = Case::new(&[acknowledged(1, &[1, 2], &[]), Entry::Unknown(unit(2, &[3], &[1]))]);
    // It did not happen: the later load got 1. Then 3 must not be there.
    let mut got = unit(1, &[], &[1]);
    got.connection = 1;
    case.add(LOAD + 1, &[Entry::Acknowledged { commit: Rba(0x900), unit: got }], true);
    assert!(case.audit(&Queue::of(&[2])).is_clean());
    assert_eq!(case.audit(&Queue::of(&[2, 3])).torn_units, 1);
}

#[test]
fn units_behind_the_rba_did_not_happen() {
    let mut case = usual();
    case.to_rba = Some(Rba(0x200));
    let report = case.audit(&Queue::of(&[1, 2]));
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.beyond, 3);
    assert_eq!(case.audit(&Queue::of(&[1, 2, 3])).resurrected, 1);
    assert_eq!(case.audit(&Queue::of(&[1])).lost, 1);
}

#[test]
fn rbas_of_two_histories_are_told_apart() {
    let id = |number| HistoryId { number, random: 5 };
    let first = LogHistory { id: id(1), parent: None, first: Rba(0) };
    let second = LogHistory { id: id(2), parent: Some((id(1), Rba(0x280))), first: Rba(0x1000) };
    let other = LogHistory { id: id(3), parent: Some((id(1), Rba(0x180))), first: Rba(0x1000) };
    let dir = tempfile::tempdir().unwrap();
    let mut case = Case { dir, journals: Vec::new(), to_rba: None, line: None };
    case.add_of(Some(id(1)), LOAD, &[acknowledged(1, &[1], &[]), acknowledged(3, &[3], &[1])], true);
    // The second load has RBAs that the first one had, too.
    case.add_of(Some(id(2)), LOAD, &[acknowledged(3, &[7], &[]), acknowledged(20, &[8], &[7])], true);
    case.line = Some(Line::of(&[first.clone(), second.clone()], id(2)));
    let report = case.audit(&Queue::of(&[1, 8]));
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.beyond, report.acknowledged_units), (1, 3));
    // The newest cut as it was asked for is believed, not as the inventory has it.
    case.to_rba = Some(Rba(0x301));
    assert_eq!(case.audit(&Queue::of(&[1, 8])).lost, 1);
    case.to_rba = Some(Rba(0x281));
    assert!(case.audit(&Queue::of(&[1, 8])).is_clean());
    // From the first history another one branches: nothing of the second happened.
    (case.to_rba, case.line) = (None, Some(Line::of(&[first, second, other], id(3))));
    let report = case.audit(&Queue::of(&[1]));
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(case.audit(&Queue::of(&[1, 8])).resurrected, 1);
}

#[test]
fn a_killed_load_may_have_put_more_than_it_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Case { dir, journals: Vec::new(), to_rba: None, line: None };
    case.add(LOAD, &[acknowledged(1, &[1], &[])], false);
    let report = case.audit(&Queue::of(&[1, 7]));
    assert_eq!((report.unjournalled, report.resurrected, report.is_clean()), (1, 0, true));
}

#[test]
fn an_audit_of_nothing_and_too_many_unknown_units_are_not_clean() {
    let nothing = Case::new(&[]);
    let report = nothing.audit(&Queue::of(&[]));
    assert!(!report.is_clean() && report.lines().iter().any(|line| line.starts_with("HWT616E")));
    let unknown: Vec<Entry> = (1..=3).map(|n| Entry::Unknown(unit(n, &[n + 10], &[]))).collect();
    let entries = [vec![acknowledged(9, &[1], &[])], unknown].concat();
    let report = Case::new(&entries).audit(&Queue::of(&[1]));
    assert!(!report.is_clean() && report.lines().iter().any(|line| line.starts_with("HWT617E")));
}

#[test]
fn a_damaged_journal_is_refused() {
    let case = usual();
    let path = &case.journals[0];
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
    assert!(matches!(
        Expectation::read(&case.journals, &Bounds::default()),
        Err(WorkloadError::Journal { .. })
    ));
}
