//! Changes of pages in normal work: build the record, append it to the log, apply it to the page.

use engine_storage::planted::{self, Defect};
use format_log::Body;
use format_pageset::{PageBytes, PageType, page};
use format_types::{PageAddress, Rba, RbaRange, Urid};

use crate::apply::apply;
use crate::error::PageError;
use crate::pool::FrameId;
use crate::store::{PageStore, UnitLink};
use crate::write_ahead::PageLog;

/// No unit: records that keep the pages in order and are never undone.
pub(crate) const NO_UNIT: UnitLink = UnitLink { urid: Urid::NONE, last: Rba::ZERO };

impl PageStore {
    /// Appends a record and moves the unit's last record.
    pub(crate) fn append(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        body: &Body<'_>,
    ) -> Result<RbaRange, PageError> {
        let at = log.append(unit.urid, unit.last, body)?;
        self.log_limit = self.log_limit.max(at.end);
        if unit.urid.is_some() {
            unit.last = at.start;
        }
        Ok(at)
    }

    /// Logs a change of the page in `frame` and makes it.
    pub(crate) fn change(
        &mut self,
        log: &mut dyn PageLog,
        unit: &mut UnitLink,
        frame: FrameId,
        body: &Body<'_>,
    ) -> Result<RbaRange, PageError> {
        self.protect(log, frame)?;
        let at = self.append(log, unit, body)?;
        self.apply_in(frame, at, body)?;
        Ok(at)
    }

    /// Logs that a page becomes an empty one of a type, and makes it so, whatever it held.
    pub(crate) fn format(
        &mut self,
        log: &mut dyn PageLog,
        at: PageAddress,
        page_type: PageType,
    ) -> Result<FrameId, PageError> {
        let (frame, was_there) = self.fetch_blank(log, at)?;
        let body = Body::Format { at, page_type: page_type.code() };
        match self.append(log, &mut NO_UNIT.clone(), &body) {
            Ok(rba) => {
                self.apply_in(frame, rba, &body)?;
                self.pool.set_imaged(frame);
                Ok(frame)
            }
            Err(e) => {
                if !was_there {
                    self.pool.discard(frame);
                }
                Err(e)
            }
        }
    }

    /// Changes a nonpersistent page without the log.
    pub(crate) fn change_unlogged(
        &mut self,
        log: &dyn PageLog,
        frame: FrameId,
        change: impl FnOnce(&mut PageBytes),
    ) {
        change(self.pool.page_mut(frame));
        self.pool.mark_dirty(frame, log.end());
    }

    /// Applies a record to a frame; the page is dirty from the record's start on.
    pub(crate) fn apply_in(
        &mut self,
        frame: FrameId,
        at: RbaRange,
        body: &Body<'_>,
    ) -> Result<(), PageError> {
        let applied = apply(self.pool.page_mut(frame), at, body);
        self.pool.mark_dirty(frame, at.start);
        match (applied, self.pool.address(frame)) {
            (Err(source), Some(page)) => Err(PageError::Apply { at: page, rba: at.start, source }),
            _ => Ok(()),
        }
    }

    /// Logs the page as it is, unless the log can bring it back already: before its first change since it was clean.
    fn protect(&mut self, log: &mut dyn PageLog, frame: FrameId) -> Result<(), PageError> {
        if self.pool.is_imaged(frame) {
            return Ok(());
        }
        if let Some(at) = self.pool.address(frame)
            && !planted::active(Defect::PageImageSkipped)
        {
            let image = Body::PageImage { at, image: self.pool.page(frame) };
            let rba = log.append(Urid::NONE, Rba::ZERO, &image)?;
            self.log_limit = self.log_limit.max(rba.end);
            // What applying the image to its own page comes to.
            page::set_page_rba(self.pool.page_mut(frame), rba.end);
            self.pool.mark_dirty(frame, rba.start);
        }
        self.pool.set_imaged(frame);
        Ok(())
    }
}
