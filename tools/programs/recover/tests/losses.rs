//! recover where more than page sets is lost: at another site, from a point that holds its log, without logs, without a BSDS.

#[path = "../../console/testing/at_rest.rs"]
mod at_rest;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use engine_queue_manager::client::Client;
use engine_queue_manager::{NewQueueManager, create, server};
use engine_storage::RealStorage;
use format_protocol::{Reply, Request};
use format_types::Expand;
use operation_points::{CreateSettings, FullSettings, create_full_point, create_point};

struct Site {
    dir: tempfile::TempDir,
    server: Option<JoinHandle<()>>,
    put: usize,
}

fn body(number: usize) -> Vec<u8> {
    format!("message {number} ").into_bytes().repeat(1 + number % 100)
}

fn put_one(client: &mut Client, number: usize) {
    let request = Request::Put {
        queue: "SYSTEM.DEFAULT.LOCAL.QUEUE".parse().unwrap(),
        priority: None,
        persistent: Some(true),
        syncpoint: false,
        body: body(number),
    };
    assert!(matches!(client.call(&request).unwrap(), Reply::Put { .. }));
}

impl Site {
    fn new() -> Self {
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
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn queue_manager(&self) -> PathBuf {
        self.path("QM1")
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

    fn stop(&mut self) {
        self.client().call(&Request::Stop { force: false }).unwrap();
        self.server.take().unwrap().join().unwrap();
        at_rest::wait_until_free(&self.queue_manager());
    }

    fn client(&self) -> Client {
        Client::connect(&self.queue_manager(), "TEST", Duration::from_secs(30)).unwrap()
    }

    fn put(&mut self, count: usize) {
        let mut client = self.client();
        for number in self.put..self.put + count {
            put_one(&mut client, number);
        }
        self.put += count;
    }

    fn archive(&self) {
        let request = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
        assert!(matches!(self.client().call(&request).unwrap(), Reply::LogArchived { .. }));
    }

    fn make_point(&self, include_log: bool) {
        let settings = CreateSettings {
            dir: self.queue_manager(),
            to: self.path("T1"),
            name: None,
            timeout: Duration::from_secs(30),
            include_log,
        };
        create_point(&RealStorage::shared(), &settings, server::now(), &|_| {}).unwrap();
    }

    /// Messages in order, all there: how many.
    fn browse(&self) -> usize {
        let mut client = self.client();
        let mut after = None;
        let mut count = 0;
        let queue: format_types::ObjectName = "SYSTEM.DEFAULT.LOCAL.QUEUE".parse().unwrap();
        while let Reply::Message { priority, key, body: found, .. } =
            client.call(&Request::Browse { queue: queue.clone(), after }).unwrap()
        {
            assert!(found == body(count), "message {count}");
            after = Some((priority, key));
            count += 1;
        }
        count
    }

    /// Starts it, finds `held` messages, and goes on.
    fn holds(&mut self, held: usize) {
        self.start();
        assert_eq!(self.browse(), held);
        self.put = held;
        self.put(20);
        self.stop();
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

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let (_, out, err) = self.recover(&[arguments, &["--json"]].concat());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"))
    }

    /// Starts the program again and again and kills it; then lets it finish.
    fn kill_and_finish(&self, arguments: &[&str]) {
        for round in 0..12u64 {
            let mut child =
                self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(3 + round * 6));
            let _ = child.kill();
            child.wait().unwrap();
            if self.queue_manager().join("BSDS02").exists() {
                return;
            }
        }
        let (code, _, err) = self.recover(arguments);
        assert_eq!(code, 0, "{err}");
    }

    /// Everything below the site's directory, the locks' files apart.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        collect(self.dir.path(), &mut all);
        all
    }

    fn refused(&self, arguments: &[&str], id: &str) -> String {
        let before = self.everything();
        let (code, _, err) = self.recover(arguments);
        assert_eq!(code, 12, "{err}");
        assert!(err.starts_with(id), "{err}");
        assert!(self.everything() == before, "something was touched: {err}");
        err
    }
}

fn collect(dir: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            all.insert(entry.path(), Vec::new());
            collect(&entry.path(), all);
        } else if entry.file_name() != "LOCK" {
            all.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
}

/// A point, archives carried elsewhere, and the queue manager gone; so many messages were carried.
fn carried() -> (Site, usize) {
    let mut site = Site::new();
    site.put(200);
    site.make_point(false);
    site.put(1500);
    site.archive();
    let held = site.put;
    site.put(30);
    site.stop();
    fs::create_dir(site.path("ARCH")).unwrap();
    for entry in fs::read_dir(site.queue_manager()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("ARCHLOG") {
            fs::copy(entry.path(), site.path("ARCH").join(entry.file_name())).unwrap();
        }
    }
    fs::remove_dir_all(site.queue_manager()).unwrap();
    (site, held)
}

#[test]
fn at_another_site_from_archives() {
    let (mut site, held) = carried();
    let to = ["QM1", "--from", "T1", "--archives", "ARCH"];
    // Without the archives there is nothing to bring the point forward with.
    site.refused(&to[..3], "HWT566E");
    // Loss must be accepted: listed, and nothing done.
    let err = site.refused(&to, "HWT563E");
    assert!(err.contains("--accept-loss"), "{err}");
    let (code, out, _) = site.recover(&to);
    assert_eq!(code, 12);
    assert!(out.contains("HWT560W LOG AFTER RBA ") && out.contains("HWT575I WOULD MAKE QM1"), "{out}");
    let document = site.json(&to);
    assert_eq!((&document["recovered"], &document["condition_code"]), (&false.into(), &12.into()));
    assert!(document["last_record_at"].is_string(), "{document}");
    let accepted = [&to[..], &["--accept-loss"]].concat();
    let (code, out, _) = site.recover(&[&accepted[..], &["--dry-run"]].concat());
    assert_eq!(code, 0);
    assert!(out.contains("HWT575I") && !site.queue_manager().exists(), "{out}");
    // The newest archive cannot be read in either copy: it is named beside what is lost.
    let newest = |copy: u8| {
        let names = fs::read_dir(site.path("ARCH")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(&format!("ARCHLOG{copy}.A"))).max().unwrap()
    };
    let kept: Vec<(String, Vec<u8>)> = [newest(1), newest(2)]
        .map(|name| (name.clone(), fs::read(site.path("ARCH").join(name)).unwrap()))
        .to_vec();
    for (name, bytes) in &kept {
        fs::write(site.path("ARCH").join(name), vec![0; bytes.len()]).unwrap();
    }
    let (code, out, _) = site.recover(&[&accepted[..], &["--dry-run"]].concat());
    assert_eq!(code, 4, "{out}");
    for (name, bytes) in &kept {
        assert!(out.contains(&format!("HWT901W {name} IS LEFT OUT: it holds no log")), "{out}");
        fs::write(site.path("ARCH").join(name), bytes).unwrap();
    }
    // An empty directory is as good as none.
    fs::create_dir(site.queue_manager()).unwrap();
    site.kill_and_finish(&accepted);
    assert!(!site.path("QM1.making").exists());
    site.refused(&accepted, "HWT571E");
    site.holds(held);
}

#[test]
fn a_missing_or_damaged_archive_is_named() {
    let (mut site, held) = carried();
    let to = ["QM1", "--from", "T1", "--archives", "ARCH", "--accept-loss"];
    let point = operation_points::Point::open(&RealStorage::shared(), &site.path("T1")).unwrap();
    let storage = RealStorage::shared();
    let survey = engine_log::LogSurvey::of(&storage, &site.path("ARCH"), &mut |_, _| {}).unwrap();
    let needed = point.manifest.log_needed_from();
    let holding: Vec<String> = survey
        .files
        .iter()
        .filter(|file| file.content.is_some_and(|content| content.range().contains(needed)))
        .map(|file| file.name.clone())
        .collect();
    assert_eq!(holding.len(), 2, "two copies of an archive");
    fs::rename(site.path("ARCH").join(&holding[0]), site.path("ASIDE")).unwrap();
    let other = site.path("ARCH").join(&holding[1]);
    let bytes = fs::read(&other).unwrap();
    let mut bad = bytes.clone();
    let last = bad.len() - 8000;
    bad[last] ^= 1;
    fs::write(&other, bad).unwrap();
    let err = site.refused(&to, "HWT516E");
    assert!(err.contains(&holding[1]), "{err}");
    fs::write(&other, bytes).unwrap();
    site.recover(&to);
    site.holds(held);
}

#[test]
fn from_a_point_that_holds_its_log_made_under_load() {
    let mut site = Site::new();
    site.put(300);
    let (before, done) = (site.put, AtomicBool::new(false));
    let put = AtomicUsize::new(before);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = site.client();
            while !done.load(Ordering::Relaxed) {
                let number = put.load(Ordering::Relaxed);
                put_one(&mut client, number);
                put.store(number + 1, Ordering::Relaxed);
            }
        });
        site.make_point(true);
        done.store(true, Ordering::Relaxed);
    });
    site.put = put.into_inner();
    site.put(50);
    site.stop();
    let all = site.put;
    fs::rename(site.queue_manager(), site.path("ORIGINAL")).unwrap();
    // Only the option makes the difference: loss behind the point is told, and nobody has to accept it.
    let (code, out, err) = site.recover(&["QM1", "--from", "T1"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("HWT560W") && out.contains("HWT558I QM1 RECOVERED"), "{out}");
    site.start();
    let held = site.browse();
    assert!(held >= before && held < all, "{held} of {before} to {all}");
    site.put = held;
    site.put(10);
    site.stop();
    // The original is untouched and goes on.
    fs::rename(site.queue_manager(), site.path("COPY")).unwrap();
    fs::rename(site.path("ORIGINAL"), site.queue_manager()).unwrap();
    site.holds(all);
}

#[test]
fn killed_again_and_again_a_point_becomes_a_queue_manager_in_the_end() {
    let mut site = Site::new();
    site.put(800);
    site.make_point(true);
    let held = site.put;
    site.stop();
    fs::remove_dir_all(site.queue_manager()).unwrap();
    site.kill_and_finish(&["QM1", "--from", "T1"]);
    site.holds(held);
}

#[test]
fn logs_are_lost() {
    let mut site = Site::new();
    site.put(400);
    site.make_point(false);
    site.put(100);
    site.stop();
    let full = FullSettings {
        dir: site.queue_manager(),
        to: site.path("F1"),
        name: "F1".to_owned(),
        allow_in_doubt: false,
        include_log: false,
    };
    create_full_point(&RealStorage::shared(), &full, &[], Duration::from_secs(30), server::now(), &|_| {})
        .unwrap();
    let held = site.put;
    site.start();
    site.put(100);
    site.stop();
    let lost = ["QM1", "--from", "F1", "--logs-lost"];
    let accepted = [&lost[..], &["--accept-loss"]].concat();
    // Nothing is lost yet.
    site.refused(&accepted, "HWT570E");
    for entry in fs::read_dir(site.queue_manager()).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if ["LOGCOPY", "ARCHLOG"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let err = site.refused(&["QM1", "--from", "T1", "--logs-lost", "--accept-loss"], "HWT569E");
    assert!(err.contains("fuzzy"), "{err}");
    site.refused(&lost, "HWT563E");
    let (_, out, _) = site.recover(&lost);
    assert!(
        out.contains("HWT560W") && out.contains("HWT561W") && out.contains("HWT574I QM1 IS KEPT AS"),
        "{out}"
    );
    // Without the option the log is wanted.
    assert_eq!(site.recover(&["QM1", "--from", "F1"]).0, 12);
    let before = fs::read(site.queue_manager().join("PSID01")).unwrap();
    let (code, _, err) = site.recover(&accepted);
    assert_eq!(code, 0, "{err}");
    assert_eq!(fs::read(site.path("QM1.lost").join("PSID01")).unwrap(), before);
    site.holds(held);
}

#[test]
fn both_copies_of_the_bsds_are_lost() {
    let mut site = Site::new();
    site.put(300);
    site.make_point(false);
    site.put(1800);
    site.stop();
    let rebuild = ["QM1", "--rebuild-bsds"];
    site.refused(&rebuild, "HWT239E");
    for name in ["BSDS01", "BSDS02"] {
        fs::remove_file(site.queue_manager().join(name)).unwrap();
    }
    let document = site.json(&[&rebuild[..], &["--dry-run"]].concat());
    assert_eq!(document["rebuilt"], false);
    assert!(
        document["made_from"].as_str().unwrap().starts_with("ARCHLOG")
            && !site.queue_manager().join("BSDS01").exists()
    );
    let log = site.queue_manager().join("LOGCOPY1.DS02");
    fs::rename(&log, site.path("ASIDE")).unwrap();
    let err = site.refused(&rebuild, "HWT572E");
    assert!(err.contains("LOGCOPY1.DS02"), "{err}");
    fs::rename(site.path("ASIDE"), &log).unwrap();
    let (code, out, err) = site.recover(&rebuild);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for id in ["HWT576I BSDS MADE FROM ARCHLOG", "HWT577I", "HWT579I", "HWT243I"] {
        assert!(out.contains(id), "{id}: {out}");
    }
    let held = site.put;
    site.holds(held);

    // An archive and a copy of the BSDS that hold nothing any more are named; nobody needs that log.
    let first = |start: &str| {
        let names = fs::read_dir(site.queue_manager()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(start)).min().unwrap()
    };
    let (archive, beside) = (first("ARCHLOG1.A"), first("ARCHLOG1.B"));
    for name in ["BSDS01", "BSDS02"] {
        fs::remove_file(site.queue_manager().join(name)).unwrap();
    }
    for name in [&archive, &beside] {
        let path = site.queue_manager().join(name);
        let length = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![0; length as usize]).unwrap();
    }
    let document = site.json(&[&rebuild[..], &["--dry-run"]].concat());
    assert_eq!(document["condition_code"], 4, "{document}");
    assert_eq!(document["unusable"][0]["name"], archive.as_str(), "{document}");
    let (code, out, _) = site.recover(&rebuild);
    assert_eq!(code, 4, "{out}");
    for name in [&archive, &beside] {
        assert!(out.contains(&format!("HWT901W {name} IS LEFT OUT: it holds no ")), "{out}");
    }
    let held = site.put;
    site.holds(held);

    // The same with a log accepted as lost: its other copy has everything here.
    for name in ["BSDS01", "BSDS02", "LOGCOPY1.DS02"] {
        fs::remove_file(site.queue_manager().join(name)).unwrap();
    }
    let (code, out, _) = site.recover(&[&rebuild[..], &["--accept-loss"]].concat());
    assert_eq!(code, 4, "{out}");
    assert!(out.contains("HWT578W LOGCOPY1.DS02 is not here: LOG"), "{out}");
    let held = site.put;
    site.holds(held);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let site = Site { dir: tempfile::tempdir().unwrap(), server: None, put: 0 };
    for arguments in [
        &["QM1"][..],
        &["QM1", "--from", "T1", "--rebuild-bsds"],
        &["QM1", "--from", "T1", "--psid", "1", "--archives", "A"],
        &["QM1", "--from", "T1", "--psid", "1", "--logs-lost"],
        &["QM1", "--from", "T1", "--archives", "A", "--logs-lost"],
    ] {
        site.refused(arguments, "HWT700E");
    }
}
