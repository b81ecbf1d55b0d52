//! --prove: every point that is kept is recovered once, in a scratch directory, with only the log that would remain.
//!
//! The scratch queue manager has copies of the active logs, links to the archives that stay, and an inventory without those that go.
//! Archives are only ever read. A point is restored there as after the loss of all page sets, and brought forward to the end of the
//! log, or of its copies where it is kept for that alone.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use console::{Failure, message, now};
use engine_log::{BSDS_NAMES, LogReader};
use engine_page_store::page_set_path;
use engine_storage::{OpenMode, SharedStorage, durable};
use format_bsds::{Bsds, RecoveryPointEntry, encode_file, least_capacity};
use operation_copy::PageSetCopy;
use operation_inventory::Decided;
use operation_points::{Driver, PointInTime, RecoverSettings, RecoveryTarget, recover_to};
use tempfile::TempDir;

/// How often the active logs of a running queue manager are copied before it is given up: each time it was faster.
const ATTEMPTS: u32 = 20;

/// Bytes copied at once.
const CHUNK: usize = 1 << 20;

/// Recovers points in a scratch directory.
pub(crate) struct Prover<'p> {
    storage: &'p SharedStorage,
    dir: &'p Path,
    place: PathBuf,
    _temporary: Option<TempDir>,
    made: u32,
}

impl<'p> Prover<'p> {
    /// In `scratch`, or a temporary directory.
    pub(crate) fn new(
        storage: &'p SharedStorage,
        dir: &'p Path,
        scratch: Option<&Path>,
    ) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| {
            Failure::refused(
                "HWT847E",
                format!("NO SCRATCH DIRECTORY TO RECOVER IN: {error}; nothing is deleted"),
            )
        };
        let temporary = match scratch {
            Some(scratch) => TempDir::with_prefix_in("prunelog-", scratch),
            None => TempDir::with_prefix("prunelog-"),
        };
        let temporary = temporary.map_err(cannot)?;
        let dir = std::path::absolute(dir).map(|_| dir).map_err(cannot)?;
        Ok(Self { storage, dir, place: temporary.path().to_owned(), _temporary: Some(temporary), made: 0 })
    }

    /// Recovers every kept point; the words of the first that fails.
    pub(crate) fn prove(&mut self, decided: &Decided<'_>) -> Result<(), String> {
        let bsds = &decided.facts.bsds;
        let line = bsds.line();
        for kept in decided.plan.points.iter().filter(|point| point.kept && point.recoverable) {
            // A name may have been given twice; the plan has the same order as the inventory has, the newest first.
            let entry = bsds.recovery_points.iter().rev().find(|entry| entry.name == kept.name);
            let Some(entry) = entry else { continue };
            if !line.holds(entry.history, entry.end) {
                let text = format!(
                    "RECOVERY POINT {} IS OFF THE LINE OF THE LOG: that it recovers is not proved",
                    kept.name
                );
                message("HWT848W", &text);
                continue;
            }
            let place = self.place.join(format!("{}", self.made));
            self.made += 1;
            let proved = self.recover(decided, entry, kept.consistent_only, &place);
            let _ = std::fs::remove_dir_all(&place);
            proved.map_err(|why| {
                format!(
                    "HWT840E RECOVERY POINT {} CANNOT BE RECOVERED WITH THE LOG THAT WOULD REMAIN: {why}; nothing is deleted",
                    kept.name
                )
            })?;
            message(
                "HWT841I",
                &format!("RECOVERY POINT {} RECOVERS WITH THE LOG THAT WOULD REMAIN", kept.name),
            );
        }
        Ok(())
    }

    fn recover(
        &self,
        decided: &Decided<'_>,
        entry: &RecoveryPointEntry,
        to_its_end: bool,
        place: &Path,
    ) -> Result<(), String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        self.storage.create_dir(place).map_err(|error| words(&error))?;
        // Page sets first: what their pages hold is then in the log that is copied.
        self.copy_page_sets(decided, entry, place)?;
        let doomed: HashSet<&str> = decided
            .decision
            .doomed
            .iter()
            .filter_map(|at| decided.facts.bsds.archives.get(*at))
            .map(|archive| archive.name.as_str())
            .collect();
        let mut last = String::new();
        let copied = (0..ATTEMPTS).any(|_| match self.copy_log(&doomed, place) {
            Ok(fits) => fits,
            Err(why) => {
                last = why;
                false
            }
        });
        if !copied {
            return Err(format!("the log could not be copied: {last}"));
        }
        let settings = RecoverSettings {
            dir: place.to_owned(),
            from: PathBuf::from(&entry.directory),
            page_sets: Vec::new(),
            frames: None,
            driver: Driver::Threads,
            dry_run: false,
        };
        let end = to_its_end.then(|| PointInTime {
            target: RecoveryTarget::Rba(entry.end),
            accept_loss: true,
            random: now().0,
        });
        recover_to(self.storage, &settings, end, now(), &mut |_| {}).map(drop).map_err(|error| words(&error))
    }

    /// Page sets that the point does not have are there as they are now.
    fn copy_page_sets(
        &self,
        decided: &Decided<'_>,
        entry: &RecoveryPointEntry,
        place: &Path,
    ) -> Result<(), String> {
        let others = decided.facts.bsds.page_sets.iter().map(|set| set.page_set);
        for page_set in others.filter(|page_set| entry.page_sets.iter().all(|(id, _)| id != page_set)) {
            let (source, target) = (page_set_path(self.dir, page_set), page_set_path(place, page_set));
            let copy = || -> std::io::Result<_> {
                let input = self.storage.open(&source, OpenMode::Read)?;
                Ok((input, self.storage.open(&target, OpenMode::CreateNew)?))
            };
            let (input, output) = copy().map_err(|error| error.to_string())?;
            let shown = source.display().to_string();
            let mut copy = PageSetCopy::of_files(input, &shown, output, "copy", Some(page_set));
            copy.run().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Copies the active logs, links the archives that stay, and writes the inventory without the others; whether they fit together.
    fn copy_log(&self, doomed: &HashSet<&str>, place: &Path) -> Result<bool, String> {
        let words = |error: std::io::Error| error.to_string();
        let bsds = engine_log::read_bsds(self.storage, self.dir).map_err(|error| error.to_string())?;
        for log in &bsds.active_logs {
            self.copy_file(&log.name, place).map_err(words)?;
        }
        let after = engine_log::read_bsds(self.storage, self.dir).map_err(|error| error.to_string())?;
        if after.sequence != bsds.sequence {
            return Ok(false);
        }
        let dir = std::path::absolute(self.dir).map_err(words)?;
        let mut without = Bsds { backups_in_progress: Vec::new(), ..bsds };
        without.drop_archives(|archive| doomed.contains(archive.name.as_str()));
        for archive in &without.archives {
            let (from, to) = (dir.join(&archive.name), place.join(&archive.name));
            match std::os::unix::fs::symlink(from, to) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                linked => linked.map_err(words)?,
            }
        }
        let image = encode_file(&without, least_capacity(&without));
        let image = image.ok_or_else(|| "the inventory has outgrown every file".to_owned())?;
        for name in BSDS_NAMES {
            durable::write_file(self.storage.as_ref(), &place.join(name), &image).map_err(words)?;
        }
        let mut reader = LogReader::open(self.storage, place).map_err(|error| error.to_string())?;
        reader.find_end().map(|_| true).map_err(|error| error.to_string())
    }

    fn copy_file(&self, name: &str, place: &Path) -> std::io::Result<()> {
        let target = place.join(name);
        durable::remove_if_there(self.storage.as_ref(), &target)?;
        let input = match self.storage.open(&self.dir.join(name), OpenMode::Read) {
            // One copy of an active log may be lost; what is needed of it shows at the start.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let output = self.storage.open(&target, OpenMode::CreateNew)?;
        let length = input.len()?;
        let mut at = 0;
        let mut bytes = vec![0; CHUNK];
        while at < length {
            let part = usize::try_from(length - at).unwrap_or(CHUNK).min(CHUNK);
            let some = bytes.get_mut(..part).unwrap_or_default();
            input.read_at(at, some)?;
            output.write_at(at, some)?;
            at += part as u64;
        }
        Ok(())
    }
}
