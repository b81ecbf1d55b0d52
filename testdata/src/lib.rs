//! The damage zoo: named files, each damaged in one way, built from the encoders and never kept in the repository.
//!
//! A specimen is small, the same on every machine, and says what the decoders must say of it. The programs are shown the whole zoo by
//! `tests/tests/bad_input.rs`; `cargo run -p damage-zoo -- FOLDER` builds it for looking at.

mod bsds;
mod journal;
mod log;
mod manifest;
mod page_set;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What kind of file a specimen is, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The image of page set 01.
    PageSet,
    /// A log data set.
    Log,
    /// A bootstrap data set.
    Bsds,
    /// The manifest of a recovery point.
    Manifest,
    /// The journal of a load.
    Journal,
}

/// What is to be said of a specimen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong.
    Whole,
    /// It can be used, and something in it is wrong.
    Damaged,
    /// It cannot be used at all.
    Refused,
}

/// A file of the zoo.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// File name, which names the damage.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// What is wrong, in a sentence.
    pub damage: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Specimen {
    fn new(kind: Kind, name: &str, verdict: Verdict, damage: &'static str, bytes: Vec<u8>) -> Self {
        let family = match kind {
            Kind::PageSet => "page-set",
            Kind::Log => "log",
            Kind::Bsds => "bsds",
            Kind::Manifest => "manifest",
            Kind::Journal => "journal",
        };
        Self { name: format!("{family}-{name}"), kind, verdict, damage, bytes }
    }
}

/// All specimens.
#[must_use]
pub fn specimens() -> Vec<Specimen> {
    [page_set::specimens(), log::specimens(), bsds::specimens(), manifest::specimens(), journal::specimens()]
        .concat()
}

/// Writes all specimens into `folder`, which is made; their paths in the order of [`specimens`].
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn build(folder: &Path) -> io::Result<Vec<(Specimen, PathBuf)>> {
    fs::create_dir_all(folder)?;
    specimens()
        .into_iter()
        .map(|specimen| {
            let path = folder.join(&specimen.name);
            fs::write(&path, &specimen.bytes)?;
            Ok((specimen, path))
        })
        .collect()
}

/// `bytes` with one bit flipped.
fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x10;
    bytes
}

/// `bytes` with `with` in place of what stands at `at`.
fn patched(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}
