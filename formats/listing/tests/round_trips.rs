//! Answers of commands and messages of the job log with random values: what is written is read back as the same value, and names its queue
//! manager.

use format_listing::{
    BackupRange, BufferPoolRow, Connection, ConnectionState, ConnectionUnit, DataSetRow, DataSetUsageRow,
    Displayed, DisplayedCopy, DisplayedLog, DisplayedObject, DisplayedParameter, FullArchiveVolume,
    LogAddress, LogEvent, OffloadState, PageSetCondition, PageSetPages, PageSetRow, PrintedTime, Report,
    SmdsBufferRow, SmdsRow, Structure, StructureBackup, Text, read,
};
use format_types::{
    DataSetName, Expand, Lrsn, PageSetId, QueueManagerName, Rba, StructureName, Timestamp, Urid,
};
use jiff::civil::{Date, Time};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestCaseResult;

/// Writes the report, reads that, and takes care that both are the same.
fn comes_back(report: &Report, name: &QueueManagerName) -> TestCaseResult {
    let written = report.lines(&format!("!{name}"), Timestamp(0)).join("\n") + "\n";
    let text = Text::decode("written", written.as_bytes()).unwrap();
    let mut sections = read(&[text]).map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
    prop_assert_eq!(sections.len(), 1, "{}", written);
    let mut section = sections.remove(0);
    if let Report::Objects(displayed) = &mut section.report {
        for object in &mut displayed.objects {
            object.place = DisplayedObject::default().place;
        }
    }
    prop_assert_eq!(&section.report, report, "{}", written);
    prop_assert_eq!(section.queue_manager.as_ref(), Some(name), "{}", written);
    Ok(())
}

fn queue_manager() -> impl Strategy<Value = QueueManagerName> {
    "[A-Z@#$][A-Z0-9@#$]{0,3}".prop_map(|name| name.parse().unwrap())
}

fn data_set() -> impl Strategy<Value = DataSetName> {
    "[A-Z@#$][A-Z0-9@#$-]{0,7}(\\.[A-Z@#$][A-Z0-9@#$-]{0,7}){0,3}".prop_map(|name| name.parse().unwrap())
}

fn structure_name() -> impl Strategy<Value = StructureName> {
    "[A-Z][A-Z0-9@#$]{0,11}".prop_map(|name| name.parse().unwrap())
}

fn page_set() -> impl Strategy<Value = PageSetId> {
    (0_u8..=99).prop_map(|number| PageSetId::new(number).unwrap())
}

fn rba() -> impl Strategy<Value = Rba> {
    any::<u64>().prop_map(Rba)
}

fn lrsn() -> impl Strategy<Value = Lrsn> {
    any::<u64>().prop_map(Lrsn)
}

/// A range: its first and its last RBA.
fn range() -> impl Strategy<Value = (Rba, Rba)> {
    any::<[u64; 2]>().prop_map(|[one, other]| (Rba(one.min(other)), Rba(one.max(other))))
}

prop_compose! {
    fn day()(year in 0_i16..=9999, month in 1_i8..=12, day in 1_i8..=28) -> Date {
        Date::constant(year, month, day)
    }
}

prop_compose! {
    fn clock()(hour in 0_i8..24, minute in 0_i8..60, second in 0_i8..60, nanosecond in prop_oneof![Just(0), 0..1_000_000_000])
        -> Time {
        Time::constant(hour, minute, second, nanosecond)
    }
}

fn printed() -> impl Strategy<Value = PrintedTime> {
    (day(), option::of(clock())).prop_map(|(date, time)| PrintedTime { date, time })
}

/// Numbers as reports have them, and such that are longer than their columns.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_000_u64, any::<u64>()]
}

prop_compose! {
    fn pages()(buffer_pool: u8, total in count(), unused in count(), persistent in count(), nonpersistent in count(),
               expand in select(vec![Expand::User, Expand::System, Expand::None]), expansions: u32, encrypted: Option<bool>)
        -> PageSetPages {
        PageSetPages { buffer_pool, total, unused, persistent, nonpersistent, expand, expansions, encrypted }
    }
}

fn page_set_row() -> impl Strategy<Value = PageSetRow> {
    let condition = prop_oneof![
        4 => pages().prop_map(PageSetCondition::Online),
        1 => Just(PageSetCondition::Offline),
        1 => Just(PageSetCondition::NotDefined),
        1 => Just(PageSetCondition::NeverOnline),
        1 => Just(PageSetCondition::Suspended),
    ];
    (page_set(), condition).prop_map(|(page_set, condition)| PageSetRow { page_set, condition })
}

prop_compose! {
    fn buffer_pool_row()(buffer_pool: u8, available in count(), stealable in count(), percentage: u8,
                         page_class in "[0-9]{1,9}(KB|MB)?", location in "[A-Z]{1,12}") -> BufferPoolRow {
        BufferPoolRow { buffer_pool, available, stealable, percentage, page_class, location }
    }
}

/// Rows of CSQI070I: each kind once at most, in any order.
fn data_set_rows() -> impl Strategy<Value = Vec<DataSetUsageRow>> {
    let kinds = vec![DataSetRow::OldestUnit, DataSetRow::OldestPageSet, DataSetRow::OldestStructure];
    let kinds = subsequence(kinds, 0..=3).prop_shuffle();
    (kinds, vec(option::of((any::<u64>(), option::of(data_set()))), 3)).prop_map(|(kinds, values)| {
        let row = |(row, value): (DataSetRow, Option<(u64, Option<DataSetName>)>)| {
            let Some((address, data_set)) = value else {
                return DataSetUsageRow { row, from: None, data_set: None };
            };
            let from = match row {
                DataSetRow::OldestStructure => LogAddress::Lrsn(Lrsn(address)),
                _ => LogAddress::Rba(Rba(address)),
            };
            DataSetUsageRow { row, from: Some(from), data_set }
        };
        kinds.into_iter().zip(values).map(row).collect()
    })
}

prop_compose! {
    fn smds_row()(structure in structure_name(), messages in count(), blocks in count(), data_blocks in count(),
                  used_blocks in count(), used_percent: u8) -> SmdsRow {
        SmdsRow { structure, messages, blocks, data_blocks, used_blocks, used_percent }
    }
}

prop_compose! {
    fn smds_buffer_row()(structure in structure_name(), block_kib in count(), buffers in [count(), count(), count(), count()],
                         reads_saved: u8, lowest_free: i64, wait_rate: u8) -> SmdsBufferRow {
        SmdsBufferRow { structure, block_kib, buffers, reads_saved, lowest_free, wait_rate }
    }
}

prop_compose! {
    fn parameter()(name in "[A-Z]{1,15}", initial in "([A-Z0-9/.]( ?[A-Z0-9/.]){0,30})?",
                   set in option::of("[A-Z0-9/.]( ?[A-Z0-9/.]){0,30}")) -> DisplayedParameter {
        DisplayedParameter { name, initial, set }
    }
}

prop_compose! {
    fn copy()(percent_full: u8, answers in vec(any::<bool>(), 1..=3), data_set in data_set()) -> DisplayedCopy {
        DisplayedCopy { percent_full, answers, data_set }
    }
}

fn offload() -> impl Strategy<Value = OffloadState> {
    select(vec![
        OffloadState::Available,
        OffloadState::Busy,
        OffloadState::AllocatingArchive,
        OffloadState::CopyingBsds,
        OffloadState::CopyingLog,
    ])
}

prop_compose! {
    fn log()(copies in [option::of(copy()), option::of(copy())], date in day(), time in clock(), restart_rba in rba(),
             latest in rba(), offload in offload(), full: usize, data_sets: usize) -> DisplayedLog {
        let restarted_at = PrintedTime { date, time: Some(time) };
        DisplayedLog { copies, restarted_at, restart_rba, latest, offload, full, data_sets }
    }
}

fn structure() -> impl Strategy<Value = Structure> {
    (structure_name(), any::<Option<u8>>(), any::<Option<bool>>())
        .prop_map(|(name, level, recover)| Structure { name, level, recover })
}

prop_compose! {
    fn backup_range()(at in option::of(printed()), (start, end) in range(), megabytes: Option<u64>,
                      taken_by in queue_manager(), logs in vec(queue_manager(), 1..4)) -> BackupRange {
        BackupRange { at, start, end, megabytes, taken_by, logs }
    }
}

prop_compose! {
    fn backup()(name in structure_name(), status in "[A-Z]{1,10}", backup in option::of(backup_range()),
                failed_at in option::of(printed())) -> StructureBackup {
        StructureBackup { name, status, backup, failed_at }
    }
}

fn connection() -> impl Strategy<Value = Connection> {
    let unit = || (rba(), option::of(printed()), option::of(printed()));
    let working =
        select(vec![ConnectionState::Active, ConnectionState::Prepared, ConnectionState::Unresolved]);
    let at_rest = select(vec![None, Some(ConnectionState::None)]);
    // A connection that says no state, or none, has a unit if QMURID is not zero.
    let state = prop_oneof![
        (working, unit()).prop_map(|(state, unit)| (Some(state), Some(unit))),
        (at_rest.clone(), unit().prop_filter("a unit", |(urid, ..)| *urid != Rba::ZERO).prop_map(Some)),
        at_rest.prop_map(|state| (state, None)),
    ];
    ("[0-9A-F]{16}", "([A-Za-z0-9]( ?[A-Za-z0-9@.]){0,20})?", state).prop_map(
        |(id, application, (state, unit))| {
            let unit = unit.map(|(urid, began, logged)| ConnectionUnit { urid: Urid(urid), began, logged });
            Connection { id, application, state, unit }
        },
    )
}

/// A value as it stands in the parentheses of an attribute, which may have parentheses of its own.
fn value() -> impl Strategy<Value = String> {
    "[A-Za-z0-9 .,:/'=_*-]{0,30}".prop_recursive(2, 6, 2, |inner| {
        (inner.clone(), inner).prop_map(|(before, inside)| format!("{before}({inside}) {before}"))
    })
}

fn object() -> impl Strategy<Value = DisplayedObject> {
    proptest::collection::btree_map("[A-Z][A-Z0-9]{0,7}", value(), 1..6).prop_map(|attributes| {
        DisplayedObject { attributes: attributes.into_iter().collect(), ..DisplayedObject::default() }
    })
}

fn displayed() -> impl Strategy<Value = Displayed> {
    (select(vec!["QLOCAL", "STGCLASS", "SMDSCONN", "CHSTATUS"]), vec(object(), 0..4))
        .prop_map(|(noun, objects)| Displayed { noun: noun.to_owned(), objects })
}

prop_compose! {
    fn archive_volume()(data_set in data_set(), (start, last) in range(), times in option::of([lrsn(), lrsn()]),
                        unit in option::of("[A-Z0-9@#$/-]{1,8}"), volume in option::of((1_u8..=2, "[A-Z0-9@#$-]{1,6}")),
                        span in option::of("[A-Z]{1,5}"), catalogued: Option<bool>) -> FullArchiveVolume {
        FullArchiveVolume { data_set, start, last, times, unit, volume, span, catalogued }
    }
}

fn event() -> impl Strategy<Value = LogEvent> {
    let connection = || "[A-Z0-9]( ?[A-Z0-9@]){0,11}";
    prop_oneof![
        (any::<u8>(), data_set(), range()).prop_map(|(copy, data_set, (start, last))| {
            LogEvent::CurrentActiveLog { copy, data_set, start, last }
        }),
        (data_set(), range()).prop_map(|(data_set, (start, last))| LogEvent::EndOfActiveLog {
            data_set,
            start,
            last
        }),
        archive_volume().prop_map(|volume| LogEvent::ArchiveVolume(Box::new(volume))),
        (structure_name(), rba()).prop_map(|(structure, at)| LogEvent::BackupStarted { structure, at }),
        (structure_name(), rba(), any::<u64>()).prop_map(|(structure, at, megabytes)| {
            LogEvent::BackupCompleted { structure, at, megabytes }
        }),
        (rba(), connection())
            .prop_map(|(urid, connection)| LogEvent::LongRunningUnit { urid: Urid(urid), connection }),
        (rba(), rba(), connection()).prop_map(|(to, urid, connection)| LogEvent::ShuntedUnit {
            to,
            urid: Urid(urid),
            connection
        }),
        (page_set(), rba()).prop_map(|(page_set, recovery)| LogEvent::PageSetOffline { page_set, recovery }),
    ]
}

proptest! {
    #[test]
    fn page_sets(rows in vec(page_set_row(), 0..6), name in queue_manager()) {
        comes_back(&Report::PageSets(rows), &name)?;
    }

    #[test]
    fn buffer_pools(rows in vec(buffer_pool_row(), 0..6), name in queue_manager()) {
        comes_back(&Report::BufferPools(rows), &name)?;
    }

    #[test]
    fn data_sets(rows in data_set_rows(), name in queue_manager()) {
        comes_back(&Report::DataSets(rows), &name)?;
    }

    #[test]
    fn restart_rbas(rba in rba(), name in queue_manager()) {
        comes_back(&Report::RestartRba(rba), &name)?;
        comes_back(&Report::RestartRbaWithOffline(rba), &name)?;
    }

    #[test]
    fn shared_message_data_sets(rows in vec(smds_row(), 0..5), name in queue_manager()) {
        comes_back(&Report::SharedMessageDataSets(rows), &name)?;
    }

    #[test]
    fn shared_message_buffers(rows in vec(smds_buffer_row(), 0..5), name in queue_manager()) {
        comes_back(&Report::SharedMessageBuffers(rows), &name)?;
    }

    #[test]
    fn log_parameters(rows in vec(parameter(), 0..6), name in queue_manager()) {
        comes_back(&Report::LogParameters(rows), &name)?;
    }

    #[test]
    fn log_status(log in log(), name in queue_manager()) {
        comes_back(&Report::LogStatus(Box::new(log)), &name)?;
    }

    #[test]
    fn structures(structures in vec(structure(), 0..4), name in queue_manager()) {
        comes_back(&Report::Structures(structures), &name)?;
    }

    #[test]
    fn structure_backups(backups in vec(backup(), 0..4), name in queue_manager()) {
        comes_back(&Report::StructureBackups(backups), &name)?;
    }

    #[test]
    fn connections(connections in vec(connection(), 0..4), name in queue_manager()) {
        comes_back(&Report::Connections(connections), &name)?;
    }

    #[test]
    fn objects(displayed in displayed(), name in queue_manager()) {
        comes_back(&Report::Objects(displayed), &name)?;
    }

    #[test]
    fn events(event in event(), name in queue_manager()) {
        comes_back(&Report::Event(event), &name)?;
    }
}
