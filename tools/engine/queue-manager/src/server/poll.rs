//! What the thread that owns the core waits for: sockets that can be read or written, and the other threads.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::Event;
use crate::CoreError;

/// Most sockets that one wait reports.
const REPORTED: usize = 256;

/// The things watched beside connections; connections are numbered from here up.
pub(super) const LISTENER: u64 = 0;
pub(super) const WAKER: u64 = 1;
pub(super) const TIMER: u64 = 2;
pub(super) const FIRST_CONNECTION: u64 = 3;

/// Waits for sockets and for the other threads' events.
pub(super) struct Poll {
    epoll: OwnedFd,
    waker: Arc<OwnedFd>,
    /// For waits shorter than the milliseconds that every kernel's `epoll_wait` counts in.
    timer: OwnedFd,
    inbox: Receiver<Event>,
    ready: Vec<epoll::Event>,
}

/// Sends events to the thread that owns the core, and wakes it.
#[derive(Clone)]
pub(super) struct EventSender {
    events: Sender<Event>,
    waker: Arc<OwnedFd>,
}

impl EventSender {
    /// False when nobody takes events any more.
    pub(super) fn send(&self, event: Event) -> bool {
        // A full counter means that a wake is due anyway.
        self.events.send(event).is_ok() && {
            let _ = rustix::io::write(&self.waker, &1u64.to_ne_bytes());
            true
        }
    }
}

impl Poll {
    pub(super) fn new() -> Result<(Self, EventSender), CoreError> {
        let failed = |source: rustix::io::Errno| CoreError::Io {
            what: "WATCH SOCKETS WITH",
            path: PathBuf::from("epoll"),
            source: source.into(),
        };
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?;
        let waker = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(failed)?);
        epoll::add(&epoll, &*waker, epoll::EventData::new_u64(WAKER), epoll::EventFlags::IN)
            .map_err(failed)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)
            .map_err(failed)?;
        epoll::add(&epoll, &timer, epoll::EventData::new_u64(TIMER), epoll::EventFlags::IN)
            .map_err(failed)?;
        let (events, inbox) = channel();
        let sender = EventSender { events, waker: waker.clone() };
        Ok((Self { epoll, waker, timer, inbox, ready: Vec::with_capacity(REPORTED) }, sender))
    }

    /// Watches a socket: for input, or for room to write.
    pub(super) fn watch(&self, socket: impl AsFd, number: u64) -> std::io::Result<()> {
        epoll::add(&self.epoll, socket, epoll::EventData::new_u64(number), epoll::EventFlags::IN)?;
        Ok(())
    }

    /// Changes what a socket is watched for. Its closing is reported whatever it is.
    pub(super) fn change(
        &self,
        socket: impl AsFd,
        number: u64,
        input: bool,
        output: bool,
    ) -> std::io::Result<()> {
        let mut flags = epoll::EventFlags::empty();
        flags.set(epoll::EventFlags::IN, input);
        flags.set(epoll::EventFlags::OUT, output);
        epoll::modify(&self.epoll, socket, epoll::EventData::new_u64(number), flags)?;
        Ok(())
    }

    /// Waits until a socket is ready or an event is there, at most for `longest`; the numbers of ready sockets, and whether each can be
    /// read, can be written, is closed.
    pub(super) fn wait(&mut self, longest: Duration) -> Vec<(u64, Ready)> {
        self.ready.clear();
        let longest = Timespec { tv_sec: longest.as_secs() as i64, tv_nsec: longest.subsec_nanos().into() };
        // Interrupted, or nothing: the caller comes back.
        let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.ready), Some(&longest));
        let mut reported = Vec::with_capacity(self.ready.len());
        for event in &self.ready {
            let (number, flags) = (event.data.u64(), event.flags);
            if number == WAKER || number == TIMER {
                let mut count = [0; 8];
                let _ =
                    rustix::io::read(if number == WAKER { &*self.waker } else { &self.timer }, &mut count);
                continue;
            }
            reported.push((
                number,
                Ready {
                    input: flags.contains(epoll::EventFlags::IN),
                    output: flags.contains(epoll::EventFlags::OUT),
                    closed: flags.intersects(epoll::EventFlags::HUP | epoll::EventFlags::ERR),
                },
            ));
        }
        reported
    }

    /// Has the wait that comes, or the one after it, end when `longest` is over.
    pub(super) fn wake_after(&self, longest: Duration) {
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: longest.as_secs() as i64, tv_nsec: longest.subsec_nanos().into() },
        };
        // Without it the wait ends with the next event or after a second.
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
    }

    /// The next event of another thread, if one is there.
    pub(super) fn next_event(&self) -> Option<Event> {
        self.inbox.try_recv().ok()
    }
}

/// What a socket is ready for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    pub(super) input: bool,
    pub(super) output: bool,
    /// The other side is gone.
    pub(super) closed: bool,
}
