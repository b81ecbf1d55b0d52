//! Why one place of the log, or one data set, is kept or goes.

use format_inventory::{HolderEntry, Inventory, LogKind};
use format_types::{Rba, RbaRange, Timestamp};
use serde::Serialize;

use crate::InventoryError;
use crate::decide::Verdict;
use crate::evaluation::Evaluation;
use crate::logs::Logs;
use crate::plan::Planned;
use crate::policy::Policy;
use crate::release::{Release, Wanted, release};

/// A data set, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Its name.
    pub name: String,
    /// Active or archive.
    pub kind: LogKind,
    /// Log copy.
    pub copy: u8,
    /// The history of its log.
    pub history: String,
    /// Its first RBA.
    pub start: Rba,
    /// Its last RBA.
    pub end: Rba,
    /// Its bytes.
    pub bytes: u64,
    /// Whether it is there.
    pub present: bool,
    /// Whether it goes.
    pub delete: bool,
    /// Who holds it.
    pub holders: Vec<HolderEntry>,
    /// What lets it go; empty when nothing does.
    pub released_by: Vec<String>,
}

/// A place of the log, and who needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The history: the same RBA in two histories is two places.
    pub history: String,
    /// Whether it is on the line that is written.
    pub on_line: bool,
    /// Who holds it.
    pub holders: Vec<HolderEntry>,
    /// What releases it; empty when nothing does, or nobody holds it.
    pub released_by: Vec<String>,
    /// The data sets that have it.
    pub data_sets: Vec<Explained>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Explanation {
    /// Of an RBA: in each history that has or had it.
    Rba {
        /// The RBA.
        rba: Rba,
        /// Its places.
        places: Vec<Place>,
    },
    /// Of a name: every row of the inventory with it.
    DataSet {
        /// The rows.
        data_sets: Vec<Explained>,
    },
}

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// An RBA.
    Rba(Rba),
    /// A data set's name.
    DataSet(String),
}

fn lines(release: &Release) -> Vec<String> {
    match release {
        Release::By(facts) => facts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn explained(planned: &Planned<'_, '_>, place: usize) -> Explained {
    let row = &planned.evaluation.logs.rows[place];
    let log = planned.data_set(row);
    let delete = planned.verdicts.of[place] == Verdict::Delete;
    let facts = if delete { Release::Never } else { planned.released_by(place, usize::MAX) };
    Explained {
        name: log.name.to_string(),
        kind: log.kind,
        copy: log.copy,
        history: log.history.to_string(),
        start: log.start,
        end: log.end,
        bytes: log.bytes,
        present: log.present,
        delete,
        holders: planned.holders_of_row(place),
        released_by: lines(&facts),
    }
}

/// Explains an RBA or a data set.
///
/// # Errors
/// When what the inventory says cannot be.
pub fn explain<'i>(
    inventory: &'i Inventory<'i>,
    policy: &Policy,
    at: Timestamp,
    question: &Question,
) -> Result<Explanation, InventoryError> {
    let logs = Logs::new(inventory)?;
    let evaluation = Evaluation::new(inventory, &logs, policy, at)?;
    let planned = Planned::new(inventory, &evaluation);
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<Explained> {
        (0..logs.rows.len()).filter(|place| wanted(*place)).map(|place| explained(&planned, place)).collect()
    };
    Ok(match question {
        Question::DataSet(name) => {
            let named = |place: usize| planned.data_set(&logs.rows[place]).name == *name;
            Explanation::DataSet { data_sets: of(&named) }
        }
        Question::Rba(rba) => {
            let (rba, line) = (*rba, logs.lines.current);
            let range = RbaRange::new(rba, rba.plus(1));
            let usual = logs.lines.history_at(line, rba);
            let mut places = Vec::new();
            for history in 0..logs.lines.count() {
                let here = |place: usize| {
                    let row = &logs.rows[place];
                    usize::from(row.history) == history && row.range.contains(rba)
                };
                let data_sets = of(&here);
                let holders = planned.holders(history, range, false);
                if history != usual && data_sets.is_empty() && holders.is_empty() {
                    continue;
                }
                let wanted = Wanted { history, range, today: false };
                let facts = if holders.is_empty() {
                    Release::Never
                } else {
                    release(&evaluation, &[wanted], usize::MAX)
                };
                places.push(Place {
                    history: inventory.histories[history].id.clone(),
                    on_line: logs.lines.limit(line, history) > rba,
                    holders,
                    released_by: lines(&facts),
                    data_sets,
                });
            }
            Explanation::Rba { rba, places }
        }
    })
}
