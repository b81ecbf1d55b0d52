//! Going to the next data set.

use engine_storage::planted::{self, Defect};
use engine_storage::{OpenMode, SharedFile};
use format_bsds::{ActiveLog, ActiveStatus};
use format_log::{Body, LogIdentity};
use format_types::{Rba, RbaRange, Urid};

use crate::buffer::LogBuffer;
use crate::copies::note_whole;
use crate::sync::CopyWriter;
use crate::{LogError, LogManager, messages};

impl LogManager {
    /// Ends the current data set where it is and goes to the next one, as ARCHIVE LOG does.
    ///
    /// # Errors
    /// [`LogError::LastAvailable`] when there is no next one; nothing is changed then.
    pub fn switch(&mut self) -> Result<(), LogError> {
        self.check()?;
        let next = self.next_available().ok_or(LogError::LastAvailable)?;
        let again = self.try_again(next);
        self.switch_to(next, true, again)
    }

    /// Goes to the next data set because the current one is full.
    pub(crate) fn switch_when_full(&mut self) -> Result<(), LogError> {
        let Some(next) = self.next_available() else {
            if self.warned <= 100 {
                self.warned = 101;
                self.messages.push(messages::out_of_space());
            }
            return Err(LogError::Full);
        };
        let again = self.try_again(next);
        self.switch_to(next, false, again)
    }

    /// Whether there is a data set to switch to.
    #[must_use]
    pub fn can_switch(&self) -> bool {
        self.next_available().is_some()
    }

    /// The pair to be written next, by its place in the list of each copy: one never used, else the one whose log is oldest.
    pub(crate) fn next_available(&self) -> Option<usize> {
        let other =
            |index: usize| self.bsds.actives(2).nth(index).is_none_or(|log| log.status.is_available());
        self.bsds
            .actives(1)
            .enumerate()
            .filter(|(index, log)| log.status.is_available() && other(*index))
            .min_by_key(|(_, log)| (!log.status.new, log.range.map(|range| range.start)))
            .map(|(index, _)| index)
    }

    /// `again` are the files of copies that had been given up and are to be written again from here on.
    pub(crate) fn switch_to(
        &mut self,
        next: usize,
        truncate: bool,
        again: [Option<SharedFile>; 2],
    ) -> Result<(), LogError> {
        self.buffer.close(self.synced);
        // Nothing unsynced spans a switch, and the next data set is named before it is written.
        self.sync_now()?;
        let old = self.data_set;
        let end = self.end.ci_ceiling();
        let ended = RbaRange::new(old.start, end);
        let history = self.bsds.history();
        let mut begun = RbaRange::new(end, end);
        let mut instance = 0;
        let mut writing = self.writing();
        for (writing, again) in writing.iter_mut().zip(&again) {
            *writing |= again.is_some();
        }
        let whole = self.update_bsds(|bsds| {
            let pair = |copy: u8, log: &ActiveLog, index: usize| log.copy == copy && index == next;
            let mut positions = [0; 2];
            let mut of_copy = |log: &ActiveLog| {
                let position = &mut positions[usize::from(log.copy) - 1];
                *position += 1;
                *position - 1
            };
            let mut chosen = Vec::new();
            for (at, log) in bsds.active_logs.iter_mut().enumerate() {
                let index = of_copy(log);
                if log.history == history && log.range == Some(old) && !log.status.is_available() {
                    let incomplete = log.status.incomplete;
                    log.range = Some(ended);
                    log.status = ActiveStatus { truncated: truncate, incomplete, ..ActiveStatus::default() };
                    if planted::active(Defect::EarlyReusable) {
                        log.status.reusable = true;
                    }
                } else if pair(log.copy, log, index) {
                    instance = instance.max(log.instance + 1);
                    chosen.push(at);
                }
            }
            for at in chosen {
                let log = &mut bsds.active_logs[at];
                begun.end = end.plus(log.size);
                let written = writing[usize::from(log.copy) - 1];
                let incomplete = !written && !planted::active(Defect::StoppedCopyForgotten);
                log.range = Some(begun);
                log.status = ActiveStatus { incomplete, ..ActiveStatus::default() };
                log.instance = instance;
                log.history = history;
            }
            note_whole(bsds, writing)
        })?;
        for log in &self.bsds.active_logs {
            if log.history == history && log.range == Some(ended) {
                self.messages.push(messages::ended(&log.name, ended));
            }
        }
        self.begin_data_set(begun, instance, again)?;
        self.say_whole(whole);
        // Both copies end where they are already.
        self.truncation_due = false;
        self.switches += 1;
        self.offloads.notice_switch();
        self.warned = 0;
        self.begin_for_certain()
    }

    /// Opens the files of the current data set and starts with an empty buffer.
    fn begin_data_set(
        &mut self,
        range: RbaRange,
        instance: u32,
        again: [Option<SharedFile>; 2],
    ) -> Result<(), LogError> {
        let mut failures = Vec::new();
        for (copy, again) in (1..=self.bsds.copies()).zip(again) {
            let Some(log) = self.bsds.current_active(copy) else { continue };
            let Some(writer) = self.copies.get_mut(usize::from(copy) - 1) else { continue };
            if let Some(file) = again {
                *writer = Some(CopyWriter::new(file, range.start));
                self.messages.push(messages::current(copy, &log.name, range));
                self.messages.push(messages::written_again(copy, range.start));
                continue;
            }
            let Some(writer) = writer else { continue };
            match self.storage.open(&self.dir.join(&log.name), OpenMode::ReadWrite) {
                Ok(file) => {
                    *writer = CopyWriter::new(file, range.start);
                    self.messages.push(messages::current(copy, &log.name, range));
                }
                Err(error) => failures.push((copy, error.to_string())),
            }
        }
        self.data_set = range;
        let identity = LogIdentity { queue_manager: self.bsds.queue_manager, history: self.bsds.history() };
        self.buffer = LogBuffer::new(identity, instance, range.start);
        self.previous_length = 0;
        self.end = self.end.max(range.start);
        self.written = self.written.max(range.start);
        self.give_up(failures)
    }

    /// The first record of a data set, durable before anything else is done: so an archive of the one before, and a copy of the BSDS beside
    /// it, prove that the log went on here. Who makes a BSDS anew can tell by that whether a data set has lost what it held.
    pub(crate) fn begin_for_certain(&mut self) -> Result<(), LogError> {
        let bsds_sequence = self.bsds.sequence;
        self.append(Urid::NONE, Rba::ZERO, &Body::Switch { bsds_sequence })?;
        self.sync_now().map(drop)
    }
}
