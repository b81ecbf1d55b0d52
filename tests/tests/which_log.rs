//! Which log may go, asked of a queue manager that works, was stopped or was killed: what is said agrees with what recovery needs and
//! with what `dispusage` says, and what is in doubt is kept.

use std::fs;
use std::path::PathBuf;

use house::held::Held;
use house::loaded::{Loaded, wait_until};
use house::programs::{Said, run};
use serde_json::Value;

const OPTIONS: [&str; 14] = [
    "--log-size",
    "512KiB",
    "--active-logs",
    "3",
    "--logs",
    "dual",
    "--archives",
    "dual",
    "--page-sets",
    "3",
    "--page-set-size",
    "4MiB",
    "--log-load",
    "2000",
];

struct Site {
    loaded: Loaded,
}

impl Site {
    fn new() -> Self {
        let loaded = Loaded::create(&OPTIONS);
        loaded.owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
        fs::create_dir(loaded.scratch().join("points")).expect("a folder");
        Self { loaded }
    }

    fn work(&mut self) {
        self.loaded.load(300).done();
        self.loaded.archive();
    }

    /// So much that a point made then needs none of the first log: page sets are written to disk within three checkpoints.
    fn work_on(&mut self) {
        (0..5).for_each(|_| self.work());
    }

    fn point(&self, name: &str) -> PathBuf {
        self.loaded.scratch().join("points").join(name)
    }

    fn back_up(&self, name: &str) {
        let to = self.point(name);
        run("recpoint", ["create", self.loaded.owner.name(), "--to", &to.to_string_lossy()]).expect(0).done();
    }

    fn prunelog(&self, command: &str, options: &[&str]) -> Said {
        run("prunelog", [&[command, self.loaded.owner.name()], options].concat())
    }

    fn json(&self, command: &str, options: &[&str]) -> Value {
        let said = self.prunelog(command, &[&["--json"], options].concat());
        assert!(said.code <= 4, "{said:?}");
        serde_json::from_str(&said.out).expect("a document")
    }

    fn plan(&self, options: &[&str]) -> Value {
        self.json("plan", options)
    }

    fn usage(&self) -> Value {
        let said = run("dispusage", [self.loaded.owner.name(), "--json"]).expect(0);
        serde_json::from_str(&said.out).expect("a document")
    }

    /// The RBA from which a point needs log, as `recpoint list` says.
    fn needed_from(&self, name: &str) -> String {
        let said = run("recpoint", ["list", self.loaded.owner.name(), "--json"]).expect(0);
        let list: Value = serde_json::from_str(&said.out).expect("a document");
        let points = list["points"].as_array().expect("points");
        let point = points.iter().find(|point| point["name"] == name).expect("it is listed");
        text(&point["log_needed_from"]).to_owned()
    }

    /// What a restart needs today is the same in the inventory as `dispusage` says, all of it.
    fn assert_as_dispusage(&self) -> Value {
        let (usage, inventory) = (self.usage(), self.json("inventory", &[]));
        let now = &inventory["now"];
        let of_usage: Vec<_> = array(&usage["page_sets"])
            .iter()
            .map(|set| (set["page_set"].clone(), set["recovery_rba"].clone(), set["online"].clone()))
            .collect();
        let of_inventory: Vec<_> = array(&now["page_sets"])
            .iter()
            .map(|set| {
                let online = set.get("online").cloned().unwrap_or(Value::Bool(true));
                (set["psid"].clone(), set["recovery_rba"].clone(), online)
            })
            .collect();
        assert_eq!(of_inventory, of_usage);
        let units = |list: &Value| -> Vec<(Value, Value)> {
            array(list).iter().map(|unit| (unit["urid"].clone(), unit["state"].clone())).collect()
        };
        assert_eq!(units(&now["units"]), units(&usage["units"]));
        assert_eq!(now["log_end"], usage["log_end"]);
        usage
    }
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Every archive that ends below `boundary` goes, and no other one; in both copies.
#[track_caller]
fn assert_boundary(plan: &Value, boundary: &str) {
    assert_eq!(plan["boundary"], boundary, "{}", plan["boundary_holder"]);
    assert!(array(&plan["delete"]).iter().all(|entry| text(&entry["end"]) < boundary), "{plan}");
    let kept = array(&plan["keep"]).iter().filter(|entry| entry["kind"] == "archive");
    assert!(kept.clone().all(|entry| text(&entry["end"]) >= boundary), "{plan}");
    for copy in 1..=2 {
        let of_copy = |entry: &&Value| entry["copy"] == copy;
        let ranges = |list: &Value| -> Vec<(String, String)> {
            let of_copy = array(list).iter().filter(of_copy);
            of_copy.map(|entry| (text(&entry["start"]).to_owned(), text(&entry["end"]).to_owned())).collect()
        };
        assert!(kept.clone().filter(of_copy).count() > 0);
        if copy == 2 {
            continue;
        }
        let other: Vec<_> = array(&plan["delete"]).iter().filter(|entry| entry["copy"] == 2).collect();
        assert_eq!(ranges(&plan["delete"]).len(), other.len());
    }
}

/// Backups of a queue manager that works, one after another: log is kept from what each needed when it was made.
#[test]
fn log_is_kept_from_what_the_points_needed_when_they_were_made() {
    let mut site = Site::new();
    site.work();
    site.back_up("T1");
    site.work();
    // Without a policy nothing goes; without a sound point nothing either.
    assert_eq!(site.plan(&[])["delete"], serde_json::json!([]));
    let held = Held::put(&site.loaded.owner, "APP.Q", "held\n");
    wait_until("the held unit has begun", || array(&site.usage()["units"]).len() == 1);
    let unit = text(&site.usage()["units"][0]["urid"]).to_owned();
    site.work();
    site.back_up("T2");
    site.work();
    let usage = site.assert_as_dispusage();
    assert_eq!(array(&usage["units"]).len(), 1);
    // The unit holds what it needs for T2 and for a restart today.
    let plan = site.plan(&["--keep-last", "1", "--max-delete", "100%"]);
    assert_eq!(site.needed_from("T2"), unit);
    assert_boundary(&plan, &unit);
    let first = array(&plan["keep"]).iter().find(|entry| entry["kind"] == "archive").expect("an archive");
    let holders: Vec<&str> = array(&first["holders"]).iter().map(|holder| text(&holder["what"])).collect();
    let of_point = "recovery point T2: units of recovery (unit of recovery ";
    assert!(holders[..2].iter().any(|what| what.starts_with(of_point)), "{holders:?}");
    assert!(holders.iter().any(|what| what.starts_with("restart today: unit of recovery ")), "{holders:?}");
    assert!(array(&first["released_by"]).contains(&format!("unit of recovery {unit} ends").into()));
    drop(held);
    wait_until("the held unit has ended", || array(&site.usage()["units"]).is_empty());
    site.work();
    site.work();
    // Today's value has gone up; T2 needs what it recorded all the same.
    let usage = site.assert_as_dispusage();
    assert!(text(&usage["system_recovery_rba"]) > unit.as_str());
    assert_boundary(&site.plan(&["--keep-last", "1", "--max-delete", "100%"]), &unit);
    site.back_up("T3");
    site.work();
    // Making a point frees nothing; that an older one is given up does.
    let (t1, t3) = (site.needed_from("T1"), site.needed_from("T3"));
    assert_boundary(&site.plan(&["--keep-last", "3"]), &t1);
    assert_boundary(&site.plan(&["--keep-last", "2", "--max-delete", "100%"]), &unit);
    let plan = site.plan(&["--keep-last", "1", "--max-delete", "100%"]);
    assert_boundary(&plan, &t3);
    assert!(text(&plan["boundary_holder"]).starts_with("recovery point T3: page sets (page set "), "{plan}");
    // Why is that one kept?
    let archive = array(&plan["keep"]).iter().find(|entry| entry["kind"] == "archive").expect("an archive");
    let explained = site.prunelog("explain", &["--keep-last", "1", text(&archive["name"])]).expect(0);
    assert!(
        explained.out.contains(" is kept\n") && explained.out.contains("recovery point T3"),
        "{explained:?}"
    );
    let place = site.prunelog("explain", &["--keep-last", "2", &unit]).expect(0);
    assert!(place.out.contains("recovery point T2: units of recovery"), "{place:?}");
}

#[test]
fn a_queue_manager_that_was_killed_or_stopped_is_asked_by_its_files() {
    let mut site = Site::new();
    site.work();
    site.back_up("T1");
    site.work();
    let held = Held::put(&site.loaded.owner, "APP.Q", "held\n");
    wait_until("the held unit has begun", || array(&site.usage()["units"]).len() == 1);
    site.work();
    site.loaded.owner.kill();
    drop(held);
    let usage = site.assert_as_dispusage();
    assert_eq!(
        (usage["source"].as_str(), !array(&usage["units"]).is_empty()),
        (Some("files"), true),
        "{usage}"
    );
    let plan = site.plan(&["--keep-last", "1"]);
    assert_boundary(&plan, &site.needed_from("T1"));
    let all = plan["keep"].to_string();
    assert!(all.contains("restart today: unit of recovery"), "{all}");
    // Nothing was changed by asking.
    site.loaded.owner.start();
    site.loaded.audit(&site.loaded.owner);
    site.loaded.owner.stop().done();
    site.assert_as_dispusage();
    let stopped = site.plan(&["--keep-last", "1"]);
    assert_eq!(stopped["boundary"], plan["boundary"]);
    // A page set that is lost holds all log until it is back.
    fs::remove_file(site.loaded.owner.file("PSID01")).expect("a page set is lost");
    site.assert_as_dispusage();
    assert_eq!(site.plan(&["--keep-last", "1"])["delete"], serde_json::json!([]));
}

#[test]
fn points_that_are_out_of_reach_count_for_nothing_and_keep_their_log() {
    let mut site = Site::new();
    for name in ["T1", "T2"] {
        site.work_on();
        site.back_up(name);
    }
    site.work();
    let (t1, t2) = (site.needed_from("T1"), site.needed_from("T2"));
    let keep = ["--keep-last", "1", "--max-delete", "100%"];
    assert_boundary(&site.plan(&keep), &t2);
    let away = site.loaded.scratch().join("away");
    fs::rename(site.point("T2"), &away).expect("it is moved");
    let said = site.prunelog("plan", &keep).expect(4).says(&["HWT828W RECOVERY POINT T2 "]);
    assert!(said.out.contains("  T2    yes   fuzzy   unverified"), "{}", said.out);
    assert_boundary(&site.plan(&keep), &t1);
    fs::rename(&away, site.point("T2")).expect("it is moved back");
    assert_boundary(&site.plan(&keep), &t2);
    // A copy that was cut short, and a manifest that is somebody else's.
    let copy = site.point("T2").join("PSID01");
    let whole = fs::read(&copy).expect("a copy");
    fs::write(&copy, &whole[..whole.len() - 4096]).expect("it is cut");
    site.prunelog("plan", &keep).expect(4).says(&["HWT828W", "PSID01 has "]).done();
    assert_boundary(&site.plan(&keep), &t1);
    fs::write(&copy, &whole).expect("it is mended");
    let other = fs::read(site.point("T1").join("MANIFEST")).expect("a manifest");
    fs::write(site.point("T2").join("MANIFEST"), other).expect("it is replaced");
    site.prunelog("plan", &keep)
        .expect(4)
        .says(&["HWT828W", "is of another recovery point, T1 of QM1"])
        .done();
}

#[test]
fn files_that_look_like_archives_and_are_in_no_inventory_are_never_deleted() {
    let mut site = Site::new();
    site.work_on();
    site.back_up("T1");
    site.work();
    let keep = ["--keep-last", "1", "--max-delete", "100%"];
    let before = site.plan(&keep);
    let doomed = text(&before["delete"][0]["name"]).to_owned();
    let owner = &site.loaded.owner;
    fs::copy(owner.file(&doomed), owner.file("ARCHLOG1.A0009998")).expect("a copy of an archive");
    fs::write(owner.file("ARCHLOG2.A0009999"), vec![7; 8192]).expect("a file that is none");
    let said =
        site.prunelog("plan", &keep).expect(4).says(&["HWT804W 1 DATA SETS", "HWT829W ARCHLOG2.A0009999 "]);
    assert!(said.err.contains("ARCHLOG1.A0009998"), "{said:?}");
    let after = site.plan(&keep);
    assert_eq!(after["delete"], before["delete"]);
    assert!(after["keep"].to_string().contains("ARCHLOG1.A0009998"));
    // What is not there is said, and is no reason to let more go.
    fs::remove_file(owner.file(&doomed)).expect("an archive is lost");
    site.prunelog("plan", &keep)
        .expect(4)
        .says(&["HWT803W 1 DATA SETS OF THE INVENTORY ARE NOT THERE", &doomed])
        .done();
}

/// The inventory can be kept, and says the same when it is read.
#[test]
fn the_inventory_of_a_queue_manager_is_a_document_like_any_other() {
    let mut site = Site::new();
    site.work_on();
    site.back_up("T1");
    site.work();
    site.loaded.owner.stop().done();
    let keep = ["--keep-last", "1", "--max-delete", "100%"];
    let document = site.loaded.scratch().join("inventory.json");
    fs::write(&document, site.prunelog("inventory", &[]).expect(0).out).expect("it is kept");
    let document = document.to_string_lossy().into_owned();
    let from = |what: &[&str]| run("prunelog", [what, &["--inventory", &document], &keep].concat());
    let said = from(&["plan", "--json"]);
    let kept: Value = serde_json::from_str(&said.out).expect("a document");
    let live = site.plan(&keep);
    for field in
        ["queue_manager", "boundary", "boundary_holder", "totals", "points", "actions", "delete", "keep"]
    {
        assert_eq!(kept[field], live[field], "{field}");
    }
    let name = text(&live["delete"][0]["name"]).to_owned();
    let goes = from(&["explain", &name]).expect(0);
    assert!(goes.out.starts_with(&format!("{name} goes: nobody holds it\n")), "{goes:?}");
    assert_eq!(site.prunelog("explain", &[&keep[..], &[&name]].concat()).expect(0).out, goes.out);
    // One of the two, and not both.
    let owner = site.loaded.owner.name();
    run("prunelog", ["plan", owner, "--inventory", &document]).expect(12).says(&["HWT700E"]).done();
    run("prunelog", ["explain", owner, &name, "--inventory", &document]).expect(12).says(&["HWT700E"]).done();
    run("prunelog", ["explain", &name]).expect(12).says(&["HWT700E"]).done();
    for command in ["plan", "inventory"] {
        run("prunelog", [command, "/nowhere/at/all"]).expect(12).says(&["HWT413E", "/nowhere/at/all"]).done();
    }
}
