//! What was typed means this: where the facts come from, the policy, and what is to be explained.

use std::fmt;
use std::path::{Path, PathBuf};

use console::Failure;
use format_inventory::Plan;
use format_types::Rba;
use operation_retention::{Policy, Question};

use crate::args::{PolicyArgs, SiteArgs};
use crate::listings::Listings;
use crate::policies::Policies;

/// Where the facts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An inventory document.
    Document(PathBuf),
    /// A queue manager's directory.
    QueueManager(PathBuf),
    /// Listings of a real site.
    Listings(Listings),
}

/// Checkpoints before what is needed that are kept of a real queue manager, unless something else is typed: a page that was changed and
/// not written since is forced out after three at the latest.
const MARGIN: u32 = 3;

impl Origin {
    /// `policy` with what holds for facts from there where nothing else was typed. No policy stays none: everything is kept then.
    pub(crate) fn policy(&self, policy: Policy) -> Policy {
        match self {
            Self::Listings(_) if !policy.is_empty() => {
                Policy { margin: policy.margin.or(Some(MARGIN)), ..policy }
            }
            Self::Listings(_) | Self::Document(_) | Self::QueueManager(_) => policy,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(path) | Self::QueueManager(path) => path.display().fmt(f),
            Self::Listings(_) => f.write_str("of the listings"),
        }
    }
}

/// Exactly one of the three.
pub(crate) fn origin(
    directory: Option<&Path>,
    inventory: Option<&Path>,
    site: &SiteArgs,
) -> Result<Origin, Failure> {
    match (directory, inventory, site.listing.is_empty()) {
        (Some(directory), None, true) => Ok(Origin::QueueManager(directory.to_owned())),
        (None, Some(inventory), true) => Ok(Origin::Document(inventory.to_owned())),
        (None, None, false) => Ok(Origin::Listings(Listings {
            files: site.listing.clone(),
            ledger: site.ledger.clone(),
            queue_manager: site.queue_manager.clone(),
        })),
        _ => Err(Failure::refused(
            "HWT700E",
            "a queue manager's directory is wanted, or --inventory, or --listing: one of them",
        )),
    }
}

/// What `explain` is given: where the facts come from, and the question.
pub(crate) fn explain(
    words: &[String],
    inventory: Option<&Path>,
    site: &SiteArgs,
) -> Result<(Origin, Question), Failure> {
    let (directory, what) = match words {
        [what] => (None, what),
        [directory, what] => (Some(Path::new(directory)), what),
        _ => return Err(Failure::refused("HWT700E", "an RBA or the name of a log data set is wanted")),
    };
    Ok((origin(directory, inventory, site)?, question(what)?))
}

/// The policy of a plan that is applied: its own, and what is typed of it is how much may be deleted at once.
pub(crate) fn policy_of_plan(typed: &PolicyArgs, plan: &Plan<'_>) -> Result<Policy, Failure> {
    let typed = Policies::read(typed)?.only()?.clone();
    let limit = Policy { max_delete: typed.max_delete, ..Policy::default() };
    if typed != limit {
        let text = "a plan has its own policy: give a plan, or a policy, and --max-delete with either";
        return Err(Failure::refused("HWT700E", text));
    }
    let own = Policy::from_lines(&plan.policy).map_err(|error| Failure::refused("HWT822E", error))?;
    Ok(Policy { max_delete: typed.max_delete.or(Some(plan.max_delete_percent)), ..own })
}

/// An RBA is `X'..'`, or 12 or 16 hexadecimal digits; everything else is a name.
fn question(text: &str) -> Result<Question, Failure> {
    let quoted = text.starts_with("X'") || text.starts_with("x'");
    // A name of that length without a point is no data set's.
    let digits = matches!(text.len(), 12 | 16) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if quoted || digits {
        return text.parse::<Rba>().map(Question::Rba).map_err(|error| Failure::refused("HWT823E", error));
    }
    Ok(Question::DataSet(text.to_owned()))
}
