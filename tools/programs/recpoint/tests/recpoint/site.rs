//! A queue manager that runs in this process, and recpoint beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use engine_queue_manager::client::Client;
use engine_queue_manager::{NewQueueManager, create, server};
use engine_storage::RealStorage;
use format_protocol::{Reply, Request};
use format_types::Expand;

pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    server: Option<JoinHandle<()>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(false)
    }

    /// With two copies of everything.
    pub(crate) fn with(dual: bool) -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap(), server: None };
        let new = NewQueueManager {
            name: "QM1".parse().unwrap(),
            page_sets: 3,
            page_set_size: 1 << 20,
            expand: Expand::User,
            log_size: 1 << 20,
            active_logs: 3,
            dual_logs: dual,
            dual_archives: dual,
            buffer_pool: 4 << 20,
            log_load: 1000,
            random: [1, 2],
        };
        create(&RealStorage::shared(), &site.queue_manager(), &new, server::now()).unwrap();
        site
    }

    pub(crate) fn queue_manager(&self) -> PathBuf {
        self.dir.path().join("QM1")
    }

    pub(crate) fn start(&mut self) {
        let dir = self.queue_manager();
        let (sender, ready) = std::sync::mpsc::channel();
        self.server = Some(std::thread::spawn(move || {
            let mut tell = || sender.send(()).unwrap();
            server::run(&RealStorage::shared(), &dir, &mut |_| {}, &mut tell).unwrap();
        }));
        ready.recv_timeout(Duration::from_secs(30)).unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.queue_manager(), "TEST", Duration::from_secs(30)).unwrap()
    }

    pub(crate) fn put(&self, count: usize) {
        let mut client = self.client();
        for number in 0..count {
            let request = Request::Put {
                queue: "SYSTEM.DEFAULT.LOCAL.QUEUE".parse().unwrap(),
                priority: None,
                persistent: Some(true),
                syncpoint: false,
                body: vec![number as u8; 1000],
            };
            assert!(matches!(client.call(&request).unwrap(), Reply::Put { .. }));
        }
    }

    pub(crate) fn stop(&mut self) {
        self.client().call(&Request::Stop { force: false }).unwrap();
        self.server.take().unwrap().join().unwrap();
        crate::at_rest::wait_until_free(&self.queue_manager());
    }

    pub(crate) fn recpoint(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_recpoint"))
            .args(arguments)
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let (_, out, err) = self.recpoint(&[arguments, &["--json"]].concat());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"))
    }
}

pub(crate) fn flip(path: &Path, at: usize) {
    use std::os::unix::fs::FileExt;
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at as u64).unwrap();
    file.write_all_at(&[byte[0] ^ 2], at as u64).unwrap();
}
