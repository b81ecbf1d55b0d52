//! Jobs, against a reader that knows nothing of their writer: it takes cards, joins what is continued, and finds names.

use format_statement::{
    InventoryDeletion, InventoryVolume, JobCards, LogInventoryJob, bsds_copy, delete_job,
};
use format_types::{DataSetName, VolumeSerial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A job as it was understood: its DD statements, and the data of SYSIN.
#[derive(Debug, Default, PartialEq, Eq)]
struct Understood {
    /// Operations of all statements but DD, in their order.
    operations: Vec<String>,
    program: String,
    data_sets: Vec<(String, String)>,
    data: Vec<String>,
}

/// A statement, or the rest of one, up to the blank behind its operands: `fields` fields stand before those.
fn without_comment(text: &str, fields: usize) -> String {
    let mut kept = String::new();
    let (mut ended, mut quoted) = (0, false);
    let mut before = 'x';
    for c in text.chars() {
        quoted ^= c == '\'';
        if c == ' ' && before != ' ' && !quoted {
            ended += 1;
        }
        if ended > fields {
            break;
        }
        kept.push(c);
        before = c;
    }
    // No name: the first field is empty.
    kept.trim_end().to_owned()
}

/// Columns 72 to 80 must be blank, and nothing but data and its end may begin with anything but `//`.
fn understand(lines: &[String]) -> Understood {
    let mut understood = Understood::default();
    let mut inside = false;
    let mut open = String::new();
    for line in lines {
        let card = format!("{line:80}");
        assert!(card.len() == 80 && card.is_ascii(), "{line:?}");
        assert_eq!(&card[71..], " ".repeat(9), "{line:?}");
        if inside {
            inside = !card.starts_with("/*");
            assert!(!inside || card.starts_with(' '), "{line:?} would be taken for JCL");
            if inside {
                understood.data.push(card[1..71].trim_end().to_owned());
            }
            continue;
        }
        assert!(card.starts_with("//") && !line[2..].trim().is_empty(), "{line:?}");
        if card.starts_with("//*") {
            continue;
        }
        if open.is_empty() {
            open = without_comment(&card[2..71], 2);
        } else {
            let operand = card[2..71].find(|c| c != ' ').unwrap() + 3;
            assert!((4..=16).contains(&operand), "{line:?}");
            open.push_str(&without_comment(card[2..71].trim_start(), 0));
        }
        if open.ends_with(',') {
            continue;
        }
        let statement = std::mem::take(&mut open);
        let name: String = statement.chars().take_while(|c| *c != ' ').collect();
        let words: Vec<&str> = statement[name.len()..].split_whitespace().collect();
        match *words.as_slice() {
            ["EXEC", program] => {
                understood.operations.push("EXEC".to_owned());
                program.clone_into(&mut understood.program);
            }
            ["DD", "*"] => inside = true,
            ["DD", operands] => {
                let data_set = operands.split(',').find_map(|operand| operand.strip_prefix("DSN="));
                understood.data_sets.extend(data_set.map(|data_set| (name, data_set.to_owned())));
            }
            [operation, ..] => understood.operations.push(operation.to_owned()),
            _ => panic!("{statement:?}"),
        }
    }
    assert!(open.is_empty() && !inside, "the job has no end: {open:?}");
    understood
}

/// Names of DELETE statements of IDCAMS, and what stands behind the parentheses.
fn idcams_names(data: &[String]) -> Vec<(String, String)> {
    let mut joined = String::new();
    let mut found = Vec::new();
    for record in data {
        joined.push_str(record.strip_suffix(" -").unwrap_or(record));
        joined.push(' ');
        if record.ends_with(" -") {
            continue;
        }
        let (name, rest) = joined.trim().strip_prefix("DELETE (").unwrap().split_once(')').unwrap();
        found.push((name.to_owned(), rest.trim().to_owned()));
        joined.clear();
    }
    assert!(joined.is_empty());
    found
}

/// Operands of DELETE statements of CSQJU003.
fn inventory_operands(data: &[String]) -> Vec<String> {
    let mut open = String::new();
    let mut found = Vec::new();
    for record in data {
        open.push_str(record.trim());
        if !open.ends_with(',') {
            let statement = std::mem::take(&mut open);
            found.push(statement.strip_prefix("DELETE ").unwrap().to_owned());
        }
    }
    assert!(open.is_empty());
    found
}

fn name() -> impl Strategy<Value = DataSetName> {
    proptest::collection::vec("[A-Z@#$][A-Z0-9@#$-]{0,7}", 1..=8).prop_map(|qualifiers| {
        let mut name = qualifiers.join(".");
        name.truncate(44);
        name.trim_end_matches('.').parse().unwrap()
    })
}

fn volume() -> impl Strategy<Value = Option<InventoryVolume>> {
    proptest::option::of(("[A-Z0-9@#$]{1,6}", any::<bool>()).prop_map(|(serial, first)| {
        let serial: VolumeSerial = serial.parse().unwrap();
        if first { InventoryVolume::Copy1(serial) } else { InventoryVolume::Copy2(serial) }
    }))
}

/// Runs `test` on random values; the seed is another one in every run, and printed.
fn random<S: Strategy>(what: &str, strategy: S, test: impl Fn(S::Value)) {
    use std::hash::{BuildHasher, Hasher};
    let given = std::env::var("HIGHWATER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 =
        given.unwrap_or_else(|| std::collections::hash_map::RandomState::new().build_hasher().finish());
    eprintln!("{what}: seed {seed}; HIGHWATER_SEED={seed} makes the same choices again");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&strategy, |value| {
            test(value);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
}

#[test]
fn every_name_is_deleted_and_no_other() {
    let values = (proptest::collection::vec(name(), 0..20), any::<bool>());
    random("delete job", values, |(names, purge)| {
        let job = understand(&delete_job(&JobCards::default(), &names, purge));
        assert_eq!((job.operations.join(" ").as_str(), job.program.as_str()), ("JOB EXEC", "PGM=IDCAMS"));
        let behind = if purge { "PURGE" } else { "" };
        let wanted: Vec<_> = names.iter().map(|name| (name.to_string(), behind.to_owned())).collect();
        assert_eq!(idcams_names(&job.data), wanted);
    });
}

#[test]
fn every_volume_leaves_the_inventory_and_no_other() {
    let deletions = proptest::collection::vec((name(), volume()), 0..20);
    let libraries = proptest::collection::vec(name(), 0..4);
    let values = (deletions, libraries, name(), proptest::option::of(name()));
    random("log inventory job", values, |(deletions, libraries, bsds1, bsds2)| {
        let deletions: Vec<InventoryDeletion> =
            deletions.into_iter().map(|(name, volume)| InventoryDeletion { name, volume }).collect();
        let job = LogInventoryJob { cards: JobCards::default(), libraries, bsds1, bsds2 };
        let understood = understand(&job.lines(&deletions));
        assert_eq!(understood.program, "PGM=CSQJU003");
        let library = |(index, name): (usize, &DataSetName)| {
            (if index == 0 { "STEPLIB" } else { "" }.to_owned(), name.to_string())
        };
        let mut data_sets: Vec<_> = job.libraries.iter().enumerate().map(library).collect();
        data_sets.push(("SYSUT1".to_owned(), job.bsds1.to_string()));
        data_sets.extend(job.bsds2.as_ref().map(|name| ("SYSUT2".to_owned(), name.to_string())));
        assert_eq!(understood.data_sets, data_sets);
        let operands = |deletion: &InventoryDeletion| match &deletion.volume {
            None => format!("DSNAME={}", deletion.name),
            Some(InventoryVolume::Copy1(volume)) => format!("DSNAME={},COPY1VOL={volume}", deletion.name),
            Some(InventoryVolume::Copy2(volume)) => format!("DSNAME={},COPY2VOL={volume}", deletion.name),
        };
        let wanted: Vec<_> = deletions.iter().map(operands).collect();
        assert_eq!(inventory_operands(&understood.data), wanted);
    });
}

/// Lines that job cards could be made of, sound ones and others.
fn card() -> impl Strategy<Value = String> {
    let known = [
        "//A JOB (X)",
        "//A JOB (X),",
        "//A JOB (X),CLASS=A why",
        "//A JOB (X), why",
        "//A JOB 'X, Y',",
        "//A JOB 'X,",
        "//A JOB",
        "// CLASS=A",
        "// CLASS=A,",
        "//             MSGCLASS=X, more,",
        "//              TIME=1",
        "//* why,",
        "//*",
        "//",
        "/*",
        "/*JOBPARM",
        "//S EXEC PGM=OTHER",
        "// EXEC OTHER",
        "//D DD *",
        "//B JOB (X)",
        "//J JCLLIB ORDER=A.B",
        "//O OUTPUT DEFAULT=YES,",
        "// SET A='B C'",
        "DELETE (A.B)",
    ];
    prop_oneof![
        12 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => "//[A-Z ]{0,6} [ -~]{0,70}",
    ]
}

#[test]
fn no_job_card_brings_a_step_or_data_of_its_own() {
    let name: DataSetName = "A.A0000001".parse().unwrap();
    let first = prop_oneof![6 => "//A JOB \\(X\\)(,CLASS=A)?,?", 1 => card()];
    let taken = std::cell::Cell::new(0);
    random("job cards", (first, proptest::collection::vec(card(), 0..4)), |(first, rest)| {
        let text = std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n");
        let Ok(cards) = JobCards::parse(&text) else { return };
        taken.set(taken.get() + 1);
        let job = understand(&delete_job(&cards, [&name], false));
        assert_eq!(job.operations.first().map(String::as_str), Some("JOB"), "{text}");
        let steps = job.operations.iter().filter(|operation| *operation == "EXEC").count();
        let others = ["JOB", "EXEC", "OUTPUT", "JCLLIB", "SET"];
        assert!(
            job.operations.iter().all(|operation| others.contains(&operation.as_str())),
            "{text}: {job:?}"
        );
        let jobs = job.operations.iter().filter(|operation| *operation == "JOB").count();
        assert_eq!((jobs, steps, job.program.as_str()), (1, 1, "PGM=IDCAMS"), "{text}");
        assert_eq!(idcams_names(&job.data), [(name.to_string(), String::new())], "{text}");
    });
    assert!(taken.get() > 20, "only {} were taken", taken.get());
}

#[test]
fn the_jobs_of_a_site_as_they_are_submitted() {
    let cards = JobCards::parse("//PRUNE JOB (ACCT),CLASS=A\n").unwrap();
    let archive: DataSetName = "CSQARC1.ARCHLOG1.A0000001".parse().unwrap();
    let names = [DataSetName::clone(&archive), bsds_copy(&archive).unwrap()];
    assert_eq!(
        delete_job(&cards, &names, false).join("\n"),
        "//PRUNE JOB (ACCT),CLASS=A\n\
         //DELETE   EXEC PGM=IDCAMS\n\
         //SYSPRINT DD  SYSOUT=*\n\
         //SYSIN    DD  *\n\
         \u{20} DELETE (CSQARC1.ARCHLOG1.A0000001)\n\
         \u{20} DELETE (CSQARC1.ARCHLOG1.B0000001)\n\
         /*"
    );
    let long: DataSetName = "CSQARC1.ARCHLOG1.E00186.T2336229.XX.A0000001".parse().unwrap();
    let deletions = [
        InventoryDeletion { name: archive, volume: None },
        InventoryDeletion { name: long, volume: Some(InventoryVolume::Copy2("TAPE01".parse().unwrap())) },
    ];
    let job = LogInventoryJob {
        cards,
        libraries: ["MQM.SCSQANLE", "MQM.SCSQAUTH"].map(|name| name.parse().unwrap()).to_vec(),
        bsds1: "CSQARC1.BSDS01".parse().unwrap(),
        bsds2: Some("CSQARC1.BSDS02".parse().unwrap()),
    };
    assert_eq!(
        job.lines(&deletions).join("\n"),
        "//PRUNE JOB (ACCT),CLASS=A\n\
         //LOGINV   EXEC PGM=CSQJU003\n\
         //STEPLIB  DD  DISP=SHR,DSN=MQM.SCSQANLE\n\
         //         DD  DISP=SHR,DSN=MQM.SCSQAUTH\n\
         //SYSUT1   DD  DISP=SHR,DSN=CSQARC1.BSDS01\n\
         //SYSUT2   DD  DISP=SHR,DSN=CSQARC1.BSDS02\n\
         //SYSPRINT DD  SYSOUT=*,DCB=BLKSIZE=629\n\
         //SYSIN    DD  *\n\
         \u{20} DELETE DSNAME=CSQARC1.ARCHLOG1.A0000001\n\
         \u{20} DELETE DSNAME=CSQARC1.ARCHLOG1.E00186.T2336229.XX.A0000001,\n\
         \u{20}        COPY2VOL=TAPE01\n\
         /*"
    );
}

#[test]
fn only_an_archive_has_a_copy_of_the_bsds_beside_it() {
    let copy = |name: &str| bsds_copy(&name.parse().unwrap()).map(|name| name.to_string());
    assert_eq!(copy("A.E00186.T2336229.A0000001").as_deref(), Some("A.E00186.T2336229.B0000001"));
    assert_eq!(copy("A0000001").as_deref(), Some("B0000001"));
    for other in ["CSQARC1.ARCHIVE", "CSQARC1.A000001", "CSQARC1.A000000X", "A0000001.LOG", "X.B0000001"] {
        assert_eq!(copy(other), None, "{other}");
    }
}
