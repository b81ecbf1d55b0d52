//! A run in which one copy of the log fails at any time, archives are written wrongly and say that all is well, and after each crash
//! the other copy is tried to be done without.

use std::path::PathBuf;

use engine_log::{LogManager, LogReader};
use engine_storage::FaultRates;

use super::run::Run;
use super::{NOW, dir, numbers};

/// How often each outcome was seen.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) single_modes: u64,
    /// The copy that had failed was known to be short.
    pub(crate) refused: u64,
    /// It was whole again, or had never failed.
    pub(crate) whole: u64,
    /// Wrong writes of archives.
    pub(crate) wrong_writes: u64,
}

/// The run of `seed`, or what was wrong in it. Half of the runs have single copies, where only archives fail.
pub(crate) fn run(seed: u64) -> Result<Seen, String> {
    let dual = !seed.is_multiple_of(4);
    let mut run = Run::new(seed, dual);
    let victim = 1 + seed % 2;
    let control = run.storage.control();
    let mut seen = Seen::default();
    for round in 0..8 {
        control.set_rates(FaultRates::default());
        control.set_lasting(FaultRates::default());
        let mut log = run.start().map_err(|error| format!("round {round}: {error}"))?;
        control.set_lasting(FaultRates {
            silent_write: 400_000,
            only: Some("ARCHLOG".to_owned()),
            ..FaultRates::default()
        });
        if dual {
            control.set_rates(FaultRates {
                sync_error: 60_000,
                write_error: 20_000,
                only: Some(format!("LOGCOPY{victim}")),
                ..FaultRates::default()
            });
        }
        run.work(&mut log, 250).map_err(|error| format!("round {round}: {error}"))?;
        drop(log);
        control.set_rates(FaultRates::default());
        control.set_lasting(FaultRates::default());
        if round % 3 == 0 {
            control.kill();
        } else {
            control.crash();
        }
        if dual {
            let image = control.image();
            if without_the_good_copy(&run, victim)? {
                seen.whole += 1;
            } else {
                seen.refused += 1;
            }
            control.put_back(&image);
        }
    }
    run.start().map_err(|error| error.to_string())?;
    seen.single_modes = run.single_modes;
    seen.wrong_writes = control.counters().silent_writes;
    Ok(seen)
}

/// Whether the log opens without the copy that never failed. Then all that was acknowledged must be in it; else no file may have been
/// changed.
fn without_the_good_copy(run: &Run, victim: u64) -> Result<bool, String> {
    let storage = run.storage.shared();
    for number in 1..=3 {
        let name: PathBuf = dir().join(format!("LOGCOPY{}.DS0{number}", 3 - victim));
        storage.remove(&name).map_err(|error| error.to_string())?;
    }
    let before = run.storage.control().image();
    let Ok(log) = LogManager::open(&storage, &dir(), NOW) else {
        let changed = before.differences(&run.storage.control().image(), &dir());
        return if changed.is_empty() { Ok(false) } else { Err(format!("refused, and changed {changed:?}")) };
    };
    let reader = LogReader::open(&storage, &dir()).map_err(|error| error.to_string())?;
    let found = numbers(&reader, log.synced()).map_err(|error| error.to_string())?;
    if found.len() < run.acknowledged || found[..] != run.appended[..found.len()] {
        return Err(format!("{} records, {} were acknowledged", found.len(), run.acknowledged));
    }
    Ok(true)
}
