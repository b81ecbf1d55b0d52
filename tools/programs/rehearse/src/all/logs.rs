//! Copies of the log and of the BSDS lost, and damage in both copies.

use console::{Failure, now};
use engine_storage::OpenMode;
use format_types::{ConditionCode, PAGE_SIZE, Rba};
use operation_points::{RebuildSettings, rebuild};

use super::trial::Trial;
use crate::run::of_point;

/// Loads after which an archive must have come up.
const LOADS: u32 = 4;

/// Bytes of each page set.
const PAGE_SETS: u64 = 4 << 20;

/// Copy 1 of every active log data set lost.
pub(super) fn one_copy(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load_and_kill()?;
    let names: Vec<String> = trial.bsds()?.actives(1).map(|log| log.name.clone()).collect();
    trial.lose(&names)?;
    trial.prove()?;
    let bsds = trial.bsds()?;
    let there = names.iter().all(|name| trial.file(name).exists());
    trial.expect(there && bsds.copy_stopped == [None, None], || {
        "the log is not written twice again after the loss of a copy".to_owned()
    });
    trial.did("the log is written twice again");
    Ok(())
}

/// One copy of the BSDS lost.
pub(super) fn one_bsds(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load_and_kill()?;
    trial.lose(&["BSDS01".to_owned()])?;
    trial.prove()?;
    let same = std::fs::read(trial.file("BSDS01")).ok() == std::fs::read(trial.file("BSDS02")).ok();
    trial.expect(same, || "the BSDS is not kept twice again after the loss of a copy".to_owned());
    trial.did("the BSDS is kept twice again");
    Ok(())
}

/// Both copies of the BSDS lost: made anew from what is there.
pub(super) fn both_bsds(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load_and_kill()?;
    trial.lose(&["BSDS01".to_owned(), "BSDS02".to_owned()])?;
    let settings = RebuildSettings { dir: trial.dir(), accept_loss: false, dry_run: false };
    let rebuilt =
        rebuild(&trial.storage, &settings, now(), &mut |_, _| {}).map_err(|error| of_point(&error))?;
    trial.did(format!(
        "BSDS made anew: {} active logs, {} archives, {} page sets, log to {}",
        rebuilt.bsds.active_logs.len(),
        rebuilt.bsds.archives.len(),
        rebuilt.bsds.page_sets.len(),
        rebuilt.log_end
    ));
    trial.prove()
}

/// A control interval of a needed archive overwritten in copy 1, another one in copy 2, and all page sets lost.
pub(super) fn damage_in_both(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load()?;
    let point = trial.point("P1")?;
    let mut found = None;
    for _ in 0..LOADS {
        trial.load()?;
        found = archives_behind_the_point(trial)?;
        if found.is_some() {
            break;
        }
    }
    let Some((first, second)) = found else {
        let text = "no archive holds log behind the recovery point alone: load more with --messages";
        return Err(Failure::new(ConditionCode::Severe, "HWT755S", text));
    };
    trial.load_and_kill()?;
    for (name, ci) in [(&first, 3), (&second, 7)] {
        let file = trial.storage.open(&trial.file(name), OpenMode::ReadWrite).map_err(Failure::of)?;
        let mut noise = vec![0; PAGE_SIZE];
        trial.random.fill(&mut noise);
        file.write_at(ci * PAGE_SIZE as u64, &noise).and_then(|()| file.sync()).map_err(Failure::of)?;
    }
    trial.did(format!("control interval 3 of {first} and 7 of {second} overwritten"));
    let bsds = trial.bsds()?;
    let lost: Vec<String> = bsds.page_sets.iter().map(|set| format!("PSID{}", set.page_set)).collect();
    trial.lose(&lost)?;
    trial.recover(&point, &[])?;
    trial.prove()
}

/// An archive of each copy with log behind the recovery point that no active log holds any more.
fn archives_behind_the_point(trial: &Trial<'_>) -> Result<Option<(String, String)>, Failure> {
    let bsds = trial.bsds()?;
    let from = bsds.recovery_points.last().map_or(Rba::ZERO, |point| point.end);
    let actives = bsds.active_logs.iter().filter_map(|log| log.range).map(|range| range.start).min();
    let name = |copy: u8| {
        let of_copy = bsds.archives.iter().filter(|log| log.copy == copy);
        let mut behind = of_copy.filter(|log| log.range.start >= from && Some(log.range.end) <= actives);
        behind.next().map(|log| log.name.clone())
    };
    Ok(name(1).zip(name(2)))
}
