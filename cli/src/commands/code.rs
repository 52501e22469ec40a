//! `codementor course code`: codes that let people join a course.

use codementor_protocol::{CodeSummary, DropCode, ListCodes, MakeCode};
use serde_json::json;

use crate::args::account::{self, Code};
use crate::commands::{Context, pair};
use crate::error::{CliError, ExitStatus};
use crate::moments;
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::terminal::Paint;

pub(crate) async fn run(context: &Context, command: &Code) -> Result<ExitStatus, CliError> {
    match command {
        Code::Make(args) => make(context, args).await?,
        Code::List { course, json } => {
            let codes = context.session().await?.request(&ListCodes { course: course.clone() }).await?;
            match json {
                true => context.print_json(&codes)?,
                false => context.print(&table(&codes, context.terminal.out).render(context.terminal.out))?,
            }
        }
        Code::Drop { course, id } => {
            let drop = DropCode { course: course.clone(), id: *id };
            context.session().await?.request(&drop).await?;
            context.print(&t!("code {id} of {course} lets nobody in any more\n", id, course))?;
        }
    }
    Ok(ExitStatus::Success)
}

async fn make(context: &Context, args: &account::MakeCode) -> Result<(), CliError> {
    let make = MakeCode {
        course: args.course.clone(),
        role: args.role.into(),
        lasts_s: moments::span(&args.lasts).map_err(crate::draft::DraftError::from)?,
        uses: args.uses,
        roster_only: args.roster,
    };
    let mut session = context.session().await?;
    let made = session.request(&make).await?;
    let server = pair::server(context, &session, &made);
    if args.json {
        return context.print_json(&json!({
            "course": args.course, "role": make.role, "server": server, "code": made.code, "ca": made.ca,
            "expires": made.expires,
        }));
    }
    let uses = args
        .uses
        .map_or(String::new(), |uses| t!(", for {persons}", persons = count!(uses.into(), "person")));
    let id = if args.roster { " --student-id ID" } else { "" };
    context.print(&t!(
        "To join {course} as {role}, until {expires}{uses}:\n  codementor join {server} {code}{id}{ca}\n",
        course = args.course,
        role = words::role(make.role),
        expires = words::moment(made.expires),
        uses,
        server,
        code = made.code,
        id,
        ca = pair::ca(context, &made)
    ))
}

fn table(codes: &[CodeSummary], paint: Paint) -> Table {
    let mut table =
        Table::new(&[t!(">id"), t!("code"), t!("role"), t!("until"), t!(">used"), t!(">left"), t!("who")]);
    for code in codes {
        let left = code.uses_left.map_or(t!("any").into(), |left| left.to_string());
        table.row([
            (code.id.to_string(), Tone::Plain),
            (format!("{}{}", code.starts_with, paint.cut()), Tone::Plain),
            (words::role(code.role).into(), Tone::Plain),
            (words::moment(code.expires), Tone::Plain),
            (code.used.to_string(), Tone::Plain),
            (left, Tone::Plain),
            (if code.roster_only { t!("roster").into() } else { t!("anybody").into() }, Tone::Plain),
        ]);
    }
    table
}
