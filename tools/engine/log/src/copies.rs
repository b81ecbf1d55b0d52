//! A copy that fails: given up, ended together with the other, and taken up again.
//!
//! Order: the BSDS says where the copy stopped, durably, before anything that only the other copy has is acknowledged. Then both data
//! sets end where they are and the log goes on, single, in the next pair. At each later switch the copy is tried again, in a data set
//! that is written afresh, so that nothing depends on what a failed sync left behind. What it lacks in between stays marked in the BSDS,
//! and is not believed, until offload has filled it in from the other copy and read it back, or has archived it.

use engine_storage::planted::{self, Defect};
use engine_storage::{OpenMode, SharedFile};
use format_bsds::{ActiveLog, Bsds};
use format_types::CI_SIZE;

use crate::{LogError, LogManager, messages};

impl LogManager {
    /// Gives copies up: they are complete below the last RBA that both were synced to, and the BSDS says so.
    pub(crate) fn give_up(&mut self, failures: Vec<(u8, String)>) -> Result<(), LogError> {
        let mut given_up = Vec::new();
        for (copy, why) in failures {
            let index = usize::from(copy) - 1;
            if self.copies.get_mut(index).and_then(Option::take).is_some() {
                given_up.push((index, copy, why));
            }
        }
        if given_up.is_empty() {
            return Ok(());
        }
        if self.copies.iter().all(Option::is_none) {
            let why = given_up.into_iter().map(|(_, copy, why)| format!("copy {copy}: {why}"));
            return Err(self.fail(why.collect::<Vec<_>>().join("; ")));
        }
        let (stopped, current) = (self.synced, self.data_set);
        for (index, copy, why) in given_up {
            if !planted::active(Defect::StoppedCopyForgotten) {
                self.update_bsds(|bsds| {
                    if let Some(entry) = bsds.copy_stopped.get_mut(index) {
                        // What it lacked before, it lacks still.
                        *entry = Some(entry.map_or(stopped, |before| before.min(stopped)));
                    }
                    let history = bsds.history();
                    let logs = bsds.active_logs.iter_mut();
                    let logs = logs.filter(|log| log.copy == copy && log.history == history);
                    for log in logs.filter(|log| log.range == Some(current) && !log.status.is_available()) {
                        log.status.incomplete = true;
                    }
                })?;
            }
            self.messages.push(messages::copy_failed(copy, &why));
            self.messages.push(messages::copy_stopped(copy, stopped));
        }
        self.truncation_due = true;
        Ok(())
    }

    /// Says how much log must be left when a data set is ended early because a copy failed: what units need to end, for example.
    pub fn keep_back(&mut self, bytes: u64) {
        self.kept_back = bytes;
    }

    /// After a copy has failed: ends both copies of the current data set where they are and goes to the next. Where there is none, or
    /// too little log would be left, the surviving copy goes on where it is.
    pub(crate) fn truncate_after_failure(&mut self) -> Result<(), LogError> {
        if !std::mem::take(&mut self.truncation_due) {
            return Ok(());
        }
        if let Some(next) = self.next_available().filter(|_| self.space_elsewhere() >= self.kept_back) {
            return self.switch_to(next, true, [None, None]);
        }
        for (copy, _) in (1u8..).zip(&self.copies).filter(|(_, writer)| writer.is_some()) {
            if let Some(log) = self.bsds.current_active(copy) {
                self.messages.push(messages::goes_on_single(&log.name));
            }
        }
        Ok(())
    }

    /// The files of the data sets with place `next` in their lists, of copies that were given up, where they can be written again.
    pub(crate) fn try_again(&mut self, next: usize) -> [Option<SharedFile>; 2] {
        let mut files = [None, None];
        for copy in 1..=self.bsds.copies() {
            let index = usize::from(copy) - 1;
            if self.copies[index].is_some() {
                continue;
            }
            match self.probe(copy, next) {
                Ok(file) => files[index] = Some(file),
                Err(why) => self.messages.push(messages::still_failing(copy, &why)),
            }
        }
        files
    }

    /// Opens a data set and shows that it takes a write and syncs it. It is about to be begun anew: what was in it is archived.
    fn probe(&self, copy: u8, next: usize) -> Result<SharedFile, String> {
        let log = self.bsds.actives(copy).nth(next).ok_or("the BSDS names no such data set")?;
        let path = self.dir.join(&log.name);
        let file = self.storage.open(&path, OpenMode::ReadWrite).map_err(|error| error.to_string())?;
        let length = file.len().map_err(|error| error.to_string())?;
        if length < log.size {
            return Err(format!("{} is only {length} bytes long", log.name));
        }
        file.write_at(0, &[0; CI_SIZE]).and_then(|()| file.sync()).map_err(|error| error.to_string())?;
        Ok(file)
    }

    /// Says that copies lack nothing any more.
    pub(crate) fn say_whole(&mut self, copies: Vec<u8>) {
        for copy in copies {
            self.messages.push(messages::copy_completed(copy));
            self.messages.push(messages::dual_again(copy, self.data_set.start));
        }
    }

    /// Which copies are being written.
    pub(crate) fn writing(&self) -> [bool; 2] {
        [self.copies[0].is_some(), self.copies[1].is_some()]
    }
}

/// Notes in `bsds` that copies which are being written lack nothing any more, where that is so; returns those.
pub(crate) fn note_whole(bsds: &mut Bsds, writing: [bool; 2]) -> Vec<u8> {
    let mut whole = Vec::new();
    let history = bsds.history();
    for copy in 1..=bsds.copies() {
        let index = usize::from(copy) - 1;
        let lacks =
            |log: &ActiveLog| log.history == history && log.status.incomplete && !log.status.is_available();
        let lacks = bsds.actives(copy).any(lacks);
        if writing[index] && !lacks && bsds.copy_stopped[index].take().is_some() {
            whole.push(copy);
        }
    }
    whole
}
