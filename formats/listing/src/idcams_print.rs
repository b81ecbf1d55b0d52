//! What a run of IDCAMS printed: SYSPRINT of DELETE, REPRO and LISTCAT.
//!
//! # Picture
//! ```text
//! IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1
//!
//!   DELETE (CSQARC1.ARCHLOG1.A0000001 -
//!           CSQARC1.ARCHLOG1.A0000002) PURGE
//! IDC0550I ENTRY (A) CSQARC1.ARCHLOG1.A0000001 DELETED
//! IDC3012I ENTRY CSQARC1.ARCHLOG1.A0000002 NOT FOUND
//! IDC3009I ** VSAM CATALOG RETURN CODE IS 8 - REASON CODE IS IGG0CLEG-42
//! IDC0551I ** ENTRY CSQARC1.ARCHLOG1.A0000002 NOT DELETED
//! IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 8
//! IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 8
//! ```
//!
//! # Validity rule
//! A name is gone only if IDC0550I says so. What no message answers is unknown, as is everything of a statement with TEST.
//!
//! # Torn tail
//! A print without IDC0002I is that of a run that was cut off: it has no highest code, and its last function has no code.

use format_types::{DataSetName, Timestamp};

use crate::catalog::CatalogListing;
use crate::idcams::{function_ended, processing_ended};
use crate::statements::records;
use crate::sysprint::Sysprint;

/// What a run of IDCAMS printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdcamsPrint {
    /// What it did, in order.
    pub functions: Vec<IdcamsFunction>,
    /// IDC0002I: the highest condition code; none when the print ends before it.
    pub maximum: Option<u8>,
}

impl IdcamsPrint {
    /// The print, as if it was made at `at`: pages with carriage control in column 1. What became of names and copies is in the messages,
    /// so that the outcomes of DELETE and REPRO have no lines of their own.
    #[must_use]
    pub fn lines(&self, at: Timestamp) -> Vec<String> {
        let mut print = Sysprint::new(at, &[]);
        for function in &self.functions {
            function.write(&mut print);
        }
        if let Some(code) = self.maximum {
            print.spaced(&processing_ended(code));
        }
        print.into_lines()
    }
}

/// A function of IDCAMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdcamsFunction {
    /// Statements that are echoed before it, each on one line.
    pub statements: Vec<String>,
    /// What it did: one thing, none for other commands, several only where messages of several commands stand together.
    pub outcomes: Vec<IdcamsOutcome>,
    /// Its messages, as printed, those that end it left out.
    pub messages: Vec<String>,
    /// Its condition code; none when the print ends before it.
    pub code: Option<u8>,
}

impl IdcamsFunction {
    fn write(&self, print: &mut Sysprint) {
        for record in self.statements.iter().flat_map(|statement| records(statement)) {
            print.line(&record);
        }
        let listing = self.outcomes.iter().find_map(|outcome| match outcome {
            IdcamsOutcome::Listed(listing) => Some(listing),
            _ => None,
        });
        match listing {
            Some(listing) => listing.write(print, &self.messages),
            None => print.messages(&self.messages),
        }
        if let Some(code) = self.code {
            print.spaced(&function_ended(code));
        }
        if listing.is_some_and(|listing| !listing.catalogs.is_empty()) {
            print.end_function();
        }
    }
}

/// What a function did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdcamsOutcome {
    /// DELETE: what became of each name.
    Deleted(Vec<Deletion>),
    /// REPRO.
    Copied(Copied),
    /// LISTCAT.
    Listed(Box<CatalogListing>),
}

/// What became of a name that was to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The name: of a data set, a component, a group of generations, a path or an alias.
    pub name: DataSetName,
    /// Kind of the entry, as IDC0550I says it: A (not VSAM), C, D, I, B (group of generations), H (generation), X (alias).
    pub kind: Option<char>,
    /// What became of it.
    pub result: DeletionResult,
}

/// What became of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionResult {
    /// IDC0550I: the catalog has it no longer.
    Gone,
    /// IDC3012I, or reason 42 of the catalog: there was no such name.
    WasNotThere,
    /// It is still there, and why: the messages as printed.
    Stays(String),
    /// No message says it, and why.
    Unknown(String),
}

/// What REPRO copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    /// Where from, as the statement says it.
    pub input: Option<CopyEnd>,
    /// Where to.
    pub output: Option<CopyEnd>,
    /// IDC0005I: records, or control intervals of a linear data set; none when it is not printed.
    pub records: Option<u64>,
}

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyEnd {
    /// A DD statement of the job.
    File(String),
    /// A data set.
    DataSet(DataSetName),
}
