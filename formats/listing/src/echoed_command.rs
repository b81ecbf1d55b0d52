//! Commands that are echoed before their answers, as CSQUTIL, consoles and `runmqsc` do: `DISPLAY CFSTRUCT(*) ALL`.
//!
//! An answer does not say what was asked for. Where it stands for all objects, only the command says so.

use crate::cursor::Cursor;
use crate::message::id_of;

/// A DISPLAY command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EchoedDisplay {
    /// What is displayed: `CFSTRUCT`.
    pub noun: String,
    /// The name, or the part of a name, in the parentheses behind it; empty without.
    pub name: String,
    /// What follows, with one blank between words.
    pub rest: String,
}

impl EchoedDisplay {
    /// Whether it asks for all objects of its kind: by `*`, and with nothing behind it but names of attributes.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        let is_name = |word: &str| word != "WHERE" && word.bytes().all(|b| b.is_ascii_alphanumeric());
        self.name == "*" && self.rest.split([' ', ',']).all(is_name)
    }
}

impl std::fmt::Display for EchoedDisplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DISPLAY {}", self.noun)?;
        if !self.name.is_empty() {
            write!(f, "({})", self.name)?;
        }
        if !self.rest.is_empty() {
            write!(f, " {}", self.rest)?;
        }
        Ok(())
    }
}

/// Commands of one file that were echoed, and not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Unanswered(Vec<EchoedDisplay>);

impl Unanswered {
    /// Takes in the line at `lines`, which is no part of a report: a command, or the end of one that failed.
    pub(crate) fn pass(&mut self, lines: &Cursor<'_>) {
        let text = lines.peek().map_or("", |line| line.text);
        let id = id_of(text).unwrap_or("");
        // A command that failed is not answered, nor is one behind the end of its run, or before the beginning of the next.
        let failed = (id.starts_with("CSQ9") || id.starts_with("CSQU")) && id.ends_with('E');
        if failed || ["CSQU000I", "CSQU001I", "CSQU148I"].contains(&id) {
            self.0.clear();
        }
        self.0.extend(echoed(lines));
    }

    /// The command of the answer about `noun` that is next: the first one, unless several differ in whether they are of all.
    pub(crate) fn take(&mut self, noun: &str) -> Option<EchoedDisplay> {
        let mut of_noun = self.0.iter().filter(|command| command.noun == noun);
        let is_of_all = of_noun.next()?.is_of_all();
        let clear = of_noun.all(|command| command.is_of_all() == is_of_all);
        let place = self.0.iter().position(|command| command.noun == noun)?;
        let first = self.0.remove(place);
        clear.then_some(first)
    }
}

/// Whether `word` is DISPLAY or short for it, a command prefix before it left out: `DIS`, `DISPL`, `!QM1DISPLAY`.
fn is_display(word: &str) -> bool {
    (3..="DISPLAY".len()).any(|length| {
        let before = "DISPLAY".get(..length).and_then(|verb| word.strip_suffix(verb));
        before
            .is_some_and(|prefix| prefix.len() <= 8 && (prefix.is_empty() || length > 3 || !is_word(prefix)))
    })
}

/// Whether it has letters alone: no command prefix ends a word like that.
fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphabetic())
}

/// What a line holds of a command, in upper case: nothing of a comment, and no number in columns 73 to 80.
fn command_text(line: &str) -> String {
    let text = line.trim();
    if text.starts_with('*') {
        return String::new();
    }
    let numbered = text.rsplit_once(' ').filter(|(before, number)| {
        let digits = number.len() == 8 && number.bytes().all(|b| b.is_ascii_digit());
        digits && before.len() >= NUMBERS_FROM - 8
    });
    numbered.map_or(text, |(before, _)| before.trim_end()).to_ascii_uppercase()
}

/// Column of the numbers of records; blanks and prefixes before a command may have been taken off.
const NUMBERS_FROM: usize = 72;

/// The command that stands in the line at `lines`, with those that it goes on in.
fn echoed(lines: &Cursor<'_>) -> Option<EchoedDisplay> {
    let mut lines = *lines;
    let mut text = command_text(lines.peek()?.text);
    if !text.contains("DIS") {
        return None;
    }
    while text.ends_with(['+', '-']) {
        lines.advance();
        let Some(line) = lines.peek() else { break };
        let more = command_text(line.text);
        if !more.is_empty() {
            text.pop();
            text.push_str(&more);
        }
    }
    // A name may stand behind a blank, and before one.
    let text = text.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    // Before the verb there may be a number of the line, or a command prefix.
    let verb = words.iter().take(4).position(|word| is_display(word))?;
    let (noun, rest) = words.get(verb + 1..)?.split_first()?;
    if !noun.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (name, rest) = match rest {
        ["(", name, ")", rest @ ..] => (name.trim_matches('\''), rest),
        ["(", ..] => return None,
        rest => ("", rest),
    };
    let rest = rest.join(" ").replace(" ( ", "(").replace(" )", ")");
    Some(EchoedDisplay { noun: (*noun).to_owned(), name: name.to_owned(), rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    fn of(text: &str) -> Option<EchoedDisplay> {
        let text = Text::decode("x", text.as_bytes()).unwrap();
        echoed(&Cursor::new(&text))
    }

    #[test]
    fn commands_are_told_however_they_are_written() {
        for all in [
            "DISPLAY CFSTRUCT(*) ALL",
            "  dis cfstruct (*) all",
            "-QA DIS CFSTRUCT(*) ALL",
            "!QADISPLAY CFSTRUCT('*') ALL",
            "     1 : DIS CFSTRUCT(*) ALL",
            "DISPLAY +\n  CFSTRUCT(*) ALL",
            "DISPLAY +\n* all of them\n  CFSTRUCT(*) ALL",
            "DISPLAY CFSTRUCT(*) ALL                                                 00010000",
        ] {
            let command = of(all).expect(all);
            assert_eq!(command.to_string(), "DISPLAY CFSTRUCT(*) ALL", "{all}");
            assert!(command.is_of_all(), "{all}");
        }
        for part in [
            "DISPLAY CFSTRUCT(APP1) ALL",
            "DIS CFSTRUCT(APP*)",
            "DIS CFSTRUCT(*) WHERE(RECOVER EQ YES)",
            "DIS CFSTRUCT(*) +\n WHERE(RECOVER EQ YES)",
            "DIS CFSTRUCT(*) +\n* those that can be\n WHERE(RECOVER EQ YES)",
            "DIS CFSTRUCT(*) +                                                       00010000\n WHERE(RECOVER EQ YES)",
            "DIS CFSTRUCT(*) CFLEVEL(5)",
            "DIS CFSTRUCT",
        ] {
            assert!(!of(part).expect(part).is_of_all(), "{part}");
        }
        for none in [
            "CSQM201I !QA CSQMDRTC  DISPLAY",
            "DISTANCE CFSTRUCT(*)",
            "DIS",
            "DIS CFSTRUCT(A",
            "A B C D DIS X(*)",
            "* DISPLAY CFSTRUCT(*) ALL",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
