//! The job that deletes archives by name: IDCAMS.
//!
//! # Picture
//! ```text
//! //PRUNELOG JOB
//! //DELETE   EXEC PGM=IDCAMS
//! //SYSPRINT DD  SYSOUT=*
//! //SYSIN    DD  *
//!   DELETE (CSQARC1.ARCHLOG1.A0000001) PURGE
//!   DELETE (CSQARC1.ARCHLOG1.B0000001) PURGE
//! /*
//! ```
//!
//! # Validity rule
//! A statement for each name, so that each is answered for itself; the longest one ends in column 61. None has an entry type: with one,
//! a migrated data set is recalled to be deleted. Condition codes stay as they are: 8 may say not found, not authorised or not expired, and
//! only the messages of each name tell them apart.

use format_types::DataSetName;

use crate::JobCards;
use crate::job::{statement, with_data};

/// The name of the BSDS copy that an offload to disk writes beside an archive: the same, with `B` for the `A` of its last qualifier,
/// `Annnnnnn`. None of a name that does not end so.
#[must_use]
pub fn bsds_copy(archive: &DataSetName) -> Option<DataSetName> {
    let name = archive.as_str();
    let (before, last) = name.rfind('.').map_or(("", name), |dot| name.split_at(dot + 1));
    let number = last.strip_prefix('A')?;
    if number.len() != 7 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{before}B{number}").parse().ok()
}

/// The lines of a job that deletes `names`, in their order; data sets that have not expired too if `purge` says so.
#[must_use]
pub fn delete_job<'n>(
    cards: &JobCards,
    names: impl IntoIterator<Item = &'n DataSetName>,
    purge: bool,
) -> Vec<String> {
    let purge = if purge { " PURGE" } else { "" };
    let deletes = names.into_iter().map(|name| format!("  DELETE ({name}){purge}"));
    let mut lines = cards.lines();
    lines.extend(statement("DELETE", "EXEC", &["PGM=IDCAMS".to_owned()]));
    lines.extend(statement("SYSPRINT", "DD", &["SYSOUT=*".to_owned()]));
    lines.extend(with_data("SYSIN", deletes));
    lines
}
