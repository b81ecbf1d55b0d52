//! Rows of the lists of a log map.

use format_types::{DataSetName, Lrsn, Rba};
use jiff::civil::{Date, Time};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, space0};
use nom::combinator::{map, opt, value};
use nom::error::context;
use nom::sequence::preceded;

use crate::error::ListingError;
use crate::field::{AddressWidth, Parsed, data_set_name, lrsn, rba, unit, volume, whole, word_until};
use crate::log_map::{ActiveLog, ActiveStatus, ArchiveVolume, LogRow};
use crate::printed_time::{PrintedTime, date, stamp, time};
use crate::text::Line;

/// A row whose lines are still being read.
#[derive(Debug)]
pub(crate) struct OpenRow<'a> {
    first: Line<'a>,
    data_set: DataSetName,
    start: Rba,
    last: Rba,
    width: AddressWidth,
    date: Option<Date>,
    time: Option<Time>,
    times: Option<[PrintedTime; 2]>,
    lrsns: Option<[Lrsn; 2]>,
    attributes: Attributes,
}

#[derive(Debug, Default)]
struct Attributes {
    password: Option<bool>,
    status: Option<Vec<ActiveStatus>>,
    volume: Option<String>,
    unit: Option<String>,
    catalogued: Option<bool>,
    /// The keyword of one that was there twice.
    twice: Option<&'static str>,
}

impl Attributes {
    fn take(&mut self, attribute: Attribute) {
        let twice = match attribute {
            Attribute::Password(password) => self.password.replace(password).map(|_| "PASSWORD"),
            Attribute::Status(status) => self.status.replace(status).map(|_| "STATUS"),
            Attribute::Volume(volume) => self.volume.replace(volume).map(|_| "VOL"),
            Attribute::Unit(unit) => self.unit.replace(unit).map(|_| "UNIT"),
            Attribute::Catalogued(answer) => self.catalogued.replace(answer).map(|_| "CATALOGUED"),
        };
        self.twice = self.twice.or(twice);
    }

    /// Takes in those of a further line.
    fn merge(&mut self, other: Self) {
        let attributes = [
            other.password.map(Attribute::Password),
            other.status.map(Attribute::Status),
            other.volume.map(Attribute::Volume),
            other.unit.map(Attribute::Unit),
            other.catalogued.map(Attribute::Catalogued),
        ];
        self.twice = self.twice.or(other.twice);
        attributes.into_iter().flatten().for_each(|attribute| self.take(attribute));
    }
}

#[derive(Debug, Clone)]
enum Attribute {
    Password(bool),
    Status(Vec<ActiveStatus>),
    Volume(String),
    Unit(String),
    Catalogued(bool),
}

fn slash(input: &str) -> Parsed<'_, ()> {
    value((), (space0, opt(char('/')), space0)).parse(input)
}

fn yes_or_no(input: &str) -> Parsed<'_, bool> {
    context("YES or NO", alt((value(true, tag("YES")), value(false, tag("NO"))))).parse(input)
}

fn one_status(input: &str) -> Parsed<'_, ActiveStatus> {
    for status in ActiveStatus::ALL {
        let mut rest = input.trim_ascii_start();
        let mut words = status.name().split(' ');
        let all = words.all(|word| {
            rest = rest.trim_start();
            let found = rest.strip_prefix(word);
            rest = found.unwrap_or(rest);
            found.is_some()
        });
        if all && !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Ok((rest, status));
        }
    }
    context("a status of an active log", nom::combinator::fail()).parse(input)
}

fn statuses(input: &str) -> Parsed<'_, Vec<ActiveStatus>> {
    let (mut rest, first) = one_status(input)?;
    let mut found = vec![first];
    while let Some(behind) = rest.trim_start().strip_prefix(',') {
        let (next, status) = one_status(behind)?;
        found.push(status);
        rest = next;
    }
    Ok((rest, found))
}

fn attribute(input: &str) -> Parsed<'_, Attribute> {
    let (rest, _) = (space0, opt(char(',')), space0).parse(input)?;
    if let Ok((rest, _)) = tag::<_, _, crate::field::Wanted<'_>>("NOT CATALOGUED").parse(rest) {
        return Ok((rest, Attribute::Catalogued(false)));
    }
    let (behind, key) =
        context("an attribute", take_while1(|c: char| c.is_ascii_alphabetic())).parse(rest)?;
    let equals = behind.strip_prefix('=');
    match (key, equals) {
        ("PASSWORD", Some(behind)) => {
            map(word_until(","), |word: &str| Attribute::Password(word != "(NULL)")).parse(behind)
        }
        ("STATUS", Some(behind)) => map(statuses, Attribute::Status).parse(behind),
        ("VOL", Some(behind)) => map(volume, Attribute::Volume).parse(behind),
        ("UNIT", Some(behind)) => map(unit, Attribute::Unit).parse(behind),
        ("CATALOGUED" | "CATALOGED" | "CATLG", Some(behind)) => {
            map(yes_or_no, Attribute::Catalogued).parse(behind)
        }
        ("CATALOGUED" | "CATALOGED", None) => Ok((behind, Attribute::Catalogued(true))),
        _ => context("PASSWORD, STATUS, VOL, UNIT or CATALOGUED", nom::combinator::fail()).parse(rest),
    }
}

fn attributes(input: &str) -> Parsed<'_, Attributes> {
    let mut found = Attributes::default();
    let mut rest = input.trim_ascii_start();
    while !rest.is_empty() {
        let (next, attribute) = attribute(rest)?;
        if next.starts_with(|c: char| !c.is_whitespace() && c != ',') {
            return context("a blank", nom::combinator::fail()).parse(next);
        }
        found.take(attribute);
        rest = next.trim_ascii_start();
    }
    Ok((rest, found))
}

struct FirstLine {
    start: (Rba, AddressWidth),
    last: (Rba, AddressWidth),
    date: Option<Date>,
    time: Option<Time>,
    data_set: DataSetName,
    attributes: Attributes,
}

fn first_line(input: &str) -> Parsed<'_, FirstLine> {
    let (rest, (start, (), last, ())) = (rba, slash, rba, slash).parse(input)?;
    let (rest, (date, ())) = (opt(date), slash).parse(rest)?;
    let (rest, (time, ())) = (opt(time), slash).parse(rest)?;
    let named = preceded(context("DSN=", tag("DSN=")), data_set_name);
    let (rest, (data_set, attributes)) = (named, attributes).parse(rest)?;
    Ok((rest, FirstLine { start, last, date, time, data_set, attributes }))
}

struct FurtherLine {
    times: Option<[PrintedTime; 2]>,
    lrsns: Option<[Lrsn; 2]>,
    time: Option<Time>,
    attributes: Attributes,
}

fn further_line(input: &str) -> Parsed<'_, FurtherLine> {
    // Most of these lines hold attributes alone, and no time begins like this.
    if input.trim_ascii_start().starts_with("PASSWORD=") {
        let (rest, attributes) = attributes(input)?;
        return Ok((rest, FurtherLine { times: None, lrsns: None, time: None, attributes }));
    }
    let times = map((stamp, slash, stamp, slash), |(first, (), last, ())| [first, last]);
    let lrsns = map((lrsn, slash, lrsn, slash), |((first, _), (), (last, _), ())| [first, last]);
    let (rest, (times, lrsns)) = (opt(times), opt(lrsns)).parse(input)?;
    let (rest, (time, ())) = (opt(time), slash).parse(rest)?;
    let (rest, attributes) = attributes(rest)?;
    Ok((rest, FurtherLine { times, lrsns, time, attributes }))
}

/// Whether the line is the first one of a row.
pub(crate) fn is_first_line(text: &str) -> bool {
    text.as_bytes().windows(4).any(|part| part == b"DSN=")
}

fn set<T>(line: &Line<'_>, field: &mut Option<T>, value: Option<T>, what: &str) -> Result<(), ListingError> {
    let Some(value) = value else {
        return Ok(());
    };
    if field.replace(value).is_some() {
        return Err(line.error(line.text, "the row does not read", format!("it has {what} twice")));
    }
    Ok(())
}

impl<'a> OpenRow<'a> {
    /// The row that `line` begins.
    pub(crate) fn open(line: Line<'a>) -> Result<Self, ListingError> {
        let read = whole(&line, line.text, "the row does not read", first_line)?;
        if read.last.0 < read.start.0 {
            let why = format!("its end {} lies before its start {}", read.last.0, read.start.0);
            return Err(line.error(line.text.trim_start(), "the row does not read", why));
        }
        let mut row = Self {
            first: line,
            data_set: read.data_set,
            start: read.start.0,
            last: read.last.0,
            width: read.start.1.max(read.last.1),
            date: read.date,
            time: read.time,
            times: None,
            lrsns: None,
            attributes: Attributes::default(),
        };
        row.attach(&line, read.attributes)?;
        Ok(row)
    }

    /// Takes in a line below the first one.
    pub(crate) fn further(&mut self, line: Line<'a>) -> Result<(), ListingError> {
        let read = whole(&line, line.text, "the line of a row does not read", further_line)?;
        set(&line, &mut self.times, read.times, "times")?;
        set(&line, &mut self.lrsns, read.lrsns, "LRSNs")?;
        set(&line, &mut self.time, read.time, "a time of entry")?;
        self.attach(&line, read.attributes)
    }

    fn attach(&mut self, line: &Line<'a>, attributes: Attributes) -> Result<(), ListingError> {
        self.attributes.merge(attributes);
        match self.attributes.twice {
            Some(what) => Err(line.error(line.text, "the row does not read", format!("it has {what} twice"))),
            None => Ok(()),
        }
    }

    /// How many bytes of an RBA it prints.
    pub(crate) fn width(&self) -> AddressWidth {
        self.width
    }

    fn row(&self) -> Result<LogRow, ListingError> {
        let entered = match (self.date, self.time) {
            (Some(date), time) => Some(PrintedTime { date, time }),
            (None, None) => None,
            (None, Some(_)) => return Err(self.mismatch("it has a time of entry without a date")),
        };
        Ok(LogRow {
            data_set: self.data_set.clone(),
            start: self.start,
            last: self.last,
            entered,
            times: self.times,
            lrsns: self.lrsns,
            password: self.attributes.password,
        })
    }

    fn mismatch(&self, why: &str) -> ListingError {
        self.first.error(self.first.text.trim_start(), "the row does not read", why)
    }

    /// The row, of a list of active logs.
    pub(crate) fn active(self) -> Result<ActiveLog, ListingError> {
        let row = self.row()?;
        let own = &self.attributes;
        if own.volume.is_some() || own.unit.is_some() || own.catalogued.is_some() {
            return Err(self.mismatch("an active log has no VOL, UNIT or CATALOGUED"));
        }
        Ok(ActiveLog { row, status: self.attributes.status.unwrap_or_default() })
    }

    /// The row, of a list of archive logs.
    pub(crate) fn archive(self) -> Result<ArchiveVolume, ListingError> {
        let row = self.row()?;
        if self.attributes.status.is_some() {
            return Err(self.mismatch("an archive log has no STATUS"));
        }
        let Attributes { volume, unit, catalogued, .. } = self.attributes;
        Ok(ArchiveVolume { row, volume, unit, catalogued })
    }
}
