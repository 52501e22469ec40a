//! `codementor audit`: who changed what in a course.

use codementor_protocol::{AuditEntry, ReadAudit};
use serde_json::Value;

use crate::args::roster::Audit;
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::terminal::Paint;

/// How much of a change is shown in a line.
const SHOWN: usize = 100;

pub(crate) async fn run(context: &Context, args: &Audit) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let mut all: Vec<AuditEntry> = Vec::new();
    // A message holds only so many; older ones are asked for page by page.
    while all.len() < args.limit as usize {
        let page = ReadAudit {
            course: args.course.clone(),
            before: all.last().map(|entry| entry.id).or(args.before),
            limit: args.limit - all.len() as u32,
        };
        let page = session.request(&page).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    if args.json {
        context.print_json(&all)?;
    } else if all.is_empty() {
        context.progress.note(t!("nothing was changed yet"));
    } else {
        let mut table =
            Table::new(&[t!(">entry"), t!("when"), t!("who"), t!("what"), t!("of"), t!("detail")]);
        for entry in &all {
            table.row([
                (entry.id.to_string(), Tone::Plain),
                (words::moment(entry.at), Tone::Plain),
                (entry.by.to_string(), Tone::Plain),
                (entry.action.clone(), Tone::Plain),
                (entry.target.clone(), Tone::Plain),
                (detail(&entry.detail, context.terminal.out), Tone::Plain),
            ]);
        }
        context.print(&table.render(context.terminal.out))?;
    }
    Ok(ExitStatus::Success)
}

/// The parts of a change that say something, in one line.
fn detail(detail: &Value, paint: Paint) -> String {
    let Value::Object(parts) = detail else { return String::new() };
    let said = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let parts: Vec<String> =
        parts.iter().filter_map(|(name, value)| Some(format!("{name}: {}", said(value)?))).collect();
    let text = parts.join("; ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => t!("{text}{cut} (--json shows all)", text = &text[..end], cut = paint.cut()),
        None => text,
    }
}
