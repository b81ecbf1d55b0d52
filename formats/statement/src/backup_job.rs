//! The job that copies the page sets of a queue manager: CSQUTIL or CSQJU004 around IDCAMS.
//!
//! # Picture
//! Fuzzy, while the queue manager runs (method 2 of IBM's "Backing up page sets"):
//! ```text
//! //RECPOINT JOB
//! //USAGE    EXEC PGM=CSQUTIL,PARM='QM1'                    DISPLAY USAGE TYPE(ALL)
//! //COPY00   EXEC PGM=IDCAMS,COND=(0,NE)
//! //SYSPRINT DD  SYSOUT=*
//! //PSID00   DD  DISP=SHR,DSN=QM1.PSID00
//! //OUT00    DD  DISP=(NEW,CATLG,DELETE),DSN=QM1.BACKUP.PSID00(+1),
//! //             RECFM=F,LRECL=4096,BLKSIZE=4096,SPACE=(CYL,(100,50),RLSE)
//! //SYSIN    DD  *
//!   REPRO INFILE(PSID00) OUTFILE(OUT00)
//! /*
//! //LIST00   EXEC PGM=IDCAMS,COND=(0,NE)                    LISTCAT of the page set and of the base of its copies
//! //ARCHIVE  EXEC PGM=CSQUTIL,PARM='QM1',COND=(0,NE)        ARCHIVE LOG, DISPLAY LOG
//! ```
//! Full, while it is down (method 1): `MAPBEFOR` and `MAPAFTER`, runs of CSQJU004, stand in place of the two runs of CSQUTIL.
//!
//! # Validity rule
//! Each step but the first has COND=(0,NE): it is left out unless all before it ended with 0, and the system leaves it out behind an abend.
//! CSQUTIL counts a command that failed as done unless FAILURE says otherwise. A generation is in its group only when its step has
//! ended, so that LISTCAT is a step of its own; it stands behind its copy, so that the print says which base, and which data set, the copy
//! before it is of. DISP=OLD on page sets keeps a full job waiting while the queue manager has them, and the queue manager while the job
//! runs.
//!
//! # Non-goals
//! Stopping and starting the queue manager: a command that stops it ends the command server that answers.

use std::str::FromStr;

use format_types::{DataSetName, PageSetId, QueueManagerName};

use crate::JobCards;
use crate::job::{remark, shared, statement, step_libraries, with_data};

/// Base of a group of generations, whose generations have names of at most 44 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationBase(DataSetName);

impl FromStr for GenerationBase {
    type Err = String;

    /// # Errors
    /// When it is no data set name, is longer than 35 characters, or is the name of one generation.
    fn from_str(text: &str) -> Result<Self, String> {
        let name: DataSetName = text.parse().map_err(|error| format!("{error}"))?;
        if text.len() > LONGEST_BASE {
            return Err(format!(
                "'{text}' has more than {LONGEST_BASE} characters: no generation fits behind it"
            ));
        }
        let last = text.rsplit('.').next().unwrap_or_default();
        let is_generation = last.len() == 8
            && last.bytes().enumerate().all(|(at, byte)| match at {
                0 => byte == b'G',
                5 => byte == b'V',
                _ => byte.is_ascii_digit(),
            });
        if is_generation {
            return Err(format!("'{text}' is one generation: the base of its group is wanted"));
        }
        Ok(Self(name))
    }
}

impl std::fmt::Display for GenerationBase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// `.GnnnnVnn` of 44 characters.
const LONGEST_BASE: usize = 35;

/// Space of a copy: the operand of SPACE, `CYL,100,50` or `TRK,1500`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopySpace {
    unit: &'static str,
    primary: u32,
    secondary: u32,
}

/// The most that SPACE takes for one quantity.
const MOST_SPACE: u32 = 16_777_215;

impl FromStr for CopySpace {
    type Err = String;

    /// # Errors
    /// When it is not CYL or TRK with one or two numbers of 1 to 8 digits, the first not 0.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("'{text}' is no space: CYL,100,50 or TRK,1500 is wanted, at most {MOST_SPACE} of each")
        };
        let mut words = text.split(',');
        let unit = match words.next() {
            Some("CYL") => "CYL",
            Some("TRK") => "TRK",
            _ => return Err(wrong()),
        };
        let quantity = |word: &str| {
            let plain = (1..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
            let quantity: Option<u32> = word.parse().ok().filter(|_| plain);
            quantity.filter(|quantity| *quantity <= MOST_SPACE).ok_or_else(wrong)
        };
        let primary = quantity(words.next().ok_or_else(wrong)?)?;
        let secondary = words.next().map_or(Ok(0), quantity)?;
        if primary == 0 || words.next().is_some() {
            return Err(wrong());
        }
        Ok(Self { unit, primary, secondary })
    }
}

/// Where the attributes of a copy come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyRoom {
    /// SPACE: as much.
    Space(CopySpace),
    /// LIKE: as much as this data set has.
    Like(DataSetName),
}

/// UNIT: a name of 1 to 8 upper-case letters, digits, `@`, `#` or `$`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitName(String);

impl FromStr for UnitName {
    type Err = String;

    /// # Errors
    /// When it is no such name.
    fn from_str(text: &str) -> Result<Self, String> {
        let valid = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"@#$".contains(&byte);
        if (1..=8).contains(&text.len()) && text.bytes().all(valid) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("'{text}' is no unit: 1 to 8 upper-case letters, digits, @, # or $ are wanted"))
    }
}

/// A page set that the job copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetCopy {
    /// The page set.
    pub page_set: PageSetId,
    /// Its data set.
    pub data_set: DataSetName,
    /// Base of the group that its copy becomes a generation of.
    pub copies: GenerationBase,
}

/// How the job copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupMethod {
    /// While the queue manager runs.
    Fuzzy,
    /// While it is down; with copy 1 of its BSDS.
    Full {
        /// Copy 1 of the BSDS.
        bsds: DataSetName,
    },
}

/// What a job that copies page sets is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupJob {
    /// What it begins with.
    pub cards: JobCards,
    /// STEPLIB of the queue manager's programs; none where the system finds them without.
    pub libraries: Vec<DataSetName>,
    /// The queue manager.
    pub queue_manager: QueueManagerName,
    /// How it copies.
    pub method: BackupMethod,
    /// What it copies, each page set once, each into a group of its own.
    pub page_sets: Vec<PageSetCopy>,
    /// Room for each copy.
    pub room: CopyRoom,
    /// UNIT of the copies; none where the system chooses it.
    pub unit: Option<UnitName>,
}

impl BackupJob {
    /// The lines of the job.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.cards.lines();
        let name = &self.queue_manager;
        match &self.method {
            BackupMethod::Fuzzy => {
                lines.extend(remark(&format!(
                    "FUZZY BACKUP OF {name}, WHICH RUNS AND SHARES ITS PAGE SETS (DISP=SHR)"
                )));
                lines.extend(remark("KEEP THE OUTPUT OF ALL STEPS, IN THEIR ORDER, FOR RECPOINT REGISTER"));
                lines.extend(self.commands("USAGE", &["DISPLAY USAGE TYPE(ALL)"], false));
            }
            BackupMethod::Full { bsds } => {
                for text in [
                    &*format!("FULL BACKUP OF {name}, WHICH IS TO BE DOWN. FIRST:"),
                    "1. STOP CHANNELS AND APPLICATIONS; DISPLAY CONN(*) SHOWS NONE",
                    "2. DISPLAY USAGE TYPE(ALL): NO ACTIVE UNIT OF WORK; KEEP ITS OUTPUT",
                    "3. ARCHIVE LOG",
                    "4. STOP QMGR MODE(QUIESCE), AND WAIT UNTIL IT HAS ENDED",
                    "START IT AGAIN WHEN THE JOB HAS ENDED. KEEP THE OUTPUT OF ALL",
                    "STEPS, IN THEIR ORDER, BEHIND THAT OF 2., FOR RECPOINT REGISTER",
                ] {
                    lines.extend(remark(text));
                }
                lines.extend(self.map("MAPBEFOR", bsds, false));
            }
        }
        for copy in &self.page_sets {
            lines.extend(self.copy(copy));
            lines.extend(listing(copy));
        }
        lines.extend(match &self.method {
            BackupMethod::Fuzzy => self.commands("ARCHIVE", &["ARCHIVE LOG", "DISPLAY LOG"], true),
            BackupMethod::Full { bsds } => self.map("MAPAFTER", bsds, true),
        });
        lines
    }

    fn commands(&self, step: &str, commands: &[&str], conditional: bool) -> Vec<String> {
        let parameter = format!("PARM='{}'", self.queue_manager);
        let mut lines = program(step, "CSQUTIL", Some(parameter), conditional);
        lines.extend(step_libraries(&self.libraries));
        lines.extend(print());
        lines.extend(with_data("COMMANDS", commands.iter().map(|command| format!("  {command}"))));
        lines.extend(with_data("SYSIN", ["  COMMAND DDNAME(COMMANDS) FAILURE(STOP)".to_owned()]));
        lines
    }

    fn map(&self, step: &str, bsds: &DataSetName, conditional: bool) -> Vec<String> {
        let mut lines = program(step, "CSQJU004", None, conditional);
        lines.extend(step_libraries(&self.libraries));
        lines.extend(print());
        lines.extend(shared("SYSUT1", bsds));
        lines
    }

    fn copy(&self, copy: &PageSetCopy) -> Vec<String> {
        let number = copy.page_set;
        let mut lines = program(&format!("COPY{number}"), "IDCAMS", None, true);
        lines.extend(print());
        let disposition = match self.method {
            BackupMethod::Fuzzy => "DISP=SHR",
            BackupMethod::Full { .. } => "DISP=OLD",
        };
        let from = [disposition.to_owned(), format!("DSN={}", copy.data_set)];
        lines.extend(statement(&format!("PSID{number}"), "DD", &from));
        let mut to = vec![
            "DISP=(NEW,CATLG,DELETE)".to_owned(),
            format!("DSN={}(+1)", copy.copies),
            "RECFM=F".to_owned(),
            "LRECL=4096".to_owned(),
            "BLKSIZE=4096".to_owned(),
        ];
        to.extend(self.unit.iter().map(|unit| format!("UNIT={}", unit.0)));
        to.push(match &self.room {
            CopyRoom::Space(CopySpace { unit, primary, secondary }) => {
                format!("SPACE=({unit},({primary},{secondary}),RLSE)")
            }
            CopyRoom::Like(name) => format!("LIKE={name}"),
        });
        lines.extend(statement(&format!("OUT{number}"), "DD", &to));
        lines.extend(with_data("SYSIN", [format!("  REPRO INFILE(PSID{number}) OUTFILE(OUT{number})")]));
        lines
    }
}

fn program(step: &str, program: &str, parameter: Option<String>, conditional: bool) -> Vec<String> {
    let mut operands = vec![format!("PGM={program}")];
    operands.extend(parameter);
    if conditional {
        operands.push("COND=(0,NE)".to_owned());
    }
    statement(step, "EXEC", &operands)
}

fn print() -> Vec<String> {
    statement("SYSPRINT", "DD", &["SYSOUT=*".to_owned()])
}

fn listing(copy: &PageSetCopy) -> Vec<String> {
    let mut lines = program(&format!("LIST{}", copy.page_set), "IDCAMS", None, true);
    lines.extend(print());
    let wanted = [copy.data_set.as_str(), copy.copies.0.as_str()];
    lines.extend(with_data("SYSIN", wanted.map(|name| format!("  LISTCAT ENTRIES({name}) ALL"))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_stand_in_a_job_is_no_value() {
        let base = |text: &str| text.parse::<GenerationBase>();
        assert!(base("QM1.BACKUP.PSID00").is_ok() && base("A2345678.A2345678.A2345678.A2345678").is_ok());
        assert!(base("A.G0001V0A").is_ok());
        for bad in
            ["", "QM1.B(+1)", "QM1.B.G0012V00", "A2345678.A2345678.A2345678.A2345678.A", "A\n//B", "A'"]
        {
            assert!(base(bad).is_err(), "{bad:?}");
        }
        for (text, wanted) in [("CYL,100,50", ("CYL", 100, 50)), ("TRK,1500", ("TRK", 1500, 0))] {
            let space: CopySpace = text.parse().unwrap();
            assert_eq!((space.unit, space.primary, space.secondary), wanted);
        }
        for bad in
            ["", "CYL", "CYL,0", "CYL,1,2,3", "CYL,+1", "MB,1", "CYL,1)\n//X", "CYL,16777216", "TRK,1,"]
        {
            assert!(bad.parse::<CopySpace>().is_err(), "{bad:?}");
        }
        assert!("SYSDA".parse::<UnitName>().is_ok() && "3390".parse::<UnitName>().is_ok());
        for bad in ["", "sysda", "SYS,DA", "SYS DA", "LONGER789", "A\n"] {
            assert!(bad.parse::<UnitName>().is_err(), "{bad:?}");
        }
    }
}
