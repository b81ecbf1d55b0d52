//! The job that takes archives out of the log inventory while the queue manager is down: CSQJU003.
//!
//! # Picture
//! ```text
//! //PRUNELOG JOB
//! //LOGINV   EXEC PGM=CSQJU003
//! //STEPLIB  DD  DISP=SHR,DSN=MQM.SCSQANLE
//! //         DD  DISP=SHR,DSN=MQM.SCSQAUTH
//! //SYSUT1   DD  DISP=SHR,DSN=CSQARC1.BSDS01
//! //SYSUT2   DD  DISP=SHR,DSN=CSQARC1.BSDS02
//! //SYSPRINT DD  SYSOUT=*,DCB=BLKSIZE=629
//! //SYSIN    DD  *
//!   DELETE DSNAME=CSQARC1.ARCHLOG1.A0000001,COPY1VOL=TAPE01
//!   DELETE DSNAME=CSQARC1.A2345678.B2345678.C2345678.D2345678.A0000001,
//!          COPY1VOL=TAPE01
//! /*
//! ```
//!
//! # Validity rule
//! A statement begins behind column 1, where `*` would begin a comment. It goes on behind a comma, and no operand is split. Both copies
//! of a dual BSDS are changed by one run: separate runs leave different time stamps, and the queue manager does not start.

use format_types::{DataSetName, VolumeSerial};

use crate::JobCards;
use crate::job::{LAST_COLUMN, shared, statement, step_libraries, with_data};

/// Volume of an archive, and the log copy in whose list it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InventoryVolume {
    /// COPY1VOL.
    Copy1(VolumeSerial),
    /// COPY2VOL.
    Copy2(VolumeSerial),
}

/// An archive, or one volume of it, that the log inventory is to forget.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InventoryDeletion {
    /// DSNAME.
    pub name: DataSetName,
    /// The volume; none where it is not known.
    pub volume: Option<InventoryVolume>,
}

impl InventoryDeletion {
    /// The statement, on one line or two.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let first = format!("  DELETE DSNAME={}", self.name);
        let volume = match &self.volume {
            None => return vec![first],
            Some(InventoryVolume::Copy1(volume)) => format!("COPY1VOL={volume}"),
            Some(InventoryVolume::Copy2(volume)) => format!("COPY2VOL={volume}"),
        };
        if first.len() + 1 + volume.len() > LAST_COLUMN {
            return vec![format!("{first},"), format!("         {volume}")];
        }
        vec![format!("{first},{volume}")]
    }
}

/// What a job of the utility is run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInventoryJob {
    /// What it begins with.
    pub cards: JobCards,
    /// STEPLIB: the libraries of the utility; none where the system finds it without.
    pub libraries: Vec<DataSetName>,
    /// SYSUT1: copy 1 of the BSDS.
    pub bsds1: DataSetName,
    /// SYSUT2: copy 2; none of a single BSDS.
    pub bsds2: Option<DataSetName>,
}

impl LogInventoryJob {
    /// The lines of the job with `deletions`, in their order.
    #[must_use]
    pub fn lines<'d>(&self, deletions: impl IntoIterator<Item = &'d InventoryDeletion>) -> Vec<String> {
        let mut lines = self.cards.lines();
        lines.extend(statement("LOGINV", "EXEC", &["PGM=CSQJU003".to_owned()]));
        lines.extend(step_libraries(&self.libraries));
        lines.extend(shared("SYSUT1", &self.bsds1));
        lines.extend(self.bsds2.iter().flat_map(|bsds2| shared("SYSUT2", bsds2)));
        let print = ["SYSOUT=*".to_owned(), "DCB=BLKSIZE=629".to_owned()];
        lines.extend(statement("SYSPRINT", "DD", &print));
        lines.extend(with_data("SYSIN", deletions.into_iter().flat_map(InventoryDeletion::lines)));
        lines
    }
}
