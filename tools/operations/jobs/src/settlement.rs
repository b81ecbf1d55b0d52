//! What became of what a plan lets go, by the prints of IDCAMS.

use format_listing::{Deletion, DeletionResult, IdcamsFunction, IdcamsOutcome, IdcamsPrint};
use format_types::{ConditionCode, DataSetName};
use hashbrown::HashMap;
use serde::Serialize;

use crate::Doomed;

/// What became of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// IDC0550I says that it was deleted.
    Gone,
    /// There was no such name in the catalog.
    WasNotThere,
    /// It is still there.
    Stays,
    /// Nothing says what became of it, or what says so cannot be relied on.
    Unknown,
}

/// A name of the plan, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettledName {
    /// The name.
    pub name: DataSetName,
    /// What became of it.
    pub became: Became,
    /// Why it stays, or is unknown: messages as printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl SettledName {
    /// Whether it is known that it is not there, so that the log inventory may forget it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self.became, Became::Gone | Became::WasNotThere)
    }
}

/// A copy of the BSDS that was to go with its archive, and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// Its name.
    pub name: DataSetName,
    /// Why: messages as printed.
    pub why: String,
}

/// What became of all names of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// Each name that the plan lets go, in its order.
    pub names: Vec<SettledName>,
    /// Copies of the BSDS that are still there, or of which nobody knows.
    pub bsds_copies_left: Vec<LeftBehind>,
    /// Log data sets that the plan keeps, and that the prints say are gone.
    pub kept_and_gone: Vec<DataSetName>,
    /// Names in the prints that the plan does not have; they settle nothing.
    pub others: Vec<DataSetName>,
}

const NOT_CATALOGUED: &str = "it is on tape or in no catalog, which no deletion by name reaches";
const NO_MESSAGE: &str = "no message of the listings names it";
const BOTH: &str = "the listings say that it is gone, and that it is not";
const NO_SCRATCH: &str = "a statement with NOSCRATCH leaves the data set on its volume";

/// All that the prints say, by name, the names in the order in which they are said first.
#[derive(Default)]
struct Said {
    names: Vec<DataSetName>,
    results: HashMap<DataSetName, Vec<DeletionResult>>,
}

impl Said {
    fn of<'p>(prints: impl IntoIterator<Item = &'p IdcamsPrint>) -> Self {
        let mut said = Self::default();
        for function in prints.into_iter().flat_map(|print| &print.functions) {
            let deletions = function.outcomes.iter().filter_map(|outcome| match outcome {
                IdcamsOutcome::Deleted(deletions) => Some(deletions),
                _ => None,
            });
            for deletion in deletions.flatten() {
                said.take(deletion, function);
            }
        }
        said
    }

    fn take(&mut self, deletion: &Deletion, function: &IdcamsFunction) {
        let result = match (&deletion.result, deletion.kind) {
            (DeletionResult::Gone, _) if leaves_the_data_set(function) => {
                DeletionResult::Unknown(NO_SCRATCH.to_owned())
            }
            // An archive is no VSAM data set: A, or H as a generation of a group.
            (DeletionResult::Gone, Some(kind)) if !matches!(kind, 'A' | 'H') => DeletionResult::Unknown(
                format!("what was deleted by its name is of kind ({kind}), and no archive"),
            ),
            (result, _) => result.clone(),
        };
        let results = self.results.entry_ref(&deletion.name).or_insert_with(|| {
            self.names.push(DataSetName::clone(&deletion.name));
            Vec::new()
        });
        results.push(result);
    }

    /// What all prints together say of `name`; nothing if none names it.
    fn of_name(&self, name: &DataSetName) -> Option<(Became, Option<String>)> {
        let results = self.results.get(name)?;
        let mut gone = false;
        let mut absent = false;
        let mut stays: Option<&str> = None;
        let mut unknown: Option<&str> = None;
        for result in results {
            match result {
                DeletionResult::Gone => gone = true,
                DeletionResult::WasNotThere => absent = true,
                DeletionResult::Stays(why) => stays = Some(why),
                DeletionResult::Unknown(why) => unknown = Some(why),
            }
        }
        Some(match (unknown, stays) {
            (Some(why), _) => (Became::Unknown, Some(why.to_owned())),
            (None, Some(why)) if gone || absent => (Became::Unknown, Some(format!("{BOTH}: {why}"))),
            (None, Some(why)) => (Became::Stays, Some(why.to_owned())),
            // A job that was run again finds what it deleted before no longer there.
            (None, None) if gone => (Became::Gone, None),
            (None, None) => (Became::WasNotThere, None),
        })
    }
}

/// Whether a statement of the function takes names out of the catalog alone.
fn leaves_the_data_set(function: &IdcamsFunction) -> bool {
    let words = function.statements.iter().flat_map(|statement| statement.split([' ', ',', ')', ';']));
    words.into_iter().any(|word| ["NOSCRATCH", "NSCR"].iter().any(|no| word.eq_ignore_ascii_case(no)))
}

impl Settlement {
    /// What `prints` say of what is `doomed`.
    ///
    /// A name is gone when IDC0550I says so of a data set that is not VSAM, and nothing says otherwise. What is not catalogued is never
    /// settled: whatever IDCAMS says of the name, the data set may be on its tape.
    #[must_use]
    pub fn of<'p>(doomed: &Doomed, prints: impl IntoIterator<Item = &'p IdcamsPrint>) -> Self {
        let said = Said::of(prints);
        let mut bsds_copies = HashMap::new();
        let mut names = Vec::with_capacity(doomed.names().len());
        for one in doomed.names() {
            let (became, why) = if one.catalogued {
                said.of_name(&one.name).unwrap_or((Became::Unknown, Some(NO_MESSAGE.to_owned())))
            } else {
                (Became::Unknown, Some(NOT_CATALOGUED.to_owned()))
            };
            bsds_copies.extend(one.bsds_copy.as_ref().map(|copy| (copy, said.of_name(copy))));
            names.push(SettledName { name: DataSetName::clone(&one.name), became, why });
        }
        let left = |name: &DataSetName| match bsds_copies.get(name) {
            Some(Some((Became::Stays | Became::Unknown, why))) => {
                Some(LeftBehind { name: DataSetName::clone(name), why: why.clone().unwrap_or_default() })
            }
            _ => None,
        };
        let strange = |name: &&DataSetName| !doomed.contains(name) && !bsds_copies.contains_key(name);
        let gone =
            |name: &DataSetName| doomed.keeps(name) && said.results[name].contains(&DeletionResult::Gone);
        let (kept_and_gone, others) = said.names.iter().filter(strange).cloned().partition(|name| gone(name));
        Self { bsds_copies_left: said.names.iter().filter_map(left).collect(), names, kept_and_gone, others }
    }

    /// How many names are settled.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.names.iter().filter(|name| name.is_settled()).count()
    }

    /// Whether names are settled, but no print shows that any was deleted: a job that ran on another system, or with another catalog, finds
    /// none of them.
    #[must_use]
    pub fn found_none(&self) -> bool {
        self.settled() > 0 && self.names.iter().all(|name| name.became != Became::Gone)
    }

    /// 0 when all is settled; 4 when something was not there before, or the prints say more than the plan; 8 when something is not settled,
    /// or what the plan keeps is gone; 12 when nothing is settled.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        let settled = self.settled();
        let was_not_there = self.names.iter().any(|name| name.became == Became::WasNotThere);
        if settled == 0 {
            ConditionCode::Refused
        } else if settled < self.names.len() || !self.kept_and_gone.is_empty() {
            ConditionCode::Partial
        } else if was_not_there || !self.others.is_empty() || !self.bsds_copies_left.is_empty() {
            ConditionCode::Warning
        } else {
            ConditionCode::Done
        }
    }
}
