//! `codementor join`: makes a key, has its public half signed for a code, and keeps the rest on this machine.

use std::path::Path;

use codementor_protocol::{Enrol, Identity, Join, WhoAmI};
use codementord::files::write_private;

use crate::args::account;
use crate::ci::CiError;
use crate::ci::environment::Environment;
use crate::client::{Client, ClientError, Credentials};
use crate::commands::{Context, whoami};
use crate::contexts::{ContextError, Contexts};
use crate::credentials;
use crate::error::{CliError, ExitStatus};

/// The port of NATS servers.
const PORT: u16 = 4222;
/// The name of the credential that may only enrol.
const ENROL: &str = "enrol";
/// How often an answer that does not come is asked for: the same key again is the same request again.
const TRIES: u32 = 3;

pub(crate) async fn run(
    context: &Context,
    args: &account::Join,
    named: Option<&str>,
) -> Result<ExitStatus, CliError> {
    let server = Server::parse(&args.server)?;
    warn_if_open(context, &server);
    let certificates = read_ca(args.ca.as_deref())?;
    let contexts = Contexts::of(&context.settings);
    let known = contexts.of_server(&server.url)?;
    let name = match (named, &known) {
        (Some(name), Some((known, _))) if name == known => name.to_owned(),
        (Some(name), _) => {
            if contexts.path(name)?.exists() {
                let server = contexts.read(name)?.server.unwrap_or_default();
                return Err(ContextError::Taken { name: name.into(), server }.into());
            }
            name.to_owned()
        }
        (None, Some((known, _))) => known.clone(),
        (None, None) => contexts.unused(&server.host)?,
    };
    context.progress.step(&t!("connecting to {url}", url = server.url));
    // Who is a user there already stays that user.
    if let Some((_, credentials)) = &known {
        match Client::connect(&server.url, credentials).await {
            Ok(client) => {
                let join = Join {
                    code: args.code.clone(),
                    name: args.name.clone(),
                    student_id: args.student_id.clone(),
                };
                let identity = client.request(&join).await?;
                contexts.select(Some(&name))?;
                return say(context, &identity, &name, credentials);
            }
            Err(ClientError::NotAccepted { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let request = Enrol {
        code: args.code.clone(),
        name: args.name.clone(),
        student_id: args.student_id.clone(),
        ..Enrol::default()
    };
    let credentials = enrol(context, request, &server, certificates).await?;
    contexts.write(&name, &credentials)?;
    contexts.select(Some(&name))?;
    let identity = Client::connect(&server.url, &credentials).await?.request(&WhoAmI {}).await?;
    say(context, &identity, &name, &credentials)
}

fn warn_if_open(context: &Context, server: &Server) {
    if server.is_open() {
        context.progress.note(&t!(
            "warning: the connection to {url} is not encrypted: others on the way can read the code and \
             your programs",
            url = server.url
        ));
    }
}

/// The certificates of a file.
fn read_ca(path: Option<&Path>) -> Result<Option<String>, ClientError> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| ClientError::NoCertificate { path: path.into(), source })?;
    let reason = t!("it holds no certificate as PEM");
    let found = credentials::certificates(&text);
    found.map(Some).ok_or_else(|| ClientError::BadCertificate { path: path.into(), reason })
}

/// Makes a key and has its public half signed.
async fn enrol(
    context: &Context,
    request: Enrol,
    server: &Server,
    certificates: Option<String>,
) -> Result<Credentials, CliError> {
    let key = nkeys::KeyPair::new_user();
    let seed = key.seed().map_err(|error| std::io::Error::other(error.to_string()))?;
    let request = Enrol { public_key: key.public_key(), ..request };
    // For servers that let in nobody without any; credentials of a user are of no use here.
    let given = context.settings.creds.as_deref().and_then(|path| Credentials::read(path).ok());
    let gate_key = given
        .filter(|credentials| credentials.user.as_str() == ENROL)
        .map(|credentials| credentials.trusting(certificates.clone()));
    let mut tries = 1;
    let enrolled = loop {
        let gate = match &gate_key {
            Some(credentials) => Client::connect_to_enrol(&server.url, credentials).await?,
            None => Client::connect_as_nobody(&server.url, certificates.as_deref()).await?,
        };
        match gate.enrol(&request).await {
            Err(CliError::Client(error)) if error.is_passing() && tries < TRIES => tries += 1,
            answered => break answered?,
        }
    };
    let malformed = |reason: &str| ClientError::Malformed { verb: "enrol", reason: reason.into() };
    Ok(Credentials::new(&enrolled.jwt, &seed, &server.url, certificates).map_err(malformed)?)
}

/// `codementor ci login`: a job joins for a while, by the token that its CI system has signed for it.
pub(crate) async fn log_in(context: &Context, args: &account::CiLogin) -> Result<ExitStatus, CliError> {
    let server = Server::parse(&args.server)?;
    // An empty one is how a CI service hands on a token that a job was not given.
    let token = args.id_token.as_deref().map(str::trim).filter(|token| !token.is_empty());
    let Some(token) = token else {
        let service = Environment::detect().service;
        return Err(CiError::NoIdToken { service }.into());
    };
    warn_if_open(context, &server);
    let request = Enrol {
        id_token: Some(token.to_owned()),
        assignment: Some(args.assignment.clone()),
        ..Enrol::default()
    };
    let credentials = enrol(context, request, &server, read_ca(args.ca.as_deref())?).await?;
    write_private(&args.out, credentials.text().as_bytes())
        .map_err(|source| CliError::File { path: args.out.clone(), source })?;
    context.progress.note(&t!(
        "{user} may submit to {assignment} for a quarter of an hour",
        user = credentials.user,
        assignment = args.assignment
    ));
    Ok(ExitStatus::Success)
}

fn say(
    context: &Context,
    identity: &Identity,
    name: &str,
    credentials: &Credentials,
) -> Result<ExitStatus, CliError> {
    let mut text = whoami::describe(identity, Some((name, credentials)));
    text.push_str(t!("next: codementor due\n"));
    context.print(&text)?;
    Ok(ExitStatus::Success)
}

/// A server as it is typed.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    url: String,
    host: String,
}

impl Server {
    fn parse(text: &str) -> Result<Self, ClientError> {
        let wrong = |reason: &str| ClientError::BadAddress { text: text.into(), reason: reason.into() };
        let text = text.trim().trim_end_matches('/');
        let (scheme, place) = text.split_once("://").unwrap_or(("tls", text));
        if !["tls", "nats", "ws", "wss"].contains(&scheme) {
            return Err(wrong(t!("an address begins with tls://, wss:// or nats://")));
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (place, None),
        };
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let plain = |letter: char| {
            letter.is_alphanumeric() || ".-_".contains(letter) || bracketed && "[]:".contains(letter)
        };
        if host.is_empty() || !host.chars().all(plain) {
            return Err(wrong(t!("it names no host")));
        }
        let port = match (port, scheme) {
            (Some(port), _) => {
                port.parse::<u16>().map_err(|_| wrong(t!("its port is no number up to 65535")))?
            }
            (None, "wss") => 443,
            (None, "ws") => 80,
            (None, _) => PORT,
        };
        Ok(Self { url: format!("{scheme}://{host}:{port}"), host: host.to_owned() })
    }

    /// Whether others can listen on the way.
    fn is_open(&self) -> bool {
        let here = ["localhost", "127.0.0.1", "[::1]"].contains(&self.host.as_str());
        !here && (self.url.starts_with("nats://") || self.url.starts_with("ws://"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_or_a_url_and_encrypted_unless_said_otherwise() {
        for (text, url) in [
            ("judge.example", "tls://judge.example:4222"),
            ("judge.example:4443", "tls://judge.example:4443"),
            ("tls://judge.example/", "tls://judge.example:4222"),
            ("wss://judge.example", "wss://judge.example:443"),
            ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
            ("[::1]:4222", "tls://[::1]:4222"),
            ("[::1]", "tls://[::1]:4222"),
        ] {
            assert_eq!(Server::parse(text).expect("is one").url, url, "{text}");
        }
        for text in
            ["", "https://judge.example", "judge example", "host:port", "host:99999", "a/b", "user@host"]
        {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_others_can_read_is_warned_of() {
        let open = |text| Server::parse(text).expect("is one").is_open();
        assert!(open("nats://judge.example") && open("ws://judge.example"));
        assert!(!open("judge.example") && !open("nats://localhost") && !open("wss://judge.example"));
    }
}
