//! What programs may change in the inventory, the BSDS: holds, recovery points, and archives that are being deleted.
//!
//! A change is a [`Request`]. There is one implementation of each, a function of the inventory alone ([`change`]), and two ways to get it
//! there: a running queue manager applies it when it is asked over its socket, and where none runs [`change_bsds`] applies it to the files
//! under the directory's lock. Either way a change is one update, made in both copies or not made.

mod archives;
mod door;
mod points;

use engine_storage::planted::{self, Defect};
use format_bsds::Bsds;
use format_protocol::Request;
use format_types::{Rba, SystemRecovery, Timestamp};

pub use door::{BsdsChanged, ChangeError, change_at_rest, change_bsds, change_under_lock, foresee_change};

/// What a change has to know beside the inventory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    /// The time.
    pub(crate) now: Timestamp,
    /// A restart, and the backups in progress, read the line of log from here on.
    pub(crate) needed_from: Rba,
}

/// Why a change was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Message identifier.
    pub(crate) id: &'static str,
    /// What, why, and what to do.
    pub(crate) text: String,
}

fn refusal<T>(id: &'static str, text: String) -> Result<T, Refusal> {
    Err(Refusal { id, text })
}

/// Changes `bsds` as `request` asks, and says what was changed. What is so already is left as it is. After a refusal `bsds` is worth
/// nothing.
pub(crate) fn change(
    bsds: &mut Bsds,
    request: &Request,
    circumstances: &Circumstances,
) -> Result<Vec<String>, Refusal> {
    let now = circumstances.now;
    match request {
        Request::HoldPoint { point, reason, until } => points::hold(bsds, point, reason, *until, now),
        Request::ReleasePoint { point } => points::release(bsds, point),
        Request::ForgetPoint { point, definitions } => {
            points::forget(bsds, point, definitions.as_deref(), now)
        }
        Request::NotePoint { point, made, state, at } => points::note(bsds, point, *made, *state, *at),
        Request::MarkArchives { archives, facts } => {
            archives::mark(bsds, archives, *facts, circumstances.needed_from)
        }
        Request::SettleArchives { gone, kept } => archives::settle(bsds, gone, kept),
        _ => refusal(
            "HWT480E",
            "THE REQUEST CHANGES NOTHING IN THE BSDS: use a program of this release".to_owned(),
        ),
    }
}

/// Where the log begins that a restart reads, or a backup in progress has counted on, at `usage`.
pub(crate) fn needed_from(bsds: &Bsds, usage: &SystemRecovery) -> Rba {
    // A restart goes back to the last but one complete checkpoint.
    let checkpoint = bsds.checkpoints.iter().rev().nth(1);
    let checkpoint = checkpoint.map_or_else(|| bsds.line().start(), |entry| entry.begin);
    let guarded = !planted::active(Defect::BackupsUnguarded);
    let backups =
        bsds.backups_in_progress.iter().filter(|_| guarded).map(|backup| backup.system_recovery_rba);
    backups.chain([checkpoint, usage.lowest().rba]).min().unwrap_or(Rba::ZERO)
}
