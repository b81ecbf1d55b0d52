//! Lines as values, and their text.

use std::fmt::Write;

use format_types::{Crc32c, HistoryId, ObjectName, Rba};

/// Longest line, line feed included: bounds the memory of a reader.
pub const MAX_LINE: usize = 1 << 20;

/// Most connections of one load.
pub const MAX_CONNECTIONS: u32 = 4096;

/// Most queues of one load.
pub const MAX_QUEUES: usize = 1000;

/// First line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Identity of the load.
    pub load: u64,
    /// Seed of its decisions.
    pub seed: u64,
    /// Its connections.
    pub connections: u32,
    /// Its queues.
    pub queues: Vec<ObjectName>,
    /// The log history that all commit RBAs are of; journals of before it was written say none.
    pub history: Option<HistoryId>,
}

/// A message put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    /// Place of the queue in the header's list.
    pub queue: u16,
    /// The message's identifier; none when the server vanished before it named it.
    pub message_id: Option<[u8; 24]>,
    /// Number of the put in its connection.
    pub sequence: u64,
    /// Bytes of the body.
    pub length: u32,
}

/// A unit of recovery of a load.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit {
    /// The connection.
    pub connection: u32,
    /// Number of the unit in its connection, from 1.
    pub unit: u64,
    /// What it put, in order.
    pub puts: Vec<Put>,
    /// What it got, in order.
    pub gets: Vec<[u8; 24]>,
}

/// A line behind the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The commit was acknowledged, with this RBA.
    Acknowledged {
        /// The commit's RBA.
        commit: Rba,
        /// The unit.
        unit: Unit,
    },
    /// The server vanished before it answered: all of the unit happened, or nothing.
    Unknown(Unit),
    /// The load ended in order.
    End {
        /// Units acknowledged.
        acknowledged: u64,
        /// Units unknown.
        unknown: u64,
    },
}

/// Text of the header line, line feed included.
#[must_use]
pub fn encode_header(header: &Header) -> String {
    let queues: Vec<&str> = header.queues.iter().map(ObjectName::as_str).collect();
    let mut text = format!(
        "HWJ1 load={:016X} seed={:016X} connections={} queues={}",
        header.load,
        header.seed,
        header.connections,
        queues.join(",")
    );
    if let Some(HistoryId { number, random }) = header.history {
        push(&mut text, format_args!(" history={number}-{random:016X}"));
    }
    seal(1, text)
}

/// Text of line `number` (the header is line 1), line feed included.
#[must_use]
pub fn encode_entry(number: u64, entry: &Entry) -> String {
    let mut text = String::new();
    match entry {
        Entry::Acknowledged { commit, unit } => {
            push(&mut text, format_args!("U {} {} {commit}", unit.connection, unit.unit));
            push_operations(&mut text, unit);
        }
        Entry::Unknown(unit) => {
            push(&mut text, format_args!("X {} {}", unit.connection, unit.unit));
            push_operations(&mut text, unit);
        }
        Entry::End { acknowledged, unknown } => push(&mut text, format_args!("E {acknowledged} {unknown}")),
    }
    seal(number, text)
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(what);
}

fn push_id(text: &mut String, id: &[u8; 24]) {
    for byte in id {
        push(text, format_args!("{byte:02X}"));
    }
}

fn push_operations(text: &mut String, unit: &Unit) {
    text.push_str(" P");
    for put in &unit.puts {
        push(text, format_args!(" {}:", put.queue));
        match &put.message_id {
            Some(id) => push_id(text, id),
            None => text.push('-'),
        }
        push(text, format_args!(":{}:{}", put.sequence, put.length));
    }
    text.push_str(" G");
    for id in &unit.gets {
        text.push(' ');
        push_id(text, id);
    }
}

fn seal(number: u64, mut text: String) -> String {
    let crc = line_checksum(number, text.as_bytes());
    push(&mut text, format_args!(" *{crc:08X}\n"));
    text
}

fn line_checksum(number: u64, text: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(&number.to_be_bytes());
    crc.update(text);
    crc.finish()
}

/// Checks line `number` (without its line feed) against its checksum and gives the text before it.
pub(crate) fn open(number: u64, line: &[u8]) -> Result<&str, String> {
    let at = line.len().checked_sub(10).ok_or("it is too short for a checksum")?;
    let (text, tail) = line.split_at_checked(at).ok_or("it is too short for a checksum")?;
    let digits = tail.strip_prefix(b" *").ok_or("it does not end with a checksum")?;
    let exact = digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    let written =
        std::str::from_utf8(digits).ok().filter(|_| exact).and_then(|d| u32::from_str_radix(d, 16).ok());
    let written = written.ok_or("it does not end with a checksum")?;
    let computed = line_checksum(number, text);
    if written != computed {
        return Err(format!("its checksum is {written:08X}, that of its text {computed:08X}"));
    }
    std::str::from_utf8(text).map_err(|_| "it is not text".to_owned())
}

/// Reads the header's text.
pub(crate) fn decode_header(text: &str) -> Result<Header, String> {
    let mut words = text.split(' ');
    match words.next() {
        Some("HWJ1") => {}
        Some(other) if other.starts_with("HWJ") => {
            return Err(format!("its format is {other}, the newest known here is HWJ1: use a newer release"));
        }
        _ => return Err("it is not the header of a journal".to_owned()),
    }
    let mut field = |name: &str| {
        let word = words.next().and_then(|w| w.strip_prefix(name)).and_then(|w| w.strip_prefix('='));
        word.ok_or_else(|| format!("the header has no field {name}"))
    };
    let hex = |text: &str| {
        u64::from_str_radix(text, 16).map_err(|_| format!("'{text}' is not 16 hexadecimal digits"))
    };
    let load = hex(field("load")?)?;
    let seed = hex(field("seed")?)?;
    let connections: u32 = number(field("connections")?)?;
    let names = field("queues")?;
    let queues: Vec<ObjectName> = names
        .split(',')
        .take(MAX_QUEUES + 1)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|e: format_types::NameError| e.to_string())?;
    let history = match words.next() {
        None => None,
        Some(word) => Some(decode_history(word).ok_or_else(|| format!("'{word}' is not a log history"))?),
    };
    if words.next().is_some() {
        return Err("words follow the header's last field".to_owned());
    }
    if !(1..=MAX_CONNECTIONS).contains(&connections) || queues.len() > MAX_QUEUES {
        return Err(format!("{connections} connections and {} queues are outside the limits", queues.len()));
    }
    Ok(Header { load, seed, connections, queues, history })
}

/// Reads `history=<number>-<16 hex>`, as it is written and in no other way.
fn decode_history(word: &str) -> Option<HistoryId> {
    let (first, second) = word.strip_prefix("history=")?.split_once('-')?;
    let exact = second.len() == 16 && second.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    let random = u64::from_str_radix(second, 16).ok().filter(|_| exact)?;
    Some(HistoryId { number: number(first).ok()?, random })
}

/// Reads an entry's text.
pub(crate) fn decode_entry(text: &str, header: &Header) -> Result<Entry, String> {
    let mut words = text.split(' ');
    let kind = words.next().unwrap_or_default();
    let mut word = || words.next().ok_or_else(|| "it ends too early".to_owned());
    match kind {
        "E" => {
            let entry = Entry::End { acknowledged: number(word()?)?, unknown: number(word()?)? };
            if words.next().is_some() { Err("words follow its end".to_owned()) } else { Ok(entry) }
        }
        "U" | "X" => {
            let mut unit = Unit { connection: number(word()?)?, unit: number(word()?)?, ..Unit::default() };
            if unit.connection >= header.connections {
                return Err(format!("connection {} is not one of {}", unit.connection, header.connections));
            }
            let commit = if kind == "U" {
                let rba = word()?;
                Some(
                    rba.parse::<Rba>()
                        .ok()
                        .filter(|_| rba.len() == 16)
                        .ok_or_else(|| format!("'{rba}' is not an RBA"))?,
                )
            } else {
                None
            };
            decode_operations(words, header, commit.is_some(), &mut unit)?;
            Ok(match commit {
                Some(commit) => Entry::Acknowledged { commit, unit },
                None => Entry::Unknown(unit),
            })
        }
        _ => Err(format!("'{kind}' is not a kind of line")),
    }
}

fn decode_operations<'a>(
    mut words: impl Iterator<Item = &'a str>,
    header: &Header,
    acknowledged: bool,
    unit: &mut Unit,
) -> Result<(), String> {
    if words.next() != Some("P") {
        return Err("its puts are missing".to_owned());
    }
    let mut getting = false;
    for word in words {
        if word == "G" && !getting {
            getting = true;
        } else if getting {
            unit.gets.push(decode_id(word)?);
        } else {
            let mut parts = word.split(':');
            let mut part = || parts.next().ok_or_else(|| format!("the put '{word}' is cut short"));
            let queue: u16 = number(part()?)?;
            let id = part()?;
            let put = Put {
                queue,
                message_id: if id == "-" { None } else { Some(decode_id(id)?) },
                sequence: number(part()?)?,
                length: number(part()?)?,
            };
            if parts.next().is_some() || usize::from(queue) >= header.queues.len() {
                return Err(format!("the put '{word}' is not of this journal"));
            }
            if acknowledged && put.message_id.is_none() {
                return Err(format!("the put '{word}' is acknowledged without a message identifier"));
            }
            unit.puts.push(put);
        }
    }
    if getting { Ok(()) } else { Err("its gets are missing".to_owned()) }
}

fn decode_id(text: &str) -> Result<[u8; 24], String> {
    let wrong = || format!("'{text}' is not a message identifier");
    let exact = text.len() == 48 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    if !exact {
        return Err(wrong());
    }
    let mut id = [0; 24];
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(id)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or_else(|| format!("'{text}' is not a number"))
}
