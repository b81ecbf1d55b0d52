//! START PSID and units of recovery that are not over: what they did is seen when it may be, and log that they lack ends nothing.

use std::path::{Path, PathBuf};

use engine_queue_manager::{Job, State};
use engine_storage::OpenMode;
use format_protocol::{Reply, Request};

use crate::bench::{DIR, get, queue};
use crate::returning::{bench, bench_with, body, copy, go_offline, refused, status};

#[test]
fn a_commit_during_a_return_is_seen_by_others_once_it_is_synced() {
    for seed in 0..6 {
        let mut bench = bench(seed);
        let (getter, putter, other) = (bench.connect(), bench.connect(), bench.connect());
        bench.put(getter, "A", &body(1, 9000));
        bench.put(getter, "A", &body(2, 9000));
        assert_eq!(bench.get_in_unit(getter, "A"), body(1, 9000));
        bench.put_in_unit(putter, "A", &body(3, 9000));
        go_offline(&mut bench);
        // While the page set is on its way, both commit, and the sync that decides is under way until it is back.
        bench.core.request(other, Request::Mqsc { text: "START PSID(1)".to_owned() });
        bench.holds = |job| matches!(job, Job::LogSync(_));
        bench.core.request(getter, Request::Commit);
        bench.core.request(putter, Request::Commit);
        bench.settle();
        assert!(matches!(bench.answer(other), Some(Reply::Lines { .. })));
        assert!(bench.console.iter().any(|line| line.starts_with("HWT450I")), "{:#?}", bench.console);
        assert!(bench.answer(getter).is_none() && bench.answer(putter).is_none() && bench.held.len() == 1);
        let mut seen = Vec::new();
        let mut after = None;
        while let Reply::Message { priority, key, body, .. } =
            bench.call(other, Request::Browse { queue: queue("A"), after })
        {
            after = Some((priority, key));
            seen.push(body[0]);
        }
        assert_eq!(seen, [2], "seed {seed}: nothing of a commit that may be gone after a power cut is seen");
        if seed % 2 == 0 {
            bench.holds = |_| false;
            bench.run_held();
            assert!(matches!(bench.answer(getter), Some(Reply::Committed { .. })));
            assert!(matches!(bench.answer(putter), Some(Reply::Committed { .. })));
            assert_eq!(first_bytes(&mut bench), [2, 3], "seed {seed}");
        } else {
            bench.cut_power();
            bench.holds = |_| false;
            bench.start();
            let left = first_bytes(&mut bench);
            assert!([vec![1, 2], vec![2], vec![2, 3]].contains(&left), "seed {seed}: {left:?}");
        }
    }
}

fn first_bytes(bench: &mut crate::bench::Bench) -> Vec<u8> {
    bench.bodies("A").iter().map(|body| body[0]).collect()
}

#[test]
fn a_page_set_whose_waiting_unit_lacks_an_archive_stays_offline_and_the_archive_is_named() {
    let mut bench = bench_with(3, 512 << 10);
    let (connection, waiting) = (bench.connect(), bench.connect());
    bench.put(connection, "A", &body(1, 9000));
    bench.put_in_unit(waiting, "A", &body(2, 9000));
    // The unit's log is archived, and in no active log any more; the page set itself does not need it.
    while bench.core.bsds().archives.len() < 5 {
        bench.put(connection, "B", &body(9, 9000));
        assert!(matches!(bench.call(connection, get("B", false)), Reply::Message { .. }));
    }
    bench.settle();
    go_offline(&mut bench);
    assert!(matches!(bench.call(waiting, Request::Backout), Reply::BackedOut));
    assert!(bench.console.iter().any(|line| line.starts_with("HWT438W")), "{:#?}", bench.console);
    let first = bench.core.bsds().archives.first().unwrap().clone();
    let frozen = bench.core.usage().page_sets[1].recovery_rba;
    assert!(first.range.contains(bench.core.usage().units[0].urid.0) && first.range.end <= frozen);
    let archive: PathBuf = Path::new(DIR).join(&first.name);
    let kept = copy(&bench, &archive);
    bench.storage.remove(&archive).unwrap();
    bench.define("START PSID(1)");
    assert_eq!(bench.core.state(), State::Running, "{:#?}", bench.console);
    assert_eq!(status(&mut bench), "OFFLINE");
    let said = bench.console.iter().rfind(|line| line.starts_with("HWT321E")).unwrap().clone();
    assert!(said.contains("HWT402E PAGE SET 01 NEEDS LOG FROM RBA") && said.contains(&first.name), "{said}");
    let asking = bench.connect();
    assert_eq!(refused(&bench.call(asking, get("A", false))), "HWT439E");
    bench.put(asking, "B", b"the others go on");
    let file = bench.storage.open(&archive, OpenMode::CreateNew).unwrap();
    file.write_at(0, &kept).unwrap();
    bench.define("START PSID(1)");
    assert_eq!(status(&mut bench), "ONLINE", "{:#?}", bench.console);
    assert_eq!(first_bytes(&mut bench), [1]);
    assert!(bench.core.usage().units.is_empty());
    bench.kill_and_start();
    assert_eq!(first_bytes(&mut bench), [1]);
}
