//! Random points in time under load: each is recovered to exactly, the work goes on from there, and what was made since brings that back.
//!
//! `HIGHWATER_CUTS` says how many (6 unless set); `HIGHWATER_SEED` runs the choices of another run again, as it printed it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use format_types::Rba;
use house::folder;
use house::ground;
use house::owner::Owner;
use house::programs::{command, run};

/// Choices that a seed fixes.
struct Choices(u64);

impl Choices {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
        let seed = ground::number("HIGHWATER_SEED", now.as_nanos() as u64);
        eprintln!("points in time: HIGHWATER_SEED={seed}");
        Self(seed | 1)
    }

    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 20) % limit.max(1)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a readable path")
}

/// A queue manager, and the journals of all loads that it had, oldest first.
struct Site {
    scratch: tempfile::TempDir,
    owner: Owner,
    journals: Vec<PathBuf>,
}

impl Site {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let options =
            ["--log-size", "1MiB", "--active-logs", "3", "--page-set-size", "2MiB", "--log-load", "2000"];
        let owner = Owner::create(&scratch.path().join("QM1"), &options);
        fs::create_dir(scratch.path().join("points")).expect("a folder");
        fs::create_dir(scratch.path().join("journals")).expect("a folder");
        Self { scratch, owner, journals: Vec::new() }
    }

    /// A load with a journal of its own.
    fn load(&mut self, seed: u64, milliseconds: u64) -> Child {
        let journal = self.scratch.path().join("journals").join(format!("J{}", self.journals.len()));
        let (seed, time) = (seed.to_string(), format!("{milliseconds}ms"));
        // A little more is got than put, so that the queues stay short however many loads there were.
        let options =
            ["load", self.owner.name(), "--connections", "4", "--queues", "3", "--get-percent", "53"];
        let more = ["--keep", "150", "--message-size", "1500", "--seconds", &time, "--seed", &seed];
        let arguments = options.into_iter().chain(more).chain(["--journal", text(&journal)]);
        let load = command("qmgr", arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.journals.push(journal.clone());
        let begun = Instant::now();
        while !journal.exists() && begun.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(2));
        }
        load.expect("a load starts")
    }

    fn point(&self, name: &str) -> PathBuf {
        let point = self.scratch.path().join("points").join(name);
        run("recpoint", ["create", self.owner.name(), "--to", text(&point)]).expect(0).done();
        point
    }

    /// The audit's condition code, with all that it said.
    fn audit(&self, to_rba: Option<Rba>) -> (i32, String) {
        let mut arguments = vec!["audit".to_owned(), self.owner.name().to_owned()];
        for journal in &self.journals {
            arguments.extend(["--journal".to_owned(), text(journal).to_owned()]);
        }
        arguments.extend(to_rba.iter().flat_map(|rba| ["--to-rba".to_owned(), rba.to_string()]));
        let said = run("qmgr", arguments);
        (said.code, format!("{}\n{}{}", said.line, said.out, said.err))
    }

    fn clean(&self, to_rba: Option<Rba>, when: &str) {
        let (code, said) = self.audit(to_rba);
        assert_eq!(code, 0, "{when}: {said}");
    }

    /// RBAs of the commits in the last journal.
    fn commits(&self) -> Vec<Rba> {
        let journal = fs::read_to_string(self.journals.last().expect("a load")).expect("a journal");
        let commit = |line: &str| {
            let mut words = line.split(' ');
            (words.next() == Some("U")).then(|| words.nth(2)?.parse().ok()).flatten()
        };
        journal.lines().filter_map(commit).collect()
    }

    fn log_end(&self) -> Rba {
        let said = run("dispusage", [self.owner.name(), "--json"]).expect(0);
        let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        document["log_end"].as_str().and_then(|rba| rba.parse().ok()).expect("an RBA")
    }
}

/// Some RBA between the end of the point's copy and the end of the log: anywhere, or where a commit's record begins, or right behind.
fn choose(site: &Site, point: &Path, choices: &mut Choices) -> Rba {
    let manifests = folder::points(point.parent().expect("a folder"));
    let (_, manifest) = manifests.iter().find(|(path, _)| path == point).expect("the point is there");
    let end = site.log_end();
    let commits: Vec<Rba> = site.commits().into_iter().filter(|rba| *rba >= manifest.end).collect();
    if commits.is_empty() || choices.below(3) == 0 {
        return manifest.end.plus(choices.below(end.since(manifest.end) + 1));
    }
    let commit = commits[choices.below(commits.len() as u64) as usize];
    commit.plus(choices.below(2))
}

#[test]
fn any_point_in_time_is_recovered_to_exactly_and_the_work_goes_on() {
    let mut choices = Choices::new();
    let mut site = Site::new();
    let (mut lost, mut wrong) = (0, 0);
    site.owner.start();
    for round in 0..ground::number("HIGHWATER_CUTS", 6) {
        // Work, and a point in the middle of it; then a kill in the middle of more.
        let mut loading = site.load(choices.below(u64::MAX), 60_000);
        sleep(Duration::from_millis(40 + choices.below(150)));
        let point = site.point(&format!("P{round}"));
        sleep(Duration::from_millis(40 + choices.below(250)));
        site.owner.kill();
        loading.wait().expect("the load notices");

        let target = choose(&site, &point, &mut choices);
        let when = format!("round {round}, recovered to {target}");
        let rba = target.to_string();
        let arguments = ["--from", text(&point), "--to-rba", &rba];
        let refused = run("recover", [site.owner.name()].iter().chain(&arguments)).expect(12);
        assert!(refused.err.starts_with("HWT529E"), "{when}: {}", refused.err);
        run("recover", [site.owner.name()].iter().chain(&arguments).chain(&["--accept-loss"]))
            .expect(0)
            .done();
        site.owner.start();
        site.clean(Some(target), &when);
        let behind: Vec<Rba> = site.commits().into_iter().filter(|commit| *commit >= target).collect();
        lost += behind.len();
        // The audit would see a commit too few: all those behind the target cannot have left nothing.
        if let Some(last) = behind.iter().max().filter(|_| behind.len() > 20) {
            let (code, said) = site.audit(Some(last.plus(1)));
            assert_eq!(code, 8, "{when}, but audited as if to {last}: {said}");
            wrong += 1;
        }

        // More work, another point, more work, and another recovery, to the end.
        let mut loading = site.load(choices.below(u64::MAX), 120);
        let again = site.point(&format!("Q{round}"));
        assert!(loading.wait().expect("a load").success(), "{when}: the load does not go on");
        if choices.below(2) == 0 {
            let mut loading = site.load(choices.below(u64::MAX), 60_000);
            sleep(Duration::from_millis(30 + choices.below(100)));
            site.owner.kill();
            loading.wait().expect("the load notices");
        } else {
            site.owner.stop().done();
        }
        run("recover", [site.owner.name(), "--from", text(&again)]).expect(0).done();
        site.owner.start();
        // The inventory knows all cuts by now.
        site.clean(None, &format!("{when}, then from a new point to the end"));
        for done in [point, again] {
            fs::remove_dir_all(done).expect("the point is not needed any more");
        }
    }
    site.owner.stop().done();
    assert!(lost > 0 && wrong > 0, "{lost} commits were cut off, {wrong} wrong audits were seen");
    // Points from before their cut are on the line, the abandoned log is kept beside it, and one that reaches behind a cut is refused.
    let inventory = folder::inventory(site.owner.dir());
    let abandoned =
        inventory.archives.iter().filter(|archive| archive.history != inventory.history()).count();
    assert!(abandoned > 0, "nothing of the abandoned log is kept");
}

#[test]
fn a_point_from_behind_the_cut_is_off_the_line() {
    let mut site = Site::new();
    site.owner.start();
    let status = site.load(1, 100).wait().expect("a load");
    assert!(status.success());
    let before = site.point("BEFORE");
    assert!(site.load(2, 150).wait().expect("a load").success());
    let target = site.commits()[0].to_string();
    let behind = site.point("BEHIND");
    site.owner.stop().done();
    let arguments = [site.owner.name(), "--from", text(&before), "--to-rba", &target, "--accept-loss"];
    run("recover", arguments).expect(0).says(&["HWT296I", "HISTORY 2-"]).done();
    let said = run("recover", [site.owner.name(), "--from", text(&behind)]).expect(12);
    said.says(&["HWT525E", "BEHIND is off the line", "was cut at"]).done();
    let list = run("recpoint", ["list", site.owner.name()]).expect(0);
    let off: Vec<bool> = list.out.lines().skip(1).map(|line| line.contains("(off the line)")).collect();
    assert_eq!(off, [false, true], "{}", list.out);
    run("recover", [site.owner.name(), "--from", text(&before)]).expect(0).done();
    site.owner.start();
    site.clean(None, "from the point before the cut to the end of the new line");
    site.owner.stop().done();
}
