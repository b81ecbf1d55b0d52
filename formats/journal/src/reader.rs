//! Reading line by line, in bounded memory.

use std::io::{self, BufRead, BufReader, Read};

use crate::entry::{self, Entry, Header, MAX_LINE};

/// Why a journal does not read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The bytes could not be had.
    #[error("line {line} of the journal cannot be read: {error}")]
    Read {
        /// Number of the line, from 1.
        line: u64,
        /// Why.
        error: io::Error,
    },
    /// The line is damaged.
    #[error("line {line} of the journal is damaged: {why}")]
    Line {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads a journal from its first byte on.
#[derive(Debug)]
pub struct Reader<R> {
    input: BufReader<R>,
    header: Header,
    line: u64,
    buffer: Vec<u8>,
    ended: bool,
    torn: bool,
}

/// What [`Reader::fill`] found.
enum Found {
    Line,
    Torn,
    Nothing,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When there is none, it is damaged, or a newer release wrote it.
    pub fn open(input: R) -> Result<Self, JournalError> {
        let none = Header { load: 0, seed: 0, connections: 0, queues: Vec::new(), history: None };
        let mut reader = Self {
            input: BufReader::with_capacity(64 << 10, input),
            header: none,
            line: 1,
            buffer: Vec::new(),
            ended: false,
            torn: false,
        };
        match reader.fill()? {
            Found::Line => {}
            Found::Torn | Found::Nothing => return Err(reader.damaged("the header is missing or cut short")),
        }
        let header = entry::open(1, &reader.buffer).and_then(entry::decode_header);
        reader.header = header.map_err(|why| reader.damaged(why))?;
        Ok(reader)
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the end line was read: the load ended in order.
    #[must_use]
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// Whether a last line without line feed was left out: the load was killed while it wrote.
    #[must_use]
    pub const fn torn(&self) -> bool {
        self.torn
    }

    /// Number of the line read last.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The next entry; none at the end.
    ///
    /// # Errors
    /// When the line is damaged, or something follows the end line.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, JournalError> {
        if self.torn {
            return Ok(None);
        }
        self.line += 1;
        match self.fill()? {
            Found::Line if self.ended => Err(self.damaged("it follows the end line")),
            Found::Line => {
                let text = entry::open(self.line, &self.buffer)
                    .and_then(|text| entry::decode_entry(text, &self.header));
                let entry = text.map_err(|why| self.damaged(why))?;
                self.ended = matches!(entry, Entry::End { .. });
                Ok(Some(entry))
            }
            Found::Torn if self.ended => Err(self.damaged("it follows the end line")),
            Found::Torn => {
                self.torn = true;
                Ok(None)
            }
            Found::Nothing => {
                self.line -= 1;
                Ok(None)
            }
        }
    }

    /// Reads one line into the buffer, without its line feed.
    fn fill(&mut self) -> Result<Found, JournalError> {
        self.buffer.clear();
        let mut limited = (&mut self.input).take(MAX_LINE as u64);
        let read = limited.read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| JournalError::Read { line: self.line, error })?;
        if read == 0 {
            return Ok(Found::Nothing);
        }
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
            return Ok(Found::Line);
        }
        if read == MAX_LINE {
            return Err(self.damaged("it is longer than any line of a journal"));
        }
        Ok(Found::Torn)
    }

    fn damaged(&self, why: impl Into<String>) -> JournalError {
        JournalError::Line { line: self.line, why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use format_types::{HistoryId, Rba};

    use super::*;
    use crate::entry::{Put, Unit, encode_entry, encode_header};

    fn sample() -> (Header, Vec<Entry>) {
        let header = Header {
            load: 0xABCD,
            seed: 7,
            connections: 2,
            queues: vec!["LOAD.0".parse().unwrap(), "LOAD.1".parse().unwrap()],
            history: Some(HistoryId { number: 3, random: 0xAB }),
        };
        let unit = Unit {
            connection: 1,
            unit: 3,
            puts: vec![
                Put { queue: 0, message_id: Some([0xA5; 24]), sequence: 9, length: 0 },
                Put { queue: 1, message_id: Some([1; 24]), sequence: 10, length: 1 << 20 },
            ],
            gets: vec![[2; 24], [3; 24]],
        };
        let empty = Unit { connection: 0, unit: 1, ..Unit::default() };
        let lost = Put { queue: 1, message_id: None, sequence: 11, length: 40 };
        let unknown = Unit { connection: 0, unit: 2, puts: vec![lost], gets: vec![] };
        let entries = vec![
            Entry::Acknowledged { commit: Rba(0x1234), unit },
            Entry::Acknowledged { commit: Rba(0x2345), unit: empty },
            Entry::Unknown(unknown),
            Entry::End { acknowledged: 2, unknown: 1 },
        ];
        (header, entries)
    }

    fn text() -> Vec<u8> {
        let (header, entries) = sample();
        let mut text = encode_header(&header);
        for (entry, number) in entries.iter().zip(2..) {
            text.push_str(&encode_entry(number, entry));
        }
        text.into_bytes()
    }

    /// All entries, whether the load ended, whether a torn line was left out.
    type Read = (Header, Vec<Entry>, bool, bool);

    fn read(bytes: &[u8]) -> Result<Read, JournalError> {
        let mut reader = Reader::open(bytes)?;
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
        }
        Ok((reader.header().clone(), entries, reader.ended(), reader.torn()))
    }

    #[test]
    fn round_trip() {
        let (header, entries) = sample();
        let bytes = text();
        let (read_header, read_entries, ended, torn) = read(&bytes).unwrap();
        assert_eq!((read_header, read_entries, ended, torn), (header, entries, true, false));
        let first = String::from_utf8(bytes).unwrap().lines().next().unwrap().to_owned();
        assert!(first.starts_with(
            "HWJ1 load=000000000000ABCD seed=0000000000000007 connections=2 queues=LOAD.0,LOAD.1 \
             history=3-00000000000000AB *"
        ));
        // Older journals do not say whose their RBAs are.
        let older = encode_header(&Header { history: None, ..sample().0 });
        assert!(older.contains("queues=LOAD.0,LOAD.1 *"));
        assert_eq!(read(older.as_bytes()).unwrap().0.history, None);
    }

    #[test]
    fn every_single_bit_flip_is_detected_or_reads_as_a_torn_last_line() {
        let bytes = text();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                match read(&flipped) {
                    Err(_) => {}
                    // Only the last line feed of all may go unnoticed as damage: then the end line is missing.
                    Ok((_, entries, ended, torn)) => {
                        assert!(
                            at == bytes.len() - 1 && torn && !ended && entries.len() == 3,
                            "bit {bit} of {at}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_nothing_else() {
        let bytes = text();
        for length in 0..bytes.len() {
            let whole_lines = bytes[..length].iter().filter(|b| **b == b'\n').count();
            match read(&bytes[..length]) {
                Ok((_, entries, ended, torn)) => {
                    assert_eq!(entries.len() + 1, whole_lines);
                    assert!(!ended);
                    assert_eq!(torn, bytes[length - 1] != b'\n');
                }
                Err(error) => assert!(whole_lines == 0, "cut to {length}: {error}"),
            }
        }
    }

    #[test]
    fn lines_removed_moved_or_added_are_named() {
        let text = String::from_utf8(text()).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let damaged = |lines: &[&str]| match read(lines.concat().as_bytes()) {
            Err(JournalError::Line { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(damaged(&[lines[0], lines[2], lines[3], lines[4]]), 2);
        assert_eq!(damaged(&[lines[0], lines[1], lines[3], lines[2], lines[4]]), 3);
        assert_eq!(damaged(&[lines[0], lines[1], lines[1]]), 3);
        assert_eq!(damaged(&[lines[0], lines[1], lines[2], lines[3], lines[4], lines[4]]), 6);
        assert_eq!(damaged(&[lines[1]]), 1);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut bytes = text();
        bytes.truncate(bytes.iter().position(|b| *b == b'\n').unwrap() + 1);
        bytes.extend(std::iter::repeat_n(b'U', 3 * MAX_LINE));
        assert!(matches!(read(&bytes), Err(JournalError::Line { line: 2, .. })));
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let header = encode_header(&sample().0).replace("HWJ1", "HWJ2");
        let text = header.rsplit_once(" *").unwrap().0.to_owned();
        let mut crc = format_types::Crc32c::new();
        crc.update(&1u64.to_be_bytes());
        crc.update(text.as_bytes());
        let line = format!("{text} *{:08X}\n", crc.finish());
        assert!(read(line.as_bytes()).unwrap_err().to_string().contains("HWJ2"));
    }

    #[test]
    fn the_document_for_people_agrees() {
        let page = include_str!("../../../docs/formats/journal.md");
        assert!(page.contains(&format!("1 to {}, numbered from 0", crate::MAX_CONNECTIONS)));
        assert!(page.contains(&format!("1 to {} names", crate::MAX_QUEUES)));
        assert!(page.contains(&format!("at most {MAX_LINE} bytes")));
        for line in String::from_utf8(text()).unwrap().lines() {
            let kind = line.split(' ').next().unwrap();
            assert!(page.contains(&format!("`{kind}`")), "{kind}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = read(&bytes);
        }

        #[test]
        fn units_round_trip(
            connection in 0u32..2, unit: u64, commit: u64,
            puts in proptest::collection::vec(
                (0u16..2, proptest::array::uniform24(0u8..), proptest::num::u64::ANY, proptest::num::u32::ANY),
                0..9,
            ),
            gets in proptest::collection::vec(proptest::array::uniform24(0u8..), 0..9),
        ) {
            let put = |(queue, id, sequence, length)| Put { queue, message_id: Some(id), sequence, length };
            let puts = puts.into_iter().map(put).collect();
            let entry = Entry::Acknowledged { commit: Rba(commit), unit: Unit { connection, unit, puts, gets } };
            let text = encode_header(&sample().0) + &encode_entry(2, &entry);
            let (_, entries, _, _) = read(text.as_bytes()).unwrap();
            proptest::prop_assert_eq!(entries, vec![entry]);
        }
    }
}
