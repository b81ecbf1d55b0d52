//! Arrows run down only: who may depend on whom, over `cargo metadata`.

use std::collections::HashMap;

use house::tree::{self, Member};

/// A floor of the house. Crates of one floor do not see each other unless `sees` says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    Types,
    Formats,
    /// Inside the engine each room has its own floor, in this order.
    Engine(usize),
    Operations,
    Console,
    Programs,
    /// Tests, benchmarks and the damage zoo look at everything and nobody looks at them.
    Outside,
}

/// The rooms of the engine, lowest first.
const ENGINE: [&str; 6] = ["storage", "log", "page-store", "recovery", "coupling-facility", "queue-manager"];

fn floor(member: &Member) -> Floor {
    let parts: Vec<&str> = member.folder.split('/').collect();
    match *parts.as_slice() {
        ["formats", "types"] => Floor::Types,
        ["formats", _] => Floor::Formats,
        ["tools", "engine", room] => {
            let place = ENGINE.iter().position(|known| *known == room);
            Floor::Engine(place.unwrap_or_else(|| panic!("tools/engine/{room} has no place in the order")))
        }
        ["tools", "operations", _] => Floor::Operations,
        ["tools", "programs", "console"] => Floor::Console,
        ["tools", "programs", _] => Floor::Programs,
        ["tests" | "benches" | "testdata"] => Floor::Outside,
        _ => panic!("{} stands in no room of the house", member.folder),
    }
}

/// Arrows between two operations: a recovery point is made by copying, a plan is applied only after retention has decided it anew, and
/// nothing else is built on a neighbour.
const NEIGHBOURS: [(&str, &str); 2] =
    [("operation-points", "operation-copy"), ("operation-inventory", "operation-retention")];

#[test]
fn arrows_run_down_only() {
    let members = tree::members();
    let floors: HashMap<&str, Floor> = members.iter().map(|m| (m.name.as_str(), floor(m))).collect();
    let mut wrong = Vec::new();
    for member in &members {
        let from = floors[member.name.as_str()];
        for other in &member.dependencies {
            let Some(&to) = floors.get(other.as_str()) else { continue };
            let neighbour = NEIGHBOURS.contains(&(member.name.as_str(), other.as_str()));
            let allowed = match (from, to) {
                (Floor::Outside, to) => to != Floor::Programs,
                (Floor::Console | Floor::Programs, to) => to < Floor::Programs && to < from,
                (_, Floor::Console) => false,
                (from, to) => to < from || neighbour,
            };
            if !allowed {
                wrong.push(format!("{} ({from:?}) must not see {other} ({to:?})", member.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What decides about deletions is held against prints and documents alone: no storage, no engine, no clock behind it.
#[test]
fn what_decides_about_deletions_sees_formats_alone() {
    let members = tree::members();
    let floors: HashMap<&str, Floor> = members.iter().map(|m| (m.name.as_str(), floor(m))).collect();
    for name in ["operation-retention", "operation-jobs"] {
        let member = members.iter().find(|member| member.name == name);
        let member = member.unwrap_or_else(|| panic!("{name} is gone"));
        let above = |other: &&String| floors.get(other.as_str()).is_some_and(|floor| *floor > Floor::Formats);
        let wrong: Vec<_> = member.dependencies.iter().filter(above).collect();
        assert!(wrong.is_empty(), "{name} must see formats alone, not {wrong:?}");
    }
}

#[test]
fn packages_carry_their_floor_in_their_names() {
    for member in tree::members() {
        let room = member.folder.rsplit('/').next().unwrap_or_default();
        let wanted = match floor(&member) {
            Floor::Types | Floor::Formats => format!("format-{room}"),
            Floor::Engine(_) => format!("engine-{room}"),
            Floor::Operations => format!("operation-{room}"),
            Floor::Console | Floor::Programs => room.to_owned(),
            Floor::Outside => continue,
        };
        assert_eq!(member.name, wanted, "the package in {}", member.folder);
    }
}

/// What a floor must not be built with: formats have no command lines, threads or clocks; dates, tables, progress and loose errors
/// belong to the edge.
#[test]
fn outside_crates_stay_on_their_floors() {
    let at_the_edge_only = ["clap", "indicatif", "comfy-table", "anyhow", "trycmd", "assert_cmd"];
    let never_in_formats = ["rayon", "rustix", "memmap2", "tempfile", "criterion"];
    let mut wrong = Vec::new();
    for member in tree::members() {
        let floor = floor(&member);
        for other in &member.dependencies {
            let other = other.as_str();
            let formats = floor <= Floor::Formats;
            if floor < Floor::Console && at_the_edge_only.contains(&other)
                || formats && never_in_formats.contains(&other)
            {
                wrong.push(format!("{} must not be built with {other}", member.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reference that retention is held against in the simulation is another opinion only as long as it shares nothing with what it judges.
#[test]
fn the_reference_of_retention_sees_the_record_format_alone() {
    let path = "tools/programs/simulate/src/reference.rs";
    let source = tree::sources("tools/programs/simulate", &["reference.rs"]);
    let reference =
        source.iter().find(|source| source.name == path).unwrap_or_else(|| panic!("{path} is gone"));
    let text = reference.text.replace("pub(crate)", "");
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let crates = ["format_", "engine_", "operation_", "crate", "super"];
    let seen: std::collections::BTreeSet<&str> =
        words.filter(|word| crates.iter().any(|floor| word.starts_with(floor))).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["format_log", "format_types"]);
}

/// Cargo builds a program for the tests of a workspace only when its package has integration tests; the suite-wide tests need all.
#[test]
fn every_program_has_tests_of_its_own() {
    let bare: Vec<_> = tree::members()
        .into_iter()
        .filter(|member| floor(member) == Floor::Programs && !member.has_tests)
        .map(|member| member.name)
        .collect();
    assert!(bare.is_empty(), "no tests/ beside: {bare:?}");
}
