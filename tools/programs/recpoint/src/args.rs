//! What was typed.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use console::{Common, HasCommon, parse_duration, parse_time};
use format_statement::{CopySpace, GenerationBase, UnitName};
use format_types::{DataSetName, PageSetId, QueueManagerName, Timestamp};
use operation_site::Zone;

/// Make, list, show, verify, hold and forget recovery points
#[derive(Debug, Parser)]
#[command(name = "recpoint", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Copy the page sets of a queue manager and record what log they need
    ///
    /// With --method fuzzy the queue manager works on: the backup is registered in the BSDS before the first page is copied, and holds the
    /// log it needs from then on; the log is archived last. With --method full the applications are waited for, the log is archived, the
    /// queue manager is stopped, copied at rest, and started again: recovery from such a point needs no log before its end. Either way
    /// the point appears under its name only when all of it is durable.
    ///
    /// --emit jcl prints the job that makes such a backup of a queue manager on z/OS; its output goes to recpoint register.
    Create(Box<Create>),
    /// List the recovery points that the queue manager knows
    List(Directory),
    /// Show what a recovery point holds and needs
    Show(Named),
    /// Look at every page of recovery points, and at every byte of log that they need; remember what was found
    ///
    /// Without a point, all that the queue manager knows. What is found is noted in the BSDS. A point that holds its log is looked at
    /// anywhere: name any directory in the queue manager's place, for instance '.'.
    Verify(Verify),
    /// Hold a recovery point: it is not forgotten, and keeps its log, until it is released
    Hold(Hold),
    /// End all holds on a recovery point
    Release(Kept),
    /// Forget a recovery point: the BSDS does not name it any more, and it keeps no log
    ///
    /// Its files stay unless --delete-files is given. A point that is held, the last verified one that covers a page set, and the one with
    /// the newest DEFINE statements are not forgotten.
    Forget(Forget),
    /// Register a point that was made on the host, by the output of its job
    ///
    /// The listings are those of one backup, in the order in which they were printed. Fuzzy: DISPLAY USAGE TYPE(ALL), the copies of the
    /// page sets, and what shows where the log ended afterwards (CSQJ002I, CSQJ003I or DISPLAY LOG). Full: DISPLAY USAGE TYPE(ALL) before
    /// the stop, a log map, the copies, the log map again. What is missing, in another order, or went wrong is refused. prunelog plan
    /// --listing --ledger counts on what is registered here.
    Register(Register),
}

/// Directory of the queue manager.
#[derive(Debug, Args)]
pub(crate) struct Directory {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,
}

/// How a point is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// While the queue manager runs
    Fuzzy,
    /// From a queue manager that is stopped for it, or is down after a clean stop
    Full,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR", required_unless_present = "emit", conflicts_with = "emit")]
    pub(crate) directory: Option<PathBuf>,
    /// The directory that the point will be; must not be there
    #[arg(long, value_name = "DIR", required_unless_present = "emit", conflicts_with = "emit")]
    pub(crate) to: Option<PathBuf>,
    /// How it is made
    #[arg(long, value_enum, default_value_t = Method::Fuzzy)]
    pub(crate) method: Method,
    /// Copy the log that it needs into it as well: it can then be moved, and recovered where nothing else is
    #[arg(long, conflicts_with = "emit")]
    pub(crate) include_log: bool,
    /// Its name; the directory's name unless given
    #[arg(long, value_name = "NAME", conflicts_with = "emit")]
    pub(crate) name: Option<String>,
    /// With --method full: go on where units of recovery are in doubt; the point is then a fuzzy one
    #[arg(long, conflicts_with = "emit")]
    pub(crate) allow_in_doubt: bool,
    /// Print the job that makes it on z/OS, and touch nothing
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) emit: Option<EmitJob>,
    #[command(flatten)]
    pub(crate) job: BackupJobArgs,
}

/// What is printed in place of a point that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmitJob {
    /// A backup job
    Jcl,
}

/// What a backup job is made of.
#[derive(Debug, Args)]
pub(crate) struct BackupJobArgs {
    /// With --emit: the queue manager
    #[arg(long, value_name = "NAME")]
    pub(crate) queue_manager: Option<QueueManagerName>,
    /// With --emit: a page set and its data set, 3=MQ1.PSID03; once for each page set
    #[arg(long, value_name = "N=DSN", value_parser = page_set)]
    pub(crate) page_set: Vec<(PageSetId, DataSetName)>,
    /// With --emit: a page set and the base of the generations that its copies are, 3=MQ1.BACKUP.PSID03; once for each page set
    #[arg(long, value_name = "N=BASE", value_parser = copies_of_page_set)]
    pub(crate) copy: Vec<(PageSetId, GenerationBase)>,
    /// With --emit: space for each copy, CYL,100,50 or TRK,1500
    #[arg(long, value_name = "SPACE", conflicts_with = "like")]
    pub(crate) space: Option<CopySpace>,
    /// With --emit: a data set that each copy is to have as much space as
    #[arg(long, value_name = "DSN")]
    pub(crate) like: Option<DataSetName>,
    /// With --emit: unit of the copies; the system chooses unless given
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<UnitName>,
    /// With --emit: what the job begins with, a JOB statement
    #[arg(long, value_name = "FILE")]
    pub(crate) jobcard: Option<PathBuf>,
    /// With --emit: a library of the queue manager's programs; may be given again
    #[arg(long, value_name = "DSN")]
    pub(crate) steplib: Vec<DataSetName>,
    /// With --emit and --method full: copy 1 of the BSDS
    #[arg(long, value_name = "DSN")]
    pub(crate) bsds1: Option<DataSetName>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The points: names in the BSDS, or directories; all that the BSDS names unless given
    #[arg(value_name = "POINT")]
    pub(crate) points: Vec<PathBuf>,
    /// Look at as many as fit into this time, the one verified longest ago first: 500ms, 30s, 30m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub(crate) budget: Option<Duration>,
    /// Recover from each point as well, in a scratch directory, by the real recovery and a start; the directory is then removed
    #[arg(long)]
    pub(crate) deep: bool,
    /// With --deep: where the scratch directory is made, unless beside the point
    #[arg(long, value_name = "DIR", requires = "deep")]
    pub(crate) scratch: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Kept {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The point's name in the BSDS
    #[arg(value_name = "POINT")]
    pub(crate) point: String,
}

#[derive(Debug, Args)]
pub(crate) struct Hold {
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// Why; a point may be held for several reasons, and the same one again changes the time
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The hold ends then: 2027-01-31T00:00:00Z; it lasts until it is released unless given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) until: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct Forget {
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// Delete its files, too
    #[arg(long)]
    pub(crate) delete_files: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What made the copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CopiedByArg {
    /// IDCAMS REPRO, whose SYSPRINT is among the listings
    Repro,
    /// A logical copy by DFSMSdss: its copies are named with --copy
    DssLogical,
    /// A physical copy by DFSMSdss: its copies are named with --copy
    DssPhysical,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// Ledger that the point goes into; made when it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: PathBuf,
    /// Output of the backup; may be given again, - is standard input
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) listing: Vec<PathBuf>,
    /// The point's name, one of its own for each queue manager
    #[arg(long, value_name = "NAME", value_parser = point_name)]
    pub(crate) name: String,
    /// What made the copies
    #[arg(long, value_enum)]
    pub(crate) copied_by: CopiedByArg,
    /// How it was made; full where the listings have two log maps unless given
    #[arg(long, value_enum)]
    pub(crate) method: Option<Method>,
    /// When it was made, for policies that go by time: 2026-11-22T10:15:00Z; when it was printed, by --time-zone, or now unless given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Timestamp>,
    /// Time zone of what the output prints: +01:00, Europe/Berlin; wanted where it was not printed on the last day, and --at is not given
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) time_zone: Option<Zone>,
    /// Which data set is which page set, where its name does not end in PSIDnn: 3=MQ1.DATA3; may be given again
    #[arg(long, value_name = "N=DSN", value_parser = page_set)]
    pub(crate) page_set: Vec<(PageSetId, DataSetName)>,
    /// Which data set is the copy of a page set, where the listings do not name it: 3=MQ1.BACKUP.P3.G0012V00; may be given again
    #[arg(long, value_name = "N=DSN", value_parser = page_set)]
    pub(crate) copy: Vec<(PageSetId, DataSetName)>,
    /// Believe that the copies are whole where no output shows it; every plan says so
    #[arg(long)]
    pub(crate) trust: bool,
}

fn point_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@#$".contains(c);
    if !text.is_empty() && text.len() <= 64 && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!("'{text}' is no name of a point: 1 to 64 letters, digits, and - _ . @ # $ are wanted"))
}

fn numbered<T: FromStr<Err: Display>>(text: &str, example: &str) -> Result<(PageSetId, T), String> {
    let wrong = || format!("'{text}' is no page set with a data set: {example} is wanted");
    let (number, name) = text.split_once('=').ok_or_else(wrong)?;
    let page_set = number.parse().ok().and_then(PageSetId::new).ok_or_else(wrong)?;
    Ok((page_set, name.parse().map_err(|error| format!("{}: {error}", wrong()))?))
}

fn page_set(text: &str) -> Result<(PageSetId, DataSetName), String> {
    numbered(text, "3=MQ1.PSID03")
}

fn copies_of_page_set(text: &str) -> Result<(PageSetId, GenerationBase), String> {
    numbered(text, "3=MQ1.BACKUP.PSID03")
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The point: its name in the BSDS, or its directory
    #[arg(value_name = "POINT")]
    pub(crate) point: PathBuf,
}
