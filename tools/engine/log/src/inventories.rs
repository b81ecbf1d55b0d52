//! Copies of the BSDS that were found beside archives: of each queue manager the newest, and what the others say against it.
//!
//! There is one beside every archive, and each names all archives before it. So one image is kept, however many there are.

use std::collections::BTreeMap;

use format_bsds::Bsds;
use format_types::{HistoryId, QueueManagerId};

use crate::LogError;

/// Copies of the BSDS, by name.
#[derive(Debug, Clone, Default)]
pub struct Inventories {
    owners: BTreeMap<String, QueueManagerId>,
    newest: BTreeMap<QueueManagerId, Newest>,
}

/// The newest copy of a queue manager.
#[derive(Debug, Clone)]
struct Newest {
    name: String,
    bsds: Bsds,
    /// Another copy that says otherwise under the same sequence.
    otherwise: Option<String>,
    /// The current history of each copy, with the first copy that is of it.
    histories: BTreeMap<HistoryId, String>,
}

impl Inventories {
    /// Takes a copy in; it is kept when it is newer than all others of its queue manager.
    pub fn add(&mut self, name: String, bsds: Bsds) {
        self.owners.insert(name.clone(), bsds.queue_manager);
        let Some(newest) = self.newest.get_mut(&bsds.queue_manager) else {
            let histories = BTreeMap::from([(bsds.history(), name.clone())]);
            self.newest.insert(bsds.queue_manager, Newest { name, bsds, otherwise: None, histories });
            return;
        };
        newest.histories.entry(bsds.history()).or_insert_with(|| name.clone());
        if bsds.sequence > newest.bsds.sequence {
            (newest.name, newest.bsds, newest.otherwise) = (name, bsds, None);
        } else if bsds.sequence == newest.bsds.sequence && bsds != newest.bsds {
            newest.otherwise.get_or_insert(name);
        }
    }

    /// Whether a copy of this name was found.
    #[must_use]
    pub fn is_there(&self, name: &str) -> bool {
        self.owners.contains_key(name)
    }

    /// The names of all copies, with whose they are.
    pub fn owners(&self) -> impl Iterator<Item = (&str, QueueManagerId)> {
        self.owners.iter().map(|(name, owner)| (name.as_str(), *owner))
    }

    /// How many images are held.
    #[must_use]
    pub fn images(&self) -> usize {
        self.newest.len()
    }

    /// The newest copy of `queue_manager` (of anybody when none is given), and its name.
    ///
    /// # Errors
    /// When two copies cannot be of one line: the same sequence says two things, the newer does not know the older one's history, or
    /// they belong to two queue managers.
    pub fn newest(&self, queue_manager: Option<QueueManagerId>) -> Result<Option<(&str, &Bsds)>, LogError> {
        let ours =
            || self.newest.values().filter(|n| queue_manager.is_none_or(|id| n.bsds.queue_manager == id));
        let Some(newest) = ours().max_by_key(|newest| newest.bsds.sequence) else { return Ok(None) };
        let unknown = newest
            .histories
            .iter()
            .find(|(history, _)| !newest.bsds.histories.iter().any(|entry| entry.id == **history));
        let (name, contradiction) =
            if let Some(other) = ours().find(|other| other.bsds.queue_manager != newest.bsds.queue_manager) {
                let (owner, id) = (&other.bsds.name, other.bsds.queue_manager);
                (&other.name, format!("belongs to queue manager {owner} ({id})"))
            } else if let Some(name) = &newest.otherwise {
                (name, format!("says otherwise under the same sequence {}", newest.bsds.sequence))
            } else if let Some((history, name)) = unknown {
                (name, format!("is of log history {history}, which it does not know"))
            } else {
                return Ok(Some((&newest.name, &newest.bsds)));
            };
        Err(LogError::Ambiguous(format!("{name} and {} do not fit: {name} {contradiction}", newest.name)))
    }
}
