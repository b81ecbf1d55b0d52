//! Every releasing set that a plan prints, performed with the real programs on a copy of the queue manager: the next plan lets go what it
//! was printed for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use house::folder;
use house::ground;
use house::held::Held;
use house::loaded::{Loaded, wait_for_console, wait_until};
use house::owner::Owner;
use house::programs::{run, run_with_input};
use house::trouble::Trouble;
use serde_json::Value;

const OPTIONS: [&str; 12] = [
    "--log-size",
    "512KiB",
    "--active-logs",
    "3",
    "--archives",
    "dual",
    "--page-sets",
    "3",
    "--page-set-size",
    "4MiB",
    "--log-load",
    "100000",
];

/// Each holds log in another way.
const POLICIES: [&[&str]; 6] = [
    &["--keep-last", "1"],
    &["--keep-last", "3"],
    &["--keep-last", "1", "--margin", "3"],
    &["--daily", "1", "--min-archives", "9"],
    &["--keep-last", "2", "--back-to-full"],
    &["--window", "1d", "--consistent-only"],
];

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn usage(owner: &Owner) -> Value {
    let said = run("dispusage", [owner.name(), "--json"]).expect(0);
    serde_json::from_str(&said.out).expect("a document")
}

fn plan(owner: &Owner, policy: &[&str]) -> Value {
    let said = run("prunelog", [&["plan", owner.name(), "--json"], policy].concat());
    assert!(said.code == 0 || said.code == 4, "{said:?}");
    serde_json::from_str(&said.out).expect("a plan")
}

/// The archives that a plan keeps, by what releases them.
fn releasing_sets(plan: &Value) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut sets: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for kept in list(plan, "keep").iter().filter(|kept| text(kept, "kind") == "archive") {
        let facts = list(kept, "released_by").iter().map(|fact| fact.as_str().expect("words").to_owned());
        sets.entry(facts.collect()).or_default().push(text(kept, "name").to_owned());
    }
    sets
}

/// A queue manager on which facts are made so.
struct Performer<'p> {
    owner: &'p Owner,
    points: &'p Path,
    /// New points have names of their own.
    prefix: &'p str,
    made: u32,
    policy: Vec<String>,
    /// Holds a unit of recovery open.
    held: Option<Held>,
}

impl Performer<'_> {
    fn policy(&self) -> Vec<&str> {
        self.policy.iter().map(String::as_str).collect()
    }

    fn recpoint(&self, command: &str, arguments: &[&str]) {
        run("recpoint", [&[command, self.owner.name()], arguments].concat()).expect(0).done();
    }

    fn switch(&self) {
        wait_until("the log is archived", || {
            let said = run("archlog", [self.owner.name(), "--wait-offload"]);
            assert!(said.code == 0 || said.err.contains("CSQJ319I"), "{said:?}");
            said.code == 0
        });
    }

    /// How many checkpoints the BSDS has.
    fn checkpoints(&self) -> u64 {
        folder::inventory(self.owner.dir()).checkpoints.len() as u64
    }

    /// One in doubt is resolved; the program that holds another one open ends.
    fn end_unit(&mut self, urid: &str) {
        let is = |usage: &Value, state: &str| {
            let mut units = list(usage, "units").iter();
            units.any(|unit| text(unit, "urid") == urid && (state.is_empty() || text(unit, "state") == state))
        };
        if is(&usage(self.owner), "in-doubt") {
            let said = self.owner.mqsc("DISPLAY CONN(*) TYPE(CONN) ALL WHERE(UOWSTATE EQ UNRESOLVED)");
            let value = |keyword: &str| {
                let found = said.out.lines().find_map(|line| line.trim().strip_prefix(keyword));
                found.and_then(|rest| rest.strip_suffix(')')).expect("it is in doubt").to_owned()
            };
            let (connection, nid) = (value("APPLTAG("), value("NID("));
            self.owner.mqsc(&format!("RESOLVE INDOUBT({connection}) ACTION(COMMIT) NID({nid})")).done();
        } else {
            drop(self.held.take().expect("a program holds it open"));
        }
        wait_until("the unit has ended", || !is(&usage(self.owner), ""));
    }

    /// Makes one printed fact so.
    fn perform(&mut self, fact: &str) {
        let words: Vec<&str> = fact.split(' ').collect();
        match words.as_slice() {
            [count, "more", "complete", "checkpoint" | "checkpoints"] => {
                let (before, count) = (self.checkpoints(), count.parse::<u64>().expect("a number"));
                while self.checkpoints() < before + count {
                    self.switch();
                }
            }
            ["page", "set", "01", "is", "brought", "online"] => {
                self.owner.mqsc("START PSID(01)").done();
                wait_until("page set 01 is online", || {
                    list(&usage(self.owner), "page_sets").iter().all(|set| set["online"] == true)
                });
            }
            ["unit", "of", "recovery", urid, "ends"] => self.end_unit(urid),
            ["the", "hold", "on", "recovery", "point", name, "ends"] => self.recpoint("release", &[name]),
            ["recovery", "point", name, "is", "given", "up"] => self.recpoint("forget", &[name]),
            ["the", "policy", "asks", "for", "no", "--margin"] => {
                let at = self.policy.iter().position(|word| word == "--margin").expect("there is one");
                self.policy.drain(at..at + 2);
            }
            [count, "new", "verified", rest @ ..] => {
                for _ in 0..count.parse::<u32>().expect("a number") {
                    self.made += 1;
                    let to = self.points.join(format!("{}-{}", self.prefix, self.made));
                    let method = if rest.first() == Some(&"full") { "full" } else { "fuzzy" };
                    self.recpoint("create", &["--to", &to.to_string_lossy(), "--method", method]);
                }
            }
            [count, "more", "archive" | "archives", "of", "copy", _] => {
                (0..count.parse::<u32>().expect("a number")).for_each(|_| self.switch());
            }
            _ => panic!("'{fact}' is no fact that the programs can make so"),
        }
    }
}

/// A queue manager with points T1 (held), T2, T3 (full), T4 (over a unit in doubt), and archives between them.
fn story() -> (Loaded, PathBuf) {
    let mut loaded = Loaded::create(&OPTIONS);
    let points = loaded.scratch().join("points");
    fs::create_dir(&points).expect("a folder");
    loaded.owner.mqsc("DEFINE STGCLASS(TWO) PSID(2)").done();
    loaded.owner.mqsc("DEFINE QLOCAL(APP.Q) STGCLASS(TWO) DEFPSIST(YES)").done();
    for name in ["T1", "T2", "T3", "T4"] {
        (0..3).for_each(|_| {
            loaded.load(150).done();
            loaded.archive();
        });
        if name == "T4" {
            let put = ["put", loaded.owner.name(), "APP.Q", "--prepare", "PUT.1"];
            run_with_input("qmgr", put, b"in doubt\n").expect(0).done();
            loaded.load(150).done();
            loaded.archive();
        }
        let full = name == "T3";
        if full {
            loaded.owner.stop().done();
        }
        let to = points.join(name).to_string_lossy().into_owned();
        let method = if full { "full" } else { "fuzzy" };
        run("recpoint", ["create", loaded.owner.name(), "--to", &to, "--method", method]).expect(0).done();
        if full {
            loaded.owner.start();
        }
    }
    run("recpoint", ["hold", loaded.owner.name(), "T1", "--reason", "audit"]).expect(0).done();
    loaded.load(150).done();
    loaded.archive();
    (loaded, points)
}

/// Performs every set that is printed of the queue manager under `policies` on a copy of it each.
fn assert_sets_release(loaded: &mut Loaded, points: &Path, policies: &[&[&str]]) -> BTreeMap<String, usize> {
    let plans: Vec<Value> = policies.iter().map(|policy| plan(&loaded.owner, policy)).collect();
    loaded.owner.kill();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (number, (policy, plan)) in policies.iter().zip(&plans).enumerate() {
        for (place, (facts, archives)) in releasing_sets(plan).into_iter().enumerate() {
            if facts.is_empty() {
                continue;
            }
            eprintln!("{policy:?}: {} go after {facts:?}", archives.len());
            let prefix = format!("copy-{number}-{place}");
            let mut copy = loaded.copy(&prefix);
            copy.start();
            let policy = policy.iter().map(|word| (*word).to_owned()).collect();
            let mut performer =
                Performer { owner: &copy, points, prefix: &prefix, made: 0, policy, held: None };
            facts.iter().for_each(|fact| performer.perform(fact));
            assert_released(&performer, &facts, &archives);
            copy.kill();
            fs::remove_dir_all(copy.dir()).expect("it is not needed any more");
            for fact in facts {
                let kind = fact.split(' ').filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
                *seen.entry(kind.collect::<Vec<_>>().join(" ")).or_default() += 1;
            }
        }
    }
    loaded.owner.start();
    seen
}

/// The plan of this moment lets the archives go.
fn assert_released(performer: &Performer<'_>, facts: &[String], archives: &[String]) {
    let after = plan(performer.owner, &performer.policy());
    for name in archives {
        let goes = list(&after, "delete").iter().any(|entry| text(entry, "name") == name);
        let kept = list(&after, "keep").iter().find(|entry| text(entry, "name") == name);
        assert!(goes, "{name} stays after {facts:?} under {:?}: {kept:#?}", performer.policy);
    }
}

fn assert_seen(seen: &BTreeMap<String, usize>, wanted: &[&str]) {
    for kind in wanted {
        assert!(seen.contains_key(*kind), "no set says '{kind}': {seen:?}");
    }
}

#[test]
fn what_is_printed_to_release_an_archive_releases_it() {
    let (mut loaded, points) = story();
    let seen = assert_sets_release(&mut loaded, &points, &POLICIES);
    let wanted = [
        "more complete checkpoints",
        "unit of recovery ends",
        "the hold on recovery point ends",
        "recovery point is given up",
        "the policy asks for no",
        "new verified recovery point of all page sets",
        "more archives of copy",
    ];
    assert_seen(&seen, &wanted);
    loaded.audit(&loaded.owner);
}

/// Its device fails for a time. A start would bring it back, so all is done on the queue manager itself.
#[test]
fn what_is_printed_of_an_offline_page_set_releases_an_archive() {
    let test = "what_is_printed_of_an_offline_page_set_releases_an_archive";
    if let Some(missing) = Trouble::missing() {
        return ground::skip(test, &missing);
    }
    let (mut loaded, points) = story();
    loaded.owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    loaded.owner.mqsc("DEFINE QLOCAL(APP.ONE) STGCLASS(ONE) DEFPSIST(YES)").done();
    let lines: Vec<String> = (0..200).map(|number| format!("{number} {}", "p".repeat(500))).collect();
    loaded.owner.put("APP.ONE", &lines);
    let trouble = Trouble::begin(&loaded.owner, &["PSID01".to_owned()], &["fdatasync:error=EIO"]);
    for _ in 0..4 {
        loaded.load(50).done();
        loaded.archive();
    }
    wait_for_console(&loaded.owner, &["HWT321E", "01"]);
    assert!(trouble.end() > 0);
    let performed = assert_goes_on(&mut loaded, &points, "offline", POLICIES[0]);
    assert!(performed.contains(&"page set 01 is brought online".to_owned()), "{performed:?}");
    assert_eq!(loaded.owner.browse("APP.ONE"), lines);
    loaded.audit(&loaded.owner);
}

/// Makes the largest set that is printed under `policy` so on the queue manager itself, where a program holds a unit of recovery open.
fn assert_goes_on(loaded: &mut Loaded, points: &Path, prefix: &str, policy: &[&str]) -> Vec<String> {
    let held = Some(Held::put(&loaded.owner, "APP.Q", "held\n"));
    wait_until("a unit is held open", || {
        list(&usage(&loaded.owner), "units").iter().any(|unit| text(unit, "state") == "in-flight")
    });
    loaded.load(150).done();
    loaded.archive();
    // Of the newest archive the pages are not on disk yet.
    loaded.load(20).done();
    let sets = releasing_sets(&plan(&loaded.owner, policy));
    let (facts, archives) = sets.into_iter().max_by_key(|(facts, _)| facts.len()).expect("archives");
    eprintln!("{policy:?}: {} go after {facts:?}", archives.len());
    let policy = policy.iter().map(|word| (*word).to_owned()).collect();
    let mut performer = Performer { owner: &loaded.owner, points, prefix, made: 0, policy, held };
    facts.iter().for_each(|fact| performer.perform(fact));
    assert_released(&performer, &facts, &archives);
    facts
}

/// On the queue manager itself, which goes on meanwhile: no start lends a hand.
#[test]
fn what_is_printed_releases_archives_of_a_queue_manager_that_goes_on() {
    let (mut loaded, points) = story();
    for (round, policy) in POLICIES.iter().enumerate() {
        assert_goes_on(&mut loaded, &points, &format!("going-on-{round}"), policy);
    }
    loaded.audit(&loaded.owner);
}
