//! Full recovery points of real processes: applications are waited for, refusals harm nobody, and a kill at any moment leaves a queue
//! manager that starts and no half of a point.
//!
//! `HIGHWATER_KILLS` scales how often `recpoint` is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use house::folder;
use house::ground;
use house::owner::Owner;
use house::programs::{Said, command, run};

fn text(path: &Path) -> &str {
    path.to_str().expect("a readable path")
}

/// A queue manager that `qmgr start` detached; stopped by force when dropped, for it is nobody's child.
struct Site {
    scratch: tempfile::TempDir,
    owner: Owner,
}

impl Site {
    fn new(page_set_size: &str) -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let options = ["--log-size", "1MiB", "--active-logs", "4", "--page-set-size", page_set_size];
        let owner = Owner::create(&scratch.path().join("QM1"), &options);
        let site = Self { scratch, owner };
        site.start();
        site.owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
        site
    }

    fn start(&self) {
        run("qmgr", ["start", self.owner.name()]).expect(0).done();
    }

    fn running(&self) -> bool {
        run("qmgr", ["status", self.owner.name()]).code == 0
    }

    fn put(&self, from: u32, to: u32) {
        let lines: Vec<String> = (from..to).map(|number| format!("line {number}")).collect();
        self.owner.put("APP.Q", &lines);
    }

    fn holds(&self, count: u32) {
        let lines: Vec<String> = (0..count).map(|number| format!("line {number}")).collect();
        assert_eq!(self.owner.browse("APP.Q"), lines);
    }

    fn to(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn create<'a>(&'a self, name: &str, options: &[&'a str]) -> Said {
        let to = self.to(name);
        let fixed = ["create", self.owner.name(), "--to", text(&to)];
        run("recpoint", fixed.iter().chain(options))
    }

    /// A program that holds a unit of recovery open for so long.
    fn holder(&self, seconds: &str) -> Child {
        let mut holder = command("qmgr", ["put", self.owner.name(), "APP.Q", "--hold", seconds]);
        holder.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = holder.spawn().expect("a program starts");
        let mut input = child.stdin.take().expect("piped");
        std::io::Write::write_all(&mut input, b"held\n").expect("it reads");
        drop(input);
        let since = Instant::now();
        while !self.owner.mqsc("DISPLAY CONN(*) APPLTAG UOWSTATE").out.contains("UOWSTATE(ACTIVE)") {
            assert!(since.elapsed() < Duration::from_secs(30), "the holder never began");
            sleep(Duration::from_millis(20));
        }
        child
    }

    fn stop(&self) {
        run("qmgr", ["stop", self.owner.name()]).expect(0).done();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = run("qmgr", ["stop", self.owner.name(), "--mode", "force"]);
    }
}

#[test]
fn it_is_stopped_copied_and_started_again() {
    let site = Site::new("4MiB");
    site.put(0, 3000);
    let said = site.create("P1", &["--method", "full", "--name", "FIRST"]).expect(0);
    let said = said.says(&["CSQJ311I", "CSQI024I", "CSQI025I", "HWT543I", "full verified", "START QMGR"]);
    // In IBM's order: archive, stop, copy, start.
    let place = |word: &str| said.out.find(word).expect("said");
    assert!(place("CSQJ311I") < place("CSQI024I") && place("CSQI024I") < place("HWT543I"), "{}", said.out);
    assert!(place("HWT543I") < place("' START QMGR' NORMAL COMPLETION"), "{}", said.out);
    assert!(site.running());
    site.holds(3000);
    run("recpoint", ["list", site.owner.name()]).expect(0).says(&["FIRST  full    verified"]).done();
    let stopped: Vec<&str> = said.out.lines().filter(|line| line.starts_with("CSQI02")).collect();
    assert_eq!(stopped.len(), 2);
    run("recpoint", ["show", site.owner.name(), "FIRST"]).expect(0).says(&stopped).done();
    run("recpoint", ["verify", site.owner.name(), "FIRST"]).expect(0).done();

    // Everything from before the point may go.
    site.put(3000, 6000);
    run("archlog", [site.owner.name(), "--wait-offload"]).expect(0).done();
    site.stop();
    let (_, manifest) = folder::points(site.scratch.path()).pop().expect("the point");
    assert_eq!(manifest.log_needed_from(), manifest.end);
    let mut gone = 0;
    for archive in folder::inventory(site.owner.dir()).archives {
        if archive.range.end <= manifest.end {
            fs::remove_file(site.owner.file(&archive.name)).expect("an archive goes");
            gone += 1;
        }
    }
    assert!(gone > 0, "no archive was from before the point");
    for (name, path) in folder::files(site.owner.dir()) {
        if name.starts_with("PSID") {
            fs::remove_file(path).expect("a page set is lost");
        }
    }
    run("recover", [site.owner.name(), "--from", text(&site.to("P1"))]).expect(0).done();
    site.start();
    site.holds(6000);
}

/// Two runs that differ in the method alone: the one needs the log from before its end, stops nothing and says fuzzy.
#[test]
fn the_methods_differ() {
    let site = Site::new("4MiB");
    site.put(0, 500);
    let pid = || fs::read_to_string(site.owner.file("PID")).expect("it runs");
    let before = pid();
    let fuzzy = site.create("P1", &["--method", "fuzzy", "--json"]).expect(0);
    assert_eq!(pid(), before, "a fuzzy point stops nothing");
    let full = site.create("P2", &["--method", "full", "--json"]).expect(0);
    assert_ne!(pid(), before, "a full point stops and starts");
    let read = |said: &Said| serde_json::from_str::<serde_json::Value>(&said.out).expect("JSON");
    let (fuzzy, full) = (read(&fuzzy), read(&full));
    assert_eq!((&fuzzy["method"], &fuzzy["restarted"]), (&"fuzzy".into(), &false.into()));
    assert_eq!((&full["method"], &full["restarted"]), (&"full".into(), &true.into()));
    assert!(fuzzy["stopped"].is_null() && full["stopped"].as_array().is_some_and(|lines| lines.len() == 2));
    assert_ne!(fuzzy["log_needed_from"], fuzzy["end"]);
    assert_eq!(full["log_needed_from"], full["end"]);
}

/// Two runs that differ in the timeout alone: in the short one the application is named and nothing is stopped; the long one waits.
#[test]
fn applications_are_waited_for_as_long_as_said() {
    let site = Site::new("4MiB");
    site.put(0, 10);
    let mut holder = site.holder("4");
    let pid = || fs::read_to_string(site.owner.file("PID")).expect("it runs");
    let before = pid();
    let short = site.create("P1", &["--method", "full", "--timeout", "300ms"]).expect(12);
    let short = short.says(&["HWT580I", "HWT581E", "runs on"]);
    assert!(short.err.matches("PUT").count() >= 2, "the application is named: {}", short.err);
    assert!(site.running() && pid() == before && !site.to("P1").exists() && !site.to("P1.making").exists());
    run("recpoint", ["list", site.owner.name()]).expect(4).done();
    site.create("P1", &["--method", "full", "--timeout", "60s"]).expect(0).says(&["HWT580I"]).done();
    assert!(holder.wait().expect("a child").success(), "the application was not harmed");
    assert!(site.running() && pid() != before);
    assert_eq!(site.owner.browse("APP.Q").len(), 11, "what it held is committed");
}

/// Two runs that differ in --allow-in-doubt alone.
#[test]
fn units_in_doubt_are_refused_unless_they_are_allowed() {
    let site = Site::new("4MiB");
    site.put(0, 10);
    let prepared = ["put", site.owner.name(), "APP.Q", "--prepare", "X1"];
    house::programs::run_with_input("qmgr", prepared, b"in doubt\n").expect(0).done();
    let pid = fs::read_to_string(site.owner.file("PID")).expect("it runs");
    site.create("P1", &["--method", "full"]).expect(12).says(&["HWT582E", "RESOLVE INDOUBT"]).done();
    assert_eq!(fs::read_to_string(site.owner.file("PID")).expect("it runs"), pid, "nothing was stopped");
    assert!(!site.to("P1").exists());
    let said =
        site.create("P1", &["--method", "full", "--allow-in-doubt", "--json"]).expect(4).says(&["HWT590W"]);
    let made: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((&made["method"], &made["restarted"]), (&"fuzzy".into(), &true.into()));
    assert_ne!(made["log_needed_from"], made["end"], "the unit's log is needed");
    assert!(site.running());
    // Down with the unit in doubt it is the same.
    site.stop();
    site.create("P2", &["--method", "full"]).expect(12).says(&["HWT582E"]).done();
    site.create("P2", &["--method", "full", "--allow-in-doubt"]).expect(4).says(&["fuzzy verified"]).done();
    assert!(!site.running(), "it was down and stays down");
    site.create("P3", &["--allow-in-doubt"]).expect(12).says(&["HWT700E", "--method full"]).done();
}

#[test]
fn a_queue_manager_that_is_down_is_copied_after_a_clean_stop_alone() {
    let mut site = Site::new("4MiB");
    site.put(0, 200);
    site.stop();
    let before = folder::contents(site.owner.dir());
    site.create("P1", &["--method", "full"]).expect(0).says(&["full verified"]).done();
    assert!(!site.running());
    let after = folder::contents(site.owner.dir());
    let changed: Vec<&String> = after.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!(changed, ["BSDS01", "BSDS02"], "the BSDS names the point, nothing else changes");

    site.owner.start();
    site.put(200, 300);
    site.owner.kill();
    let before = folder::contents(site.owner.dir());
    site.create("P2", &["--method", "full"]).expect(12).says(&["HWT584E", "qmgr start"]).done();
    folder::assert_untouched(site.owner.dir(), &before);
    assert!(!site.to("P2").exists() && !site.to("P2.making").exists());
    site.start();
    site.create("P2", &["--method", "full"]).expect(0).done();
    site.holds(300);
}

#[test]
fn what_is_refused_stops_nothing() {
    let site = Site::new("4MiB");
    site.put(0, 10);
    let pid = fs::read_to_string(site.owner.file("PID")).expect("it runs");
    fs::create_dir(site.to("THERE")).expect("a folder");
    site.create("P1", &[]).expect(0).done();
    for (name, options, id) in [
        ("THERE", &[][..], "HWT510E"),
        ("a b", &[], "HWT511E"),
        ("nowhere/P2", &[], "HWT524E"),
        ("P2", &["--name", "P1"], "HWT587E"),
    ] {
        let options = [&["--method", "full"], options].concat();
        site.create(name, &options).expect(12).says(&[id]).done();
    }
    // Beside no 'qmgr' it could not be started again.
    let alone = site.to("alone");
    fs::create_dir(&alone).expect("a folder");
    fs::copy(house::programs::path("recpoint"), alone.join("recpoint")).expect("a copy");
    let mut recpoint = std::process::Command::new(alone.join("recpoint"));
    let to = site.to("P2");
    recpoint.args(["create", site.owner.name(), "--to", text(&to), "--method", "full"]);
    house::programs::finish(&mut recpoint).expect(12).says(&["HWT746E", "nothing was stopped"]).done();
    assert_eq!(fs::read_to_string(site.owner.file("PID")).expect("it runs"), pid);
    site.holds(10);
}

/// Copying fails after the stop (the target file system is full): the queue manager runs again all the same.
#[test]
fn a_copy_that_fails_starts_the_queue_manager_again() {
    if let Some(missing) = ground::no_mounts() {
        return ground::skip("a_copy_that_fails_starts_the_queue_manager_again", &missing);
    }
    let site = Site::new("4MiB");
    site.put(0, 100);
    let small = ground::Mount::in_memory(&site.to("small"), 1);
    let pid = fs::read_to_string(site.owner.file("PID")).expect("it runs");
    let said = site.create("small/P1", &["--method", "full"]);
    assert!(said.code >= 12, "{}", said.err);
    let said = said.says(&["the queue manager was started again"]);
    assert!(site.running(), "{}", said.err);
    assert_ne!(fs::read_to_string(site.owner.file("PID")).expect("it runs"), pid);
    assert_eq!(fs::read_dir(small.at()).expect("a folder").count(), 0, "nothing is left");
    site.holds(100);
    run("recpoint", ["list", site.owner.name()]).expect(4).done();
}

/// The point is made, but the queue manager does not start again (its `qmgr` only fails): said loudly, and it starts by hand.
#[test]
fn a_start_that_fails_is_severe() {
    let site = Site::new("4MiB");
    site.put(0, 10);
    let folder = site.to("programs");
    fs::create_dir(&folder).expect("a folder");
    fs::copy(house::programs::path("recpoint"), folder.join("recpoint")).expect("a copy");
    fs::write(folder.join("qmgr"), "#!/bin/sh\necho no such luck >&2\nexit 12\n").expect("a stub");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.join("qmgr"), executable).expect("it can be run");
    let mut recpoint = std::process::Command::new(folder.join("recpoint"));
    let to = site.to("P1");
    recpoint.args(["create", site.owner.name(), "--to", text(&to), "--method", "full"]);
    let said = house::programs::finish(&mut recpoint).expect(16);
    let said = said.says(&["HWT747S", "no such luck", "qmgr start", "HWT543I", "full verified"]);
    assert!(!site.running(), "{}", said.err);
    site.start();
    run("recpoint", ["list", site.owner.name()]).expect(0).says(&["P1    full    verified"]).done();
    site.holds(10);
}

/// Interrupted at moments spread over the whole of it, it ends at once or goes on to its end; either way the queue manager runs.
#[test]
fn an_interruption_never_leaves_the_queue_manager_down() {
    let site = Site::new("16MiB");
    site.put(0, 100);
    let begun = Instant::now();
    site.create("WHOLE", &["--method", "full"]).expect(0).done();
    let took = begun.elapsed();
    let (mut ended, mut held) = (0, 0);
    for number in 0..8_u32 {
        let to = site.to(&format!("P{number}"));
        let mut recpoint =
            command("recpoint", ["create", site.owner.name(), "--to", text(&to), "--method", "full"]);
        let child = recpoint.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        sleep(took * number / 8);
        let pid =
            rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("a process");
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let output = child.wait_with_output().expect("a child");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(site.running(), "interrupted: {err}");
        if err.contains("HWT748W") {
            assert!(output.status.success() && to.exists(), "{err}");
            held += 1;
        } else {
            ended += 1;
        }
    }
    site.holds(100);
    assert!(held > 0, "no interruption came while the queue manager was down ({ended} others)");
}

/// SIGKILL at moments spread over the whole of it.
#[test]
fn killed_at_any_moment_it_leaves_a_queue_manager_that_starts() {
    let site = Site::new("16MiB");
    site.put(0, 400);
    let begun = Instant::now();
    site.create("WHOLE", &["--method", "full"]).expect(0).done();
    let took = begun.elapsed();
    let kills = ground::number("HIGHWATER_KILLS", 12);
    let (mut down, mut unharmed) = (0, 0);
    for number in 0..kills {
        let name = format!("P{number}");
        let to = site.to(&name);
        let mut recpoint =
            command("recpoint", ["create", site.owner.name(), "--to", text(&to), "--method", "full"]);
        let mut child = recpoint.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        sleep(took * u32::try_from(number).expect("few") / u32::try_from(kills).expect("few"));
        let _ = child.kill();
        child.wait().expect("a child");
        // What was stopping goes on stopping, what was starting goes on starting.
        let listed = |name: &str| {
            let said = run("recpoint", ["list", site.owner.name(), "--json"]);
            serde_json::from_str::<serde_json::Value>(&said.out).expect("JSON")["points"]
                .as_array()
                .is_some_and(|points| points.iter().any(|point| point["name"] == name))
        };
        settle(&site);
        if site.running() {
            unharmed += 1;
        } else {
            down += 1;
            start_or_started(&site);
        }
        if to.exists() {
            let points = folder::points(site.scratch.path());
            let (_, manifest) = points.iter().find(|(path, _)| *path == to).expect("a whole manifest");
            assert_eq!(manifest.log_needed_from(), manifest.end);
        } else {
            assert!(!listed(&name), "killed: the BSDS names {name}, which is not there");
            site.create(&name, &["--method", "full"]).expect(0).done();
            assert!(!site.to(&format!("{name}.making")).exists());
        }
        assert!(folder::inventory(site.owner.dir()).backups_in_progress.is_empty(), "log is held for ever");
    }
    site.holds(400);
    assert!(down > 0, "{kills} kills never met it while the queue manager was down ({unharmed} did not)");
}

/// Starts the queue manager, unless a start that outlived its killed parent is faster.
fn start_or_started(site: &Site) {
    let said = run("qmgr", ["start", site.owner.name()]);
    if said.code != 0 {
        settle(site);
        assert!(site.running(), "{}", said.err);
    }
}

/// Waits until the queue manager neither ends nor begins: it answers, or nobody holds its lock.
fn settle(site: &Site) {
    let since = Instant::now();
    loop {
        if site.running() {
            return;
        }
        let lock = fs::OpenOptions::new().write(true).open(site.owner.file("LOCK")).expect("a lock file");
        if rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok() {
            return;
        }
        drop(lock);
        assert!(since.elapsed() < Duration::from_secs(30), "it neither runs nor ends");
        sleep(Duration::from_millis(20));
    }
}
