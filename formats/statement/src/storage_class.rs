//! Storage classes.

use std::fmt;

use format_types::{ObjectName, PageSetId};

use crate::StatementError;
use crate::display::page_set;
use crate::parameters::{Parameter, Parameters};
use crate::queue::{description, object_name, quote, replace};

/// Attributes of a storage class; none where the statement does not name one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageClassAttributes {
    /// PSID: the page set that its queues live on.
    pub page_set: Option<PageSetId>,
    /// DESCR.
    pub description: Option<String>,
}

/// DEFINE STGCLASS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefineStorageClass {
    /// Its name, at most 8 characters.
    pub name: ObjectName,
    /// REPLACE one of that name.
    pub replace: bool,
    /// Its attributes.
    pub attributes: StorageClassAttributes,
}

/// A storage class name: at most 8 characters.
pub(crate) fn storage_class_name(parameter: &Parameter) -> Result<ObjectName, StatementError> {
    let value = parameter.value()?;
    if value.text.len() > 8 {
        return Err(StatementError::too_long(&value.text, &parameter.keyword, value.column));
    }
    object_name(parameter)
}

impl StorageClassAttributes {
    pub(crate) fn read(rest: &mut Parameters) -> Result<Self, StatementError> {
        Ok(Self {
            page_set: rest.take(&["PSID"])?.map(|p| page_set(&p)).transpose()?,
            description: description(rest)?,
        })
    }
}

impl DefineStorageClass {
    pub(crate) fn read(primary: &Parameter, rest: &mut Parameters) -> Result<Self, StatementError> {
        Ok(Self {
            name: storage_class_name(primary)?,
            replace: replace(rest)?,
            attributes: StorageClassAttributes::read(rest)?,
        })
    }
}

impl fmt::Display for DefineStorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DEFINE STGCLASS({})", quote(self.name.as_str()))?;
        if self.replace {
            f.write_str(" REPLACE")?;
        }
        if let Some(page_set) = self.attributes.page_set {
            write!(f, " PSID({page_set})")?;
        }
        if let Some(text) = &self.attributes.description {
            write!(f, " DESCR({})", quote(text))?;
        }
        Ok(())
    }
}
