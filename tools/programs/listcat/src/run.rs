//! Describes what was named.

use std::path::{Path, PathBuf};

use console::{Failure, Outcome, Session, message, say};
use engine_storage::{RealStorage, SharedStorage};
use format_types::ConditionCode;

use crate::args::Arguments;
use crate::describe::{Contents, describe};
use crate::report::Report;

/// Code 4 when a name was not found, 8 when an image is damaged, 12 when nothing could be described.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    let storage = RealStorage::shared();
    let Arguments { paths, all, .. } = arguments;
    let mut report = Report {
        all,
        asked: paths.iter().map(|path| path.display().to_string()).collect(),
        catalog: catalog(&paths),
        images: Vec::new(),
        missing: Vec::new(),
    };
    let mut refused: Option<Failure> = None;
    let mut damaged = false;
    for path in &paths {
        for (file, named) in files(&storage, path)? {
            match describe(&storage, &file) {
                Ok(Some(image)) if named || !matches!(image.contents, Contents::Records) => {
                    for damage in &image.damage {
                        damaged = true;
                        message("HWT745E", &format!("{}: {damage}", image.path));
                    }
                    report.images.push(image);
                }
                // Beside its data sets a queue manager's directory has a socket, a lock and a log of its console.
                Ok(Some(_)) => {}
                Ok(None) => report.missing.push(file.display().to_string()),
                Err(failure) if !named && failure.id == "HWT742E" => {}
                Err(failure) => {
                    if let Some(earlier) = refused.replace(failure) {
                        say(&earlier.to_string());
                    }
                }
            }
        }
    }
    if report.images.is_empty()
        && let Some(failure) = refused
    {
        return Err(failure);
    }
    let (lines, mut code) = report.listing();
    session.answer(&report.document(), || lines);
    if damaged {
        code = code.max(ConditionCode::Partial);
    }
    match refused {
        Some(failure) => {
            session.failure_printed = true;
            Err(failure.with_code(ConditionCode::Partial))
        }
        None => Ok(code),
    }
}

/// The files that `path` stands for, and whether each was named itself.
fn files(storage: &SharedStorage, path: &Path) -> Result<Vec<(PathBuf, bool)>, Failure> {
    if !path.is_dir() {
        return Ok(vec![(path.to_owned(), true)]);
    }
    let names = storage.list(path).map_err(|error| {
        Failure::refused("HWT741E", format!("{} cannot be read: {error}", path.display()))
    })?;
    let inside = names.into_iter().map(|name| path.join(name));
    // Opening a socket or a pipe would wait or fail; neither is a data set.
    Ok(inside.filter(|file| file.is_file()).map(|file| (file, false)).collect())
}

/// What stands for the catalog: the directory that holds the first image.
fn catalog(paths: &[PathBuf]) -> String {
    let first = paths.first().map(PathBuf::as_path).unwrap_or(Path::new("."));
    let dir = if first.is_dir() { Some(first) } else { first.parent() };
    match dir {
        Some(dir) if !dir.as_os_str().is_empty() => dir.display().to_string(),
        _ => ".".to_owned(),
    }
}
