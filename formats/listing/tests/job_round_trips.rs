//! Prints of IDCAMS and of the change log inventory utility with random values: what is written is read back as the same value.

use std::fmt::Write as _;

use format_listing::{
    CatalogDate, CatalogEntry, CatalogListing, CatalogTotals, CatalogVolume, Copied, CopyEnd, Deletion,
    DeletionResult, DeviceType, EntryKind, IdcamsFunction, IdcamsOutcome, IdcamsPrint, InventoryOperation,
    InventoryResult, InventoryStatement, LogInventoryChange, NotListed, Report, Text, VolumePlace,
    entry_not_found, read, records_processed,
};
use format_types::{DataSetName, Lrsn, Timestamp};
use proptest::collection::{btree_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// The report of `lines`, which holds nothing else.
fn report_of(lines: &[String]) -> Report {
    let text = Text::decode("written", (lines.join("\n") + "\n").as_bytes()).unwrap();
    let mut sections = read(&[text]).unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n")));
    assert_eq!(sections.len(), 1, "{}", lines.join("\n"));
    sections.remove(0).report
}

fn data_set() -> impl Strategy<Value = DataSetName> {
    "[A-Z@#$][A-Z0-9@#$-]{0,7}(\\.[A-Z@#$][A-Z0-9@#$-]{0,7}){0,3}".prop_map(|name| name.parse().unwrap())
}

/// The name of a DD statement.
fn file() -> impl Strategy<Value = String> {
    "[A-Z@#$][A-Z0-9@#$]{0,7}"
}

/// What DELETE says of one name.
#[derive(Debug, Clone)]
enum Answer {
    Deleted(Option<char>),
    NotFound,
    NotFoundByReason,
    NotDeleted(u8),
    Nothing,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        option::of(select(vec!['A', 'B', 'C', 'D', 'H', 'I', 'X'])).prop_map(Answer::Deleted),
        Just(Answer::NotFound),
        Just(Answer::NotFoundByReason),
        any::<u8>().prop_map(Answer::NotDeleted),
        Just(Answer::Nothing),
    ]
}

impl Answer {
    /// Its messages, and what became of the name.
    fn said(&self, name: &DataSetName) -> (Vec<String>, Option<char>, DeletionResult) {
        let gone = "IDC3009I ** VSAM CATALOG RETURN CODE IS 8 - REASON CODE IS IGG0CLEG-42".to_owned();
        let kept = format!("IDC0551I ** ENTRY {name} NOT DELETED");
        match self {
            Self::Deleted(kind) => {
                let printed = kind.map_or_else(String::new, |kind| format!("({kind}) "));
                (vec![format!("IDC0550I ENTRY {printed}{name} DELETED")], *kind, DeletionResult::Gone)
            }
            Self::NotFound => {
                let messages = vec![format!("IDC3012I ENTRY {name} NOT FOUND"), gone, kept];
                (messages, None, DeletionResult::WasNotThere)
            }
            Self::NotFoundByReason => (vec![gone, kept], None, DeletionResult::WasNotThere),
            Self::NotDeleted(code) => {
                let why = format!(
                    "IDC3009I ** VSAM CATALOG RETURN CODE IS {code} - REASON CODE IS IGG0CLFC-{code}"
                );
                let result = DeletionResult::Stays(format!("{why}; {kept}"));
                (vec![why, kept], None, result)
            }
            Self::Nothing => (Vec::new(), None, DeletionResult::Unknown("no message names it".to_owned())),
        }
    }
}

prop_compose! {
    fn delete()(names in btree_map(data_set(), answer(), 1..6), test in prop::bool::weighted(0.1)) -> IdcamsFunction {
        let mut statement = "DELETE (".to_owned();
        let mut messages = Vec::new();
        let (mut answered, mut silent) = (Vec::new(), Vec::new());
        for (name, answer) in names {
            write!(statement, "{name} ").unwrap();
            let (said, kind, result) = answer.said(&name);
            let result = match test {
                true => DeletionResult::Unknown("a statement with TEST deletes nothing".to_owned()),
                false => result,
            };
            if said.is_empty() { &mut silent } else { &mut answered }.push(Deletion { name, kind, result });
            messages.extend(said);
        }
        statement.push_str(if test { ") PURGE TEST" } else { ") PURGE" });
        // A name that no message names comes behind those that have one.
        answered.append(&mut silent);
        IdcamsFunction { statements: vec![statement], outcomes: vec![IdcamsOutcome::Deleted(answered)], messages, code: None }
    }
}

fn copy_end() -> impl Strategy<Value = Option<CopyEnd>> {
    option::of(prop_oneof![file().prop_map(CopyEnd::File), data_set().prop_map(CopyEnd::DataSet)])
}

prop_compose! {
    fn repro()(input in copy_end(), output in copy_end(), records: Option<u64>, short: bool) -> IdcamsFunction {
        let mut statement = "REPRO".to_owned();
        for (end, keywords) in [(&input, ["INFILE", "IFILE", "INDATASET", "IDS"]),
                                (&output, ["OUTFILE", "OFILE", "OUTDATASET", "ODS"])] {
            match end {
                Some(CopyEnd::File(name)) => write!(statement, " {}({name})", keywords[usize::from(short)]).unwrap(),
                Some(CopyEnd::DataSet(name)) => write!(statement, " {}({name})", keywords[2 + usize::from(short)]).unwrap(),
                None => {}
            }
        }
        let messages = records.map(records_processed).into_iter().collect();
        let outcomes = vec![IdcamsOutcome::Copied(Copied { input, output, records })];
        IdcamsFunction { statements: vec![statement], outcomes, messages, code: None }
    }
}

/// A function that nothing is taken of.
fn other() -> impl Strategy<Value = IdcamsFunction> {
    let one = (data_set(), data_set())
        .prop_map(|(from, to)| vec![format!("ALTER {from}"), format!("ALTER {from} NEWNAME({to})")]);
    let messages =
        select(vec![vec![], vec!["IDC0531I ENTRY ALTERED".to_owned()], vec!["IDC0508I DONE".to_owned()]]);
    (one, messages).prop_map(|(statements, messages)| IdcamsFunction {
        statements,
        outcomes: vec![],
        messages,
        code: None,
    })
}

const KINDS: [EntryKind; 10] = [
    EntryKind::NonVsam,
    EntryKind::GenerationGroup,
    EntryKind::Cluster,
    EntryKind::Data,
    EntryKind::Index,
    EntryKind::AlternateIndex,
    EntryKind::Path,
    EntryKind::Alias,
    EntryKind::PageSpace,
    EntryKind::UserCatalog,
];

const TOTALS: [&str; 13] = [
    "AIX",
    "ALIAS",
    "CLUSTER",
    "DATA",
    "GDG",
    "INDEX",
    "NONVSAM",
    "PAGESPACE",
    "PATH",
    "SPACE",
    "USERCATALOG",
    "TAPELIBRARY",
    "TAPEVOLUME",
];

/// Words of ATTRIBUTES.
const WORDS: [&str; 12] = [
    "SHROPTNS(2,3)",
    "RECOVERY",
    "UNIQUE",
    "NOERASE",
    "LINEAR",
    "NOWRITECHK",
    "UNORDERED",
    "NONSPANNED",
    "SCRATCH",
    "NOEMPTY",
    "LIFO",
    "NOEXTENDED",
];

fn date() -> impl Strategy<Value = Option<CatalogDate>> {
    let some = (0_u16..=9999, 1_u16..=999).prop_map(|(year, day)| CatalogDate { year, day });
    option::of(prop_oneof![some, Just(CatalogDate { year: 1999, day: 366 })])
}

fn volume() -> impl Strategy<Value = CatalogVolume> {
    let on = "[A-Z0-9@#$][A-Z0-9@#$-]{0,5}".prop_filter("no volume", |name| name != "MIGRAT");
    let place = prop_oneof![
        3 => on.prop_map(VolumePlace::On),
        1 => Just(VolumePlace::Migrated),
        1 => Just(VolumePlace::SystemResidence),
    ];
    let device = prop_oneof![select(vec![0x3010_200F, 0x7804_8081, 0]), any::<u32>()].prop_map(DeviceType);
    (place, option::of(device), any::<Option<u32>>())
        .prop_map(|(place, device, file_sequence)| CatalogVolume { place, device, file_sequence })
}

prop_compose! {
    fn entry()(kind in select(KINDS.to_vec()), name in data_set(), catalog in data_set(), dates in [date(), date(), date()],
               associations in vec((select(KINDS.to_vec()), data_set()), 0..4), limit: Option<u32>,
               status in option::of(select(vec!["ACTIVE", "DEFERRED", "ROLLED-OFF"])),
               attributes in subsequence(WORDS.to_vec(), 0..=WORDS.len()).prop_shuffle(),
               bytes: [Option<u64>; 2], clock: Option<u64>, volumes in vec(volume(), 0..4)) -> CatalogEntry {
        let [created, expires, altered] = dates;
        let [allocated, used] = bytes;
        CatalogEntry {
            kind, name, catalog, created, expires, altered, associations, limit, allocated, used, volumes,
            status: status.map(str::to_owned),
            attributes: attributes.into_iter().map(str::to_owned).collect(),
            system_timestamp: clock.map(Lrsn),
        }
    }
}

fn totals() -> impl Strategy<Value = CatalogTotals> {
    let kinds = subsequence(TOTALS.to_vec(), 0..=TOTALS.len());
    let count = || prop_oneof![0..1000_u64, any::<u64>()];
    let kinds = kinds.prop_flat_map(move |kinds| {
        let length = kinds.len();
        (Just(kinds), vec(count(), length))
    });
    (kinds, any::<Option<u64>>(), any::<Option<u64>>()).prop_map(|((kinds, counts), total, suppressed)| {
        CatalogTotals { counts: kinds.into_iter().zip(counts).collect(), total, suppressed }
    })
}

/// A name that is not listed, and the messages that say so.
fn not_listed() -> impl Strategy<Value = (Vec<String>, NotListed)> {
    (prop_oneof![data_set().prop_map(|name| name.to_string()), "[A-Z]{1,8}\\.\\*{1,2}"], any::<bool>())
        .prop_map(|(name, not_found)| {
            let messages = match not_found {
                true => entry_not_found(&name),
                false => vec![
                    "IDC3009I ** VSAM CATALOG RETURN CODE IS 56 - REASON CODE IS IGG0CLE6-6".to_owned(),
                    format!("IDC1566I ** {name} NOT LISTED"),
                ],
            };
            let reason = messages.join("; ");
            (messages, NotListed { name, not_found, reason })
        })
}

prop_compose! {
    fn listcat()(level in data_set(), echoed: bool, catalogs in hash_set(data_set(), 0..3), entries in vec(entry(), 0..6),
                 missing in vec(not_listed(), 0..3), totals in option::of(totals())) -> IdcamsFunction {
        let (messages, not_listed): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
        let catalogs = catalogs.into_iter().map(|name| name.to_string()).collect();
        let listing = CatalogListing { catalogs, entries, not_listed, totals };
        let outcome = (listing != CatalogListing::default()).then(|| IdcamsOutcome::Listed(Box::new(listing)));
        // A print whose echo was switched off has its listing alone.
        let statement = (echoed || outcome.is_none()).then(|| format!("LISTCAT LEVEL({level}) ALL"));
        IdcamsFunction {
            statements: statement.into_iter().collect(),
            outcomes: outcome.into_iter().collect(),
            messages: messages.concat(),
            code: None,
        }
    }
}

/// Prints, those among them whose end is lost.
fn print() -> impl Strategy<Value = IdcamsPrint> {
    let function = prop_oneof![delete(), repro(), listcat(), other()];
    (vec((function, any::<u8>()), 0..5), any::<bool>(), any::<Option<u8>>()).prop_map(
        |(functions, cut, maximum)| {
            let last = functions.len();
            let functions = (1..).zip(functions).map(|(place, (function, code))| IdcamsFunction {
                code: (!cut || place < last).then_some(code),
                ..function
            });
            IdcamsPrint { functions: functions.collect(), maximum }
        },
    )
}

/// Operands of a statement, of which the first ones must be there.
fn operands(operation: InventoryOperation) -> BoxedStrategy<Vec<String>> {
    let rba = |key: &'static str| "[0-9A-F]{1,16}".prop_map(move |digits| format!("{key}={digits}"));
    let time = |key: &'static str| "20[0-9]{12}".prop_map(move |digits| format!("{key}={digits}"));
    let answer =
        |key: &'static str| select(vec!["YES", "NO"]).prop_map(move |answer| format!("{key}={answer}"));
    let word = |words: &[&'static str]| select(words.to_vec()).prop_map(str::to_owned);
    let some = |one: BoxedStrategy<String>| {
        option::of(one).prop_map(|one| one.into_iter().collect::<Vec<_>>()).boxed()
    };
    let all: Vec<BoxedStrategy<Vec<String>>> = match operation {
        InventoryOperation::NewLog => vec![
            some(rba("STARTRBA").boxed()),
            some(rba("ENDRBA").boxed()),
            some(time("STARTIME").boxed()),
            some(rba("STRTLRSN").boxed()),
            some(rba("ENDLRSN").boxed()),
            some("[A-Z0-9]{1,8}".prop_map(|unit| format!("UNIT={unit}")).boxed()),
            some(answer("CATALOG").boxed()),
            some(word(&["COPY1", "COPY2"]).boxed()),
        ],
        InventoryOperation::Delete => vec![],
        InventoryOperation::ConditionalRestart => vec![
            word(&["CREATE", "CANCEL"]).prop_map(|word| vec![word]).boxed(),
            some(rba("STARTRBA").boxed()),
            some(rba("ENDRBA").boxed()),
            some(answer("FORWARD").boxed()),
            some(answer("BACKOUT").boxed()),
        ],
        InventoryOperation::Checkpoint => vec![
            rba("STARTRBA").prop_map(|rba| vec![rba]).boxed(),
            some(rba("ENDRBA").boxed()),
            some(time("TIME").boxed()),
            some(word(&["CANCEL"]).boxed()),
        ],
        InventoryOperation::HighRba => vec![
            rba("STARTRBA").prop_map(|rba| vec![rba]).boxed(),
            some(time("TIME").boxed()),
            some(rba("OFFLRBA").boxed()),
        ],
    };
    all.prop_map(|lists: Vec<Vec<String>>| lists.concat()).boxed()
}

fn inventory_statement() -> impl Strategy<Value = InventoryStatement> {
    let operation = select(vec![
        InventoryOperation::NewLog,
        InventoryOperation::Delete,
        InventoryOperation::ConditionalRestart,
        InventoryOperation::Checkpoint,
        InventoryOperation::HighRba,
    ]);
    let operation = operation.prop_flat_map(|operation| (Just(operation), operands(operation)));
    let volume = option::of((1_u8..=2, "[A-Z0-9@#$]{1,6}"));
    (operation, data_set(), volume, 0..3).prop_map(|((operation, operands), name, volume, result)| {
        let named = matches!(operation, InventoryOperation::NewLog | InventoryOperation::Delete);
        let refused = match named {
            true => {
                format!("CSQJ228E CSQJU003 LOG DATA SET NAME NOT FOUND IN BSDS, DSNAME={name}, VOLUME=")
            }
            false => "CSQJ222E CSQJU003 INVALID PARAMETERS".to_owned(),
        };
        let result = match result {
            0 => InventoryResult::Done,
            1 => InventoryResult::Refused(refused),
            _ => InventoryResult::Unknown,
        };
        let (data_set, volume) = (named.then_some(name), volume.filter(|_| named));
        InventoryStatement { operation, data_set, volume, operands, result }
    })
}

fn change() -> impl Strategy<Value = LogInventoryChange> {
    (vec(inventory_statement(), 0..6), any::<Option<bool>>()).prop_map(|(mut statements, successful)| {
        // The end of a run that was successful says of every statement what became of it.
        for statement in statements.iter_mut().filter(|_| successful == Some(true)) {
            if statement.result == InventoryResult::Unknown {
                statement.result = InventoryResult::Done;
            }
        }
        LogInventoryChange { statements, successful }
    })
}

proptest! {
    #[test]
    fn prints_of_idcams(print in print(), at in 0..4_000_000_000_000_000_u64) {
        let lines = print.lines(Timestamp(at));
        prop_assert_eq!(report_of(&lines), Report::Idcams(Box::new(print)), "{}", lines.join("\n"));
    }

    #[test]
    fn prints_of_the_change_log_inventory_utility(change in change(), at in 0..4_000_000_000_000_000_u64) {
        let lines = change.lines(Timestamp(at));
        prop_assert_eq!(report_of(&lines), Report::LogInventory(change), "{}", lines.join("\n"));
    }
}
