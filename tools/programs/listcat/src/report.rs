//! The images as LISTCAT shows them, and as JSON.

use console::{format_time, now};
use format_listing::{LinearDataSet, Listcat, SpaceType, listcat};
use format_types::{ConditionCode, Timestamp};
use serde::Serialize;

use crate::describe::{Contents, Image};

/// What was found.
pub(crate) struct Report {
    /// Every group of fields.
    pub(crate) all: bool,
    /// What was asked for, as typed.
    pub(crate) asked: Vec<String>,
    /// Directory that stands for the catalog.
    pub(crate) catalog: String,
    /// The images.
    pub(crate) images: Vec<Image>,
    /// Paths that are not there.
    pub(crate) missing: Vec<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    #[serde(flatten)]
    contents: &'a Contents,
    hi_a_rba: u64,
    hi_u_rba: u64,
    space_type: &'static str,
    space_primary: u64,
    space_secondary: u64,
    extents: Vec<Extent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    damage: &'a [String],
}

#[derive(Serialize)]
struct Extent {
    low_rba: u64,
    high_rba: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    entries: Vec<Entry<'a>>,
    not_found: &'a [String],
}

impl Report {
    /// The listing, and its condition code.
    pub(crate) fn listing(&self) -> (Vec<String>, ConditionCode) {
        let all = if self.all { "ALL" } else { "ALLOCATION" };
        listcat(&Listcat {
            all: self.all,
            catalog: self.catalog.clone(),
            at: now(),
            command: format!("   LISTCAT ENTRIES({}) {all}", self.asked.join(" ")),
            entries: self.images.iter().map(data_set).collect(),
            missing: self.missing.clone(),
        })
    }

    /// The same as a document.
    pub(crate) fn document(&self) -> impl Serialize + '_ {
        Document { entries: self.images.iter().map(entry).collect(), not_found: &self.missing }
    }
}

fn data_set(image: &Image) -> LinearDataSet {
    let volume = match &image.contents {
        Contents::PageSet { queue_manager, .. } | Contents::Bsds { queue_manager, .. } => {
            queue_manager.as_str()
        }
        Contents::Log { .. } | Contents::Records => "LOCAL",
    };
    LinearDataSet {
        name: image.name.clone(),
        created: image.created,
        volume: volume.to_owned(),
        allocated: image.allocated,
        used: image.used,
        space: image.space,
        extents: image.extents.clone(),
        system_timestamp: image.created.map_or(0, Timestamp::store_clock),
    }
}

fn entry(image: &Image) -> Entry<'_> {
    Entry {
        path: &image.path,
        contents: &image.contents,
        hi_a_rba: image.allocated,
        hi_u_rba: image.used,
        space_type: match image.space.kind {
            SpaceType::Track => "TRACK",
            SpaceType::Cylinder => "CYLINDER",
            SpaceType::Record => "RECORD",
        },
        space_primary: image.space.primary,
        space_secondary: image.space.secondary,
        extents: image
            .extents
            .iter()
            .map(|extent| Extent { low_rba: extent.low, high_rba: extent.high.saturating_sub(1) })
            .collect(),
        created: image.created.map(format_time),
        damage: &image.damage,
    }
}
