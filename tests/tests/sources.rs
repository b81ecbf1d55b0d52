//! House rules that can be read off the source text.

use house::tree::{Source, sources};

const FOLDERS: [&str; 6] = ["formats", "tools", "tests", "benches", "testdata", "fuzz"];

fn rust(folders: &[&str]) -> Vec<Source> {
    folders.iter().flat_map(|folder| sources(folder, &[".rs"])).collect()
}

/// Fails with all places that `wrong` names.
#[track_caller]
fn none(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

fn shipped(folders: &[&str], is_wrong: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in rust(folders) {
        for (number, line) in source.shipped_lines() {
            if is_wrong(&source, line) {
                wrong.push(format!("{}:{number}: {}", source.name, line.trim()));
            }
        }
    }
    wrong
}

#[test]
fn formats_deny_what_could_panic_on_input() {
    let denied = "#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]";
    let libraries = rust(&["formats"]);
    let libraries: Vec<_> = libraries.iter().filter(|source| source.name.ends_with("src/lib.rs")).collect();
    assert!(libraries.len() >= 9, "{}", libraries.len());
    let without = libraries.iter().filter(|source| !source.text.lines().any(|line| line == denied));
    none("every format denies it", &without.map(|source| source.name.clone()).collect::<Vec<_>>());
}

#[test]
fn a_file_has_at_most_600_lines() {
    let long: Vec<_> = rust(&FOLDERS)
        .iter()
        .map(|source| (source.text.lines().count(), &source.name))
        .filter(|(lines, _)| *lines > 600)
        .map(|(lines, name)| format!("{name}: {lines} lines"))
        .collect();
    none("a file has one subject; near 600 lines it becomes two", &long);
}

#[test]
fn lines_fit_a_screen() {
    let mut wide = Vec::new();
    for source in rust(&FOLDERS) {
        for (index, line) in source.text.lines().enumerate() {
            // A message is one literal, which no formatter can break.
            if line.len() > 140 && !line.contains('"') && !line.contains("//! |") {
                wide.push(format!("{}:{}: {} columns", source.name, index + 1, line.len()));
            }
        }
    }
    none("at most 140 columns", &wide);
}

#[test]
fn sources_are_ascii() {
    let mut odd = Vec::new();
    for folder in FOLDERS.iter().chain(&["docs", ".ci"]) {
        for source in sources(folder, &[".rs", ".toml", ".md", ".sh", "run", ".trycmd", ".toml"]) {
            for (index, line) in source.text.lines().enumerate() {
                if !line.is_ascii() {
                    odd.push(format!("{}:{}: {line}", source.name, index + 1));
                }
            }
        }
    }
    none("ASCII only", &odd);
}

#[test]
fn names_say_the_subject() {
    let vague = ["util", "utils", "helper", "helpers", "common", "misc", "stuff"];
    let wrong: Vec<_> = rust(&FOLDERS)
        .into_iter()
        .map(|source| source.name)
        .filter(|name| name.split('/').any(|part| vague.contains(&part.trim_end_matches(".rs"))))
        .collect();
    none("a file is named for its subject", &wrong);
}

/// Words of the place where the code was written mean nothing where it is read.
#[test]
fn nothing_speaks_of_the_workplace() {
    let words = [
        "/work/",
        "../shared",
        "brief.md",
        "design.md",
        "crates.io",
        "issue #",
        "this issue",
        "Claude",
        "LLM",
    ];
    let mut wrong = Vec::new();
    for source in ["formats", "tools", "benches", "testdata", "fuzz", "docs", ".ci"]
        .iter()
        .flat_map(|folder| sources(folder, &[".rs", ".toml", ".md", ".sh", "run", ".trycmd"]))
    {
        for (index, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                wrong.push(format!("{}:{}: '{word}'", source.name, index + 1));
            }
        }
    }
    none("no words of the workplace", &wrong);
}

#[test]
fn every_file_says_what_it_is_about() {
    let silent: Vec<_> = rust(&FOLDERS)
        .into_iter()
        .filter(|source| !source.text.starts_with("//!") && !source.text.starts_with("#!"))
        .map(|source| source.name)
        .collect();
    none("a file begins with //! and its subject", &silent);
}

/// Formats turn bytes into values: they have no files, no clock and no threads.
#[test]
fn formats_touch_nothing_but_bytes() {
    let reaches = [
        "std::fs",
        "std::net",
        "std::thread",
        "std::env",
        "std::process",
        "SystemTime",
        "Instant::",
        "::now()",
    ];
    let wrong = shipped(&["formats"], |_, line| reaches.iter().any(|reach| line.contains(reach)));
    none("formats have no files, clock or threads", &wrong);
}

#[test]
fn formats_never_panic_on_purpose() {
    let panics = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
    let wrong = shipped(&["formats"], |_, line| panics.iter().any(|panic| line.contains(panic)));
    none("formats return errors", &wrong);
}

/// What is printed goes through writers that are given: the macros panic on a closed pipe, and hide where output comes from.
#[test]
fn nobody_prints_past_the_writers() {
    let prints = ["println!(", "print!(", "eprintln!(", "eprint!(", "process::exit("];
    let wrong = shipped(&["formats", "tools"], |_, line| {
        prints.iter().any(|print| line.contains(print)) && !line.contains("writeln!(")
    });
    none("no printing macros and no early exit", &wrong);
}

/// Library code leaves decisions to its callers: no panic there either, but for broken promises of the code itself, which say so.
#[test]
fn the_engine_does_not_unwrap() {
    let wrong = shipped(&["tools"], |_, line| line.contains(".unwrap()"));
    none("an error is returned, or expect(\"why it cannot be\") says why not", &wrong);
}

#[test]
fn a_main_is_a_door_and_no_room() {
    let mut wrong = Vec::new();
    for source in sources("tools/programs", &["/src/main.rs"]) {
        let lines = source.shipped_lines().filter(|(_, line)| !line.trim().is_empty()).count();
        if lines > 30 {
            wrong.push(format!("{}: {lines} lines of code", source.name));
        }
    }
    none("main.rs only opens the program", &wrong);
}

/// A byte layout stands in one place: eye-catchers are written down in formats and nowhere else.
#[test]
fn eye_catchers_stand_in_formats() {
    let mut known = Vec::new();
    for source in rust(&["formats"]) {
        for (_, line) in source.shipped_lines() {
            let names = ["MAGIC", "EYE"].iter().any(|word| line.contains(word));
            if let Some(text) = line.split("b\"").nth(1).and_then(|rest| rest.split('"').next())
                && names
                && text.len() >= 4
            {
                known.push(text.to_owned());
            }
        }
    }
    assert!(known.len() >= 3, "the formats have eye-catchers: {known:?}");
    let wrong = shipped(&["tools"], |_, line| known.iter().any(|text| line.contains(text.as_str())));
    none("programs and engine parse no bytes", &wrong);
}

#[test]
fn tests_that_are_not_run_are_not_there() {
    let manifests: Vec<Source> = ["formats", "tools", "tests", "testdata"]
        .iter()
        .flat_map(|folder| sources(folder, &["Cargo.toml"]))
        .collect();
    assert!(manifests.len() > 30, "{}", manifests.len());
    let mut wrong = Vec::new();
    for manifest in &manifests {
        let crate_folder = manifest.name.trim_end_matches("Cargo.toml");
        let own: Vec<_> = sources(&format!("{crate_folder}src"), &[".rs"]);
        for source in &own {
            let unit_test = source.text.lines().any(|line| line.trim() == "#[test]");
            if unit_test && manifest.text.contains("\ntest = false") {
                wrong.push(format!("{}: its manifest says that it has no unit tests", source.name));
            }
            let mut inside = false;
            for (index, line) in source.text.lines().enumerate() {
                let Some(fence) = line
                    .trim()
                    .strip_prefix("//")
                    .and_then(|line| line.trim_start_matches(['/', '!']).trim().strip_prefix("```"))
                else {
                    continue;
                };
                inside = !inside;
                if inside && matches!(fence, "" | "rust") && manifest.text.contains("\ndoctest = false") {
                    wrong.push(format!("{}:{}: an example that is not run", source.name, index + 1));
                }
            }
        }
    }
    none("tests are run", &wrong);
}
