//! The one door to files.
//!
//! Everything that reads or writes data goes through [`Storage`] and [`StorageFile`], so that the same code runs on real files,
//! in memory, and on storage that loses, tears and refuses writes from a seed.

mod contract;

pub use contract::{FileLock, OpenMode, SharedFile, SharedStorage, Storage, StorageFile};
