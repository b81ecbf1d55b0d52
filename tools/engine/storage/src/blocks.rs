//! The bytes of a file in memory: blocks that are shared until one is changed, so that an image is cheap to copy.

use std::io;
use std::sync::{Arc, LazyLock};

/// Bytes in a block.
pub(crate) const BLOCK: usize = 4096;

/// Bytes that a disk writes as one.
pub(crate) const SECTOR: usize = 512;

/// All sectors of a block, as a mask.
pub(crate) const WHOLE: u8 = 0xFF;

pub(crate) type Block = [u8; BLOCK];

static ZEROS: LazyLock<Arc<Block>> = LazyLock::new(|| Arc::new([0; BLOCK]));

/// What stands at a block of a file.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    /// Nothing; reads as zeros and takes no space.
    Hole,
    /// Space without data; reads as zeros.
    Reserved,
    /// Data.
    Data(Arc<Block>),
}

impl Slot {
    pub(crate) fn bytes(&self) -> &Block {
        match self {
            Self::Data(block) => block,
            Self::Hole | Self::Reserved => &ZEROS,
        }
    }

    fn block(&self) -> Arc<Block> {
        match self {
            Self::Data(block) => Arc::clone(block),
            Self::Hole | Self::Reserved => Arc::clone(&ZEROS),
        }
    }
}

/// A block as a write left it, and which of its sectors the write touched.
#[derive(Debug, Clone)]
pub(crate) struct Touched {
    pub(crate) index: usize,
    pub(crate) sectors: u8,
    pub(crate) after: Arc<Block>,
}

/// A sparse file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocks {
    slots: Vec<Slot>,
    len: u64,
    used: u64,
}

fn index(offset: u64) -> usize {
    (offset / BLOCK as u64) as usize
}

impl Blocks {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Blocks that take space.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// Whether it reads as `other` does.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let same = |i: usize| match (self.slot(i), other.slot(i)) {
            (Slot::Data(a), Slot::Data(b)) if Arc::ptr_eq(a, b) => true,
            (a, b) => a.bytes() == b.bytes(),
        };
        self.len == other.len && (0..self.len.div_ceil(BLOCK as u64) as usize).all(same)
    }

    pub(crate) fn slot(&self, index: usize) -> &Slot {
        self.slots.get(index).unwrap_or(&Slot::Hole)
    }

    fn put(&mut self, index: usize, slot: Slot) {
        if self.slots.len() <= index {
            self.slots.resize(index + 1, Slot::Hole);
        }
        if matches!(self.slots[index], Slot::Hole) {
            self.used += 1;
        }
        self.slots[index] = slot;
    }

    /// Blocks that a write of `bytes` bytes at `offset` would add.
    pub(crate) fn growth(&self, offset: u64, bytes: u64) -> u64 {
        if bytes == 0 {
            return 0;
        }
        let last = index(offset + bytes - 1);
        (index(offset)..=last).filter(|&i| matches!(self.slot(i), Slot::Hole)).count() as u64
    }

    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64).ok_or(io::ErrorKind::InvalidInput)?;
        if end > self.len {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{} bytes at {offset} are wanted, the file has {}", buffer.len(), self.len),
            ));
        }
        let mut at = offset;
        let mut rest = buffer;
        while !rest.is_empty() {
            let start = (at % BLOCK as u64) as usize;
            let part = (BLOCK - start).min(rest.len());
            let (now, later) = rest.split_at_mut(part);
            now.copy_from_slice(&self.slot(index(at)).bytes()[start..start + part]);
            at += part as u64;
            rest = later;
        }
        Ok(())
    }

    /// Writes, and hands every block written to `see`, as (before, touched).
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8], mut see: impl FnMut(&Slot, Touched)) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = (at % BLOCK as u64) as usize;
            let part = (BLOCK - start).min(rest.len());
            let (now, later) = rest.split_at(part);
            let i = index(at);
            let before = self.slot(i).clone();
            let after = if now == &ZEROS[..] {
                Arc::clone(&ZEROS)
            } else {
                let mut block = before.block();
                Arc::make_mut(&mut block)[start..start + part].copy_from_slice(now);
                block
            };
            self.put(i, Slot::Data(Arc::clone(&after)));
            see(&before, Touched { index: i, sectors: sectors(start, part), after });
            at += part as u64;
            rest = later;
        }
        self.len = self.len.max(at);
    }

    /// Brings the sectors of `touched` that `mask` has into this image; the length is not changed.
    pub(crate) fn take(&mut self, touched: &Touched, mask: u8) {
        let mask = mask & touched.sectors;
        if mask == 0 {
            return;
        }
        if mask == WHOLE {
            self.put(touched.index, Slot::Data(Arc::clone(&touched.after)));
            return;
        }
        let mut block = self.slot(touched.index).block();
        mix(Arc::make_mut(&mut block), &touched.after, mask);
        self.put(touched.index, Slot::Data(block));
    }

    /// Makes the file `len` bytes long; what is cut off is zeros when it comes back.
    pub(crate) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let keep = len.div_ceil(BLOCK as u64) as usize;
            for slot in self.slots.drain(keep.min(self.slots.len())..) {
                if !matches!(slot, Slot::Hole) {
                    self.used -= 1;
                }
            }
            let tail = (len % BLOCK as u64) as usize;
            if tail != 0
                && let Some(Slot::Data(block)) = self.slots.get_mut(keep - 1)
            {
                Arc::make_mut(block)[tail..].fill(0);
            }
        }
        self.len = len;
    }

    /// Raises the length, never lowers it.
    pub(crate) fn raise_len(&mut self, len: u64) {
        self.len = self.len.max(len);
    }

    /// Reserves all blocks below `len` and raises the length to it.
    pub(crate) fn reserve(&mut self, len: u64) {
        for i in 0..len.div_ceil(BLOCK as u64) as usize {
            if matches!(self.slot(i), Slot::Hole) {
                self.put(i, Slot::Reserved);
            }
        }
        self.raise_len(len);
    }

    pub(crate) fn next_data(&self, offset: u64) -> Option<(u64, u64)> {
        let blocks = self.len.div_ceil(BLOCK as u64) as usize;
        let data = |i: usize| matches!(self.slot(i), Slot::Data(_));
        let first = (index(offset)..blocks).find(|&i| data(i))?;
        let end = (first..blocks).find(|&i| !data(i)).unwrap_or(blocks);
        let start = (first as u64 * BLOCK as u64).max(offset);
        let end = (end as u64 * BLOCK as u64).min(self.len);
        (start < end).then_some((start, end))
    }
}

/// The sectors of a block that `part` bytes at `start` touch.
fn sectors(start: usize, part: usize) -> u8 {
    let first = start / SECTOR;
    let last = (start + part - 1) / SECTOR;
    (first..=last).fold(0, |mask, sector| mask | 1 << sector)
}

/// Copies the sectors in `mask` of `from` over those of `to`.
pub(crate) fn mix(to: &mut Block, from: &Block, mask: u8) {
    for sector in (0..BLOCK / SECTOR).filter(|sector| mask & (1 << sector) != 0) {
        let range = sector * SECTOR..(sector + 1) * SECTOR;
        to[range.clone()].copy_from_slice(&from[range]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_bytes_read_as_a_plain_vector_would() {
        let mut random = crate::Random::new(5);
        let (mut blocks, mut plain) = (Blocks::default(), Vec::<u8>::new());
        for round in 0..400 {
            let at = random.below(40_000);
            let mut bytes = vec![0; random.below(9_000) as usize];
            random.fill(&mut bytes);
            match round % 7 {
                0 => {
                    blocks.set_len(at);
                    plain.resize(at as usize, 0);
                }
                1 => {
                    blocks.reserve(at);
                    plain.resize(plain.len().max(at as usize), 0);
                }
                _ if bytes.is_empty() => {}
                _ => {
                    blocks.write(at, &bytes, |_, _| {});
                    let end = at as usize + bytes.len();
                    plain.resize(plain.len().max(end), 0);
                    plain[at as usize..end].copy_from_slice(&bytes);
                }
            }
            assert_eq!(blocks.len(), plain.len() as u64);
            let mut read = vec![1; plain.len()];
            blocks.read(0, &mut read).unwrap();
            assert_eq!(read, plain);
            let used = blocks.slots.iter().filter(|s| !matches!(s, Slot::Hole)).count() as u64;
            assert_eq!(used, blocks.used());
        }
    }

    #[test]
    fn sectors_are_those_that_a_write_touches() {
        assert_eq!(sectors(0, 4096), WHOLE);
        assert_eq!(sectors(511, 2), 0b11);
        assert_eq!(sectors(4095, 1), 0b1000_0000);
    }
}
