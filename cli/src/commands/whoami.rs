//! `codementor whoami`: who one is to the server that commands go to.

use codementor_protocol::{Identity, ListKeys, Span, Timestamp, WhoAmI};
use serde_json::json;
use unicode_width::UnicodeWidthStr;

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
            (Some(name), Some(scope)) => t!("{name}, for {scope} in CI", name, scope),
            _ if own.as_ref() == Some(&key.public_key) => t!("this machine").into(),
            _ => {
                let key: String = key.public_key.chars().take(8).collect();
                t!("a machine ({key}{cut})", key = key, cut = context.terminal.out.cut())
            }
        };
        let end = key.expires.map_or(t!("no end").into(), |end| t!("until {end}", end = words::moment(end)));
        text.push_str(&t!(
            "credential  {what}, since {made}, {end}\n",
            what,
            made = words::moment(key.made),
            end
        ));
    }
    context.print(&text)?;
    let skew =
        identity.now.0 - i64::try_from(session::seconds()).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
    if skew.abs() > SKEW {
        let by = words::span(Span(skew.abs()));
        context.progress.note(&match skew > 0 {
            true => t!("the clock of this machine is {by} behind the server's", by),
            false => t!("the clock of this machine is {by} ahead of the server's", by),
        });
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
    let mut rows = vec![(t!("user"), identity.user.to_string())];
    rows.extend(identity.name.as_deref().map(|name| (t!("name"), sanitize::line(name).into_owned())));
    rows.extend(identity.student_id.as_deref().map(|id| (t!("student id"), sanitize::line(id).into_owned())));
    match used {
        Some((name, credentials)) => {
            let server = sanitize::line(credentials.server.as_deref().unwrap_or("")).into_owned();
            let context = if name.is_empty() { String::new() } else { t!("  (context {name})", name) };
            rows.push((t!("server"), format!("{server}{context}")));
        }
        None => rows.push((t!("server"), t!("the private daemon").into())),
    }
    if identity.admin {
        rows.push((t!("role"), t!("administrator").into()));
    }
    rows.extend(
        identity.courses.iter().map(|(course, role)| {
            (t!("course"), t!("{course}, as {role}", course, role = words::role(*role)))
        }),
    );
    rows.extend(identity.scope.as_ref().map(|scope| (t!("limited to"), scope.to_string())));
    if let Some(end) = used.and_then(|(_, credentials)| credentials.expires()) {
        let end = Timestamp(i64::try_from(end).unwrap_or(i64::MAX / 1000).saturating_mul(1000));
        let renewal =
            if identity.scope.is_some() { "" } else { t!("; they renew themselves when they are used") };
        rows.push((t!("credentials"), t!("until {end}{renewal}", end = words::moment(end), renewal)));
    }
    let widest = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{}  {value}\n", words::padded(name, widest))).collect()
}
