//! The loop of the thread that owns the core.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use engine_log::{SyncOutcome, SyncPart, SyncPartOutcome};
use format_protocol::Reply;
use format_types::ConditionCode;

use super::connection::{Connection, Input};
use super::descriptors::most_connections;
use super::gather::Gather;
use super::poll::{FIRST_CONNECTION, LISTENER, Poll, Ready};
use super::workers::Workers;
use super::{Event, now};
use crate::core::error_reply;
use crate::{ConnectionId, Core, CoreError, Job, JobDone, State};

/// How long an idle loop waits before it looks at the clock again.
const IDLE: Duration = Duration::from_secs(1);

/// How long programs that want to connect wait after one could not be let in: a shortage that is not of this process's making ends
/// without any sign here.
const SHORT: Duration = Duration::from_millis(200);

/// How long the last replies may take to be written when the queue manager ends.
const LAST_REPLIES: Duration = Duration::from_secs(2);

/// The thread that owns the core and the sockets.
pub(super) struct Edge<'a> {
    core: &'a mut Core,
    poll: Poll,
    workers: Workers,
    listener: UnixListener,
    connections: HashMap<u64, Connection>,
    numbers: HashMap<ConnectionId, u64>,
    next_number: u64,
    /// Outcomes of the log sync under way, and how many it will have.
    log_parts: Vec<SyncPartOutcome>,
    log_parts_out: usize,
    terminations: u32,
    gather: Gather,
    /// A sync of the log has ended since replies were last sent.
    synced: bool,
    /// A request was handed to the core since it last worked.
    requested: bool,
    /// Most programs that may be connected; further ones wait to be accepted.
    most: usize,
    /// Whether the listener is watched.
    listening: bool,
    /// No program can be let in before: the system had no descriptor or no memory for it.
    short_until: Option<Instant>,
    /// That programs wait was said, and they still do.
    crowded: bool,
}

impl<'a> Edge<'a> {
    pub(super) fn new(
        core: &'a mut Core,
        poll: Poll,
        workers: Workers,
        listener: UnixListener,
    ) -> Result<Self, CoreError> {
        listener.set_nonblocking(true).and_then(|()| poll.watch(&listener, LISTENER)).map_err(|source| {
            CoreError::Io { what: "WATCH", path: PathBuf::from(crate::files::SOCKET), source }
        })?;
        Ok(Self {
            core,
            poll,
            workers,
            listener,
            connections: HashMap::new(),
            numbers: HashMap::new(),
            next_number: FIRST_CONNECTION,
            log_parts: Vec::new(),
            log_parts_out: 0,
            gather: Gather::default(),
            synced: false,
            terminations: 0,
            requested: false,
            most: most_connections(),
            listening: true,
            short_until: None,
            crowded: false,
        })
    }

    /// Runs until the queue manager has ended and its last replies are written.
    pub(super) fn run(&mut self, say: &mut dyn FnMut(&str)) {
        let mut busy = true;
        let mut ended: Option<Instant> = None;
        loop {
            let longest = match ended {
                Some(_) => Duration::from_millis(5),
                None if busy => Duration::ZERO,
                None => self.short_until.map_or(IDLE, |until| IDLE.min(until - Instant::now())),
            };
            let ready = self.poll.wait(longest);
            self.core.set_time(now());
            for (number, what) in ready {
                self.socket_ready(number, what);
            }
            while let Some(event) = self.poll.next_event() {
                self.take(event);
            }
            self.requested = false;
            if self.synced {
                self.send_replies();
            }
            self.core.hold_log_sync(self.gather.holds());
            busy = self.core.work();
            busy |= self.hand_out_jobs();
            self.send_replies();
            // A request that had arrived behind the one just answered is under way already.
            busy |= self.requested;
            let crowded = self.listen_again();
            for line in self.core.take_messages().into_iter().chain(crowded) {
                say(&line);
            }
            if matches!(self.core.state(), State::Stopped | State::Failed) {
                let since = *ended.get_or_insert_with(Instant::now);
                let unsent = self.connections.values().any(|connection| !connection.is_flushed());
                if !unsent || since.elapsed() > LAST_REPLIES {
                    return;
                }
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Done(done) => self.core.finish(done),
            Event::LogPart(part) => {
                self.log_parts.push(part);
                if self.log_parts.len() == self.log_parts_out {
                    self.log_parts_out = 0;
                    let outcome = SyncOutcome::from_parts(std::mem::take(&mut self.log_parts));
                    self.finish_log_sync(outcome);
                }
            }
            Event::Terminate => {
                self.terminations += 1;
                self.core.stop(self.terminations > 1);
            }
        }
    }

    fn finish_log_sync(&mut self, outcome: SyncOutcome) {
        self.gather.sync_ends();
        self.synced = true;
        self.core.finish(JobDone::LogSync(outcome));
    }

    /// Sends the replies; those of one sync of the log are a group that the next sync waits for.
    fn send_replies(&mut self) {
        let replies = self.core.take_replies();
        let synced = std::mem::take(&mut self.synced);
        if synced {
            for (id, _) in &replies {
                let number = self.numbers.get(id);
                if let Some(connection) = number.and_then(|number| self.connections.get_mut(number)) {
                    connection.group = self.gather.answered();
                }
            }
            if let Some(longest) = self.gather.open() {
                self.poll.wake_after(longest);
            }
        }
        for (connection, reply) in replies {
            self.send(connection, &reply);
        }
    }

    fn socket_ready(&mut self, number: u64, what: Ready) {
        if number == LISTENER {
            self.accept();
            return;
        }
        if what.output && !self.flush(number) {
            return;
        }
        let Some(connection) = self.connections.get(&number) else { return };
        if what.input && !connection.busy {
            self.read(number);
        } else if what.closed {
            self.close(number);
        } else if what.input {
            // Not before the reply: until then the socket is not watched for input, lest it be reported again and again.
            self.watch(number, (false, false));
        }
    }

    fn accept(&mut self) {
        loop {
            if self.connections.len() >= self.most {
                return self.stop_listening();
            }
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // That one is gone already, or a signal came.
                Err(error)
                    if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) =>
                {
                    continue;
                }
                Err(_) => {
                    self.short_until = Some(Instant::now() + SHORT);
                    return self.stop_listening();
                }
            };
            let number = self.next_number;
            self.next_number += 1;
            let id = self.core.connect();
            match Connection::new(id, stream).and_then(|connection| {
                self.poll.watch(&connection.stream, number)?;
                Ok(connection)
            }) {
                Ok(connection) => {
                    self.connections.insert(number, connection);
                    self.numbers.insert(id, number);
                }
                Err(_) => self.core.disconnect(id),
            }
        }
    }

    fn read(&mut self, number: u64) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let input = connection.read();
        self.take_input(number, input);
    }

    fn take_input(&mut self, number: u64, input: Input) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        match input {
            Input::Nothing => {}
            Input::Request(request) => {
                connection.busy = true;
                self.gather.back(std::mem::take(&mut connection.group));
                self.requested = true;
                self.core.request(connection.id, request);
            }
            Input::Invalid(error) => {
                let text = format!("REQUEST CANNOT BE READ: {error}");
                connection.queue(&error_reply(ConditionCode::Refused, "HWT437E", &text));
                connection.closing = true;
                self.flush(number);
            }
            Input::Closed => self.close(number),
        }
    }

    fn send(&mut self, id: ConnectionId, reply: &Reply) {
        let Some(number) = self.numbers.get(&id).copied() else { return };
        let Some(connection) = self.connections.get_mut(&number) else { return };
        connection.queue(reply);
        connection.busy = false;
        self.flush(number);
    }

    /// Writes what is to be written, then looks at requests that arrived meanwhile. False when the connection is closed.
    fn flush(&mut self, number: u64) -> bool {
        let Some(connection) = self.connections.get_mut(&number) else { return false };
        if !connection.flush() {
            self.close(number);
            return false;
        }
        let flushed = connection.is_flushed();
        if flushed && !connection.busy {
            let next = connection.next_request();
            self.take_input(number, next);
        }
        // Input stays watched while a request is under way: programs send the next one after the reply, so it costs nothing.
        self.watch(number, (flushed, !flushed));
        self.connections.contains_key(&number)
    }

    /// Has the socket watched for input, and for room to write.
    fn watch(&mut self, number: u64, wanted: (bool, bool)) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        if wanted == connection.watched {
            return;
        }
        connection.watched = wanted;
        if self.poll.change(&connection.stream, number, wanted.0, wanted.1).is_err() {
            self.close(number);
        }
    }

    fn close(&mut self, number: u64) {
        if let Some(connection) = self.connections.remove(&number) {
            self.numbers.remove(&connection.id);
            self.gather.back(connection.group);
            self.core.disconnect(connection.id);
            // Its descriptor is free now.
            self.short_until = None;
        }
    }

    /// Leaves programs that want to connect waiting; a watched listener would be reported again and again.
    fn stop_listening(&mut self) {
        self.listening = self.poll.change(&self.listener, LISTENER, false, false).is_err();
    }

    /// Lets programs in again when there is room; what is to be said of it.
    fn listen_again(&mut self) -> Option<String> {
        if self.listening {
            self.crowded = false;
            return None;
        }
        self.short_until = self.short_until.filter(|until| Instant::now() < *until);
        if self.connections.len() < self.most && self.short_until.is_none() {
            self.listening = self.poll.change(&self.listener, LISTENER, true, false).is_ok();
            return None;
        }
        let said = std::mem::replace(&mut self.crowded, true);
        (!said).then(|| {
            format!(
                "HWT498W {} PROGRAMS ARE CONNECTED, further ones wait: there are no descriptors for more; raise the limit of open \
                 files, or let programs disconnect",
                self.connections.len()
            )
        })
    }

    /// Hands jobs to the threads; true when one was run here and the core can go on at once.
    fn hand_out_jobs(&mut self) -> bool {
        let mut ran = false;
        for job in self.core.take_jobs() {
            match job {
                Job::LogSync(job) => ran |= self.sync_log(job.into_parts()),
                job => self.workers.run(job),
            }
        }
        ran
    }

    /// Has the log synced; true when that is done already.
    fn sync_log(&mut self, parts: Vec<SyncPart>) -> bool {
        self.gather.sync_begins();
        // When every program that is connected waits for an answer, no request is kept waiting by a sync made here, and two changes
        // of thread are saved.
        let here = self.connections.values().all(|connection| connection.busy);
        self.log_parts_out = parts.len();
        let mut mine = None;
        for (at, part) in parts.into_iter().enumerate() {
            if here && at == 0 {
                mine = Some(part);
            } else {
                self.workers.sync_log(at, part);
            }
        }
        let Some(part) = mine else { return false };
        self.take(Event::LogPart(part.run()));
        self.log_parts_out == 0
    }
}
