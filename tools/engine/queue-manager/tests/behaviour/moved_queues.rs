//! Queues whose storage class was moved while messages lay on the old page set, which then cannot be looked into.

use format_protocol::{Reply, Request};

use crate::bench::{Bench, DIR, get, queue};
use crate::returning::{bench, body, copy, go_offline, refused, replace, status};

/// Queues A and D on page set 01 with messages 1 and 2, then both on 03: A's class is moved, D is moved to another class. Message 3 is put
/// after that.
fn moved(seed: u64) -> Bench {
    let mut bench = bench(seed);
    bench.define("DEFINE STGCLASS(OLD) PSID(1)");
    bench.define("DEFINE STGCLASS(NEW) PSID(3)");
    bench.define("ALTER QLOCAL(A) STGCLASS(OLD)");
    bench.define("DEFINE QLOCAL(D)");
    // No other queue is to be on page set 01 alone.
    bench.define("DEFINE QLOCAL(E) STGCLASS(NEW)");
    let connection = bench.connect();
    for queue in ["A", "D"] {
        for n in [1, 2] {
            bench.put(connection, queue, &body(n, 9000));
        }
    }
    bench.define("ALTER STGCLASS(OLD) PSID(3)");
    bench.define("ALTER QLOCAL(D) STGCLASS(NEW)");
    for queue in ["A", "D", "E"] {
        bench.put(connection, queue, &body(3, 9000));
    }
    bench
}

fn first_bytes(bench: &mut Bench, queue: &str) -> Vec<u8> {
    bench.bodies(queue).iter().map(|body| body[0]).collect()
}

/// Nothing is said of queues that may have messages on page set 01; the others answer.
fn check_refused(bench: &mut Bench) {
    assert_ne!(status(bench), "ONLINE", "{:#?}", bench.console);
    let asking = bench.connect();
    for name in ["A", "D"] {
        for request in
            [get(name, false), get(name, true), Request::Browse { queue: queue(name), after: None }]
        {
            assert_eq!(refused(&bench.call(asking, request)), "HWT439E", "queue {name}");
        }
    }
    assert_eq!(first_bytes(bench, "E"), [3]);
}

#[test]
fn a_queue_that_moved_from_a_page_set_which_a_start_cannot_look_into_is_refused_and_never_called_empty() {
    for emptied in [false, true] {
        let mut bench = moved(1);
        if emptied {
            // What was put after the move is got by its identifier: on the new page set nothing is left.
            let connection = bench.connect();
            for name in ["A", "D"] {
                let mut after = None;
                let mut last = None;
                while let Reply::Message { priority, key, message_id, .. } =
                    bench.call(connection, Request::Browse { queue: queue(name), after })
                {
                    after = Some((priority, key));
                    last = Some(message_id);
                }
                let request = Request::Get { queue: queue(name), syncpoint: false, message_id: last };
                assert!(
                    matches!(bench.call(connection, request), Reply::Message { body: b, .. } if b[0] == 3)
                );
            }
        }
        bench.core.stop(false);
        bench.settle();
        bench.kill();
        let path = std::path::Path::new(DIR).join("PSID01");
        let whole = copy(&bench, &path);
        bench.control().rot(&path, 3 * 4096 + 50, &[1]).unwrap();
        bench.start();
        check_refused(&mut bench);
        // Altered meanwhile, they are no better known.
        bench.define("ALTER QLOCAL(A) DESCR('altered')");
        bench.define("ALTER STGCLASS(NEW) DESCR('altered')");
        bench.define("ALTER QLOCAL(D) STGCLASS(C)");
        check_refused(&mut bench);
        let connection = bench.connect();
        bench.put(connection, "A", &body(4, 9000));
        bench.put(connection, "D", &body(4, 9000));
        bench.kill_and_start();
        check_refused(&mut bench);
        replace(&bench, &path, &whole);
        bench.define("START PSID(1)");
        assert_eq!(status(&mut bench), "ONLINE", "{:#?}", bench.console);
        let expected: &[u8] = if emptied { &[1, 2, 4] } else { &[1, 2, 3, 4] };
        for name in ["A", "D"] {
            assert_eq!(first_bytes(&mut bench, name), expected, "queue {name}");
        }
    }
}

#[test]
fn a_queue_that_moved_from_a_page_set_on_its_way_back_is_refused_until_it_is_there() {
    let mut bench = moved(2);
    // As if the queues on the page set were many.
    let connection = bench.connect();
    for _ in 0..60 {
        bench.put(connection, "A", &body(4, 9000));
        bench.put(connection, "D", &body(4, 9000));
    }
    go_offline(&mut bench);
    check_refused(&mut bench);
    let (starting, asking) = (bench.connect(), bench.connect());
    bench.core.request(starting, Request::Mqsc { text: "START PSID(1)".to_owned() });
    let mut refusals = 0;
    loop {
        bench.core.request(asking, Request::Browse { queue: queue("A"), after: None });
        match bench.core.take_replies().pop() {
            Some((_, Reply::Message { body, .. })) => {
                assert_eq!(body[0], 1);
                break;
            }
            Some((to, reply)) if to == asking => assert_eq!(refused(&reply), "HWT439E"),
            _ => {}
        }
        refusals += 1;
        bench.core.work();
        for job in bench.core.take_jobs() {
            let done = job.run();
            bench.core.finish(done);
        }
    }
    assert!(refusals > 4, "{refusals}");
    bench.settle();
    let expected: Vec<u8> = [1, 2, 3].into_iter().chain([4; 60]).collect();
    assert_eq!(first_bytes(&mut bench, "A"), expected);
}

#[test]
fn a_page_set_that_was_moved_from_and_emptied_is_needed_by_nobody() {
    let mut bench = moved(3);
    let connection = bench.connect();
    for name in ["A", "D"] {
        for n in [1, 2] {
            assert!(
                matches!(bench.call(connection, get(name, false)), Reply::Message { body: b, .. } if b[0] == n)
            );
        }
    }
    // Definitions are kept up when they are altered.
    bench.define("ALTER QLOCAL(D) DESCR('emptied')");
    bench.define("ALTER STGCLASS(OLD) DESCR('emptied')");
    bench.core.stop(false);
    bench.settle();
    bench.kill();
    let path = std::path::Path::new(DIR).join("PSID01");
    bench.control().rot(&path, 4096 + 50, &[1]).unwrap();
    bench.start();
    assert_ne!(status(&mut bench), "ONLINE");
    for name in ["A", "D"] {
        assert_eq!(first_bytes(&mut bench, name), [3]);
        let connection = bench.connect();
        bench.put(connection, name, b"x");
    }
}
