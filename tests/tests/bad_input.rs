//! Bad input: whatever is damaged, foreign, missing, too new or unwritable gets a message that names it and its condition code, and
//! nothing is lost: with the file put back, every message is there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use damage_zoo::{Kind, Verdict};
use format_pageset::page_zero;
use format_types::PAGE_SIZE;
use house::folder;
use house::ground::{self, Mount};
use house::owner::Owner;
use house::programs::{Said, run};

fn text(path: &Path) -> &str {
    path.to_str().expect("a readable path")
}

/// What is done to the bytes of a file.
type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

/// What is done to a queue manager at rest.
type Damage<'a> = &'a dyn Fn(&Ground);

/// A queue manager at rest with three page sets, several archives in two copies, a recovery point, and lines on a queue.
struct Ground {
    scratch: tempfile::TempDir,
    dir: PathBuf,
    point: PathBuf,
    before: BTreeMap<String, Vec<u8>>,
    lines: Vec<String>,
}

impl Ground {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let dir = scratch.path().join("QM1");
        let options = [
            "--page-sets",
            "3",
            "--page-set-size",
            "1MiB",
            "--log-size",
            "1MiB",
            "--active-logs",
            "2",
            "--logs",
            "dual",
            "--archives",
            "dual",
        ];
        let mut owner = Owner::create(&dir, &options);
        owner.start();
        owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
        owner.mqsc("DEFINE QLOCAL(APP.Q) STGCLASS(ONE) DEFPSIST(YES)").done();
        let lines: Vec<String> = (0..300).map(|number| format!("{number} {}", "b".repeat(10_000))).collect();
        owner.put("APP.Q", &lines[..100]);
        let points = scratch.path().join("points");
        fs::create_dir(&points).expect("a folder");
        run("recpoint", ["create", owner.name(), "--to", text(&points.join("P1"))]).expect(0).done();
        owner.put("APP.Q", &lines[100..]);
        owner.stop().done();
        let (point, _) = folder::points(&points).pop().expect("a point");
        let before = folder::contents(&dir);
        Self { scratch, dir, point, before, lines }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn name(&self) -> &str {
        text(&self.dir)
    }

    /// Changes a file in place.
    fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.file(name)).expect("the file is there");
        change(&mut bytes);
        fs::write(self.file(name), bytes).expect("the file can be written");
    }

    fn start(&self) -> Result<Owner, Said> {
        let mut owner = Owner::at(&self.dir);
        owner.try_start().map(|()| owner)
    }

    /// Start is refused with 12 and these words, and touches no page set and no archive.
    #[track_caller]
    fn start_is_refused(&self, words: &[&str]) {
        let kept = || {
            let mut files = folder::contents(&self.dir);
            files.retain(|name, _| name.starts_with("PSID") || name.starts_with("ARCHLOG"));
            files
        };
        let before = kept();
        let said = self.start().expect_err("it starts").expect(12);
        assert!(has_identifier(&said.err), "no message identifier: {}", said.err);
        assert!(kept() == before, "a page set or an archive was touched");
        said.says(words).done();
    }

    /// Puts one file back as it was, and shows that everything is there.
    #[track_caller]
    fn mend(&self, name: &str) {
        fs::write(self.file(name), &self.before[name]).expect("it can be put back");
        self.start_serves();
    }

    /// Start goes through, and every line is there.
    #[track_caller]
    fn start_serves(&self) {
        let mut owner = self.start().unwrap_or_else(|said| panic!("it does not start: {said:?}"));
        assert_eq!(owner.browse("APP.Q"), self.lines);
        owner.stop().done();
    }

    fn recover(&self) -> Said {
        run("recover", [self.name(), "--from", text(&self.point)])
    }

    /// Puts everything back as it was, and shows that nothing was lost.
    #[track_caller]
    fn put_back(&self) {
        for path in folder::files(&self.dir).values() {
            fs::remove_file(path).expect("it can be removed");
        }
        for (name, bytes) in &self.before {
            fs::write(self.file(name), bytes).expect("it can be put back");
        }
        let mut owner = self.start().unwrap_or_else(|said| panic!("it does not start: {said:?}"));
        assert_eq!(owner.browse("APP.Q"), self.lines);
        owner.stop().done();
        for (name, bytes) in &self.before {
            fs::write(self.file(name), bytes).expect("it can be put back");
        }
    }
}

fn has_identifier(talk: &str) -> bool {
    talk.split_whitespace().any(|word| {
        word.len() >= 7
            && (word.starts_with("CSQ") || word.starts_with("HWT") || word.starts_with("IDC"))
            && word.ends_with(['I', 'W', 'E', 'S', 'A'])
    })
}

#[test]
fn page_sets_that_cannot_be_used_stop_the_start_and_are_named() {
    let ground = Ground::new();
    let stranger =
        Owner::create(&ground.scratch.path().join("QM2"), &["--page-sets", "3", "--page-set-size", "1MiB"]);
    let newer =
        damage_zoo::specimens().into_iter().find(|s| s.name == "page-set-newer").expect("in the zoo").bytes;
    let second = fs::read(ground.file("PSID02")).expect("a page set");
    let foreign = fs::read(stranger.file("PSID01")).expect("a page set");
    let cases: [(&str, Change<'_>); 6] = [
        ("not a page set", &|bytes| *bytes = b"This is no page set.\n".repeat(1000)),
        ("wrong number", &|bytes| bytes.clone_from(&second)),
        ("foreign", &|bytes| bytes.clone_from(&foreign)),
        ("truncated below HI-U", &|bytes| bytes.truncate(50 * PAGE_SIZE)),
        ("both slots of page zero", &|bytes| {
            for offset in page_zero::SLOT_OFFSETS {
                bytes[offset + 40] ^= 1;
            }
        }),
        ("newer version", &|bytes| bytes.clone_from(&newer)),
    ];
    for (case, change) in cases {
        ground.damage("PSID01", change);
        eprintln!("-- {case}");
        ground.start_is_refused(&["PSID01"]);
        ground.mend("PSID01");
        ground.put_back();
    }
    fs::remove_file(ground.file("PSID01")).expect("a page set is lost");
    ground.start_is_refused(&["PSID01"]);
    ground.mend("PSID01");
}

#[test]
fn lost_and_damaged_page_sets_are_recovered() {
    let ground = Ground::new();
    let damages: [(&str, Damage<'_>); 4] = [
        ("lost", &|ground| fs::remove_file(ground.file("PSID01")).expect("there")),
        ("text", &|ground| ground.damage("PSID01", |bytes| *bytes = b"text\n".to_vec())),
        ("page zero", &|ground| ground.damage("PSID01", |bytes| bytes[..PAGE_SIZE].fill(0xEE))),
        ("every page", &|ground| {
            ground.damage("PSID01", |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0x55));
        }),
    ];
    for (case, damage) in damages {
        eprintln!("-- {case}");
        damage(&ground);
        ground.recover().expect(0).done();
        ground.start_serves();
        ground.put_back();
    }
}

#[test]
fn one_damaged_slot_of_page_zero_does_not_matter() {
    let ground = Ground::new();
    for offset in page_zero::SLOT_OFFSETS {
        ground.damage("PSID01", |bytes| bytes[offset + 40] ^= 1);
        ground.start_serves();
        ground.put_back();
    }
}

#[test]
fn one_copy_of_the_bsds_is_enough_and_is_mended() {
    let ground = Ground::new();
    for name in ["BSDS01", "BSDS02"] {
        for case in ["damaged", "text", "empty", "lost"] {
            eprintln!("-- {name} {case}");
            match case {
                "damaged" => ground.damage(name, |bytes| bytes.iter_mut().step_by(100).for_each(|b| *b ^= 1)),
                "text" => ground.damage(name, |bytes| *bytes = b"no BSDS\n".to_vec()),
                "empty" => ground.damage(name, Vec::clear),
                _ => fs::remove_file(ground.file(name)).expect("it is lost"),
            }
            ground.start_serves();
            let mended = fs::read(ground.file(name)).expect("it is there again");
            assert!(format_bsds::decode_file(&mended).newest.is_some(), "{name} is not mended");
            ground.put_back();
        }
    }
}

#[test]
fn without_a_bsds_nothing_starts() {
    let ground = Ground::new();
    for case in ["damaged", "lost", "newer"] {
        eprintln!("-- {case}");
        let newer =
            damage_zoo::specimens().into_iter().find(|s| s.name == "bsds-newer").expect("in the zoo").bytes;
        for name in ["BSDS01", "BSDS02"] {
            match case {
                "damaged" => ground.damage(name, |bytes| bytes.iter_mut().step_by(100).for_each(|b| *b ^= 1)),
                "newer" => ground.damage(name, |bytes| bytes.clone_from(&newer)),
                _ => fs::remove_file(ground.file(name)).expect("it is lost"),
            }
        }
        ground.start_is_refused(&["BSDS"]);
        ground.recover().expect(12).says(&["BSDS"]).done();
        run("dispusage", [ground.name()]).expect(12).says(&["BSDS"]).done();
        ground.put_back();
    }
}

/// The archives that recovery from the point reads, by copy.
fn needed_archives(ground: &Ground) -> [Vec<String>; 2] {
    let from =
        folder::points(ground.point.parent().expect("a folder")).pop().expect("a point").1.log_needed_from();
    let archives = folder::inventory(&ground.dir).archives;
    [1, 2].map(|copy| {
        let needed = archives.iter().filter(|archive| archive.copy == copy && archive.range.end > from);
        needed.map(|archive| archive.name.clone()).collect()
    })
}

#[test]
fn the_other_copy_of_an_archive_serves_and_without_it_the_gap_is_named() {
    let ground = Ground::new();
    let [first, second] = needed_archives(&ground);
    assert!(!first.is_empty() && first.len() == second.len(), "{first:?} {second:?}");
    fs::remove_file(ground.file("PSID01")).expect("a page set is lost");
    fs::remove_file(ground.file(&first[0])).expect("copy 1 is lost");
    ground.recover().expect(0).done();
    ground.start_serves();
    ground.put_back();

    fs::remove_file(ground.file("PSID01")).expect("a page set is lost");
    fs::remove_file(ground.file(&first[0])).expect("copy 1 is lost");
    fs::remove_file(ground.file(&second[0])).expect("copy 2 is lost");
    let before = folder::contents(&ground.dir);
    ground.recover().expect(12).says(&[&first[0], &second[0]]).done();
    folder::assert_untouched(&ground.dir, &before);
    ground.put_back();
}

#[test]
fn a_damaged_control_interval_is_read_from_the_other_copy_or_named() {
    let ground = Ground::new();
    let [first, second] = needed_archives(&ground);
    let middle = |bytes: &mut Vec<u8>| {
        let at = bytes.len() / 2;
        bytes[at + 100] ^= 4;
    };
    fs::remove_file(ground.file("PSID01")).expect("a page set is lost");
    ground.damage(&first[0], middle);
    ground.recover().expect(0).done();
    ground.start_serves();
    ground.put_back();

    fs::remove_file(ground.file("PSID01")).expect("a page set is lost");
    ground.damage(&first[0], middle);
    ground.damage(&second[0], middle);
    let before = folder::contents(&ground.dir);
    ground.recover().expect(12).says(&[&first[0]]).done();
    folder::assert_untouched(&ground.dir, &before);
    ground.put_back();
}

/// The data set that ends with the log, and where in it: copy 1 and copy 2.
fn current_logs(ground: &Ground) -> [(String, usize); 2] {
    let bsds = folder::inventory(&ground.dir);
    let end = bsds.clean_stop.expect("it was stopped in order");
    [1, 2].map(|copy| {
        let active = bsds.current_active(copy).expect("a current log");
        let start = active.range.expect("it has a range").start;
        (active.name.clone(), usize::try_from(end.ci_start().since(start)).expect("inside the data set"))
    })
}

#[test]
fn the_end_of_the_log_is_read_from_either_copy() {
    let ground = Ground::new();
    for (name, last) in current_logs(&ground) {
        ground.damage(&name, |bytes| bytes[last..last + PAGE_SIZE].fill(0));
        ground.start_serves();
        ground.put_back();
    }
}

#[test]
fn points_that_are_damaged_or_foreign_are_refused() {
    let ground = Ground::new();
    fs::remove_file(ground.file("PSID01")).expect("a page set is lost");
    let before = folder::contents(&ground.dir);
    let copies = folder::contents(&ground.point);
    for (name, bytes) in &copies {
        let path = ground.point.join(name);
        let mut damaged = bytes.clone();
        let at = if name.starts_with("PSID01") { 3 * PAGE_SIZE + 77 } else { bytes.len() / 2 };
        damaged[at] ^= 2;
        fs::write(&path, &damaged).expect("the point is damaged");
        let verified = run("recpoint", ["verify", ground.name(), "P1"]);
        assert!(verified.code >= 8, "{name}: verify ends with {}", verified.code);
        if name.starts_with("PSID01") || name.to_lowercase().contains("manifest") {
            let said = ground.recover().expect(12);
            assert!(said.err.contains("P1"), "the point is not named: {}", said.err);
            assert!(name != "PSID01" || said.err.contains("page set 01 page 00000003"), "{}", said.err);
            folder::assert_untouched_but_inventory(&ground.dir, &before);
        }
        fs::write(&path, bytes).expect("the point is put back");
    }

    let mut stranger = Owner::create(&ground.scratch.path().join("QM2"), &["--page-set-size", "1MiB"]);
    stranger.start();
    let points = ground.scratch.path().join("points-of-another");
    fs::create_dir(&points).expect("a folder");
    run("recpoint", ["create", stranger.name(), "--to", text(&points.join("P1"))]).expect(0).done();
    let (foreign, _) = folder::points(&points).pop().expect("a point");
    let said = run("recover", [ground.name(), "--from", text(&foreign)]).expect(12);
    assert!(said.err.contains("QM2") || said.err.contains("another"), "{}", said.err);
    folder::assert_untouched_but_inventory(&ground.dir, &before);
    ground.recover().expect(0).done();
    ground.start_serves();
}

/// A random walk over bits, the same in every run.
fn bits(count: usize, below: usize) -> Vec<(usize, u8)> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 16).expect("64 bits")
    };
    (0..count).map(|_| (next() % below, 1 << (next() % 8))).collect()
}

#[test]
fn two_hundred_flipped_bits_are_each_named_by_every_program_that_meets_them() {
    let ground = Ground::new();
    let (copied, target) = (ground.point.join("PSID01"), ground.scratch.path().join("target"));
    let whole = fs::read(&copied).expect("the point has a copy of page set 01");
    let zero = page_zero::decode(&whole[..PAGE_SIZE]).expect("page zero").zero;
    fs::remove_file(ground.file("PSID01")).expect("a page set is lost");
    let before = folder::contents(&ground.dir);
    for (at, bit) in bits(200, zero.pages_used as usize * PAGE_SIZE) {
        let mut flipped = whole.clone();
        flipped[at] ^= bit;
        fs::write(&copied, &flipped).expect("a bit is flipped");
        let page = at / PAGE_SIZE;
        let named = |said: &Said| {
            let page_number = format!("{page:08X}");
            assert!(
                page == 0 || said.err.contains(&page_number) || said.out.contains(&page_number),
                "{page_number}: {said:?}"
            );
        };
        let verified = run("recpoint", ["verify", ground.name(), "P1"]);
        assert!(verified.code >= 8, "verify, byte {at}: {verified:?}");
        named(&verified);
        let recovered = ground.recover().expect(12);
        assert!(recovered.err.contains("page set 01"), "{recovered:?}");
        let copy = run("repro", ["--infile", text(&copied), "--outfile", text(&target), "--reuse"]);
        if page > 0 {
            assert_eq!(copy.code, 8, "repro, byte {at}: {copy:?}");
            named(&copy);
        }
    }
    folder::assert_untouched_but_inventory(&ground.dir, &before);
    fs::write(&copied, &whole).expect("the point is put back");
    ground.recover().expect(0).done();
    ground.start_serves();
}

#[test]
fn the_zoo_is_told_apart() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let zoo = damage_zoo::build(&scratch.path().join("zoo")).expect("the zoo is built");
    for (specimen, path) in &zoo {
        if !matches!(specimen.kind, Kind::PageSet | Kind::Log | Kind::Bsds) {
            continue;
        }
        let target = scratch.path().join("target");
        let said = run("repro", ["--infile", text(path), "--outfile", text(&target), "--reuse"]);
        let codes: &[i32] = match specimen.verdict {
            Verdict::Whole => &[0, 4],
            Verdict::Damaged => &[8],
            // What looks like nothing is copied record by record, as IDCAMS would.
            Verdict::Refused if specimen.name == "page-set-random" => &[0],
            Verdict::Refused => &[8, 12],
        };
        assert!(codes.contains(&said.code), "{}: {}: {said:?}", specimen.name, specimen.damage);
        assert!(said.code == 0 || has_identifier(&said.err), "{}: no message: {said:?}", specimen.name);
        let said = run("listcat", [text(path)]);
        if specimen.verdict == Verdict::Whole {
            assert!(matches!(said.code, 0 | 4), "{}: {said:?}", specimen.name);
        }
        if said.code > 0 {
            assert!(said.err.contains(&specimen.name), "the file is not named: {said:?}");
        }
    }
}

#[test]
fn read_only_targets_are_refused_and_nothing_is_left() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = Owner::create(&scratch.path().join("QM1"), &["--page-set-size", "1MiB"]);
    owner.start();
    let target = scratch.path().join("target");
    let mount = if rustix::process::geteuid().is_root() {
        if let Some(missing) = ground::no_mounts() {
            return ground::skip("read_only_targets_are_refused_and_nothing_is_left", &missing);
        }
        let mount = Mount::in_memory(&target, 8);
        ground::system("mount", &["-o", "remount,ro", text(mount.at())]);
        Some(mount)
    } else {
        fs::create_dir(&target).expect("a folder");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o555)).expect("made read-only");
        None
    };
    let copy = target.join("copy");
    let from = owner.file("PSID01");
    run("repro", ["--infile", text(&from), "--outfile", text(&copy)]).expect(12).says(&[text(&copy)]).done();
    let said = run("recpoint", ["create", owner.name(), "--to", text(&target.join("P1"))]);
    assert!(said.code >= 8 && said.err.contains(text(&target)), "{said:?}");
    let create = target.join("QM9");
    run("qmgr", ["create", text(&create)]).expect(12).says(&[text(&create)]).done();
    assert_eq!(fs::read_dir(&target).expect("a folder").count(), 0, "something is left behind");
    // The failed backup is no holder any more.
    let listed = run("recpoint", ["list", owner.name()]).expect(4);
    assert!(!listed.out.to_lowercase().contains("progress"), "{}", listed.out);
    owner.stop().done();
    drop(mount);
}

#[test]
fn what_needs_a_running_queue_manager_says_so() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let owner = Owner::create(&scratch.path().join("QM1"), &[]);
    for (program, arguments) in [
        ("mqsc", &[owner.name(), "DISPLAY QMGR"][..]),
        ("archlog", &[owner.name()]),
        ("qmgr", &["stop", owner.name()]),
        ("qmgr", &["put", owner.name(), "APP.Q"]),
        ("qmgr", &["browse", owner.name(), "APP.Q"]),
    ] {
        let said = run(program, arguments).expect(12);
        assert!(said.err.to_lowercase().contains("not running"), "{}: {}", said.line, said.err);
    }
}
