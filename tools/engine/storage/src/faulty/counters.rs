//! What was done to a faulty storage, and what it did in return.

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum OperationKind {
    /// Opening a file that is there.
    Open,
    /// Making a file.
    Create,
    /// Reading.
    Read,
    /// Asking for a length, a name, an identity, data stretches or a directory's names.
    Look,
    /// Writing.
    Write,
    /// Changing a length.
    SetLen,
    /// Reserving space.
    Allocate,
    /// Syncing a file.
    Sync,
    /// Making a directory.
    CreateDir,
    /// Removing a directory.
    RemoveDir,
    /// Renaming.
    Rename,
    /// Removing a file.
    Remove,
    /// Syncing a directory.
    SyncDir,
    /// Taking a lock.
    Lock,
}

impl OperationKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Open,
        Self::Create,
        Self::Read,
        Self::Look,
        Self::Write,
        Self::SetLen,
        Self::Allocate,
        Self::Sync,
        Self::CreateDir,
        Self::RemoveDir,
        Self::Rename,
        Self::Remove,
        Self::SyncDir,
        Self::Lock,
    ];

    /// A word for listings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Read => "read",
            Self::Look => "look",
            Self::Write => "write",
            Self::SetLen => "set-length",
            Self::Allocate => "allocate",
            Self::Sync => "sync",
            Self::CreateDir => "create-directory",
            Self::RemoveDir => "remove-directory",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::SyncDir => "sync-directory",
            Self::Lock => "lock",
        }
    }

    /// Whether a power cut just before and just after it can leave different things: these are numbered, and are where
    /// [`Control::stop_at`](super::Control::stop_at) stops.
    #[must_use]
    pub fn changes(self) -> bool {
        !matches!(self, Self::Open | Self::Read | Self::Look | Self::Lock)
    }
}

/// Totals since the storage was made; crashes do not set them back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    operations: [u64; OperationKind::ALL.len()],
    /// Reads that failed with EIO.
    pub read_errors: u64,
    /// Writes that failed with EIO.
    pub write_errors: u64,
    /// Writes and reservations refused because the storage is full.
    pub no_space: u64,
    /// Syncs of files and directories that failed.
    pub sync_errors: u64,
    /// Creations, renames and removals that failed with EIO.
    pub name_errors: u64,
    /// Writes that were not done and said they were.
    pub silent_writes: u64,
    /// Writes that failed after a part of them was done.
    pub short_writes: u64,
    /// Faults of the lasting set, of whatever kind.
    pub lasting_faults: u64,
    /// Racing reads that saw a block half-written.
    pub torn_reads: u64,
    /// Power cuts.
    pub crashes: u64,
    /// Ends of the process alone.
    pub kills: u64,
    /// Stops at a numbered operation.
    pub stops: u64,
    /// Unsynced changes of files that a power cut, or a failed sync, kept whole.
    pub kept_writes: u64,
    /// ... lost.
    pub lost_writes: u64,
    /// ... tore: some sectors new, some old.
    pub torn_writes: u64,
    /// Unsynced changes of names that a power cut kept.
    pub kept_names: u64,
    /// ... lost.
    pub lost_names: u64,
    /// Bytes damaged by request.
    pub rotten_bytes: u64,
}

impl Counters {
    /// Calls of one kind.
    #[must_use]
    pub fn operations(&self, kind: OperationKind) -> u64 {
        self.operations[kind as usize]
    }

    pub(super) fn count(&mut self, kind: OperationKind) {
        self.operations[kind as usize] += 1;
    }

    /// All totals, by name.
    #[must_use]
    pub fn totals(&self) -> Vec<(&'static str, u64)> {
        let mut totals: Vec<_> =
            OperationKind::ALL.iter().map(|&kind| (kind.name(), self.operations(kind))).collect();
        totals.extend([
            ("read-error", self.read_errors),
            ("write-error", self.write_errors),
            ("no-space", self.no_space),
            ("sync-error", self.sync_errors),
            ("name-error", self.name_errors),
            ("silent-write", self.silent_writes),
            ("short-write", self.short_writes),
            ("lasting-fault", self.lasting_faults),
            ("torn-read", self.torn_reads),
            ("crash", self.crashes),
            ("kill", self.kills),
            ("stop", self.stops),
            ("kept-write", self.kept_writes),
            ("lost-write", self.lost_writes),
            ("torn-write", self.torn_writes),
            ("kept-name", self.kept_names),
            ("lost-name", self.lost_names),
            ("rotten-byte", self.rotten_bytes),
        ]);
        totals
    }
}
