//! `codementor logout`: makes the credentials of this machine void, and forgets them.

use codementor_protocol::LogOut;

use crate::args::account;
use crate::client::{Client, ClientError};
use crate::commands::{Context, whoami};
use crate::contexts::{ContextError, Contexts};
use crate::error::{CliError, ExitStatus};

pub(crate) async fn run(context: &Context, args: &account::LogOut) -> Result<ExitStatus, CliError> {
    let (Some(url), Some((name, credentials))) = (&context.settings.nats_url, whoami::used(context)?) else {
        return Err(ContextError::Private.into());
    };
    let told = match Client::connect(url, &credentials).await {
        Ok(client) => client.request(&LogOut { public_key: credentials.public_key() }).await.map(drop),
        Err(error) => Err(error.into()),
    };
    let told = match told {
        // The server cuts the connection over which it was told; credentials that it does not accept are void already.
        Err(CliError::Client(ClientError::Lost | ClientError::NotAccepted { .. })) => Ok(()),
        told => told,
    };
    match told {
        Err(error) if !args.force => return Err(error),
        Err(error) => {
            context.progress.note(&t!("the server could not be told, so they are not void: {error}", error));
        }
        Ok(()) => {}
    }
    if !name.is_empty() {
        Contexts::of(&context.settings).remove(&name)?;
    }
    context.print(&t!("logged out of {url}\n", url))?;
    Ok(ExitStatus::Success)
}
