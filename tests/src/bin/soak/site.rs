//! A queue manager under soak: its loads and their journals, its recovery points, and the log that no point needs any more.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use house::folder;
use house::loaded::wait_until;
use house::owner::Owner;
use house::programs::{command, run};
use serde_json::Value;

use crate::progress::{Progress, count};

/// Recovery points that are kept.
const KEPT: usize = 2;

/// Queues of a load.
const QUEUES: u16 = 4;

/// Loads until the queues are emptied and new ones are used, so that journals do not grow without end.
const LOADS: usize = 6;

const OPTIONS: [&str; 12] = [
    "--logs",
    "dual",
    "--archives",
    "dual",
    "--active-logs",
    "4",
    "--page-sets",
    "4",
    "--expand",
    "system",
    "--log-load",
    "20000",
];

/// Sizes as they should be, and such that are full in no time.
const SIZES: [&str; 6] = ["--log-size", "16MiB", "--page-set-size", "32MiB", "--buffer-pool", "16MiB"];
const SMALL_SIZES: [&str; 6] = ["--log-size", "4MiB", "--page-set-size", "8MiB", "--buffer-pool", "1MiB"];

/// The soaked queue manager.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub(crate) owner: Owner,
    dir: PathBuf,
    progress: &'a Progress,
    /// Journals of the loads since the queues were empty.
    journals: Vec<PathBuf>,
    /// What the audit before counted.
    counted: u64,
    /// How often the queues were emptied.
    epoch: u32,
    number: u32,
    /// Recovery points, oldest first.
    points: VecDeque<PathBuf>,
    /// Where the log was when the queues were empty last.
    began: u64,
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a readable path")
}

impl<'a> Site<'a> {
    /// Creates the queue manager in the new folder `dir`.
    pub(crate) fn new(dir: &Path, small: bool, progress: &'a Progress) -> Self {
        fs::create_dir_all(dir.join("points")).expect("a folder");
        let sizes = if small { SMALL_SIZES } else { SIZES };
        let owner = Owner::create(&dir.join("QM1"), &[&OPTIONS[..], &sizes].concat());
        Self {
            owner,
            dir: dir.to_owned(),
            progress,
            journals: Vec::new(),
            counted: 0,
            epoch: 0,
            number: 0,
            points: VecDeque::new(),
            began: 0,
        }
    }

    /// Begins a load that ends after `seconds`, or when it or the queue manager is killed.
    pub(crate) fn begin_load(&mut self, seconds: u64, seed: u64) -> Child {
        self.number += 1;
        let journal = self.dir.join(format!("journal{}", self.number));
        let (seconds, seed, prefix) = (seconds.to_string(), seed.to_string(), self.prefix());
        let size = ["300", "900", "6000", "30000"][(self.number % 4) as usize];
        let queues = QUEUES.to_string();
        let arguments = ["load", self.owner.name(), "--seconds", &seconds, "--seed", &seed];
        let more = ["--message-size", size, "--connections", "4", "--queues", &queues, "--keep", "600"];
        let last = ["--queue-prefix", &prefix, "--journal", text(&journal)];
        let mut load = command("qmgr", arguments.iter().chain(&more).chain(&last));
        let child = load.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a load starts");
        wait_until("a load has begun", || journal.exists());
        self.journals.push(journal);
        child
    }

    fn prefix(&self) -> String {
        format!("SOAK{}", self.epoch)
    }

    /// What the loads were promised is there.
    pub(crate) fn audit(&mut self) {
        let Some(acknowledged) = self.audited(&[]) else { return };
        let more = acknowledged.saturating_sub(self.counted);
        self.progress.acknowledged.fetch_add(more, std::sync::atomic::Ordering::Relaxed);
        self.counted = acknowledged;
    }

    /// What the loads were promised below `rba` is there, and nothing of what came behind.
    pub(crate) fn audit_to(&self, rba: u64) {
        self.audited(&["--to-rba", &format!("{rba:016X}")]);
    }

    /// Audits with more options; puts and gets that were acknowledged, none when there was no load.
    fn audited(&self, more: &[&str]) -> Option<u64> {
        if self.journals.is_empty() {
            return None;
        }
        let journals = self.journals.iter().flat_map(|journal| ["--journal", text(journal)]);
        let arguments = ["audit", self.owner.name(), "--json", "--timeout", "120s"];
        let said = run("qmgr", arguments.iter().chain(more).copied().chain(journals));
        assert!(said.code == 0, "the audit is not clean: {said:?}");
        count(&self.progress.audits);
        let report: Value = serde_json::from_str(&said.out).unwrap_or_default();
        let number = |field: &str| report[field].as_u64().unwrap_or(0);
        Some(number("acknowledged_puts") + number("acknowledged_gets"))
    }

    /// Whether there were many loads since the queues were empty.
    pub(crate) fn epoch_is_over(&self) -> bool {
        self.journals.len() >= LOADS
    }

    /// Once there were many loads: empties the queues, which an audit has just found right, and goes on with new ones.
    pub(crate) fn end_epoch(&mut self) {
        if self.epoch_is_over() {
            self.empty();
        }
    }

    /// Empties the queues and goes on with new ones.
    pub(crate) fn empty(&mut self) {
        for number in 0..QUEUES {
            let queue = format!("{}.{number}", self.prefix());
            // Nobody reads them, but they must all come.
            let got =
                run("qmgr", ["get", self.owner.name(), &queue, "--commit-every", "100", "--timeout", "120s"]);
            got.expect(0).done();
            self.owner.mqsc(&format!("DELETE QLOCAL({queue})")).done();
        }
        for journal in self.journals.drain(..) {
            fs::remove_file(journal).expect("a journal is there");
        }
        self.counted = 0;
        self.epoch += 1;
        self.began = self.rba("log_end");
    }

    /// An RBA that `dispusage` tells; zero when it tells none.
    fn rba(&self, field: &str) -> u64 {
        let said = run("dispusage", [self.owner.name(), "--json"]);
        let usage: Value = serde_json::from_str(&said.out).unwrap_or_default();
        u64::from_str_radix(usage[field].as_str().unwrap_or("0"), 16).unwrap_or(0)
    }

    /// A recovery point and an RBA to recover to from it, in the later half of the log since the queues were empty; none without a point.
    pub(crate) fn a_cut(&mut self, choice: u64) -> Option<(PathBuf, u64)> {
        let (end, began) = (self.rba("log_end"), self.began);
        let manifests = folder::points(&self.dir.join("points"));
        let known = |dir: &PathBuf| self.points.contains(dir);
        let (point, lowest) = manifests
            .into_iter()
            .filter(|(dir, _)| known(dir))
            .map(|(dir, manifest)| (dir, manifest.end.0.max(began)))
            .rfind(|(_, lowest)| *lowest < end)?;
        let rba = end - choice % ((end - lowest) / 2 + 1);
        // What ended behind it is off the line.
        let manifests = folder::points(&self.dir.join("points"));
        let ended =
            |dir: &PathBuf| manifests.iter().any(|(known, manifest)| known == dir && manifest.end.0 <= rba);
        let kept = self.points.iter().filter(|dir| ended(dir)).cloned().collect();
        self.points = kept;
        Some((point, rba))
    }

    /// Begins to make a recovery point, and says where.
    pub(crate) fn begin_point(&mut self) -> (Child, PathBuf) {
        self.number += 1;
        let point = self.dir.join("points").join(format!("P{}", self.number));
        let mut create = command("recpoint", ["create", self.owner.name(), "--to", text(&point)]);
        let child = create.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        (child, point)
    }

    /// Takes in what became of a point. The oldest one is given up when there are more than are kept.
    pub(crate) fn end_point(&mut self, mut child: Child, point: PathBuf, must: bool) {
        let status = child.wait().expect("a child");
        assert!(status.success() || !must, "a recovery point was not made: {status}");
        if !status.success() {
            return;
        }
        count(&self.progress.points);
        self.points.push_back(point);
        while self.points.len() > KEPT {
            let oldest = self.points.pop_front().expect("there are more than two");
            self.give_up(&oldest);
        }
        self.prune();
    }

    /// A recovery point to recover from, any of them.
    pub(crate) fn a_point(&self, choice: u64) -> Option<&Path> {
        let count = self.points.len().max(1) as u64;
        self.points.get(usize::try_from(choice % count).unwrap_or(0)).map(PathBuf::as_path)
    }

    /// Deletes archives that neither a kept point nor a restart needs.
    fn prune(&self) {
        if self.points.len() < KEPT {
            return;
        }
        let keep = KEPT.to_string();
        let apply =
            ["apply", self.owner.name(), "--keep-last", &keep, "--max-delete", "100", "--timeout", "120s"];
        let said = run("prunelog", apply);
        // Somebody may have it just now, for a start or a recovery; the next point prunes again.
        assert!(said.code <= 4 || said.code == 12, "archives that nobody needs are not deleted: {said:?}");
        if said.code <= 4 {
            count(&self.progress.prunes);
        }
    }

    /// Forgets a recovery point that is given up, and deletes it.
    fn give_up(&self, point: &Path) {
        let name = point.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let said = run("recpoint", ["forget", self.owner.name(), &name, "--timeout", "120s"]);
        // One that a recovery took with the inventory of before is not known any more.
        assert!(said.code <= 4 || said.code == 12, "a recovery point is not forgotten: {said:?}");
        fs::remove_dir_all(point).expect("a point is a folder");
    }
}
