//! The soak itself: with minutes of a few seconds it runs clean, and it sees a leak that is planted.

use std::process::Command;

use house::programs;

fn soak(arguments: &[&str]) -> (i32, String) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_soak"));
    command.args(arguments).arg("--dir").arg(scratch.path()).env("HIGHWATER_PROGRAMS", programs::folder());
    let said = programs::finish(&mut command);
    (said.code, format!("{}\n{}", said.out, said.err))
}

#[test]
fn a_short_soak_is_clean_and_prints_a_line_each_minute() {
    let (code, said) = soak(&["--minutes", "5", "--minute", "3", "--small", "--seed", "1"]);
    assert_eq!(code, 0, "{said}");
    for minute in 1..=5 {
        let line = said.lines().find(|line| line.trim_start().starts_with(&format!("{minute} ")));
        assert!(
            line.is_some_and(|line| line.matches('|').count() == 2),
            "no line for minute {minute}: {said}"
        );
    }
    assert!(said.contains("clean"), "{said}");
}

#[test]
fn a_planted_leak_of_descriptors_is_seen() {
    let (code, said) =
        soak(&["--minutes", "5", "--minute", "3", "--small", "--seed", "1", "--plant", "descriptors"]);
    assert_eq!(code, 8, "{said}");
    assert!(said.contains("the steady one: descriptors grow"), "{said}");
}

#[test]
fn a_planted_leak_of_memory_is_seen() {
    // Long enough for a slow machine, too, to lose several times what the rule allows.
    let (code, said) =
        soak(&["--minutes", "5", "--minute", "8", "--small", "--seed", "1", "--plant", "memory"]);
    assert_eq!(code, 8, "{said}");
    assert!(said.contains("the steady one: resident memory grows"), "{said}");
}

#[test]
fn too_short_a_soak_is_refused() {
    let (code, said) = soak(&["--minutes", "2"]);
    assert_eq!(code, 12, "{said}");
}
