//! Commands that are echoed before their answers, as CSQUTIL, consoles and `runmqsc` do: `DISPLAY CFSTRUCT(*) ALL`.
//!
//! An answer does not say what was asked for. Where it stands for all objects, only the command says so.

use crate::cursor::Cursor;

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
    /// Whether it asks for all objects of its kind: by `*`, without a filter.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        let filters = self.rest.split([' ', ',', '(']).any(|word| word == "WHERE");
        self.name == "*" && !filters
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
        let text = lines.peek().map_or("", |line| line.text.trim());
        if text.starts_with("CSQ9023E") {
            let of_it = |command: &EchoedDisplay| text.contains(&format!("DISPLAY {}'", command.noun));
            self.0.retain(|command| !of_it(command));
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

/// The command that stands in the line at `lines`, with those that it goes on in.
fn echoed(lines: &Cursor<'_>) -> Option<EchoedDisplay> {
    let mut lines = *lines;
    let mut text = lines.peek()?.text.trim().to_ascii_uppercase();
    if !text.contains("DIS") {
        return None;
    }
    while text.ends_with(['+', '-']) {
        text.pop();
        lines.advance();
        let Some(line) = lines.peek() else { break };
        text.push_str(&line.text.trim().to_ascii_uppercase());
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
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
