//! Which generation a copy became, by the LISTCAT that stands behind it.
//!
//! A job writes `BASE(+1)` by a DD statement, and REPRO prints the name of the DD statement alone. The generation is in its group when the
//! step has ended: a LISTCAT of the base behind the copy, and before the next one, says the base and its generations.

use format_listing::{CatalogEntry, EntryKind, IdcamsFunction, IdcamsOutcome};
use format_types::DataSetName;
use jiff::civil::Date;

/// Most generations that a group has. Numbers further apart than that have gone from 9999 to 1.
const MOST: u16 = 999;

/// What LISTCAT says behind a copy, and before the next one.
#[derive(Debug, Default)]
pub(crate) struct Listed<'s> {
    entries: Vec<&'s CatalogEntry>,
}

impl<'s> Listed<'s> {
    /// Takes in what `functions` listed.
    pub(crate) fn of(functions: impl IntoIterator<Item = &'s IdcamsFunction>) -> Self {
        let outcomes = functions.into_iter().filter(|function| function.code == Some(0));
        let listings = outcomes.flat_map(|function| &function.outcomes).filter_map(|outcome| match outcome {
            IdcamsOutcome::Listed(listing) => Some(listing),
            _ => None,
        });
        Self { entries: listings.flat_map(|listing| &listing.entries).collect() }
    }

    fn only(&self, kind: EntryKind) -> Result<&'s CatalogEntry, String> {
        let mut found = self.entries.iter().filter(|entry| entry.kind == kind);
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry),
            (None, _) => Err(format!("no {} is listed in a step behind it", kind.name())),
            (Some(one), Some(other)) => {
                Err(format!("{} and {} are both listed in steps behind it", one.name, other.name))
            }
        }
    }

    /// The data set of the page set: the only cluster that is listed.
    pub(crate) fn data_set(&self) -> Result<&'s DataSetName, String> {
        self.only(EntryKind::Cluster).map(|entry| &entry.name)
    }

    /// Whether `name` is a cluster that is listed, or its data.
    pub(crate) fn has_component(&self, name: &str) -> bool {
        let is_vsam = |kind| matches!(kind, EntryKind::Cluster | EntryKind::Data);
        self.entries.iter().any(|entry| {
            let parts = entry.associations.iter().map(|(kind, part)| (*kind, part));
            std::iter::once((entry.kind, &entry.name))
                .chain(parts)
                .any(|(kind, known)| is_vsam(kind) && known.as_str() == name)
        })
    }

    /// The newest generation of the only group that is listed; where its CREATION is listed, it is to be `first` or later.
    pub(crate) fn newest_generation(&self, first: Option<Date>) -> Result<&'s DataSetName, String> {
        let base = self.only(EntryKind::GenerationGroup)?;
        let mut generations = Vec::new();
        for (_, name) in &base.associations {
            let number = generation_of(base.name.as_str(), name.as_str());
            generations
                .push((number.ok_or_else(|| format!("{name} is no generation of {}", base.name))?, name));
        }
        let numbers = || generations.iter().map(|((number, _), _)| *number);
        let (Some(oldest), Some(newest)) = (numbers().min(), numbers().max()) else {
            return Err(format!("{} has no generation", base.name));
        };
        if newest - oldest > MOST {
            return Err(format!(
                "the generations of {} begin anew at 1, so that none is the newest for certain",
                base.name
            ));
        }
        let mut named =
            generations.iter().filter(|((number, _), _)| *number == newest).map(|(_, name)| *name);
        let (Some(name), None) = (named.next(), named.next()) else {
            return Err(format!("generation {newest} of {} is there in two versions", base.name));
        };
        let own = self.entries.iter().find(|entry| entry.kind == EntryKind::NonVsam && entry.name == *name);
        if let Some(status) = own.and_then(|entry| entry.status.as_deref()).filter(|it| *it != "ACTIVE") {
            return Err(format!("{name} has STATUS {status}"));
        }
        let created = own.and_then(|entry| entry.created?.date());
        match (created, first) {
            (Some(created), Some(first)) if created < first => Err(format!(
                "{name} was made on {created}, before the backup, which was made on {first} or later"
            )),
            _ => Ok(name),
        }
    }
}

/// Number and version of a generation of `base`.
fn generation_of(base: &str, name: &str) -> Option<(u16, u8)> {
    let (number, version) = name.strip_prefix(base)?.strip_prefix(".G")?.split_once('V')?;
    let plain = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let both = plain(number, 4) && plain(version, 2);
    both.then(|| Some((number.parse().ok()?, version.parse().ok()?))).flatten()
}
