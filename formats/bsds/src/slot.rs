//! Slots: how an image lies in a file.
//!
//! | Offset | Length | Field |
//! |---|---|---|
//! | 0 | 8 | eye-catcher `HWBSDS` and two zeros |
//! | 8 | 2 | version, 1 |
//! | 10 | 2 | slot, 0 or 1 |
//! | 12 | 4 | capacity of a slot in bytes |
//! | 16 | 8 | sequence |
//! | 24 | 4 | length of the image |
//! | 28 | 4 | CRC-32C of the header's first 28 bytes and the image |
//! | 32 | n | image |
//! | 32 + n | capacity - 32 - n | zeros |

use format_types::{Cursor, QueueManagerId, crc32c_combine_parts, first_nonzero};
use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::image::BsdsError;
use crate::{Bsds, image};

/// Bytes of a slot's header.
pub const SLOT_HEADER: usize = 32;

/// Capacity of a new file's slots, and the unit of every capacity's growth.
pub const FIRST_CAPACITY: usize = 64 * 1024;

/// Most that a slot can hold; far above any inventory.
pub const MOST_CAPACITY: usize = 1 << 30;

/// Version of the BSDS that is written here.
pub const VERSION: u16 = 1;

const EYE_CATCHER: [u8; 8] = *b"HWBSDS\0\0";

/// Bytes of the header that the checksum covers.
const CHECKED: usize = SLOT_HEADER - 4;

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    eye_catcher: [u8; 8],
    version: U16,
    slot: U16,
    capacity: U32,
    sequence: U64,
    length: U32,
    crc: U32,
}

const _: () = assert!(size_of::<Layout>() == SLOT_HEADER);
const UNIT: usize = 4096;

/// Why a slot cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotDamage {
    /// Nothing was ever written: all zeros.
    #[error("nothing was ever written there")]
    Empty,
    /// No BSDS begins there.
    #[error("no BSDS begins there")]
    NoEyeCatcher,
    /// The file is too short or too long.
    #[error("it has {found} bytes, its header asks for {wanted}")]
    Size {
        /// Bytes there.
        found: usize,
        /// Bytes that there should be.
        wanted: usize,
    },
    /// Written by a newer program.
    #[error("it is of version {0}, this program knows version 1; use a newer program")]
    NewerVersion(u16),
    /// The header's fields cannot be.
    #[error("its header's fields cannot be")]
    Header,
    /// The checksum is wrong.
    #[error("its checksum does not match")]
    Checksum,
    /// Bytes that should be zero are not.
    #[error("unused byte {0:#X} is not zero")]
    Unused(usize),
    /// The image cannot be read although its checksum is right.
    #[error("its image cannot be read: {0}")]
    Image(BsdsError),
}

/// A file of two slots, read.
#[derive(Debug, Clone)]
pub struct BsdsFile {
    /// The newest valid image, if any slot is valid.
    pub newest: Option<Bsds>,
    /// For each slot its sequence, or why it is not valid.
    pub slots: [Result<u64, SlotDamage>; 2],
    /// Capacity of a slot in bytes.
    pub capacity: usize,
}

impl BsdsFile {
    /// Whether every byte of the file is as it should be. A file written once has one slot that is empty, and is sound.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.newest.is_some() && self.slots.iter().all(|slot| matches!(slot, Ok(_) | Err(SlotDamage::Empty)))
    }
}

/// The least capacity that holds `bsds` with room to grow: doubled from the first capacity until it is half empty.
#[must_use]
pub fn least_capacity(bsds: &Bsds) -> usize {
    let needed = SLOT_HEADER + image::encode(bsds).len();
    let mut capacity = FIRST_CAPACITY;
    while capacity < needed * 2 && capacity < MOST_CAPACITY {
        capacity *= 2;
    }
    capacity
}

/// The slot that an image of `sequence` goes into.
#[must_use]
pub const fn slot_of(sequence: u64) -> usize {
    (sequence % 2) as usize
}

/// Whether a file that begins with `start` looks like a BSDS: one of its slots has the eye-catcher. The first slot of a new file is
/// empty, so the more of the file is given, the surer the answer; a mebibyte will do.
#[must_use]
pub fn is_bsds(start: &[u8]) -> bool {
    let capacities = std::iter::successors(Some(FIRST_CAPACITY), |capacity| capacity.checked_mul(2));
    std::iter::once(0)
        .chain(capacities.take_while(|capacity| *capacity < start.len()))
        .any(|at| start.get(at..).is_some_and(|slot| slot.starts_with(&EYE_CATCHER)))
}

/// Bytes at the start of a slot that say whose it is.
pub const OWNER_SIZE: usize = SLOT_HEADER + 8;

/// The queue manager of a slot that begins with `start`, as it says without proof; none when no slot begins so.
#[must_use]
pub fn owner(start: &[u8]) -> Option<QueueManagerId> {
    let identity = start.strip_prefix(&EYE_CATCHER)?.get(SLOT_HEADER - EYE_CATCHER.len()..)?;
    identity.first_chunk().map(|bytes| QueueManagerId(u64::from_be_bytes(*bytes)))
}

/// The sequence that a slot of `capacity` bytes claims in its header, which proves nothing: a valid image has this sequence, or none is
/// there. 0 of an empty slot; none when it is neither.
#[must_use]
pub fn claimed_sequence(header: &[u8; SLOT_HEADER], capacity: u64) -> Option<u64> {
    if first_nonzero(header).is_none() {
        return Some(0);
    }
    let layout = Layout::ref_from_bytes(header).ok()?;
    let whole = layout.eye_catcher == EYE_CATCHER && u64::from(layout.capacity.get()) == capacity;
    whole.then_some(layout.sequence.get())
}

/// The bytes of the slot of `bsds`, `capacity` of them; none when it does not fit.
#[must_use]
pub fn encode_slot(bsds: &Bsds, capacity: usize) -> Option<Vec<u8>> {
    let image = image::encode(bsds);
    if SLOT_HEADER + image.len() > capacity {
        return None;
    }
    let layout = Layout {
        eye_catcher: EYE_CATCHER,
        version: VERSION.into(),
        slot: (slot_of(bsds.sequence) as u16).into(),
        capacity: u32::try_from(capacity).ok()?.into(),
        sequence: bsds.sequence.into(),
        length: u32::try_from(image.len()).ok()?.into(),
        crc: 0.into(),
    };
    let mut header: [u8; SLOT_HEADER] = zerocopy::transmute!(layout);
    let crc = crc32c_combine_parts(&[&header[..CHECKED], &image]);
    header[CHECKED..].copy_from_slice(&crc.to_be_bytes());
    let mut slot = Vec::with_capacity(capacity);
    slot.extend_from_slice(&header);
    slot.extend_from_slice(&image);
    slot.resize(capacity, 0);
    Some(slot)
}

/// A whole file with `bsds` in its slot and the other slot empty; none when it does not fit.
#[must_use]
pub fn encode_file(bsds: &Bsds, capacity: usize) -> Option<Vec<u8>> {
    let slot = encode_slot(bsds, capacity)?;
    let mut file = vec![0; capacity * 2];
    let start = slot_of(bsds.sequence) * capacity;
    file[start..start + capacity].copy_from_slice(&slot);
    Some(file)
}

/// An image that its slot's checksum vouches for.
#[derive(Clone, Copy)]
struct Checked<'b> {
    sequence: u64,
    image: &'b [u8],
}

/// The image of slot `number`, which is all of `bytes`.
fn check_slot(bytes: &[u8], number: usize) -> Result<Checked<'_>, SlotDamage> {
    let size = |wanted| SlotDamage::Size { found: bytes.len(), wanted };
    let (layout, rest) = Layout::read_from_prefix(bytes).map_err(|_| size(SLOT_HEADER))?;
    if layout.eye_catcher != EYE_CATCHER {
        let empty = first_nonzero(bytes).is_none();
        return Err(if empty { SlotDamage::Empty } else { SlotDamage::NoEyeCatcher });
    }
    let (length, capacity) = (layout.length.get() as usize, layout.capacity.get() as usize);
    let mut cursor = Cursor::new(rest);
    let image = cursor.bytes(length).map_err(|_| size(SLOT_HEADER.saturating_add(length)))?;
    let checked = bytes.get(..CHECKED).unwrap_or_default();
    if crc32c_combine_parts(&[checked, image]) != layout.crc.get() {
        return Err(SlotDamage::Checksum);
    }
    let (version, sequence) = (layout.version.get(), layout.sequence.get());
    if version > VERSION {
        return Err(SlotDamage::NewerVersion(version));
    }
    if version != VERSION
        || usize::from(layout.slot.get()) != number
        || slot_of(sequence) != number
        || !capacity.is_multiple_of(UNIT)
    {
        return Err(SlotDamage::Header);
    }
    if bytes.len() != capacity {
        return Err(size(capacity));
    }
    if let Some(at) = first_nonzero(cursor.rest()) {
        return Err(SlotDamage::Unused(SLOT_HEADER + cursor.offset() + at));
    }
    Ok(Checked { sequence, image })
}

/// Reads slot `number`, which is all of `bytes`.
///
/// # Errors
/// Why it cannot be believed.
pub fn decode_slot(bytes: &[u8], number: usize) -> Result<Bsds, SlotDamage> {
    let Checked { sequence, image } = check_slot(bytes, number)?;
    image::decode(image, sequence).map_err(SlotDamage::Image)
}

/// Reads a whole file: its newest valid image, and what is wrong with it. The older image is believed by its checksum alone, unless the
/// newer one cannot be read.
#[must_use]
pub fn decode_file(bytes: &[u8]) -> BsdsFile {
    // Half of the file, unless it was cut or lengthened: then slot 0, if it is valid, says its capacity.
    let claimed = capacity_claimed(bytes)
        .and_then(|claimed| Some((claimed, check_slot(bytes.get(..claimed)?, 0).ok()?)));
    let capacity = claimed.map_or(bytes.len() / 2, |(claimed, _)| claimed);
    let (first, second) = bytes.split_at_checked(capacity).unwrap_or((bytes, &[]));
    let first = claimed.map_or_else(|| check_slot(first, 0), |(_, slot)| Ok(slot));
    // Bytes behind both slots belong to no slot: the second one answers for them.
    let cut = second.len() < capacity && first_nonzero(second).is_none();
    let second = if cut || second.len() > capacity {
        Err(SlotDamage::Size { found: second.len(), wanted: capacity })
    } else {
        check_slot(second, 1)
    };
    let mut slots = [first, second];
    let newest = newest_image(&mut slots);
    BsdsFile { newest, slots: slots.map(|slot| slot.map(|checked| checked.sequence)), capacity }
}

/// The newest image that can be read; what cannot be read is noted as damage of its slot.
fn newest_image(slots: &mut [Result<Checked<'_>, SlotDamage>; 2]) -> Option<Bsds> {
    loop {
        let valid =
            slots.iter_mut().filter_map(|slot| slot.as_ref().ok().copied().map(|checked| (slot, checked)));
        let (slot, Checked { sequence, image }) = valid.max_by_key(|(_, checked)| checked.sequence)?;
        match image::decode(image, sequence) {
            Ok(bsds) => return Some(bsds),
            Err(error) => *slot = Err(SlotDamage::Image(error)),
        }
    }
}

fn capacity_claimed(bytes: &[u8]) -> Option<usize> {
    let (layout, _) = Layout::read_from_prefix(bytes).ok()?;
    let capacity = usize::try_from(layout.capacity.get()).ok()?;
    ((UNIT..=MOST_CAPACITY).contains(&capacity) && capacity.is_multiple_of(UNIT)).then_some(capacity)
}

#[cfg(test)]
#[path = "slot_tests.rs"]
pub(crate) mod tests;
