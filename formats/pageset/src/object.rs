//! Object definitions: queues and storage classes, on object pages of page set 00.
//!
//! **Purpose.** Holds what DEFINE said. ALTER writes a new record with a new key and deletes the old one in the same unit of recovery.
//!
//! ```text
//!   +--------+-------------------------------------------+
//!   | prefix | fields in the order of the tables          |
//!   +--------+-------------------------------------------+
//! ```
//!
//! Queue (tag 11), after the prefix (`record`):
//!
//! | bytes | field |
//! |---|---|
//! | 8 | queue identifier, never given twice |
//! | 4 | MAXDEPTH |
//! | 4 | MAXMSGL |
//! | 1 | DEFPRTY, 0 to 9 |
//! | 1 | flags: bit 0 (lowest) PUT(ENABLED), bit 1 GET(ENABLED), bit 2 DEFPSIST(YES) |
//! | 2 + n | name |
//! | 2 + n | DESCR, UTF-8 |
//! | 2 + n | STGCLASS |
//! | 1 + n | page sets that it was moved from: their number, then each in rising order |
//!
//! Storage class (tag 12), after the prefix:
//!
//! | bytes | field |
//! |---|---|
//! | 1 | page set, 0 to 99 |
//! | 2 + n | name |
//! | 2 + n | DESCR, UTF-8 |
//! | 1 + n | page sets that it was moved from: their number, then each in rising order |
//!
//! Messages stay where they are when their queue's storage class moves to another page set, or the queue to another class. The page
//! sets moved from that may hold some still are named, so that a queue is never called empty while one of them cannot be looked into.
//!
//! **Validity.** Names follow their rules, numbers their ranges, and nothing follows the last field. **Torn**: as the pages are.
//! **Order of writes.** Logged as every record; one record each, never a chain. **Not meant for** what changes at run time.

use format_types::{Cursor, ObjectName, PageSetId, put_bytes16};

use crate::record::{RecordDamage, RecordPrefix, TAG_QUEUE, TAG_STORAGE_CLASS};

const PUT_ENABLED: u8 = 1;
const GET_ENABLED: u8 = 2;
const DEFAULT_PERSISTENT: u8 = 4;

/// A local queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDefinition {
    /// Key of the record.
    pub key: u64,
    /// Identifier in the heads of messages; survives ALTER.
    pub id: u64,
    /// Name.
    pub name: ObjectName,
    /// DESCR.
    pub descr: String,
    /// STGCLASS.
    pub stgclass: ObjectName,
    /// PUT(ENABLED).
    pub put_enabled: bool,
    /// GET(ENABLED).
    pub get_enabled: bool,
    /// DEFPRTY, 0 to 9.
    pub default_priority: u8,
    /// DEFPSIST(YES).
    pub default_persistence: bool,
    /// MAXDEPTH.
    pub max_depth: u32,
    /// MAXMSGL.
    pub max_message_length: u32,
    /// Page sets of the storage classes that it had before, where messages of it may lie still; each once, in rising order.
    pub moved_from: Vec<PageSetId>,
}

/// A storage class: which page set the messages of its queues go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageClassDefinition {
    /// Key of the record.
    pub key: u64,
    /// Name.
    pub name: ObjectName,
    /// DESCR.
    pub descr: String,
    /// PSID.
    pub page_set: PageSetId,
    /// Page sets that it had before, where messages of its queues may lie still; each once, in rising order.
    pub moved_from: Vec<PageSetId>,
}

/// The definition of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectRecord {
    /// A local queue.
    Queue(QueueDefinition),
    /// A storage class.
    StorageClass(StorageClassDefinition),
}

impl ObjectRecord {
    /// Key of the record.
    #[must_use]
    pub const fn key(&self) -> u64 {
        match self {
            Self::Queue(queue) => queue.key,
            Self::StorageClass(class) => class.key,
        }
    }

    /// Appends the record to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let prefix = |tag| RecordPrefix { tag, flags: 0, next: None, key: self.key() };
        match self {
            Self::Queue(queue) => {
                prefix(TAG_QUEUE).write(out);
                let flag = |on: bool, bit: u8| if on { bit } else { 0 };
                out.extend_from_slice(&queue.id.to_be_bytes());
                out.extend_from_slice(&queue.max_depth.to_be_bytes());
                out.extend_from_slice(&queue.max_message_length.to_be_bytes());
                out.push(queue.default_priority);
                out.push(
                    flag(queue.put_enabled, PUT_ENABLED)
                        | flag(queue.get_enabled, GET_ENABLED)
                        | flag(queue.default_persistence, DEFAULT_PERSISTENT),
                );
                put_bytes16(out, queue.name.as_str().as_bytes());
                put_bytes16(out, queue.descr.as_bytes());
                put_bytes16(out, queue.stgclass.as_str().as_bytes());
                put_page_sets(out, &queue.moved_from);
            }
            Self::StorageClass(class) => {
                prefix(TAG_STORAGE_CLASS).write(out);
                out.push(class.page_set.number());
                put_bytes16(out, class.name.as_str().as_bytes());
                put_bytes16(out, class.descr.as_bytes());
                put_page_sets(out, &class.moved_from);
            }
        }
    }

    /// Reads a definition.
    ///
    /// # Errors
    /// When it is too short, no definition, or a field is out of range.
    pub fn decode(record: &[u8]) -> Result<Self, RecordDamage> {
        let mut cursor = Cursor::new(record);
        let prefix = RecordPrefix::read(&mut cursor)?;
        let key = prefix.key;
        if prefix.next.is_some() || prefix.flags != 0 {
            return Err(RecordDamage::Field("the prefix of a definition"));
        }
        let object = match prefix.tag {
            TAG_QUEUE => {
                let (id, max_depth, max_message_length) = (cursor.u64()?, cursor.u32()?, cursor.u32()?);
                let (default_priority, flags) = (cursor.u8()?, cursor.u8()?);
                if default_priority > crate::message::MAX_PRIORITY {
                    return Err(RecordDamage::Field("DEFPRTY"));
                }
                if flags > PUT_ENABLED | GET_ENABLED | DEFAULT_PERSISTENT {
                    return Err(RecordDamage::Field("the flags of a queue"));
                }
                Self::Queue(QueueDefinition {
                    key,
                    id,
                    max_depth,
                    max_message_length,
                    default_priority,
                    put_enabled: flags & PUT_ENABLED != 0,
                    get_enabled: flags & GET_ENABLED != 0,
                    default_persistence: flags & DEFAULT_PERSISTENT != 0,
                    name: name(&mut cursor)?,
                    descr: text(&mut cursor)?,
                    stgclass: name(&mut cursor)?,
                    moved_from: page_sets(&mut cursor)?,
                })
            }
            TAG_STORAGE_CLASS => {
                let page_set = PageSetId::new(cursor.u8()?).ok_or(RecordDamage::Field("PSID"))?;
                Self::StorageClass(StorageClassDefinition {
                    key,
                    page_set,
                    name: name(&mut cursor)?,
                    descr: text(&mut cursor)?,
                    moved_from: page_sets(&mut cursor)?,
                })
            }
            tag => return Err(RecordDamage::Tag(tag)),
        };
        if cursor.is_empty() { Ok(object) } else { Err(RecordDamage::Field("the end of the definition")) }
    }
}

/// There are 100 page sets, so their number fits a byte.
fn put_page_sets(out: &mut Vec<u8>, page_sets: &[PageSetId]) {
    let numbers = page_sets.iter().take(100).map(|page_set| page_set.number());
    out.push(numbers.len() as u8);
    out.extend(numbers);
}

fn page_sets(cursor: &mut Cursor<'_>) -> Result<Vec<PageSetId>, RecordDamage> {
    let wrong = RecordDamage::Field("a page set moved from");
    let mut page_sets: Vec<PageSetId> = Vec::new();
    for _ in 0..cursor.u8()? {
        let page_set = PageSetId::new(cursor.u8()?).ok_or(wrong.clone())?;
        if page_sets.last().is_some_and(|last| *last >= page_set) {
            return Err(wrong);
        }
        page_sets.push(page_set);
    }
    Ok(page_sets)
}

fn text(cursor: &mut Cursor<'_>) -> Result<String, RecordDamage> {
    let bytes = cursor.bytes16()?;
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| RecordDamage::Field("DESCR"))
}

fn name(cursor: &mut Cursor<'_>) -> Result<ObjectName, RecordDamage> {
    let bytes = cursor.bytes16()?;
    let text = std::str::from_utf8(bytes).map_err(|_| RecordDamage::Field("a name"))?;
    text.parse().map_err(|_| RecordDamage::Field("a name"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn queue() -> ObjectRecord {
        ObjectRecord::Queue(QueueDefinition {
            key: 9,
            id: 4,
            name: "APP.ORDERS".parse().unwrap(),
            descr: "Orders of today".to_owned(),
            stgclass: "DEFAULT".parse().unwrap(),
            put_enabled: true,
            get_enabled: false,
            default_priority: 3,
            default_persistence: true,
            max_depth: 999_999_999,
            max_message_length: 4_194_304,
            moved_from: vec![PageSetId::new(2).unwrap(), PageSetId::new(99).unwrap()],
        })
    }

    fn class() -> ObjectRecord {
        let (name, page_set) = ("DEFAULT".parse().unwrap(), PageSetId::new(1).unwrap());
        let (descr, moved_from) = (String::new(), vec![PageSetId::ZERO]);
        ObjectRecord::StorageClass(StorageClassDefinition { key: 8, name, descr, page_set, moved_from })
    }

    #[test]
    fn definitions_round_trip_and_truncations_are_detected() {
        for object in [queue(), class()] {
            let mut bytes = Vec::new();
            object.encode(&mut bytes);
            assert_eq!(ObjectRecord::decode(&bytes).unwrap(), object);
            assert_eq!(RecordPrefix::decode(&bytes).unwrap().key, object.key());
            for length in 0..bytes.len() {
                assert!(ObjectRecord::decode(&bytes[..length]).is_err(), "length {length}");
            }
            bytes.push(0);
            assert!(ObjectRecord::decode(&bytes).is_err());
        }
    }

    #[test]
    fn the_layout_is_pinned() {
        let mut bytes = Vec::new();
        queue().encode(&mut bytes);
        assert_eq!(bytes[..16], [0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(bytes[16..24], [0, 0, 0, 0, 0, 0, 0, 4]);
        assert_eq!(bytes[24..34], [0x3B, 0x9A, 0xC9, 0xFF, 0, 0x40, 0, 0, 3, 5]);
        assert_eq!(&bytes[34..46], b"\x00\x0AAPP.ORDERS");
        assert_eq!(&bytes[bytes.len() - 12..], b"\x00\x07DEFAULT\x02\x02\x63");
        bytes.clear();
        class().encode(&mut bytes);
        assert_eq!(&bytes[16..], b"\x01\x00\x07DEFAULT\x00\x00\x01\x00");
    }

    #[test]
    fn page_sets_moved_from_are_page_sets_and_in_order() {
        let mut bytes = Vec::new();
        queue().encode(&mut bytes);
        let last = bytes.len() - 1;
        for wrong in [100, 2, 1] {
            bytes[last] = wrong;
            assert_eq!(ObjectRecord::decode(&bytes), Err(RecordDamage::Field("a page set moved from")));
        }
        bytes[last] = 3;
        assert!(ObjectRecord::decode(&bytes).is_ok());
    }

    proptest! {
        #[test]
        fn nonsense_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = ObjectRecord::decode(&bytes);
        }
    }
}
