//! `codementor pair`: a code by which one enrols another machine.

use codementor_protocol::{EnrolCode, Pair};
use serde_json::json;

use crate::args::account;
use crate::commands::Context;
use crate::contexts::ContextError;
use crate::error::{CliError, ExitStatus};
use crate::render::words;
use crate::sanitize;
use crate::session::Session;

pub(crate) async fn run(context: &Context, args: &account::Pair) -> Result<ExitStatus, CliError> {
    // Nobody comes to a private daemon from another machine; a server's owner makes codes for others on its machine.
    if context.settings.nats_url.is_none() && args.user.is_none() {
        return Err(ContextError::Private.into());
    }
    let mut session = context.session().await?;
    let made = session.request(&Pair { user: args.user.clone() }).await?;
    let server = server(context, &session, &made);
    if args.json {
        context.print_json(
            &json!({ "server": server, "code": made.code, "ca": made.ca, "expires": made.expires }),
        )?;
    } else {
        context.print(&t!(
            "On the other machine, once, until {expires}:\n  codementor join {server} {code}{ca}\n",
            expires = words::moment(made.expires),
            server,
            code = made.code,
            ca = ca(context, &made)
        ))?;
    }
    Ok(ExitStatus::Success)
}

/// What one who was given a code says besides it, so that the server is trusted.
pub(crate) fn ca(context: &Context, made: &EnrolCode) -> String {
    let Some(file) = made.ca.as_deref().map(sanitize::line) else { return String::new() };
    context.progress.note(&t!(
        "{file} is the certificate that the server is trusted by: hand a copy out with the code",
        file
    ));
    format!(" --ca {file}")
}

/// Where one who was given a code joins: as the server says, else where it was reached from here.
pub(crate) fn server(context: &Context, session: &Session<'_>, made: &EnrolCode) -> String {
    if let Some(server) = &made.server {
        return server.clone();
    }
    if context.settings.nats_url.is_none() {
        context.progress.note(t!(
            "the server listens to others, and does not know by which address they come: set address in its \
             configuration; the one below is good on this machine only"
        ));
    }
    session.client().url().to_owned()
}
