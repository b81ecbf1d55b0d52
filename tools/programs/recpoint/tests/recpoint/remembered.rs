//! What looking at points came to is remembered; which are looked at next; and recoveries that prove them.

use std::fs;

use engine_storage::RealStorage;

use crate::site::{Site, flip};

fn with_points(points: &[&str]) -> Site {
    let mut site = Site::new();
    site.start();
    site.put(20);
    for point in points {
        assert_eq!(site.recpoint(&["create", "QM1", "--to", point]).0, 0);
    }
    site
}

/// State, and when it was last found whole.
fn known(site: &Site, place: usize) -> (String, Option<String>) {
    let listed = site.json(&["list", "QM1"]);
    let point = &listed["points"][place];
    (point["state"].as_str().unwrap().to_owned(), point["verified_at"].as_str().map(str::to_owned))
}

#[test]
fn what_was_found_is_remembered_while_it_runs_and_while_it_is_down() {
    let mut site = with_points(&["T1", "T2"]);
    assert_eq!(known(&site, 0), ("verified".to_owned(), None));
    for running in [true, false] {
        if !running {
            site.stop();
        }
        let report = site.json(&["verify", "QM1", "T1"]);
        assert_eq!((&report["noted"], &report["state"]), (&true.into(), &"verified".into()), "{report}");
        let (state, whole_at) = known(&site, 0);
        assert_eq!(state, "verified");
        assert!(whole_at.is_some());
        // A damaged page: it counts for nothing any more, and when it was whole is still known.
        let path = site.dir.path().join("T1/PSID01");
        flip(&path, 7 * 4096 + 9);
        assert_eq!(site.recpoint(&["verify", "QM1", "T1"]).0, 8);
        assert_eq!(known(&site, 0), ("damaged".to_owned(), whole_at.clone()));
        let (_, out, _) = site.recpoint(&["show", "QM1", "T1"]);
        assert!(out.contains("STATE            damaged") && out.contains("VERIFIED         20"), "{out}");
        flip(&path, 7 * 4096 + 9);
        assert_eq!(site.recpoint(&["verify", "QM1", "T1"]).0, 0);
        let (state, again) = known(&site, 0);
        assert!(state == "verified" && again > whole_at);
        assert_eq!(known(&site, 1).1, None, "nobody has looked at T2");
    }
    // A directory that is not there may come back.
    fs::rename(site.dir.path().join("T2"), site.dir.path().join("ASIDE")).unwrap();
    assert_eq!(site.recpoint(&["verify", "QM1", "T2"]).0, 12);
    assert_eq!(known(&site, 1).0, "unverified");
    fs::rename(site.dir.path().join("ASIDE"), site.dir.path().join("T2")).unwrap();
    assert_eq!(site.recpoint(&["verify", "QM1"]).0, 0, "without a name, all of them");
    assert_eq!(known(&site, 1).0, "verified");
    // A point that the BSDS does not name is looked at, and that is all.
    assert_eq!(site.recpoint(&["forget", "QM1", "T1"]).0, 0);
    let report = site.json(&["verify", "QM1", "./T1"]);
    assert_eq!((&report["noted"], &report["condition_code"]), (&false.into(), &0.into()));
}

#[test]
fn missing_log_makes_a_point_unverified_and_not_damaged() {
    let mut site = with_points(&["T1"]);
    site.stop();
    let archive = site.queue_manager().join("ARCHLOG1.A0000001");
    let active = site.queue_manager().join("LOGCOPY1.DS01");
    for (path, aside) in [(&archive, "A"), (&active, "B")] {
        fs::rename(path, site.dir.path().join(aside)).unwrap();
    }
    let report = site.json(&["verify", "QM1", "T1"]);
    assert_eq!(report["state"], "unverified", "{report}");
    assert_eq!(known(&site, 0).0, "unverified");
}

#[test]
fn a_finding_that_cannot_be_noted_is_a_warning() {
    let mut site = with_points(&["T1"]);
    site.stop();
    let lock = RealStorage::shared().lock(&site.queue_manager().join("LOCK")).unwrap();
    assert!(lock.is_some());
    let (code, out, err) = site.recpoint(&["verify", "QM1", "T1", "--timeout", "100ms"]);
    assert_eq!(code, 4, "{out}{err}");
    assert!(err.starts_with("HWT591W") && err.contains("HWT412E") && out.contains("HWT552I"), "{err}");
    assert_eq!(known(&site, 0).1, None);
    drop(lock);
    assert_eq!(site.recpoint(&["verify", "QM1", "T1", "--timeout", "100ms"]).0, 0);
}

#[test]
fn as_many_points_are_looked_at_as_fit_into_the_time_and_the_longest_ago_first() {
    let mut site = with_points(&["T1", "T2", "T3"]);
    let none = site.json(&["verify", "QM1", "--for", "0s"]);
    assert_eq!(
        (&none["condition_code"], none["not_begun"].as_array().unwrap().len()),
        (&4.into(), 3),
        "{none}"
    );
    assert!((0..3).all(|place| known(&site, place).1.is_none()));
    assert_eq!(site.recpoint(&["verify", "QM1", "T1"]).0, 0);
    let names = |document: &serde_json::Value| -> Vec<String> {
        let points = document["points"].as_array().unwrap();
        points.iter().map(|point| point["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = site.json(&["verify", "QM1", "--for", "10m"]);
    assert_eq!(names(&all), ["T2", "T3", "T1"]);
    assert_eq!(all["condition_code"], 0);
    // Named ones alone, in that order too; a damaged one comes last.
    flip(&site.dir.path().join("T2/PSID01"), 7 * 4096 + 9);
    assert_eq!(site.recpoint(&["verify", "QM1", "T2"]).0, 8);
    let two = site.json(&["verify", "QM1", "T2", "T1", "--for", "10m"]);
    assert_eq!((names(&two), &two["condition_code"]), (vec!["T1".to_owned(), "T2".to_owned()], &8.into()));
    assert_eq!(
        names(&site.json(&["verify", "QM1", "T2", "T1"])),
        ["T2", "T1"],
        "without a time, as they are named"
    );
    site.stop();
}

#[test]
fn a_deep_look_recovers_from_the_point_and_leaves_nothing() {
    let mut site = with_points(&["T1"]);
    site.put(200);
    fs::create_dir(site.dir.path().join("ROOM")).unwrap();
    let entries = || {
        let mut names: Vec<_> =
            fs::read_dir(site.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = entries();
    for arguments in
        [&["verify", "QM1", "T1", "--deep"][..], &["verify", "QM1", "T1", "--deep", "--scratch", "ROOM"]]
    {
        let report = site.json(arguments);
        let deep = &report["deep"];
        assert_eq!(
            (&report["condition_code"], &deep["failure"]),
            (&0.into(), &serde_json::Value::Null),
            "{report}"
        );
        assert_eq!(deep["page_sets"].as_array().unwrap().len(), 3, "{report}");
        // What was put behind the point was brought forward.
        assert!(deep["records"].as_u64().unwrap() > 200, "{report}");
        let scratch = deep["scratch"].as_str().unwrap();
        assert_eq!(scratch.contains("ROOM/T1.deep-"), arguments.len() == 6, "{scratch}");
    }
    assert_eq!(entries(), before);
    assert_eq!(fs::read_dir(site.dir.path().join("ROOM")).unwrap().count(), 0);
    assert!(site.json(&["verify", "QM1", "T1"]).get("deep").is_none());
    let (code, out, _) = site.recpoint(&["verify", "QM1", "T1", "--deep"]);
    assert_eq!(code, 0);
    assert!(out.contains("HWT273I RECOVERED FROM IT AND STARTED: 3 PAGE SETS"), "{out}");
    let (code, _, err) = site.recpoint(&["verify", "QM1", "T1", "--deep", "--scratch", "NOWHERE"]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT524E"), "{err}");
    // The queue manager has not noticed.
    site.put(1);
    site.stop();
    assert_eq!(site.recpoint(&["verify", "QM1", "T1", "--deep"]).0, 0, "at rest too");
}
