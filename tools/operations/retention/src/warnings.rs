//! What somebody should look at.

use format_inventory::{GapEntry, Totals, WarningEntry, format_time};
use format_types::{Rba, Timestamp};

use crate::decide::Verdict;
use crate::evaluation::Evaluation;
use crate::plan::{Planned, is_whole};
use crate::policy::Span;

/// Log data sets of copy 1 that a unit of recovery may begin before.
const UNIT_LOGS: usize = 3;
/// Names that are listed in one warning.
const NAMES: usize = 5;
const HOUR: u128 = 3_600_000_000;
const MINUTE: u128 = HOUR / 60;
/// Log that will be full within this many hours is near its end.
const YEAR_OF_HOURS: u128 = 365 * 24;
/// What was written in less time than this says nothing of an hour.
const LEAST_TIME: u128 = HOUR / 6;

struct Warnings(Vec<WarningEntry>);

impl Warnings {
    fn say(&mut self, id: &str, text: String) {
        self.0.push(WarningEntry { id: id.to_owned(), text });
    }
}

/// Some names, and how many more there are.
fn some<'n>(names: impl Iterator<Item = &'n str>) -> Option<(usize, String)> {
    let mut count = 0;
    let mut listed = Vec::new();
    for name in names {
        if listed.len() < NAMES {
            listed.push(name);
        }
        count += 1;
    }
    let more =
        if count > listed.len() { format!(" and {} more", count - listed.len()) } else { String::new() };
    (count > 0).then(|| (count, format!("{}{more}", listed.join(", "))))
}

/// All warnings of a plan.
pub(crate) fn warnings(
    planned: &Planned<'_, '_>,
    totals: &Totals,
    gaps: &[GapEntry],
    more_gaps: usize,
    over: bool,
) -> Vec<WarningEntry> {
    let mut warnings = Warnings(Vec::new());
    let evaluation = planned.evaluation;
    of_policy(evaluation, totals, over, &mut warnings);
    of_points(evaluation, &mut warnings);
    for gap in gaps.iter().take(NAMES) {
        let destroyed = if gap.destroys.is_empty() {
            String::new()
        } else {
            format!(": recovery points that need it: {}", gap.destroys.join(", "))
        };
        let by =
            if gap.needed_by.is_empty() { String::new() } else { format!("; {}", gap.needed_by.join(", ")) };
        let text = format!(
            "LOG FROM {} TO {} OF HISTORY {} IS IN NO DATA SET{destroyed}{by}; bring its archive back",
            gap.start, gap.end, gap.history
        );
        warnings.say("HWT802W", text);
    }
    let more = more_gaps + gaps.len().saturating_sub(NAMES);
    if more > 0 {
        warnings.say("HWT802W", format!("{more} MORE GAPS: the plan document lists them"));
    }
    of_data_sets(planned, &mut warnings);
    of_today(evaluation, &mut warnings);
    of_rates(evaluation, &mut warnings);
    warnings.0
}

fn of_policy(evaluation: &Evaluation<'_>, totals: &Totals, over: bool, warnings: &mut Warnings) {
    let inventory = evaluation.inventory;
    if evaluation.policy.is_empty() {
        warnings.say(
            "HWT812W",
            "NO POLICY IS GIVEN: nothing is deleted; --keep-last 2 is a beginning".to_owned(),
        );
    } else if evaluation.needs.no_point {
        let text =
            "NO SOUND RECOVERY POINT IS KEPT: nothing is deleted; make a verified one, or widen the policy";
        warnings.say("HWT813W", text.to_owned());
    }
    for psid in evaluation.needs.uncovered.iter().filter(|_| !evaluation.needs.no_point) {
        let text = format!(
            "PAGE SET {psid} IS IN NO SOUND RECOVERY POINT THAT IS KEPT: all log since it was created is; back it up"
        );
        warnings.say("HWT814W", text);
    }
    if over {
        let text = format!(
            "{} OF {} ARCHIVES WOULD GO, {} PERCENT: more than --max-delete {} allows to be deleted at once",
            totals.delete_data_sets,
            totals.delete_data_sets + totals.keep_archives,
            totals.delete_percent,
            evaluation.policy.max_delete_percent()
        );
        warnings.say("HWT815W", text);
    }
    let points: Vec<_> = inventory.points.iter().map(|point| point.name.as_str()).collect();
    for hold in &inventory.holds {
        if !points.contains(&hold.point.as_str()) {
            let text =
                format!("THE HOLD ON {} ({}) HOLDS NOTHING: there is no such point", hold.point, hold.reason);
            warnings.say("HWT816W", text);
        }
    }
    let unknown = evaluation.needs.unknown_margins.iter();
    let name = |place: &usize| inventory.points[evaluation.points[*place].place].name.as_str();
    if let Some((_, names)) = some(unknown.map(name)) {
        let text = format!(
            "FEWER CHECKPOINTS ARE KNOWN BEFORE {names} THAN --margin {} COUNTS: all log before is kept",
            evaluation.policy.margin().unwrap_or_default()
        );
        warnings.say("HWT817W", text);
    }
}

fn of_points(evaluation: &Evaluation<'_>, warnings: &mut Warnings) {
    let inventory = evaluation.inventory;
    let both = evaluation.points.iter().zip(&evaluation.kept);
    let broken = both.filter(|(view, keeps)| keeps.any() && !view.damaged && !is_whole(view, keeps));
    if let Some((_, names)) = some(broken.map(|(view, _)| inventory.points[view.place].name.as_str())) {
        let text =
            format!("RECOVERY POINTS ARE KEPT AND CAN NO LONGER BE RECOVERED, log is missing: {names}");
        warnings.say("HWT801W", text);
    }
    if !evaluation.points.iter().any(|view| view.full && view.is_sound()) {
        let text = "THERE IS NO SOUND FULL RECOVERY POINT: every recovery needs log from before its point";
        warnings.say("HWT806W", text.to_owned());
    }
}

fn of_data_sets(planned: &Planned<'_, '_>, warnings: &mut Warnings) {
    let logs = planned.evaluation.logs;
    let named = |wanted: &dyn Fn(Verdict) -> bool| {
        let rows = logs.rows.iter().zip(&planned.verdicts.of).filter(|(_, verdict)| wanted(**verdict));
        some(rows.map(|(row, _)| &*planned.data_set(row).name))
    };
    if let Some((count, names)) = named(&|verdict| matches!(verdict, Verdict::Absent { .. })) {
        warnings.say("HWT803W", format!("{count} DATA SETS OF THE INVENTORY ARE NOT THERE: {names}"));
    }
    if let Some((count, names)) = named(&|verdict| verdict == Verdict::Unregistered) {
        let text = format!("{count} DATA SETS ARE IN NO INVENTORY, and are never deleted: {names}");
        warnings.say("HWT804W", text);
    }
    let differ = logs.rows.windows(2).filter_map(|pair| match pair {
        [a, b] => {
            let same = a.history == b.history && a.range.start == b.range.start && a.copy != b.copy;
            let archives = !a.active && !b.active && a.registered && b.registered && a.present && b.present;
            (same && archives && (a.range != b.range || a.bytes != b.bytes)).then_some(a)
        }
        _ => None,
    });
    if let Some((count, names)) = some(differ.map(|row| &*planned.data_set(row).name)) {
        warnings
            .say("HWT805W", format!("{count} ARCHIVES DIFFER FROM THEIR OTHER COPY: {names}; compare them"));
    }
    let line = logs.lines.current;
    let abandoned = logs.rows.iter().zip(&planned.verdicts.of).filter(|(row, verdict)| {
        let limit = logs.lines.limit(line, usize::from(row.history));
        **verdict == Verdict::Delete && row.range.start >= limit
    });
    if let Some((count, names)) = some(abandoned.map(|(row, _)| &*planned.data_set(row).name)) {
        let text = format!(
            "{count} ARCHIVES OF ABANDONED LOG GO: {names}; a hold on a point of that log keeps them"
        );
        warnings.say("HWT818W", text);
    }
}

fn of_today(evaluation: &Evaluation<'_>, warnings: &mut Warnings) {
    let (inventory, logs) = (evaluation.inventory, evaluation.logs);
    for unit in &inventory.now.units {
        let newer = logs.rows.iter().rev().filter(|row| {
            let on_line = logs.lines.limit(logs.lines.current, usize::from(row.history)) > row.range.start;
            row.copy == 1 && on_line && row.range.start > unit.from()
        });
        if newer.take(UNIT_LOGS).count() == UNIT_LOGS {
            let text = format!(
                "UNIT OF RECOVERY {} ({}) BEGAN {UNIT_LOGS} LOGS AGO OR MORE: end it; a restart reads all log since",
                unit.urid, unit.state
            );
            warnings.say("HWT807W", text);
        }
    }
    for set in inventory.now.page_sets.iter().filter(|set| !set.online) {
        let text = format!(
            "PAGE SET {} IS OFFLINE: it holds log from {} on until it is back",
            set.psid, set.recovery_rba
        );
        warnings.say("HWT808W", text);
    }
    for structure in inventory.now.structures.iter().filter(|structure| structure.rba.is_none()) {
        let text = format!("STRUCTURE {} WAS NEVER BACKED UP: it holds all log; back it up", structure.name);
        warnings.say("HWT809W", text);
    }
}

/// Bytes of log written in an hour: as the inventory says, else between its recovery points.
fn log_rate(evaluation: &Evaluation<'_>) -> Option<u64> {
    if let Some(rate) = evaluation.inventory.now.rates.and_then(|rates| rates.log_bytes_per_hour) {
        return Some(rate);
    }
    let mut on_line = evaluation.points.iter().filter(|view| view.on_line);
    let (newest, oldest) = (on_line.next()?, on_line.next_back()?);
    let micros = u128::from(newest.at.0.saturating_sub(oldest.at.0));
    let bytes = u128::from(newest.end.since(oldest.end));
    if micros < LEAST_TIME {
        return None;
    }
    u64::try_from((bytes * HOUR).checked_div(micros)?).ok()
}

fn of_rates(evaluation: &Evaluation<'_>, warnings: &mut Warnings) {
    let now = &evaluation.inventory.now;
    let limit = now.rba_limit.unwrap_or(Rba::MAX);
    let left = limit.since(now.log_end);
    let rate = log_rate(evaluation);
    if let Some(rate) = rate.filter(|rate| *rate > 0) {
        let hours = u128::from(left) / u128::from(rate);
        if hours < YEAR_OF_HOURS {
            let at = u128::from(evaluation.at.0) + hours * HOUR;
            let at = Timestamp(u64::try_from(at).unwrap_or(u64::MAX));
            let text = format!(
                "THE RBA RANGE ENDS AT {limit} AND IS USED UP ABOUT {} AT THE PRESENT RATE, {rate} bytes an hour: plan a reset",
                format_time(at)
            );
            warnings.say("HWT810W", text);
        }
    }
    if let Some(within) = evaluation.policy.restart_within {
        overdue(evaluation, within, rate, warnings);
    }
}

/// IBM's planning formula: backup interval (h) = restart time wanted (s) x log read rate (bytes/s) / log write rate (bytes/h).
fn overdue(evaluation: &Evaluation<'_>, within: Span, written: Option<u64>, warnings: &mut Warnings) {
    let Some(newest) = evaluation.points.iter().find(|view| view.is_sound()) else {
        let text = format!(
            "A BACKUP IS OVERDUE: there is no sound recovery point to restart from within {within}; make one"
        );
        warnings.say("HWT811W", text);
        return;
    };
    let read = evaluation.inventory.now.rates.and_then(|rates| rates.recovery_bytes_per_second);
    let (Some(written), Some(read)) = (written, read) else {
        let missing = match (written, read) {
            (None, None) => "neither how fast log is written nor how fast it is read",
            (None, Some(_)) => "only how fast log is read",
            (Some(_), _) => "only how fast log is written",
        };
        let text = format!(
            "WHETHER A BACKUP IS OVERDUE FOR A RESTART WITHIN {within} CANNOT BE SAID: {missing} is known; ask again once more log is written"
        );
        warnings.say("HWT819W", text);
        return;
    };
    // Where nothing is written, no backup grows old.
    let interval = (u128::from(within.micros) * u128::from(read) * 3_600).checked_div(u128::from(written));
    let age = u128::from(evaluation.at.0.saturating_sub(newest.at.0));
    if let Some(interval) = interval.filter(|interval| age > *interval) {
        let text = format!(
            "A BACKUP IS OVERDUE: the newest sound one, {}, is {} old; to restart within {within} one is due every {}, \
             for log is written at {written} bytes an hour and read at {read} bytes a second",
            evaluation.inventory.points[newest.place].name,
            time(age),
            time(interval)
        );
        warnings.say("HWT811W", text);
    }
}

/// A time in the unit in which it can be read.
fn time(micros: u128) -> String {
    let (unit, size) = match micros {
        HOUR.. => ("hours", HOUR),
        MINUTE.. => ("minutes", MINUTE),
        _ => ("seconds", MINUTE / 60),
    };
    format!("{:.1} {unit}", micros as f64 / size as f64)
}
