//! Power cuts, kills, failed and lost writes, at any moment: what was acknowledged is there, in order, and nothing else.

mod site;

use engine_log::LogError;
use engine_storage::FaultRates;
use site::run::Run;
use site::*;

#[test]
fn acknowledged_records_survive_power_cuts_and_kills() {
    let (mut starts, mut switches, mut offloads, mut kept, mut lost, mut torn) = (0, 0, 0, 0, 0, 0);
    for seed in 0..80 {
        let mut run = Run::new(seed, seed % 2 == 0);
        for _ in 0..6 {
            let mut log = run.start().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let steps = run.random.below(250);
            run.work(&mut log, steps).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            if run.random.below(3) == 0 { run.storage.control().kill() } else { run.storage.crash() }
        }
        run.start().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let counters = run.storage.control().counters();
        kept += counters.kept_writes;
        lost += counters.lost_writes;
        torn += counters.torn_writes;
        (starts, switches, offloads) =
            (starts + run.starts, switches + run.switches, offloads + run.offloads);
    }
    for (what, count) in [
        ("starts", starts),
        ("switches", switches),
        ("offloads", offloads),
        ("kept writes", kept),
        ("lost writes", lost),
        ("torn writes", torn),
    ] {
        assert!(count > 20, "{count} {what}");
    }
}

#[test]
fn every_operation_of_a_short_run_may_be_the_last() {
    for dual in [false, true] {
        for seed in 0..2 {
            let mut operation = 0;
            loop {
                let mut run = Run::new(seed, dual);
                let control = run.storage.control();
                operation += 1;
                control.stop_at(Some(control.operations() + operation));
                // Also the start itself, and the one after.
                for _ in 0..2 {
                    if let Ok(mut log) = run.start() {
                        let _ = run.work(&mut log, 120);
                    }
                }
                let stopped = control.stopped();
                if run.random.below(2) == 0 {
                    control.crash();
                } else {
                    control.kill();
                }
                if !stopped {
                    break;
                }
                let told = |error| panic!("seed {seed} dual {dual} operation {operation}: {error}");
                let mut log = run.start().unwrap_or_else(told);
                run.work(&mut log, 20).unwrap_or_else(|error| panic!("operation {operation}: {error}"));
            }
            assert!(operation > 30, "{operation} operations");
        }
    }
}

#[test]
fn a_failed_sync_of_the_only_copy_ends_the_log_and_loses_nothing() {
    let mut failures = 0;
    for seed in 0..60 {
        let mut run = Run::new(seed, false);
        for round in 0..6 {
            run.storage.control().set_rates(FaultRates::default());
            let mut log = run.start().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let only = Some("LOGCOPY1".to_owned());
            run.storage.control().set_rates(FaultRates {
                sync_error: 60_000,
                write_error: 10_000,
                only,
                ..FaultRates::default()
            });
            if let Err(error) = run.work(&mut log, 200) {
                assert!(matches!(error, LogError::CopiesLost(_)), "seed {seed}: {error}");
                assert!(matches!(log.sync_now(), Err(LogError::Ended(_))), "a log that failed goes on");
                assert!(append(&mut log, 0, 100).is_err());
                failures += 1;
            }
            drop(log);
            // The machine may run on: what the failed sync left in the system's cache is trusted by nobody.
            if round % 2 == 0 { run.storage.control().kill() } else { run.storage.crash() }
        }
        run.storage.control().set_rates(FaultRates::default());
        run.start().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(failures > 50, "{failures} failures");
}

#[test]
fn one_copy_may_fail_and_comes_back() {
    let mut single_modes = 0;
    for seed in 0..60 {
        let mut run = Run::new(seed, true);
        let victim = if seed % 2 == 0 { "LOGCOPY1" } else { "LOGCOPY2" };
        for round in 0..6 {
            run.storage.control().set_rates(FaultRates::default());
            let mut log = run.start().unwrap_or_else(|error| panic!("seed {seed} round {round}: {error}"));
            assert_eq!(log.bsds().copy_stopped, [None, None], "seed {seed}: dual mode did not resume");
            let only = Some(victim.to_owned());
            let rates = FaultRates { sync_error: 80_000, write_error: 20_000, only, ..FaultRates::default() };
            run.storage.control().set_rates(rates);
            run.work(&mut log, 200).unwrap_or_else(|error| panic!("seed {seed} round {round}: {error}"));
            if run.random.below(3) == 0 { run.storage.control().kill() } else { run.storage.crash() }
        }
        run.storage.control().set_rates(FaultRates::default());
        run.start().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        single_modes += run.single_modes;
    }
    assert!(single_modes > 50, "{single_modes} times in single mode");
}

#[test]
fn one_bsds_copy_may_fail_and_comes_back() {
    for seed in 0..40 {
        let mut run = Run::new(seed, true);
        for round in 0..5 {
            run.storage.control().set_rates(FaultRates::default());
            let mut log = run.start().unwrap_or_else(|error| panic!("seed {seed} round {round}: {error}"));
            let only = Some(format!("BSDS0{}", 1 + seed % 2));
            run.storage.control().set_rates(FaultRates {
                sync_error: 200_000,
                write_error: 100_000,
                only,
                ..FaultRates::default()
            });
            run.work(&mut log, 150).unwrap_or_else(|error| panic!("seed {seed} round {round}: {error}"));
            run.storage.crash();
        }
    }
}

#[test]
fn archives_that_cannot_be_written_are_tried_again() {
    let mut failed = 0;
    for seed in 0..40 {
        let mut run = Run::new(seed, true);
        for round in 0..4 {
            run.storage.control().set_rates(FaultRates::default());
            let mut log = run.start().unwrap_or_else(|error| panic!("seed {seed} round {round}: {error}"));
            let only = Some("ARCHLOG".to_owned());
            let rates = FaultRates {
                sync_error: 300_000,
                write_error: 200_000,
                name_error: 200_000,
                read_error: 200_000,
                only,
                ..FaultRates::default()
            };
            run.storage.control().set_rates(rates);
            run.work(&mut log, 250).unwrap_or_else(|error| panic!("seed {seed} round {round}: {error}"));
            failed += log.offload_failures();
            run.storage.crash();
        }
        run.storage.control().set_rates(FaultRates::default());
        let mut log = run.start().unwrap();
        offload(&mut log);
        assert_eq!(log.full_logs().0, 0);
    }
    assert!(failed > 20, "{failed} failures");
}
