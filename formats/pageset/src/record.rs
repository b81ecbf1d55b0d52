//! What every record on a slotted page begins with.
//!
//! **Purpose.** Tells the kind of record, which message or object it belongs to and where the rest of it is, so that a chain
//! can be walked and deleted without knowing more.
//!
//! ```text
//!   0    1     2          4              8                      16
//!   +----+-----+----------+--------------+----------------------+------------
//!   |tag |flags| next slot| next page    | key                  | ...
//!   +----+-----+----------+--------------+----------------------+------------
//! ```
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | tag: 01 head of a message, 02 its continuation, 11 queue, 12 storage class (hexadecimal) |
//! | 1 | 1 | flags: bit 0 (lowest) persistent message; others zero |
//! | 2 | 2 | slot of the next fragment |
//! | 4 | 4 | page of the next fragment, in the same page set; zero when there is none |
//! | 8 | 8 | key: of the message or object, unique and rising |
//!
//! **Validity.** A fragment belongs to a message only when its key is the message's: a chain is deleted from its tail, and the places
//! of what is deleted are used again. **Torn**: records have no checksum of their own; their page has.
//! **Order of writes.** Tail first, so that the next address is known. **Not meant for** links between page sets.

use format_types::{Cursor, PageNumber, ShortInput};

/// Bytes of the prefix.
pub const PREFIX_SIZE: usize = 16;

/// Tag of the first fragment of a message.
pub const TAG_MESSAGE_HEAD: u8 = 0x01;
/// Tag of every other fragment.
pub const TAG_MESSAGE_REST: u8 = 0x02;
/// Tag of a queue's definition.
pub const TAG_QUEUE: u8 = 0x11;
/// Tag of a storage class's definition.
pub const TAG_STORAGE_CLASS: u8 = 0x12;

/// Flag of persistent messages.
pub const FLAG_PERSISTENT: u8 = 0x01;

/// A record's place inside its page set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotAddress {
    /// The page.
    pub page: PageNumber,
    /// The slot on it.
    pub slot: u16,
}

/// The common beginning of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPrefix {
    /// What kind of record this is.
    pub tag: u8,
    /// See [`FLAG_PERSISTENT`].
    pub flags: u8,
    /// The next fragment.
    pub next: Option<SlotAddress>,
    /// Key of the message or object.
    pub key: u64,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordDamage {
    /// It ends too early.
    #[error("the record ends too early: {0}")]
    Short(#[from] ShortInput),
    /// Its tag is another one.
    #[error("record tag {0:02X} is not what is expected here")]
    Tag(u8),
    /// A field holds what cannot be there.
    #[error("{0} is out of range")]
    Field(&'static str),
}

impl RecordPrefix {
    /// Reads the beginning of a record.
    ///
    /// # Errors
    /// When there are not sixteen bytes.
    pub fn decode(record: &[u8]) -> Result<Self, RecordDamage> {
        Self::read(&mut Cursor::new(record))
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, RecordDamage> {
        let (tag, flags, slot) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
        let page = PageNumber(cursor.u32()?);
        let next = (page != PageNumber::ZERO).then_some(SlotAddress { page, slot });
        Ok(Self { tag, flags, next, key: cursor.u64()? })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (page, slot) = self.next.map_or((0, 0), |next| (next.page.0, next.slot));
        out.extend_from_slice(&[self.tag, self.flags]);
        out.extend_from_slice(&slot.to_be_bytes());
        out.extend_from_slice(&page.to_be_bytes());
        out.extend_from_slice(&self.key.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_the_table_says() {
        let next = Some(SlotAddress { page: PageNumber(0x0102_0304), slot: 0x0506 });
        let prefix = RecordPrefix { tag: 2, flags: 1, next, key: 0x1112_1314_1516_1718 };
        let mut bytes = Vec::new();
        prefix.write(&mut bytes);
        assert_eq!(bytes, [2, 1, 5, 6, 1, 2, 3, 4, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]);
        assert_eq!(bytes.len(), PREFIX_SIZE);
        assert_eq!(RecordPrefix::decode(&bytes).unwrap(), prefix);
        for length in 0..bytes.len() {
            assert!(matches!(RecordPrefix::decode(&bytes[..length]), Err(RecordDamage::Short(_))));
        }
    }
}
