//! What was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use console::{Common, HasCommon};
use format_types::{DataSetName, QueueManagerName};
use operation_retention::Span;

/// Say which log data sets recovery needs, why, and which may go; delete those
#[derive(Debug, Parser)]
#[command(name = "prunelog", version)]
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
    /// Say of each log data set whether it is kept, by whom, and what would let it go
    ///
    /// Nothing is deleted. Without a policy everything is kept. The parts of a policy can be combined: a recovery point is kept when any
    /// of them keeps it, and log is kept for every kept point from the system recovery RBA that was recorded when the point was made.
    Plan(Plan),
    /// Say why an RBA or a log data set is kept, and what would let it go
    #[command(
        override_usage = "prunelog explain [OPTIONS] <QMGR> <RBA|NAME>\n       prunelog explain [OPTIONS] --inventory <FILE> <RBA|NAME>\n       prunelog explain [OPTIONS] --listing <FILE> <RBA|NAME>"
    )]
    Explain(Explain),
    /// Delete what a policy lets go, or of a reviewed plan what it lets go still
    ///
    /// The facts are read anew; of a plan nothing is deleted when something that it would delete is held now, or is no longer the same.
    /// Each archive is marked in both copies of the BSDS, its file removed when it is that archive by its own first control interval,
    /// and its entry dropped. Ended anywhere, the next run finishes.
    Apply(Apply),
    /// Say by the SYSPRINT of the delete job which archives of a plan are gone, and print the job that takes those out of the log inventory
    ///
    /// Only archives that are known to be gone are taken out, and no other: one that is there and in no inventory is lost to recovery.
    Confirm(Confirm),
    /// Print the inventory document of a queue manager, running or not: the facts that decide, to be looked at or kept
    Inventory(InventoryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InventoryArgs {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,
    /// Read the newest log too, a quarter of a second at most, and note how fast that was: plan --restart-within wants to know
    #[arg(long)]
    pub(crate) measure: bool,
}

/// Which recovery points are kept, and how much more log than they need.
#[derive(Debug, Args)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicyArgs {
    /// Keep the last N verified points, counted for each page set
    #[arg(long, value_name = "N")]
    pub(crate) keep_last: Option<u32>,
    /// Keep points younger than this: 36h, 7d, 2w
    #[arg(long, value_name = "TIME")]
    pub(crate) newer_than: Option<Span>,
    /// Keep the newest verified point of each of the last N days that have one
    #[arg(long, value_name = "N")]
    pub(crate) daily: Option<u32>,
    /// The same for weeks
    #[arg(long, value_name = "N")]
    pub(crate) weekly: Option<u32>,
    /// The same for months
    #[arg(long, value_name = "N")]
    pub(crate) monthly: Option<u32>,
    /// The same for years
    #[arg(long, value_name = "N")]
    pub(crate) yearly: Option<u32>,
    /// Keep what recovers to any moment of this time before now
    #[arg(long, value_name = "TIME")]
    pub(crate) window: Option<Span>,
    /// Points beyond the window recover to the end of their copies only
    #[arg(long)]
    pub(crate) consistent_only: bool,
    /// Keep the newest N archives of each copy, needed or not
    #[arg(long, value_name = "N")]
    pub(crate) min_archives: Option<u32>,
    /// Keep log from so many complete checkpoints before what is needed
    #[arg(long, value_name = "CHECKPOINTS")]
    pub(crate) margin: Option<u32>,
    /// Keep log back to the newest verified full point
    #[arg(long)]
    pub(crate) back_to_full: bool,
    /// Keep archives of copy 2 for today's needs only, where copy 1 is verified
    #[arg(long)]
    pub(crate) copy2_shorter: bool,
    /// Percentage of the archives above which none may be deleted [default: 50%]
    #[arg(long, value_name = "P%", value_parser = percentage)]
    pub(crate) max_delete: Option<u8>,
    /// Time that a restart with recovery may take; warns of a backup that is overdue
    #[arg(long, value_name = "TIME")]
    pub(crate) restart_within: Option<Span>,
    /// TOML file with the same names; what is typed goes before what it says
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

fn percentage(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse::<u8>().ok();
    number
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| format!("'{text}' is no percentage: 0% to 100% is wanted"))
}

/// What is printed instead of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// The names of what goes, one a line
    List,
    /// The job that deletes it by name: IDCAMS, with the copies of the BSDS beside it
    Jcl,
    /// The statements of CSQJU003 that take it out of the log inventory; their job with --bsds1
    Loginv,
    /// What is on tape or in no catalog, a line a volume: VOLUME NAME COPY START END
    Volumes,
}

/// What jobs are written with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct JobArgs {
    /// JOB statement that the job begins with, and OUTPUT, JCLLIB, SET and comments behind it; //PRUNELOG JOB unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) jobcard: Option<PathBuf>,
    /// Library of CSQJU003; may be given several times
    #[arg(long, value_name = "DSN")]
    pub(crate) steplib: Vec<DataSetName>,
    /// Copy 1 of the BSDS that CSQJU003 changes
    #[arg(long, value_name = "DSN")]
    pub(crate) bsds1: Option<DataSetName>,
    /// Copy 2 of the BSDS
    #[arg(long, value_name = "DSN", requires = "bsds1")]
    pub(crate) bsds2: Option<DataSetName>,
}

/// What is printed of archives that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfirmEmit {
    /// The job of CSQJU003
    Jcl,
    /// Its statements alone
    Loginv,
}

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// Plan document that the delete job was made of; - is standard input
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    /// SYSPRINT of the delete job; several files may be given
    #[arg(long, value_name = "SYSPRINT", required = true, num_args = 1..)]
    pub(crate) listing: Vec<PathBuf>,
    /// Print this [default: jcl]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) emit: Option<ConfirmEmit>,
    /// Believe that archives are gone where the catalog had none of them: the job ran before, and its first print is lost
    #[arg(long)]
    pub(crate) accept_absent: bool,
    #[command(flatten)]
    pub(crate) job: JobArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Directory of the queue manager, running or not
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,
    /// Plan document, made with --out; without one the policy alone decides
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Do all but the last step: say what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// First recover every kept point in a scratch directory with only the log that would remain; delete nothing when one fails
    #[arg(long)]
    pub(crate) prove: bool,
    /// Where --prove makes its queue managers; a temporary directory unless given
    #[arg(long, value_name = "DIR", requires = "prove")]
    pub(crate) scratch: Option<PathBuf>,
}

/// A real queue manager, of which there are listings alone.
#[derive(Debug, Args)]
#[command(next_help_heading = "Real site")]
pub(crate) struct SiteArgs {
    /// What CSQJU004, DISPLAY USAGE TYPE(ALL) and LISTCAT printed, instead of a queue manager; may be given again, - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) listing: Vec<PathBuf>,
    /// Ledger of the recovery points made on the host; without one there are none, and nothing may go
    #[arg(long, value_name = "FILE", requires = "listing")]
    pub(crate) ledger: Option<PathBuf>,
    /// The one queue manager of the listings that is wanted; of several there is one line each
    #[arg(long, value_name = "NAME", requires = "listing")]
    pub(crate) queue_manager: Option<QueueManagerName>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Directory of the queue manager, running or not
    #[arg(value_name = "QMGR")]
    pub(crate) directory: Option<PathBuf>,
    /// Inventory document instead of a queue manager; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) inventory: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Write the plan document here
    #[arg(long, value_name = "PLAN")]
    pub(crate) out: Option<PathBuf>,
    /// Print what differs from this plan document
    #[arg(long, value_name = "PLAN")]
    pub(crate) diff: Option<PathBuf>,
    /// Print this instead of the plan
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "diff")]
    pub(crate) emit: Option<Emit>,
    /// Write the plan's numbers here, as Prometheus text
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Delete data sets that have not expired too
    #[arg(long, help_heading = "Jobs")]
    pub(crate) purge: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Inventory document instead of a queue manager; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) inventory: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Directory of the queue manager unless an inventory or listings are given; then an RBA as X'..', 12 or 16 hexadecimal digits, or the
    /// name of a log data set
    #[arg(value_name = "QMGR> <RBA|NAME", num_args = 1..=2, required = true)]
    pub(crate) words: Vec<String>,
}
