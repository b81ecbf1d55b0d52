//! Messages: chains of fragments on persistent or nonpersistent pages.
//!
//! **Purpose.** Holds a message of 0 bytes to 4 MiB and more on pages of 4096 bytes.
//!
//! ```text
//!   head                                         continuation          continuation
//!   +--------+----------------+-----------+      +--------+------+     +--------+------+
//!   | prefix | of the message | body ...  | ---> | prefix | body | --> | prefix | body |
//!   +--------+----------------+-----------+      +--------+------+     +--------+------+
//! ```
//!
//! | offset in head | bytes | field |
//! |---|---|---|
//! | 0 | 16 | prefix (`record`), tag 01; next fragment, key |
//! | 16 | 8 | queue identifier |
//! | 24 | 8 | put time, microseconds since 1970 |
//! | 32 | 4 | bytes of the whole body |
//! | 36 | 1 | priority, 0 to 9 |
//! | 37 | 3 | reserved, zero |
//! | 40 | 24 | message identifier |
//! | 64 | rest | first part of the body |
//!
//! A continuation is a prefix (tag 02) with the next part of the body.
//!
//! **Validity.** All fragments have the head's key, and their parts are as long together as the head says. A short message is one
//! fragment; of a longer one every continuation but the last fills a page ([`split`]).
//!
//! **Torn**: as the pages are. **Order of writes.** The tail is written first and deleted first: a head that is there has all of
//! its message behind it; what hangs behind a deletion cut short has another key or is gone.
//! **Not meant for** searching: the order of a queue is kept in memory.

use format_types::{Cursor, Timestamp};

use crate::record::{
    FLAG_PERSISTENT, PREFIX_SIZE, RecordDamage, RecordPrefix, SlotAddress, TAG_MESSAGE_HEAD, TAG_MESSAGE_REST,
};
use crate::slotted::MAX_RECORD;

/// Bytes of a head fragment before its part of the body.
pub const HEAD_SIZE: usize = 64;

/// The longest part of a body in a head.
pub const MAX_HEAD_BODY: usize = MAX_RECORD - HEAD_SIZE;

/// The longest part of a body in a continuation.
pub const MAX_REST_BODY: usize = MAX_RECORD - PREFIX_SIZE;

/// The highest priority.
pub const MAX_PRIORITY: u8 = 9;

/// What a message is, beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageHead {
    /// Unique and rising; the order inside a priority.
    pub key: u64,
    /// The queue that it is on.
    pub queue: u64,
    /// 0 to 9.
    pub priority: u8,
    /// Whether it survives a restart.
    pub persistent: bool,
    /// When it was put.
    pub put_time: Timestamp,
    /// Its identifier.
    pub message_id: [u8; 24],
    /// Bytes of its body.
    pub length: u32,
}

/// A fragment of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fragment<'a> {
    /// The first.
    Head {
        /// What the message is.
        head: MessageHead,
        /// The next fragment.
        next: Option<SlotAddress>,
        /// First part of the body.
        body: &'a [u8],
    },
    /// Another one.
    Rest {
        /// Key of the message.
        key: u64,
        /// Whether the message is persistent.
        persistent: bool,
        /// The next fragment.
        next: Option<SlotAddress>,
        /// The next part of the body.
        body: &'a [u8],
    },
}

impl<'a> Fragment<'a> {
    /// Appends the fragment's record to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = |persistent: bool| if persistent { FLAG_PERSISTENT } else { 0 };
        match self {
            Self::Head { head, next, body } => {
                let (flags, key) = (flags(head.persistent), head.key);
                RecordPrefix { tag: TAG_MESSAGE_HEAD, flags, next: *next, key }.write(out);
                out.extend_from_slice(&head.queue.to_be_bytes());
                out.extend_from_slice(&head.put_time.0.to_be_bytes());
                out.extend_from_slice(&head.length.to_be_bytes());
                out.extend_from_slice(&[head.priority, 0, 0, 0]);
                out.extend_from_slice(&head.message_id);
                out.extend_from_slice(body);
            }
            Self::Rest { key, persistent, next, body } => {
                let flags = flags(*persistent);
                RecordPrefix { tag: TAG_MESSAGE_REST, flags, next: *next, key: *key }.write(out);
                out.extend_from_slice(body);
            }
        }
    }

    /// Reads a fragment.
    ///
    /// # Errors
    /// When it is too short, no fragment, or its priority is above 9.
    pub fn decode(record: &'a [u8]) -> Result<Self, RecordDamage> {
        let mut cursor = Cursor::new(record);
        let prefix = RecordPrefix::read(&mut cursor)?;
        let persistent = match prefix.flags {
            0 => false,
            FLAG_PERSISTENT => true,
            _ => return Err(RecordDamage::Field("the flags")),
        };
        match prefix.tag {
            TAG_MESSAGE_REST => {
                Ok(Self::Rest { key: prefix.key, persistent, next: prefix.next, body: cursor.rest() })
            }
            TAG_MESSAGE_HEAD => {
                let queue = cursor.u64()?;
                let put_time = Timestamp(cursor.u64()?);
                let length = cursor.u32()?;
                let priority = cursor.u8()?;
                let _reserved: [u8; 3] = cursor.array()?;
                let message_id = cursor.array()?;
                if priority > MAX_PRIORITY {
                    return Err(RecordDamage::Field("the priority"));
                }
                let body = cursor.rest();
                if body.len() > length as usize || prefix.next.is_none() && body.len() != length as usize {
                    return Err(RecordDamage::Field("the length of the body"));
                }
                let key = prefix.key;
                let head = MessageHead { key, queue, priority, persistent, put_time, message_id, length };
                Ok(Self::Head { head, next: prefix.next, body })
            }
            tag => Err(RecordDamage::Tag(tag)),
        }
    }
}

/// How a body is cut: bytes in the head, and the number of continuations. Every continuation but the last has [`MAX_REST_BODY`] bytes.
#[must_use]
pub const fn split(length: usize) -> (usize, usize) {
    if length <= MAX_HEAD_BODY {
        return (length, 0);
    }
    let rest = (length - MAX_HEAD_BODY).div_ceil(MAX_REST_BODY);
    (length.saturating_sub(rest * MAX_REST_BODY), rest)
}

#[cfg(test)]
mod tests {
    use format_types::PageNumber;
    use proptest::prelude::*;

    use super::*;

    fn head() -> MessageHead {
        MessageHead {
            key: 0x0102_0304_0506_0708,
            queue: 0x1112,
            priority: 7,
            persistent: true,
            put_time: Timestamp(0x2122),
            message_id: [0x33; 24],
            length: 5,
        }
    }

    #[test]
    fn fields_lie_where_the_table_says() {
        let mut bytes = Vec::new();
        let fragment = Fragment::Head { head: head(), next: None, body: b"hello" };
        fragment.encode(&mut bytes);
        assert_eq!(bytes.len(), HEAD_SIZE + 5);
        assert_eq!(bytes[..16], [1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes[16..24], [0, 0, 0, 0, 0, 0, 0x11, 0x12]);
        assert_eq!(bytes[24..32], [0, 0, 0, 0, 0, 0, 0x21, 0x22]);
        assert_eq!(bytes[32..40], [0, 0, 0, 5, 7, 0, 0, 0]);
        assert_eq!(bytes[40..64], [0x33; 24]);
        assert_eq!(Fragment::decode(&bytes).unwrap(), fragment);
        for length in 0..bytes.len() {
            assert!(Fragment::decode(&bytes[..length]).is_err(), "length {length}");
        }
        bytes[36] = 10;
        assert_eq!(Fragment::decode(&bytes), Err(RecordDamage::Field("the priority")));
        bytes[0] = 9;
        assert_eq!(Fragment::decode(&bytes), Err(RecordDamage::Tag(9)));
    }

    #[test]
    fn bodies_are_cut_so_that_continuations_fill_pages() {
        assert_eq!((MAX_HEAD_BODY, MAX_REST_BODY), (3988, 4036));
        assert_eq!(split(0), (0, 0));
        assert_eq!(split(3988), (3988, 0));
        assert_eq!(split(3989), (0, 1));
        assert_eq!(split(4037), (1, 1));
        assert_eq!(split(4 << 20), (900, 1039));
    }

    proptest! {
        #[test]
        fn a_cut_body_fits(length in 0usize..5_000_000) {
            let (head, rest) = split(length);
            prop_assert!(head <= MAX_HEAD_BODY);
            let behind = length - head;
            prop_assert_eq!(behind.div_ceil(MAX_REST_BODY), rest);
        }

        #[test]
        fn fragments_round_trip(
            key in any::<u64>(), page in 1u32.., slot in any::<u16>(), body in proptest::collection::vec(any::<u8>(), 0..99)
        ) {
            let next = Some(SlotAddress { page: PageNumber(page), slot });
            let mut bytes = Vec::new();
            let rest = Fragment::Rest { key, persistent: false, next, body: &body };
            rest.encode(&mut bytes);
            prop_assert_eq!(Fragment::decode(&bytes).unwrap(), rest);
            bytes.clear();
            let head = Fragment::Head { head: MessageHead { key, length: 100, ..head() }, next, body: &body };
            head.encode(&mut bytes);
            prop_assert_eq!(Fragment::decode(&bytes).unwrap(), head);
        }

        #[test]
        fn nonsense_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = Fragment::decode(&bytes);
        }
    }
}
