//! What the documentation shows is what the program prints.

mod site;
#[path = "../../../operations/retention/testing/story.rs"]
mod story;

use std::fs;
use std::path::{Path, PathBuf};

use site::prunelog;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_example_is_the_story_at_t5() {
    assert_eq!(read("docs/retention-example.json"), story::STEPS[4].document());
}

#[test]
fn what_is_shown_is_printed() {
    let example = root().join("docs/retention-example.json");
    let mut shown = 0;
    for page in ["docs/retention.md", "README.md"] {
        let text = read(page);
        for block in text.split("\n$ prunelog ").skip(1).filter_map(|rest| rest.split("```").next()) {
            let (line, printed) = block.split_once('\n').unwrap();
            let (line, lines) = line.split_once(" | head -n ").unwrap_or((line, "1000"));
            let line = line.replace("docs/retention-example.json", "retention-example.json").replace('"', "");
            let arguments: Vec<String> = line
                .split(' ')
                .map(|word| match word {
                    "retention-example.json" => example.to_string_lossy().into_owned(),
                    other => other.to_owned(),
                })
                .collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let said = prunelog(&arguments);
            assert!(said.code <= 4, "{page}: {line}: {}", said.err);
            let out: Vec<&str> = said.out.lines().take(lines.parse().unwrap()).collect();
            assert_eq!(out, printed.lines().collect::<Vec<_>>(), "{page}: {line}");
            shown += 1;
        }
    }
    assert!(shown >= 4, "only {shown} commands are shown");
}

/// Every option of the help is described.
#[test]
fn every_part_of_a_policy_is_described() {
    let page = read("docs/retention.md") + &read("docs/real-sites.md");
    let help = prunelog(&["plan", "--help"]).out;
    let options = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    let names = options.filter_map(|rest| rest.split([' ', '\n']).next());
    let common = ["json", "fail-on", "timeout", "inventory"];
    for name in names.filter(|name| !common.contains(name)) {
        assert!(
            page.contains(&format!("`--{name}")),
            "neither docs/retention.md nor docs/real-sites.md describes --{name}"
        );
    }
}
