//! Page sets: define, alter, delete.

use format_bsds::PageSetEntry;
use format_statement::DefinePageSet;
use format_types::{Expand, PageSetId};

use super::{Answer, refuse};
use crate::core::request::Outcome;
use crate::{ConnectionId, Core, CoreError};

/// Pages of a page set defined without PAGES: 16 MiB.
const DEFAULT_PAGES: u32 = 4096;

/// Has a page set made; a refusal is in the answer.
pub(super) fn define(
    core: &mut Core,
    connection: ConnectionId,
    define: &DefinePageSet,
) -> Result<Result<Outcome, Answer>, CoreError> {
    let page_set = define.page_set;
    if core.has_page_set(page_set) {
        return Ok(Err(refuse("CSQP041E", format!("PSID({page_set}) IS DEFINED ALREADY"))));
    }
    if core.is_being_defined(page_set) {
        return Ok(Err(refuse("CSQP041E", format!("PSID({page_set}) IS BEING DEFINED ALREADY"))));
    }
    let pages = define.pages.unwrap_or(DEFAULT_PAGES);
    let expand = define.expand.unwrap_or(Expand::User);
    core.add_page_set(connection, page_set, pages, expand).map(Ok)
}

/// Brings a page set back that went offline.
pub(super) fn start(core: &mut Core, page_set: PageSetId) -> Result<Answer, CoreError> {
    if !core.has_page_set(page_set) {
        return Ok(refuse("CSQP042E", format!("PSID({page_set}) IS NOT DEFINED")));
    }
    core.start_page_set(page_set)
}

pub(super) fn alter(core: &mut Core, page_set: PageSetId, expand: Expand) -> Result<Answer, CoreError> {
    if !core.has_page_set(page_set) {
        return Ok(refuse("CSQP042E", format!("PSID({page_set}) IS NOT DEFINED")));
    }
    core.alter_page_set(page_set, expand)?;
    Ok(Ok(Vec::new()))
}

pub(super) fn delete(core: &mut Core, page_set: PageSetId) -> Result<Answer, CoreError> {
    if !core.has_page_set(page_set) {
        return Ok(refuse("CSQP042E", format!("PSID({page_set}) IS NOT DEFINED")));
    }
    if page_set == PageSetId::ZERO {
        return Ok(refuse("CSQP043E", "PSID(00) HOLDS THE OBJECTS: it cannot be deleted"));
    }
    if let Some(class) = core.catalog().classes.values().find(|class| class.definition.page_set == page_set) {
        return Ok(refuse(
            "CSQP044E",
            format!("PSID({page_set}) IS IN USE BY STGCLASS({}): alter that first", class.definition.name),
        ));
    }
    core.remove_page_set(page_set)
}

/// DEFINE statements of the page sets.
pub(super) fn definitions(page_sets: &[PageSetEntry]) -> Vec<String> {
    page_sets
        .iter()
        .map(|entry| {
            DefinePageSet {
                page_set: entry.page_set,
                pages: Some(entry.initial_pages),
                expand: Some(entry.expand),
            }
            .to_string()
        })
        .collect()
}
