//! The facts of a queue manager that retention reads, as an inventory document; and the applying of a plan.
//!
//! [`read_source`] looks at the queue manager in a directory, running or not, and changes nothing: the BSDS, the archives in the
//! directory by name and size, the recovery points as far as they can be reached, and what a restart needs today - of a running queue
//! manager what it answers, of one that is down what its log and page sets say ([`usage`]). [`Facts::document`] is the inventory made
//! of them; it has the fields that schedulers write by hand, so that what decides can be looked at and kept.
//!
//! What is not certain holds log: a point whose directory cannot be reached counts for nothing and keeps its log; a file that looks
//! like an archive and is in no inventory is never deleted.
//!
//! [`apply`] deletes what a policy, or a reviewed plan, lets go. [`Applying`] is the same a step at a time, and has the order of writes.

mod applied;
mod apply;
mod applying;
mod decision;
mod deletion;
mod document;
mod error;
mod facts;
mod files;
mod points;
mod rates;
mod usage;
mod verify;

pub use applied::{Applied, ApplyError, Gone, Stays};
pub use apply::{Decided, Look, Orders, Site, apply, apply_at_rest};
pub use applying::{ApplyStep, Applying};
pub use decision::{Decision, NotApplied};
pub use document::history_name;
pub use error::SourceError;
pub use facts::{Facts, FactsReading, FactsStep, Source, read_at_rest, read_source};
pub use files::{ArchiveFile, Stray};
pub use points::PointCheck;
pub use usage::{Usage, usage};
