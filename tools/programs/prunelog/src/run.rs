//! Makes the plan and says it; explains.

use std::path::Path;

use console::{Failure, Outcome, Session, message};
use format_inventory::{Plan as PlanDocument, WarningEntry};
use format_types::ConditionCode;
use operation_retention::{Policy, diff};

use crate::args::{Arguments, Command, Plan};
use crate::files::{self, Out};
use crate::listings::Sources;
use crate::policies::Policies;
use crate::settings::Origin;
use crate::{apply, confirm, explain, inventory, jobs, listings, metrics, plan, report, settings};

/// Does what was asked.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    match arguments.command {
        Command::Plan(asked) => make_plan(&asked, session),
        Command::Explain(asked) => explain::run(&asked, session),
        Command::Apply(asked) => apply::run(&asked, session),
        Command::Confirm(asked) => confirm::run(&asked, session),
        Command::Inventory(asked) => inventory::run(&asked, session),
    }
}

fn make_plan(asked: &Plan, session: &mut Session) -> Outcome {
    if asked.emit.is_some() && session.common.json {
        return Err(Failure::refused(
            "HWT700E",
            "--emit prints names, jobs or volumes, --json a document: give one of them",
        ));
    }
    jobs::check(asked.emit, &asked.job, asked.purge)?;
    let origin = settings::origin(asked.directory.as_deref(), asked.inventory.as_deref(), &asked.site)?;
    let policies = Policies::read(&asked.policy)?.of_origin(&origin)?;
    let sources = Sources::of(&origin)?;
    if let (Origin::Listings(of_site), Some(sources)) = (&origin, &sources)
        && of_site.queue_manager.is_none()
    {
        let mut sites = listings::inventories(sources, of_site, &policies)?;
        let known: Vec<_> = sites.iter().map(|site| &site.inventory.inventory.queue_manager).collect();
        let unused = policies.without_listings(&known);
        let notes = unused.iter().map(|name| WarningEntry {
            id: "HWT971W".to_owned(),
            text: format!("THE POLICY HAS A PART FOR {name}, OF WHICH THERE ARE NO LISTINGS"),
        });
        let notes: Vec<_> = notes.collect();
        if sites.len() > 1 {
            if asked.out.is_some() || asked.diff.is_some() || asked.emit.is_some() || asked.metrics.is_some()
            {
                let text =
                    "the listings are of several queue managers: there is one line for each, and no plan";
                return Err(Failure::refused("HWT700E", text).hint("say which one with --queue-manager"));
            }
            return listings::summarize(sites, &policies, notes, &origin, session);
        }
        if let Some(site) = sites.pop() {
            let policy = policies.of(&site.inventory.inventory.queue_manager);
            let mut read = plan::Read::of_site(site);
            read.warnings.extend(notes);
            return plan_of(asked, &read, policy, &origin, session);
        }
    }
    let (read, policy) = plan::read_for(&origin, sources.as_ref(), &policies, true, session)?;
    plan_of(asked, &read, policy, &origin, session)
}

fn plan_of(
    asked: &Plan,
    read: &plan::Read<'_>,
    policy: &Policy,
    origin: &Origin,
    session: &mut Session,
) -> Outcome {
    let (inventory, at) = plan::parse(read, origin)?;
    let plan = plan::make(&inventory, read, policy, at, origin)?;
    let before = asked.diff.as_ref().map(|path| files::read(path, "HWT822E")).transpose()?;
    let before = before.as_deref().zip(asked.diff.as_deref());
    let before = before.map(|(bytes, path)| read_plan(bytes, path)).transpose()?;
    if asked.emit.is_some() && plan.over_max_delete {
        let text = format!(
            "{} PERCENT OF THE ARCHIVES WOULD GO, --max-delete allows {}: nothing is listed",
            plan.totals.delete_percent, plan.max_delete_percent
        );
        return Err(
            Failure::refused("HWT824E", text).hint("look at the plan; a higher --max-delete lists them")
        );
    }
    let emitted = asked.emit.map(|emit| jobs::emit(&plan, emit, &asked.job, asked.purge)).transpose()?;
    let warned = emitted.as_ref().is_some_and(|emitted| emitted.warned);
    if let Some(path) = &asked.out {
        files::write(path, |to| files::write_plan(to, &plan))?;
    }
    if let Some(path) = &asked.metrics {
        files::write(path, |to| metrics::write(to, &plan))?;
    }
    for warning in &plan.warnings {
        message(&warning.id, &warning.text);
    }
    match (emitted, &before) {
        (Some(emitted), _) => session.out.lines(emitted.lines),
        (None, Some(before)) => {
            let difference = diff(before, &plan);
            session.answer(&difference, || report::difference(&difference));
        }
        (None, None) if session.common.json => {
            files::write_plan(&mut Out(&mut session.out), &plan)
                .map_err(|error| Failure::of(error.to_string()))?;
        }
        (None, None) => session.out.lines(report::plan(&plan)),
    }
    let code = plan::code(&plan.warnings);
    Ok(if warned { code.max(ConditionCode::Warning) } else { code })
}

pub(crate) fn read_plan<'b>(bytes: &'b [u8], path: &Path) -> Result<PlanDocument<'b>, Failure> {
    PlanDocument::parse(bytes).map_err(|error| {
        Failure::refused("HWT822E", format!("THE PLAN {} CANNOT BE USED: {error}", path.display()))
    })
}
