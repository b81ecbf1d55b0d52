//! Images of a whole storage: to try something out and take it back, and to see what it changed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::Control;
use crate::blocks::Blocks;
use crate::tree::{NodeId, Tree};

/// All files and directories as programs saw them at one moment. Cheap: blocks are shared until one is changed.
#[derive(Debug, Clone)]
pub struct Image {
    tree: Tree,
}

impl Image {
    /// The files in `dir` (not below it) that are not the same in both images: other bytes, or in one of them only.
    #[must_use]
    pub fn differences(&self, other: &Self, dir: &Path) -> Vec<PathBuf> {
        let (ours, theirs) = (self.files(dir), other.files(dir));
        let changed = ours.iter().filter(|(name, file)| theirs.get(*name).is_none_or(|it| !it.same(file)));
        let added = theirs.keys().filter(|name| !ours.contains_key(*name));
        changed.map(|(name, _)| name).chain(added).cloned().collect()
    }

    fn files(&self, dir: &Path) -> BTreeMap<PathBuf, &Blocks> {
        let entries = self.tree.find(dir).and_then(|id| self.tree.entries(id));
        let file = |(name, id): (&std::ffi::OsString, &NodeId)| {
            Some((PathBuf::from(name), self.tree.file(*id).ok()?))
        };
        entries.map(|entries| entries.iter().filter_map(file).collect()).unwrap_or_default()
    }
}

impl Control {
    /// Everything as programs see it now, durable or not.
    #[must_use]
    pub fn image(&self) -> Image {
        Image { tree: self.shared.state().image() }
    }

    /// Makes everything what it was, durably. Handles and locks are dead, as after a crash; rates and totals stay.
    pub fn put_back(&self, image: &Image) {
        self.shared.state().put_back(&image.tree);
    }

    /// Makes the file at `to` what the one at `from` was in `image`, durably, its name too.
    ///
    /// # Errors
    /// When there was no such file, or the directory of `to` is not there.
    pub fn put_back_file(&self, image: &Image, from: &Path, to: &Path) -> io::Result<()> {
        let file = image.tree.file(image.tree.find(from)?)?;
        self.shared.state().put_file(to, file)
    }
}
