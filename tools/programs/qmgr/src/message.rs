//! Messages as output: a line of text or of JSON.

use console::{Output, format_time};
use format_types::Timestamp;
use serde::Serialize;

/// A message that was got or browsed.
pub(crate) struct Message {
    pub(crate) message_id: [u8; 24],
    pub(crate) key: u64,
    pub(crate) priority: u8,
    pub(crate) persistent: bool,
    pub(crate) put_time: Timestamp,
    pub(crate) body: Vec<u8>,
}

#[derive(Serialize)]
struct Line<'a> {
    message_id: String,
    key: u64,
    priority: u8,
    persistent: bool,
    put_time: String,
    /// Where the body is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    /// Where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_hex: Option<String>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

impl Message {
    /// Writes the body and a line end, or a JSON document on one line.
    pub(crate) fn write(&self, out: &mut Output, json: bool) {
        if json {
            let text = std::str::from_utf8(&self.body).ok();
            out.json_line(&Line {
                message_id: hex(&self.message_id),
                key: self.key,
                priority: self.priority,
                persistent: self.persistent,
                put_time: format_time(self.put_time),
                body: text,
                body_hex: text.is_none().then(|| hex(&self.body)),
            });
        } else {
            out.bytes(&self.body);
            out.bytes(b"\n");
        }
    }
}
