//! Messages from lines.

use std::io::{self, BufRead, Read};

use console::Failure;
use engine_queue_manager::MAXIMUM_MESSAGE;

/// Lines of any bytes, none longer than a message may be.
pub(crate) struct Lines<R> {
    input: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, number: 0 }
    }

    /// The next line without its line end; none at the end of the input. A last line without line end counts.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut line = Vec::new();
        self.number += 1;
        // Room for the line end too.
        let limit = MAXIMUM_MESSAGE as u64 + 1;
        let result: io::Result<usize> = (&mut self.input).take(limit).read_until(b'\n', &mut line);
        result.map_err(|error| {
            Failure::refused("HWT717E", format!("line {} could not be read: {error}", self.number))
        })?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > MAXIMUM_MESSAGE {
            let text =
                format!("line {} is longer than a message may be, {MAXIMUM_MESSAGE} bytes", self.number);
            return Err(Failure::refused("HWT718E", text));
        }
        Ok(Some(line))
    }

    /// Number of the line read last, from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bytes_and_bounded() {
        let mut lines = Lines::new(&b"a\n\n\xFF\0\r\nlast"[..]);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(line);
        }
        assert_eq!(all, [b"a".to_vec(), vec![], b"\xFF\0\r".to_vec(), b"last".to_vec()]);
        let mut fits = vec![b'x'; MAXIMUM_MESSAGE];
        fits.push(b'\n');
        assert_eq!(Lines::new(&fits[..]).next().unwrap().unwrap().len(), MAXIMUM_MESSAGE);
        let long = vec![b'x'; MAXIMUM_MESSAGE + 1];
        assert_eq!(Lines::new(&long[..]).next().unwrap_err().id, "HWT718E");
    }
}
