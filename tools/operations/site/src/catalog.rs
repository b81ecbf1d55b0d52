//! What LISTCAT says of the names of archives and of copies of page sets.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use format_listing::{CatalogDate, CatalogEntry, Completeness, EntryKind, IdcamsOutcome, Report, Section};
use format_types::DataSetName;
use jiff::civil::Date;

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existence {
    /// On disk, or migrated from there.
    OnDisk,
    /// On tape.
    OnTape,
    /// The catalog has it not.
    Absent,
    /// The catalog has the name for something else than a sequential data set: an alias, a cluster.
    OfOther,
    /// No listing says it.
    Unknown,
}

/// All listings of catalogs.
#[derive(Debug, Default)]
pub(crate) struct Catalogs<'s> {
    entries: HashMap<&'s str, &'s CatalogEntry>,
    not_found: HashSet<&'s str>,
    complete: Vec<Complete<'s>>,
}

/// A listing that has every name of its levels.
#[derive(Debug)]
struct Complete<'s> {
    levels: Vec<String>,
    names: HashSet<&'s str>,
}

impl Complete<'_> {
    fn covers(&self, name: &str) -> bool {
        let of_level =
            |level: &String| name.strip_prefix(level.as_str()).is_some_and(|rest| rest.starts_with('.'));
        self.levels.iter().any(of_level)
    }
}

/// What LISTCAT may be asked for beside levels without leaving a non-VSAM data set out.
const HARMLESS: [&str; 12] = [
    "LISTCAT",
    "LISTC",
    "ALL",
    "NAME",
    "HISTORY",
    "HIST",
    "VOLUME",
    "VOL",
    "ALLOCATION",
    "ALLOC",
    "NONVSAM",
    "NVSAM",
];

/// The levels of which a statement of LISTCAT asks for all names; none when it asks for other names, or for some of them alone.
fn levels(statements: &[String]) -> Vec<String> {
    let joined: Vec<&str> =
        statements.iter().map(|line| line.trim_end().trim_end_matches(['-', '+'])).collect();
    let text = joined.join(" ").to_ascii_uppercase();
    let mut rest = text.trim_start();
    let mut levels = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let (operands, next) = match behind.strip_prefix('(').and_then(|behind| behind.split_once(')')) {
            Some((operands, next)) => (Some(operands), next),
            None => (None, behind),
        };
        match (word, operands) {
            ("LEVEL" | "LVL", Some(operands)) => {
                let wanted = operands.split([' ', ',']).filter(|level| !level.is_empty());
                levels.extend(wanted.map(str::to_owned));
            }
            ("CATALOG" | "CAT" | "OUTFILE" | "OFILE" | "OUTDATASET" | "ODS", Some(_)) => {}
            (word, None) if HARMLESS.contains(&word) => {}
            _ => return Vec::new(),
        }
        rest = next.trim_start();
    }
    // Which names a pattern matches is not ours to say.
    if levels.iter().any(|level| level.contains(['*', '%'])) {
        return Vec::new();
    }
    levels
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
            let levels = levels(&function.statements);
            for outcome in &function.outcomes {
                let IdcamsOutcome::Listed(listing) = outcome else { continue };
                let names = listing.entries.iter().map(|entry| entry.name.as_str());
                if !levels.is_empty() && listing.completeness() == Completeness::Complete {
                    let names = names.clone().collect();
                    catalogs.complete.push(Complete { levels: levels.clone(), names });
                }
                catalogs.entries.extend(names.zip(&listing.entries));
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

    /// What is known of `name`. Where one listing has it and another one says that it is not there, it is not: which of them is the newer
    /// nothing says for certain.
    pub(crate) fn existence(&self, name: &DataSetName) -> Existence {
        let name = name.as_str();
        let left_out = |listing: &Complete<'_>| listing.covers(name) && !listing.names.contains(name);
        if self.not_found.contains(name) || self.complete.iter().any(left_out) {
            return Existence::Absent;
        }
        let Some(entry) = self.entries.get(name) else { return Existence::Unknown };
        let tape = entry.volumes.iter().any(|volume| {
            volume.device.is_some_and(format_listing::DeviceType::is_tape)
                || volume.file_sequence.is_some_and(|sequence| sequence > 0)
        });
        match (entry.kind, tape && !entry.is_migrated()) {
            (EntryKind::NonVsam, false) => Existence::OnDisk,
            (EntryKind::NonVsam, true) => Existence::OnTape,
            _ => Existence::OfOther,
        }
    }

    /// Whether `name` is in a complete listing of its level, made on one of `days`, where that is printed.
    pub(crate) fn proves(&self, name: &DataSetName, days: Option<&RangeInclusive<Date>>) -> bool {
        let name = name.as_str();
        let listed = self.complete.iter().any(|listing| listing.covers(name) && listing.names.contains(name));
        let created = self.entries.get(name).and_then(|entry| entry.created?.date());
        let of_day = created.zip(days).is_none_or(|(created, days)| days.contains(&created));
        listed && of_day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_names_of_a_level_are_all_names() {
        let levels = |text: &str| levels(&[text.to_owned()]);
        for (text, wanted) in [
            (" LISTCAT LEVEL(A.B) ALL", &["A.B"][..]),
            ("listc lvl(a.b c) volume", &["A.B", "C"]),
            (" LISTCAT CATALOG(CAT.X) LEVEL(A) NONVSAM", &["A"]),
            (" LISTCAT ENTRIES(A.B) ALL", &[]),
            (" LISTCAT LEVEL(A) CREATION(30)", &[]),
            (" LISTCAT LEVEL(A) GDG", &[]),
            (" LISTCAT LEVEL(A.*.B) ALL", &[]),
            (" LISTCAT ALL", &[]),
            ("", &[]),
        ] {
            assert_eq!(levels(text), wanted, "{text}");
        }
    }
}
