//! A queue manager on a thread of the test. Included by the tests of programs that talk to one.

#![allow(dead_code, reason = "each test program uses a part of it")]

#[path = "at_rest.rs"]
mod at_rest;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use engine_queue_manager::client::Client;
use engine_queue_manager::{NewQueueManager, create, server};
use engine_storage::RealStorage;
use format_protocol::{Reply, Request};
use format_types::Expand;

/// A queue manager, stopped at the end.
pub(crate) struct Server {
    dir: tempfile::TempDir,
    path: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Creates and starts it.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("QM1");
        let new = NewQueueManager {
            name: "QM1".parse().unwrap(),
            page_sets: 3,
            page_set_size: 1 << 20,
            expand: Expand::User,
            log_size: 1 << 20,
            active_logs: 3,
            dual_logs: false,
            dual_archives: false,
            buffer_pool: 1 << 20,
            log_load: 100_000,
            random: [1, 2],
        };
        create(&RealStorage::shared(), &path, &new, server::now()).unwrap();
        let (sender, ready) = channel();
        let run = path.clone();
        let thread = std::thread::spawn(move || {
            server::run(&RealStorage::shared(), &run, &mut |_| {}, &mut || sender.send(()).unwrap()).unwrap();
        });
        ready.recv_timeout(Duration::from_secs(20)).unwrap();
        Self { dir, path, thread: Some(thread) }
    }

    /// Its directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection to it.
    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.path, "TEST", Duration::from_secs(20)).unwrap()
    }

    /// Puts a message that is committed.
    pub(crate) fn put(&self, syncpoint: bool, client: &mut Client) {
        let queue = "SYSTEM.DEFAULT.LOCAL.QUEUE".parse().unwrap();
        let request = Request::Put { queue, priority: None, persistent: None, syncpoint, body: vec![7; 100] };
        assert!(matches!(client.call(&request), Ok(Reply::Put { .. })));
    }

    /// Stops it.
    pub(crate) fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = self.client().call(&Request::Stop { force: true });
            thread.join().unwrap();
            at_rest::wait_until_free(&self.path);
        }
    }

    /// Runs a program with the directory as its first argument.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program).arg(&self.path).args(arguments).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}
