//! `codementor export` and `codementor admin erase`: all that a server keeps of one person.

use std::path::Path;

use codementor_protocol::{ErasePersonal, PersonalPlace, ReadPersonal};
use codementord::files::write_private;
use serde_json::{Map, Value, json};

use crate::args::account::{Erase, Export};
use crate::commands::{Context, ask, working_directory};
use crate::error::{CliError, ExitStatus};
use crate::sanitize;

/// Writes all of it as one JSON object: a list of rows for each table.
pub(crate) async fn export(context: &Context, args: &Export) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let mut tables: Map<String, Value> = Map::new();
    let (mut from, mut count) = (PersonalPlace::default(), 0);
    loop {
        let page = session.request(&ReadPersonal { who: args.user.clone(), from }).await?;
        for (table, row) in page.rows {
            count += 1;
            if let Value::Array(rows) = tables.entry(table).or_insert_with(|| json!([])) {
                rows.push(row);
            }
        }
        match page.next {
            Some(next) => from = next,
            None => break,
        }
    }
    let text = serde_json::to_string_pretty(&tables).map_err(std::io::Error::from)?;
    let text = format!("{text}\n");
    if args.file == Path::new("-") {
        context.print(&sanitize::json(&text))?;
        return Ok(ExitStatus::Success);
    }
    let path = working_directory()?.join(&args.file);
    // Only for who asked for it.
    write_private(&path, text.as_bytes())
        .map_err(|source| CliError::File { path: args.file.clone(), source })?;
    let rows = count!(count, "row");
    context.print(&t!(
        "{file}: {rows}, of {count} tables\n",
        file = args.file.display(),
        rows,
        count = tables.len()
    ))?;
    Ok(ExitStatus::Success)
}

/// Removes all of it for good.
pub(crate) async fn erase(context: &Context, args: &Erase) -> Result<ExitStatus, CliError> {
    let who = sanitize::line(&args.who).into_owned();
    if !args.yes {
        let question = t!(
            "Erase all that the server keeps of '{who}', submissions and grades too, for good? [y/N] ",
            who
        );
        if !context.terminal.asks || !ask(&question) {
            return Err(CliError::NotAgreed { what: t!("'{who}' is not erased", who) });
        }
    }
    let erased = context.session().await?.request(&ErasePersonal { who: args.who.clone() }).await?;
    let of = |table: &str| erased.removed.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows);
    let all: u64 = erased.removed.iter().map(|(_, rows)| rows).sum();
    context.print(&t!(
        "'{who}' is erased: {submissions}, {rows} in all; backups that were made before still hold them\n",
        who,
        submissions = count!(of("submissions"), "submission"),
        rows = count!(all, "row")
    ))?;
    Ok(ExitStatus::Success)
}
