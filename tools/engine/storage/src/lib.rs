//! The one door to files.
//!
//! Everything that reads or writes data goes through [`Storage`] and [`StorageFile`], so that the same code runs on real files
//! ([`RealStorage`]), in memory ([`MemoryStorage`]), and on storage that loses, tears and refuses writes from a seed
//! ([`FaultyStorage`]). [`durable`] holds the few sequences of syncs that make a file or a name survive a power cut.
//!
//! Every error says which operation failed on which path and keeps its [`std::io::ErrorKind`]; see [`PathError`].

mod blocks;
mod context;
mod contract;
pub mod durable;
mod faulty;
mod memory;
pub mod planted;
mod random;
mod real;
mod tree;

pub use context::PathError;
pub use contract::{
    FileLock, NameFacts, NameKind, OpenMode, SharedFile, SharedStorage, Storage, StorageFile,
};
pub use faulty::{Control, Counters, FaultRates, FaultyStorage, Image, OperationKind};
pub use memory::MemoryStorage;
pub use random::Random;
pub use real::RealStorage;
