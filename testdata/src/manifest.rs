//! Manifests of a recovery point of queue manager QM1.

use format_manifest::{CopiedFile, CopiedPageSet, Manifest};
use format_types::{
    HistoryId, PageSetId, PointMethod, PointState, QueueManagerId, Rba, RecoveryPart, SystemRecovery,
    Timestamp, crc32c,
};

use crate::Verdict::{Refused, Whole};
use crate::{Kind, Specimen, Verdict, flipped};

fn manifest() -> Vec<u8> {
    let file = |name: &str| CopiedFile { file: name.to_owned(), length: 131_072, checksum: 0x0A0B_0C0D };
    let manifest = Manifest {
        name: "T1".to_owned(),
        queue_manager: "QM1".parse().expect("a name"),
        queue_manager_id: QueueManagerId(0x1111),
        history: HistoryId { number: 1, random: 0x2222 },
        method: PointMethod::Fuzzy,
        state: PointState::Verified,
        at: Timestamp(1_800_000_000_000_000),
        start: Rba(0x6000),
        end: Rba(0x7000),
        page_sets: vec![CopiedPageSet {
            page_set: PageSetId::new(1).expect("below 100"),
            file: "PSID01".to_owned(),
            recovery_rba: Rba(0x4000),
            pages: 64,
            length: 64 * 4096,
            checksum: 0x0102_0304,
            damaged_pages: vec![],
        }],
        system_recovery: SystemRecovery {
            page_sets: RecoveryPart { rba: Rba(0x4000), holder: "page set 01".to_owned() },
            structures: None,
            units: None,
            page_sets_online: Rba(0x4000),
        },
        bsds: file("BSDS"),
        definitions: file("DEFINITIONS"),
        stopped: Vec::new(),
        log: None,
    };
    manifest.encode().expect("a manifest")
}

/// The manifest with `from` replaced by `to` in its document, and a last line that is right for it.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(manifest()).expect("JSON is text");
    assert!(text.contains(from), "nothing to edit: {from}");
    let (document, _) = text.trim_end().rsplit_once('\n').expect("a last line");
    let document = document.replacen(from, to, 1) + "\n";
    let checksum = crc32c(document.as_bytes());
    format!("{document}  \"checksum\": \"{checksum:08X}\"}}\n").into_bytes()
}

pub(crate) fn specimens() -> Vec<Specimen> {
    let whole = manifest();
    let new = |name: &str, verdict: Verdict, damage, bytes| {
        Specimen::new(Kind::Manifest, name, verdict, damage, bytes)
    };
    vec![
        new("whole", Whole, "nothing is wrong", whole.clone()),
        new("bit-flipped", Refused, "a bit is flipped", flipped(&whole, whole.len() / 2)),
        new("truncated", Refused, "its last line is missing", whole[..whole.len() - 40].to_vec()),
        new(
            "newer",
            Refused,
            "it was written by a newer version",
            edited("\"version\": 1", "\"version\": 2"),
        ),
        new(
            "unknown-field",
            Refused,
            "it has a field that nobody knows",
            edited("\"name\"", "\"colour\": 1, \"name\""),
        ),
        new("empty", Refused, "it is empty", Vec::new()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoders_agree_with_the_labels() {
        for specimen in specimens() {
            let read = Manifest::decode(&specimen.bytes);
            assert_eq!(read.is_ok(), specimen.verdict == Whole, "{}: {read:?}", specimen.name);
        }
    }
}
