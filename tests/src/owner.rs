//! A queue manager under test, run as a child of the test so that only the test's own process is ever killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::programs::{self, Said};

/// How long a start may take before a test gives up on it.
const START: Duration = Duration::from_secs(120);

/// A queue manager in a directory, perhaps running.
#[derive(Debug)]
pub struct Owner {
    dir: PathBuf,
    process: Option<Child>,
    /// The queue manager's own process, where the child is a tool that runs it.
    traced: Option<rustix::process::Pid>,
}

impl Owner {
    /// Creates the queue manager `dir` with `options` of `qmgr create`.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn create(dir: &Path, options: &[&str]) -> Self {
        let name = dir.to_str().expect("a readable path");
        programs::run("qmgr", ["create", name].iter().chain(options)).expect(0).done();
        Self::at(dir)
    }

    /// One that is there already, at rest.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), process: None, traced: None }
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its directory, as an argument.
    ///
    /// # Panics
    /// When it cannot be written as text.
    #[must_use]
    pub fn name(&self) -> &str {
        self.dir.to_str().expect("a readable path")
    }

    /// A file of it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it ends, or is not ready in two minutes, with what it said.
    pub fn start(&mut self) {
        if let Err(said) = self.try_start() {
            panic!("{} does not start: {said:?}", self.name());
        }
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// What it said when it ended instead.
    ///
    /// # Panics
    /// When it is neither ready nor ended in two minutes.
    pub fn try_start(&mut self) -> Result<(), Said> {
        self.try_start_under(&[])
    }

    /// The same under a tool of the system, `strace` say, which is given the command line as its last arguments.
    ///
    /// # Errors
    /// What it said when it ended instead.
    ///
    /// # Panics
    /// When it is neither ready nor ended in two minutes.
    pub fn try_start_under(&mut self, tool: &[&str]) -> Result<(), Said> {
        let talk = self.dir.with_extension("talk");
        let file = || File::create(&talk).expect("the talk of a queue manager is kept beside it");
        let mut command = programs::command("qmgr", ["start", self.name(), "--foreground"]);
        if let Some((first, rest)) = tool.split_first() {
            let mut under = Command::new(first);
            under.args(rest).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
            command = under;
        }
        let line = format!("{command:?}");
        let mut process = command.stdout(Stdio::null()).stderr(file()).spawn().expect("the program is there");
        let begun = Instant::now();
        loop {
            if let Some(status) = process.try_wait().expect("a child") {
                let err = fs::read_to_string(&talk).unwrap_or_default();
                let code = status.code().unwrap_or(-1);
                return Err(Said { line, code, out: String::new(), err });
            }
            if self.file("SOCKET").exists() && programs::run("qmgr", ["status", self.name()]).code == 0 {
                break;
            }
            if begun.elapsed() > START {
                let _ = process.kill();
                let _ = process.wait();
                panic!("{} is not ready: {}", self.name(), fs::read_to_string(&talk).unwrap_or_default());
            }
            sleep(Duration::from_millis(20));
        }
        if !tool.is_empty() {
            let text = fs::read_to_string(self.file("PID")).expect("a running queue manager has a PID file");
            let pid = text.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number");
            self.traced = rustix::process::Pid::from_raw(pid);
        }
        self.process = Some(process);
        Ok(())
    }

    /// Its process identifier while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// `kill -9`, and gone when it returns.
    ///
    /// # Panics
    /// When it was not running.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        if let Some(traced) = self.traced.take() {
            rustix::process::kill_process(traced, rustix::process::Signal::KILL).expect("it can be killed");
        } else {
            process.kill().expect("a child can be killed");
        }
        process.wait().expect("a child can be waited for");
    }

    /// Stops it in order.
    ///
    /// # Panics
    /// When it does not end with condition code 0.
    pub fn stop(&mut self) -> Said {
        let said = programs::run("qmgr", ["stop", self.name()]).expect(0);
        let status = self.process.take().expect("it runs").wait().expect("a child can be waited for");
        assert!(status.success(), "{} ended with {status}", self.name());
        said
    }

    /// Waits until it ends by itself, and says its condition code (-1 after a signal).
    ///
    /// # Panics
    /// When it was not running.
    pub fn wait(&mut self) -> i32 {
        let status = self.process.take().expect("it runs").wait().expect("a child can be waited for");
        status.code().unwrap_or(-1)
    }

    /// Runs one MQSC statement, which must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub fn mqsc(&self, statement: &str) -> Said {
        programs::run("mqsc", [self.name(), statement]).expect(0)
    }

    /// Puts lines to a queue, which must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub fn put(&self, queue: &str, lines: &[String]) {
        let text = lines.join("\n") + "\n";
        programs::run_with_input("qmgr", ["put", self.name(), queue], text.as_bytes()).expect(0).done();
    }

    /// The messages of a queue, as `qmgr browse` shows them.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn browse(&self, queue: &str) -> Vec<String> {
        let said = programs::run("qmgr", ["browse", self.name(), queue]).expect(0);
        said.out.lines().map(str::to_owned).collect()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            if let Some(traced) = self.traced.take() {
                let _ = rustix::process::kill_process(traced, rustix::process::Signal::KILL);
            }
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
