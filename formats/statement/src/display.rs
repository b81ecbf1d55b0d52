//! What DISPLAY commands ask for.

use format_types::PageSetId;

use crate::StatementError;
use crate::parameters::{Parameter, Parameters, Value};

/// A name, or all names with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Exact(String),
    /// Names that start so: `APP.*`, `*`.
    Prefix(String),
}

impl NamePattern {
    /// Whether `name` is asked for.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(wanted) => name == wanted,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }

    /// Whether it may match many names.
    #[must_use]
    pub const fn is_generic(&self) -> bool {
        matches!(self, Self::Prefix(_))
    }

    pub(crate) fn read(parameter: &Parameter) -> Result<Self, StatementError> {
        let value = parameter.value()?;
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '%');
        let stem = value.text.strip_suffix('*');
        if !stem.unwrap_or(&value.text).chars().all(name) || value.text.is_empty() {
            return Err(parameter.unacceptable(value, "a name, or a prefix and '*'"));
        }
        Ok(match stem {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(value.text.clone()),
        })
    }
}

/// How WHERE compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Like a generic name.
    Lk,
    /// Not like a generic name.
    Nl,
}

/// `WHERE(attribute operator value)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The attribute's keyword.
    pub attribute: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: String,
}

impl Filter {
    /// Whether an attribute of this text passes. Two numbers are compared as numbers.
    #[must_use]
    pub fn passes(&self, text: &str) -> bool {
        let number = |t: &str| t.parse::<u64>().ok();
        let order = match (number(text), number(&self.value)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => text.cmp(&self.value),
        };
        let like = || match self.value.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == self.value,
        };
        match self.operator {
            Operator::Eq => order.is_eq(),
            Operator::Ne => order.is_ne(),
            Operator::Gt => order.is_gt(),
            Operator::Lt => order.is_lt(),
            Operator::Ge => order.is_ge(),
            Operator::Le => order.is_le(),
            Operator::Lk => like(),
            Operator::Nl => !like(),
        }
    }

    fn read(parameter: &Parameter, attributes: &[&str]) -> Result<Self, StatementError> {
        let [attribute, operator, value] = parameter.values()? else {
            return Err(StatementError::syntax(&parameter.keyword, parameter.column));
        };
        if !attributes.contains(&attribute.text.as_str()) {
            return Err(StatementError::invalid(&attribute.text, attribute.column));
        }
        Ok(Self {
            attribute: attribute.text.clone(),
            operator: Self::operator(parameter, operator)?,
            value: value.text.clone(),
        })
    }

    fn operator(parameter: &Parameter, value: &Value) -> Result<Operator, StatementError> {
        Ok(match value.text.as_str() {
            "EQ" => Operator::Eq,
            "NE" => Operator::Ne,
            "GT" => Operator::Gt,
            "LT" => Operator::Lt,
            "GE" => Operator::Ge,
            "LE" => Operator::Le,
            "LK" => Operator::Lk,
            "NL" => Operator::Nl,
            _ => return Err(parameter.unacceptable(value, "EQ, NE, GT, LT, GE, LE, LK or NL")),
        })
    }
}

/// Which objects a DISPLAY command asks for, and which of their attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayRequest {
    /// The objects.
    pub names: NamePattern,
    /// All attributes; also when a single name is given and no attribute.
    pub all: bool,
    /// The attributes named.
    pub attributes: Vec<String>,
    /// What the objects must satisfy.
    pub filter: Option<Filter>,
}

impl DisplayRequest {
    /// Whether the attribute of this keyword is to be printed. The type always is, and the attribute filtered by.
    #[must_use]
    pub fn shows(&self, keyword: &str) -> bool {
        self.all
            || keyword == "TYPE"
            || self.attributes.iter().any(|wanted| wanted == keyword)
            || self.filter.as_ref().is_some_and(|filter| filter.attribute == keyword)
    }

    /// Whether an object of this name is printed; `attribute` gives the text of one of its attributes, by keyword.
    #[must_use]
    pub fn selects(&self, name: &str, attribute: impl Fn(&str) -> Option<String>) -> bool {
        let passes = |filter: &Filter| attribute(&filter.attribute).is_some_and(|text| filter.passes(&text));
        self.names.matches(name) && self.filter.as_ref().is_none_or(passes)
    }

    /// Reads what follows the name: ALL, WHERE and the names of `attributes`.
    pub(crate) fn read(
        names: NamePattern,
        rest: &mut Parameters,
        attributes: &[&str],
    ) -> Result<Self, StatementError> {
        let mut all = rest.flag(&["ALL"])?;
        let filter =
            rest.take(&["WHERE"])?.map(|parameter| Filter::read(&parameter, attributes)).transpose()?;
        let mut wanted: Vec<String> = Vec::new();
        for parameter in rest.rest() {
            if !attributes.contains(&parameter.keyword.as_str()) {
                return Err(StatementError::invalid(&parameter.keyword, parameter.column));
            }
            parameter.bare()?;
            if wanted.contains(&parameter.keyword) {
                return Err(StatementError::repeated(&parameter.keyword, parameter.column));
            }
            wanted.push(parameter.keyword);
        }
        all |= wanted.is_empty() && !names.is_generic() && filter.is_none();
        Ok(Self { names, all, attributes: wanted, filter })
    }
}

/// TYPE of DISPLAY USAGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsageKind {
    /// Page sets and buffer pools.
    #[default]
    PageSet,
    /// Log data sets and the restart RBAs.
    DataSet,
    /// Both.
    All,
}

/// DISPLAY USAGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DisplayUsage {
    /// What is asked for.
    pub kind: UsageKind,
    /// Of this page set only.
    pub page_set: Option<PageSetId>,
}

impl DisplayUsage {
    pub(crate) fn read(rest: &mut Parameters) -> Result<Self, StatementError> {
        let mut usage = Self::default();
        if let Some(parameter) = rest.take(&["TYPE"])? {
            let value = parameter.value()?;
            usage.kind = match value.text.as_str() {
                "PAGESET" => UsageKind::PageSet,
                "DATASET" => UsageKind::DataSet,
                "ALL" => UsageKind::All,
                _ => return Err(parameter.unacceptable(value, "PAGESET, DATASET or ALL")),
            };
        }
        if let Some(parameter) = rest.take(&["PSID"])? {
            if usage.kind == UsageKind::DataSet {
                return Err(StatementError::conflict("PSID", "TYPE(DATASET)", parameter.column));
            }
            usage.page_set = page_set_or_all(&parameter)?;
        }
        Ok(usage)
    }
}

/// The page set named, or none for `*`.
pub(crate) fn page_set_or_all(parameter: &Parameter) -> Result<Option<PageSetId>, StatementError> {
    let value = parameter.value()?;
    if value.text == "*" { Ok(None) } else { page_set(parameter).map(Some) }
}

/// The page set named.
pub(crate) fn page_set(parameter: &Parameter) -> Result<PageSetId, StatementError> {
    let value = parameter.value()?;
    value.text.parse().map_err(|_| parameter.unacceptable(value, "a page set from 0 to 99"))
}
