//! Where a copy is written to.

use std::io::{self, Write};

use engine_storage::SharedFile;
use format_types::{PAGE_SIZE, first_nonzero};

/// Takes an image in order.
pub trait Target: Send {
    /// Its name, for messages.
    fn name(&self) -> &str;

    /// Takes the bytes at `offset`; offsets rise without gaps.
    ///
    /// # Errors
    /// When writing fails.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Takes the bytes of a page that was given before. Only a file can.
    ///
    /// # Errors
    /// When writing fails, or the target is a stream.
    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Ends an image of `length` bytes; it is durable when the call returns, as far as the target can be.
    ///
    /// # Errors
    /// When the device refuses; the copy then counts for nothing.
    fn finish(&mut self, length: u64) -> io::Result<()>;
}

/// A new, empty file. Records that are all zero are not written: they stay holes.
pub struct FileTarget {
    file: SharedFile,
    name: String,
}

impl FileTarget {
    /// Writes `file`, which must be empty; `name` is for messages.
    #[must_use]
    pub fn new(file: SharedFile, name: impl Into<String>) -> Self {
        Self { file, name: name.into() }
    }

    /// The file, for syncing early what is written already.
    #[must_use]
    pub fn file(&self) -> SharedFile {
        self.file.clone()
    }
}

impl Target for FileTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut run_start = 0;
        let mut at = 0;
        for record in bytes.chunks(PAGE_SIZE) {
            if first_nonzero(record).is_none() {
                self.write_run(offset, bytes, run_start, at)?;
                run_start = at + record.len();
            }
            at += record.len();
        }
        self.write_run(offset, bytes, run_start, at)
    }

    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn finish(&mut self, length: u64) -> io::Result<()> {
        if self.file.len()? != length {
            self.file.set_len(length)?;
        }
        self.file.sync()
    }
}

impl FileTarget {
    fn write_run(&self, offset: u64, bytes: &[u8], start: usize, end: usize) -> io::Result<()> {
        match bytes.get(start..end) {
            Some(run) if !run.is_empty() => self.file.write_at(offset + start as u64, run),
            _ => Ok(()),
        }
    }
}

/// A pipe or a device: everything is written, zeros too.
pub struct StreamTarget<W> {
    output: W,
    name: String,
}

impl<W: Write + Send> StreamTarget<W> {
    /// Writes `output`; `name` is for messages.
    pub fn new(output: W, name: impl Into<String>) -> Self {
        Self { output, name: name.into() }
    }
}

impl<W: Write + Send> Target for StreamTarget<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn write(&mut self, _offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    fn rewrite(&mut self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::NotSeekable.into())
    }

    fn finish(&mut self, _length: u64) -> io::Result<()> {
        self.output.flush()
    }
}

/// Takes everything and keeps nothing: for verifying without copying.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTarget;

impl Target for NoTarget {
    fn name(&self) -> &str {
        "nothing"
    }

    fn write(&mut self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn rewrite(&mut self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _length: u64) -> io::Result<()> {
        Ok(())
    }
}

impl Target for Box<dyn Target> {
    fn name(&self) -> &str {
        self.as_ref().name()
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.as_mut().write(offset, bytes)
    }

    fn rewrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.as_mut().rewrite(offset, bytes)
    }

    fn finish(&mut self, length: u64) -> io::Result<()> {
        self.as_mut().finish(length)
    }
}
