//! The queue manager that is killed every few seconds.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use house::programs::{command, run};

use crate::choice::Choice;
use crate::doubt::Doubt;
use crate::progress::{Progress, Watched, count};
use crate::site::Site;

/// Page sets of the queue manager.
const PAGE_SETS: u64 = 4;

/// Starts, audits, loads and kills until told to stop; ends with an audit and a clean stop.
pub(crate) fn run_until_over(dir: &Path, seed: u64, small: bool, progress: &Progress, watched: &Watched) {
    let mut choice = Choice::new(seed);
    let mut site = Site::new(dir, small, progress);
    let mut doubt = Doubt::default();
    start(&mut site, &mut choice, progress, watched);
    Doubt::define(&site.owner);
    watched.set(None);
    site.owner.kill();
    while !progress.is_over() {
        start(&mut site, &mut choice, progress, watched);
        site.audit();
        doubt.check(&site.owner);
        doubt.go_on(&site.owner, &mut choice);
        site.end_epoch();
        let mut load = site.begin_load(600, choice.number());
        sleep(choice.time(1500));
        let point = choice.once_in(3).then(|| site.begin_point());
        sleep(Duration::from_millis(300) + choice.time(2500));
        watched.set(None);
        site.owner.kill();
        count(&progress.kills);
        load.wait().expect("the load notices");
        if let Some((child, point)) = point {
            site.end_point(child, point, false);
        }
        if site.epoch_is_over() && choice.once_in(2) {
            if let Some((point, rba)) = site.a_cut(choice.number()) {
                cut(&site, &point, rba, &mut choice, progress);
                start(&mut site, &mut choice, progress, watched);
                site.audit_to(rba);
                doubt.forget(&site.owner);
                site.empty();
                watched.set(None);
                site.owner.kill();
            }
        } else if choice.once_in(3) {
            recover(&site, &mut choice, progress);
        }
    }
    start(&mut site, &mut choice, progress, watched);
    site.audit();
    doubt.check(&site.owner);
    watched.set(None);
    site.owner.stop().done();
}

/// Recovers to a point in time; now and then that is killed and run again.
fn cut(site: &Site<'_>, point: &Path, rba: u64, choice: &mut Choice, progress: &Progress) {
    let rba = format!("{rba:016X}");
    let from = point.to_str().expect("a readable path");
    let arguments = [site.owner.name(), "--from", from, "--to-rba", &rba, "--accept-loss"];
    kill_some("recover", &arguments, choice, progress);
    run("recover", arguments).expect(0).done();
    count(&progress.cuts);
}

/// Begins a program and kills it, now and then, perhaps again and again.
fn kill_some<A: AsRef<OsStr>>(program: &str, arguments: &[A], choice: &mut Choice, progress: &Progress) {
    while choice.once_in(4) {
        let mut killed = command(program, arguments);
        let mut child = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        sleep(choice.time(400));
        child.kill().expect("a child can be killed");
        child.wait().expect("a child");
        count(&progress.kills);
    }
}

/// Starts it; now and then it is killed while it starts.
fn start(site: &mut Site<'_>, choice: &mut Choice, progress: &Progress, watched: &Watched) {
    kill_some("qmgr", &["start", site.owner.name(), "--foreground"], choice, progress);
    site.owner.start();
    watched.set(site.owner.pid());
}

/// Loses page sets, and gets them back from a recovery point; now and then the recovery is killed and run again.
fn recover(site: &Site<'_>, choice: &mut Choice, progress: &Progress) {
    let Some(point) = site.a_point(choice.number()).map(Path::to_owned) else { return };
    let lost = 1 + choice.number() % ((1 << PAGE_SETS) - 1);
    let page_sets: Vec<u64> = (0..PAGE_SETS).filter(|set| lost & 1 << set != 0).collect();
    for set in &page_sets {
        let path = site.owner.file(&format!("PSID{set:02}"));
        if choice.once_in(2) {
            fs::remove_file(path).expect("a page set is lost");
        } else {
            fs::write(path, b"ruined ".repeat(5000)).expect("a page set is ruined");
        }
    }
    let arguments = arguments(site, &point, &page_sets);
    kill_some("recover", &arguments, choice, progress);
    run("recover", &arguments).expect(0).done();
    count(&progress.recoveries);
}

fn arguments(site: &Site<'_>, point: &Path, page_sets: &[u64]) -> Vec<PathBuf> {
    let mut arguments = vec![site.owner.dir().to_owned(), "--from".into(), point.to_owned()];
    if page_sets.len() < PAGE_SETS as usize {
        arguments.extend(page_sets.iter().flat_map(|set| ["--psid".into(), format!("{set}").into()]));
    }
    arguments
}
