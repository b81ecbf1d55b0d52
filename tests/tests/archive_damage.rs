//! Damaged archives: what one copy lost is read from the other, control interval by control interval; what both lost is named and refused.
//! Recovery never takes damage for the end of the log, and never answers with less than was promised.

use std::fs;
use std::path::PathBuf;

use format_types::{CI_SIZE, RbaRange};
use house::folder;
use house::loaded::Loaded;
use house::owner::Owner;
use house::programs::{Said, run};

const OPTIONS: [&str; 12] = [
    "--archives",
    "dual",
    "--log-size",
    "1MiB",
    "--active-logs",
    "2",
    "--page-sets",
    "3",
    "--page-set-size",
    "4MiB",
    "--expand",
    "system",
];

/// A killed queue manager, a recovery point, and an archive that recovery from the point needs and no active log holds any more.
struct Site {
    loaded: Loaded,
    point: PathBuf,
    needed: RbaRange,
    archive: [String; 2],
}

impl Site {
    fn new() -> Self {
        let mut loaded = Loaded::create(&OPTIONS);
        loaded.load(300).done();
        let points = loaded.scratch().join("points");
        fs::create_dir(&points).expect("a folder");
        let to = points.join("P1");
        run("recpoint", ["create", loaded.owner.name(), "--to", &to.to_string_lossy()]).expect(0).done();
        loaded.load(4000).done();
        loaded.archive();
        loaded.owner.kill();
        let (point, manifest) = folder::points(&points).pop().expect("a point");
        let bsds = folder::inventory(loaded.owner.dir());
        let active = bsds.actives(1).filter_map(|log| log.range).map(|range| range.start).min();
        let active = active.expect("the active logs hold log");
        let only_archived = |range: RbaRange| range.start >= manifest.end && range.end <= active;
        let copy = |copy: u8| {
            let mut archives = bsds.archives.iter().filter(|archive| archive.copy == copy);
            let found = archives.find(|archive| only_archived(archive.range));
            let found = found.expect("there is log that recovery needs and that is in archives alone");
            (found.name.clone(), found.range)
        };
        let ((first, needed), (second, again)) = (copy(1), copy(2));
        assert_eq!(needed, again, "the copies are of the same log");
        Self { loaded, point, needed, archive: [first, second] }
    }

    /// Control intervals in the archive.
    fn intervals(&self) -> usize {
        usize::try_from(self.needed.len()).expect("it fits") / CI_SIZE
    }

    /// A copy of the queue manager that has lost all page sets.
    fn ruin(&self, name: &str) -> Owner {
        let ruin = self.loaded.copy(name);
        for (name, path) in folder::files(ruin.dir()) {
            if name.starts_with("PSID") {
                fs::remove_file(path).expect("a page set is lost");
            }
        }
        ruin
    }

    /// Changes an archive of `ruin`; the original's bytes, which it shares, stay.
    fn damage(&self, ruin: &Owner, copy: usize, change: impl FnOnce(&mut Vec<u8>)) {
        let path = ruin.file(&self.archive[copy - 1]);
        let mut bytes = fs::read(&path).expect("the archive is there");
        change(&mut bytes);
        fs::remove_file(&path).expect("its name is free");
        fs::write(&path, bytes).expect("the damage is done");
    }

    fn recover(&self, ruin: &Owner) -> Said {
        run("recover", [ruin.name(), "--from", &self.point.to_string_lossy()])
    }

    /// Recovery brings everything back.
    #[track_caller]
    fn is_answered(&self, mut ruin: Owner) {
        self.recover(&ruin).expect(0).done();
        ruin.start();
        self.loaded.audit(&ruin);
        ruin.stop().done();
        fs::remove_dir_all(ruin.dir()).expect("it is not needed any more");
    }

    /// Recovery is refused, touches nothing, and names both data sets.
    #[track_caller]
    fn is_refused(&self, ruin: &Owner) -> Said {
        let before = folder::contents(ruin.dir());
        let said = self.recover(ruin).expect(12).says(&[&self.archive[0], &self.archive[1]]);
        folder::assert_untouched(ruin.dir(), &before);
        fs::remove_dir_all(ruin.dir()).expect("it is not needed any more");
        said
    }
}

/// Overwrites control interval `index`.
fn overwrite(bytes: &mut [u8], index: usize) {
    let ci = &mut bytes[index * CI_SIZE..(index + 1) * CI_SIZE];
    ci.iter_mut().zip((0..=255).cycle()).for_each(|(byte, other): (&mut u8, u8)| *byte = other ^ 0x5A);
}

#[test]
fn different_control_intervals_lost_in_the_two_copies_of_an_archive_lose_nothing() {
    let site = Site::new();
    let last = site.intervals() - 1;
    for (number, (first, second)) in [(0, last), (last, 0), (10, 11), (11, 10)].into_iter().enumerate() {
        let ruin = site.ruin(&format!("pair{number}"));
        site.damage(&ruin, 1, |bytes| overwrite(bytes, first));
        site.damage(&ruin, 2, |bytes| overwrite(bytes, second));
        site.is_answered(ruin);
    }
    // As bad as it may be: every second one here, the others there.
    let ruin = site.ruin("half");
    site.damage(&ruin, 1, |bytes| (0..=last).step_by(2).for_each(|index| overwrite(bytes, index)));
    site.damage(&ruin, 2, |bytes| (1..=last).step_by(2).for_each(|index| overwrite(bytes, index)));
    site.is_answered(ruin);
}

#[test]
fn the_same_control_interval_lost_in_both_copies_of_an_archive_is_refused_and_named() {
    let site = Site::new();
    let last = site.intervals() - 1;
    for index in [0, 1, last / 2, last] {
        let ruin = site.ruin(&format!("same{index}"));
        for copy in 1..=2 {
            site.damage(&ruin, copy, |bytes| overwrite(bytes, index));
        }
        let rba = site.needed.start.plus((index * CI_SIZE) as u64).to_string();
        site.is_refused(&ruin).says(&[&rba]).done();
    }
    // Zeros look like log that was never written; they are no end of it.
    let ruin = site.ruin("zeros");
    for copy in 1..=2 {
        site.damage(&ruin, copy, |bytes| bytes[5 * CI_SIZE..6 * CI_SIZE].fill(0));
    }
    site.is_refused(&ruin).done();
}

#[test]
fn a_truncated_archive_is_read_from_the_other_copy_or_refused() {
    let site = Site::new();
    let half = site.intervals() / 2 * CI_SIZE;
    let cuts = [("empty", 0), ("half", half), ("torn", half + 100), ("end", site.intervals() * CI_SIZE - 1)];
    for (case, length) in cuts {
        let ruin = site.ruin(&format!("one-{case}"));
        site.damage(&ruin, 1, |bytes| bytes.truncate(length));
        site.is_answered(ruin);
        let ruin = site.ruin(&format!("both-{case}"));
        site.damage(&ruin, 1, |bytes| bytes.truncate(length));
        site.damage(&ruin, 2, |bytes| bytes.truncate(length));
        site.is_refused(&ruin).done();
    }
    // What copy 1 lost at its end is in copy 2, what copy 2 lost at its start is in copy 1.
    let ruin = site.ruin("complements");
    site.damage(&ruin, 1, |bytes| bytes.truncate(half));
    site.damage(&ruin, 2, |bytes| bytes[..half].fill(0xFF));
    site.is_answered(ruin);
}

#[test]
fn a_missing_archive_beside_a_damaged_one_is_refused() {
    let site = Site::new();
    for copy in 1..=2 {
        let ruin = site.ruin(&format!("missing{copy}"));
        fs::remove_file(ruin.file(&site.archive[copy - 1])).expect("it is lost");
        site.damage(&ruin, 3 - copy, |bytes| overwrite(bytes, 7));
        site.is_refused(&ruin).done();
        let ruin = site.ruin(&format!("only{copy}"));
        fs::remove_file(ruin.file(&site.archive[copy - 1])).expect("it is lost");
        site.is_answered(ruin);
    }
}

#[test]
fn a_zero_filled_archive_is_read_from_the_other_copy_or_refused() {
    let site = Site::new();
    for copy in 1..=2 {
        let ruin = site.ruin(&format!("zero{copy}"));
        site.damage(&ruin, copy, |bytes| bytes.fill(0));
        site.is_answered(ruin);
    }
    let ruin = site.ruin("zeros");
    for copy in 1..=2 {
        site.damage(&ruin, copy, |bytes| bytes.fill(0));
    }
    site.is_refused(&ruin).done();
}

#[test]
fn an_archive_of_other_log_under_the_right_name_is_never_read_as_ours() {
    let site = Site::new();
    // Another queue manager's, of the same RBAs; and one of ours, of other RBAs.
    let mut stranger = Loaded::create(&[&OPTIONS[..], &["--name", "QM1"]].concat());
    stranger.load(4000).done();
    stranger.archive();
    stranger.owner.stop().done();
    let theirs = folder::inventory(stranger.owner.dir()).archives;
    let same_place = theirs.iter().find(|archive| archive.range.start == site.needed.start);
    let theirs = &same_place.or(theirs.last()).expect("they have archives").name;
    let theirs = fs::read(stranger.owner.file(theirs)).expect("it is there");
    let ours = folder::inventory(site.loaded.owner.dir()).archives;
    let another = ours.iter().find(|archive| archive.range != site.needed).expect("there are more");
    let another = fs::read(site.loaded.owner.file(&another.name)).expect("it is there");
    for (case, foreign) in [("theirs", &theirs), ("another", &another)] {
        for copy in 1..=2 {
            let ruin = site.ruin(&format!("{case}{copy}"));
            site.damage(&ruin, copy, |bytes| bytes.clone_from(foreign));
            site.is_answered(ruin);
        }
        let ruin = site.ruin(&format!("{case}-both"));
        for copy in 1..=2 {
            site.damage(&ruin, copy, |bytes| bytes.clone_from(foreign));
        }
        site.is_refused(&ruin).done();
    }
}

/// `recpoint verify` says beforehand what `recover` would say.
#[test]
fn damage_in_both_copies_is_found_by_recpoint_verify() {
    let site = Site::new();
    let ruin = site.ruin("verify");
    for copy in 1..=2 {
        site.damage(&ruin, copy, |bytes| overwrite(bytes, 3));
    }
    let said = run("recpoint", ["verify", ruin.name(), &site.point.to_string_lossy()]).expect(8);
    said.says(&[&site.archive[0], &site.archive[1], "HWT549E"]).done();
    let whole = run("recpoint", ["verify", site.loaded.owner.name(), &site.point.to_string_lossy()]);
    whole.expect(0).done();
}
