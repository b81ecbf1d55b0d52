//! Any bytes as a control interval: the walk over its segments ends, stays inside, and nothing is believed that has no checksum.
#![no_main]

use format_log::LogIdentity;
use format_log::ci::{self, CiPlace, CiTrailer, Merged, Segments};
use format_log::segment::SegmentChecksum;
use format_types::{HistoryId, QueueManagerId, Rba};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let identity =
        LogIdentity { queue_manager: QueueManagerId(7), history: HistoryId { number: 1, random: 9 } };
    let checksum = SegmentChecksum::new(identity);
    let place = CiPlace { rba: Rba(0x1000), identity, instance: None };
    let _ = CiTrailer::take(bytes);
    let _ = ci::verify_closed(bytes, &place, &checksum);
    if let Ok(trailer) = ci::verify(bytes, &place, &checksum) {
        assert!(usize::from(trailer.used) <= ci::CI_DATA);
    }
    for segment in Segments::new(bytes, place.rba, &checksum) {
        assert!(segment.end() <= ci::CI_DATA);
    }
    let merged = Merged::of(&[bytes, &[]], place.rba, &checksum);
    assert!(merged.used <= ci::CI_DATA);
});
