//! What LISTCAT prints, written.
//!
//! Fields are cells of 24 columns (name, dashes, value right-aligned) that start in columns 9, 38, 67 and 96, the carriage control in
//! column 1. Group headings start in column 7.

use format_types::Lrsn;

use crate::catalog::{
    CatalogDate, CatalogEntry, CatalogListing, CatalogTotals, CatalogVolume, DeviceType, EntryKind,
    FROM_CATALOG, MIGRATED, PROCESSED, SUPPRESSED, SYSTEM_RESIDENCE, VolumePlace,
};
use crate::sysprint::Sysprint;

/// A date that is none.
pub(crate) const NO_DATE: &str = "0000.000";
/// What stands above a store clock.
pub(crate) const STAMP: &str = "SYSTEM-TIMESTAMP:";

/// NAME---value in 24 columns; more where the two are longer, for one dash stands between them.
#[allow(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
pub(crate) fn cell<T: ToString>(name: &str, value: T) -> String {
    let value = value.to_string();
    let dashes = 24usize.saturating_sub(name.chars().count() + value.chars().count()).max(1);
    format!("{name}{:-<dashes$}{value}", "")
}

/// Two keywords in 24 columns.
pub(crate) fn pair(left: &str, right: &str) -> String {
    let blanks = 24usize.saturating_sub(left.len() + right.len()).max(1);
    format!("{left}{:blanks$}{right}", "")
}

/// Cells beside each other.
pub(crate) fn row(print: &mut Sysprint, cells: &[String]) {
    print.line(&format!("       {}", cells.join("     ")));
}

/// The heading of a group of cells.
pub(crate) fn group(print: &mut Sysprint, heading: &str) {
    print.line(&format!("     {heading}"));
}

/// Starts the pages that name `catalog`.
pub(crate) fn begin_listing(print: &mut Sysprint, catalog: &str) {
    print.begin_function(format!("{FROM_CATALOG} {catalog}"));
}

/// The heading of an entry, dashes behind its kind up to column 16, and the catalog that it is in. Components stand further in.
pub(crate) fn heading(print: &mut Sysprint, kind: EntryKind, name: &str, catalog: &str) {
    let indent = if matches!(kind, EntryKind::Data | EntryKind::Index) { "   " } else { "" };
    print.spaced(&format!("{:-<15} {name}", format!("{indent}{} ", kind.name())));
    group(print, &format!("IN-CAT --- {catalog}"));
}

/// The group HISTORY: the date of creation, and `others` beside the release.
pub(crate) fn history(print: &mut Sysprint, created: &str, others: &[String]) {
    group(print, "HISTORY");
    row(print, &[cell("DATASET-OWNER", "(NULL)"), cell("CREATION", created)]);
    let cells: Vec<String> = std::iter::once(cell("RELEASE", 2)).chain(others.iter().cloned()).collect();
    row(print, &cells);
}

/// A row of the group ASSOCIATIONS.
pub(crate) fn association(print: &mut Sysprint, kind: EntryKind, name: &str) {
    print.line(&format!("       {:-<9}{name}", format!("{}--", kind.short_name())));
}

/// The cell of a device type.
pub(crate) fn device(device: DeviceType) -> String {
    cell("DEVTYPE", format!("X'{:08X}'", device.0))
}

/// A store clock, below [`STAMP`].
pub(crate) fn stamp(clock: Lrsn) -> String {
    format!("     X'{:016X}'", clock.0)
}

fn dated(date: Option<CatalogDate>) -> String {
    date.map_or_else(|| NO_DATE.to_owned(), |date| format!("{:04}.{:03}", date.year, date.day))
}

impl CatalogEntry {
    fn write(&self, print: &mut Sysprint) {
        heading(print, self.kind, self.name.as_str(), self.catalog.as_str());
        if self.created.is_some() || self.expires.is_some() || self.altered.is_some() || self.status.is_some()
        {
            let mut others = Vec::new();
            if self.expires.is_some() || self.altered.is_none() {
                others.push(cell("EXPIRATION", dated(self.expires)));
            }
            if self.altered.is_some() {
                others.push(cell("LAST ALTER", dated(self.altered)));
            }
            history(print, &dated(self.created), &others);
            if let Some(status) = &self.status {
                row(print, &[cell("STATUS", status)]);
            }
        }
        if !self.associations.is_empty() {
            group(print, "ASSOCIATIONS");
            for (kind, name) in &self.associations {
                association(print, *kind, name.as_str());
            }
        }
        self.write_attributes(print);
        if let Some(clock) = self.system_timestamp {
            group(print, "STATISTICS");
            row(print, &[STAMP.to_owned()]);
            row(print, &[stamp(clock)]);
        }
        if self.allocated.is_some() || self.used.is_some() {
            group(print, "ALLOCATION");
            let cells = [("HI-A-RBA", self.allocated), ("HI-U-RBA", self.used)];
            let cells = cells.into_iter().filter_map(|(name, bytes)| Some(cell(name, bytes?)));
            row(print, &cells.collect::<Vec<_>>());
        }
        if !self.volumes.is_empty() {
            group(print, "VOLUMES");
            for volume in &self.volumes {
                row(print, &volume.cells());
            }
        }
    }

    fn write_attributes(&self, print: &mut Sysprint) {
        if self.limit.is_none() && self.attributes.is_empty() {
            return;
        }
        group(print, "ATTRIBUTES");
        let pairs = self.attributes.chunks(2).map(|words| match words {
            [left, right] => pair(left, right),
            words => words.concat(),
        });
        let limit = self.limit.map(|limit| cell("LIMIT", limit));
        for cells in limit.into_iter().chain(pairs).collect::<Vec<_>>().chunks(4) {
            row(print, cells);
        }
    }
}

impl CatalogVolume {
    fn cells(&self) -> Vec<String> {
        let place = match &self.place {
            VolumePlace::On(volume) => volume,
            VolumePlace::Migrated => MIGRATED,
            VolumePlace::SystemResidence => SYSTEM_RESIDENCE,
        };
        let sequence = self.file_sequence.map(|sequence| cell("FSEQN", sequence));
        let device = self.device.map(device);
        std::iter::once(cell("VOLSER", place)).chain(device).chain(sequence).collect()
    }
}

impl CatalogTotals {
    /// The totals, and how many entries were suppressed.
    pub(crate) fn write(&self, print: &mut Sysprint) {
        print.spaced(&format!("        {PROCESSED}"));
        for (kind, count) in self.counts.iter().copied().chain(self.total.map(|total| ("TOTAL", total))) {
            print.line(&format!("                   {}", cell(&format!("{kind} "), count)));
        }
        if let Some(suppressed) = self.suppressed {
            print.spaced(&format!("        {SUPPRESSED} {suppressed}"));
        }
    }
}

impl CatalogListing {
    /// Its pages: the entries, `messages` about what is not listed, and the totals. The last page is not ended.
    pub(crate) fn write(&self, print: &mut Sysprint, messages: &[String]) {
        for catalog in &self.catalogs {
            begin_listing(print, catalog);
        }
        for entry in &self.entries {
            entry.write(print);
        }
        print.messages(messages);
        if let Some(totals) = &self.totals {
            totals.write(print);
        }
    }
}
