//! Writes the seeds that fuzzing starts from: `seeds FOLDER` makes FOLDER/TARGET/NAME for every target, from the encoders.

use std::fs;
use std::path::{Path, PathBuf};

use format_bsds::{
    ActiveLog, ActiveStatus, ArchiveLog, BackupInProgress, Bsds, CheckpointEntry, Hole, PageSetEntry,
    RecoveryPointEntry, Settings, encode_slot, least_capacity,
};
use format_journal::{Entry, Header, Put, Unit, encode_entry, encode_header};
use format_log::ci::{CI_DATA, CiTrailer};
use format_log::segment::{FIRST, LAST, SegmentChecksum};
use format_log::{Body, LogIdentity, Record, RecordHeader, RecordKind, ResourceManager};
use format_manifest::{CopiedFile, CopiedPageSet, Manifest};
use format_pageset::page_zero;
use format_pageset::{
    Fragment, MessageHead, ObjectRecord, PageBytes, PageType, PageZero, QueueDefinition, SlotAddress,
    StorageClassDefinition, page, slotted,
};
use format_protocol::{FRAME_HEADER, Reply, Request};
use format_types::{
    ConditionCode, Expand, HistoryId, LogHistory, Lrsn, PageAddress, PageNumber, PageSetId, PointMethod,
    PointState, QueueManagerId, QueueManagerName, Rba, RbaRange, RecoveryPart, SystemRecovery, Timestamp,
    Urid,
};

const HISTORY: HistoryId = HistoryId { number: 1, random: 9 };
const OWNER: QueueManagerId = QueueManagerId(7);

struct Corpus(PathBuf);

impl Corpus {
    fn add(&self, target: &str, name: &str, bytes: &[u8]) {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder).expect("a folder for the seeds");
        fs::write(folder.join(format!("seed-{name}")), bytes).expect("a seed");
    }
}

fn main() {
    let folder = std::env::args_os().nth(1).expect("usage: seeds FOLDER");
    let corpus = Corpus(Path::new(&folder).to_owned());
    pages(&corpus);
    records_of_pages(&corpus);
    log(&corpus);
    points(&corpus);
    bsds(&corpus);
    journal(&corpus);
    protocol(&corpus);
    statements(&corpus);
    listings(&corpus);
}

fn name() -> QueueManagerName {
    "QM1".parse().expect("a name")
}

fn set(number: u8) -> PageSetId {
    PageSetId::new(number).expect("below 100")
}

fn pages(corpus: &Corpus) {
    for (name, kind) in [
        ("free", PageType::Free),
        ("map", PageType::Map),
        ("object", PageType::Object),
        ("persistent", PageType::Persistent),
        ("nonpersistent", PageType::NonPersistent),
    ] {
        let address = PageAddress::new(set(3), PageNumber(1));
        let mut bytes: PageBytes = [0; 4096];
        page::format(&mut bytes, address, kind, Rba(0x1000), Rba(0x2000));
        if kind.is_slotted() {
            slotted::insert(&mut bytes, 0, b"a record").expect("room");
        }
        page::seal(&mut bytes);
        let mut seed = vec![3, 0, 0, 0, 1];
        seed.extend_from_slice(&bytes);
        corpus.add("page", name, &seed);
        corpus.add("space_map", name, &bytes);
        corpus.add("slotted_page", name, &bytes);
    }
    for (name, closed_cleanly) in [("open", None), ("closed", Some(Rba(0x9000)))] {
        let zero = PageZero {
            queue_manager: OWNER,
            name: self::name(),
            page_set: set(3),
            history: HISTORY,
            recovery_rba: Rba(0x4000),
            highest_synced: Rba(0x8000),
            pages_used: 1024,
            extents: 1,
            expansions: 0,
            expand: Expand::System,
            initial_pages: 1024,
            closed_cleanly,
        };
        corpus.add("page_zero", name, &page_zero::encode_page(&zero, 5));
    }
}

fn records_of_pages(corpus: &Corpus) {
    let head = MessageHead {
        key: 5,
        queue: 2,
        priority: 4,
        persistent: true,
        put_time: Timestamp(77),
        message_id: [3; 24],
        length: 10,
    };
    let next = Some(SlotAddress { page: PageNumber(9), slot: 2 });
    let fragments = [
        ("whole", Fragment::Head { head: head.clone(), next: None, body: b"0123456789" }),
        ("head", Fragment::Head { head, next, body: b"01234" }),
        ("rest", Fragment::Rest { key: 5, persistent: true, next: None, body: b"56789" }),
    ];
    for (name, fragment) in fragments {
        let mut bytes = Vec::new();
        fragment.encode(&mut bytes);
        corpus.add("message", name, &bytes);
    }
    let queue = QueueDefinition {
        key: 1,
        id: 2,
        name: "APP.ORDERS".parse().expect("a name"),
        descr: "orders".to_owned(),
        stgclass: "DEFAULT".parse().expect("a name"),
        put_enabled: true,
        get_enabled: true,
        default_priority: 4,
        default_persistence: true,
        max_depth: 999_999_999,
        max_message_length: 4 << 20,
        moved_from: vec![set(2), set(3)],
    };
    let class = StorageClassDefinition {
        key: 3,
        name: "DEFAULT".parse().expect("a name"),
        descr: String::new(),
        page_set: set(1),
        moved_from: Vec::new(),
    };
    for (name, object) in
        [("queue", ObjectRecord::Queue(queue)), ("class", ObjectRecord::StorageClass(class))]
    {
        let mut bytes = Vec::new();
        object.encode(&mut bytes);
        corpus.add("object", name, &bytes);
    }
}

fn log(corpus: &Corpus) {
    let at = PageAddress::new(set(1), PageNumber(7));
    let image = [5; 4096];
    let bodies = [
        ("begin", Body::BeginUr { connection: "LOAD-1", at: Timestamp(5) }),
        ("insert", Body::Insert { at, slot: 1, record: b"a record" }),
        ("intent", Body::DeleteIntent { at, slot: 1, key: 9 }),
        ("delete", Body::Delete { at, slot: 1 }),
        ("compensate", Body::Compensate { at, slot: 1, undo_next: Rba(0x3000) }),
        ("prepare", Body::Prepare { xid: b"xid" }),
        ("phase2", Body::BeginPhase2 { complete: true, at: Timestamp(6) }),
        ("end", Body::EndUr),
        ("format", Body::Format { at, page_type: PageType::Persistent.code() }),
        ("image", Body::PageImage { at, image: &image }),
        ("map", Body::SpaceMap { map: at, first: PageNumber(9), state: 3, count: 4 }),
        ("checkpoint", Body::BeginCheckpoint { bsds_sequence: 4 }),
        ("checkpoint-end", Body::EndCheckpoint { begin: Rba(0x5000) }),
        ("switch", Body::Switch { bsds_sequence: 5 }),
        ("stop", Body::CleanStop),
    ];
    let identity = LogIdentity { queue_manager: OWNER, history: HISTORY };
    let checksum = SegmentChecksum::new(identity);
    let mut ci = vec![0; 4096];
    let (mut used, rba) = (0, Rba(0x1000));
    for (name, body) in bodies {
        let header = RecordHeader {
            total_length: 0,
            previous_length: 0,
            kind: RecordKind { major: 0, minor: 0 },
            resource_manager: ResourceManager(0),
            flags: 0,
            release: 0,
            urid: Urid(Rba(0x2000)),
            link: Rba(0x2040),
            lrsn: Lrsn(8),
        };
        let mut bytes = Vec::new();
        Record { header, body }.to_bytes(&mut bytes);
        corpus.add("log_record", name, &bytes);
        if used + bytes.len() + 8 <= CI_DATA {
            used = checksum.put(&mut ci, rba, used, FIRST | LAST, &bytes);
        }
    }
    for closed in [false, true] {
        let trailer = CiTrailer {
            rba,
            identity,
            instance: 1,
            used: u16::try_from(used).expect("inside the interval"),
            first_record: Some(0),
            synced: Rba(0x1000),
            closed,
        };
        trailer.put(&mut ci);
        corpus.add("log_ci", if closed { "closed" } else { "open" }, &ci);
    }
}

fn system_recovery() -> SystemRecovery {
    let part = |rba, holder: &str| RecoveryPart { rba: Rba(rba), holder: holder.to_owned() };
    SystemRecovery {
        page_sets: part(0x4000, "page set 01"),
        structures: None,
        units: Some(part(0x5000, "unit of recovery 0000000000005000")),
        page_sets_online: Rba(0x4000),
    }
}

fn points(corpus: &Corpus) {
    let file = |name: &str| CopiedFile { file: name.to_owned(), length: 10, checksum: 0x0A0B_0C0D };
    let manifest = Manifest {
        name: "T1".to_owned(),
        queue_manager: name(),
        queue_manager_id: OWNER,
        history: HISTORY,
        method: PointMethod::Fuzzy,
        state: PointState::Verified,
        at: Timestamp(5),
        start: Rba(0x6000),
        end: Rba(0x7000),
        page_sets: vec![CopiedPageSet {
            page_set: set(1),
            file: "PSID01".to_owned(),
            recovery_rba: Rba(0x4000),
            pages: 1024,
            length: 4 << 20,
            checksum: 1,
            damaged_pages: vec![],
        }],
        system_recovery: system_recovery(),
        bsds: file("BSDS"),
        definitions: file("DEFINITIONS"),
        stopped: vec!["CSQI024I QM1 CSQIDUSE Restart RBA".to_owned()],
        log: None,
    };
    let bytes = manifest.encode().expect("a manifest");
    corpus.add("manifest", "whole", &bytes);
    let last_line = bytes.iter().rposition(|&byte| byte == b',').unwrap_or(0);
    corpus.add("manifest", "unsealed", &bytes[..(last_line + 2).min(bytes.len())]);
}

fn bsds(corpus: &Corpus) {
    let range = |start, end| RbaRange::new(Rba(start), Rba(end));
    let active = |name: &str, range| ActiveLog {
        copy: 1,
        name: name.to_owned(),
        size: 1 << 20,
        range,
        status: ActiveStatus::default(),
        instance: 1,
        history: HISTORY,
    };
    let full = Bsds {
        sequence: 4,
        queue_manager: OWNER,
        name: name(),
        created: Timestamp(5),
        settings: Settings {
            dual_active: true,
            dual_archive: false,
            log_data_set_size: 1 << 20,
            log_load: 1000,
            buffer_pool_pages: 1024,
        },
        histories: vec![LogHistory { id: HISTORY, parent: None, first: Rba::ZERO }],
        active_logs: vec![
            active("LOGCOPY1.DS01", Some(range(0x1000, 0x101000))),
            active("LOGCOPY1.DS02", None),
        ],
        copy_stopped: [None, Some(Rba(0x9000))],
        archives: vec![ArchiveLog {
            copy: 1,
            name: "ARCHLOG1.A0000001".to_owned(),
            history: HISTORY,
            range: range(0, 0x1000),
            start_lrsn: Lrsn(1),
            end_lrsn: Lrsn(2),
            written_at: Timestamp(6),
            unit: "SYSDA".to_owned(),
            volume: "VOL001".to_owned(),
            bsds_name: "ARCHLOG1.B0000001".to_owned(),
            deleting: false,
        }],
        next_archive: 2,
        highest_written: Rba(0x5000),
        highest_offloaded: Rba(0x1000),
        checkpoints: vec![CheckpointEntry { begin: Rba(0x2000), end: Rba(0x2100), at: Timestamp(7) }],
        clean_stop: Some(Rba(0x5000)),
        conditional_restarts: vec![],
        backups_in_progress: vec![BackupInProgress {
            name: "T2".to_owned(),
            started: Timestamp(8),
            system_recovery_rba: Rba(0x2000),
            start_rba: Rba(0x3000),
        }],
        recovery_points: vec![RecoveryPointEntry {
            name: "T1".to_owned(),
            directory: "points/T1".to_owned(),
            method: PointMethod::Fuzzy,
            state: PointState::Verified,
            at: Timestamp(6),
            history: HISTORY,
            start: Rba(0x2000),
            end: Rba(0x3000),
            page_sets: vec![(set(1), Rba(0x2000))],
            system_recovery: system_recovery(),
            verified_at: Some(Timestamp(9)),
        }],
        holds: vec![],
        page_sets: vec![PageSetEntry {
            page_set: set(1),
            initial_pages: 1024,
            expand: Expand::System,
            defined: Some((HISTORY, Rba(0))),
        }],
        holes: vec![Hole { history: HISTORY, range: range(0x1000, 0x2000) }],
    };
    for (name, sequence) in [("even", 4), ("odd", 5)] {
        let bsds = Bsds { sequence, ..full.clone() };
        let slot = encode_slot(&bsds, least_capacity(&bsds)).expect("it fits");
        // Without the zeros at its end: they would be most of the seed.
        let used = slot.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        corpus.add("bsds", name, &slot[..used]);
    }
}

fn journal(corpus: &Corpus) {
    let queues = vec!["APP.A".parse().expect("a name"), "APP.B".parse().expect("a name")];
    let mut text = encode_header(&Header {
        load: 1,
        seed: 2,
        connections: 3,
        queues,
        history: Some(HistoryId { number: 2, random: 9 }),
    });
    let put = |message_id| Put { queue: 1, message_id, sequence: 1, length: 100 };
    let unit = |unit, id| Unit { connection: 1, unit, puts: vec![put(id)], gets: vec![[9; 24]] };
    let entries = [
        Entry::Acknowledged { commit: Rba(0x5000), unit: unit(1, Some([8; 24])) },
        Entry::Unknown(unit(2, None)),
        Entry::End { acknowledged: 1, unknown: 1 },
    ];
    for (number, entry) in (2..).zip(&entries) {
        text.push_str(&encode_entry(number, entry));
        corpus.add("journal", &format!("{number}-lines"), text.as_bytes());
    }
    corpus.add("journal", "torn", &text.as_bytes()[..text.len() - 10]);
}

fn protocol(corpus: &Corpus) {
    let queue = || "APP.A".parse().expect("a name");
    let requests = [
        Request::Hello { version: 1, application: "LOAD-1".to_owned() },
        Request::Put {
            queue: queue(),
            priority: Some(9),
            persistent: None,
            syncpoint: true,
            body: vec![1; 20],
        },
        Request::Get { queue: queue(), syncpoint: true, message_id: Some([7; 24]) },
        Request::Browse { queue: queue(), after: Some((4, 9)) },
        Request::Commit,
        Request::Prepare { xid: vec![1, 2, 3] },
        Request::Mqsc { text: "DISPLAY QLOCAL(*)".to_owned() },
        Request::RegisterBackup { name: "T1".to_owned() },
        Request::ArchiveLog { quiesce: Some(5), wait_offload: true, cancel_offload: false },
        Request::Stop { force: true },
        Request::StopWhenAlone { allow_unresolved: false },
    ];
    for (number, request) in requests.iter().enumerate() {
        let frame = request.encode().expect("a frame");
        corpus.add("request", &number.to_string(), &frame[FRAME_HEADER..]);
    }
    let replies = [
        Reply::Hello { name: name(), id: OWNER, version: 1 },
        Reply::Put { message_id: [1; 24], key: 7, commit: Rba(5) },
        Reply::NoMessage,
        Reply::Lines { code: ConditionCode::Partial, lines: vec!["CSQ9022I".to_owned()] },
        Reply::Definitions(vec!["DEFINE QLOCAL(A)".to_owned()]),
        Reply::LogArchived { end: Rba(0x1000), lines: vec![] },
        Reply::Error { code: ConditionCode::Refused, id: "CSQJ319I".to_owned(), text: "no".to_owned() },
    ];
    for (number, reply) in replies.iter().enumerate() {
        let frame = reply.encode().expect("a frame");
        corpus.add("reply", &number.to_string(), &frame[FRAME_HEADER..]);
    }
}

fn statements(corpus: &Corpus) {
    let scripts = [
        "DEFINE QLOCAL(APP.ORDERS) REPLACE DESCR('it''s here') STGCLASS(FAST) DEFPSIST(YES) MAXDEPTH(5000)",
        "* comment\nALTER QLOCAL(A) PUT(DISABLED); DIS QL(*) CURDEPTH WHERE(CURDEPTH GT 0)",
        "DEFINE STGCLASS(FAST) +\n   PSID(02)\nDEFINE PSID(04) EXPAND(USER) PAGES(1000)",
        "DISPLAY USAGE TYPE(ALL) PSID(*)\nDIS LOG\nDIS CONN(*) TYPE(CONN) ALL\n",
        "ARCHIVE LOG MODE(QUIESCE) TIME(5) WAIT(YES)\nARC LOG CANCEL OFFLOAD\nSTOP QMGR MODE(FORCE)",
        "DELETE QLOCAL(A)\nDIS STC(*)\nDIS QMGR ALL\n",
    ];
    for (number, text) in scripts.iter().enumerate() {
        corpus.add("statement", &number.to_string(), text.as_bytes());
    }
}

/// The listings of `testdata/listings`.
fn listings(corpus: &Corpus) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/listings");
    for entry in fs::read_dir(folder).expect("a folder of listings") {
        let path = entry.expect("a listing").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        corpus.add("listing", &name, &fs::read(&path).expect("a listing"));
    }
}
