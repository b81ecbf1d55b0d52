//! Records in order, by the line of the current history: what lies behind a cut is passed over.

use format_log::segment::{FIRST, LAST, SEGMENT_HEADER};
use format_log::{MAX_RECORD_LENGTH, Record, RecordError, ci};
use format_types::{Rba, RbaRange};

use crate::LogError;
use crate::chunks::{Chunks, Need, Unreadable, ahead};
use crate::data_sets::CI;

/// Records of a stretch of log, oldest first, in bounded memory: one chunk of 1 MiB and one record.
///
/// A control interval that is bad or missing in one data set is taken from another that has it. Where none has, the stream
/// ends with [`LogError::Damage`] or [`LogError::NotInInventory`].
pub struct RecordStream {
    chunks: Chunks,
    next: Rba,
    to: Rba,
    /// Records before this are skipped.
    from: Rba,
    scratch: Vec<u8>,
}

enum Found {
    /// In the window: control interval, offset, length.
    Window(Rba, usize, usize),
    /// In the scratch buffer.
    Scratch,
}

/// A segment of a verified control interval.
struct Piece {
    first: bool,
    last: bool,
    offset: usize,
    length: usize,
}

impl RecordStream {
    pub(crate) fn new(chunks: Chunks, from: Rba, to: Rba) -> Self {
        // Behind a cut nothing is of interest, and the control interval that it lies in need not be there.
        let next = chunks.sets().after_cut(from).unwrap_or_else(|| from.ci_start());
        Self { chunks, next, to, from, scratch: Vec::new() }
    }

    /// The next record, with its RBA and the RBA after it; none when no further record ends at or before the end of the stretch.
    ///
    /// # Errors
    /// When log is missing or a record cannot be read. The stream stays where it is.
    #[allow(clippy::should_implement_trait, reason = "lends from itself, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<(RbaRange, Record<'_>)>, LogError> {
        let Some((range, found)) = self.advance()? else { return Ok(None) };
        let bytes = match found {
            Found::Window(ci, offset, length) => {
                self.chunks.ci(ci).get(offset..offset + length).unwrap_or_default()
            }
            Found::Scratch => &self.scratch,
        };
        let record = Record::decode(bytes).map_err(|source| LogError::Record { rba: range.start, source })?;
        Ok(Some((range, record)))
    }

    /// The next record's bytes, undecoded.
    pub(crate) fn next_bytes(&mut self) -> Result<Option<(RbaRange, &[u8])>, LogError> {
        let Some((range, found)) = self.advance()? else { return Ok(None) };
        let bytes = match found {
            Found::Window(ci, offset, length) => {
                self.chunks.ci(ci).get(offset..offset + length).unwrap_or_default()
            }
            Found::Scratch => &self.scratch,
        };
        Ok(Some((range, bytes)))
    }

    /// Bytes read from data sets so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.chunks.bytes_read()
    }

    /// RBA up to which all was delivered.
    #[must_use]
    pub fn position(&self) -> Rba {
        self.next.max(self.from)
    }

    fn advance(&mut self) -> Result<Option<(RbaRange, Found)>, LogError> {
        let mut at = self.next;
        // Start of the record whose pieces are being gathered.
        let mut gathering: Option<Rba> = None;
        while at < self.to {
            if let Some(after) = self.chunks.sets().after_cut(at) {
                // What was being gathered when the cut came is not on the line either.
                gathering = None;
                at = after;
                continue;
            }
            let ci = at.ci_start();
            let need = Need::up_to(ci, self.chunks.sets().wanted(ci, self.to));
            let used = self.chunks.prepare(ci, need, ahead(ci, self.to)).map_err(Unreadable::into_error)?;
            let offset = at.ci_offset();
            if offset >= used || (offset > 0 && !ci::has_room(offset)) {
                at = ci.plus(CI);
                continue;
            }
            let Some(piece) = piece(self.chunks.ci(ci), offset) else {
                return Err(broken(at));
            };
            let end = ci.plus((offset + SEGMENT_HEADER + piece.length) as u64);
            if end > self.to {
                break;
            }
            if piece.first == gathering.is_some() {
                // A piece of a record that began before the stretch is passed over; in its middle the order must be right.
                if gathering.is_some() {
                    return Err(broken(at));
                }
            } else if gathering.is_none() && at < self.from {
                at = end;
                continue;
            }
            if piece.first && piece.last {
                self.next = end;
                return Ok(Some((RbaRange::new(at, end), Found::Window(ci, piece.offset, piece.length))));
            }
            if piece.first {
                gathering = Some(at);
                self.scratch.clear();
            }
            if let Some(start) = gathering {
                let bytes = self.chunks.ci(ci).get(piece.offset..piece.offset + piece.length);
                self.scratch.extend_from_slice(bytes.unwrap_or_default());
                if self.scratch.len() > MAX_RECORD_LENGTH {
                    return Err(broken(start));
                }
                if piece.last {
                    self.next = end;
                    return Ok(Some((RbaRange::new(start, end), Found::Scratch)));
                }
            }
            at = end;
        }
        self.next = gathering.unwrap_or(at);
        Ok(None)
    }
}

fn broken(rba: Rba) -> LogError {
    LogError::Record { rba, source: RecordError::Field { field: "order of segments", value: rba.0 } }
}

/// The segment at `offset`, whose checksum was looked at when its control interval was made ready.
fn piece(ci: &[u8], offset: usize) -> Option<Piece> {
    let header: &[u8; SEGMENT_HEADER] = ci.get(offset..)?.first_chunk()?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let flags = header[6];
    Some(Piece {
        first: flags & FIRST != 0,
        last: flags & LAST != 0,
        offset: offset + SEGMENT_HEADER,
        length,
    })
}
