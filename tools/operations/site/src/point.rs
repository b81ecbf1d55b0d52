//! Points of the ledger, and whether they count.

use std::ops::RangeInclusive;

use format_inventory::{Evidence, LedgerPoint, Part, Point, PointPageSet, RecordedParts, WarningEntry};
use format_listing::RestartField;
use format_types::{DataSetName, Lrsn, PointMethod, PointState, Rba};
use jiff::civil::Date;

use crate::calendar::day;
use crate::catalog::{Catalogs, Existence};
use crate::document::HISTORY;
use crate::gather::Listings;

/// An archive is entered into the log inventory when its log is full, or ARCHIVE LOG asks for it, as it is at the end of a backup: no more
/// than so many days after a point that its log is of.
const LATE_DAYS: i32 = 7;

/// Times of log maps are local: so many days on either side may be the same.
const ZONE_DAYS: i32 = 1;

impl Listings<'_> {
    /// Why the log of a point may be log that a conditional restart gave up: it was made before that, and ends behind where the
    /// restart cut.
    fn cut_off(&self, point: &LedgerPoint, made: Option<Date>) -> Option<String> {
        self.map.restarts.iter().find_map(|record| {
            let field = |label: &str| record.fields.iter().find(|(known, _)| *known == label).map(|(_, field)| field);
            let by_rba = record.end_rba().filter(|end| *end != Rba::ZERO && point.end >= *end);
            let by_lrsn = match field("ENDLRSN") {
                // All ones, in either width, cut nothing.
                Some(RestartField::Lrsn(lrsn)) if *lrsn != Lrsn::default() && lrsn.0 >> 16 != u64::MAX >> 16 => {
                    Some(*lrsn)
                }
                _ => None,
            };
            if by_rba.is_none() && by_lrsn.is_none() {
                return None;
            }
            let created = match field("CRCR CREATED") {
                Some(RestartField::Time(created)) => Some(created.date),
                _ => None,
            };
            let after = match (made, created) {
                (Some(made), Some(created)) => {
                    made.since(created).is_ok_and(|span| span.get_days() > ZONE_DAYS)
                }
                _ => false,
            };
            let at = by_rba.map(|end| end.to_string()).or(by_lrsn.map(|lrsn| lrsn.to_string()))?;
            (!after).then(|| format!("a conditional restart has cut the log at {at}, and the point ends behind that; make a new one"))
        })
    }

    /// Why the log of a point may be another one at the same RBAs: what holds it was archived long after the point was made.
    fn later_log(&self, point: &LedgerPoint, made: Option<Date>) -> Option<String> {
        let made = made?;
        let rows = self.map.archives.iter().flatten().map(|volume| &volume.row);
        let mut holding = rows.filter(|row| row.range().contains(point.start)).peekable();
        let first = holding.peek().map(|row| row.data_set.to_string())?;
        let late = |date: Date| date.since(made).is_ok_and(|span| span.get_days() > LATE_DAYS);
        let all_late = holding.all(|row| row.entered.is_some_and(|entered| late(entered.date)));
        all_late.then(|| {
            format!(
                "{first}, which holds its log, was entered more than {LATE_DAYS} days after it; it is of other log, or its time is wrong"
            )
        })
    }

    /// `point` as an inventory has it; why it counts for nothing, or for what reason it does, is among the warnings.
    pub(crate) fn point(
        &self,
        point: &LedgerPoint,
        catalogs: &Catalogs<'_>,
        warnings: &mut Vec<WarningEntry>,
    ) -> Point {
        let copies = || point.page_sets.iter().map(|set| (set, set.copy.parse::<DataSetName>()));
        let existence = |name: &Result<DataSetName, _>| match name {
            Ok(name) => catalogs.existence(name),
            Err(_) => Existence::Unknown,
        };
        let gone = copies().find(|(_, name)| existence(name) == Existence::Absent);
        let made = day(point.at);
        let days = days_of_copies(point);
        let listed = copies().all(|(_, name)| name.is_ok_and(|name| catalogs.proves(&name, days.as_ref())));
        let doubt = self.cut_off(point, made).or_else(|| self.later_log(point, made));
        let mut warn = |id: &str, text: String| warnings.push(WarningEntry { id: id.to_owned(), text });
        let state = match (gone, point.evidence) {
            (Some((set, _)), _) => {
                let text = format!(
                    "POINT {} HAS EXPIRED: {}, THE COPY OF PAGE SET {}, IS NOT IN THE CATALOG; it counts for nothing",
                    point.name, set.copy, set.psid
                );
                warn("HWT904W", text);
                PointState::Damaged
            }
            (None, _) if let Some(why) = doubt => {
                warn("HWT925W", format!("POINT {} COUNTS FOR NOTHING: {why}", point.name));
                PointState::Unverified
            }
            (None, Evidence::Clean) => PointState::Verified,
            (None, Evidence::Trusted) => {
                let text = format!(
                    "POINT {} COUNTS BECAUSE IT WAS REGISTERED WITH --trust: the output of its job does not show all of it",
                    point.name
                );
                warn("HWT905W", text);
                PointState::Verified
            }
            (None, Evidence::None) if listed => PointState::Verified,
            (None, Evidence::None) => {
                let text = format!(
                    "POINT {} COUNTS FOR NOTHING: no output shows that its copies are whole, and no complete LISTCAT has all of them, made when it was",
                    point.name
                );
                warn("HWT906W", text);
                PointState::Unverified
            }
        };
        let from = point.restart.lowest();
        let holder = match point.method {
            PointMethod::Full if point.restart.online == from => "the stop's checkpoint",
            _ if point.restart.with_offline < point.restart.online => "CSQI025I",
            _ => "CSQI024I",
        };
        Point {
            name: point.name.clone(),
            method: point.method,
            state,
            at: point.at,
            history: HISTORY.to_owned(),
            start: point.start,
            end: point.end,
            page_sets: point
                .page_sets
                .iter()
                .map(|set| PointPageSet { psid: set.psid, recovery_rba: from })
                .collect(),
            system_recovery: RecordedParts {
                page_sets: Some(Part { rba: from, holder: format!("{holder} when it was made") }),
                structures: None,
                units: None,
            },
        }
    }
}

/// The local days on which the copies of `point` may have been made: that of its output and the next one; where that is not known, those
/// around it.
fn days_of_copies(point: &LedgerPoint) -> Option<RangeInclusive<Date>> {
    let printed = point.printed_on.as_ref().and_then(|day| day.parse::<Date>().ok());
    let (first, made) = match printed {
        Some(day) => (Some(day), day),
        None => day(point.at).map(|day| (day.yesterday().ok(), day))?,
    };
    Some(first?..=made.tomorrow().ok()?)
}
