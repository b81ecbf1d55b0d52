//! A recovery point that is there.

use std::path::{Path, PathBuf};

use engine_storage::{SharedStorage, durable};
use format_manifest::{MANIFEST_FILE, Manifest};

use crate::error::PointError;

/// Far above any manifest.
const LONGEST_MANIFEST: u64 = 64 << 20;

/// A recovery point: its directory and its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The directory.
    pub directory: PathBuf,
    /// The manifest, whole and believed.
    pub manifest: Manifest,
}

impl Point {
    /// Reads the manifest in `directory`.
    ///
    /// # Errors
    /// When there is none, it is damaged, or a newer release wrote it.
    pub fn open(storage: &SharedStorage, directory: &Path) -> Result<Self, PointError> {
        let path = directory.join(MANIFEST_FILE);
        let there =
            storage.exists(directory).map_err(|e| PointError::storage("looking for", directory, e))?;
        let not_a_point =
            |why: &str| PointError::NotAPoint { path: directory.to_owned(), why: why.to_owned() };
        if !there {
            return Err(not_a_point("there is nothing of that name"));
        }
        if !storage.exists(&path).map_err(|e| PointError::storage("looking for", &path, e))? {
            return Err(not_a_point(
                "it has no manifest; a point that was not finished has a name that ends in .making",
            ));
        }
        let bytes = durable::read_file(storage.as_ref(), &path, LONGEST_MANIFEST)
            .map_err(|e| PointError::storage("reading", &path, e))?;
        let manifest = Manifest::decode(&bytes).map_err(|error| PointError::Manifest { path, error })?;
        Ok(Self { directory: directory.to_owned(), manifest })
    }
}
