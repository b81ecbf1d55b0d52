//! Plans of real sites: from listings and a ledger, one queue manager or many.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use console::{Failure, Session, message};
use format_inventory::{Ledger, Plan, PointEntry, WarningEntry, format_time};
use format_listing::{Section, Stretch, Text, read_in_stretches};
use format_types::{ConditionCode, PointState, QueueManagerName, Timestamp, crc32c};
use operation_site::{SiteError, SiteInventory, gather};
use rayon::prelude::*;
use serde::Serialize;

use crate::files;
use crate::plan::{self, OfSite, Read};
use crate::policies::Policies;
use crate::settings::Origin;

/// Listings, and what they are read with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listings {
    /// The files.
    pub(crate) files: Vec<PathBuf>,
    /// The ledger of recovery points.
    pub(crate) ledger: Option<PathBuf>,
    /// The one queue manager that is wanted.
    pub(crate) queue_manager: Option<QueueManagerName>,
}

/// What a site's listings or ledger are refused for.
pub(crate) fn refused(error: &SiteError) -> Failure {
    Failure::refused(error.id, &error.text).hint(error.hint)
}

/// All reports of the files.
pub(crate) fn sections(paths: &[PathBuf]) -> Result<Vec<Section>, Failure> {
    read_sections(paths, &mut Vec::new())
}

/// The same, noting what was read.
fn read_sections(paths: &[PathBuf], inputs: &mut Vec<Input>) -> Result<Vec<Section>, Failure> {
    let mut texts = Vec::new();
    for path in paths {
        let bytes = files::read(path, "HWT907E")?;
        inputs.push(Input::of(&bytes));
        let text = Text::decode(&path.display().to_string(), bytes);
        texts.push(text.map_err(|error| unreadable(&error))?);
    }
    let beside = |stretches: &[Stretch<'_>]| stretches.par_iter().map(Stretch::read).collect();
    read_in_stretches(&texts, &beside).map_err(|error| unreadable(&error))
}

fn unreadable(error: &format_listing::ListingError) -> Failure {
    Failure::refused("HWT907E", format!("A LISTING CANNOT BE USED: {error}"))
}

/// Checksum and length of a file.
struct Input {
    crc: u32,
    bytes: u64,
}

impl Input {
    fn of(bytes: &[u8]) -> Self {
        Self { crc: crc32c(bytes), bytes: bytes.len() as u64 }
    }
}

fn ledger(path: Option<&Path>, inputs: &mut Vec<Input>) -> Result<Ledger, Failure> {
    let Some(path) = path else { return Ok(Ledger::default()) };
    let bytes = files::read(path, "HWT908E")?;
    inputs.push(Input::of(&bytes));
    Ledger::parse(&bytes).map_err(|error| {
        Failure::refused("HWT908E", format!("THE LEDGER {} CANNOT BE USED: {error}", path.display()))
    })
}

/// What was read of the listings. Inventories have the names of data sets from it.
pub(crate) struct Sources {
    /// Never dropped: of a million rows that takes a while, and the process ends when they are of no use any more.
    sections: ManuallyDrop<Vec<Section>>,
    ledger: Ledger,
    /// Digest of the listings and the ledger.
    digest: String,
    /// Their bytes.
    bytes: u64,
}

impl Sources {
    /// What `origin` wants to have read; none unless it is of listings.
    pub(crate) fn of(origin: &Origin) -> Result<Option<Self>, Failure> {
        let Origin::Listings(listings) = origin else { return Ok(None) };
        let mut inputs = Vec::new();
        let ledger = ledger(listings.ledger.as_deref(), &mut inputs)?;
        let sections = ManuallyDrop::new(read_sections(&listings.files, &mut inputs)?);
        let crcs: Vec<u8> = inputs.iter().flat_map(|input| input.crc.to_be_bytes()).collect();
        let bytes = inputs.iter().map(|input| input.bytes).sum();
        Ok(Some(Self { sections, ledger, digest: format!("{:08X}", crc32c(&crcs)), bytes }))
    }
}

/// The inventories of the queue managers in the listings, or of the one that is wanted, with as many checkpoints before each need as its
/// policy asks for.
pub(crate) fn inventories<'s>(
    sources: &'s Sources,
    listings: &Listings,
    policies: &Policies,
) -> Result<Vec<OfSite<'s>>, Failure> {
    let site = gather(&sources.sections).map_err(|error| refused(&error))?;
    let wanted =
        |name: &QueueManagerName| listings.queue_manager.as_ref().is_none_or(|wanted| wanted == name);
    let chosen: Vec<_> = site.queue_managers.iter().filter(|found| wanted(&found.queue_manager)).collect();
    if let (true, Some(name)) = (chosen.is_empty(), &listings.queue_manager) {
        let known: Vec<&str> = site.queue_managers.iter().map(|found| found.queue_manager.as_str()).collect();
        let text = format!("THE LISTINGS HAVE NO QUEUE MANAGER {name}, BUT {}", known.join(", "));
        return Err(Failure::refused("HWT911E", text));
    }
    let of_site = |found: &&operation_site::Listings<'s>| {
        let checkpoints = policies.of(&found.queue_manager).checkpoints();
        let inventory = site.inventory(found, &sources.ledger, checkpoints);
        let inventory = inventory.map_err(|error| refused(&error))?;
        Ok(OfSite { inventory, digest: sources.digest.clone(), bytes: sources.bytes })
    };
    chosen.par_iter().map(of_site).collect()
}

/// `3 days`, `5 hours`, `2 minutes`.
fn format_age(seconds: u64) -> String {
    let (number, unit) = match seconds {
        86_400.. => (seconds / 86_400, "day"),
        3_600.. => (seconds / 3_600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A queue manager's line of a site.
#[derive(Debug, Serialize)]
struct Row {
    queue_manager: QueueManagerName,
    boundary: Option<String>,
    boundary_holder: Option<String>,
    last_good_point: Option<String>,
    last_good_point_at: Option<String>,
    last_good_point_age_seconds: Option<u64>,
    days_until_inventory_wraps: Option<u64>,
    delete: usize,
    keep: usize,
    over_max_delete: bool,
}

impl Row {
    fn of(plan: &Plan<'_>, inventory: &SiteInventory<'_>, now: Timestamp) -> Self {
        let good = |entry: &&PointEntry| entry.state == PointState::Verified && entry.recoverable;
        let at = |entry: &PointEntry| {
            let points = inventory.inventory.points.iter();
            points.filter(|point| point.name == entry.name).map(|point| point.at).max()
        };
        let last = plan.points.iter().filter(good).max_by_key(|entry| at(entry));
        Self {
            queue_manager: plan.queue_manager.clone(),
            boundary: plan.boundary.map(|rba| rba.to_string()),
            boundary_holder: plan.boundary_holder.clone(),
            last_good_point: last.map(|entry| entry.name.clone()),
            last_good_point_at: last.and_then(at).map(format_time),
            last_good_point_age_seconds: last.and_then(at).map(|at| now.0.saturating_sub(at.0) / 1_000_000),
            days_until_inventory_wraps: inventory.days_until_it_wraps(plan.boundary),
            delete: plan.delete.len(),
            keep: plan.keep.len(),
            over_max_delete: plan.over_max_delete,
        }
    }

    fn line(&self) -> String {
        let boundary = self.boundary.as_deref().unwrap_or("-");
        let holder = self.boundary_holder.as_deref().unwrap_or("nobody");
        let age = self.last_good_point_age_seconds.map(format_age).unwrap_or_default();
        let point = match (&self.last_good_point, &self.last_good_point_at) {
            (Some(name), Some(at)) => format!("last good point {name} of {at}, {age} old"),
            _ => "NO GOOD POINT".to_owned(),
        };
        let wraps = match self.days_until_inventory_wraps {
            Some(days) => format!("inventory wraps in {days} days"),
            None => "inventory wraps at an unknown time".to_owned(),
        };
        let over = if self.over_max_delete { ", more than --max-delete" } else { "" };
        format!(
            "{:<4} {boundary} {} go{over}, {} stay; {point}; {wraps}; kept by {holder}",
            self.queue_manager.as_str(),
            self.delete,
            self.keep
        )
    }
}

#[derive(Serialize)]
struct Summary {
    queue_managers: Vec<Row>,
    condition_code: ConditionCode,
}

/// One line for each queue manager.
pub(crate) fn summarize(
    sites: Vec<OfSite<'_>>,
    policies: &Policies,
    notes: Vec<WarningEntry>,
    origin: &Origin,
    session: &mut Session,
) -> Result<ConditionCode, Failure> {
    let planned = sites.into_par_iter().map(|site| -> Result<_, Failure> {
        let read = Read::of_site(site);
        let (document, at) = plan::parse(&read, origin)?;
        let policy = policies.of(&document.queue_manager);
        let plan = plan::make(&document, &read, policy, at, origin)?;
        let site = read.site.as_ref().map(|site| Row::of(&plan, &site.inventory, at));
        let warnings: Vec<_> = plan
            .warnings
            .iter()
            .map(|warning| WarningEntry {
                id: warning.id.clone(),
                text: format!("{}: {}", plan.queue_manager, warning.text),
            })
            .collect();
        Ok((site, warnings))
    });
    // Of a site that cannot be answered for as a whole, nothing is answered.
    let planned: Vec<_> = planned.collect::<Result<_, Failure>>()?;
    let warnings: Vec<WarningEntry> =
        notes.into_iter().chain(planned.iter().flat_map(|(_, warnings)| warnings).cloned()).collect();
    for warning in &warnings {
        message(&warning.id, &warning.text);
    }
    let code = plan::code(&warnings);
    let rows: Vec<Row> = planned.into_iter().filter_map(|(row, _)| row).collect();
    let summary = Summary { queue_managers: rows, condition_code: code };
    session.answer(&summary, || summary.queue_managers.iter().map(Row::line).collect());
    Ok(code)
}
