//! Queue managers at rest, and recovery points, that are older than they are.

use std::fs;
use std::path::Path;

use format_bsds::{Bsds, decode_file, encode_file};
use format_manifest::{MANIFEST_FILE, Manifest};
use format_types::{Lrsn, Timestamp};

const SECOND: u64 = 1_000_000;

/// Makes the log of a queue manager at rest older by so many seconds: its creation, its checkpoints and its archives. The records in it
/// keep their times.
///
/// # Panics
/// When its BSDS cannot be read or written.
pub fn log(queue_manager: &Path, seconds: u64) {
    change(queue_manager, |bsds| {
        let earlier = |at: &mut Timestamp| at.0 -= seconds * SECOND;
        let earlier_lrsn = |lrsn: &mut Lrsn| {
            let mut at = lrsn.timestamp();
            earlier(&mut at);
            lrsn.0 = at.store_clock();
        };
        earlier(&mut bsds.created);
        bsds.checkpoints.iter_mut().for_each(|checkpoint| earlier(&mut checkpoint.at));
        for archive in &mut bsds.archives {
            earlier(&mut archive.written_at);
            earlier_lrsn(&mut archive.start_lrsn);
            earlier_lrsn(&mut archive.end_lrsn);
        }
    });
}

/// Makes every recovery point of a queue manager at rest older by so many seconds, in its BSDS and in the manifests.
///
/// # Panics
/// When one of them cannot be read or written.
pub fn points(queue_manager: &Path, seconds: u64) {
    change(queue_manager, |bsds| {
        for point in &mut bsds.recovery_points {
            point.at.0 -= seconds * SECOND;
            let file = Path::new(&point.directory).join(MANIFEST_FILE);
            let mut manifest = Manifest::decode(&fs::read(&file).expect("a manifest")).expect("a manifest");
            manifest.at = point.at;
            fs::write(&file, manifest.encode().expect("a manifest")).expect("it is written");
        }
    });
}

fn change(queue_manager: &Path, change: impl FnOnce(&mut Bsds)) {
    let files = ["BSDS01", "BSDS02"].map(|name| queue_manager.join(name));
    let found = decode_file(&fs::read(&files[0]).expect("BSDS01"));
    let mut bsds = found.newest.expect("a valid slot");
    change(&mut bsds);
    bsds.sequence += 1;
    let bytes = encode_file(&bsds, found.capacity).expect("it fits");
    files.iter().for_each(|file| fs::write(file, &bytes).expect("it is written"));
}
