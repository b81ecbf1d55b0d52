//! Two-phase commit: a unit of recovery is prepared, is in doubt, and is resolved by its coordinator or by an operator.
//!
//! A unit in doubt belongs to no connection any more. It survives restarts, its messages are locked, and it holds the log from its
//! first record on. RESOLVE INDOUBT decides it: the record of that decision is durable before the command is answered, so that a crash
//! afterwards carries out the same decision, and one before leaves the unit in doubt.

use engine_page_store::UnitLink;
use format_log::Body;
use format_statement::{NetworkId, ResolveInDoubt};
use format_types::{PageSetId, UnitState, Urid};

use super::message::refused;
use super::request::Outcome;
use super::work::{Operation, Work, WorkId};
use super::{ConnectionId, Core};
use crate::CoreError;
use crate::command::{Answer, refuse};

/// Longest name that a coordinator may give a unit: the parts of an XA identifier together.
const LONGEST_XID: usize = 140;

/// A unit of recovery as DISPLAY THREAD shows it.
pub(crate) struct ThreadRow {
    pub(crate) connection: String,
    pub(crate) urid: Urid,
    pub(crate) requests: usize,
    pub(crate) in_doubt: bool,
    pub(crate) network_id: String,
}

/// A coordinator's name of a unit in printable form: as it is where it is plain text, else in hexadecimal.
pub(crate) fn network_id(xid: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'\'' | b',' | b';');
    if !xid.is_empty() && xid.iter().all(plain) {
        return String::from_utf8_lossy(xid).into_owned();
    }
    xid.iter().map(|byte| format!("{byte:02X}")).collect()
}

impl Core {
    /// Prepares the unit of recovery of `connection`: from the answer on it is in doubt.
    pub(super) fn prepare(&mut self, connection: ConnectionId, xid: Vec<u8>) -> Result<Outcome, CoreError> {
        let Some(id) = self.connections.get(&connection).and_then(|known| known.work) else {
            return Ok(refused(
                "HWT429E",
                "NOTHING TO PREPARE: the connection has no unit of recovery".to_owned(),
            ));
        };
        if xid.is_empty() || xid.len() > LONGEST_XID {
            return Ok(refused(
                "HWT443E",
                format!(
                    "A NAME OF {} BYTES CANNOT BE PREPARED UNDER: 1 to {LONGEST_XID} are wanted; nothing was prepared",
                    xid.len()
                ),
            ));
        }
        if self.works.values().any(|work| work.state == UnitState::InDoubt && work.xid == xid) {
            return Ok(refused(
                "HWT427E",
                format!(
                    "UNIT OF RECOVERY {} IS IN DOUBT ALREADY: resolve it, or prepare under another name",
                    network_id(&xid)
                ),
            ));
        }
        if let Some(waits) = self.wants_log(4096) {
            return Ok(waits);
        }
        let link = self.begin_logging(id)?;
        let range = self.log.append(link.urid, link.last, &Body::Prepare { xid: &xid })?;
        if let Some(work) = self.works.get_mut(&id) {
            work.link = Some(UnitLink { urid: link.urid, last: range.start });
            work.state = UnitState::InDoubt;
            work.xid = xid;
        }
        if let Some(known) = self.connections.get_mut(&connection) {
            known.work = None;
        }
        self.prepares.push_back((range.end, connection, id));
        self.log_sync_wanted = true;
        Ok(Outcome::Later)
    }

    /// RESOLVE INDOUBT. All units meant are resolved, or none is.
    pub(crate) fn resolve_in_doubt(&mut self, wanted: &ResolveInDoubt) -> Result<Answer, CoreError> {
        let units = match self.units_meant(wanted) {
            Ok(units) => units,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for id in &units {
            let Some(work) = self.works.get(id) else { continue };
            if let Some(page_set) = work.page_sets().into_iter().find(|set| !self.store.is_online(*set)) {
                return Ok(refuse(
                    "HWT445E",
                    format!(
                        "UNIT OF RECOVERY {} (NID={}) NEEDS PAGE SET {page_set}, WHICH IS OFFLINE: START PSID({page_set}), then \
                         resolve it; nothing was resolved",
                        work.link_or_none().urid,
                        network_id(&work.xid)
                    ),
                ));
            }
        }
        let (name, csect) = (self.log.bsds().name.clone(), "CSQVRRID");
        let mut lines = Vec::new();
        for id in &units {
            let Some(work) = self.works.get(id) else { continue };
            let nid = network_id(&work.xid);
            if wanted.commit {
                self.commit(*id, None, |rba| format_protocol::Reply::Committed { rba })?;
                lines.push(format!("CSQV414I {name} {csect} THREAD NID={nid} COMMIT SCHEDULED"));
            } else {
                let link = work.link_or_none();
                // A decision, not an intention: without this record a crash would leave the unit in doubt again.
                let range = self.log.append(link.urid, link.last, &Body::BeginAbort)?;
                self.note_link(*id, UnitLink { urid: link.urid, last: range.start });
                self.set_backing_out(*id, None);
                lines.push(format!("CSQV415I {name} {csect} THREAD NID={nid} BACKOUT SCHEDULED"));
            }
        }
        // The answer says that it is decided, so it must be. Commands are rare: the log is waited for here.
        self.log.sync_now()?;
        self.synced()?;
        self.carry_out_endings()?;
        Ok(Ok(lines))
    }

    /// The units in doubt that a command means, oldest first.
    fn units_meant(&self, wanted: &ResolveInDoubt) -> Result<Vec<WorkId>, (String, String)> {
        let named: Vec<(WorkId, &Work)> = self
            .works
            .iter()
            .filter(|(_, work)| {
                work.state == UnitState::InDoubt && work.connection.eq_ignore_ascii_case(&wanted.connection)
            })
            .map(|(id, work)| (*id, work))
            .collect();
        if named.is_empty() {
            let text = format!("NO INDOUBT THREADS FOUND FOR NAME={}", wanted.connection);
            return Err(("CSQV412I".to_owned(), text));
        }
        let mut units = match &wanted.network_id {
            NetworkId::All => named,
            NetworkId::One(nid) => {
                let meant = |same: &dyn Fn(&str) -> bool| -> Vec<(WorkId, &Work)> {
                    let is_meant = |work: &Work| {
                        same(&network_id(&work.xid)) || same(&work.link_or_none().urid.to_string())
                    };
                    named.iter().filter(|(_, work)| is_meant(work)).copied().collect()
                };
                // Values without apostrophes were folded to upper case.
                let mut units = meant(&|known| known == nid);
                if units.is_empty() {
                    units = meant(&|known| known.eq_ignore_ascii_case(nid));
                }
                match units.len() {
                    0 => {
                        return Err(("CSQV417I".to_owned(), format!("THREAD NID={nid} NOT FOUND")));
                    }
                    1 => units,
                    count => {
                        let text = format!("THREAD NID={nid} IS INVALID: {count} units match; name the URID");
                        return Err(("CSQV416E".to_owned(), text));
                    }
                }
            }
        };
        units.sort_unstable_by_key(|(_, work)| work.link_or_none().urid);
        Ok(units.into_iter().map(|(id, _)| id).collect())
    }

    /// What DISPLAY THREAD shows, oldest unit first.
    pub(crate) fn thread_rows(&self) -> Vec<ThreadRow> {
        let mut rows: Vec<ThreadRow> = self
            .works
            .values()
            .map(|work| ThreadRow {
                connection: work.connection.clone(),
                urid: work.link_or_none().urid,
                requests: work.operations.len(),
                in_doubt: work.state == UnitState::InDoubt,
                network_id: network_id(&work.xid),
            })
            .collect();
        rows.sort_by_key(|row| row.urid);
        rows
    }
}

impl Work {
    /// The page sets that its end needs, each once.
    pub(super) fn page_sets(&self) -> Vec<PageSetId> {
        let operations = self.operations.iter().filter_map(|operation| match operation {
            Operation::Got { head, .. } | Operation::Delete { head, .. } => Some(head.page_set),
            Operation::Put { .. } => None,
        });
        let mut page_sets: Vec<PageSetId> = self
            .inserted
            .iter()
            .map(|(at, _)| at.page_set)
            .chain(self.intents.iter().map(|(head, _)| head.page_set))
            .chain(operations)
            .collect();
        page_sets.sort_unstable();
        page_sets.dedup();
        page_sets
    }
}

#[cfg(test)]
mod tests {
    use super::network_id;

    #[test]
    fn names_that_cannot_be_typed_are_shown_in_hexadecimal() {
        assert_eq!(network_id(b"order-17"), "order-17");
        for (xid, shown) in [(&b"a b"[..], "612062"), (b"(x)", "287829"), (&[0, 255], "00FF"), (b"", "")] {
            assert_eq!(network_id(xid), shown);
        }
    }
}
