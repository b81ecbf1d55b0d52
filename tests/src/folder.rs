//! Folders of files: copied, compared, and searched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use format_bsds::{Bsds, decode_file};
use format_manifest::Manifest;

/// Copies all files of folder `from` into the new folder `to`. Sockets and locks stay behind; archives, which nobody ever changes,
/// become second names of the same file.
///
/// # Panics
/// When a file cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for (name, path) in files(from) {
        let target = to.join(&name);
        if name.starts_with("ARCHLOG") {
            fs::hard_link(&path, &target).expect("an archive has a second name");
        } else {
            fs::copy(&path, &target).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

/// The files of a folder by name, without sockets and locks.
#[must_use]
pub fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let named = files.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    named.filter(|(name, _)| !matches!(name.as_str(), "LOCK" | "PID" | "CONSOLE.LOG")).collect()
}

/// All bytes of all files of a folder: two equal ones show that nothing was touched.
///
/// # Panics
/// When a file cannot be read.
#[must_use]
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |path: PathBuf| fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    files(folder).into_iter().map(|(name, path)| (name, read(path))).collect()
}

/// Fails, naming the files, when `folder` no longer holds what it held `before`.
///
/// # Panics
/// When it does not.
#[track_caller]
pub fn assert_untouched(folder: &Path, before: &BTreeMap<String, Vec<u8>>) {
    let after = contents(folder);
    let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(&after), "files came or went");
    let changed: Vec<_> =
        before.iter().filter(|(name, bytes)| after[*name] != **bytes).map(|(n, _)| n).collect();
    assert!(changed.is_empty(), "changed: {changed:?}");
}

/// The same for a queue manager's directory, but for its inventory, where what verifying found is noted.
///
/// # Panics
/// When it does not.
#[track_caller]
pub fn assert_untouched_but_inventory(folder: &Path, before: &BTreeMap<String, Vec<u8>>) {
    let mut before = before.clone();
    for (name, path) in files(folder) {
        if name.starts_with("BSDS") {
            before.insert(name, fs::read(path).expect("a copy of the BSDS"));
        }
    }
    assert_untouched(folder, &before);
}

/// The inventory of a queue manager at rest.
///
/// # Panics
/// When copy 1 of its BSDS cannot be read.
#[must_use]
pub fn inventory(queue_manager: &Path) -> Bsds {
    let bytes = fs::read(queue_manager.join("BSDS01")).expect("BSDS01");
    decode_file(&bytes).newest.expect("a valid slot")
}

/// The recovery points below a folder, oldest first, with their manifests.
///
/// # Panics
/// When a manifest cannot be read.
#[must_use]
pub fn points(folder: &Path) -> Vec<(PathBuf, Manifest)> {
    let mut points = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of points").flatten() {
        for (_, path) in files(&entry.path()) {
            if let Ok(manifest) =
                fs::read(&path).map_err(drop).and_then(|b| Manifest::decode(&b).map_err(drop))
            {
                points.push((entry.path(), manifest));
            }
        }
    }
    points.sort_by_key(|(_, manifest)| manifest.start);
    points
}
