//! Statements that IDCAMS echoes before it does them.
//!
//! A record that ends with `-` goes on with the next one, as does `+`, which goes on inside a value. `/* */` is a comment. Columns 73 to
//! 80 may hold a number. What follows THEN and ELSE is a command of its own.

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// Its verb, in upper case, abbreviations written out.
    pub(crate) verb: String,
    /// Names that it begins with: those of DELETE.
    pub(crate) names: Vec<String>,
    /// Its keywords in upper case, with what stands in their parentheses.
    pub(crate) keywords: Vec<(String, Vec<String>)>,
}

impl Command {
    /// What stands in the parentheses of the first of `keywords` that the command has.
    pub(crate) fn value(&self, keywords: &[&str]) -> Option<&str> {
        let found = self.keywords.iter().find(|(keyword, _)| keywords.contains(&keyword.as_str()))?;
        found.1.first().map(String::as_str)
    }

    /// Whether it has the keyword.
    pub(crate) fn has(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|(known, _)| known == keyword)
    }
}

/// Column behind which a record holds nothing but its number.
const MARGIN: usize = 72;

fn without_number(record: &str) -> &str {
    match (record.get(..MARGIN), record.get(MARGIN..)) {
        (Some(kept), Some(number)) if number.trim().bytes().all(|b| b.is_ascii_digit()) => kept,
        _ => record,
    }
}

/// The record without comments; `inside` says whether one is open.
fn without_comments(record: &str, inside: &mut bool) -> String {
    let mut kept = String::new();
    let mut rest = record;
    loop {
        if *inside {
            let Some((_, behind)) = rest.split_once("*/") else {
                return kept;
            };
            (*inside, rest) = (false, behind);
        }
        let Some((before, behind)) = rest.split_once("/*") else {
            kept.push_str(rest);
            return kept;
        };
        kept.push_str(before);
        kept.push(' ');
        (*inside, rest) = (true, behind);
    }
}

/// The statements of `records`, each on one line.
pub(crate) fn joined(records: &[&str]) -> Vec<String> {
    let mut statements = Vec::new();
    let mut open = String::new();
    let mut inside = false;
    for record in records {
        let text = without_comments(without_number(record), &mut inside);
        let text = if open.ends_with('+') { text.trim() } else { text.trim_end() };
        if open.ends_with(['-', '+']) {
            open.pop();
        }
        open.push_str(text);
        if open.ends_with(['-', '+']) || inside {
            continue;
        }
        statements.extend(open.split(';').map(one_blank).filter(|statement| !statement.is_empty()));
        open.clear();
    }
    let rest = one_blank(open.trim_end_matches(['-', '+']));
    statements.extend((!rest.is_empty()).then_some(rest));
    statements
}

/// What stands before the first record of a statement, and before its further ones.
const INDENTS: [&str; 2] = ["   ", "        "];

/// The records of `statement`, which is on one line: [`joined`] gives it of them. Words that are longer than a record are broken in two.
pub(crate) fn records(statement: &str) -> Vec<String> {
    let [first, further] = INDENTS;
    // Room for what says that the statement goes on.
    let end = MARGIN - 2;
    let mut records = Vec::new();
    let mut open = first.to_owned();
    let mut begun = false;
    for word in statement.split(' ') {
        let mut word = word;
        if begun && open.len() + 1 + word.len() > end {
            records.push(format!("{open} -"));
            (open, begun) = (further.to_owned(), false);
        }
        if begun {
            open.push(' ');
        }
        while open.len() + word.len() > end {
            let room = end.saturating_sub(open.len());
            let place = word.char_indices().map(|(place, _)| place).take_while(|place| *place <= room).last();
            let (kept, rest) = word.split_at_checked(place.unwrap_or(0)).unwrap_or((word, ""));
            records.push(format!("{open}{kept}+"));
            (open, word) = (further.to_owned(), rest);
        }
        open.push_str(word);
        begun = true;
    }
    if open.ends_with(['-', '+']) {
        open.push(';');
    }
    records.push(open);
    records
}

fn one_blank(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// A parenthesis right behind a word.
    OpenBehind,
    Open,
    Close,
}

fn tokens(statement: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = statement.chars().peekable();
    let mut word = String::new();
    let end = |word: &mut String, tokens: &mut Vec<Token>| {
        if !word.is_empty() {
            tokens.push(Token::Word(std::mem::take(word)));
        }
    };
    while let Some(c) = characters.next() {
        match c {
            '\'' => {
                while let Some(c) = characters.next() {
                    if c == '\'' && characters.next_if_eq(&'\'').is_none() {
                        break;
                    }
                    word.push(c);
                }
            }
            '(' => {
                let behind = !word.is_empty();
                end(&mut word, &mut tokens);
                tokens.push(if behind { Token::OpenBehind } else { Token::Open });
            }
            ')' => {
                end(&mut word, &mut tokens);
                tokens.push(Token::Close);
            }
            ' ' | ',' => end(&mut word, &mut tokens),
            _ => word.push(c),
        }
    }
    end(&mut word, &mut tokens);
    tokens
}

fn verb_of(word: &str) -> String {
    let upper = word.to_ascii_uppercase();
    match upper.as_str() {
        "DEL" => "DELETE".to_owned(),
        "LISTC" => "LISTCAT".to_owned(),
        _ => upper,
    }
}

/// The words up to the parenthesis that closes the one before them. A word with parentheses of its own is left out: the member of a
/// library is no data set.
fn group(tokens: &mut std::iter::Peekable<std::slice::Iter<'_, Token>>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut depth = 0;
    for token in tokens.by_ref() {
        match token {
            Token::Word(word) if depth == 0 => words.push(word.clone()),
            Token::OpenBehind | Token::Open => {
                if depth == 0 && *token == Token::OpenBehind {
                    words.pop();
                }
                depth += 1;
            }
            Token::Close if depth == 0 => break,
            Token::Close => depth -= 1,
            Token::Word(_) => {}
        }
    }
    words
}

/// The command of a statement; none if it only decides what is done or changes a condition code.
pub(crate) fn command(statement: &str) -> Option<Command> {
    let all = tokens(statement);
    let is_word =
        |token: &Token, word: &str| matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word));
    let mut start = 0;
    if all.first().is_some_and(|token| is_word(token, "IF")) {
        start = all.iter().position(|token| is_word(token, "THEN"))? + 1;
    }
    while all.get(start).is_some_and(|token| is_word(token, "ELSE") || is_word(token, "DO")) {
        start += 1;
    }
    let mut rest = all.get(start..)?.iter().peekable();
    let Some(Token::Word(verb)) = rest.next() else {
        return None;
    };
    let verb = verb_of(verb);
    if matches!(verb.as_str(), "SET" | "PARM" | "END") {
        return None;
    }
    let mut names = Vec::new();
    if verb == "DELETE" {
        match rest.peek() {
            Some(Token::Open | Token::OpenBehind) => {
                rest.next();
                names = group(&mut rest);
            }
            Some(Token::Word(name)) => {
                rest.next();
                if rest.peek() != Some(&&Token::OpenBehind) {
                    names.push(name.clone());
                }
            }
            _ => {}
        }
    }
    let mut keywords: Vec<(String, Vec<String>)> = Vec::new();
    while let Some(token) = rest.next() {
        match token {
            Token::Word(word) => keywords.push((word.to_ascii_uppercase(), Vec::new())),
            Token::Open | Token::OpenBehind => {
                let words = group(&mut rest);
                if let Some((_, values)) = keywords.last_mut() {
                    *values = words;
                }
            }
            Token::Close => {}
        }
    }
    Some(Command { verb, names, keywords })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_joined() {
        let records = [
            "  DELETE (A.B -          /* the first */",
            "          C.D) -",
            "  PURGE /* and",
            "  more */",
            "  SET MAXCC = 0; REPRO INFILE(IN) OUTFI+",
            "     LE(OUT)                                                            00010000",
        ];
        assert_eq!(joined(&records[..4]), ["DELETE (A.B C.D) PURGE"]);
        assert_eq!(joined(&records[4..]), ["SET MAXCC = 0", "REPRO INFILE(IN) OUTFILE(OUT)"]);
    }

    #[test]
    fn records_hold_a_statement_of_any_length() {
        let long = "A.B".repeat(50);
        for statement in
            ["LISTCAT", &format!("DELETE (X {long}123 Y-) PURGE"), &"NAME0001 ".repeat(20), "REPRO X-", &long]
        {
            let records = records(statement.trim());
            assert!(records.iter().all(|record| record.len() <= MARGIN), "{records:?}");
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            assert_eq!(joined(&records), [statement.trim()]);
        }
    }

    #[test]
    fn commands_are_found_behind_conditions() {
        let delete = command("IF LASTCC = 0 THEN DELETE (A.B 'C.D') PURGE CATALOG(X.Y)").unwrap();
        assert_eq!((delete.verb.as_str(), delete.names.join(" ").as_str()), ("DELETE", "A.B C.D"));
        assert!(delete.has("PURGE") && delete.value(&["CATALOG"]) == Some("X.Y"));
        assert_eq!(command("DEL A.B(MEMBER)").unwrap().names, [""; 0]);
        assert_eq!(command("DELETE (A.B(MEMBER) C.D)").unwrap().names, ["C.D"]);
        assert_eq!((command("IF MAXCC LE 8 THEN SET MAXCC=0"), command("")), (None, None));
        assert_eq!(command("ELSE DELETE X").unwrap().names, ["X"]);
    }
}
