//! Starting a queue manager again that was stopped for a copy: by `qmgr start`, which detaches it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use console::{Failure, message};
use format_types::ConditionCode;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The program that starts queue managers, beside this one.
pub(crate) fn find_qmgr() -> Result<PathBuf, Failure> {
    let refused = |why: String| {
        Failure::refused(
            "HWT746E",
            format!("the queue manager could not be started again: {why}; nothing was stopped"),
        )
        .hint("install the whole suite into one directory")
    };
    let own = std::env::current_exe()
        .map_err(|error| refused(format!("this program's directory is unknown: {error}")))?;
    let qmgr = own.with_file_name("qmgr");
    if qmgr.is_file() { Ok(qmgr) } else { Err(refused(format!("{} is not there", qmgr.display()))) }
}

/// Starts the queue manager in `dir` and waits until it takes requests; what the start printed.
pub(crate) fn start_again(qmgr: &Path, dir: &Path) -> Result<Vec<String>, Failure> {
    let failed = |why: &str| {
        let dir = dir.display();
        let text = format!(
            "the queue manager in {dir} is down and could not be started again: {why}; correct the cause, then start it \
             with 'qmgr start {dir}'"
        );
        Failure::new(ConditionCode::Severe, "HWT747S", text)
    };
    let output = Command::new(qmgr)
        .arg("start")
        .arg(dir)
        // What is typed at a terminal must not end a start that is under way.
        .process_group(0)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(&format!("{}: {error}", qmgr.display())))?;
    if !output.status.success() {
        // Somebody else was faster.
        let status = Command::new(qmgr).arg("status").arg(dir).stdin(Stdio::null()).output();
        if status.is_ok_and(|status| status.status.success()) {
            return Ok(Vec::new());
        }
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// From now on an interruption does not end this program: the queue manager is down because of it, and is started again before it ends.
/// Where the system refuses, an interruption leaves the queue manager down, as a kill does.
pub(crate) fn hold_signals() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            message(
                "HWT748W",
                "INTERRUPTED: the copy goes on to its end, for the queue manager has to be started again after it",
            );
        }
    });
}
