//! What shows that REPRO copied a page set whole: how its function ended, its messages, its statement, and the number of its records.
//!
//! A copy that stops short is a data set like any other one, and a catalog that lists it says nothing of what is in it. Only the print of
//! the copy does.

use format_listing::{Copied, IdcamsFunction, PageSetCondition, PageSetRow};
use format_types::PageSetId;

/// Words of REPRO that leave records out, with their abbreviations.
const PARTIAL: [&str; 14] = [
    "COUNT",
    "SKIP",
    "FROMKEY",
    "FKEY",
    "FROMADDRESS",
    "FADDR",
    "FROMNUMBER",
    "FNUM",
    "TOKEY",
    "TOADDRESS",
    "TADDR",
    "TONUMBER",
    "TNUM",
    "TKEY",
];

/// Why the copy of `page_set` is not known to be whole. `rows` are those of CSQI010I.
pub(crate) fn check(
    function: &IdcamsFunction,
    copied: &Copied,
    page_set: PageSetId,
    rows: &[PageSetRow],
) -> Result<(), String> {
    let of = format!("THE COPY OF PAGE SET {page_set}");
    // Information is IDC0nnn; what is worse does not go with code 0, but stands in a print that was cut off behind it.
    if let Some(error) = function.messages.iter().find(|text| is_error(text)) {
        return Err(format!("{of} HAS THE MESSAGE '{error}'"));
    }
    match function.code {
        Some(0) => {}
        Some(code) => return Err(format!("{of} HAS CODE {code}")),
        None => return Err(format!("{of} HAS NO CONDITION CODE: NO IDC0001I ENDS IT")),
    }
    let statements = function.statements.iter();
    if let Some(word) = statements.flat_map(|statement| keywords(statement)).find(|word| leaves_out(word)) {
        return Err(format!("{of} IS A PART OF IT: ITS STATEMENT HAS {word}"));
    }
    let Some(records) = copied.records else {
        return Err(format!("{of} DOES NOT SAY HOW MANY RECORDS IT HAS: THERE IS NO IDC0005I, OR TWO"));
    };
    if records == 0 {
        return Err(format!("{of} HAS NO RECORD"));
    }
    match rows.iter().find(|row| row.page_set == page_set).map(|row| &row.condition) {
        None => Err(format!("PAGE SET {page_set} WAS COPIED AND IS NOT IN CSQI010I")),
        Some(PageSetCondition::Online(pages)) if records < pages.total => Err(format!(
            "{of} HAS {records} RECORDS, AND THE PAGE SET HAD {} PAGES BEFORE IT BY CSQI010I",
            pages.total
        )),
        Some(_) => Ok(()),
    }
}

fn is_error(message: &str) -> bool {
    let number = message.split_whitespace().next().and_then(|id| id.strip_prefix("IDC"));
    number.is_some_and(|number| !number.starts_with('0'))
}

fn leaves_out(word: &str) -> bool {
    PARTIAL.contains(&word)
}

/// The words of a statement that stand in no parentheses, in upper case.
fn keywords(statement: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut outside = String::new();
    for c in statement.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let kept = depth == 0 && c.is_ascii_alphanumeric();
        outside.push(if kept { c.to_ascii_uppercase() } else { ' ' });
    }
    outside.split_whitespace().map(str::to_owned).collect()
}
