//! `codementor admin`: what only administrators do.

use codementor_protocol::Revoke;

use crate::args::account::Admin;
use crate::commands::{Context, personal};
use crate::error::{CliError, ExitStatus};

pub(crate) async fn run(context: &Context, command: &Admin) -> Result<ExitStatus, CliError> {
    let user = match command {
        Admin::Revoke { user } => user,
        Admin::Erase(args) => return personal::erase(context, args).await,
    };
    let revoked = context.session().await?.request(&Revoke { user: user.clone() }).await?;
    context.print(&t!(
        "{user} is cut off: {credentials} void; a code lets {user} in again: codementor pair --user {user}\n",
        user,
        credentials = count!(revoked.credentials.into(), "credential")
    ))?;
    Ok(ExitStatus::Success)
}
