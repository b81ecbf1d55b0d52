//! When reports were printed, and which command they answer, as far as their files say it.

use format_listing::{Section, Text, read};

fn sections(text: &str) -> Vec<Section> {
    let text = Text::decode("x", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    read(&[text]).unwrap_or_else(|error| panic!("{error}"))
}

/// First and last time of each report; `-` where nothing says it.
fn times(text: &str) -> Vec<String> {
    let times = sections(text).into_iter().map(|section| match section.printed {
        Some(printed) if printed.first == printed.last => printed.first.to_string(),
        Some(printed) => format!("{} to {}", printed.first, printed.last),
        None => "-".to_owned(),
    });
    times.collect()
}

const RBA: &str = "CSQI025I !QM1 CSQIDUSE Restart RBA including offline page sets=000000005800\n";

const REPRO: &str = "\
1IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1
0
   REPRO INFILE(PSID00) OUTFILE(OUT00)
1IDCAMS  SYSTEM SERVICES                                           TIME: 10:48:00        11/26/26     PAGE      2
0IDC0005I NUMBER OF RECORDS PROCESSED WAS 1078
0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0
0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0
";

#[test]
fn consoles_print_times_before_their_messages() {
    for (prefix, time) in [
        (" 09.06.48 STC00103  ", "09:06:48"),
        (" 09.06.48 STC00103 ", "09:06:48"),
        ("2026-11-26 09:06:48 SY1 STC00103 ", "2026-11-26 09:06:48"),
        ("2026.330 09.06.48,12 SY1 STC00103 ", "2026-11-26 09:06:48"),
        ("N 0000000 SY1      2026330 09:06:48.05 STC00103 00000090  ", "2026-11-26 09:06:48"),
        ("N 0000000 SY1      26330 09:06:48.05 STC00103 00000090  ", "2026-11-26 09:06:48"),
        ("NR0000000 SY1      26330 09:06:48.05 STC00103 00000090  ", "2026-11-26 09:06:48"),
    ] {
        assert_eq!(times(&format!("{prefix}{RBA}")), [time], "{prefix}");
    }
    assert_eq!(times(RBA), ["-"]);
}

#[test]
fn a_job_log_names_the_day() {
    let log = format!(
        " 23.59.59 STC00103 ---- THURSDAY,  26 NOV 2026 ----\n 23.59.59 STC00103  {RBA} 00.00.00 STC00103 ---- FRIDAY,    27 NOV 2026 ----\n \
         00.00.01 STC00103  {RBA}"
    );
    assert_eq!(times(&log), ["2026-11-26 23:59:59", "2026-11-27 00:00:01"]);
}

#[test]
fn pages_of_idcams_and_runs_of_csqutil_have_times() {
    assert_eq!(times(REPRO), ["2026-11-26 10:46:37 to 2026-11-26 10:48:00"]);
    assert_eq!(
        times(&REPRO.replace("TIME: 10:46:37        11/26/26", "TIME: 10:46:37        26.11.26")),
        ["2026-11-26 10:48:00"]
    );
    let run = "CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 09:06:48\n";
    let end = "CSQU148I CSQUTIL Utility completed, return code=0\n";
    let all = [run, RBA, end, RBA, run, RBA, REPRO, RBA].concat();
    let time = "2026-11-26 09:06:48";
    assert_eq!(times(&all), [time, "-", time, "2026-11-26 10:46:37 to 2026-11-26 10:48:00", "-"]);
    // The time of one file says nothing of another one.
    let texts = [run, RBA].map(|text| Text::decode("x", text.as_bytes()).unwrap());
    assert_eq!(read(&texts).unwrap()[0].printed, None);
}

#[test]
fn answers_have_the_commands_that_are_echoed_above_them() {
    let none = |noun: &str| {
        format!(
            "CSQM297I !QA CSQMDRTC NO {noun} FOUND MATCHING REQUEST CRITERIA\nCSQ9022I !QA CSQMDRTC ' DISPLAY {noun}' NORMAL COMPLETION\n"
        )
    };
    let text = [
        "DISPLAY CFSTRUCT(APP1) ALL\n",
        "DIS CFSTATUS(*) TYPE(BACKUP)\n",
        &none("CFSTATUS"),
        &none("CFSTRUCT"),
        &none("CFSTRUCT"),
        " 09.06.48 STC00103  -QA DIS CFSTRUCT(*)\n",
        &none("CFSTRUCT"),
    ]
    .concat();
    let commands = |text: &str| -> Vec<String> {
        let commands = sections(text).into_iter().map(|section| section.command);
        commands.map(|command| command.map_or("-".to_owned(), |command| command.to_string())).collect()
    };
    let wanted =
        ["DISPLAY CFSTATUS(*) TYPE(BACKUP)", "DISPLAY CFSTRUCT(APP1) ALL", "-", "DISPLAY CFSTRUCT(*)"];
    assert_eq!(commands(&text), wanted);
    // Which answer is of which command is not clear; one that failed has no answer.
    let two = ["DIS CFSTRUCT(*)\n", "DIS CFSTRUCT(APP1)\n", &none("CFSTRUCT"), &none("CFSTRUCT")].concat();
    assert_eq!(commands(&two), ["-", "DISPLAY CFSTRUCT(APP1)"]);
    let twice = ["DIS CFSTRUCT(*)\n", "DIS CFSTRUCT(*)\n", &none("CFSTRUCT")].concat();
    assert_eq!(commands(&twice), ["DISPLAY CFSTRUCT(*)"]);
    let failed = "DIS CFSTRUCT(*)\nCSQ9023E !QA CSQMDRTC ' DISPLAY CFSTRUCT' ABNORMAL COMPLETION\n";
    assert_eq!(commands(&[failed, &none("CFSTRUCT")].concat()), ["-"]);
    for end in [
        "CSQU125E CSQUTIL Unable to connect to QA",
        "CSQU148I CSQUTIL Utility completed, return code=8",
        "CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 09:06:48",
        "CSQ9031E !QA CSQ9SCND SYNTAX ERROR FOLLOWING TEXT: CFSTRUCT",
    ] {
        let text = format!("DIS CFSTRUCT(*) ALL\n{end}\n{}", none("CFSTRUCT"));
        assert_eq!(commands(&text), ["-"], "{end}");
    }
}
