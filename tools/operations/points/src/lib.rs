//! Recovery points: made, listed, verified, restored.
//!
//! A recovery point is a directory with a manifest ([`format_manifest`]), a verified copy of every page set, a copy of the BSDS and the
//! DEFINE statements of all objects. It needs the queue manager's log from the system recovery RBA that was recorded when it was
//! begun.
//!
//! - [`create_point`] makes one of a running queue manager, over its socket; its parts ([`PointPlan`], [`PointCopy`], [`publish`]) are
//!   machines of small steps that work on any storage.
//! - [`list_points`] says what the BSDS knows; [`Point`] reads one; [`verify_point`] looks at every byte of it, and at the log.
//! - [`recover`] restores page sets and brings them forward by the queue manager's own restart.

mod copy;
mod create;
mod error;
mod list;
mod plan;
mod point;
mod publish;
mod recover;
mod recovery_plan;
mod restore;
mod verify;

pub use copy::{CopiedSet, PointCopy, PointStep, copy_page_set};
pub use create::{CreateSettings, CreatedPoint, PointProgress, create_point};
pub use error::PointError;
pub use list::list_points;
pub use plan::{BSDS_FILE, DEFINITIONS_FILE, MANIFEST_FILE, PointPlan};
pub use point::Point;
pub use publish::{publish, registration};
pub use recover::{RecoverProgress, RecoverReport, RecoverSettings, RecoverStage, recover};
pub use recovery_plan::{LogCheck, RecoveryPlan, check_log};
pub use restore::{Driver, Restoration, clean_up, restore};
pub use verify::{DamagedPage, VerifyReport, verify_point};
