//! A queue manager that loads work on, and the journals of what they were promised.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::folder;
use crate::owner::Owner;
use crate::programs::{Said, command, run};

/// How long a test waits for something that should come to pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// The queue manager `QM1` in a scratch folder, with the journals of all loads that it has seen.
#[derive(Debug)]
pub struct Loaded {
    /// The queue manager.
    pub owner: Owner,
    scratch: TempDir,
    journals: Vec<PathBuf>,
    /// Two loads never put the same messages.
    prefix: String,
}

impl Loaded {
    /// Creates the queue manager with `options` of `qmgr create` in a scratch folder, and starts it.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn create(options: &[&str]) -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let dir = scratch.path().join("QM1");
        Self::create_in(&dir, scratch, options)
    }

    /// The same in the directory `dir`, which is on a file system of its own.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn create_in(dir: &Path, scratch: TempDir, options: &[&str]) -> Self {
        let mut owner = Owner::create(dir, options);
        owner.start();
        Self { owner, scratch, journals: Vec::new(), prefix: "LOAD".to_owned() }
    }

    /// The scratch folder.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn next_journal(&mut self) -> String {
        let journal = self.scratch.path().join(format!("journal{}", self.journals.len()));
        self.journals.push(journal.clone());
        journal.to_string_lossy().into_owned()
    }

    /// Loads until so many messages are acknowledged, which must come to pass.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn load(&mut self, messages: u64) -> Said {
        let (journal, messages) = (self.next_journal(), messages.to_string());
        let arguments = ["load", self.owner.name(), "--messages", &messages, "--message-size", "900"];
        let more = ["--connections", "4", "--queue-prefix", &self.prefix, "--journal", &journal];
        run("qmgr", arguments.iter().chain(&more)).expect(0)
    }

    /// A load that goes on until it is killed, or the queue manager is gone, or after two minutes.
    ///
    /// # Panics
    /// When it cannot be begun.
    pub fn begin_load(&mut self) -> Child {
        let journal = self.next_journal();
        let arguments = ["load", self.owner.name(), "--seconds", "120", "--message-size", "900"];
        let more = ["--connections", "4", "--queue-prefix", &self.prefix, "--journal", &journal];
        let mut load = command("qmgr", arguments.iter().chain(&more));
        let load = load.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a load starts");
        wait_until("the load is under way", || fs::metadata(&journal).is_ok_and(|found| found.len() > 4096));
        load
    }

    /// Ends the current log data set and waits until all that is full is archived.
    ///
    /// # Panics
    /// When it is not in a minute.
    #[track_caller]
    pub fn archive(&self) {
        // While the data set before is still being archived there may be none to switch to.
        wait_until("the log is archived", || {
            let said = run("archlog", [self.owner.name(), "--wait-offload"]);
            assert!(said.code == 0 || said.err.contains("CSQJ319I"), "{said:?}");
            said.code == 0
        });
    }

    /// Loads put into queues of another name from now on.
    pub fn use_prefix(&mut self, prefix: &str) {
        prefix.clone_into(&mut self.prefix);
    }

    /// What the loads were promised is what `owner` has, which is this queue manager or a copy of it.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn audit(&self, owner: &Owner) {
        let journals =
            self.journals.iter().flat_map(|file| ["--journal".into(), file.clone().into_os_string()]);
        let arguments = ["audit".into(), owner.dir().as_os_str().to_owned()];
        run("qmgr", arguments.into_iter().chain(journals)).expect(0).done();
    }

    /// A copy of all files, at rest.
    #[must_use]
    pub fn copy(&self, name: &str) -> Owner {
        let to = self.scratch.path().join(name);
        folder::copy(self.owner.dir(), &to);
        Owner::at(&to)
    }
}

/// What the console of a queue manager has said.
#[must_use]
pub fn console(owner: &Owner) -> String {
    fs::read_to_string(owner.file("CONSOLE.LOG")).unwrap_or_default()
}

/// Waits until something has come to pass.
///
/// # Panics
/// When it does not in a minute.
#[track_caller]
pub fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "not after {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// Waits until the console of a queue manager has said all of these words in one line.
///
/// # Panics
/// When it does not in a minute, with what it said.
#[track_caller]
pub fn wait_for_console(owner: &Owner, words: &[&str]) {
    let begun = Instant::now();
    loop {
        let said = console(owner);
        if said.lines().any(|line| words.iter().all(|word| line.contains(word))) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "the console does not say {words:?}:\n{said}");
        sleep(Duration::from_millis(20));
    }
}
