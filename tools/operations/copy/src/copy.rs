//! One copy as a machine of small steps: a reader that verifies, and a target.

use std::time::Duration;

use crate::error::CopyError;
use crate::report::CopyReport;
use crate::target::Target;

/// Bytes read, verified and written in one step.
pub const CHUNK: usize = 1 << 20;

/// What [`ImageReader::next_chunk`] has for the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadStep {
    /// The first `length` bytes of the buffer belong at `offset`.
    Chunk {
        /// Place in the image.
        offset: u64,
        /// Bytes of it.
        length: usize,
    },
    /// A record was caught half-written: call again with the same buffer, after a pause of this length.
    Pause(Duration),
    /// A record given before has changed its bytes; they are the first `length` of the buffer.
    Again {
        /// Place in the image.
        offset: u64,
        /// Bytes of it.
        length: usize,
    },
    /// All was read.
    End,
}

/// Reads an image in order, and verifies it.
pub trait ImageReader: Send {
    /// Reads the next stretch into `buffer`, whose length is a multiple of 4096.
    ///
    /// # Errors
    /// When the source fails or is not what it should be.
    fn next_chunk(&mut self, buffer: &mut [u8]) -> Result<ReadStep, CopyError>;

    /// Bytes that the copy will have; none when that is not known yet.
    fn expected(&self) -> Option<u64>;

    /// What was read; complete after [`ReadStep::End`].
    fn report(&self) -> CopyReport;
}

/// What one step of a copy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyStep {
    /// There is more to do.
    More,
    /// There is more to do, but a record was caught half-written: the next step should wait this long.
    Pause(Duration),
    /// The copy is complete and durable.
    Done(CopyReport),
}

/// Copies one image.
pub struct ImageCopy<R, T> {
    reader: R,
    target: T,
    buffer: Vec<u8>,
    copied: u64,
}

impl<R: ImageReader, T: Target> ImageCopy<R, T> {
    /// A copy that has not begun.
    pub fn new(reader: R, target: T) -> Self {
        Self { reader, target, buffer: vec![0; CHUNK], copied: 0 }
    }

    /// Bytes copied so far, and how many there will be once that is known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        (self.copied, self.reader.expected())
    }

    /// Copies about a mebibyte, or ends the copy.
    ///
    /// # Errors
    /// When source or target fail, or the source is not what it should be. The target is then incomplete.
    pub fn step(&mut self) -> Result<CopyStep, CopyError> {
        let failed = |target: &T, error| CopyError::Write { name: target.name().to_owned(), error };
        match self.reader.next_chunk(&mut self.buffer)? {
            ReadStep::Chunk { offset, length } => {
                let bytes = self.buffer.get(..length).unwrap_or_default();
                self.target.write(offset, bytes).map_err(|e| failed(&self.target, e))?;
                self.copied += length as u64;
                Ok(CopyStep::More)
            }
            ReadStep::Again { offset, length } => {
                let bytes = self.buffer.get(..length).unwrap_or_default();
                self.target.rewrite(offset, bytes).map_err(|e| failed(&self.target, e))?;
                Ok(CopyStep::More)
            }
            ReadStep::Pause(pause) => Ok(CopyStep::Pause(pause)),
            ReadStep::End => {
                let report = self.reader.report();
                self.target.finish(report.length).map_err(|e| failed(&self.target, e))?;
                Ok(CopyStep::Done(report))
            }
        }
    }

    /// Takes all steps, with the pauses.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn run(&mut self) -> Result<CopyReport, CopyError> {
        loop {
            match self.step()? {
                CopyStep::More => {}
                CopyStep::Pause(pause) => std::thread::sleep(pause),
                CopyStep::Done(report) => return Ok(report),
            }
        }
    }

    /// Reader and target, for a driver with threads of its own.
    pub fn into_parts(self) -> (R, T) {
        (self.reader, self.target)
    }
}
