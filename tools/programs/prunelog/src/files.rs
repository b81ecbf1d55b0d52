//! Documents in and out.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use console::{Failure, Output};
use engine_storage::{RealStorage, durable};

/// All of a file; `-` is standard input.
pub(crate) fn read(path: &Path, id: &str) -> Result<Vec<u8>, Failure> {
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    bytes.map_err(|error| Failure::refused(id, format!("{} CANNOT BE READ: {error}", path.display())))
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
