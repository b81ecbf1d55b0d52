//! Bytes that must be zero, looked at many at a time.

/// Bytes looked at as one: few enough to stay in registers, and many enough to be worth it.
const AT_ONCE: usize = 64;

/// The first byte that is not zero, by its place.
#[must_use]
pub fn first_nonzero(bytes: &[u8]) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<AT_ONCE>();
    let zero = |chunk: &[u8; AT_ONCE]| chunk.iter().fold(0, |all, byte| all | byte) == 0;
    let start = chunks.iter().position(|chunk| !zero(chunk)).unwrap_or(chunks.len()) * AT_ONCE;
    let behind = bytes.get(start..).unwrap_or(rest);
    behind.iter().position(|&byte| byte != 0).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_every_length_is_looked_at() {
        for length in 0..300 {
            let mut bytes = vec![0; length];
            assert_eq!(first_nonzero(&bytes), None);
            for at in (0..length).rev() {
                bytes[at] = 1 << (at % 8);
                assert_eq!(first_nonzero(&bytes), Some(at), "of {length}");
            }
        }
    }
}
