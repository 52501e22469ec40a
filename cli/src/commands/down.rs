//! `codementor down`: stops the private daemon. What waits is kept for its next start.

use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::private::{self, PrivateError};
use crate::render::words;

pub(crate) async fn run(context: &Context) -> Result<ExitStatus, CliError> {
    if let Some(url) = &context.settings.nats_url {
        return Err(PrivateError::Foreign { url: url.clone(), what: "stop" }.into());
    }
    match private::stop(&context.settings, &context.progress).await {
        Ok(stopped) if stopped.queued > 0 => {
            let waiting = words::plural(stopped.queued, "submission");
            context.print(&format!("the private daemon has stopped; {waiting} kept for its next start\n"))?;
        }
        Ok(_) => context.print("the private daemon has stopped\n")?,
        Err(CliError::Private(PrivateError::NotRunning)) => {
            context.print("no private daemon is running\n")?
        }
        Err(error) => return Err(error),
    }
    Ok(ExitStatus::Success)
}
