//! DISPLAY of objects: CSQM293I with the count, then a CSQM201I block for each, one `KEYWORD(value)` a line.

use std::fmt;

use crate::display::{Displayed, DisplayedObject};

/// An attribute of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its keyword.
    pub keyword: &'static str,
    /// Its value, as it stands in the parentheses.
    pub value: String,
}

impl Attribute {
    /// `keyword(value)`.
    #[must_use]
    pub fn new(keyword: &'static str, value: impl fmt::Display) -> Self {
        Self { keyword, value: value.to_string() }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.keyword, self.value)
    }
}

/// The reply to DISPLAY of `noun`, without its CSQ9022I. The attributes of each object start with its name. No object: CSQM297I.
#[must_use]
pub fn details(prefix: &str, csect: &str, noun: &str, objects: &[Vec<Attribute>]) -> Vec<String> {
    framed(prefix, csect, noun, objects.iter().map(|object| object.iter().map(Attribute::to_string)))
}

/// The same reply, of objects whose attributes are written.
fn framed<O: Iterator<Item = String>>(
    prefix: &str,
    csect: &str,
    noun: &str,
    objects: impl ExactSizeIterator<Item = O>,
) -> Vec<String> {
    let count = objects.len();
    if count == 0 {
        return vec![not_found(prefix, csect, noun)];
    }
    let mut lines = vec![format!("CSQM293I {prefix} {csect} {count} {noun} FOUND MATCHING REQUEST CRITERIA")];
    for object in objects {
        lines.push(format!("CSQM201I {prefix} {csect}  DISPLAY {noun} DETAILS"));
        lines.extend(object);
        lines.push(format!(" END {noun} DETAILS"));
    }
    lines
}

impl Displayed {
    /// The reply, without its CSQ9022I, as a reply of [`details`].
    pub(crate) fn lines(&self, prefix: &str, csect: &str) -> Vec<String> {
        let attributes = |object: &DisplayedObject| -> Vec<String> {
            object.attributes.iter().map(|(keyword, value)| format!("{keyword}({value})")).collect()
        };
        let objects = self.objects.iter().map(|object| attributes(object).into_iter());
        framed(prefix, csect, &self.noun, objects)
    }
}

/// CSQM297I: nothing has the name asked for.
#[must_use]
pub fn not_found(prefix: &str, csect: &str, noun: &str) -> String {
    format!("CSQM297I {prefix} {csect} NO {noun} FOUND MATCHING REQUEST CRITERIA")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_objects_as_the_sample_does() {
        let object = |name: &str| vec![Attribute::new("SMDSCONN", name), Attribute::new("CFSTRUCT", "TEST1")];
        let lines = details("ZQS2", "CSQMDRTC", "SMDSCONN", &[object("ZQS1"), object("ZQS2")]);
        assert_eq!(
            lines.join("\n"),
            "CSQM293I ZQS2 CSQMDRTC 2 SMDSCONN FOUND MATCHING REQUEST CRITERIA\n\
             CSQM201I ZQS2 CSQMDRTC  DISPLAY SMDSCONN DETAILS\n\
             SMDSCONN(ZQS1)\n\
             CFSTRUCT(TEST1)\n \
             END SMDSCONN DETAILS\n\
             CSQM201I ZQS2 CSQMDRTC  DISPLAY SMDSCONN DETAILS\n\
             SMDSCONN(ZQS2)\n\
             CFSTRUCT(TEST1)\n \
             END SMDSCONN DETAILS"
        );
        assert_eq!(
            details("]MQ2", "CSQMDRTS", "CHANNEL", &[]),
            ["CSQM297I ]MQ2 CSQMDRTS NO CHANNEL FOUND MATCHING REQUEST CRITERIA"]
        );
    }
}
