//! The deliberate mistakes that can be planted: those of the engine and the operations, and those of the rules of retention.

use std::fmt;
use std::str::FromStr;

use engine_storage::planted::Defect as EngineDefect;
pub(crate) use engine_storage::planted::UnknownDefect;
use operation_retention::planted::Defect as RetentionDefect;

/// A mistake that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    Engine(EngineDefect),
    Retention(RetentionDefect),
}

impl Defect {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let engine = EngineDefect::ALL.iter().copied().map(Self::Engine);
        engine.chain(RetentionDefect::ALL.iter().copied().map(Self::Retention))
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(defect) => defect.fmt(f),
            Self::Retention(defect) => defect.fmt(f),
        }
    }
}

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, UnknownDefect> {
        match text.parse() {
            Ok(defect) => Ok(Self::Retention(defect)),
            Err(_) => text.parse().map(Self::Engine),
        }
    }
}

/// Makes this thread make the mistake from now on; none makes it honest.
#[cfg(feature = "planted-defects")]
pub(crate) fn plant(defect: Option<Defect>) {
    let (engine, retention) = match defect {
        Some(Defect::Engine(defect)) => (Some(defect), None),
        Some(Defect::Retention(defect)) => (None, Some(defect)),
        None => (None, None),
    };
    engine_storage::planted::plant(engine);
    operation_retention::planted::plant(retention);
}

/// This build makes no mistakes on purpose.
#[cfg(not(feature = "planted-defects"))]
pub(crate) fn plant(_defect: Option<Defect>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_is_known_by_its_name_and_by_no_other() {
        for defect in Defect::all() {
            assert_eq!(defect.to_string().parse(), Ok(defect));
        }
        assert!("nonsense".parse::<Defect>().is_err());
    }
}
