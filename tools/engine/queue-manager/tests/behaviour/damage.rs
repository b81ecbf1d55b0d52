//! Pages that rot and pages that cannot be read: their page set goes offline, and the others are started and work.

use std::path::{Path, PathBuf};

use engine_queue_manager::State;
use engine_storage::FaultRates;
use format_protocol::{Reply, Request};
use format_types::PageSetId;

use crate::bench::{Bench, DIR, get, queue};
use crate::returning::{bench, body, copy, refused, replace, status};

const PAGE: u64 = 4096;

fn page_set_file(number: u8) -> PathBuf {
    Path::new(DIR).join(format!("PSID0{number}"))
}

/// A queue manager that has stopped: messages 0 to 29 on queue A, two on B.
fn stopped(seed: u64) -> Bench {
    let mut bench = bench(seed);
    let connection = bench.connect();
    for n in 0..30 {
        bench.put(connection, "A", &body(n, 9000));
    }
    for n in 0..2 {
        bench.put(connection, "B", &body(n, 100));
    }
    bench.core.stop(false);
    bench.settle();
    assert_eq!(bench.core.state(), State::Stopped);
    bench.kill();
    bench
}

fn is_online(bench: &Bench, number: u8) -> bool {
    let page_set = PageSetId::new(number).unwrap();
    bench.core.usage().page_sets.iter().any(|set| set.page_set == page_set && set.online)
}

/// Page set 01 is offline and says why; queue A is refused, and queue B works.
fn check_the_others(bench: &mut Bench, why: &str) {
    assert_eq!(status(bench), "OFFLINE", "{:#?}", bench.console);
    let said = bench.console.iter().find(|line| line.starts_with("HWT321E QM1 PAGE SET 01")).cloned();
    assert!(said.as_ref().is_some_and(|line| line.contains(why)), "{said:?}: {:#?}", bench.console);
    assert!(bench.console.iter().any(|line| line.starts_with("CSQI005I QM1 PAGE SET 01 OFFLINE")));
    let asking = bench.connect();
    for request in [get("A", false), Request::Browse { queue: queue("A"), after: None }] {
        assert_eq!(refused(&bench.call(asking, request)), "HWT439E");
    }
    bench.put(asking, "B", &body(2, 100));
    for n in 0..3 {
        assert!(
            matches!(bench.call(asking, get("B", false)), Reply::Message { body: b, .. } if b == body(n, 100))
        );
    }
}

#[test]
fn a_rotten_page_met_by_a_start_takes_its_page_set_offline_and_the_rest_starts() {
    // A page of messages, and the space map.
    for page in [3, 1] {
        let mut bench = stopped(1);
        let whole = copy(&bench, &page_set_file(1));
        bench.control().rot(&page_set_file(1), page * PAGE + 77, &[0x10]).unwrap();
        bench.start();
        check_the_others(&mut bench, &format!("01.{page:08X}"));
        // The next start finds it as it is; put right, it comes back with all its messages.
        bench.kill_and_start();
        assert_eq!(status(&mut bench), "OFFLINE", "{:#?}", bench.console);
        replace(&bench, &page_set_file(1), &whole);
        bench.define("START PSID(1)");
        assert_eq!(status(&mut bench), "ONLINE", "{:#?}", bench.console);
        let expected: Vec<Vec<u8>> = (0..30).map(|n| body(n, 9000)).collect();
        assert_eq!(bench.bodies("A"), expected);
        bench.kill_and_start();
        assert_eq!(bench.bodies("A"), expected);
    }
}

#[test]
fn a_page_that_a_start_cannot_read_takes_its_page_set_offline_and_the_rest_starts() {
    let mut offline = 0;
    for skip in 0.. {
        let mut bench = stopped(2);
        let only = Some("PSID01".to_owned());
        bench.control().set_rates(FaultRates { read_error: 1_000_000, skip, only, ..FaultRates::default() });
        let started = bench.try_start();
        bench.control().set_rates(FaultRates::default());
        if let Err(error) = started {
            // Not even page zero could be read, so it could not be opened.
            assert!(offline == 0 && error.to_string().contains("page zero"), "skip {skip}: {error}");
            continue;
        }
        if is_online(&bench, 1) {
            break;
        }
        offline += 1;
        check_the_others(&mut bench, "failed");
        bench.define("START PSID(1)");
        assert_eq!(bench.bodies("A").len(), 30, "skip {skip}");
    }
    assert!(offline >= 2, "{offline}");
}

#[test]
fn a_rotten_page_met_by_a_get_takes_its_page_set_offline_and_the_rest_goes_on() {
    let mut bench = stopped(3);
    bench.start();
    let whole = copy(&bench, &page_set_file(1));
    bench.control().rot(&page_set_file(1), 3 * PAGE + 77, &[0x10]).unwrap();
    let connection = bench.connect();
    let mut got = 0;
    loop {
        match bench.call(connection, get("A", false)) {
            Reply::Message { body: found, .. } => assert_eq!(found, body(got, 9000)),
            other => {
                assert_eq!(refused(&other), "HWT439E");
                break;
            }
        }
        got += 1;
    }
    assert_eq!(bench.core.state(), State::Running, "{:#?}", bench.console);
    check_the_others(&mut bench, "01.00000003");
    replace(&bench, &page_set_file(1), &whole);
    bench.define("START PSID(1)");
    let left: Vec<u8> = bench.bodies("A").iter().map(|body| body[0]).collect();
    assert_eq!(left, (got..30).collect::<Vec<u8>>());
}

#[test]
fn without_the_objects_nothing_is_started() {
    for page in [1, 2] {
        let mut bench = stopped(4);
        bench.control().rot(&page_set_file(0), page * PAGE + 77, &[0x10]).unwrap();
        let error = bench.try_start().unwrap_err().to_string();
        assert!(error.contains(&format!("00.{page:08X}")), "{error}");
        bench.control().rot(&page_set_file(0), page * PAGE + 77, &[0x10]).unwrap();
        bench.start();
        assert_eq!(bench.bodies("A").len(), 30);
    }
}
