//! What a plan lets go, and what prints of IDCAMS say of it, against values written down by hand.

use format_inventory::Plan;
use format_listing::{IdcamsPrint, Report, Text, read};
use format_statement::InventoryDeletion;
use format_types::{ConditionCode, DataSetName};
use operation_jobs::{Became, Doomed, PlanError, Settlement};
use serde_json::{Value, json};

fn delete(name: &str, copy: u8, number: u64) -> Value {
    let rba = |number: u64| format!("{:016X}", number * 0x1000);
    let end = format!("{:016X}", number * 0x1000 + 0xFFF);
    json!({"name": name, "copy": copy, "history": "1", "start": rba(number), "end": end, "bytes": 4096})
}

fn keep(name: &str, kind: &str, copy: u8, number: u64) -> Value {
    let mut entry = delete(name, copy, number);
    entry["kind"] = json!(kind);
    entry["holders"] = json!([]);
    entry["released_by"] = json!([]);
    entry
}

fn plan(delete: &[Value], keep: &[Value]) -> String {
    json!({
        "version": 1, "queue_manager": "QM1", "at": "2026-11-22T00:00:00Z", "policy": [], "boundary": null,
        "boundary_history": null, "boundary_holder": null,
        "totals": {"delete_data_sets": 0, "delete_bytes": 0, "keep_archives": 0, "keep_bytes": 0, "active_data_sets": 0,
            "absent": 0, "delete_percent": 0},
        "max_delete_percent": 50, "over_max_delete": false, "points": [], "actions": [], "gaps": [], "warnings": [],
        "inputs": {"inventory": "00000000", "inventory_bytes": 0, "policy": "00000000"},
        "delete": delete, "keep": keep, "absent": []
    })
    .to_string()
}

fn doomed(delete: &[Value], keep: &[Value]) -> Result<Doomed, PlanError> {
    let plan = plan(delete, keep);
    let plan = Plan::parse(plan.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    Doomed::of(&plan)
}

/// Three archives of copy 1 that go, and a later one that stays.
fn three() -> Doomed {
    let gone: Vec<Value> = (1..=3).map(|number| delete(&format!("A.A000000{number}"), 1, number)).collect();
    doomed(&gone, &[keep("A.A0000009", "archive", 1, 9)]).unwrap()
}

fn prints(functions: &[(&str, &str)]) -> Vec<IdcamsPrint> {
    let mut text = "1IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     \
                    PAGE      1\n0\n"
        .to_owned();
    for (statement, messages) in functions {
        text.push_str(&format!("    {statement}\n{messages}"));
        text.push_str("0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 8\n");
    }
    text.push_str("0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 8\n");
    let text = Text::decode("sysprint", text.as_bytes()).unwrap();
    let sections = read(&[text]).unwrap_or_else(|error| panic!("{error}"));
    let idcams = sections.into_iter().map(|section| match section.report {
        Report::Idcams(print) => *print,
        other => panic!("{other:?}"),
    });
    idcams.collect()
}

fn gone(name: &str) -> String {
    format!("0IDC0550I ENTRY (A) {name} DELETED\n")
}

fn not_there(name: &str) -> String {
    format!(
        "0IDC3012I ENTRY {name} NOT FOUND\n IDC3009I ** VSAM CATALOG RETURN CODE IS 8 - REASON CODE IS IGG0CLEG-42\n\
         0IDC0551I ** ENTRY {name} NOT DELETED\n"
    )
}

fn stays(name: &str) -> String {
    format!(
        " IDC3009I ** VSAM CATALOG RETURN CODE IS 84 - REASON CODE IS IGG0CLFC-8\n0IDC0551I ** ENTRY {name} NOT DELETED\n"
    )
}

fn became(settlement: &Settlement) -> Vec<Became> {
    settlement.names.iter().map(|name| name.became).collect()
}

fn settle(doomed: &Doomed, said: &[(&str, String)]) -> Settlement {
    let functions: Vec<_> =
        said.iter().map(|(statement, messages)| (*statement, messages.as_str())).collect();
    Settlement::of(doomed, &prints(&functions))
}

#[test]
fn each_name_is_settled_by_its_own_messages() {
    let doomed = three();
    let first = ("DELETE (A.A0000001)", gone("A.A0000001"));
    let settlement = settle(&doomed, std::slice::from_ref(&first));
    assert_eq!(became(&settlement), [Became::Gone, Became::Unknown, Became::Unknown]);
    assert_eq!((settlement.code(), settlement.settled()), (ConditionCode::Partial, 1));
    let third = ("DELETE (A.A0000003)", stays("A.A0000003"));
    let settlement = settle(&doomed, &[first.clone(), third]);
    assert_eq!(became(&settlement), [Became::Gone, Became::Unknown, Became::Stays]);
    assert!(settlement.names[2].why.as_ref().unwrap().contains("IGG0CLFC-8"));
    let rest =
        [("DELETE (A.A0000002)", not_there("A.A0000002")), ("DELETE (A.A0000003)", gone("A.A0000003"))];
    let settlement = settle(&doomed, &[vec![first], rest.to_vec()].concat());
    assert_eq!(became(&settlement), [Became::Gone, Became::WasNotThere, Became::Gone]);
    assert_eq!(settlement.code(), ConditionCode::Warning);
    let all = ["A.A0000001", "A.A0000002", "A.A0000003"].map(|name| ("DELETE (X.Y)", gone(name)));
    let mut all = all.to_vec();
    for (index, function) in all.iter_mut().enumerate() {
        function.0 = ["DELETE (A.A0000001)", "DELETE (A.A0000002)", "DELETE (A.A0000003)"][index];
    }
    assert_eq!(settle(&doomed, &all).code(), ConditionCode::Done);
    assert_eq!(settle(&doomed, &[]).code(), ConditionCode::Refused);
}

#[test]
fn what_is_said_both_ways_is_unknown() {
    let doomed = three();
    let statement = "DELETE (A.A0000001)";
    let both = |one: String, other: String| {
        let settlement = settle(&doomed, &[(statement, one), (statement, other)]);
        (settlement.names[0].became, settlement.settled())
    };
    let name = "A.A0000001";
    assert_eq!(both(gone(name), stays(name)), (Became::Unknown, 0));
    assert_eq!(both(stays(name), gone(name)), (Became::Unknown, 0));
    assert_eq!(both(stays(name), not_there(name)), (Became::Unknown, 0));
    // The job was run twice: the second run did not find what the first one had deleted.
    assert_eq!(both(gone(name), not_there(name)), (Became::Gone, 1));
}

#[test]
fn a_statement_that_leaves_the_data_set_settles_nothing() {
    let doomed = three();
    let name = "A.A0000001";
    for statement in ["DELETE (A.A0000001) NOSCRATCH", "DEL A.A0000001 NSCR", "DELETE A.A0000001 TEST"] {
        let settlement = settle(&doomed, &[(statement, gone(name))]);
        assert_eq!(
            (settlement.names[0].became, settlement.code()),
            (Became::Unknown, ConditionCode::Refused)
        );
    }
    for kind in ["C", "X"] {
        let message = gone(name).replace("(A)", &format!("({kind})"));
        let settlement = settle(&doomed, &[("DELETE (A.A0000001)", message)]);
        assert_eq!(settlement.names[0].became, Became::Unknown, "{kind}");
    }
}

#[test]
fn names_that_the_plan_does_not_have_settle_nothing() {
    let doomed = three();
    let settlement = settle(&doomed, &[("DELETE (B.A0000001)", gone("B.A0000001"))]);
    assert_eq!((settlement.settled(), settlement.others.len()), (0, 1));
    let kept = settle(&doomed, &[("DELETE (A.A0000009)", gone("A.A0000009"))]);
    assert_eq!((kept.others.len(), kept.kept_and_gone[0].as_str()), (0, "A.A0000009"));
    // The copies of the BSDS beside the archives are no strangers; only those that stay are worth a word.
    let copies = [
        ("DELETE (A.B0000001)", gone("A.B0000001")),
        ("DELETE (A.B0000002)", not_there("A.B0000002")),
        ("DELETE (A.B0000003)", stays("A.B0000003")),
    ];
    let copies = settle(&doomed, &copies);
    assert_eq!((copies.others.len(), copies.settled()), (0, 0));
    let left: Vec<_> = copies.bsds_copies_left.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, ["A.B0000003"]);
}

#[test]
fn what_is_not_catalogued_is_never_deleted_by_name_and_never_settled() {
    let mut on_tape = delete("A.A0000001", 1, 1);
    on_tape["catalogued"] = json!(false);
    on_tape["volume"] = json!("TAPE01");
    let mut rest = delete("A.A0000002", 1, 2);
    rest["volume"] = json!("DISK01");
    // Where the entries of a name do not agree, it is not deleted by name.
    let mut other = delete("A.A0000002", 1, 3);
    other["catalogued"] = json!(false);
    let doomed =
        doomed(&[on_tape, rest, other, delete("A.A0000004", 1, 4)], &[keep("A.A0000009", "archive", 1, 9)])
            .unwrap();
    let deletions: Vec<_> = doomed.deletions().map(DataSetName::as_str).collect();
    assert_eq!(deletions, ["A.A0000004", "A.B0000004"]);
    let not_catalogued: Vec<_> = doomed.not_catalogued().map(|one| one.name.as_str()).collect();
    assert_eq!(not_catalogued, ["A.A0000001", "A.A0000002"]);
    let said = [
        ("DELETE (A.A0000001)", not_there("A.A0000001")),
        ("DELETE (A.A0000002)", gone("A.A0000002")),
        ("DELETE (A.A0000004)", gone("A.A0000004")),
    ];
    assert_eq!(became(&settle(&doomed, &said)), [Became::Unknown, Became::Unknown, Became::Gone]);
}

#[test]
fn a_data_set_on_several_volumes_is_deleted_once_and_forgotten_by_volume() {
    let volumes = ["TAPE01", "TAPE02", "TAPE02"].map(|volume| {
        let mut entry = delete("A.A0000001", 2, 1);
        entry["volume"] = json!(volume);
        entry
    });
    let doomed = doomed(&volumes, &[keep("A.A0000009", "archive", 2, 9)]).unwrap();
    assert_eq!(doomed.deletions().map(DataSetName::as_str).collect::<Vec<_>>(), ["A.A0000001", "A.B0000001"]);
    let lines: Vec<String> =
        doomed.names()[0].inventory_deletions().iter().flat_map(InventoryDeletion::lines).collect();
    assert_eq!(
        lines,
        ["  DELETE DSNAME=A.A0000001,COPY2VOL=TAPE01", "  DELETE DSNAME=A.A0000001,COPY2VOL=TAPE02"]
    );
}

#[test]
fn the_newest_copy_of_the_bsds_stays() {
    let all = doomed(&[delete("A.A0000001", 1, 1), delete("A.A0000002", 1, 2)], &[]).unwrap();
    assert_eq!(
        all.deletions().map(DataSetName::as_str).collect::<Vec<_>>(),
        ["A.A0000001", "A.B0000001", "A.A0000002"]
    );
    assert_eq!(all.bsds_copies_kept()[0].as_str(), "A.B0000002");
    // An active log has no copy of the BSDS beside it.
    let active = doomed(&[delete("A.A0000001", 1, 1)], &[keep("A.DS01", "active", 1, 2)]).unwrap();
    assert_eq!(active.bsds_copies_kept().len(), 1);
    // A log data set that the plan keeps is none, whatever its name.
    let kept = [keep("A.B0000001", "active", 1, 8), keep("A.A0000009", "archive", 1, 9)];
    let kept = doomed(&[delete("A.A0000001", 1, 1)], &kept).unwrap();
    assert_eq!(kept.deletions().count(), 1);
}

#[test]
fn a_plan_that_fits_into_no_job_is_refused() {
    for (name, why) in [
        ("A.B')", "no data set of z/OS"),
        ("A.B\n/*", "no data set of z/OS"),
        ("//A", "no data set of z/OS"),
        ("A.B C", "no data set of z/OS"),
    ] {
        let error = doomed(&[delete(name, 1, 1)], &[]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let mut bad = delete("A.A0000001", 1, 1);
    bad["volume"] = json!("T1,X");
    assert!(matches!(doomed(&[bad], &[]), Err(PlanError::Volume { .. })));
    assert!(matches!(doomed(&[delete("A.B", 3, 1)], &[]), Err(PlanError::Copy { copy: 3, .. })));
    let kept = doomed(&[delete("A.B", 1, 1)], &[keep("A.B", "archive", 1, 2)]);
    assert!(matches!(kept, Err(PlanError::Kept(_))));
}
