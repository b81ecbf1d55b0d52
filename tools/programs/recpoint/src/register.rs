//! recpoint register.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Read as _;
use std::path::Path;

use console::{Failure, Outcome, Session, message, now};
use engine_storage::{SharedStorage, durable};
use format_inventory::{CopiedBy, Evidence, LedgerPoint};
use format_listing::Text;
use format_types::{ConditionCode, PointMethod};
use operation_site::{Copies, Registration, add_to_ledger, read_ledger, register};

use crate::args::{CopiedByArg, Method, Register};

/// The longest listing that is read.
const LONGEST: u64 = 2 << 30;

fn bytes(storage: &SharedStorage, path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        durable::read_file(storage.as_ref(), path, LONGEST)
    };
    read.map_err(|error| Failure::refused("HWT907E", format!("{} CANNOT BE READ: {error}", path.display())))
}

pub(crate) fn run(asked: &Register, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let mut texts = Vec::new();
    let unusable = |error: &format_listing::ListingError| {
        Failure::refused("HWT907E", format!("A LISTING CANNOT BE USED: {error}"))
    };
    let hashes = RandomState::new();
    let mut known = HashMap::new();
    for path in &asked.listing {
        let bytes = bytes(storage, path)?;
        // Two prints differ in their times at least: a log map that was copied does not show what was so later.
        let other = known.insert(hashes.hash_one(&bytes), path).filter(|_| !bytes.is_empty());
        if let Some(other) = other {
            let text = format!("{} IS THERE TWICE, AS {}", path.display(), other.display());
            return Err(
                Failure::refused("HWT920E", text).hint("give each print once, in the order of printing")
            );
        }
        let text = Text::decode(&path.display().to_string(), bytes);
        texts.push(text.map_err(|error| unusable(&error))?);
    }
    let sections = format_listing::read(&texts).map_err(|error| unusable(&error))?;
    let registration = Registration {
        name: asked.name.clone(),
        method: asked.method.map(|method| match method {
            Method::Fuzzy => PointMethod::Fuzzy,
            Method::Full => PointMethod::Full,
        }),
        at: asked.at,
        zone: asked.time_zone.clone(),
        now: now(),
        copied_by: match asked.copied_by {
            CopiedByArg::Repro => CopiedBy::Repro,
            CopiedByArg::DssLogical => CopiedBy::DssLogical,
            CopiedByArg::DssPhysical => CopiedBy::DssPhysical,
        },
        trust: asked.trust,
        copies: Copies { data_sets: asked.page_set.clone(), copies: asked.copy.clone() },
    };
    let ledger = read_ledger(storage, &asked.ledger).map_err(Failure::of)?;
    let point = register(&sections, &registration, &ledger)
        .map_err(|error| Failure::refused(error.id, &error.text).hint(error.hint))?;
    add_to_ledger(storage, &asked.ledger, point.clone(), session.common.timeout).map_err(Failure::of)?;
    let code = match point.evidence {
        Evidence::Clean => ConditionCode::Done,
        Evidence::Trusted => {
            message("HWT905W", "IT COUNTS BECAUSE OF --trust: every plan will say so");
            ConditionCode::Warning
        }
        Evidence::None => {
            message(
                "HWT906W",
                "NOTHING SHOWS THAT ITS COPIES ARE WHOLE: it counts once they are in a complete LISTCAT",
            );
            ConditionCode::Warning
        }
    };
    session.answer(&point, || lines(&point));
    Ok(code)
}

fn lines(point: &LedgerPoint) -> Vec<String> {
    let mut lines = vec![format!(
        "HWT922I POINT {} OF {} IS REGISTERED: log is needed from {}, its copies end at {}",
        point.name,
        point.queue_manager,
        point.restart.lowest(),
        point.end
    )];
    lines.extend(
        point
            .page_sets
            .iter()
            .map(|set| format!("  page set {}  {} -> {}", set.psid, set.data_set, set.copy)),
    );
    lines
}
