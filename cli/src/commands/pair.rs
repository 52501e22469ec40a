//! `codementor pair`: a code by which one enrols another machine.

use codementor_protocol::Pair;
use serde_json::json;

use crate::args::account;
use crate::commands::Context;
use crate::contexts::ContextError;
use crate::error::{CliError, ExitStatus};
use crate::render::words;

pub(crate) async fn run(context: &Context, args: &account::Pair) -> Result<ExitStatus, CliError> {
    // On its own machine an administrator may not know by which address others come.
    let url = match &context.settings.nats_url {
        Some(url) => url.as_str(),
        None if args.user.is_some() => "SERVER",
        None => return Err(ContextError::Private.into()),
    };
    let made = context.session().await?.request(&Pair { user: args.user.clone() }).await?;
    if args.json {
        context.print_json(&json!({ "server": url, "code": made.code, "expires": made.expires }))?;
    } else {
        context.print(&format!(
            "On the other machine, once, until {}:\n  codementor join {url} {}\n",
            words::moment(made.expires),
            made.code
        ))?;
    }
    Ok(ExitStatus::Success)
}
