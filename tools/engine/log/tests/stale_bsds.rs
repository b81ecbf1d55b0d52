//! That a BSDS which lags behind is not believed only because nobody can look, for the moment, whether it does.

mod site;

use std::path::Path;

use engine_log::{LogError, LogManager};
use engine_storage::{FaultRates, FaultyStorage};
use site::{NOW, SIZE, create, dir, fill, numbers, open, reader};

const ALWAYS: u32 = 1_000_000;

fn unreadable(name: &str) -> FaultRates {
    FaultRates { read_error: ALWAYS, only: Some(name.to_owned()), ..FaultRates::default() }
}

/// A log of which copy 1 of the BSDS knows nothing since before the second data set was begun.
fn with_a_stale_copy(seed: u64) -> (FaultyStorage, usize) {
    let storage = FaultyStorage::new(seed);
    let (shared, control) = (storage.shared(), storage.control());
    create(&shared, false, SIZE, 3);
    let mut log = open(&shared);
    fill(&mut log, 0, 5);
    log.sync_now().unwrap();
    control.set_lasting(FaultRates {
        write_error: ALWAYS,
        only: Some("BSDS01".to_owned()),
        ..FaultRates::default()
    });
    log.switch().unwrap();
    let written = 5 + fill(&mut log, 5, 5).len();
    log.sync_now().unwrap();
    drop(log);
    control.set_lasting(FaultRates::default());
    control.crash();
    (storage, written)
}

#[test]
fn a_stale_copy_alone_is_not_believed_while_the_log_cannot_be_read_and_nothing_is_changed() {
    let (storage, written) = with_a_stale_copy(1);
    let (shared, control) = (storage.shared(), storage.control());
    let before = control.image();
    control.set_rates(unreadable("BSDS02"));
    let stale = LogManager::open(&shared, &dir(), NOW).err().unwrap();
    assert!(matches!(stale, LogError::StaleBsds { .. }), "{stale}");
    control.set_lasting(unreadable("LOGCOPY1.DS02"));
    let refused = LogManager::open(&shared, &dir(), NOW).err().unwrap();
    assert!(refused.to_string().contains("LOGCOPY1.DS02"), "{refused}");
    assert!(control.image().differences(&before, Path::new("QM1")).is_empty());
    control.set_rates(FaultRates::default());
    control.set_lasting(FaultRates::default());
    drop(open(&shared));
    let mut reader = reader(&shared);
    let end = reader.find_end().unwrap().end;
    assert_eq!(numbers(&reader, end).unwrap().len(), written);
}

#[test]
fn an_unreadable_data_set_stops_no_start_while_both_copies_of_the_bsds_agree() {
    let (storage, _) = with_a_stale_copy(2);
    let (shared, control) = (storage.shared(), storage.control());
    // A start makes the copies agree.
    drop(open(&shared));
    control.kill();
    control.set_lasting(unreadable("LOGCOPY1.DS03"));
    drop(open(&shared));
}
