//! `codementor course`: makes and lists courses.

use codementor_protocol::{CourseName, ListCourses, PutCourse};

use crate::args;
use crate::args::course::Course;
use crate::commands::{Context, code, roster};
use crate::error::{CliError, ExitStatus};
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::sanitize;

pub(crate) async fn run(context: &Context, command: &Course) -> Result<ExitStatus, CliError> {
    match command {
        Course::Create { course, title } => create(context, course, title.as_deref()).await,
        Course::List(args) => list(context, args).await,
        Course::Code(command) => code::run(context, command).await,
        Course::Roster(command) => roster::run(context, command).await,
        Course::Remove(args) => {
            roster::remove(context, &args.course, &args.who, &args.reason, false).await?;
            Ok(ExitStatus::Success)
        }
    }
}

async fn create(context: &Context, course: &CourseName, title: Option<&str>) -> Result<ExitStatus, CliError> {
    let title = title.unwrap_or(course.as_str()).to_owned();
    let made = context.session().await?.request(&PutCourse { course: course.clone(), title }).await?;
    context.print(&t!(
        "{course} is there: {title}, {students}, {assignments}\n",
        course = made.course,
        title = sanitize::line(&made.title),
        students = count!(made.students.into(), "student"),
        assignments = count!(made.assignments.into(), "assignment")
    ))?;
    Ok(ExitStatus::Success)
}

async fn list(context: &Context, args: &args::List) -> Result<ExitStatus, CliError> {
    let courses = context.session().await?.request(&ListCourses {}).await?;
    if args.json {
        context.print_json(&courses)?;
        return Ok(ExitStatus::Success);
    }
    if courses.is_empty() {
        context
            .progress
            .note(t!("you are in no course; an administrator makes one: codementor course create NAME"));
        return Ok(ExitStatus::Success);
    }
    let mut table =
        Table::new(&[t!("course"), t!("title"), t!("you are"), t!(">students"), t!(">assignments")]);
    for course in &courses {
        let role = course.role.map_or(t!("administrator"), words::role);
        table.row([
            (course.course.to_string(), Tone::Plain),
            (course.title.clone(), Tone::Plain),
            (role.into(), Tone::Plain),
            (course.students.to_string(), Tone::Plain),
            (course.assignments.to_string(), Tone::Plain),
        ]);
    }
    context.print(&table.render(context.terminal.out))?;
    Ok(ExitStatus::Success)
}
