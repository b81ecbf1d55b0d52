//! What a catalog says of data sets, as LISTCAT prints it.
//!
//! # Picture
//! ```text
//!                              LISTING FROM CATALOG -- CATALOG.MQ
//! NONVSAM ------- CSQARC1.ARCHLOG1.A0000001
//!      IN-CAT --- CATALOG.MQ
//!      HISTORY
//!        DATASET-OWNER-----(NULL)     CREATION--------2026.323
//!        RELEASE----------------2     EXPIRATION------0000.000
//!      VOLUMES
//!        VOLSER------------MIGRAT     DEVTYPE------X'00000000'     FSEQN------------------0
//!         THE NUMBER OF ENTRIES PROCESSED WAS:
//!                    NONVSAM ---------------1      ... one line for each kind, then TOTAL
//!         THE NUMBER OF PROTECTED ENTRIES SUPPRESSED WAS 0
//! ```
//!
//! # Fields
//! A name with `GDG BASE` has the generations that ASSOCIATIONS names, and LIMIT. DATA has HI-A-RBA and HI-U-RBA in bytes. MIGRAT in place
//! of a volume says that the data set is migrated: it is there, and comes back when it is used. A date of 0000.000 is none.
//!
//! # Validity rule
//! What is not printed is not known: a listing of names has no volumes. That a name is not listed says something only when
//! [`CatalogListing::completeness`] is [`Completeness::Complete`].
//!
//! # Torn tail
//! A listing without its totals is read, and says that it has none.

use format_types::{DataSetName, Lrsn};
use jiff::civil::Date;

/// Kinds of the totals that end a listing, in their order; the last one is their sum.
pub(crate) const TOTALS: [&str; 14] = [
    "AIX",
    "ALIAS",
    "CLUSTER",
    "DATA",
    "GDG",
    "INDEX",
    "NONVSAM",
    "PAGESPACE",
    "PATH",
    "SPACE",
    "USERCATALOG",
    "TAPELIBRARY",
    "TAPEVOLUME",
    "TOTAL",
];
/// What stands above the totals.
pub(crate) const PROCESSED: &str = "THE NUMBER OF ENTRIES PROCESSED WAS:";
/// What stands below the totals, before a number.
pub(crate) const SUPPRESSED: &str = "THE NUMBER OF PROTECTED ENTRIES SUPPRESSED WAS";
/// What stands before the name of the catalog, on every page.
pub(crate) const FROM_CATALOG: &str = "LISTING FROM CATALOG --";
/// A volume's name that says that the data set is migrated.
pub(crate) const MIGRATED: &str = "MIGRAT";
/// A volume's name that says that the data set is on the volume that the system was loaded from.
pub(crate) const SYSTEM_RESIDENCE: &str = "******";
/// Device type of a 3390.
pub(crate) const DEVICE_3390: DeviceType = DeviceType(0x3010_200F);

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// NONVSAM: a sequential data set or a generation, on disk, tape or migrated.
    NonVsam,
    /// GDG BASE: a group of generations.
    GenerationGroup,
    /// CLUSTER.
    Cluster,
    /// DATA component of a cluster.
    Data,
    /// INDEX component of a cluster.
    Index,
    /// AIX: an alternate index.
    AlternateIndex,
    /// PATH.
    Path,
    /// ALIAS: another name of a data set or catalog.
    Alias,
    /// PAGESPACE.
    PageSpace,
    /// USERCATALOG.
    UserCatalog,
}

impl EntryKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 10] = [
        Self::NonVsam,
        Self::GenerationGroup,
        Self::Cluster,
        Self::Data,
        Self::Index,
        Self::AlternateIndex,
        Self::Path,
        Self::Alias,
        Self::PageSpace,
        Self::UserCatalog,
    ];

    /// As the heading of an entry has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonVsam => "NONVSAM",
            Self::GenerationGroup => "GDG BASE",
            Self::Cluster => "CLUSTER",
            Self::Data => "DATA",
            Self::Index => "INDEX",
            Self::AlternateIndex => "AIX",
            Self::Path => "PATH",
            Self::Alias => "ALIAS",
            Self::PageSpace => "PAGESPACE",
            Self::UserCatalog => "USERCATALOG",
        }
    }

    /// As the totals and the associations have it.
    #[must_use]
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::GenerationGroup => "GDG",
            other => other.name(),
        }
    }
}

/// A date of the catalog, which may be one that no calendar has: 1999.366 is kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogDate {
    /// The year.
    pub year: u16,
    /// Day of the year, from 1.
    pub day: u16,
}

impl CatalogDate {
    /// The day, if a calendar has it.
    #[must_use]
    pub fn date(self) -> Option<Date> {
        let first = Date::new(i16::try_from(self.year).ok()?, 1, 1).ok()?;
        let day = i16::try_from(self.day).ok()?;
        (1..=first.days_in_year())
            .contains(&day)
            .then(|| first.with().day_of_year(day).build().ok())
            .flatten()
    }
}

/// A device type: the four bytes of a unit control block, printed as DEVTYPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceType(pub u32);

impl DeviceType {
    /// Whether it is a tape: the device class in its third byte.
    #[must_use]
    pub const fn is_tape(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// Whether it is a disk.
    #[must_use]
    pub const fn is_disk(self) -> bool {
        self.0 & 0x2000 != 0
    }

    /// Its name, where it is known.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x3010_200F => "3390",
            0x3010_200E => "3380",
            0x3010_2004 => "9345",
            0x7804_8080 => "3480X",
            0x7804_8081 => "3490",
            0x7804_8083 => "3590-1",
            _ => return None,
        })
    }
}

/// Where a data set, or a part of it, is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumePlace {
    /// On the volume of this name.
    On(String),
    /// MIGRAT: migrated by the storage manager, and still there.
    Migrated,
    /// `******`: on the volume that the system was loaded from.
    SystemResidence,
}

/// A volume of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogVolume {
    /// The volume.
    pub place: VolumePlace,
    /// DEVTYPE, where it is printed.
    pub device: Option<DeviceType>,
    /// FSEQN: which file of a tape it is, from 1; 0 on disk.
    pub file_sequence: Option<u32>,
}

/// An entry of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogEntry {
    /// What it is.
    pub kind: EntryKind,
    /// Its name.
    pub name: DataSetName,
    /// The catalog that it is in.
    pub catalog: DataSetName,
    /// When it was made.
    pub created: Option<CatalogDate>,
    /// Until when it is kept.
    pub expires: Option<CatalogDate>,
    /// When a group of generations was changed last.
    pub altered: Option<CatalogDate>,
    /// Names that belong to it, with their kinds; the generations of a group.
    pub associations: Vec<(EntryKind, DataSetName)>,
    /// Most generations of a group.
    pub limit: Option<u32>,
    /// STATUS of a generation: ACTIVE, DEFERRED, ROLLED-OFF.
    pub status: Option<String>,
    /// Words of its ATTRIBUTES that have no value: LINEAR, SCRATCH, NOEMPTY.
    pub attributes: Vec<String>,
    /// HI-A-RBA: bytes allocated.
    pub allocated: Option<u64>,
    /// HI-U-RBA: bytes up to the end of what was written.
    pub used: Option<u64>,
    /// SYSTEM-TIMESTAMP: store clock of its last change.
    pub system_timestamp: Option<Lrsn>,
    /// Its volumes, as printed; none when the listing does not print them.
    pub volumes: Vec<CatalogVolume>,
}

impl CatalogEntry {
    /// Number and version of a generation: 12 and 0 of `X.G0012V00`.
    #[must_use]
    pub fn generation(&self) -> Option<(u16, u8)> {
        let (_, last) = self.name.as_str().rsplit_once('.')?;
        let (number, version) = last.strip_prefix('G')?.split_once('V')?;
        let plain =
            |digits: &str, length| digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit());
        let both = plain(number, 4) && plain(version, 2);
        both.then(|| Some((number.parse().ok()?, version.parse().ok()?))).flatten()
    }

    /// Whether it is migrated, or a part of it is.
    #[must_use]
    pub fn is_migrated(&self) -> bool {
        self.volumes.iter().any(|volume| volume.place == VolumePlace::Migrated)
    }
}

/// A name that was asked for and is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotListed {
    /// The name, or the pattern of names.
    pub name: String,
    /// Whether the catalog has no such name (IDC3012I); else it may have it.
    pub not_found: bool,
    /// The messages, as printed.
    pub reason: String,
}

/// Numbers at the end of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogTotals {
    /// Kinds, by their short names, with their numbers, as printed; the sum is not among them.
    pub counts: Vec<(&'static str, u64)>,
    /// TOTAL.
    pub total: Option<u64>,
    /// Entries that the user may not see.
    pub suppressed: Option<u64>,
}

/// Whether a listing holds all that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Its totals are those of its entries, and nothing was suppressed.
    Complete,
    /// It has no totals, or not all of them: it is cut off, or made by a program that prints none.
    NoTotals,
    /// Its totals are not those of its entries: an entry was lost, or there are more than were printed.
    Disagrees {
        /// The kind, by its short name, or TOTAL.
        kind: &'static str,
        /// How many the totals say.
        printed: u64,
        /// How many were read.
        read: u64,
    },
    /// So many entries were not shown to the user.
    Suppressed(u64),
}

/// What one LISTCAT printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogListing {
    /// The catalogs that it names, as printed.
    pub catalogs: Vec<String>,
    /// Its entries in their order.
    pub entries: Vec<CatalogEntry>,
    /// Names that are not listed.
    pub not_listed: Vec<NotListed>,
    /// Its totals.
    pub totals: Option<CatalogTotals>,
}

impl CatalogListing {
    /// Whether it holds all that was asked for, as its totals say.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        let Some(totals) = &self.totals else {
            return Completeness::NoTotals;
        };
        let (Some(total), Some(suppressed)) = (totals.total, totals.suppressed) else {
            return Completeness::NoTotals;
        };
        if suppressed > 0 {
            return Completeness::Suppressed(suppressed);
        }
        for kind in EntryKind::ALL {
            let read = self.entries.iter().filter(|entry| entry.kind == kind).count() as u64;
            let printed = totals.counts.iter().find(|(name, _)| *name == kind.short_name());
            let printed = printed.map_or(0, |(_, count)| *count);
            if printed != read {
                return Completeness::Disagrees { kind: kind.short_name(), printed, read };
            }
        }
        let read = self.entries.len() as u64;
        let sum = totals.counts.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
        if total != read || sum != read {
            return Completeness::Disagrees { kind: "TOTAL", printed: total.max(sum), read };
        }
        Completeness::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_types_are_disks_or_tapes() {
        assert!(DeviceType(0x7804_8081).is_tape() && !DeviceType(0x7804_8081).is_disk());
        assert!(DEVICE_3390.is_disk() && !DEVICE_3390.is_tape() && !DeviceType(0).is_tape());
        assert_eq!((DEVICE_3390.name(), DeviceType(0).name()), (Some("3390"), None));
    }

    #[test]
    fn a_date_may_be_in_no_calendar() {
        assert_eq!(CatalogDate { year: 1999, day: 366 }.date(), None);
        assert_eq!(CatalogDate { year: 2024, day: 366 }.date(), Some(Date::constant(2024, 12, 31)));
    }
}
