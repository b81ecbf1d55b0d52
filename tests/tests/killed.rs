//! `kill -9` at any moment of every program that writes: what was there is there, nothing half-made is taken for whole, and the same
//! command run again finishes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use house::folder;
use house::loaded::Loaded;
use house::owner::Owner;
use house::programs::{command, run};

/// Moments at which a program is killed.
const MOMENTS: u32 = 7;

const OPTIONS: [&str; 8] =
    ["--log-size", "1MiB", "--active-logs", "3", "--page-sets", "3", "--page-set-size", "4MiB"];

fn silent(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null()).stderr(Stdio::null())
}

fn begin(command: &mut Command) -> Child {
    silent(command).spawn().expect("it starts")
}

/// Kills a program after `time`; whether it was still at work.
fn kill_after(mut child: Child, time: Duration) -> bool {
    sleep(time);
    child.kill().expect("a child can be killed");
    child.wait().expect("a child can be waited for").code().is_none()
}

/// Moments spread over the time that the command takes when it is left alone, beginning with the first one possible.
fn moments(whole: Duration) -> impl Iterator<Item = Duration> {
    (0..MOMENTS).map(move |number| whole * number / MOMENTS)
}

/// How long a command takes that must succeed.
fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let status = silent(command).status().expect("it runs");
    assert!(status.success(), "{command:?}: {status}");
    begun.elapsed()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a readable path")
}

#[test]
fn a_killed_start_loses_nothing_and_the_next_one_serves() {
    let mut site = Loaded::create(&OPTIONS);
    site.load(3000).done();
    site.owner.kill();
    let whole = {
        let mut copy = site.copy("whole");
        let begun = Instant::now();
        copy.start();
        let took = begun.elapsed();
        copy.stop().done();
        took
    };
    let mut at_work = 0;
    for moment in moments(whole) {
        let child = begin(&mut command("qmgr", ["start", site.owner.name(), "--foreground"]));
        at_work += u32::from(kill_after(child, moment));
    }
    assert_eq!(at_work, MOMENTS, "some ended by themselves");
    site.owner.start();
    site.audit(&site.owner);
    site.load(300).done();
    site.owner.stop().done();
}

#[test]
fn a_killed_create_leaves_nothing_that_starts_half_made() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let create = |dir: &Path| {
        let mut create = command("qmgr", ["create", text(dir)]);
        create.args(OPTIONS);
        create
    };
    let whole = timed(&mut create(&scratch.path().join("WHOL")));
    for (number, moment) in moments(whole).enumerate() {
        let dir = scratch.path().join(format!("QM{number}"));
        kill_after(begin(&mut create(&dir)), moment);
        // Whole, or no queue manager at all; and then the directory, emptied, takes a new one.
        let mut owner = Owner::at(&dir);
        if dir.exists() && owner.try_start().is_ok() {
            owner.mqsc("DEFINE QLOCAL(APP.Q)").done();
            owner.stop().done();
            continue;
        }
        let said = run("qmgr", ["start", text(&dir)]);
        assert_eq!(said.code, 12, "{said:?}");
        if dir.exists() {
            fs::remove_dir_all(&dir).expect("it can be cleared away");
        }
        timed(&mut create(&dir));
        owner.start();
        owner.stop().done();
    }
}

/// Every point there is verifies, and its directory holds nothing else.
fn all_points_are_whole(owner: &Owner, points: &Path) -> usize {
    let mut whole = 0;
    for entry in fs::read_dir(points).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let said = run("recpoint", ["verify", owner.name(), text(&entry.path())]);
        let has_manifest = folder::points(points).iter().any(|(dir, _)| *dir == entry.path());
        if has_manifest && !name.contains(".tmp") && !name.starts_with('.') {
            assert_eq!(said.code, 0, "{name}: {said:?}");
            whole += 1;
        }
    }
    whole
}

#[test]
fn a_killed_recpoint_create_publishes_nothing_half_made_and_holds_no_log() {
    let mut site = Loaded::create(&OPTIONS);
    site.load(1500).done();
    let points = site.scratch().join("points");
    fs::create_dir(&points).expect("a folder");
    let create =
        |name: &str| command("recpoint", ["create", site.owner.name(), "--to", text(&points.join(name))]);
    let whole = timed(&mut create("WHOLE"));
    for (number, moment) in moments(whole).enumerate() {
        let killed = kill_after(begin(&mut create(&format!("P{number}"))), moment);
        assert!(killed || points.join(format!("P{number}")).exists(), "it ended without a point");
        all_points_are_whole(&site.owner, &points);
        // The same name again: it is made, unless the killed one had been published.
        let again =
            run("recpoint", ["create", site.owner.name(), "--to", text(&points.join(format!("P{number}")))]);
        assert!(again.code == 0 || again.code == 12 && again.err.contains("already"), "{again:?}");
    }
    assert_eq!(all_points_are_whole(&site.owner, &points), MOMENTS as usize + 1);
    // No backup is in progress any more: nothing holds the log below the points.
    house::loaded::wait_until("the dead backups are forgotten", || {
        folder::inventory(site.owner.dir()).backups_in_progress.is_empty()
    });
    let newest = folder::points(&points).pop().expect("a point").0;
    site.load(300).done();
    site.owner.kill();
    for name in ["PSID00", "PSID01", "PSID02"] {
        fs::remove_file(site.owner.file(name)).expect("a page set is lost");
    }
    run("recover", [site.owner.name(), "--from", text(&newest)]).expect(0).done();
    site.owner.start();
    site.audit(&site.owner);
}

#[test]
fn a_killed_recover_run_again_finishes() {
    let mut site = Loaded::create(&OPTIONS);
    site.load(500).done();
    let points = site.scratch().join("points");
    fs::create_dir(&points).expect("a folder");
    let point = points.join("P1");
    run("recpoint", ["create", site.owner.name(), "--to", text(&point)]).expect(0).done();
    site.load(2500).done();
    site.owner.kill();
    let recover = |owner: &Owner| command("recover", [owner.name(), "--from", text(&point)]);
    let robbed = |name: &str| {
        let owner = site.copy(name);
        fs::remove_file(owner.file("PSID00")).expect("a page set is lost");
        fs::write(owner.file("PSID01"), b"no page set").expect("a page set is ruined");
        owner
    };
    let whole = timed(&mut recover(&robbed("whole")));
    let mut at_work = 0;
    for (number, moment) in moments(whole).enumerate() {
        let mut owner = robbed(&format!("copy{number}"));
        at_work += u32::from(kill_after(begin(&mut recover(&owner)), moment));
        // It is never started on page sets that are half restored.
        if owner.try_start().is_ok() {
            site.audit(&owner);
            owner.stop().done();
        }
        timed(&mut recover(&owner));
        let left: Vec<String> = folder::files(owner.dir())
            .into_keys()
            .filter(|name| name.starts_with("PSID") && name.len() > "PSID00".len())
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        owner.start();
        site.audit(&owner);
        owner.stop().done();
        fs::remove_dir_all(owner.dir()).expect("it is not needed any more");
    }
    assert!(at_work > 0, "none was killed at work");
}

#[test]
fn a_killed_repro_leaves_the_old_copy_or_the_new_one() {
    let mut site =
        Loaded::create(&[&OPTIONS[..4], &["--page-sets", "2", "--page-set-size", "32MiB"]].concat());
    site.load(2000).done();
    site.owner.stop().done();
    let (from, to) = (site.owner.file("PSID01"), site.scratch().join("copy"));
    let repro = |reuse: &[&str]| {
        let mut repro = command("repro", ["--infile", text(&from), "--outfile", text(&to)]);
        repro.args(reuse);
        repro
    };
    let source = fs::read(&from).expect("a page set");
    let whole = timed(&mut repro(&[]));
    let new = fs::read(&to).expect("the copy");
    assert!(new == source, "the copy differs");
    let old = b"old\n".repeat(4096);
    let before = fs::read_dir(site.scratch()).expect("a folder").count();
    for moment in moments(whole) {
        for reuse in [&[][..], &["--reuse"]] {
            let _ = fs::remove_file(&to);
            if !reuse.is_empty() {
                fs::write(&to, &old).expect("an old copy");
            }
            kill_after(begin(&mut repro(reuse)), moment);
            match fs::read(&to) {
                Ok(found) => assert!(found == new || found == old, "a half-made copy is under the name"),
                Err(_) => assert!(reuse.is_empty(), "the old copy is gone and the new one is not there"),
            }
            timed(&mut repro(&["--reuse"]));
            assert!(fs::read(&to).expect("the copy") == new, "the copy differs");
            let after = fs::read_dir(site.scratch()).expect("a folder").count();
            assert_eq!(after, before, "something of the killed run is left");
        }
    }
}

/// Programs that only ask the queue manager: their end is nothing to it.
#[test]
fn killed_commands_leave_the_queue_manager_at_work() {
    let mut site = Loaded::create(&OPTIONS);
    site.owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
    let name = site.owner.name().to_owned();
    let commands: [&[&str]; 5] = [
        &["archlog", &name, "--wait-offload"],
        &["archlog", &name],
        &["mqsc", &name, "ALTER QLOCAL(APP.Q) MAXDEPTH(5000)", "DISPLAY QLOCAL(APP.Q)"],
        &["qmgr", "put", &name, "APP.Q", "--hold", "60"],
        &["dispusage", &name],
    ];
    for words in commands {
        for milliseconds in [1, 4, 10, 25] {
            let child = begin(&mut command(words[0], &words[1..]));
            kill_after(child, Duration::from_millis(milliseconds));
        }
        site.load(100).done();
    }
    site.archive();
    let waits: Vec<PathBuf> = folder::inventory(site.owner.dir())
        .archives
        .iter()
        .map(|archive| site.owner.file(&archive.name))
        .filter(|path| !path.exists())
        .collect();
    assert!(waits.is_empty(), "the BSDS names archives that are not there: {waits:?}");
    site.audit(&site.owner);
    site.owner.stop().done();
}

/// Names beside the point that a deep verification has made.
fn scratches(points: &Path) -> Vec<String> {
    let names = fs::read_dir(points).expect("a folder").flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains(".deep-")).collect()
}

/// What a dead one left goes with the next; what a living one works on stays.
#[test]
fn a_killed_deep_verification_is_cleaned_up_by_the_next() {
    let mut site = Loaded::create(&OPTIONS);
    site.load(1500).done();
    let points = site.scratch().join("points");
    fs::create_dir(&points).expect("a folder");
    let point = points.join("P1");
    run("recpoint", ["create", site.owner.name(), "--to", text(&point)]).expect(0).done();
    let other = points.join("P1.deep-0123456789abcdef");
    fs::create_dir(&other).expect("a folder that is nobody's");
    let verify = || command("recpoint", ["verify", site.owner.name(), "P1", "--deep"]);
    let whole = timed(&mut verify());
    let mut left = 0;
    for moment in moments(whole).skip(1) {
        kill_after(begin(&mut verify()), moment);
        left = left.max(scratches(&points).len() - 1);
    }
    assert!(left >= 2, "no killed one has left anything");
    timed(&mut verify());
    assert_eq!(scratches(&points), ["P1.deep-0123456789abcdef"]);
    let mut living = begin(&mut verify());
    // A directory of its own, and the file that is locked.
    house::loaded::wait_until("it is at work", || scratches(&points).len() >= 3);
    let pid = rustix::process::Pid::from_raw(living.id().cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("it can be stopped");
    let at_work = scratches(&points);
    run("recpoint", ["verify", site.owner.name(), "P1", "--deep"]).expect(0).done();
    assert_eq!(scratches(&points).len(), at_work.len(), "{at_work:?}, {:?}", scratches(&points));
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).expect("it goes on");
    assert!(living.wait().expect("a child").success());
    assert_eq!(scratches(&points), ["P1.deep-0123456789abcdef"]);
}
