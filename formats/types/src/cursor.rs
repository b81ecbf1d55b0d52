//! Checked reading of big-endian fields.

/// Input ended before a field did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} bytes wanted at offset {offset}, {left} left")]
pub struct ShortInput {
    /// Where the field starts.
    pub offset: usize,
    /// Bytes that the field needs.
    pub wanted: usize,
    /// Bytes that there are.
    pub left: usize,
}

/// Reads big-endian fields from a byte slice; every read is checked.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    all: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { all: bytes, offset: 0 }
    }

    /// Offset of the next byte.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.all.get(self.offset..).unwrap_or_default()
    }

    /// Whether all is read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], ShortInput> {
        let rest = self.rest();
        match rest.get(..count) {
            Some(bytes) => {
                self.offset += count;
                Ok(bytes)
            }
            None => Err(ShortInput { offset: self.offset, wanted: count, left: rest.len() }),
        }
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ShortInput> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// The next byte.
    ///
    /// # Errors
    /// When none is left.
    pub fn u8(&mut self) -> Result<u8, ShortInput> {
        self.array().map(u8::from_be_bytes)
    }

    /// The next two bytes as a number.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn u16(&mut self) -> Result<u16, ShortInput> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes as a number.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn u32(&mut self) -> Result<u32, ShortInput> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes as a number.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn u64(&mut self) -> Result<u64, ShortInput> {
        self.array().map(u64::from_be_bytes)
    }

    /// Bytes behind a two-byte length.
    ///
    /// # Errors
    /// When the input ends first.
    pub fn bytes16(&mut self) -> Result<&'a [u8], ShortInput> {
        let length = self.u16()?;
        self.bytes(usize::from(length))
    }

    /// Bytes behind a four-byte length.
    ///
    /// # Errors
    /// When the input ends first.
    pub fn bytes32(&mut self) -> Result<&'a [u8], ShortInput> {
        let length = self.u32()?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }
}

/// Appends `bytes` behind a two-byte length; bytes past 65,535 are cut off.
pub fn put_bytes16(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes.get(..usize::from(length)).unwrap_or(bytes));
}

/// Appends `bytes` behind a four-byte length; bytes past 4 GiB are cut off.
pub fn put_bytes32(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes.get(..length as usize).unwrap_or(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_order_and_refuses_to_read_past_the_end() {
        let mut cursor = Cursor::new(&[1, 0, 2, 0, 0, 0, 3, 0, 1, 9, 7]);
        assert_eq!(cursor.u8(), Ok(1));
        assert_eq!(cursor.u16(), Ok(2));
        assert_eq!(cursor.u32(), Ok(3));
        assert_eq!(cursor.bytes16(), Ok(&[9][..]));
        assert_eq!(cursor.u16(), Err(ShortInput { offset: 10, wanted: 2, left: 1 }));
        assert_eq!(cursor.u8(), Ok(7));
        assert!(cursor.is_empty());
    }
}
