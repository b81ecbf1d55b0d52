//! Where an image is read from.

use std::io::{self, Read};

use engine_storage::SharedFile;

/// An image to be read in order, and, where it can be, again.
pub trait Source: Send {
    /// Its name, for messages.
    fn name(&self) -> &str;

    /// Bytes in it now; none when that is known only at its end.
    ///
    /// # Errors
    /// When the file system refuses to say.
    fn length(&self) -> io::Result<Option<u64>>;

    /// Reads from `offset` until the buffer is full or the image ends, and says how many bytes came.
    ///
    /// # Errors
    /// When reading fails.
    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Whether bytes can be read a second time: a page caught half-written is.
    fn can_reread(&self) -> bool;

    /// Reads what is left and throws it away, so that the writer of a pipe ends in peace; nothing for a file. Says how many bytes.
    ///
    /// # Errors
    /// When reading fails.
    fn drain(&mut self) -> io::Result<u64> {
        Ok(0)
    }
}

/// A file, perhaps one that its owner is writing.
pub struct FileSource {
    file: SharedFile,
    name: String,
}

impl FileSource {
    /// Reads `file`; `name` is for messages.
    #[must_use]
    pub fn new(file: SharedFile, name: impl Into<String>) -> Self {
        Self { file, name: name.into() }
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn length(&self) -> io::Result<Option<u64>> {
        self.file.len().map(Some)
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read_at(offset, buffer) {
            Ok(()) => Ok(buffer.len()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let left = self.file.len()?.saturating_sub(offset);
                let there = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                let Some(part) = buffer.get_mut(..there) else { return Ok(0) };
                self.file.read_at(offset, part)?;
                Ok(there)
            }
            Err(error) => Err(error),
        }
    }

    fn can_reread(&self) -> bool {
        true
    }
}

/// A pipe: read once, in order.
pub struct StreamSource<R> {
    input: R,
    name: String,
    /// Bytes read ahead to see what the stream is, not handed out yet.
    ahead: Vec<u8>,
}

impl<R: Read + Send> StreamSource<R> {
    /// Reads `input`; `name` is for messages.
    pub fn new(input: R, name: impl Into<String>) -> Self {
        Self { input, name: name.into(), ahead: Vec::new() }
    }

    /// The first `count` bytes (fewer when the stream is shorter), left in place for [`Source::read`].
    ///
    /// # Errors
    /// When reading fails.
    pub fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        let missing = count.saturating_sub(self.ahead.len());
        (&mut self.input).take(missing as u64).read_to_end(&mut self.ahead)?;
        Ok(&self.ahead)
    }
}

impl<R: Read + Send> Source for StreamSource<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn length(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    fn read(&mut self, _offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from_ahead = self.ahead.len().min(buffer.len());
        let mut filled = 0;
        for (to, from) in buffer.iter_mut().zip(self.ahead.drain(..from_ahead)) {
            *to = from;
            filled += 1;
        }
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn can_reread(&self) -> bool {
        false
    }

    fn drain(&mut self) -> io::Result<u64> {
        io::copy(&mut self.input, &mut io::sink())
    }
}

impl Source for Box<dyn Source> {
    fn name(&self) -> &str {
        self.as_ref().name()
    }

    fn length(&self) -> io::Result<Option<u64>> {
        self.as_ref().length()
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_mut().read(offset, buffer)
    }

    fn can_reread(&self) -> bool {
        self.as_ref().can_reread()
    }

    fn drain(&mut self) -> io::Result<u64> {
        self.as_mut().drain()
    }
}
