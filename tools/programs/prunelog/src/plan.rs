//! The inventory and the policy that a plan is made from.

use std::borrow::Cow;
use std::path::Path;

use console::{Failure, Session, now};
use engine_storage::RealStorage;
use format_inventory::{Inputs, Inventory, Plan, Stretch, WarningEntry};
use format_types::{ConditionCode, Timestamp, crc32c};
use operation_inventory::{Source, SourceError, read_source};
use operation_retention::{InventoryError, Policy};
use operation_site::{Expiring, SiteInventory};
use rayon::prelude::*;

use crate::listings::Sources;
use crate::policies::Policies;
use crate::settings::Origin;
use crate::{files, listings};

/// Name under which a running queue manager sees the program.
pub(crate) const APPLICATION: &str = "PRUNELOG";

/// The bytes of an inventory document, and what there is to say beside it.
pub(crate) struct Read<'s> {
    /// The document; nothing of a real site, whose inventory is in no file.
    bytes: Vec<u8>,
    /// Doubts about what it is made from.
    pub(crate) warnings: Vec<WarningEntry>,
    /// A real queue manager.
    pub(crate) site: Option<OfSite<'s>>,
}

/// What the listings say of a real queue manager.
pub(crate) struct OfSite<'s> {
    /// The inventory, and what a plan is checked against.
    pub(crate) inventory: SiteInventory<'s>,
    /// Digest of the listings and the ledger.
    pub(crate) digest: String,
    /// Their bytes.
    pub(crate) bytes: u64,
}

impl<'s> Read<'s> {
    /// What is read of a real queue manager.
    pub(crate) fn of_site(site: OfSite<'s>) -> Self {
        Self { bytes: Vec::new(), warnings: site.inventory.warnings.clone(), site: Some(site) }
    }
}

/// What is read of a queue manager beside the facts that every plan needs, because it takes time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct More {
    /// Whether the archives of copy 1 are whole.
    pub(crate) copy1: bool,
    /// How fast log is read.
    pub(crate) reading: bool,
}

impl More {
    /// What `policy` asks for.
    pub(crate) fn of(policy: &Policy) -> Self {
        Self { copy1: policy.copy2_shorter, reading: policy.restart_within.is_some() }
    }
}

/// What a plan of `origin` is made from, and the policy for it. How fast log is read is measured only if it `may_measure`.
pub(crate) fn read_for<'s, 'p>(
    origin: &Origin,
    sources: Option<&'s Sources>,
    policies: &'p Policies,
    may_measure: bool,
    session: &Session,
) -> Result<(Read<'s>, &'p Policy), Failure> {
    match origin {
        Origin::Document(path) => {
            let read = Read { bytes: files::read(path, "HWT820E")?, warnings: Vec::new(), site: None };
            Ok((read, policies.only()?))
        }
        Origin::Listings(asked) => {
            let sites = sources.map(|sources| listings::inventories(sources, asked, policies)).transpose()?;
            let mut sites = sites.into_iter().flatten();
            match (sites.next(), sites.next()) {
                (Some(site), None) => {
                    let policy = policies.of(&site.inventory.inventory.queue_manager);
                    Ok((Read::of_site(site), policy))
                }
                _ => Err(Failure::refused("HWT700E", "the listings are of several queue managers")
                    .hint("say which one with --queue-manager")),
            }
        }
        Origin::QueueManager(directory) => {
            let policy = policies.only()?;
            let more = More::of(policy);
            let more = More { reading: more.reading && may_measure, ..more };
            Ok((read_queue_manager(directory, more, session)?, policy))
        }
    }
}

/// The inventory document of a queue manager.
pub(crate) fn read_queue_manager(
    directory: &Path,
    more: More,
    session: &Session,
) -> Result<Read<'static>, Failure> {
    let storage = RealStorage::shared();
    let Source { mut facts, .. } =
        read_source(&storage, directory, APPLICATION, session.common.timeout, now())
            .map_err(|error| unknown(&error))?;
    if more.copy1 {
        facts.verify_copy1(&storage, directory);
    }
    if more.reading {
        facts.measure_reading(&storage, directory);
    }
    let doubts = facts.doubts().into_iter();
    let warnings = doubts.map(|(id, text)| WarningEntry { id: id.to_owned(), text }).collect();
    let json = facts.document().to_json().map_err(|error| refused(directory.display(), error))?;
    Ok(Read { bytes: json.into_bytes(), warnings, site: None })
}

/// Facts that cannot be had.
pub(crate) fn unknown(error: &SourceError) -> Failure {
    Failure::of(error).with_code(error.code())
}

fn refused(origin: impl std::fmt::Display, why: impl std::fmt::Display) -> Failure {
    let text = format!("THE INVENTORY {origin} CANNOT BE USED: {why}");
    Failure::refused("HWT820E", text).hint("correct the document; nothing was planned")
}

/// The inventory, and the time that counts: its own, else the clock's.
pub(crate) fn parse<'r>(
    read: &'r Read<'_>,
    origin: &Origin,
) -> Result<(Cow<'r, Inventory<'r>>, Timestamp), Failure> {
    let inventory = match &read.site {
        Some(site) => Cow::Borrowed(&site.inventory.inventory),
        None => {
            let beside = |stretches: &[Stretch<'r>]| stretches.par_iter().map(Stretch::read).collect();
            let inventory = Inventory::parse_in_stretches(&read.bytes, beside);
            Cow::Owned(inventory.map_err(|error| refused(origin, error))?)
        }
    };
    let at = inventory.now.at.unwrap_or_else(now);
    Ok((inventory, at))
}

/// The plan.
pub(crate) fn make<'i>(
    inventory: &'i Inventory<'i>,
    read: &Read<'_>,
    policy: &Policy,
    at: Timestamp,
    origin: &Origin,
) -> Result<Plan<'i>, Failure> {
    let digest = |bytes: &[u8]| format!("{:08X}", crc32c(bytes));
    let inputs = Inputs {
        inventory: String::new(),
        inventory_bytes: read.site.as_ref().map_or(read.bytes.len() as u64, |site| site.bytes),
        policy: digest(policy.lines().join("\n").as_bytes()),
    };
    let digest_of_all = || read.site.as_ref().map_or_else(|| digest(&read.bytes), |site| site.digest.clone());
    let (digest_of_all, plan) =
        rayon::join(digest_of_all, || operation_retention::plan(inventory, policy, at, inputs));
    let mut plan = plan.map_err(|error| unusable(origin, &error))?;
    plan.inputs.inventory = digest_of_all;
    plan.warnings.extend_from_slice(&read.warnings);
    if let Some(site) = &read.site {
        site.inventory.check(&plan).map_err(|error| listings::refused(&error))?;
        if let Some(Expiring { name, on, count }) = site.inventory.expiring(&plan, at) {
            let others = if count > 1 { format!(", AND {} MORE", count - 1) } else { String::new() };
            let text = format!(
                "ARCHIVE {name} IS KEPT AND EXPIRES ON {on}{others}: alter its expiration date (IDCAMS ALTER ... TO), or that of the tape manager"
            );
            plan.warnings.push(WarningEntry { id: "HWT972E".to_owned(), text });
        }
    }
    Ok(plan)
}

/// The condition code of a plan with these warnings.
pub(crate) fn code(warnings: &[WarningEntry]) -> ConditionCode {
    match warnings.iter().any(|warning| warning.id.ends_with('E')) {
        true => ConditionCode::Partial,
        false if warnings.is_empty() => ConditionCode::Done,
        false => ConditionCode::Warning,
    }
}

/// An inventory that contradicts itself.
pub(crate) fn unusable(origin: &Origin, error: &InventoryError) -> Failure {
    refused(origin, error)
}
