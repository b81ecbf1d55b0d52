//! DISPLAY USAGE, DISPLAY LOG, job logs and objects of `testdata/listings`, against values written down by hand.

use format_listing::{
    BackupRange, BufferPoolRow, Connection, ConnectionState, ConnectionUnit, DataSetRow, DataSetUsageRow,
    DisplayedCopy, DisplayedLog, DisplayedParameter, FullArchiveVolume, LogAddress, LogEvent, OffloadState,
    PageSetCondition, PageSetPages, PageSetRow, PrintedTime, Report, Section, SmdsBufferRow, SmdsRow,
    Structure, StructureBackup, Text, read,
};
use format_types::{Expand, Lrsn, PageSetId, Rba, Urid};
use jiff::civil::{Date, Time};

const CONSOLE: &str = include_str!("../../../testdata/listings/usage-console.txt");
const CSQUTIL: &str = include_str!("../../../testdata/listings/usage-csqutil.txt");
const OBJECTS: &str = include_str!("../../../testdata/listings/objects.txt");

fn sections(text: &str) -> Vec<Section> {
    read(&[Text::decode("job", text.as_bytes()).unwrap()]).unwrap_or_else(|error| panic!("{error}"))
}

fn reports(text: &str) -> Vec<Report> {
    sections(text).into_iter().map(|section| section.report).collect()
}

fn refused(text: &str) -> String {
    read(&[Text::decode("job", text.as_bytes()).unwrap()]).expect_err(text).to_string()
}

fn page_set(number: u8, condition: PageSetCondition) -> PageSetRow {
    PageSetRow { page_set: PageSetId::new(number).unwrap(), condition }
}

fn at(day: i8, hour: i8, minute: i8, second: i8) -> Option<PrintedTime> {
    Some(PrintedTime {
        date: Date::constant(2026, 11, day),
        time: Some(Time::constant(hour, minute, second, 0)),
    })
}

fn console() -> Vec<Report> {
    let pages = |unused, persistent, expand, expansions, encrypted| {
        PageSetCondition::Online(PageSetPages {
            buffer_pool: 0,
            total: 1078,
            unused,
            persistent,
            nonpersistent: 0,
            expand,
            expansions,
            encrypted: Some(encrypted),
        })
    };
    let row = |row, from, data_set: Option<&str>| DataSetUsageRow {
        row,
        from: Some(from),
        data_set: data_set.map(|name| name.parse().unwrap()),
    };
    let active = || "ZQS2.LOGCOPY1.DS01".parse().unwrap();
    let (start, last, urid) = (Rba(0), Rba(0xC9_FFFF), Urid(Rba(0x8B_E034)));
    let structure = || "TEST1".parse().unwrap();
    vec![
        Report::Event(LogEvent::CurrentActiveLog { copy: 1, data_set: active(), start, last }),
        Report::Event(LogEvent::PageSetOffline {
            page_set: PageSetId::new(7).unwrap(),
            recovery: Rba(0x8B_E034),
        }),
        Report::PageSets(vec![
            page_set(0, pages(1045, 33, Expand::User, 0, false)),
            page_set(1, pages(1061, 17, Expand::System, 2, true)),
            page_set(7, PageSetCondition::Offline),
            page_set(8, PageSetCondition::NeverOnline),
            page_set(9, PageSetCondition::NotDefined),
            page_set(99, PageSetCondition::Suspended),
        ]),
        Report::BufferPools(vec![BufferPoolRow {
            buffer_pool: 0,
            available: 50_000,
            stealable: 49_998,
            percentage: 99,
            page_class: "4KB".into(),
            location: "BELOW".into(),
        }]),
        Report::DataSets(vec![
            row(DataSetRow::OldestUnit, LogAddress::Rba(Rba(0x8B_E034)), Some("ZQS2.LOGCOPY1.DS01")),
            row(DataSetRow::OldestPageSet, LogAddress::Rba(Rba(0x8B_E000)), None),
            row(DataSetRow::OldestStructure, LogAddress::Lrsn(Lrsn(0xCC56_D010_26CC_0000)), None),
        ]),
        Report::RestartRba(Rba(0x8B_E034)),
        Report::RestartRbaWithOffline(Rba(0x8B_D000)),
        Report::Event(LogEvent::BackupStarted { structure: structure(), at: Rba(0x90_0000) }),
        Report::Event(LogEvent::BackupCompleted { structure: structure(), at: Rba(0x91_0000), megabytes: 1 }),
        Report::Event(LogEvent::EndOfActiveLog { data_set: active(), start, last }),
        Report::Event(LogEvent::LongRunningUnit { urid, connection: "TEAM20P".into() }),
        Report::Event(LogEvent::ShuntedUnit { to: Rba(0x92_0000), urid, connection: "TEAM20P".into() }),
        Report::Event(LogEvent::ArchiveVolume(Box::new(FullArchiveVolume {
            data_set: "CSQARC1.ARCHLOG1.A0000001".parse().unwrap(),
            start,
            last,
            times: Some([Lrsn(0xCC56_D010_26CC_0000), Lrsn(0xCC56_DC36_8924_0000)]),
            unit: Some("TAPE".into()),
            volume: Some((1, "TAPE01".into())),
            span: Some("NO".into()),
            catalogued: Some(true),
        }))),
    ]
}

#[test]
fn a_job_log() {
    let sections = sections(CONSOLE);
    assert!(sections.iter().all(|section| section.queue_manager.as_ref().unwrap().as_str() == "ZQS2"));
    assert_eq!((sections[0].line, sections[2].line), (5, 9));
    let found: Vec<_> = sections.into_iter().map(|section| section.report).collect();
    let expected = console();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn events_are_read_as_they_are_written() {
    for report in console() {
        if let Report::Event(event) = report {
            let message = event.message("ZQS2") + "\n";
            assert_eq!(reports(&message), [Report::Event(event.clone())], "{message}");
            let halves = message.replacen(" STARTRBA", "\nSTARTRBA", 1).replacen(" started", "\nstarted", 1);
            assert_eq!(reports(&halves), [Report::Event(event)], "{halves}");
        }
    }
}

#[test]
fn output_of_csqutil() {
    let copy = DisplayedCopy {
        percent_full: 15,
        answers: vec![false],
        data_set: "CSQ1.LOGCOPY1.DS001".parse().unwrap(),
    };
    let parameter = |name: &str, initial: &str, set: Option<&str>| DisplayedParameter {
        name: name.into(),
        initial: initial.into(),
        set: set.map(str::to_owned),
    };
    let structure = || "TEST1".parse().unwrap();
    let expected = [
        Report::RestartRba(Rba(0x8B_E034)),
        Report::RestartRbaWithOffline(Rba(0x8B_E034)),
        Report::SharedMessageDataSets(vec![SmdsRow {
            structure: structure(),
            messages: 12,
            blocks: 1024,
            data_blocks: 1000,
            used_blocks: 10,
            used_percent: 1,
        }]),
        Report::SharedMessageBuffers(vec![SmdsBufferRow {
            structure: structure(),
            block_kib: 256,
            buffers: [100, 1, 2, 97],
            reads_saved: 5,
            lowest_free: -3,
            wait_rate: 0,
        }]),
        Report::LogParameters(vec![
            parameter("INBUFF", "60", None),
            parameter("MAXARCH", "500", Some("900")),
        ]),
        Report::LogStatus(Box::new(DisplayedLog {
            copies: [Some(copy), None],
            restarted_at: PrintedTime {
                date: Date::constant(2026, 6, 17),
                time: Some(Time::constant(12, 55, 12, 0)),
            },
            restart_rba: Rba(0),
            latest: Rba(0x10_6F64),
            offload: OffloadState::CopyingLog,
            full: 1,
            data_sets: 4,
        })),
    ];
    assert_eq!(reports(CSQUTIL), expected);
    assert!(
        sections(CSQUTIL).iter().all(|section| section.queue_manager.as_ref().unwrap().as_str() == "CSQ1")
    );
}

#[test]
fn structures_backups_and_connections() {
    let found = reports(OBJECTS);
    let structure = |name: &str, level, recover| Structure {
        name: name.parse().unwrap(),
        level: Some(level),
        recover: Some(recover),
    };
    let structures = Report::Structures(vec![structure("TEST1", 5, true), structure("CSQSYSAPPL", 4, false)]);
    let backup = BackupRange {
        at: at(26, 10, 46, 39),
        start: Rba(0x90_0000),
        end: Rba(0x91_0000),
        megabytes: Some(1),
        taken_by: "ZQS2".parse().unwrap(),
        logs: vec!["ZQS1".parse().unwrap(), "ZQS2".parse().unwrap()],
    };
    let status = |name: &str, status: &str, backup, failed_at| StructureBackup {
        name: name.parse().unwrap(),
        status: status.into(),
        backup,
        failed_at,
    };
    let backups = Report::StructureBackups(vec![
        status("TEST1", "ACTIVE", Some(backup), None),
        status("TEST2", "FAILED", None, at(25, 1, 2, 3)),
    ]);
    let unit =
        ConnectionUnit { urid: Urid(Rba(0x8B_E034)), began: at(26, 10, 46, 39), logged: at(26, 10, 46, 40) };
    let connection = |id: &str, application: &str, state, unit| Connection {
        id: id.into(),
        application: application.into(),
        state: Some(state),
        unit,
    };
    let connections = Report::Connections(vec![
        connection("D5E00D666DA8FBDB", "TEAM20P", ConnectionState::Unresolved, Some(unit)),
        connection("D5E00D666DA8FBDC", "ZQS2CHIN", ConnectionState::None, None),
    ]);
    assert_eq!(found, [structures, backups, connections, Report::Connections(vec![])]);
}

#[test]
fn what_looks_like_a_report_and_is_none_is_an_error() {
    for (text, what) in [
        ("CSQI024I CSQ1 CSQIDUSE", "line 1, column 1: the message does not read"),
        ("CSQI024I CSQ1 CSQIDUSE Restart RBA for system as\nconfigured=0000008BE03X", "line 2, column 12"),
        ("CSQI024I CSQ1 CSQIDUSE Restart RBA for system as configured=8BE034", "line 1, column 61"),
        ("CSQI02I CSQ1 CSQIDUSE Restart RBA for system as", "line 1, column 1: the line looks like a report"),
        ("XCSQI024I CSQ1 CSQIDUSE Restart RBA for system as", "the line looks like a report"),
        ("  configured=0000008BE034", "line 1, column 3: the line looks like a part of a report"),
        ("_  0     0     1078", "the line looks like a part of a report"),
        (" End of page set report", "the line looks like a part of a report"),
        ("CSQI010I Q Page set usage ...\n_ 0 0 1 1 0 0 USER 0", "the report has no end"),
        ("CSQI010I Q Page set usage ...\n_ 0 0 1 1 0 0 USER\nEnd of page set report", "line 2, column 19"),
        ("CSQI010I Q Page set usage ...\n0 0 1 x1 0 0 USER 0\nEnd of page set report", "line 2, column 7"),
        (
            "CSQI070I Data set usage ...\nLog, oldest for page set recovery\nEnd of data set report",
            "no value below",
        ),
        (
            "CSQM293I Q C 2 CONN FOUND MATCHING REQUEST CRITERIA\nCSQ9022I Q C ' DISPLAY CONN' NORMAL COMPLETION",
            "says 2 and 0 follow",
        ),
        ("CSQM201I Q C  DISPLAY CONN DETAILS\nCONN(1)\n END CONN DETAILS", "cut off"),
        ("CSQM201I Q C  DISPLAY CONN DETAILS\nCONN(1)\nCSQ9022I X", "the object has no end"),
    ] {
        let error = refused(text);
        assert!(error.contains(what), "{text}: {error}");
    }
    let error = refused(&OBJECTS.replacen("2 CONN", "3 CONN", 1));
    assert!(error.contains("CSQM293I says 3 and 2 follow"), "{error}");
    let error = refused(&OBJECTS.replacen("QMURID(00000000008BE034)\n", "", 1));
    assert!(
        error.starts_with("job: line 46, column 1: the object does not read: QMURID is wanted"),
        "{error}"
    );
    let error = refused(&OBJECTS.replacen("LOGS(ZQS1,ZQS2)", "LOGS(,)", 1));
    assert!(error.contains("LOGS(,) does not read"), "{error}");
}

#[test]
fn other_lines_between_reports_are_passed_over() {
    let text = "//STEP1 EXEC PGM=CSQUTIL\nIEF285I CSQ1.X KEPT RBA 0000008BE034\nCSQR003I RESTART - PRIOR CHECKPOINT RBA=00000005850C\n\nDONE";
    assert_eq!(sections(text), []);
}
