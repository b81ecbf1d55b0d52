//! SYSPRINT of IDCAMS: pages with headings, carriage control in the first column.

use format_types::Timestamp;

use crate::time::heading;

/// Print lines of a page, spacing counted.
const PAGE_LENGTH: usize = 53;

/// Lines of SYSPRINT. The first character of each is carriage control: `1` a new page, `-` two blank lines first, `0` one, a blank
/// none.
#[derive(Debug)]
pub struct Sysprint {
    time: String,
    date: String,
    title: Option<String>,
    page: usize,
    used: usize,
    lines: Vec<String>,
}

impl Sysprint {
    /// The first page, with the commands typed, each as it was typed.
    #[must_use]
    pub fn new(at: Timestamp, commands: &[String]) -> Self {
        let (time, date) = heading(at);
        let mut print = Self { time, date, title: None, page: 0, used: 0, lines: Vec::new() };
        print.new_page();
        print.lines.push("0".to_owned());
        print.lines.extend(commands.iter().map(|command| format!(" {command}")));
        print
    }

    /// Starts the pages of a function that prints `title` under each heading.
    pub fn begin_function(&mut self, title: String) {
        self.title = Some(title);
        self.new_page();
    }

    /// Ends those pages.
    pub fn end_function(&mut self) {
        self.title = None;
        self.new_page();
        self.lines.push("0".to_owned());
        self.used += 2;
    }

    /// A line below the last one.
    pub fn line(&mut self, text: &str) {
        self.put(' ', 1, text);
    }

    /// A line below the last one and a blank one.
    pub fn spaced(&mut self, text: &str) {
        self.put('0', 2, text);
    }

    /// Messages, each below a blank line, but for those that say more about the one before them.
    pub(crate) fn messages(&mut self, messages: &[String]) {
        for message in messages {
            if message.contains(" ** ") { self.line(message) } else { self.spaced(message) }
        }
    }

    /// All lines.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }

    fn put(&mut self, control: char, height: usize, text: &str) {
        let mut control = control;
        if self.used + height > PAGE_LENGTH {
            self.new_page();
            control = '0';
        }
        self.used += if control == '0' { 2 } else { 1 };
        self.lines.push(format!("{control}{text}"));
    }

    fn new_page(&mut self) {
        self.page += 1;
        let Self { time, date, page, .. } = self;
        let blank = "";
        self.lines
            .push(format!("1IDCAMS  SYSTEM SERVICES{blank:43}TIME: {time}{blank:8}{date}     PAGE{page:>7}"));
        self.used = 1;
        if let Some(title) = &self.title {
            self.lines.push(format!("-{blank:29}{title}"));
            self.used += 3;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_the_published_ones() {
        let at = Timestamp(1_662_046_604_000_000);
        let mut print = Sysprint::new(at, &["   LISTCAT LEVEL(AWS.M2.CARDDEMO)  -".to_owned()]);
        print.begin_function("LISTING FROM CATALOG -- CATALOG.XXXXXXXX.YYYY".to_owned());
        print.spaced("NONVSAM ------- AWS.M2.CARDDEMO.ACCTDATA.PS");
        let sample = "\
1IDCAMS  SYSTEM SERVICES                                           TIME: 15:36:44        09/01/22     PAGE      1
0
    LISTCAT LEVEL(AWS.M2.CARDDEMO)  -
1IDCAMS  SYSTEM SERVICES                                           TIME: 15:36:44        09/01/22     PAGE      2
-                             LISTING FROM CATALOG -- CATALOG.XXXXXXXX.YYYY
0NONVSAM ------- AWS.M2.CARDDEMO.ACCTDATA.PS";
        assert_eq!(print.into_lines().join("\n"), sample);
    }

    #[test]
    fn a_page_holds_53_lines() {
        let mut print = Sysprint::new(Timestamp(0), &[]);
        print.begin_function("T".to_owned());
        for n in 0..49 {
            print.line(&n.to_string());
        }
        print.line("next");
        let lines = print.into_lines();
        assert_eq!(lines.iter().filter(|line| line.starts_with('1')).count(), 3);
        assert_eq!(lines.last().unwrap(), "0next");
    }
}
