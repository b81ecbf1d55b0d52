//! A copy between real files with reading, writing and syncing side by side.
//!
//! The reader verifies one stretch while the writer writes the one before, and what is written is synced early: when the last
//! byte is written, little is left to wait for.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use engine_storage::SharedFile;

use crate::copy::{ImageReader, ReadStep};
use crate::error::CopyError;
use crate::report::CopyReport;
use crate::target::Target;

/// Bytes of one buffer: large enough that a system call costs nothing, small enough to stay in the processor's cache between
/// reading, verifying and writing.
const BUFFER: usize = 1 << 20;

/// Buffers under way.
const BUFFERS: usize = 4;

/// Bytes written between two early syncs.
const EARLY_SYNC: u64 = 64 << 20;

/// Copies with threads: one reads and verifies, the caller's writes, one syncs `early` now and then (the target's file; none for a
/// pipe). `progress` hears of bytes copied and bytes expected.
///
/// # Errors
/// As [`ImageCopy::step`](crate::ImageCopy::step); a failed early sync fails the copy and is not tried again.
pub fn copy_pipelined<R: ImageReader, T: Target>(
    reader: &mut R,
    target: &mut T,
    early: Option<&SharedFile>,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<CopyReport, CopyError> {
    let (full_sender, full) = sync_channel(BUFFERS);
    let (free_sender, free) = sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        // The channel has room for all of them.
        let _ = free_sender.send(vec![0; BUFFER]);
    }
    let (sync_sender, sync_requests) = sync_channel(1);
    let failed = |target: &T, error| CopyError::Write { name: target.name().to_owned(), error };
    let outcomes = thread::scope(|scope| {
        let reader = &mut *reader;
        let reading = scope.spawn(move || read_all(reader, &free, &full_sender));
        let syncing = early.map(|file| scope.spawn(move || sync_when_asked(file.as_ref(), &sync_requests)));
        let mut written = 0;
        let mut since_sync = 0;
        let mut outcome = Ok(());
        for Stretch { buffer, step, expected } in full {
            outcome = match step {
                ReadStep::Chunk { offset, length } => {
                    written += length as u64;
                    since_sync += length as u64;
                    target.write(offset, buffer.get(..length).unwrap_or_default())
                }
                ReadStep::Again { offset, length } => {
                    target.rewrite(offset, buffer.get(..length).unwrap_or_default())
                }
                ReadStep::Pause(_) | ReadStep::End => Ok(()),
            };
            if outcome.is_err() {
                break;
            }
            if since_sync >= EARLY_SYNC && sync_sender.try_send(()).is_ok() {
                since_sync = 0;
            }
            progress(written, expected);
            // The reader may have ended.
            let _ = free_sender.send(buffer);
        }
        // Both ends of the reader's channels go here, so that it cannot wait for us.
        drop(free_sender);
        drop(sync_sender);
        let read = join(reading);
        let synced = syncing.map_or(Ok(()), join);
        (outcome, read, synced)
    });
    let (written, read, synced) = outcomes;
    written.map_err(|e| failed(target, e))?;
    read?;
    synced.map_err(|e| failed(target, e))?;
    let report = reader.report();
    target.finish(report.length).map_err(|e| failed(target, e))?;
    Ok(report)
}

struct Stretch {
    buffer: Vec<u8>,
    step: ReadStep,
    expected: Option<u64>,
}

fn read_all<R: ImageReader>(
    reader: &mut R,
    free: &Receiver<Vec<u8>>,
    full: &SyncSender<Stretch>,
) -> Result<(), CopyError> {
    while let Ok(mut buffer) = free.recv() {
        let step = loop {
            match reader.next_chunk(&mut buffer)? {
                ReadStep::Pause(pause) => thread::sleep(pause),
                step => break step,
            }
        };
        let stretch = Stretch { buffer, step, expected: reader.expected() };
        if step == ReadStep::End || full.send(stretch).is_err() {
            break;
        }
    }
    Ok(())
}

fn sync_when_asked(file: &dyn engine_storage::StorageFile, requests: &Receiver<()>) -> io::Result<()> {
    while requests.recv().is_ok() {
        file.sync()?;
    }
    Ok(())
}

/// The thread's result; its panic becomes ours.
fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    match handle.join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
