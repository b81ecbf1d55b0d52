//! What LISTCAT prints, read line by line.
//!
//! A line of an entry is its heading, `IN-CAT --- name`, the heading of a group, a row of ASSOCIATIONS, or cells `NAME-----value` with
//! two or more blanks between. Cells that nothing is taken of are passed over, unless their name is nearly that of one that is.

use format_types::DataSetName;

use crate::catalog::{
    CatalogDate, CatalogEntry, CatalogListing, CatalogTotals, CatalogVolume, DeviceType, EntryKind,
    FROM_CATALOG, MIGRATED, PROCESSED, SUPPRESSED, SYSTEM_RESIDENCE, TOTALS, VolumePlace,
};
use crate::error::ListingError;
use crate::field::{lrsn, nearly_the_same, number, volume, whole};
use crate::text::Line;

/// Groups of an entry.
const GROUPS: [&str; 10] = [
    "HISTORY",
    "SMSDATA",
    "RLSDATA",
    "ENCRYPTIONDATA",
    "ASSOCIATIONS",
    "ATTRIBUTES",
    "STATISTICS",
    "ALLOCATION",
    "VOLUME",
    "VOLUMES",
];

/// Cells that something is taken of.
const FIELDS: [&str; 11] = [
    "VOLSER",
    "DEVTYPE",
    "FSEQN",
    "CREATION",
    "EXPIRATION",
    "LAST ALTER",
    "LIMIT",
    "STATUS",
    "HI-A-RBA",
    "HI-U-RBA",
    "VOLFLAG",
];

/// Words of a listing that are not cells, in any group.
const WORDS: [&str; 3] = ["EXTENTS:", "SYSTEM-TIMESTAMP:", "INDEX:"];

const WHAT: &str = "the line of LISTCAT does not read";
const OF_NO_KIND: &str = "it looks like the heading of an entry of no known kind";

/// The kind that an entry's heading has, and what stands behind its dashes.
fn heading(text: &str) -> Option<(EntryKind, &str)> {
    EntryKind::ALL.into_iter().find_map(|kind| {
        let rest = text.strip_prefix(kind.name())?.strip_prefix(' ')?.trim_start();
        let name = rest.trim_start_matches('-');
        (name.len() < rest.len() && (name.is_empty() || name.starts_with(' '))).then(|| (kind, name.trim()))
    })
}

/// Whether the line belongs to a listing of LISTCAT, wherever it stands.
pub(crate) fn begins(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(FROM_CATALOG)
        || text.starts_with("THE NUMBER OF ENTRIES PROCESSED")
        || text.starts_with("IN-CAT")
        || heading(text).is_some()
}

/// Whether the line, which stands outside of every listing, looks like one of an entry: a field that is read, or an associated name.
pub(crate) fn looks_like_row(text: &str) -> bool {
    let field = |chunk: &str| FIELDS.iter().any(|name| cell(chunk.trim(), name).is_some());
    let associated =
        |kind: EntryKind| text.strip_prefix(kind.short_name()).is_some_and(|rest| rest.starts_with("--"));
    text.split("  ").any(field) || EntryKind::ALL.into_iter().any(associated)
}

/// What `chunk` has behind the name of a cell and its dashes.
fn cell<'a>(chunk: &'a str, name: &str) -> Option<&'a str> {
    let rest = chunk.strip_prefix(name)?;
    let value = rest.trim_start_matches('-');
    (value.len() < rest.len()).then_some(value)
}

fn date(value: &str) -> Option<Option<CatalogDate>> {
    let (year, day) = value.split_once('.')?;
    let plain = |digits: &str, length| digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit());
    if !plain(year, 4) || !plain(day, 3) {
        return None;
    }
    let found = CatalogDate { year: year.parse().ok()?, day: day.parse().ok()? };
    Some((found.year != 0 || found.day != 0).then_some(found))
}

fn device(value: &str) -> Option<DeviceType> {
    let digits = value.strip_prefix("X'")?.strip_suffix('\'')?;
    let plain = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok().map(DeviceType)).flatten()
}

struct OpenEntry<'a> {
    heading: Line<'a>,
    catalog: Option<DataSetName>,
    group: &'static str,
    entry: CatalogEntry,
    /// Whether a group of volumes was begun and has no volume yet.
    wants_volume: bool,
}

/// A listing that is being read.
#[derive(Default)]
pub(crate) struct OpenListing<'a> {
    listing: CatalogListing,
    entry: Option<OpenEntry<'a>>,
}

fn set<T>(line: &Line<'_>, chunk: &str, field: &mut Option<T>, value: T) -> Result<(), ListingError> {
    if field.replace(value).is_some() {
        return Err(line.error(chunk, WHAT, "the entry has this field already"));
    }
    Ok(())
}

impl<'a> OpenEntry<'a> {
    fn finish(self) -> Result<CatalogEntry, ListingError> {
        let wrong = |why: &str| {
            Err(self.heading.error(self.heading.text.trim_start(), "the entry does not read", why))
        };
        if self.wants_volume {
            return wrong("VOLUME is printed and no volume follows");
        }
        match self.catalog {
            Some(catalog) => Ok(CatalogEntry { catalog, ..self.entry }),
            None => wrong("IN-CAT does not follow it"),
        }
    }

    fn line(&mut self, line: &Line<'a>, text: &'a str) -> Result<(), ListingError> {
        if let Some(rest) = text.strip_prefix("IN-CAT") {
            let name = rest.trim_start().trim_start_matches('-').trim();
            let name: DataSetName = name
                .parse()
                .map_err(|_| line.error(name, WHAT, "the name of a catalog is wanted behind IN-CAT"))?;
            return set(line, text, &mut self.catalog, name);
        }
        if let Some(group) = GROUPS.iter().find(|group| **group == text) {
            if self.wants_volume {
                return Err(line.error(text, WHAT, "VOLUME is printed above and no volume follows"));
            }
            self.group = group;
            self.wants_volume = group.starts_with("VOLUME");
            return Ok(());
        }
        if let Some(rest) = text.strip_prefix("ASSOCIATIONS") {
            self.group = "ASSOCIATIONS";
            let none = rest.trim_start_matches('-') == "(NULL)";
            return if none { Ok(()) } else { Err(line.error(rest, WHAT, "'(NULL)' is wanted")) };
        }
        if self.group == "ASSOCIATIONS" && !text.starts_with("PROTECTION-PSWD") {
            return self.association(line, text);
        }
        for chunk in text.split("  ").map(str::trim).filter(|chunk| !chunk.is_empty()) {
            self.chunk(line, chunk)?;
        }
        Ok(())
    }

    fn association(&mut self, line: &Line<'a>, text: &'a str) -> Result<(), ListingError> {
        let found = EntryKind::ALL.into_iter().find_map(|kind| Some((kind, cell(text, kind.short_name())?)));
        if text.contains("- ") {
            return Err(line.error(text, WHAT, OF_NO_KIND));
        }
        let Some((kind, name)) = found else {
            return Err(line.error(text, WHAT, "the name of an associated entry is wanted"));
        };
        let name = name.parse().map_err(|_| line.error(name, WHAT, "a data set name is wanted"))?;
        self.entry.associations.push((kind, name));
        Ok(())
    }

    fn chunk(&mut self, line: &Line<'a>, chunk: &'a str) -> Result<(), ListingError> {
        for name in FIELDS {
            if let Some(value) = cell(chunk, name) {
                return self.field(line, chunk, name, value);
            }
        }
        let refuse = |why: &str| Err(line.error(chunk, WHAT, why));
        if chunk.contains("- ") {
            return refuse(OF_NO_KIND);
        }
        let (name, value) = chunk.split_once("--").or_else(|| chunk.rsplit_once('-')).unwrap_or((chunk, ""));
        if FIELDS.iter().any(|field| chunk.starts_with(field) || nearly_the_same(name.trim_end(), field)) {
            return refuse("it looks like a field that is read, and is none");
        }
        if chunk.starts_with("X'") {
            let digits = chunk.strip_prefix("X'").and_then(|rest| rest.strip_suffix('\''));
            let digits = digits.filter(|digits| digits.len() == 16 && self.group == "STATISTICS");
            let clock = digits.and_then(|digits| lrsn(digits).ok());
            let Some((_, (clock, _))) = clock else {
                return refuse("X'16 digits' of a store clock are wanted");
            };
            return set(line, chunk, &mut self.entry.system_timestamp, clock);
        }
        let valued = !name.is_empty() && !value.trim_matches('-').is_empty();
        if valued && self.group != "ATTRIBUTES" || WORDS.contains(&chunk) {
            return Ok(());
        }
        if self.group != "ATTRIBUTES" {
            return refuse("a field with a value is wanted");
        }
        if !chunk.contains("--") {
            let words = chunk.split(' ').filter(|word| !word.is_empty());
            self.entry.attributes.extend(words.map(str::to_owned));
        }
        Ok(())
    }

    fn field(
        &mut self,
        line: &Line<'a>,
        chunk: &'a str,
        name: &str,
        value: &'a str,
    ) -> Result<(), ListingError> {
        let wanted = |what: &str| line.error(value, WHAT, format!("{what} is wanted behind {name}"));
        if value.is_empty() || value.contains(char::is_whitespace) {
            return Err(wanted("one value"));
        }
        let count = || whole(line, value, WHAT, number::<u64>);
        let small = || whole(line, value, WHAT, number::<u32>);
        let dated = || date(value).ok_or_else(|| wanted("a date yyyy.ddd"));
        let entry = &mut self.entry;
        match name {
            "VOLSER" => {
                let place = match value {
                    MIGRATED => VolumePlace::Migrated,
                    SYSTEM_RESIDENCE => VolumePlace::SystemResidence,
                    _ => VolumePlace::On(whole(line, value, WHAT, volume)?),
                };
                self.wants_volume = false;
                entry.volumes.push(CatalogVolume { place, device: None, file_sequence: None });
            }
            "DEVTYPE" | "FSEQN" => {
                let volume = entry.volumes.last_mut().ok_or_else(|| wanted("a volume before it"))?;
                if name == "FSEQN" {
                    set(line, chunk, &mut volume.file_sequence, small()?)?;
                } else {
                    let device = device(value).ok_or_else(|| wanted("X'8 digits'"))?;
                    set(line, chunk, &mut volume.device, device)?;
                }
            }
            "CREATION" => entry.created = dated()?,
            "EXPIRATION" => entry.expires = dated()?,
            "LAST ALTER" => entry.altered = dated()?,
            "LIMIT" => set(line, chunk, &mut entry.limit, small()?)?,
            "STATUS" => set(line, chunk, &mut entry.status, value.to_owned())?,
            "HI-A-RBA" if self.group == "ALLOCATION" => {
                set(line, chunk, &mut entry.allocated, count()?)?;
            }
            "HI-U-RBA" if self.group == "ALLOCATION" => {
                set(line, chunk, &mut entry.used, count()?)?;
            }
            "HI-A-RBA" | "HI-U-RBA" => {
                count()?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl<'a> OpenListing<'a> {
    /// Takes in a line of the listing.
    pub(crate) fn line(&mut self, line: &Line<'a>) -> Result<(), ListingError> {
        let text = line.text.trim();
        if let Some(name) = text.strip_prefix(FROM_CATALOG) {
            let name = name.trim();
            if name.is_empty() {
                return Err(line.error(text, WHAT, "the name of a catalog is wanted"));
            }
            if !self.listing.catalogs.iter().any(|known| known == name) {
                self.listing.catalogs.push(name.to_owned());
            }
            return Ok(());
        }
        if text.starts_with("THE NUMBER OF ENTRIES PROCESSED") {
            self.close_entry()?;
            if text != PROCESSED || self.listing.totals.replace(CatalogTotals::default()).is_some() {
                return Err(line.error(text, WHAT, format!("'{PROCESSED}' is wanted, and once")));
            }
            return Ok(());
        }
        if let Some(totals) = &mut self.listing.totals {
            return total(totals, line, text);
        }
        if let Some((kind, name)) = heading(text) {
            self.close_entry()?;
            let name = name.parse().map_err(|_| line.error(name, WHAT, "the name of an entry is wanted"))?;
            self.entry = Some(OpenEntry {
                heading: *line,
                catalog: None,
                group: "",
                wants_volume: false,
                entry: CatalogEntry {
                    kind,
                    catalog: DataSetName::clone(&name),
                    name,
                    created: None,
                    expires: None,
                    altered: None,
                    associations: Vec::new(),
                    limit: None,
                    status: None,
                    attributes: Vec::new(),
                    allocated: None,
                    used: None,
                    system_timestamp: None,
                    volumes: Vec::new(),
                },
            });
            return Ok(());
        }
        match &mut self.entry {
            Some(entry) => entry.line(line, text),
            None => Err(line.error(text, WHAT, "the heading of its entry is wanted above it")),
        }
    }

    fn close_entry(&mut self) -> Result<(), ListingError> {
        if let Some(entry) = self.entry.take() {
            self.listing.entries.push(entry.finish()?);
        }
        Ok(())
    }

    /// The listing.
    pub(crate) fn finish(mut self) -> Result<CatalogListing, ListingError> {
        self.close_entry()?;
        Ok(self.listing)
    }
}

/// A line of the totals.
fn total<'a>(totals: &mut CatalogTotals, line: &Line<'a>, text: &'a str) -> Result<(), ListingError> {
    if let Some(rest) = text.strip_prefix(SUPPRESSED) {
        return set(line, text, &mut totals.suppressed, whole(line, rest, WHAT, number::<u64>)?);
    }
    let found = TOTALS.iter().find_map(|kind| {
        let rest = text.strip_prefix(kind)?.strip_prefix(' ')?;
        Some((*kind, rest.trim_start_matches('-')))
    });
    let Some((kind, count)) = found else {
        return Err(line.error(text, WHAT, "one of the totals is wanted"));
    };
    let count = whole(line, count, WHAT, number::<u64>)?;
    if kind == "TOTAL" {
        return set(line, text, &mut totals.total, count);
    }
    if totals.counts.iter().any(|(known, _)| *known == kind) || totals.total.is_some() {
        return Err(line.error(text, WHAT, "the totals have this kind already, or are complete"));
    }
    totals.counts.push((kind, count));
    Ok(())
}
