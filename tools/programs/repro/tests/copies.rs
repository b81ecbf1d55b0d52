//! repro as people run it: output, messages, condition codes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use engine_storage::{RealStorage, Storage};
use format_pageset::page::{self, PageType};
use format_pageset::{PageZero, page_zero};
use format_types::{Expand, HistoryId, PAGE_SIZE, PageAddress, PageNumber, PageSetId, QueueManagerId, Rba};

const PAGES: u32 = 300;

fn image() -> Vec<u8> {
    let set = PageSetId::new(2).unwrap();
    let zero = PageZero {
        queue_manager: QueueManagerId(1),
        name: "QM1".parse().unwrap(),
        page_set: set,
        history: HistoryId { number: 1, random: 1 },
        recovery_rba: Rba(0x5000),
        highest_synced: Rba(0x6000),
        pages_used: PAGES,
        extents: 1,
        expansions: 0,
        expand: Expand::User,
        initial_pages: PAGES,
        closed_cleanly: None,
    };
    let mut image = page_zero::encode_page(&zero, 3).to_vec();
    for number in 1..PAGES {
        let mut bytes = [0; PAGE_SIZE];
        let address = PageAddress::new(set, PageNumber(number));
        page::format(&mut bytes, address, PageType::Persistent, Rba(1), Rba(2));
        bytes[100..].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at as u32 * number) as u8);
        page::seal(&mut bytes);
        image.extend(bytes);
    }
    image
}

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        place.write("PSID02", &image());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_repro"))
            .args(arguments)
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    /// Runs it, and gives its condition code, standard output and standard error.
    fn repro(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.run(arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn a_copy_ends_as_idcams_ends_it() {
    let place = Place::new();
    let mut longer = image();
    longer.extend([0x77; 5 * PAGE_SIZE]);
    place.write("PSID02", &longer);
    let (code, out, err) = place.repro(&["--infile", "PSID02", "--outfile", "COPY"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "IDC0005I NUMBER OF RECORDS PROCESSED WAS 300\n\
         IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0\n\
         IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0\n"
    );
    assert!(fs::read(place.path("COPY")).unwrap() == image(), "up to HI-U-RBA, not HI-A-RBA");
    assert_eq!(place.names(), ["COPY", "PSID02"]);
}

#[test]
fn json_says_the_same_in_one_document() {
    let place = Place::new();
    let (code, out, _) = place.repro(&["--infile", "PSID02", "--outfile", "COPY", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert_eq!(document["records"], 300);
    assert_eq!(document["kind"], "page set");
    assert_eq!(document["page_set"]["recovery_rba"], "0000000000005000");
    assert_eq!(document["condition_code"], 0);
}

#[test]
fn nothing_is_overwritten_unasked() {
    let place = Place::new();
    place.write("COPY", b"precious");
    let (code, out, err) = place.repro(&["--infile", "PSID02", "--outfile", "COPY"]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT534E COPY is there already"), "{err}");
    assert!(out.contains("IDC3003I FUNCTION TERMINATED. CONDITION CODE IS 12"));
    assert_eq!(fs::read(place.path("COPY")).unwrap(), b"precious");
    let (code, _, _) = place.repro(&["--infile", "PSID02", "--outfile", "COPY", "--reuse"]);
    assert_eq!(code, 0);
    assert!(fs::read(place.path("COPY")).unwrap() == image());
    place.write("EMPTY", b"");
    assert_eq!(place.repro(&["--infile", "PSID02", "--outfile", "EMPTY"]).0, 0);
}

#[test]
fn a_file_is_never_copied_onto_itself() {
    let place = Place::new();
    fs::hard_link(place.path("PSID02"), place.path("LINK")).unwrap();
    std::os::unix::fs::symlink("PSID02", place.path("SYMLINK")).unwrap();
    for outfile in ["PSID02", "./PSID02", "LINK", "SYMLINK"] {
        let (code, _, err) = place.repro(&["--infile", "PSID02", "--outfile", outfile, "--reuse"]);
        assert_eq!(code, 12, "{outfile}");
        assert!(err.contains("HWT532E"), "{err}");
    }
    assert!(fs::read(place.path("PSID02")).unwrap() == image());
}

#[test]
fn a_page_set_that_its_owner_has_open_is_no_outfile_but_an_infile() {
    let place = Place::new();
    fs::create_dir(place.path("QM1")).unwrap();
    place.write("QM1/PSID02", &image());
    let lock = RealStorage::new().lock(&place.path("QM1/LOCK")).unwrap().unwrap();
    std::os::unix::fs::symlink("QM1/PSID02", place.path("SYMLINK")).unwrap();
    for outfile in ["QM1/PSID02", "QM1/PSID03", "SYMLINK"] {
        let (code, _, err) = place.repro(&["--infile", "PSID02", "--outfile", outfile, "--reuse"]);
        assert_eq!(code, 12, "{outfile}");
        assert!(err.contains("HWT533E") && err.contains("qmgr stop"), "{err}");
    }
    assert_eq!(place.repro(&["--infile", "QM1/PSID02", "--outfile", "COPY"]).0, 0);
    drop(lock);
    assert_eq!(place.repro(&["--infile", "PSID02", "--outfile", "QM1/PSID02", "--reuse"]).0, 0);
    assert!(!place.path("QM1/PSID03").exists());
}

#[test]
fn pipes_at_both_ends() {
    let place = Place::new();
    let mut longer = image();
    longer.extend([0; 3 * PAGE_SIZE]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_repro"))
        .args(["--infile", "-", "--outfile", "-"])
        .current_dir(place.dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || stdin.write_all(&longer));
    let output = child.wait_with_output().unwrap();
    assert!(feeding.join().unwrap().is_ok(), "what is beyond HI-U-RBA is read away");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == image());
    assert!(
        String::from_utf8(output.stderr).unwrap().contains("IDC0005I NUMBER OF RECORDS PROCESSED WAS 300")
    );
}

#[test]
fn a_reader_that_goes_is_no_error_and_a_full_device_is() {
    let place = Place::new();
    let command = format!(
        "{} --infile PSID02 --outfile - | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_repro")
    );
    let output = Command::new("bash").args(["-c", &command]).current_dir(place.dir.path()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "0");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let (code, _, err) = place.repro(&["--infile", "PSID02", "--outfile", "/dev/full"]);
    assert_eq!(code, 16);
    assert!(err.contains("HWT502S"), "{err}");
}

#[test]
fn flipped_bits_are_named_by_their_page() {
    let place = Place::new();
    for (page, at) in [(0u32, 30), (0, 1000), (1, 5), (150, 4095), (299, 0)] {
        let mut damaged = image();
        damaged[page as usize * PAGE_SIZE + at] ^= 0x10;
        place.write("PSID02", &damaged);
        let (code, out, err) = place.repro(&["--infile", "PSID02", "--outfile", "COPY", "--reuse"]);
        assert_eq!(code, 8);
        assert!(err.contains(&format!("page {page:08X} never verified")), "{err}");
        assert!(out.contains("HIGHEST CONDITION CODE WAS 8"), "{out}");
        assert!(fs::read(place.path("COPY")).unwrap() == damaged);
        let (code, _, _) =
            place.repro(&["--infile", "PSID02", "--outfile", "COPY", "--reuse", "--fail-on", "12"]);
        assert_eq!(code, 0);
    }
}

#[test]
fn bad_input_is_refused_and_leaves_nothing() {
    let place = Place::new();
    let whole = image();
    place.write("SHORT", &whole[..200 * PAGE_SIZE]);
    place.write("ODD", &whole[..PAGE_SIZE * 3 + 100]);
    place.write("EMPTY", b"");
    let mut both = whole.clone();
    both[20] ^= 1;
    both[2068] ^= 1;
    place.write("BOTH", &both);
    let mut newer = whole;
    for slot in page_zero::SLOT_OFFSETS {
        newer[slot + 9] = 2;
        let crc = format_types::crc32c(&newer[slot..slot + 508]);
        newer[slot + 508..slot + 512].copy_from_slice(&crc.to_be_bytes());
    }
    place.write("NEWER", &newer);
    for (infile, id) in [
        ("SHORT", "HWT504E"),
        ("ODD", "HWT504E"),
        ("EMPTY", "HWT505E"),
        ("BOTH", "HWT503E"),
        ("NEWER", "HWT506E"),
        ("NOWHERE", "HWT530E"),
        (".", "HWT530E"),
    ] {
        let (code, _, err) = place.repro(&["--infile", infile, "--outfile", "COPY"]);
        assert_eq!(code, 12, "{infile}: {err}");
        assert!(err.starts_with(id), "{infile}: {err}");
        assert!(!place.path("COPY").exists() && !place.path("COPY.tmp").exists(), "{infile}");
    }
    for outfile in [".", "nowhere/COPY"] {
        let (code, _, err) = place.repro(&["--infile", "PSID02", "--outfile", outfile]);
        assert_eq!(code, 12);
        assert!(err.starts_with("HWT531E"), "{err}");
    }
    assert_eq!(place.repro(&["--infile", "PSID02"]).0, 12);
    assert_eq!(place.repro(&["--help"]).0, 0);
    assert_eq!(place.repro(&["--version"]).0, 0);
}

#[test]
fn records_of_another_making_are_copied_with_their_holes() {
    let place = Place::new();
    let file = fs::File::create(place.path("A")).unwrap();
    file.set_len(64 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[1; PAGE_SIZE], 10 << 20).unwrap();
    let (code, out, _) = place.repro(&["--infile", "A", "--outfile", "B"]);
    assert_eq!(code, 0);
    assert!(out.contains("WAS 16384"));
    assert!(fs::read(place.path("A")).unwrap() == fs::read(place.path("B")).unwrap());
    assert!(blocks(&place.path("B")) <= 64, "holes stay holes");
}

fn blocks(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(&fs::metadata(path).unwrap())
}

#[test]
fn a_dry_run_copies_nothing() {
    let place = Place::new();
    let (code, out, _) = place.repro(&["--infile", "PSID02", "--outfile", "COPY", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(out.contains("WOULD MAKE") && !place.path("COPY").exists());
    place.write("COPY", b"x");
    assert_eq!(place.repro(&["--infile", "PSID02", "--outfile", "COPY", "--dry-run"]).0, 12);
}

#[test]
fn what_a_killed_run_left_behind_is_cleared() {
    let place = Place::new();
    place.write("COPY.tmp", b"half a copy");
    assert_eq!(place.repro(&["--infile", "PSID02", "--outfile", "COPY"]).0, 0);
    assert_eq!(place.names(), ["COPY", "PSID02"]);
    place.write("COPY.tmp", b"of another run");
    let lock = RealStorage::new().lock(&place.path("COPY.tmp")).unwrap().unwrap();
    let (code, _, err) = place.repro(&["--infile", "PSID02", "--outfile", "COPY", "--reuse"]);
    assert_eq!(code, 12);
    assert!(err.contains("another run"), "{err}");
    drop(lock);
}
