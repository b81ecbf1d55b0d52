//! Where the rehearsal takes place.

use std::path::{Path, PathBuf};

use console::Failure;
use tempfile::TempDir;

/// A directory of the rehearsal's own.
pub(crate) struct Scratch {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Scratch {
    /// `wanted`, made when missing and refused when not empty; or a temporary directory.
    pub(crate) fn new(wanted: Option<&Path>) -> Result<Self, Failure> {
        let cannot =
            |error: std::io::Error| Failure::refused("HWT790E", format!("no directory to work in: {error}"));
        let Some(wanted) = wanted else {
            let temporary = TempDir::with_prefix("rehearse-").map_err(cannot)?;
            return Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) });
        };
        match std::fs::read_dir(wanted) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    let text = format!("{} is not empty: nothing was done", wanted.display());
                    return Err(
                        Failure::refused("HWT790E", text).hint("name a directory that is missing or empty")
                    );
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir(wanted).map_err(cannot)?;
            }
            Err(error) => return Err(cannot(error)),
        }
        let path = std::fs::canonicalize(wanted).map_err(cannot)?;
        Ok(Self { path, temporary: None })
    }

    /// A directory of that name in this one, for one kind of loss.
    pub(crate) fn below(&self, name: &str) -> Result<Self, Failure> {
        let path = self.path.join(name);
        std::fs::create_dir(&path).map_err(|error| {
            Failure::refused("HWT790E", format!("{} cannot be made: {error}", path.display()))
        })?;
        Ok(Self { path, temporary: None })
    }

    /// Removes it, as far as that can be.
    pub(crate) fn remove(self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }

    /// A name beside the queue manager, for recovery points and copies.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn queue_manager(&self) -> PathBuf {
        self.path.join("QM")
    }

    pub(crate) fn point(&self) -> PathBuf {
        self.path.join("POINT")
    }

    pub(crate) fn journal(&self, number: u32) -> PathBuf {
        self.path.join(format!("JOURNAL{number}"))
    }

    pub(crate) fn errors(&self) -> PathBuf {
        self.path.join("ERRORS")
    }

    /// Keeps a temporary directory, because something in it wants looking at.
    pub(crate) fn keep(mut self) -> PathBuf {
        match self.temporary.take() {
            Some(temporary) => temporary.keep(),
            None => self.path,
        }
    }

    /// Where it is, when it stays.
    pub(crate) fn kept(&self) -> Option<&Path> {
        self.temporary.is_none().then_some(self.path.as_path())
    }
}
