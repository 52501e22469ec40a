//! `codementor down`: stops the private daemon. What waits is kept for its next start.

use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::private::{self, PrivateError};

pub(crate) async fn run(context: &Context) -> Result<ExitStatus, CliError> {
    if let Some(url) = &context.settings.nats_url {
        return Err(PrivateError::Foreign { url: url.clone(), what: t!("stop") }.into());
    }
    match private::stop(&context.settings, &context.progress).await {
        Ok(stopped) if stopped.queued > 0 => {
            let waiting = count!(stopped.queued, "submission");
            context
                .print(&t!("the private daemon has stopped; {waiting} kept for its next start\n", waiting))?;
        }
        Ok(_) => context.print(t!("the private daemon has stopped\n"))?,
        Err(CliError::Private(PrivateError::NotRunning)) => {
            context.print(t!("no private daemon is running\n"))?
        }
        Err(error) => return Err(error),
    }
    Ok(ExitStatus::Success)
}
