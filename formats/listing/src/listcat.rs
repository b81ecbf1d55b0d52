//! LISTCAT of linear data sets.
//!
//! An image on this machine has no tracks of its own; its numbers are those of the
//! 3390 geometry (12 control intervals of 4096 bytes a track, 15 tracks a cylinder) as if it lay at the start of a volume.

use format_types::{ConditionCode, Lrsn, Timestamp};

use crate::catalog::{CatalogTotals, DEVICE_3390, EntryKind, TOTALS};
use crate::catalog_writer::{
    NO_DATE, STAMP, association, begin_listing, cell, device, group, heading, history, pair, row, stamp,
};
use crate::idcams::{entry_not_found, function_completed, processing_complete};
use crate::sysprint::Sysprint;
use crate::time::julian_date;

/// Bytes of a control interval.
const CI: u64 = 4096;
/// Control intervals on a track of a 3390.
const CIS_A_TRACK: u64 = 12;
/// Tracks of a cylinder.
const TRACKS_A_CYLINDER: u64 = 15;

/// Unit that space is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceType {
    /// Tracks of 49,152 bytes.
    Track,
    /// Cylinders of 737,280 bytes.
    Cylinder,
    /// Control intervals of 4096 bytes.
    Record,
}

/// How much space a data set was given, and grows by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Unit of the two numbers.
    pub kind: SpaceType,
    /// What it was given.
    pub primary: u64,
    /// What it grows by; 0 when it does not, or by no fixed number.
    pub secondary: u64,
}

impl Space {
    /// `primary` and `secondary` bytes in the largest unit that counts both without a rest.
    #[must_use]
    pub const fn of_bytes(primary: u64, secondary: u64) -> Self {
        let track = CI * CIS_A_TRACK;
        let cylinder = track * TRACKS_A_CYLINDER;
        let (kind, unit) = if primary.is_multiple_of(cylinder) && secondary.is_multiple_of(cylinder) {
            (SpaceType::Cylinder, cylinder)
        } else if primary.is_multiple_of(track) && secondary.is_multiple_of(track) {
            (SpaceType::Track, track)
        } else {
            (SpaceType::Record, CI)
        };
        Self { kind, primary: primary.div_ceil(unit), secondary: secondary.div_ceil(unit) }
    }
}

/// A stretch of the image that was allocated at once: first byte, and one past the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RbaExtent {
    /// First byte.
    pub low: u64,
    /// One past the last byte.
    pub high: u64,
}

/// What LISTCAT says of one linear data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinearDataSet {
    /// Its name.
    pub name: String,
    /// When it was made, where that is known.
    pub created: Option<Timestamp>,
    /// The volume: at most 6 characters are printed.
    pub volume: String,
    /// HI-A-RBA: bytes allocated.
    pub allocated: u64,
    /// HI-U-RBA: bytes up to the end of the last page in use.
    pub used: u64,
    /// Its space.
    pub space: Space,
    /// Its extents, in order.
    pub extents: Vec<RbaExtent>,
    /// Store clock of its last change, where that is known.
    pub system_timestamp: u64,
}

/// A LISTCAT command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listcat {
    /// ALL: every group; else those of ALLOCATION.
    pub all: bool,
    /// Name of the catalog.
    pub catalog: String,
    /// When the listing is made.
    pub at: Timestamp,
    /// The command as typed, for the first page.
    pub command: String,
    /// What it found, in the order asked for.
    pub entries: Vec<LinearDataSet>,
    /// Names that it did not find.
    pub missing: Vec<String>,
}

fn cchh(track: u64) -> String {
    format!("X'{:04X}{:04X}'", track / TRACKS_A_CYLINDER, track % TRACKS_A_CYLINDER)
}

fn tracks(bytes: u64) -> u64 {
    bytes.div_ceil(CI * CIS_A_TRACK)
}

/// The listing, and the condition code: 4 when a name was not found.
#[must_use]
pub fn listcat(request: &Listcat) -> (Vec<String>, ConditionCode) {
    let code = if request.missing.is_empty() { ConditionCode::Done } else { ConditionCode::Warning };
    let mut print = Sysprint::new(request.at, std::slice::from_ref(&request.command));
    begin_listing(&mut print, &request.catalog);
    for entry in &request.entries {
        cluster(&mut print, request, entry);
        data(&mut print, request, entry);
    }
    for name in &request.missing {
        print.messages(&entry_not_found(name));
    }
    totals_of(request.entries.len()).write(&mut print);
    print.spaced(&function_completed(code));
    print.end_function();
    print.spaced(&processing_complete(code));
    (print.into_lines(), code)
}

fn made(print: &mut Sysprint, entry: &LinearDataSet) {
    let created = entry.created.map_or_else(|| NO_DATE.to_owned(), julian_date);
    history(print, &created, &[cell("EXPIRATION", NO_DATE)]);
}

fn protection(print: &mut Sysprint) {
    group(print, &format!("PROTECTION-PSWD-----(NULL)     {}", cell("RACF", "(NO)")));
}

fn cluster(print: &mut Sysprint, request: &Listcat, entry: &LinearDataSet) {
    heading(print, EntryKind::Cluster, &entry.name, &request.catalog);
    if request.all {
        made(print, entry);
        protection(print);
        group(print, "ASSOCIATIONS");
        association(print, EntryKind::Data, &format!("{}.DATA", entry.name));
    }
}

fn data(print: &mut Sysprint, request: &Listcat, entry: &LinearDataSet) {
    heading(print, EntryKind::Data, &format!("{}.DATA", entry.name), &request.catalog);
    if request.all {
        made(print, entry);
        print.line(&format!("       ACCOUNT-INFO{:-<35}(NULL)", ""));
        protection(print);
        group(print, "ASSOCIATIONS");
        association(print, EntryKind::Cluster, &entry.name);
        attributes(print);
        statistics(print, entry);
    }
    allocation(print, entry);
    volume(print, entry);
}

fn attributes(print: &mut Sysprint) {
    group(print, "ATTRIBUTES");
    row(print, &[cell("KEYLEN", 0), cell("AVGLRECL", 0), cell("BUFSPACE", 2 * CI), cell("CISIZE", CI)]);
    row(
        print,
        &[
            cell("RKP", 0),
            cell("MAXLRECL", 0),
            cell("EXCPEXIT", "(NULL)"),
            cell("CI/CA", CIS_A_TRACK * TRACKS_A_CYLINDER),
        ],
    );
    row(
        print,
        &[
            pair("SHROPTNS(2,3)", "RECOVERY"),
            pair("UNIQUE", "NOERASE"),
            pair("LINEAR", "NOWRITECHK"),
            pair("UNORDERED", "NOREUSE"),
        ],
    );
    print.line("       NONSPANNED");
}

fn statistics(print: &mut Sysprint, entry: &LinearDataSet) {
    group(print, "STATISTICS");
    row(print, &[cell("REC-TOTAL", 0), cell("SPLITS-CI", 0), cell("EXCPS", 0)]);
    row(print, &[cell("REC-DELETED", 0), cell("SPLITS-CA", 0), cell("EXTENTS", entry.extents.len())]);
    row(print, &[cell("REC-INSERTED", 0), cell("FREESPACE-%CI", 0), STAMP.to_owned()]);
    row(print, &[cell("REC-UPDATED", 0), cell("FREESPACE-%CA", 0), stamp(Lrsn(entry.system_timestamp))]);
    row(print, &[cell("REC-RETRIEVED", 0), cell("FREESPC", entry.allocated.saturating_sub(entry.used))]);
}

fn allocation(print: &mut Sysprint, entry: &LinearDataSet) {
    let kind = match entry.space.kind {
        SpaceType::Track => "TRACK",
        SpaceType::Cylinder => "CYLINDER",
        SpaceType::Record => "RECORD",
    };
    group(print, "ALLOCATION");
    row(print, &[cell("SPACE-TYPE", kind), cell("HI-A-RBA", entry.allocated)]);
    row(print, &[cell("SPACE-PRI", entry.space.primary), cell("HI-U-RBA", entry.used)]);
    row(print, &[cell("SPACE-SEC", entry.space.secondary)]);
}

fn volume(print: &mut Sysprint, entry: &LinearDataSet) {
    let volume: String = entry.volume.chars().take(6).collect();
    // As the published samples have it: X'40' while nothing was written, X'00' afterwards.
    let extent_type = if entry.used == 0 { "X'40'" } else { "X'00'" };
    group(print, "VOLUME");
    row(
        print,
        &[
            cell("VOLSER", volume),
            cell("PHYREC-SIZE", CI),
            cell("HI-A-RBA", entry.allocated),
            cell("EXTENT-NUMBER", entry.extents.len()),
        ],
    );
    row(
        print,
        &[
            device(DEVICE_3390),
            cell("PHYRECS/TRK", CIS_A_TRACK),
            cell("HI-U-RBA", entry.used),
            cell("EXTENT-TYPE", extent_type),
        ],
    );
    row(print, &[cell("VOLFLAG", "PRIME"), cell("TRACKS/CA", TRACKS_A_CYLINDER)]);
    print.line("       EXTENTS:");
    let mut track = 0;
    for extent in &entry.extents {
        let count = tracks(extent.high.saturating_sub(extent.low));
        row(print, &[cell("LOW-CCHH", cchh(track)), cell("LOW-RBA", extent.low), cell("TRACKS", count)]);
        let last = track + count.saturating_sub(1);
        row(print, &[cell("HIGH-CCHH", cchh(last)), cell("HIGH-RBA", extent.high.saturating_sub(1))]);
        track += count;
    }
}

fn totals_of(clusters: usize) -> CatalogTotals {
    let clusters = clusters as u64;
    let kinds = TOTALS.into_iter().filter(|kind| *kind != "TOTAL");
    let counts = kinds.map(|kind| (kind, if matches!(kind, "CLUSTER" | "DATA") { clusters } else { 0 }));
    CatalogTotals { counts: counts.collect(), total: Some(2 * clusters), suppressed: Some(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> LinearDataSet {
        LinearDataSet {
            name: "PSID01".into(),
            created: Some(Timestamp(1_661_904_000_000_000)),
            volume: "QM1".into(),
            allocated: 3_686_400,
            used: 737_280,
            space: Space::of_bytes(3_686_400, 737_280),
            extents: vec![RbaExtent { low: 0, high: 3_686_400 }],
            system_timestamp: 0xDC08_8DC1_0ACE_6842,
        }
    }

    fn listing(all: bool, missing: &[&str]) -> Vec<String> {
        let (lines, code) = listcat(&Listcat {
            all,
            catalog: "QM1".into(),
            at: Timestamp(1_662_046_604_000_000),
            command: "   LISTCAT ENTRIES(PSID01) ALL".into(),
            entries: vec![sample()],
            missing: missing.iter().map(|&name| name.to_owned()).collect(),
        });
        assert_eq!(code.number(), if missing.is_empty() { 0 } else { 4 });
        lines
    }

    #[test]
    fn all_groups_have_the_columns_of_real_listings() {
        let expected = "\
1IDCAMS  SYSTEM SERVICES                                           TIME: 15:36:44        09/01/22     PAGE      1
0
    LISTCAT ENTRIES(PSID01) ALL
1IDCAMS  SYSTEM SERVICES                                           TIME: 15:36:44        09/01/22     PAGE      2
-                             LISTING FROM CATALOG -- QM1
0CLUSTER ------- PSID01
      IN-CAT --- QM1
      HISTORY
        DATASET-OWNER-----(NULL)     CREATION--------2022.243
        RELEASE----------------2     EXPIRATION------0000.000
      PROTECTION-PSWD-----(NULL)     RACF----------------(NO)
      ASSOCIATIONS
        DATA-----PSID01.DATA
0   DATA ------- PSID01.DATA
      IN-CAT --- QM1
      HISTORY
        DATASET-OWNER-----(NULL)     CREATION--------2022.243
        RELEASE----------------2     EXPIRATION------0000.000
        ACCOUNT-INFO-----------------------------------(NULL)
      PROTECTION-PSWD-----(NULL)     RACF----------------(NO)
      ASSOCIATIONS
        CLUSTER--PSID01
      ATTRIBUTES
        KEYLEN-----------------0     AVGLRECL---------------0     BUFSPACE------------8192     CISIZE--------------4096
        RKP--------------------0     MAXLRECL---------------0     EXCPEXIT----------(NULL)     CI/CA----------------180
        SHROPTNS(2,3)   RECOVERY     UNIQUE           NOERASE     LINEAR        NOWRITECHK     UNORDERED        NOREUSE
        NONSPANNED
      STATISTICS
        REC-TOTAL--------------0     SPLITS-CI--------------0     EXCPS------------------0
        REC-DELETED------------0     SPLITS-CA--------------0     EXTENTS----------------1
        REC-INSERTED-----------0     FREESPACE-%CI----------0     SYSTEM-TIMESTAMP:
        REC-UPDATED------------0     FREESPACE-%CA----------0          X'DC088DC10ACE6842'
        REC-RETRIEVED----------0     FREESPC----------2949120
      ALLOCATION
        SPACE-TYPE------CYLINDER     HI-A-RBA---------3686400
        SPACE-PRI--------------5     HI-U-RBA----------737280
        SPACE-SEC--------------1
      VOLUME
        VOLSER---------------QM1     PHYREC-SIZE---------4096     HI-A-RBA---------3686400     EXTENT-NUMBER----------1
        DEVTYPE------X'3010200F'     PHYRECS/TRK-----------12     HI-U-RBA----------737280     EXTENT-TYPE--------X'00'
        VOLFLAG------------PRIME     TRACKS/CA-------------15
        EXTENTS:
        LOW-CCHH-----X'00000000'     LOW-RBA----------------0     TRACKS----------------75
        HIGH-CCHH----X'0004000E'     HIGH-RBA---------3686399
0        THE NUMBER OF ENTRIES PROCESSED WAS:
                    AIX -------------------0
                    ALIAS -----------------0
                    CLUSTER ---------------1
                    DATA ------------------1
                    GDG -------------------0
                    INDEX -----------------0
1IDCAMS  SYSTEM SERVICES                                           TIME: 15:36:44        09/01/22     PAGE      3
-                             LISTING FROM CATALOG -- QM1
0                   NONVSAM ---------------0
                    PAGESPACE -------------0
                    PATH ------------------0
                    SPACE -----------------0
                    USERCATALOG -----------0
                    TAPELIBRARY -----------0
                    TAPEVOLUME ------------0
                    TOTAL -----------------2
0        THE NUMBER OF PROTECTED ENTRIES SUPPRESSED WAS 0
0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0
1IDCAMS  SYSTEM SERVICES                                           TIME: 15:36:44        09/01/22     PAGE      4
0
0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0";
        let lines = listing(true, &[]);
        for (line, wanted) in lines.iter().zip(expected.lines()) {
            assert_eq!(line, wanted);
        }
        assert_eq!(lines.len(), expected.lines().count());
    }

    #[test]
    fn cells_start_in_columns_9_38_67_and_96_and_are_24_wide() {
        let lines = listing(true, &[]);
        let line = lines.iter().find(|line| line.contains("VOLSER")).unwrap();
        for (column, name) in [(9, "VOLSER"), (38, "PHYREC-SIZE"), (67, "HI-A-RBA"), (96, "EXTENT-NUMBER")] {
            assert!(line[column - 1..].starts_with(name), "{name}");
        }
        assert_eq!(line.len(), 119);
        let stamp = lines.iter().find(|line| line.contains("X'DC08")).unwrap();
        assert_eq!((stamp.find("X'DC08"), stamp.len()), (Some(71), 90));
    }

    #[test]
    fn allocation_is_shorter_and_a_missing_name_is_code_4() {
        let short = listing(false, &["PSID99"]);
        assert!(short.iter().any(|line| line.contains("HI-U-RBA")));
        assert!(!short.iter().any(|line| line.contains("STATISTICS")));
        let at = short.iter().position(|line| line == "0IDC3012I ENTRY PSID99 NOT FOUND").unwrap();
        assert_eq!(short[at + 2], " IDC1566I ** PSID99 NOT LISTED");
        assert!(short.last().unwrap().ends_with("WAS 4"));
    }

    #[test]
    fn space_is_counted_in_the_largest_unit_that_fits() {
        assert_eq!(
            Space::of_bytes(737_280, 0),
            Space { kind: SpaceType::Cylinder, primary: 1, secondary: 0 }
        );
        assert_eq!(
            Space::of_bytes(49_152, 98_304),
            Space { kind: SpaceType::Track, primary: 1, secondary: 2 }
        );
        assert_eq!(Space::of_bytes(8192, 4096), Space { kind: SpaceType::Record, primary: 2, secondary: 1 });
    }
}
