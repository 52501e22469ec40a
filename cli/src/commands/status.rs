//! `codementor status`: how the daemon is. It starts none.

use codementor_protocol::{FeedbackStatus, GetStatus, Status};

use crate::args;
use crate::client::{Client, Credentials};
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::private;
use crate::render::words;
use crate::sanitize;

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
        return "no model is set up".into();
    }
    format!(
        "{}; spent today: {} and {}; left: {}",
        status.endpoints.join(", "),
        words::plural(status.tokens_today, "token"),
        words::money(status.cost_micro_today),
        words::allowance(&status.left)
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
        ("daemon", format!("{} (build {}), process {}", status.version, status.build, status.pid)),
        ("since", words::moment(status.since)),
        ("user", status.user.to_string()),
        ("nats", status.nats.clone()),
        ("slots", format!("{} of {} busy", status.busy, status.slots)),
        ("waiting", if queued.is_empty() { "nothing".into() } else { queued.join(", ") }),
        ("running", words::plural(status.running, "submission")),
        (
            "all",
            format!(
                "{}, {}",
                words::plural(status.submissions, "submission"),
                words::plural(status.problems, "problem")
            ),
        ),
        (
            "stops",
            match status.idle_timeout_s {
                Some(seconds) => format!("after {} without work", words::duration(seconds * 1000)),
                None => "only when told to".into(),
            },
        ),
        ("feedback", feedback(&status.feedback)),
        ("engine", status.engine_error.clone().unwrap_or_else(|| "in order".into())),
        ("log", status.log.clone()),
    ];
    rows.iter().map(|(name, value)| format!("{name:<8} {}\n", sanitize::line(value))).collect()
}
