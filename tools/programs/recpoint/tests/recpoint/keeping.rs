//! Points held, released and forgotten.

use std::fs;

use crate::site::Site;

/// A queue manager with points T1 and T2, the second one newer.
fn with_points() -> Site {
    let mut site = Site::new();
    site.start();
    site.put(20);
    for point in ["T1", "T2"] {
        assert_eq!(site.recpoint(&["create", "QM1", "--to", point]).0, 0);
    }
    site
}

fn names(site: &Site) -> Vec<String> {
    let listed = site.json(&["list", "QM1"]);
    let points = listed["points"].as_array().unwrap().clone();
    points.iter().map(|point| point["name"].as_str().unwrap().to_owned()).collect()
}

fn refused(site: &Site, arguments: &[&str], id: &str) {
    let (code, out, err) = site.recpoint(arguments);
    assert_eq!(code, 12, "{arguments:?}: {out}{err}");
    assert!(err.starts_with(id) && out.is_empty(), "{arguments:?}: {err}");
}

#[test]
fn a_point_is_held_released_and_forgotten_while_the_queue_manager_runs_and_while_it_is_down() {
    for running in [true, false] {
        let mut site = with_points();
        if !running {
            site.stop();
        }
        let (code, out, err) = site.recpoint(&["hold", "QM1", "T1", "--reason", "audit 2026"]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert_eq!(out, "HWT451I RECOVERY POINT T1 IS HELD: audit 2026\n");
        let again = site.json(&["hold", "QM1", "T1", "--reason", "year end"]);
        assert_eq!((&again["live"], &again["holds"][1]["reason"]), (&running.into(), &"year end".into()));
        let (_, out, _) = site.recpoint(&["list", "QM1"]);
        assert!(out.lines().nth(1).unwrap().ends_with("T1 (held)"), "{out}");
        assert!(!out.lines().nth(2).unwrap().contains("held"), "{out}");
        let (_, out, _) = site.recpoint(&["show", "QM1", "T1"]);
        assert!(out.contains("HELD             until released: audit 2026"), "{out}");
        refused(
            &site,
            &["forget", "QM1", "T1"],
            "HWT484E RECOVERY POINT T1 IS NOT FORGOTTEN: it is held (audit 2026)",
        );
        let (code, out, _) = site.recpoint(&["release", "QM1", "T1"]);
        assert_eq!((code, out.matches("HWT452I").count()), (0, 2), "{out}");
        refused(&site, &["release", "QM1", "T1"], "HWT483E");

        let (code, out, err) = site.recpoint(&["forget", "QM1", "T1"]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(
            out.contains("HWT453I RECOVERY POINT T1 IS FORGOTTEN") && out.contains("HWT594I ITS FILES STAY"),
            "{out}"
        );
        assert_eq!(names(&site), ["T2"]);
        // Its files are as good as they were.
        assert_eq!(site.recpoint(&["verify", "QM1", "./T1"]).0, 0);
        for command in ["hold", "release", "forget"] {
            let mut arguments = vec![command, "QM1", "T1"];
            if command == "hold" {
                arguments.extend(["--reason", "late"]);
            }
            refused(&site, &arguments, "HWT481E");
        }
        refused(&site, &["forget", "QM1", "T2"], "HWT487E");
        if running {
            site.stop();
        }
    }
}

#[test]
fn the_last_verified_point_of_a_page_set_is_not_forgotten() {
    let mut site = with_points();
    // The newest one is found to be damaged, all but its definitions: the older one is the last that counts.
    crate::site::flip(&site.dir.path().join("T2/PSID01"), 7 * 4096 + 9);
    assert_eq!(site.recpoint(&["verify", "QM1", "T2"]).0, 8);
    refused(
        &site,
        &["forget", "QM1", "T1"],
        "HWT486E RECOVERY POINT T1 IS NOT FORGOTTEN: it is the last verified one",
    );
    refused(&site, &["forget", "QM1", "T2"], "HWT487E");
    assert_eq!(site.recpoint(&["create", "QM1", "--to", "T3"]).0, 0);
    for point in ["T1", "T2"] {
        assert_eq!(site.recpoint(&["forget", "QM1", point]).0, 0, "{point}");
    }
    assert_eq!(names(&site), ["T3"]);
    site.stop();
}

#[test]
fn a_hold_ends_when_it_was_said_to() {
    let mut site = with_points();
    let held = |extra: &[&str]| {
        let hold = ["hold", "QM1", "T1", "--reason", "audit"];
        site.json(&[&hold[..], extra].concat())["holds"][0]["until"].clone()
    };
    assert_eq!(held(&["--until", "2999-01-31T00:00:00Z"]), "2999-01-31T00:00:00Z");
    assert!(held(&[]).is_null());
    refused(&site, &["hold", "QM1", "T1", "--reason", "audit", "--until", "2001-01-01T00:00:00Z"], "HWT482E");
    refused(&site, &["hold", "QM1", "T1", "--reason", " "], "HWT482E");
    assert_eq!(site.recpoint(&["hold", "QM1", "T1"]).0, 12, "a reason is wanted");
    site.stop();
}

#[test]
fn files_are_deleted_when_that_is_asked_for_and_nothing_is_done_on_a_dry_run() {
    let mut site = with_points();
    let there = |point: &str| site.dir.path().join(point).exists();
    for point in ["T3", "T4"] {
        assert_eq!(site.recpoint(&["create", "QM1", "--to", point]).0, 0);
    }
    let (code, out, _) = site.recpoint(&["forget", "QM1", "T1", "--delete-files", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(out.contains("HWT592I RECOVERY POINT T1 CAN BE FORGOTTEN: nothing was done"), "{out}");
    assert!(there("T1") && names(&site).len() == 4);
    let done = site.json(&["forget", "QM1", "T1", "--delete-files"]);
    assert_eq!((&done["forgotten"], done["files"].as_array().unwrap().len()), (&true.into(), 6), "{done}");
    assert!(!there("T1") && names(&site).len() == 3);

    // Another point is in its directory by now: whose files they are is not guessed.
    fs::rename(site.dir.path().join("T2"), site.dir.path().join("ASIDE")).unwrap();
    fs::rename(site.dir.path().join("T3"), site.dir.path().join("T2")).unwrap();
    refused(&site, &["forget", "QM1", "T2", "--delete-files"], "HWT597E");
    assert!(names(&site).contains(&"T2".to_owned()) && there("T2"));
    // What is not the point's stays.
    fs::rename(site.dir.path().join("T2"), site.dir.path().join("T3")).unwrap();
    fs::write(site.dir.path().join("T3/NOTES"), "mine").unwrap();
    let (code, _, err) = site.recpoint(&["forget", "QM1", "T3", "--delete-files"]);
    assert_eq!(code, 4);
    assert!(err.starts_with("HWT593W") && err.contains("NOTES"), "{err}");
    let left: Vec<_> =
        fs::read_dir(site.dir.path().join("T3")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["NOTES"]);
    // Files that are gone already are no reason to remember it.
    let (code, out, _) = site.recpoint(&["forget", "QM1", "T2", "--delete-files"]);
    assert_eq!(code, 0);
    assert!(out.contains("HWT594I ITS FILES ARE GONE"), "{out}");
    site.stop();
}

#[test]
fn nothing_is_forgotten_while_a_recovery_is_not_finished() {
    let mut site = with_points();
    site.stop();
    let replaced = site.queue_manager().join("PSID01.replaced");
    fs::write(&replaced, "old").unwrap();
    refused(&site, &["forget", "QM1", "T1"], "HWT485E");
    fs::remove_file(&replaced).unwrap();
    assert_eq!(site.recpoint(&["forget", "QM1", "T1"]).0, 0);
}
