//! What DISPLAY CFSTRUCT, CFSTATUS TYPE(BACKUP) and CONN say, as values; read from their attributes, and written as such.

use format_types::{QueueManagerName, Rba, StructureName, Urid};
use jiff::civil::Date;

use crate::attributes::Attribute;
use crate::display::DisplayedObject;
use crate::error::ListingError;
use crate::field::{Parsed, rba};
use crate::printed_time::{PrintedTime, date, time};

/// A structure of DISPLAY CFSTRUCT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// Its name.
    pub name: StructureName,
    /// CFLEVEL.
    pub level: Option<u8>,
    /// RECOVER: whether it can be backed up.
    pub recover: Option<bool>,
}

/// A structure of DISPLAY CFSTATUS TYPE(BACKUP).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructureBackup {
    /// Its name.
    pub name: StructureName,
    /// STATUS.
    pub status: String,
    /// The newest backup; none when it was never backed up.
    pub backup: Option<BackupRange>,
    /// When it failed; none when it did not.
    pub failed_at: Option<PrintedTime>,
}

/// A backup of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRange {
    /// When it was taken.
    pub at: Option<PrintedTime>,
    /// Where it begins in the log of the queue manager that took it.
    pub start: Rba,
    /// Where it ends there.
    pub end: Rba,
    /// Its size in MB.
    pub megabytes: Option<u64>,
    /// The queue manager that took it.
    pub taken_by: QueueManagerName,
    /// Queue managers whose logs a recovery reads.
    pub logs: Vec<QueueManagerName>,
}

/// A connection of DISPLAY CONN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its identifier: CONN.
    pub id: String,
    /// APPLTAG.
    pub application: String,
    /// State of its unit of work; none when the answer does not print it.
    pub state: Option<ConnectionState>,
    /// Its unit of work; none when it has none.
    pub unit: Option<ConnectionUnit>,
}

/// UOWSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// No unit of work.
    None,
    /// Working.
    Active,
    /// Prepared.
    Prepared,
    /// In doubt.
    Unresolved,
}

/// A unit of work of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionUnit {
    /// Its first record: QMURID.
    pub urid: Urid,
    /// When it began: UOWSTDA and UOWSTTI.
    pub began: Option<PrintedTime>,
    /// When it first wrote to the log: UOWLOGDA and UOWLOGTI.
    pub logged: Option<PrintedTime>,
}

const WHAT: &str = "the object does not read";

/// The value of `keyword`; none when the answer does not print it, or it is blank.
fn filled<'a>(object: &'a DisplayedObject, keyword: &str) -> Option<&'a str> {
    object.get(keyword).filter(|value| !value.is_empty())
}

fn wanted<'a>(object: &'a DisplayedObject, keyword: &str) -> Result<&'a str, ListingError> {
    filled(object, keyword).ok_or_else(|| object.error(WHAT, format!("{keyword} is wanted")))
}

fn read<T>(
    object: &DisplayedObject,
    keyword: &str,
    value: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ListingError> {
    parse(value).ok_or_else(|| object.error(WHAT, format!("{keyword}({value}) does not read")))
}

fn all<'a, T>(text: &'a str, mut parser: impl FnMut(&'a str) -> Parsed<'a, T>) -> Option<T> {
    parser(text).ok().filter(|(rest, _)| rest.trim().is_empty()).map(|(_, value)| value)
}

fn address(object: &DisplayedObject, keyword: &str) -> Result<Rba, ListingError> {
    read(object, keyword, wanted(object, keyword)?, |value| all(value, rba)).map(|(rba, _)| rba)
}

fn optional<T>(
    object: &DisplayedObject,
    keyword: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ListingError> {
    filled(object, keyword).map(|value| read(object, keyword, value, parse)).transpose()
}

fn at(object: &DisplayedObject, date_in: &str, time_in: &str) -> Result<Option<PrintedTime>, ListingError> {
    let date: Option<Date> = optional(object, date_in, |value| all(value, date))?;
    let time = optional(object, time_in, |value| all(value, time))?;
    match (date, time) {
        (Some(date), time) => Ok(Some(PrintedTime { date, time })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(object.error(WHAT, format!("{time_in} has no {date_in} beside it"))),
    }
}

/// The attributes of a date and a time; a blank where there is none.
fn moment(at: Option<PrintedTime>, date_in: &'static str, time_in: &'static str) -> [Attribute; 2] {
    let date = at.map_or_else(blank, |at| PrintedTime::day(at.date));
    let time =
        at.and_then(|at| at.time).map_or_else(blank, |time| PrintedTime::clock(time).replace(':', "."));
    [Attribute::new(date_in, date), Attribute::new(time_in, time)]
}

fn blank() -> String {
    " ".to_owned()
}

fn name(object: &DisplayedObject, keyword: &str) -> Result<StructureName, ListingError> {
    read(object, keyword, wanted(object, keyword)?, |value| value.parse().ok())
}

impl Structure {
    /// The structure that `object` of DISPLAY CFSTRUCT is.
    ///
    /// # Errors
    /// When an attribute does not read.
    pub fn of(object: &DisplayedObject) -> Result<Self, ListingError> {
        let level = optional(object, "CFLEVEL", |value| value.parse().ok())?;
        let recover = optional(object, "RECOVER", |value| match value {
            "YES" => Some(true),
            "NO" => Some(false),
            _ => None,
        })?;
        Ok(Self { name: name(object, "CFSTRUCT")?, level, recover })
    }

    /// Its attributes, as [`details`](crate::details) takes them.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        let level = self.level.map(|level| Attribute::new("CFLEVEL", level));
        let recover =
            self.recover.map(|recover| Attribute::new("RECOVER", if recover { "YES" } else { "NO" }));
        std::iter::once(Attribute::new("CFSTRUCT", &self.name)).chain(level).chain(recover).collect()
    }
}

impl StructureBackup {
    /// What `object` of DISPLAY CFSTATUS TYPE(BACKUP) says.
    ///
    /// # Errors
    /// When an attribute does not read, or one that a backup must have is missing.
    pub fn of(object: &DisplayedObject) -> Result<Self, ListingError> {
        let range = ["BKUPSRBA", "BKUPERBA"]
            .iter()
            .any(|keyword| filled(object, keyword).is_some_and(|rba| rba.bytes().any(|b| b != b'0')));
        let stated = ["BKUPDATE", "BKUPTIME", "LOGS", "QMNAME"]
            .iter()
            .any(|keyword| filled(object, keyword).is_some());
        let printed =
            ["BKUPSRBA", "BKUPERBA", "BKUPDATE"].iter().all(|keyword| object.get(keyword).is_some());
        if !printed {
            return Err(object.error(WHAT, "BKUPSRBA, BKUPERBA and BKUPDATE are wanted, blank or not"));
        }
        let backup = if range || stated { Some(BackupRange::of(object)?) } else { None };
        Ok(Self {
            name: name(object, "CFSTATUS")?,
            status: wanted(object, "STATUS")?.to_owned(),
            backup,
            failed_at: at(object, "FAILDATE", "FAILTIME")?,
        })
    }

    /// Its attributes, as [`details`](crate::details) takes them. Those of a backup that was never made are blank.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        let backup = self.backup.as_ref();
        let of = |value: fn(&BackupRange) -> String| backup.map_or_else(blank, value);
        let megabytes = backup.and_then(|backup| backup.megabytes);
        let mut attributes = vec![
            Attribute::new("CFSTATUS", &self.name),
            Attribute::new("TYPE", "BACKUP"),
            Attribute::new("STATUS", &self.status),
        ];
        attributes.extend(moment(backup.and_then(|backup| backup.at), "BKUPDATE", "BKUPTIME"));
        attributes.extend([
            Attribute::new("BKUPSIZE", megabytes.map_or_else(blank, |megabytes| megabytes.to_string())),
            Attribute::new("BKUPSRBA", of(|backup| backup.start.to_string())),
            Attribute::new("BKUPERBA", of(|backup| backup.end.to_string())),
            Attribute::new("LOGS", of(BackupRange::names)),
        ]);
        attributes.extend(moment(self.failed_at, "FAILDATE", "FAILTIME"));
        attributes.push(Attribute::new("QMNAME", of(|backup| backup.taken_by.to_string())));
        attributes
    }
}

impl BackupRange {
    fn of(object: &DisplayedObject) -> Result<Self, ListingError> {
        let (start, end) = (address(object, "BKUPSRBA")?, address(object, "BKUPERBA")?);
        if end < start {
            return Err(object.error(WHAT, "BKUPERBA is below BKUPSRBA"));
        }
        let names = |value: &str| {
            let names = value.split([',', ' ']).filter(|name| !name.is_empty());
            let names: Option<Vec<QueueManagerName>> = names.map(|name| name.parse().ok()).collect();
            names.filter(|names| !names.is_empty())
        };
        Ok(Self {
            at: at(object, "BKUPDATE", "BKUPTIME")?,
            start,
            end,
            megabytes: optional(object, "BKUPSIZE", |value| value.parse().ok())?,
            taken_by: read(object, "QMNAME", wanted(object, "QMNAME")?, |value| value.parse().ok())?,
            logs: read(object, "LOGS", wanted(object, "LOGS")?, names)?,
        })
    }

    /// The queue managers whose logs a recovery reads, as LOGS has them.
    fn names(&self) -> String {
        self.logs.iter().map(QueueManagerName::as_str).collect::<Vec<_>>().join(",")
    }
}

impl ConnectionState {
    /// As UOWSTATE has it.
    const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Active => "ACTIVE",
            Self::Prepared => "PREPARED",
            Self::Unresolved => "UNRESOLVED",
        }
    }
}

impl Connection {
    /// What `object` of DISPLAY CONN says.
    ///
    /// # Errors
    /// When an attribute does not read, or a connection has a unit of work without QMURID.
    pub fn of(object: &DisplayedObject) -> Result<Self, ListingError> {
        let states = [
            ConnectionState::None,
            ConnectionState::Active,
            ConnectionState::Prepared,
            ConnectionState::Unresolved,
        ];
        let state = optional(object, "UOWSTATE", |value| {
            states.into_iter().find(|state: &ConnectionState| state.name() == value)
        })?;
        let has_unit = state.is_some_and(|state| state != ConnectionState::None);
        let urid = if has_unit {
            Some(address(object, "QMURID")?)
        } else {
            optional(object, "QMURID", |value| all(value, rba))?
                .map(|(rba, _)| rba)
                .filter(|rba| *rba != Rba::ZERO)
        };
        let unit = match urid {
            Some(urid) => Some(ConnectionUnit {
                urid: Urid(urid),
                began: at(object, "UOWSTDA", "UOWSTTI")?,
                logged: at(object, "UOWLOGDA", "UOWLOGTI")?,
            }),
            None => None,
        };
        Ok(Self {
            id: wanted(object, "CONN")?.to_owned(),
            application: object.get("APPLTAG").unwrap_or("").to_owned(),
            state,
            unit,
        })
    }

    /// Its attributes, as [`details`](crate::details) takes them.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        let unit = self.unit.as_ref();
        let urid = unit.map_or(Rba::ZERO, |unit| unit.urid.0);
        let mut attributes = vec![
            Attribute::new("CONN", &self.id),
            Attribute::new("TYPE", "CONN"),
            Attribute::new("APPLTAG", &self.application),
        ];
        attributes.extend(moment(unit.and_then(|unit| unit.logged), "UOWLOGDA", "UOWLOGTI"));
        attributes.extend(moment(unit.and_then(|unit| unit.began), "UOWSTDA", "UOWSTTI"));
        attributes.extend(self.state.map(|state| Attribute::new("UOWSTATE", state.name())));
        attributes.push(Attribute::new("QMURID", urid));
        attributes
    }
}
