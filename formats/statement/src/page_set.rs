//! Page sets.

use std::fmt;

use format_types::{Expand, PageSetId};

use crate::StatementError;
use crate::display::page_set;
use crate::parameters::{Parameter, Parameters};

/// Most pages of a page set: 64 GiB.
const MAXIMUM_PAGES: u32 = 16 * 1024 * 1024;

/// DEFINE PSID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefinePageSet {
    /// The page set.
    pub page_set: PageSetId,
    /// Pages at first; none for the queue manager's own default.
    pub pages: Option<u32>,
    /// How it grows; none for the default, USER.
    pub expand: Option<Expand>,
}

pub(crate) fn expand(parameter: &Parameter) -> Result<Expand, StatementError> {
    let value = parameter.value()?;
    match value.text.as_str() {
        "USER" => Ok(Expand::User),
        "SYSTEM" => Ok(Expand::System),
        "NONE" => Ok(Expand::None),
        _ => Err(parameter.unacceptable(value, "USER, SYSTEM or NONE")),
    }
}

impl DefinePageSet {
    pub(crate) fn read(primary: &Parameter, rest: &mut Parameters) -> Result<Self, StatementError> {
        let pages = rest.take(&["PAGES"])?.map(|p| p.number(16, MAXIMUM_PAGES)).transpose()?;
        if let Some(pool) = rest.take(&["BUFFPOOL", "BP"])? {
            // There is one buffer pool.
            pool.number(0, 0)?;
        }
        let expand = rest.take(&["EXPAND"])?.map(|p| expand(&p)).transpose()?;
        Ok(Self { page_set: page_set(primary)?, pages, expand })
    }
}

impl fmt::Display for DefinePageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DEFINE PSID({})", self.page_set)?;
        if let Some(pages) = self.pages {
            write!(f, " PAGES({pages})")?;
        }
        if let Some(expand) = self.expand {
            write!(f, " EXPAND({expand})")?;
        }
        Ok(())
    }
}
