//! A connection: bytes in until a request is whole, replies out as the socket takes them.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use format_protocol::{ProtocolError, Reply, Request, read_ahead, split_frame};

use crate::ConnectionId;

/// A buffer larger than this is given back once it is empty.
const KEPT_BUFFER: usize = 256 << 10;

/// A connection of a program.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Bytes of `output` that the socket has taken.
    written: usize,
    /// A request is under way; the next one is not looked at before its reply is written.
    pub(super) busy: bool,
    /// The group that it was last answered in, until it is back; zero for none.
    pub(super) group: u64,
    /// What the socket is watched for: input, output.
    pub(super) watched: (bool, bool),
    /// Close it when all is written.
    pub(super) closing: bool,
}

/// What became of reading.
pub(super) enum Input {
    /// Not a whole request yet.
    Nothing,
    /// A request.
    Request(Request),
    /// Bytes that are no request.
    Invalid(ProtocolError),
    /// The program is gone.
    Closed,
}

impl Connection {
    pub(super) fn new(id: ConnectionId, stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            id,
            stream,
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            busy: false,
            group: 0,
            watched: (true, false),
            closing: false,
        })
    }

    /// Reads what is there and takes the next request out of it.
    pub(super) fn read(&mut self) -> Input {
        loop {
            match self.next_request() {
                Input::Nothing => {}
                other => return other,
            }
            let have = self.input.len();
            let room = read_ahead(&self.input);
            self.input.resize(have + room, 0);
            let got = self.stream.read(self.input.get_mut(have..).unwrap_or_default());
            self.input.truncate(have + got.as_ref().copied().unwrap_or(0));
            match got {
                Ok(0) => return Input::Closed,
                Ok(count) if count < room => return self.next_request(),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Input::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Input::Closed,
            }
        }
    }

    /// The next request among the bytes that are here.
    pub(super) fn next_request(&mut self) -> Input {
        match split_frame(&self.input) {
            Ok(None) => Input::Nothing,
            Ok(Some((frame, length))) => {
                let request = Request::decode(frame);
                self.input.drain(..length);
                if self.input.is_empty() && self.input.capacity() > KEPT_BUFFER {
                    self.input = Vec::new();
                }
                request.map_or_else(Input::Invalid, Input::Request)
            }
            Err(error) => Input::Invalid(error),
        }
    }

    /// Adds a reply to what is to be written. A reply too large for a frame closes the connection: its program must not wait for it.
    pub(super) fn queue(&mut self, reply: &Reply) {
        match reply.encode() {
            Ok(frame) if self.output.is_empty() => self.output = frame,
            Ok(frame) => self.output.extend_from_slice(&frame),
            Err(_) => self.closing = true,
        }
    }

    /// Writes as much as the socket takes; false when the program is gone.
    pub(super) fn flush(&mut self) -> bool {
        while self.written < self.output.len() {
            match self.stream.write(self.output.get(self.written..).unwrap_or_default()) {
                Ok(0) => return false,
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.written = 0;
        self.output.clear();
        if self.output.capacity() > KEPT_BUFFER {
            self.output = Vec::new();
        }
        !self.closing
    }

    /// Whether everything is written.
    pub(super) fn is_flushed(&self) -> bool {
        self.output.is_empty()
    }
}
