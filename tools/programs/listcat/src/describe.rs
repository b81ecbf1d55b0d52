//! What an image is.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use console::Failure;
use engine_storage::{OpenMode, SharedFile, SharedStorage};
use format_bsds::decode_file;
use format_listing::{RbaExtent, Space};
use format_pageset::page_zero;
use format_types::{
    Expand, HistoryId, PAGE_SIZE, PageSetId, QueueManagerId, QueueManagerName, Rba, Timestamp,
};
use operation_copy::{ImageKind, RECOGNISED_BY, recognise};
use serde::Serialize;

use crate::extents::{page_set_extents, page_set_space, whole};
use crate::log_end::log_use;

/// An image and what it says of itself.
#[derive(Debug)]
pub(crate) struct Image {
    /// Its path as given.
    pub(crate) path: String,
    /// Its file name.
    pub(crate) name: String,
    /// When the file was made, where the file system tells.
    pub(crate) created: Option<Timestamp>,
    /// HI-A-RBA.
    pub(crate) allocated: u64,
    /// HI-U-RBA.
    pub(crate) used: u64,
    /// Its space.
    pub(crate) space: Space,
    /// Its extents.
    pub(crate) extents: Vec<RbaExtent>,
    /// What it is.
    pub(crate) contents: Contents,
    /// What is wrong with it although it can be described.
    pub(crate) damage: Vec<String>,
}

/// What an image holds.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Contents {
    /// A page set.
    PageSet {
        /// The page set.
        page_set: PageSetId,
        /// Name of its queue manager.
        queue_manager: QueueManagerName,
        /// Identity of its queue manager.
        queue_manager_id: QueueManagerId,
        /// The log history that its RBAs lie in.
        history: HistoryId,
        /// The log needed to bring it forward begins there.
        recovery_rba: Rba,
        /// How it grows.
        expand: Expand,
        /// How often it has grown.
        expansions: u16,
        /// Extents by its own count.
        extent_count: u16,
    },
    /// An active log data set or an archive.
    Log {
        /// RBA of its first byte; none when it was never written.
        start_rba: Option<Rba>,
        /// RBA of the last byte in use.
        end_rba: Option<Rba>,
    },
    /// A bootstrap data set.
    Bsds {
        /// Name of its queue manager.
        queue_manager: QueueManagerName,
        /// Identity of its queue manager.
        queue_manager_id: QueueManagerId,
        /// How often it was updated.
        sequence: u64,
    },
    /// 4096-byte records of another making.
    Records,
}

/// Describes the image at `path`; none when nothing is there.
///
/// # Errors
/// When it cannot be read, is no image of 4096-byte records, or its header is damaged beyond use.
pub(crate) fn describe(storage: &SharedStorage, path: &Path) -> Result<Option<Image>, Failure> {
    let shown = path.display().to_string();
    let file = match storage.open(path, OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::refused("HWT741E", format!("{shown} cannot be read: {error}"))),
    };
    let unreadable =
        |error: io::Error| Failure::refused("HWT741E", format!("{shown} cannot be read: {error}"));
    let allocated = file.len().map_err(unreadable)?;
    let mut start = vec![0; usize::try_from(allocated).unwrap_or(usize::MAX).min(RECOGNISED_BY)];
    file.read_at(0, &mut start).map_err(unreadable)?;
    if allocated == 0 || allocated % PAGE_SIZE as u64 != 0 {
        let text = format!(
            "{shown} IS NO LINEAR DATA SET: {allocated} bytes are no whole number of 4096-byte records"
        );
        return Err(Failure::refused("HWT742E", text));
    }
    let mut image = Image {
        name: path.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned()),
        path: shown.clone(),
        created: created(path),
        allocated,
        used: allocated,
        space: Space::of_bytes(allocated, 0),
        extents: whole(allocated),
        contents: Contents::Records,
        damage: Vec::new(),
    };
    match recognise(&start) {
        ImageKind::PageSet => page_set(&mut image, &start)?,
        ImageKind::Bsds => bsds(&mut image, &file)?,
        ImageKind::Log => log(&mut image, &file).map_err(unreadable)?,
        // An active log that was never written is all zeros: only its name says what it is for.
        ImageKind::Records if image.name.starts_with("LOGCOPY") && start.iter().all(|&byte| byte == 0) => {
            image.used = 0;
            image.contents = Contents::Log { start_rba: None, end_rba: None };
        }
        ImageKind::Records => {}
    }
    Ok(Some(image))
}

fn page_set(image: &mut Image, start: &[u8]) -> Result<(), Failure> {
    let page = start.get(..PAGE_SIZE).unwrap_or(start);
    let read = page_zero::decode(page).map_err(|error| {
        Failure::refused("HWT743E", format!("{}: page zero cannot be used: {error}", image.path))
            .hint("restore it from a recovery point")
    })?;
    let zero = &read.zero;
    image.used = u64::from(zero.pages_used) * PAGE_SIZE as u64;
    if image.used > image.allocated {
        image.damage.push(format!(
            "TRUNCATED: page zero says that {} bytes are in use, the image has {}",
            image.used, image.allocated
        ));
    }
    image.space = page_set_space(zero);
    image.extents = page_set_extents(zero, image.allocated);
    image.damage.extend(read.damage.iter().map(ToString::to_string));
    image.contents = Contents::PageSet {
        page_set: zero.page_set,
        queue_manager: zero.name.clone(),
        queue_manager_id: zero.queue_manager,
        history: zero.history,
        recovery_rba: zero.recovery_rba,
        expand: zero.expand,
        expansions: zero.expansions,
        extent_count: zero.extents,
    };
    Ok(())
}

fn bsds(image: &mut Image, file: &SharedFile) -> Result<(), Failure> {
    let mut bytes = vec![0; usize::try_from(image.allocated).unwrap_or(0)];
    file.read_at(0, &mut bytes)
        .map_err(|error| Failure::refused("HWT741E", format!("{} cannot be read: {error}", image.path)))?;
    let read = decode_file(&bytes);
    let why = |slot: usize| match read.slots.get(slot) {
        Some(Err(damage)) => damage.to_string(),
        _ => "valid".to_owned(),
    };
    let sound = read.is_sound();
    let Some(newest) = &read.newest else {
        let text = format!("{}: neither slot of the BSDS can be used: {}; {}", image.path, why(0), why(1));
        return Err(Failure::refused("HWT744E", text).hint("the other copy of the BSDS may be sound"));
    };
    if !sound {
        image.damage.push(format!("a slot of the BSDS is damaged: {}; {}", why(0), why(1)));
    }
    image.contents = Contents::Bsds {
        queue_manager: newest.name.clone(),
        queue_manager_id: newest.queue_manager,
        sequence: newest.sequence,
    };
    Ok(())
}

fn log(image: &mut Image, file: &SharedFile) -> io::Result<()> {
    let found = log_use(file, image.allocated)?;
    image.used = found.used;
    image.contents = Contents::Log {
        start_rba: found.start,
        end_rba: found.start.map(|start| start.plus(found.used).minus(1)),
    };
    Ok(())
}

fn created(path: &Path) -> Option<Timestamp> {
    let made = std::fs::metadata(path).and_then(|data| data.created()).ok()?;
    let micros = made.duration_since(UNIX_EPOCH).ok()?.as_micros();
    u64::try_from(micros).ok().map(Timestamp)
}
