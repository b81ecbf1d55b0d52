//! DEFINE PSID: a page set is formatted in the background, then opened, then listed in the BSDS.
//!
//! The file has a temporary name until it is whole, and the BSDS names it last: a listed page set without a file would stop a start. A
//! crash between the two leaves a file that nobody lists and that was never used; the next DEFINE PSID replaces it.
//!
//! Where in the log it was defined is listed with it, behind a record of its own: so every recovery point that holds an older page set
//! of the same number ended below, and every one that holds this one began at or above.

use engine_page_store::{CreateJob, CreateOutcome, StoreIdentity};
use format_bsds::PageSetEntry;
use format_log::Body;
use format_protocol::Reply;
use format_types::{ConditionCode, Expand, PageSetId, Rba};

use super::request::Outcome;
use super::{ConnectionId, Core};
use crate::{CoreError, Job};

/// A page set that is being formatted.
pub(super) struct NewPageSet {
    entry: PageSetEntry,
    /// Log below here says nothing of it, even where it speaks of an older one of the same number.
    at: Rba,
    /// Who is told when it is there.
    connection: Option<ConnectionId>,
}

impl Core {
    /// Whether a page set is being formatted.
    pub(crate) fn is_being_defined(&self, page_set: PageSetId) -> bool {
        self.new_page_sets.iter().any(|new| new.entry.page_set == page_set)
    }

    /// Has a page set formatted; the answer comes when it is in use.
    pub(crate) fn add_page_set(
        &mut self,
        connection: ConnectionId,
        page_set: PageSetId,
        initial_pages: u32,
        expand: Expand,
    ) -> Result<Outcome, CoreError> {
        let recovery_rba = self.log.end();
        self.append_system(&Body::OpenPageSet { page_set, recovery_rba })?;
        let at = self.log.sync_now()?;
        self.synced()?;
        let bsds = self.log.bsds();
        let identity = StoreIdentity {
            queue_manager: bsds.queue_manager,
            name: bsds.name.clone(),
            history: bsds.history(),
        };
        let entry = PageSetEntry { page_set, initial_pages, expand, defined: Some((identity.history, at)) };
        let job = CreateJob::new(
            &self.storage,
            &self.dir,
            &identity,
            entry.page_set,
            entry.initial_pages,
            entry.expand,
            at,
        )
        .replacing_unused();
        self.jobs.push(Job::Create(Box::new(job)));
        self.new_page_sets.push(NewPageSet { entry, at, connection: Some(connection) });
        Ok(Outcome::Later)
    }

    /// The connection is gone; the page set is made all the same.
    pub(super) fn forget_new_page_sets_of(&mut self, connection: ConnectionId) {
        for new in &mut self.new_page_sets {
            new.connection = new.connection.filter(|waiting| *waiting != connection);
        }
    }

    /// A page set is formatted, or could not be.
    pub(super) fn page_set_made(&mut self, outcome: CreateOutcome) -> Result<(), CoreError> {
        let Some(index) = self.new_page_sets.iter().position(|new| new.entry.page_set == outcome.page_set)
        else {
            return Ok(());
        };
        let NewPageSet { entry, at, connection } = self.new_page_sets.remove(index);
        let name = self.log.bsds().name.clone();
        let opened = outcome.result.and_then(|()| self.store.open_page_set(entry.page_set, at, None));
        let (code, lines) = match opened {
            Ok(_) => {
                self.log.update_bsds(|bsds| {
                    bsds.page_sets.push(entry);
                    bsds.page_sets.sort_by_key(|entry| entry.page_set);
                })?;
                let done = format!("CSQ9022I {name} CSQPALTR ' DEFINE PSID' NORMAL COMPLETION");
                (ConditionCode::Done, vec![done])
            }
            Err(error) => (
                ConditionCode::Partial,
                vec![
                    format!("CSQP045E {name} CSQPALTR {error}"),
                    format!("CSQ9023E {name} CSQPALTR ' DEFINE PSID' ABNORMAL COMPLETION"),
                ],
            ),
        };
        if let Some(connection) = connection {
            self.reply(connection, Reply::Lines { code, lines });
        }
        Ok(())
    }
}
