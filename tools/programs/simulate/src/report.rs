//! What is said of a run.

use std::collections::BTreeMap;

use format_types::ConditionCode;
use serde::Serialize;

use crate::digest::Digest;
use crate::event::Totals;
use crate::seeds::Outcome;
use crate::settings::Settings;

/// From so many seeds on, a kind of event that never happened is worth a warning.
const MANY_SEEDS: u64 = 500;

/// Seeds that share a line in the page of totals.
const THOUSAND: u64 = 1_000;

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
    #[serde(skip)]
    thousands: Vec<String>,
    seeds: Vec<Seed>,
    /// Of all seeds' digests, in order.
    digest: String,
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
            thousands: thousands(outcomes),
            condition_code,
            seeds,
            digest: digest_of(outcomes),
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
        lines.push(format!("DIGEST OF ALL {}", self.digest));
        lines.push(format!(
            "{} SEEDS, {} FAILED, MEDIAN OF {} OPERATIONS",
            self.seeds.len(),
            self.failed,
            self.median_operations
        ));
        lines
    }

    /// Totals and digests on a page of their own.
    pub(crate) fn page(&self, settings: &Settings) -> String {
        let mut lines = vec![format!(
            "simulate --seeds {}..{}{}",
            settings.seeds.start,
            settings.seeds.end,
            if settings.every_stop {
                " --every-stop".to_owned()
            } else {
                format!(" --operations {}", settings.operations)
            }
        )];
        lines.push(format!(
            "{} seeds, {} failed, median of {} operations",
            self.seeds.len(),
            self.failed,
            self.median_operations
        ));
        lines.push(format!("digest of all {}", self.digest));
        lines.push(String::new());
        lines.extend(self.totals.iter().map(|(name, times)| format!("{name:<36} {times:>14}")));
        lines.push(String::new());
        lines.extend(self.thousands.iter().cloned());
        lines.push(String::new());
        lines.join("\n")
    }
}

/// The digest of the digests of `outcomes`.
fn digest_of(outcomes: &[Outcome]) -> String {
    let mut digest = Digest::default();
    for outcome in outcomes {
        digest.number(outcome.seed);
        digest.number(outcome.digest);
    }
    format!("{:016X}", digest.value())
}

/// A line for each thousand seeds: which, and their digest.
fn thousands(outcomes: &[Outcome]) -> Vec<String> {
    let line = |some: &[Outcome]| {
        let seeds = some.first().zip(some.last()).map(|(first, last)| (first.seed, last.seed + 1));
        let (from, to) = seeds.unwrap_or_default();
        format!("seeds {from}..{to} digest {}", digest_of(some))
    };
    outcomes.chunk_by(|a, b| a.seed / THOUSAND == b.seed / THOUSAND).map(line).collect()
}
