//! `codementor ci creds`: credentials of one's own for CI, good for one assignment.

use codementor_protocol::{ListKeys, LogOut, MakeScoped, Refusal, RefusalCode, UserName};
use codementord::files::write_private;

use crate::args::account;
use crate::client::{ClientError, Credentials};
use crate::commands::{Context, whoami};
use crate::contexts::ContextError;
use crate::error::{CliError, ExitStatus};

pub(crate) async fn make(context: &Context, args: &account::CiCreds) -> Result<ExitStatus, CliError> {
    let (Some(url), Some((_, own))) = (&context.settings.nats_url, whoami::used(context)?) else {
        return Err(ContextError::Private.into());
    };
    let key = nkeys::KeyPair::new_user();
    let seed = key.seed().map_err(|error| std::io::Error::other(error.to_string()))?;
    let make = MakeScoped {
        public_key: key.public_key(),
        assignment: args.assignment.clone(),
        lasts_s: u64::from(args.days) * 86_400,
    };
    let mut session = context.session().await?;
    let made = session.request(&make).await?;
    let malformed = |reason: &str| ClientError::Malformed { verb: "credential-make", reason: reason.into() };
    let server = own.server.as_deref().unwrap_or(url);
    let credentials =
        Credentials::new(&made.jwt, &seed, server, own.certificates.clone()).map_err(malformed)?;
    let handed_over = match &args.out {
        Some(path) => write_private(path, credentials.text().as_bytes())
            .map_err(|source| CliError::File { path: path.into(), source }),
        None => context.print(&format!("{}\n", credentials.line())),
    };
    if let Err(error) = handed_over {
        // Nobody has what was made, so that nothing may be left that it lets in.
        if session.request(&LogOut { public_key: key.public_key() }).await.is_err() {
            context.progress.note(&t!(
                "the server still knows {user}; codementor ci drop {user} ends that",
                user = made.user
            ));
        }
        return Err(error);
    }
    context.progress.note(&t!(
        "{user} may submit to {assignment} as you for {days}, and do nothing else; codementor ci drop \
         {user} ends that",
        user = made.user,
        assignment = args.assignment,
        days = count!(args.days.into(), "day")
    ));
    Ok(ExitStatus::Success)
}

/// Makes credentials for CI void.
pub(crate) async fn drop_one(context: &Context, name: &UserName) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let keys = session.request(&ListKeys {}).await?;
    let Some(key) = keys.into_iter().find(|key| key.credential.as_ref() == Some(name)) else {
        let message = t!("you have no credentials '{name}' for CI", name);
        let refusal = Refusal::new(RefusalCode::NotFound, message).hint(t!("codementor whoami lists them"));
        return Err(CliError::Known(refusal));
    };
    session.request(&LogOut { public_key: key.public_key }).await?;
    context.print(&t!("{name} is void\n", name))?;
    Ok(ExitStatus::Success)
}
