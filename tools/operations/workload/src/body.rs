//! Message bodies that prove themselves.
//!
//! A body can be made again from load, connection, sequence and length, so an audit compares every byte. One of at least
//! [`PROOF_SIZE`] bytes also says who put it:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | `HWLB` |
//! | 4 | 8 | load |
//! | 12 | 4 | connection |
//! | 16 | 8 | sequence |
//! | 24 | 4 | length |
//! | 28 | 4 | CRC-32C of all other bytes |
//! | 32 | n | pseudo-random bytes from load, connection and sequence |
//!
//! Shorter ones hold pseudo-random bytes alone: the journal knows them by their message identifier.

use format_types::{Cursor, crc32c_combine_parts};

use crate::choice::Random;

/// Least bytes of a body that says who put it.
pub const PROOF_SIZE: usize = 32;

const EYE_CATCHER: [u8; 4] = *b"HWLB";
const CRC_OFFSET: usize = 28;

/// Who put a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof {
    /// The load.
    pub load: u64,
    /// Its connection.
    pub connection: u32,
    /// Number of the put in the connection.
    pub sequence: u64,
    /// Bytes of the body.
    pub length: u32,
}

/// The body that `proof` describes.
#[must_use]
pub fn body(proof: &Proof) -> Vec<u8> {
    let mut bytes = vec![0; proof.length as usize];
    let seed =
        proof.load ^ (u64::from(proof.connection) << 40) ^ proof.sequence.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut random = Random::new(seed);
    let Some((header, content)) = bytes.split_at_mut_checked(PROOF_SIZE) else {
        random.fill(&mut bytes);
        return bytes;
    };
    random.fill(content);
    let mut fields = Vec::with_capacity(PROOF_SIZE);
    fields.extend_from_slice(&EYE_CATCHER);
    fields.extend_from_slice(&proof.load.to_be_bytes());
    fields.extend_from_slice(&proof.connection.to_be_bytes());
    fields.extend_from_slice(&proof.sequence.to_be_bytes());
    fields.extend_from_slice(&proof.length.to_be_bytes());
    let crc = crc32c_combine_parts(&[&fields, content]);
    fields.extend_from_slice(&crc.to_be_bytes());
    header.copy_from_slice(&fields);
    bytes
}

/// Who put `bytes`, if they say so and no bit of them has changed.
#[must_use]
pub fn prove(bytes: &[u8]) -> Option<Proof> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array::<4>().ok()? != EYE_CATCHER {
        return None;
    }
    let (load, connection) = (cursor.u64().ok()?, cursor.u32().ok()?);
    let (sequence, length) = (cursor.u64().ok()?, cursor.u32().ok()?);
    let crc = cursor.u32().ok()?;
    let whole = length as usize == bytes.len();
    let same = crc == crc32c_combine_parts(&[bytes.get(..CRC_OFFSET)?, bytes.get(PROOF_SIZE..)?]);
    (whole && same).then_some(Proof { load, connection, sequence, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_prove_themselves_and_differ() {
        for length in [0, 1, 31, 32, 33, 100, 5000] {
            let proof = Proof { load: 7, connection: 3, sequence: 99, length };
            let bytes = body(&proof);
            assert_eq!(bytes.len(), length as usize);
            assert_eq!(bytes, body(&proof));
            assert_eq!(prove(&bytes), (length >= 32).then_some(proof));
            if length >= 31 {
                assert_ne!(bytes, body(&Proof { sequence: 100, ..proof }));
                assert_ne!(bytes, body(&Proof { connection: 4, ..proof }));
                assert_ne!(bytes, body(&Proof { load: 8, ..proof }));
            }
        }
    }

    #[test]
    fn every_flip_and_cut_of_a_body_is_detected() {
        let bytes = body(&Proof { load: 7, connection: 3, sequence: 99, length: 200 });
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(prove(&flipped), None);
        }
        for length in 0..bytes.len() {
            assert_eq!(prove(&bytes[..length]), None);
        }
    }
}
