//! qmgr load and qmgr audit.

use std::time::Duration;

use console::{Failure, Outcome, Session, format_duration, format_rate, format_size};
use format_types::ConditionCode;
use operation_workload::{
    AuditSettings, LoadCounters, LoadReport, LoadSettings, WorkloadError, run_audit, run_load,
};

use crate::args::{Audit, Load};
use crate::create::random;

fn failure(error: WorkloadError) -> Failure {
    let code = error.code();
    Failure::of(error).with_code(code)
}

/// Code 0; 4 when connections ended before their time; 8 when a body that was got did not prove itself.
pub(crate) fn load(arguments: &Load, session: &mut Session) -> Outcome {
    let [load, seed] = random()?;
    let settings = settings(arguments, seed, session.common.timeout)?;
    let report =
        run_load(&arguments.at.directory, load, &settings, &LoadCounters::default()).map_err(failure)?;
    session.answer(&report, || lines(&report, &settings));
    Ok(if report.altered > 0 {
        ConditionCode::Partial
    } else if report.vanished || !report.endings.is_empty() {
        ConditionCode::Warning
    } else {
        ConditionCode::Done
    })
}

fn settings(arguments: &Load, seed: u64, timeout: Duration) -> Result<LoadSettings, Failure> {
    let mut settings = LoadSettings::new(&arguments.journal);
    settings.seed = arguments.seed.unwrap_or(seed);
    settings.timeout = timeout;
    settings.connections = arguments.connections;
    settings.messages = arguments.messages;
    if arguments.seconds.is_some() || arguments.messages.is_some() {
        settings.seconds = arguments.seconds.map(|time| time.as_secs_f64());
    }
    if let Some(size) = arguments.message_size {
        let fits = u32::try_from(size.0);
        settings.message_size = Some(
            fits.map_err(|_| Failure::refused("HWT605E", format!("messages of {size} are not possible")))?,
        );
    }
    if let Some(prefix) = &arguments.queue_prefix {
        settings.queue_prefix = prefix.to_string();
    }
    settings.queues = arguments.queues.unwrap_or(settings.queues);
    settings.get_percent = arguments.get_percent.unwrap_or(settings.get_percent);
    settings.keep = arguments.keep.unwrap_or(settings.keep);
    Ok(settings)
}

fn lines(report: &LoadReport, settings: &LoadSettings) -> Vec<String> {
    let took = Duration::from_secs_f64(report.seconds);
    let mut lines = vec![
        format!("HWT620I LOAD {} SEED {} JOURNAL {}", report.load, settings.seed, settings.journal.display()),
        format!(
            "HWT621I ACKNOWLEDGED UNITS {}, PUTS {}, GETS {}, {} IN {}, {}",
            report.acknowledged_units,
            report.acknowledged_puts,
            report.acknowledged_gets,
            format_size(report.bytes),
            format_duration(took),
            format_rate(report.bytes, took)
        ),
        format!(
            "HWT622I UNKNOWN UNITS {}, BACKED OUT {}, REFUSED {}, ALTERED {}, LONGEST PAUSE {}",
            report.unknown_units,
            report.backouts,
            report.refused,
            report.altered,
            format_duration(Duration::from_secs_f64(report.longest_pause))
        ),
    ];
    if report.vanished {
        lines.push("HWT623W THE QUEUE MANAGER VANISHED DURING THE LOAD".to_owned());
    }
    lines.extend(report.endings.iter().map(|ending| format!("HWT624W A CONNECTION ENDED: {ending}")));
    lines
}

/// Code 0 when clean, else 8.
pub(crate) fn audit(arguments: &Audit, session: &mut Session) -> Outcome {
    let settings = AuditSettings {
        dir: arguments.at.directory.clone(),
        journals: arguments.journal.clone(),
        to_rba: arguments.to_rba,
        timeout: session.common.timeout,
    };
    let report = run_audit(&settings).map_err(failure)?;
    session.answer(&report, || report.lines());
    Ok(report.code())
}
