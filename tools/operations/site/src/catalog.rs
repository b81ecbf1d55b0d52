//! What LISTCAT says of the names of archives and of copies of page sets.

use std::collections::{HashMap, HashSet};

use format_listing::{CatalogDate, CatalogEntry, Completeness, IdcamsOutcome, Report, Section};
use format_types::DataSetName;

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existence {
    /// On disk, or migrated from there.
    OnDisk,
    /// On tape.
    OnTape,
    /// The catalog has it not.
    Absent,
    /// No listing says it.
    Unknown,
}

/// All listings of catalogs.
#[derive(Debug, Default)]
pub(crate) struct Catalogs<'s> {
    entries: HashMap<&'s str, &'s CatalogEntry>,
    not_found: HashSet<&'s str>,
    /// Names without their last qualifier, of which a complete listing has some: one that it does not have is not there.
    complete: HashSet<&'s str>,
}

/// All but the last qualifier: what names of one series have in common.
fn series(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(series, _)| series)
}

/// Whether a statement of LISTCAT asks for all names of a level.
fn lists_a_level(statement: &str) -> bool {
    let statement = statement.to_ascii_uppercase();
    let words: Vec<&str> = statement.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    words.first().is_some_and(|word| ["LISTCAT", "LISTC"].contains(word))
        && words.iter().any(|word| ["LEVEL", "LVL"].contains(word))
}

impl<'s> Catalogs<'s> {
    pub(crate) fn of(sections: &'s [Section]) -> Self {
        let mut catalogs = Self::default();
        let prints = sections.iter().filter_map(|section| match &section.report {
            Report::Idcams(print) => Some(print),
            _ => None,
        });
        for function in prints.flat_map(|print| &print.functions) {
            // LISTCAT of certain entries says nothing of others.
            let by_level = function.statements.iter().any(|statement| lists_a_level(statement));
            for outcome in &function.outcomes {
                let IdcamsOutcome::Listed(listing) = outcome else { continue };
                let complete = by_level && listing.completeness() == Completeness::Complete;
                for entry in &listing.entries {
                    let name = entry.name.as_str();
                    catalogs.entries.insert(name, entry);
                    if complete {
                        catalogs.complete.extend(series(name));
                    }
                }
                let missing = listing.not_listed.iter().filter(|missing| missing.not_found);
                catalogs.not_found.extend(missing.map(|missing| missing.name.as_str()));
            }
        }
        catalogs
    }

    /// Whether no listing has an entry.
    pub(crate) fn has_no_entries(&self) -> bool {
        self.entries.is_empty()
    }

    /// The expiration date of a name, where a listing has one.
    pub(crate) fn expires(&self, name: &DataSetName) -> Option<CatalogDate> {
        self.entries.get(name.as_str())?.expires
    }

    pub(crate) fn existence(&self, name: &DataSetName) -> Existence {
        let name = name.as_str();
        if let Some(entry) = self.entries.get(name) {
            let tape = entry.volumes.iter().any(|volume| {
                volume.device.is_some_and(format_listing::DeviceType::is_tape)
                    || volume.file_sequence.is_some_and(|sequence| sequence > 0)
            });
            return if tape && !entry.is_migrated() { Existence::OnTape } else { Existence::OnDisk };
        }
        let absent = self.not_found.contains(name)
            || series(name).is_some_and(|series| self.complete.contains(series));
        if absent { Existence::Absent } else { Existence::Unknown }
    }
}
