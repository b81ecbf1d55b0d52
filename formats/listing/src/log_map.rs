//! The log map of a BSDS: what CSQJU004 prints, and its relative DSNJU004.
//!
//! # Picture
//! ```text
//!  LOG MAP OF BSDS DATA SET COPY 1, DSN=CSQ700.CSQ7.BSDS01
//!          SYSTEM TIMESTAMP  - DATE=2026.330 LTIME=10:46:37.05
//!          HIGHEST RBA WRITTEN        000000359078
//!          HIGHEST RBA OFFLOADED      000000355FFF
//!          OFFLOAD YES  TWOACTV YES  TWOARCH YES  TWOBSDS YES
//!                          ACTIVE LOG COPY 1 DATA SETS
//!  000000356000 / 00000078DFFF / 2026-11-20 DSN=CSQ700.CSQ7.LOGCOPY1.DS02
//!                                           PASSWORD=(NULL) STATUS=NOT REUSABLE
//!                          ARCHIVE LOG COPY 1 DATA SETS
//!  000000000000 / 0000000C9FFF / 2026-11-19 DSN=CSQARC1.ARCHLOG1.A0000001
//!                                           PASSWORD=(NULL) VOL=TAPE01 UNIT=TAPE CATALOGUED=YES
//!                          ACTIVE LOG COPY 2 DATA SETS        ... and ARCHIVE LOG COPY 2 DATA SETS
//!  CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL
//! ```
//!
//! # Fields
//! A row's first line has its range, ends inclusive, the date of its entry, and `DSN=`; the two-line form of DSNJU004 has no `/`, and the
//! times of both ends below. Lines below the first hold, in any order, the times of both ends, their LRSNs, the time of the entry, and
//! attributes. A row is one volume: an archive on several volumes has several rows of one name.
//!
//! # Validity rule
//! Both RBAs, all four lists (each with rows or the word that there are none) and the restart control record, or CSQJ401E, must be there.
//! A line of a list that is neither a row nor a heading is an error. In the header, and there only, a line that holds neither `DSN=` nor
//! an RBA and is not known is kept as a remark.
//!
//! # Torn tail
//! A map that ends before its restart control record is cut off, and an error.

use format_types::{DataSetName, Lrsn, QueueManagerName, Rba, RbaRange};

use crate::field::AddressWidth;
use crate::printed_time::PrintedTime;

/// What a log map says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogMap {
    /// Its header.
    pub header: LogMapHeader,
    /// Active logs of copy 1 and copy 2, as printed.
    pub active: [Vec<ActiveLog>; 2],
    /// Volumes of archive logs of copy 1 and copy 2, as printed.
    pub archives: [Vec<ArchiveVolume>; 2],
    /// Conditional restart control records; none when CSQJ401E says so.
    pub restarts: Vec<ConditionalRestart>,
    /// The checkpoint queue; none when the map does not print it.
    pub checkpoints: Option<Vec<QueuedCheckpoint>>,
    /// History of ARCHIVE LOG commands; none when the map does not print it.
    pub archive_commands: Option<Vec<ArchiveCommand>>,
    /// How many bytes of an RBA it prints.
    pub width: AddressWidth,
    /// When it was printed, by the line below the title of the checkpoint queue or of the history (as DSNJU004 prints it), else by the
    /// heading of a page. GMT like its other times, but for LTIME, unless it was printed with TIME(RAW).
    pub printed: Option<PrintedTime>,
}

/// Header of a log map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogMapHeader {
    /// Name of the BSDS, and which copy it is.
    pub bsds: Option<(u8, DataSetName)>,
    /// The queue manager (member) that it belongs to.
    pub queue_manager: Option<QueueManagerName>,
    /// Queue sharing group (data sharing group) of the queue manager.
    pub group: Option<String>,
    /// Version of the BSDS: 1 has 6-byte RBAs, 2 has 8-byte ones.
    pub version: Option<u8>,
    /// Whether the conversion program has run.
    pub converted: Option<bool>,
    /// Whether the queue manager is in a group.
    pub sharing: Option<bool>,
    /// Last update of the BSDS.
    pub system_timestamp: Option<PrintedTime>,
    /// Last run of the change log inventory utility.
    pub utility_timestamp: Option<PrintedTime>,
    /// Name of the catalog.
    pub catalog: Option<String>,
    /// Highest RBA written.
    pub highest_written: Rba,
    /// When it was written.
    pub written_at: Option<PrintedTime>,
    /// Highest RBA offloaded.
    pub highest_offloaded: Rba,
    /// Other RBAs of the header, each with its label.
    pub other_rbas: Vec<(String, Rba)>,
    /// Parameters of the log: OFFLOAD, TWOACTV, TWOARCH, TWOBSDS and whether each is YES.
    pub parameters: Vec<(String, bool)>,
    /// Lines that are not known, as printed.
    pub remarks: Vec<String>,
}

/// What rows of active logs and of archive volumes have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// The data set.
    pub data_set: DataSetName,
    /// First RBA.
    pub start: Rba,
    /// Last RBA, inclusive as printed; zero, as the first one, when the data set was never used.
    pub last: Rba,
    /// When the row was entered.
    pub entered: Option<PrintedTime>,
    /// Times of the first and of the last record.
    pub times: Option<[PrintedTime; 2]>,
    /// LRSNs of the first and of the last record.
    pub lrsns: Option<[Lrsn; 2]>,
    /// Whether the data set has a password, which is not kept.
    pub password: Option<bool>,
}

impl LogRow {
    /// The log that it holds; empty when it was never used.
    #[must_use]
    pub fn range(&self) -> RbaRange {
        let end = if self.last == Rba::ZERO { self.start } else { self.last.plus(1) };
        RbaRange::new(self.start, end)
    }
}

/// A status of an active log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActiveStatus {
    /// Never used.
    New,
    /// May be used again.
    Reusable,
    /// Not offloaded yet.
    NotReusable,
    /// The offload could not read it.
    Stopped,
    /// Ended early.
    Truncated,
}

impl ActiveStatus {
    /// All of them. A name that begins another one stands behind it.
    pub(crate) const ALL: [Self; 5] =
        [Self::New, Self::NotReusable, Self::Reusable, Self::Stopped, Self::Truncated];

    /// As printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Reusable => "REUSABLE",
            Self::NotReusable => "NOT REUSABLE",
            Self::Stopped => "STOPPED",
            Self::Truncated => "TRUNCATED",
        }
    }
}

/// A row of an active log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveLog {
    /// Name, range and times.
    pub row: LogRow,
    /// Its statuses, in the order printed.
    pub status: Vec<ActiveStatus>,
}

/// A row of an archive log: one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveVolume {
    /// Name, range and times.
    pub row: LogRow,
    /// The volume.
    pub volume: Option<String>,
    /// The unit.
    pub unit: Option<String>,
    /// Whether it is catalogued.
    pub catalogued: Option<bool>,
}

/// A conditional restart control record, field by field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionalRestart {
    /// Its fields in the order printed.
    pub fields: Vec<(&'static str, RestartField)>,
}

/// A field of a conditional restart control record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestartField {
    /// A line without a value: a status.
    Status,
    /// A number or an identifier, as printed.
    Word(String),
    /// YES or NO.
    Answer(bool),
    /// An RBA.
    Rba(Rba),
    /// An LRSN.
    Lrsn(Lrsn),
    /// A time.
    Time(PrintedTime),
}

impl ConditionalRestart {
    /// Where the restart cuts the log: its ENDRBA, if it has one.
    #[must_use]
    pub fn end_rba(&self) -> Option<Rba> {
        self.fields.iter().find_map(|(label, field)| match field {
            RestartField::Rba(rba) if *label == "ENDRBA" => Some(*rba),
            _ => None,
        })
    }

    /// Whether the next start obeys it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.fields.iter().any(|(label, _)| *label == "CRCR ACTIVE")
    }
}

/// An entry of the checkpoint queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedCheckpoint {
    /// When it was taken.
    pub at: Option<PrintedTime>,
    /// RBA of its first record.
    pub begin: Rba,
    /// RBA of its last record.
    pub end: Rba,
    /// LRSN of its last record.
    pub end_lrsn: Option<Lrsn>,
    /// Taken by a clean stop.
    pub shutdown: bool,
}

/// An entry of the history of ARCHIVE LOG commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveCommand {
    /// When it was given.
    pub at: PrintedTime,
    /// The log's end then.
    pub rba: Rba,
    /// What follows the RBA, as printed: mode, wait, time and scope.
    pub options: String,
}
