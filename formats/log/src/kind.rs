//! Kinds of records: type and subtype, as the log print of the modelled system shows them.

use std::fmt;

/// Type and subtype of a record.
///
/// The types are the bit values known from Db2, whose log has the same ancestry: 0600 undo/redo, 0400 redo, 0200 undo, 0020 unit of
/// recovery control, 0100 checkpoint, 0002 page set control, 0010 system event. Subtype 000C of the data manager is INSERT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKind {
    /// Type.
    pub major: u16,
    /// Subtype.
    pub minor: u16,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $major:literal, $minor:literal, $text:literal;)*) => {
        impl RecordKind {
            $($(#[$doc])* pub const $name: Self = Self { major: $major, minor: $minor };)*

            /// All kinds of this format version.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name as a log print shows it, if the kind is known.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match (self.major, self.minor) {
                    $(($major, $minor) => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A record was put on a page; undone by deleting it.
    INSERT = 0x0600, 0x000C, "INSERT";
    /// A record will be deleted when the unit commits; no page changes yet.
    DELETE_INTENT = 0x0200, 0x000D, "DELETE INTENT";
    /// A record was deleted in phase 2.
    DELETE = 0x0400, 0x000D, "DELETE";
    /// An insert was undone.
    COMPENSATE = 0x0400, 0x000E, "COMPENSATE";
    /// A page was made empty.
    FORMAT = 0x0400, 0x0010, "FORMAT PAGE";
    /// A page as it was before its first change since it was clean.
    PAGE_IMAGE = 0x0400, 0x0011, "PAGE IMAGE";
    /// States of a run of pages changed.
    SPACE_MAP = 0x0400, 0x0012, "SPACE MAP";
    /// A unit of recovery begins.
    BEGIN_UR = 0x0020, 0x0001, "BEGIN UR";
    /// A unit is prepared: in doubt until settled.
    PREPARE = 0x0020, 0x0002, "END PHASE 1";
    /// A unit is committed.
    BEGIN_PHASE_2 = 0x0020, 0x0003, "BEGIN PHASE 2";
    /// A committed unit is complete.
    END_UR = 0x0020, 0x0004, "END PHASE 2";
    /// A unit is being backed out.
    BEGIN_ABORT = 0x0020, 0x0005, "BEGIN ABORT";
    /// A unit is backed out.
    END_ABORT = 0x0020, 0x0006, "END ABORT";
    /// A checkpoint begins.
    BEGIN_CHECKPOINT = 0x0100, 0x0001, "BEGIN CHECKPOINT";
    /// Active units of a checkpoint.
    CHECKPOINT_UNITS = 0x0100, 0x0002, "UR SUMMARY";
    /// Page sets of a checkpoint.
    CHECKPOINT_PAGE_SETS = 0x0100, 0x0003, "PAGE SET STATUS";
    /// A checkpoint is complete.
    END_CHECKPOINT = 0x0100, 0x0004, "END CHECKPOINT";
    /// A page set was opened.
    OPEN_PAGE_SET = 0x0002, 0x0001, "OPEN PAGE SET";
    /// A page set was closed.
    CLOSE_PAGE_SET = 0x0002, 0x0002, "CLOSE PAGE SET";
    /// More pages of a page set became usable.
    USED_RAISED = 0x0002, 0x0003, "USED RAISED";
    /// A log data set begins.
    SWITCH = 0x0010, 0x0001, "LOG SWITCH";
    /// The queue manager stopped with nothing left to do.
    CLEAN_STOP = 0x0010, 0x0002, "CLEAN STOP";
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "TYPE {:04X} SUBTYPE {:04X}", self.major, self.minor),
        }
    }
}

/// The component that wrote a record, by its EBCDIC letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResourceManager(pub u8);

impl ResourceManager {
    /// Data manager (I).
    pub const DATA: Self = Self(0xC9);
    /// Log manager (J).
    pub const LOG: Self = Self(0xD1);
    /// Buffer manager (P).
    pub const BUFFER: Self = Self(0xD7);
    /// Recovery manager (R).
    pub const RECOVERY: Self = Self(0xD9);
}

impl fmt::Display for ResourceManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::DATA => f.pad("DATA"),
            Self::LOG => f.pad("LOG"),
            Self::BUFFER => f.pad("BUFFER"),
            Self::RECOVERY => f.pad("RECOVERY"),
            Self(other) => write!(f, "{other:02X}"),
        }
    }
}
