//! What a faulty storage knows: what programs see, what a power cut would leave, and what lies between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::Path;

use super::FaultRates;
use super::counters::{Counters, OperationKind};
use crate::Random;
use crate::blocks::{BLOCK, Block, Blocks, Slot, Touched, WHOLE, mix};
use crate::tree::{NameChange, Node, NodeId, Tree};

/// Blocks overwritten lately that a racing read may still see as they were.
const RECENT: usize = 256;

/// A change of a file that is not durable yet.
#[derive(Debug)]
enum Change {
    Write { touched: Vec<Touched>, len: u64 },
    SetLen(u64),
    Reserve(u64),
}

/// A block as it was before it was overwritten.
#[derive(Debug)]
struct Overwritten {
    /// Number of the write.
    write: u64,
    id: NodeId,
    index: usize,
    before: Slot,
}

/// How a power cut treats what was not durable.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// The disk had written nothing of it.
    Nothing,
    /// The disk had written all of it.
    Everything,
    /// Each change has its own luck; kept whole so many times in a hundred.
    Luck(u64),
}

impl Mood {
    fn draw(random: &mut Random) -> Self {
        match random.below(10) {
            0 | 1 => Self::Nothing,
            2 => Self::Everything,
            3 | 4 => Self::Luck(10),
            5..=7 => Self::Luck(40),
            _ => Self::Luck(85),
        }
    }
}

/// What became of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Lost,
    Torn,
}

/// Whether a call that was let in also reports success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Do,
    /// The power goes while it is done: done, but nobody learns of it.
    DoUnheard,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) live: Tree,
    durable: Tree,
    pending: BTreeMap<NodeId, Vec<Change>>,
    /// Changes of names not durable yet, oldest first; those of one group are kept or lost together.
    names: Vec<Vec<NameChange>>,
    recent: VecDeque<Overwritten>,
    /// Number of the last write.
    pub(super) writes: u64,
    pub(super) locked: BTreeSet<NodeId>,
    pub(super) incarnation: u64,
    pub(super) operations: u64,
    pub(super) stop_at: Option<u64>,
    pub(super) stopped: bool,
    pub(super) rates: FaultRates,
    pub(super) lasting: FaultRates,
    pub(super) counters: Counters,
    random: Random,
}

/// The error of every call between a stop and the power cut.
pub(super) fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

fn eio() -> io::Error {
    const EIO: i32 = 5;
    io::Error::from_raw_os_error(EIO)
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            live: Tree::default(),
            durable: Tree::default(),
            pending: BTreeMap::new(),
            names: Vec::new(),
            recent: VecDeque::new(),
            writes: 0,
            locked: BTreeSet::new(),
            incarnation: 0,
            operations: 0,
            stop_at: None,
            stopped: false,
            rates: FaultRates::default(),
            lasting: FaultRates::default(),
            counters: Counters::default(),
            random: Random::new(seed),
        }
    }

    /// Counts a call and decides whether it happens.
    pub(super) fn enter(&mut self, kind: OperationKind, path: &Path) -> io::Result<Verdict> {
        if self.stopped {
            return Err(power_is_off());
        }
        self.counters.count(kind);
        if kind.changes() {
            self.operations += 1;
            if self.stop_at.is_some_and(|stop| self.operations >= stop) {
                self.stopped = true;
                self.counters.stops += 1;
                return if self.random.coin() { Ok(Verdict::DoUnheard) } else { Err(power_is_off()) };
            }
        }
        let fails = self.fails(path, |rates| match kind {
            OperationKind::Read => rates.read_error,
            OperationKind::Create | OperationKind::Rename | OperationKind::Remove => rates.name_error,
            OperationKind::SyncDir => rates.sync_error,
            // Writes and syncs of files fail with effects of their own, below.
            _ => 0,
        });
        if fails {
            match kind {
                OperationKind::Read => self.counters.read_errors += 1,
                OperationKind::SyncDir => self.counters.sync_errors += 1,
                _ => self.counters.name_errors += 1,
            }
            return Err(eio());
        }
        Ok(Verdict::Do)
    }

    /// Whether either set of faults makes a call on `path` fail now.
    fn fails(&mut self, path: &Path, rate: impl Fn(&FaultRates) -> u32) -> bool {
        for lasting in [false, true] {
            let rates = if lasting { &mut self.lasting } else { &mut self.rates };
            if rates.concerns(path) && self.random.chance(rate(rates)) {
                if rates.skip > 0 {
                    rates.skip -= 1;
                    continue;
                }
                if let Some(times) = &mut rates.times {
                    *times = times.saturating_sub(1);
                }
                self.counters.lasting_faults += u64::from(lasting);
                return true;
            }
        }
        false
    }

    /// Whether there is room for `blocks` more of the file at `path`.
    fn has_room(&mut self, path: &Path, blocks: u64) -> io::Result<()> {
        if blocks == 0 {
            return Ok(());
        }
        let beyond = |capacity: u64| (self.live.used() + blocks) * BLOCK as u64 > capacity;
        if self.rates.capacity.is_some_and(beyond) || self.fails(path, |rates| rates.full) {
            self.counters.no_space += 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn write_whole(&mut self, id: NodeId, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.live.file_mut(id)?;
        let mut touched = Vec::new();
        self.writes += 1;
        let (recent, write) = (&mut self.recent, self.writes);
        file.write(offset, bytes, |before, block| {
            if recent.len() == RECENT {
                recent.pop_front();
            }
            recent.push_back(Overwritten { write, id, index: block.index, before: before.clone() });
            touched.push(block);
        });
        let len = file.len();
        self.pending.entry(id).or_default().push(Change::Write { touched, len });
        Ok(())
    }

    pub(super) fn write(&mut self, id: NodeId, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.fails(path, |rates| rates.silent_write) {
            self.counters.silent_writes += 1;
            let len = self.live.file(id)?.len().max(offset + bytes.len() as u64);
            return self.set_len(id, len);
        }
        let growth = self.live.file(id)?.growth(offset, bytes.len() as u64);
        let failure = match self.has_room(path, growth) {
            Err(e) => Some(e),
            Ok(()) if self.fails(path, |rates| rates.write_error) => {
                self.counters.write_errors += 1;
                Some(eio())
            }
            Ok(()) => None,
        };
        let Some(failure) = failure else { return self.write_whole(id, offset, bytes) };
        // A failed write may have got anywhere, as far as there was room.
        if failure.kind() != io::ErrorKind::StorageFull && self.random.coin() {
            let part = self.random.below(bytes.len() as u64) as usize;
            if part > 0 {
                self.counters.short_writes += 1;
                self.write_whole(id, offset, &bytes[..part])?;
            }
        }
        Err(failure)
    }

    pub(super) fn set_len(&mut self, id: NodeId, len: u64) -> io::Result<()> {
        self.live.file_mut(id)?.set_len(len);
        self.pending.entry(id).or_default().push(Change::SetLen(len));
        Ok(())
    }

    pub(super) fn reserve(&mut self, id: NodeId, path: &Path, len: u64) -> io::Result<()> {
        let growth = self.live.file(id)?.growth(0, len);
        self.has_room(path, growth)?;
        self.live.file_mut(id)?.reserve(len);
        self.pending.entry(id).or_default().push(Change::Reserve(len));
        Ok(())
    }

    /// Reads as a process does that races with the writer: of blocks written since write number `since`, when the reading began,
    /// any sectors may be as they were before.
    pub(super) fn race(&mut self, id: NodeId, since: u64, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let file = self.live.file(id)?;
        file.read(offset, buffer)?;
        let end = offset + buffer.len() as u64;
        for old in self.recent.iter().filter(|old| old.id == id && old.write > since) {
            let start = old.index as u64 * BLOCK as u64;
            if start >= end || offset >= start + BLOCK as u64 || !self.random.chance(self.rates.torn_read) {
                continue;
            }
            let mut seen: Block = *file.slot(old.index).bytes();
            let mask = self.random.next_u64() as u8;
            let mask = if self.random.below(4) == 0 { WHOLE } else { mask };
            mix(&mut seen, old.before.bytes(), mask);
            for (at, byte) in (start..).zip(seen) {
                if at >= offset
                    && let Some(place) = buffer.get_mut((at - offset) as usize)
                {
                    *place = byte;
                }
            }
            self.counters.torn_reads += 1;
        }
        Ok(())
    }

    /// Syncs a file, or fails to. A failed sync is the end of the changes that it was for: some are on disk, some in part, some
    /// not, and the system believes that all of them are, so that no later sync writes them.
    pub(super) fn sync(&mut self, id: NodeId, path: &Path) -> io::Result<()> {
        let changes = self.pending.remove(&id).unwrap_or_default();
        if self.fails(path, |rates| rates.sync_error) {
            self.counters.sync_errors += 1;
            let mood = match self.random.below(3) {
                0 => Mood::Nothing,
                1 => Mood::Luck(20),
                _ => Mood::Luck(60),
            };
            self.settle(id, changes, mood);
            return Err(eio());
        }
        let Ok(file) = self.durable.file_mut(id) else { return Ok(()) };
        for change in changes {
            apply(file, &change);
        }
        Ok(())
    }

    /// Lets each change of a file meet its fate.
    fn settle(&mut self, id: NodeId, changes: Vec<Change>, mood: Mood) {
        let Ok(file) = self.durable.file_mut(id) else { return };
        let random = &mut self.random;
        for change in changes {
            let fate = match mood {
                Mood::Nothing => Fate::Lost,
                Mood::Everything => Fate::Kept,
                Mood::Luck(kept) if random.below(100) < kept => Fate::Kept,
                Mood::Luck(_) if random.coin() => Fate::Torn,
                Mood::Luck(_) => Fate::Lost,
            };
            match (fate, &change) {
                (Fate::Kept, _) => {
                    apply(file, &change);
                    self.counters.kept_writes += 1;
                }
                (Fate::Torn, Change::Write { touched, len }) => {
                    tear(file, touched, random);
                    file.raise_len(*len);
                    self.counters.torn_writes += 1;
                }
                (Fate::Lost, Change::Write { len, .. }) => {
                    // The length belongs to the file system and may be ahead of the data.
                    if random.below(4) == 0 {
                        file.raise_len(*len);
                    }
                    self.counters.lost_writes += 1;
                }
                _ => self.counters.lost_writes += 1,
            }
        }
    }

    pub(super) fn create(&mut self, path: &Path, directory: bool) -> io::Result<NodeId> {
        let (dir, name) = self.live.creation(path)?;
        let node = if directory { Node::Directory(BTreeMap::new()) } else { Node::File(Blocks::default()) };
        let id = self.live.add(node);
        self.durable.add_empty(id, directory);
        self.rename(vec![NameChange { dir, name, to: Some(id) }]);
        Ok(id)
    }

    /// Changes names, all or none of them.
    pub(super) fn rename(&mut self, changes: Vec<NameChange>) {
        for change in &changes {
            self.live.change(change);
        }
        if !changes.is_empty() {
            self.names.push(changes);
        }
    }

    pub(super) fn sync_dir(&mut self, dir: NodeId) {
        let (durable, names) = (&mut self.durable, &mut self.names);
        names.retain(|group| {
            let concerned = group.iter().any(|change| change.dir == dir);
            if concerned {
                group.iter().for_each(|change| durable.change(change));
            }
            !concerned
        });
    }

    /// Cuts the power.
    pub(super) fn crash(&mut self) {
        let mood = Mood::draw(&mut self.random);
        for (id, changes) in std::mem::take(&mut self.pending) {
            // Now and then a file lies on another disk.
            let mood = if self.random.below(4) == 0 { Mood::draw(&mut self.random) } else { mood };
            self.settle(id, changes, mood);
        }
        self.settle_names();
        self.durable.sweep();
        self.live = self.durable.clone();
        self.counters.crashes += 1;
        self.end_incarnation();
    }

    /// Names: a journal keeps a first part of what was done; other file systems keep any part.
    fn settle_names(&mut self) {
        let names = std::mem::take(&mut self.names);
        let journal = self.random.coin();
        let first = self.random.between(0, names.len() as u64) as usize;
        for (i, group) in names.iter().enumerate() {
            let kept = if journal { i < first } else { self.random.coin() };
            if kept {
                group.iter().for_each(|change| self.durable.change(change));
                self.counters.kept_names += 1;
            } else {
                self.counters.lost_names += 1;
            }
        }
    }

    /// Ends the process and nothing else: what it wrote stays with the system.
    pub(super) fn kill(&mut self) {
        self.counters.kills += 1;
        self.end_incarnation();
    }

    /// Everything as programs see it.
    pub(super) fn image(&self) -> Tree {
        self.live.clone()
    }

    /// Everything as it was, durably; what was under way is over.
    pub(super) fn put_back(&mut self, image: &Tree) {
        self.live = image.clone();
        self.durable = image.clone();
        self.pending.clear();
        self.names.clear();
        self.end_incarnation();
    }

    /// A file with these bytes, durably and in place of whatever has its name.
    pub(super) fn put_file(&mut self, path: &Path, file: &Blocks) -> io::Result<()> {
        let (dir, name) = self.live.place(path)?;
        let id = self.live.add(Node::File(file.clone()));
        self.durable.add_empty(id, false);
        *self.durable.file_mut(id)? = file.clone();
        let change = NameChange { dir, name, to: Some(id) };
        self.live.change(&change);
        self.durable.change(&change);
        Ok(())
    }

    fn end_incarnation(&mut self) {
        self.recent.clear();
        self.locked.clear();
        self.incarnation += 1;
        self.stopped = false;
        self.stop_at = None;
    }

    pub(super) fn rot(&mut self, path: &Path, offset: u64, flip: &[u8]) -> io::Result<()> {
        let id = self.live.find(path)?;
        for tree in [&mut self.live, &mut self.durable] {
            let Ok(file) = tree.file_mut(id) else { continue };
            let mut bytes = vec![0; flip.len()];
            if file.read(offset, &mut bytes).is_ok() {
                bytes.iter_mut().zip(flip).for_each(|(byte, flip)| *byte ^= flip);
                file.write(offset, &bytes, |_, _| {});
            }
        }
        self.counters.rotten_bytes += flip.len() as u64;
        Ok(())
    }
}

fn apply(file: &mut Blocks, change: &Change) {
    match change {
        Change::Write { touched, len } => {
            touched.iter().for_each(|block| file.take(block, WHOLE));
            file.raise_len(*len);
        }
        Change::SetLen(len) => file.set_len(*len),
        Change::Reserve(len) => file.reserve(*len),
    }
}

/// Keeps some sectors of a write: any of them, or a first part, or a last part.
fn tear(file: &mut Blocks, touched: &[Touched], random: &mut Random) {
    let how = random.below(3);
    let sectors = touched.len() as u64 * 8;
    let cut = random.below(sectors + 1);
    for (block, first) in touched.iter().zip((0..).step_by(8)) {
        let any = random.next_u64() as u8;
        let mask = (0..8).fold(0_u8, |mask, sector| {
            let kept = match how {
                0 => any & (1 << sector) != 0,
                1 => first + sector < cut,
                _ => first + sector >= cut,
            };
            mask | u8::from(kept) << sector
        });
        file.take(block, mask);
    }
}
