//! Programs that hold a unit of recovery open in a queue manager under test.

use std::io::Write;
use std::process::{Child, Stdio};

use crate::owner::Owner;
use crate::programs::command;

/// A program that has put lines and holds its unit of recovery open; only this child of the test is ever killed.
#[derive(Debug)]
pub struct Held(Child);

impl Held {
    /// Puts `text` to `queue` and holds the unit open.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    pub fn put(owner: &Owner, queue: &str, text: &str) -> Self {
        let mut put = command("qmgr", ["put", owner.name(), queue, "--hold", "600s"]);
        let mut child =
            put.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program is there");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
