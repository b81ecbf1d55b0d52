//! Identifiers of messages: unique over all histories of the log.
//!
//! `CSQ `, four letters of the queue manager's name, eight bytes that say who made it, the message's key. Keys are bound to the log, so
//! the history that begins at a cut gives out those of the log that was cut off again; their makers tell them apart: the queue
//! manager's identity, mixed with the history's random bits in every history but the first.

use format_bsds::Bsds;
use format_types::LogHistory;

const EYE_CATCHER: &[u8; 4] = b"CSQ ";

fn maker(bsds: &Bsds, history: &LogHistory) -> [u8; 8] {
    let mixed = if history.parent.is_some() { history.id.random } else { 0 };
    (bsds.queue_manager.0 ^ mixed).to_be_bytes()
}

/// Identifier of the message that is put with `key` now.
pub(super) fn message_id(bsds: &Bsds, key: u64) -> [u8; 24] {
    let mut id = [b' '; 24];
    id[..4].copy_from_slice(EYE_CATCHER);
    let name = bsds.name.as_str().as_bytes();
    let length = name.len().min(4);
    id[4..4 + length].copy_from_slice(&name[..length]);
    if let Some(history) = bsds.histories.last() {
        id[8..16].copy_from_slice(&maker(bsds, history));
    }
    id[16..].copy_from_slice(&key.to_be_bytes());
    id
}

/// The key in a message identifier, if this queue manager made it in any history. Whether the message with that key is the one that
/// has this identifier, the message tells.
pub(super) fn key_of(bsds: &Bsds, id: &[u8; 24]) -> Option<u64> {
    let mut key = [0; 8];
    key.copy_from_slice(&id[16..]);
    let key = u64::from_be_bytes(key);
    let ours = message_id(bsds, key)[..8] == id[..8];
    let made = |history: &LogHistory| maker(bsds, history) == id[8..16];
    (ours && bsds.histories.iter().any(made)).then_some(key)
}
