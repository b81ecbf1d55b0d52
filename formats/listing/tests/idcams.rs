//! SYSPRINT of jobs that delete and copy, and of CSQJU003, against values written down by hand.

use format_listing::{
    Copied, CopyEnd, DeletionResult, IdcamsFunction, IdcamsOutcome, InventoryOperation, InventoryResult,
    LogInventoryChange, Report, Text, read,
};

const JOB: &str = include_str!("../../../testdata/listings/idcams-job.txt");
const INVENTORY: &str = include_str!("../../../testdata/listings/log-inventory.txt");

fn reports(text: &str) -> Vec<Report> {
    let text = Text::decode("job", text.as_bytes()).unwrap();
    let sections = read(&[text]).unwrap_or_else(|error| panic!("{error}"));
    sections.into_iter().map(|section| section.report).collect()
}

fn refused(text: &str) -> String {
    read(&[Text::decode("job", text.as_bytes()).unwrap()]).unwrap_err().to_string()
}

fn functions(text: &str) -> (Vec<IdcamsFunction>, Option<u8>) {
    match reports(text).remove(0) {
        Report::Idcams(print) => (print.functions, print.maximum),
        other => panic!("{other:?}"),
    }
}

/// Names with their kinds and what became of them; what stays or is unknown begins with `+` or `?`.
fn deleted(function: &IdcamsFunction) -> Vec<(String, Option<char>, String)> {
    let [IdcamsOutcome::Deleted(names)] = function.outcomes.as_slice() else { panic!("{function:?}") };
    let result = |result: &DeletionResult| match result {
        DeletionResult::Gone => "gone".to_owned(),
        DeletionResult::WasNotThere => "was not there".to_owned(),
        DeletionResult::Stays(why) => format!("+{why}"),
        DeletionResult::Unknown(why) => format!("?{why}"),
    };
    names.iter().map(|one| (one.name.to_string(), one.kind, result(&one.result))).collect()
}

fn row(name: &str, kind: Option<char>, result: &str) -> (String, Option<char>, String) {
    (format!("CSQARC1.{name}"), kind, result.to_owned())
}

#[test]
fn deletions_and_copies_of_a_job() {
    let (functions, maximum) = functions(JOB);
    assert_eq!(maximum, Some(12));
    let codes: Vec<_> = functions.iter().map(|function| function.code).collect();
    assert_eq!(codes, [Some(8), Some(8), Some(0), Some(0), Some(12)]);
    assert_eq!(
        deleted(&functions[0]),
        [
            row("ARCHLOG1.A0000001", Some('A'), "gone"),
            row("ARCHLOG1.A0000002", None, "was not there"),
            row(
                "ARCHLOG1.A0000003",
                None,
                "+IDC3009I ** VSAM CATALOG RETURN CODE IS 84 - REASON CODE IS IGG0CLFC-8; \
                 IDC0551I ** ENTRY CSQARC1.ARCHLOG1.A0000003 NOT DELETED"
            ),
        ]
    );
    assert_eq!(
        functions[1].statements,
        ["IF MAXCC LE 8 THEN SET MAXCC = 0", "DEL 'CSQARC1.ARCHLOG1.A0000004'"]
    );
    assert_eq!(
        deleted(&functions[1]),
        [row("ARCHLOG1.A0000004", None, "?IDC3007I ** VSAM CATALOG RETURN CODE IS 56")]
    );
    assert_eq!(
        deleted(&functions[2]),
        [row("PSID02.DATA", Some('D'), "gone"), row("PSID02", Some('C'), "gone")]
    );
    let data_set = "CSQARC1.BACKUP.PSID01.G0013V00".parse().unwrap();
    let copied = Copied {
        input: Some(CopyEnd::File("PSIN".into())),
        output: Some(CopyEnd::DataSet(data_set)),
        records: Some(180),
    };
    assert_eq!(functions[3].outcomes, [IdcamsOutcome::Copied(copied)]);
    let failed = Copied {
        input: Some(CopyEnd::File("BAD".into())),
        output: Some(CopyEnd::File("OUT".into())),
        records: Some(0),
    };
    assert_eq!(functions[4].outcomes, [IdcamsOutcome::Copied(failed)]);
    assert_eq!(functions[4].messages[0], "IDC3300I ERROR OPENING CSQARC1.PSID09");
}

#[test]
fn what_no_message_answers_is_unknown() {
    let heading = JOB.lines().next().unwrap();
    let cut = format!("{heading}\n0\n   DELETE (A.B C.D)\n0IDC0550I ENTRY (A) A.B DELETED\n");
    let (functions, maximum) = functions(&cut);
    assert_eq!((maximum, functions[0].code), (None, None));
    let results: Vec<_> =
        deleted(&functions[0]).into_iter().map(|(name, _, result)| (name, result)).collect();
    assert_eq!(results, [("A.B".into(), "gone".into()), ("C.D".into(), "?no message names it".to_owned())]);
    for (statement, messages, wanted) in [
        ("DELETE A.B TEST", "0IDC0550I ENTRY (A) A.B DELETED", "?a statement with TEST deletes nothing"),
        (
            "DELETE A.B",
            "0IDC0550I ENTRY (A) A.B DELETED\n IDC0551I ** ENTRY A.B NOT DELETED",
            "?the messages",
        ),
        ("DELETE A.B", " IDC3012I ENTRY X.Y NOT FOUND\n IDC0551I ** ENTRY A.B NOT DELETED", "+IDC3012I"),
    ] {
        let text = format!(
            "{heading}\n0\n   {statement}\n{messages}\n0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 8\n"
        );
        let rows = deleted(&self::functions(&text).0[0]);
        let found =
            rows.iter().filter(|(name, ..)| name == "A.B").all(|(.., result)| result.starts_with(wanted));
        assert!(found && !rows.is_empty(), "{statement}: {rows:?}");
    }
}

#[test]
fn damaged_messages_are_refused() {
    for (from, to, why) in [
        ("IDC0550I ENTRY (A)", "IDC0550I ENTRX (A)", "ENTRY ... DELETED"),
        ("IDC0550I ENTRY (A)", "IDCO550I ENTRY (A)", "nearly one of"),
        ("A0000001 DELETED", "A00000011 DELETED", "a data set name"),
        ("HIGHEST CONDITION CODE WAS 8", "HIGHEST CONDITION CODE WAS B", "a number"),
        ("PROCESSED WAS 180", "PROCESSED WAS 18O", "a number"),
        ("0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 8\n", "", "ends the function above"),
        ("PAGE      2", "PAGE      Z", "heading of a page"),
    ] {
        assert!(JOB.contains(from), "{from}");
        let found = refused(&JOB.replacen(from, to, 1));
        assert!(found.contains(why), "{to}: {found}");
    }
}

fn inventory(text: &str) -> LogInventoryChange {
    match reports(text).remove(0) {
        Report::LogInventory(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statements_of_the_change_log_inventory_utility() {
    let change = inventory(INVENTORY);
    assert_eq!(change.successful, Some(false));
    let rows: Vec<_> = change
        .statements
        .iter()
        .map(|one| (one.operation, one.data_set.as_ref().map_or("", |name| name.as_str())))
        .collect();
    assert_eq!(
        rows,
        [
            (InventoryOperation::Delete, "CSQARC1.ARCHLOG1.A0000001"),
            (InventoryOperation::Delete, "CSQARC1.ARCHLOG1.A0000002"),
            (InventoryOperation::NewLog, "CSQARC1.ARCHLOG1.A0000007"),
            (InventoryOperation::ConditionalRestart, ""),
        ]
    );
    let [first, second, third, fourth] = change.statements.as_slice() else { panic!() };
    assert_eq!((&first.result, first.volume.clone()), (&InventoryResult::Done, Some((1, "TAPE01".into()))));
    let InventoryResult::Refused(why) = &second.result else { panic!("{second:?}") };
    assert!(why.starts_with("CSQJ228E"));
    assert_eq!(third.operands, ["UNIT=TAPE", "STARTRBA=000000356000", "ENDRBA=00000078DFFF", "CATALOG=YES"]);
    assert_eq!((&third.result, third.volume.clone()), (&InventoryResult::Done, Some((2, "TAPE07".into()))));
    assert_eq!(
        (&fourth.result, fourth.operands.as_slice()),
        (&InventoryResult::Unknown, &["CREATE".to_owned(), "ENDRBA=351000".to_owned()][..])
    );

    let success = INVENTORY
        .replace("CSQJ201I CSQJU003 UTILITY PROCESSING COMPLETED UNSUCCESSFULLY", "CSQJ200I CSQJU003 DONE");
    assert_eq!(inventory(&success).statements[3].result, InventoryResult::Done);
    let cut = &INVENTORY[..INVENTORY.find(" CSQJ201I").unwrap()];
    let cut = inventory(cut);
    assert_eq!((cut.successful, &cut.statements[3].result), (None, &InventoryResult::Unknown));
}

#[test]
fn damaged_statements_are_refused() {
    for (from, to) in [
        ("DELETE DSNAME=", "DELETX DSNAME="),
        ("NEWLOG DSNAME=", "NEWL0G DSNAME="),
        ("CRESTART CREATE", "CRESTXART CREATE"),
        ("A0000001,COPY1VOL", "A00000011,COPY1VOL"),
        ("ENDRBA=351000", "ENDRBA=35100G"),
    ] {
        assert!(INVENTORY.contains(from), "{from}");
        refused(&INVENTORY.replacen(from, to, 1));
        let without_heading = INVENTORY.split_once('\n').unwrap().1;
        refused(&without_heading.replacen(from, to, 1));
    }
}
