//! What becomes of archives that are kept: the log inventory drops them, the catalog lets them expire.

use std::collections::HashMap;

use format_inventory::{LogKind, Plan};
use format_listing::{CatalogDate, LogRow};
use format_types::{Rba, Timestamp};
use jiff::civil::Date;

use crate::calendar::day;
use crate::catalog::Catalogs;
use crate::gather::Listings;

/// An archive that is kept expires within so many days, or has expired: it is reported then.
const NOTICE_DAYS: i32 = 7;

/// Expiration dates that say never: 1999.365, as ARCRETN=9999 may give it. A calendar does not have 1999.366.
const NEVER: CatalogDate = CatalogDate { year: 1999, day: 365 };

/// What is known of the time to come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outlook {
    /// MAXARCH: volumes that the inventory holds of each copy.
    capacity: Option<u64>,
    copies: Vec<Copy>,
    /// Days on which archives expire, by their names.
    expires: HashMap<String, Date>,
}

/// The volumes of a copy.
#[derive(Debug, Clone)]
struct Copy {
    /// Their last RBAs, ascending.
    ends: Vec<Rba>,
    /// How many were entered, and in how many days.
    rate: Option<(u64, u64)>,
}

/// Archives that are kept and expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// The one that expires first.
    pub name: String,
    /// When.
    pub on: Date,
    /// How many there are.
    pub count: usize,
}

fn rate<'r>(rows: impl Iterator<Item = &'r LogRow> + Clone) -> Option<(u64, u64)> {
    let entered = rows.filter_map(|row| row.entered).map(|entered| entered.date);
    let (first, last) = (entered.clone().min()?, entered.clone().max()?);
    let days = u64::try_from(last.since(first).ok()?.get_days()).ok().filter(|days| *days > 0)?;
    // Those of the first day may be cut off by the beginning of the inventory.
    Some((entered.filter(|date| *date > first).count() as u64, days))
}

impl Outlook {
    pub(crate) fn of(listings: &Listings<'_>, catalogs: &Catalogs<'_>) -> Self {
        let copies = listings.map.archives.iter().map(|volumes| {
            let rows = volumes.iter().map(|volume| &volume.row);
            let mut ends: Vec<Rba> = rows.clone().map(|row| row.last).collect();
            ends.sort_unstable();
            Copy { ends, rate: rate(rows) }
        });
        let copies = copies.collect();
        let capacity = listings.max_archives;
        if catalogs.has_no_entries() {
            return Self { capacity, copies, expires: HashMap::new() };
        }
        let names = listings.map.archives.iter().flatten().map(|volume| &volume.row.data_set);
        let expires = names.filter_map(|name| {
            let date = catalogs.expires(name).filter(|date| *date != NEVER)?.date()?;
            Some((name.as_str().to_owned(), date))
        });
        Self { capacity, copies, expires: expires.collect() }
    }

    /// Days until the inventory drops an entry that is kept, when log is kept from `boundary`; none when MAXARCH or the rate of archiving
    /// is not known.
    pub(crate) fn days_left(&self, boundary: Option<Rba>) -> Option<u64> {
        let capacity = self.capacity?;
        let days = self.copies.iter().filter_map(|copy| {
            let before = copy.ends.partition_point(|end| boundary.is_some_and(|boundary| *end < boundary));
            let room = capacity.saturating_sub((copy.ends.len() - before) as u64);
            let (entered, days) = copy.rate.filter(|(entered, _)| *entered > 0)?;
            Some(room.saturating_mul(days) / entered)
        });
        days.min()
    }

    /// The archives that `plan` keeps and that expire soon.
    pub(crate) fn expiring(&self, plan: &Plan<'_>, at: Timestamp) -> Option<Expiring> {
        if self.expires.is_empty() {
            return None;
        }
        let until = day(at)?.checked_add(jiff::Span::new().days(NOTICE_DAYS)).ok()?;
        let kept = plan.keep.iter().filter(|entry| entry.kind == LogKind::Archive);
        let soon = kept.filter_map(|entry| {
            let on = *self.expires.get(&*entry.name)?;
            (on <= until).then_some((on, &*entry.name))
        });
        let (on, name) = soon.clone().min()?;
        Some(Expiring { name: name.to_owned(), on, count: soon.count() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_are_those_until_a_kept_entry_is_dropped() {
        let ends: Vec<Rba> = (1..=100).map(|number| Rba(number * 0x1000 - 1)).collect();
        let outlook = |capacity, rate| Outlook {
            capacity,
            copies: vec![Copy { ends: ends.clone(), rate }],
            ..Outlook::default()
        };
        // 40 entries are kept, 60 more fit, 20 are made a day.
        let left = outlook(Some(100), Some((200, 10))).days_left(Some(Rba(60 * 0x1000)));
        assert_eq!(left, Some(3));
        assert_eq!(outlook(Some(100), Some((200, 10))).days_left(None), Some(0));
        assert_eq!(outlook(None, Some((200, 10))).days_left(None), None);
        assert_eq!(outlook(Some(500), None).days_left(None), None);
    }
}
