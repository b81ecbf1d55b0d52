//! Log maps of `testdata/listings`, against values written down by hand, and round trips.

use format_listing::{
    ActiveLog, ActiveStatus, AddressWidth, ArchiveCommand, ArchiveVolume, ConditionalRestart, LogMap,
    LogMapHeader, LogMapLayout, LogRow, PrintedTime, QueuedCheckpoint, Report, RestartField, Text, read,
};
use format_types::{DataSetName, Lrsn, Rba};
use jiff::civil::{Date, Time};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const SIX: &str = include_str!("../../../testdata/listings/log-map-6-byte.txt");
const EIGHT: &str = include_str!("../../../testdata/listings/log-map-8-byte.txt");
const TWO_LINE: &str = include_str!("../../../testdata/listings/log-map-two-line.txt");

fn map(bytes: &[u8]) -> LogMap {
    let text = Text::decode("map", bytes).unwrap();
    let mut sections = read(&[text]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(sections.len(), 1);
    match sections.remove(0).report {
        Report::LogMap(map) => *map,
        other => panic!("{other:?}"),
    }
}

fn refused(text: &str) -> String {
    read(&[Text::decode("map", text.as_bytes()).unwrap()]).unwrap_err().to_string()
}

fn at(year: i16, day: i16, hour: i8, minute: i8, second: i8, nanosecond: i32) -> PrintedTime {
    let date = Date::constant(year, 1, 1).with().day_of_year(day).build().unwrap();
    PrintedTime { date, time: Some(Time::constant(hour, minute, second, nanosecond)) }
}

fn row(name: &str, start: u64, last: u64, entered: PrintedTime) -> LogRow {
    LogRow {
        data_set: name.parse().unwrap(),
        start: Rba(start),
        last: Rba(last),
        entered: Some(entered),
        times: None,
        lrsns: None,
        password: Some(false),
    }
}

fn day(year: i16, month: i8, day: i8) -> PrintedTime {
    PrintedTime { date: Date::constant(year, month, day), time: None }
}

#[test]
fn a_map_with_6_byte_rbas_and_page_breaks() {
    let map = map(SIX.as_bytes());
    let header = &map.header;
    assert_eq!(header.bsds, Some((1, "CSQ700.CSQ7.BSDS01".parse().unwrap())));
    assert_eq!(header.queue_manager.as_ref().map(format_types::QueueManagerName::as_str), Some("CSQ7"));
    assert_eq!((header.group.as_deref(), header.sharing, header.converted), (None, Some(false), Some(false)));
    assert_eq!(header.system_timestamp, Some(at(2026, 330, 9, 14, 36, 70_000_000)));
    assert_eq!((header.highest_written, header.highest_offloaded), (Rba(0x35_9078), Rba(0x35_5FFF)));
    assert_eq!(header.written_at, Some(at(2026, 330, 22, 47, 49, 300_000_000)));
    let names: Vec<_> = header.parameters.iter().map(|(name, yes)| (name.as_str(), *yes)).collect();
    assert_eq!(names, [("OFFLOAD", true), ("TWOACTV", true), ("TWOARCH", true), ("TWOBSDS", true)]);
    assert_eq!(header.remarks, ["PRINTED AT THE REQUEST OF STORAGE ADMINISTRATION"]);

    use ActiveStatus::{New, NotReusable, Reusable, Stopped, Truncated};
    let mut stopped = row("CSQ700.CSQ7.LOGCOPY1.DS01", 0xC_A000, 0x35_5FFF, day(2026, 11, 19));
    stopped.entered = Some(at(2026, 323, 16, 42, 0, 0));
    stopped.times = Some([at(2026, 323, 9, 0, 0, 100_000_000), at(2026, 325, 10, 0, 0, 200_000_000)]);
    let current =
        |copy: u8| row(&format!("CSQ700.CSQ7.LOGCOPY{copy}.DS02"), 0x35_6000, 0x78_DFFF, day(2026, 11, 19));
    let active = [
        ActiveLog {
            row: row("CSQ700.CSQ7.LOGCOPY1.DS01R", 0, 0, day(2026, 11, 20)),
            status: vec![New, Reusable],
        },
        ActiveLog { row: stopped, status: vec![Truncated, Stopped, NotReusable] },
        ActiveLog { row: current(1), status: vec![NotReusable] },
    ];
    assert_eq!(map.active[0], active);
    assert!(active[0].row.range().is_empty());
    assert_eq!(map.active[1], [ActiveLog { row: current(2), status: vec![NotReusable] }]);

    let volume = |name: &str, start, last, entered, volume: &str, catalogued| ArchiveVolume {
        row: row(name, start, last, entered),
        volume: Some(volume.into()),
        unit: Some("TAPE".into()),
        catalogued: Some(catalogued),
    };
    let archives = [
        volume("CSQARC1.ARCHLOG1.A0000001", 0, 0x5_FFFF, day(2026, 11, 19), "TAPE01", true),
        volume("CSQARC1.ARCHLOG1.A0000001", 0x6_0000, 0xC_9FFF, day(2026, 11, 19), "TAPE02", true),
        volume("CSQARC1.ARCHLOG1.A0000002", 0xC_A000, 0x35_5FFF, day(2026, 11, 21), "TAPE03", false),
    ];
    assert_eq!(map.archives[0], archives);
    assert!(map.archives[1].is_empty());

    assert_eq!(map.restarts.len(), 1);
    assert_eq!(map.restarts[0].end_rba(), Some(Rba(0x35_1000)));
    assert!(!map.restarts[0].is_active());
    assert_eq!(map.restarts[0].fields.len(), 12);
    let checkpoint = |hour, minute, second, begin, end, shutdown| QueuedCheckpoint {
        at: Some(at(2026, 329, hour, minute, second, 0)),
        begin: Rba(begin),
        end: Rba(end),
        end_lrsn: None,
        shutdown,
    };
    let queue = vec![
        checkpoint(18, 19, 12, 0x35_4E2E, 0x35_5878, false),
        checkpoint(18, 0, 0, 0x34_FE2E, 0x35_0878, true),
    ];
    assert_eq!(map.checkpoints, Some(queue));
    assert_eq!(map.printed, Some(at(2026, 330, 10, 46, 37, 0)));
    // Without the line below the title of the queue the heading of the page says it.
    let line = "                               10:46:37 NOVEMBER 26, 2026\n";
    let other = SIX.replace(line, "").replacen("26 NOV 2026  10:46:37 ", "26 NOV 2026  11:46:37 ", 1);
    assert_eq!(self::map(other.as_bytes()).printed, Some(at(2026, 330, 11, 46, 37, 0)));
    let command = |at, rba, options: &str| ArchiveCommand { at, rba: Rba(rba), options: options.into() };
    let history = vec![
        command(at(2026, 325, 12, 42, 22, 0), 0x35_5F00, "QUIESCE NO 5"),
        command(at(2026, 324, 12, 0, 0, 0), 0xC_9F00, ""),
    ];
    assert_eq!(map.archive_commands, Some(history));
}

#[test]
fn a_map_with_8_byte_rbas_and_lrsns() {
    let map = map(EIGHT.as_bytes());
    assert_eq!((map.header.version, map.header.group.as_deref()), (Some(2), Some("QSG1")));
    let log = &map.active[0][0];
    let lrsns = log.row.lrsns.unwrap();
    assert_eq!(lrsns[0].timestamp().0 / 1_000_000, 1_385_782_879, "2013-11-30 03:41:19");
    assert_eq!(log.row.password, Some(true));
    assert_eq!(
        log.row.entered,
        Some(PrintedTime { date: Date::constant(2014, 2, 26), time: Some(Time::constant(17, 25, 0, 0)) })
    );
    assert_eq!(log.row.times.unwrap()[0].time, Some(Time::constant(15, 30, 12, 123_456_000)));
    assert!(map.active[1].is_empty() && map.archives == [vec![], vec![]] && map.restarts.is_empty());
    assert_eq!((map.checkpoints, map.archive_commands), (None, None));
}

#[test]
fn a_map_in_the_two_line_form() {
    let map = map(TWO_LINE.as_bytes());
    let archive = &map.archives[0][0];
    assert_eq!(archive.row.data_set.as_str(), "DSNC810.ARCHLOG1.A0000009");
    assert_eq!(archive.row.entered, Some(at(2003, 346, 16, 29, 0, 0)));
    assert_eq!(archive.row.times, Some([at(2003, 345, 20, 0, 0, 0), at(2003, 346, 22, 40, 0, 0)]));
    assert_eq!(
        (archive.volume.as_deref(), archive.unit.as_deref(), archive.catalogued),
        (Some("DSNV01"), Some("SYSDA"), Some(true))
    );
    assert_eq!(map.checkpoints.unwrap()[0].begin, Rba(0xD8A_6100));
    assert_eq!((map.header.queue_manager, map.header.group), (None, None));
}

#[test]
fn what_is_written_is_read_in_both_layouts() {
    for text in [SIX, EIGHT, TWO_LINE] {
        let value = map(text.as_bytes());
        for layout in [LogMapLayout::Csqju004, LogMapLayout::Dsnju004] {
            let written = value.lines(layout).join("\n");
            assert_eq!(map(written.as_bytes()), value, "{written}");
        }
    }
}

#[test]
fn a_queue_manager_and_a_group_may_be_called_copy() {
    let text = EIGHT.replacen("QSG1", "COPY", 1);
    assert_ne!(text, EIGHT);
    assert_eq!(map(text.as_bytes()).header.group.as_deref(), Some("COPY"));
}

#[test]
fn a_map_that_is_cut_off_anywhere_before_its_restart_control_is_refused() {
    let lines: Vec<&str> = SIX.lines().collect();
    let control = lines.iter().position(|line| line.contains("CRCR IDENTIFIER")).unwrap();
    for end in 1..=control {
        let text = lines[..end].join("\n");
        assert!(read(&[Text::decode("map", text.as_bytes()).unwrap()]).is_err(), "{end} lines were enough");
    }
    assert!(refused(&lines[..40].join("\n")).contains("the log map is cut off"));
}

#[test]
fn lines_that_do_not_belong_are_errors_with_their_place() {
    for (from, to, place) in [
        (
            "DSN=CSQARC1.ARCHLOG1.A0000002",
            "DSN=CSQARC1.ARCHLOG1.A000000200",
            "line 37, column 68: the row does not read",
        ),
        ("00000005FFFF ", "00000005FFF ", "line 33, column 27: the row does not read"),
        ("VOL=TAPE02", "VOX=TAPE02", "line 36, column 80: the line of a row does not read"),
        ("STATUS=NEW, REUSABLE", "STATUS=NEW, REUSED", "line 20, column"),
        ("NO ARCHIVE DATA", "NO ARCHIVES DATA", "line 43, column 2: the line of a list"),
        ("ACTIVE LOG COPY 2", "ACTIVE LOG COPY 3", "line 39, column"),
        ("HIGHEST RBA OFFLOADED", "HIGHEST RBA OFFLOADER", "line 11, column 10"),
        ("OFFLOAD YES", "OFFLOAD YEP", "line 13, column"),
        ("END CHECKPOINT RBA             000000355878\n", "", "line 61, column"),
        ("2026.323 09:00:00.1", "2026.367 09:00:00.1", "line 22, column"),
    ] {
        let text = SIX.replacen(from, to, 1);
        assert_ne!(text, SIX, "{from}");
        let error = refused(&text);
        assert!(error.starts_with(&format!("map: {place}")), "{from}: {error}");
    }
}

prop_compose! {
    fn printed()(year in 0_i16..=9999, day in 1_i16..=365, hour in 0_i8..24, minute in 0_i8..60, second in 0_i8..60,
                 nanosecond in prop_oneof![(0..10).prop_map(|tenth| tenth * 100_000_000), 0..1_000_000_000]) -> PrintedTime {
        at(year, day, hour, minute, second, nanosecond)
    }
}

fn data_set() -> impl Strategy<Value = DataSetName> {
    "[A-Z@#$][A-Z0-9@#$-]{0,7}(\\.[A-Z][A-Z0-9]{0,7}){0,3}".prop_map(|name| name.parse().unwrap())
}

/// A value of as many bytes as the map prints.
fn rba(wide: bool) -> impl Strategy<Value = Rba> {
    any::<u64>().prop_map(move |value| Rba(if wide { value } else { value >> 16 }))
}

fn lrsn(wide: bool) -> impl Strategy<Value = Lrsn> {
    any::<u64>().prop_map(move |value| Lrsn(if wide { value } else { value >> 16 << 16 }))
}

prop_compose! {
    fn log_row(wide: bool)(data_set in data_set(), ends in [rba(wide), rba(wide)], entered in option::of(printed()),
                 timed in any::<bool>(), times in option::of([printed(), printed()]), lrsns in option::of([lrsn(wide), lrsn(wide)]),
                 password in any::<Option<bool>>()) -> LogRow {
        let entered = entered.map(|at| PrintedTime { time: at.time.filter(|_| timed), ..at });
        let [a, b] = ends;
        LogRow { data_set, start: a.min(b), last: a.max(b), entered, times, lrsns, password }
    }
}

fn statuses() -> impl Strategy<Value = Vec<ActiveStatus>> {
    use ActiveStatus::{New, NotReusable, Reusable, Stopped, Truncated};
    subsequence(vec![New, Reusable, NotReusable, Stopped, Truncated], 0..=5)
}

fn actives(wide: bool) -> impl Strategy<Value = Vec<ActiveLog>> {
    vec((log_row(wide), statuses()).prop_map(|(row, status)| ActiveLog { row, status }), 0..4)
}

fn volumes(wide: bool) -> impl Strategy<Value = Vec<ArchiveVolume>> {
    let attributes = (option::of("[A-Z0-9]{1,6}"), option::of("[A-Z0-9]{1,8}"), any::<Option<bool>>());
    let volume = (log_row(wide), attributes).prop_map(|(row, (volume, unit, catalogued))| ArchiveVolume {
        row,
        volume,
        unit,
        catalogued,
    });
    vec(volume, 0..5)
}

fn checkpoints(wide: bool) -> impl Strategy<Value = Option<Vec<QueuedCheckpoint>>> {
    let one = (option::of(printed()), [rba(wide), rba(wide)], option::of(lrsn(wide)), any::<bool>());
    let one = one.prop_map(|(at, [a, b], end_lrsn, shutdown)| QueuedCheckpoint {
        at,
        begin: a.min(b),
        end: a.max(b),
        end_lrsn,
        shutdown,
    });
    option::of(vec(one, 0..4))
}

/// Names of queue managers and groups, words of the titles among them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[A-Z@#$][A-Z0-9@#$]{0,3}", 1 => select(vec!["COPY", "NAME", "DSN"]).prop_map(str::to_owned)]
}

fn labelled<T: std::fmt::Debug + Clone>(
    labels: &[&'static str],
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<(String, T)>> {
    let labels = subsequence(labels.to_vec(), 0..=labels.len());
    (labels, vec(value, 4))
        .prop_map(|(labels, values)| labels.into_iter().map(str::to_owned).zip(values).collect())
}

prop_compose! {
    fn header(wide: bool)(bsds in option::of((1_u8..=2, data_set())), queue_manager in option::of(name()),
                          group in option::of(name()), version: Option<u8>, switches: [Option<bool>; 2],
                          times in [option::of(printed()), option::of(printed()), option::of(printed())],
                          catalog in option::of(data_set()), highest in [rba(wide), rba(wide)],
                          other_rbas in labelled(&["RBA WHEN CONVERTED TO V4", "MAX RBA FOR TORBA", "STCK TO LRSN DELTA"], rba(wide)),
                          parameters in labelled(&["OFFLOAD", "TWOACTV", "TWOARCH", "TWOBSDS"], any::<bool>()),
                          remarks in vec("(PRINTED|ASKED) FOR( [A-Z]{1,9}){1,6}", 0..3)) -> LogMapHeader {
        let ([converted, sharing], [system_timestamp, utility_timestamp, written_at]) = (switches, times);
        let [highest_written, highest_offloaded] = highest;
        let queue_manager = queue_manager.map(|name| name.parse().unwrap());
        let catalog = catalog.map(|name| name.to_string());
        LogMapHeader { bsds, queue_manager, group, version, converted, sharing, system_timestamp, utility_timestamp, catalog,
                       highest_written, written_at, highest_offloaded, other_rbas, parameters, remarks }
    }
}

/// A conditional restart control record, which its identifier begins.
fn restart(wide: bool) -> impl Strategy<Value = ConditionalRestart> {
    let status = |label| Just((label, RestartField::Status)).boxed();
    let answer = |label| any::<bool>().prop_map(move |yes| (label, RestartField::Answer(yes))).boxed();
    let rba_of = |label| rba(wide).prop_map(move |rba| (label, RestartField::Rba(rba))).boxed();
    let lrsn_of = |label| lrsn(wide).prop_map(move |lrsn| (label, RestartField::Lrsn(lrsn))).boxed();
    let time = |label| printed().prop_map(move |at| (label, RestartField::Time(at))).boxed();
    let others = vec![
        status("CRCR NOT ACTIVE"),
        status("CRCR ACTIVE"),
        time("CRCR CREATED"),
        status("SUCCESSFUL RESTART"),
        status("UNSUCCESSFUL RESTART"),
        answer("FORWARD"),
        answer("BACKOUT"),
        rba_of("STARTRBA"),
        rba_of("ENDRBA"),
        lrsn_of("STARTLRSN"),
        lrsn_of("ENDLRSN"),
        rba_of("EARLIEST REQUESTED RBA"),
        rba_of("NEW CHECKPOINT RBA"),
        rba_of("END CHECKPOINT RBA"),
        time("TIME OF CHECKPOINT"),
        time("RESTARTED"),
    ];
    let identifier = "[0-9]{4}".prop_map(|word| ("CRCR IDENTIFIER", RestartField::Word(word)));
    let others = (others, any::<[bool; 16]>()).prop_map(|(fields, chosen)| -> Vec<_> {
        fields.into_iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(field, _)| field).collect()
    });
    (identifier, others).prop_map(|(first, others)| ConditionalRestart {
        fields: std::iter::once(first).chain(others).collect(),
    })
}

fn archive_commands(wide: bool) -> impl Strategy<Value = Option<Vec<ArchiveCommand>>> {
    let options = "((QUIESCE|NONE|QMGR|GROUP)( (YES|NO|[0-9]{1,4}|-)){0,3})?";
    let one = (printed(), rba(wide), options);
    option::of(vec(one.prop_map(|(at, rba, options)| ArchiveCommand { at, rba, options }), 0..3))
}

fn maps() -> impl Strategy<Value = LogMap> {
    any::<bool>().prop_flat_map(|wide| {
        let lists = (actives(wide), actives(wide), volumes(wide), volumes(wide));
        let tail =
            (vec(restart(wide), 0..3), checkpoints(wide), archive_commands(wide), option::of(printed()));
        (header(wide), lists, tail).prop_map(
            move |(header, (a, b, c, d), (restarts, checkpoints, archive_commands, printed))| LogMap {
                header,
                active: [a, b],
                archives: [c, d],
                restarts,
                checkpoints,
                archive_commands,
                width: if wide { AddressWidth::Eight } else { AddressWidth::Six },
                printed,
            },
        )
    })
}

proptest! {
    #[test]
    fn every_map_is_read_as_it_was_written(value in maps()) {
        for layout in [LogMapLayout::Csqju004, LogMapLayout::Dsnju004] {
            let written = value.lines(layout).join("\n");
            prop_assert_eq!(map(written.as_bytes()), value.clone(), "{}", written);
        }
    }
}
