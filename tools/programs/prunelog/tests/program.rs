//! The program from outside: the worked example, explanations, warnings, refusals.

mod site;
#[path = "../../../operations/retention/testing/story.rs"]
mod story;

use serde_json::{Value, json};
use site::{Site, point, prunelog, prunelog_with, rba};
use story::STEPS;

#[test]
fn the_worked_example_is_planned() {
    for step in &STEPS {
        let document = step.document();
        let said =
            prunelog_with(&["plan", "--inventory", "-", "--keep-last", "1", "--json"], document.as_bytes());
        let plan: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(plan["boundary"], rba(step.keep_from), "{}", step.name);
        let gone: Vec<&str> =
            plan["delete"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
        let wanted: Vec<String> = (0..step.keep_from / 0x1000)
            .flat_map(|number| [1, 2].map(|copy| format!("ARCHLOG{copy}.A{number:07}")))
            .collect();
        assert_eq!(gone, wanted, "{}", step.name);
        assert_eq!(plan["totals"]["delete_bytes"], 4096 * wanted.len());
    }
}

#[test]
fn the_text_says_who_holds_what_and_what_would_let_it_go() {
    let document = STEPS[4].document();
    let said = prunelog_with(&["plan", "--inventory", "-", "--keep-last", "1"], document.as_bytes());
    for line in [
        "policy: --keep-last 1",
        "log is kept from 0000000000003000: recovery point T3: structures (S1)",
        "delete 6 archives, 24 KiB; keep 6 archives, 24 KiB, and 2 active logs",
        "  copy 2  history 1  0000000000000000..0000000000002FFF     12 KiB  3 data sets, ARCHLOG2.A0000000 to ARCHLOG2.A0000002",
        "    rule   from 0000000000003000: recovery point T3: structures (S1)",
        "    needed from 0000000000003900: recovery point T3: units of recovery (UOWA1)",
        "    goes after: 1 new verified recovery point of all page sets",
    ] {
        assert!(said.out.lines().any(|found| found == line), "{line}\nis not in\n{}", said.out);
    }
}

#[test]
fn places_and_data_sets_are_explained() {
    let document = STEPS[4].document();
    let explain = |what: &str| {
        prunelog_with(&["explain", "--inventory", "-", "--keep-last", "1", what], document.as_bytes())
    };
    let place = explain("X'3800'");
    assert_eq!(place.code, 0, "{}", place.err);
    assert!(place.out.starts_with("0000000000003800 in history 1: is held\n"), "{}", place.out);
    assert!(place.out.contains("  in ARCHLOG1.A0000003 copy 1 0000000000003000..0000000000003FFF kept\n"));
    assert_eq!(explain("0000000000003800").out, place.out);
    let free = explain("0000000000001000");
    assert!(free.out.starts_with("0000000000001000 in history 1: nobody holds it\n"), "{}", free.out);
    let kept = explain("ARCHLOG2.A0000003");
    assert!(kept.out.starts_with("ARCHLOG2.A0000003 is kept\n"), "{}", kept.out);
    assert!(kept.out.contains("    needed from 0000000000003900: recovery point T3"), "{}", kept.out);
    assert!(explain("ARCHLOG1.A0000002").out.starts_with("ARCHLOG1.A0000002 goes: nobody holds it\n"));
    assert!(explain("LOGCOPY1.DS01").out.contains("active logs are never deleted"));
    for bad in ["NO.SUCH.LOG", "X'G'"] {
        let said = explain(bad);
        assert_eq!((said.code, said.out.as_str()), (12, ""));
        assert!(said.err.starts_with("HWT823E"), "{}", said.err);
    }
    let json = prunelog_with(
        &["explain", "--inventory", "-", "--json", "--keep-last", "1", "X'3800'"],
        document.as_bytes(),
    );
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["places"][0]["data_sets"][0]["name"], "ARCHLOG1.A0000003");
}

#[test]
fn two_histories_are_two_logs() {
    let mut site = Site::new(12);
    // The log was cut at 6000; what was written behind is abandoned, and a new history begins there.
    site.histories = json!([
        {"id": "1", "parent": null, "cut": null}, {"id": "2", "parent": "1", "cut": rba(0x6000)}
    ]);
    let behind: Vec<Value> =
        site.logs.iter().filter(|log| log["start"].as_str() >= Some(&rba(0x6000))).cloned().collect();
    for mut log in behind {
        let name = log["name"].as_str().unwrap().to_owned();
        site.log(&name)["history"] = json!("2");
        if log["kind"] == "archive" {
            log["name"] = json!(format!("OLD.{name}"));
            site.logs.push(log);
        }
    }
    site.points.push(point("BEFORE", 9, 0x3000));
    let names = |plan: &Value| -> Vec<String> {
        let gone = plan["delete"].as_array().unwrap().iter().filter(|entry| entry["copy"] == 1);
        gone.map(|entry| entry["name"].as_str().unwrap().replace("ARCHLOG1.A00000", "")).collect()
    };
    let plan = site.plan(&["--keep-last", "1"]);
    let abandoned = (6..12).map(|number| format!("OLD.{number:02}"));
    let wanted: Vec<String> = ["00", "01", "02"].map(str::to_owned).into_iter().chain(abandoned).collect();
    assert_eq!(names(&plan), wanted);
    assert!(plan["warnings"].to_string().contains("HWT818W"));
    // A point of the abandoned log that is kept holds that log, and none of the new one.
    let mut lost = point("LOST", 1, 0x8000);
    lost["history"] = json!("1");
    site.points.push(lost);
    let plan = site.plan(&["--newer-than", "10d"]);
    assert_eq!(names(&plan), ["00", "01", "02", "OLD.06", "OLD.07"]);
}

#[test]
fn what_is_under_way_and_what_is_held_is_kept() {
    let mut site = Site::new(20);
    site.points = vec![point("P2", 9, 0x5000), point("P1", 2, 0xC000)];
    let gone = |site: &Site| site.plan(&["--keep-last", "1"])["delete"].as_array().unwrap().len();
    assert_eq!(gone(&site), 24);
    site.in_progress = json!([{"kind": "backup", "name": "B7", "rba": rba(0x8FFF)}]);
    assert_eq!(gone(&site), 16);
    site.in_progress = json!([]);
    site.holds = json!([{"point": "P2", "reason": "audit", "until": null}]);
    let plan = site.plan(&["--keep-last", "1"]);
    assert_eq!(plan["delete"].as_array().unwrap().len(), 10);
    assert_eq!(plan["keep"][0]["holders"][0]["kind"], "rule");
    assert_eq!(plan["keep"][0]["released_by"], json!(["the hold on recovery point P2 ends"]));
    let action = &plan["actions"][0];
    assert_eq!(
        (&action["action"], &action["data_sets"]),
        (&json!("the hold on recovery point P2 ends"), &json!(14))
    );
    site.holds = json!([{"point": "P2", "reason": "audit", "until": "2026-11-21T23:59:59Z"}]);
    assert_eq!(gone(&site), 24);
}

#[test]
fn a_page_set_that_no_point_covers_holds_all_log_since_it_was_created() {
    let mut site = Site::new(20);
    site.points = vec![point("P1", 2, 0xC000)];
    site.now["page_sets"] = json!([
        {"psid": 0, "recovery_rba": rba(0x13000)}, {"psid": 3, "recovery_rba": rba(0x13000), "created": rba(0x4000)}
    ]);
    let plan = site.plan(&["--keep-last", "1"]);
    assert_eq!((&plan["boundary"], plan["delete"].as_array().unwrap().len()), (&json!(rba(0x4000)), 8));
    let actions = plan["actions"].as_array().unwrap();
    let action =
        actions.iter().find(|action| action["action"] == "a verified backup of page set 03").unwrap();
    assert_eq!(action["data_sets"], 16);
    let warned = &plan["warnings"].as_array().unwrap();
    assert!(warned.iter().any(|warning| {
        warning["id"] == "HWT814W" && warning["text"].as_str().unwrap().starts_with("PAGE SET 03 ")
    }));
}

#[test]
fn a_data_set_on_several_volumes_stays_as_a_whole() {
    let mut site = Site::new(20);
    site.points = vec![point("P1", 2, 0xC000)];
    let gone = |site: &Site| site.plan(&["--keep-last", "1"])["delete"].as_array().unwrap().len();
    assert_eq!(gone(&site), 24);
    // The second volume of it holds needed log, the first one does not.
    site.log("ARCHLOG1.A0000011")["name"] = json!("ARCHLOG1.A0000012");
    assert_eq!(gone(&site), 23);
    let plan = site.plan(&["--keep-last", "1"]);
    let volumes =
        plan["keep"].as_array().unwrap().iter().filter(|entry| entry["name"] == "ARCHLOG1.A0000012");
    let volumes: Vec<_> = volumes.collect();
    assert_eq!(volumes[0]["holders"][0]["what"], "another volume of the same data set is held");
    assert_eq!(volumes[0]["released_by"], volumes[1]["released_by"]);
    // Where an active log has the name of an archive, neither goes.
    site.log("ARCHLOG2.A0000003")["name"] = json!("LOGCOPY2.DS01");
    assert_eq!(gone(&site), 22);
}

#[test]
fn warnings_name_what_is_wrong() {
    let mut site = Site::new(20);
    site.points = vec![point("P1", 2, 0xC000), point("P2", 9, 0x3000)];
    site.now["page_sets"] = json!([{"psid": 0, "recovery_rba": rba(0x12000), "online": false}]);
    site.now["structures"] = json!([{"name": "S1", "rba": null}]);
    site.now["units"] = json!([{"urid": rba(0x10000), "state": "in-doubt"}]);
    site.now["rba_limit"] = json!(rba(0x20000));
    site.holds = json!([{"point": "P9", "reason": "audit", "until": null}]);
    for copy in 1..=2 {
        site.log(&format!("ARCHLOG{copy}.A0000006"))["present"] = json!(false);
    }
    site.log("ARCHLOG2.A0000008")["bytes"] = json!(8192);
    site.log("ARCHLOG1.A0000001")["registered"] = json!(false);
    let document = site.document();
    let said = prunelog(&["plan", "--inventory", &document, "--keep-last", "2"]);
    assert_eq!(said.code, 4);
    for id in ["801", "802", "803", "804", "805", "806", "807", "808", "809", "810", "816"] {
        assert!(said.err.contains(&format!("HWT{id}W ")), "HWT{id}W is not said:\n{}", said.err);
    }
    let plan = site.plan(&["--keep-last", "2"]);
    let gap = &plan["gaps"][0];
    assert_eq!((&gap["start"], &gap["end"]), (&json!(rba(0x6000)), &json!(rba(0x6FFF))));
    assert_eq!(gap["destroys"], json!(["P2"]));
    assert!(!plan["delete"].to_string().contains("A0000001"));
}

#[test]
fn what_is_no_inventory_is_refused() {
    let good = STEPS[0].document();
    for (bad, why) in [
        (good.replace("\"holds\": []", "\"held\": []"), "held"),
        (good.replace("\"0000000000002600\"", "\"2600\""), "16 hexadecimal digits"),
        (good.replace("\"copy\": 2", "\"copy\": 3"), "copy 3"),
        (good.replace("\"history\": \"1\", \"start\"", "\"history\": \"7\", \"start\""), "log history 7"),
        (good.replacen('{', "{\"version\": 2, \"later\": 1, ", 1), "its version is 2"),
        (good[..good.len() / 2].to_owned(), "EOF"),
        (String::new(), "EOF"),
    ] {
        let said = prunelog_with(&["plan", "--inventory", "-", "--keep-last", "1"], bad.as_bytes());
        assert_eq!((said.code, said.out.as_str()), (12, ""), "{why}");
        assert!(said.err.starts_with("HWT820E") && said.err.contains(why), "{why}: {}", said.err);
    }
    let missing = prunelog(&["plan", "--inventory", "/nowhere/at/all", "--keep-last", "1"]);
    assert_eq!(missing.code, 12);
    assert!(missing.err.contains("/nowhere/at/all"), "{}", missing.err);
    let nowhere = prunelog_with(
        &["plan", "--inventory", "-", "--keep-last", "1", "--out", "/nowhere/at/all"],
        good.as_bytes(),
    );
    assert_eq!((nowhere.code, nowhere.out.as_str()), (12, ""));
    assert!(nowhere.err.starts_with("HWT825E"), "{}", nowhere.err);
    for wrong in [
        &["--consistent-only"][..],
        &["--max-delete", "101%"],
        &["--window", "7"],
        &["--emit", "list", "--json"],
    ] {
        let said = prunelog_with(&[&["plan", "--inventory", "-"], wrong].concat(), good.as_bytes());
        assert_eq!((said.code, said.out.is_empty() || wrong.contains(&"--json")), (12, true), "{wrong:?}");
    }
}
