//! Listings of two hundred queue managers, and one of a million rows: time and memory from process start to the answer, beside an awk
//! script of the kind that sites keep, which lists the archives below an RBA and checks nothing.
//! Not run unless asked for: `cargo test --release -p prunelog --test large_sites -- --ignored --nocapture`.

mod host;
mod measure;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use host::{Archive, Host, HostPoint};
use measure::measure;

const SIZE: u64 = 0x1_0000;

/// A queue manager with so many archives in each of two copies, and one point over the middle of them.
fn queue_manager(number: u64, archives: u64) -> Host {
    let name = format!("Q{number:03}");
    let end = archives * SIZE;
    let archive = |copy: u64, place: u64| Archive {
        name: format!("ARC{copy}.{name}.ARCHLOG{copy}.A{place:07}"),
        volumes: vec![(format!("V{copy}{:04}", place % 10_000), place * SIZE, (place + 1) * SIZE - 1)],
        disk: true,
    };
    let active =
        |copy: u64| vec![(format!("{name}.LOGCOPY{copy}.DS01"), end, end + SIZE - 1, "NOT REUSABLE")];
    let middle = archives / 2 * SIZE;
    Host {
        named: true,
        digits: 16,
        archives: [1, 2].map(|copy| (0..archives).map(|place| archive(copy, place)).collect()),
        actives: [1, 2].map(active),
        written: end + 0x800,
        offloaded: end - 1,
        checkpoints: (0..100).map(|back| end - back * 0x1000).collect::<Vec<_>>().into_iter().rev().collect(),
        points: vec![HostPoint {
            name: "P0".to_owned(),
            online: middle,
            with_offline: middle,
            end: middle + 0xFFF,
            day: 1,
        }],
        online: end + 0x100,
        with_offline: end + 0x100,
        unit: None,
        page_sets: 1,
        name,
    }
}

/// The fastest of three runs of the plan, and of the script.
fn compare(what: &str, ledger: &Path, listing: &Path, limit: Duration) {
    let plan = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prunelog"));
        command.args(["plan", "--keep-last", "1", "--ledger"]).arg(ledger).arg("--listing").arg(listing);
        measure(&mut command)
    };
    let script =
        format!(r#"/DSN=.*ARCHLOG/ && $3 < "{:016X}" {{ sub("DSN=", "", $6); print $6 }}"#, 500 * SIZE);
    let awk = || measure(Command::new("awk").arg(&script).arg(listing)).0;
    let plans = [plan(), plan(), plan()];
    assert!(plans.iter().all(|(_, _, code)| matches!(code, Some(0 | 4))), "{plans:?}");
    let (took, peak, _) = plans.into_iter().min().unwrap();
    let scripts = [awk(), awk(), awk()].into_iter().min().unwrap();
    println!(
        "{what}: {:.2} s, {} MiB for {} MB; awk {:.2} s: ratio {:.2}",
        took.as_secs_f64(),
        peak / 1024,
        fs::metadata(listing).unwrap().len() / 1_000_000,
        scripts.as_secs_f64(),
        took.as_secs_f64() / scripts.as_secs_f64()
    );
    assert!(took < limit, "{what} took {took:?}, and {limit:?} is wanted");
}

#[test]
#[ignore = "takes a while, and says something of a release build on a quiet machine alone"]
fn large_sites_are_planned_in_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, listing) = (dir.path().join("ledger.json"), dir.path().join("listing.txt"));
    for (what, queue_managers, archives, limit) in [
        ("200 queue managers of 2 x 1,000 archives", 200, 1_000, 5),
        ("a million rows of one queue manager", 1, 500_000, 3),
    ] {
        let hosts: Vec<Host> = (0..queue_managers).map(|number| queue_manager(number, archives)).collect();
        let text: String = hosts.iter().map(|host| host.map() + &host.usage()).collect();
        fs::write(&listing, text).unwrap();
        fs::write(&ledger, Host::ledger(&hosts.iter().collect::<Vec<_>>())).unwrap();
        compare(what, &ledger, &listing, Duration::from_secs(limit));
    }
}
