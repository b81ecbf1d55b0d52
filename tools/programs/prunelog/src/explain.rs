//! prunelog explain.

use console::{Failure, Outcome, Session, format_size};
use format_inventory::HolderEntry;
use format_types::ConditionCode;
use operation_retention::{Explained, Explanation, Place, Question};

use crate::args::Explain;
use crate::listings::Sources;
use crate::policies::Policies;
use crate::{plan, report, settings};

/// Code 12 when there is no such data set.
pub(crate) fn run(asked: &Explain, session: &mut Session) -> Outcome {
    let (origin, question) = settings::explain(&asked.words, asked.inventory.as_deref(), &asked.site)?;
    let policies = Policies::read(&asked.policy)?.of_origin(&origin)?;
    let sources = Sources::of(&origin)?;
    let (read, policy) = plan::read_for(&origin, sources.as_ref(), &policies, false, session)?;
    let (inventory, at) = plan::parse(&read, &origin)?;
    if read.site.is_some() {
        // Listings that no plan can be made from explain nothing either.
        plan::make(&inventory, &read, policy, at, &origin)?;
    }
    let explanation = operation_retention::explain(&inventory, policy, at, &question)
        .map_err(|error| plan::unusable(&origin, &error))?;
    if let (Explanation::DataSet { data_sets }, Question::DataSet(name)) = (&explanation, &question)
        && data_sets.is_empty()
    {
        let text = format!("THE INVENTORY HAS NO LOG DATA SET {name}");
        return Err(Failure::refused("HWT823E", text).hint("an RBA is X'..' or 16 hexadecimal digits"));
    }
    session.answer(&explanation, || lines(&explanation));
    Ok(ConditionCode::Done)
}

fn lines(explanation: &Explanation) -> Vec<String> {
    match explanation {
        Explanation::DataSet { data_sets } => data_sets.iter().flat_map(data_set).collect(),
        Explanation::Rba { rba, places } => {
            let mut lines: Vec<String> =
                places.iter().flat_map(|place| self::place(&rba.to_string(), place)).collect();
            if lines.is_empty() {
                lines.push(format!("{rba} is in no log"));
            }
            lines
        }
    }
}

fn data_set(explained: &Explained) -> Vec<String> {
    let Explained { name, copy, history, start, end, .. } = explained;
    let verdict = match (explained.delete, explained.present) {
        (true, _) => "goes: nobody holds it",
        (false, false) => "is not there",
        (false, true) => "is kept",
    };
    let size = format_size(explained.bytes);
    let kind = if explained.kind == format_inventory::LogKind::Active { "active log" } else { "archive" };
    let mut lines = vec![
        format!("{name} {verdict}"),
        format!("  {kind}, copy {copy}, history {history}, {start}..{end}, {size}"),
    ];
    held(&mut lines, &explained.holders, &explained.released_by);
    lines
}

fn place(rba: &str, place: &Place) -> Vec<String> {
    let line = if place.on_line { "" } else { ", not on the line that is written" };
    let verdict = if place.holders.is_empty() { "nobody holds it" } else { "is held" };
    let mut lines = vec![format!("{rba} in history {}{line}: {verdict}", place.history)];
    held(&mut lines, &place.holders, &place.released_by);
    for found in &place.data_sets {
        let verdict = match (found.delete, found.present) {
            (true, _) => "goes",
            (false, true) => "kept",
            (false, false) => "not there",
        };
        lines.push(format!(
            "  in {} copy {} {}..{} {verdict}",
            found.name, found.copy, found.start, found.end
        ));
    }
    if place.data_sets.is_empty() {
        lines.push("  in no data set of the inventory".to_owned());
    }
    lines
}

fn held(lines: &mut Vec<String>, holders: &[HolderEntry], released_by: &[String]) {
    lines.extend(holders.iter().map(report::holder));
    if !released_by.is_empty() {
        lines.push(format!("  goes after: {}", released_by.join("; ")));
    }
}
