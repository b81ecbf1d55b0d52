//! CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of every format here; and CRC-64/XZ, which tells values apart.

/// CRC-32C of `bytes`.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

/// CRC-32C of the concatenation of `parts`.
#[must_use]
pub fn crc32c_combine_parts(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc32c::new();
    for part in parts {
        crc.update(part);
    }
    crc.finish()
}

/// CRC-64/XZ of `bytes`: equal for equal bytes, and for others by an accident of one in 2^64.
#[must_use]
pub fn digest64(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, bytes)
}

/// CRC-32C of bytes that arrive in pieces.
#[derive(Debug, Clone)]
pub struct Crc32c(crc_fast::Digest);

impl Crc32c {
    /// The checksum of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi))
    }

    /// Takes `bytes` in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes so far.
    #[must_use]
    pub fn finish(&self) -> u32 {
        self.0.finalize() as u32
    }
}

impl Default for Crc32c {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_an_independent_implementation() {
        let oracle = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
        let data: Vec<u8> = (0..9000u32).map(|i| (i * 7 + i / 251) as u8).collect();
        for len in [0, 1, 8, 63, 64, 255, 512, 4032, 4096, 9000] {
            assert_eq!(crc32c(&data[..len]), oracle.checksum(&data[..len]), "length {len}");
            let (a, b) = data[..len].split_at(len / 3);
            assert_eq!(crc32c_combine_parts(&[a, b]), oracle.checksum(&data[..len]), "length {len} in parts");
        }
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        let oracle = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
        assert_eq!(digest64(&data), oracle.checksum(&data));
        assert_eq!(digest64(b"123456789"), 0x995D_C9BB_DF19_39FA);
    }
}
