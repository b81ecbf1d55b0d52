//! What is written about the house is true of it: every program, folder, message and document is named where people look for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use house::programs::{self, run};
use house::tree::{self, sources};

fn document(name: &str) -> String {
    fs::read_to_string(tree::root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_readme_names_every_program() {
    let readme = document("README.md");
    for program in tree::programs() {
        assert!(readme.contains(&format!("`{program}")), "README.md does not name `{program}`");
    }
}

#[test]
fn the_architecture_names_every_folder() {
    let architecture = document("docs/architecture.md");
    for member in tree::members() {
        let folder = format!("`{}/`", member.folder);
        assert!(architecture.contains(&folder), "docs/architecture.md does not name {folder}");
    }
}

#[test]
fn every_family_of_bytes_has_its_page() {
    for family in ["pageset", "log", "bsds", "manifest", "journal", "protocol", "inventory", "listings"] {
        let page = document(&format!("docs/formats/{family}.md"));
        assert!(page.lines().count() > 20, "docs/formats/{family}.md says next to nothing");
    }
}

/// The tables of the protocol's page have every tag of the source, with its name.
#[test]
fn the_protocol_page_has_every_tag() {
    let page = document("docs/formats/protocol.md");
    let mut tags = 0;
    for name in ["request", "reply"] {
        let source = document(&format!("formats/protocol/src/{name}.rs"));
        let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (tag, rest) in shipped.lines().filter_map(|line| line.trim().split_once(" => ")) {
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            assert!(
                page.contains(&format!("| {tag} | `{name}` |")),
                "tag {tag}, {name}, is not in docs/formats/protocol.md"
            );
            tags += 1;
        }
    }
    assert!(tags > 30, "only {tags} tags are found in the source");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    let top = ["README.md", "CHANGELOG.md"].map(|name| (name.to_owned(), document(name)));
    let below = sources("docs", &[".md"]).into_iter().map(|source| (source.name, source.text));
    for (name, text) in top.into_iter().chain(below) {
        let from = tree::root().join(&name);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let outside = file.contains("://") || file.is_empty() || file.contains(' ');
            if !outside && !from.parent().is_some_and(|dir| dir.join(file).exists()) {
                broken.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Our own message identifiers in the shipped sources: HWT, three digits, and the letter of the severity.
fn messages() -> BTreeMap<String, BTreeSet<char>> {
    let mut found: BTreeMap<String, BTreeSet<char>> = BTreeMap::new();
    for source in ["formats", "tools"].iter().flat_map(|folder| sources(folder, &[".rs"])) {
        let shipped: Vec<&str> = source.shipped_lines().map(|(_, line)| line).collect();
        for rest in shipped.join("\n").split("HWT").skip(1) {
            let id: Vec<char> = rest.chars().take(4).collect();
            if let [a, b, c, severity] = *id.as_slice()
                && [a, b, c].iter().all(char::is_ascii_digit)
                && severity.is_ascii_uppercase()
            {
                found.entry(format!("HWT{a}{b}{c}")).or_default().insert(severity);
            }
        }
    }
    found
}

#[test]
fn a_message_has_one_severity() {
    for (id, severities) in messages() {
        assert_eq!(severities.len(), 1, "{id} is used with the severities {severities:?}");
        assert!(severities.iter().all(|s| "IWES".contains(*s)), "{id}{severities:?}: I, W, E or S");
    }
}

#[test]
fn every_message_of_ours_is_explained() {
    let page = document("docs/condition-codes.md");
    let known: Vec<String> =
        messages().iter().flat_map(|(id, s)| s.iter().map(move |s| format!("{id}{s}"))).collect();
    let missing: Vec<_> = known.iter().filter(|id| !page.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "docs/condition-codes.md does not explain {missing:?}");
    let gone: Vec<_> = page
        .split("HWT")
        .skip(1)
        .filter_map(|rest| rest.get(..4))
        .map(|rest| format!("HWT{rest}"))
        .filter(|id| id.ends_with(['I', 'W', 'E', 'S']) && id[3..6].chars().all(|c| c.is_ascii_digit()))
        .filter(|id| !known.contains(id))
        .collect();
    assert!(gone.is_empty(), "docs/condition-codes.md explains what nobody says: {gone:?}");
}

#[test]
fn every_program_with_json_has_its_document_described() {
    let page = document("docs/json.md");
    for program in tree::programs() {
        if run(&program, ["--help"]).out.contains("--json") {
            assert!(page.contains(&format!("`{program}")), "docs/json.md does not describe {program} --json");
        }
    }
}

#[test]
fn every_layer_of_tests_is_on_the_map() {
    let map = document("docs/testing.md");
    for source in sources("tests/tests", &[".rs"]) {
        assert!(map.contains(&source.name), "docs/testing.md does not name {}", source.name);
    }
    for target in sources("fuzz/fuzz_targets", &[".rs"]) {
        let name = target.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        assert!(map.contains(&format!("`{name}`")), "docs/testing.md does not name the fuzz target `{name}`");
    }
}

/// A line without what differs from run to run: RBAs, numbers, sizes, times, directories.
fn masked(line: &str) -> String {
    let mut masked = String::new();
    for word in line.split_inclusive([' ', ',', '=', '(', ')', '-', '"']) {
        let number = word.starts_with(|c: char| c.is_ascii_digit()) || word.starts_with('/');
        let unit = ["ms,", "s,", "MiB,", "KiB,", "MiB ", "KiB ", "GiB/s", "MiB/s", "KiB/s"].contains(&word);
        masked.push_str(if number || unit { "#" } else { word });
    }
    masked.trim_end().to_owned()
}

/// The tour works, and prints what it says it prints: every line of it is among what its command prints.
#[test]
fn the_tour_of_the_readme_can_be_taken() {
    let readme = document("README.md");
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let path = format!("{}:{}", programs::folder().display(), std::env::var("PATH").unwrap_or_default());
    let mut wrong = Vec::new();
    let blocks = readme.split("```console").skip(1).filter_map(|rest| rest.split("```").next());
    for step in blocks.flat_map(|block| block.split("\n$ ").skip(1)) {
        let (line, shown) = step.split_once('\n').unwrap_or((step, ""));
        // Into a file: a pipe would only end with the last command in the background.
        let print = scratch.path().join("printed");
        let file = fs::File::create(&print).expect("a file");
        let talk = file.try_clone().expect("a file has two handles");
        let mut bash = Command::new("bash");
        bash.args(["-c", line]).env("PATH", &path).current_dir(scratch.path());
        let status = bash.stdout(file).stderr(talk).status().expect("bash runs");
        let printed = fs::read_to_string(&print).expect("text");
        let lines: BTreeSet<String> = printed.lines().map(masked).collect();
        if !status.success() {
            wrong.push(format!("$ {line}\n{status}\n{printed}"));
        }
        let missing = shown.lines().filter(|shown| !lines.contains(&masked(shown)));
        wrong.extend(missing.map(|shown| format!("$ {line}\ndoes not print\n{shown}\nbut\n{printed}")));
    }
    let _ = run("qmgr", ["stop", &scratch.path().join("QM1").to_string_lossy(), "--mode", "force"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
