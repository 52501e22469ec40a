//! `codementor context`: the servers that one has joined.

use serde_json::json;

use crate::args::account;
use crate::commands::Context;
use crate::contexts::{Contexts, PRIVATE};
use crate::error::{CliError, ExitStatus};
use crate::render::table::{Table, Tone};

pub(crate) fn run(context: &Context, command: &account::Context) -> Result<ExitStatus, CliError> {
    let contexts = Contexts::of(&context.settings);
    match command {
        account::Context::List(args) => list(context, &contexts, args.json)?,
        account::Context::Use { name } => {
            contexts.select(Some(name.as_str()).filter(|name| *name != PRIVATE))?;
            context.print(&t!("commands go to {name} now\n", name))?;
        }
        account::Context::Remove { name } => {
            contexts.remove(name)?;
            context.print(&t!("forgot {name} on this machine\n", name))?;
        }
    }
    Ok(ExitStatus::Success)
}

fn list(context: &Context, contexts: &Contexts, json: bool) -> Result<(), CliError> {
    // Which one the next command uses, whatever says so.
    let used = |name: &str| match (&context.settings.creds, contexts.path(name)) {
        (Some(creds), Ok(path)) => *creds == path,
        _ => false,
    };
    let mut rows = Vec::new();
    for name in contexts.names()? {
        // A file that is damaged is listed too, so that it can be removed.
        let read = contexts.read(&name).ok();
        let user = read.as_ref().map_or("?".into(), |read| read.user.to_string());
        let server = read.and_then(|read| read.server).unwrap_or_else(|| "?".into());
        rows.push((used(&name), name, user, server));
    }
    let private = context.settings.nats_url.is_none();
    rows.push((private, PRIVATE.into(), codementord_user(), t!("the private daemon").into()));
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(used, name, user, server)| {
                json!({ "context": name, "current": used, "user": user, "server": server })
            })
            .collect();
        return context.print_json(&rows);
    }
    let mut table = Table::new(&["", t!("context"), t!("you are"), t!("server")]);
    for (used, name, user, server) in rows {
        table.row([
            (if used { "*".into() } else { String::new() }, Tone::Plain),
            (name, Tone::Plain),
            (user, Tone::Plain),
            (server, Tone::Plain),
        ]);
    }
    context.print(&table.render(context.terminal.out))
}

/// Who everybody is to its own private daemon.
fn codementord_user() -> String {
    "local".into()
}
