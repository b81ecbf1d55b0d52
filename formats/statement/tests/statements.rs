//! Statements as people write them, and the errors that they meet.

use format_statement::{
    ArchiveLog, DefineQueue, DefineStorageClass, DisplayThread, DisplayUsage, Filter, NamePattern, NetworkId,
    Operator, QueueAttributes, ResolveInDoubt, Statement, StopMode, StorageClassAttributes, ThreadKind,
    UsageKind,
};
use format_types::{Expand, PageSetId};
use proptest::prelude::*;

fn parse(text: &str) -> Statement {
    Statement::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn psid(n: u8) -> PageSetId {
    PageSetId::new(n).unwrap()
}

#[test]
fn queues() {
    let all = "define ql('App.Orders') noreplace descr('it''s') stgclass(fast) put(enabled) get(disabled) \
               defprty(9) defpsist(yes) maxdepth(999999999) maxmsgl(4194304) like(x)";
    let expected = DefineQueue {
        name: "App.Orders".parse().unwrap(),
        like: Some("X".parse().unwrap()),
        replace: false,
        attributes: QueueAttributes {
            description: Some("it's".into()),
            storage_class: Some("FAST".parse().unwrap()),
            put_enabled: Some(true),
            get_enabled: Some(false),
            default_priority: Some(9),
            default_persistence: Some(true),
            max_depth: Some(999_999_999),
            max_message_length: Some(4_194_304),
        },
    };
    assert_eq!(parse(all), Statement::DefineQueue(expected));
    let Statement::DefineQueue(queue) = parse("DEF QL(A)REPLACE") else { panic!() };
    assert!(queue.replace && queue.attributes == QueueAttributes::default());
    assert!(matches!(parse("ALT QLOCAL(A) MAXDEPTH(5)"), Statement::AlterQueue { .. }));
    assert!(matches!(parse("DELETE QLOCAL(A)"), Statement::DeleteQueue { .. }));
}

#[test]
fn displays() {
    let Statement::DisplayQueue(request) = parse("DIS QL(app.*) CURDEPTH, MAXDEPTH WHERE(CURDEPTH GT 9)")
    else {
        panic!()
    };
    assert_eq!(request.names, NamePattern::Prefix("APP.".into()));
    assert!(
        !request.all && request.shows("CURDEPTH") && request.shows("MAXDEPTH") && !request.shows("DESCR")
    );
    let depth = |n: &'static str| move |keyword: &str| (keyword == "CURDEPTH").then(|| n.to_owned());
    assert!(request.selects("APP.A", depth("10")));
    assert!(!request.selects("APP.A", depth("9")) && !request.selects("BPP.A", depth("10")));
    assert!(matches!(parse("DIS QUEUE(A)"), Statement::DisplayQueue(r) if r.all));
    assert!(matches!(parse("DIS Q(A*)"), Statement::DisplayQueue(r) if !r.all));
    assert!(matches!(parse("DISPLAY STC(*) ALL"), Statement::DisplayStorageClass(r) if r.all));
    assert!(
        matches!(parse("DIS PSID(*)"), Statement::DisplayPageSet { page_set: None, request } if request.all)
    );
    assert!(
        matches!(parse("DIS PSID(3)"), Statement::DisplayPageSet { page_set: Some(p), .. } if p == psid(3))
    );
    assert!(
        matches!(parse("DIS QMGR QMNAME"), Statement::DisplayQueueManager(r) if !r.all && r.shows("QMNAME"))
    );
    assert_eq!(parse("DIS LOG"), Statement::DisplayLog);
    let conn = "DISPLAY CONN(*) TYPE(CONN) ALL WHERE(UOWSTATE EQ UNRESOLVED)";
    let Statement::DisplayConnection(request) = parse(conn) else { panic!() };
    assert!(request.all);
    let filter = Filter { attribute: "UOWSTATE".into(), operator: Operator::Eq, value: "UNRESOLVED".into() };
    assert_eq!(request.filter, Some(filter));
}

#[test]
fn usage_and_controls() {
    assert_eq!(parse("DIS USAGE"), Statement::DisplayUsage(DisplayUsage::default()));
    let wanted = DisplayUsage { kind: UsageKind::All, page_set: Some(psid(2)) };
    assert_eq!(parse("DISPLAY USAGE TYPE(ALL) PSID(2)"), Statement::DisplayUsage(wanted));
    let archive = |text| match parse(text) {
        Statement::ArchiveLog(archive) => archive,
        other => panic!("{other:?}"),
    };
    assert_eq!(archive("ARC LOG"), ArchiveLog::Now);
    assert_eq!(archive("ARCHIVE LOG CANCEL OFFLOAD"), ArchiveLog::CancelOffload);
    assert_eq!(
        archive("ARCHIVE LOG MODE(QUIESCE) TIME(999) WAIT(YES)"),
        ArchiveLog::Quiesce { seconds: Some(999), wait: true }
    );
    assert_eq!(archive("ARCHIVE LOG MODE(QUIESCE)"), ArchiveLog::Quiesce { seconds: None, wait: false });
    assert_eq!(parse("STOP QMGR"), Statement::StopQueueManager(StopMode::Quiesce));
    assert_eq!(parse("STOP QMGR MODE(FORCE)"), Statement::StopQueueManager(StopMode::Force));
}

#[test]
fn units_in_doubt() {
    let resolve = |connection: &str, commit, network_id| {
        Statement::ResolveInDoubt(ResolveInDoubt { connection: connection.into(), commit, network_id })
    };
    let one = |name: &str| NetworkId::One(name.into());
    for (text, expected) in [
        ("RESOLVE INDOUBT(PUT-17) ACTION(COMMIT) NID(*)", resolve("PUT-17", true, NetworkId::All)),
        ("RES IND(PUT-17) NID(order.7) ACTION(BACKOUT)", resolve("PUT-17", false, one("ORDER.7"))),
        ("RES INDOUBT('my app') ACTION(COMMIT) NID('Order 7')", resolve("my app", true, one("Order 7"))),
    ] {
        assert_eq!(parse(text), expected, "{text}");
    }
    let thread = |connections: Option<&[&str]>, kind| {
        let connections = connections.map(|names| names.iter().map(ToString::to_string).collect());
        Statement::DisplayThread(DisplayThread { connections, kind })
    };
    assert_eq!(parse("DIS THD(*)"), thread(None, ThreadKind::Active));
    assert_eq!(parse("DISPLAY THREAD(*) TYPE(INDOUBT)"), thread(None, ThreadKind::InDoubt));
    assert_eq!(parse("DIS THREAD(A, B) TYPE(*)"), thread(Some(&["A", "B"]), ThreadKind::All));
    assert!(matches!(parse("DIS CONN(*) NID"), Statement::DisplayConnection(r) if r.shows("NID")));
}

#[test]
fn page_sets_and_storage_classes() {
    let Statement::DefinePageSet(set) = parse("DEFINE PSID(7) EXPAND(SYSTEM) PAGES(4096) BUFFPOOL(0)") else {
        panic!()
    };
    assert_eq!((set.page_set, set.expand, set.pages), (psid(7), Some(Expand::System), Some(4096)));
    assert_eq!(
        parse("ALTER PSID(7) EXPAND(NONE)"),
        Statement::AlterPageSet { page_set: psid(7), expand: Expand::None }
    );
    assert_eq!(parse("DELETE PSID(7)"), Statement::DeletePageSet { page_set: psid(7) });
    assert_eq!(parse("START PSID(7)"), Statement::StartPageSet { page_set: psid(7) });
    assert_eq!(parse("sta psid(07)"), Statement::StartPageSet { page_set: psid(7) });
    let expected = DefineStorageClass {
        name: "FAST".parse().unwrap(),
        replace: true,
        attributes: StorageClassAttributes { page_set: Some(psid(3)), description: Some(String::new()) },
    };
    assert_eq!(parse("DEF STC(FAST) PSID(3) DESCR('') REPLACE"), Statement::DefineStorageClass(expected));
    assert!(matches!(parse("ALTER STGCLASS(A) PSID(1)"), Statement::AlterStorageClass { .. }));
    assert!(matches!(parse("DEL STGCLASS(A)"), Statement::DeleteStorageClass { .. }));
}

#[test]
fn errors_name_the_message_and_the_column() {
    for (text, id, column) in [
        ("", "CSQ9019E", 1),
        ("FROB QLOCAL(A)", "CSQ9019E", 1),
        ("DEFINE", "CSQ9019E", 1),
        ("DEFINE(X) QLOCAL(A)", "CSQ9019E", 1),
        ("DEFINE CHANNEL(A)", "CSQ9001E", 8),
        ("DEFINE QLOCAL", "CSQ9003E", 8),
        ("DEFINE QLOCAL()", "CSQ9003E", 8),
        ("DEFINE QLOCAL(A B)", "CSQ9011E", 17),
        ("DEFINE QLOCAL(A) QL(B)", "CSQ9000E", 18),
        ("DEFINE QLOCAL(A) MAXDEPTH(1) MAXDEPTH(2)", "CSQ9000E", 30),
        ("DEFINE QLOCAL(A) MAXDEPTH(-1)", "CSQ9015E", 27),
        ("DEFINE QLOCAL(A) DEFPRTY(10)", "CSQ9015E", 26),
        ("DEFINE QLOCAL(A) MAXMSGL(4194305)", "CSQ9015E", 26),
        ("DEFINE QLOCAL(A) PUT(YES)", "CSQ9015E", 22),
        ("DEFINE QLOCAL('A B')", "CSQ9015E", 15),
        ("DEFINE QLOCAL(A) REPLACE NOREPLACE", "CSQ9020E", 26),
        ("DEFINE QLOCAL(A) REPLACE(YES)", "CSQ9011E", 18),
        ("DEFINE QLOCAL(A) FROB(1)", "CSQ9001E", 18),
        ("DEFINE STGCLASS(NINECHARS) PSID(1)", "CSQ9013E", 17),
        ("DEFINE PSID(100)", "CSQ9015E", 13),
        ("DEFINE PSID(1) EXPAND(MAYBE)", "CSQ9015E", 23),
        ("ALTER PSID(1)", "CSQ9009E", 14),
        ("DIS QL(A*B)", "CSQ9015E", 8),
        ("DIS QL(*) FROB", "CSQ9001E", 11),
        ("DIS QL(*) WHERE(CURDEPTH XX 1)", "CSQ9015E", 26),
        ("DIS QL(*) WHERE(FROB EQ 1)", "CSQ9001E", 17),
        ("DIS QL(*) WHERE(CURDEPTH)", "CSQ9031E", 11),
        ("DIS USAGE TYPE(SMDS)", "CSQ9015E", 16),
        ("DIS USAGE TYPE(DATASET) PSID(1)", "CSQ9020E", 25),
        ("DIS CONN(*) TYPE(HANDLE)", "CSQ9015E", 18),
        ("ARCHIVE LOG TIME(5)", "CSQ9009E", 20),
        ("ARCHIVE LOG MODE(QUIESCE) TIME(1000)", "CSQ9015E", 32),
        ("ARCHIVE LOG CANCEL", "CSQ9009E", 19),
        ("ARCHIVE LOG CANCEL OFFLOAD MODE(QUIESCE)", "CSQ9020E", 28),
        ("STOP QMGR MODE(RESTART)", "CSQ9015E", 16),
        ("STOP CHANNEL(A)", "CSQ9001E", 6),
        ("START", "CSQ9019E", 1),
        ("START QMGR", "CSQ9001E", 7),
        ("START PSID(100)", "CSQ9015E", 12),
        ("START PSID(1) EXPAND(USER)", "CSQ9001E", 15),
        ("RESOLVE CHANNEL(A)", "CSQ9001E", 9),
        ("RESOLVE INDOUBT ACTION(COMMIT) NID(*)", "CSQ9003E", 9),
        ("RESOLVE INDOUBT(*) ACTION(COMMIT) NID(*)", "CSQ9015E", 17),
        ("RESOLVE INDOUBT(A) NID(*)", "CSQ9009E", 26),
        ("RESOLVE INDOUBT(A) ACTION(COMMIT)", "CSQ9009E", 34),
        ("RESOLVE INDOUBT(A) ACTION(FORGET) NID(*)", "CSQ9015E", 27),
        ("RESOLVE INDOUBT(A) ACTION(COMMIT) NID('')", "CSQ9015E", 39),
        ("DIS THREAD", "CSQ9003E", 5),
        ("DIS THREAD(*) TYPE(REGIONS)", "CSQ9015E", 20),
    ] {
        match Statement::parse(text) {
            Ok(statement) => panic!("{text} was read as {statement:?}"),
            Err(error) => assert_eq!((error.id(), error.column()), (id, column), "{text}: {error}"),
        }
    }
    let too_long = format!("DEFINE QLOCAL(A) DESCR('{}')", "x".repeat(65));
    assert_eq!(Statement::parse(&too_long).unwrap_err().id(), "CSQ9013E");
    let error = Statement::parse("DEFINE QLOCAL(A) DEFPRTY(x)").unwrap_err();
    assert_eq!(
        error.to_string(),
        "CSQ9015E Parameter 'X' is unacceptable for 'DEFPRTY': a number from 0 to 9 is wanted (column 26)"
    );
}

prop_compose! {
    fn attributes()(
        description in prop::option::of("[ -~]{0,64}"),
        storage_class in prop::option::of("[A-Za-z0-9]{1,8}"),
        put_enabled in any::<Option<bool>>(),
        get_enabled in any::<Option<bool>>(),
        default_priority in prop::option::of(0u8..=9),
        default_persistence in any::<Option<bool>>(),
        max_depth in prop::option::of(0u32..=999_999_999),
        max_message_length in prop::option::of(0u32..=4_194_304),
    ) -> QueueAttributes {
        QueueAttributes {
            description,
            storage_class: storage_class.map(|name| name.parse().unwrap()),
            put_enabled, get_enabled, default_priority, default_persistence, max_depth, max_message_length,
        }
    }
}

proptest! {
    #[test]
    fn a_definition_written_is_read_as_the_same(
        name in "[A-Za-z0-9._/%]{1,48}", like in prop::option::of("[A-Z.]{1,48}"), replace: bool, attributes in attributes(),
    ) {
        let queue = DefineQueue {
            name: name.parse().unwrap(),
            like: like.map(|name| name.parse().unwrap()),
            replace,
            attributes,
        };
        let line = queue.to_string();
        prop_assert_eq!(Statement::parse(&line), Ok(Statement::DefineQueue(queue)));
        // A definition on a line of its own survives a script too.
        prop_assert_eq!(format_statement::script(&line).into_iter().map(|s| s.text).collect::<Vec<_>>(), [line]);
    }

    #[test]
    fn storage_classes_and_page_sets_too(
        name in "[A-Za-z0-9]{1,8}", description in prop::option::of("[ -~]{0,64}"), page_set in prop::option::of(0u8..=99),
        replace: bool, pages in prop::option::of(16u32..=16_777_216), expand in 0usize..4,
    ) {
        let class = DefineStorageClass {
            name: name.parse().unwrap(),
            replace,
            attributes: StorageClassAttributes { page_set: page_set.map(psid), description },
        };
        prop_assert_eq!(Statement::parse(&class.to_string()), Ok(Statement::DefineStorageClass(class)));
        let expand = [None, Some(Expand::User), Some(Expand::System), Some(Expand::None)][expand];
        let set = format_statement::DefinePageSet { page_set: psid(page_set.unwrap_or(0)), pages, expand };
        prop_assert_eq!(Statement::parse(&set.to_string()), Ok(Statement::DefinePageSet(set)));
    }
}
