//! recover --to-rba and --to-time as people run them: what is kept, what is listed, what must be accepted.

#[path = "../../console/testing/at_rest.rs"]
mod at_rest;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use engine_queue_manager::client::Client;
use engine_queue_manager::{NewQueueManager, create, server};
use engine_storage::RealStorage;
use format_protocol::{Reply, Request};
use format_types::{Expand, ObjectName, Rba};
use operation_points::{CreateSettings, create_point};

struct Site {
    dir: tempfile::TempDir,
    server: Option<JoinHandle<()>>,
    /// Bodies of the committed messages in order, with the RBA of the commit.
    committed: Vec<(Rba, Vec<u8>)>,
}

fn queue() -> ObjectName {
    "SYSTEM.DEFAULT.LOCAL.QUEUE".parse().unwrap()
}

impl Site {
    /// A queue manager with a point T1 between messages, stopped.
    fn new() -> Self {
        let mut site = Self { dir: tempfile::tempdir().unwrap(), server: None, committed: Vec::new() };
        let new = NewQueueManager {
            name: "QM1".parse().unwrap(),
            page_sets: 3,
            page_set_size: 1 << 20,
            expand: Expand::User,
            log_size: 1 << 20,
            active_logs: 3,
            dual_logs: true,
            dual_archives: false,
            buffer_pool: 4 << 20,
            log_load: 500,
            random: [1, 2],
        };
        create(&RealStorage::shared(), &site.queue_manager(), &new, server::now()).unwrap();
        site.start();
        site.put(40);
        site.point("T1");
        site.put(60);
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

    fn stop(&mut self) {
        self.client().call(&Request::Stop { force: false }).unwrap();
        self.server.take().unwrap().join().unwrap();
        at_rest::wait_until_free(&self.queue_manager());
    }

    fn client(&self) -> Client {
        Client::connect(&self.queue_manager(), "TEST", Duration::from_secs(30)).unwrap()
    }

    fn point(&self, name: &str) {
        let settings = CreateSettings {
            dir: self.queue_manager(),
            to: self.dir.path().join(name),
            name: None,
            timeout: Duration::from_secs(30),
            include_log: false,
        };
        create_point(&RealStorage::shared(), &settings, server::now(), &|_| {}).unwrap();
    }

    /// Puts messages, each a unit of its own.
    fn put(&mut self, count: usize) {
        let mut client = self.client();
        for _ in 0..count {
            let body =
                format!("message {}", self.committed.len()).repeat(self.committed.len() % 50).into_bytes();
            let request = Request::Put {
                queue: queue(),
                priority: Some(0),
                persistent: Some(true),
                syncpoint: false,
                body: body.clone(),
            };
            let Reply::Put { commit, .. } = client.call(&request).unwrap() else { panic!() };
            self.committed.push((commit, body));
        }
    }

    /// Starts it, looks at every message, and stops it.
    fn check(&mut self) {
        self.start();
        let mut client = self.client();
        let (mut after, mut found) = (None, Vec::new());
        while let Reply::Message { priority, key, body, .. } =
            client.call(&Request::Browse { queue: queue(), after }).unwrap()
        {
            after = Some((priority, key));
            found.push(body);
        }
        drop(client);
        let expected: Vec<Vec<u8>> = self.committed.iter().map(|(_, body)| body.clone()).collect();
        assert_eq!(found.len(), expected.len());
        assert!(found == expected);
        self.stop();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recover"));
        let output = command.args(arguments).current_dir(self.dir.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.queue_manager()).unwrap().map(|entry| entry.unwrap());
        entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
    }

    /// RBA of the commit of message `number`.
    fn commit(&self, number: usize) -> Rba {
        self.committed[number].0
    }
}

#[test]
fn loss_is_listed_and_nothing_touched_until_it_is_accepted() {
    let mut site = Site::new();
    let target = site.commit(70).to_string();
    let before = site.files();
    let (code, out, err) = site.run(&["QM1", "--from", "T1", "--to-rba", &target]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT529E") && err.contains("--accept-loss"), "{err}");
    let listed = [
        format!("HWT540I TARGET RBA {target}, LOG CUT AT {target}, "),
        format!("HWT539W COMMITS LOST 30, THE FIRST {target} AT 20"),
        format!("THE LAST {} AT 20", site.commit(99)),
        "HWT508I MESSAGES PUT AND LOST 30, GOT AND BACK AGAIN 0, DEFINITIONS LOST 0".to_owned(),
        "HWT509I UNITS OF RECOVERY BACKED OUT 1, LEFT IN DOUBT 0".to_owned(),
        "HWT555I WOULD RESTORE PAGE SETS 00 01 02".to_owned(),
    ];
    for part in &listed {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(out.contains(" BY TEST"), "{out}");
    assert!(site.files() == before, "something was touched");

    // A dry run says the same, accepted or not, and is a warning.
    for accepted in [&["--dry-run"][..], &["--dry-run", "--accept-loss"]] {
        let dry = site.run(&[&["QM1", "--from", "T1", "--to-rba", &target], accepted].concat());
        assert_eq!((dry.0, dry.1.as_str(), dry.2.as_str()), (4, out.as_str(), ""));
        assert!(site.files() == before, "something was touched");
    }

    let (code, done, err) = site.run(&["QM1", "--from", "T1", "--to-rba", &target, "--accept-loss"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for part in
        listed[..5].iter().map(String::as_str).chain(["HWT296I THE LOG GOES ON IN HISTORY 2-", "HWT558I QM1"])
    {
        assert!(done.contains(part), "{part}: {done}");
    }
    site.committed.truncate(70);
    site.check();
}

#[test]
fn to_rba_decides_what_is_kept() {
    let mut site = Site::new();
    // One byte behind where the record begins, its unit is in; then again without it, from the same point.
    for kept in [81, 80] {
        let target = Rba(site.commit(80).0 + (kept as u64 - 80)).to_string();
        let (code, out, err) =
            site.run(&["QM1", "--from", "T1", "--to-rba", &target, "--accept-loss", "--json"]);
        assert_eq!(code, 0, "{err}");
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document["recovered"], true);
        assert_eq!(document["cut"]["target"], target.as_str());
        assert_eq!(document["cut"]["commits_lost"], site.committed.len() - kept);
        site.committed.truncate(kept);
        site.check();
    }
    // And without it all of the new line comes back.
    let (code, out, err) = site.run(&["QM1", "--from", "T1"]);
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("HWT540I"), "{out}");
    site.check();
}

#[test]
fn to_time_is_before_the_first_commit_that_is_later() {
    let mut site = Site::new();
    let dry =
        site.run(&["QM1", "--from", "T1", "--to-rba", &site.commit(75).to_string(), "--dry-run", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&dry.1).unwrap();
    let first_lost = document["cut"]["first"]["at"].as_str().unwrap().to_owned();
    // At exactly its time that commit is not later, and is kept.
    let arguments = |time: &str| -> Vec<String> {
        ["QM1", "--from", "T1", "--accept-loss", "--json", "--to-time", time].map(str::to_owned).to_vec()
    };
    let at = arguments(&first_lost);
    let at: Vec<&str> = at.iter().map(String::as_str).collect();
    let listed = site.run(&[&at[..], &["--dry-run"]].concat());
    let kept: serde_json::Value = serde_json::from_str(&listed.1).unwrap();
    assert!(kept["cut"]["commits_lost"].as_u64().unwrap() < 25, "{}", listed.1);
    let (code, out, err) = site.run(&at);
    assert_eq!(code, 0, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let lost = document["cut"]["commits_lost"].as_u64().unwrap() as usize;
    assert!((1..25).contains(&lost), "{out}");
    site.committed.truncate(100 - lost);
    assert!(site.committed.len() > 75);
    site.check();

    let future = site.run(&["QM1", "--from", "T1", "--to-time", "2999-01-01T00:00:00Z", "--accept-loss"]);
    assert!(future.0 == 12 && future.2.starts_with("HWT528E"), "{}", future.2);
    let past = site.run(&["QM1", "--from", "T1", "--to-time", "2001-01-01T00:00:00+01:00", "--accept-loss"]);
    assert!(past.0 == 12 && past.2.starts_with("HWT527E"), "{}", past.2);
}

#[test]
fn points_from_behind_the_cut_are_refused_and_new_ones_serve() {
    let mut site = Site::new();
    site.start();
    site.point("T2");
    site.put(5);
    site.stop();
    let target = site.commit(60).to_string();
    // The later point does not serve an earlier target.
    let late = site.run(&["QM1", "--from", "T2", "--to-rba", &target, "--accept-loss"]);
    assert!(late.0 == 12 && late.2.starts_with("HWT527E"), "{}", late.2);
    assert_eq!(site.run(&["QM1", "--from", "T1", "--to-rba", &target, "--accept-loss"]).0, 0);
    site.committed.truncate(60);
    let off = site.run(&["QM1", "--from", "T2"]);
    assert!(off.0 == 12 && off.2.starts_with("HWT525E") && off.2.contains("was cut at"), "{}", off.2);
    site.start();
    site.put(10);
    site.point("T3");
    site.put(10);
    site.stop();
    assert_eq!(site.run(&["QM1", "--from", "T3"]).0, 0);
    site.check();
    let target = site.commit(75).to_string();
    assert_eq!(site.run(&["QM1", "--from", "T3", "--to-rba", &target, "--accept-loss"]).0, 0);
    site.committed.truncate(75);
    site.check();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let site = Site::new();
    let before = site.files();
    for (arguments, id) in [
        (&["--to-rba", "FFFFFFFFFFFF"][..], "HWT526E"),
        (&["--to-rba", "1"], "HWT527E"),
        (&["--to-rba", "XYZ"], "HWT700E"),
        (&["--to-time", "yesterday"], "HWT700E"),
        (&["--to-time", "2026-11-22T10:00:00"], "HWT700E"),
        (&["--to-rba", "1", "--to-time", "2026-11-22T10:00:00Z"], "HWT700E"),
        (&["--to-rba", "1", "--logs-lost"], "HWT700E"),
        (&["--to-time", "2026-11-22T10:00:00Z", "--archives", "A"], "HWT700E"),
    ] {
        let (code, out, err) = site.run(&[&["QM1", "--from", "T1"], arguments, &["--accept-loss"]].concat());
        assert_eq!((code, out.as_str()), (12, ""), "{arguments:?}: {err}");
        assert!(err.starts_with(id), "{arguments:?}: {err}");
    }
    let target = site.commit(70).to_string();
    let alone = site.run(&["QM1", "--from", "T1", "--psid", "2", "--to-rba", &target, "--accept-loss"]);
    assert!(alone.0 == 12 && alone.2.starts_with("HWT520E"), "{}", alone.2);
    assert!(alone.2.contains("HWT293E PAGE 0"), "the page is not named: {}", alone.2);
    assert!(site.files() == before, "something was touched");
}
