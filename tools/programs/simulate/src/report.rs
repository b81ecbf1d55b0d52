//! What is said of a run.

use std::collections::BTreeMap;

use format_types::ConditionCode;
use serde::Serialize;

use crate::event::Totals;
use crate::seeds::Outcome;
use crate::settings::Settings;

/// From so many seeds on, a kind of event that never happened is worth a warning.
const MANY_SEEDS: u64 = 500;

/// One seed in the report.
#[derive(Debug, Serialize)]
struct Seed {
    seed: u64,
    digest: String,
    operations: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reproduce: Option<String>,
}

/// The report of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    condition_code: ConditionCode,
    seeds: Vec<Seed>,
    failed: u64,
    median_operations: u64,
    totals: BTreeMap<String, u64>,
    never_happened: Vec<String>,
}

impl Report {
    /// The report on these outcomes.
    pub(crate) fn of(settings: &Settings, outcomes: &[Outcome]) -> Self {
        let mut totals = Totals::default();
        outcomes.iter().for_each(|outcome| totals.merge(&outcome.totals));
        let mut operations: Vec<u64> = outcomes.iter().map(|outcome| outcome.operations).collect();
        operations.sort_unstable();
        let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count() as u64;
        let never_happened = totals.missing();
        let many = outcomes.len() as u64 >= MANY_SEEDS && !settings.every_stop;
        let condition_code = match failed {
            0 if many && !never_happened.is_empty() => ConditionCode::Warning,
            0 => ConditionCode::Done,
            _ => ConditionCode::Partial,
        };
        let seeds = outcomes
            .iter()
            .map(|outcome| Seed {
                seed: outcome.seed,
                digest: format!("{:016X}", outcome.digest),
                operations: outcome.operations,
                failure: outcome.failure.clone(),
                reproduce: outcome.failure.is_some().then(|| settings.reproduce(outcome.seed)),
            })
            .collect();
        Self {
            condition_code,
            seeds,
            failed,
            median_operations: operations.get(operations.len() / 2).copied().unwrap_or_default(),
            totals: totals.rows().into_iter().collect(),
            never_happened,
        }
    }

    /// The condition code: 8 when a promise was broken.
    pub(crate) fn code(&self) -> ConditionCode {
        self.condition_code
    }

    /// The report as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for seed in &self.seeds {
            lines.push(format!("SEED {} DIGEST {} OPERATIONS {}", seed.seed, seed.digest, seed.operations));
            if let (Some(failure), Some(reproduce)) = (&seed.failure, &seed.reproduce) {
                lines.push(format!("SEED {} FAILED {failure}", seed.seed));
                lines.push(format!("  again: {reproduce} --trace"));
            }
        }
        lines.push("TOTALS".to_owned());
        lines.extend(self.totals.iter().map(|(name, times)| format!("  {name:<32} {times:>12}")));
        if !self.never_happened.is_empty() {
            lines.push(format!("NEVER HAPPENED {}", self.never_happened.join(", ")));
        }
        lines.push(format!(
            "{} SEEDS, {} FAILED, MEDIAN OF {} OPERATIONS",
            self.seeds.len(),
            self.failed,
            self.median_operations
        ));
        lines
    }
}
