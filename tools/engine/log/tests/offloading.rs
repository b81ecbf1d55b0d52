//! Offload with damaged, lacking and differing copies, with archives that fail, and cancelled.

mod site;

use std::path::PathBuf;

use engine_log::{LogError, LogManager, OffloadJob, OffloadOutcome, OffloadStep, compare_copies};
use engine_storage::{FaultRates, FaultyStorage, OpenMode, SharedStorage, durable};
use format_log::ci::CiTrailer;
use format_log::segment::SegmentChecksum;
use format_types::{CI_SIZE, Rba, RbaRange, Timestamp};
use site::*;

fn path(name: &str) -> PathBuf {
    dir().join(name)
}

fn bytes(storage: &SharedStorage, name: &str) -> Vec<u8> {
    durable::read_file(storage.as_ref(), &path(name), 1 << 30).unwrap()
}

fn names(storage: &SharedStorage, part: &str) -> Vec<String> {
    let listed = storage.list(&dir()).unwrap();
    let names = listed.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    names.filter(|name| name.contains(part)).collect()
}

/// The full data set of a log that has switched once, both copies: records, and log that is synced.
fn switched() -> (FaultyStorage, LogManager, Vec<(RbaRange, u64)>) {
    let faulty = FaultyStorage::new(17);
    create(&faulty.shared(), true, SIZE, 4);
    let mut log = open(&faulty.shared());
    let mut all = fill(&mut log, 0, 40);
    log.switch().unwrap();
    all.extend(fill(&mut log, 40, 2));
    log.sync_now().unwrap();
    log.take_messages();
    (faulty, log, all)
}

fn finish(mut job: OffloadJob) -> OffloadOutcome {
    loop {
        if let OffloadStep::Done(outcome) = job.step() {
            return outcome;
        }
    }
}

fn only(part: &str) -> FaultRates {
    FaultRates { only: Some(part.to_owned()), ..FaultRates::default() }
}

fn check(storage: &SharedStorage, log: &LogManager, all: &[(RbaRange, u64)]) {
    assert_eq!(numbers(&reader(storage), log.synced()).unwrap(), all);
}

#[test]
fn what_is_damaged_in_one_copy_is_whole_in_the_archives_and_said() {
    let (faulty, mut log, all) = switched();
    let storage = faulty.shared();
    faulty.control().rot(&path("LOGCOPY1.DS01"), 3 * 4096 + 100, &[1]).unwrap();
    faulty.control().rot(&path("LOGCOPY2.DS01"), 5 * 4096 + 100, &[1]).unwrap();
    assert_eq!(offload(&mut log), 1);
    let messages = log.take_messages();
    for (name, rba) in [("LOGCOPY1.DS01", 0x3000), ("LOGCOPY2.DS01", 0x5000)] {
        let said = format!("HWT263W RBA {} cannot be used in {name}", Rba(rba));
        assert!(messages.iter().any(|message| message.starts_with(&said)), "{messages:#?}");
    }
    let (one, two) = (bytes(&storage, "ARCHLOG1.A0000001"), bytes(&storage, "ARCHLOG2.A0000001"));
    assert!(one == two);
    assert!(one[..0x3000] == bytes(&storage, "LOGCOPY1.DS01")[..0x3000]);
    for name in ["LOGCOPY1.DS01", "LOGCOPY2.DS01", "ARCHLOG2.A0000001"] {
        storage.remove(&path(name)).unwrap();
    }
    check(&storage, &log, &all);
}

#[test]
fn a_copy_that_cannot_be_read_does_not_stop_an_offload() {
    let (faulty, mut log, all) = switched();
    faulty.control().set_rates(FaultRates { read_error: 1_000_000, ..only("LOGCOPY1.DS01") });
    assert_eq!(offload(&mut log), 1);
    let messages = log.take_messages();
    let count = messages.iter().filter(|message| message.starts_with("HWT263W")).count();
    // Ten are named, and then how many more.
    assert_eq!(count, 11, "{messages:#?}");
    faulty.control().set_rates(FaultRates::default());
    check(&faulty.shared(), &log, &all);
}

#[test]
fn copies_that_differ_are_reported() {
    let (faulty, mut log, all) = switched();
    let storage = faulty.shared();
    // The first record of copy 2 says something else, with a checksum that agrees.
    let file = storage.open(&path("LOGCOPY2.DS01"), OpenMode::ReadWrite).unwrap();
    let mut ci = vec![0; CI_SIZE];
    file.read_at(0, &mut ci).unwrap();
    let identity = CiTrailer::take(&ci).unwrap().identity;
    let checksum = SegmentChecksum::new(identity);
    let segment = checksum.take(&ci, Rba::ZERO, 0).unwrap();
    let mut payload = segment.payload.to_vec();
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let flags =
        flag(segment.first, format_log::segment::FIRST) | flag(segment.last, format_log::segment::LAST);
    *payload.last_mut().unwrap() ^= 1;
    checksum.put(&mut ci, Rba::ZERO, 0, flags, &payload);
    file.write_at(0, &ci).unwrap();
    let mut faults = Vec::new();
    let range = RbaRange::new(Rba::ZERO, log.synced());
    let compared = compare_copies(&storage, &dir(), range, &mut |fault| faults.push(fault)).unwrap();
    assert_eq!((compared.differing, compared.damaged, compared.lost, faults.len()), (1, 0, 0, 1));
    assert_eq!(faults[0].differs_from.as_deref(), Some("LOGCOPY1.DS01"));
    assert_eq!((faults[0].data_set.as_str(), faults[0].rba), ("LOGCOPY2.DS01", Rba::ZERO));
    assert_eq!(offload(&mut log), 1);
    let messages = log.take_messages();
    assert!(messages.iter().any(|message| message.starts_with("HWT264W")), "{messages:#?}");
    check(&storage, &log, &all);
}

#[test]
fn the_same_place_bad_in_both_copies_is_never_archived_short_and_is_tried_again() {
    let (faulty, mut log, mut all) = switched();
    let storage = faulty.shared();
    let good = bytes(&storage, "LOGCOPY2.DS01");
    for copy in [1, 2] {
        faulty.control().rot(&path(&format!("LOGCOPY{copy}.DS01")), 7 * 4096 + 9, &[4]).unwrap();
    }
    assert_eq!(offload(&mut log), 0);
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("CSQJ128E LOG OFFLOAD TASK FAILED FOR ACTIVE LOG LOGCOPY1.DS01"), "{messages}");
    assert!(messages.contains("HWT265E LOGCOPY1.DS01 cannot be offloaded"), "{messages}");
    assert!(messages.contains("RBA 0000000000007000"), "{messages}");
    assert!(names(&storage, "ARCHLOG").is_empty());
    let stopped = |log: &LogManager| log.bsds().active_logs.iter().filter(|log| log.status.stopped).count();
    assert_eq!(stopped(&log), 2);
    // Others go on; what is said to be archived is what lies before it.
    all.extend(fill(&mut log, 42, 40));
    log.switch().unwrap();
    assert_eq!(offload(&mut log), 1);
    assert_eq!(log.bsds().highest_offloaded, Rba::ZERO);
    assert_eq!((log.full_logs().0, log.offload_waiting()), (1, true));
    assert!(log.next_offload().is_none(), "it is tried again too soon");
    // Restored, it is archived when its time has come, and across a restart at once.
    durable::write_file(storage.as_ref(), &path("LOGCOPY2.DS01"), &good).unwrap();
    let image = faulty.control().image();
    let look = |mut log: LogManager, told: &str| {
        assert_eq!(offload(&mut log), 1, "{told}");
        assert_eq!((stopped(&log), log.full_logs().0), (0, 0));
        let current = log.bsds().current_active(1).unwrap().range.unwrap();
        assert_eq!(log.bsds().highest_offloaded, current.start);
        log.sync_now().unwrap();
        check(&storage, &log, &all);
    };
    log.set_time(Timestamp(NOW.0 + 11_000_000));
    look(log, "later");
    faulty.control().put_back(&image);
    look(open(&storage), "after a restart");
}

#[test]
fn reads_that_are_refused_stop_nothing_for_good() {
    let (faulty, mut log, all) = switched();
    faulty.control().set_rates(FaultRates { read_error: 1_000_000, ..only(".DS01") });
    assert_eq!(offload(&mut log), 0);
    assert!(log.bsds().active_logs.iter().all(|log| !log.status.stopped));
    faulty.control().set_rates(FaultRates::default());
    let mut pause = 0;
    let mut archived = 0;
    while archived == 0 {
        pause += 1;
        assert!(pause <= 11, "not tried again");
        log.set_time(Timestamp(NOW.0 + pause * 1_000_000));
        archived = offload(&mut log);
    }
    check(&faulty.shared(), &log, &all);
}

#[test]
fn one_archive_copy_may_fail_and_both_are_tried_again_under_other_names() {
    for (kind, both) in [("write", false), ("sync", false), ("full", false), ("write", true), ("full", true)]
    {
        let (faulty, mut log, all) = switched();
        let storage = faulty.shared();
        let rate = |wanted: &str| if kind == wanted { 1_000_000 } else { 0 };
        let file = if both { "ARCHLOG" } else { "ARCHLOG2" };
        faulty.control().set_rates(FaultRates {
            write_error: rate("write"),
            sync_error: rate("sync"),
            full: rate("full"),
            ..only(file)
        });
        let archived = offload(&mut log);
        let messages = log.take_messages().join("\n");
        assert!(names(&storage, ".tmp").is_empty());
        if both {
            assert_eq!(archived, 0);
            assert!(messages.contains("CSQJ128E"), "{messages}");
            assert!(names(&storage, "ARCHLOG").is_empty() && log.bsds().archives.is_empty());
            assert!(log.bsds().active_logs.iter().all(|log| !log.status.reusable));
            faulty.control().set_rates(FaultRates::default());
            assert_eq!(offload(&mut log), 1);
            assert_eq!(log.bsds().archives[0].name, "ARCHLOG1.A0000002");
            assert_eq!(log.bsds().archives.len(), 2);
        } else {
            assert_eq!(archived, 1);
            assert!(
                messages.contains("CSQJ114I ERROR ON ARCHIVE DATA SET, OFFLOAD CONTINUING"),
                "{messages}"
            );
            assert_eq!(log.bsds().archives.len(), 1);
            faulty.control().set_rates(FaultRates::default());
        }
        check(&storage, &log, &all);
    }
}

#[test]
fn every_operation_on_archives_may_fail() {
    let mut tried = 0;
    for kind in ["write", "sync", "name", "silent"] {
        for skip in 0.. {
            let (faulty, mut log, all) = switched();
            let storage = faulty.shared();
            let rate = |wanted: &str| if kind == wanted { 1_000_000 } else { 0 };
            faulty.control().set_rates(FaultRates {
                write_error: rate("write"),
                sync_error: rate("sync"),
                name_error: rate("name"),
                silent_write: rate("silent"),
                skip,
                times: Some(1),
                ..only("ARCHLOG")
            });
            offload(&mut log);
            let failed = faulty.control().rates().times == Some(0);
            faulty.control().set_rates(FaultRates::default());
            if !failed {
                break;
            }
            tried += 1;
            offload(&mut log);
            assert_eq!(log.full_logs().0, 0, "{kind} {skip}");
            // What is archived is whole, in each of its copies.
            for copy in [1, 2] {
                for other in log.bsds().archives.iter().filter(|archive| archive.copy != copy) {
                    storage.rename(&path(&other.name), &path(&format!("AWAY.{}", other.name))).unwrap();
                }
                for name in ["LOGCOPY1.DS01", "LOGCOPY2.DS01"] {
                    storage.rename(&path(name), &path(&format!("AWAY.{name}"))).unwrap();
                }
                if log.bsds().archives.iter().any(|archive| archive.copy == copy) {
                    check(&storage, &log, &all);
                }
                for name in names(&storage, "AWAY.") {
                    storage.rename(&path(&name), &path(&name["AWAY.".len()..])).unwrap();
                }
            }
            log.sync_now().unwrap();
            faulty.crash();
            check(&storage, &open(&storage), &all);
        }
    }
    assert!(tried >= 10, "{tried}");
}

#[test]
fn a_lacking_copy_is_completed_even_while_no_archive_can_be_written() {
    let faulty = FaultyStorage::new(21);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 4);
    let mut log = open(&storage);
    let mut all = fill(&mut log, 0, 20);
    log.sync_now().unwrap();
    faulty.control().set_rates(FaultRates { sync_error: 1_000_000, times: Some(1), ..only("LOGCOPY1") });
    all.extend(fill(&mut log, 20, 20));
    let job = log.begin_sync().unwrap().unwrap();
    log.finish_sync(job.run()).unwrap();
    all.extend(fill(&mut log, 40, 1));
    log.sync_now().unwrap();
    let lacking = |log: &LogManager| {
        log.bsds()
            .active_logs
            .iter()
            .filter(|log| log.status.incomplete)
            .map(|log| log.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(lacking(&log), ["LOGCOPY1.DS01", "LOGCOPY1.DS02"]);
    faulty.control().set_rates(FaultRates { write_error: 1_000_000, ..only("ARCHLOG") });
    assert_eq!(offload(&mut log), 0);
    assert_eq!(lacking(&log), ["LOGCOPY1.DS02"]);
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("HWT267I LOGCOPY1.DS01") && messages.contains("CSQJ128E"), "{messages}");
    storage.rename(&path("LOGCOPY2.DS01"), &path("AWAY")).unwrap();
    check(&storage, &log, &all);
    storage.rename(&path("AWAY"), &path("LOGCOPY2.DS01")).unwrap();
    // A completion that fails is said, and the data set is not believed.
    log.switch().unwrap();
    faulty.control().set_rates(FaultRates { write_error: 1_000_000, ..only("LOGCOPY1.DS02") });
    assert_eq!(offload(&mut log), 2);
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("HWT266W LOGCOPY1.DS02"), "{messages}");
    assert_eq!(lacking(&log), ["LOGCOPY1.DS02"]);
    // Its archive makes the rest of the copy whole.
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    assert!(messages.contains("HWT232I"), "{messages}");
    log.sync_now().unwrap();
    check(&storage, &log, &all);
}

#[test]
fn a_cancelled_offload_leaves_nothing_and_begins_anew() {
    let (faulty, mut log, all) = switched();
    let storage = faulty.shared();
    assert!(!log.cancel_offload(), "nothing was under way");
    // Before its end.
    let mut job = log.next_offload().unwrap();
    assert!(matches!(job.step(), OffloadStep::More));
    assert_eq!(names(&storage, ".tmp").len(), 2);
    assert!(log.cancel_offload() && !log.cancel_offload());
    assert!(log.take_messages().join("\n").contains("HWT268I the offload of LOGCOPY1.DS01 was cancelled"));
    let outcome = finish(job);
    assert!(outcome.is_cancelled() && !outcome.is_success());
    assert!(names(&storage, "ARCHLOG").is_empty());
    // A newer one is not touched by the late outcome of an older one.
    let newer = log.next_offload().unwrap();
    log.finish_offload(outcome).unwrap();
    assert!(log.offload_under_way() && log.next_offload().is_none());
    // After it: its archives have names, which no BSDS knows.
    let outcome = finish(newer);
    assert!(log.cancel_offload() && outcome.is_success());
    assert_eq!(names(&storage, "ARCHLOG").len(), 4);
    let third = finish(log.next_offload().unwrap());
    log.finish_offload(third).unwrap();
    log.finish_offload(outcome).unwrap();
    let archives: Vec<_> = log.bsds().archives.iter().map(|archive| archive.name.clone()).collect();
    assert_eq!(archives, ["ARCHLOG1.A0000003", "ARCHLOG2.A0000003"]);
    assert_eq!(names(&storage, ".A0").len(), 2);
    assert_eq!(names(&storage, ".B0").len(), 2);
    check(&storage, &log, &all);
}

#[test]
fn a_cancelled_offload_that_still_writes_to_an_active_log_keeps_it_from_being_used_again() {
    let faulty = FaultyStorage::new(22);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 2);
    let mut log = open(&storage);
    fill(&mut log, 0, 20);
    faulty.control().set_rates(FaultRates { sync_error: 1_000_000, times: Some(1), ..only("LOGCOPY2") });
    let sync = log.begin_sync().unwrap().unwrap();
    log.finish_sync(sync.run()).unwrap();
    let job = log.next_offload().unwrap();
    assert!(log.cancel_offload());
    assert!(log.next_offload().is_none() && !log.can_switch());
    drop(job);
    assert_eq!(offload(&mut log), 1);
    assert!(log.can_switch());
}

#[test]
fn copies_are_compared_in_active_and_archive_logs() {
    let (faulty, mut log, _) = switched();
    let storage = faulty.shared();
    assert_eq!(offload(&mut log), 1);
    fill(&mut log, 42, 60);
    log.sync_now().unwrap();
    // Only the archives have the first data set.
    for name in ["LOGCOPY1.DS01", "LOGCOPY2.DS01"] {
        storage.remove(&path(name)).unwrap();
    }
    let log = open(&storage);
    let synced = log.synced();
    let range = RbaRange::new(Rba::ZERO, Rba::MAX);
    let compare = || {
        let mut faults = Vec::new();
        let compared = compare_copies(&storage, &dir(), range, &mut |fault| faults.push(fault)).unwrap();
        faults.sort_by_key(|fault| (fault.rba, fault.copy));
        let faults: Vec<_> =
            faults.into_iter().map(|fault| (fault.rba.0, fault.data_set, fault.elsewhere)).collect();
        (compared, faults)
    };
    let (compared, faults) = compare();
    // The active logs that were made anew are empty and hold nothing that counts.
    assert_eq!((compared.control_intervals, faults), (synced.0.div_ceil(4096), Vec::new()));
    assert_eq!((compared.differing, compared.lost), (0, 0));
    let second = log.bsds().actives(1).nth(1).unwrap().range.unwrap().start;
    let rot = |name: &str, ci: u64| {
        faulty.control().rot(&path(name), ci * 4096 + 50, &[2]).unwrap();
    };
    rot("ARCHLOG1.A0000001", 2);
    rot("ARCHLOG2.A0000001", 4);
    rot("LOGCOPY1.DS02", 1);
    rot("LOGCOPY2.DS02", 2);
    rot("ARCHLOG1.A0000001", 6);
    rot("ARCHLOG2.A0000001", 6);
    let (compared, faults) = compare();
    let found = |rba: u64, name: &str, elsewhere: bool| (rba, name.to_owned(), elsewhere);
    assert_eq!(
        faults,
        [
            found(0x2000, "ARCHLOG1.A0000001", true),
            found(0x4000, "ARCHLOG2.A0000001", true),
            found(0x6000, "ARCHLOG1.A0000001", false),
            found(0x6000, "ARCHLOG2.A0000001", false),
            found(second.0 + 0x1000, "LOGCOPY1.DS02", true),
            found(second.0 + 0x2000, "LOGCOPY2.DS02", true),
        ]
    );
    assert_eq!(compared.lost, 1);
    assert!(matches!(numbers(&reader(&storage), synced), Err(LogError::Damage { rba: Rba(0x6000), .. })));
    // A stretch, and nothing beyond it.
    let mut count = 0;
    let part = RbaRange::new(Rba(0x3000), Rba(0x5000));
    let compared = compare_copies(&storage, &dir(), part, &mut |_| count += 1).unwrap();
    assert_eq!((compared.control_intervals, count), (2, 1));
}

/// Descriptors of this process that lead into `dir`.
fn descriptors(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    links.filter(|link| link.starts_with(dir)).count()
}

#[test]
fn a_log_of_many_archives_is_read_and_compared_with_few_files_open() {
    let place = tempfile::tempdir().unwrap();
    let storage: SharedStorage = std::sync::Arc::new(engine_storage::RealStorage::new());
    let dir = place.path().join("QM1");
    storage.create_dir(&dir).unwrap();
    LogManager::create(&storage, &dir, &new_log(true, SIZE, 3)).unwrap();
    let mut log = LogManager::open(&storage, &dir, NOW).unwrap();
    let mut all = Vec::new();
    for number in 0..90 {
        all.extend(fill(&mut log, number, 1));
        log.switch().unwrap();
        assert_eq!(offload(&mut log), 1);
    }
    log.sync_now().unwrap();
    let reader = engine_log::LogReader::open(&storage, &dir).unwrap();
    let before = descriptors(place.path());
    let mut stream = reader.stream(Rba::ZERO, log.synced()).unwrap();
    let (mut most, mut count) = (0, 0);
    while let Some((_, record)) = stream.next().unwrap() {
        count += usize::from(matches!(record.body, format_log::Body::Insert { .. }));
        most = most.max(descriptors(place.path()) - before);
    }
    assert_eq!(count, all.len());
    // More than are kept, and far fewer than there are.
    assert!((20..50).contains(&most), "{most} files open");
    let mut seen = 0;
    let file = dir.join("ARCHLOG1.A0000089");
    let mut content = std::fs::read(&file).unwrap();
    content[100] ^= 1;
    std::fs::write(&file, &content).unwrap();
    let range = RbaRange::new(Rba::ZERO, log.synced());
    let compared =
        compare_copies(&storage, &dir, range, &mut |_| seen = descriptors(place.path()) - before).unwrap();
    assert_eq!(compared.damaged, 1);
    assert!((1..100).contains(&seen), "{seen} files open");
}
