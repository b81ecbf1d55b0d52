//! Standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

/// Bytes kept before they are written.
const BUFFER: usize = 64 * 1024;

/// Buffered standard output. It never fails where it is written to: the first error is kept, what follows is thrown away, and
/// the end of the program reports it. A reader that has gone is no error.
pub struct Output {
    to: BufWriter<Box<dyn Write>>,
    error: Option<io::Error>,
    closed: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("error", &self.error)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// The program's standard output.
    #[must_use]
    pub fn standard() -> Self {
        // Not std's own handle: that one writes at every line end.
        match rustix::stdio::stdout().try_clone_to_owned() {
            Ok(descriptor) => Self::to(Box::new(File::from(descriptor))),
            Err(error) => Self { error: Some(error), ..Self::to(Box::new(io::sink())) },
        }
    }

    /// Output to any writer.
    #[must_use]
    pub fn to(writer: Box<dyn Write>) -> Self {
        Self { to: BufWriter::with_capacity(BUFFER, writer), error: None, closed: false }
    }

    /// Whether it makes sense to write more: the reader is still there and nothing failed.
    #[must_use]
    pub const fn wanted(&self) -> bool {
        !self.closed && self.error.is_none()
    }

    /// Writes bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.wanted() {
            let result = self.to.write_all(bytes);
            self.note(result);
        }
    }

    /// Writes a line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.bytes(text.as_ref().as_bytes());
        self.bytes(b"\n");
    }

    /// Writes lines.
    pub fn lines<T: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = T>) {
        for line in lines {
            self.line(line);
        }
    }

    /// Writes a JSON document, indented, and a line end.
    pub fn json<T: Serialize + ?Sized>(&mut self, document: &T) {
        match serde_json::to_string_pretty(document) {
            Ok(text) => self.line(text),
            Err(error) => self.note(Err(error.into())),
        }
    }

    /// Writes a JSON document on one line: a record of a stream.
    pub fn json_line<T: Serialize + ?Sized>(&mut self, document: &T) {
        match serde_json::to_string(document) {
            Ok(text) => self.line(text),
            Err(error) => self.note(Err(error.into())),
        }
    }

    /// Hands all that was written to the system.
    pub fn flush(&mut self) {
        if self.wanted() {
            let result = self.to.flush();
            self.note(result);
        }
    }

    /// Flushes, and gives the first error; a reader that has gone is none.
    ///
    /// # Errors
    /// When not all bytes could be written.
    pub fn close(mut self) -> io::Result<()> {
        self.flush();
        let failed = self.error.take();
        // What a failed writer still holds must not be tried again when it is dropped.
        let _ = self.to.into_parts();
        failed.map_or(Ok(()), Err)
    }

    fn note(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refuses(io::ErrorKind);

    impl Write for Refuses {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error_and_a_full_device_is() {
        for (kind, ok) in [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)] {
            let mut output = Output::to(Box::new(Refuses(kind)));
            assert!(output.wanted());
            output.line("x");
            output.flush();
            assert!(!output.wanted());
            output.line("y");
            assert_eq!(output.close().is_ok(), ok, "{kind:?}");
        }
    }

    #[test]
    fn an_error_at_the_last_flush_counts() {
        let mut output = Output::to(Box::new(Refuses(io::ErrorKind::StorageFull)));
        output.line("x");
        assert!(output.close().is_err());
    }
}
