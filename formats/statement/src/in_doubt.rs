//! RESOLVE INDOUBT and DISPLAY THREAD.

use crate::StatementError;
use crate::parameters::{Parameter, Parameters};

/// The units of a connection that are meant: NID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkId {
    /// `*`: all of them.
    All,
    /// The one that the coordinator named so, or whose URID this is.
    One(String),
}

/// RESOLVE INDOUBT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveInDoubt {
    /// The connection whose units they are.
    pub connection: String,
    /// ACTION: commit them, or back them out.
    pub commit: bool,
    /// Which of them.
    pub network_id: NetworkId,
}

/// TYPE of DISPLAY THREAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThreadKind {
    /// Those of connections.
    #[default]
    Active,
    /// Those in doubt.
    InDoubt,
    /// Both.
    All,
}

/// DISPLAY THREAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayThread {
    /// The connections asked for; none for all.
    pub connections: Option<Vec<String>>,
    /// Which threads.
    pub kind: ThreadKind,
}

impl ResolveInDoubt {
    pub(crate) fn read(primary: &Parameter, rest: &mut Parameters) -> Result<Self, StatementError> {
        let connection = primary.value()?;
        if connection.text.is_empty() || connection.text == "*" {
            return Err(primary.unacceptable(connection, "the name of one connection"));
        }
        let commit = rest.require(&["ACTION"])?.either("COMMIT", "BACKOUT")?;
        let network_id = rest.require(&["NID"])?;
        let value = network_id.value()?;
        let network_id = match value.text.as_str() {
            "*" => NetworkId::All,
            "" => return Err(network_id.unacceptable(value, "a network identifier, or *")),
            text => NetworkId::One(text.to_owned()),
        };
        Ok(Self { connection: connection.text.clone(), commit, network_id })
    }
}

impl DisplayThread {
    pub(crate) fn read(primary: &Parameter, rest: &mut Parameters) -> Result<Self, StatementError> {
        let names: Vec<String> = primary.values()?.iter().map(|value| value.text.clone()).collect();
        let connections = if names.iter().any(|name| name == "*") { None } else { Some(names) };
        let kind = match rest.take(&["TYPE"])? {
            None => ThreadKind::Active,
            Some(kind) => {
                let value = kind.value()?;
                match value.text.as_str() {
                    "ACTIVE" => ThreadKind::Active,
                    "INDOUBT" => ThreadKind::InDoubt,
                    "*" => ThreadKind::All,
                    _ => return Err(kind.unacceptable(value, "ACTIVE, INDOUBT or *")),
                }
            }
        };
        Ok(Self { connections, kind })
    }
}
