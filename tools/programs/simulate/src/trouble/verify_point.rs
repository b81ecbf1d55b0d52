//! Verification of a recovery point: it says that all is well exactly when a recovery would have everything.
//!
//! All is tried out and taken back: the point is as it was, whatever was done to it.

use std::path::{Path, PathBuf};

use engine_log::LogReader;
use format_types::{CI_SIZE, ConditionCode, Rba};
use operation_points::{Point, VerifyReport, verify_point};

use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

/// Most bytes of a file that change at once.
const FLIPPED: u64 = 4;

/// What is done to a point, or to the log that it needs, and has to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Nothing,
    /// A copy of a page set is damaged or gone: no recovery from it.
    PageSet,
    /// Another file of it is damaged: page sets can be recovered all the same.
    OtherFile,
    /// A control interval of log is in no data set any more.
    Log,
    /// A control interval of log is in one data set alone.
    OneCopy,
}

impl World {
    /// A point is verified, damaged perhaps, and a recovery from it shows whether the answer was true. Where the log is not `sound`, it
    /// is let alone.
    pub(super) fn verify_a_point(&mut self, sound: bool) -> Result<(), Broken> {
        let Some(from) = self.pick_point() else { return Ok(()) };
        self.try_out(|world| {
            let harm = world.harm(&from, sound)?;
            world.trace(|| format!("{} is verified after {harm:?}", from.display()));
            let before = world.control.image();
            let found = world.verify(&from)?;
            world.unchanged_since(&before, "a verification")?;
            let recovered = world.recover_plainly(&from, None).map(drop);
            world.trace(|| format!("recovery: {recovered:?}"));
            let said = || format!("after {harm:?}, verification of {} says {found:?}", from.display());
            match (&recovered, found.is_recoverable()) {
                (Err(error), true) => return Err(format!("{}, and a recovery is refused: {error}", said())),
                (Ok(()), false) if harm != Harm::OtherFile => {
                    return Err(format!("{}, and a recovery has everything", said()));
                }
                _ => {}
            }
            let missed = match harm {
                Harm::Nothing => false,
                Harm::PageSet | Harm::OtherFile => found.damaged_count == 0 && found.problems.is_empty(),
                Harm::Log => found.log_missing.is_empty(),
                Harm::OneCopy => found.log_copies.is_empty() && found.log_missing.is_empty(),
            };
            if missed || (harm != Harm::Nothing && found.code() == ConditionCode::Done) {
                return Err(format!("{}: the harm is not found", said()));
            }
            world.totals.count(match harm {
                Harm::Nothing => Event::PointVerified,
                Harm::PageSet | Harm::OtherFile => Event::PointDamageNamed,
                Harm::Log => Event::PointLogMissed,
                Harm::OneCopy => Event::OneCopyNamed,
            });
            Ok(())
        })
    }

    fn verify(&mut self, from: &Path) -> Result<VerifyReport, Broken> {
        let point = Point::open(&self.shared, from).map_err(|error| error.to_string())?;
        let found = verify_point(&self.shared, &point, Some(&self.dir), &mut |_, _| {});
        found.map_err(|error| format!("{} cannot be verified: {error}", from.display()))
    }

    /// Does some harm, or none.
    fn harm(&mut self, from: &Path, sound: bool) -> Result<Harm, Broken> {
        match self.random.below(8) {
            0 | 1 => {
                let point = Point::open(&self.shared, from).map_err(|error| error.to_string())?;
                let copies: Vec<PathBuf> =
                    point.manifest.page_sets.iter().map(|copy| from.join(&copy.file)).collect();
                self.harm_file(&copies, true)?;
                Ok(Harm::PageSet)
            }
            2 => {
                let point = Point::open(&self.shared, from).map_err(|error| error.to_string())?;
                let others = [&point.manifest.bsds, &point.manifest.definitions];
                let others: Vec<PathBuf> = others.iter().map(|file| from.join(&file.file)).collect();
                self.harm_file(&others, false)?;
                Ok(Harm::OtherFile)
            }
            kind @ 3..=6 if sound => {
                let Some(holders) = self.needed_interval(from)? else { return Ok(Harm::Nothing) };
                // Where something rotted before, what is spared need not be whole.
                let spare = kind > 3 && holders.places.len() > 1 && !self.rotted;
                self.trace(|| format!("RBA {} is ruined, but for one place: {spare}", holders.rba));
                let spared = spare.then(|| self.random.below(holders.places.len() as u64) as usize);
                let is_archive = |path: &Path| path.to_string_lossy().contains("ARCHLOG");
                let archived = holders.places.iter().any(|(path, _)| is_archive(path));
                let mut counts = false;
                for (at, (path, offset)) in holders.places.iter().enumerate() {
                    if Some(at) != spared {
                        self.ruin(path, *offset)?;
                        counts |= is_archive(path) || !archived;
                    }
                }
                // What is not known to be synced may differ between copies, and is not compared; nor are active logs that are archived.
                let compared = !spare || counts && self.known_synced()? >= holders.rba.plus(CI_SIZE as u64);
                Ok(match (spare, compared) {
                    (false, _) => Harm::Log,
                    (true, true) => Harm::OneCopy,
                    (true, false) => Harm::Nothing,
                })
            }
            _ => Ok(Harm::Nothing),
        }
    }

    /// The log's copies are equal below here.
    fn known_synced(&self) -> Result<Rba, Broken> {
        let reader = LogReader::open(&self.shared, &self.dir);
        let end = reader.and_then(|mut reader| reader.find_end());
        end.map(|end| end.synced).map_err(|error| error.to_string())
    }

    /// A few bytes of one of `files` change, or it is gone.
    fn harm_file(&mut self, files: &[PathBuf], may_be_gone: bool) -> Result<(), Broken> {
        let Some(path) = self.random.pick(files).cloned() else { return Ok(()) };
        self.trace(|| format!("{} is harmed", path.display()));
        let failed = |error: std::io::Error| error.to_string();
        if may_be_gone && self.random.below(4) == 0 {
            return self.shared.remove(&path).map_err(failed);
        }
        let file = self.shared.open(&path, engine_storage::OpenMode::Read).map_err(failed)?;
        let length = file.len().map_err(failed)?;
        let count = self.random.between(1, FLIPPED).min(length);
        let flip: Vec<u8> = (0..count).map(|_| self.random.between(1, 255) as u8).collect();
        let offset = self.random.below(length - count + 1);
        self.control.rot(&path, offset, &flip).map_err(failed)
    }
}
