//! Reading a bootstrap data set, whole, so that both its slots are of one moment.

use format_types::{CI_SIZE, crc32c};

use crate::copy::{ImageReader, ReadStep};
use crate::error::CopyError;
use crate::report::{CopyReport, ImageKind};
use crate::reread::Rereads;
use crate::source::Source;

/// Largest BSDS taken into memory; far above any inventory of a queue manager that is kept in order.
const MOST: usize = 64 << 20;

/// Bytes read at a time.
const PIECE: usize = 1 << 20;

/// Reads a BSDS that its owner may be updating: again and again until no slot is half-written.
pub struct BsdsReader<S> {
    source: S,
    whole: Vec<u8>,
    given: usize,
    read: bool,
    rereads: Rereads,
    report: CopyReport,
}

impl<S: Source> BsdsReader<S> {
    /// Reads `source`.
    pub fn new(source: S) -> Self {
        Self {
            source,
            whole: Vec::new(),
            given: 0,
            read: false,
            rereads: Rereads::default(),
            report: CopyReport::new(ImageKind::Bsds),
        }
    }

    /// The source, after the last step.
    pub fn into_source(self) -> S {
        self.source
    }

    fn read_whole(&mut self) -> Result<(), CopyError> {
        self.whole.clear();
        loop {
            let at = self.whole.len();
            self.whole.resize(at + PIECE, 0);
            let piece = self.whole.get_mut(at..).unwrap_or_default();
            let read = self.source.read(at as u64, piece);
            let read = read.map_err(|error| CopyError::Read {
                name: self.source.name().to_owned(),
                offset: at as u64,
                error,
            })?;
            self.whole.truncate(at + read);
            if read < PIECE {
                break;
            }
            if self.whole.len() > MOST {
                return Err(CopyError::NotRecords {
                    name: self.source.name().to_owned(),
                    length: self.whole.len() as u64,
                });
            }
        }
        if self.whole.is_empty() || !self.whole.len().is_multiple_of(CI_SIZE) {
            return Err(CopyError::NotRecords {
                name: self.source.name().to_owned(),
                length: self.whole.len() as u64,
            });
        }
        Ok(())
    }

    fn look(&mut self) -> Option<ReadStep> {
        let found = format_bsds::decode_file(&self.whole);
        if !found.is_sound() {
            if self.source.can_reread()
                && let Some(pause) = self.rereads.next(1)
            {
                return Some(ReadStep::Pause(pause));
            }
            for (slot, number) in found.slots.iter().zip(0u64..) {
                if let Err(why) = slot {
                    let record = number * (found.capacity / CI_SIZE) as u64;
                    self.report.add_damage(record, format!("slot {number} of the BSDS is damaged: {why}"));
                }
            }
        }
        self.read = true;
        self.report.checksum = crc32c(&self.whole);
        self.report.length = self.whole.len() as u64;
        self.report.records = (self.whole.len() / CI_SIZE) as u64;
        None
    }
}

impl<S: Source> ImageReader for BsdsReader<S> {
    fn next_chunk(&mut self, buffer: &mut [u8]) -> Result<ReadStep, CopyError> {
        if !self.read {
            self.read_whole()?;
            if let Some(pause) = self.look() {
                return Ok(pause);
            }
        }
        let rest = self.whole.get(self.given..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if length == 0 {
            return Ok(ReadStep::End);
        }
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        let offset = self.given as u64;
        self.given += length;
        Ok(ReadStep::Chunk { offset, length })
    }

    fn expected(&self) -> Option<u64> {
        self.read.then_some(self.whole.len() as u64)
    }

    fn report(&self) -> CopyReport {
        self.report.clone()
    }
}
