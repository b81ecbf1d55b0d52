//! Whether files that claim the same log hold the same.
//!
//! Two systems that go on from one copy of their files under the same history write different log under the same RBAs. From where they
//! part everything differs, so the last control interval that both claim tells; the first one and the middle are looked at as well.

use std::path::Path;

use engine_storage::{OpenMode, SharedStorage};
use format_log::ci::{self, CiPlace};
use format_log::segment::SegmentChecksum;
use format_types::{CI_SIZE, Rba, RbaRange};

use crate::LogError;
use crate::data_sets::CI;
use crate::survey::{LogContent, LogFile, LogSurvey};

/// Control intervals gone back where one of the files is damaged or ends inside one.
const BACK: u64 = 64;

/// Refuses files of log that claim the same log and hold different bytes.
pub(crate) fn refuse_contradictions(
    storage: &SharedStorage,
    dir: &Path,
    survey: &LogSurvey,
) -> Result<(), LogError> {
    let files: Vec<(&LogFile, LogContent)> =
        survey.files.iter().filter_map(|file| Some((file, file.content?))).collect();
    for (number, (first, one)) in files.iter().enumerate() {
        for (second, other) in files.iter().skip(number + 1) {
            if one.identity != other.identity {
                continue;
            }
            let shared = RbaRange::new(one.start.max(other.start), one.end.min(other.end));
            if shared.is_empty() {
                continue;
            }
            if let Some(rba) = difference(storage, dir, (first, *one), (second, *other), shared)? {
                return Err(LogError::Ambiguous(format!(
                    "{} and {} both hold log of history {} at RBA {rba}, and not the same",
                    first.name, second.name, one.identity.history
                )));
            }
        }
    }
    Ok(())
}

fn difference(
    storage: &SharedStorage,
    dir: &Path,
    first: (&LogFile, LogContent),
    second: (&LogFile, LogContent),
    shared: RbaRange,
) -> Result<Option<Rba>, LogError> {
    let checksum = SegmentChecksum::new(first.1.identity);
    let open = |file: &LogFile| {
        let path = dir.join(&file.name);
        storage.open(&path, OpenMode::Read).map_err(|error| LogError::at("open", &path, error))
    };
    let (one, two) = (open(first.0)?, open(second.0)?);
    // The records of a whole control interval; none where the file has it not whole.
    let records = |file: &engine_storage::SharedFile, content: &LogContent, rba: Rba| {
        let mut interval = [0; CI_SIZE];
        file.read_at(rba.since(content.start), &mut interval).ok()?;
        let place = CiPlace { rba, identity: content.identity, instance: None };
        let trailer = ci::verify_closed(&interval, &place, &checksum).ok()?;
        interval.get(..usize::from(trailer.used)).map(<[u8]>::to_vec)
    };
    let last = shared.end.minus(CI);
    let middle = shared.start.plus(shared.len() / 2).ci_start();
    for from in [last, middle, shared.start] {
        for back in 0..BACK {
            let rba = from.minus(back * CI);
            if rba < shared.start {
                break;
            }
            let both = records(&one, &first.1, rba).zip(records(&two, &second.1, rba));
            match both {
                Some((a, b)) if a != b => return Ok(Some(rba)),
                Some(_) => break,
                None => {}
            }
        }
    }
    Ok(None)
}
