//! The cookbook works: every section of `docs/cookbook.md` is run in an empty directory, and every program that it uses matters to it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use house::programs::{self, run};
use house::tree;

/// Longest time that a section may take, for `timeout`.
const LONGEST: &str = "300";

/// A heading and all shell blocks below it, as one script.
struct Section {
    heading: String,
    script: String,
}

fn sections(document: &str) -> Vec<Section> {
    let below = |part: &str| -> Vec<String> {
        let blocks = part.split("```sh\n").skip(1);
        blocks.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
    };
    let parts = document.split("\n## ").skip(1).map(|part| {
        let heading = part.lines().next().unwrap_or_default().to_owned();
        Section { heading, script: below(part).concat() }
    });
    parts.filter(|section| !section.script.is_empty()).collect()
}

fn cookbook() -> Vec<Section> {
    let document = fs::read_to_string(tree::root().join("docs/cookbook.md")).expect("the cookbook is there");
    sections(&document)
}

/// Runs a script as the cookbook says, with `first` before everything else on PATH. What it printed is the error.
fn cook(script: &str, first: Option<&Path>) -> Result<(), String> {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let printed = scratch.path().join("printed");
    let kitchen = scratch.path().join("kitchen");
    fs::create_dir(&kitchen).expect("an empty folder");
    let old = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{old}", programs::folder().display());
    let path = first.map_or(path.clone(), |first| format!("{}:{path}", first.display()));
    // Into a file: a pipe would only end with the last process in the background.
    let out = File::create(&printed).expect("a file");
    let talk = out.try_clone().expect("a file has two handles");
    let status = Command::new("timeout")
        .args(["--kill-after", "10", LONGEST, "bash", "-eu", "-o", "pipefail", "-c", script])
        .env("PATH", path)
        .current_dir(&kitchen)
        .stdin(std::process::Stdio::null())
        .stdout(out)
        .stderr(talk)
        .status()
        .expect("'timeout' and 'bash' are there");
    stop_all(&kitchen);
    if status.success() {
        return Ok(());
    }
    Err(format!("{status}\n{}", fs::read_to_string(&printed).unwrap_or_default()))
}

/// Stops queue managers that a section left running, wherever it made them.
fn stop_all(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder").flatten().filter(|entry| entry.path().is_dir()) {
        if entry.path().join("SOCKET").exists() {
            let _ = run("qmgr", ["stop", &entry.path().to_string_lossy(), "--mode", "force"]);
        } else {
            stop_all(&entry.path());
        }
    }
}

#[test]
fn every_section_works() {
    let mut wrong = Vec::new();
    let sections = cookbook();
    assert!(sections.len() >= 2, "the cookbook says next to nothing");
    for section in &sections {
        if let Err(why) = cook(&section.script, None) {
            wrong.push(format!("{}: {why}", section.heading));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Our programs that a script calls. What follows an option is its value, whatever its name.
fn called(script: &str) -> BTreeSet<String> {
    let ours = tree::programs();
    let mut found = BTreeSet::new();
    for line in script.lines() {
        let mut before = "";
        for word in line.split_whitespace() {
            if !before.starts_with("--") {
                let parts = word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
                found.extend(parts.filter(|part| ours.iter().any(|name| name == part)).map(str::to_owned));
            }
            before = word;
        }
    }
    found
}

/// A section that goes well although one of its programs does nothing but fail would go well whatever happens.
#[test]
fn no_section_goes_well_when_a_program_of_it_fails() {
    let stubs = tempfile::tempdir().expect("a folder of stubs");
    let mut blind = Vec::new();
    for section in cookbook() {
        for program in called(&section.script) {
            let folder = stubs.path().join(&program);
            let stub = folder.join(&program);
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(&stub, "#!/bin/sh\nexit 12\n").expect("a stub");
            fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).expect("it can be run");
            if cook(&section.script, Some(&folder)).is_ok() {
                blind.push(format!("{}: does not notice that {program} fails", section.heading));
            }
        }
    }
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}

#[test]
fn a_broken_section_is_seen() {
    let planted = "# Cookbook\n\n## Broken\n\nText.\n\n```sh\nqmgr create QM1\nqmgr start QM1\n```\n\nThen:\n\n```sh\n\
                   seq 3 | qmgr put QM1 NO.SUCH.QUEUE\nqmgr stop QM1\n```\n\n## Sound\n\n```sh\nqmgr create QM1\n```\n\n\
                   ## Blind\n\n```sh\nseq 3 | qmgr put QM1 NO.SUCH.QUEUE || true\n```\n\n## Only words\n";
    let found = sections(planted);
    let headings: Vec<&str> = found.iter().map(|section| section.heading.as_str()).collect();
    assert_eq!(headings, ["Broken", "Sound", "Blind"]);
    let why = cook(&found[0].script, None).expect_err("a put to a queue that is not there fails");
    assert!(why.contains("NO.SUCH.QUEUE"), "{why}");
    cook(&found[1].script, None).expect("the sound one works");
    // Each section has a folder of its own: the queue manager of another one is not there.
    assert!(cook("qmgr status QM1 2>&1 | grep -q 'QM1'; test -e QM1", None).is_err());
    // What cannot fail works, and would with any program broken: that is what the test above looks for.
    cook(&found[2].script, None).expect("it cannot fail");
    assert_eq!(called(&found[2].script).into_iter().collect::<Vec<_>>(), ["qmgr"]);
    let calls =
        called("recpoint register --copied-by repro --trust\ntest \"$(listcat QM1)\" = '' | mqsc QM1");
    assert_eq!(calls.into_iter().collect::<Vec<_>>(), ["listcat", "mqsc", "recpoint"]);
}
