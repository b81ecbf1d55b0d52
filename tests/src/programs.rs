//! Running the built programs.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use crate::tree;

/// Longest wait for a program whose file is still open for writing.
const BUSY: Duration = Duration::from_secs(10);

/// Where the built programs are: `HIGHWATER_PROGRAMS` when set (for tests of a release build), else beside the test that runs, where
/// they are built first when one is missing or older than the sources.
///
/// # Panics
/// When they do not build.
#[must_use]
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(dir) = std::env::var_os("HIGHWATER_PROGRAMS") {
            return std::path::absolute(tree::root().join(dir)).expect("a path");
        }
        let test = std::env::current_exe().expect("the test has a path");
        let dir = test.parent().expect("target/PROFILE/deps/TEST, or target/PROFILE/PROGRAM");
        let dir = if dir.ends_with("deps") { dir.parent().expect("target/PROFILE") } else { dir }.to_owned();
        if oldest_program(&dir) < newest_source() {
            build(&dir);
        }
        dir
    })
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|found| found.modified()).ok()
}

fn oldest_program(dir: &Path) -> Option<SystemTime> {
    let built: Vec<_> = tree::programs().iter().map(|name| modified(&dir.join(name))).collect();
    built.into_iter().min().flatten()
}

fn newest_source() -> Option<SystemTime> {
    let folders = ["formats", "tools"].into_iter();
    let files = folders.flat_map(|folder| tree::sources(folder, &[".rs", ".toml"]));
    files.filter_map(|file| modified(&tree::root().join(file.name))).max()
}

fn build(dir: &Path) {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bins", "--offline", "--target-dir"]);
    command.arg(dir.parent().expect("target")).current_dir(tree::root());
    if dir.ends_with("release") {
        command.arg("--release");
    }
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "the programs build:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The file of program `name`.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    folder().join(name)
}

/// A program ready to run, with arguments.
#[must_use]
pub fn command<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(path(name));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a program said, and its condition code.
#[derive(Debug, Clone)]
pub struct Said {
    /// The command line, for messages of the tests.
    pub line: String,
    /// Condition code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    fn new(line: String, output: &Output) -> Self {
        Self {
            line,
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Itself, when the condition code is `code`.
    ///
    /// # Panics
    /// When it is another one, with all that was said.
    #[must_use]
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n--- out\n{}\n--- err\n{}", self.line, self.out, self.err);
        self
    }

    /// Itself, when every one of `words` was said somewhere.
    ///
    /// # Panics
    /// When one is missing, with all that was said.
    #[must_use]
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            let said = self.out.contains(word) || self.err.contains(word);
            assert!(
                said,
                "'{word}' is not said by {}\n--- out\n{}\n--- err\n{}",
                self.line, self.out, self.err
            );
        }
        self
    }

    /// Done: for statements.
    pub fn done(self) {}
}

/// Runs program `name` to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Said {
    finish(&mut command(name, arguments))
}

/// Runs program `name` to its end with `input` on its standard input.
///
/// # Panics
/// When it cannot be started.
pub fn run_with_input<A: AsRef<OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = A>,
    input: &[u8],
) -> Said {
    let mut command = command(name, arguments);
    let line = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // A program may refuse before it has read all of its input, so a failed write here proves nothing.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("waits");
    feeder.join().expect("feeds");
    Said::new(line, &output)
}

/// Runs a prepared command to its end.
///
/// # Panics
/// When it cannot be started.
pub fn finish(command: &mut Command) -> Said {
    let line = format!("{command:?}");
    // A program that was just copied is busy as long as a process started meanwhile by another test has the descriptor that wrote it.
    let begun = Instant::now();
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && begun.elapsed() < BUSY => {
                std::thread::sleep(Duration::from_millis(20));
            }
            output => break output.unwrap_or_else(|error| panic!("{line}: {error}")),
        }
    };
    Said::new(line, &output)
}
