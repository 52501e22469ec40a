//! `codementor status`: how the daemon is. It starts none.

use codementor_protocol::{FeedbackStatus, GetStatus, Status};

use crate::args;
use crate::client::{Client, Credentials};
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::private;
use crate::render::words;
use crate::{locale, sanitize};

pub(crate) async fn run(context: &Context, args: &args::Status) -> Result<ExitStatus, CliError> {
    let settings = &context.settings;
    let client = match (&settings.nats_url, &settings.creds) {
        (Some(url), Some(creds)) => Client::connect(url, &Credentials::read(creds)?).await?,
        _ => private::find(settings).await?,
    };
    let status = client.request(&GetStatus {}).await?;
    match args.json {
        true => context.print_json(&status)?,
        false => context.print(&describe(&status))?,
    }
    Ok(ExitStatus::Success)
}

/// Whom feedback is asked of, what it has cost today and what may still be spent.
fn feedback(status: &FeedbackStatus) -> String {
    if status.endpoints.is_empty() {
        return t!("no model is set up").into();
    }
    t!(
        "{endpoints}; spent today: {tokens} and {cost_micro_today}; left: {left}",
        endpoints = status.endpoints.join(", "),
        tokens = count!(status.tokens_today, "token"),
        cost_micro_today = words::money(status.cost_micro_today),
        left = words::allowance(&status.left)
    )
}

fn describe(status: &Status) -> String {
    let queued: Vec<String> = status
        .queued
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(lane, count)| format!("{count} {}", sanitize::line(lane)))
        .collect();
    let rows = [
        (
            t!("daemon"),
            t!(
                "{version} (build {build}), process {pid}",
                version = status.version,
                build = status.build,
                pid = status.pid
            ),
        ),
        (t!("since"), words::moment(status.since)),
        (t!("user"), status.user.to_string()),
        ("nats", status.nats.clone()),
        (t!("slots"), t!("{busy} of {slots} busy", busy = status.busy, slots = status.slots)),
        (t!("waiting"), if queued.is_empty() { t!("nothing").into() } else { queued.join(", ") }),
        (t!("running"), count!(status.running, "submission")),
        (
            t!("all"),
            format!("{}, {}", count!(status.submissions, "submission"), count!(status.problems, "problem")),
        ),
        (
            t!("stops"),
            match status.idle_timeout_s {
                Some(seconds) => {
                    t!("after {seconds} without work", seconds = words::duration(seconds * 1000))
                }
                None => t!("only when told to").into(),
            },
        ),
        (t!("feedback"), feedback(&status.feedback)),
        (
            t!("engine"),
            status
                .engine_error
                .as_deref()
                .map_or_else(|| t!("in order").into(), |error| locale::said(error).into_owned()),
        ),
        (t!("log"), locale::said(&status.log).into_owned()),
    ];
    rows.iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{} {}\n", words::padded(name, 8), sanitize::line(value)))
        .collect()
}
