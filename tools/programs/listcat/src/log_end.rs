//! How much of a log data set is in use.

use std::io;

use engine_storage::SharedFile;
use format_log::ci::CiTrailer;
use format_types::{CI_SIZE, Rba};

/// What the control intervals of a log data set say.
pub(crate) struct LogUse {
    /// Bytes up to the end of the last control interval of the present use.
    pub(crate) used: u64,
    /// RBA of its first byte; none when nothing was written.
    pub(crate) start: Option<Rba>,
}

/// Finds the last control interval that was written in the data set's present use. They are written in order, so those before it are
/// of that use and those behind it of an older one, or none.
pub(crate) fn log_use(file: &SharedFile, length: u64) -> io::Result<LogUse> {
    let trailer = |number: u64| -> io::Result<Option<CiTrailer>> {
        let mut ci = vec![0; CI_SIZE];
        file.read_at(number * CI_SIZE as u64, &mut ci)?;
        Ok(CiTrailer::take(&ci).ok())
    };
    let count = length / CI_SIZE as u64;
    let first = if count == 0 { None } else { trailer(0)? };
    let Some(first) = first else {
        return Ok(LogUse { used: 0, start: None });
    };
    let follows = |number: u64| -> io::Result<bool> {
        let wanted = first.rba.plus(number * CI_SIZE as u64);
        Ok(trailer(number)?.is_some_and(|ci| ci.rba == wanted && ci.identity == first.identity))
    };
    // The last one of the present use lies in low..high.
    let (mut low, mut high) = (0, count);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if follows(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(LogUse { used: high * CI_SIZE as u64, start: Some(first.rba) })
}
