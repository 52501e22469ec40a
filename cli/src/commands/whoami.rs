//! `codementor whoami`: who one is to the server that commands go to.

use codementor_protocol::{Identity, ListKeys, Timestamp, WhoAmI};
use serde_json::json;

use crate::args::account;
use crate::client::Credentials;
use crate::commands::Context;
use crate::contexts::Contexts;
use crate::error::{CliError, ExitStatus};
use crate::render::words;
use crate::sanitize;
use crate::session;

/// By how much clocks may differ before it is worth a word, in milliseconds.
const SKEW: i64 = 60_000;

pub(crate) async fn run(context: &Context, args: &account::WhoAmI) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let identity = session.request(&WhoAmI {}).await?;
    let keys = match identity.scope {
        Some(_) => Vec::new(),
        None => session.request(&ListKeys {}).await?,
    };
    let used = used(context)?;
    let used = used.as_ref().map(|(name, credentials)| (name.as_str(), credentials));
    if args.json {
        context.print_json(&json!({
            "user": identity.user,
            "name": identity.name,
            "student_id": identity.student_id,
            "admin": identity.admin,
            "courses": identity.courses.iter()
                .map(|(course, role)| json!({ "course": course, "role": role }))
                .collect::<Vec<_>>(),
            "scope": identity.scope,
            "context": used.map(|(name, _)| name),
            "server": used.and_then(|(_, credentials)| credentials.server.as_deref()),
            "expires": used.and_then(|(_, credentials)| credentials.expires()),
            "credentials": keys,
        }))?;
        return Ok(ExitStatus::Success);
    }
    let mut text = describe(&identity, used);
    let own = used.map(|(_, credentials)| credentials.public_key());
    for key in &keys {
        let what = match (&key.credential, &key.scope) {
            (Some(name), Some(scope)) => format!("{name}, for {scope} in CI"),
            _ if own.as_ref() == Some(&key.public_key) => "this machine".into(),
            _ => format!("a machine ({}…)", key.public_key.chars().take(8).collect::<String>()),
        };
        let end = key.expires.map_or("no end".into(), |end| format!("until {}", words::moment(end)));
        text.push_str(&format!("credential  {what}, since {}, {end}\n", words::moment(key.made)));
    }
    context.print(&text)?;
    let skew =
        identity.now.0 - i64::try_from(session::seconds()).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
    if skew.abs() > SKEW {
        let (by, way) = (words::duration(skew.unsigned_abs()), if skew > 0 { "behind" } else { "ahead of" });
        context.progress.note(&format!("the clock of this machine is {by} {way} the server's"));
    }
    Ok(ExitStatus::Success)
}

/// The credentials that are in use, and the context that they are of; nothing with the private daemon.
pub(crate) fn used(context: &Context) -> Result<Option<(String, Credentials)>, CliError> {
    let Some(path) = &context.settings.creds else { return Ok(None) };
    let contexts = Contexts::of(&context.settings);
    let name = contexts.names()?.into_iter().find(|name| contexts.path(name).is_ok_and(|of| of == *path));
    Ok(Some((name.unwrap_or_default(), Credentials::read(path)?)))
}

pub(crate) fn describe(identity: &Identity, used: Option<(&str, &Credentials)>) -> String {
    let mut rows = vec![("user", identity.user.to_string())];
    rows.extend(identity.name.as_deref().map(|name| ("name", sanitize::line(name).into_owned())));
    rows.extend(identity.student_id.as_deref().map(|id| ("student id", sanitize::line(id).into_owned())));
    match used {
        Some((name, credentials)) => {
            let server = sanitize::line(credentials.server.as_deref().unwrap_or("")).into_owned();
            let context = if name.is_empty() { String::new() } else { format!("  (context {name})") };
            rows.push(("server", format!("{server}{context}")));
        }
        None => rows.push(("server", "the private daemon".into())),
    }
    if identity.admin {
        rows.push(("role", "administrator".into()));
    }
    rows.extend(identity.courses.iter().map(|(course, role)| ("course", format!("{course}, as {role}"))));
    rows.extend(identity.scope.as_ref().map(|scope| ("limited to", scope.to_string())));
    if let Some(end) = used.and_then(|(_, credentials)| credentials.expires()) {
        let end = Timestamp(i64::try_from(end).unwrap_or(i64::MAX / 1000).saturating_mul(1000));
        let renewal =
            if identity.scope.is_some() { "" } else { "; they renew themselves when they are used" };
        rows.push(("credentials", format!("until {}{renewal}", words::moment(end))));
    }
    rows.iter().map(|(name, value)| format!("{name:<12}{value}\n")).collect()
}
