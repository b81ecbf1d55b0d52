//! Documents in and out.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use console::{Failure, Output};
use engine_storage::{RealStorage, durable};
use format_inventory::{Piece, Plan};
use rayon::prelude::*;

/// Pieces of a plan document that are in memory at the same time.
const PIECES: usize = 16;

/// A file of so many bytes is large.
const LARGE: usize = 8 << 20;

/// All of a file; `-` is standard input.
pub(crate) fn read(path: &Path, id: &str) -> Result<Vec<u8>, Failure> {
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        read_file(path)
    };
    bytes.map_err(|error| Failure::refused(id, format!("{} CANNOT BE READ: {error}", path.display())))
}

/// All of a file; the halves of one that is large are read beside each other.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    if !file.metadata()?.is_file() || length < LARGE {
        return fs::read(path);
    }
    let mut bytes = vec![0; length];
    let (first, second) = bytes.split_at_mut(length / 2);
    let (a, b) =
        rayon::join(|| file.read_exact_at(first, 0), || file.read_exact_at(second, length as u64 / 2));
    a.and(b).map(|()| bytes)
}

/// Writes a whole file durably: a temporary one is filled, synced, renamed, and the directory synced.
pub(crate) fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let temporary = durable::temporary_name(path);
    let written = || -> io::Result<()> {
        let mut to = BufWriter::new(File::create(&temporary)?);
        fill(&mut to)?;
        to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        durable::rename(&RealStorage::new(), &temporary, path)
    };
    written().map_err(|error| {
        // What is left of it helps nobody; the failure is what counts.
        let _ = fs::remove_file(&temporary);
        let text = format!("{} CANNOT BE WRITTEN: {error}", path.display());
        Failure::refused("HWT825E", text).hint("check the directory, its space and its permissions")
    })
}

/// Writes a plan document, put into words on all processors, a few pieces at a time.
pub(crate) fn write_plan(to: &mut dyn Write, plan: &Plan<'_>) -> io::Result<()> {
    for pieces in plan.pieces().chunks(PIECES) {
        let texts: Vec<_> = pieces.par_iter().map(Piece::text).collect();
        for text in texts {
            to.write_all(&text?)?;
        }
    }
    Ok(())
}

/// Standard output as something to write to. It keeps its failures itself.
pub(crate) struct Out<'o>(pub(crate) &'o mut Output);

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
