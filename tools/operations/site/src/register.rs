//! Registering a point: the output of the job that made it must show that it was made in the right order, and whole.
//!
//! The order is that of IBM's methods (Planning on z/OS, "Backing up page sets"). Fuzzy, method 2: DISPLAY USAGE first, for log is needed
//! from what it says; then the copies; then ARCHIVE LOG, for the copies may hold all that was written until they ended. Full, method 1:
//! DISPLAY USAGE before the stop; then the log map, the copies, and the log map again, which shows that nothing was written meanwhile.

use format_inventory::{CopiedBy, CopiedPageSet, Evidence, Ledger, LedgerPoint, RestartRbas};
use format_listing::{
    CopyEnd, DataSetUsageRow, IdcamsFunction, IdcamsOutcome, IdcamsPrint, LogEvent, LogMap, PageSetCondition,
    PageSetRow, Report, Section,
};
use format_types::{DataSetName, PageSetId, PointMethod, QueueManagerName, Rba, Timestamp, Urid};
use jiff::civil::Date;

use crate::at_rest;
use crate::calendar::{Zone, day};
use crate::error::SiteError;
use crate::gather::place;
use crate::generation::Listed;
use crate::page_set_owner;
use crate::print_order;
use crate::whole_copy;

/// What is to be registered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The point's name.
    pub name: String,
    /// How it was made; none where the listings are to say it.
    pub method: Option<PointMethod>,
    /// When it was made, as it was typed; else what the listings print says it, where they print it.
    pub at: Option<Timestamp>,
    /// The time zone of what the listings print.
    pub zone: Option<Zone>,
    /// The present time.
    pub now: Timestamp,
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

const DAY_OF_USAGE: &str = "give it as CSQUTIL prints it, from CSQU001I on, or as a system log, with the date; where it is known to be of just before \
                            the copies, --trust, and every plan says so";

/// What stands in the listings, in their order.
#[derive(Default)]
struct Order<'s> {
    queue_manager: Option<&'s QueueManagerName>,
    page_sets: Option<&'s [PageSetRow]>,
    online: Option<Rba>,
    with_offline: Option<Rba>,
    data_sets: Option<&'s [DataSetUsageRow]>,
    /// Where the usage ends.
    usage: Option<usize>,
    /// A part of it that does not say on which day it was printed.
    undated: Option<&'s Section>,
    maps: Vec<(usize, &'s Section, &'s LogMap)>,
    copied: Vec<(usize, &'s Section, &'s IdcamsPrint)>,
    /// What was archived, or the log's end that was displayed, with the places.
    ends: Vec<(usize, Rba)>,
    /// The first unit of work that DISPLAY CONN shows.
    unit: Option<(&'s Section, Urid)>,
}

/// The point that `sections` prove, the listings of one backup in the order in which they were printed. `ledger` is what it goes into: it
/// may know the page sets.
///
/// # Errors
/// When something is missing, in the wrong order, of two queue managers, or went wrong.
pub fn register(
    sections: &[Section],
    asked: &Registration,
    ledger: &Ledger,
) -> Result<LedgerPoint, SiteError> {
    let order = read(sections)?;
    let refused = |text: String| Err(SiteError::new("HWT920E", text, AGAIN));
    let missing = |what: &str| refused(format!("THE LISTINGS HAVE NO {what}"));
    let Some(queue_manager) = order.queue_manager else { return missing("ANSWER TO DISPLAY USAGE") };
    let (Some(online), Some(with_offline)) = (order.online, order.with_offline) else {
        return missing("CSQI024I AND CSQI025I");
    };
    let (Some(rows), Some(usage)) = (order.page_sets, order.usage) else { return missing("CSQI010I") };
    check_typed(asked, rows)?;
    let copied = order.copied.iter().map(|(_, section, _)| *section);
    let first = print_order::first_moment(copied).or_else(|| print_order::first_moment(sections));
    let at = print_order::made_at(first, asked.at, asked.zone.as_ref(), asked.now)?;
    let displayed = RestartRbas { online, with_offline };
    let told = if order.maps.len() > 1 { PointMethod::Full } else { PointMethod::Fuzzy };
    let method = asked.method.unwrap_or(told);
    let begin = match method {
        PointMethod::Fuzzy => Begin { at: usage, after: "DISPLAY USAGE WAS ANSWERED" },
        PointMethod::Full => first_map(&order, usage)?,
    };

    let (page_sets, evidence, last_copy) = match asked.copied_by {
        CopiedBy::Repro => copied_by_repro(&order, &begin, rows, asked, at)?,
        CopiedBy::DssLogical | CopiedBy::DssPhysical => typed(asked)?,
    };
    for row in rows {
        let wanted = matches!(row.condition, PageSetCondition::Online(_));
        if wanted && !page_sets.iter().any(|set| set.psid == row.page_set) {
            return refused(format!("PAGE SET {} IS ONLINE AND WAS NOT COPIED", row.page_set));
        }
    }
    page_set_owner::check(&page_sets, queue_manager, &asked.copies.data_sets, ledger)?;
    let last_copy = last_copy.unwrap_or(begin.at);
    let (restart, end) = match method {
        PointMethod::Fuzzy => (displayed, log_end(&order, displayed, last_copy)?),
        PointMethod::Full => rested(&order, displayed, rows, last_copy, asked.zone.as_ref())?,
    };
    print_order::check(sections)?;
    let undated = order.undated.filter(|_| method == PointMethod::Fuzzy && evidence == Evidence::Clean);
    let evidence = match (undated, first) {
        (Some(usage), Some((copy, moment))) if !asked.trust => {
            let text = format!(
                "{}: NOTHING SAYS ON WHICH DAY DISPLAY USAGE WAS ANSWERED, AND {} WAS PRINTED ON {}",
                place(usage),
                place(copy),
                moment.date()
            );
            return Err(SiteError::new("HWT920E", text, DAY_OF_USAGE));
        }
        (Some(_), Some(_)) => Evidence::Trusted,
        _ => evidence,
    };
    Ok(LedgerPoint {
        queue_manager: queue_manager.clone(),
        name: asked.name.clone(),
        method,
        at,
        printed_on: first.map(|(_, moment)| moment.date().to_string()),
        start: restart.lowest(),
        end,
        restart,
        copied_by: asked.copied_by,
        evidence: if asked.trust && evidence == Evidence::None { Evidence::Trusted } else { evidence },
        page_sets,
    })
}

/// Far more than clocks and time zones differ.
const DAY_MICROS: u64 = 24 * 60 * 60 * 1_000_000;

/// Refuses what was typed and cannot be.
fn check_typed(asked: &Registration, rows: &[PageSetRow]) -> Result<(), SiteError> {
    let refused = |text: String| Err(SiteError::new("HWT920E", text, NAMES));
    if asked.at.is_some_and(|at| at.0 > asked.now.0.saturating_add(DAY_MICROS)) {
        let text = "--at IS MORE THAN A DAY AHEAD: NO BACKUP WAS MADE THEN";
        return Err(SiteError::new("HWT920E", text, "say when it was made, in UTC or with an offset"));
    }
    for (option, names) in [("--page-set", &asked.copies.data_sets), ("--copy", &asked.copies.copies)] {
        for (place, (psid, name)) in names.iter().enumerate() {
            if names.iter().skip(place + 1).any(|(other, _)| other == psid) {
                return refused(format!("{option} OF PAGE SET {psid} IS THERE TWICE"));
            }
            if !rows.iter().any(|row| row.page_set == *psid) {
                return refused(format!("{option} {psid}={name}: THE PAGE SET IS NOT IN CSQI010I"));
            }
        }
    }
    for (psid, name) in &asked.copies.data_sets {
        if let Some(number) = of_name(name).filter(|number| number != psid) {
            return refused(format!("--page-set {psid}={name}: THE NAME IS THAT OF PAGE SET {number}"));
        }
    }
    Ok(())
}

/// Behind what the copies are wanted.
struct Begin {
    at: usize,
    after: &'static str,
}

/// Where the log ended behind the copies of a queue manager that ran.
fn log_end(order: &Order<'_>, displayed: RestartRbas, last_copy: usize) -> Result<Rba, SiteError> {
    let refused = |text: String| Err(SiteError::new("HWT920E", text, AGAIN));
    let after = order.ends.iter().filter(|(at, _)| *at > last_copy).map(|(_, rba)| *rba);
    let Some(end) = after.max() else {
        return refused(
            "NOTHING AFTER THE COPIES SAYS WHERE THE LOG ENDED THEN: ARCHIVE LOG COMES LAST".to_owned(),
        );
    };
    if end <= displayed.lowest() {
        return refused(format!("THE LOG ENDED AT {end}, BELOW THE RESTART RBA {}", displayed.lowest()));
    }
    Ok(end)
}

const FULL: &str = "give DISPLAY USAGE TYPE(ALL) of before the stop, then the output of the full job, all of one backup; \
                    a backup of a queue manager that ran is --method fuzzy";

/// The log map of a full backup that stands before its copies.
fn first_map(order: &Order<'_>, usage: usize) -> Result<Begin, SiteError> {
    let refused = |text: String| Err(SiteError::new("HWT920E", text, FULL));
    let [(at, section, _), _] = order.maps.as_slice() else {
        let count = order.maps.len();
        return refused(format!(
            "A FULL BACKUP HAS TWO LOG MAPS, BEFORE AND AFTER THE COPIES: THERE ARE {count}"
        ));
    };
    if *at < usage {
        return refused(format!(
            "{}: THE LOG MAP WAS PRINTED BEFORE DISPLAY USAGE WAS ANSWERED",
            place(section)
        ));
    }
    Ok(Begin { at: *at, after: "THE LOG MAP WAS PRINTED" })
}

/// From where copies of a queue manager at rest need the log, and where the log ended.
fn rested(
    order: &Order<'_>,
    displayed: RestartRbas,
    page_sets: &[PageSetRow],
    last_copy: usize,
    zone: Option<&Zone>,
) -> Result<(RestartRbas, Rba), SiteError> {
    let refused = |text: String| SiteError::new("HWT920E", text, FULL);
    let [(_, first, before), (at, second, after)] = order.maps.as_slice() else {
        return Err(refused("A FULL BACKUP HAS TWO LOG MAPS".to_owned()));
    };
    if let Some((section, urid)) = order.unit {
        let text = format!("{}: A UNIT OF WORK, {urid}, WAS ACTIVE: ITS LOG WOULD BE NEEDED", place(section));
        return Err(refused(text));
    }
    if *at <= last_copy {
        return Err(refused("A PAGE SET WAS COPIED BEHIND THE SECOND LOG MAP: IT COMES LAST".to_owned()));
    }
    let copies: Vec<_> = order.copied.iter().filter_map(|(_, section, _)| section.printed).collect();
    print_order::around([(first, before), (second, after)], &copies, zone).map_err(refused)?;
    let Some(data_sets) = order.data_sets else {
        return Err(refused("THE LISTINGS HAVE NO CSQI070I: WHETHER A UNIT OF WORK WAS ACTIVE".to_owned()));
    };
    let log = at_rest::at_rest(before, after).map_err(refused)?;
    let restart = at_rest::restart(&log, displayed, page_sets, data_sets, before).map_err(refused)?;
    Ok((restart, log.end))
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
            let dated = section.printed.is_some_and(|printed| printed.first.date.is_some());
            order.undated = order.undated.or(Some(section).filter(|_| !dated));
            Ok(())
        };
        match &section.report {
            Report::PageSets(rows) => {
                twice(order.page_sets.is_some())?;
                order.page_sets = Some(rows);
            }
            Report::DataSets(rows) => {
                twice(order.data_sets.is_some())?;
                order.data_sets = Some(rows);
            }
            Report::LogMap(map) => order.maps.push((at, section, map)),
            Report::RestartRba(rba) => {
                twice(order.online.is_some())?;
                order.online = Some(*rba);
            }
            Report::RestartRbaWithOffline(rba) => {
                twice(order.with_offline.is_some())?;
                order.with_offline = Some(*rba);
            }
            Report::Idcams(print) => order.copied.push((at, section, print)),
            Report::Connections(connections) => {
                let mut units = connections.iter().filter_map(|one| one.unit.as_ref());
                let unit = units.find(|unit| unit.urid.0 != Rba::ZERO).map(|unit| (section, unit.urid));
                order.unit = order.unit.or(unit);
            }
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
    apart(&page_sets, asked)?;
    Ok((page_sets, Evidence::None, None))
}

/// A copy of a page set, and what LISTCAT says behind it.
struct Copy<'s> {
    at: usize,
    section: &'s Section,
    function: &'s IdcamsFunction,
    listed: Listed<'s>,
}

/// The copies, in their order.
fn copies<'s>(order: &Order<'s>) -> Vec<Copy<'s>> {
    let functions: Vec<_> = order
        .copied
        .iter()
        .flat_map(|(at, section, print)| print.functions.iter().map(|function| (*at, *section, function)))
        .collect();
    let is_copy = |function: &IdcamsFunction| {
        function.outcomes.iter().any(|outcome| matches!(outcome, IdcamsOutcome::Copied(_)))
    };
    let copies = functions.iter().enumerate().filter(|(_, (_, _, function))| is_copy(function));
    copies
        .map(|(place, (at, section, function))| {
            let behind = functions.iter().skip(place + 1).take_while(|(_, _, function)| !is_copy(function));
            // A new generation is catalogued when its step has ended: the same print shows the one before it.
            let later = behind.filter(|(print, ..)| print > at).map(|(_, _, function)| *function);
            let listed = Listed::of(later);
            Copy { at: *at, section, function, listed }
        })
        .collect()
}

const WHOLE_PRINT: &str =
    "give all of it; where it is lost and all copies are known to be whole, --trust, and every plan says so";

/// Refuses page sets and copies that share a data set.
fn apart(page_sets: &[CopiedPageSet], asked: &Registration) -> Result<(), SiteError> {
    for (place, set) in page_sets.iter().enumerate() {
        let same = |other: &CopiedPageSet| set.copy == other.copy || set.data_set == other.data_set;
        if page_sets.iter().skip(place + 1).any(same) {
            let text = format!("PAGE SET {}, {} OR {}, IS THERE TWICE", set.psid, set.data_set, set.copy);
            return Err(SiteError::new("HWT920E", text, NAMES));
        }
        let known = page_sets.iter().map(|other| other.data_set.as_str());
        let typed = asked.copies.data_sets.iter().map(|(_, name)| name.as_str());
        if known.chain(typed).any(|data_set| data_set == set.copy) {
            let text =
                format!("THE COPY OF PAGE SET {}, {}, IS THE DATA SET OF A PAGE SET", set.psid, set.copy);
            return Err(SiteError::new("HWT920E", text, NAMES));
        }
    }
    Ok(())
}

fn copied_by_repro(
    order: &Order<'_>,
    begin: &Begin,
    rows: &[PageSetRow],
    asked: &Registration,
    made: Timestamp,
) -> Result<CopiedSets, SiteError> {
    let refused = |text: String| Err(SiteError::new("HWT920E", text, AGAIN));
    let mut page_sets: Vec<CopiedPageSet> = Vec::new();
    let everything = Listed::of(order.copied.iter().flat_map(|(_, _, print)| &print.functions));
    let mut last = None;
    for Copy { at, section, function, listed } in copies(order) {
        let done = function.outcomes.iter().filter_map(|outcome| match outcome {
            IdcamsOutcome::Copied(copied) => Some(copied),
            _ => None,
        });
        for copied in done {
            let (Some(input), Some(output)) = (&copied.input, &copied.output) else {
                return refused(format!(
                    "{}: A COPY DOES NOT SAY WHAT WAS COPIED, AND WHERE TO",
                    place(section)
                ));
            };
            let psid = page_set_of(input, asked)?;
            if at < begin.at {
                return refused(format!(
                    "{}: PAGE SET {psid} WAS COPIED BEFORE {}",
                    place(section),
                    begin.after
                ));
            }
            if let Err(why) = whole_copy::check(function, copied, psid, rows) {
                return refused(format!("{}: {why}", place(section)));
            }
            let printed = section.printed.and_then(|printed| print_order::earliest_day(printed.first));
            // Else the catalog has local dates, and a copy may be made before midnight.
            let earliest = printed.or_else(|| day(made)?.yesterday().ok());
            let copy = copy_of(output, psid, asked, &listed, earliest)?;
            let data_set = data_set_of(input, psid, asked, &listed)?;
            let same = |set: &CopiedPageSet| set.psid == psid || set.copy == copy || set.data_set == data_set;
            if page_sets.iter().any(same) {
                return refused(format!(
                    "{}: PAGE SET {psid}, {data_set} OR {copy}, IS THERE TWICE",
                    place(section)
                ));
            }
            if everything.has_component(&copy) {
                let text = "IS A VSAM DATA SET BY LISTCAT: A PAGE SET WAS WRITTEN, NOT READ";
                return refused(format!("{}: THE COPY {copy} {text}", place(section)));
            }
            page_sets.push(CopiedPageSet { psid, data_set, copy });
            last = Some(at);
        }
    }
    if page_sets.is_empty() {
        return refused("THE LISTINGS SHOW NO COPY OF A PAGE SET".to_owned());
    }
    let cut_off = order.copied.iter().find(|(_, _, print)| print.maximum.is_none());
    let evidence = match cut_off {
        None => Evidence::Clean,
        Some(_) if asked.trust => Evidence::None,
        Some((_, section, _)) => {
            let text =
                format!("{}: THE PRINT OF IDCAMS IS CUT OFF: IDC0002I DOES NOT END IT", place(section));
            return Err(SiteError::new("HWT920E", text, WHOLE_PRINT));
        }
    };
    apart(&page_sets, asked)?;
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
    usual_number(&name)
        .ok_or_else(|| SiteError::new("HWT920E", format!("{name} DOES NOT SAY WHICH PAGE SET IT IS"), NAMES))
}

/// The page set that a name of one of the usual forms is of.
fn usual_number(name: &str) -> Option<PageSetId> {
    ["PSID", "PAGE", "CSQP00", "PS"]
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .filter(|digits| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .and_then(PageSetId::new)
}

/// The page set that the last qualifier of a data set's name says.
fn of_name(name: &DataSetName) -> Option<PageSetId> {
    usual_number(name.as_str().rsplit('.').next().unwrap_or_default())
}

/// The name that was printed, unless another one was typed.
fn printed<'n>(
    typed: Option<&DataSetName>,
    name: &'n DataSetName,
    psid: PageSetId,
) -> Result<&'n DataSetName, SiteError> {
    match typed {
        Some(other) if other != name => {
            let text = format!("{other} WAS TYPED FOR PAGE SET {psid}, AND THE OUTPUT SAYS {name}");
            Err(SiteError::new("HWT920E", text, NAMES))
        }
        _ => Ok(name),
    }
}

fn data_set_of(
    input: &CopyEnd,
    psid: PageSetId,
    asked: &Registration,
    listed: &Listed<'_>,
) -> Result<String, SiteError> {
    let typed = asked.copies.data_sets.iter().find(|(other, _)| *other == psid).map(|(_, name)| name);
    let listed_one = || {
        let name = listed.data_set()?;
        // The print of a step that was lost would make one page set of two.
        match of_name(name) {
            Some(number) if number != psid => {
                Err(format!("{name} is listed behind it, of page set {number}"))
            }
            _ => Ok(name),
        }
    };
    let name = match input {
        CopyEnd::DataSet(name) => printed(typed, name, psid)?,
        CopyEnd::File(dd) => match (typed, listed_one()) {
            (Some(_), Ok(name)) => printed(typed, name, psid)?,
            (Some(name), Err(_)) | (None, Ok(name)) => name,
            (None, Err(why)) => {
                let text = format!("DD {dd} OF PAGE SET {psid} DOES NOT SAY WHICH DATA SET IT IS: {why}");
                return Err(SiteError::new("HWT920E", text, NAMES));
            }
        },
    };
    Ok(name.as_str().to_owned())
}

fn copy_of(
    output: &CopyEnd,
    psid: PageSetId,
    asked: &Registration,
    listed: &Listed<'_>,
    earliest: Option<Date>,
) -> Result<String, SiteError> {
    let typed = asked.copies.copies.iter().find(|(other, _)| *other == psid).map(|(_, name)| name);
    let name = match (typed, output) {
        (_, CopyEnd::DataSet(name)) => printed(typed, name, psid)?,
        (Some(name), CopyEnd::File(_)) => match listed.newest_generation(earliest) {
            Ok(newest) => printed(Some(name), newest, psid)?,
            Err(_) => name,
        },
        (None, CopyEnd::File(dd)) => listed.newest_generation(earliest).map_err(|why| {
            let text = format!("DD {dd} DOES NOT SAY WHICH DATA SET THE COPY OF PAGE SET {psid} IS: {why}");
            SiteError::new("HWT920E", text, NAMES)
        })?,
    };
    Ok(name.as_str().to_owned())
}
