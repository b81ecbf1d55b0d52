//! The plan as text.

use console::{format_size, format_time};
use format_inventory::{HolderEntry, KeepEntry, LogKind, Plan};
use format_types::Rba;
use operation_inventory::Gone;
use operation_retention::{Changed, Difference};

/// Data sets of a copy that follow each other and have the same lot.
struct Run<'a> {
    history: &'a str,
    start: Rba,
    end: Rba,
    first: &'a str,
    last: &'a str,
    count: u64,
    bytes: u64,
}

impl<'a> Run<'a> {
    fn new(history: &'a str, start: Rba, end: Rba, name: &'a str, bytes: u64) -> Self {
        Self { history, start, end, first: name, last: name, count: 1, bytes }
    }

    /// Takes the next data set in, when it follows.
    fn follow(&mut self, next: &Self) -> bool {
        let follows = self.history == next.history && self.end.plus(1) == next.start;
        if follows {
            (self.end, self.last) = (next.end, next.last);
            self.count += 1;
            self.bytes += next.bytes;
        }
        follows
    }

    fn line(&self, copy: u8) -> String {
        let names = if self.count == 1 {
            self.first.to_owned()
        } else {
            format!("{} data sets, {} to {}", self.count, self.first, self.last)
        };
        format!(
            "  copy {copy}  history {}  {}..{}  {:>9}  {names}",
            self.history,
            self.start,
            self.end,
            format_size(self.bytes)
        )
    }
}

/// A holder, as a line.
pub(crate) fn holder(entry: &HolderEntry) -> String {
    let to = entry.to.map(|to| format!(" to {to}")).unwrap_or_default();
    format!("    {:6} from {}{to}: {}", entry.kind.name(), entry.from, entry.what)
}

/// The whole plan.
pub(crate) fn plan(plan: &Plan<'_>) -> Vec<String> {
    let totals = &plan.totals;
    let policy = if plan.policy.is_empty() { "none".to_owned() } else { plan.policy.join(" ") };
    let mut lines = vec![
        format!("RETENTION PLAN OF {} FOR {}", plan.queue_manager, format_time(plan.at)),
        format!("policy: {policy}"),
        match (&plan.boundary, &plan.boundary_holder) {
            (Some(rba), Some(holder)) => format!("log is kept from {rba}: {holder}"),
            (Some(rba), None) => format!("log is kept from {rba}"),
            (None, _) => "nobody holds any log".to_owned(),
        },
        format!(
            "delete {} archives, {}; keep {} archives, {}, and {} active logs",
            totals.delete_data_sets,
            format_size(totals.delete_bytes),
            totals.keep_archives,
            format_size(totals.keep_bytes),
            totals.active_data_sets
        ),
    ];
    points(plan, &mut lines);
    delete(plan, &mut lines);
    keep(plan, &mut lines);
    rest(plan, &mut lines);
    lines
}

fn points(plan: &Plan<'_>, lines: &mut Vec<String>) {
    if plan.points.is_empty() {
        return;
    }
    let width = plan.points.iter().map(|point| point.name.len()).max().unwrap_or(0).max(4);
    lines.push(String::new());
    lines.push("RECOVERY POINTS, newest first".to_owned());
    lines.push(format!(
        "  {:width$}  KEPT  METHOD  STATE       NEEDED FROM       KEPT FROM         WHY",
        "NAME"
    ));
    for point in &plan.points {
        let kept = if point.kept { "yes" } else { "no" };
        let missing = if point.recoverable { "" } else { " (log is missing)" };
        lines.push(format!(
            "  {:width$}  {kept:4}  {:6}  {:10}  {}  {}  {}{missing}",
            point.name,
            point.method,
            point.state,
            point.needed_from,
            point.kept_from,
            point.because.join(", ")
        ));
    }
}

fn copies(plan: &Plan<'_>) -> Vec<u8> {
    let keep = plan.keep.iter().map(|entry| entry.copy);
    let mut copies: Vec<u8> = keep.chain(plan.delete.iter().map(|entry| entry.copy)).collect();
    copies.sort_unstable();
    copies.dedup();
    copies
}

fn delete(plan: &Plan<'_>, lines: &mut Vec<String>) {
    if plan.delete.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push("DELETE".to_owned());
    for copy in copies(plan) {
        let mut run: Option<Run<'_>> = None;
        for entry in plan.delete.iter().filter(|entry| entry.copy == copy) {
            let next = Run::new(&entry.history, entry.start, entry.end, &entry.name, entry.bytes);
            if !run.as_mut().is_some_and(|run| run.follow(&next)) {
                lines.extend(run.replace(next).map(|done| done.line(copy)));
            }
        }
        lines.extend(run.map(|done| done.line(copy)));
    }
}

/// Archives that are deleted, in stretches.
pub(crate) fn gone(deleted: &[Gone]) -> Vec<String> {
    let mut lines = Vec::new();
    for copy in 1..=2 {
        let mut run: Option<Run<'_>> = None;
        for entry in deleted.iter().filter(|entry| entry.copy == copy) {
            let next = Run::new(&entry.history, entry.start, entry.end, &entry.name, entry.bytes);
            if !run.as_mut().is_some_and(|run| run.follow(&next)) {
                lines.extend(run.replace(next).map(|done| done.line(copy)));
            }
        }
        lines.extend(run.map(|done| done.line(copy)));
    }
    lines
}

fn keep(plan: &Plan<'_>, lines: &mut Vec<String>) {
    lines.push(String::new());
    lines.push("KEEP".to_owned());
    let same = |a: &KeepEntry<'_>, b: &KeepEntry<'_>| {
        a.holders.is_same(&b.holders) && a.released_by.is_same(&b.released_by)
    };
    for copy in copies(plan) {
        let mut run: Option<(Run<'_>, &KeepEntry<'_>)> = None;
        let mut done = |(run, entry): (Run<'_>, &KeepEntry<'_>)| {
            lines.push(run.line(copy));
            if entry.kind == LogKind::Active {
                lines.push("    active log: never deleted".to_owned());
                return;
            }
            lines.extend(entry.holders.iter().map(holder));
            if entry.more_holders > 0 {
                lines.push(format!("    and {} more", entry.more_holders));
            }
            if !entry.released_by.is_empty() {
                lines.push(format!("    goes after: {}", entry.released_by.join("; ")));
            }
        };
        for entry in plan.keep.iter().filter(|entry| entry.copy == copy) {
            let next = Run::new(&entry.history, entry.start, entry.end, &entry.name, entry.bytes);
            let active = entry.kind == LogKind::Active;
            let followed = run.as_mut().is_some_and(|(run, first)| {
                (same(first, entry) || active && first.kind == LogKind::Active) && run.follow(&next)
            });
            if !followed && let Some(finished) = run.replace((next, entry)) {
                done(finished);
            }
        }
        if let Some(finished) = run {
            done(finished);
        }
    }
}

fn rest(plan: &Plan<'_>, lines: &mut Vec<String>) {
    if !plan.absent.is_empty() {
        lines.push(String::new());
        lines.push(format!("NOT THERE: {} data sets of the inventory", plan.absent.len()));
    }
    if !plan.gaps.is_empty() {
        lines.push(String::new());
        lines.push("MISSING LOG".to_owned());
        for gap in &plan.gaps {
            let destroys = if gap.destroys.is_empty() {
                String::new()
            } else {
                format!("  destroys {}", gap.destroys.join(", "))
            };
            lines.push(format!("  history {}  {}..{}{destroys}", gap.history, gap.start, gap.end));
        }
    }
    if !plan.actions.is_empty() {
        lines.push(String::new());
        lines.push("WHAT WOULD LET MORE GO".to_owned());
        for action in &plan.actions {
            let size = format_size(action.bytes);
            lines.push(format!("  {}: {} archives, {size}", action.action, action.data_sets));
        }
    }
}

/// What differs from another plan.
pub(crate) fn difference(difference: &Difference) -> Vec<String> {
    let rba = |rba: Option<Rba>| rba.map_or_else(|| "nothing".to_owned(), |rba| rba.to_string());
    let mut lines = vec![format!(
        "log is kept from {}, before from {}",
        rba(difference.boundary_now),
        rba(difference.boundary_before)
    )];
    let mut names = |what: &str, names: &[String]| {
        if !names.is_empty() {
            lines.push(format!("recovery points {what}: {}", names.join(", ")));
        }
    };
    names("no longer kept", &difference.points_given_up);
    names("kept now", &difference.points_taken_up);
    let mut changed = |what: &str, list: &[Changed]| {
        for change in list {
            let holder = change.holder.as_ref().map(|holder| format!("  {holder}")).unwrap_or_default();
            lines.push(format!(
                "{what}  copy {}  {}..{}  {}{holder}",
                change.copy, change.start, change.end, change.name
            ));
        }
    };
    changed("delete now", &difference.now_deleted);
    changed("keep now  ", &difference.now_kept);
    lines.push(format!("{} data sets are new, {} are gone", difference.new, difference.gone));
    lines
}
