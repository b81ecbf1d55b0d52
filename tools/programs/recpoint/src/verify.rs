//! recpoint verify.

use console::{Outcome, Progress, Session, message};
use engine_storage::SharedStorage;
use format_types::ConditionCode;
use operation_points::{VerifyReport, verify_point};
use serde::Serialize;

use crate::args::Named;
use crate::run::{failure, find};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a VerifyReport,
    condition_code: ConditionCode,
}

/// Code 8 when anything is wrong with the point or its log, one copy of it included.
pub(crate) fn run(arguments: &Named, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let point = find(storage, &arguments.at.directory, &arguments.point)?;
    let bar = Progress::bytes(format!("verifying {}", point.manifest.name), 0);
    let report = verify_point(storage, &point, Some(&arguments.at.directory), &mut |done, total| {
        bar.set_total(total);
        bar.set(done);
    });
    bar.finish();
    let report = report.map_err(failure)?;
    for damaged in &report.damaged_pages {
        message("HWT547E", &format!("page set {} page {}: {}", damaged.page_set, damaged.page, damaged.why));
    }
    let unnamed = report.damaged_count - report.damaged_pages.len() as u64;
    if unnamed > 0 {
        message("HWT547E", &format!("{unnamed} more pages do not verify"));
    }
    for problem in &report.problems {
        message("HWT548E", problem);
    }
    for gap in &report.log_missing {
        message("HWT549E", gap);
    }
    for place in &report.log_copies {
        message("HWT270W", &format!("log is good in one copy only: {place}"));
    }
    let unnamed = report.log_copy_faults - report.log_copies.len() as u64;
    if unnamed > 0 {
        message("HWT270W", &format!("{unnamed} more places like these"));
    }
    let code = report.code();
    session.answer(&Document { report: &report, condition_code: code }, || lines(&report));
    Ok(code)
}

fn lines(report: &VerifyReport) -> Vec<String> {
    let mut lines = vec![format!(
        "HWT550I RECOVERY POINT {}: {} PAGES LOOKED AT, {} DAMAGED, {} OTHER PROBLEMS, {} GAPS IN THE LOG",
        report.name,
        report.pages,
        report.damaged_count,
        report.problems.len(),
        report.log_missing.len()
    )];
    if let Some(needed) = report.log_needed {
        lines.push(format!("HWT551I LOG NEEDED {needed}"));
    }
    if report.log_copy_faults > 0 {
        lines.push(format!(
            "HWT271W {} CONTROL INTERVALS OF LOG DAMAGED OR DIFFERING",
            report.log_copy_faults
        ));
    }
    let verdict = if report.is_recoverable() {
        "HWT552I THE RECOVERY POINT CAN BE RECOVERED"
    } else {
        "HWT553E THE RECOVERY POINT CANNOT BE RECOVERED AS IT IS"
    };
    lines.push(verdict.to_owned());
    lines
}
