//! Points made, listed, shown and verified.

use std::fs;

use crate::site::{Site, flip};

#[test]
fn a_point_is_made_listed_shown_and_verified() {
    let mut site = Site::new();
    assert_eq!(site.recpoint(&["list", "QM1"]).0, 4);
    let (code, _, err) = site.recpoint(&["create", "QM1", "--to", "T1"]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT701E") && !site.dir.path().join("T1").exists(), "{err}");

    site.start();
    site.put(50);
    let (code, out, err) = site.recpoint(&["create", "QM1", "--to", "T1", "--method", "fuzzy"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("HWT543I QM1 RECOVERY POINT T1 MADE IN") && out.contains("fuzzy verified"), "{out}");
    let mut names: Vec<String> = fs::read_dir(site.dir.path().join("T1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["BSDS", "DEFINITIONS", "MANIFEST", "PSID00", "PSID01", "PSID02"]);
    assert!(!site.dir.path().join("T1.making").exists());

    let made = site.json(&["create", "QM1", "--to", "T2", "--name", "SECOND"]);
    assert_eq!(
        (&made["name"], &made["state"], &made["condition_code"]),
        (&"SECOND".into(), &"verified".into(), &0.into())
    );

    let (code, out, _) = site.recpoint(&["list", "QM1"]);
    assert_eq!(code, 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].starts_with("NAME    METHOD  STATE") && lines[1].starts_with("T1      fuzzy   verified"),
        "{out}"
    );
    let listed = site.json(&["list", "QM1"]);
    assert_eq!(listed["points"][1]["name"], "SECOND");
    assert_eq!(listed["points"][1]["log_needed_from"], made["log_needed_from"]);

    for point in ["T1", "./T1"] {
        let (code, out, _) = site.recpoint(&["show", "QM1", point]);
        assert_eq!(code, 0);
        assert!(
            out.contains("QUEUE MANAGER    QM1 (0000000000000001)") && out.contains("PAGE SET  RECOVERY RBA"),
            "{out}"
        );
    }
    assert_eq!(site.json(&["show", "QM1", "SECOND"])["method"], "fuzzy");
    let (code, out, err) = site.recpoint(&["verify", "QM1", "T1"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("768 PAGES LOOKED AT, 0 DAMAGED") && out.contains("HWT552I"), "{out}");
    site.stop();
    assert_eq!(site.recpoint(&["verify", "QM1", "SECOND"]).0, 0, "at rest too");
    assert_eq!(site.recpoint(&["list", "QM1"]).0, 0);
}

#[test]
fn damage_is_named() {
    let mut site = Site::new();
    site.start();
    site.put(20);
    assert_eq!(site.recpoint(&["create", "QM1", "--to", "T1"]).0, 0);
    site.stop();
    let point = site.dir.path().join("T1");
    flip(&point.join("PSID01"), 7 * 4096 + 9);
    flip(&point.join("PSID01"), 200 * 4096);
    let (code, out, err) = site.recpoint(&["verify", "QM1", "T1"]);
    assert_eq!(code, 8);
    assert!(err.contains("HWT547E page set 01 page 00000007") && err.contains("page 000000C8"), "{err}");
    assert!(out.contains("HWT553E"), "{out}");
    let report = site.json(&["verify", "QM1", "T1"]);
    assert_eq!((&report["damaged_count"], &report["damaged_pages"][0]["page"]), (&2.into(), &7.into()));
    flip(&point.join("PSID01"), 7 * 4096 + 9);
    flip(&point.join("PSID01"), 200 * 4096);
    for name in ["BSDS", "DEFINITIONS"] {
        flip(&point.join(name), 5);
        let (code, _, err) = site.recpoint(&["verify", "QM1", "T1"]);
        assert_eq!(code, 8);
        assert!(err.contains("HWT548E") && err.contains(name), "{err}");
        flip(&point.join(name), 5);
    }
    flip(&point.join("MANIFEST"), 300);
    let (code, _, err) = site.recpoint(&["verify", "QM1", "T1"]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT513E"), "{err}");
    flip(&point.join("MANIFEST"), 300);
    fs::rename(site.queue_manager().join("LOGCOPY1.DS01"), site.dir.path().join("aside")).unwrap();
    let archive = site.queue_manager().join("ARCHLOG1.A0000001");
    fs::rename(&archive, site.dir.path().join("aside2")).unwrap();
    let (code, _, err) = site.recpoint(&["verify", "QM1", "T1"]);
    assert_eq!(code, 8);
    assert!(err.contains("HWT549E") && err.contains("is needed and can be read from no data set"), "{err}");
}

#[test]
fn log_that_is_good_in_one_copy_only_is_named() {
    let mut site = Site::with(true);
    site.start();
    site.put(20);
    assert_eq!(site.recpoint(&["create", "QM1", "--to", "T1"]).0, 0);
    let queue_manager = site.queue_manager();
    let report = site.json(&["verify", "QM1", "T1"]);
    let needed = usize::from_str_radix(report["log_needed"]["start"].as_str().unwrap(), 16).unwrap();
    let at = needed / 4096 * 4096 + 100;
    // While it runs and while it is down; in one copy of the archive, and of an active log.
    for running in [true, false] {
        if !running {
            site.put(20);
            site.stop();
        }
        assert_eq!(site.recpoint(&["verify", "QM1", "T1"]).0, 0, "running {running}");
        for (name, at) in [("ARCHLOG2.A0000001", at), ("LOGCOPY1.DS02", 100)] {
            let path = queue_manager.join(name);
            flip(&path, at);
            let (code, out, err) = site.recpoint(&["verify", "QM1", "T1"]);
            assert_eq!(code, 8, "{name}");
            assert!(err.contains("HWT270W log is good in one copy only: RBA") && err.contains(name), "{err}");
            assert!(out.contains("HWT271W 1 CONTROL") && out.contains("HWT552I"), "{out}");
            let report = site.json(&["verify", "QM1", "T1"]);
            assert_eq!(
                (&report["log_copy_faults"], report["log_copies"].as_array().unwrap().len()),
                (&1.into(), 1)
            );
            flip(&path, at);
        }
    }
    // In both copies it is missing, and told as that alone.
    for copy in [1, 2] {
        flip(&queue_manager.join(format!("ARCHLOG{copy}.A0000001")), at);
        let _ = fs::remove_file(queue_manager.join(format!("LOGCOPY{copy}.DS01")));
    }
    let (code, out, err) = site.recpoint(&["verify", "QM1", "T1"]);
    assert_eq!(code, 8);
    assert!(err.contains("HWT549E") && !err.contains("HWT270W") && out.contains("HWT553E"), "{err} {out}");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let mut site = Site::new();
    site.start();
    fs::create_dir(site.dir.path().join("THERE")).unwrap();
    for (arguments, id) in [
        (&["create", "QM1", "--to", "THERE"][..], "HWT510E"),
        (&["create", "QM1", "--to", "a b"], "HWT511E"),
        (&["create", "QM1", "--to", "nowhere/T1"], "HWT524E"),
        (&["create", "QM9", "--to", "T1"], "HWT413E"),
        (&["show", "QM1", "T9"], "HWT512E"),
        (&["show", "QM1", "THERE"], "HWT512E"),
        (&["list", "QM9"], "HWT413E"),
        (&["create", "QM1"], "HWT700E"),
    ] {
        let (code, out, err) = site.recpoint(arguments);
        assert_eq!(code, 12, "{arguments:?}");
        assert!(err.starts_with(id) && out.is_empty(), "{arguments:?}: {err}");
    }
    assert!(!site.dir.path().join("T1").exists());
    assert_eq!(site.recpoint(&["list", "QM1"]).0, 4, "none of them is known");
    site.stop();
}

#[test]
fn a_point_may_hold_its_log_and_is_then_verified_anywhere() {
    let mut site = Site::with(true);
    site.start();
    site.put(200);
    let with = site.json(&["create", "QM1", "--to", "WITH", "--include-log"]);
    let without = site.json(&["create", "QM1", "--to", "WITHOUT"]);
    assert!(without.get("log").is_none());
    let piece = &with["log"][0];
    assert!(piece["length"].as_u64().unwrap() > 100_000, "{with}");
    assert!(
        piece["start"].as_str() <= with["log_needed_from"].as_str() && piece["end"] == with["end"],
        "{with}"
    );
    let (_, out, _) = site.recpoint(&["create", "QM1", "--to", "MORE", "--include-log"]);
    assert!(out.contains("HWT245I THE LOG IS INCLUDED, "), "{out}");
    let (_, out, _) = site.recpoint(&["show", "QM1", "WITH"]);
    assert!(out.contains("LOG0001"), "{out}");
    site.stop();
    // Nothing but the points is there.
    fs::remove_dir_all(site.queue_manager()).unwrap();
    let (code, out, err) = site.recpoint(&["verify", ".", "WITH"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(site.recpoint(&["verify", ".", "WITHOUT"]).0, 12);
    flip(&site.dir.path().join("WITH/LOG0001"), 50_000);
    let (code, _, err) = site.recpoint(&["verify", ".", "WITH"]);
    assert_eq!(code, 8);
    assert!(err.contains("HWT548E included log "), "{err}");
    flip(&site.dir.path().join("WITH/LOG0001"), 50_000);
    fs::remove_file(site.dir.path().join("WITH/LOG0001")).unwrap();
    assert_eq!(site.recpoint(&["verify", ".", "WITH"]).0, 8);
}
