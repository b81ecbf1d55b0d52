//! Journals of a small load.

use format_journal::{Entry, Header, Put, Unit, encode_entry, encode_header};
use format_types::Rba;

use crate::Verdict::{Damaged, Refused, Whole};
use crate::{Kind, Specimen, Verdict, flipped};

fn lines() -> Vec<String> {
    let queues = vec!["APP.A".parse().expect("a name"), "APP.B".parse().expect("a name")];
    let mut lines = vec![encode_header(&Header { load: 1, seed: 2, connections: 1, queues, history: None })];
    let put = |sequence| Put { queue: 0, message_id: Some([sequence as u8; 24]), sequence, length: 100 };
    for unit in 1..=5 {
        let unit = Unit { connection: 0, unit, puts: vec![put(unit)], gets: vec![] };
        let entry = Entry::Acknowledged { commit: Rba(unit.unit * 0x100), unit };
        lines.push(encode_entry(lines.len() as u64 + 1, &entry));
    }
    lines.push(encode_entry(lines.len() as u64 + 1, &Entry::End { acknowledged: 5, unknown: 0 }));
    lines
}

pub(crate) fn specimens() -> Vec<Specimen> {
    let lines = lines();
    let whole = lines.concat().into_bytes();
    let without: String =
        lines.iter().enumerate().filter(|(n, _)| *n != 2).map(|(_, line)| line.as_str()).collect();
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    let new = |name: &str, verdict: Verdict, damage, bytes| {
        Specimen::new(Kind::Journal, name, verdict, damage, bytes)
    };
    vec![
        new("whole", Whole, "nothing is wrong", whole.clone()),
        new("torn", Damaged, "its last line was not finished", whole[..whole.len() - 6].to_vec()),
        new(
            "bit-flipped",
            Refused,
            "a bit of line 3 is flipped",
            flipped(&whole, lines[0].len() + lines[1].len() + 5),
        ),
        new("line-removed", Refused, "line 3 is missing", without.into_bytes()),
        new("lines-swapped", Refused, "lines 3 and 4 are swapped", swapped.concat().into_bytes()),
        new("empty", Refused, "it is empty", Vec::new()),
    ]
}

#[cfg(test)]
mod tests {
    use format_journal::Reader;

    use super::*;

    fn read(bytes: &[u8]) -> Option<bool> {
        let mut reader = Reader::open(bytes).ok()?;
        while reader.next_entry().ok()?.is_some() {}
        Some(reader.torn())
    }

    #[test]
    fn the_decoders_agree_with_the_labels() {
        for specimen in specimens() {
            let expected = match specimen.verdict {
                Whole => Some(false),
                Damaged => Some(true),
                Refused => None,
            };
            assert_eq!(read(&specimen.bytes), expected, "{}", specimen.name);
        }
    }
}
