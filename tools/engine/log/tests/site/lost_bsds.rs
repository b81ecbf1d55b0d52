//! A log whose BSDS is lost, in both copies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine_log::{LogError, LogManager, LogSurvey, PageSetWitness, RebuiltBsds, rebuild_bsds};
use engine_storage::{MemoryStorage, OpenMode, SharedStorage};
use format_bsds::{Bsds, PageSetEntry};
use format_types::{Expand, HistoryId, PageSetId, QueueManagerId, Rba, RbaRange};

use super::{NOW, SIZE, create, dir, fill, numbers, offload, open, reader};

pub(crate) fn memory() -> SharedStorage {
    std::sync::Arc::new(MemoryStorage::new())
}

/// A log with archives, its records, and the BSDS that was lost.
pub(crate) struct Site {
    pub(crate) storage: SharedStorage,
    pub(crate) records: Vec<(RbaRange, u64)>,
    pub(crate) lost: Bsds,
}

pub(crate) fn written(storage: SharedStorage, dual: bool, count: u64) -> Site {
    create(&storage, dual, SIZE, 3);
    let mut log = open(&storage);
    let records = fill(&mut log, 0, count);
    log.sync_now().unwrap();
    drop(log);
    let lost = reader(&storage).bsds().clone();
    for name in ["BSDS01", "BSDS02"] {
        storage.remove(&dir().join(name)).unwrap();
    }
    storage.sync_dir(&dir()).unwrap();
    Site { storage, records, lost }
}

pub(crate) fn witness() -> PageSetWitness {
    PageSetWitness {
        entry: PageSetEntry {
            page_set: PageSetId::ZERO,
            initial_pages: 32,
            expand: Expand::User,
            defined: None,
        },
        queue_manager: QueueManagerId(0xC0FF_EE00_1234_5678),
        name: "QM1".parse().unwrap(),
        history: HistoryId { number: 1, random: 0xFEED },
        highest_synced: Rba::ZERO,
        recovery_rba: Rba::ZERO,
    }
}

pub(crate) fn rebuilt(storage: &SharedStorage) -> Result<RebuiltBsds, LogError> {
    let survey = LogSurvey::of(storage, &dir(), &mut |_, _| {})?;
    rebuild_bsds(storage, &dir(), &survey, &[witness()], NOW)
}

pub(crate) fn files(storage: &SharedStorage) -> BTreeMap<PathBuf, Vec<u8>> {
    let bytes = |name: &PathBuf| {
        let file = storage.open(&dir().join(name), OpenMode::Read).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(0, &mut bytes).unwrap();
        bytes
    };
    storage.list(&dir()).unwrap().into_iter().map(|name| (name.clone(), bytes(&name))).collect()
}

/// Opens the log under the BSDS that was made, finds every record, and goes on writing.
pub(crate) fn goes_on(storage: &SharedStorage, records: &[(RbaRange, u64)]) {
    let mut log = LogManager::open(storage, &dir(), NOW).unwrap_or_else(|error| panic!("{error}"));
    let mut all = records.to_vec();
    all.extend(fill(&mut log, all.len() as u64, 200));
    log.sync_now().unwrap();
    let end = log.end();
    while offload(&mut log) > 0 {}
    drop(log);
    assert_eq!(numbers(&reader(storage), end).unwrap(), all);
}
