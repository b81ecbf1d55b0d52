//! Page sets lost, and page sets caught in the middle of growing.

use std::time::{Duration, Instant};

use console::Failure;
use engine_page_store::page_set_path;
use engine_queue_manager::client::Client;
use engine_storage::OpenMode;
use format_pageset::page_zero;
use format_protocol::{Reply, Request};
use format_types::{PAGE_SIZE, PageSetId};

use super::trial::Trial;
use crate::{damage, stages};

/// Bytes of a page set that will not fill up.
const LARGE: u64 = 4 << 20;

/// Bytes of a page set that has to grow soon.
const SMALL: u64 = 1 << 20;

/// The page set whose syncs fail.
const FAILING: u8 = 2;

/// Kills that are tried to catch an expansion in its middle.
const ATTEMPTS: u32 = 10;

/// Time in which a page set must have grown.
const GROWTH: Duration = Duration::from_secs(60);

/// One page set removed, another overwritten.
pub(super) fn several(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(LARGE)?;
    trial.load()?;
    let point = trial.point("P1")?;
    trial.load_and_kill()?;
    let page_sets: Vec<PageSetId> = trial.bsds()?.page_sets.iter().map(|set| set.page_set).collect();
    let damage = damage::inflict(&trial.storage, &trial.dir(), &page_sets, &mut trial.random)?;
    trial.did(format!(
        "page set {} removed, {} pages of page set {} overwritten",
        damage.removed, damage.pages, damage.corrupted
    ));
    trial.recover(&point, &[damage.corrupted, damage.removed])?;
    trial.prove()
}

/// One page set lost while the others are as they were at the kill.
pub(super) fn one(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(LARGE)?;
    trial.load()?;
    let point = trial.point("P1")?;
    trial.load_and_kill()?;
    let one = PageSetId::new(1).unwrap_or(PageSetId::ZERO);
    trial.lose(&[format!("PSID{one}")])?;
    trial.recover(&point, &[one])?;
    trial.prove()
}

/// A failed sync takes a page set offline; repaired, it comes back by command, and after a crash it is whole.
pub(super) fn offline(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make_failing(LARGE, FAILING)?;
    trial.load()?;
    let mut load = trial.begin_load(None)?;
    stages::wait_for_messages(&mut load, trial.messages / 2)?;
    trial.fail_syncs(true)?;
    let mut client = trial.connect()?;
    if !until_online(trial, &mut client, false)? {
        trial.problems.push("a failing sync did not take the page set offline".to_owned());
        return Ok(());
    }
    trial.did(format!("syncs of page set {FAILING} fail: it is offline, the load goes on"));
    let reached = stages::wait_for_messages(&mut load, 0)?;
    stages::wait_for_messages(&mut load, reached + trial.messages / 4)?;
    trial.fail_syncs(false)?;
    trial.mqsc(&mut client, &format!("START PSID({FAILING})"))?;
    if !until_online(trial, &mut client, true)? {
        trial.problems.push("START PSID did not bring the page set back".to_owned());
        return Ok(());
    }
    trial.did(format!("repaired, START PSID({FAILING}): it is online again"));
    drop(client);
    let reached = stages::wait_for_messages(&mut load, 0)?;
    stages::wait_for_messages(&mut load, reached + trial.messages / 4)?;
    trial.kill()?;
    stages::end_load(&mut load)?;
    trial.prove()
}

/// Waits until the page set is online, or offline; the log is archived now and then, so that checkpoints write and sync pages.
fn until_online(trial: &Trial<'_>, client: &mut Client, wanted: bool) -> Result<bool, Failure> {
    let since = Instant::now();
    while since.elapsed() < GROWTH {
        let Reply::Usage(usage) = client.call(&Request::Usage).map_err(Failure::of)? else {
            return Err(Failure::refused("HWT705E", "unexpected answer to USAGE"));
        };
        if usage.page_sets.iter().any(|set| set.page_set.number() == FAILING && set.online == wanted) {
            return Ok(true);
        }
        if !wanted {
            // A checkpoint comes with each switch; that the next data set is busy just now does not matter.
            let _ = trial.mqsc(client, "ARCHIVE LOG");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(false)
}

/// Killed while a page set grows, until one is caught with pages beyond those in use; they are used by the next growth.
pub(super) fn interrupted_expansion(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(SMALL)?;
    let mut caught = None;
    for attempt in 1..=ATTEMPTS {
        if attempt > 1 {
            trial.start()?;
        }
        let before = lengths(trial)?;
        let mut load = trial.begin_load(None)?;
        let since = Instant::now();
        while lengths(trial)? == before {
            if since.elapsed() > GROWTH {
                trial.problems.push("no page set has grown".to_owned());
                return Ok(());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        trial.kill()?;
        stages::end_load(&mut load)?;
        caught = unused_tail(trial)?;
        if caught.is_some() {
            break;
        }
    }
    let Some((page_set, pages)) = caught else {
        trial.problems.push(format!("no expansion was caught in its middle by {ATTEMPTS} kills"));
        return Ok(());
    };
    let (used, all) = extent(trial, page_set)?;
    trial.did(format!("killed while page set {page_set} grew: {pages} pages behind the {used} in use"));
    trial.start()?;
    trial.audit()?;
    for _ in 0..ATTEMPTS {
        trial.load()?;
        if extent(trial, page_set)?.1 > all {
            break;
        }
    }
    trial.audit()?;
    trial.stop()?;
    let (now_used, now_all) = extent(trial, page_set)?;
    trial.expect(now_all <= all || now_used >= all, || {
        format!("page set {page_set} has grown to {now_all} pages, and only {now_used} are in use: the tail was left out")
    });
    trial.did(if now_all > all {
        format!("grown again, to {now_used} pages in use: the tail and a new extent")
    } else {
        format!("{now_used} pages in use")
    });
    Ok(())
}

fn sets(trial: &Trial<'_>) -> Result<Vec<PageSetId>, Failure> {
    Ok(trial.bsds()?.page_sets.iter().map(|set| set.page_set).collect())
}

fn lengths(trial: &Trial<'_>) -> Result<Vec<u64>, Failure> {
    let length = |set| std::fs::metadata(page_set_path(&trial.dir(), set)).map(|found| found.len());
    sets(trial)?.into_iter().map(length).collect::<Result<_, _>>().map_err(Failure::of)
}

/// Pages in use of a page set, and pages of its image.
fn extent(trial: &Trial<'_>, set: PageSetId) -> Result<(u64, u64), Failure> {
    let file = trial.storage.open(&page_set_path(&trial.dir(), set), OpenMode::Read).map_err(Failure::of)?;
    let mut page = vec![0; PAGE_SIZE];
    file.read_at(0, &mut page).map_err(Failure::of)?;
    let used = u64::from(page_zero::decode(&page).map_err(Failure::of)?.zero.pages_used);
    Ok((used, file.len().map_err(Failure::of)? / PAGE_SIZE as u64))
}

/// A page set whose image is longer than page zero says is in use, and how many pages longer.
fn unused_tail(trial: &Trial<'_>) -> Result<Option<(PageSetId, u64)>, Failure> {
    for set in sets(trial)? {
        let (used, all) = extent(trial, set)?;
        if all > used {
            return Ok(Some((set, all - used)));
        }
    }
    Ok(None)
}
