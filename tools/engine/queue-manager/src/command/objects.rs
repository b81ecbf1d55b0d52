//! Queues and storage classes: define, alter, delete.
//!
//! A definition is a record on page set 00. To alter it, the new record is put and the old one deleted in one unit of recovery; the command
//! is answered when that is on disk.

use engine_page_store::{PageError, UnitLink};
use format_bsds::PageSetEntry;
use format_log::Body;
use format_pageset::{ObjectRecord, QueueDefinition, StorageClassDefinition};
use format_statement::{DefineQueue, DefineStorageClass, QueueAttributes, StorageClassAttributes};
use format_types::{ObjectName, PageAddress, PageSetId};

use super::{Answer, refuse};
use crate::catalog::Catalog;
use crate::core::work::Operation;
use crate::{ConnectionId, Core, CoreError, MAXIMUM_MESSAGE};

/// The storage class and model queue that every queue manager has.
const DEFAULT_CLASS: &str = "DEFAULT";
const DEFAULT_QUEUE: &str = "SYSTEM.DEFAULT.LOCAL.QUEUE";

/// Defines the objects that every queue manager has.
pub(crate) fn define_defaults(core: &mut Core) -> Result<(), CoreError> {
    let contradiction = |what: String| CoreError::Contradiction(what);
    let name = |text: &str| text.parse::<ObjectName>().map_err(|error| contradiction(error.to_string()));
    let page_set = PageSetId::new(1).unwrap_or(PageSetId::ZERO);
    let class = StorageClassDefinition {
        key: core.next_key()?,
        name: name(DEFAULT_CLASS)?,
        descr: String::new(),
        page_set,
        moved_from: Vec::new(),
    };
    store(core, None, ObjectRecord::StorageClass(class), None)?.map_err(|(_, text)| contradiction(text))?;
    let key = core.next_key()?;
    let queue = fresh_queue(name(DEFAULT_QUEUE)?, name(DEFAULT_CLASS)?, key);
    store(core, None, ObjectRecord::Queue(queue), None)?.map_err(|(_, text)| contradiction(text))?;
    Ok(())
}

fn fresh_queue(name: ObjectName, stgclass: ObjectName, key: u64) -> QueueDefinition {
    QueueDefinition {
        key,
        id: key,
        name,
        descr: String::new(),
        stgclass,
        put_enabled: true,
        get_enabled: true,
        default_priority: 0,
        default_persistence: true,
        max_depth: 999_999_999,
        max_message_length: MAXIMUM_MESSAGE as u32,
        moved_from: Vec::new(),
    }
}

pub(super) fn define_queue(
    core: &mut Core,
    connection: ConnectionId,
    define: &DefineQueue,
) -> Result<Answer, CoreError> {
    let known = core.catalog().queues.get(&define.name).map(|queue| (queue.definition.clone(), queue.at));
    if known.is_some() && !define.replace {
        return Ok(refuse(
            "CSQM094I",
            format!("QLOCAL({}) ALREADY EXISTS: use REPLACE or ALTER", define.name),
        ));
    }
    let model_name = define.like.clone().or_else(|| DEFAULT_QUEUE.parse().ok());
    let model = model_name
        .as_ref()
        .and_then(|name| core.catalog().queues.get(name))
        .map(|queue| queue.definition.clone());
    let key = core.next_key()?;
    let mut definition = match (&known, model) {
        (Some((old, _)), _) => old.clone(),
        (None, Some(model)) => QueueDefinition { id: key, name: define.name.clone(), ..model },
        (None, None) => match define.like.clone() {
            Some(like) => {
                return Ok(refuse("CSQM125I", format!("QLOCAL({like}) NAMED BY LIKE IS NOT DEFINED")));
            }
            None => match DEFAULT_CLASS.parse() {
                Ok(class) => fresh_queue(define.name.clone(), class, key),
                Err(error) => return Ok(refuse("CSQM999E", error.to_string())),
            },
        },
    };
    definition.key = key;
    apply_queue(&mut definition, &define.attributes);
    put_queue(core, connection, definition, known.map(|(old, at)| (at, old.key)))
}

pub(super) fn alter_queue(
    core: &mut Core,
    connection: ConnectionId,
    name: &ObjectName,
    attributes: &QueueAttributes,
) -> Result<Answer, CoreError> {
    let Some((mut definition, at)) =
        core.catalog().queues.get(name).map(|queue| (queue.definition.clone(), queue.at))
    else {
        return Ok(not_found("QLOCAL", name));
    };
    let old = (at, definition.key);
    definition.key = core.next_key()?;
    apply_queue(&mut definition, attributes);
    put_queue(core, connection, definition, Some(old))
}

fn put_queue(
    core: &mut Core,
    connection: ConnectionId,
    mut definition: QueueDefinition,
    old: Option<(engine_page_store::RecordAddress, u64)>,
) -> Result<Answer, CoreError> {
    if !core.catalog().classes.contains_key(&definition.stgclass) {
        return Ok(refuse(
            "CSQM101I",
            format!("STGCLASS({}) IS NOT DEFINED: DEFINE STGCLASS first", definition.stgclass),
        ));
    }
    if definition.max_message_length as usize > MAXIMUM_MESSAGE {
        return Ok(refuse(
            "CSQM103I",
            format!("MAXMSGL {} IS ABOVE {MAXIMUM_MESSAGE}", definition.max_message_length),
        ));
    }
    definition.moved_from = core.page_sets_left_by_queue(&definition);
    store(core, Some(connection), ObjectRecord::Queue(definition), old)
}

fn apply_queue(definition: &mut QueueDefinition, attributes: &QueueAttributes) {
    let QueueAttributes {
        description,
        storage_class,
        put_enabled,
        get_enabled,
        default_priority,
        default_persistence,
        max_depth,
        max_message_length,
    } = attributes.clone();
    let set = &mut *definition;
    set.descr = description.unwrap_or(std::mem::take(&mut set.descr));
    if let Some(class) = storage_class {
        set.stgclass = class;
    }
    set.put_enabled = put_enabled.unwrap_or(set.put_enabled);
    set.get_enabled = get_enabled.unwrap_or(set.get_enabled);
    set.default_priority = default_priority.unwrap_or(set.default_priority);
    set.default_persistence = default_persistence.unwrap_or(set.default_persistence);
    set.max_depth = max_depth.unwrap_or(set.max_depth);
    set.max_message_length = max_message_length.unwrap_or(set.max_message_length);
}

pub(super) fn delete_queue(
    core: &mut Core,
    connection: ConnectionId,
    name: &ObjectName,
) -> Result<Answer, CoreError> {
    let Some(queue) = core.catalog().queues.get(name) else { return Ok(not_found("QLOCAL", name)) };
    let depth = queue.index.depth();
    if depth > 0 {
        let state = if queue.index.has_uncommitted() { ", uncommitted ones among them" } else { "" };
        return Ok(refuse(
            "CSQM112E",
            format!("QLOCAL({name}) IS NOT EMPTY: {depth} messages{state}; get them first"),
        ));
    }
    let old = (queue.at, queue.definition.key);
    if let Some(page_set) = core.has_unknown_messages() {
        return Ok(refuse(
            "CSQM112E",
            format!(
                "QLOCAL({name}) MAY NOT BE EMPTY: page set {page_set} is offline, and its messages are not known; START \
                 PSID({page_set}) first"
            ),
        ));
    }
    let answer = remove(core, connection, old)?;
    if answer.is_ok() {
        core.catalog_mut().remove_queue(name);
    }
    Ok(answer)
}

pub(super) fn define_class(
    core: &mut Core,
    connection: ConnectionId,
    define: &DefineStorageClass,
) -> Result<Answer, CoreError> {
    let known = core.catalog().classes.get(&define.name).map(|class| (class.definition.clone(), class.at));
    if known.is_some() && !define.replace {
        return Ok(refuse(
            "CSQM094I",
            format!("STGCLASS({}) ALREADY EXISTS: use REPLACE or ALTER", define.name),
        ));
    }
    let key = core.next_key()?;
    let mut definition = match &known {
        Some((old, _)) => StorageClassDefinition { key, ..old.clone() },
        None => StorageClassDefinition {
            key,
            name: define.name.clone(),
            descr: String::new(),
            page_set: PageSetId::ZERO,
            moved_from: Vec::new(),
        },
    };
    apply_class(&mut definition, &define.attributes);
    put_class(core, connection, definition, known.map(|(old, at)| (at, old.key)))
}

pub(super) fn alter_class(
    core: &mut Core,
    connection: ConnectionId,
    name: &ObjectName,
    attributes: &StorageClassAttributes,
) -> Result<Answer, CoreError> {
    let Some((mut definition, at)) =
        core.catalog().classes.get(name).map(|class| (class.definition.clone(), class.at))
    else {
        return Ok(not_found("STGCLASS", name));
    };
    let old = (at, definition.key);
    definition.key = core.next_key()?;
    apply_class(&mut definition, attributes);
    put_class(core, connection, definition, Some(old))
}

fn apply_class(definition: &mut StorageClassDefinition, attributes: &StorageClassAttributes) {
    definition.page_set = attributes.page_set.unwrap_or(definition.page_set);
    if let Some(description) = &attributes.description {
        definition.descr.clone_from(description);
    }
}

fn put_class(
    core: &mut Core,
    connection: ConnectionId,
    mut definition: StorageClassDefinition,
    old: Option<(engine_page_store::RecordAddress, u64)>,
) -> Result<Answer, CoreError> {
    if !core.has_page_set(definition.page_set) {
        return Ok(refuse(
            "CSQM102I",
            format!("PSID({}) IS NOT DEFINED: DEFINE PSID first", definition.page_set),
        ));
    }
    definition.moved_from = core.page_sets_left_by_class(&definition);
    store(core, Some(connection), ObjectRecord::StorageClass(definition), old)
}

pub(super) fn delete_class(
    core: &mut Core,
    connection: ConnectionId,
    name: &ObjectName,
) -> Result<Answer, CoreError> {
    let Some(class) = core.catalog().classes.get(name) else { return Ok(not_found("STGCLASS", name)) };
    let old = (class.at, class.definition.key);
    if let Some(queue) = core.catalog().queues.values().find(|queue| queue.definition.stgclass == *name) {
        return Ok(refuse(
            "CSQM113E",
            format!("STGCLASS({name}) IS IN USE BY QLOCAL({}): alter that first", queue.definition.name),
        ));
    }
    let answer = remove(core, connection, old)?;
    if answer.is_ok() {
        core.catalog_mut().remove_class(name);
    }
    Ok(answer)
}

fn not_found(kind: &str, name: &ObjectName) -> Answer {
    refuse("CSQM125I", format!("{kind}({name}) WAS NOT FOUND"))
}

/// Puts an object record in place of `old`, durably, and takes it into the catalog.
fn store(
    core: &mut Core,
    connection: Option<ConnectionId>,
    record: ObjectRecord,
    old: Option<(engine_page_store::RecordAddress, u64)>,
) -> Result<Answer, CoreError> {
    let id = core.new_command_work(connection);
    let mut link = core.begin_logging(id)?;
    let inserted = match core.insert_object(&mut link, &record) {
        Ok(inserted) => inserted,
        Err(PageError::Full { .. }) => {
            core.begin_backout(id, None);
            return Ok(refuse("CSQI029E", "PAGE SET 00 IS FULL: ALTER PSID(00) EXPAND(USER)"));
        }
        Err(error @ PageError::Offline { .. }) => {
            core.abandon(id, link, &error);
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    core.with_work(id, |work| {
        work.link = Some(link);
        work.inserted.extend(inserted.records);
    });
    if let Some((at, key)) = old {
        intend(core, id, link, at, key)?;
    }
    core.commit_now(id)?;
    core.catalog_mut().insert(inserted.head, record);
    Ok(Ok(Vec::new()))
}

fn remove(
    core: &mut Core,
    connection: ConnectionId,
    (at, key): (engine_page_store::RecordAddress, u64),
) -> Result<Answer, CoreError> {
    let id = core.new_command_work(Some(connection));
    let link = core.begin_logging(id)?;
    intend(core, id, link, at, key)?;
    core.commit_now(id)?;
    Ok(Ok(Vec::new()))
}

fn intend(
    core: &mut Core,
    id: crate::core::work::WorkId,
    link: UnitLink,
    at: engine_page_store::RecordAddress,
    key: u64,
) -> Result<(), CoreError> {
    let body = Body::DeleteIntent { at: PageAddress::new(at.page_set, at.page), slot: at.slot, key };
    let range = core.append_for(link, &body)?;
    core.with_work(id, |work| {
        work.link = Some(UnitLink { urid: link.urid, last: range.start });
        work.operations.push(Operation::Delete { head: at, key, length: 0 });
    });
    Ok(())
}

/// DEFINE statements of all objects, page sets first, in an order in which they can be run.
pub(crate) fn definitions(core: &Core) -> Vec<String> {
    definitions_of(core.page_set_entries(), core.catalog())
}

/// The same of page sets and objects that were read from files.
pub(crate) fn definitions_of(page_sets: &[PageSetEntry], catalog: &Catalog) -> Vec<String> {
    let mut statements = super::page_sets::definitions(page_sets);
    for class in catalog.classes.values() {
        let definition = &class.definition;
        statements.push(
            (DefineStorageClass {
                name: definition.name.clone(),
                replace: true,
                attributes: StorageClassAttributes {
                    page_set: Some(definition.page_set),
                    description: Some(definition.descr.clone()),
                },
            })
            .to_string(),
        );
    }
    for queue in catalog.queues.values() {
        let definition = &queue.definition;
        statements.push(
            (DefineQueue {
                name: definition.name.clone(),
                like: None,
                replace: true,
                attributes: QueueAttributes {
                    description: Some(definition.descr.clone()),
                    storage_class: Some(definition.stgclass.clone()),
                    put_enabled: Some(definition.put_enabled),
                    get_enabled: Some(definition.get_enabled),
                    default_priority: Some(definition.default_priority),
                    default_persistence: Some(definition.default_persistence),
                    max_depth: Some(definition.max_depth),
                    max_message_length: Some(definition.max_message_length),
                },
            })
            .to_string(),
        );
    }
    statements
}
