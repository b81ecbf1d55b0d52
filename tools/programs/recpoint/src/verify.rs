//! recpoint verify.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::time::Instant;

use console::{Failure, Outcome, Progress, Session, format_duration, message};
use engine_storage::SharedStorage;
use format_types::{ConditionCode, PointState};
use operation_points::{
    Budget, DeepReport, DeepSettings, Driver, KnownPoint, Point, PointError, VerifyReport, bytes_to_verify,
    known_points, least_recently_verified, verify_deep, verify_point_while,
};
use serde::Serialize;

use crate::args::Verify;
use crate::run::{failure, find, registry};

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    report: VerifyReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    deep: Option<DeepReport>,
    /// Whether the BSDS says it.
    noted: bool,
    condition_code: ConditionCode,
}

#[derive(Serialize)]
struct Several {
    points: Vec<Document>,
    /// Points that cannot be looked at.
    unreadable: Vec<String>,
    /// Points that the time did not suffice for.
    not_begun: Vec<String>,
    not_finished: Option<String>,
    condition_code: ConditionCode,
}

/// A point to be looked at.
struct Candidate {
    name: String,
    /// Its entry in the BSDS.
    known: Option<KnownPoint>,
    point: Result<Point, Failure>,
    error: Option<PointError>,
}

/// Code 8 when anything is wrong with a point or its log, one copy of it included; 4 when what was found could not be noted, a point
/// recovers to the end of its copies only, or the time sufficed for none.
pub(crate) fn run(arguments: &Verify, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let dir = &arguments.at.directory;
    let single = arguments.points.len() == 1 && arguments.budget.is_none();
    let mut budget = arguments.budget.map(Budget::begin);
    let mut all = Several {
        points: Vec::new(),
        unreadable: Vec::new(),
        not_begun: Vec::new(),
        not_finished: None,
        condition_code: ConditionCode::Done,
    };
    for candidate in candidates(arguments, storage)? {
        let Candidate { name, known, point, error } = candidate;
        if budget.as_ref().is_some_and(|budget| budget.left().is_zero()) || all.not_finished.is_some() {
            all.not_begun.push(name);
            continue;
        }
        let point = match point {
            Ok(point) => point,
            Err(failure) => {
                if let Some((known, error)) = known.zip(error) {
                    let noted = registry(storage, dir, session).note_unreadable(&known, &error);
                    warn_unless_noted(noted.map(Some));
                }
                if single {
                    return Err(failure);
                }
                message(&failure.id, &failure.text);
                all.unreadable.push(name);
                all.condition_code = ConditionCode::Partial;
                continue;
            }
        };
        let bytes = bytes_to_verify(storage, &point, dir);
        if let Some((budget, expected)) =
            budget.as_ref().and_then(|budget| Some((budget, budget.expected(bytes)?)))
            && expected > budget.left()
        {
            all.not_begun.push(name);
            continue;
        }
        let began = Instant::now();
        match verify(arguments, storage, session, &point, budget.as_ref())? {
            Some(document) => {
                if let Some(budget) = &mut budget {
                    budget.note(bytes, began.elapsed());
                }
                all.condition_code = all.condition_code.max(document.condition_code);
                all.points.push(document);
            }
            None => all.not_finished = Some(name),
        }
    }
    if let (true, Some(only)) = (single, all.points.first()) {
        session.answer(only, || lines(only));
        return Ok(all.condition_code);
    }
    if let Some(name) = &all.not_finished {
        message(
            "HWT595W",
            &format!(
                "time is up: recovery point {name} was not looked at to its end; nothing is noted of it"
            ),
        );
    }
    if all.points.is_empty() && !(all.not_begun.is_empty() && all.not_finished.is_none()) {
        all.condition_code = all.condition_code.max(ConditionCode::Warning);
    }
    let several = &all;
    session.answer(several, || several_lines(several));
    Ok(all.condition_code)
}

/// What is to be looked at, in that order.
fn candidates(arguments: &Verify, storage: &SharedStorage) -> Result<Vec<Candidate>, Failure> {
    let dir = &arguments.at.directory;
    let mut known = match known_points(storage, dir) {
        Ok(known) => known,
        // A point that holds its log needs nobody.
        Err(_) if !arguments.points.is_empty() => Vec::new(),
        Err(error) => return Err(failure(error)),
    };
    if arguments.budget.is_some() {
        least_recently_verified(&mut known);
    }
    let of_known = |known: &KnownPoint| {
        let opened = Point::open(storage, Path::new(&known.entry.directory));
        let (point, error) = match opened {
            Ok(point) => (Ok(point), None),
            Err(error) => (Err(Failure::of(&error).with_code(error.code())), Some(error)),
        };
        Candidate { name: known.entry.name.clone(), known: Some(known.clone()), point, error }
    };
    if arguments.points.is_empty() {
        return Ok(known.iter().map(of_known).collect());
    }
    let place = |point: &Path| known.iter().rposition(|known| point.as_os_str() == known.entry.name.as_str());
    let mut named: Vec<_> = arguments.points.iter().map(|point| (place(point), point)).collect();
    if arguments.budget.is_some() {
        named.sort_by_key(|(place, _)| *place);
    }
    let candidate = |(place, path): (Option<usize>, &std::path::PathBuf)| match place
        .and_then(|place| known.get(place))
    {
        Some(known) => of_known(known),
        None => Candidate {
            name: path.display().to_string(),
            known: None,
            point: find(storage, dir, path),
            error: None,
        },
    };
    Ok(named.into_iter().map(candidate).collect())
}

/// Looks at one point; none when the time was up before its end.
fn verify(
    arguments: &Verify,
    storage: &SharedStorage,
    session: &Session,
    point: &Point,
    budget: Option<&Budget>,
) -> Result<Option<Document>, Failure> {
    let dir = &arguments.at.directory;
    let bar = Progress::bytes(format!("verifying {}", point.manifest.name), 0);
    let report = verify_point_while(storage, point, Some(dir), &mut |done, total| {
        bar.set_total(total);
        bar.set(done);
        budget.is_none_or(|budget| !budget.left().is_zero())
    });
    bar.finish();
    let Some(report) = report.map_err(failure)? else { return Ok(None) };
    tell(&report);
    let mut code = report.code();
    let mut state = report.state;
    let mut deep = None;
    // One that cannot be recovered need not be tried.
    if arguments.deep && report.is_recoverable() {
        let proof = prove(arguments, storage, point)?;
        state = state.max(proof.state);
        if let Some(why) = &proof.failure {
            message(
                "HWT596E",
                &format!("recovering from {} in {} failed: {why}", proof.scratch.display(), report.name),
            );
            code = code.max(ConditionCode::Partial);
        }
        if let Some(why) = &proof.left {
            message("HWT598W", &format!("{} could not be removed: {why}", proof.scratch.display()));
            code = code.max(ConditionCode::Warning);
        }
        deep = Some(proof);
    }
    let (noted, warned) = warn_unless_noted(registry(storage, dir, session).note(point, state));
    if warned {
        code = code.max(ConditionCode::Warning);
    }
    Ok(Some(Document { report: VerifyReport { state, ..report }, deep, noted, condition_code: code }))
}

fn prove(arguments: &Verify, storage: &SharedStorage, point: &Point) -> Result<DeepReport, Failure> {
    // Whatever else: the standard library's hashes begin with bits of the system's random source.
    let random = RandomState::new().build_hasher().finish();
    let settings = DeepSettings { scratch: arguments.scratch.clone(), driver: Driver::Threads, random };
    let bar = Progress::bytes(format!("recovering from {}", point.manifest.name), 0);
    let proof =
        verify_deep(storage, point, Some(&arguments.at.directory), &settings, console::now(), &mut |step| {
            bar.set_total(step.total);
            bar.set(step.done);
        });
    bar.finish();
    proof.map_err(failure)
}

/// Whether the BSDS was told, and whether it could not be.
fn warn_unless_noted<T>(noted: Result<Option<T>, PointError>) -> (bool, bool) {
    match noted {
        Ok(changed) => (changed.is_some(), false),
        Err(error) => {
            message("HWT591W", &format!("what was found is not noted in the BSDS: {error}"));
            (false, true)
        }
    }
}

fn tell(report: &VerifyReport) {
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
    for gap in &report.log_deleted {
        message(
            "HWT599W",
            &format!(
                "log {gap} was deleted on purpose: {} recovers to the end of its copies only",
                report.name
            ),
        );
    }
    for place in &report.log_copies {
        message("HWT270W", &format!("log is good in one copy only: {place}"));
    }
    let unnamed = report.log_copy_faults - report.log_copies.len() as u64;
    if unnamed > 0 {
        message("HWT270W", &format!("{unnamed} more places like these"));
    }
}

fn several_lines(several: &Several) -> Vec<String> {
    let mut all: Vec<String> = several.points.iter().flat_map(lines).collect();
    let looked_at = several.points.iter().filter(|point| point.report.state == PointState::Verified).count();
    let not_finished = usize::from(several.not_finished.is_some());
    all.push(format!(
        "HWT272I {} RECOVERY POINTS LOOKED AT, {looked_at} WHOLE, {} NOT READABLE, {} NOT LOOKED AT FOR LACK OF TIME",
        several.points.len(),
        several.unreadable.len(),
        several.not_begun.len() + not_finished
    ));
    all
}

fn lines(document: &Document) -> Vec<String> {
    let report = &document.report;
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
    let failed = document.deep.as_ref().is_some_and(|deep| deep.failure.is_some());
    if let Some(deep) = document.deep.as_ref().filter(|deep| deep.failure.is_none()) {
        let took = std::time::Duration::try_from_secs_f64(deep.seconds).unwrap_or_default();
        lines.push(format!(
            "HWT273I RECOVERED FROM IT AND STARTED: {} PAGE SETS, {} PAGES, {} LOG RECORDS IN {}",
            deep.page_sets.len(),
            deep.pages,
            deep.records,
            format_duration(took)
        ));
    }
    let verdict = if report.is_recoverable() && !failed {
        "HWT552I THE RECOVERY POINT CAN BE RECOVERED"
    } else {
        "HWT553E THE RECOVERY POINT CANNOT BE RECOVERED AS IT IS"
    };
    lines.push(verdict.to_owned());
    lines
}
