//! A queue manager that does not answer, and files that may not be read or written: every program says so, within the time that it was
//! given, and nothing is lost.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use house::folder;
use house::ground::{self, Mount};
use house::loaded::{console, wait_for_console, wait_until};
use house::owner::Owner;
use house::programs::{self, Said, command, finish, run};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

const OPTIONS: [&str; 4] = ["--page-set-size", "1MiB", "--log-size", "1MiB"];

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

fn text(path: &Path) -> &str {
    path.to_str().expect("a readable path")
}

fn queue_manager(scratch: &Path) -> Owner {
    let mut owner = Owner::create(&scratch.join("QM1"), &OPTIONS);
    owner.start();
    owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
    owner.put("APP.Q", &["first".to_owned()]);
    owner
}

/// Command lines of every program that talks with a queue manager.
fn talks(owner: &Owner, scratch: &Path) -> Vec<Vec<String>> {
    let (name, point) = (owner.name(), text(&scratch.join("P1")).to_owned());
    let lines: [&[&str]; 9] = [
        &["qmgr", "status", name],
        &["qmgr", "stop", name],
        &["qmgr", "put", name, "APP.Q"],
        &["qmgr", "get", name, "APP.Q"],
        &["qmgr", "browse", name, "APP.Q"],
        &["mqsc", name, "DISPLAY QMGR"],
        &["dispusage", name],
        &["archlog", name],
        &["recpoint", "create", name, "--to", &point],
    ];
    lines.iter().map(|line| line.iter().map(|word| (*word).to_owned()).collect()).collect()
}

#[test]
fn a_queue_manager_that_hangs_is_given_up_in_the_time_allowed() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = queue_manager(scratch.path());
    let pid = Pid::from_raw(owner.pid().expect("it runs").cast_signed()).expect("a process");
    kill_process(pid, Signal::STOP).expect("it can be stopped");
    for line in talks(&owner, scratch.path()) {
        let begun = Instant::now();
        let mut waiting = command(&line[0], &line[1..]);
        let said = finish(waiting.args(["--timeout", "300ms"]));
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(10), "{}: {took:?}", said.line);
        assert!(said.code >= 8, "{}: {said:?}", said.line);
        assert!(said.err.contains("HWT702E"), "{}: {}", said.line, said.err);
    }
    kill_process(pid, Signal::CONT).expect("it can go on");
    assert!(!scratch.path().join("P1").exists(), "a point was made of nothing");
    // It heard the stop that nobody waited for; what was put is there either way.
    wait_until("it has stopped or answers", || owner_has_ended(&mut owner) || answers(&owner));
    if answers(&owner) {
        owner.stop().done();
    } else {
        assert_eq!(owner.wait(), 0);
    }
    owner.start();
    assert!(owner.browse("APP.Q").len() <= 1);
    owner.stop().done();
}

fn answers(owner: &Owner) -> bool {
    run("qmgr", ["status", owner.name()]).code == 0
}

fn owner_has_ended(owner: &mut Owner) -> bool {
    !owner.file("SOCKET").exists()
}

#[test]
fn a_socket_that_is_gone_is_told_and_a_kill_loses_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = queue_manager(scratch.path());
    fs::remove_file(owner.file("SOCKET")).expect("somebody removed it");
    for line in talks(&owner, scratch.path()) {
        // What can be read from files while its owner runs, is; everything else says that nobody answers.
        let said = finish(command(&line[0], &line[1..]).args(["--timeout", "1s"]));
        if line[0] == "dispusage" || line[1] == "status" {
            continue;
        }
        let said = said.expect(12);
        assert!(said.err.contains("HWT701E"), "{}: {}", said.line, said.err);
    }
    // It runs still, so nobody else takes its files.
    run("qmgr", ["start", owner.name()]).expect(12).says(&["HWT412E"]).done();
    owner.kill();
    owner.start();
    assert_eq!(owner.browse("APP.Q"), ["first"]);
    owner.stop().done();
}

#[test]
fn files_locked_by_another_program_are_left_alone() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = queue_manager(scratch.path());
    let point = scratch.path().join("P1");
    run("recpoint", ["create", owner.name(), "--to", text(&point)]).expect(0).done();
    owner.stop().done();
    let before = folder::contents(owner.dir());
    let lock = fs::File::open(owner.file("LOCK")).expect("the lock is a file");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("it is free");
    run("qmgr", ["start", owner.name()]).expect(12).says(&["HWT412E", owner.name()]).done();
    run("recover", [owner.name(), "--from", text(&point)]).expect(12).says(&["HWT518E"]).done();
    folder::assert_untouched(owner.dir(), &before);
    drop(lock);
    owner.start();
    assert_eq!(owner.browse("APP.Q"), ["first"]);
    owner.stop().done();
}

#[test]
fn connections_beyond_the_descriptors_wait_and_the_others_work_on() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = Owner::create(&scratch.path().join("QM1"), &OPTIONS);
    owner.try_start_under(&["prlimit", "--nofile=100:100"]).unwrap_or_else(|said| panic!("{said:?}"));
    owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
    owner.put("APP.Q", &["first".to_owned()]);
    let socket = owner.file("SOCKET");
    let mut worker = programs::command("qmgr", ["put", owner.name(), "APP.Q", "--acknowledge"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a client starts");
    let mut input = worker.stdin.take().expect("piped");
    let mut output = std::io::BufReader::new(worker.stdout.take().expect("piped"));
    let mut put = |line: &str| {
        use std::io::{BufRead, Write};
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("the client reads");
        let mut acknowledged = String::new();
        output.read_line(&mut acknowledged).expect("the client answers");
        assert_eq!(acknowledged.trim_end(), line);
    };
    put("second");
    // More than there are descriptors; the rest waits to be accepted.
    let hoard: Vec<UnixStream> = (0..200).filter_map(|_| UnixStream::connect(&socket).ok()).collect();
    assert!(hoard.len() > 100);
    put("third");
    wait_for_console(&owner, &["HWT498W"]);
    // Log is switched and archived, checkpoints are taken: all of these open files.
    for number in 0..600 {
        put(&format!("{number} {}", "d".repeat(4000)));
    }
    drop(hoard);
    wait_until("new connections are served again", || {
        run("qmgr", ["status", owner.name(), "--timeout", "2s"]).code == 0
    });
    run("archlog", [owner.name(), "--wait-offload"]).expect(0).done();
    drop(input);
    assert_eq!(worker.wait().expect("a child").code(), Some(0));
    assert_eq!(owner.browse("APP.Q").len(), 603);
    owner.stop().done();
    owner.start();
    assert_eq!(owner.browse("APP.Q").len(), 603);
    owner.stop().done();
}

/// Processor time that a process has used.
fn processor_time(pid: u32) -> Duration {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // Behind the program's name: its state, then numbers; user and system time in hundredths of a second.
    let numbers = line.rsplit_once(')').expect("a name").1;
    let times = numbers.split_whitespace().skip(11).take(2);
    let ticks: u64 = times.map(|word| word.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

#[test]
fn while_descriptors_are_short_nothing_is_burnt_and_whoever_waits_is_served_when_there_are_more() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = queue_manager(scratch.path());
    let pid = owner.pid().expect("it runs");
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = |current: Option<u64>| {
        let process = Pid::from_raw(pid.cast_signed());
        prlimit(process, Resource::Nofile, Rlimit { current, maximum }).expect("it is a child of this test");
    };
    // It was started with plenty, and reckons with it still: only the system says that there is none left.
    let open = || fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count() as u64;
    wait_until("nobody is connected any more", || {
        let before = open();
        std::thread::sleep(Duration::from_millis(50));
        before == open()
    });
    limit(Some(open()));
    let waiting = UnixStream::connect(owner.file("SOCKET")).expect("it listens");
    wait_for_console(&owner, &["HWT498W"]);
    let (before, since) = (processor_time(pid), Instant::now());
    std::thread::sleep(Duration::from_secs(2));
    let used = processor_time(pid) - before;
    assert!(used < since.elapsed() / 10, "{used:?} of processor time in {:?}", since.elapsed());
    let said = console(&owner);
    assert_eq!(said.matches("HWT498W").count(), 1, "{said}");
    limit(maximum);
    assert_eq!(owner.browse("APP.Q"), ["first"]);
    drop(waiting);
    owner.stop().done();
}

/// Nothing that is there is changed, and the directory is named.
fn is_refused(said: &Said, dir: &Path, before: &BTreeMap<String, Vec<u8>>) {
    assert!(matches!(said.code, 12 | 16), "{said:?}");
    assert!(said.err.contains(text(dir)), "it does not say where: {}", said.err);
    folder::assert_untouched(dir, before);
}

#[test]
fn on_a_read_only_file_system_nothing_starts_and_all_can_be_read() {
    let test = "on_a_read_only_file_system_nothing_starts_and_all_can_be_read";
    if let Some(missing) = ground::no_mounts() {
        return ground::skip(test, &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mount = Mount::in_memory(&scratch.path().join("disk"), 96);
    let mut owner = queue_manager(mount.at());
    let point = scratch.path().join("P1");
    run("recpoint", ["create", owner.name(), "--to", text(&point)]).expect(0).done();
    owner.stop().done();
    ground::system("mount", &["-o", "remount,ro", text(mount.at())]);
    let before = folder::contents(owner.dir());
    is_refused(&run("qmgr", ["start", owner.name()]), owner.dir(), &before);
    is_refused(&run("qmgr", ["start", owner.name(), "--foreground"]), owner.dir(), &before);
    is_refused(&run("recover", [owner.name(), "--from", text(&point)]), owner.dir(), &before);
    run("dispusage", [owner.name()]).expect(0).done();
    // What was found cannot be noted.
    run("recpoint", ["verify", owner.name(), "P1"]).expect(4).says(&["HWT591W"]).done();
    run("listcat", [text(&owner.file("PSID01"))]).expect(0).done();
    let copy = scratch.path().join("copy");
    let page_set = owner.file("PSID01");
    run("repro", ["--infile", text(&page_set), "--outfile", text(&copy)]).expect(0).done();
    ground::system("mount", &["-o", "remount,rw", text(mount.at())]);
    owner.start();
    assert_eq!(owner.browse("APP.Q"), ["first"]);
    owner.stop().done();
}

/// Runs a program as a user who owns nothing, where this one may read everything; from `scratch`, for the program's own folder may be
/// closed to that user.
fn as_nobody(scratch: &Path, program: &str, arguments: &[&str]) -> Said {
    if !rustix::process::geteuid().is_root() {
        return run(program, arguments);
    }
    let own = scratch.join(program);
    if !own.exists() {
        fs::copy(programs::path(program), &own).expect("the program is copied");
    }
    finish(Command::new(own).args(arguments).stdin(Stdio::null()).uid(NOBODY).gid(NOBODY).current_dir("/"))
}

#[test]
fn files_that_may_not_be_read_or_written_are_named_and_left_alone() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).expect("readable");
    let mut owner = queue_manager(scratch.path());
    let point = scratch.path().join("P1");
    run("recpoint", ["create", owner.name(), "--to", text(&point)]).expect(0).done();
    // The socket is its owner's alone.
    if rustix::process::geteuid().is_root() {
        for line in talks(&owner, scratch.path()) {
            let words: Vec<&str> = line[1..].iter().map(String::as_str).collect();
            let said = as_nobody(scratch.path(), &line[0], &words);
            assert!(said.code >= 8 && !said.err.is_empty(), "{said:?}");
        }
    }
    owner.stop().done();
    let before = folder::contents(owner.dir());
    let page_set = owner.file("PSID01");
    let copy = scratch.path().join("copy");
    let modes = |mode: u32| {
        for path in folder::files(owner.dir()).values() {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode can be set");
        }
    };
    modes(0o000);
    let lines: [&[&str]; 6] = [
        &["qmgr", "start", owner.name()],
        &["recover", owner.name(), "--from", text(&point)],
        &["dispusage", owner.name()],
        &["recpoint", "verify", owner.name(), "P1"],
        &["repro", "--infile", text(&page_set), "--outfile", text(&copy)],
        &["listcat", text(&page_set)],
    ];
    for line in lines {
        let said = as_nobody(scratch.path(), line[0], &line[1..]);
        assert!(said.code >= 8, "{said:?}");
        assert!(said.err.contains("ermission denied"), "it does not say why: {said:?}");
        assert!(said.err.contains("QM1"), "it does not say where: {said:?}");
    }
    modes(0o640);
    folder::assert_untouched(owner.dir(), &before);
    owner.start();
    assert_eq!(owner.browse("APP.Q"), ["first"]);
    owner.stop().done();
}
