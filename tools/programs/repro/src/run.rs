//! Copies.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Instant;

use console::{Failure, Outcome, Progress, Session, message, say};
use engine_storage::{RealStorage, SharedStorage};
use format_listing::{function_terminated, processing_complete};
use format_types::ConditionCode;
use operation_copy::{
    AnyReader, CopyError, CopyReport, FileTarget, ImageReader, Source, StreamTarget, copy_pipelined,
};

use crate::args::Arguments;
use crate::output::NewFile;
use crate::report::{Document, Ends};
use crate::settings::{self, Input, Target};

/// Code 0; 4 with a warning, 8 with a damaged page, 12 when nothing was copied.
pub(crate) fn run(arguments: &Arguments, session: &mut Session) -> Outcome {
    let to_stdout = arguments.outfile.as_os_str() == "-";
    let outcome = work(arguments);
    match outcome {
        Ok(None) => Ok(ConditionCode::Done),
        Ok(Some(document)) => {
            for (id, text) in document.talk() {
                message(id, &text);
            }
            if !to_stdout {
                session.answer(&document, || document.lines());
            } else if !session.common.json {
                document.lines().iter().for_each(|line| say(line));
            }
            Ok(document.code())
        }
        Err(failure) => {
            let code = failure.code;
            if !session.common.json && !to_stdout {
                session.out.line(function_terminated(code));
                session.out.line(processing_complete(code));
            }
            session.failure_printed |= to_stdout;
            Err(failure)
        }
    }
}

/// Why there is no copy.
enum Ended {
    /// The reader of our output has gone: that is its right, and nothing to talk about.
    ReaderGone,
    Failed(Failure),
}

impl From<CopyError> for Ended {
    fn from(error: CopyError) -> Self {
        match &error {
            CopyError::Write { error, .. } if error.kind() == io::ErrorKind::BrokenPipe => Self::ReaderGone,
            // Without a copy nothing was done; only a failing device is worse.
            _ => Self::Failed(Failure::of(&error).with_code(error.code())),
        }
    }
}

/// None when the reader of our output has gone.
fn work(arguments: &Arguments) -> Result<Option<Document>, Failure> {
    let storage = RealStorage::shared();
    let input = settings::input(arguments, &storage)?;
    let target = settings::target(arguments, &input, &storage)?;
    let ends = Ends {
        infile: input.name.clone(),
        outfile: target.name(),
        kind: input.kind,
        replaces: matches!(target, Target::File { replaces: true, .. }),
    };
    if arguments.dry_run {
        return Ok(Some(Document::planned(ends, input.length)));
    }
    let started = Instant::now();
    match copy(input, target, &storage) {
        Ok(report) => Ok(Some(Document::copied(ends, &report, started.elapsed().as_secs_f64()))),
        Err(Ended::ReaderGone) => Ok(None),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

fn copy(input: Input, target: Target, storage: &SharedStorage) -> Result<CopyReport, Ended> {
    let bar = Progress::bytes(format!("repro {}", input.name), input.length.unwrap_or(0));
    let mut reader = AnyReader::new(input.source, input.kind, input.live);
    let name = target.name();
    let failed = |error| CopyError::Write { name: name.clone(), error };
    let copied = match target {
        // Not std's own handle: that one looks for line ends.
        Target::Standard => match io::stdout().as_fd().try_clone_to_owned() {
            Ok(output) => to_stream(&mut reader, File::from(output), &name, &bar),
            Err(error) => Err(failed(error)),
        },
        Target::Stream(_, file) => {
            to_stream(&mut reader, &file, &name, &bar).and_then(|report| match file.sync_all() {
                // A pipe cannot be synced, a device can.
                Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(failed(error)),
                _ => Ok(report),
            })
        }
        Target::File { path, .. } => {
            let new = NewFile::create(storage, &path).map_err(|error| {
                Ended::Failed(Failure::refused("HWT531E", format!("{name} cannot be written: {error}")))
            })?;
            let mut file = FileTarget::new(new.file.clone(), &name);
            let copied = copy_pipelined(&mut reader, &mut file, Some(&new.file), &mut tell(&bar));
            copied.and_then(|report| new.publish().map(|()| report).map_err(failed))
        }
    };
    bar.finish();
    if copied.is_ok() {
        // What is left of a pipe is beyond HI-U-RBA; its writer need not fail for that.
        let _ = reader.into_source().drain();
    }
    Ok(copied?)
}

fn to_stream<R: ImageReader, W: Write + Send>(
    reader: &mut R,
    output: W,
    name: &str,
    bar: &Progress,
) -> Result<CopyReport, CopyError> {
    let mut target = StreamTarget::new(output, name);
    copy_pipelined(reader, &mut target, None, &mut tell(bar))
}

fn tell(bar: &Progress) -> impl FnMut(u64, Option<u64>) + '_ {
    let mut known = None;
    move |done, expected| {
        if let Some(total) = expected.filter(|total| known != Some(*total)) {
            bar.set_total(total);
            known = Some(total);
        }
        bar.set(done);
    }
}
