//! `codementor course roster`: who is meant to be in a course, and who is.

use codementor_protocol::{
    CourseName, ImportRoster, LinkMember, ListRoster, Member, MemberRemoved, RemoveMember, RosterChange,
    UserName,
};

use crate::args::roster::{Import, Roster};
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::roster;
use crate::sanitize;
use crate::session::Session;

/// How many student ids are told one by one.
const MAX_TOLD: usize = 20;

pub(crate) async fn run(context: &Context, command: &Roster) -> Result<ExitStatus, CliError> {
    match command {
        Roster::Import(args) => import(context, args).await?,
        Roster::List { course, json } => {
            let members = members(&mut context.session().await?, course).await?;
            if *json {
                context.print_json(&members)?;
            } else if members.is_empty() {
                let how = format!("codementor course roster import {course} FILE");
                context.progress.note(&t!(
                    "nobody is in {course} yet, and it has no roster: {how}",
                    course,
                    how
                ));
            } else {
                context.print(&table(&members).render(context.terminal.out))?;
            }
        }
        Roster::Withdraw { course, student, reason, undo } => {
            remove(context, course, student, reason, *undo).await?;
        }
        Roster::Link { course, user, student_id } => link(context, course, user, student_id).await?,
    }
    Ok(ExitStatus::Success)
}

/// Everybody on the roster of a course, in it, or gone from it.
pub(crate) async fn members(session: &mut Session<'_>, course: &CourseName) -> Result<Vec<Member>, CliError> {
    let mut all = Vec::new();
    let mut from = 0;
    loop {
        let page = session.request(&ListRoster { course: course.clone(), from }).await?;
        all.extend(page.members);
        match page.next {
            Some(next) => from = next,
            None => return Ok(all),
        }
    }
}

async fn import(context: &Context, args: &Import) -> Result<(), CliError> {
    let read = roster::read(&args.file, args.encoding.as_deref())?;
    if !read.ignored.is_empty() {
        let columns = sanitize::line(&read.ignored.join(", ")).into_owned();
        context.progress.note(&t!("not used: {columns}", columns));
    }
    let request = ImportRoster { course: args.course.clone(), rows: read.rows, dry_run: args.dry_run };
    let change = context.session().await?.request(&request).await?;
    if args.json {
        return context.print_json(&change);
    }
    context.print(&told(&change, args.dry_run))
}

fn told(change: &RosterChange, dry_run: bool) -> String {
    let mut text = String::new();
    let mut list = |sign: char, lines: Vec<String>| {
        for line in lines.iter().take(MAX_TOLD) {
            text.push_str(&format!(" {sign} {}\n", sanitize::line(line)));
        }
        if lines.len() > MAX_TOLD {
            text.push_str(&t!(" {sign} and {more} more\n", sign, more = lines.len() - MAX_TOLD));
        }
    };
    list('+', change.added.clone());
    list('~', change.changed.iter().map(|(id, what)| format!("{id}: {}", what.join(", "))).collect());
    list(
        '?',
        change
            .missing
            .iter()
            .map(|id| t!("{id}: on the roster, and not in the file; it stays", id))
            .collect(),
    );
    let would = if dry_run { t!("; nothing was changed") } else { "" };
    text.push_str(&t!(
        "{added} added, {changed} changed, {same} as before{would}\n",
        added = change.added.len(),
        changed = change.changed.len(),
        same = change.same,
        would
    ));
    text
}

/// Takes somebody out of a course, or a student in again.
pub(crate) async fn remove(
    context: &Context,
    course: &CourseName,
    who: &str,
    reason: &str,
    back: bool,
) -> Result<(), CliError> {
    let request = RemoveMember { course: course.clone(), who: who.into(), back, reason: reason.into() };
    let MemberRemoved { user, credentials } = context.session().await?.request(&request).await?;
    let name = user.as_ref().map_or(who, UserName::as_str);
    let name = sanitize::line(name);
    let text = match (back, credentials) {
        (true, _) => t!("{name} is in {course} again; credentials for CI are made anew\n", name, course),
        (false, 0) => t!("{name} is out of {course}\n", name, course),
        (false, some) => {
            t!(
                "{name} is out of {course}; {credentials} for CI void\n",
                name,
                course,
                credentials = count!(some.into(), "credential")
            )
        }
    };
    context.print(&text)
}

async fn link(
    context: &Context,
    course: &CourseName,
    user: &UserName,
    student_id: &str,
) -> Result<(), CliError> {
    let request = LinkMember { course: course.clone(), user: user.clone(), student_id: student_id.into() };
    context.session().await?.request(&request).await?;
    context.print(&t!(
        "{user} is {student_id} on the roster of {course}\n",
        user,
        student_id = sanitize::line(student_id),
        course
    ))
}

fn table(members: &[Member]) -> Table {
    let mut table = Table::new(&[
        t!("student id"),
        t!("name"),
        t!("user"),
        t!("role"),
        t!("section"),
        t!("e-mail"),
        t!("state"),
    ]);
    for member in members {
        let row = member.row.as_ref();
        let text = |value: Option<&str>| (value.unwrap_or("-").to_owned(), Tone::Plain);
        let state = match (member.withdrawn, &member.joined, row) {
            (true, ..) => (t!("has left"), Tone::Odd),
            (false, None, _) => (t!("not joined"), Tone::Odd),
            (false, Some(_), None) if member.role == codementor_protocol::CourseRole::Student => {
                (t!("joined, not on the roster"), Tone::Odd)
            }
            (false, Some(_), _) => (t!("joined"), Tone::Good),
        };
        table.row([
            text(member.student_id()),
            text(Some(member.shown())),
            text(member.user.as_ref().map(UserName::as_str)),
            text(Some(words::role(member.role))),
            text(row.and_then(|row| row.section.as_deref())),
            text(row.and_then(|row| row.email.as_deref())),
            (state.0.into(), state.1),
        ]);
    }
    table
}
