//! Copies of stretches of log hold every record of the stretch and nothing else, whichever data sets it was read from.

mod site;

use std::path::Path;

use engine_log::{ExtractedLog, LogReader};
use engine_storage::{FaultyStorage, OpenMode, SharedStorage};
use format_bsds::{ArchiveLog, Bsds};
use format_types::{HistoryId, LogHistory, Rba, RbaRange, crc32c};
use site::{SIZE, create, dir, fill, numbers, open, reader};

fn copy(storage: &SharedStorage, reader: &LogReader, range: RbaRange) -> ExtractedLog {
    let stretches = reader.stretches(range);
    let [(history, stretch)] = stretches.as_slice() else { panic!("{stretches:?}") };
    let file = storage.open(Path::new("COPY"), OpenMode::CreateNew).unwrap();
    let mut machine = reader.extract(*history, *stretch, file.clone());
    let done = loop {
        if let Some(done) = machine.step().unwrap() {
            break done;
        }
    };
    let mut bytes = vec![0; done.range.len() as usize];
    file.read_at(0, &mut bytes).unwrap();
    assert_eq!(file.len().unwrap(), done.range.len());
    assert_eq!(crc32c(&bytes), done.checksum);
    done
}

/// A reader of the copy alone.
fn of_copy(storage: &SharedStorage, bsds: &Bsds, done: &ExtractedLog) -> LogReader {
    let archive = ArchiveLog {
        copy: 1,
        name: "COPY".to_owned(),
        history: done.history,
        range: done.range,
        start_lrsn: done.start_lrsn,
        end_lrsn: done.end_lrsn,
        written_at: site::NOW,
        unit: String::new(),
        volume: String::new(),
        bsds_name: String::new(),
        deleting: false,
    };
    let bsds = Bsds { active_logs: Vec::new(), archives: vec![archive], ..bsds.clone() };
    LogReader::with_bsds(storage, Path::new(""), bsds)
}

#[test]
fn a_copy_of_any_stretch_holds_its_records() {
    let faulty = FaultyStorage::new(1);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let records = fill(&mut log, 0, 350);
    log.sync_now().unwrap();
    drop(log);
    // Damage in one copy each: the other has it.
    let of_log = reader(&storage);
    for (copy, number) in [(1, 30u64), (2, 31)] {
        let name = of_log.bsds().archives.iter().find(|a| a.copy == copy).unwrap().name.clone();
        faulty.control().rot(&dir().join(name), number * 4096 + 77, &[8]).unwrap();
    }
    for (first, last) in [(0, 350), (3, 4), (100, 101), (17, 200), (200, 350), (349, 350)] {
        let range = RbaRange::new(records[first].0.start, records[last - 1].0.end);
        let done = copy(&storage, &of_log, range);
        assert_eq!((done.range.start, done.end), (range.start.ci_start(), range.end));
        let copied = of_copy(&storage, of_log.bsds(), &done);
        assert_eq!(copied.missing(range).unwrap(), []);
        let mut stream = copied.stream(range.start, done.range.end).unwrap();
        let mut found = Vec::new();
        while let Some((at, record)) = stream.next().unwrap() {
            if matches!(record.body, format_log::Body::Insert { .. }) {
                found.push(at);
            }
        }
        let wanted: Vec<RbaRange> = records[first..last].iter().map(|(range, _)| *range).collect();
        assert_eq!(found, wanted, "records {first} to {last}");
        assert_eq!(copied.lrsn_before(done.range.end), done.end_lrsn);
        storage.remove(Path::new("COPY")).unwrap();
    }
    assert_eq!(numbers(&of_log, records[349].0.end).unwrap().len(), 350);
}

#[test]
fn a_control_interval_that_no_copy_has_ends_it() {
    let faulty = FaultyStorage::new(2);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let records = fill(&mut log, 0, 60);
    log.sync_now().unwrap();
    drop(log);
    let at = records[30].0.start.ci_start();
    for name in ["LOGCOPY1.DS01", "LOGCOPY2.DS01"] {
        faulty.control().rot(&dir().join(name), at.0 + 9, &[1]).unwrap();
    }
    let of_log = reader(&storage);
    let file = storage.open(Path::new("COPY"), OpenMode::CreateNew).unwrap();
    let history = of_log.bsds().history();
    let mut machine = of_log.extract(history, RbaRange::new(Rba::ZERO, records[59].0.end), file);
    let error = loop {
        match machine.step() {
            Ok(None) => {}
            Ok(Some(done)) => panic!("{done:?}"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains(&at.to_string()), "{error}");
}

#[test]
fn stretches_end_where_a_history_was_cut() {
    let faulty = FaultyStorage::new(3);
    let storage = faulty.shared();
    create(&storage, false, SIZE, 2);
    let base = reader(&storage).bsds().clone();
    let id = |number: u32| HistoryId { number, random: u64::from(number) };
    let histories = vec![
        LogHistory { id: id(1), parent: None, first: Rba::ZERO },
        LogHistory { id: id(2), parent: Some((id(1), Rba(0x2100))), first: Rba(0x3000) },
        LogHistory { id: id(3), parent: Some((id(2), Rba(0x5000))), first: Rba(0x5000) },
    ];
    let reader = LogReader::with_bsds(&storage, &dir(), Bsds { histories, ..base });
    let range = |start: u64, end: u64| RbaRange::new(Rba(start), Rba(end));
    assert_eq!(
        reader.stretches(range(0x1234, 0x7777)),
        [(id(1), range(0x1000, 0x2100)), (id(2), range(0x3000, 0x5000)), (id(3), range(0x5000, 0x7777))]
    );
    assert_eq!(reader.stretches(range(0x2200, 0x2300)), []);
    assert_eq!(reader.stretches(range(0x5010, 0x5020)), [(id(3), range(0x5000, 0x5020))]);
    assert_eq!(reader.stretches(range(0x1000, 0x1800)), [(id(1), range(0x1000, 0x1800))]);
}
