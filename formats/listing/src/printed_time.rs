//! Dates and times as listings print them.
//!
//! | date | time |
//! |---|---|
//! | `2014-02-26`, `2014/02/26`, `2014.057`, `2014057` | `15:30:12`, `15:30:12.3`, `15:30`, `15.30.12.34` |
//! | `FEBRUARY 26, 2014`, `FEB 26, 2014`, `26 FEBRUARY 2014` | `9:14:36.07` |
//!
//! `20140571530123` (year, day, time, tenths) is both. A listing does not say its time zone: LTIME is local, other times are GMT unless
//! the map was printed with TIME(RAW).

use jiff::civil::{Date, Time};
use nom::Parser;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char, one_of, space0, space1};
use nom::combinator::{fail, map, map_opt, not, opt, peek};
use nom::error::context;
use nom::sequence::preceded;

use crate::field::{Parsed, Wanted};

/// A date with a time of day, as printed: in the time zone of whoever printed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrintedTime {
    /// The date.
    pub date: Date,
    /// The time of day, where one is printed.
    pub time: Option<Time>,
}

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

impl PrintedTime {
    /// `2014.057`.
    pub(crate) fn julian(date: Date) -> String {
        format!("{:04}.{:03}", date.year(), date.day_of_year())
    }

    /// `2014-02-26`.
    pub(crate) fn day(date: Date) -> String {
        format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }

    /// `2014-02-26 15:30:12`.
    pub(crate) fn dashed(&self) -> String {
        let date = Self::day(self.date);
        self.time.map_or_else(|| date.clone(), |time| format!("{date} {}", Self::clock(time)))
    }

    /// `15:30:12`, with the digits behind the second that it has.
    pub(crate) fn clock(time: Time) -> String {
        let mut text = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        if time.subsec_nanosecond() != 0 {
            let fraction = format!("{:09}", time.subsec_nanosecond());
            text.push('.');
            text.push_str(fraction.trim_end_matches('0'));
        }
        text
    }

    /// `2014.057 15:30:12`.
    pub(crate) fn stamp(&self) -> String {
        let date = Self::julian(self.date);
        self.time.map_or_else(|| date.clone(), |time| format!("{date} {}", Self::clock(time)))
    }

    /// `15:30:12 FEBRUARY 26, 2014`.
    pub(crate) fn long(&self) -> String {
        let month =
            MONTHS.get(usize::from(self.date.month().unsigned_abs()).saturating_sub(1)).unwrap_or(&"");
        let date = format!("{month} {}, {:04}", self.date.day(), self.date.year());
        self.time.map_or_else(|| date.clone(), |time| format!("{} {date}", Self::clock(time)))
    }
}

/// A number of `from` to `to` digits.
fn digits<'a>(from: usize, to: usize) -> impl Parser<&'a str, Output = i16, Error = Wanted<'a>> {
    move |input: &'a str| {
        let count = input.bytes().take(to).take_while(u8::is_ascii_digit).count();
        match input.split_at_checked(count) {
            Some((digits, rest)) if count >= from => Ok((rest, decimal(digits) as i16)),
            _ => fail().parse(input),
        }
    }
}

/// The value of at most nine digits.
fn decimal(digits: &str) -> i32 {
    digits.bytes().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'))
}

fn ended(input: &str) -> Parsed<'_, ()> {
    not(take_while1(|c: char| c.is_ascii_alphanumeric())).parse(input)
}

fn calendar(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn of_year(year: i16, day: i16) -> Option<Date> {
    let mut day = if day > 0 { day } else { return None };
    for month in 1..=12 {
        let first = Date::new(year, month, 1).ok()?;
        let days = i16::from(first.days_in_month());
        if day <= days {
            return Date::new(year, month, i8::try_from(day).ok()?).ok();
        }
        day -= days;
    }
    None
}

fn with_dashes(input: &str) -> Parsed<'_, Date> {
    let fields = (digits(4, 4), one_of("-/"), digits(2, 2), one_of("-/"), digits(2, 2), peek(ended));
    map_opt(fields, |(year, first, month, second, day, ())| {
        calendar(year, month, day).filter(|_| first == second)
    })
    .parse(input)
}

fn julian(input: &str) -> Parsed<'_, Date> {
    let fields = (digits(4, 4), opt(char('.')), digits(3, 3), peek(ended));
    map_opt(fields, |(year, _, day, ())| of_year(year, day)).parse(input)
}

fn month(input: &str) -> Parsed<'_, i16> {
    map_opt(take_while1(|c: char| c.is_ascii_alphabetic()), |name: &str| {
        let upper = name.to_ascii_uppercase();
        let found = MONTHS
            .iter()
            .position(|month| *month == upper || (upper.len() == 3 && month.starts_with(&upper)));
        found.and_then(|place| i16::try_from(place + 1).ok())
    })
    .parse(input)
}

fn named(input: &str) -> Parsed<'_, Date> {
    let fields = (month, space1, digits(1, 2), opt(char(',')), space1, digits(4, 4), peek(ended));
    map_opt(fields, |(month, _, day, _, _, year, ())| calendar(year, month, day)).parse(input)
}

fn day_first(input: &str) -> Parsed<'_, Date> {
    let fields = (digits(1, 2), space1, month, opt(char(',')), space1, digits(4, 4), peek(ended));
    map_opt(fields, |(day, _, month, _, _, year, ())| calendar(year, month, day)).parse(input)
}

/// A date, with blanks before it.
pub(crate) fn date(input: &str) -> Parsed<'_, Date> {
    let form = |input| match str::as_bytes(input) {
        [_, _, _, _, b'-' | b'/', ..] => with_dashes(input),
        [b'0'..=b'9', _, b'0'..=b'9', ..] => julian(input),
        [b'0'..=b'9', ..] => day_first(input),
        _ => named(input),
    };
    context("a date", preceded(space0, form)).parse(input)
}

/// Nanoseconds of a fraction of a second.
fn fraction(input: &str) -> Parsed<'_, i32> {
    let digits = take_while_m_n(1, 9, |c: char| c.is_ascii_digit());
    let scaled = |digits: &str| (digits.len()..9).fold(decimal(digits), |value, _| value * 10);
    map(preceded(tag("."), digits), scaled).parse(input)
}

fn time_of(hour: i16, minute: i16, second: i16, nanosecond: i32) -> Option<Time> {
    let small = |field: i16| i8::try_from(field).ok();
    Time::new(small(hour)?, small(minute)?, small(second)?, nanosecond).ok()
}

/// A time of day, with blanks before it.
pub(crate) fn time(input: &str) -> Parsed<'_, Time> {
    let colons = map_opt(
        (
            digits(1, 2),
            char(':'),
            digits(2, 2),
            opt((preceded(char(':'), digits(2, 2)), opt(fraction))),
            peek(ended),
        ),
        |(hour, _, minute, rest, ())| {
            let (second, nanosecond) = rest.unwrap_or((0, None));
            time_of(hour, minute, second, nanosecond.unwrap_or(0))
        },
    );
    let dots = map_opt(
        (digits(2, 2), char('.'), digits(2, 2), char('.'), digits(2, 2), opt(fraction), peek(ended)),
        |(hour, _, minute, _, second, nanosecond, ())| time_of(hour, minute, second, nanosecond.unwrap_or(0)),
    );
    context("a time", preceded(space0, nom::branch::alt((colons, dots)))).parse(input)
}

/// `20140571530123`.
fn compact(input: &str) -> Parsed<'_, PrintedTime> {
    let fields =
        (digits(4, 4), digits(3, 3), digits(2, 2), digits(2, 2), digits(2, 2), digits(1, 1), peek(ended));
    map_opt(fields, |(year, day, hour, minute, second, tenth, ())| {
        let time = time_of(hour, minute, second, i32::from(tenth) * 100_000_000)?;
        Some(PrintedTime { date: of_year(year, day)?, time: Some(time) })
    })
    .parse(input)
}

/// A date and a time behind it, or before it, or both in one.
pub(crate) fn stamp(input: &str) -> Parsed<'_, PrintedTime> {
    let behind = map((date, time), |(date, time)| PrintedTime { date, time: Some(time) });
    let before = map((time, date), |(time, date)| PrintedTime { date, time: Some(time) });
    context("a date and a time", nom::branch::alt((preceded(space0, compact), behind, before))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_date_and_a_time() {
        let day = Date::new(2014, 2, 26).unwrap();
        let dates = [
            "2014-02-26",
            "2014/02/26",
            "2014.057",
            "2014057",
            "FEBRUARY 26, 2014",
            "Feb 26, 2014",
            "26 FEBRUARY 2014",
        ];
        for text in dates {
            assert_eq!(date(text), Ok(("", day)), "{text}");
        }
        for text in
            ["2014-02-30", "2014.366", "2014.000", "2014-02/26", "FEBRUAR 26, 2014", "2014-02-261", "14.057"]
        {
            assert!(date(text).is_err(), "{text}");
        }
        for (text, nanosecond) in [("15:30:12", 0), ("15:30:12.3", 300_000_000), ("15.30.12.07", 70_000_000)]
        {
            assert_eq!(time(text), Ok(("", Time::constant(15, 30, 12, nanosecond))), "{text}");
        }
        assert_eq!(time("9:14"), Ok(("", Time::constant(9, 14, 0, 0))));
        for text in ["24:00", "15:60", "15:30:1", "15:30:", "15.30"] {
            assert!(time(text).map_or(true, |(rest, _)| !rest.is_empty()), "{text}");
        }
    }

    #[test]
    fn stamps_are_printed_as_they_are_read() {
        for text in [
            "2014.057 15:30:12.3",
            "20140571530123",
            "15:30:12.3 FEBRUARY 26, 2014",
            "2014-02-26 15:30:12.300",
        ] {
            let at = stamp(text).unwrap().1;
            assert_eq!(at.stamp(), "2014.057 15:30:12.3", "{text}");
            assert_eq!(at.long(), "15:30:12.3 FEBRUARY 26, 2014", "{text}");
        }
    }
}
