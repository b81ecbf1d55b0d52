//! EBCDIC code pages 037 and 1047, and how a file's encoding is told.
//!
//! Both code pages hold the 256 characters of Latin-1 and differ in six places only: `[`, `]`, `^`, the not sign, `Y` with acute, and
//! the diaeresis. Nothing is guessed at: a file whose bytes fit more than one encoding with different results is refused.

/// How the bytes of a file mean characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// ASCII or UTF-8.
    Utf8,
    /// EBCDIC, code page 037.
    Ebcdic037,
    /// EBCDIC, code page 1047.
    Ebcdic1047,
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Utf8 => "UTF-8",
            Self::Ebcdic037 => "EBCDIC 037",
            Self::Ebcdic1047 => "EBCDIC 1047",
        })
    }
}

/// Latin-1 characters of the bytes of code page 1047; byte 15 is NEL (0x85), byte 25 is LF.
#[rustfmt::skip]
const CODE_PAGE_1047: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x9C, 0x09, 0x86, 0x7F, 0x97, 0x8D, 0x8E, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
    0x10, 0x11, 0x12, 0x13, 0x9D, 0x85, 0x08, 0x87, 0x18, 0x19, 0x92, 0x8F, 0x1C, 0x1D, 0x1E, 0x1F,
    0x80, 0x81, 0x82, 0x83, 0x84, 0x0A, 0x17, 0x1B, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x05, 0x06, 0x07,
    0x90, 0x91, 0x16, 0x93, 0x94, 0x95, 0x96, 0x04, 0x98, 0x99, 0x9A, 0x9B, 0x14, 0x15, 0x9E, 0x1A,
    0x20, 0xA0, 0xE2, 0xE4, 0xE0, 0xE1, 0xE3, 0xE5, 0xE7, 0xF1, 0xA2, 0x2E, 0x3C, 0x28, 0x2B, 0x7C,
    0x26, 0xE9, 0xEA, 0xEB, 0xE8, 0xED, 0xEE, 0xEF, 0xEC, 0xDF, 0x21, 0x24, 0x2A, 0x29, 0x3B, 0x5E,
    0x2D, 0x2F, 0xC2, 0xC4, 0xC0, 0xC1, 0xC3, 0xC5, 0xC7, 0xD1, 0xA6, 0x2C, 0x25, 0x5F, 0x3E, 0x3F,
    0xF8, 0xC9, 0xCA, 0xCB, 0xC8, 0xCD, 0xCE, 0xCF, 0xCC, 0x60, 0x3A, 0x23, 0x40, 0x27, 0x3D, 0x22,
    0xD8, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0xAB, 0xBB, 0xF0, 0xFD, 0xFE, 0xB1,
    0xB0, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x70, 0x71, 0x72, 0xAA, 0xBA, 0xE6, 0xB8, 0xC6, 0xA4,
    0xB5, 0x7E, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0xA1, 0xBF, 0xD0, 0x5B, 0xDE, 0xAE,
    0xAC, 0xA3, 0xA5, 0xB7, 0xA9, 0xA7, 0xB6, 0xBC, 0xBD, 0xBE, 0xDD, 0xA8, 0xAF, 0x5D, 0xB4, 0xD7,
    0x7B, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0xAD, 0xF4, 0xF6, 0xF2, 0xF3, 0xF5,
    0x7D, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F, 0x50, 0x51, 0x52, 0xB9, 0xFB, 0xFC, 0xF9, 0xFA, 0xFF,
    0x5C, 0xF7, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0xB2, 0xD4, 0xD6, 0xD2, 0xD3, 0xD5,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0xB3, 0xDB, 0xDC, 0xD9, 0xDA, 0x9F,
];

/// Bytes that mean something else in code page 037, with their meaning there.
const IN_037: [(u8, u8); 6] =
    [(0x5F, 0xAC), (0xAD, 0xDD), (0xB0, 0x5E), (0xBA, 0x5B), (0xBB, 0x5D), (0xBD, 0xA8)];

/// The byte of NEL, the end of a line in files of z/OS UNIX.
pub(crate) const NEL: u8 = 0x15;
/// The byte of LF.
pub(crate) const LF: u8 = 0x25;
/// The byte of CR.
pub(crate) const CR: u8 = 0x0D;

/// The character of `byte` in an EBCDIC code page; in UTF-8, that of an ASCII byte.
pub(crate) fn character(byte: u8, encoding: Encoding) -> char {
    let in_1047 = || CODE_PAGE_1047.get(usize::from(byte)).copied().unwrap_or(byte);
    char::from(match encoding {
        Encoding::Utf8 => byte,
        Encoding::Ebcdic1047 => in_1047(),
        Encoding::Ebcdic037 => {
            IN_037.iter().find(|(own, _)| *own == byte).map_or_else(in_1047, |(_, meaning)| *meaning)
        }
    })
}

/// What can be said of a file's encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detected {
    /// This one.
    Is(Encoding),
    /// One of the two code pages; the byte at this offset means different characters, and neither reading is plain.
    EitherCodePage(usize),
    /// None that is known; the byte at this offset speaks against UTF-8.
    Unknown(usize),
}

/// The encoding of `bytes`. UTF-8 is text without control characters; EBCDIC is text where at least half of what is printed are
/// letters, digits and blanks of that code. The code page is the one that makes the six places where they differ ASCII characters.
pub(crate) fn detect(bytes: &[u8]) -> Detected {
    let text = std::str::from_utf8(bytes);
    let against = match text {
        Ok(text) => first_odd(text),
        Err(error) => Some(error.valid_up_to()),
    };
    let Some(against) = against else {
        return Detected::Is(Encoding::Utf8);
    };
    let mut plain = 0;
    for &byte in bytes {
        let c = character(byte, Encoding::Ebcdic1047);
        if is_odd(c) {
            return Detected::Unknown(against);
        }
        plain += usize::from(c.is_ascii_alphanumeric() || c == ' ');
    }
    if plain < bytes.len().div_ceil(2) {
        return Detected::Unknown(against);
    }
    let differs = |byte: &u8| IN_037.iter().any(|(own, _)| own == byte);
    let ascii =
        |page| bytes.iter().filter(|byte| differs(byte)).all(|&byte| character(byte, page).is_ascii());
    match (ascii(Encoding::Ebcdic037), ascii(Encoding::Ebcdic1047)) {
        (_, true) => Detected::Is(Encoding::Ebcdic1047),
        (true, false) => Detected::Is(Encoding::Ebcdic037),
        (false, false) => Detected::EitherCodePage(bytes.iter().position(differs).unwrap_or(0)),
    }
}

/// Whether `c` has no place in a listing: a control character that ends no line and no page.
pub(crate) fn is_odd(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0C' | '\u{85}')
}

/// Where the first character without a place in a listing stands.
pub(crate) fn first_odd(text: &str) -> Option<usize> {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) || byte == b'\n';
    let bytes = text.as_bytes();
    // Whole chunks without a branch, which is many times faster than byte by byte.
    let whole = bytes.chunks(256).take_while(|chunk| chunk.iter().fold(true, |all, &byte| all & plain(byte)));
    let skipped = whole.count() * 256;
    let from = skipped + bytes.get(skipped..)?.iter().position(|&byte| !plain(byte))?;
    // Only ASCII stands before it, so a character begins there.
    text.get(from..)?.char_indices().find(|(_, c)| is_odd(*c)).map(|(at, _)| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts of "Character Data Representation Architecture", kept apart from the table: where the invariant characters stand.
    #[test]
    fn the_tables_hold_the_invariant_characters() {
        for page in [Encoding::Ebcdic037, Encoding::Ebcdic1047] {
            let read = |bytes: &[u8]| bytes.iter().map(|&b| character(b, page)).collect::<String>();
            let range = |from, to| (from..=to).collect::<Vec<u8>>();
            assert_eq!(read(&range(0xC1, 0xC9)), "ABCDEFGHI");
            assert_eq!(read(&range(0xD1, 0xD9)), "JKLMNOPQR");
            assert_eq!(read(&range(0xE2, 0xE9)), "STUVWXYZ");
            assert_eq!(read(&range(0x81, 0x89)), "abcdefghi");
            assert_eq!(read(&range(0x91, 0x99)), "jklmnopqr");
            assert_eq!(read(&range(0xA2, 0xA9)), "stuvwxyz");
            assert_eq!(read(&range(0xF0, 0xF9)), "0123456789");
            let marks = b"\x40\x4B\x4C\x4D\x4E\x50\x5C\x5D\x5E\x60\x61\x6B\x6C\x6D\x6E\x6F\x7A\x7B\x7C\x7D\x7E\x7F\x5B\x5A\x4F\x79\xA1\xC0\xD0\xE0";
            assert_eq!(read(marks), " .<(+&*);-/,%_>?:#@'=\"$!|`~{}\\");
            assert_eq!(read(b"\x0D\x25\x0C\x05\x15"), "\r\n\x0C\t\u{85}");
        }
        let six = b"\xBA\xBB\xB0\x5F\xAD\xBD";
        let read = |page| six.iter().map(|&b| character(b, page)).collect::<String>();
        assert_eq!(read(Encoding::Ebcdic037), "[]^\u{AC}\u{DD}\u{A8}");
        assert_eq!(read(Encoding::Ebcdic1047), "\u{DD}\u{A8}\u{AC}^[]");
    }

    #[test]
    fn each_page_is_all_of_latin_1() {
        for page in [Encoding::Ebcdic037, Encoding::Ebcdic1047] {
            let mut all: Vec<u32> = (0..=255).map(|byte| u32::from(character(byte, page))).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..=255), "{page}");
        }
    }

    #[test]
    fn an_encoding_is_told_or_refused() {
        assert_eq!(detect(b"CSQI010I QM1\r\n"), Detected::Is(Encoding::Utf8));
        assert_eq!(detect("Gr\u{f6}\u{df}e 1\n".as_bytes()), Detected::Is(Encoding::Utf8));
        let csq1 = b"\xC3\xE2\xD8\xF1\x40\xC1\xC2";
        assert_eq!(detect(csq1), Detected::Is(Encoding::Ebcdic1047));
        let with = |more: &[u8]| [&csq1[..], more].concat();
        assert_eq!(detect(&with(b"\xAD\xBD")), Detected::Is(Encoding::Ebcdic1047));
        assert_eq!(detect(&with(b"\xBA\xBB")), Detected::Is(Encoding::Ebcdic037));
        assert_eq!(detect(&with(b"\xAD\xBA")), Detected::EitherCodePage(7));
        assert_eq!(detect(b"Gr\xF6\xDFe 123\n"), Detected::Unknown(2), "Latin-1");
        assert_eq!(detect(b"\xFF\xFEC\0S\0Q\0"), Detected::Unknown(0), "UTF-16");
        assert_eq!(detect(b"CSQ\0"), Detected::Unknown(3));
    }
}
