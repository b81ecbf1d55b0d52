//! A page set that went offline comes back while the others work: opened again, brought up to the log, and only then used.
//!
//! In between it is neither online nor offline for good: redo, the sync behind it, the scan for the queues' order and the freeing of
//! nonpersistent pages reach it through the functions here, and nobody else does. Page zero is not stamped before it is online, so a
//! crash at any moment leaves a page set that the next restart brings forward from where it always stood.

use std::sync::Arc;

use engine_log::LogError;
use format_log::{Body, Record};
use format_pageset::{PageType, page};
use format_types::{PageAddress, PageNumber, PageSetId, Rba, RbaRange};

use crate::checkpoint::{PageSyncJob, PageSyncOutcome};
use crate::error::PageError;
use crate::open::OpenedPageSet;
use crate::store::{PageStore, RUN_PAGES, RecordAddress, written_through};
use crate::write_ahead::{PageLog, WriteAhead};

impl PageStore {
    /// Opens an offline page set again, or an older copy that has taken the place of its file. `log_end` is the end of the durable
    /// log: everything that was ever logged for the page set lies below. The answer's recovery RBA says from where redo must begin.
    ///
    /// # Errors
    /// As [`Self::open_page_set`]; the page set stays offline, with its recovery RBA as it was. [`PageError::AlreadyThere`] when it is
    /// not offline.
    pub fn begin_return(&mut self, page_set: PageSetId, log_end: Rba) -> Result<OpenedPageSet, PageError> {
        let index = usize::from(page_set.number());
        let Some(old) = self.sets.get_mut(index).and_then(Option::take) else {
            return Err(PageError::NotOpen(page_set));
        };
        if old.online || old.returning {
            self.sets[index] = Some(old);
            let path = crate::create::page_set_path(&self.dir, page_set);
            return Err(PageError::AlreadyThere { page_set, path });
        }
        let frozen = old.recovery_rba;
        match self.open_page_set(page_set, log_end, None) {
            Ok(mut opened) => {
                let set = self.set_mut(page_set)?;
                set.online = false;
                set.returning = true;
                set.space = None;
                // What was promised when it went offline, or what an older copy needs: whichever is lower.
                set.recovery_rba = set.recovery_rba.min(frozen);
                set.redo_from = set.recovery_rba;
                opened.recovery_rba = set.recovery_rba;
                Ok(opened)
            }
            Err(error) => {
                self.sets[index] = Some(old);
                Err(error)
            }
        }
    }

    /// Whether a page set is on its way back.
    #[must_use]
    pub fn is_returning(&self, page_set: PageSetId) -> bool {
        self.set(page_set).is_ok_and(|set| set.returning)
    }

    /// Lets `step` use a page set that is coming back.
    fn reaching<T>(&mut self, page_set: PageSetId, step: impl FnOnce(&mut Self) -> T) -> T {
        self.reached = Some(page_set);
        let done = step(self);
        self.reached = None;
        done
    }

    /// Applies a record of the log if it is for this page set, as [`Self::redo`] does.
    ///
    /// # Errors
    /// As [`Self::redo`].
    pub fn redo_returning(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        at: RbaRange,
        record: &Record<'_>,
    ) -> Result<(), PageError> {
        let concerned = match &record.body {
            Body::UsedRaised { page_set: raised, .. } => *raised == page_set,
            body => body.page().is_some_and(|address| address.page_set == page_set),
        };
        if concerned { self.reaching(page_set, |store| store.redo(log, at, record)) } else { Ok(()) }
    }

    /// Ends redo of a page set that is coming back.
    ///
    /// # Errors
    /// [`PageError::Unrepaired`] names the damaged page with the earliest record; [`PageError::Offline`].
    pub fn finish_return_redo(&mut self, page_set: PageSetId) -> Result<(), PageError> {
        self.reaching(page_set, |store| store.online(page_set).map(drop))?;
        let damaged = || self.damaged.iter().filter(|(at, _)| at.page_set == page_set);
        match damaged().min_by_key(|(at, (rba, _))| (*rba, **at)) {
            Some((at, (rba, damage))) => Err(PageError::Unrepaired {
                at: *at,
                damage: damage.clone(),
                rba: *rba,
                pages: damaged().count(),
            }),
            None => Ok(()),
        }
    }

    /// Writes up to about `budget` dirty pages of one page set, lowest first, and says whether none is left.
    ///
    /// # Errors
    /// The log's; [`PageError::Offline`] when the page set cannot be written, which takes it offline.
    pub fn write_returning(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        budget: usize,
    ) -> Result<bool, PageError> {
        let of_set = |(at, _): (PageAddress, Rba)| (at.page_set == page_set).then_some(at);
        let mut dirty: Vec<PageAddress> = self.pool.dirty_pages().filter_map(of_set).collect();
        dirty.sort_unstable();
        let done = dirty.len() <= budget;
        dirty.truncate(budget);
        let mut rest = dirty.as_slice();
        while let Some(first) = rest.first() {
            let follows = |(n, at): &(u32, &PageAddress)| at.page.0 == first.page.0 + n;
            let count = (0u32..).zip(rest).take(RUN_PAGES).take_while(follows).count().max(1);
            let (run, after) = rest.split_at(count);
            let frames: Vec<_> = run.iter().filter_map(|at| self.pool.peek(*at)).collect();
            let highest = frames.iter().map(|frame| page::page_rba(self.pool.page(*frame))).max();
            if let Some(highest) = highest
                && highest > written_through(log)
            {
                log.sync_to(highest)?;
            }
            self.write_run(&frames);
            self.reaching(page_set, |store| store.online(page_set).map(drop))?;
            rest = after;
        }
        Ok(done)
    }

    /// The sync behind redo; none when nothing was written. Its outcome goes to [`Self::finish_sync`].
    pub fn begin_return_sync(&mut self, page_set: PageSetId) -> Option<PageSyncJob> {
        self.reaching(page_set, |store| store.begin_sync(page_set))
    }

    /// Whether an outcome is that of [`Self::begin_return_sync`], rather than one from before the page set went offline.
    #[must_use]
    pub fn is_of_return(&self, outcome: &PageSyncOutcome) -> bool {
        self.set(outcome.page_set()).is_ok_and(|set| set.returning && Arc::ptr_eq(&set.gate, outcome.gate()))
    }

    /// Shows `visit` the records of `count` pages from `from` on, as [`Self::scan`] does, and says where to go on; none at the end.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub fn scan_returning(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        (from, count): (PageNumber, u32),
        visit: &mut dyn FnMut(RecordAddress, PageType, &[u8]),
    ) -> Result<Option<PageNumber>, PageError> {
        let to = from.0.saturating_add(count);
        self.reaching(page_set, |store| {
            let mut empty = std::mem::take(&mut store.set_mut(page_set)?.empty);
            store.scan_between(log, page_set, from.0..to, &mut empty, visit)?;
            let set = store.set_mut(page_set)?;
            set.empty = empty;
            Ok((to < set.used()).then_some(PageNumber(to)))
        })
    }

    /// As [`Self::free_nonpersistent`].
    ///
    /// # Errors
    /// As there.
    pub fn free_nonpersistent_returning(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
    ) -> Result<u64, PageError> {
        self.reaching(page_set, |store| store.free_nonpersistent(log, page_set))
    }

    /// The page set is used again from now on.
    ///
    /// # Errors
    /// [`PageError::Offline`] when it was not coming back.
    pub fn complete_return(&mut self, page_set: PageSetId) -> Result<(), PageError> {
        self.reaching(page_set, |store| store.online(page_set).map(drop))?;
        let set = self.set_mut(page_set)?;
        set.returning = false;
        set.online = true;
        Ok(())
    }

    /// Gives a return up: the page set is offline again.
    ///
    /// # Errors
    /// The log's error, if that is what `why` is: it is not the page set's fault.
    pub fn fail_return(&mut self, page_set: PageSetId, why: PageError) -> Result<(), LogError> {
        match why {
            PageError::Log(error) => Err(error),
            PageError::Offline { .. } => Ok(()),
            error => {
                self.stop_return(page_set, &format!("it could not be brought back: {error}"));
                Ok(())
            }
        }
    }

    /// Takes a page set that is coming back offline again, for a reason that is said on the console.
    pub fn stop_return(&mut self, page_set: PageSetId, why: &str) {
        if self.is_returning(page_set) {
            self.take_offline(page_set, why);
        }
    }
}
