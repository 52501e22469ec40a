//! `codementor audit`: who changed what in a course.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use codementor_protocol::{AuditEntry, ReadAudit, Timestamp};
use serde_json::Value;

use crate::args::roster::Audit;
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::terminal::Paint;

/// How much of a change is shown in a line.
const SHOWN: usize = 100;
/// The numbers that are times, in milliseconds, from the years 2001 to 2286: no other number of a change is that large.
const TIMES: Range<i64> = 1_000_000_000_000..10_000_000_000_000;

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

/// What a change changed, in one line: of what was before and after it only what differs.
fn detail(detail: &Value, paint: Paint) -> String {
    let Value::Object(parts) = detail else { return String::new() };
    let mut said = change(parts.get("from"), parts.get("to"));
    let others = parts.iter().filter(|(name, _)| !["from", "to"].contains(&name.as_str()));
    said.extend(others.filter_map(|(name, value)| Some(format!("{name}: {}", one(value)?))));
    let text = said.join("; ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => t!("{text}{cut} (--json shows all)", text = &text[..end], cut = paint.cut()),
        None => text,
    }
}

fn change(from: Option<&Value>, to: Option<&Value>) -> Vec<String> {
    let (from, to) = (from.unwrap_or(&Value::Null), to.unwrap_or(&Value::Null));
    let both = from.is_object() && to.is_object();
    let (before, after) = (flat(from), flat(to));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    // What something is called does not change, and is the target of the entry.
    differing
        .filter(|key| *key != "id")
        .filter_map(|key| {
            let name = if key.is_empty() { String::new() } else { format!("{key}: ") };
            Some(match (before.get(key), after.get(key)) {
                (Some(before), Some(after)) => format!("{name}{before} -> {after}"),
                (None, Some(after)) if both => format!("{name}- -> {after}"),
                (Some(before), None) if both || key.is_empty() => format!("{name}{before} -> -"),
                (Some(one), None) | (None, Some(one)) => format!("{name}{one}"),
                (None, None) => return None,
            })
        })
        .collect()
}

/// The values of an object by their names, those of inner ones by `outer.inner`; any other value by no name.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let Value::Object(parts) = value else {
        return one(value).map(|said| (String::new(), said)).into_iter().collect();
    };
    let mut all = BTreeMap::new();
    for (name, value) in parts {
        for (inner, said) in flat(value) {
            all.insert(if inner.is_empty() { name.clone() } else { format!("{name}.{inner}") }, said);
        }
    }
    all
}

/// A value as it is read; nothing where it says nothing.
fn one(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(number) => {
            let at = number.as_i64().filter(|number| TIMES.contains(number));
            Some(at.map_or_else(|| number.to_string(), |at| words::moment(Timestamp(at))))
        }
        Value::Array(all) => {
            let all: Vec<String> = all.iter().filter_map(one).collect();
            (!all.is_empty()).then(|| all.join(", "))
        }
        Value::Object(parts) => match (parts.get("problem"), parts.get("points")) {
            // As it is typed.
            (Some(problem), Some(points)) => Some(format!("{}:{}", one(problem)?, one(points)?)),
            _ => Some(value.to_string()),
        },
        Value::Bool(_) => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(value: Value) -> String {
        detail(&value, Paint::PLAIN)
    }

    #[test]
    fn a_change_is_told_by_what_differs_and_times_are_times() {
        let (due, later) = (1_796_400_000_000_i64, 1_796_486_400_000_i64);
        let [at, after] = [due, later].map(|at| words::moment(Timestamp(at)));
        let before = json!({
            "id": "cs101/hw1", "title": "One", "problems": [{ "problem": "sum", "points": "20" }], "due": due,
            "late": { "grace_s": 0 }, "languages": [], "state": "draft",
        });
        let mut changed = before.clone();
        changed["title"] = json!("x".repeat(SHOWN));
        assert!(told(json!({ "from": before, "to": changed })).ends_with(" (--json shows all)"));
        changed["title"] = before["title"].clone();
        changed["languages"] = json!(["c", "cpp"]);
        assert_eq!(told(json!({ "from": before, "to": changed })), "languages: - -> c, cpp");
        changed["languages"] = json!([]);
        changed["due"] = json!(later);
        changed["late"]["grace_s"] = json!(600);
        changed["problems"][0]["points"] = json!("30");
        assert_eq!(
            told(json!({ "from": before, "to": changed })),
            format!("due: {at} -> {after}; late.grace_s: 0 -> 600; problems: sum:20 -> sum:30")
        );
        assert_eq!(
            told(json!({ "from": null, "to": before })),
            format!("due: {at}; late.grace_s: 0; problems: sum:20; state: draft; title: One")
        );
        for (value, text) in [
            (json!({ "from": "draft", "to": "open" }), "draft -> open".to_owned()),
            (json!({ "from": null, "to": later, "reason": "was ill" }), format!("{after}; reason: was ill")),
            (
                json!({ "from": due, "to": null, "reason": "", "student": "kim" }),
                format!("{at} -> -; student: kim"),
            ),
            (
                json!({ "role": "student", "expires": due, "uses": null }),
                format!("expires: {at}; role: student"),
            ),
            (json!({ "from": before, "to": before }), String::new()),
            (Value::Null, String::new()),
        ] {
            assert_eq!(told(value), text);
        }
    }
}
