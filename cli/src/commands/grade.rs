//! `codementor grade`: what counts, and how it leaves for a learning platform.

use std::path::Path;

use codementor_protocol::{
    AssignmentId, AssignmentState, ChooseSubmission, CourseName, Grade, GradeTable, ListAssignments,
    ListGrades, OverrideGrade, OverrideTo, Points, ShowGrade, Standing,
};

use crate::args::grade::{self, Format};
use crate::commands::{Context, working_directory};
use crate::error::{CliError, ExitStatus};
use crate::grades::{self, ExportError, Options};
use crate::moments;
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::session::Session;
use crate::{locale, sanitize};

/// How many students who are left out are named.
const MAX_TOLD: usize = 20;

pub(crate) async fn run(context: &Context, command: &grade::Grade) -> Result<ExitStatus, CliError> {
    match command {
        grade::Grade::List { of, json } => list(context, of, *json).await?,
        grade::Grade::Show { assignment, student, json } => {
            show(context, assignment, student.clone(), *json).await?;
        }
        grade::Grade::Override(args) => set(context, args).await?,
        grade::Grade::Choose { id } => {
            let chosen = context.session().await?.request(&ChooseSubmission { submission: *id }).await?;
            context.print(&t!(
                "{id} counts for {assignment}/{problem}\n",
                id,
                assignment = chosen.assignment,
                problem = chosen.problem
            ))?;
        }
        grade::Grade::Export(args) => export(context, args).await?,
    }
    Ok(ExitStatus::Success)
}

/// What grades are asked of.
enum Of {
    Assignment(AssignmentId),
    Course(CourseName),
}

fn of(text: &str) -> Result<Of, ExportError> {
    if let Ok(id) = text.parse() {
        return Ok(Of::Assignment(id));
    }
    text.parse().map(Of::Course).map_err(|_| ExportError::Neither(text.into()))
}

async fn tables(session: &mut Session<'_>, of: &Of) -> Result<Vec<GradeTable>, CliError> {
    match of {
        Of::Assignment(id) => Ok(vec![table(session, id).await?]),
        Of::Course(course) => {
            let list = ListAssignments { course: Some(course.clone()) };
            let mut tables = Vec::new();
            let now = moments::now();
            for assignment in session.request(&list).await? {
                // What students do not see yet is nothing that they could have missed.
                if assignment.state == AssignmentState::Draft
                    || assignment.opens.is_some_and(|opens| opens > now)
                {
                    continue;
                }
                tables.push(table(session, &assignment.id).await?);
            }
            Ok(tables)
        }
    }
}

async fn table(session: &mut Session<'_>, id: &AssignmentId) -> Result<GradeTable, CliError> {
    let mut table = session.request(&ListGrades { assignment: id.clone(), from: 0 }).await?;
    while let Some(from) = table.next {
        let page = session.request(&ListGrades { assignment: id.clone(), from }).await?;
        table.rows.extend(page.rows);
        table.next = page.next;
    }
    Ok(table)
}

async fn list(context: &Context, text: &str, json: bool) -> Result<(), CliError> {
    let of = of(text)?;
    let tables = tables(&mut context.session().await?, &of).await?;
    if json {
        return match (&of, tables.as_slice()) {
            (Of::Assignment(_), [one]) => context.print_json(one),
            _ => context.print_json(&tables),
        };
    }
    if tables.iter().all(|table| table.rows.is_empty()) {
        context.progress.note(t!("there are no grades: no students, or no assignments"));
        return Ok(());
    }
    let shown = match (&of, tables.as_slice()) {
        (Of::Assignment(_), [one]) => one_assignment(one),
        _ => whole_course(&tables),
    };
    context.print(&shown.render(context.terminal.out))
}

fn one_assignment(table: &GradeTable) -> Table {
    let mut shown =
        Table::new(&[t!("student"), t!("id"), t!(">score"), t!(">late"), t!("state"), t!("problems")]);
    for grade in &table.rows {
        let (state, tone) = state(grade);
        let problems: Vec<String> = grade
            .problems
            .iter()
            .map(|one| {
                let points = one.score.map_or("-".to_owned(), |points| points.to_string());
                format!("{} {points}/{}", one.problem, one.max_score)
            })
            .collect();
        let late = (grade.late_penalty > Points::ZERO).then(|| format!("-{}", grade.late_penalty));
        shown.row([
            (grade.name.clone(), Tone::Plain),
            (who(grade), Tone::Plain),
            (format!("{}/{}", points(grade), table.max_score), Tone::Plain),
            (late.unwrap_or_default(), Tone::Plain),
            (state, tone),
            (problems.join("  "), Tone::Plain),
        ]);
    }
    shown
}

/// Each student's points in each assignment, and what they come to by the weights of the assignments. What a student is
/// excused from, or what is not judged, weighs nothing for that student.
fn whole_course(tables: &[GradeTable]) -> Table {
    let mut shown = Table::new(&[t!("student"), t!("id"), t!("grades"), t!(">weighted")]);
    // Everybody is in every table, in the same order, unless somebody joined meanwhile.
    let first = tables.iter().max_by_key(|table| table.rows.len());
    for student in first.map(|table| table.rows.as_slice()).unwrap_or_default() {
        let (mut got, mut most, mut parts) = (Points::ZERO, Points::ZERO, Vec::new());
        for table in tables {
            let same = |other: &&Grade| other.user == student.user && other.student_id == student.student_id;
            let Some(grade) = table.rows.iter().find(same) else { continue };
            parts.push(format!("{} {}/{}", table.assignment.assignment, points(grade), table.max_score));
            let counts = match grade.standing {
                Standing::Missing => Some(grade.counts().unwrap_or(Points::ZERO)),
                _ => grade.counts(),
            };
            if let Some(points) = counts {
                got = got + table.weight.share(points, table.max_score);
                most = most + table.weight;
            }
        }
        let weighted = match student.standing {
            Standing::Withdrawn => t!("withdrawn").to_owned(),
            _ => format!("{got}/{most}"),
        };
        shown.row([
            (student.name.clone(), Tone::Plain),
            (who(student), Tone::Plain),
            (parts.join("  "), Tone::Plain),
            (weighted, Tone::Plain),
        ]);
    }
    shown
}

fn who(grade: &Grade) -> String {
    grade.student_id.clone().or(grade.user.as_ref().map(ToString::to_string)).unwrap_or_default()
}

fn points(grade: &Grade) -> String {
    match (grade.counts(), grade.standing) {
        (Some(points), _) => points.to_string(),
        (None, Standing::Excused) => "EX".into(),
        (None, _) => "-".into(),
    }
}

fn state(grade: &Grade) -> (String, Tone) {
    let tone = match grade.standing {
        Standing::InTime => Tone::Good,
        Standing::Missing => Tone::Bad,
        Standing::Late | Standing::Unjudged => Tone::Odd,
        Standing::Excused | Standing::Withdrawn => Tone::Plain,
    };
    let set = if grade.overridden.is_some() { t!(", set") } else { "" };
    (format!("{}{set}", locale::said(grade.standing.word())), tone)
}

async fn show(
    context: &Context,
    assignment: &AssignmentId,
    student: Option<String>,
    json: bool,
) -> Result<(), CliError> {
    let request = ShowGrade { assignment: assignment.clone(), student };
    let grade = context.session().await?.request(&request).await?;
    if json {
        return context.print_json(&grade);
    }
    context.print(&described(context, &grade, assignment))
}

fn described(context: &Context, grade: &Grade, assignment: &AssignmentId) -> String {
    let most: Points = grade.problems.iter().map(|one| one.max_score).sum();
    let name = sanitize::line(&grade.name).into_owned();
    let (state, _) = state(grade);
    let mut text = format!("{name}  {assignment}  {}/{most}  {state}\n", points(grade));
    if let Some(set) = &grade.overridden {
        let to = match set.to {
            OverrideTo::Score(points) => t!("{points} points", points),
            OverrideTo::Excused => t!("excused").into(),
        };
        let (when, why) = (words::moment(set.at), sanitize::line(&set.reason).into_owned());
        text.push_str(&t!("set by {by} to {to}, {when}: {why}\n", by = set.by, to, when, why));
    }
    let mut table =
        Table::new(&[t!("problem"), t!(">score"), t!("counts"), t!("verdict"), t!(">attempts"), t!("note")]);
    for one in &grade.problems {
        let score = one.score.map_or("-".to_owned(), |points| points.to_string());
        let mut notes = Vec::new();
        if one.late {
            notes.push(t!("late").to_owned());
        }
        if one.unjudged > 0 {
            notes.push(t!("{unjudged} without a verdict", unjudged = one.unjudged));
        }
        table.row([
            (one.problem.to_string(), Tone::Plain),
            (format!("{score}/{}", one.max_score), Tone::Plain),
            (one.submission.map_or("-".to_owned(), |id| id.to_string()), Tone::Plain),
            (one.verdict.map_or("-", codementor_protocol::Verdict::token).to_owned(), Tone::Plain),
            (one.attempts.to_string(), Tone::Plain),
            (notes.join(", "), Tone::Plain),
        ]);
    }
    text.push_str(&table.render(context.terminal.out));
    text
}

async fn set(context: &Context, args: &grade::Override) -> Result<(), CliError> {
    let to = match (args.score, args.excuse) {
        (Some(score), _) => Some(OverrideTo::Score(score)),
        (None, true) => Some(OverrideTo::Excused),
        (None, false) => None,
    };
    let request = OverrideGrade {
        assignment: args.assignment.clone(),
        student: args.student.clone(),
        to,
        reason: args.reason.clone(),
    };
    let grade = context.session().await?.request(&request).await?;
    context.print(&described(context, &grade, &args.assignment))
}

async fn export(context: &Context, args: &grade::Export) -> Result<(), CliError> {
    let of = of(&args.of)?;
    let whole = matches!(args.format, Format::Csv | Format::Json);
    if !whole && matches!(of, Of::Course(_)) {
        return Err(ExportError::OneAssignment(args.of.clone()).into());
    }
    if args.format == Format::Gradescope && args.out.is_none() {
        return Err(ExportError::NoFolder.into());
    }
    let unused = match args.format {
        Format::Canvas => None,
        _ if args.canvas_id.is_some() => Some("--canvas-id"),
        Format::Json if args.out_of.is_some() => Some("--out-of"),
        Format::Json if args.missing != grade::Missing::default() => Some("--missing"),
        _ => None,
    };
    if let Some(option) = unused {
        return Err(ExportError::Unused { option }.into());
    }
    let tables = tables(&mut context.session().await?, &of).await?;
    let options = Options { missing: args.missing, canvas_id: args.canvas_id, out_of: args.out_of };
    let one = || tables.first().ok_or_else(|| CliError::from(ExportError::Neither(args.of.clone())));
    let mut export = match args.format {
        Format::Canvas => grades::canvas(one()?, options)?,
        Format::Moodle => grades::moodle(one()?, options)?,
        Format::Csv => grades::long(&tables, options)?,
        Format::Gradescope => {
            let (files, export) = grades::gradescope(one()?, options);
            let folder = working_directory()?.join(args.out.as_deref().unwrap_or(Path::new("")));
            std::fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
            for (name, text) in &files {
                write(&folder.join(name), text)?;
            }
            context.print(&t!("{count} files\n", count = files.len()))?;
            export
        }
        Format::Json => {
            let text = serde_json::to_string_pretty(&tables).map_err(std::io::Error::from)?;
            grades::Export::of(format!("{}\n", sanitize::json(&text)))
        }
    };
    if args.bom {
        export.text.insert(0, '\u{feff}');
    }
    if args.format != Format::Gradescope {
        match &args.out {
            Some(path) => write(&working_directory()?.join(path), &export.text)?,
            None => context.print(&export.text)?,
        }
    }
    for (name, why) in export.left_out.iter().take(MAX_TOLD) {
        context.progress.note(&t!("left out: {name} {why}", name = sanitize::line(name), why));
    }
    if export.left_out.len() > MAX_TOLD {
        context.progress.note(&t!("and {more} more are left out", more = export.left_out.len() - MAX_TOLD));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: std::io::Error) -> CliError {
    CliError::File { path: path.into(), source }
}
