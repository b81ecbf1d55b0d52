//! The document: values, text, checksum.

use format_types::{
    HistoryId, PageNumber, PageSetId, PointMethod, PointState, QueueManagerId, QueueManagerName, Rba,
    SystemRecovery, Timestamp, crc32c,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// First field of every manifest.
pub const EYE_CATCHER: &str = "highwater recovery point";

/// Name of the manifest in a recovery point's directory.
pub const MANIFEST_FILE: &str = "MANIFEST";

/// Format version written here.
pub const VERSION: u32 = 1;

const CHECKSUM_PREFIX: &[u8] = b"  \"checksum\": \"";
const CHECKSUM_SUFFIX: &[u8] = b"\"}\n";
const CHECKSUM_DIGITS: usize = 8;
/// Bytes of the last line.
const CHECKSUM_LINE: usize = CHECKSUM_PREFIX.len() + CHECKSUM_DIGITS + CHECKSUM_SUFFIX.len();

/// A file of the point that is no page set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedFile {
    /// Its name in the point's directory.
    pub file: String,
    /// Bytes in it.
    pub length: u64,
    /// CRC-32C of all its bytes.
    #[serde(serialize_with = "write_checksum", deserialize_with = "read_checksum")]
    pub checksum: u32,
}

/// A page set of the point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedPageSet {
    /// Which page set.
    pub page_set: PageSetId,
    /// Its name in the point's directory.
    pub file: String,
    /// Recovery RBA in page zero as copied: the log needed to bring this copy forward begins there.
    pub recovery_rba: Rba,
    /// Pages in the copy, page zero included.
    pub pages: u32,
    /// Bytes in the copy.
    pub length: u64,
    /// CRC-32C of the whole image.
    #[serde(serialize_with = "write_checksum", deserialize_with = "read_checksum")]
    pub checksum: u32,
    /// Pages that never verified while they were copied (the first 1,000); empty unless the point is damaged.
    pub damaged_pages: Vec<PageNumber>,
}

/// A piece of log that the point holds itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedLog {
    /// Its name in the point's directory.
    pub file: String,
    /// The log history that it belongs to; a piece lies in one.
    pub history: HistoryId,
    /// RBA of its first byte, the start of a control interval.
    pub start: Rba,
    /// RBA after the last record in it.
    pub end: Rba,
    /// Bytes in it: whole control intervals.
    pub length: u64,
    /// CRC-32C of all its bytes.
    #[serde(serialize_with = "write_checksum", deserialize_with = "read_checksum")]
    pub checksum: u32,
}

/// What a recovery point holds and needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the point.
    pub name: String,
    /// Name of the queue manager.
    pub queue_manager: QueueManagerName,
    /// Its identity.
    pub queue_manager_id: QueueManagerId,
    /// Log history of all RBAs here.
    pub history: HistoryId,
    /// How it was made.
    pub method: PointMethod,
    /// What is known of its pages.
    pub state: PointState,
    /// When it was begun.
    pub at: Timestamp,
    /// End of the log when copying began.
    pub start: Rba,
    /// End of the log when copying had ended: a restart needs the log at least to here.
    pub end: Rba,
    /// The page sets.
    pub page_sets: Vec<CopiedPageSet>,
    /// The system recovery RBA recorded at the start: log is needed from its lowest part on.
    pub system_recovery: SystemRecovery,
    /// Copy of the BSDS.
    pub bsds: CopiedFile,
    /// DEFINE statements of all objects.
    pub definitions: CopiedFile,
    /// What the stop before a full copy printed: CSQI024I and CSQI025I. Empty for a point made while the queue manager ran.
    pub stopped: Vec<String>,
    /// The log from [`Self::log_needed_from`] to the end, oldest piece first, where the point holds it itself and can be moved; none
    /// where it needs the queue manager's own.
    pub log: Option<Vec<CopiedLog>>,
}

/// Why bytes are not a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The last line is not a checksum line: cut short, or no manifest.
    #[error("the last line is not a checksum: the file is cut short or is no manifest")]
    NoChecksum,
    /// Bytes changed since they were written.
    #[error(
        "the checksum is {written:08X}, that of the bytes before it is {computed:08X}: the file has been changed or damaged"
    )]
    Checksum {
        /// As the last line says.
        written: u32,
        /// Of the bytes there are.
        computed: u32,
    },
    /// A program newer than this one wrote it.
    #[error("its format version is {0}, the newest known here is {VERSION}: use a newer release")]
    Newer(u64),
    /// The checksum is right and the content is not.
    #[error("its content is not a manifest's: {0}")]
    Content(String),
}

/// The manifest as JSON lays it out; `checksum` is handled apart.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    manifest: String,
    version: u32,
    name: String,
    queue_manager: QueueManagerName,
    queue_manager_id: QueueManagerId,
    history: HistoryId,
    method: PointMethod,
    state: PointState,
    at: Timestamp,
    start: Rba,
    end: Rba,
    page_sets: Vec<CopiedPageSet>,
    system_recovery: SystemRecovery,
    bsds: CopiedFile,
    definitions: CopiedFile,
    #[serde(default)]
    stopped: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<Vec<CopiedLog>>,
    #[serde(skip_serializing, rename = "checksum")]
    _checksum: Option<String>,
}

/// Read before anything else, so that a newer version is refused by name and not for a field that it added.
#[derive(Deserialize)]
struct VersionOnly {
    manifest: String,
    version: u64,
}

impl Manifest {
    /// The file's bytes.
    ///
    /// # Errors
    /// [`ManifestError::Content`] when a value cannot be written as JSON.
    pub fn encode(&self) -> Result<Vec<u8>, ManifestError> {
        let document = Document {
            manifest: EYE_CATCHER.to_owned(),
            version: VERSION,
            name: self.name.clone(),
            queue_manager: self.queue_manager.clone(),
            queue_manager_id: self.queue_manager_id,
            history: self.history,
            method: self.method,
            state: self.state,
            at: self.at,
            start: self.start,
            end: self.end,
            page_sets: self.page_sets.clone(),
            system_recovery: self.system_recovery.clone(),
            bsds: self.bsds.clone(),
            definitions: self.definitions.clone(),
            stopped: self.stopped.clone(),
            log: self.log.clone(),
            _checksum: None,
        };
        let text =
            serde_json::to_string_pretty(&document).map_err(|e| ManifestError::Content(e.to_string()))?;
        Ok(seal(&text))
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// When any bit differs from what was written, or a newer release wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let body_length = bytes.len().checked_sub(CHECKSUM_LINE).ok_or(ManifestError::NoChecksum)?;
        let (body, line) = bytes.split_at_checked(body_length).ok_or(ManifestError::NoChecksum)?;
        let written = checksum_of_line(line).ok_or(ManifestError::NoChecksum)?;
        let computed = crc32c(body);
        if written != computed {
            return Err(ManifestError::Checksum { written, computed });
        }
        let content = |e: serde_json::Error| ManifestError::Content(e.to_string());
        let version: VersionOnly = serde_json::from_slice(bytes).map_err(content)?;
        if version.manifest != EYE_CATCHER {
            return Err(ManifestError::Content(format!("it begins with '{}'", version.manifest)));
        }
        if version.version > u64::from(VERSION) {
            return Err(ManifestError::Newer(version.version));
        }
        let document: Document = serde_json::from_slice(bytes).map_err(content)?;
        let manifest = Self {
            name: document.name,
            queue_manager: document.queue_manager,
            queue_manager_id: document.queue_manager_id,
            history: document.history,
            method: document.method,
            state: document.state,
            at: document.at,
            start: document.start,
            end: document.end,
            page_sets: document.page_sets,
            system_recovery: document.system_recovery,
            bsds: document.bsds,
            definitions: document.definitions,
            stopped: document.stopped,
            log: document.log,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// The copy of `page_set`, if the point has one.
    #[must_use]
    pub fn page_set(&self, page_set: PageSetId) -> Option<&CopiedPageSet> {
        self.page_sets.iter().find(|copy| copy.page_set == page_set)
    }

    /// Log from here on is needed to bring the point forward: the lowest part of the recorded system recovery RBA, or a copy's own
    /// recovery RBA should that be lower.
    #[must_use]
    pub fn log_needed_from(&self) -> Rba {
        let copies = self.page_sets.iter().map(|copy| copy.recovery_rba).min().unwrap_or(Rba::MAX);
        self.system_recovery.lowest().rba.min(copies)
    }

    /// Rules between fields: names that stay in the directory, each page set once, the range in order.
    fn check(&self) -> Result<(), ManifestError> {
        let files = self.page_sets.iter().map(|copy| copy.file.as_str());
        let log = self.log.iter().flatten().map(|piece| piece.file.as_str());
        for file in files.chain(log).chain([self.bsds.file.as_str(), self.definitions.file.as_str()]) {
            let plain = !file.is_empty() && file != "." && file != ".." && !file.contains(['/', '\0']);
            if !plain {
                return Err(ManifestError::Content(format!(
                    "'{file}' is not the name of a file of the point"
                )));
            }
        }
        let mut seen: Vec<PageSetId> = self.page_sets.iter().map(|copy| copy.page_set).collect();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() != self.page_sets.len() {
            return Err(ManifestError::Content("a page set is listed twice".to_owned()));
        }
        if self.end < self.start {
            return Err(ManifestError::Content(format!(
                "it ends at {} before its start {}",
                self.end, self.start
            )));
        }
        self.check_log()
    }

    /// A point that holds log holds all that it needs: pieces that follow each other, from where it is needed to the end.
    fn check_log(&self) -> Result<(), ManifestError> {
        let Some(pieces) = &self.log else { return Ok(()) };
        let needed = self.log_needed_from().min(self.end);
        let mut at = needed;
        for piece in pieces {
            let length = piece.end.ci_ceiling().since(piece.start);
            let whole = piece.start == piece.start.ci_start() && piece.length == length && length > 0;
            // A further piece begins in the control interval behind the one in which a history was cut.
            let latest = if at == needed { at.ci_start() } else { at.ci_ceiling() };
            if !whole || piece.start > latest || piece.end <= at {
                return Err(ManifestError::Content(format!(
                    "its piece of log {} from {} to {} does not follow {at}",
                    piece.file, piece.start, piece.end
                )));
            }
            at = piece.end;
        }
        if at < self.end {
            return Err(ManifestError::Content(format!("its log ends at {at} before its end {}", self.end)));
        }
        Ok(())
    }
}

/// Replaces the closing brace of pretty-printed JSON by the checksum line.
fn seal(json: &str) -> Vec<u8> {
    let open = json.trim_end().strip_suffix('}').unwrap_or(json).trim_end();
    let mut bytes = open.as_bytes().to_vec();
    bytes.extend_from_slice(b",\n");
    let line = format!("{:08X}", crc32c(&bytes));
    bytes.extend_from_slice(CHECKSUM_PREFIX);
    bytes.extend_from_slice(line.as_bytes());
    bytes.extend_from_slice(CHECKSUM_SUFFIX);
    bytes
}

/// The checksum of a last line of exactly the right form.
fn checksum_of_line(line: &[u8]) -> Option<u32> {
    let digits = line.strip_prefix(CHECKSUM_PREFIX)?.strip_suffix(CHECKSUM_SUFFIX)?;
    parse_checksum(std::str::from_utf8(digits).ok()?)
}

/// Eight upper-case hexadecimal digits; anything else is refused, so that no two texts mean the same checksum.
fn parse_checksum(text: &str) -> Option<u32> {
    let exact = text.len() == CHECKSUM_DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    exact.then(|| u32::from_str_radix(text, 16).ok())?
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn write_checksum<S: Serializer>(checksum: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{checksum:08X}"))
}

fn read_checksum<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_checksum(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("'{text}' is not a checksum of 8 digits")))
}

#[cfg(test)]
mod tests {
    use format_types::RecoveryPart;

    use super::*;

    fn sample() -> Manifest {
        let copy = |number: u8, rba: u64| CopiedPageSet {
            page_set: PageSetId::new(number).unwrap(),
            file: format!("PSID{number:02}"),
            recovery_rba: Rba(rba),
            pages: 8,
            length: 8 * 4096,
            checksum: 0x0BAD_CAFE,
            damaged_pages: vec![],
        };
        let piece = |number: u32, start: u64, end: u64| CopiedLog {
            file: format!("LOG{number:04}"),
            history: HistoryId { number, random: 0x1234_5678_9ABC_DEF0 },
            start: Rba(start),
            end: Rba(end),
            length: Rba(end).ci_ceiling().since(Rba(start)),
            checksum: 9,
        };
        Manifest {
            name: "T1".to_owned(),
            queue_manager: "QM1".parse().unwrap(),
            queue_manager_id: QueueManagerId(0xFEED),
            history: HistoryId { number: 1, random: 0x1234_5678_9ABC_DEF0 },
            method: PointMethod::Fuzzy,
            state: PointState::Verified,
            at: Timestamp(1_790_000_000_000_000),
            start: Rba(0x2800),
            end: Rba(0x5000),
            page_sets: vec![copy(0, 0x2600), copy(1, 0x2700)],
            system_recovery: SystemRecovery {
                page_sets: RecoveryPart { rba: Rba(0x2600), holder: "page set 00".to_owned() },
                structures: None,
                units: Some(RecoveryPart { rba: Rba(0x2200), holder: "unit of recovery 2200".to_owned() }),
                page_sets_online: Rba(0x2600),
            },
            bsds: CopiedFile { file: "BSDS".to_owned(), length: 65536, checksum: 7 },
            definitions: CopiedFile { file: "DEFINITIONS".to_owned(), length: 10, checksum: 0xFFFF_FFFF },
            stopped: vec!["CSQI024I QM1 CSQIDUSE Restart RBA".to_owned()],
            log: Some(vec![piece(1, 0x2000, 0x2F80), piece(2, 0x3000, 0x5000)]),
        }
    }

    #[test]
    fn round_trip_and_plain_json() {
        let manifest = sample();
        let bytes = manifest.encode().unwrap();
        assert_eq!(Manifest::decode(&bytes).unwrap(), manifest);
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["start"], "0000000000002800");
        assert_eq!(json["page_sets"][1]["checksum"], "0BADCAFE");
        assert_eq!(manifest.log_needed_from(), Rba(0x2200));
        assert!(bytes.ends_with(b"\"}\n"));
        assert_eq!(
            bytes.len() - bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() - 1,
            CHECKSUM_LINE
        );
        assert_eq!(CHECKSUM_LINE, 26);
    }

    #[test]
    fn every_single_bit_flip_is_detected() {
        let bytes = sample().encode().unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(Manifest::decode(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn every_truncation_and_any_tail_is_detected() {
        let bytes = sample().encode().unwrap();
        for length in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..length]).is_err(), "cut to {length}");
        }
        for tail in [&b"\n"[..], b" ", b"\0", b"{}"] {
            let mut longer = bytes.clone();
            longer.extend_from_slice(tail);
            assert!(Manifest::decode(&longer).is_err(), "{tail:?} appended");
        }
    }

    fn resealed(change: impl FnOnce(String) -> String) -> Vec<u8> {
        let bytes = sample().encode().unwrap();
        let text = String::from_utf8(bytes[..bytes.len() - CHECKSUM_LINE].to_vec()).unwrap();
        let text = change(text);
        seal(&format!("{}\n}}", text.trim_end().trim_end_matches(',')))
    }

    #[test]
    fn newer_versions_are_refused_by_name_even_with_unknown_fields() {
        let newer = resealed(|t| t.replace("\"version\": 1,", "\"version\": 2,\n  \"novelty\": true,"));
        assert_eq!(Manifest::decode(&newer), Err(ManifestError::Newer(2)));
        assert!(Manifest::decode(&newer).unwrap_err().to_string().contains("format version is 2"));
    }

    #[test]
    fn content_that_breaks_a_rule_is_refused() {
        for (from, to) in [
            ("\"manifest\": \"highwater", "\"manifest\": \"lowwater"),
            ("\"PSID01\"", "\"../PSID01\""),
            ("\"page_set\": 1,", "\"page_set\": 0,"),
            ("\"page_set\": 1,", "\"page_set\": 100,"),
            ("0000000000005000", "0000000000000001"),
            ("\"version\": 1,", "\"version\": 1,\n  \"novelty\": true,"),
            ("0BADCAFE", "0badcafe"),
            ("\"LOG0002\"", "\"LOG/0002\""),
            ("\"start\": \"0000000000003000\"", "\"start\": \"0000000000004000\""),
            ("\"start\": \"0000000000002000\"", "\"start\": \"0000000000002100\""),
            ("\"end\": \"0000000000002F80\"", "\"end\": \"0000000000002100\""),
            ("\"length\": 8192", "\"length\": 4096"),
        ] {
            let bytes = resealed(|t| t.replacen(from, to, 1));
            assert!(matches!(Manifest::decode(&bytes), Err(ManifestError::Content(_))), "{from} -> {to}");
        }
    }

    #[test]
    fn the_document_for_people_names_every_field() {
        let page = include_str!("../../../docs/formats/manifest.md");
        let json: serde_json::Value = serde_json::from_slice(&sample().encode().unwrap()).unwrap();
        for field in json.as_object().unwrap().keys().chain(json["page_sets"][0].as_object().unwrap().keys())
        {
            assert!(page.contains(&format!("`{field}`")), "{field}");
        }
        assert!(page.contains(EYE_CATCHER) && page.contains(&format!("format version, {VERSION};")));
        assert!(page.contains(&format!("exactly {CHECKSUM_LINE} bytes")));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = Manifest::decode(&bytes);
        }
    }
}
