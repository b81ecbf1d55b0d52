//! What a plan lets go, by name.

use format_inventory::{LogKind, Plan};
use format_statement::{InventoryDeletion, InventoryVolume, bsds_copy};
use format_types::{DataSetName, NameError, Rba, VolumeSerial};
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};

/// A plan that no job can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A name that may not stand in a job.
    #[error("the plan deletes what is no data set of z/OS: {0}")]
    Name(NameError),
    /// A volume that may not stand in a job.
    #[error("the volume of {name} in the plan: {error}")]
    Volume {
        /// The data set.
        name: DataSetName,
        /// What is wrong with the serial.
        error: NameError,
    },
    /// A log copy that there is not.
    #[error("{name} is of log copy {copy} in the plan: 1 or 2 is wanted")]
    Copy {
        /// The data set.
        name: DataSetName,
        /// Its log copy.
        copy: u8,
    },
    /// A name that is both deleted and kept.
    #[error("the plan deletes {0}, and keeps it too")]
    Kept(DataSetName),
}

/// A volume of a data set, or the whole of one whose volume is not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DoomedVolume {
    /// The serial.
    pub volume: Option<VolumeSerial>,
    /// Log copy, 1 or 2.
    pub copy: u8,
    /// The first RBA on it.
    pub start: Rba,
    /// The last one.
    pub end: Rba,
}

/// A data set that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoomedName {
    /// Its name.
    pub name: DataSetName,
    /// Whether it can be deleted by name: the catalog has it, on disk, by every entry of the plan.
    pub catalogued: bool,
    /// The copy of the BSDS beside it that goes with it; none beside what is not catalogued.
    pub bsds_copy: Option<DataSetName>,
    /// Its volumes, in the plan's order.
    pub volumes: Vec<DoomedVolume>,
}

/// All data sets that a plan lets go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    names: Vec<DoomedName>,
    places: HashMap<DataSetName, usize>,
    kept: HashSet<String>,
    /// Volumes that hold an archive that is kept, with the first such one.
    kept_volumes: HashMap<String, String>,
    bsds_copies_kept: Vec<DataSetName>,
}

/// Where an archive stands among those of its log copy and history: the newest has the highest last RBA.
type Newest<'p> = HashMap<(u8, &'p str), Rba>;

impl Doomed {
    /// What `plan` lets go. The copy of the BSDS beside the newest archive of each log copy and history stays: a BSDS that is lost is made
    /// anew from it.
    ///
    /// # Errors
    /// A name, volume or log copy that may not stand in a job; a name that the plan both deletes and keeps.
    pub fn of(plan: &Plan<'_>) -> Result<Self, PlanError> {
        let kept: HashSet<String> = plan.keep.iter().map(|entry| entry.name.to_string()).collect();
        let mut newest = Newest::new();
        let archives = plan.keep.iter().filter(|entry| entry.kind == LogKind::Archive);
        let stay = archives.map(|entry| (entry.copy, &*entry.history, entry.end));
        let go = plan.delete.iter().map(|entry| (entry.copy, &*entry.history, entry.end));
        for (copy, history, end) in stay.chain(go) {
            let known = newest.entry((copy, history)).or_insert(end);
            *known = end.max(*known);
        }
        let mut kept_volumes = HashMap::new();
        for entry in &plan.keep {
            if let Some(volume) = entry.volume.as_deref().filter(|volume| !kept_volumes.contains_key(*volume))
            {
                kept_volumes.insert(volume.to_owned(), entry.name.to_string());
            }
        }
        let mut all = Self {
            names: Vec::new(),
            places: HashMap::new(),
            kept,
            kept_volumes,
            bsds_copies_kept: Vec::new(),
        };
        let mut is_newest = HashSet::new();
        for entry in &plan.delete {
            let name: DataSetName = entry.name.parse().map_err(PlanError::Name)?;
            if all.kept.contains(name.as_str()) {
                return Err(PlanError::Kept(name));
            }
            if !(1..=2).contains(&entry.copy) {
                return Err(PlanError::Copy { name, copy: entry.copy });
            }
            let volume = entry.volume.as_ref().map(|volume| volume.parse()).transpose();
            let volume =
                volume.map_err(|error| PlanError::Volume { name: DataSetName::clone(&name), error })?;
            if newest.get(&(entry.copy, &*entry.history)) == Some(&entry.end) {
                is_newest.insert(DataSetName::clone(&name));
            }
            let volume = DoomedVolume { volume, copy: entry.copy, start: entry.start, end: entry.end };
            all.add(name, entry.catalogued, volume);
        }
        all.find_bsds_copies(&is_newest);
        Ok(all)
    }

    fn add(&mut self, name: DataSetName, catalogued: bool, volume: DoomedVolume) {
        match self.places.entry(DataSetName::clone(&name)) {
            Entry::Vacant(place) => {
                place.insert(self.names.len());
                self.names.push(DoomedName { name, catalogued, bsds_copy: None, volumes: vec![volume] });
            }
            Entry::Occupied(place) => {
                let known = &mut self.names[*place.get()];
                known.catalogued &= catalogued;
                known.volumes.push(volume);
            }
        }
    }

    fn find_bsds_copies(&mut self, is_newest: &HashSet<DataSetName>) {
        let (places, kept) = (&self.places, &self.kept);
        for doomed in self.names.iter_mut().filter(|doomed| doomed.catalogued) {
            // A log data set of that name is decided on as what it is.
            let copy = bsds_copy(&doomed.name)
                .filter(|copy| !kept.contains(copy.as_str()) && !places.contains_key(copy));
            if is_newest.contains(&doomed.name) {
                self.bsds_copies_kept.extend(copy);
            } else {
                doomed.bsds_copy = copy;
            }
        }
    }

    /// The data sets, a name once, in the plan's order.
    #[must_use]
    pub fn names(&self) -> &[DoomedName] {
        &self.names
    }

    /// Whether the plan lets `name` go.
    #[must_use]
    pub fn contains(&self, name: &DataSetName) -> bool {
        self.places.contains_key(name)
    }

    /// Whether the plan keeps a log data set of that name.
    #[must_use]
    pub fn keeps(&self, name: &DataSetName) -> bool {
        self.kept.contains(name.as_str())
    }

    /// An archive on `volume` that the plan keeps: the volume must not be given up.
    #[must_use]
    pub fn kept_on(&self, volume: &VolumeSerial) -> Option<&str> {
        self.kept_volumes.get(volume.as_str()).map(String::as_str)
    }

    /// Copies of the BSDS that stay although their archives go: each is beside the newest one.
    #[must_use]
    pub fn bsds_copies_kept(&self) -> &[DataSetName] {
        &self.bsds_copies_kept
    }

    /// What is deleted by name: archives that are catalogued, each with the copy of the BSDS beside it.
    pub fn deletions(&self) -> impl Iterator<Item = &DataSetName> {
        let catalogued = self.names.iter().filter(|doomed| doomed.catalogued);
        catalogued.flat_map(|doomed| std::iter::once(&doomed.name).chain(&doomed.bsds_copy))
    }

    /// Archives that no deletion by name reaches: they are on tape, or in no catalog.
    pub fn not_catalogued(&self) -> impl Iterator<Item = &DoomedName> {
        self.names.iter().filter(|doomed| !doomed.catalogued)
    }
}

impl DoomedName {
    /// What the log inventory is to forget: each volume once, or the name where no volume is known.
    #[must_use]
    pub fn inventory_deletions(&self) -> Vec<InventoryDeletion> {
        let mut deletions: Vec<InventoryDeletion> = Vec::new();
        for volume in &self.volumes {
            let serial = volume.volume.clone();
            let of_copy = if volume.copy == 1 { InventoryVolume::Copy1 } else { InventoryVolume::Copy2 };
            let volume = serial.map(of_copy);
            let deletion = InventoryDeletion { name: DataSetName::clone(&self.name), volume };
            if !deletions.contains(&deletion) {
                deletions.push(deletion);
            }
        }
        deletions
    }
}
