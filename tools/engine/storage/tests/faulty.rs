//! That faulty storage loses, tears, keeps and refuses, and does so from its seed alone.

use std::io::ErrorKind;
use std::path::Path;

use engine_storage::{FaultRates, FaultyStorage, OpenMode, OperationKind, Random, Storage, durable};

const PATH: &str = "F";

fn with_file(seed: u64, bytes: &[u8]) -> FaultyStorage {
    let storage = FaultyStorage::new(seed);
    durable::write_file(&storage, Path::new(PATH), bytes).unwrap();
    storage
}

fn contents(storage: &FaultyStorage) -> Vec<u8> {
    durable::read_file(storage, Path::new(PATH), u64::MAX).unwrap()
}

#[test]
fn what_was_synced_survives_every_crash() {
    for seed in 0..200 {
        let storage = with_file(seed, b"durable");
        let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
        file.write_at(3, b"xyz").unwrap();
        file.sync().unwrap();
        storage.crash();
        assert_eq!(contents(&storage), b"durxyze");
        assert!(file.sync().is_err() && file.read_at(0, &mut [0]).is_err(), "a handle outlived the crash");
    }
}

#[test]
fn an_unsynced_write_is_lost_or_whole_or_torn_by_sectors() {
    let (old, new) = (vec![1_u8; 8192], vec![2_u8; 8192]);
    let (mut lost, mut whole, mut torn, mut gaps) = (0, 0, 0, 0);
    for seed in 0..1000 {
        let storage = with_file(seed, &old);
        let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
        file.write_at(0, &new).unwrap();
        storage.crash();
        let after = contents(&storage);
        let sectors: Vec<u8> = after.chunks(512).map(|sector| sector[0]).collect();
        assert!(after.chunks(512).all(|s| s.iter().all(|&b| b == s[0])), "a sector tore");
        match sectors.iter().filter(|&&s| s == 2).count() {
            0 => lost += 1,
            16 => whole += 1,
            _ => torn += 1,
        }
        gaps += i32::from(sectors.windows(2).filter(|pair| pair[0] != pair[1]).count() > 2);
    }
    assert!(lost > 200 && whole > 200 && torn > 50 && gaps > 10, "{lost} {whole} {torn} {gaps}");
}

#[test]
fn later_writes_may_survive_earlier_ones() {
    let mut out_of_order = 0;
    for seed in 0..500 {
        let storage = with_file(seed, &[0; 8192]);
        let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
        file.write_at(0, &[1; 512]).unwrap();
        file.write_at(4096, &[1; 512]).unwrap();
        storage.crash();
        let after = contents(&storage);
        out_of_order += u32::from(after[0] == 0 && after[4096] == 1);
    }
    assert!(out_of_order > 20, "{out_of_order}");
}

#[test]
fn names_are_lost_unless_the_directory_is_synced() {
    let (mut kept, mut gone) = (0, 0);
    for seed in 0..200 {
        let storage = with_file(seed, b"one");
        let file = storage.open(Path::new("G"), OpenMode::CreateNew).unwrap();
        file.write_at(0, b"two").unwrap();
        file.sync().unwrap();
        storage.rename(Path::new("G"), Path::new(PATH)).unwrap();
        storage.crash();
        match contents(&storage).as_slice() {
            b"one" => gone += 1,
            b"two" => {
                kept += 1;
                assert!(!storage.exists(Path::new("G")).unwrap(), "a rename is one change");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(kept > 20 && gone > 20, "{kept} {gone}");
}

#[test]
fn whole_files_written_durably_are_old_or_new_at_every_stopping_point() {
    for stop in 1..40 {
        for seed in 0..40 {
            let storage = with_file(seed, b"old");
            let control = storage.control();
            control.stop_at(Some(control.operations() + stop));
            let done = durable::write_file(&storage, Path::new(PATH), b"new");
            assert_eq!(done.is_err(), control.stopped());
            storage.crash();
            let after = contents(&storage);
            assert!(after == b"new" || (after == b"old" && done.is_err()), "{after:?}");
            durable::write_file(&storage, Path::new(PATH), b"newer").unwrap();
            assert_eq!(contents(&storage), b"newer");
        }
    }
}

#[test]
fn after_a_failed_sync_a_later_one_succeeds_and_proves_nothing() {
    let mut lost = 0;
    for seed in 0..200 {
        let storage = with_file(seed, b"old");
        let control = storage.control();
        let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
        file.write_at(0, b"new").unwrap();
        control.set_rates(FaultRates { sync_error: 1_000_000, ..FaultRates::default() });
        assert!(file.sync().is_err());
        control.set_rates(FaultRates::default());
        file.sync().unwrap();
        assert_eq!(contents(&storage), b"new", "programs still see what they wrote");
        storage.crash();
        lost += u32::from(contents(&storage) == b"old");
        let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
        file.write_at(0, b"new").unwrap();
        file.sync().unwrap();
        storage.crash();
        assert_eq!(contents(&storage), b"new", "writing again is what helps");
    }
    assert!(lost > 50, "{lost}");
}

#[test]
fn a_stopped_machine_answers_nothing_until_the_power_is_cut() {
    let storage = with_file(3, b"one");
    let control = storage.control();
    let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    control.stop_at(Some(control.operations() + 2));
    file.write_at(0, b"two").unwrap();
    assert!(file.sync().is_err());
    assert!(control.stopped());
    assert!(file.read_at(0, &mut [0]).is_err());
    assert!(storage.open(Path::new(PATH), OpenMode::Read).is_err());
    assert!(storage.list(Path::new("")).is_err());
    storage.crash();
    assert!(!control.stopped());
    assert_eq!(contents(&storage).len(), 3);
    let counters = control.counters();
    assert_eq!((counters.stops, counters.crashes), (1, 1));
}

#[test]
fn a_full_storage_refuses_and_a_removal_makes_room() {
    let storage = with_file(1, &[1; 8192]);
    let control = storage.control();
    control.set_rates(FaultRates { capacity: Some(16384), ..FaultRates::default() });
    let file = storage.open(Path::new("G"), OpenMode::CreateNew).unwrap();
    file.write_at(0, &[1; 8192]).unwrap();
    assert_eq!(file.write_at(8192, &[1]).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.allocate(20_000).unwrap_err().kind(), ErrorKind::StorageFull);
    file.write_at(0, &[2; 8192]).unwrap();
    storage.remove(Path::new(PATH)).unwrap();
    file.allocate(16384).unwrap();
    assert_eq!(control.counters().no_space, 2);
}

#[test]
fn errors_come_at_their_rates_and_only_where_they_are_wanted() {
    let storage = with_file(9, &[0; 4096]);
    let control = storage.control();
    let other = storage.open(Path::new("OTHER"), OpenMode::CreateNew).unwrap();
    control.set_rates(FaultRates {
        read_error: 200_000,
        write_error: 200_000,
        only: Some(PATH.to_owned()),
        ..FaultRates::default()
    });
    let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    let mut failed = 0;
    for _ in 0..1000 {
        failed += u64::from(file.read_at(0, &mut [0]).is_err());
        failed += u64::from(file.write_at(0, &[1; 100]).is_err());
        other.write_at(0, b"x").unwrap();
    }
    let counters = control.counters();
    assert_eq!(counters.read_errors + counters.write_errors, failed);
    assert!((100..300).contains(&counters.read_errors), "{}", counters.read_errors);
    assert!((100..300).contains(&counters.write_errors), "{}", counters.write_errors);
    assert_eq!(counters.operations(OperationKind::Read), 1000);
}

#[test]
fn failures_end_when_they_are_used_up() {
    let storage = with_file(2, b"x");
    let control = storage.control();
    control.set_rates(FaultRates { sync_error: 1_000_000, times: Some(2), ..FaultRates::default() });
    let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    let answers: Vec<bool> = (0..4).map(|_| file.sync().is_ok()).collect();
    assert_eq!(answers, [false, false, true, true]);
}

#[test]
fn a_racing_reader_sees_halves_of_what_is_written_meanwhile_and_the_owner_never() {
    let storage = with_file(4, &[1; 4096]);
    let control = storage.control();
    control.set_rates(FaultRates { torn_read: 1_000_000, ..FaultRates::default() });
    let owner = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    let reader = control.racing().open(Path::new(PATH), OpenMode::Read).unwrap();
    let mut torn = 0;
    let mut block = [0; 4096];
    for round in 2..100_u8 {
        owner.write_at(0, &[round; 4096]).unwrap();
        owner.read_at(0, &mut block).unwrap();
        assert_eq!(block, [round; 4096]);
        reader.read_at(0, &mut block).unwrap();
        assert!(block.iter().all(|&b| b == round || b == round - 1));
        torn += u32::from(block[..4095] != block[1..]);
        reader.read_at(0, &mut block).unwrap();
        assert_eq!(block, [round; 4096]);
    }
    assert!(torn > 50, "{torn}");
}

#[test]
fn the_end_of_a_process_loses_nothing_but_its_handles_and_locks() {
    let storage = with_file(1, b"one");
    let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    file.write_at(0, b"two").unwrap();
    let held = storage.lock(Path::new("LOCK")).unwrap().unwrap();
    storage.control().kill();
    assert!(file.write_at(0, b"x").is_err());
    assert_eq!(contents(&storage), b"two");
    let new = storage.lock(Path::new("LOCK")).unwrap();
    drop(held);
    assert!(new.is_some() && storage.lock(Path::new("LOCK")).unwrap().is_none());
}

#[test]
fn rot_changes_what_is_read_before_and_after_a_crash() {
    let storage = with_file(1, b"abc");
    storage.control().rot(Path::new(PATH), 1, &[1]).unwrap();
    assert_eq!(contents(&storage), b"acc");
    storage.crash();
    assert_eq!(contents(&storage), b"acc");
}

/// A run of everything, and what it left.
fn story(seed: u64) -> (Vec<Vec<u8>>, Vec<(&'static str, u64)>) {
    let storage = FaultyStorage::new(seed);
    let control = storage.control();
    let mut random = Random::new(seed ^ 0xFF);
    let mut states = Vec::new();
    for round in 0..30 {
        control.set_rates(FaultRates { sync_error: 100_000, write_error: 50_000, ..FaultRates::default() });
        control.stop_at((round % 3 == 0).then(|| control.operations() + random.between(1, 40)));
        let mut work = || -> std::io::Result<()> {
            for _ in 0..20 {
                let name = format!("F{}", random.below(4));
                let path = Path::new(&name);
                let mode = if storage.exists(path)? { OpenMode::ReadWrite } else { OpenMode::CreateNew };
                let file = storage.open(path, mode)?;
                let mut bytes = vec![0; random.between(1, 6000) as usize];
                random.fill(&mut bytes);
                let _ = file.write_at(random.below(20_000), &bytes);
                if random.coin() {
                    let _ = file.sync();
                }
                if random.below(4) == 0 {
                    let _ = storage.sync_dir(Path::new(""));
                }
            }
            Ok(())
        };
        assert!(work().is_ok() || control.stopped());
        storage.crash();
        control.set_rates(FaultRates::default());
        for name in storage.list(Path::new("")).unwrap() {
            states.push(durable::read_file(&storage, &name, u64::MAX).unwrap());
        }
    }
    (states, control.counters().totals())
}

#[test]
fn the_same_seed_tells_the_same_story() {
    assert_eq!(story(11), story(11));
    assert_ne!(story(11).0, story(12).0);
}

#[test]
fn images_of_many_megabytes_crash_cheaply() {
    let storage = FaultyStorage::new(1);
    let file = storage.open(Path::new(PATH), OpenMode::CreateNew).unwrap();
    for i in 0..32 {
        file.write_at(i << 20, &vec![1; 1 << 20]).unwrap();
    }
    file.sync().unwrap();
    storage.sync_dir(Path::new("")).unwrap();
    let start = std::time::Instant::now();
    for _ in 0..100 {
        storage.crash();
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn lasting_faults_concern_one_file_beside_all_others_and_are_counted() {
    let storage = with_file(3, b"one");
    durable::write_file(&storage, Path::new("G"), b"two").unwrap();
    let control = storage.control();
    control.set_lasting(FaultRates {
        only: Some("G".to_owned()),
        sync_error: 1_000_000,
        ..FaultRates::default()
    });
    control.set_rates(FaultRates { write_error: 1_000_000, times: Some(1), ..FaultRates::default() });
    let [f, g] = [PATH, "G"].map(|name| storage.open(Path::new(name), OpenMode::ReadWrite).unwrap());
    assert!(f.write_at(0, b"x").is_err());
    f.write_at(0, b"x").unwrap();
    f.sync().unwrap();
    g.write_at(0, b"y").unwrap();
    assert!(g.sync().is_err() && g.sync().is_err(), "it lasts");
    assert_eq!(control.counters().lasting_faults, 2);
    control.set_lasting(FaultRates::default());
    g.sync().unwrap();
}

#[test]
fn a_full_disk_refuses_what_needs_more_space_and_nothing_else() {
    let storage = with_file(3, &[1; 5000]);
    storage.control().set_lasting(FaultRates { full: 1_000_000, ..FaultRates::default() });
    let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    file.write_at(0, &[2; 5000]).unwrap();
    assert_eq!(file.write_at(8192, &[2]).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.allocate(20_000).unwrap_err().kind(), ErrorKind::StorageFull);
}

#[test]
fn a_silent_write_leaves_old_bytes_and_says_nothing() {
    let storage = with_file(3, b"old");
    storage.control().set_rates(FaultRates { silent_write: 1_000_000, ..FaultRates::default() });
    let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    file.write_at(0, b"newer").unwrap();
    file.sync().unwrap();
    assert_eq!(contents(&storage), b"old\0\0");
    assert_eq!(storage.control().counters().silent_writes, 1);
}

#[test]
fn an_image_shows_what_changed_and_puts_it_back_for_good() {
    let storage = with_file(3, b"one");
    durable::write_file(&storage, Path::new("G"), b"two").unwrap();
    let control = storage.control();
    let image = control.image();
    let file = storage.open(Path::new(PATH), OpenMode::ReadWrite).unwrap();
    file.write_at(1, b"X").unwrap();
    storage.remove(Path::new("G")).unwrap();
    durable::write_file(&storage, Path::new("H"), b"three").unwrap();
    let root = Path::new("");
    let names = [PATH, "G", "H"].map(std::path::PathBuf::from);
    assert_eq!(image.differences(&control.image(), root), names);
    assert!(image.differences(&image, root).is_empty());
    control.put_back_file(&image, Path::new("G"), Path::new("H")).unwrap();
    storage.crash();
    assert_eq!(durable::read_file(&storage, Path::new("H"), 99).unwrap(), b"two");
    control.put_back(&image);
    assert!(file.read_at(0, &mut [0]).is_err(), "a handle outlived it");
    storage.crash();
    assert_eq!(contents(&storage), b"one");
    assert!(image.differences(&control.image(), root).is_empty());
}
