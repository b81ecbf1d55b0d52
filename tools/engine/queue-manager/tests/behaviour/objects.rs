//! Objects and page sets that come and go while messages are there.

use format_protocol::{Reply, Request};

use crate::bench::{Bench, get, put_nonpersistent, small};

#[test]
fn a_page_set_that_still_holds_messages_of_a_queue_that_moved_is_not_deleted() {
    let mut bench = Bench::new();
    bench.define("DEFINE STGCLASS(C) PSID(02)");
    bench.define("DEFINE QLOCAL(A) STGCLASS(C)");
    let connection = bench.connect();
    bench.put(connection, "A", b"on page set 02");
    bench.define("ALTER STGCLASS(C) PSID(03)");
    bench.put(connection, "A", b"on page set 03");
    let (code, lines) = bench.command("DELETE PSID(02)");
    assert!(code >= 8 && lines.concat().contains("HOLDS MESSAGES"), "{lines:?}");
    bench.kill_and_start();
    assert_eq!(bench.bodies("A"), [b"on page set 02".to_vec(), b"on page set 03".to_vec()]);
    let connection = bench.connect();
    assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
    bench.define("DELETE PSID(02)");
    bench.kill_and_start();
    assert_eq!(bench.bodies("A"), [b"on page set 03".to_vec()]);
}

#[test]
fn a_page_set_that_once_held_nonpersistent_messages_can_be_deleted() {
    let mut bench = Bench::new();
    bench.define("DEFINE STGCLASS(C) PSID(02)");
    bench.define("DEFINE QLOCAL(A) STGCLASS(C)");
    let connection = bench.connect();
    assert!(matches!(bench.call(connection, put_nonpersistent("A", b"x", false)), Reply::Put { .. }));
    bench.define("ALTER STGCLASS(C) PSID(03)");
    assert!(bench.command("DELETE PSID(02)").0 >= 8);
    assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
    bench.define("DELETE PSID(02)");
}

#[test]
fn a_deleted_page_set_and_a_power_cut_do_not_stop_a_start() {
    for seed in 0..40 {
        let mut bench = Bench::faulty(&small(), seed);
        bench.define("DEFINE STGCLASS(C) PSID(02)");
        bench.define("DEFINE QLOCAL(A) STGCLASS(C)");
        bench.define("DEFINE QLOCAL(B)");
        let connection = bench.connect();
        bench.put(connection, "A", b"x");
        bench.put(connection, "B", b"y");
        bench.define("ALTER STGCLASS(C) PSID(03)");
        // Its deletion, on page set 02, is in the log but not on disk when the page set goes.
        assert_eq!(bench.get_in_unit(connection, "A"), b"x");
        assert!(matches!(bench.call(connection, Request::Commit), Reply::Committed { .. }));
        bench.define("DELETE PSID(02)");
        bench.cut_power();
        bench.start();
        assert!(bench.bodies("A").is_empty());
        // And a new one of the same number has nothing of the old one.
        bench.define("DEFINE PSID(02) PAGES(64)");
        bench.define("ALTER STGCLASS(C) PSID(02)");
        let connection = bench.connect();
        bench.put(connection, "A", b"new");
        bench.cut_power();
        bench.start();
        assert_eq!((bench.bodies("A"), bench.bodies("B")), (vec![b"new".to_vec()], vec![b"y".to_vec()]));
    }
}

#[test]
fn a_definition_is_the_old_one_or_the_new_one_after_a_power_cut() {
    for seed in 0..40 {
        let mut bench = Bench::faulty(&small(), seed);
        bench.define("DEFINE QLOCAL(A)");
        let connection = bench.connect();
        bench.put(connection, "A", b"stays");
        for n in 0..20 {
            bench.define(&format!("ALTER QLOCAL(A) MAXDEPTH({})", 100 + n));
        }
        bench.define("DEFINE QLOCAL(A) REPLACE DESCR('replaced')");
        bench.define("DEFINE QLOCAL(GONE)");
        bench.define("DELETE QLOCAL(GONE)");
        bench.define("DEFINE QLOCAL(GONE) DESCR('again')");
        bench.cut_power();
        bench.start();
        let (_, lines) = bench.command("DISPLAY QLOCAL(*) MAXDEPTH DESCR");
        let text = lines.join("\n");
        assert!(text.contains("MAXDEPTH(119)") && text.contains("DESCR(replaced)"), "{text}");
        assert_eq!(text.matches("QUEUE(GONE)").count(), 1, "{text}");
        assert_eq!(bench.bodies("A"), [b"stays".to_vec()]);
    }
}

#[test]
fn a_backup_is_finished_by_its_own_name_alone_and_one_at_a_time() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    let register = |name: &str| Request::RegisterBackup { name: name.to_owned() };
    assert!(matches!(bench.call(connection, register("P1")), Reply::Backup { .. }));
    assert!(matches!(bench.call(connection, register("P2")), Reply::Error { .. }));
    let names = |bench: &Bench| -> Vec<String> {
        bench.core.bsds().backups_in_progress.iter().map(|backup| backup.name.clone()).collect()
    };
    assert_eq!(names(&bench), ["P1"]);
    let mut entry = format_protocol::PointRegistration {
        name: "OTHER".to_owned(),
        directory: "/P1".to_owned(),
        method: format_protocol::PointMethod::Fuzzy,
        state: format_protocol::PointState::Verified,
        at: format_types::Timestamp(5),
        history: bench.core.bsds().history(),
        start: format_types::Rba(0),
        end: format_types::Rba(0),
        page_sets: Vec::new(),
        system_recovery: bench.core.usage().system_recovery,
    };
    let wrong = Request::FinishBackup { entry: entry.clone() };
    assert!(matches!(bench.call(connection, wrong), Reply::Error { .. }));
    entry.name = "P1".to_owned();
    assert!(matches!(bench.call(connection, Request::FinishBackup { entry }), Reply::BackupFinished { .. }));
    assert!(names(&bench).is_empty());
    assert!(matches!(bench.call(connection, register("P3")), Reply::Backup { .. }));
    bench.core.disconnect(connection);
    assert!(names(&bench).is_empty());
    let connection = bench.connect();
    assert!(matches!(bench.call(connection, register("P4")), Reply::Backup { .. }));
    bench.kill_and_start();
    assert!(names(&bench).is_empty());
}
