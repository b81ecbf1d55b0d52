//! DISPLAY commands.

use format_listing::{
    Attribute, Thread, active_threads, archive_log_quiesce_active, buffer_pool_attributes, data_set_usage,
    details as detail_lines, in_doubt_threads, log_status, page_set_usage, restart_rbas,
    thread_report_complete, thread_report_follows,
};
use format_statement::{
    DisplayRequest, DisplayThread, DisplayUsage, Filter, NamePattern, Operator, ThreadKind, UsageKind,
};
use format_types::{PageSetId, UnitState};

use super::Answer;
use crate::{Core, CoreError, MAXIMUM_MESSAGE, MAXUMSGS};

/// Attributes of one object in the order in which they are shown.
type Attributes = Vec<Attribute>;

/// Shows the objects that `request` selects: a count, then a block for each.
fn details(core: &Core, kind: &str, request: &DisplayRequest, objects: Vec<(String, Attributes)>) -> Answer {
    let selected: Vec<Attributes> = objects
        .into_iter()
        .filter(|(object, attributes)| {
            request.selects(object, |keyword| {
                attributes.iter().find(|known| known.keyword == keyword).map(|known| known.value.clone())
            })
        })
        .map(|(_, attributes)| {
            let mut all = attributes.into_iter();
            // The first attribute is the name; it is always shown, and so is the type.
            let name = all.next();
            name.into_iter()
                .chain(
                    all.filter(|attribute| attribute.keyword == "TYPE" || request.shows(attribute.keyword)),
                )
                .collect()
        })
        .collect();
    // The control sections that IBM's messages name.
    let csect = if kind == "CONN" { "CSQMDRTC" } else { "CSQMDRTS" };
    Ok(detail_lines(core.name().as_str(), csect, kind, &selected))
}

/// The attribute `keyword`.
fn is(keyword: &'static str, value: impl std::fmt::Display) -> Attribute {
    Attribute::new(keyword, value)
}

fn enabled(yes: bool) -> &'static str {
    if yes { "ENABLED" } else { "DISABLED" }
}

fn yes(yes: bool) -> &'static str {
    if yes { "YES" } else { "NO" }
}

pub(super) fn queues(core: &Core, request: &DisplayRequest) -> Answer {
    let objects = core
        .catalog()
        .queues
        .values()
        .map(|queue| {
            let definition = &queue.definition;
            let attributes = vec![
                is("QUEUE", &definition.name),
                is("TYPE", "QLOCAL"),
                is("CURDEPTH", queue.index.depth()),
                is("DEFPRTY", definition.default_priority),
                is("DEFPSIST", yes(definition.default_persistence)),
                is("DESCR", definition.descr.clone()),
                is("GET", enabled(definition.get_enabled)),
                is("MAXDEPTH", definition.max_depth),
                is("MAXMSGL", definition.max_message_length),
                is("PSID", queue.page_set),
                is("PUT", enabled(definition.put_enabled)),
                is("STGCLASS", &definition.stgclass),
            ];
            (definition.name.to_string(), attributes)
        })
        .collect();
    details(core, "QUEUE", request, objects)
}

pub(super) fn classes(core: &Core, request: &DisplayRequest) -> Answer {
    let objects = core
        .catalog()
        .classes
        .values()
        .map(|class| {
            let definition = &class.definition;
            let attributes = vec![
                is("STGCLASS", &definition.name),
                is("PSID", definition.page_set),
                is("DESCR", definition.descr.clone()),
            ];
            (definition.name.to_string(), attributes)
        })
        .collect();
    details(core, "STGCLASS", request, objects)
}

pub(super) fn page_sets(core: &Core, wanted: Option<PageSetId>, request: &DisplayRequest) -> Answer {
    let objects = core
        .usage()
        .page_sets
        .iter()
        .filter(|set| wanted.is_none_or(|wanted| set.page_set == wanted))
        .map(|set| {
            let attributes = vec![
                is("PSID", set.page_set),
                is("BUFFPOOL", set.buffer_pool),
                is("EXPAND", set.expand),
                is("PAGES", set.total_pages),
                is("USED", set.total_pages.saturating_sub(set.unused_pages)),
                is("RECRBA", set.recovery_rba),
                is(
                    "STATUS",
                    match set.online {
                        true => "ONLINE",
                        false if core.is_returning(set.page_set) => "RECOVERING",
                        false => "OFFLINE",
                    },
                ),
            ];
            (set.page_set.to_string(), attributes)
        })
        .collect();
    details(core, "PSID", request, objects)
}

pub(super) fn queue_manager(core: &Core, request: &DisplayRequest) -> Answer {
    let bsds = core.bsds();
    let attributes = vec![
        is("QMNAME", &bsds.name),
        is("QMID", bsds.queue_manager),
        is("MAXMSGL", MAXIMUM_MESSAGE),
        is("MAXPRTY", "9"),
        is("MAXUMSGS", MAXUMSGS),
        is("PLATFORM", "HIGHWATER"),
        is("SYNCPT", "AVAILABLE"),
        is("VERSION", env!("CARGO_PKG_VERSION")),
    ];
    details(core, "QMGR", request, vec![(bsds.name.to_string(), attributes)])
}

pub(super) fn connections(core: &Core, request: &DisplayRequest) -> Answer {
    let objects = core
        .connection_rows()
        .into_iter()
        .map(|row| {
            // IBM's values of UOWSTATE; a unit past its decision is ACTIVE until its end is carried out.
            let state = match row.state {
                None => "NONE",
                Some(UnitState::InDoubt) => "UNRESOLVED",
                Some(_) => "ACTIVE",
            };
            let attributes = vec![
                is("CONN", row.id.clone()),
                is("TYPE", "CONN"),
                is("APPLTAG", row.application),
                is("NID", row.network_id),
                is("QMURID", row.urid),
                is("UOWSTATE", state),
                is("UOWLOG", row.log_data_set),
                is("URTYPE", "QMGR"),
            ];
            (row.id, attributes)
        })
        .collect();
    details(core, "CONN", request, objects)
}

/// What the queue manager itself displays at checkpoints: the units of recovery that are in doubt.
pub(crate) fn unresolved_connections(core: &Core) -> Vec<String> {
    let request = DisplayRequest {
        names: NamePattern::Prefix(String::new()),
        all: true,
        attributes: Vec::new(),
        filter: Some(Filter {
            attribute: "UOWSTATE".to_owned(),
            operator: Operator::Eq,
            value: "UNRESOLVED".to_owned(),
        }),
    };
    connections(core, &request).unwrap_or_default()
}

pub(super) fn threads(core: &Core, request: &DisplayThread) -> Answer {
    let wanted = |name: &str| {
        let names = request.connections.as_ref();
        names.is_none_or(|names| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))
    };
    let rows = core.thread_rows();
    let of = |in_doubt: bool| -> Vec<Thread<'_>> {
        rows.iter()
            .filter(|row| row.in_doubt == in_doubt && wanted(&row.connection))
            .map(|row| Thread {
                name: &row.connection,
                urid: row.urid,
                requests: row.requests,
                network_id: &row.network_id,
            })
            .collect()
    };
    let name = core.name().as_str();
    let mut lines = vec![thread_report_follows(name)];
    if core.is_quiesced() {
        lines.push(archive_log_quiesce_active(name));
    }
    if matches!(request.kind, ThreadKind::Active | ThreadKind::All) {
        lines.extend(active_threads(name, &of(false)));
    }
    if matches!(request.kind, ThreadKind::InDoubt | ThreadKind::All) {
        lines.extend(in_doubt_threads(name, &of(true)));
    }
    lines.push(thread_report_complete());
    Ok(lines)
}

pub(super) fn usage(core: &mut Core, request: &DisplayUsage) -> Result<Answer, CoreError> {
    let mut report = core.durable_usage()?;
    if let Some(wanted) = request.page_set {
        report.page_sets.retain(|set| set.page_set == wanted);
    }
    let name = core.name().as_str();
    let mut lines = Vec::new();
    if matches!(request.kind, UsageKind::PageSet | UsageKind::All) {
        lines.extend(page_set_usage(name, &report.page_sets));
        lines.extend(buffer_pool_attributes(name, &report.buffer_pools));
    }
    if matches!(request.kind, UsageKind::DataSet | UsageKind::All) {
        lines.extend(data_set_usage(name, report.oldest_unit.as_ref(), &report.oldest_page_set));
        lines.extend(restart_rbas(name, &report.system_recovery));
    }
    Ok(Ok(lines))
}

pub(super) fn log(core: &Core) -> Answer {
    let name = core.name().as_str();
    let mut lines = log_status(name, &core.log_status());
    if core.is_quiesced() {
        lines.push(archive_log_quiesce_active(name));
    }
    Ok(lines)
}
