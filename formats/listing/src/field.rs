//! What stands in the fields of listings: log addresses, names of data sets, volumes and units, and the words between them.
//!
//! An RBA has 12 digits (6 bytes) or 16 (8 bytes) and nothing else: a digit lost or gained is seen. A 6-byte LRSN is the leading bytes
//! of a store clock, so it is read as the first six of eight bytes.

use format_types::{DataSetName, Lrsn, Rba};
use nom::bytes::complete::{tag_no_case, take_while1};
use nom::character::complete::space0;
use nom::combinator::{map, map_opt};
use nom::error::{ContextError, ErrorKind, ParseError, context};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::error::ListingError;
use crate::text::Line;

/// How many bytes of an RBA or LRSN a listing prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AddressWidth {
    /// 6 bytes, 12 digits: releases before 8, and queue managers that were not converted.
    #[default]
    Six,
    /// 8 bytes, 16 digits.
    Eight,
}

/// What a parser wanted, and where it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    at: &'a str,
    what: &'static str,
}

impl<'a> ParseError<&'a str> for Wanted<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self { at, what: "" }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    fn or(self, other: Self) -> Self {
        if self.at.len() < other.at.len() { self } else { other }
    }
}

impl<'a> ContextError<&'a str> for Wanted<'a> {
    fn add_context(at: &'a str, what: &'static str, other: Self) -> Self {
        if other.what.is_empty() { Self { at, what } } else { other }
    }
}

/// What a parser of a field gives.
pub(crate) type Parsed<'a, T> = IResult<&'a str, T, Wanted<'a>>;

/// Reads all of `text`, a piece of `line`, with `parser`.
pub(crate) fn whole<'a, T>(
    line: &Line<'a>,
    text: &'a str,
    what: &str,
    mut parser: impl FnMut(&'a str) -> Parsed<'a, T>,
) -> Result<T, ListingError> {
    let fault = |wanted: Wanted<'a>| {
        let found = wanted.at.split_whitespace().next().unwrap_or("the end of the line");
        let wanted_what = if wanted.what.is_empty() { "something else" } else { wanted.what };
        line.error(
            wanted.at.trim_start(),
            what,
            format!("{wanted_what} is wanted and '{found}' stands there"),
        )
    };
    match parser(text) {
        Ok((rest, value)) if rest.trim().is_empty() => Ok(value),
        Ok((rest, _)) => Err(fault(Wanted { at: rest, what: "the end of the line" })),
        Err(nom::Err::Error(wanted) | nom::Err::Failure(wanted)) => Err(fault(wanted)),
        Err(nom::Err::Incomplete(_)) => Err(fault(Wanted { at: "", what: "more" })),
    }
}

/// The keyword `word`, in any case, with blanks before it.
pub(crate) fn keyword<'a>(word: &'static str) -> impl Parser<&'a str, Output = (), Error = Wanted<'a>> {
    context(word, map(preceded(space0, tag_no_case(word)), |_| ()))
}

/// Characters up to a blank or one of `ends`, with blanks before them.
pub(crate) fn word_until<'a>(
    ends: &'static str,
) -> impl Parser<&'a str, Output = &'a str, Error = Wanted<'a>> {
    preceded(space0, take_while1(move |c: char| !c.is_whitespace() && !ends.contains(c)))
}

fn address(input: &str) -> Parsed<'_, (u64, AddressWidth)> {
    map_opt(preceded(space0, take_while1(|c: char| c.is_ascii_alphanumeric())), |digits: &str| {
        let width = match digits.len() {
            12 => AddressWidth::Six,
            16 => AddressWidth::Eight,
            _ => return None,
        };
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        u64::from_str_radix(digits, 16).ok().filter(|_| plain).map(|value| (value, width))
    })
    .parse(input)
}

/// An RBA.
pub(crate) fn rba(input: &str) -> Parsed<'_, (Rba, AddressWidth)> {
    let (rest, (value, width)) = context("an RBA of 12 or 16 hexadecimal digits", address).parse(input)?;
    Ok((rest, (Rba(value), width)))
}

/// An LRSN.
pub(crate) fn lrsn(input: &str) -> Parsed<'_, (Lrsn, AddressWidth)> {
    let (rest, (value, width)) = context("an LRSN of 12 or 16 hexadecimal digits", address).parse(input)?;
    Ok((rest, (Lrsn(if width == AddressWidth::Six { value << 16 } else { value }), width)))
}

/// A data set name; ended by a blank, a comma or the end.
pub(crate) fn data_set_name(input: &str) -> Parsed<'_, DataSetName> {
    context("a data set name", map_opt(word_until(","), |name: &str| name.parse().ok())).parse(input)
}

/// A volume serial number.
pub(crate) fn volume(input: &str) -> Parsed<'_, String> {
    context(
        "a volume serial of 1 to 6 characters",
        map_opt(word_until(","), |name: &str| plain(name, 6, "@#$-")),
    )
    .parse(input)
}

/// A unit: a device number, a type or an esoteric name.
pub(crate) fn unit(input: &str) -> Parsed<'_, String> {
    context("a unit of 1 to 8 characters", map_opt(word_until(","), |name: &str| plain(name, 8, "@#$-/")))
        .parse(input)
}

fn plain(name: &str, longest: usize, marks: &str) -> Option<String> {
    let valid = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || marks.contains(c);
    (name.len() <= longest && name.chars().all(valid)).then(|| name.to_owned())
}

/// A decimal number.
pub(crate) fn number<'a, T: std::str::FromStr>(input: &'a str) -> Parsed<'a, T> {
    let digits = |word: &'a str| word.parse().ok().filter(|_| word.bytes().all(|b| b.is_ascii_digit()));
    context("a number", map_opt(word_until(",/"), digits)).parse(input)
}

/// `rba` as `width` prints it.
pub(crate) fn print_rba(rba: Rba, width: AddressWidth) -> String {
    match width {
        AddressWidth::Six => format!("{:012X}", rba.0),
        AddressWidth::Eight => format!("{:016X}", rba.0),
    }
}

/// `lrsn` as `width` prints it: six bytes are its leading ones.
pub(crate) fn print_lrsn(lrsn: Lrsn, width: AddressWidth) -> String {
    match width {
        AddressWidth::Six => format!("{:012X}", lrsn.0 >> 16),
        AddressWidth::Eight => format!("{:016X}", lrsn.0),
    }
}

/// Whether `text` has a word that looks like an RBA or LRSN: 12 or 16 hexadecimal digits, one of them decimal.
pub(crate) fn looks_addressed(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        matches!(word.len(), 12 | 16)
            && word.bytes().all(|b| b.is_ascii_hexdigit())
            && word.bytes().any(|b| b.is_ascii_digit())
    })
}

/// Whether two words differ in one character that is changed, put in or left out.
pub(crate) fn nearly_the_same(one: &str, two: &str) -> bool {
    let (short, long) = if one.len() <= two.len() { (one, two) } else { (two, one) };
    let same = short.bytes().zip(long.bytes()).take_while(|(a, b)| a == b).count();
    let rest = |text: &str, from: usize| text.get(from..).unwrap_or("").to_owned();
    match long.len() - short.len() {
        0 => rest(short, same + 1) == rest(long, same + 1),
        1 => rest(short, same) == rest(long, same + 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_12_or_16_digits() {
        assert_eq!(rba(" 0000008BE034 /"), Ok((" /", (Rba(0x8B_E034), AddressWidth::Six))));
        assert_eq!(rba("00000000008be034"), Ok(("", (Rba(0x8B_E034), AddressWidth::Eight))));
        for bad in ["8BE034", "0000008BE0344", "0000008BE03", "0000008BE0G4", "", "0000008BE034X"] {
            assert!(rba(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_lrsn_of_six_bytes_is_the_start_of_a_store_clock() {
        let (_, (lrsn, width)) = lrsn("D5E00D666DAA").unwrap();
        assert_eq!(lrsn.timestamp(), format_types::Timestamp(1_553_543_587_314_336));
        assert_eq!(print_lrsn(lrsn, width), "D5E00D666DAA");
        assert_eq!(super::lrsn("D5E00D666DAA0000").unwrap().1.0, lrsn);
    }

    #[test]
    fn names_cannot_carry_a_statement() {
        assert!(volume("TAPE01").is_ok() && unit("3390").is_ok() && data_set_name("A.B").is_ok());
        for bad in ["VOL'1", "VOLUME7", "v", ""] {
            assert!(volume(bad).is_err(), "{bad:?}");
        }
        assert!(unit("SYS(DA)").is_err() && data_set_name("A.B'").is_err());
    }

    #[test]
    fn rows_are_told_from_talk() {
        assert!(looks_addressed("X STARTRBA=00000005A000") && looks_addressed("(0000000000106F64)"));
        assert!(!looks_addressed("DEADBEEFCAFE 12345678901 0000008BE03G"));
    }
}
