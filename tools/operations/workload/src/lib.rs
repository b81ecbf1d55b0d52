//! Load, journal and audit: showing from outside that a queue manager loses nothing.
//!
//! [`run_load`] puts and gets through many connections at once and writes a journal of what was acknowledged. [`run_audit`] browses the
//! queues afterwards, however the queue manager was treated meanwhile, and compares them with the journals. Neither believes
//! the queue manager: bodies prove themselves, and the journal is written by the load, not by the server.

mod audit;
mod body;
mod bounds;
mod choice;
mod connection;
mod error;
mod expectation;
mod journal;
mod load;
mod queues;
mod unknown;

pub use audit::{AuditReport, AuditSettings, run_audit};
pub use body::{PROOF_SIZE, Proof, body, prove};
pub use choice::Random;
pub use error::WorkloadError;
pub use load::{LoadCounters, LoadReport, LoadSettings, run_load};
