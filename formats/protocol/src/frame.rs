//! Frames: where one message ends and the next begins.

use format_types::ShortInput;

/// Bytes of the length field in front of every frame.
pub const FRAME_HEADER: usize = 4;

/// Bytes that may follow the length field: a message of 4 MiB and room for what describes it, or a long list of lines.
pub const MAXIMUM_FRAME: usize = 8 * 1024 * 1024;

/// Bytes that are not what the protocol says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A length field outside 1 to [`MAXIMUM_FRAME`].
    #[error("frame length {length} is outside 1 to {MAXIMUM_FRAME}")]
    Length {
        /// The length found, or that a frame to be sent would have.
        length: u64,
    },
    /// A frame that ends inside a field.
    #[error("the frame ends inside a field: {0}")]
    Short(#[from] ShortInput),
    /// Bytes behind the last field.
    #[error("{count} bytes follow the last field of a {what}")]
    Trailing {
        /// Request or reply.
        what: &'static str,
        /// How many bytes.
        count: usize,
    },
    /// A tag that names nothing in this version.
    #[error("tag {tag} names no {what}")]
    Tag {
        /// Request or reply.
        what: &'static str,
        /// The tag found.
        tag: u8,
    },
    /// A field whose bytes mean nothing.
    #[error("{value} at offset {offset} of the frame is no {what}")]
    Value {
        /// What was wanted.
        what: &'static str,
        /// Offset in the frame, length field excluded.
        offset: usize,
        /// What was found.
        value: String,
    },
}

/// Bytes of the frame behind its length field.
///
/// # Errors
/// When the length is zero or above [`MAXIMUM_FRAME`].
pub fn frame_length(header: [u8; FRAME_HEADER]) -> Result<usize, ProtocolError> {
    let length = u32::from_be_bytes(header);
    match usize::try_from(length) {
        Ok(fits @ 1..=MAXIMUM_FRAME) => Ok(fits),
        _ => Err(ProtocolError::Length { length: u64::from(length) }),
    }
}

/// The first frame in `received` without its length field, and the bytes that it takes up with it; none while it is not all there.
///
/// # Errors
/// When the length is zero or above [`MAXIMUM_FRAME`].
pub fn split_frame(received: &[u8]) -> Result<Option<(&[u8], usize)>, ProtocolError> {
    let Some((header, rest)) = received.split_first_chunk::<FRAME_HEADER>() else {
        return Ok(None);
    };
    let length = frame_length(*header)?;
    Ok(rest.get(..length).map(|frame| (frame, FRAME_HEADER + length)))
}

/// How many bytes to read next when [`split_frame`] found no whole frame in `received`: what its frame lacks, as far as that is known.
#[must_use]
pub fn read_ahead(received: &[u8]) -> usize {
    const LEAST: usize = 4096;
    let length = received.first_chunk::<FRAME_HEADER>().map(|header| frame_length(*header));
    match length {
        Some(Ok(length)) => (FRAME_HEADER + length).saturating_sub(received.len()).max(LEAST),
        _ => LEAST,
    }
}

/// Starts a frame: room for the length, and the tag.
pub(crate) fn begin(tag: u8) -> Vec<u8> {
    let mut out = vec![0; FRAME_HEADER];
    out.push(tag);
    out
}

/// Ends a frame: fills in the length.
pub(crate) fn end(mut out: Vec<u8>) -> Result<Vec<u8>, ProtocolError> {
    let length = out.len().saturating_sub(FRAME_HEADER);
    match u32::try_from(length) {
        Ok(fits) if length <= MAXIMUM_FRAME => {
            if let Some(header) = out.first_chunk_mut::<FRAME_HEADER>() {
                *header = fits.to_be_bytes();
            }
            Ok(out)
        }
        _ => Err(ProtocolError::Length { length: length as u64 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_split_off_once_it_is_complete() {
        let bytes = [0, 0, 0, 2, 7, 8, 0, 0];
        for have in 0..6 {
            assert_eq!(split_frame(&bytes[..have]), Ok(None), "{have}");
        }
        assert_eq!(split_frame(&bytes), Ok(Some((&[7, 8][..], 6))));
        assert_eq!(split_frame(&[0; 4]), Err(ProtocolError::Length { length: 0 }));
        let over = u32::try_from(MAXIMUM_FRAME + 1).unwrap().to_be_bytes();
        assert_eq!(split_frame(&over), Err(ProtocolError::Length { length: MAXIMUM_FRAME as u64 + 1 }));
    }

    #[test]
    fn a_frame_above_the_limit_is_not_sent() {
        assert!(end(vec![1; FRAME_HEADER + MAXIMUM_FRAME]).is_ok());
        assert!(end(vec![1; FRAME_HEADER + MAXIMUM_FRAME + 1]).is_err());
    }
}
