//! Errors that say what was done to which path.

use std::io;
use std::path::{Path, PathBuf};

/// What failed, on which path, and why. It is the inner error of every [`io::Error`] that a storage returns.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {}: {source}", path.display())]
pub struct PathError {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl PathError {
    /// The operation: `open`, `read`, `write`, `sync` ...
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The path it was done to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error as the file system gave it.
    #[must_use]
    pub fn cause(&self) -> &io::Error {
        &self.source
    }

    /// The path error inside `error`, if a storage made it.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

/// `source` with its operation and path; the kind stays.
pub(crate) fn at(operation: &'static str, path: &Path, source: io::Error) -> io::Error {
    io::Error::new(source.kind(), PathError { operation, path: path.to_owned(), source })
}

/// Adds operation and path to the error of a result.
pub(crate) trait Context<T> {
    fn at(self, operation: &'static str, path: &Path) -> io::Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn at(self, operation: &'static str, path: &Path) -> io::Result<T> {
        self.map_err(|source| at(operation, path, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_done_to_which_path_and_keeps_its_kind() {
        let error = at("open", Path::new("QM1/BSDS01"), io::ErrorKind::NotFound.into());
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with("open QM1/BSDS01: "), "{error}");
        let inner = PathError::of(&error).unwrap();
        assert_eq!(inner.operation(), "open");
        assert_eq!(inner.path(), Path::new("QM1/BSDS01"));
        assert_eq!(inner.cause().kind(), io::ErrorKind::NotFound);
    }
}
