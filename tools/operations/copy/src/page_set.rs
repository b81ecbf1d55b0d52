//! Reading a live page set: page zero first, then every page in use, each verified.

use engine_storage::SharedFile;
use engine_storage::planted::{self, Defect};
use format_pageset::page_zero::{self, PageZeroError};
use format_pageset::{ReadPageZero, verify_page};
use format_types::{Crc32c, PAGE_SIZE, PageAddress, PageNumber, PageSetId};

use crate::copy::{ImageCopy, ImageReader, ReadStep};
use crate::error::CopyError;
use crate::report::{CopyReport, ImageKind, PageSetFacts};
use crate::reread::Rereads;
use crate::source::{FileSource, Source};
use crate::target::FileTarget;

/// Copy of a page set from file to file, as a step machine.
pub type PageSetCopy = ImageCopy<PageSetReader<FileSource>, FileTarget>;

impl PageSetCopy {
    /// A copy of `source` to the new, empty file `target`. Page set `wanted` is expected, when given. The names are for messages.
    #[must_use]
    pub fn of_files(
        source: SharedFile,
        source_name: &str,
        target: SharedFile,
        target_name: &str,
        wanted: Option<PageSetId>,
    ) -> Self {
        let reader = PageSetReader::new(FileSource::new(source, source_name), wanted);
        Self::new(reader, FileTarget::new(target, target_name))
    }
}

/// Where the reader is.
enum Place {
    PageZero,
    Pages { next: u64 },
    End,
}

/// Reads a page set that its owner may be writing.
///
/// Page zero is read first, until it verifies, and never again: every page whose changes its recovery RBA covers is on disk by
/// then, and every later change is in the log behind that RBA. Then the pages below the HI-U-RBA that it names are read; one that
/// does not verify may have been caught half-written and is read again, up to a limit. Pages beyond are left out, silently: they
/// are not formatted yet, and redo makes them.
pub struct PageSetReader<S> {
    source: S,
    wanted: Option<PageSetId>,
    place: Place,
    /// Pages in use, once page zero is read.
    used: u64,
    page_set: PageSetId,
    rereads: Rereads,
    /// Nobody writes the source.
    at_rest: bool,
    /// Pages of the stretch in the buffer that do not verify: number in the image, and why.
    failing: Vec<(u64, String)>,
    crc: Crc32c,
    /// All that was given; kept only with the planted defect, for the checksum.
    given: Vec<u8>,
    report: CopyReport,
}

impl<S: Source> PageSetReader<S> {
    /// Reads `source`; page set `wanted` is expected, when given.
    pub fn new(source: S, wanted: Option<PageSetId>) -> Self {
        Self {
            source,
            wanted,
            place: Place::PageZero,
            used: 0,
            page_set: PageSetId::ZERO,
            rereads: Rereads::default(),
            at_rest: false,
            failing: Vec::new(),
            crc: Crc32c::new(),
            given: Vec::new(),
            report: CopyReport::new(ImageKind::PageSet),
        }
    }

    /// Says that nobody writes the source, so that a page that does not verify is given up sooner.
    #[must_use]
    pub fn at_rest(mut self) -> Self {
        self.at_rest = true;
        self.rereads = Rereads::few();
        self
    }

    /// The source, after the last step.
    pub fn into_source(self) -> S {
        self.source
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, CopyError> {
        let read = self.source.read(offset, buffer);
        read.map_err(|error| CopyError::Read { name: self.source.name().to_owned(), offset, error })
    }

    fn name(&self) -> String {
        self.source.name().to_owned()
    }

    fn read_page_zero(&mut self, buffer: &mut [u8]) -> Result<ReadStep, CopyError> {
        let page = buffer.get_mut(..PAGE_SIZE).unwrap_or_default();
        let read = self.read(0, page)?;
        if read < PAGE_SIZE {
            return Err(CopyError::NotRecords { name: self.name(), length: read as u64 });
        }
        let found = page_zero::decode(page);
        if let Err(PageZeroError::NewerVersion(version)) = found {
            return Err(CopyError::Newer { name: self.name(), version: version.into() });
        }
        let intact = found.as_ref().is_ok_and(ReadPageZero::is_intact);
        if !intact
            && self.source.can_reread()
            && let Some(pause) = self.rereads.next(1)
        {
            return Ok(ReadStep::Pause(pause));
        }
        let found = found.map_err(|why| CopyError::PageZero { name: self.name(), why: why.to_string() })?;
        let zero = found.zero;
        if let Some(wanted) = self.wanted.filter(|wanted| *wanted != zero.page_set) {
            let why = format!("it is page set {}, page set {wanted} is wanted", zero.page_set);
            return Err(CopyError::Foreign { name: self.name(), why });
        }
        if let Some(damage) = found.damage.first() {
            self.report.add_damage(0, damage.to_string());
        }
        self.used = u64::from(zero.pages_used).max(1);
        let used = self.used * PAGE_SIZE as u64;
        let length = self.source.length();
        let length = length
            .map_err(|error| CopyError::Read { name: self.name(), offset: 0, error })?
            .unwrap_or(u64::MAX);
        if length < used {
            return Err(CopyError::Truncated { name: self.name(), length, used });
        }
        self.page_set = zero.page_set;
        self.report.page_set = Some(PageSetFacts {
            page_set: zero.page_set,
            queue_manager: zero.name,
            queue_manager_id: zero.queue_manager,
            history: zero.history,
            recovery_rba: zero.recovery_rba,
            highest_synced: zero.highest_synced,
        });
        self.place = Place::Pages { next: 1 };
        Ok(self.give(0, PAGE_SIZE, buffer))
    }

    fn read_pages(&mut self, next: u64, buffer: &mut [u8]) -> Result<ReadStep, CopyError> {
        let pages = (buffer.len() / PAGE_SIZE) as u64;
        let pages = pages.min(self.used - next);
        let length = usize::try_from(pages).unwrap_or_default() * PAGE_SIZE;
        let offset = next * PAGE_SIZE as u64;
        if self.failing.is_empty() {
            let chunk = buffer.get_mut(..length).unwrap_or_default();
            let read = self.read(offset, chunk)?;
            if read < length {
                let used = self.used * PAGE_SIZE as u64;
                return Err(CopyError::Truncated { name: self.name(), length: offset + read as u64, used });
            }
            for (page, number) in chunk.chunks(PAGE_SIZE).zip(next..) {
                if let Err(why) = self.verify(page, number) {
                    self.failing.push((number, why));
                }
            }
        } else {
            self.read_again(next, buffer)?;
        }
        if planted::active(Defect::NoReread) && !self.at_rest {
            self.failing.clear();
        }
        if !self.failing.is_empty() {
            if self.source.can_reread()
                && let Some(pause) = self.rereads.next(self.failing.len())
            {
                return Ok(ReadStep::Pause(pause));
            }
            for (number, why) in std::mem::take(&mut self.failing) {
                self.report.add_damage(number, why);
            }
        }
        self.place = Place::Pages { next: next + pages };
        Ok(self.give(offset, length, buffer))
    }

    /// Reads the failing pages of the stretch in the buffer again, one by one.
    fn read_again(&mut self, next: u64, buffer: &mut [u8]) -> Result<(), CopyError> {
        for (number, _) in std::mem::take(&mut self.failing) {
            let at = usize::try_from(number - next).unwrap_or_default() * PAGE_SIZE;
            let Some(page) = buffer.get_mut(at..at + PAGE_SIZE) else { continue };
            let read = self.read(number * PAGE_SIZE as u64, page)?;
            match self.verify(page, number) {
                Err(why) => self.failing.push((number, why)),
                Ok(()) if read < PAGE_SIZE => self.failing.push((number, "it is cut short".to_owned())),
                Ok(()) => self.report.reread += 1,
            }
        }
        Ok(())
    }

    fn verify(&self, page: &[u8], number: u64) -> Result<(), String> {
        let number = PageNumber(u32::try_from(number).unwrap_or(u32::MAX));
        match verify_page(page, PageAddress::new(self.page_set, number)) {
            Ok(_) => Ok(()),
            Err(why) => Err(why.to_string()),
        }
    }

    fn give(&mut self, offset: u64, length: usize, buffer: &[u8]) -> ReadStep {
        self.rereads.reset();
        let bytes = buffer.get(..length).unwrap_or_default();
        self.crc.update(bytes);
        if planted::active(Defect::PageZeroCopiedLast) {
            self.given.extend_from_slice(bytes);
        }
        self.report.records += (length / PAGE_SIZE) as u64;
        self.report.length += length as u64;
        self.report.checksum = self.crc.finish();
        ReadStep::Chunk { offset, length }
    }

    /// The planted mistake: the recovery RBA of a later page zero, over pages that were read earlier.
    fn read_page_zero_again(&mut self, buffer: &mut [u8]) -> Result<ReadStep, CopyError> {
        self.place = Place::End;
        let page = buffer.get_mut(..PAGE_SIZE).unwrap_or_default();
        self.read(0, page)?;
        let Ok(found) = page_zero::decode(page) else { return Ok(ReadStep::End) };
        if let Some(facts) = &mut self.report.page_set {
            facts.recovery_rba = found.zero.recovery_rba;
        }
        let mut crc = Crc32c::new();
        crc.update(page);
        crc.update(self.given.get(PAGE_SIZE..).unwrap_or_default());
        self.report.checksum = crc.finish();
        Ok(ReadStep::Again { offset: 0, length: PAGE_SIZE })
    }
}

impl<S: Source> ImageReader for PageSetReader<S> {
    fn next_chunk(&mut self, buffer: &mut [u8]) -> Result<ReadStep, CopyError> {
        match self.place {
            Place::PageZero => self.read_page_zero(buffer),
            Place::Pages { next } if next < self.used => self.read_pages(next, buffer),
            Place::Pages { .. } if planted::active(Defect::PageZeroCopiedLast) => {
                self.read_page_zero_again(buffer)
            }
            Place::Pages { .. } | Place::End => Ok(ReadStep::End),
        }
    }

    fn expected(&self) -> Option<u64> {
        (self.used > 0).then_some(self.used * PAGE_SIZE as u64)
    }

    fn report(&self) -> CopyReport {
        self.report.clone()
    }
}
