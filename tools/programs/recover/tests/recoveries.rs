//! recover as people run it: after a loss, killed on the way, refused.

#[path = "../../console/testing/at_rest.rs"]
mod at_rest;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use engine_queue_manager::client::Client;
use engine_queue_manager::{NewQueueManager, create, server};
use engine_storage::{RealStorage, Storage};
use format_protocol::{Reply, Request};
use format_types::{Expand, ObjectName};
use operation_points::{CreateSettings, create_point};

struct Site {
    dir: tempfile::TempDir,
    server: Option<JoinHandle<()>>,
    put: usize,
}

fn queue() -> ObjectName {
    "SYSTEM.DEFAULT.LOCAL.QUEUE".parse().unwrap()
}

fn body(number: usize) -> Vec<u8> {
    format!("message {number} ").into_bytes().repeat(number % 300)
}

impl Site {
    /// A queue manager with a point T1 between messages, stopped.
    fn with_point() -> Self {
        let mut site = Self { dir: tempfile::tempdir().unwrap(), server: None, put: 0 };
        let new = NewQueueManager {
            name: "QM1".parse().unwrap(),
            page_sets: 3,
            page_set_size: 1 << 20,
            expand: Expand::User,
            log_size: 1 << 20,
            active_logs: 3,
            dual_logs: true,
            dual_archives: true,
            buffer_pool: 4 << 20,
            log_load: 500,
            random: [1, 2],
        };
        create(&RealStorage::shared(), &site.queue_manager(), &new, server::now()).unwrap();
        site.start();
        site.put(300);
        let settings = CreateSettings {
            dir: site.queue_manager(),
            to: site.dir.path().join("T1"),
            name: None,
            timeout: Duration::from_secs(30),
            include_log: false,
        };
        create_point(&RealStorage::shared(), &settings, server::now(), &|_| {}).unwrap();
        site.put(600);
        site.stop();
        site
    }

    fn queue_manager(&self) -> PathBuf {
        self.dir.path().join("QM1")
    }

    fn start(&mut self) {
        let dir = self.queue_manager();
        let (sender, ready) = std::sync::mpsc::channel();
        self.server = Some(std::thread::spawn(move || {
            let mut tell = || sender.send(()).unwrap();
            server::run(&RealStorage::shared(), &dir, &mut |_| {}, &mut tell).unwrap();
        }));
        ready.recv_timeout(Duration::from_secs(30)).unwrap();
    }

    fn client(&self) -> Client {
        Client::connect(&self.queue_manager(), "TEST", Duration::from_secs(30)).unwrap()
    }

    fn put(&mut self, count: usize) {
        let mut client = self.client();
        for number in self.put..self.put + count {
            let request = Request::Put {
                queue: queue(),
                priority: None,
                persistent: Some(true),
                syncpoint: true,
                body: body(number),
            };
            assert!(matches!(client.call(&request).unwrap(), Reply::Put { .. }));
            if number % 20 == 19 {
                client.call(&Request::Commit).unwrap();
            }
        }
        client.call(&Request::Commit).unwrap();
        self.put += count;
    }

    /// Starts it and looks at every message.
    fn check(&mut self) {
        self.start();
        let mut client = self.client();
        let mut after = None;
        let mut count = 0;
        while let Reply::Message { priority, key, body: found, .. } =
            client.call(&Request::Browse { queue: queue(), after }).unwrap()
        {
            assert!(found == body(count), "message {count}");
            after = Some((priority, key));
            count += 1;
        }
        assert_eq!(count, self.put);
        drop(client);
        self.put(10);
        self.stop();
    }

    fn stop(&mut self) {
        self.client().call(&Request::Stop { force: false }).unwrap();
        self.server.take().unwrap().join().unwrap();
        at_rest::wait_until_free(&self.queue_manager());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recover"));
        command.args(arguments).current_dir(self.dir.path());
        command
    }

    fn recover(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn lose(&self, numbers: &[u8]) {
        for number in numbers {
            fs::remove_file(self.queue_manager().join(format!("PSID0{number}"))).unwrap();
        }
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.queue_manager()).unwrap().map(|entry| entry.unwrap());
        entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
    }

    fn refused(&self, arguments: &[&str], id: &str) {
        let before = self.files();
        let (code, out, err) = self.recover(arguments);
        assert_eq!((code, out.as_str()), (12, ""), "{err}");
        assert!(err.starts_with(id), "{err}");
        assert!(self.files() == before, "something was touched: {err}");
    }
}

#[test]
fn all_page_sets_are_lost_and_every_message_comes_back() {
    let mut site = Site::with_point();
    site.lose(&[0, 1, 2]);
    let (code, out, err) = site.recover(&["QM1", "--from", "T1"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for part in [
        "HWT554I RECOVERY POINT T1, LOG NEEDED ",
        "CSQR030I QM1 ",
        "HWT556I PAGE SETS 00 01 02 RESTORED",
        "HWT557I LOG ",
        "HWT558I QM1 RECOVERED",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!site.files().keys().any(|name| name.contains("replaced") || name.contains("restoring")));
    site.check();
}

#[test]
fn one_page_set_and_json_and_a_small_pool() {
    let mut site = Site::with_point();
    site.lose(&[1]);
    let arguments = ["QM1", "--from", "T1", "--psid", "1", "--buffer-pool", "512KiB", "--json"];
    let (code, out, err) = site.recover(&arguments);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(document["page_sets"], serde_json::json!([1]));
    assert!(document["recovered"] == true && document["log_records"].as_u64().unwrap() > 600, "{out}");
    assert_eq!(document["log_needed"]["start"].as_str().unwrap().len(), 16);
    site.check();
}

#[test]
fn killed_again_and_again_it_finishes_in_the_end() {
    let mut site = Site::with_point();
    site.lose(&[0, 2]);
    for round in 0..25u64 {
        let mut child = site
            .command(&["QM1", "--from", "T1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(2 + round * 3));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (code, _, err) = site.recover(&["QM1", "--from", "T1"]);
    assert_eq!(code, 0, "{err}");
    assert!(!site.files().keys().any(|name| name.contains("replaced") || name.contains("restoring")));
    site.check();
}

#[test]
fn a_running_queue_manager_is_never_recovered() {
    let mut site = Site::with_point();
    site.start();
    let (code, _, err) = site.recover(&["QM1", "--from", "T1"]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT518E") && err.contains("qmgr stop"), "{err}");
    site.stop();
    site.check();
}

#[test]
fn archives_below_the_need_may_go_and_those_at_it_may_not() {
    let mut site = Site::with_point();
    site.lose(&[1]);
    let storage = RealStorage::shared();
    let point = operation_points::Point::open(&storage, &site.dir.path().join("T1")).unwrap();
    let need = point.manifest.log_needed_from();
    let bsds = engine_log::read_bsds(&storage, &site.queue_manager()).unwrap();
    for archive in bsds.archives.iter().filter(|archive| archive.range.end <= need) {
        fs::remove_file(site.queue_manager().join(&archive.name)).unwrap();
    }
    let archived: Vec<String> =
        bsds.archives.iter().filter(|archive| archive.range.contains(need)).map(|a| a.name.clone()).collect();
    let active: Vec<String> = bsds
        .active_logs
        .iter()
        .filter(|log| log.range.is_some_and(|range| range.contains(need)))
        .map(|log| log.name.clone())
        .collect();
    assert_eq!(archived.len(), 2, "dual archives");
    let holding: Vec<String> = archived.into_iter().chain(active).collect();
    let aside = site.dir.path().join("aside");
    fs::create_dir(&aside).unwrap();
    for name in &holding {
        fs::rename(site.queue_manager().join(name), aside.join(name)).unwrap();
    }
    site.refused(&["QM1", "--from", "T1"], "HWT516E");
    fs::rename(aside.join(&holding[1]), site.queue_manager().join(&holding[1])).unwrap();
    // A current active log without its file stops the start; archives alone do not.
    for name in holding.iter().filter(|name| name.starts_with("LOGCOPY")) {
        fs::rename(aside.join(name), site.queue_manager().join(name)).unwrap();
    }
    assert_eq!(site.recover(&["QM1", "--from", "T1"]).0, 0, "the second copy serves");
    site.check();
}

#[test]
fn what_stands_against_it_is_named_and_nothing_is_touched() {
    let site = Site::with_point();
    let lock = RealStorage::new().lock(&site.queue_manager().join("LOCK")).unwrap().unwrap();
    site.refused(&["QM1", "--from", "T1"], "HWT518E");
    drop(lock);
    site.refused(&["QM1", "--from", "T9"], "HWT512E");
    site.refused(&["QM1", "--from", "T1", "--psid", "7"], "HWT519E");
    site.refused(&["QM1", "--from", "T1", "--psid", "100"], "HWT700E");
    site.refused(&["QM1"], "HWT700E");
    site.refused(&["QM9", "--from", "T1"], "HWT566E");
    site.refused(&["QM1", "--from", "T1", "--buffer-pool", "4096"], "HWT559E");
    let copy = site.dir.path().join("T1/PSID01");
    let mut bytes = fs::read(&copy).unwrap();
    bytes[20 * 4096 + 5] ^= 1;
    fs::write(&copy, &bytes).unwrap();
    site.refused(&["QM1", "--from", "T1"], "HWT515E");
    let (_, _, err) = site.recover(&["QM1", "--from", "T1"]);
    assert!(err.contains("page set 01 page 00000014"), "{err}");
    fs::write(&copy, &bytes[..100 * 4096]).unwrap();
    site.refused(&["QM1", "--from", "T1"], "HWT515E");
    let (code, out, _) = site.recover(&["QM1", "--from", "T1", "--psid", "0", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(out.contains("HWT555I WOULD RESTORE PAGE SETS 00"), "{out}");
    site.lose(&[2]);
    site.refused(&["QM1", "--from", "T1", "--psid", "0"], "HWT520E");
}
