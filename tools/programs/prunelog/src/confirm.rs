//! prunelog confirm.

use console::{Failure, Outcome, Session, message};
use format_inventory::format_time;
use format_listing::{IdcamsPrint, Report};
use format_types::{ConditionCode, QueueManagerName, Timestamp};
use operation_jobs::{Became, Doomed, Settlement};

use crate::args::{Confirm, ConfirmEmit};
use crate::run::read_plan;
use crate::{files, jobs, listings};

/// Code 0 when all is settled; 4 when something was not there before; 8 when something is not settled; 12 when nothing is.
pub(crate) fn run(asked: &Confirm, session: &mut Session) -> Outcome {
    check(asked, session.common.json)?;
    let bytes = files::read(&asked.plan, "HWT822E")?;
    let plan = read_plan(&bytes, &asked.plan)?;
    let doomed = jobs::doomed(&plan)?;
    jobs::check_bsds(&plan, &asked.job)?;
    let (prints, undated) = prints(asked, plan.at)?;
    let settlement = Settlement::of(&doomed, &prints);
    let code = settlement.code();
    let code = if undated { code.max(ConditionCode::Warning) } else { code };
    talk(&settlement);
    if code == ConditionCode::Refused {
        let text = format!(
            "NOTHING IS SETTLED: the listings do not say of any of {} archives that it is gone",
            total(&doomed)
        );
        return Err(Failure::refused("HWT959E", text)
            .hint("give the SYSPRINT of the job that 'prunelog plan --emit jcl' printed for this plan"));
    }
    if settlement.found_none() && !asked.accept_absent {
        let text = "NOTHING WAS DELETED BY THE LISTINGS: the catalog had none of the archives, and may be that of another system";
        return Err(Failure::refused("HWT959E", text)
            .hint("give the SYSPRINT of the run that deleted them, too; where it is lost and they are gone, --accept-absent"));
    }
    let gone = settlement.names.iter().zip(doomed.names()).filter(|(name, _)| name.is_settled());
    let lines = jobs::forgetting(gone.map(|(_, doomed)| doomed), &asked.job)?;
    let text = format!("{} OF {} ARCHIVES ARE SETTLED", settlement.settled(), total(&doomed));
    message("HWT958I", &text);
    if session.common.json {
        let document = Document {
            queue_manager: &plan.queue_manager,
            settlement: &settlement,
            statements: &lines,
            condition_code: code,
        };
        session.out.json(&document);
    } else {
        session.out.lines(lines);
    }
    Ok(code)
}

#[derive(serde::Serialize)]
struct Document<'a> {
    queue_manager: &'a QueueManagerName,
    #[serde(flatten)]
    settlement: &'a Settlement,
    statements: &'a [String],
    condition_code: ConditionCode,
}

fn total(doomed: &Doomed) -> usize {
    doomed.names().len()
}

/// With statements alone, no option of the job is of use; without, the job wants the BSDS.
fn check(asked: &Confirm, json: bool) -> Result<(), Failure> {
    let refused = |text: String| Err(Failure::refused("HWT700E", text));
    if json && asked.emit.is_some() {
        return refused("--emit prints a job or statements, --json a document: give one of them".to_owned());
    }
    let job = &asked.job;
    if json || asked.emit == Some(ConfirmEmit::Loginv) {
        let given = [
            ("--jobcard", job.jobcard.is_some()),
            ("--steplib", !job.steplib.is_empty()),
            ("--bsds1", job.bsds1.is_some()),
            ("--bsds2", job.bsds2.is_some()),
        ];
        let other = if json { "--json" } else { "--emit loginv" };
        return match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => refused(format!("{option} does nothing with {other}, which prints no job")),
            None => Ok(()),
        };
    }
    if job.bsds1.is_none() {
        return refused("the job wants --bsds1; --emit loginv prints its statements alone".to_owned());
    }
    Ok(())
}

/// What IDCAMS printed, of all listings; each print is of after `planned`, when the plan was made, as far as its headings say it. Whether
/// one does not say it is told by the second value.
fn prints(asked: &Confirm, planned: Timestamp) -> Result<(Vec<IdcamsPrint>, bool), Failure> {
    let (mut prints, mut undated) = (Vec::new(), false);
    for section in listings::sections(&asked.listing)? {
        let Report::Idcams(print) = section.report else { continue };
        let Some(printed) = section.printed else {
            let (file, line) = (&section.file, section.line);
            let text = format!(
                "{file} line {line}: NOTHING SAYS WHEN IT WAS PRINTED: is it that of the job of this plan?"
            );
            message("HWT965W", &text);
            undated = true;
            prints.push(*print);
            continue;
        };
        if printed.first.latest() < Some(planned) {
            let text = format!(
                "{} line {}: IT WAS PRINTED AT {}, BEFORE THE PLAN WAS MADE, AT {}",
                section.file,
                section.line,
                printed.first,
                format_time(planned)
            );
            let hint = "give the SYSPRINT of the job that was made of this plan";
            return Err(Failure::refused("HWT964E", text).hint(hint));
        }
        prints.push(*print);
    }
    Ok((prints, undated))
}

fn talk(settlement: &Settlement) {
    for one in &settlement.names {
        let (name, why) = (&one.name, one.why.as_deref().unwrap_or(""));
        match one.became {
            Became::Gone => message("HWT952I", &format!("{name} IS GONE")),
            Became::WasNotThere => {
                message(
                    "HWT953W",
                    &format!("{name} WAS NOT THERE: it was deleted before, or is in another catalog"),
                );
            }
            Became::Stays => message("HWT954E", &format!("{name} STAYS: {why}")),
            Became::Unknown => message("HWT955E", &format!("{name} IS UNKNOWN: {why}")),
        }
    }
    for left in &settlement.bsds_copies_left {
        message(
            "HWT960W",
            &format!("{} IS LEFT, THE COPY OF THE BSDS BESIDE AN ARCHIVE: {}", left.name, left.why),
        );
    }
    for name in &settlement.kept_and_gone {
        let text = format!(
            "{name} IS GONE, AND THE PLAN KEEPS IT: look who deleted it; restore it from its other copy"
        );
        message("HWT957E", &text);
    }
    for name in &settlement.others {
        message("HWT956W", &format!("{name} IS NOT IN THE PLAN: is this the SYSPRINT of another job?"));
    }
}
