//! A user's credentials as a text: the JWT that a server knows, the key whose other half never leaves this machine,
//! and where the server is. One text is all that another machine, or a CI service, needs.

use std::path::Path;
use std::sync::Arc;

use codementor_protocol::UserName;
use serde::Deserialize;

use crate::client::ClientError;

/// The line that every credentials file has, by which a text is told from a path.
const MARK: &str = "NATS USER JWT";
/// Longer than any credentials, so that a wrong file is not read whole.
const MAX: u64 = 256 * 1024;
/// What begins the certificates that a server is to be trusted by.
const CERTIFICATE: (&str, &str) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");

/// A user's credentials.
#[derive(Clone)]
pub struct Credentials {
    /// Who it is; of scoped credentials, their own name.
    pub user: UserName,
    /// Where the server is, where the text says so.
    pub server: Option<String>,
    /// The certificates by which the server is trusted, as PEM; those of the system when absent.
    pub certificates: Option<String>,
    pub(crate) jwt: String,
    pub(crate) key: Arc<nkeys::KeyPair>,
    seed: String,
    issued: u64,
    expires: Option<u64>,
}

impl Credentials {
    /// Reads a credentials file, or, where that is no path, the text itself, which may be base64 in one line.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let bad = |reason| ClientError::BadCredentials { path: path.into(), reason };
        let here = |reason| ClientError::BadCredentials { path: "in CODEMENTOR_CREDS".into(), reason };
        if let Some(text) = path.to_str().and_then(as_text) {
            return Self::parse(&text).map_err(here);
        }
        let unread = |source| match path.to_str().is_some_and(may_be_secret) {
            true => here(t!("it is neither a file nor credentials; was it copied whole?")),
            false => ClientError::NoCredentials { path: path.into(), source },
        };
        if std::fs::metadata(path).map_err(unread)?.len() > MAX {
            return Err(bad(t!("it is too large")));
        }
        let text = std::fs::read_to_string(path).map_err(unread)?;
        let text = as_text(&text).unwrap_or(text);
        Self::parse(&text).map_err(bad)
    }

    /// Reads the text of a credentials file.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let jwt = section(text, MARK).ok_or(t!("it has no JWT"))?;
        let seed = section(text, "USER NKEY SEED").ok_or(t!("it has no seed"))?;
        let key = nkeys::KeyPair::from_seed(seed).map_err(|_| t!("its seed is damaged"))?;
        let claims = claims(jwt)?;
        Ok(Self {
            user: UserName::new(claims.name).map_err(|_| t!("its JWT names a user that cannot be one"))?,
            server: section(text, "CODEMENTOR SERVER").map(str::to_owned),
            certificates: certificates(text),
            jwt: jwt.into(),
            key: Arc::new(key),
            seed: seed.into(),
            issued: claims.iat,
            expires: claims.exp,
        })
    }

    /// Credentials of a key made here, for a server.
    pub fn new(
        jwt: &str,
        seed: &str,
        server: &str,
        certificates: Option<String>,
    ) -> Result<Self, &'static str> {
        let read = Self::parse(&Self::compose(jwt, seed))?;
        Ok(Self { server: Some(server.to_owned()), certificates, ..read })
    }

    /// The same key under another JWT.
    pub fn with_jwt(&self, jwt: &str) -> Result<Self, &'static str> {
        let read = Self::parse(&Self::compose(jwt, &self.seed))?;
        Ok(Self { server: self.server.clone(), certificates: self.certificates.clone(), ..read })
    }

    /// The same, for a server that is trusted by these certificates.
    #[must_use]
    pub fn trusting(self, certificates: Option<String>) -> Self {
        Self { certificates, ..self }
    }

    /// The text of a credentials file for a key made here.
    pub fn compose(jwt: &str, seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(server) = &self.server {
            text.push_str(&format!(
                "-----BEGIN CODEMENTOR SERVER-----\n{server}\n------END CODEMENTOR SERVER------\n\n"
            ));
        }
        text.push_str(&Self::compose(&self.jwt, &self.seed));
        if let Some(certificates) = &self.certificates {
            text.push('\n');
            text.push_str(certificates);
        }
        text
    }

    /// The whole text in one line.
    pub fn line(&self) -> String {
        data_encoding::BASE64.encode(self.text().as_bytes())
    }

    /// The public half of the key.
    pub fn public_key(&self) -> String {
        self.key.public_key()
    }

    /// When the JWT ends, in seconds of Unix time.
    pub fn expires(&self) -> Option<u64> {
        self.expires
    }

    /// Whether less than a third of its life is left, by a clock that says `now`.
    pub fn is_worn(&self, now: u64) -> bool {
        self.expires.is_some_and(|end| end.saturating_sub(now) < end.saturating_sub(self.issued) / 3)
    }

    /// Whether they are limited to one assignment: such credentials end, and are not renewed.
    pub fn is_scoped(&self) -> bool {
        self.user.as_str().contains("--")
    }
}

/// The text of credentials, where that is what was given: as it is, or as base64 in one line.
fn as_text(given: &str) -> Option<String> {
    if given.contains(MARK) {
        return Some(given.to_owned());
    }
    let line = given.trim();
    if line.len() < 100 || line.contains(['\n', '/']) && line.starts_with('/') {
        return None;
    }
    let text = String::from_utf8(data_encoding::BASE64.decode(line.as_bytes()).ok()?).ok()?;
    text.contains(MARK).then_some(text)
}

/// Whether a text that names no file may be credentials that were cut off or added to: those are not to be printed.
fn may_be_secret(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_- \n\r".contains(&byte);
    text.len() > 255 || text.contains("-----") || (text.len() >= 64 && text.bytes().all(is_base64))
}

/// The line between the two marks of a section.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("---") && line.contains(&format!("BEGIN {name}")))?;
    lines.find(|line| !line.is_empty()).filter(|line| !line.starts_with("---"))
}

/// Every certificate in a text, as PEM.
pub fn certificates(text: &str) -> Option<String> {
    let mut found = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(CERTIFICATE.0) {
        let Some(length) = rest[begin..].find(CERTIFICATE.1) else { break };
        let end = begin + length + CERTIFICATE.1.len();
        found.push_str(&rest[begin..end]);
        found.push('\n');
        rest = &rest[end..];
    }
    (!found.is_empty()).then_some(found)
}

#[derive(Deserialize)]
struct Claims {
    name: String,
    #[serde(default)]
    iat: u64,
    #[serde(default)]
    exp: Option<u64>,
}

/// What a JWT says. Nothing is verified: the server does that.
fn claims(jwt: &str) -> Result<Claims, &'static str> {
    let payload = jwt.split('.').nth(1).ok_or(t!("its JWT has no payload"))?;
    let payload = data_encoding::BASE64URL_NOPAD
        .decode(payload.as_bytes())
        .map_err(|_| t!("the payload of its JWT is damaged"))?;
    serde_json::from_slice(&payload).map_err(|_| t!("its JWT names no user"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", data_encoding::BASE64URL_NOPAD.encode(payload.as_bytes()))
    }

    fn seed() -> String {
        nkeys::KeyPair::new_user().seed().expect("a new key has its seed")
    }

    #[test]
    fn credentials_are_read_as_they_are_written() {
        let seed = seed();
        let certificate = format!("{}\nAAAA\n{}\n", CERTIFICATE.0, CERTIFICATE.1);
        let jwt = jwt(r#"{"name":"kim","sub":"U","iat":100,"exp":400}"#);
        let credentials =
            Credentials::new(&jwt, &seed, "tls://judge.example:4222", Some(certificate.clone()))
                .expect("is right");
        for text in [credentials.text(), credentials.line()] {
            let read = Credentials::read(Path::new(&text)).expect("it is read");
            assert_eq!(read.user.as_str(), "kim");
            assert_eq!(read.server.as_deref(), Some("tls://judge.example:4222"));
            assert_eq!(read.certificates.as_ref(), Some(&certificate));
            assert_eq!((read.public_key(), read.expires()), (credentials.public_key(), Some(400)));
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_told() {
        let jwt = jwt(r#"{"name":"kim","sub":"U","iat":100,"exp":400}"#);
        let line =
            Credentials::new(&jwt, &seed(), "tls://judge.example:4222", None).expect("is right").line();
        for spoilt in [format!("{line}x"), line[..line.len() - 3].into(), line[7..].into(), line[..90].into()]
        {
            let Err(error) = Credentials::read(Path::new(&spoilt)) else { panic!("{spoilt} is read") };
            let said = format!("{error} {:?}", error.hint());
            assert!(said.contains("in CODEMENTOR_CREDS") && !said.contains(&spoilt[..20]), "{said}");
        }
        let Err(error) = Credentials::read(Path::new("/no/such/file.creds")) else { panic!("it is read") };
        assert!(error.to_string().contains("/no/such/file.creds"), "{error}");
    }

    #[test]
    fn credentials_are_worn_when_less_than_a_third_of_their_life_is_left() {
        let of = |payload: &str| {
            Credentials::parse(&Credentials::compose(&jwt(payload), &seed())).expect("is right")
        };
        let credentials = of(r#"{"name":"kim","iat":100,"exp":400}"#);
        for (now, worn) in [(100, false), (300, false), (301, true), (400, true), (9000, true), (0, false)] {
            assert_eq!(credentials.is_worn(now), worn, "at {now}");
        }
        assert!(!of(r#"{"name":"kim","iat":100}"#).is_worn(9000), "they have no end");
    }

    #[test]
    fn what_is_wrong_with_credentials_is_said() {
        let seed = seed();
        let table = [
            ("".into(), "it has no JWT"),
            (Credentials::compose("", &seed), "it has no JWT"),
            (Credentials::compose(&jwt(r#"{"name":"kim"}"#), ""), "it has no seed"),
            (Credentials::compose(&jwt(r#"{"name":"kim"}"#), "SUAAA"), "its seed is damaged"),
            (Credentials::compose("nothing", &seed), "its JWT has no payload"),
            (Credentials::compose(&jwt("{}"), &seed), "its JWT names no user"),
            (
                Credentials::compose(&jwt(r#"{"name":"a.b"}"#), &seed),
                "its JWT names a user that cannot be one",
            ),
        ];
        for (text, reason) in table {
            assert_eq!(Credentials::parse(&text).err(), Some(reason), "{text}");
        }
    }
}
