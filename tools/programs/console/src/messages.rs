//! Talk on standard error.

use std::io::Write;

/// A line on standard error. Nobody listening is no error.
pub fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // One write, so that lines of several processes do not mix.
    let _ = stderr.write_all(format!("{text}\n").as_bytes());
}

/// A message with its identifier on standard error.
pub fn message(id: &str, text: &str) {
    say(&format!("{id} {text}"));
}
