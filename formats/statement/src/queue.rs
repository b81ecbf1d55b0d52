//! Local queues.

use std::fmt;

use format_types::ObjectName;

use crate::StatementError;
use crate::parameters::{Parameter, Parameters};
use crate::storage_class::storage_class_name;

/// Longest message, 4 MiB: the highest MAXMSGL.
pub const MAXIMUM_MESSAGE_LENGTH: u32 = 4 * 1024 * 1024;

/// Highest MAXDEPTH.
const MAXIMUM_DEPTH: u32 = 999_999_999;

/// Characters of a DESCR.
const DESCRIPTION_LENGTH: usize = 64;

/// Attributes of a local queue; none where the statement does not name one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueAttributes {
    /// DESCR, at most 64 characters.
    pub description: Option<String>,
    /// STGCLASS.
    pub storage_class: Option<ObjectName>,
    /// PUT(ENABLED).
    pub put_enabled: Option<bool>,
    /// GET(ENABLED).
    pub get_enabled: Option<bool>,
    /// DEFPRTY, 0 to 9.
    pub default_priority: Option<u8>,
    /// DEFPSIST(YES).
    pub default_persistence: Option<bool>,
    /// MAXDEPTH: messages.
    pub max_depth: Option<u32>,
    /// MAXMSGL: bytes.
    pub max_message_length: Option<u32>,
}

/// DEFINE QLOCAL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefineQueue {
    /// Its name.
    pub name: ObjectName,
    /// LIKE: the queue whose attributes serve where none is given.
    pub like: Option<ObjectName>,
    /// REPLACE one of that name.
    pub replace: bool,
    /// Its attributes.
    pub attributes: QueueAttributes,
}

/// `text` in apostrophes, those in it doubled.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(crate) fn object_name(parameter: &Parameter) -> Result<ObjectName, StatementError> {
    let value = parameter.value()?;
    value.text.parse().map_err(|_| {
        if value.text.len() > 48 {
            StatementError::too_long(&value.text, &parameter.keyword, value.column)
        } else {
            parameter.unacceptable(value, "a name of letters, digits, '.', '/', '_' and '%'")
        }
    })
}

pub(crate) fn description(rest: &mut Parameters) -> Result<Option<String>, StatementError> {
    let Some(parameter) = rest.take(&["DESCR"])? else {
        return Ok(None);
    };
    let value = parameter.value()?;
    if value.text.chars().count() > DESCRIPTION_LENGTH {
        return Err(StatementError::too_long(&value.text, &parameter.keyword, value.column));
    }
    Ok(Some(value.text.clone()))
}

pub(crate) fn replace(rest: &mut Parameters) -> Result<bool, StatementError> {
    let (yes, no) = (rest.take(&["REPLACE"])?, rest.take(&["NOREPLACE"])?);
    match (yes, no) {
        (Some(_), Some(no)) => Err(StatementError::conflict("REPLACE", "NOREPLACE", no.column)),
        (Some(yes), None) => yes.bare().map(|()| true),
        (None, Some(no)) => no.bare().map(|()| false),
        (None, None) => Ok(false),
    }
}

impl QueueAttributes {
    /// Keywords that DISPLAY QLOCAL knows.
    pub(crate) const DISPLAYED: &[&str] = &[
        "TYPE", "DESCR", "STGCLASS", "PSID", "PUT", "GET", "DEFPRTY", "DEFPSIST", "MAXDEPTH", "MAXMSGL",
        "CURDEPTH", "MSGDLVSQ",
    ];

    pub(crate) fn read(rest: &mut Parameters) -> Result<Self, StatementError> {
        let mut either = |keyword: &str, yes: &str, no: &str| {
            rest.take(&[keyword])?.map(|parameter| parameter.either(yes, no)).transpose()
        };
        let put_enabled = either("PUT", "ENABLED", "DISABLED")?;
        let get_enabled = either("GET", "ENABLED", "DISABLED")?;
        let default_persistence = either("DEFPSIST", "YES", "NO")?;
        let mut number = |keyword: &str, high: u32| {
            rest.take(&[keyword])?.map(|parameter| parameter.number(0, high)).transpose()
        };
        let default_priority = number("DEFPRTY", 9)?.and_then(|n| u8::try_from(n).ok());
        let max_depth = number("MAXDEPTH", MAXIMUM_DEPTH)?;
        let max_message_length = number("MAXMSGL", MAXIMUM_MESSAGE_LENGTH)?;
        Ok(Self {
            description: description(rest)?,
            storage_class: rest.take(&["STGCLASS"])?.map(|p| storage_class_name(&p)).transpose()?,
            put_enabled,
            get_enabled,
            default_priority,
            default_persistence,
            max_depth,
            max_message_length,
        })
    }
}

impl DefineQueue {
    pub(crate) fn read(primary: &Parameter, rest: &mut Parameters) -> Result<Self, StatementError> {
        Ok(Self {
            name: object_name(primary)?,
            like: rest.take(&["LIKE"])?.map(|p| object_name(&p)).transpose()?,
            replace: replace(rest)?,
            attributes: QueueAttributes::read(rest)?,
        })
    }
}

impl fmt::Display for DefineQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let enabled = |on: bool| if on { "ENABLED" } else { "DISABLED" };
        let attributes = &self.attributes;
        write!(f, "DEFINE QLOCAL({})", quote(self.name.as_str()))?;
        if let Some(like) = &self.like {
            write!(f, " LIKE({})", quote(like.as_str()))?;
        }
        if self.replace {
            f.write_str(" REPLACE")?;
        }
        if let Some(text) = &attributes.description {
            write!(f, " DESCR({})", quote(text))?;
        }
        if let Some(name) = &attributes.storage_class {
            write!(f, " STGCLASS({})", quote(name.as_str()))?;
        }
        if let Some(on) = attributes.put_enabled {
            write!(f, " PUT({})", enabled(on))?;
        }
        if let Some(on) = attributes.get_enabled {
            write!(f, " GET({})", enabled(on))?;
        }
        if let Some(priority) = attributes.default_priority {
            write!(f, " DEFPRTY({priority})")?;
        }
        if let Some(yes) = attributes.default_persistence {
            write!(f, " DEFPSIST({})", if yes { "YES" } else { "NO" })?;
        }
        if let Some(depth) = attributes.max_depth {
            write!(f, " MAXDEPTH({depth})")?;
        }
        if let Some(length) = attributes.max_message_length {
            write!(f, " MAXMSGL({length})")?;
        }
        Ok(())
    }
}
