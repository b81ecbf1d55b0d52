//! What every program of the suite does alike: help, version, bad options, a full device, a closed pipe, the one name on PATH.

use std::fs::OpenOptions;
use std::io::Read;
use std::process::Stdio;

use house::programs::{command, finish, path, run};
use house::tree::{self, sources};

#[test]
fn help_is_an_answer() {
    for program in tree::programs() {
        let said = run(&program, ["--help"]).expect(0);
        assert!(said.out.contains("Usage:"), "{}: {}", said.line, said.out);
        assert!(said.err.is_empty(), "{} talks on stderr: {}", said.line, said.err);
        assert!(said.out.contains(&program), "{} does not name itself", said.line);
    }
}

#[test]
fn version_is_one_line_with_the_name() {
    let version = env!("CARGO_PKG_VERSION");
    for program in tree::programs() {
        let said = run(&program, ["--version"]).expect(0);
        assert_eq!(said.out.trim_end(), format!("{program} {version}"), "{}", said.line);
    }
}

#[test]
fn a_bad_option_is_refused_with_12_and_named() {
    for program in tree::programs() {
        let said = run(&program, ["--no-such-option"]).expect(12);
        assert!(said.out.is_empty(), "{} emits data: {}", said.line, said.out);
        assert!(said.err.contains("--no-such-option"), "{}: {}", said.line, said.err);
    }
}

#[test]
fn missing_arguments_are_refused_with_12() {
    // Three of them have an answer without any argument.
    for program in
        tree::programs().iter().filter(|name| !matches!(name.as_str(), "highwater" | "rehearse" | "simulate"))
    {
        let said = run::<&str>(program, []).expect(12);
        assert!(said.out.is_empty() && !said.err.is_empty(), "{}: {}", said.line, said.err);
    }
}

#[test]
fn what_is_not_there_is_refused_and_named() {
    let missing = "/nowhere/at/all";
    for (program, before, code) in [
        ("qmgr", &["status"][..], 12),
        // As LISTCAT: an entry that is not found is a warning.
        ("listcat", &[], 4),
        ("dispusage", &[], 12),
        ("archlog", &[], 12),
        ("recpoint", &["list"], 12),
    ] {
        let said = run(program, before.iter().chain(&[missing])).expect(code);
        // IDCAMS says it in its listing.
        assert!(said.err.contains(missing) || said.out.contains(missing), "{}: {}", said.line, said.err);
    }
    run("repro", ["--infile", missing, "--outfile", "/tmp/unused"]).expect(12).says(&[missing]).done();
    run("recover", [missing, "--from", missing]).expect(12).says(&[missing]).done();
    run("prunelog", ["plan", "--inventory", missing]).expect(12).says(&[missing]).done();
}

/// An answer that could not be written was not given: it is never condition code 0.
#[test]
fn a_full_device_is_noticed() {
    for program in tree::programs() {
        for option in ["--help", "--version"] {
            let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has /dev/full");
            let said = finish(command(&program, [option]).stdout(full));
            assert!(said.code >= 8, "{} ends with {} though nothing could be written", said.line, said.code);
        }
    }
}

/// A reader that goes away ends a program quietly.
#[test]
fn a_closed_pipe_is_no_error() {
    for program in tree::programs() {
        let mut child = command(&program, ["--help"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        drop(child.stdout.take());
        let mut talk = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut talk).expect("text");
        let status = child.wait().expect("a child");
        assert!(talk.is_empty(), "{program} complains of a closed pipe: {talk}");
        assert!(status.code().is_some(), "{program} is killed by a closed pipe: {status}");
    }
}

#[test]
fn highwater_runs_the_program_beside_it() {
    for program in tree::programs().iter().filter(|name| *name != "highwater") {
        let direct = run(program, ["--version"]).expect(0);
        let through = run("highwater", [program.as_str(), "--version"]).expect(0);
        assert_eq!(through.out, direct.out);
        run("highwater", [program.as_str(), "--no-such-option"]).expect(12).done();
    }
    run("highwater", ["no-such-tool"]).expect(12).says(&["no-such-tool"]).done();
}

/// The path of a program may hold anything; the one beside it is found all the same, through a link too.
#[test]
fn highwater_is_found_through_a_link() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let link = scratch.path().join("hw");
    std::os::unix::fs::symlink(path("highwater"), &link).expect("a link");
    let said = finish(std::process::Command::new(&link).args(["repro", "--version"]));
    assert!(said.expect(0).out.starts_with("repro "));
}

/// The options that a help text names.
fn options(help: &str) -> Vec<String> {
    let starts = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words =
        starts.flat_map(|line| line.split([' ', ',', '=']).filter(|word| word.starts_with("--")).take(1));
    words.map(str::to_owned).filter(|word| !matches!(word.as_str(), "--help" | "--version")).collect()
}

/// The subcommands that a help text names.
fn subcommands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .filter(|n| n != "help")
        .collect()
}

/// An option without a test is a promise that nobody checks.
#[test]
fn every_option_is_used_by_some_test() {
    let mut tests = String::new();
    for source in ["tests/tests", "tools", "docs", ".ci"]
        .iter()
        .flat_map(|f| sources(f, &[".rs", ".trycmd", ".toml", ".md", "run"]))
    {
        let whole =
            ["/tests/", "/testing/", "_tests.rs", "/tests.rs"].iter().any(|part| source.name.contains(part));
        let unit = source.text.split_once("#[cfg(test)]").map_or("", |(_, unit)| unit);
        tests.push_str(if whole { &source.text } else { unit });
    }
    let mut untested = Vec::new();
    for program in tree::programs() {
        let help = run(&program, ["--help"]).out;
        let mut calls = vec![(program.clone(), help.clone())];
        for command in subcommands(&help) {
            calls.push((format!("{program} {command}"), run(&program, [command.as_str(), "--help"]).out));
        }
        for (call, help) in calls {
            let missing = options(&help).into_iter().filter(|option| !tests.contains(option.as_str()));
            untested.extend(missing.map(|option| format!("{call} {option}")));
        }
    }
    assert!(untested.is_empty(), "no test uses\n{}", untested.join("\n"));
}
