//! Random bits.

use std::io::Read;

use console::Failure;

/// 64 random bits from the system: they tell the log history that begins from every other one.
pub(crate) fn random() -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| Failure::refused("HWT240E", format!("/dev/urandom cannot be read: {error}")))?;
    Ok(u64::from_be_bytes(bytes))
}
