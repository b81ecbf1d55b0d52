//! Power cuts: a queue manager on a file system of its own, whose device is copied right after `kill -9`. What was not synced is not
//! in the copy; every line that was acknowledged has to be.
//!
//! `HIGHWATER_POWER_CUTS` says how many rounds are made of each kind (3).

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use house::ground::{self, Mount};
use house::owner::Owner;
use house::programs;

/// Clients that put at the same time.
const CLIENTS: usize = 8;

/// A `qmgr put --acknowledge` with an endless input, and what it was promised.
struct Client {
    acknowledged: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Client {
    fn start(owner: &Owner, number: usize) -> Self {
        let mut child = programs::command("qmgr", ["put", owner.name(), "APP.LINES", "--acknowledge"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a client starts");
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (mut input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let stop = over.clone();
        let feeder = thread::spawn(move || {
            for line in 0_u64.. {
                // Lines of many lengths, so that control intervals and pages fill in many ways.
                let padding = "x".repeat((line as usize * 37 + number * 11) % 300);
                if stop.load(Ordering::Relaxed)
                    || writeln!(input, "{number} {line} {padding}").and_then(|()| input.flush()).is_err()
                {
                    break;
                }
            }
        });
        let promised = acknowledged.clone();
        let reader = thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                promised.lock().expect("no reader panics").push(line);
            }
            let _ = child.wait();
        });
        Self { acknowledged, over, threads: vec![feeder, reader] }
    }

    fn finish(self) -> Vec<String> {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("no thread of a client panics");
        }
        Arc::into_inner(self.acknowledged).expect("all have ended").into_inner().expect("no panic")
    }
}

/// Line numbers of each client in the order in which the queue holds them.
fn by_client(lines: &[String]) -> BTreeMap<usize, Vec<u64>> {
    let mut found: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for line in lines {
        let mut words = line.split(' ');
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let (client, line) = number().zip(number()).unwrap_or_else(|| panic!("a foreign line: {line}"));
        found.entry(usize::try_from(client).expect("a small number")).or_default().push(line);
    }
    found
}

/// What is found after a cut: the lines that each client was promised, and those that are there, by client.
struct Aftermath {
    acknowledged: BTreeMap<usize, Vec<u64>>,
    there: BTreeMap<usize, Vec<u64>>,
}

/// Runs clients against a queue manager, cuts the power, and looks; the queue manager runs under `tool`. None when what is left does
/// not start.
fn cut(scratch: &Path, logs: &str, tool: &[&str], milliseconds: u64) -> Option<Aftermath> {
    let (image, copy) = (scratch.join("disk"), scratch.join("disk-after-the-cut"));
    ground::make_ext4(&image, 768);
    let mut promised = Vec::new();
    {
        let disk = Mount::image(&image, &scratch.join("before"));
        let options = ["--logs", logs, "--log-size", "4MiB", "--page-set-size", "4MiB", "--page-sets", "2"];
        let mut owner = Owner::create(&disk.at().join("QM1"), &options);
        owner.try_start_under(tool).unwrap_or_else(|said| panic!("it does not start: {said:?}"));
        owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
        owner.mqsc("DEFINE QLOCAL(APP.LINES) STGCLASS(ONE) DEFPSIST(YES)").done();
        let clients: Vec<_> = (0..CLIENTS).map(|number| Client::start(&owner, number)).collect();
        sleep(Duration::from_millis(milliseconds));
        owner.kill();
        fs::copy(&image, &copy).expect("the device is copied");
        for client in clients {
            promised.extend(client.finish());
        }
    }
    let disk = Mount::image(&copy, &scratch.join("after"));
    let mut owner = Owner::at(&disk.at().join("QM1"));
    owner.try_start().ok()?;
    let browsed = programs::run("qmgr", ["browse", owner.name(), "APP.LINES"]);
    let there: Vec<String> = browsed.out.lines().map(str::to_owned).collect();
    if browsed.code == 0 {
        owner.put("APP.LINES", &["8 0 afterwards".to_owned()]);
    }
    owner.stop().done();
    Some(Aftermath { acknowledged: by_client(&promised), there: by_client(&there) })
}

impl Aftermath {
    fn count(&self) -> usize {
        self.acknowledged.values().map(Vec::len).sum()
    }

    /// What is wrong with it: a client's lines are put one after the other, so the queue holds the first so many of them, in order, each
    /// once; and at least those that were acknowledged.
    fn wrong(&self) -> Option<String> {
        for (client, lines) in &self.acknowledged {
            let found = self.there.get(client).map_or(&[][..], Vec::as_slice);
            let in_order: Vec<u64> = (0..found.len() as u64).collect();
            let last = *lines.last()?;
            if found != in_order {
                return Some(format!("client {client}: doubled or out of order: {found:?}"));
            }
            if last >= found.len() as u64 {
                return Some(format!(
                    "client {client}: line {last} was acknowledged, {} are there",
                    found.len()
                ));
            }
        }
        None
    }
}

fn rounds(test: &str, logs: &str) {
    if let Some(missing) = ground::no_mounts() {
        return ground::skip(test, &missing);
    }
    for number in 0..ground::number("HIGHWATER_POWER_CUTS", 3) {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let jitter = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_millis());
        let after = cut(scratch.path(), logs, &[], 500 + u64::from(jitter) * 2 + number * 100);
        let after = after.expect("it starts after a power cut");
        assert!(after.count() > CLIENTS, "next to nothing was acknowledged: {}", after.count());
        assert_eq!(after.wrong(), None);
        eprintln!("{logs} logs, cut {number}: {} acknowledged lines, all there", after.count());
    }
}

#[test]
fn acknowledged_lines_outlive_a_power_cut_with_single_logs() {
    rounds("acknowledged_lines_outlive_a_power_cut_with_single_logs", "single");
}

#[test]
fn acknowledged_lines_outlive_a_power_cut_with_dual_logs() {
    rounds("acknowledged_lines_outlive_a_power_cut_with_dual_logs", "dual");
}

/// The other way round: a queue manager whose syncs do nothing must be caught, or the tests above prove nothing.
#[test]
fn syncs_that_do_nothing_are_seen() {
    let test = "syncs_that_do_nothing_are_seen";
    if let Some(missing) = ground::no_mounts() {
        return ground::skip(test, &missing);
    }
    if !ground::on_path("strace") {
        return ground::skip(test, "'strace' is missing (Debian: apt-get install strace)");
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let syncs = "fdatasync,fsync,sync_file_range";
    let (trace, inject) = (format!("trace={syncs}"), format!("inject={syncs}:retval=0"));
    let tool = ["strace", "--follow-forks", "--quiet=all", "--output=/dev/null", "-e", &trace, "-e", &inject];
    let seen = match cut(scratch.path(), "single", &tool, 2000) {
        Some(after) => after.wrong(),
        None => Some("it does not start".to_owned()),
    };
    eprintln!("without syncs: {}", seen.as_deref().unwrap_or("nothing wrong is seen"));
    assert!(seen.is_some(), "a queue manager that never syncs passes");
}
