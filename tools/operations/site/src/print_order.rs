//! Whether listings were printed in the order in which they are given, and when, by the times that they print.
//!
//! Consoles, IDCAMS and CSQUTIL print local times of one system, so that they rise. A console may print the time of day alone: what lies
//! less than half a day ahead is later, everything else earlier. A log map prints its times in GMT (but not with TIME(RAW)), and one of
//! them in local time: SYSTEM TIMESTAMP, when the BSDS was changed last. After a stop that is beside its last checkpoint, which says how
//! far the two are apart.

use format_listing::{LogMap, PrintClock, Printed, Section};
use format_types::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use crate::calendar::{FURTHEST, Zone, utc};
use crate::error::SiteError;
use crate::gather::place;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// Zones are whole quarters of an hour from GMT.
const QUARTER: i64 = HOUR / 4;

const AGAIN: &str = "give the output of one backup, in the order in which it was printed";

/// Seconds from `earlier` to `later`, fractions left out: some print them, and some do not.
fn seconds(earlier: DateTime, later: DateTime) -> i64 {
    later.duration_since(earlier).as_secs()
}

fn whole_seconds(time: Time) -> Time {
    time.with().subsec_nanosecond(0).build().unwrap_or(time)
}

fn moment(clock: PrintClock) -> Option<DateTime> {
    clock.date.map(|date| date.to_datetime(whole_seconds(clock.time)))
}

/// The day of what is printed at `next`, if that is not earlier than `before`; none if neither of the two has one.
fn later(before: PrintClock, next: PrintClock) -> Result<Option<Date>, ()> {
    if let (Some(before), Some(next)) = (moment(before), moment(next)) {
        return if next < before { Err(()) } else { Ok(Some(next.date())) };
    }
    let (from, to) = (whole_seconds(before.time), whole_seconds(next.time));
    let passes_midnight = to < from;
    let ahead = to.duration_since(from).as_secs().rem_euclid(DAY);
    if ahead >= DAY / 2 {
        return Err(());
    }
    let day = before.date.map(|date| if passes_midnight { date.tomorrow().unwrap_or(date) } else { date });
    Ok(next.date.or(day))
}

/// Refuses sections whose times fall along their order.
pub(crate) fn check(sections: &[Section]) -> Result<(), SiteError> {
    let timed = sections.iter().filter_map(|section| Some((section, section.printed?)));
    let mut last: Option<(&Section, PrintClock)> = None;
    for (section, Printed { first, last: end }) in timed {
        for clock in [first, end] {
            let mut clock = clock;
            if let Some((before_at, before)) = last {
                clock.date = later(before, clock).map_err(|()| {
                    let text = format!(
                        "{}: IT WAS PRINTED AT {clock}, BEFORE {}, WHICH WAS PRINTED AT {before}",
                        place(section),
                        place(before_at)
                    );
                    SiteError::new("HWT920E", text, AGAIN)
                })?;
            }
            last = Some((section, clock));
        }
    }
    Ok(())
}

/// When `section` was printed, if it says the date: local.
pub(crate) fn dated(section: &Section) -> Option<DateTime> {
    moment(section.printed?.first)
}

/// Whether `earlier` is more than a day before `later`.
pub(crate) fn is_a_day_before(earlier: DateTime, later: DateTime) -> bool {
    seconds(earlier, later) > DAY
}

/// The first dated moment of `sections`: local, and where it stands.
pub(crate) fn first_moment<'s>(
    sections: impl IntoIterator<Item = &'s Section>,
) -> Option<(&'s Section, DateTime)> {
    sections.into_iter().find_map(|section| Some((section, dated(section)?)))
}

/// The day that a data set made by what was printed at `clock` has in the catalog at the earliest: its step may have begun before midnight.
pub(crate) fn earliest_day(clock: PrintClock) -> Option<Date> {
    let date = clock.date?;
    if clock.time.hour() == 0 { date.yesterday().ok() } else { Some(date) }
}

/// When a backup was made: as it was typed, or by what was printed first, in `zone`; else now.
///
/// # Errors
/// When what was typed and what was printed are more than a day apart, or the print is not of the last day and nothing says in which zone
/// its time is.
pub(crate) fn made_at(
    printed: Option<(&Section, DateTime)>,
    typed: Option<Timestamp>,
    zone: Option<&Zone>,
    now: Timestamp,
) -> Result<Timestamp, SiteError> {
    let Some((section, local)) = printed else {
        return Ok(typed.unwrap_or(now));
    };
    let refused = |why: &str, hint| {
        let text = format!("{}: IT WAS PRINTED ON {} AT {}{why}", place(section), local.date(), local.time());
        Err(SiteError::new("HWT920E", text, hint))
    };
    let at_of = |zone: &Zone| zone.timestamp(local);
    let civil = |at| utc(at).unwrap_or(local);
    if let Some(typed) = typed {
        let apart = zone.and_then(at_of).map_or_else(|| seconds(local, civil(typed)), |at| apart(at, typed));
        if apart.abs() > DAY {
            let hint = "leave --at out, and say with --time-zone in which zone the output was printed; or give the output of that day";
            return refused(&format!(", AND --at IS {} UTC", civil(typed)), hint);
        }
        return Ok(typed);
    }
    if let Some(at) = zone.and_then(at_of) {
        return if apart(now, at) > DAY {
            refused(", WHICH IS STILL TO COME", "look at the time zone, and at the clock of this machine")
        } else {
            Ok(at)
        };
    }
    // Local times of any zone: those of the last day.
    let ago = seconds(local, civil(now));
    if !(-FURTHEST..=DAY).contains(&ago) {
        let hint = "say in which zone, with --time-zone Europe/Berlin or --time-zone=+01:00; or when it was made, with --at";
        return refused(", AND NOTHING SAYS IN WHICH TIME ZONE", hint);
    }
    Ok(now)
}

/// Seconds from `earlier` to `later`.
fn apart(earlier: Timestamp, later: Timestamp) -> i64 {
    let micros = i128::from(later.0) - i128::from(earlier.0);
    i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX)
}

/// How far local time is ahead of that of `map`, which a stop ended: the BSDS was changed last, by local time, as its last checkpoint was
/// taken.
fn ahead(map: &LogMap, stopped: DateTime) -> Option<i64> {
    let newest = map.checkpoints.iter().flatten().max_by_key(|checkpoint| checkpoint.begin)?;
    let taken = newest.at?;
    let apart = seconds(taken.date.to_datetime(taken.time?), stopped);
    let ahead = (apart + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    ((apart - ahead).abs() <= MOST_SECONDS_OF_A_STOP).then_some(ahead)
}

/// Between the last checkpoint of a stop and the last change of the BSDS.
const MOST_SECONDS_OF_A_STOP: i64 = 300;

/// Why `maps` are not from before and from after what was printed at `copies`, or the copies from before the stop.
pub(crate) fn around(
    maps: [(&Section, &LogMap); 2],
    copies: &[Printed],
    zone: Option<&Zone>,
) -> Result<(), String> {
    let printed = |(section, map): (&Section, &LogMap)| {
        let at = map.printed.and_then(|at| Some(at.date.to_datetime(whole_seconds(at.time?))));
        at.ok_or_else(|| format!("{}: THE LOG MAP DOES NOT SAY WHEN IT WAS PRINTED", place(section)))
    };
    let [(one, map), (other, _)] = maps;
    let (before, after) = (printed(maps[0])?, printed(maps[1])?);
    if after <= before {
        return Err(format!(
            "{}: THE LOG MAP WAS PRINTED AT {after}, AND THE ONE AT {} AT {before}: THE SECOND ONE COMES LATER, AND IS NO COPY OF THE FIRST",
            place(other),
            place(one)
        ));
    }
    let begins = copies.iter().filter_map(|printed| moment(printed.first)).min();
    let ends = copies.iter().filter_map(|printed| moment(printed.last)).max();
    let (Some(begin), Some(end)) = (begins, ends) else {
        return Ok(());
    };
    let changed =
        map.header.system_timestamp.and_then(|at| Some(at.date.to_datetime(whole_seconds(at.time?))));
    let Some(stopped) = changed else {
        return Err(format!(
            "{}: THE LOG MAP HAS NO SYSTEM TIMESTAMP: NOTHING SAYS WHEN THE QUEUE MANAGER STOPPED",
            place(one)
        ));
    };
    if begin < stopped {
        return Err(format!(
            "A PAGE SET WAS COPIED AT {begin}, BEFORE THE QUEUE MANAGER STOPPED: ITS SYSTEM TIMESTAMP IS {stopped}"
        ));
    }
    // How far local time may be ahead of that of the maps, so that the copies lie between them.
    let (least, most) = (seconds(after, end), seconds(before, begin));
    let fits = |ahead: i64| (least..=most).contains(&ahead);
    let known = ahead(map, stopped).or_else(|| zone.and_then(|zone| zone.seconds_ahead(begin)));
    let any = match known {
        Some(ahead) => fits(ahead),
        None => (-FURTHEST / QUARTER..=FURTHEST / QUARTER).any(|quarters| fits(quarters * QUARTER)),
    };
    if any {
        return Ok(());
    }
    Err(format!(
        "THE PAGE SETS WERE COPIED FROM {begin} TO {end}, LOCAL TIME, AND THE LOG MAPS WERE PRINTED AT {before} AND {after}: NOT BEFORE AND AFTER THEM"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(date: Option<i8>, hour: i8, minute: i8) -> PrintClock {
        let date = date.map(|day| Date::constant(2026, 11, day));
        PrintClock { date, time: Time::constant(hour, minute, 0, 0) }
    }

    #[test]
    fn times_of_day_go_on_behind_midnight() {
        let day = |day| Some(Date::constant(2026, 11, day));
        for (before, next, wanted) in [
            (clock(Some(26), 9, 6), clock(Some(26), 9, 6), Ok(day(26))),
            (clock(Some(26), 9, 6), clock(Some(26), 9, 5), Err(())),
            (clock(Some(26), 9, 6), clock(Some(29), 4, 6), Ok(day(29))),
            (clock(Some(26), 23, 50), clock(None, 0, 10), Ok(day(27))),
            (clock(Some(26), 9, 6), clock(None, 9, 5), Err(())),
            (clock(None, 9, 6), clock(Some(27), 4, 46), Err(())),
            (clock(None, 23, 50), clock(Some(27), 0, 10), Ok(day(27))),
            (clock(None, 9, 6), clock(None, 9, 7), Ok(None)),
            (clock(None, 9, 6), clock(None, 21, 6), Err(())),
        ] {
            assert_eq!(later(before, next), wanted, "{before} {next}");
        }
    }
}
