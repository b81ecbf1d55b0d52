//! DISPLAY USAGE, read.
//!
//! Rows are read by words, as the scripts that people have do; a row starts with `_`. CSQI024I's RBA stands behind `configured=`, in
//! any case, on the line of the message or on the next one.

use format_types::{Expand, PageSetId, Rba};

use crate::usage::DataSetRow;

/// A listing that does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what} ('{text}')")]
pub struct ListingError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: &'static str,
    /// The line's text.
    pub text: String,
}

/// A row of CSQI010I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetRow {
    /// The page set.
    pub page_set: PageSetId,
    /// Its numbers; none when it is not online.
    pub pages: Option<PageSetPages>,
}

/// The numbers of a row of CSQI010I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetPages {
    /// Its buffer pool.
    pub buffer_pool: u8,
    /// Usable pages.
    pub total: u64,
    /// Free pages.
    pub unused: u64,
    /// Pages of persistent data.
    pub persistent: u64,
    /// Pages of nonpersistent data.
    pub nonpersistent: u64,
    /// How it grows.
    pub expand: Expand,
    /// How often it has grown.
    pub expansions: u32,
}

/// A row of CSQI065I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferPoolRow {
    /// The pool.
    pub buffer_pool: u8,
    /// Buffers in it.
    pub available: u64,
    /// Buffers that hold no changed page.
    pub stealable: u64,
}

/// A row of CSQI070I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSetUsageRow {
    /// What it is about.
    pub row: DataSetRow,
    /// The RBA (an LRSN for structures); none when nothing needs log.
    pub rba: Option<Rba>,
    /// The data set; none when no data set holds the RBA.
    pub data_set: Option<String>,
}

/// What a listing of DISPLAY USAGE says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageListing {
    /// Rows of CSQI010I.
    pub page_sets: Vec<PageSetRow>,
    /// Rows of CSQI065I.
    pub buffer_pools: Vec<BufferPoolRow>,
    /// Rows of CSQI070I.
    pub data_sets: Vec<DataSetUsageRow>,
    /// CSQI024I.
    pub restart_rba: Option<Rba>,
    /// CSQI025I.
    pub restart_rba_with_offline: Option<Rba>,
}

struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn error(&self, part: &str, what: &'static str) -> ListingError {
        let column = self
            .text
            .find(part)
            .map_or(1, |offset| self.text.get(..offset).map_or(1, |before| before.chars().count() + 1));
        ListingError { line: self.number, column, what, text: self.text.to_owned() }
    }

    fn number_word<T: std::str::FromStr>(
        &self,
        words: &mut std::str::SplitWhitespace<'_>,
    ) -> Result<T, ListingError> {
        let word = words.next().ok_or_else(|| self.error("", "the row ends too early"))?;
        word.parse().map_err(|_| self.error(word, "a number is wanted"))
    }

    fn rba_behind(&self, mark: &str) -> Result<Option<Rba>, ListingError> {
        let lower = self.text.to_ascii_lowercase();
        let Some(at) = lower.find(mark) else {
            return Ok(None);
        };
        let rest = self.text.get(at + mark.len()..).unwrap_or("");
        let word = rest.split_whitespace().next().unwrap_or("");
        word.parse().map(Some).map_err(|_| self.error(rest, "an RBA is wanted"))
    }
}

/// Reads the parts of DISPLAY USAGE that `text` holds; other lines are passed over.
///
/// # Errors
/// When a row of a report does not read, or a report has no end.
pub fn read_usage(text: &str) -> Result<UsageListing, ListingError> {
    let mut listing = UsageListing::default();
    let mut lines = text.lines().zip(1..).map(|(text, number)| Line { number, text });
    while let Some(line) = lines.next() {
        if line.text.contains("CSQI010I") {
            rows(&line, &mut lines, "End of page set report", |row| {
                listing.page_sets.push(page_set_row(row)?);
                Ok(())
            })?;
        } else if line.text.contains("CSQI065I") {
            rows(&line, &mut lines, "End of buffer pool attributes", |row| {
                listing.buffer_pools.push(buffer_pool_row(row)?);
                Ok(())
            })?;
        } else if line.text.contains("CSQI070I") {
            listing.data_sets = data_set_rows(&line, &mut lines)?;
        } else if line.text.contains("CSQI024I") {
            listing.restart_rba = match line.rba_behind("configured=")? {
                Some(rba) => Some(rba),
                None => lines.next().map(|next| next.rba_behind("configured=")).transpose()?.flatten(),
            };
            if listing.restart_rba.is_none() {
                return Err(line.error("CSQI024I", "no 'configured=' follows"));
            }
        } else if line.text.contains("CSQI025I") {
            listing.restart_rba_with_offline = match line.rba_behind("offline page sets=")? {
                Some(rba) => Some(rba),
                None => return Err(line.error("CSQI025I", "no 'offline page sets=' follows")),
            };
        }
    }
    Ok(listing)
}

fn rows<'a>(
    first: &Line<'a>,
    lines: &mut impl Iterator<Item = Line<'a>>,
    end: &str,
    mut row: impl FnMut(&Line<'a>) -> Result<(), ListingError>,
) -> Result<(), ListingError> {
    for line in lines {
        if line.text.contains(end) {
            return Ok(());
        }
        if line.text.trim_start().starts_with('_') {
            row(&line)?;
        }
    }
    Err(first.error("", "the report has no end"))
}

fn page_set_row(line: &Line<'_>) -> Result<PageSetRow, ListingError> {
    let mut words = line.text.trim_start().trim_start_matches('_').split_whitespace();
    let word = words.next().unwrap_or("");
    let page_set = word.parse().map_err(|_| line.error(word, "a page set is wanted"))?;
    if line.text.contains("Page set is") || line.text.contains("never been online") {
        return Ok(PageSetRow { page_set, pages: None });
    }
    let buffer_pool = line.number_word(&mut words)?;
    let total = line.number_word(&mut words)?;
    let unused = line.number_word(&mut words)?;
    let persistent = line.number_word(&mut words)?;
    let nonpersistent = line.number_word(&mut words)?;
    let expand = match words.next() {
        Some("USER") => Expand::User,
        Some("SYSTEM") => Expand::System,
        Some("NONE") => Expand::None,
        other => return Err(line.error(other.unwrap_or(""), "USER, SYSTEM or NONE is wanted")),
    };
    let expansions = line.number_word(&mut words)?;
    let pages = PageSetPages { buffer_pool, total, unused, persistent, nonpersistent, expand, expansions };
    Ok(PageSetRow { page_set, pages: Some(pages) })
}

fn buffer_pool_row(line: &Line<'_>) -> Result<BufferPoolRow, ListingError> {
    let mut words = line.text.trim_start().trim_start_matches('_').split_whitespace();
    Ok(BufferPoolRow {
        buffer_pool: line.number_word(&mut words)?,
        available: line.number_word(&mut words)?,
        stealable: line.number_word(&mut words)?,
    })
}

fn data_set_rows<'a>(
    first: &Line<'a>,
    lines: &mut impl Iterator<Item = Line<'a>>,
) -> Result<Vec<DataSetUsageRow>, ListingError> {
    let mut found = Vec::new();
    let mut title = None;
    for line in lines {
        let text = line.text.trim();
        if text.starts_with("End of data set report") {
            return Ok(found);
        }
        let kinds = [DataSetRow::OldestUnit, DataSetRow::OldestPageSet, DataSetRow::OldestStructure];
        if let Some(kind) = kinds.into_iter().find(|kind| kind.title() == text) {
            title = Some(kind);
        } else if let Some(row) = title.take() {
            let mut words = text.split_whitespace();
            let (rba, name) = match words.next() {
                Some("None") => (None, None),
                Some(word) => {
                    let rba = word.parse().map_err(|_| line.error(word, "an RBA is wanted"))?;
                    (Some(rba), words.next())
                }
                None => return Err(line.error("", "an RBA is wanted")),
            };
            let known = name.filter(|&name| name != "None" && name != "Not");
            found.push(DataSetUsageRow { row, rba, data_set: known.map(str::to_owned) });
        }
    }
    Err(first.error("", "the report has no end"))
}

#[cfg(test)]
mod tests {
    use format_types::{BufferPoolUsage, DataSetUsage, PageSetUsage, RecoveryPart, SystemRecovery};

    use super::*;
    use crate::usage::{buffer_pool_attributes, data_set_usage, page_set_usage, restart_rbas};

    fn set(page_set: u8, online: bool) -> PageSetUsage {
        PageSetUsage {
            page_set: PageSetId::new(page_set).unwrap(),
            buffer_pool: 0,
            online,
            total_pages: 10_000,
            unused_pages: 9_000,
            persistent_pages: 900,
            nonpersistent_pages: 100,
            expand: Expand::None,
            expansions: 2,
            recovery_rba: Rba(1),
        }
    }

    fn written() -> Vec<String> {
        let part = RecoveryPart { rba: Rba(0x3000), holder: "page set 00".into() };
        let system =
            SystemRecovery { page_sets: part, structures: None, units: None, page_sets_online: Rba(0x4000) };
        let unit = DataSetUsage { rba: Rba(0x3000), data_set: None };
        let oldest = DataSetUsage { rba: Rba(0x3000), data_set: Some("LOGCOPY1.DS01".into()) };
        let mut lines = vec!["something before".to_owned()];
        lines.extend(page_set_usage("QM1", &[set(0, true), set(7, false)]));
        let pool = BufferPoolUsage { buffer_pool: 0, available: 5, stealable: 3 };
        lines.extend(buffer_pool_attributes("QM1", &[pool]));
        lines.extend(data_set_usage("QM1", Some(&unit), &oldest));
        lines.extend(restart_rbas("QM1", &system));
        lines
    }

    #[test]
    fn what_is_written_is_read() {
        let listing = read_usage(&written().join("\n")).unwrap();
        assert_eq!(listing.page_sets.len(), 2);
        assert_eq!(listing.page_sets[1].pages, None);
        let pages = listing.page_sets[0].pages.as_ref().unwrap();
        assert_eq!((pages.total, pages.unused, pages.persistent), (10_000, 9_000, 900));
        assert_eq!((pages.nonpersistent, pages.expand, pages.expansions), (100, Expand::None, 2));
        assert_eq!(listing.buffer_pools[0].stealable, 3);
        let rows: Vec<_> = listing.data_sets.iter().map(|r| (r.row, r.rba, r.data_set.as_deref())).collect();
        assert_eq!(
            rows,
            [
                (DataSetRow::OldestUnit, Some(Rba(0x3000)), None),
                (DataSetRow::OldestPageSet, Some(Rba(0x3000)), Some("LOGCOPY1.DS01")),
                (DataSetRow::OldestStructure, None, None),
            ]
        );
        assert_eq!(listing.restart_rba, Some(Rba(0x3000).max(Rba(0x4000))));
        assert_eq!(listing.restart_rba_with_offline, Some(Rba(0x3000)));
    }

    #[test]
    fn the_restart_rba_is_read_in_both_layouts() {
        for text in [
            "CSQI024I CSQ1 CSQIDUSE Restart RBA for system as\nCONFIGURED=0000008BE034",
            "CSQI024I CSQ1 CSQIDUSE Restart RBA for system as configured=0000008BE034",
        ] {
            assert_eq!(read_usage(text).unwrap().restart_rba, Some(Rba(0x8B_E034)), "{text}");
        }
        assert!(read_usage("CSQI024I CSQ1 CSQIDUSE").is_err());
    }

    #[test]
    fn a_row_that_does_not_read_is_named() {
        let lines = written();
        let text = lines.join("\n").replace("9000", "9x00");
        let error = read_usage(&text).unwrap_err();
        assert_eq!((error.line, error.column, error.what), (5, 25, "a number is wanted"), "{error}");
        let end = lines.iter().position(|line| line.contains("End of page set")).unwrap();
        assert_eq!(read_usage(&lines[..end].join("\n")).unwrap_err().what, "the report has no end");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(pieces in proptest::collection::vec("(CSQI0(10|65|70|24|25)I|_ [0-9 A-Z]{0,30}|configured=|[ -~]{0,20}|\u{e9})\n?", 0..20)) {
            let _ = read_usage(&pieces.concat());
        }
    }
}
