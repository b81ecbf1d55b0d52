//! Kinds of events and how often each happened: a kind that never happens was not tested.

use std::collections::BTreeMap;

macro_rules! events {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// What can happen in a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Event {
            $($variant),+
        }

        impl Event {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in reports.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }
    };
}

events! {
    Put = "put",
    PutNonpersistent = "put-nonpersistent",
    PutLong = "put-of-several-pages",
    PutRefused = "put-refused",
    Get = "get",
    GetNothing = "get-of-nothing",
    Browse = "browse",
    Commit = "commit",
    Backout = "backout",
    Disconnect = "disconnect",
    Prepare = "prepare",
    Define = "define-queue",
    Usage = "display-usage",
    ArchiveLog = "archive-log",
    Checkpoint = "checkpoint",
    LogSwitch = "log-switch",
    Offload = "offload",
    OffloadFailed = "offload-failed",
    Expansion = "expansion",
    OffloadEnded = "offload-ended",
    SingleArchive = "archive-in-one-copy",
    ArchivesFailing = "archives-failing",
    LogFull = "log-full",
    EndedInFullLog = "unit-ended-in-full-log",
    SpaceReturned = "space-returned",
    CopyStopped = "log-copy-stopped",
    CopyFailing = "one-copy-failing",
    FailedCopyDeleted = "failed-copy-deleted",
    FailedCopyDamaged = "failed-copy-damaged",
    GoodCopyMissed = "good-copy-gone-refused",
    GoodCopyNotMissed = "good-copy-gone-nothing-lost",
    BothCopiesFailing = "both-log-copies-failing",
    PageSetFailing = "page-set-failing",
    PageSetOffline = "page-set-offline",
    DiskFull = "disk-full",
    ExpansionDisabled = "expansion-disabled",
    ExpansionAllowed = "expansion-allowed-again",
    ExpansionTailUsed = "expansion-tail-used",
    Point = "recovery-point",
    PointAbandoned = "recovery-point-abandoned",
    PointRefused = "recovery-point-refused",
    Start = "start",
    StartInterrupted = "start-interrupted",
    CleanStop = "clean-stop",
    Ended = "ended-by-failure",
    PageSetStarted = "page-set-started",
    ResolvedCommit = "in-doubt-unit-committed",
    ResolvedBackout = "in-doubt-unit-backed-out",
    Quiesced = "archive-log-quiesced",
    QuiesceFailed = "archive-log-not-quiesced",
    OffloadCancelled = "offload-cancelled",
    FullPoint = "full-recovery-point",
    FullPointRefused = "full-recovery-point-refused",
    PointWithLog = "recovery-point-with-log",
    Cut = "recover-to-point-in-time",
    LossListed = "loss-listed-not-accepted",
    CutAtTime = "recover-to-time",
    NoLaterCommit = "recover-to-time-without-later-commit-refused",
    PointTooLate = "recover-to-time-before-its-point-refused",
    PointVerified = "point-verified",
    PointDamageNamed = "damaged-point-named",
    PointLogMissed = "point-without-its-log-named",
    OneCopyNamed = "log-good-in-one-copy-named",
    OffLineRefused = "point-off-the-line-refused",
    AnewFromPoint = "made-anew-from-point-with-log",
    AnewFromArchives = "made-anew-from-archives",
    AnewLogsLost = "made-anew-logs-lost",
    AnewInterrupted = "made-anew-interrupted",
    BsdsRebuilt = "bsds-rebuilt",
    RebuildRefused = "bsds-rebuild-wants-acceptance",
    PointHeld = "recovery-point-held",
    PointReleased = "recovery-point-released",
    PointForgotten = "recovery-point-forgotten",
    ArchiveLost = "archive-lost-in-one-copy",
    RetentionPlan = "retention-plan",
    PlanApplied = "retention-plan-applied",
    ApplyInterrupted = "retention-apply-interrupted",
    PromiseKept = "kept-point-recovered-after-apply",
    NeededArchiveMissed = "needed-archive-gone-refused",
    LivePlan = "live-retention-plan",
    LivePlanApplied = "live-retention-plan-applied",
    LiveInventoryChanged = "inventory-changed-while-plan-is-applied",
    LiveFactsChanged = "live-apply-on-other-facts-refused",
    LiveReviewedPlanRefused = "live-reviewed-plan-refused",
    LiveMarkGuarded = "mark-of-needed-archive-refused",
    LiveDiedMarked = "live-apply-died-with-archives-marked",
    LiveDiedRemoved = "live-apply-died-with-archives-removed",
    LiveCutOff = "live-apply-with-queue-manager-gone",
    LiveFinished = "interrupted-apply-finished-by-live-apply",
    LivePromiseKept = "kept-point-recovered-after-live-apply",
    UnderWayHolds = "backup-in-progress-alone-held-log",
    UnderWayRecovered = "backup-finished-after-apply-recovered",
    PointAgreesWithRecords = "recorded-system-recovery-rba-agrees",
    PageSetLost = "page-set-lost",
    Recover = "recover-from-point",
    RecoverInterrupted = "recover-interrupted",
    BsdsCopyLost = "bsds-copy-lost",
    LogCopyRot = "log-copy-rot",
    ArchiveRot = "archive-copy-rot",
    RuinRefused = "same-interval-ruined-refused",
    RuinSurvived = "other-intervals-ruined-recovered",
    PageRot = "page-rot",
    PageCheck = "page-check",
    QuietCheck = "quiet-check",
    UnknownCommitted = "unknown-unit-committed",
    UnknownBackedOut = "unknown-unit-backed-out",
    UnitBackedOut = "unit-backed-out-by-restart",
    UnitWaits = "unit-waits-for-log-or-page-set",
    InDoubtKept = "in-doubt-unit-kept",
}

/// How often each kind of event happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    events: BTreeMap<Event, u64>,
    storage: BTreeMap<&'static str, u64>,
}

impl Totals {
    /// One more.
    pub(crate) fn count(&mut self, event: Event) {
        self.add(event, 1);
    }

    /// So many more.
    pub(crate) fn add(&mut self, event: Event, times: u64) {
        *self.events.entry(event).or_default() += times;
    }

    /// How often.
    pub(crate) fn of(&self, event: Event) -> u64 {
        self.events.get(&event).copied().unwrap_or_default()
    }

    /// Takes the totals of a storage in.
    pub(crate) fn add_storage(&mut self, totals: Vec<(&'static str, u64)>) {
        for (name, times) in totals {
            *self.storage.entry(name).or_default() += times;
        }
    }

    /// Takes the totals of another run in.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (event, times) in &other.events {
            self.add(*event, *times);
        }
        self.add_storage(other.storage.iter().map(|(name, times)| (*name, *times)).collect());
    }

    /// All kinds of events with their totals, zeros too, then those of the storage.
    pub(crate) fn rows(&self) -> Vec<(String, u64)> {
        let events = Event::ALL.iter().map(|event| (event.name().to_owned(), self.of(*event)));
        let storage = self.storage.iter().map(|(name, times)| (format!("storage-{name}"), *times));
        events.chain(storage).collect()
    }

    /// Kinds that never happened.
    pub(crate) fn missing(&self) -> Vec<String> {
        self.rows().into_iter().filter(|(_, times)| *times == 0).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_is_named() {
        let mut totals = Totals::default();
        Event::ALL.iter().skip(1).for_each(|event| totals.count(*event));
        totals.add_storage(vec![("crash", 0), ("read", 3)]);
        assert_eq!(totals.missing(), ["put", "storage-crash"]);
        let mut sum = totals.clone();
        sum.merge(&totals);
        assert_eq!(sum.of(Event::Get), 2);
        assert!(sum.rows().contains(&("storage-read".to_owned(), 6)));
    }
}
