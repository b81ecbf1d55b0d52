//! Control statements: MQSC, and jobs that copy page sets and delete archives.
//!
//! # Purpose
//! Reads the commands that people type and keep in scripts, and writes definitions back so that they read as the same. Writes the jobs
//! that copy the page sets of a z/OS queue manager ([`BackupJob`]), delete its archives ([`delete_job`]) and take them out of its log
//! inventory ([`LogInventoryJob`]); the modules of the jobs say how those look.
//!
//! # Picture
//! ```text
//! * a comment: '*' in column 1
//! DEFINE QLOCAL(app.orders) REPLACE +      '+': goes on at the first non-blank of the next line
//!        DESCR('it''s here') MAXDEPTH(5-   '-': goes on at column 1 of the next line
//! 000)
//! DIS QL(APP.*) CURDEPTH; DIS LOG          ';' ends a command
//! ```
//!
//! # Grammar
//! ```text
//! script     = { comment line | blank line | command }
//! command    = parameter { separator parameter }
//! parameter  = keyword [ "(" [ value { separator value } ] ")" ]
//! value      = bare | "'" { any but "'" | "''" } "'"
//! separator  = blanks, with at most one comma
//! ```
//! | command | parameters |
//! |---|---|
//! | DEFINE, ALTER QLOCAL(name) | LIKE(name) (DEFINE), REPLACE or NOREPLACE (DEFINE), DESCR STGCLASS PUT GET DEFPRTY DEFPSIST MAXDEPTH MAXMSGL |
//! | DELETE QLOCAL(name) | none; the queue must be empty |
//! | DISPLAY QLOCAL(generic name) | ALL, WHERE(attribute operator value), names of attributes |
//! | DEFINE, ALTER STGCLASS(name) | PSID DESCR, REPLACE or NOREPLACE (DEFINE) |
//! | DELETE STGCLASS(name), DISPLAY STGCLASS(generic name) | as for queues |
//! | DEFINE PSID(n) | EXPAND(USER, SYSTEM or NONE), PAGES(n), BUFFPOOL(0) |
//! | ALTER PSID(n) | EXPAND |
//! | DELETE PSID(n), START PSID(n), DISPLAY PSID(n or *) | none; none; ALL and names of attributes |
//! | DISPLAY USAGE | TYPE(PAGESET, DATASET or ALL), PSID(n or *) |
//! | DISPLAY LOG, DISPLAY QMGR, DISPLAY CONN(name or *) | none; ALL and names; TYPE(CONN) ALL WHERE |
//! | DISPLAY THREAD(name, ... or *) | TYPE(ACTIVE, INDOUBT or *) |
//! | RESOLVE INDOUBT(name) | ACTION(COMMIT or BACKOUT), NID(name or *) |
//! | ARCHIVE LOG | MODE(QUIESCE) with TIME(n) and WAIT(YES or NO), or CANCEL OFFLOAD |
//! | STOP QMGR | MODE(QUIESCE or FORCE) |
//!
//! Synonyms: DEF, ALT, DEL, DIS, STA, RES, ARC; IND, THD; QL, Q and QUEUE (DISPLAY); STC.
//!
//! # Validity rule
//! Keywords are read in any case. Values without apostrophes are folded to upper case, quoted ones are taken as they are. A keyword
//! stands once; an unknown one, a missing or a surplus value, and a value out of range are refused with IBM's message
//! ([`StatementError`]) and the column. Nothing is done for a statement that does not read as a whole.
//!
//! # Torn tail
//! The end of a script ends its last command, continued or not.
//!
//! # Non-goals
//! CMDSCOPE and the parameters of queue sharing groups; `/* */` comments; sequence numbers in columns 73 to 80.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod backup_job;
mod control;
mod delete_job;
mod display;
mod error;
mod in_doubt;
mod job;
mod job_cards;
mod log_inventory_job;
mod page_set;
mod parameters;
mod queue;
mod script;
mod statement;
mod storage_class;

pub use backup_job::{BackupJob, BackupMethod, CopyRoom, CopySpace, GenerationBase, PageSetCopy, UnitName};
pub use control::{ArchiveLog, StopMode};
pub use delete_job::{bsds_copy, delete_job};
pub use display::{DisplayRequest, DisplayUsage, Filter, NamePattern, Operator, UsageKind};
pub use error::StatementError;
pub use in_doubt::{DisplayThread, NetworkId, ResolveInDoubt, ThreadKind};
pub use job_cards::{JobCardError, JobCards};
pub use log_inventory_job::{InventoryDeletion, InventoryVolume, LogInventoryJob};
pub use page_set::DefinePageSet;
pub use queue::{DefineQueue, MAXIMUM_MESSAGE_LENGTH, QueueAttributes};
pub use script::{Position, ScriptStatement, script};
pub use statement::Statement;
pub use storage_class::{DefineStorageClass, StorageClassAttributes};
