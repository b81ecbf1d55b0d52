//! The inventory and the policy that a plan is made from.

use console::{Failure, now};
use format_inventory::{Inputs, Inventory, Plan};
use format_types::{Timestamp, crc32c};
use operation_retention::{InventoryError, Policy};

use crate::args::Source;
use crate::files;

/// The bytes of the inventory document.
pub(crate) fn read(source: &Source) -> Result<Vec<u8>, Failure> {
    files::read(&source.inventory, "HWT820E")
}

fn refused(source: &Source, why: impl std::fmt::Display) -> Failure {
    let text = format!("THE INVENTORY {} CANNOT BE USED: {why}", source.inventory.display());
    Failure::refused("HWT820E", text).hint("correct the document; nothing was planned")
}

/// The inventory, and the time that counts: its own, else the clock's.
pub(crate) fn parse<'b>(bytes: &'b [u8], source: &Source) -> Result<(Inventory<'b>, Timestamp), Failure> {
    let inventory = Inventory::parse(bytes).map_err(|error| refused(source, error))?;
    let at = inventory.now.at.unwrap_or_else(now);
    Ok((inventory, at))
}

/// The plan.
pub(crate) fn make<'i>(
    inventory: &'i Inventory<'i>,
    bytes: &[u8],
    policy: &Policy,
    at: Timestamp,
    source: &Source,
) -> Result<Plan<'i>, Failure> {
    let digest = |bytes: &[u8]| format!("{:08X}", crc32c(bytes));
    let inputs = Inputs {
        inventory: digest(bytes),
        inventory_bytes: bytes.len() as u64,
        policy: digest(policy.lines().join("\n").as_bytes()),
    };
    operation_retention::plan(inventory, policy, at, inputs).map_err(|error| unusable(source, &error))
}

/// An inventory that contradicts itself.
pub(crate) fn unusable(source: &Source, error: &InventoryError) -> Failure {
    refused(source, error)
}
