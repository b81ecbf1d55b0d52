//! What a plan lets go, as jobs for its site, and what the prints of those jobs say became of it.
//!
//! A site whose archives no program of ours can reach deletes them by jobs. [`Doomed`] is what a plan lets go, a name once, fit to stand
//! in a job. [`Settlement`] is what became of it by the prints of IDCAMS: only what is known to be gone may leave the log inventory, for an
//! archive that is there and in no inventory is lost to recovery. Pure: no files, no clock.

mod doomed;
mod settlement;

pub use doomed::{Doomed, DoomedName, DoomedVolume, PlanError};
pub use settlement::{Became, LeftBehind, SettledName, Settlement};
