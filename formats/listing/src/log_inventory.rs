//! What the change log inventory utility did: SYSPRINT of CSQJU003 and its relative DSNJU003.
//!
//! # Picture
//! ```text
//!  DELETE DSNAME=CSQARC1.ARCHLOG1.A0000001,COPY1VOL=TAPE01
//!  CSQJ225I CSQJU003 DELETE OPERATION SUCCESSFULLY COMPLETED
//!  CRESTART CREATE,ENDRBA=351000
//!  CSQJ200I CSQJU003 UTILITY PROCESSING COMPLETED SUCCESSFULLY
//! ```
//!
//! # Validity rule
//! A statement was done if CSQJ225I follows it, and refused if a message of severity E does. Where no message follows it, CSQJ200I says
//! that all were done; CSQJ201I leaves it unknown.
//!
//! # Torn tail
//! Without CSQJ200I and CSQJ201I the print is that of a run that was cut off: statements without a message of their own are unknown.

use format_types::{DataSetName, Timestamp};

use crate::cursor::{Cursor, is_page_heading, is_rule};
use crate::error::ListingError;
use crate::field::{data_set_name, nearly_the_same, volume, whole};
use crate::idcams_reader;
use crate::message::id_of;
use crate::text::Line;
use crate::time::date_and_time;

/// A statement of the utility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InventoryOperation {
    /// NEWLOG: enters a log data set.
    NewLog,
    /// DELETE: forgets one. The data set itself stays.
    Delete,
    /// CRESTART: a conditional restart.
    ConditionalRestart,
    /// CHECKPT: the checkpoint queue.
    Checkpoint,
    /// HIGHRBA: the highest RBA written or offloaded.
    HighRba,
}

impl InventoryOperation {
    const ALL: [(Self, &'static str); 5] = [
        (Self::NewLog, "NEWLOG"),
        (Self::Delete, "DELETE"),
        (Self::ConditionalRestart, "CRESTART"),
        (Self::Checkpoint, "CHECKPT"),
        (Self::HighRba, "HIGHRBA"),
    ];
}

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryResult {
    /// It was done.
    Done,
    /// It was not done, and why: the message.
    Refused(String),
    /// Nothing says what became of it.
    Unknown,
}

/// A statement, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryStatement {
    /// What it does.
    pub operation: InventoryOperation,
    /// DSNAME.
    pub data_set: Option<DataSetName>,
    /// COPY1VOL or COPY2VOL: the copy, and the volume.
    pub volume: Option<(u8, String)>,
    /// Its other operands, as printed, without PASSWORD.
    pub operands: Vec<String>,
    /// What became of it.
    pub result: InventoryResult,
}

/// What a run of the utility did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogInventoryChange {
    /// Its statements in their order.
    pub statements: Vec<InventoryStatement>,
    /// Whether the run says that it was successful; none when the print ends before that.
    pub successful: Option<bool>,
}

impl InventoryOperation {
    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(operation, _)| *operation == self).map_or("", |(_, name)| name)
    }
}

impl InventoryStatement {
    /// Its operands; the one that tells that the statement is one of the utility is the first.
    fn all_operands(&self) -> Vec<String> {
        let data_set = self.data_set.as_ref().map(|name| format!("DSNAME={name}"));
        let volume = self.volume.as_ref().map(|(copy, volume)| format!("COPY{copy}VOL={volume}"));
        let named = data_set.into_iter().chain(volume);
        let others = self.operands.iter().cloned();
        match self.operation {
            InventoryOperation::NewLog | InventoryOperation::Delete => named.chain(others).collect(),
            _ => others.chain(named).collect(),
        }
    }

    /// The statement in records, and what became of it.
    fn lines(&self) -> Vec<String> {
        let operands = self.all_operands();
        let mut lines = Vec::new();
        let mut open = format!(" {} ", self.operation.name());
        for (place, operand) in (1..).zip(&operands) {
            if !open.ends_with(' ') && open.len() + operand.len() > LAST_COLUMN {
                lines.push(std::mem::replace(&mut open, format!("{:8}", "")));
            }
            open.push_str(operand);
            if place < operands.len() {
                open.push(',');
            }
        }
        lines.push(open);
        match &self.result {
            InventoryResult::Done => lines.push(format!(
                " CSQJ225I CSQJU003 {} OPERATION SUCCESSFULLY COMPLETED",
                self.operation.name()
            )),
            InventoryResult::Refused(message) => lines.push(format!(" {message}")),
            InventoryResult::Unknown => {}
        }
        lines
    }
}

impl LogInventoryChange {
    /// The print, as if it was made at `at`, with carriage control in column 1.
    #[must_use]
    pub fn lines(&self, at: Timestamp) -> Vec<String> {
        let heading =
            format!("1CSQJU003 CHANGE LOG INVENTORY UTILITY      {}          PAGE 1", date_and_time(at));
        let mut lines = vec![heading];
        lines.extend(self.statements.iter().flat_map(InventoryStatement::lines));
        lines.extend(self.successful.map(|successful| {
            let (id, how) =
                if successful { ("CSQJ200I", "SUCCESSFULLY") } else { ("CSQJ201I", "UNSUCCESSFULLY") };
            format!(" {id} CSQJU003 UTILITY PROCESSING COMPLETED {how}")
        }));
        lines
    }
}

/// Column behind which no operand ends.
const LAST_COLUMN: usize = 71;

const WHAT: &str = "the statement of the change log inventory utility does not read";
/// Operands that no other statement has.
const OPERANDS: [&str; 6] = ["DSNAME=", "STARTRBA=", "ENDRBA=", "ENDLRSN=", "OFFLRBA=", "COPY1VOL="];

/// Operands that have a value.
const VALUES: [&str; 14] = [
    "STARTRBA", "ENDRBA", "STARTIME", "ENDTIME", "STRTLRSN", "ENDLRSN", "UNIT", "CATALOG", "TIME", "OFFLRBA",
    "CHKPTRBA", "FORWARD", "BACKOUT", "CSRONLY",
];
/// Operands that have no value.
const FLAGS: [&str; 4] = ["CREATE", "CANCEL", "COPY1", "COPY2"];

/// The operation of a statement, and its operands.
fn statement(text: &str) -> Option<(InventoryOperation, &str)> {
    let (verb, rest) = text.split_once(' ')?;
    let (operation, _) = InventoryOperation::ALL.into_iter().find(|(_, name)| *name == verb)?;
    let rest = rest.trim_start();
    let first = rest.split([',', ' ']).next().unwrap_or("");
    let own = match operation {
        InventoryOperation::NewLog => true,
        InventoryOperation::Delete => first.starts_with("DSNAME="),
        InventoryOperation::ConditionalRestart => matches!(first, "CREATE" | "CANCEL"),
        InventoryOperation::Checkpoint | InventoryOperation::HighRba => first.contains("RBA="),
    };
    own.then_some((operation, rest))
}

/// Whether the line is a statement of the utility, or its page heading.
pub(crate) fn begins(line: &Line<'_>) -> bool {
    let text = line.text.trim();
    statement(text).is_some() || (is_page_heading(text) && text.contains("CHANGE LOG INVENTORY"))
}

/// Whether the line looks like a statement of the utility.
pub(crate) fn looks_like_statement(text: &str) -> bool {
    let verb = text.split_whitespace().next().unwrap_or("");
    OPERANDS.iter().any(|operand| text.contains(operand))
        || InventoryOperation::ALL
            .iter()
            .any(|(operation, name)| *operation != InventoryOperation::Delete && nearly_the_same(verb, name))
}

fn operands<'a>(line: &Line<'a>, text: &'a str, into: &mut InventoryStatement) -> Result<bool, ListingError> {
    // A comment may follow the operands behind a blank.
    let mut end = text.find(' ').unwrap_or(text.len());
    if let Some(quote) = text.find('\'') {
        end =
            end.max(text.get(quote + 1..).and_then(|rest| rest.find('\'')).map_or(end, |at| quote + 2 + at));
    }
    let (list, comment) = text.split_at_checked(end).unwrap_or((text, ""));
    if comment.contains('=') {
        return Err(line.error(comment.trim_start(), WHAT, "no operand may follow behind a blank"));
    }
    for operand in list.split(',').filter(|operand| !operand.is_empty()) {
        let twice = || line.error(operand, WHAT, "it has this operand already");
        let (key, value) = operand.split_once('=').unwrap_or((operand, ""));
        match key {
            "DSNAME" => {
                let name = whole(line, value, WHAT, data_set_name)?;
                if into.data_set.replace(name).is_some() {
                    return Err(twice());
                }
            }
            "COPY1VOL" | "COPY2VOL" => {
                let copy = if key == "COPY1VOL" { 1 } else { 2 };
                if into.volume.replace((copy, whole(line, value, WHAT, volume)?)).is_some() {
                    return Err(twice());
                }
            }
            "PASSWORD" => {}
            _ => {
                let named = if operand.contains('=') { VALUES.contains(&key) } else { FLAGS.contains(&key) };
                let rba = key.ends_with("RBA") || key.ends_with("LRSN");
                let plain = (1..=16).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_hexdigit());
                if !named || rba && !plain {
                    return Err(line.error(
                        operand,
                        WHAT,
                        "an operand is wanted, and 1 to 16 digits of an RBA",
                    ));
                }
                into.operands.push(operand.to_owned());
            }
        }
    }
    Ok(list.ends_with(','))
}

/// Reads what the utility printed, which begins at `lines`.
pub(crate) fn read(lines: &mut Cursor<'_>) -> Result<LogInventoryChange, ListingError> {
    let mut change = LogInventoryChange::default();
    let mut answered: Vec<bool> = Vec::new();
    let mut goes_on = false;
    let mut headed = false;
    while let Some(line) = lines.peek() {
        let text = line.text.trim();
        if is_page_heading(text) && idcams_reader::begins(&line) {
            break;
        }
        if is_rule(text) || is_page_heading(text) {
            headed |= is_page_heading(text);
        } else if goes_on {
            if id_of(text).is_some() || statement(text).is_some() {
                return Err(line.error(text, WHAT, "the statement above ends with ',' and goes on"));
            }
            if let Some(open) = change.statements.last_mut() {
                goes_on = operands(&line, text, open)?;
            }
        } else if let Some((operation, rest)) = statement(text) {
            let mut new = InventoryStatement {
                operation,
                data_set: None,
                volume: None,
                operands: Vec::new(),
                result: InventoryResult::Unknown,
            };
            goes_on = operands(&line, rest, &mut new)?;
            let names_one = matches!(operation, InventoryOperation::NewLog | InventoryOperation::Delete);
            if names_one && !goes_on && new.data_set.is_none() {
                return Err(line.error(text, WHAT, "DSNAME is wanted"));
            }
            change.statements.push(new);
            answered.push(false);
        } else if let Some(id) = id_of(text).filter(|id| is_own(id)) {
            let area = id.get(4..7).unwrap_or("");
            if matches!(area, "200" | "201") {
                lines.advance();
                change.successful = Some(area == "200");
                break;
            }
            let result = if area == "225" {
                InventoryResult::Done
            } else if id.ends_with('I') {
                lines.advance();
                continue;
            } else {
                InventoryResult::Refused(text.to_owned())
            };
            answer(&mut change.statements, &mut answered, text, result);
        } else if id_of(text).is_some() || !headed {
            break;
        } else if !text.starts_with('*') {
            let why = "a statement or a message of the utility is wanted";
            return Err(line.error(text, "the line of the utility's print does not read", why));
        }
        lines.advance();
    }
    if goes_on && let Some(line) = lines.peek() {
        return Err(line.error(line.text.trim(), WHAT, "the statement above goes on"));
    }
    if change.successful == Some(true) {
        for (statement, answered) in change.statements.iter_mut().zip(&answered) {
            if !answered {
                statement.result = InventoryResult::Done;
            }
        }
    }
    Ok(change)
}

/// Whether the message is one of the utility: `CSQJ2nnx`, `CSQJ4nnx` and those of its relative.
fn is_own(id: &str) -> bool {
    let number = id.strip_prefix("CSQJ").or_else(|| id.strip_prefix("DSNJ"));
    number.is_some_and(|number| number.starts_with(['2', '4']))
}

/// Gives a message to the statement whose data set it names, else to the last one.
fn answer(statements: &mut [InventoryStatement], answered: &mut [bool], text: &str, result: InventoryResult) {
    let named = text.split_once("DSNAME=").map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or(""));
    let place = named.and_then(|name| {
        statements.iter().rposition(|one| one.data_set.as_ref().is_some_and(|own| own.as_str() == name))
    });
    let place = place.or(statements.len().checked_sub(1));
    let Some(place) = place else {
        return;
    };
    if let (Some(statement), Some(answered)) = (statements.get_mut(place), answered.get_mut(place)) {
        let refused = matches!(statement.result, InventoryResult::Refused(_));
        // What was refused once is not done because of another message.
        if !refused {
            statement.result = result;
        }
        *answered = true;
    }
}
