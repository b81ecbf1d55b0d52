//! A hundred thousand archives decided on and deleted: time from process start to a durable BSDS, beside `pg_archivecleanup` on as many
//! files. Not run unless asked for: `cargo test --release -p prunelog --test hundred_thousand -- --ignored --nocapture`.

mod bench;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use engine_log::{LogError, update_bsds_at_rest};
use engine_storage::RealStorage;
use format_bsds::ArchiveLog;
use format_log::LogIdentity;
use format_log::ci::CiTrailer;
use format_types::{CI_SIZE, HistoryId, LogHistory, Lrsn, QueueManagerId, Rba, RbaRange, Timestamp};

const ARCHIVES: u32 = 100_000;
const IDENTITY: [u64; 2] = [7, 9];

/// A queue manager with so many archives of a history that a cut has left behind, which nothing needs.
fn with_archives(dir: &Path) {
    let storage = RealStorage::shared();
    bench::make(&storage, dir, IDENTITY);
    let history = HistoryId { number: 900, random: 900 };
    let archive = |number: u32| {
        let start = Rba(u64::from(number) * CI_SIZE as u64);
        ArchiveLog {
            copy: 1,
            name: format!("ARCHLOG1.A{number:07}"),
            history,
            range: RbaRange::new(start, start.plus(CI_SIZE as u64)),
            start_lrsn: Lrsn::default(),
            end_lrsn: Lrsn::default(),
            written_at: Timestamp(1),
            unit: "DISK".to_owned(),
            volume: String::new(),
            bsds_name: String::new(),
            deleting: false,
        }
    };
    let archives: Vec<ArchiveLog> = (1_000_000..1_000_000 + ARCHIVES).map(archive).collect();
    let identity = LogIdentity { queue_manager: QueueManagerId(IDENTITY[0]), history };
    for archive in &archives {
        let mut ci = [0; CI_SIZE];
        let rba = archive.range.start;
        CiTrailer { rba, identity, instance: 1, used: 0, first_record: None, synced: rba, closed: true }
            .put(&mut ci);
        File::create(dir.join(&archive.name)).unwrap().write_all(&ci).unwrap();
    }
    update_bsds_at_rest(&storage, dir, |bsds| {
        bsds.histories.insert(0, LogHistory { id: history, parent: None, first: Rba::ZERO });
        bsds.archives.splice(0..0, archives);
        Ok::<(), LogError>(())
    })
    .unwrap();
}

fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let took = started.elapsed();
    assert!(output.status.code().is_some_and(|code| code <= 4), "{command:?}: {output:?}");
    took
}

/// The peer: the newest installed.
fn pg_archivecleanup() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.flatten().map(|version| version.path().join("bin/pg_archivecleanup")).find(|path| path.exists())
}

#[test]
#[ignore = "takes a while, and says something of a release build on a quiet machine alone"]
fn a_hundred_thousand_archives_are_deleted_in_twice_the_time_of_pg_archivecleanup() {
    let scratch = tempfile::tempdir().unwrap();
    let mut ours = Vec::new();
    for round in 0..3 {
        let beside = scratch.path().join(format!("site{round}"));
        fs::create_dir(&beside).unwrap();
        let dir = beside.join("QM1");
        with_archives(&dir);
        let mut apply = Command::new(env!("CARGO_BIN_EXE_prunelog"));
        apply.arg("apply").arg(&dir).args(["--keep-last", "3", "--max-delete", "100%"]);
        ours.push(timed(&mut apply));
        let left = fs::read_dir(&dir).unwrap().flatten();
        let left =
            left.filter(|entry| entry.file_name().to_string_lossy().starts_with("ARCHLOG1.A1")).count();
        assert_eq!(left, 0);
    }
    let best = ours.iter().min().unwrap();
    println!("prunelog apply: {:.2} s ({ours:.2?})", best.as_secs_f64());
    let Some(peer) = pg_archivecleanup() else {
        println!("pg_archivecleanup is not installed (Debian: apt-get install postgresql)");
        return;
    };
    let mut theirs = Vec::new();
    for round in 0..3 {
        let dir = scratch.path().join(format!("WAL{round}"));
        fs::create_dir(&dir).unwrap();
        for number in 0..ARCHIVES {
            let name = format!("00000001{:08X}{:08X}", number / 256, number % 256);
            File::create(dir.join(name)).unwrap().write_all(&[0; CI_SIZE]).unwrap();
        }
        theirs.push(timed(Command::new(&peer).arg(&dir).arg("0000000100FFFFFF000000FF")));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    }
    let peer = theirs.iter().min().unwrap();
    println!("pg_archivecleanup: {:.2} s ({theirs:.2?})", peer.as_secs_f64());
    assert!(*best < *peer * 2, "{best:?} against {peer:?}");
}
