//! Names of any shape, answered in any way: what is settled is what the host answered, whatever the names look like.

use format_inventory::Plan;
use format_listing::{IdcamsPrint, Report, Text, read};
use operation_jobs::{Became, Doomed, Settlement};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

/// How the host answers a DELETE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Deletes,
    FindsNothing,
    Refuses,
    SaysNothing,
    SaysBoth,
}

const HEADING: &str = "1IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE ";

/// What a name looks like: qualifiers of any length, and words of the print itself.
fn name() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just("IDC0550I".to_owned()),
        Just("DELETED".to_owned()),
        Just("ENTRY".to_owned()),
        Just("NOT".to_owned()),
        Just("PAGE".to_owned()),
        Just("IDCAMS".to_owned()),
        Just("NSCR".to_owned()),
        Just("TEST".to_owned()),
    ];
    let qualifier = prop_oneof![4 => "[A-Z@#$][A-Z0-9@#$-]{0,7}", 1 => words];
    let number = "A[0-9]{7}";
    (proptest::collection::vec(qualifier, 0..=4), number).prop_map(|(mut qualifiers, number)| {
        qualifiers.push(number);
        qualifiers.join(".")
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Deletes),
        2 => Just(Answer::FindsNothing),
        2 => Just(Answer::Refuses),
        1 => Just(Answer::SaysNothing),
        1 => Just(Answer::SaysBoth),
    ]
}

fn messages(name: &str, answer: Answer) -> String {
    let gone = format!("0IDC0550I ENTRY (A) {name} DELETED\n");
    let stays = format!(
        "0IDC3009I ** VSAM CATALOG RETURN CODE IS 84 - REASON CODE IS IGG0CLFC-8\n IDC0551I ** ENTRY {name} NOT DELETED\n"
    );
    match answer {
        Answer::Deletes => gone,
        Answer::FindsNothing => format!(
            "0IDC3012I ENTRY {name} NOT FOUND\n IDC3009I ** VSAM CATALOG RETURN CODE IS 8 - REASON CODE IS IGG0CLEG-42\n \
             IDC0551I ** ENTRY {name} NOT DELETED\n"
        ),
        Answer::Refuses => stays,
        Answer::SaysNothing => String::new(),
        Answer::SaysBoth => gone + &stays,
    }
}

/// The print of a run in which the host has so answered each name, with a new page every few statements.
fn print(answers: &[(String, Answer)], purge: bool, page: usize) -> Vec<IdcamsPrint> {
    let mut text = format!("{HEADING}     1\n0\n");
    for (index, (name, answer)) in answers.iter().enumerate() {
        if index % page == page - 1 {
            text.push_str(&format!("{HEADING}{:6}\n0\n", index / page + 2));
        }
        let purge = if purge { " PURGE" } else { "" };
        text.push_str(&format!("   DELETE ({name}){purge}\n{}", messages(name, *answer)));
        text.push_str("0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 8\n");
    }
    text.push_str("0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 8\n");
    let texts = [Text::decode("sysprint", text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))];
    let sections = read(&texts).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let idcams = sections.into_iter().map(|section| match section.report {
        Report::Idcams(print) => *print,
        other => panic!("{other:?}"),
    });
    idcams.collect()
}

fn plan(names: &[String]) -> String {
    let entry = |(number, name): (usize, &String)| {
        let (start, end) = (format!("{:013X}000", number), format!("{number:013X}FFF"));
        json!({"name": name, "copy": 1, "history": "1", "start": start, "end": end, "bytes": 4096})
    };
    let delete: Vec<_> = names.iter().enumerate().map(entry).collect();
    json!({
        "version": 1, "queue_manager": "QM1", "at": "2026-11-22T00:00:00Z", "policy": [], "boundary": null,
        "boundary_history": null, "boundary_holder": null,
        "totals": {"delete_data_sets": 0, "delete_bytes": 0, "keep_archives": 0, "keep_bytes": 0, "active_data_sets": 0,
            "absent": 0, "delete_percent": 0},
        "max_delete_percent": 50, "over_max_delete": false, "points": [], "actions": [], "gaps": [], "warnings": [],
        "inputs": {"inventory": "00000000", "inventory_bytes": 0, "policy": "00000000"},
        "delete": delete, "keep": [], "absent": []
    })
    .to_string()
}

/// What is known after a run, or two.
fn wanted(answers: &[Answer]) -> Became {
    let all = |wanted: Answer| answers.iter().all(|answer| *answer == wanted);
    let known = answers.iter().all(|answer| matches!(answer, Answer::Deletes | Answer::FindsNothing));
    match () {
        () if all(Answer::Refuses) => Became::Stays,
        () if all(Answer::FindsNothing) => Became::WasNotThere,
        () if known => Became::Gone,
        () => Became::Unknown,
    }
}

#[test]
fn what_is_settled_is_what_the_host_answered() {
    use std::hash::{BuildHasher, Hasher};
    let given = std::env::var("HIGHWATER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 =
        given.unwrap_or_else(|| std::collections::hash_map::RandomState::new().build_hasher().finish());
    eprintln!("settling: seed {seed}; HIGHWATER_SEED={seed} makes the same choices again");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let answers = proptest::collection::btree_map(name(), proptest::collection::vec(answer(), 1..=2), 1..12);
    let runs = (answers, any::<bool>(), 1..6_usize);
    TestRunner::new_with_rng(config, rng)
        .run(&runs, |(answers, purge, page)| {
            let names: Vec<String> = answers.keys().cloned().collect();
            let text = plan(&names);
            let doomed = Doomed::of(&Plan::parse(text.as_bytes()).unwrap()).unwrap();
            let mut prints = Vec::new();
            for run in 0..2 {
                let of_run: Vec<_> = answers
                    .iter()
                    .filter_map(|(name, answers)| answers.get(run).map(|answer| (name.clone(), *answer)))
                    .collect();
                prints.extend(print(&of_run, purge, page));
            }
            let settlement = Settlement::of(&doomed, &prints);
            for (one, (name, answers)) in settlement.names.iter().zip(&answers) {
                prop_assert_eq!(one.name.as_str(), name);
                prop_assert_eq!(one.became, wanted(answers), "{}: {:?}: {:?}", name, answers, one);
            }
            prop_assert!(settlement.others.is_empty());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
}
