//! The parameters of a statement: keywords, some with values in parentheses.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{map, opt};
use nom::error::{ErrorKind, ParseError};
use nom::multi::{fold_many0, separated_list0};
use nom::sequence::delimited;
use nom::{IResult, Parser};

use crate::StatementError;

/// A value in parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// Its text, folded to upper case unless it was quoted.
    pub(crate) text: String,
    /// Where it starts, from 1.
    pub(crate) column: usize,
}

/// A keyword and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// In upper case.
    pub(crate) keyword: String,
    /// Where it starts, from 1.
    pub(crate) column: usize,
    /// What stands in its parentheses; none without parentheses.
    values: Option<Vec<Value>>,
}

impl Parameter {
    /// The one value that the keyword must have.
    pub(crate) fn value(&self) -> Result<&Value, StatementError> {
        match self.values.as_deref() {
            None | Some([]) => Err(StatementError::no_value(&self.keyword, self.column)),
            Some([value]) => Ok(value),
            Some([_, second, ..]) => Err(StatementError::surplus_value(&self.keyword, second.column)),
        }
    }

    /// All values; at least one.
    pub(crate) fn values(&self) -> Result<&[Value], StatementError> {
        match self.values.as_deref() {
            None | Some([]) => Err(StatementError::no_value(&self.keyword, self.column)),
            Some(values) => Ok(values),
        }
    }

    /// Refuses values: the keyword says all.
    pub(crate) fn bare(&self) -> Result<(), StatementError> {
        if self.values.is_none() {
            Ok(())
        } else {
            Err(StatementError::surplus_value(&self.keyword, self.column))
        }
    }

    /// Whether the keyword stands without parentheses.
    pub(crate) const fn is_bare(&self) -> bool {
        self.values.is_none()
    }

    /// The value as a number from `low` to `high`.
    pub(crate) fn number(&self, low: u32, high: u32) -> Result<u32, StatementError> {
        let value = self.value()?;
        let digits = !value.text.is_empty() && value.text.bytes().all(|b| b.is_ascii_digit());
        let number = if digits { value.text.parse().ok() } else { None };
        number
            .filter(|n| (low..=high).contains(n))
            .ok_or_else(|| self.unacceptable(value, &format!("a number from {low} to {high}")))
    }

    /// The value as one of two words.
    pub(crate) fn either(&self, yes: &str, no: &str) -> Result<bool, StatementError> {
        let value = self.value()?;
        if value.text == yes {
            Ok(true)
        } else if value.text == no {
            Ok(false)
        } else {
            Err(self.unacceptable(value, &format!("{yes} or {no}")))
        }
    }

    /// The error that `value` is not what the keyword takes.
    pub(crate) fn unacceptable(&self, value: &Value, wanted: &str) -> StatementError {
        StatementError::unacceptable(&value.text, &self.keyword, wanted, value.column)
    }
}

/// The parameters that nobody has asked for yet.
#[derive(Debug)]
pub(crate) struct Parameters {
    left: Vec<Parameter>,
    end: usize,
}

impl Parameters {
    /// Reads a statement.
    pub(crate) fn read(text: &str) -> Result<Self, StatementError> {
        let fault = match parameters(text) {
            Ok(("", list)) => {
                let left = list.into_iter().map(|raw| raw.into_parameter(text)).collect();
                return Ok(Self { left, end: column(text, "") });
            }
            Ok((rest, _)) => Fault { at: rest, kind: FaultKind::Syntax },
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => fault,
            Err(nom::Err::Incomplete(_)) => Fault { at: "", kind: FaultKind::Syntax },
        };
        let before = text.get(..text.len().saturating_sub(fault.at.len())).unwrap_or(text);
        let keyword = last_word(before);
        let at = column(text, fault.at);
        Err(match fault.kind {
            FaultKind::Unbalanced => StatementError::unbalanced(keyword, at),
            FaultKind::Syntax => StatementError::syntax(keyword, at),
        })
    }

    /// Takes the parameter of one of these names out; none when it is not there.
    pub(crate) fn take(&mut self, names: &[&str]) -> Result<Option<Parameter>, StatementError> {
        let is_named = |p: &Parameter| names.contains(&p.keyword.as_str());
        let Some(index) = self.left.iter().position(is_named) else {
            return Ok(None);
        };
        let found = self.left.remove(index);
        match self.left.iter().find(|p| is_named(p)) {
            Some(again) => Err(StatementError::repeated(&again.keyword, again.column)),
            None => Ok(Some(found)),
        }
    }

    /// Takes the parameter of one of these names out; it must be there.
    pub(crate) fn require(&mut self, names: &[&str]) -> Result<Parameter, StatementError> {
        let missing = StatementError::missing(names.first().copied().unwrap_or_default(), self.end);
        self.take(names)?.ok_or(missing)
    }

    /// Takes a keyword without values out; whether it was there.
    pub(crate) fn flag(&mut self, names: &[&str]) -> Result<bool, StatementError> {
        match self.take(names)? {
            Some(parameter) => parameter.bare().map(|()| true),
            None => Ok(false),
        }
    }

    /// Takes the first parameter out.
    pub(crate) fn first(&mut self) -> Option<Parameter> {
        if self.left.is_empty() { None } else { Some(self.left.remove(0)) }
    }

    /// Takes all parameters out that are left.
    pub(crate) fn rest(&mut self) -> Vec<Parameter> {
        std::mem::take(&mut self.left)
    }

    /// The keywords that are left.
    pub(crate) fn keywords(&self) -> impl Iterator<Item = &Parameter> {
        self.left.iter()
    }

    /// Column just behind the statement.
    pub(crate) const fn end(&self) -> usize {
        self.end
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) -> Result<(), StatementError> {
        match self.left.into_iter().next() {
            None => Ok(()),
            Some(parameter) => Err(StatementError::invalid(&parameter.keyword, parameter.column)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultKind {
    Syntax,
    Unbalanced,
}

#[derive(Debug)]
struct Fault<'a> {
    at: &'a str,
    kind: FaultKind,
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self { at, kind: FaultKind::Syntax }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

#[derive(Debug)]
struct RawValue<'a> {
    at: &'a str,
    text: String,
}

#[derive(Debug)]
struct RawParameter<'a> {
    keyword: &'a str,
    values: Option<Vec<RawValue<'a>>>,
}

impl RawParameter<'_> {
    fn into_parameter(self, whole: &str) -> Parameter {
        let column = column_of(whole, self.keyword);
        let values = self.values.map(|values| {
            let value = |raw: RawValue<'_>| Value { column: self::column(whole, raw.at), text: raw.text };
            values.into_iter().map(value).collect()
        });
        Parameter { keyword: self.keyword.to_ascii_uppercase(), column, values }
    }
}

/// The column at which `rest`, a tail of `whole`, starts.
fn column(whole: &str, rest: &str) -> usize {
    let before = whole.get(..whole.len().saturating_sub(rest.len())).unwrap_or(whole);
    before.chars().count() + 1
}

/// The column at which `part`, a piece of `whole`, starts.
fn column_of(whole: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    whole.get(..offset).map_or(1, |before| before.chars().count() + 1)
}

fn last_word(text: &str) -> &str {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '*' | '_' | '%' | '/');
    text.rsplit(|c| !word(c)).find(|part| !part.is_empty()).unwrap_or("")
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn is_word(c: char) -> bool {
    !is_blank(c) && !matches!(c, '(' | ')' | '\'' | ',' | ';') && !c.is_control()
}

fn blanks(input: &str) -> IResult<&str, &str, Fault<'_>> {
    take_while(is_blank)(input)
}

fn separator(input: &str) -> IResult<&str, (), Fault<'_>> {
    let (rest, blank) = blanks(input)?;
    let (rest, comma) = opt(char(',')).parse(rest)?;
    let (rest, _) = blanks(rest)?;
    if blank.is_empty() && comma.is_none() {
        return Err(nom::Err::Error(Fault { at: input, kind: FaultKind::Syntax }));
    }
    Ok((rest, ()))
}

fn quoted(input: &str) -> IResult<&str, String, Fault<'_>> {
    let piece = alt((map(tag("''"), |_| "'"), take_while1(|c: char| c != '\'' && !c.is_control())));
    let text = fold_many0(piece, String::new, |mut all, piece| {
        all.push_str(piece);
        all
    });
    delimited(char('\''), text, char('\'')).parse(input)
}

fn value(input: &str) -> IResult<&str, RawValue<'_>, Fault<'_>> {
    // An opened apostrophe that is never closed is a failure, not "no value".
    let text = if input.starts_with('\'') {
        cut(quoted(input))
    } else {
        map(take_while1(is_word), str::to_ascii_uppercase).parse(input)
    };
    text.map(|(rest, text)| (rest, RawValue { at: input, text }))
}

fn cut<T>(result: Result<T, nom::Err<Fault<'_>>>) -> Result<T, nom::Err<Fault<'_>>> {
    result.map_err(|error| match error {
        nom::Err::Error(fault) => nom::Err::Failure(fault),
        other => other,
    })
}

fn values(input: &str) -> IResult<&str, Vec<RawValue<'_>>, Fault<'_>> {
    let (inside, _) = char('(').parse(input)?;
    let (rest, _) = blanks(inside)?;
    let (rest, list) = separated_list0(separator, value).parse(rest)?;
    let (rest, _) = blanks(rest)?;
    match rest.chars().next() {
        Some(')') => Ok((rest.get(1..).unwrap_or(""), list)),
        None => Err(nom::Err::Failure(Fault { at: input, kind: FaultKind::Unbalanced })),
        Some(_) => Err(nom::Err::Failure(Fault { at: rest, kind: FaultKind::Syntax })),
    }
}

fn parameter(input: &str) -> IResult<&str, RawParameter<'_>, Fault<'_>> {
    let (rest, keyword) = take_while1(is_word)(input)?;
    let (after, _) = blanks(rest)?;
    if after.starts_with('(') {
        let (rest, values) = values(after)?;
        Ok((rest, RawParameter { keyword, values: Some(values) }))
    } else {
        Ok((rest, RawParameter { keyword, values: None }))
    }
}

fn parameters(input: &str) -> IResult<&str, Vec<RawParameter<'_>>, Fault<'_>> {
    let (mut rest, _) = blanks(input)?;
    let mut list = Vec::new();
    while !rest.is_empty() {
        if rest.starts_with(')') {
            return Err(nom::Err::Failure(Fault { at: rest, kind: FaultKind::Unbalanced }));
        }
        let (after, one) = parameter(rest)?;
        // A closing parenthesis separates as well as a blank: DEFINE QLOCAL(A)REPLACE.
        let closed = one.values.is_some();
        list.push(one);
        rest = match separator(after) {
            Ok((rest, ())) => rest,
            Err(_) if closed || after.is_empty() || after.starts_with(')') => after,
            Err(error) => return Err(error),
        };
    }
    Ok((rest, list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<Vec<String>>)> {
        let all = Parameters::read(text).unwrap().left;
        let texts = |values: Vec<Value>| values.into_iter().map(|v| v.text).collect();
        all.into_iter().map(|p| (p.keyword, p.values.map(texts))).collect()
    }

    #[test]
    fn keywords_fold_and_values_fold_unless_quoted() {
        let some = |values: &[&str]| Some(values.iter().map(|&v| v.to_owned()).collect());
        assert_eq!(
            read(" define ql (app.orders)descr('It''s \"x\"') where( UOWSTATE EQ, unresolved ) t() "),
            [
                ("DEFINE".to_owned(), None),
                ("QL".to_owned(), some(&["APP.ORDERS"])),
                ("DESCR".to_owned(), some(&["It's \"x\""])),
                ("WHERE".to_owned(), some(&["UOWSTATE", "EQ", "UNRESOLVED"])),
                ("T".to_owned(), some(&[])),
            ]
        );
        assert_eq!(read("A('')"), [("A".to_owned(), some(&[""]))]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn errors_say_what_and_where() {
        for (text, id, column) in [
            ("DEFINE QLOCAL(A", "CSQ9002E", 14),
            ("DEFINE QLOCAL(A))", "CSQ9002E", 17),
            ("DEFINE QLOCAL(A) DESCR('x)", "CSQ9031E", 27),
            ("DEFINE QLOCAL(A(B))", "CSQ9031E", 16),
            ("DEFINE 'X'", "CSQ9031E", 8),
            ("DEFINE ,, X", "CSQ9031E", 9),
            ("(A)", "CSQ9031E", 1),
            ("DEFINE\u{7}X", "CSQ9031E", 7),
        ] {
            let error = Parameters::read(text).unwrap_err();
            assert_eq!((error.id(), error.column()), (id, column), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,80}") {
            let _ = Parameters::read(&text);
        }

        #[test]
        fn likely_text_never_panics(text in "[A-C(),' ;*.\u{e9}]{0,40}") {
            let _ = Parameters::read(&text);
        }
    }
}
