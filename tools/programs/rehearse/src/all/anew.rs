//! Queue managers made anew: at another site, from a point that holds its log, and after the loss of all logs.

use std::path::{Path, PathBuf};

use console::{Failure, now};
use engine_storage::durable;
use operation_points::{
    AnewPlan, AnewReport, AnewSettings, AnewSource, CreateSettings, Driver, create_point, make_anew,
};

use super::points::full_point;
use super::trial::Trial;
use crate::run::of_point;

/// Bytes of each page set.
const PAGE_SETS: u64 = 4 << 20;

/// At another site there are the archives with their BSDS copies and the point, and nothing else.
pub(super) fn other_site(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load()?;
    let point = trial.point("P1")?;
    trial.load_and_kill()?;
    let archives = trial.scratch.beside("ARCHIVES");
    std::fs::create_dir(&archives).map_err(Failure::of)?;
    let mut count = 0;
    for entry in std::fs::read_dir(trial.dir()).map_err(Failure::of)?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("ARCHLOG") {
            std::fs::copy(entry.path(), archives.join(&name)).map_err(Failure::of)?;
            count += 1;
        }
    }
    let moved = move_away(trial, &point)?;
    trial.did(format!("recovery point and {count} archives and BSDS copies brought to another site"));
    anew(trial, &moved, AnewSource::Archives(archives))?;
    trial.prove()
}

/// The point alone, moved, with the log that it needs in it.
pub(super) fn self_contained(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load()?;
    let mut load = trial.begin_load(None)?;
    crate::stages::wait_for_messages(&mut load, trial.messages / 2)?;
    let point = trial.scratch.beside("P1");
    let settings = CreateSettings {
        dir: trial.dir(),
        to: point.clone(),
        name: Some("P1".to_owned()),
        timeout: trial.session.common.timeout,
        include_log: true,
    };
    create_point(&trial.storage, &settings, now(), &|_| {}).map_err(|error| of_point(&error))?;
    trial.kill()?;
    crate::stages::end_load(&mut load)?;
    trial.did("fuzzy recovery point P1 with its log, made under load; killed");
    let moved = move_away(trial, &point)?;
    trial.did("everything but the moved recovery point lost");
    anew(trial, &moved, AnewSource::Point)?;
    trial.prove()
}

/// All logs lost, and a full point from before.
pub(super) fn logs_lost(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load()?;
    let made = full_point(trial)?;
    trial.load_and_kill()?;
    let bsds = trial.bsds()?;
    let actives = bsds.active_logs.iter().map(|log| log.name.clone());
    let archives = bsds.archives.iter().flat_map(|log| [log.name.clone(), log.bsds_name.clone()]);
    let mut lost: Vec<String> = actives.chain(archives).filter(|name| trial.file(name).exists()).collect();
    lost.sort();
    lost.dedup();
    trial.lose(&lost)?;
    anew(trial, &made.directory, AnewSource::LogsLost)?;
    trial.prove()
}

/// Gives the point and what is left of the queue manager other names: nothing may be read under the old ones.
fn move_away(trial: &Trial<'_>, point: &Path) -> Result<PathBuf, Failure> {
    let moved = trial.scratch.beside("MOVED");
    for (from, to) in [(point, &moved), (&trial.dir(), &trial.scratch.beside("ORIGINAL"))] {
        durable::rename(trial.storage.as_ref(), from, to).map_err(Failure::of)?;
    }
    Ok(moved)
}

fn anew(trial: &mut Trial<'_>, from: &Path, source: AnewSource) -> Result<AnewReport, Failure> {
    let settings = AnewSettings {
        dir: trial.dir(),
        from: from.to_owned(),
        source,
        accept_loss: true,
        frames: None,
        driver: Driver::Threads,
        dry_run: false,
        random: trial.random.next(),
    };
    let plan = AnewPlan::make(&trial.storage, &settings, &mut |_, _| {}).map_err(|error| of_point(&error))?;
    let report =
        make_anew(&trial.storage, &plan, &settings, now(), &mut |_| {}).map_err(|error| of_point(&error))?;
    trial.did(format!(
        "made anew: {} pages restored, {} log records applied, what was committed after {} given up",
        report.pages, report.records, plan.loss.after
    ));
    Ok(report)
}
