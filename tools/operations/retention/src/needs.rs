//! What holds log: every need and every rule, as ranges of the lines.

use format_inventory::{HolderEntry, HolderKind, InProgressKind, Inventory};
use format_types::{PageSetId, Rba, RbaRange};

use crate::InventoryError;
use crate::logs::Logs;
use crate::planted::{self, Defect};
use crate::points::{PageSets, PointView};
use crate::policy::Policy;
use crate::selection::Keeps;

/// Complete checkpoints that a restart needs.
pub(crate) const RESTART_CHECKPOINTS: u32 = 2;

/// Part of a point's needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PointPart {
    /// Its page sets.
    PageSets,
    /// The units of recovery that were active.
    Units,
    /// What structures needed when it was made.
    Structures,
    /// Checkpoints before it.
    Margin,
    /// Checkpoints before it that nobody knows.
    UnknownMargin,
}

/// Who holds log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// No policy was given.
    NoPolicy,
    /// No sound point is kept.
    NoPoint,
    /// No sound full point is there to go back to.
    NoFull,
    /// A page set that no kept point covers.
    Uncovered(PageSetId),
    /// A kept point; its place among the points, newest first.
    Point(usize, PointPart),
    /// A restart today: a page set, by its place.
    PageSet(usize),
    /// A restart today: a unit of recovery, by its place.
    Unit(usize),
    /// A restart today: this complete checkpoint from the newest, 1 the newest.
    Checkpoint(u32),
    /// A structure today, by its place.
    Structure(usize),
    /// A backup or recovery under way, by its place.
    InProgress(usize),
}

impl Subject {
    /// Whether it is about kept points, so that copy 2 need not have it where copy 1 is verified.
    fn is_of_points(self) -> bool {
        matches!(self, Self::Point(..))
    }
}

/// Who holds log, why, and which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) kind: HolderKind,
    pub(crate) subject: Subject,
    pub(crate) range: RbaRange,
}

/// Log of one history that a holder holds.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    range: RbaRange,
    holder: u32,
}

/// Everything that is held in one history, ready to be asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    /// By first RBA.
    stretches: Vec<Stretch>,
    /// Ends of the stretches, in order.
    ends: Vec<Rba>,
    /// All of them joined, in order.
    pub(crate) joined: Vec<RbaRange>,
}

/// Which of the holders meet a data set, as two counts that rise along the log: data sets with equal ones have equal holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Meeting {
    begun: u32,
    ended: u32,
}

impl Meeting {
    /// How many holders there are.
    pub(crate) fn count(self) -> usize {
        (self.begun - self.ended) as usize
    }
}

/// Where in [`Held`] the last answer was found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    begun: usize,
    ended: usize,
}

/// As `partition_point`, in steps that double from `near` on: quick where the answer is close by, never slow.
fn partition_near<T>(list: &[T], near: usize, before: impl Fn(&T) -> bool) -> usize {
    let near = near.min(list.len());
    let holds = |place: usize| list.get(place).is_some_and(&before);
    let (mut low, mut high, mut step) = (near, near, 1);
    if holds(near) {
        while holds(high) {
            low = high + 1;
            high = (high + step).min(list.len());
            step *= 2;
        }
    } else {
        while low > 0 && !holds(low - 1) {
            high = low - 1;
            low = low.saturating_sub(step);
            step *= 2;
        }
    }
    low + list.get(low..high).unwrap_or_default().partition_point(before)
}

impl Held {
    pub(crate) fn push(&mut self, range: RbaRange, holder: u32) {
        self.stretches.push(Stretch { range, holder });
    }

    pub(crate) fn finish(&mut self) {
        self.stretches.sort_by_key(|stretch| (stretch.range.start, stretch.holder));
        self.ends = self.stretches.iter().map(|stretch| stretch.range.end).collect();
        self.ends.sort_unstable();
        for stretch in &self.stretches {
            match self.joined.last_mut() {
                Some(last) if stretch.range.start <= last.end => last.end = last.end.max(stretch.range.end),
                _ => self.joined.push(stretch.range),
            }
        }
    }

    /// The holders that meet `range`, none when nobody does.
    pub(crate) fn meeting(&self, range: RbaRange) -> Option<Meeting> {
        self.meeting_near(range, &mut Cursor::default())
    }

    /// The same, looked for from where the last data set's were found: neighbours have nearly the same.
    pub(crate) fn meeting_near(&self, range: RbaRange, cursor: &mut Cursor) -> Option<Meeting> {
        let end = if planted::active(Defect::OffByOneAtLastByte) { range.end.minus(1) } else { range.end };
        cursor.begun = partition_near(&self.stretches, cursor.begun, |stretch| stretch.range.start < end);
        // What ended before `range` begins has begun before it ends: the difference is what meets it.
        cursor.ended = partition_near(&self.ends, cursor.ended, |end| *end <= range.start);
        let Cursor { begun, ended } = *cursor;
        (begun > ended).then_some(Meeting { begun: begun as u32, ended: ended as u32 })
    }

    /// The holders that meet `range`, the furthest back first.
    pub(crate) fn holders(&self, range: RbaRange) -> impl Iterator<Item = u32> {
        let begun = self.stretches.partition_point(|stretch| stretch.range.start < range.end);
        let begun = self.stretches.get(..begun).unwrap_or_default().iter();
        begun.filter(move |stretch| stretch.range.end > range.start).map(|stretch| stretch.holder)
    }
}

/// All holders.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) holders: Vec<Holder>,
    /// Of each history.
    pub(crate) held: Vec<Held>,
    /// Of each history, what not only points hold.
    pub(crate) held_today: Vec<Held>,
    /// Points whose margin reaches beyond the checkpoints that are known.
    pub(crate) unknown_margins: Vec<usize>,
    /// Page sets that no kept point covers.
    pub(crate) uncovered: Vec<PageSetId>,
    /// No sound point is kept.
    pub(crate) no_point: bool,
    /// A full point is wanted and none is kept.
    pub(crate) no_full: bool,
}

/// The checkpoints of the line that is written, newest first.
pub(crate) fn checkpoints(inventory: &Inventory<'_>) -> Vec<Rba> {
    let mut begins = inventory.now.checkpoints.clone();
    begins.sort_unstable_by(|a, b| b.cmp(a));
    begins.dedup();
    begins
}

/// Where a margin of `count` checkpoints before `from` begins; none when fewer are known. `begins` are newest first.
pub(crate) fn margin_from(begins: &[Rba], from: Rba, count: u32) -> Option<Rba> {
    let before = begins.partition_point(|begin| *begin > from);
    begins.get(before + count as usize - 1).copied()
}

struct Builder<'a> {
    logs: &'a Logs,
    needs: Needs,
}

impl Builder<'_> {
    /// A holder of the log of line `line` from `from` to before `to`.
    fn hold(&mut self, line: usize, from: Rba, to: Rba, kind: HolderKind, subject: Subject) {
        let range = RbaRange::new(from, to);
        let holder = self.needs.holders.len() as u32;
        self.needs.holders.push(Holder { kind, subject, range });
        for piece in self.logs.lines.pieces(line, range) {
            self.needs.held[piece.history].push(piece.range, holder);
            if !subject.is_of_points() {
                self.needs.held_today[piece.history].push(piece.range, holder);
            }
        }
    }

    /// A holder of all log of all histories.
    fn hold_everything(&mut self, subject: Subject) {
        let range = RbaRange::new(Rba::ZERO, Rba::MAX);
        let holder = self.needs.holders.len() as u32;
        self.needs.holders.push(Holder { kind: HolderKind::Rule, subject, range });
        for history in 0..self.logs.lines.count() {
            self.needs.held[history].push(range, holder);
            self.needs.held_today[history].push(range, holder);
        }
    }

    fn point(&mut self, place: usize, point: &PointView, keeps: &Keeps, policy: &Policy, begins: &[Rba]) {
        let line = point.line(self.logs);
        let to = if keeps.consistent_only { point.end } else { Rba::MAX };
        let kind = if keeps.by_policy() { HolderKind::Needed } else { HolderKind::Rule };
        let mut part = |from: Option<Rba>, kind: HolderKind, part: PointPart| {
            if let Some(from) = from {
                self.hold(line, from, to, kind, Subject::Point(place, part));
            }
        };
        part(Some(point.page_sets_from), kind, PointPart::PageSets);
        part(point.units_from, kind, PointPart::Units);
        part(point.structures_from, HolderKind::Rule, PointPart::Structures);
        let Some(count) = policy.margin() else { return };
        match margin_from(begins, point.kept_from(), count) {
            Some(from) => part(Some(from), HolderKind::Rule, PointPart::Margin),
            None => {
                part(Some(Rba::ZERO), HolderKind::Rule, PointPart::UnknownMargin);
                self.needs.unknown_margins.push(place);
            }
        }
    }

    fn today(
        &mut self,
        inventory: &Inventory<'_>,
        policy: &Policy,
        begins: &[Rba],
    ) -> Result<(), InventoryError> {
        let (line, needed) = (self.logs.lines.current, HolderKind::Needed);
        let mut system_value = None;
        for (place, set) in inventory.now.page_sets.iter().enumerate() {
            // One value of all page sets holds log once; an offline one is to be brought online by itself.
            let shared = set.system_value && set.online;
            if shared && system_value.replace(set.recovery_rba) == Some(set.recovery_rba) {
                continue;
            }
            self.hold(line, set.recovery_rba, Rba::MAX, needed, Subject::PageSet(place));
        }
        for (place, unit) in inventory.now.units.iter().enumerate() {
            self.hold(line, unit.from(), Rba::MAX, needed, Subject::Unit(place));
        }
        for (place, structure) in inventory.now.structures.iter().enumerate() {
            let from = structure.rba.unwrap_or(Rba::ZERO);
            self.hold(line, from, Rba::MAX, needed, Subject::Structure(place));
        }
        let wanted = policy.checkpoints();
        for (number, begin) in (1..=wanted).zip(begins) {
            let kind = if number <= RESTART_CHECKPOINTS { needed } else { HolderKind::Rule };
            self.hold(line, *begin, Rba::MAX, kind, Subject::Checkpoint(number));
        }
        if planted::active(Defect::InProgressIgnored) {
            return Ok(());
        }
        for (place, under_way) in inventory.in_progress.iter().enumerate() {
            let history = match &under_way.history {
                Some(name) => self.logs.lines.place(name)?,
                None => line,
            };
            let on_line = self.logs.lines.is_on(line, history, under_way.rba.plus(1));
            let line = if on_line { line } else { history };
            self.hold(line, under_way.rba, Rba::MAX, needed, Subject::InProgress(place));
        }
        Ok(())
    }
}

/// The page sets that sound points of the selection cover, to the end of the log.
pub(crate) fn covered(points: &[PointView], kept: &[Keeps]) -> PageSets {
    let sound = points
        .iter()
        .zip(kept)
        .filter(|(point, keeps)| keeps.any() && point.is_sound() && !keeps.consistent_only);
    sound.fold(PageSets::default(), |covered, (point, _)| covered.or(point.page_sets))
}

/// Whether a sound point is kept at all.
pub(crate) fn has_sound(points: &[PointView], kept: &[Keeps]) -> bool {
    let mut both = points.iter().zip(kept);
    both.any(|(point, keeps)| keeps.any() && point.is_sound() && !keeps.consistent_only)
}

/// Whether a sound full point is kept; where the policy wants older ones to recover to the end of their copies only, one that does.
pub(crate) fn has_full(points: &[PointView], kept: &[Keeps], policy: &Policy) -> bool {
    let mut both = points.iter().zip(kept).filter(|(point, keeps)| keeps.any() && point.full);
    both.any(|(point, keeps)| {
        let to_copy = policy.consistent_only && keeps.consistent_only;
        if to_copy { point.verified && point.whole_copy && point.on_line } else { point.is_sound() }
    })
}

/// All needs and rules.
pub(crate) fn needs(
    inventory: &Inventory<'_>,
    logs: &Logs,
    points: &[PointView],
    kept: &[Keeps],
    policy: &Policy,
) -> Result<Needs, InventoryError> {
    let histories = logs.lines.count();
    let empty = Needs {
        held: vec![Held::default(); histories],
        held_today: vec![Held::default(); histories],
        ..Needs::default()
    };
    let mut builder = Builder { logs, needs: empty };
    let begins = checkpoints(inventory);
    if policy.is_empty() {
        builder.hold_everything(Subject::NoPolicy);
    }
    if !has_sound(points, kept) {
        builder.needs.no_point = true;
        builder.hold_everything(Subject::NoPoint);
    }
    if policy.back_to_full && !has_full(points, kept, policy) {
        builder.needs.no_full = true;
        builder.hold_everything(Subject::NoFull);
    }
    let covered = covered(points, kept);
    for set in &inventory.now.page_sets {
        if !covered.contains(set.psid) {
            builder.needs.uncovered.push(set.psid);
            let from = set.created.unwrap_or(Rba::ZERO);
            let subject = Subject::Uncovered(set.psid);
            builder.hold(logs.lines.current, from, Rba::MAX, HolderKind::Needed, subject);
        }
    }
    builder.today(inventory, policy, &begins)?;
    for (place, (point, keeps)) in points.iter().zip(kept).enumerate() {
        if keeps.any() {
            builder.point(place, point, keeps, policy, &begins);
        }
    }
    let mut needs = builder.needs;
    needs.held.iter_mut().chain(&mut needs.held_today).for_each(Held::finish);
    Ok(needs)
}

impl Holder {
    /// What people read of it.
    pub(crate) fn entry(&self, inventory: &Inventory<'_>, points: &[PointView]) -> HolderEntry {
        HolderEntry {
            kind: self.kind,
            what: self.subject.text(inventory, points),
            from: self.range.start,
            to: (self.range.end != Rba::MAX).then(|| self.range.last()),
        }
    }
}

impl Subject {
    fn text(self, inventory: &Inventory<'_>, points: &[PointView]) -> String {
        let now = &inventory.now;
        match self {
            Self::NoPolicy => "no policy is given: nothing is deleted".to_owned(),
            Self::NoPoint => {
                "no sound recovery point is kept: all log may be the only way to recover".to_owned()
            }
            Self::NoFull => "--back-to-full, and no sound full recovery point is kept".to_owned(),
            Self::Uncovered(psid) => format!("page set {psid}: no kept recovery point covers it"),
            Self::Point(place, part) => point_text(inventory, points, place, part),
            Self::PageSet(place) => now.page_sets.get(place).map_or_else(String::new, |set| {
                if set.system_value {
                    let offline = if set.online {
                        String::new()
                    } else {
                        format!(" (page set {} is offline)", set.psid)
                    };
                    return format!("restart today: system value, component not listed{offline}");
                }
                let offline = if set.online { "" } else { ", offline" };
                format!("restart today: page set {}{offline}", set.psid)
            }),
            Self::Unit(place) => now.units.get(place).map_or_else(String::new, |unit| {
                format!("restart today: unit of recovery {} ({})", unit.urid, unit.state)
            }),
            Self::Checkpoint(1) => "restart today: the last complete checkpoint".to_owned(),
            Self::Checkpoint(2) => "restart today: the last complete checkpoint but one".to_owned(),
            Self::Checkpoint(number) => format!("--margin: checkpoint {number} from the newest"),
            Self::Structure(place) => now.structures.get(place).map_or_else(String::new, |structure| {
                let never = if structure.rba.is_none() { ", never backed up" } else { "" };
                format!("structure {} today{never}", structure.name)
            }),
            Self::InProgress(place) => {
                inventory.in_progress.get(place).map_or_else(String::new, |under_way| {
                    let kind: InProgressKind = under_way.kind;
                    format!("{} {} in progress", kind.name(), under_way.name)
                })
            }
        }
    }
}

fn point_text(inventory: &Inventory<'_>, points: &[PointView], place: usize, part: PointPart) -> String {
    let Some(point) = points.get(place).and_then(|view| inventory.points.get(view.place)) else {
        return String::new();
    };
    let parts = &point.system_recovery;
    let holder = |part: &Option<format_inventory::Part>| {
        part.as_ref().map(|part| part.holder.as_str()).filter(|holder| !holder.is_empty()).map(str::to_owned)
    };
    let (what, holder) = match part {
        PointPart::PageSets => ("page sets", holder(&parts.page_sets)),
        PointPart::Units => ("units of recovery", holder(&parts.units)),
        PointPart::Structures => ("structures", holder(&parts.structures)),
        PointPart::Margin => ("--margin", None),
        PointPart::UnknownMargin => ("--margin, fewer checkpoints are known", None),
    };
    let holder = holder.map(|holder| format!(" ({holder})")).unwrap_or_default();
    format!("recovery point {}: {what}{holder}", point.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_same_wherever_it_is_looked_for_from() {
        for length in 0..40_u32 {
            let list: Vec<u32> = (0..length).map(|number| number / 3).collect();
            for wanted in 0..16 {
                let place = list.partition_point(|number| *number < wanted);
                for near in 0..=list.len() + 2 {
                    assert_eq!(
                        partition_near(&list, near, |number| *number < wanted),
                        place,
                        "{near} of {list:?}"
                    );
                }
            }
        }
    }
}
