//! The plan's numbers as Prometheus text.

use std::io::{self, Write};

use format_inventory::Plan;

/// Name, help, and samples: label and value.
type Family<'a> = (&'a str, &'a str, &'a [(&'a str, u64)]);

/// Writes them. RBAs are numbers of bytes there.
pub(crate) fn write(to: &mut dyn Write, plan: &Plan<'_>) -> io::Result<()> {
    let totals = &plan.totals;
    let kept = plan.points.iter().filter(|point| point.kept).count() as u64;
    let lost = plan.points.iter().filter(|point| point.kept && !point.recoverable).count() as u64;
    let destroyed: std::collections::HashSet<_> = plan.gaps.iter().flat_map(|gap| &gap.destroys).collect();
    let families: [Family<'_>; 8] = [
        (
            "highwater_log_data_sets",
            "Log data sets by what the plan does with them.",
            &[
                ("action=\"delete\"", totals.delete_data_sets),
                ("action=\"keep\"", totals.keep_archives),
                ("action=\"active\"", totals.active_data_sets),
                ("action=\"absent\"", totals.absent),
            ],
        ),
        (
            "highwater_log_bytes",
            "Bytes of archives by what the plan does with them.",
            &[("action=\"delete\"", totals.delete_bytes), ("action=\"keep\"", totals.keep_bytes)],
        ),
        ("highwater_recovery_points_kept", "Recovery points that are kept.", &[("", kept)]),
        ("highwater_recovery_points_broken", "Kept recovery points whose log is missing.", &[("", lost)]),
        ("highwater_log_gaps", "Gaps in needed log.", &[("", plan.gaps.len() as u64)]),
        ("highwater_log_gap_points", "Recovery points that gaps destroy.", &[("", destroyed.len() as u64)]),
        ("highwater_retention_warnings", "Warnings of the plan.", &[("", plan.warnings.len() as u64)]),
        (
            "highwater_retention_plan_timestamp_seconds",
            "The time that the plan was made for.",
            &[("", plan.at.0 / 1_000_000)],
        ),
    ];
    let name = &plan.queue_manager;
    for (family, help, samples) in families {
        writeln!(to, "# HELP {family} {help}\n# TYPE {family} gauge")?;
        for (label, value) in samples {
            let comma = if label.is_empty() { "" } else { "," };
            writeln!(to, "{family}{{queue_manager=\"{name}\"{comma}{label}}} {value}")?;
        }
    }
    if let Some(boundary) = plan.boundary {
        let family = "highwater_log_boundary_rba";
        writeln!(to, "# HELP {family} Log is kept from this RBA on.\n# TYPE {family} gauge")?;
        writeln!(to, "{family}{{queue_manager=\"{name}\"}} {}", boundary.0)?;
    }
    Ok(())
}
