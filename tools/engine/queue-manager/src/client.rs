//! The talk of a program with a queue manager.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use format_protocol::{ProtocolError, Reply, Request, VERSION as PROTOCOL_VERSION, read_ahead, split_frame};
use format_types::{ConditionCode, QueueManagerId, QueueManagerName};

use crate::core::ENDED;
use crate::files;

/// A larger buffer is given back once its reply is read.
const KEPT_INPUT: usize = 256 << 10;

/// Why a talk failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("HWT701E QUEUE MANAGER IN {0} IS NOT RUNNING: start it with 'qmgr start {0}'", dir.display())]
    NotRunning {
        /// The directory.
        dir: PathBuf,
    },
    /// No directory of that name.
    #[error("HWT413E NO QUEUE MANAGER IN {}: check the directory's name", .0.display())]
    NotThere(PathBuf),
    /// It listens, perhaps, but nobody is let through to it.
    #[error("HWT706E QUEUE MANAGER IN {} CANNOT BE REACHED: {source}; ask its owner, whose the socket is", dir.display())]
    Unreachable {
        /// The directory.
        dir: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The answer did not come in time.
    #[error(
        "HWT702E NO ANSWER WITHIN {0:?}: the queue manager may be busy or waiting for log; the outcome is unknown; ask its status, or give a longer --timeout"
    )]
    Timeout(Duration),
    /// The connection broke: the outcome of the request under way is unknown.
    #[error(
        "HWT703E CONNECTION TO THE QUEUE MANAGER BROKE: {0}; the outcome of what was under way is unknown"
    )]
    Broken(#[source] io::Error),
    /// What came is no reply.
    #[error("HWT704E ANSWER CANNOT BE READ: {0}; use programs of the queue manager's release")]
    Protocol(#[from] ProtocolError),
    /// The queue manager refused.
    #[error("{id} {text}")]
    Refused {
        /// How bad.
        code: ConditionCode,
        /// Message identifier.
        id: String,
        /// The rest.
        text: String,
    },
    /// A reply of another kind than the request's.
    #[error("HWT705E UNEXPECTED ANSWER to {0}: use programs of the queue manager's release")]
    Unexpected(&'static str),
}

impl ClientError {
    /// The condition code that this deserves.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        match self {
            Self::Refused { code, .. } => *code,
            Self::NotRunning { .. } | Self::NotThere(_) | Self::Unreachable { .. } => ConditionCode::Refused,
            Self::Timeout(_) | Self::Broken(_) | Self::Protocol(_) | Self::Unexpected(_) => {
                ConditionCode::Severe
            }
        }
    }
}

/// A connection to a running queue manager.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    timeout: Duration,
    name: QueueManagerName,
    id: QueueManagerId,
    input: Vec<u8>,
    /// A request was not answered: what comes next may be its answer, and must not be taken for another's.
    out_of_step: bool,
}

impl Client {
    /// Connects to the queue manager in `dir` as `application`. `timeout` bounds every wait.
    ///
    /// # Errors
    /// When it is not running, does not answer in time, or refuses.
    pub fn connect(dir: &Path, application: &str, timeout: Duration) -> Result<Self, ClientError> {
        let path = dir.join(files::SOCKET);
        let stream = connect_within_limit(dir, &path).map_err(|error| {
            if dir.try_exists().is_ok_and(|there| !there) || error.kind() == io::ErrorKind::NotADirectory {
                return ClientError::NotThere(dir.to_owned());
            }
            match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    ClientError::NotRunning { dir: dir.to_owned() }
                }
                io::ErrorKind::PermissionDenied => {
                    ClientError::Unreachable { dir: dir.to_owned(), source: error }
                }
                _ => ClientError::Broken(error),
            }
        })?;
        stream.set_read_timeout(Some(timeout)).map_err(ClientError::Broken)?;
        stream.set_write_timeout(Some(timeout)).map_err(ClientError::Broken)?;
        let placeholder = "NONE".parse().map_err(|_| ClientError::Unexpected("HELLO"))?;
        let mut client = Self {
            stream,
            timeout,
            name: placeholder,
            id: QueueManagerId(0),
            input: Vec::new(),
            out_of_step: false,
        };
        let hello = Request::Hello { version: PROTOCOL_VERSION, application: application.to_owned() };
        match client.call(&hello)? {
            Reply::Hello { name, id, .. } => {
                client.name = name;
                client.id = id;
                Ok(client)
            }
            _ => Err(ClientError::Unexpected("HELLO")),
        }
    }

    /// Name of the queue manager.
    #[must_use]
    pub fn name(&self) -> &QueueManagerName {
        &self.name
    }

    /// Identity of the queue manager.
    #[must_use]
    pub fn id(&self) -> QueueManagerId {
        self.id
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// When the queue manager refuses ([`ClientError::Refused`]), the connection breaks, or no answer comes in time. In the last two cases
    /// the outcome is unknown, and the connection cannot be used any more: connect again.
    pub fn call(&mut self, request: &Request) -> Result<Reply, ClientError> {
        self.send(request)?;
        self.receive()
    }

    /// Sends a request whose reply [`Self::receive`] is to take, for programs that wait for several connections at once.
    ///
    /// # Errors
    /// As those of [`Self::call`]; and when the reply to the request before was not taken.
    pub fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        let frame = request.encode()?;
        if self.out_of_step {
            return Err(ClientError::Broken(io::Error::other("a request before was not answered")));
        }
        self.out_of_step = true;
        self.stream.write_all(&frame).map_err(|error| self.broken(error))
    }

    /// Waits for the reply to the request sent.
    ///
    /// # Errors
    /// As those of [`Self::call`].
    pub fn receive(&mut self) -> Result<Reply, ClientError> {
        match self.next_reply()? {
            // The queue manager ended while it worked on the request, or before it could say that all is on disk.
            Reply::Error { id, text, .. } if id == ENDED => {
                Err(ClientError::Broken(io::Error::other(format!("{id} {text}"))))
            }
            reply => {
                self.out_of_step = false;
                match reply {
                    Reply::Error { code, id, text } => Err(ClientError::Refused { code, id, text }),
                    reply => Ok(reply),
                }
            }
        }
    }

    fn next_reply(&mut self) -> Result<Reply, ClientError> {
        loop {
            if let Some((frame, length)) = split_frame(&self.input)? {
                let reply = Reply::decode(frame);
                self.input.drain(..length);
                if self.input.is_empty() && self.input.capacity() > KEPT_INPUT {
                    self.input = Vec::new();
                }
                return Ok(reply?);
            }
            let have = self.input.len();
            self.input.resize(have + read_ahead(&self.input), 0);
            let got = self.stream.read(self.input.get_mut(have..).unwrap_or_default());
            self.input.truncate(have + got.as_ref().copied().unwrap_or(0));
            match got {
                Ok(0) => return Err(ClientError::Broken(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    fn broken(&self, error: io::Error) -> ClientError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ClientError::Timeout(self.timeout),
            _ => ClientError::Broken(error),
        }
    }
}

impl AsFd for Client {
    /// The socket: readable when a reply begins to arrive.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Connects to `path`; socket addresses hold about 107 bytes, so a longer one is reached through the directory's descriptor.
fn connect_within_limit(dir: &Path, path: &Path) -> io::Result<UnixStream> {
    use std::os::fd::AsRawFd;
    if path.as_os_str().len() < 100 {
        return UnixStream::connect(path);
    }
    let handle = std::fs::File::open(dir)?;
    UnixStream::connect(format!("/proc/self/fd/{}/{}", handle.as_raw_fd(), files::SOCKET))
}
