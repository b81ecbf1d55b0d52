//! Units in doubt are settled by an operator, as their coordinator would have it.

use format_protocol::{Reply, Request};
use format_types::ConditionCode;

use crate::client::{Asked, brief};
use crate::event::Event;
use crate::model::{Broken, Phase, UnitNumber};
use crate::world::World;

impl World {
    /// Some program's user resolves a unit in doubt.
    pub(super) fn resolve_in_doubt(&mut self) -> Result<(), Broken> {
        let units = self.model.in_doubt();
        let (Some(unit), Some(at)) = (self.random.pick(&units).copied(), self.idle_client()) else {
            return Ok(());
        };
        let commit = self.random.coin();
        let action = if commit { "COMMIT" } else { "BACKOUT" };
        let text = format!("RESOLVE INDOUBT('{}') ACTION({action}) NID(*)", self.model.connection(unit));
        self.model.log_end = self.log_end();
        self.model.phase(unit, Phase::Resolving(commit));
        self.ask(at, Asked::Resolve { unit, commit }, Request::Mqsc { text })
    }

    /// Takes the answer to that in.
    pub(crate) fn resolved(&mut self, unit: UnitNumber, commit: bool, reply: &Reply) -> Result<(), Broken> {
        match reply {
            Reply::Lines { code: ConditionCode::Done, .. } if commit => {
                self.totals.count(Event::ResolvedCommit);
                self.model.committed(unit, None);
                Ok(())
            }
            Reply::Lines { code: ConditionCode::Done, .. } => {
                self.totals.count(Event::ResolvedBackout);
                if self.hindered() {
                    // It is decided; what needs a page set that is offline waits for it.
                    self.model.phase(unit, Phase::BackingOut);
                } else {
                    self.model.backed_out(unit);
                }
                Ok(())
            }
            // It needs a page set that is offline.
            Reply::Lines { .. } if self.hindered() => {
                self.model.phase(unit, Phase::InDoubt);
                Ok(())
            }
            // The queue manager fails: the next start shows what came of it.
            other if self.hindered() => {
                self.trace(|| format!("  not resolved: {}", brief(other)));
                Ok(())
            }
            other => Err(format!("RESOLVE INDOUBT was answered with {}", brief(other))),
        }
    }
}
