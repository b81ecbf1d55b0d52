//! A reader for whatever an image turns out to be.

use crate::bsds::BsdsReader;
use crate::copy::{ImageReader, ReadStep};
use crate::error::CopyError;
use crate::log::RecordReader;
use crate::page_set::PageSetReader;
use crate::report::{CopyReport, ImageKind};
use crate::source::Source;

/// Reads an image of any kind.
pub enum AnyReader<S> {
    /// A page set.
    PageSet(PageSetReader<S>),
    /// A BSDS.
    Bsds(BsdsReader<S>),
    /// A log or other records.
    Records(RecordReader<S>),
}

impl<S: Source> AnyReader<S> {
    /// Reads `source`, an image of this kind. `live` says that somebody may be writing it.
    pub fn new(source: S, kind: ImageKind, live: bool) -> Self {
        match kind {
            ImageKind::PageSet if live => Self::PageSet(PageSetReader::new(source, None)),
            ImageKind::PageSet => Self::PageSet(PageSetReader::new(source, None).at_rest()),
            ImageKind::Bsds => Self::Bsds(BsdsReader::new(source)),
            ImageKind::Log | ImageKind::Records => Self::Records(RecordReader::new(source, kind)),
        }
    }
}

impl<S: Source> AnyReader<S> {
    /// The source, after the last step.
    pub fn into_source(self) -> S {
        match self {
            Self::PageSet(reader) => reader.into_source(),
            Self::Bsds(reader) => reader.into_source(),
            Self::Records(reader) => reader.into_source(),
        }
    }
}

impl<S: Source> ImageReader for AnyReader<S> {
    fn next_chunk(&mut self, buffer: &mut [u8]) -> Result<ReadStep, CopyError> {
        match self {
            Self::PageSet(reader) => reader.next_chunk(buffer),
            Self::Bsds(reader) => reader.next_chunk(buffer),
            Self::Records(reader) => reader.next_chunk(buffer),
        }
    }

    fn expected(&self) -> Option<u64> {
        match self {
            Self::PageSet(reader) => reader.expected(),
            Self::Bsds(reader) => reader.expected(),
            Self::Records(reader) => reader.expected(),
        }
    }

    fn report(&self) -> CopyReport {
        match self {
            Self::PageSet(reader) => reader.report(),
            Self::Bsds(reader) => reader.report(),
            Self::Records(reader) => reader.report(),
        }
    }
}
