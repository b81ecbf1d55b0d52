//! The policy that was given, and what a file says of certain queue managers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use console::Failure;
use format_types::QueueManagerName;
use operation_retention::Policy;

use crate::args::PolicyArgs;
use crate::files;
use crate::settings::Origin;

/// The table of a policy file whose tables are for certain queue managers.
const OWN: &str = "queue-manager";

/// A policy for all queue managers, and those of certain ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policies {
    general: Policy,
    own: BTreeMap<QueueManagerName, Policy>,
    file: Option<PathBuf>,
}

fn refused(path: &Path, why: impl std::fmt::Display) -> Failure {
    let text = format!("THE POLICY {} IS NOT UNDERSTOOD: {why}", path.display());
    Failure::refused("HWT821E", text).hint("its names are those of the options, without the dashes before")
}

fn typed_over(file: &Policy, typed: &PolicyArgs) -> Result<Policy, Failure> {
    let policy = Policy {
        keep_last: typed.keep_last.or(file.keep_last),
        newer_than: typed.newer_than.or(file.newer_than),
        daily: typed.daily.or(file.daily),
        weekly: typed.weekly.or(file.weekly),
        monthly: typed.monthly.or(file.monthly),
        yearly: typed.yearly.or(file.yearly),
        window: typed.window.or(file.window),
        consistent_only: typed.consistent_only || file.consistent_only,
        min_archives: typed.min_archives.or(file.min_archives),
        margin: typed.margin.or(file.margin),
        back_to_full: typed.back_to_full || file.back_to_full,
        copy2_shorter: typed.copy2_shorter || file.copy2_shorter,
        max_delete: typed.max_delete.or(file.max_delete),
        restart_within: typed.restart_within.or(file.restart_within),
    };
    policy.check().map_err(|error| Failure::refused("HWT821E", error))?;
    Ok(policy)
}

impl Policies {
    /// What was typed, over what the file says.
    pub(crate) fn read(typed: &PolicyArgs) -> Result<Self, Failure> {
        let Some(path) = &typed.policy else {
            let general = typed_over(&Policy::default(), typed)?;
            return Ok(Self { general, own: BTreeMap::new(), file: None });
        };
        let text = String::from_utf8(files::read(path, "HWT821E")?).map_err(|error| refused(path, error))?;
        let unread = |error: &toml::de::Error| refused(path, error.to_string().trim_end());
        let mut table: toml::Table = toml::from_str(&text).map_err(|error| unread(&error))?;
        let tables = match table.remove(OWN) {
            None => None,
            Some(toml::Value::Table(tables)) => Some(tables),
            Some(_) => return Err(refused(path, format!("{OWN} is no table: [{OWN}.QM1] is wanted"))),
        };
        // Of a file that is one policy, what is wrong is shown in its line; the text of a table is gone.
        let general = if tables.is_none() { toml::from_str(&text) } else { table.clone().try_into() };
        let general = typed_over(&general.map_err(|error| unread(&error))?, typed)?;
        let mut own = BTreeMap::new();
        for (name, part) in tables.into_iter().flatten() {
            let within = |why: &dyn std::fmt::Display| refused(path, format!("[{OWN}.{name}]: {why}"));
            let queue_manager = name.parse::<QueueManagerName>().map_err(|error| within(&error))?;
            let toml::Value::Table(part) = part else { return Err(within(&"it is no table")) };
            let mut whole = table.clone();
            whole.extend(part);
            let policy: Policy =
                whole.try_into().map_err(|error: toml::de::Error| within(&error.to_string().trim_end()))?;
            own.insert(queue_manager, typed_over(&policy, typed)?);
        }
        Ok(Self { general, own, file: Some(path.clone()) })
    }

    /// With what holds for facts from `origin` where nothing else was said.
    ///
    /// # Errors
    /// When a part of a policy does nothing there.
    pub(crate) fn of_origin(self, origin: &Origin) -> Result<Self, Failure> {
        let all = std::iter::once(&self.general).chain(self.own.values());
        for policy in all.filter(|_| matches!(origin, Origin::Listings(_))) {
            for (given, option, why) in [
                (
                    policy.copy2_shorter,
                    "--copy2-shorter",
                    "no listing shows that an archive of copy 1 is whole",
                ),
                (
                    policy.restart_within.is_some(),
                    "--restart-within",
                    "no listing shows how fast log is read",
                ),
            ] {
                if given {
                    let text = format!("{option} does nothing with --listing: {why}");
                    return Err(Failure::refused("HWT700E", text));
                }
            }
        }
        let own = self.own.into_iter().map(|(name, policy)| (name, origin.policy(policy)));
        Ok(Self { general: origin.policy(self.general), own: own.collect(), file: self.file })
    }

    /// The policy of a queue manager.
    pub(crate) fn of(&self, name: &QueueManagerName) -> &Policy {
        self.own.get(name).unwrap_or(&self.general)
    }

    /// The one policy.
    ///
    /// # Errors
    /// When there are policies of certain queue managers, which only those of listings have.
    pub(crate) fn only(&self) -> Result<&Policy, Failure> {
        match (&self.file, self.own.is_empty()) {
            (Some(path), false) => {
                Err(refused(path, format!("[{OWN}] is for the queue managers of listings (--listing)")))
            }
            _ => Ok(&self.general),
        }
    }

    /// Queue managers that the file names and that are none of `known`.
    pub(crate) fn without_listings(&self, known: &[&QueueManagerName]) -> Vec<&QueueManagerName> {
        self.own.keys().filter(|name| !known.contains(name)).collect()
    }
}
