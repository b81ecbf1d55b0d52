//! The harness of the crash tests sees every mistake that can be planted in the log manager.
#![cfg(feature = "planted-defects")]

mod site;

use std::panic::{AssertUnwindSafe, catch_unwind};

use engine_storage::FaultRates;
use engine_storage::planted::{Defect, plant};
use site::run::Run;

/// Whether the run of `seed` finds something wrong.
fn caught(seed: u64, defect: Defect) -> bool {
    let round = || -> Result<(), String> {
        if defect == Defect::CutIgnoredInCi {
            // A run that cuts the log is another one than a run that crashes; it knows no more of the mistake.
            plant(Some(defect));
            return site::cuts::run(seed).map(drop);
        }
        if matches!(defect, Defect::StoppedCopyForgotten | Defect::ArchiveNotReadBack) {
            // So is one in which a copy fails and comes back.
            plant(Some(defect));
            return site::failing_copies::run(seed).map(drop);
        }
        plant(None);
        let mut run = Run::new(seed, seed.is_multiple_of(2));
        plant(Some(defect));
        for round in 0..8 {
            run.storage.control().set_rates(FaultRates::default());
            let mut log = run.start().map_err(|error| error.to_string())?;
            if defect == Defect::SyncRetried {
                let only = Some("LOGCOPY".to_owned());
                let rates = FaultRates { sync_error: 60_000, only, ..FaultRates::default() };
                run.storage.control().set_rates(rates);
            }
            let _ = run.work(&mut log, 250);
            if defect == Defect::BsdsCopiesAlternate {
                // Either copy of the BSDS may be lost at any time.
                let lost = site::dir().join(format!("BSDS0{}", 1 + round % 2));
                run.storage.shared().remove(&lost).map_err(|error| error.to_string())?;
            }
            if round % 3 == 0 { run.storage.control().kill() } else { run.storage.crash() }
        }
        run.storage.control().set_rates(FaultRates::default());
        run.start().map(drop).map_err(|error| error.to_string())
    };
    !matches!(catch_unwind(AssertUnwindSafe(round)), Ok(Ok(())))
}

#[test]
fn every_planted_defect_is_caught() {
    std::panic::set_hook(Box::new(|_| {}));
    let defects = [
        Defect::EarlyReusable,
        Defect::BsdsCopiesAlternate,
        Defect::OldBytesChangedInCi,
        Defect::SyncRetried,
        Defect::AcknowledgedBeforeSync,
        Defect::StaleCiAccepted,
        Defect::CutIgnoredInCi,
        Defect::StoppedCopyForgotten,
        Defect::ArchiveNotReadBack,
    ];
    let mut missed = Vec::new();
    for defect in defects {
        match (0..1000).find(|&seed| caught(seed, defect)) {
            Some(seed) => println!("{defect}: seed {seed}"),
            None => missed.push(defect),
        }
    }
    plant(None);
    let _ = std::panic::take_hook();
    assert!((0..40).all(|seed| !caught_honest(seed)), "an honest run was accused");
    assert!((0..10).all(|seed| site::cuts::run(seed).is_ok()), "an honest run of cuts was accused");
    assert!(
        (0..20).all(|seed| site::failing_copies::run(seed).is_ok()),
        "honest failing copies were accused"
    );
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

/// The same run without a mistake, one copy of the BSDS lost now and then.
fn caught_honest(seed: u64) -> bool {
    let mut run = Run::new(seed, seed.is_multiple_of(2));
    for round in 0..8 {
        let Ok(mut log) = run.start() else { return true };
        let _ = run.work(&mut log, 250);
        let lost = site::dir().join(format!("BSDS0{}", 1 + round % 2));
        run.storage.shared().remove(&lost).unwrap();
        run.storage.crash();
    }
    run.start().is_err()
}
