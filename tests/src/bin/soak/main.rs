//! Soak: hours of load, kills, recovery points and recoveries, watched for lost messages and for anything that grows.

mod args;
mod choice;
mod doubt;
mod gauge;
mod killed;
mod progress;
mod site;
mod steady;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread::{self, ScopedJoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use house::flat::{self, Minute};

use crate::args::Arguments;
use crate::gauge::Gauge;
use crate::progress::{Progress, Watched};

/// Samples of a minute.
const SAMPLES: u32 = 60;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 12 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs());
    let seed = arguments.seed.unwrap_or(clock);
    let (dir, temporary) = place(&arguments);
    println!("soak of {} minutes, seed {seed}, in {}", arguments.minutes, dir.display());
    let troubles = soak(&arguments, seed, &dir);
    for trouble in &troubles {
        println!("{trouble}");
    }
    if troubles.is_empty() {
        println!("clean: every audit, and nothing grows");
        if temporary {
            let _ = fs::remove_dir_all(&dir);
        }
        return ExitCode::SUCCESS;
    }
    println!("NOT CLEAN; what is left is in {}", dir.display());
    ExitCode::from(8)
}

/// The directory to work in, and whether it goes when all went well.
fn place(arguments: &Arguments) -> (PathBuf, bool) {
    match &arguments.dir {
        Some(dir) => {
            fs::create_dir_all(dir).expect("the directory can be made");
            (fs::canonicalize(dir).expect("it is there"), false)
        }
        None => (tempfile::Builder::new().prefix("soak-").tempdir().expect("a folder").keep(), true),
    }
}

/// What went wrong.
fn soak(arguments: &Arguments, seed: u64, dir: &std::path::Path) -> Vec<String> {
    let progress = Progress::default();
    let [killed, steady] = [Watched::default(), Watched::default()];
    thread::scope(|scope| {
        let workers = [
            ("the killed one", {
                let dir = dir.join("killed");
                let (progress, killed) = (&progress, &killed);
                scope.spawn(move || killed::run_until_over(&dir, seed, arguments.small, progress, killed))
            }),
            ("the steady one", {
                let dir = dir.join("steady");
                let (progress, steady) = (&progress, &steady);
                scope.spawn(move || steady::run_until_over(&dir, !seed, arguments, progress, steady))
            }),
        ];
        let lines = watch(arguments, &progress, [&killed, &steady], &workers);
        progress.stop.store(true, Ordering::Relaxed);
        let mut troubles = Vec::new();
        for (name, worker) in workers {
            if let Err(panic) = worker.join() {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                troubles.push(format!("{name}: {}", text.unwrap_or_default()));
            }
        }
        let counted = [
            &progress.kills,
            &progress.points,
            &progress.prunes,
            &progress.recoveries,
            &progress.cuts,
            &progress.audits,
        ];
        let [kills, points, prunes, recoveries, cuts, audits] =
            counted.map(|counter| counter.load(Ordering::Relaxed));
        let acknowledged = progress.acknowledged.load(Ordering::Relaxed);
        println!(
            "in all: {acknowledged} acknowledged, {kills} kills, {points} points, {prunes} prunes, {recoveries} recoveries, {cuts} cuts, {audits} audits"
        );
        if troubles.is_empty() {
            let [killed, steady] = lines;
            let grows = [("killed", flat::growth(&killed)), ("steady", flat::growth(&steady))];
            let grown = grows.into_iter().filter_map(|(name, why)| Some(format!("the {name} one: {}", why?)));
            troubles.extend(grown);
            if acknowledged == 0 || kills == 0 || points == 0 || prunes == 0 || audits == 0 {
                troubles.push("something never happened, so nothing is shown".to_owned());
            }
        }
        troubles
    })
}

type Workers<'scope> = [(&'static str, ScopedJoinHandle<'scope, ()>)];

/// Samples both queue managers and prints a line each minute until the time is over, or a worker has ended. The minutes of each.
fn watch(
    arguments: &Arguments,
    progress: &Progress,
    watched: [&Watched; 2],
    workers: &Workers<'_>,
) -> [Vec<Minute>; 2] {
    println!(
        "{:>6} {:>12} {:>6} {:>6} {:>6} {:>10} {:>5} {:>6} | killed: {:>8} {:>9} | steady: {:>8} {:>9} {:>11}",
        "minute",
        "acknowledged",
        "kills",
        "points",
        "prunes",
        "recoveries",
        "cuts",
        "audits",
        "RSS KiB",
        "peak KiB",
        "RSS KiB",
        "peak KiB",
        "descriptors"
    );
    let mut lines = [Vec::new(), Vec::new()];
    let ended = || workers.iter().any(|(_, worker)| worker.is_finished());
    // The first minute begins when both have come round once.
    while progress.descriptors.load(Ordering::Relaxed) == 0 && !ended() {
        sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    let mut gauges = [Gauge::default(), Gauge::default()];
    for minute in 1..=arguments.minutes {
        for sample in 1..=SAMPLES {
            let due = Duration::from_secs(arguments.minute);
            let due = due * (minute - 1) + due * sample / SAMPLES;
            sleep(due.saturating_sub(begun.elapsed()));
            for (gauge, watched) in gauges.iter_mut().zip(watched) {
                if let Some(pid) = watched.get() {
                    gauge.sample(pid);
                }
            }
            if ended() {
                return lines;
            }
        }
        let [(killed, killed_peak), (steady, steady_peak)] = gauges.each_mut().map(Gauge::minute);
        let number = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        println!(
            "{minute:>6} {:>12} {:>6} {:>6} {:>6} {:>10} {:>5} {:>6} |         {:>8} {killed_peak:>9} |         {:>8} {steady_peak:>9} {:>11}",
            number(&progress.acknowledged),
            number(&progress.kills),
            number(&progress.points),
            number(&progress.prunes),
            number(&progress.recoveries),
            number(&progress.cuts),
            number(&progress.audits),
            killed,
            steady,
            number(&progress.descriptors)
        );
        // Every few seconds the killed one is another process: its descriptors say nothing.
        lines[0].push(Minute { resident: killed, descriptors: 0 });
        lines[1].push(Minute { resident: steady, descriptors: number(&progress.descriptors) });
    }
    lines
}
