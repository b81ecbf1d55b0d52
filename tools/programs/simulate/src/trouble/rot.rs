//! Bytes that change by themselves in one copy of something while the queue manager is down: the other copy is enough.

use std::path::{Path, PathBuf};

use engine_log::read_bsds;
use engine_storage::{OpenMode, durable};
use format_bsds::{ArchiveLog, Bsds};

use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

impl World {
    /// One copy of the BSDS is enough.
    pub(super) fn lose_bsds_copy(&mut self) -> Result<(), Broken> {
        let name = if self.random.coin() { "BSDS01" } else { "BSDS02" };
        self.totals.count(Event::BsdsCopyLost);
        self.remove_files(name)
    }

    /// One copy of the log is enough: a stretch of the other is damaged.
    pub(super) fn rot_log_copy(&mut self) -> Result<(), Broken> {
        let copy = format!("LOGCOPY{}.", self.setup.rotting_copy);
        let files = self.files_of(&copy)?;
        let Some(path) = self.random.pick(&files).cloned() else { return Ok(()) };
        self.totals.count(Event::LogCopyRot);
        self.rotted = true;
        self.rot_somewhere(&path)
    }

    /// One copy of an archive is enough, where there are two.
    pub(super) fn rot_archive(&mut self) -> Result<(), Broken> {
        let Some(name) = self.pick_archive_with_twin()? else { return Ok(()) };
        self.totals.count(Event::ArchiveRot);
        self.rotted = true;
        self.rot_somewhere(&name)
    }

    /// One copy of an archive is enough: the other is gone.
    pub(super) fn lose_archive(&mut self) -> Result<(), Broken> {
        let Some(name) = self.pick_archive_with_twin()? else { return Ok(()) };
        self.totals.count(Event::ArchiveLost);
        self.rotted = true;
        self.trace(|| format!("{} is lost", name.display()));
        durable::remove(self.shared.as_ref(), &name).map_err(|error| error.to_string())
    }

    /// An archive of the copy that may be damaged, where the other copy has the same log.
    fn pick_archive_with_twin(&mut self) -> Result<Option<PathBuf>, Broken> {
        let bsds = match read_bsds(&self.shared, &self.dir) {
            Ok(bsds) => bsds,
            // Calls fail just now.
            Err(_) if self.faults_for > 0 => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let ours = |log: &&ArchiveLog| log.copy == self.setup.rotting_copy && has_twin(&bsds, log);
        let paths = bsds.archives.iter().filter(ours).map(|log| self.dir.join(&log.name));
        let paths: Vec<PathBuf> = paths.filter(|path| self.shared.exists(path).unwrap_or(false)).collect();
        Ok(self.random.pick(&paths).cloned())
    }

    /// Whether each archive is there in two copies.
    pub(super) fn every_archive_twice(&self) -> Result<bool, Broken> {
        let bsds = read_bsds(&self.shared, &self.dir).map_err(|error| error.to_string())?;
        Ok(bsds.archives.iter().all(|log| has_twin(&bsds, log)))
    }

    /// Changes a stretch of a file.
    pub(super) fn rot_somewhere(&mut self, path: &Path) -> Result<(), Broken> {
        let file = self.shared.open(path, OpenMode::Read).map_err(|error| error.to_string())?;
        let length = file.len().map_err(|error| error.to_string())?;
        let mut flip = vec![0; self.random.between(1, 3_000) as usize];
        self.random.fill(&mut flip);
        let offset = self.random.below(length.saturating_sub(flip.len() as u64));
        self.trace(|| format!("{} is damaged at {offset}, {} bytes", path.display(), flip.len()));
        self.control.rot(path, offset, &flip).map_err(|error| error.to_string())
    }

    /// The files whose names begin with `prefix`.
    pub(super) fn files_of(&self, prefix: &str) -> Result<Vec<PathBuf>, Broken> {
        let names = self.shared.list(&self.dir).map_err(|error| error.to_string())?;
        let ours = |name: &PathBuf| name.to_string_lossy().starts_with(prefix);
        Ok(names.into_iter().filter(ours).map(|name| self.dir.join(name)).collect())
    }
}

/// Whether the same log is in the other copy's archive too.
fn has_twin(bsds: &Bsds, log: &ArchiveLog) -> bool {
    bsds.archives.iter().any(|other| {
        !other.deleting && other.copy != log.copy && other.range == log.range && other.history == log.history
    })
}
