//! The server: programs that send what they should not, do not read, or die.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine_queue_manager::client::{Client, ClientError};
use engine_queue_manager::{NewQueueManager, create, files, server};
use engine_storage::RealStorage;
use format_protocol::{FRAME_HEADER, MAXIMUM_FRAME, Reply, Request, frame_length};
use format_types::{Expand, ObjectName, Timestamp};

const TIMEOUT: Duration = Duration::from_secs(20);

struct Running {
    dir: PathBuf,
    thread: Option<JoinHandle<()>>,
    _place: tempfile::TempDir,
}

impl Running {
    fn start(below: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join(below);
        std::fs::create_dir_all(dir.parent().unwrap()).unwrap();
        let new = NewQueueManager {
            name: "QM1".parse().unwrap(),
            page_sets: 2,
            page_set_size: 8 << 20,
            expand: Expand::User,
            log_size: 16 << 20,
            active_logs: 3,
            dual_logs: false,
            dual_archives: false,
            buffer_pool: 256 * 4096,
            log_load: 10_000,
            random: [7, 9],
        };
        create(&RealStorage::shared(), &dir, &new, Timestamp(1_000_000)).unwrap();
        let (sender, ready) = channel();
        let run = dir.clone();
        let thread = std::thread::spawn(move || {
            server::run(&RealStorage::shared(), &run, &mut |_| {}, &mut || sender.send(()).unwrap()).unwrap();
        });
        ready.recv_timeout(TIMEOUT).unwrap();
        let running = Self { dir, thread: Some(thread), _place: place };
        running.call(&Request::Mqsc { text: "DEFINE QLOCAL(A)".to_owned() });
        running
    }

    fn client(&self) -> Client {
        Client::connect(&self.dir, "TEST", TIMEOUT).unwrap()
    }

    fn call(&self, request: &Request) -> Reply {
        self.client().call(request).unwrap()
    }

    fn socket(&self) -> UnixStream {
        let stream = UnixStream::connect(self.dir.join(files::SOCKET)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    fn units(&self) -> u32 {
        match self.call(&Request::Status) {
            Reply::Status { units, .. } => units,
            other => panic!("{other:?}"),
        }
    }

    fn wait_for_no_units(&self) {
        let since = Instant::now();
        while self.units() > 0 {
            assert!(since.elapsed() < TIMEOUT, "a unit of a dead program is never backed out");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn stop(mut self) {
        let mut client = self.client();
        assert!(matches!(client.call(&Request::Stop { force: true }), Ok(Reply::Stopping { .. })));
        self.thread.take().unwrap().join().unwrap();
        assert!(!self.dir.join(files::SOCKET).exists() && !self.dir.join(files::PID).exists());
    }
}

fn queue() -> ObjectName {
    "A".parse().unwrap()
}

fn put(body: Vec<u8>, syncpoint: bool) -> Request {
    Request::Put { queue: queue(), priority: None, persistent: None, syncpoint, body }
}

fn get() -> Request {
    Request::Get { queue: queue(), syncpoint: false, message_id: None }
}

fn read_reply(stream: &mut UnixStream) -> Reply {
    let mut header = [0; FRAME_HEADER];
    stream.read_exact(&mut header).unwrap();
    let mut frame = vec![0; frame_length(header).unwrap()];
    stream.read_exact(&mut frame).unwrap();
    Reply::decode(&frame).unwrap()
}

fn expect_refusal_and_end(mut stream: UnixStream) {
    let reply = read_reply(&mut stream);
    assert!(matches!(&reply, Reply::Error { id, .. } if id == "HWT437E"), "{reply:?}");
    assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "the connection stays open");
}

#[test]
fn whoever_sends_what_is_no_request_is_told_and_nobody_else_notices() {
    let running = Running::start("QM1");
    let mut held = running.client();
    held.call(&put(b"held".to_vec(), true)).unwrap();
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xFF; 64],
        &[0, 0, 0, 0, 0, 0],
        &(MAXIMUM_FRAME as u32 + 1).to_be_bytes(),
        &[0, 0, 0, 1, 200],
        &[0, 0, 0, 6, 2, 0, 0, 0, 0, 0],
    ] {
        let mut stream = running.socket();
        stream.write_all(bytes).unwrap();
        expect_refusal_and_end(stream);
    }
    // Half a request, then nothing: no work, no unit, no wait for others.
    let mut half = running.socket();
    half.write_all(&put(vec![1; 1000], true).encode().unwrap()[..500]).unwrap();
    held.call(&Request::Commit).unwrap();
    drop(half);
    running.wait_for_no_units();
    assert!(matches!(running.call(&get()), Reply::Message { body, .. } if body == b"held"));
    assert!(matches!(running.call(&get()), Reply::NoMessage));
    running.stop();
}

#[test]
fn a_request_in_pieces_and_requests_in_one_piece_are_all_answered_in_order() {
    let running = Running::start("QM1");
    let mut stream = running.socket();
    let first = put(b"in pieces".to_vec(), false).encode().unwrap();
    for byte in &first {
        stream.write_all(&[*byte]).unwrap();
    }
    assert!(matches!(read_reply(&mut stream), Reply::Put { .. }));
    let mut together = Vec::new();
    for n in 0..50u8 {
        together.extend(put(vec![n; 100], true).encode().unwrap());
    }
    together.extend(Request::Commit.encode().unwrap());
    together.extend(get().encode().unwrap());
    stream.write_all(&together).unwrap();
    for _ in 0..50 {
        assert!(matches!(read_reply(&mut stream), Reply::Put { .. }));
    }
    assert!(matches!(read_reply(&mut stream), Reply::Committed { .. }));
    assert!(matches!(read_reply(&mut stream), Reply::Message { body, .. } if body == b"in pieces"));
    running.stop();
}

#[test]
fn a_program_that_does_not_read_holds_up_nobody() {
    let running = Running::start("QM1");
    let large: Vec<u8> = (0..4usize << 20).map(|at| at as u8).collect();
    running.call(&put(large.clone(), false));
    let mut lazy: Vec<UnixStream> = (0..4).map(|_| running.socket()).collect();
    for stream in &mut lazy {
        // More replies than any socket takes, and none of them read.
        let browse = Request::Browse { queue: queue(), after: None }.encode().unwrap();
        stream.write_all(&browse.repeat(3)).unwrap();
    }
    let mut client = running.client();
    for n in 0..50u8 {
        let since = Instant::now();
        client.call(&put(vec![n; 100], false)).unwrap();
        assert!(since.elapsed() < Duration::from_secs(5));
    }
    // What they asked for is theirs when they read at last.
    let stream = &mut lazy[0];
    for _ in 0..3 {
        assert!(matches!(read_reply(stream), Reply::Message { body, .. } if body == large));
    }
    drop(lazy.split_off(1));
    running.stop();
}

#[test]
fn units_of_programs_that_die_are_backed_out_at_any_moment() {
    let running = Running::start("QM1");
    running.call(&put(b"stays".to_vec(), false));
    for kind in 0..3 {
        let mut stream = running.socket();
        let in_unit = Request::Get { queue: queue(), syncpoint: true, message_id: None };
        let mut bytes = put(vec![7; 200_000], true).encode().unwrap();
        bytes.extend(in_unit.encode().unwrap());
        stream.write_all(&bytes).unwrap();
        assert!(matches!(read_reply(&mut stream), Reply::Put { .. }));
        if kind > 0 {
            assert!(matches!(read_reply(&mut stream), Reply::Message { .. }));
        }
        if kind > 1 {
            // Dies with half a request sent.
            stream.write_all(&bytes[..1000]).unwrap();
        }
        drop(stream);
        running.wait_for_no_units();
        let browse = Request::Browse { queue: queue(), after: None };
        assert!(matches!(running.call(&browse), Reply::Message { body, .. } if body == b"stays"));
    }
    running.stop();
}

#[test]
fn a_directory_whose_name_is_longer_than_a_socket_address_serves_too() {
    let below = format!("{}/{}/QM1", "d".repeat(100), "e".repeat(100));
    let running = Running::start(&below);
    assert!(running.dir.as_os_str().len() > 200);
    running.call(&put(b"x".to_vec(), false));
    running.stop();
}

#[test]
fn a_reply_that_came_too_late_is_never_taken_for_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let listener = std::os::unix::net::UnixListener::bind(dir.path().join(files::SOCKET)).unwrap();
    let late = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let answer = |stream: &mut UnixStream, reply: &Reply| {
            let mut header = [0; FRAME_HEADER];
            if stream.read_exact(&mut header).is_ok() {
                let mut frame = vec![0; frame_length(header).unwrap()];
                stream.read_exact(&mut frame).unwrap();
                let _ = stream.write_all(&reply.encode().unwrap());
            }
        };
        let hello = Reply::Hello {
            name: "QM1".parse().unwrap(),
            id: format_types::QueueManagerId(7),
            version: format_protocol::VERSION,
        };
        answer(&mut stream, &hello);
        std::thread::sleep(Duration::from_millis(400));
        answer(&mut stream, &Reply::Committed { rba: format_types::Rba(1) });
        answer(&mut stream, &Reply::BackedOut);
    });
    let mut client = Client::connect(Path::new(dir.path()), "TEST", Duration::from_millis(100)).unwrap();
    assert!(matches!(client.call(&Request::Commit), Err(ClientError::Timeout(_))));
    std::thread::sleep(Duration::from_millis(500));
    assert!(matches!(client.call(&Request::Commit), Err(ClientError::Broken(_))));
    drop(client);
    late.join().unwrap();
}
