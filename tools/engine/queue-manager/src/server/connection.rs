//! A connection's thread: reads a request, waits for its reply, writes it.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, sync_channel};

use format_protocol::{FRAME_HEADER, Reply, Request, frame_length};
use format_types::ConditionCode;

use super::{Event, Token, spawn};
use crate::CoreError;

/// Accepts connections for as long as the process lives.
pub(super) fn accept(
    listener: UnixListener,
    events: Sender<Event>,
    unsent: Arc<AtomicUsize>,
) -> Result<(), CoreError> {
    spawn("accept", move || {
        let mut last = 0;
        for stream in listener.incoming() {
            // Out of descriptors, say: the next attempt may work, and connections that there are go on.
            let Ok(stream) = stream else {
                std::thread::sleep(std::time::Duration::from_millis(10));
                continue;
            };
            last += 1;
            let token = Token(last);
            let (events, unsent) = (events.clone(), unsent.clone());
            let started = spawn("connection", move || {
                serve(stream, token, &events, &unsent);
                let _ = events.send(Event::Disconnected(token));
            });
            if started.is_err() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    })
}

fn serve(mut stream: UnixStream, token: Token, events: &Sender<Event>, unsent: &AtomicUsize) {
    let (sender, replies) = sync_channel(1);
    if events.send(Event::Connected(token, sender)).is_err() {
        return;
    }
    let mut input = Vec::new();
    loop {
        let request = match read_request(&mut stream, &mut input) {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(error) => {
                let text = format!("REQUEST CANNOT BE READ: {error}");
                let reply = Reply::Error { code: ConditionCode::Refused, id: "HWT437E".to_owned(), text };
                let _ = reply.encode().map(|frame| stream.write_all(&frame));
                return;
            }
        };
        if events.send(Event::Request(token, request)).is_err() {
            return;
        }
        let Ok(reply) = replies.recv() else { return };
        let written = match reply.encode() {
            Ok(frame) => stream.write_all(&frame).is_ok(),
            Err(_) => false,
        };
        unsent.fetch_sub(1, Ordering::AcqRel);
        if !written {
            return;
        }
    }
}

/// The next request; none when the program has closed the connection between two requests.
fn read_request(stream: &mut UnixStream, input: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let mut header = [0; FRAME_HEADER];
    let mut have = 0;
    while have < header.len() {
        match stream.read(header.get_mut(have..).unwrap_or_default()) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if have == 0 => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let length = frame_length(header).map_err(invalid)?;
    input.resize(length, 0);
    stream.read_exact(input)?;
    Request::decode(input).map(Some).map_err(invalid)
}
