//! Reading log data sets, archives and other images of 4096-byte records.

use format_log::ci::{self, CiDamage, CiPlace, CiTrailer};
use format_log::segment::SegmentChecksum;
use format_types::{CI_SIZE, Crc32c, Rba, first_nonzero};

use crate::copy::{ImageReader, ReadStep};
use crate::error::CopyError;
use crate::report::{CopyReport, ImageKind};
use crate::reread::Rereads;
use crate::source::Source;

/// Reads an image of 4096-byte records whole.
///
/// Control intervals of a log are verified where they are closed: one that does not verify and has a later one of the same use of
/// the data set behind it is damaged. What does not verify behind the last good one is the open end, or was never used.
pub struct RecordReader<S> {
    source: S,
    check: Option<LogCheck>,
    next: u64,
    length: Option<u64>,
    rereads: Rereads,
    crc: Crc32c,
    report: CopyReport,
}

impl<S: Source> RecordReader<S> {
    /// Reads `source`, an image of this kind.
    pub fn new(source: S, kind: ImageKind) -> Self {
        Self {
            source,
            check: (kind == ImageKind::Log).then(LogCheck::default),
            next: 0,
            length: None,
            rereads: Rereads::default(),
            crc: Crc32c::new(),
            report: CopyReport::new(kind),
        }
    }

    /// The source, after the last step.
    pub fn into_source(self) -> S {
        self.source
    }

    fn failed(&self, offset: u64, error: std::io::Error) -> CopyError {
        CopyError::Read { name: self.source.name().to_owned(), offset, error }
    }

    fn not_records(&self, length: u64) -> CopyError {
        CopyError::NotRecords { name: self.source.name().to_owned(), length }
    }

    /// Bytes to read next: the length is looked at once, so that a file that grows meanwhile ends somewhere.
    fn wanted(&mut self, room: usize) -> Result<usize, CopyError> {
        if self.length.is_none() && self.next == 0 {
            self.length = self.source.length().map_err(|e| self.failed(0, e))?;
            if let Some(length) = self.length.filter(|length| length % CI_SIZE as u64 != 0 || *length == 0) {
                return Err(self.not_records(length));
            }
        }
        let left = self.length.map_or(u64::MAX, |length| length - self.next);
        Ok(usize::try_from(left).unwrap_or(usize::MAX).min(room))
    }

    fn end(&mut self) -> Result<ReadStep, CopyError> {
        if self.next == 0 {
            return Err(self.not_records(0));
        }
        if let Some(check) = &mut self.check {
            check.end(&mut self.report);
        }
        self.report.checksum = self.crc.finish();
        Ok(ReadStep::End)
    }
}

impl<S: Source> ImageReader for RecordReader<S> {
    fn next_chunk(&mut self, buffer: &mut [u8]) -> Result<ReadStep, CopyError> {
        let wanted = self.wanted(buffer.len())?;
        let chunk = buffer.get_mut(..wanted).unwrap_or_default();
        let read = if chunk.is_empty() {
            0
        } else {
            self.source.read(self.next, chunk).map_err(|e| self.failed(self.next, e))?
        };
        if read == 0 && self.length.is_none_or(|length| self.next == length) {
            return self.end();
        }
        if read % CI_SIZE != 0 || (read < wanted && self.length.is_some()) {
            return Err(self.not_records(self.next + read as u64));
        }
        let chunk = buffer.get(..read).unwrap_or_default();
        if let Some(check) = &mut self.check {
            let before = check.clone();
            let (mut report, number) = (self.report.clone(), self.next / CI_SIZE as u64);
            for (ci, number) in chunk.chunks(CI_SIZE).zip(number..) {
                check.look(ci, number, &mut report);
            }
            let failing = usize::try_from(check.unverified()).unwrap_or(usize::MAX);
            // The owner may be in the middle of writing one of them.
            if failing > 0
                && self.source.can_reread()
                && let Some(pause) = self.rereads.next(failing)
            {
                *check = before;
                return Ok(ReadStep::Pause(pause));
            }
            self.report = report;
        }
        self.rereads.reset();
        self.crc.update(chunk);
        let offset = self.next;
        self.next += read as u64;
        self.report.records += (read / CI_SIZE) as u64;
        self.report.length += read as u64;
        Ok(ReadStep::Chunk { offset, length: read })
    }

    fn expected(&self) -> Option<u64> {
        self.length
    }

    fn report(&self) -> CopyReport {
        self.report.clone()
    }
}

/// Control intervals behind the last one that verified.
#[derive(Debug, Clone, Default)]
struct LogCheck {
    /// RBA of the image's first byte, and what its control intervals have in common; known from the first trailer on.
    base: Option<(Rba, CiPlace)>,
    checksum: Option<SegmentChecksum>,
    /// Number after the last good one: whatever stands between there and a good one is damaged.
    run: u64,
    /// Since then: neither good nor empty, stale or partly filled. Number and reason, in order.
    suspects: Vec<(u64, String)>,
    suspects_unnamed: u64,
}

/// Suspects remembered with their reasons; an image of nothing but damage must not fill the memory.
const SUSPECTS: usize = 2000;

impl LogCheck {
    fn look(&mut self, ci: &[u8], number: u64, report: &mut CopyReport) {
        if first_nonzero(ci).is_none() {
            return;
        }
        if self.base.is_none()
            && let Ok(trailer) = CiTrailer::take(ci)
        {
            let start = trailer.rba.minus(number * CI_SIZE as u64);
            let place = CiPlace { rba: start, identity: trailer.identity, instance: Some(trailer.instance) };
            self.base = Some((start, place));
            self.checksum = Some(SegmentChecksum::new(trailer.identity));
        }
        let (Some((start, place)), Some(checksum)) = (&self.base, &self.checksum) else {
            self.add_suspect(number, "it has no trailer".to_owned());
            return;
        };
        let place = CiPlace { rba: start.plus(number * CI_SIZE as u64), ..*place };
        match ci::verify_closed(ci, &place, checksum) {
            Ok(_) => self.good(number, report),
            // Fine at the end: the open one, and what an earlier use left there.
            Err(
                CiDamage::NotClosed
                | CiDamage::OtherRba(_)
                | CiDamage::OtherInstance(_)
                | CiDamage::OtherHistory(_),
            ) => {}
            Err(why) => self.add_suspect(number, why.to_string()),
        }
    }

    fn add_suspect(&mut self, number: u64, why: String) {
        if self.suspects.len() < SUSPECTS {
            self.suspects.push((number, why));
        } else {
            self.suspects_unnamed += 1;
        }
    }

    fn unverified(&self) -> u64 {
        self.suspects.len() as u64 + self.suspects_unnamed
    }

    /// A good one: whatever did not verify before it lies in the middle of the log.
    fn good(&mut self, number: u64, report: &mut CopyReport) {
        let mut suspects = self.suspects.drain(..).peekable();
        for damaged in self.run..number {
            let suspect = suspects.next_if(|(suspect, _)| *suspect == damaged);
            let why = suspect.map(|(_, why)| why);
            report.add_damage(
                damaged,
                why.unwrap_or_else(|| {
                    "it is empty, partly filled or left over from an earlier use".to_owned()
                }),
            );
        }
        drop(suspects);
        self.suspects_unnamed = 0;
        self.run = number + 1;
    }

    fn end(&mut self, report: &mut CopyReport) {
        let Some((first, why)) = self.suspects.first() else { return };
        let count = self.unverified();
        report.warnings.push(format!(
            "{count} control intervals behind the last good one do not verify, the first is number {first}: {why}. \
                They are the open end of an active log, or damaged"
        ));
    }
}
