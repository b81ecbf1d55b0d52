//! From where on the log of a member of a queue sharing group holds what was written since an LRSN.
//!
//! A log map gives the LRSN of the first record of a data set, so that the answer is the beginning of a data set, at or below the
//! record that was asked for. LRSNs rise along a log: a row that prints none is passed over, and the one below it decides.

use format_listing::{LogMap, Section};
use format_types::{Lrsn, QueueManagerName, Rba, RbaRange};

use crate::error::SiteError;
use crate::gather::place;
use crate::pairing::rows;

/// What a backup may leave out: changes of the EXCLINT seconds before it began, 600 at most, in units of an LRSN (4096 are a microsecond).
/// A recovery takes them from the logs. LRSNs of six bytes leave out the last two.
const EXCLUDED: u64 = 600 * 1_000_000 * 4096 + 0xFFFF;

/// Store clocks between May 1971 and September 2042 have it on, when they wrap.
const FIRST_BIT: u64 = 1 << 63;

const LRSNS: &str =
    "print the log map anew, and enter archives again with STRTLRSN and ENDLRSN where they lack LRSNs";

/// A data set of the log. An LRSN of zero is not known, or from before the queue manager was in a group.
#[derive(Debug, Clone, Copy)]
struct Row {
    range: RbaRange,
    lrsn: Lrsn,
}

/// What to do when a log was written after an LRSN, or does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Older {
    /// All of it is needed, and what was before is gone anyway.
    HoldAll,
    /// Log that is needed may be lost.
    Refuse,
}

/// The log of a member, by its log map.
#[derive(Debug)]
pub(crate) struct MemberLog<'s> {
    name: QueueManagerName,
    at: &'s Section,
    highest: Rba,
    /// In the order of their beginnings.
    rows: Vec<Row>,
}

/// Refuses an LRSN that does not compare with others.
pub(crate) fn check_lrsn(whose: &str, lrsn: Lrsn) -> Result<(), SiteError> {
    if lrsn == Lrsn::default() || lrsn.0 & FIRST_BIT != 0 {
        return Ok(());
    }
    let text = format!("{whose}: {lrsn} IS NO LRSN OF 1971 TO 2042");
    Err(SiteError::new("HWT924E", text, LRSNS))
}

impl<'s> MemberLog<'s> {
    /// The log of `name`, whose map stands at `at`.
    ///
    /// # Errors
    /// When its LRSNs fall, or are none.
    pub(crate) fn of(name: &QueueManagerName, at: &'s Section, map: &LogMap) -> Result<Self, SiteError> {
        let used = rows(map).filter(|row| !row.range().is_empty());
        let mut used: Vec<_> =
            used.map(|row| (row, row.lrsns.map(|[first, _]| first).unwrap_or_default())).collect();
        used.sort_by_key(|(row, lrsn)| (row.start, *lrsn));
        let mut last = Lrsn::default();
        for (row, lrsn) in used.iter().filter(|(_, lrsn)| *lrsn != Lrsn::default()) {
            let whose = format!("{name}: {}: {}", place(at), row.data_set);
            check_lrsn(&whose, *lrsn)?;
            if *lrsn < last {
                let text = format!("{whose} BEGINS AT LRSN {lrsn}, AND LOG BELOW IT AT {last}");
                return Err(SiteError::new("HWT924E", text, LRSNS));
            }
            last = *lrsn;
        }
        let rows = used.into_iter().map(|(row, lrsn)| Row { range: row.range(), lrsn }).collect();
        Ok(Self { name: name.clone(), at, highest: map.header.highest_written, rows })
    }

    /// Where the log begins that there is.
    pub(crate) fn lowest(&self) -> Rba {
        self.rows.first().map_or(Rba::ZERO, |row| row.range.start)
    }

    /// The highest RBA that its map says is written.
    pub(crate) fn highest(&self) -> Rba {
        self.highest
    }

    /// Its name, and where its map stands, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}: {}", self.name, place(self.at))
    }

    /// The rows whose LRSN is known.
    fn known(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.iter().filter(|row| row.lrsn != Lrsn::default())
    }

    /// The LRSN of a record at or below `rba`: of the first one of its data set, where that is known.
    ///
    /// # Errors
    /// When the record is in no data set, or no LRSN at or below it is known.
    pub(crate) fn lrsn_at(&self, rba: Rba, what: &str) -> Result<Lrsn, SiteError> {
        if !self.rows.iter().any(|row| row.range.contains(rba)) {
            let text = format!("{}: {rba}, {what}, IS IN NO DATA SET OF THE LOG MAP", self.place());
            let hint = "back the structure up, and print DISPLAY CFSTATUS and the log maps anew";
            return Err(SiteError::new("HWT918E", text, hint));
        }
        let below = self.known().filter(|row| row.range.start <= rba);
        below.map(|row| row.lrsn).max().ok_or_else(|| {
            let text = format!("{}: NO DATA SET AT OR BELOW {rba}, {what}, HAS AN LRSN", self.place());
            SiteError::new("HWT924E", text, LRSNS)
        })
    }

    /// From where on log is needed of what was written since `lrsn`, and in the time before that a backup leaves out.
    ///
    /// # Errors
    /// When the map has no LRSN, or begins behind `lrsn`, and that is to be refused.
    pub(crate) fn since(&self, lrsn: Lrsn, what: &str, older: Older) -> Result<Rba, SiteError> {
        let Some(first) = self.known().next() else {
            if older == Older::HoldAll {
                return Ok(self.lowest());
            }
            let text =
                format!("{}: NO DATA SET HAS AN LRSN, AND LOG IS NEEDED SINCE {lrsn} ({what})", self.place());
            return Err(SiteError::new("HWT924E", text, LRSNS));
        };
        let from = Lrsn(lrsn.0.saturating_sub(EXCLUDED));
        if let Some(decides) = self.known().filter(|row| row.lrsn <= from).map(|row| row.lrsn).max() {
            // Volumes of one archive may print the LRSNs of all of it.
            let of_it = self.known().filter(|row| row.lrsn == decides);
            return Ok(of_it.map(|row| row.range.start).min().unwrap_or(Rba::ZERO));
        }
        let lowest = self.lowest();
        // Rows without an LRSN below the first one that has one are from before the group, or were entered without: nothing says that
        // log is lost.
        let whole = lowest == Rba::ZERO || first.range.start > lowest || first.lrsn <= lrsn;
        if whole || older == Older::HoldAll {
            return Ok(lowest);
        }
        let text = format!(
            "{}: LOG BEGINS AT {lowest} WITH LRSN {}, AND IS NEEDED SINCE {lrsn} ({what})",
            self.place(),
            first.lrsn
        );
        let hint = "when the log inventory has wrapped (MAXARCH), enter the archives again with NEWLOG; else back the structure up";
        Err(SiteError::new("HWT918E", text, hint))
    }
}
