//! `codementor up`: starts the private daemon before it is needed.

use codementor_protocol::GetStatus;

use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::private::PrivateError;
use crate::session::Session;

pub(crate) async fn run(context: &Context) -> Result<ExitStatus, CliError> {
    if let Some(url) = &context.settings.nats_url {
        return Err(PrivateError::Foreign { url: url.clone(), what: t!("start") }.into());
    }
    let mut session = Session::open(&context.settings, &context.progress).await?;
    let status = session.request(&GetStatus {}).await?;
    context.print(&t!("the private daemon is running (process {pid})\n", pid = status.pid))?;
    if let Some(error) = status.engine_error {
        context.progress.note(&t!("warning: it cannot judge yet: {error}", error));
    }
    Ok(ExitStatus::Success)
}
