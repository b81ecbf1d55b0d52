//! Message bodies that prove themselves: from the number of a message and its length follows every byte.

use engine_storage::Random;

/// Bytes of the number at the front of a body.
pub(crate) const NUMBER: usize = 8;

/// The body of message `number`, `length` bytes long (at least [`NUMBER`]).
pub(crate) fn of(number: u64, length: usize) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    let mut rest = vec![0; length.saturating_sub(NUMBER)];
    Random::new(number).fill(&mut rest);
    body.append(&mut rest);
    body
}

/// The number in a body, when there is room for one; says nothing of the other bytes.
pub(crate) fn number(body: &[u8]) -> Option<u64> {
    body.first_chunk::<NUMBER>().map(|bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    #[test]
    fn bodies_carry_their_number_and_differ() {
        let body = super::of(77, 5000);
        assert_eq!((body.len(), super::number(&body)), (5000, Some(77)));
        assert_ne!(body[8..], super::of(78, 5000)[8..]);
        assert_eq!(super::number(b"short"), None);
    }
}
