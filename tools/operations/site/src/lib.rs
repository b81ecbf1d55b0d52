//! Real sites, from the listings that they bring down: inventories of their queue managers, and the points of their ledger.
//!
//! A listing is what somebody printed once. What does not fit together - a log map that is older than the usage, the map of one queue
//! manager with the usage of another one, log that is missing between two rows - is refused, never guessed at: a wrong answer here deletes
//! a company's messages.
//!
//! The rules are those of IBM's manuals (Planning for backup and recovery; "Discarding archive log data sets"): log is kept from the
//! lower of CSQI024I and CSQI025I *as displayed when the page sets were copied*, data set by data set and copy by copy; today's values only
//! say what a restart needs today. In a queue sharing group every member keeps what a recovery of its structures reads.

mod at_rest;
mod calendar;
mod catalog;
mod continuity;
mod document;
mod error;
mod gather;
mod generation;
mod group;
mod ledger_file;
mod member_log;
mod outlook;
mod page_set_owner;
mod pairing;
mod point;
mod print_order;
mod register;
mod whole_copy;

pub use calendar::Zone;
pub use document::SiteInventory;
pub use error::SiteError;
pub use gather::{Listings, Site, gather};
pub use ledger_file::{LedgerError, add_to_ledger, read_ledger};
pub use outlook::Expiring;
pub use register::{Copies, Registration, register};
