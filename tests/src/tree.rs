//! The source tree, as the house rules see it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The folder that holds the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the tests stand one folder below the root").to_owned()
}

/// A text file of the tree.
#[derive(Debug)]
pub struct Source {
    /// Its path below the root, with `/` between folders.
    pub name: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// Its lines with their numbers, up to where its unit tests begin; nothing at all of a file that is only tests.
    pub fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let only_tests =
            ["/tests/", "/testing/", "/examples/"].iter().any(|folder| self.name.contains(folder))
                || ["/tests.rs", "_tests.rs"].iter().any(|ending| self.name.ends_with(ending));
        let end = if only_tests { 0 } else { usize::MAX };
        self.text
            .lines()
            .enumerate()
            .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
            .take(end)
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(index, line)| (index + 1, line))
    }
}

/// Every file below `folder` of the root whose name ends with one of `endings`; build output and hidden folders left out.
#[must_use]
pub fn sources(folder: &str, endings: &[&str]) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    walk(&root.join(folder), &mut |path| {
        let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        if endings.iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = fs::read_to_string(path)
        {
            found.push(Source { name, text });
        }
    });
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn walk(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let built = matches!(&*name, "target" | "corpus" | "artifacts" | "coverage");
        if name.starts_with('.') && name != ".ci" || built {
            continue;
        }
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// A crate of the workspace.
#[derive(Debug)]
pub struct Member {
    /// Package name.
    pub name: String,
    /// Its folder below the root.
    pub folder: String,
    /// What it depends on, in any way: names of packages.
    pub dependencies: Vec<String>,
    /// The programs that it builds.
    pub programs: Vec<String>,
    /// Whether it has integration tests; cargo builds programs for tests only when it has.
    pub has_tests: bool,
}

/// The crates of the workspace, as cargo sees them.
#[must_use]
pub fn members() -> Vec<Member> {
    let root = root();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(&root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut members: Vec<Member> = list(&metadata["packages"])
        .iter()
        .map(|package| {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let folder = manifest.parent().and_then(|dir| dir.strip_prefix(&root).ok()).expect("in the tree");
            let of_kind = |kind: &str| -> Vec<String> {
                list(&package["targets"])
                    .iter()
                    .filter(|target| list(&target["kind"]).iter().any(|k| k == kind))
                    .map(|target| text(&target["name"]))
                    .collect()
            };
            Member {
                name: text(&package["name"]),
                folder: folder.to_string_lossy().into_owned(),
                dependencies: list(&package["dependencies"]).iter().map(|d| text(&d["name"])).collect(),
                programs: of_kind("bin"),
                has_tests: !of_kind("test").is_empty(),
            }
        })
        .collect();
    members.sort_by(|a, b| a.folder.cmp(&b.folder));
    members
}

/// The programs that the suite ships, by name.
#[must_use]
pub fn programs() -> Vec<String> {
    let shipped = members().into_iter().filter(|member| member.folder.starts_with("tools/programs/"));
    shipped.flat_map(|member| member.programs).collect()
}
