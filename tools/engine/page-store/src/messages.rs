//! The data manager: messages and objects as records on pages.

use engine_storage::planted::{self, Defect};
use format_log::Body;
use format_pageset::message::{self, HEAD_SIZE, MAX_REST_BODY};
use format_pageset::slotted::{self, MAX_RECORD};
use format_pageset::{Fragment, MessageHead, ObjectRecord, PageType, RecordPrefix, SlotAddress, page};
use format_types::{PageAddress, PageNumber, PageSetId, Rba};

use crate::error::PageError;
use crate::pool::FrameId;
use crate::store::{PageStore, RecordAddress, UnitLink};
use crate::write_ahead::{PageLog, WriteAhead};

/// Pages formatted before they are filled: few enough to be in the pool still.
const ALLOCATE_AT_ONCE: usize = 64;

/// Bytes of a body that are allocated before its fragments are seen.
const MOST_AT_ONCE: usize = 16 << 20;

/// What an insertion did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inserted {
    /// The head of the message, or the object's record.
    pub head: RecordAddress,
    /// All records in the order of insertion, each with the RBA of its `Insert` record; zero for nonpersistent ones, which are not logged.
    pub records: Vec<(RecordAddress, Rba)>,
}

impl PageStore {
    /// Puts a message on a page set; the head's length is taken from the body.
    ///
    /// # Errors
    /// [`PageError::Full`] when there are too few free pages: nothing was changed. After any other error the unit's chain in the
    /// log, from `unit.last` on, tells what was done and must be undone.
    pub fn insert_message(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        page_set: PageSetId,
        head: &MessageHead,
        body: &[u8],
    ) -> Result<Inserted, PageError> {
        let page_type = if head.persistent { PageType::Persistent } else { PageType::NonPersistent };
        let length = u32::try_from(body.len()).map_err(|_| PageError::TooLong(body.len()))?;
        let head = MessageHead { length, ..head.clone() };
        let (in_head, continuations) = message::split(body.len());
        let wanted = self.pages_wanted(log, page_set, page_type, body.len())?;
        self.need_free(log, page_set, wanted)?;

        let mut records = Vec::with_capacity(continuations + 1);
        let (first, rest) = body.split_at(in_head);
        let parts: Vec<&[u8]> = rest.chunks(MAX_REST_BODY).collect();
        let mut next = None;
        let at_once = (self.pool.len() / 4).clamp(1, ALLOCATE_AT_ONCE);
        let mut record = std::mem::take(&mut self.scratch);
        let mut left = parts.as_slice();
        while !left.is_empty() {
            let (before, group) = left.split_at(left.len().saturating_sub(at_once));
            left = before;
            let pages = self.allocate(log, page_set, group.len(), page_type)?;
            for (part, page) in group.iter().zip(&pages).rev() {
                record.clear();
                Fragment::Rest { key: head.key, persistent: head.persistent, next, body: part }
                    .encode(&mut record);
                let frame = self.fetch(log, PageAddress::new(page_set, *page))?;
                let (at, rba) = self.insert_record(log, unit, frame, page_type, &record)?;
                next = Some(SlotAddress { page: at.page, slot: at.slot });
                records.push((at, rba));
            }
        }
        record.clear();
        Fragment::Head { head, next, body: first }.encode(&mut record);
        let (at, rba) = self.insert_small(log, unit, page_set, page_type, &record)?;
        records.push((at, rba));
        self.scratch = record;
        Ok(Inserted { head: at, records })
    }

    /// Free pages that a message of `length` bytes would take.
    fn pages_wanted(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
        page_type: PageType,
        length: usize,
    ) -> Result<u32, PageError> {
        let (in_head, continuations) = message::split(length);
        let fits = self.current_page(log, page_set, page_type, HEAD_SIZE + in_head)?.is_some();
        Ok(u32::try_from(continuations).unwrap_or(u32::MAX).saturating_add(u32::from(!fits)))
    }

    /// Whether [`Self::insert_message`] would find room for a message of `length` bytes; remembers a shortage.
    ///
    /// # Errors
    /// When the page set is offline or a map page cannot be read.
    pub fn has_room(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
        persistent: bool,
        length: usize,
    ) -> Result<bool, PageError> {
        let page_type = if persistent { PageType::Persistent } else { PageType::NonPersistent };
        let wanted = self.pages_wanted(log, page_set, page_type, length)?;
        match self.need_free(log, page_set, wanted) {
            Ok(()) => Ok(true),
            Err(PageError::Full { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts an object's definition on page set 00.
    ///
    /// # Errors
    /// As [`Self::insert_message`]; [`PageError::TooLong`] when it does not fit on a page.
    pub fn insert_object(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        object: &ObjectRecord,
    ) -> Result<Inserted, PageError> {
        let mut record = Vec::new();
        object.encode(&mut record);
        if record.len() > MAX_RECORD {
            return Err(PageError::TooLong(record.len()));
        }
        let page_set = PageSetId::ZERO;
        if self.current_page(log, page_set, PageType::Object, record.len())?.is_none() {
            self.need_free(log, page_set, 1)?;
        }
        let (head, rba) = self.insert_small(log, unit, page_set, PageType::Object, &record)?;
        Ok(Inserted { head, records: vec![(head, rba)] })
    }

    /// The current insert page in its frame, if a record fits.
    fn current_page(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        page_type: PageType,
        length: usize,
    ) -> Result<Option<FrameId>, PageError> {
        let Some(page) = *self.online(page_set)?.inserting(page_type) else { return Ok(None) };
        let frame = self.fetch(log, PageAddress::new(page_set, page))?;
        Ok(slotted::slot_for(self.pool.page(frame), length).map(|_| frame))
    }

    /// Puts a record on the current insert page, or on a fresh one when it does not fit there.
    fn insert_small(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        page_set: PageSetId,
        page_type: PageType,
        record: &[u8],
    ) -> Result<(RecordAddress, Rba), PageError> {
        if let Some(frame) = self.current_page(log, page_set, page_type, record.len())? {
            return self.insert_record(log, unit, frame, page_type, record);
        }
        let fresh = self.allocate(log, page_set, 1, page_type)?.first().copied().unwrap_or_default();
        let frame = self.fetch(log, PageAddress::new(page_set, fresh))?;
        let inserted = self.insert_record(log, unit, frame, page_type, record)?;
        // The page with more room is the next one to be filled.
        let room = self.pool.peek(inserted.0.page_address()).map(|f| slotted::free_bytes(self.pool.page(f)));
        let current = *self.online(page_set)?.inserting(page_type);
        let kept = match current {
            Some(page) => {
                let frame = self.fetch(log, PageAddress::new(page_set, page))?;
                Some(slotted::free_bytes(self.pool.page(frame)))
            }
            None => None,
        };
        if kept.is_none() || room > kept {
            *self.online(page_set)?.inserting(page_type) = Some(fresh);
        }
        Ok(inserted)
    }

    /// Puts a record on the page in `frame`, which has room for it.
    fn insert_record(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        frame: FrameId,
        page_type: PageType,
        record: &[u8],
    ) -> Result<(RecordAddress, Rba), PageError> {
        let bytes = self.pool.page(frame);
        let slot = slotted::slot_for(bytes, record.len()).ok_or(PageError::TooLong(record.len()))?;
        let page = self.pool.address(frame).ok_or(PageError::TooLong(record.len()))?;
        let at = RecordAddress { page_set: page.page_set, page: page.page, slot };
        if page_type == PageType::NonPersistent {
            let mut inserted = Ok(());
            self.change_unlogged(log, frame, |bytes| inserted = slotted::insert(bytes, slot, record));
            let rba = Rba::ZERO;
            inserted.map_err(|e| PageError::Apply { at: page, rba, source: e.into() })?;
            return Ok((at, rba));
        }
        let rba = self.change(log, unit, frame, &Body::Insert { at: page, slot, record })?;
        Ok((at, rba.start))
    }

    /// Reads the message whose head is at `head`; none when no message with this key is there.
    ///
    /// # Errors
    /// When a page is damaged, or the chain behind the head is broken.
    pub fn read_message(
        &mut self,
        log: &mut dyn WriteAhead,
        head: RecordAddress,
        key: u64,
    ) -> Result<Option<(MessageHead, Vec<u8>)>, PageError> {
        let Some(frame) = self.fetch_slotted(log, head.page_address())? else { return Ok(None) };
        let Some(record) = slotted::record(self.pool.page(frame), head.slot) else { return Ok(None) };
        let Ok(Fragment::Head { head: found, mut next, body: first }) = Fragment::decode(record) else {
            return Ok(None);
        };
        if found.key != key {
            return Ok(None);
        }
        let length = found.length as usize;
        let mut body = Vec::with_capacity(length.min(MOST_AT_ONCE));
        body.extend_from_slice(first);
        let broken = PageError::BrokenChain { at: head, key };
        while let Some(at) = next {
            let Some(frame) = self.fetch_slotted(log, PageAddress::new(head.page_set, at.page))? else {
                return Err(broken);
            };
            let record = slotted::record(self.pool.page(frame), at.slot).unwrap_or_default();
            match Fragment::decode(record) {
                // An empty part would let a chain that bites its tail go round for ever.
                Ok(Fragment::Rest { key: of, next: following, body: part, .. })
                    if of == key && !part.is_empty() && body.len() + part.len() <= length =>
                {
                    body.extend_from_slice(part);
                    next = following;
                }
                _ => return Err(broken),
            }
        }
        if body.len() == length { Ok(Some((found, body))) } else { Err(broken) }
    }

    /// Deletes a message or an object in phase 2: its records from the tail on, redo-only, and frees the pages that they leave empty.
    /// Does nothing when no record with this key is at `head`, and finishes what an interrupted call began.
    ///
    /// # Errors
    /// When a page is damaged, or the log or the storage refuses.
    pub fn delete_chain(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        head: RecordAddress,
        key: u64,
    ) -> Result<(), PageError> {
        let mut chain = Vec::new();
        let mut next = Some(SlotAddress { page: head.page, slot: head.slot });
        while let Some(at) = next {
            let address = PageAddress::new(head.page_set, at.page);
            let frame = match self.fetch_slotted_or_damage(log, address) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                // A crash may have torn a nonpersistent page: what was on it is gone, and the restart frees it.
                Err(PageError::Damaged { .. }) if !self.is_durable(log, address)? => break,
                Err(e) => return Err(self.offline_if_damaged(e)),
            };
            let Some(record) = slotted::record(self.pool.page(frame), at.slot) else { break };
            match RecordPrefix::decode(record) {
                Ok(prefix) if prefix.key == key && !chain.contains(&at) => {
                    chain.push(at);
                    next = prefix.next;
                }
                _ => break,
            }
        }
        let mut emptied = [Vec::new(), Vec::new()];
        for at in chain.into_iter().rev() {
            let at = RecordAddress { page_set: head.page_set, page: at.page, slot: at.slot };
            let body = Body::Delete { at: at.page_address(), slot: at.slot };
            self.remove_record(log, unit, at, &body, &mut emptied)?;
        }
        self.release_emptied(log, head.page_set, emptied)
    }

    /// Undoes one insertion: the record goes, and its page is freed when nothing is left on it. `undo_next` is the unit's next record
    /// to undo. Nonpersistent records go without a log record.
    ///
    /// # Errors
    /// [`PageError::NoRecord`] when the record is not there; else as [`Self::delete_chain`].
    pub fn compensate(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        at: RecordAddress,
        undo_next: Rba,
    ) -> Result<(), PageError> {
        let mut emptied = [Vec::new(), Vec::new()];
        let body = Body::Compensate { at: at.page_address(), slot: at.slot, undo_next };
        self.remove_record(log, unit, at, &body, &mut emptied)?;
        self.release_emptied(log, at.page_set, emptied)
    }

    fn is_durable(&mut self, log: &mut dyn WriteAhead, at: PageAddress) -> Result<bool, PageError> {
        use format_pageset::PageState;
        Ok(!matches!(self.state_of(log, at)?, PageState::Free | PageState::NonPersistent))
    }

    /// The frame of a page that holds records; none when it holds none, or is no usable page.
    fn fetch_slotted(
        &mut self,
        log: &mut dyn WriteAhead,
        at: PageAddress,
    ) -> Result<Option<FrameId>, PageError> {
        self.fetch_slotted_or_damage(log, at).map_err(|error| self.offline_if_damaged(error))
    }

    /// The same for those to whom a damaged page is no surprise.
    fn fetch_slotted_or_damage(
        &mut self,
        log: &mut dyn WriteAhead,
        at: PageAddress,
    ) -> Result<Option<FrameId>, PageError> {
        let used = self.online(at.page_set)?.used();
        if at.page == PageNumber::ZERO || at.page.0 >= used {
            return Ok(None);
        }
        let frame = self.fetch_or_damage(log, at)?;
        let page_type = page::page_type(self.pool.page(frame));
        Ok(page_type.is_some_and(PageType::is_slotted).then_some(frame))
    }

    /// Takes a record away and notes its page when it is empty now: pages that the log knows, and nonpersistent ones.
    fn remove_record(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        at: RecordAddress,
        body: &Body<'_>,
        emptied: &mut [Vec<PageNumber>; 2],
    ) -> Result<(), PageError> {
        let frame = self.fetch_slotted(log, at.page_address())?.ok_or(PageError::NoRecord(at))?;
        let bytes = self.pool.page(frame);
        let page_type = page::page_type(bytes).unwrap_or(PageType::Free);
        slotted::record(bytes, at.slot).ok_or(PageError::NoRecord(at))?;
        let unlogged = page_type == PageType::NonPersistent
            || matches!(body, Body::Compensate { .. }) && planted::active(Defect::CompensationSkipped);
        if unlogged {
            let mut removed = Ok(());
            self.change_unlogged(log, frame, |bytes| removed = slotted::remove(bytes, at.slot));
            removed.map_err(|_| PageError::NoRecord(at))?;
        } else {
            self.change(log, unit, frame, body)?;
        }
        let is_current = *self.online(at.page_set)?.inserting(page_type) == Some(at.page);
        if slotted::records(self.pool.page(frame)) == 0 && !is_current {
            emptied[usize::from(page_type == PageType::NonPersistent)].push(at.page);
        }
        Ok(())
    }

    fn release_emptied(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
        emptied: [Vec<PageNumber>; 2],
    ) -> Result<(), PageError> {
        let [mut logged, mut unlogged] = emptied;
        self.release(log, page_set, &mut logged, false)?;
        self.release(log, page_set, &mut unlogged, true)
    }
}
