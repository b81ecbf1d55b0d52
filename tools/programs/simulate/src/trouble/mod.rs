//! What can go wrong, one kind a file; here is which of it comes when.

mod anew;
mod archives;
mod archiving;
mod copies;
mod cut;
mod disk;
mod faults;
mod in_doubt;
mod lasting;
mod loss;
mod offline;
mod prune;
mod prune_live;
mod rebuild;
mod rot;
mod ruin;
mod to_time;
mod verify_point;

use crate::model::Broken;
use crate::world::World;

use lasting::Lasting;
pub(crate) use lasting::UnderWay;

impl World {
    /// While the queue manager works: perhaps something goes wrong, or is checked, or is stopped.
    pub(crate) fn disturb(&mut self) -> Result<(), Broken> {
        self.faults_pass();
        self.lasting_passes()?;
        self.settle_returned()?;
        if !self.running() || self.control.stopped() {
            return Ok(());
        }
        if self.copy_just_stopped {
            // What was just acknowledged is in one copy alone: the moment that matters most.
            let chance = self.random.below(5);
            self.copy_just_stopped = chance == 4;
            if chance < 3 {
                return self.lose_good_copy_now();
            }
        }
        // Syncs of page sets under way: the moments that matter most, above all when page zeros say already what the pages have.
        let syncing = self.syncs_page_sets();
        let cut_while_syncing = match (self.setup.stormy, self.sync_rounds) {
            (true, 0 | 1) => 985,
            (true, _) => 850,
            (false, 0 | 1) => 997,
            (false, _) => 990,
        };
        // While calls fail, what failed may soon be written again, and nobody would know.
        let cut = match (self.setup.stormy, self.faults_for > 0) {
            (_, true) => 6,
            (true, false) => 3,
            (false, false) => 1,
        };
        match self.random.below(1_000) {
            chance if (syncing && chance >= cut_while_syncing) || chance < cut => {
                self.crash();
                self.come_back()
            }
            6..=9 if self.setup.stormy || self.random.coin() => {
                let ahead = self.random.between(1, 300);
                self.control.stop_at(Some(self.control.operations() + ahead));
                Ok(())
            }
            14..=16 => {
                self.make_faults();
                Ok(())
            }
            20..=27 => {
                self.calm();
                self.control.stop_at(None);
                self.check_quiet()?;
                self.check_answered()
            }
            28 | 29 => self.stop_and_start(),
            37..=42 => {
                self.fail_copy();
                Ok(())
            }
            43 => {
                self.fail_both_copies();
                Ok(())
            }
            44..=46 => {
                self.fail_archives();
                Ok(())
            }
            47..=49 => {
                self.fill_disk();
                Ok(())
            }
            50 | 51 | 63 | 64 => {
                self.fail_page_set();
                Ok(())
            }
            52..=59 => self.resolve_in_doubt(),
            60 | 61 => self.quiesce(),
            62 => self.cancel_offload(),
            65..=72 => self.prune_live(),
            _ => Ok(()),
        }
    }

    /// While the queue manager is down, files may be lost or damaged; what the promise covers is brought back.
    pub(crate) fn meddle(&mut self) -> Result<(), Broken> {
        let sound = self.sound.take() == Some(self.faults());
        let failing = self.end_lasting();
        if sound && let Some(Lasting::Copy(family)) = failing {
            return self.after_failed_copy(family);
        }
        match self.random.below(30) {
            5..=11 if !self.points.is_empty() && self.random.coin() => self.lose_page_sets(),
            2 if sound => self.lose_bsds_copy(),
            3 if sound && self.setup.dual_logs => self.rot_log_copy(),
            4 if !self.points.is_empty() => self.rot_page(),
            12 => self.rot_archive(),
            13 if sound && !self.points.is_empty() => self.ruin_needed_log(),
            14 if sound && !self.points.is_empty() => self.ruin_other_places(),
            15 | 16 if sound => self.cut_the_log(),
            17 => self.off_the_line(),
            18 => self.move_a_point(),
            19 => self.move_to_other_site(),
            20 => self.lose_the_logs(),
            21 if sound => self.lose_the_bsds(),
            22 if sound => self.recover_to_time(),
            23 if !self.points.is_empty() => self.verify_a_point(sound),
            24..=29 if sound => self.prune(),
            _ => Ok(()),
        }
    }
}
