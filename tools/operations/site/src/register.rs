//! Registering a point: the output of the job that made it must show that it was made in the right order, and whole.
//!
//! The order is that of IBM's fuzzy backup (Planning on z/OS, "Backing up page sets", method 2): DISPLAY USAGE first, for log is needed
//! from what it says; then the copies; then ARCHIVE LOG, for the copies may hold all that was written until they ended.

use format_inventory::{CopiedBy, CopiedPageSet, Evidence, LedgerPoint, RestartRbas};
use format_listing::{
    CopyEnd, IdcamsOutcome, IdcamsPrint, LogEvent, PageSetCondition, PageSetRow, Report, Section,
};
use format_types::{DataSetName, PageSetId, PointMethod, QueueManagerName, Rba, Timestamp};

use crate::error::SiteError;
use crate::gather::place;

/// What is to be registered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The point's name.
    pub name: String,
    /// When it was made.
    pub at: Timestamp,
    /// What made the copies.
    pub copied_by: CopiedBy,
    /// Believe that the copies are whole.
    pub trust: bool,
    /// Copies that the listings do not name.
    pub copies: Copies,
}

/// Data sets of page sets, and of their copies, as they were typed.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    /// Data sets of page sets.
    pub data_sets: Vec<(PageSetId, DataSetName)>,
    /// Copies of page sets, by absolute names.
    pub copies: Vec<(PageSetId, DataSetName)>,
}

const AGAIN: &str = "give the output of one backup, in the order in which it was printed";

/// What stands in the listings, in their order.
#[derive(Default)]
struct Order<'s> {
    queue_manager: Option<&'s QueueManagerName>,
    page_sets: Option<&'s [PageSetRow]>,
    online: Option<Rba>,
    with_offline: Option<Rba>,
    /// Where the usage ends.
    usage: Option<usize>,
    copied: Vec<(usize, &'s Section, &'s IdcamsPrint)>,
    /// What was archived, or the log's end that was displayed, with the places.
    ends: Vec<(usize, Rba)>,
}

/// The point that `sections` prove, the listings of one backup in the order in which they were printed.
///
/// # Errors
/// When something is missing, in the wrong order, of two queue managers, or went wrong.
pub fn register(sections: &[Section], asked: &Registration) -> Result<LedgerPoint, SiteError> {
    let order = read(sections)?;
    let refused = |text: String| Err(SiteError::new("HWT920E", text, AGAIN));
    let missing = |what: &str| refused(format!("THE LISTINGS HAVE NO {what}"));
    let Some(queue_manager) = order.queue_manager else { return missing("ANSWER TO DISPLAY USAGE") };
    let (Some(online), Some(with_offline)) = (order.online, order.with_offline) else {
        return missing("CSQI024I AND CSQI025I");
    };
    let (Some(rows), Some(usage)) = (order.page_sets, order.usage) else { return missing("CSQI010I") };
    let restart = RestartRbas { online, with_offline };

    let (page_sets, evidence, last_copy) = match asked.copied_by {
        CopiedBy::Repro => copied_by_repro(&order, usage, asked)?,
        CopiedBy::DssLogical | CopiedBy::DssPhysical => typed(asked)?,
    };
    for row in rows {
        let wanted = matches!(row.condition, PageSetCondition::Online(_));
        if wanted && !page_sets.iter().any(|set| set.psid == row.page_set) {
            return refused(format!("PAGE SET {} IS ONLINE AND WAS NOT COPIED", row.page_set));
        }
    }
    let after = order.ends.iter().filter(|(at, _)| *at > last_copy.unwrap_or(usage)).map(|(_, rba)| *rba);
    let Some(end) = after.max() else {
        return refused(
            "NOTHING AFTER THE COPIES SAYS WHERE THE LOG ENDED THEN: ARCHIVE LOG COMES LAST".to_owned(),
        );
    };
    if end <= restart.lowest() {
        return refused(format!("THE LOG ENDED AT {end}, BELOW THE RESTART RBA {}", restart.lowest()));
    }
    Ok(LedgerPoint {
        queue_manager: queue_manager.clone(),
        name: asked.name.clone(),
        method: PointMethod::Fuzzy,
        at: asked.at,
        start: restart.lowest(),
        end,
        restart,
        copied_by: asked.copied_by,
        evidence: if asked.trust && evidence == Evidence::None { Evidence::Trusted } else { evidence },
        page_sets,
    })
}

fn read(sections: &[Section]) -> Result<Order<'_>, SiteError> {
    let mut order = Order::default();
    for (at, section) in sections.iter().enumerate() {
        if let Some(name) = &section.queue_manager {
            match order.queue_manager {
                Some(known) if known != name => {
                    let text = format!("{}: {name} IS ANOTHER QUEUE MANAGER THAN {known}", place(section));
                    return Err(SiteError::new("HWT920E", text, AGAIN));
                }
                _ => order.queue_manager = Some(name),
            }
        }
        let mut twice = |there: bool| {
            if there {
                let text = format!("{}: DISPLAY USAGE WAS ANSWERED TWICE", place(section));
                return Err(SiteError::new("HWT920E", text, AGAIN));
            }
            order.usage = Some(at);
            Ok(())
        };
        match &section.report {
            Report::PageSets(rows) => {
                twice(order.page_sets.is_some())?;
                order.page_sets = Some(rows);
            }
            Report::RestartRba(rba) => {
                twice(order.online.is_some())?;
                order.online = Some(*rba);
            }
            Report::RestartRbaWithOffline(rba) => {
                twice(order.with_offline.is_some())?;
                order.with_offline = Some(*rba);
            }
            Report::Idcams(print) => order.copied.push((at, section, print)),
            Report::LogStatus(log) => order.ends.push((at, log.latest)),
            Report::Event(LogEvent::EndOfActiveLog { last, .. }) => order.ends.push((at, *last)),
            Report::Event(LogEvent::ArchiveVolume(volume)) => order.ends.push((at, volume.last)),
            _ => {}
        }
    }
    Ok(order)
}

type CopiedSets = (Vec<CopiedPageSet>, Evidence, Option<usize>);

/// Copies that no listing shows, as they were typed.
fn typed(asked: &Registration) -> Result<CopiedSets, SiteError> {
    let mut page_sets = Vec::new();
    for (psid, copy) in &asked.copies.copies {
        let data_set = asked.copies.data_sets.iter().find(|(other, _)| other == psid);
        let Some((_, data_set)) = data_set else {
            let text = format!("THE DATA SET OF PAGE SET {psid} IS NOT GIVEN");
            return Err(SiteError::new(
                "HWT920E",
                text,
                "give each page set with --page-set and its copy with --copy",
            ));
        };
        page_sets.push(CopiedPageSet {
            psid: *psid,
            data_set: data_set.as_str().to_owned(),
            copy: copy.as_str().to_owned(),
        });
    }
    Ok((page_sets, Evidence::None, None))
}

fn copied_by_repro(order: &Order<'_>, usage: usize, asked: &Registration) -> Result<CopiedSets, SiteError> {
    let refused = |text: String| Err(SiteError::new("HWT920E", text, AGAIN));
    let mut page_sets: Vec<CopiedPageSet> = Vec::new();
    let mut evidence = Evidence::Clean;
    let mut last = None;
    for (at, section, print) in &order.copied {
        for function in &print.functions {
            let copies = function.outcomes.iter().filter_map(|outcome| match outcome {
                IdcamsOutcome::Copied(copied) => Some(copied),
                _ => None,
            });
            for copied in copies {
                let (Some(input), Some(output)) = (&copied.input, &copied.output) else {
                    return refused(format!(
                        "{}: A COPY DOES NOT SAY WHAT WAS COPIED, AND WHERE TO",
                        place(section)
                    ));
                };
                let psid = page_set_of(input, asked)?;
                if *at < usage {
                    return refused(format!(
                        "{}: PAGE SET {psid} WAS COPIED BEFORE DISPLAY USAGE WAS ANSWERED",
                        place(section)
                    ));
                }
                match function.code {
                    Some(0) => {}
                    None => evidence = Evidence::None,
                    Some(code) => {
                        return refused(format!(
                            "{}: THE COPY OF PAGE SET {psid} HAS CODE {code}",
                            place(section)
                        ));
                    }
                }
                if copied.records == Some(0) {
                    return refused(format!("{}: THE COPY OF PAGE SET {psid} HAS NO RECORD", place(section)));
                }
                let copy = copy_of(output, psid, asked)?;
                let data_set = data_set_of(input, psid, asked)?;
                if page_sets.iter().any(|set| set.psid == psid || set.copy == copy) {
                    return refused(format!(
                        "{}: PAGE SET {psid}, OR {copy}, IS THERE TWICE",
                        place(section)
                    ));
                }
                page_sets.push(CopiedPageSet { psid, data_set, copy });
                last = Some(*at);
            }
        }
        if print.maximum.is_none() {
            // The run was cut off: what it did last may not be whole.
            evidence = Evidence::None;
        }
    }
    if page_sets.is_empty() {
        return refused("THE LISTINGS SHOW NO COPY OF A PAGE SET".to_owned());
    }
    Ok((page_sets, evidence, last))
}

const NAMES: &str = "say which data set is which page set: --page-set 0=MQ1.PSID00, and which is its copy: --copy 0=MQ1.BACKUP.G0001V00";

/// The page set that a data set or DD name is of: as it was typed, else by the number that ends one of the usual names.
fn page_set_of(input: &CopyEnd, asked: &Registration) -> Result<PageSetId, SiteError> {
    let name = match input {
        CopyEnd::DataSet(name) => {
            if let Some((psid, _)) = asked.copies.data_sets.iter().find(|(_, typed)| typed == name) {
                return Ok(*psid);
            }
            name.as_str().rsplit('.').next().unwrap_or_default().to_owned()
        }
        CopyEnd::File(name) => name.clone(),
    };
    let number = ["PSID", "PAGE", "CSQP00", "PS"]
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .filter(|digits| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .and_then(PageSetId::new);
    number
        .ok_or_else(|| SiteError::new("HWT920E", format!("{name} DOES NOT SAY WHICH PAGE SET IT IS"), NAMES))
}

fn data_set_of(input: &CopyEnd, psid: PageSetId, asked: &Registration) -> Result<String, SiteError> {
    let typed =
        asked.copies.data_sets.iter().find(|(other, _)| *other == psid).map(|(_, name)| name.as_str());
    match input {
        CopyEnd::DataSet(name) => Ok(name.as_str().to_owned()),
        CopyEnd::File(dd) => typed.map(str::to_owned).ok_or_else(|| {
            let text = format!("DD {dd} OF PAGE SET {psid} DOES NOT SAY WHICH DATA SET IT IS");
            SiteError::new("HWT920E", text, NAMES)
        }),
    }
}

fn copy_of(output: &CopyEnd, psid: PageSetId, asked: &Registration) -> Result<String, SiteError> {
    let typed = asked.copies.copies.iter().find(|(other, _)| *other == psid).map(|(_, name)| name.as_str());
    match (typed, output) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, CopyEnd::DataSet(name)) => Ok(name.as_str().to_owned()),
        (None, CopyEnd::File(dd)) => {
            let text = format!("DD {dd} DOES NOT SAY WHICH DATA SET THE COPY OF PAGE SET {psid} IS");
            Err(SiteError::new("HWT920E", text, NAMES))
        }
    }
}
