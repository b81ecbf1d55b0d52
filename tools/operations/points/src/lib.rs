//! Recovery points: made, listed, verified, restored.
//!
//! A recovery point is a directory with a manifest ([`format_manifest`]), a verified copy of every page set, a copy of the BSDS and the
//! DEFINE statements of all objects. It needs the queue manager's log from the system recovery RBA that was recorded when it was
//! begun.
//!
//! - [`create_point`] makes one of a running queue manager, over its socket; its parts ([`PointPlan`], [`PointCopy`], [`publish`]) are
//!   machines of small steps that work on any storage.
//! - [`stop_for_copy`] brings a queue manager to a stop without harming anybody, and [`FullPoint`] copies it at rest: a point that needs
//!   no log before its end.
//! - [`list_points`] says what the BSDS knows; [`Point`] reads one; [`verify_point`] looks at every byte of it, and at the log.
//! - [`Registry`] holds, releases and forgets points, and remembers what was found of them; [`verify_deep`] proves one by a recovery in a
//!   scratch directory.
//! - [`LogInclusion`] copies the log that a point needs into it, so that it can be moved.
//! - [`make_anew`] makes a queue manager of a point, where the log does not go on to the end that the original had; [`rebuild`] makes a
//!   BSDS when both its copies are lost.
//! - [`recover`] restores page sets and brings them forward by the queue manager's own restart.

mod anew;
mod anew_plan;
mod copy;
mod create;
mod deep;
mod error;
mod forget;
mod full;
mod include_log;
mod list;
mod loss;
mod lost_work;
mod noted;
mod origin;
mod plan;
mod point;
mod publish;
mod quiesce;
mod rebuild;
mod recover;
mod recovery_plan;
mod restore;
mod target;
mod verify;

pub use anew::{AnewPlan, AnewReport, AnewSettings, AnewSource, make_anew};
pub use copy::{CopiedSet, PointCopy, PointStep, copy_page_set};
pub use create::{CreateSettings, CreatedPoint, PointProgress, create_point};
pub use deep::{DeepReport, DeepSettings, verify_deep};
pub use error::PointError;
pub use forget::{ForgetPlan, Forgotten, PointFiles, Registry};
pub use format_manifest::MANIFEST_FILE;
pub use full::{FinishedPoint, FullPoint, FullSettings, FullStep, create_full_point, resolve};
pub use include_log::LogInclusion;
pub use list::{KnownPoint, known_points, list_points};
pub use loss::Loss;
pub use lost_work::{LostCommit, LostWork};
pub use noted::{Budget, bytes_to_verify, least_recently_verified};
pub use origin::MadeAnew;
pub use plan::{BSDS_FILE, DEFINITIONS_FILE, PointPlan};
pub use point::Point;
pub use publish::{publish, publish_with_log, registration};
pub use quiesce::{NotStopped, Quiescing, StoppedForCopy, stop_for_copy};
pub use rebuild::{RebuildSettings, rebuild};
pub use recover::{
    PointInTime, RecoverProgress, RecoverReport, RecoverSettings, RecoverStage, recover, recover_to,
};
pub use recovery_plan::{LogCheck, RecoveryPlan, check_log};
pub use restore::{Driver, Restoration, clean_up, restore};
pub use target::{PlannedCut, RecoveryTarget};
pub use verify::{DamagedPage, VerifyReport, verify_point, verify_point_while};
