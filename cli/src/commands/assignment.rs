//! `codementor assignment`: makes, opens, closes, extends and deletes assignments.

use codementor_protocol::{
    Assignment, AssignmentId, AssignmentState, CourseName, DeleteAssignment, ExtendAssignment,
    ListAssignments, Points, PutAssignment, SetAssignmentState,
};

use crate::args::course::{self, Create, Extend};
use crate::commands::{Context, ask};
use crate::draft::{self, DraftError};
use crate::error::{CliError, ExitStatus};
use crate::moments::{self, now, shown};
use crate::render::table::{Table, Tone};
use crate::session::Session;

pub(crate) async fn run(context: &Context, command: &course::Assignment) -> Result<ExitStatus, CliError> {
    match command {
        course::Assignment::List { course, json } => list(context, course.as_ref(), *json).await,
        course::Assignment::Create(args) => create(context, args).await,
        course::Assignment::Open { assignment } => set(context, assignment, AssignmentState::Open).await,
        course::Assignment::Close { assignment } => set(context, assignment, AssignmentState::Closed).await,
        course::Assignment::Extend(args) => extend(context, args).await,
        course::Assignment::Delete { assignment, yes } => delete(context, assignment, *yes).await,
    }
}

async fn list(context: &Context, course: Option<&CourseName>, json: bool) -> Result<ExitStatus, CliError> {
    let request = ListAssignments { course: course.cloned() };
    let assignments = context.session().await?.request(&request).await?;
    if json {
        context.print_json(&assignments)?;
        return Ok(ExitStatus::Success);
    }
    if assignments.is_empty() {
        context.progress.note(t!(
            "no assignments yet; the first: codementor assignment create COURSE/NAME --problem NAME"
        ));
        return Ok(ExitStatus::Success);
    }
    let mut table =
        Table::new(&[t!("assignment"), t!("title"), t!("state"), t!("due"), t!("problems"), t!(">points")]);
    for one in &assignments {
        let names: Vec<&str> = one.problems.iter().map(|problem| problem.problem.as_str()).collect();
        let (state, tone) = state(one);
        table.row([
            (one.id.to_string(), Tone::Plain),
            (one.title.clone(), Tone::Plain),
            (state, tone),
            (one.due.map_or("-".into(), |due| shown(due, &one.time_zone)), Tone::Plain),
            (names.join(" "), Tone::Plain),
            (total(one), Tone::Plain),
        ]);
    }
    context.print(&table.render(context.terminal.out))?;
    Ok(ExitStatus::Success)
}

/// Where an assignment is in its life, by this machine's clock.
pub(crate) fn state(assignment: &Assignment) -> (String, Tone) {
    match (assignment.state, assignment.opens) {
        (AssignmentState::Draft, _) => (t!("draft").into(), Tone::Odd),
        (AssignmentState::Open, Some(opens)) if now() < opens => {
            (t!("opens {opens}", opens = shown(opens, &assignment.time_zone)), Tone::Odd)
        }
        (AssignmentState::Open, _) if is_over(assignment) => (t!("over").into(), Tone::Plain),
        (AssignmentState::Open, _) => (t!("open").into(), Tone::Good),
        (AssignmentState::Closed, _) => (t!("closed").into(), Tone::Plain),
    }
}

/// Whether nothing is accepted any more, however late.
fn is_over(assignment: &Assignment) -> bool {
    let cutoff = assignment.late.cutoff_s.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX / 2000));
    let last = assignment.due.zip(cutoff).map(|(due, cutoff)| due.0.saturating_add(cutoff * 1000));
    last.is_some_and(|last| now().0 > last)
}

fn total(assignment: &Assignment) -> String {
    assignment.problems.iter().map(|one| one.points).sum::<Points>().to_string()
}

async fn create(context: &Context, args: &Create) -> Result<ExitStatus, CliError> {
    let id = &args.assignment;
    let mut session = context.session().await?;
    let before = match args.update {
        true => Some(find(&mut session, id).await?),
        false => None,
    };
    let assignment = draft::assignment(id, &args.terms, before, now())?;
    let made = session.request(&PutAssignment { assignment, create: !args.update }).await?;
    tell(context, &made)?;
    Ok(ExitStatus::Success)
}

async fn set(context: &Context, id: &AssignmentId, state: AssignmentState) -> Result<ExitStatus, CliError> {
    let request = SetAssignmentState { assignment: id.clone(), state };
    let changed = context.session().await?.request(&request).await?;
    tell(context, &changed)?;
    Ok(ExitStatus::Success)
}

async fn extend(context: &Context, args: &Extend) -> Result<ExitStatus, CliError> {
    let id = &args.assignment;
    let mut session = context.session().await?;
    let before = find(&mut session, id).await?;
    let due = match &args.due {
        Some(text) => {
            let zone = moments::zone(&before.time_zone).map_err(DraftError::from)?;
            // What is added is added to the deadline that there is.
            let base = before.due.unwrap_or_else(now);
            Some(moments::moment(text, &zone, base).map_err(DraftError::from)?)
        }
        None => None,
    };
    let request = ExtendAssignment {
        assignment: id.clone(),
        student: args.student.clone(),
        due,
        reason: args.reason.clone(),
    };
    let changed = session.request(&request).await?;
    match (&args.student, due) {
        (Some(student), Some(due)) => {
            let due = shown(due, &changed.time_zone);
            context.print(&t!("{id} is due at {due} for {student}\n", id, due, student))?;
            if changed.state == AssignmentState::Closed {
                context.progress.note(&t!(
                    "{id} is closed: {student} can submit once it is open again",
                    id,
                    student
                ));
            }
        }
        (Some(student), None) => context.print(&t!("{id} is due for {student} as for all\n", id, student))?,
        (None, _) => tell(context, &changed)?,
    }
    Ok(ExitStatus::Success)
}

async fn delete(context: &Context, id: &AssignmentId, yes: bool) -> Result<ExitStatus, CliError> {
    let asked = || context.terminal.asks && ask(&t!("Delete {id}? Its submissions stay. [y/N] ", id));
    if !(yes || asked()) {
        return Err(CliError::NotAgreed { what: t!("{id} was not deleted", id) });
    }
    let deleted = context.session().await?.request(&DeleteAssignment { assignment: id.clone() }).await?;
    let submissions = count!(deleted.submissions, "submission");
    context.print(&t!("{id} is deleted; {submissions} to it stay\n", id, submissions))?;
    Ok(ExitStatus::Success)
}

pub(crate) async fn find(session: &mut Session<'_>, id: &AssignmentId) -> Result<Assignment, CliError> {
    let all = session.request(&ListAssignments { course: Some(id.course.clone()) }).await?;
    let found = all.into_iter().find(|one| one.id == *id);
    found.ok_or_else(|| CliError::NoAssignment(id.clone()))
}

fn tell(context: &Context, assignment: &Assignment) -> Result<(), CliError> {
    let zone = &assignment.time_zone;
    let due = assignment
        .due
        .map_or(t!("without a deadline").into(), |due| t!("due at {due}", due = shown(due, zone)));
    context.print(&t!(
        "{assignment} is {state}: {problems}, {total} points, {due}\n",
        assignment = assignment.id,
        state = state(assignment).0,
        problems = count!(assignment.problems.len() as u64, "problem"),
        total = total(assignment),
        due
    ))?;
    if assignment.state == AssignmentState::Draft {
        context.progress.note(&t!(
            "students see it after: codementor assignment open {assignment}",
            assignment = assignment.id
        ));
    }
    Ok(())
}
