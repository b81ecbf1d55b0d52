//! Held and prepared units of recovery through a kill: what was held is gone, what was prepared waits for its coordinator, out of sight,
//! and holds the log.

use house::held::Held;
use house::loaded::{console, wait_until};
use house::owner::Owner;
use house::programs::{run, run_with_input};
use serde_json::Value;

const QUEUE: &str = "APP.Q";

fn usage(owner: &Owner) -> Value {
    let said = run("dispusage", [owner.name(), "--json"]).expect(0);
    serde_json::from_str(&said.out).expect("a document")
}

fn units(owner: &Owner) -> Vec<Value> {
    usage(owner)["units"].as_array().expect("units").clone()
}

/// Connection and network identifier of each unit in doubt.
fn unresolved(owner: &Owner) -> Vec<(String, String)> {
    let said = owner.mqsc("DISPLAY CONN(*) TYPE(CONN) ALL WHERE(UOWSTATE EQ UNRESOLVED)");
    let values = |keyword: &str| -> Vec<String> {
        let value = |line: &str| {
            line.trim().strip_prefix(keyword)?.strip_prefix('(')?.strip_suffix(')').map(str::to_owned)
        };
        said.out.lines().filter_map(value).collect()
    };
    values("APPLTAG").into_iter().zip(values("NID")).collect()
}

fn resolve(owner: &Owner, nid: &str, action: &str) {
    let units = unresolved(owner);
    let (connection, _) = units.iter().find(|(_, known)| known == nid).expect("it is in doubt");
    let statement = format!("RESOLVE INDOUBT({connection}) ACTION({action}) NID({nid})");
    let id = if action == "COMMIT" { "CSQV414I" } else { "CSQV415I" };
    owner.mqsc(&statement).says(&[id, nid, action, "SCHEDULED", "NORMAL COMPLETION"]).done();
}

#[test]
fn held_units_are_gone_after_a_kill_and_prepared_ones_wait_and_hold_the_log() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let options = ["--log-size", "512KiB", "--log-load", "300", "--page-set-size", "4MiB"];
    let mut owner = Owner::create(&scratch.path().join("QM1"), &options);
    owner.start();
    owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
    let lines = |what: &str, count: usize| (0..count).map(|n| format!("{what}-{n}")).collect::<Vec<_>>();
    owner.put(QUEUE, &lines("early", 6));
    // A unit that is held, one that put and is prepared, one that got and is prepared.
    let held = Held::put(&owner, QUEUE, "held-0\nheld-1\n");
    wait_until("the held unit has begun", || units(&owner).len() == 1);
    let prepared = "prepared-0\nprepared-1\nprepared-2\n".as_bytes();
    run_with_input("qmgr", ["put", owner.name(), QUEUE, "--prepare", "PUT.1"], prepared).expect(0).done();
    let got = run("qmgr", ["get", owner.name(), QUEUE, "--count", "2", "--prepare", "GET.1"]).expect(0);
    assert_eq!(got.out, "early-0\nearly-1\n");
    let holding = units(&owner);
    let oldest = holding[0]["urid"].as_str().expect("an RBA").to_owned();
    let in_doubt = holding[1]["urid"].as_str().expect("an RBA").to_owned();
    // Three archives, all above the units' first records.
    for round in 0..3 {
        owner.put(QUEUE, &lines(&format!("round-{round}"), 40));
        run("archlog", [owner.name(), "--wait-offload"]).expect(0).done();
    }
    // Those in doubt do not keep a quiesce from ending, the held one does.
    let waits = ["--mode", "quiesce", "--time", "1", "--wait"];
    let quiesce = || run("archlog", [owner.name()].iter().chain(&waits));
    quiesce().expect(12).says(&["CSQJ317I", "WITH 1 OUTSTANDING URS"]).done();
    let said = console(&owner);
    assert!(
        said.contains("CSQJ160I QM1 LONG-RUNNING UOW FOUND, URID=") && said.contains(&in_doubt),
        "{said}"
    );
    owner.kill();
    drop(held);

    let down = usage(&owner);
    assert_eq!(down["system_recovery_rba"].as_str(), Some(oldest.as_str()), "{down}");
    owner.start();
    let expected = || {
        let rounds = (0..3).flat_map(|round| lines(&format!("round-{round}"), 40));
        lines("early", 6).into_iter().skip(2).chain(rounds).collect::<Vec<String>>()
    };
    assert_eq!(owner.browse(QUEUE), expected());
    let holding = units(&owner);
    assert_eq!(holding.len(), 2, "{holding:?}");
    assert!(holding.iter().all(|unit| unit["state"] == "in-doubt"), "{holding:?}");
    let live = usage(&owner);
    assert_eq!(live["system_recovery_rba"].as_str(), Some(in_doubt.as_str()), "{live}");
    assert!(live["held_by"].as_str().expect("a holder").contains(&in_doubt), "{live}");
    run("archlog", [owner.name()].iter().chain(&waits)).expect(0).done();
    let mut nids: Vec<String> = unresolved(&owner).into_iter().map(|(_, nid)| nid).collect();
    nids.sort_unstable();
    assert_eq!(nids, ["GET.1", "PUT.1"]);

    resolve(&owner, "PUT.1", "COMMIT");
    let all: Vec<String> = expected().into_iter().chain(lines("prepared", 3)).collect();
    let seen = owner.browse(QUEUE);
    let sorted = |mut list: Vec<String>| {
        list.sort_unstable();
        list
    };
    assert_eq!(sorted(seen), sorted(all.clone()));
    owner.kill();
    owner.start();
    resolve(&owner, "GET.1", "BACKOUT");
    let all: Vec<String> = lines("early", 2).into_iter().chain(all).collect();
    assert_eq!(sorted(owner.browse(QUEUE)), sorted(all.clone()));
    assert!(units(&owner).is_empty() && unresolved(&owner).is_empty());
    owner.kill();
    owner.start();
    assert_eq!(sorted(owner.browse(QUEUE)), sorted(all));
    run("mqsc", [owner.name(), "RESOLVE INDOUBT(NOBODY) ACTION(COMMIT) NID(*)"])
        .expect(12)
        .says(&["CSQV412I QM1 CSQVRRID NO INDOUBT THREADS FOUND FOR NAME=NOBODY", "CSQ9023E"])
        .done();
    owner.stop().done();
}
