//! `[feedback]` of the configuration file: what may be shown, what may be spent, and whom to ask.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use codementor_protocol::{AnswerLanguage, FeedbackPolicy};
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// The endpoint that flags or the environment describe has this name.
const DEFAULT_NAME: &str = "default";
/// Where the key of that endpoint is looked for.
pub(crate) const DEFAULT_KEY_ENV: &str = "CODEMENTOR_FEEDBACK_KEY";
/// An answer falls back over all endpoints within one deadline: more than a few cannot have their turn.
const MAX_ENDPOINTS: usize = 8;
const MAX_HEADERS: usize = 32;

/// Whether and how feedback is given.
#[derive(Debug, Clone)]
pub struct FeedbackSettings {
    /// The most that any problem may get.
    pub policy: FeedbackPolicy,
    /// The language of answers, where one is set; a student's own goes before the server's.
    pub answer_in: Option<AnswerLanguage>,
    /// Whether a hint waits until its correction was judged.
    pub hold: bool,
    /// Whether accepted programs get a comment.
    pub comment: bool,
    /// How many hints there may be, each more telling.
    pub steps: u32,
    /// How often a model is asked for one hint, the first time included.
    pub rounds: u32,
    /// How many corrected programs are judged for a user and a problem in a day.
    pub checks: u32,
    /// How long one answer may take.
    pub timeout: Duration,
    /// What one user may spend in a day, in tokens.
    pub user_tokens: Option<u64>,
    /// What all may spend in a day, in tokens.
    pub server_tokens: Option<u64>,
    /// What one user may spend in a day, in money.
    pub user_cost: Option<Money>,
    /// What all may spend in a day, in money.
    pub server_cost: Option<Money>,
    /// Whom to ask, in this order; none means that no model says anything.
    pub endpoints: Vec<Endpoint>,
    /// Whether flags or the environment name the endpoint.
    pub by_flag: bool,
}

/// An OpenAI-compatible endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// What it is called in logs and messages.
    pub name: String,
    /// What `/chat/completions` is put behind.
    pub url: BaseUrl,
    /// The model.
    pub model: String,
    /// Where the key is, where one is needed.
    pub key: Option<KeySource>,
    /// The header that carries the bare key; `Authorization: Bearer` where none is given.
    pub key_header: Option<String>,
    /// Further headers.
    pub headers: Headers,
    /// What it takes.
    pub price: Option<Price>,
    /// How long an answer may be, in tokens.
    pub max_tokens: u32,
    /// How long the first byte of an answer may take.
    pub patience: Duration,
    /// Further fields of the request.
    pub body: serde_json::Map<String, serde_json::Value>,
}

/// Where a key is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// An environment variable of the daemon.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// An amount of US dollars, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    /// Millionths of a US dollar.
    pub micro: u64,
}

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Of what is sent.
    pub input: Money,
    /// Of what is answered.
    pub output: Money,
}

impl Price {
    /// What so many tokens cost, in millionths of a US dollar, rounded up.
    pub fn of(&self, input: u64, output: u64) -> u64 {
        let million = |tokens: u64, price: Money| u128::from(tokens) * u128::from(price.micro);
        let total = (million(input, self.input) + million(output, self.output)).div_ceil(1_000_000);
        u64::try_from(total).unwrap_or(u64::MAX)
    }
}

/// The base URL of an endpoint. Its query, which may hold a key, is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Where a chat is asked for.
    pub fn chat(&self) -> Url {
        let mut url = self.0.clone();
        let path = url.path().trim_end_matches('/').trim_end_matches("/chat/completions").to_owned();
        url.set_path(&format!("{path}/chat/completions"));
        url
    }

    /// The whole of it, with its query: for another process of ours, not to be shown.
    pub fn as_given(&self) -> &str {
        self.0.as_str()
    }

    /// The names and values in its query, of which one may be a key.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        self.0.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()))
    }

    /// Whether the endpoint is on this machine.
    pub fn is_local(&self) -> bool {
        match self.0.host_str() {
            Some("localhost" | "[::1]") => true,
            Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
            None => false,
        }
    }

    /// Whether what is sent is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    fn host(&self) -> &str {
        self.0.host_str().unwrap_or(DEFAULT_NAME)
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            Err(format!(
                "{what}: it is the address before /chat/completions, such as https://api.openai.com/v1"
            ))
        };
        let Ok(url) = Url::parse(text) else { return wrong("the url is none") };
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return wrong("the url is not one of http or https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "the url holds a user or a password: put the key where key_env or key_file says".into()
            );
        }
        if url.fragment().is_some() {
            return wrong("the url has a fragment");
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        url.set_query(None);
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Further headers of requests. Their values may be secret and are not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let headers = BTreeMap::<String, String>::deserialize(deserializer)?;
        if headers.len() > MAX_HEADERS {
            return Err(D::Error::custom(format!("there may be {MAX_HEADERS} headers at most")));
        }
        for (name, value) in &headers {
            check_header_name(name).map_err(D::Error::custom)?;
            if HeaderValue::from_str(value).is_err() {
                let message =
                    format!("the value of the header {name} holds what no header can: use printable ASCII");
                return Err(D::Error::custom(message));
            }
        }
        Ok(Self(headers))
    }
}

fn check_header_name(name: &str) -> Result<(), String> {
    let ours = ["host", "content-length", "content-type", "connection", "transfer-encoding", "accept"];
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(known) if ours.contains(&known.as_str()) => {
            Err(format!("the header {name} is set by CodeMentor itself: leave it out"))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{name:?} is no name of a header: use letters, digits and -")),
    }
}

impl FromStr for Money {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 9) || !digits(part, 6) {
            return Err(format!(
                "{text:?} is no amount of US dollars: write it as text with up to six digits after the point, such as \"0.50\""
            ));
        }
        let number = |text: &str| text.bytes().fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0'));
        let scale = 10_u64.pow(6 - part.len() as u32);
        Ok(Self { micro: number(whole) * 1_000_000 + number(part) * scale })
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Money;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of US dollars as text, such as \"0.50\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Money, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Money, E> {
                number.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

/// The keys of `[feedback]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FeedbackFile {
    policy: Option<FeedbackPolicy>,
    answer_in: Option<AnswerLanguage>,
    hold: Option<bool>,
    comment: Option<bool>,
    steps: Option<Within<1, 10>>,
    rounds: Option<Within<1, 3>>,
    checks: Option<Within<0, 10_000>>,
    timeout: Option<Within<5, 600>>,
    user_tokens: Option<Within<0, 1_000_000_000_000>>,
    server_tokens: Option<Within<0, 1_000_000_000_000>>,
    user_cost: Option<Money>,
    server_cost: Option<Money>,
    endpoint: Vec<Endpoint>,
}

/// What flags and the environment say.
#[derive(Debug, Default)]
pub(crate) struct FeedbackFlags {
    pub(crate) url: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) policy: Option<FeedbackPolicy>,
    pub(crate) answer_in: Option<AnswerLanguage>,
}

impl FeedbackSettings {
    /// Merges flags and environment with the file and the defaults. `folder` is the configuration file's. An error
    /// says what is wrong and what to do.
    pub(crate) fn merge(flags: FeedbackFlags, file: FeedbackFile, folder: &Path) -> Result<Self, String> {
        let flagged = match (flags.url, flags.model) {
            (Some(url), Some(model)) => Some(Endpoint::flagged(&url, model)?),
            (None, None) => None,
            (Some(_), None) => {
                return Err(format!(
                    "feedback_url needs a model too: pass --feedback-model, or set {}",
                    "CODEMENTOR_FEEDBACK_MODEL"
                ));
            }
            (None, Some(_)) => {
                return Err(format!(
                    "feedback_model needs an endpoint too: pass --feedback-url, or set {}",
                    "CODEMENTOR_FEEDBACK_URL"
                ));
            }
        };
        let by_flag = flagged.is_some();
        let mut endpoints = flagged.map_or(file.endpoint, |endpoint| vec![endpoint]);
        for endpoint in &mut endpoints {
            if let Some(KeySource::File(path)) = &mut endpoint.key {
                *path = folder.join(&*path);
            }
        }
        let settings = Self {
            policy: flags.policy.or(file.policy).unwrap_or_default(),
            answer_in: flags.answer_in.or(file.answer_in),
            hold: file.hold.unwrap_or(true),
            comment: file.comment.unwrap_or(false),
            steps: file.steps.map_or(3, |Within(steps)| steps as u32),
            rounds: file.rounds.map_or(3, |Within(rounds)| rounds as u32),
            checks: file.checks.map_or(20, |Within(checks)| checks as u32),
            timeout: Duration::from_secs(file.timeout.map_or(90, |Within(seconds)| seconds)),
            user_tokens: file.user_tokens.map(|Within(tokens)| tokens),
            server_tokens: file.server_tokens.map(|Within(tokens)| tokens),
            user_cost: file.user_cost,
            server_cost: file.server_cost,
            endpoints,
            by_flag,
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        if self.endpoints.len() > MAX_ENDPOINTS {
            return Err(format!(
                "there are {} endpoints: at most {MAX_ENDPOINTS} are asked",
                self.endpoints.len()
            ));
        }
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let name = &endpoint.name;
            if self.endpoints[..index].iter().any(|other| other.name == *name) {
                return Err(format!(
                    "two endpoints are named {name:?}: give each [[feedback.endpoint]] its own name"
                ));
            }
            let limited = [("user_cost", self.user_cost), ("server_cost", self.server_cost)];
            let limited = limited.iter().find(|(_, cost)| cost.is_some());
            if let (Some((limit, _)), None) = (limited, endpoint.price) {
                return Err(format!(
                    "{limit} needs the prices of the endpoint {name:?}: set its input_price and output_price, \"0\" \
                     where it costs nothing"
                ));
            }
        }
        Ok(())
    }
}

impl Endpoint {
    /// The most that an answer may be, where nothing else is set: room for a whole program and what is said of it.
    pub(crate) const MAX_TOKENS: u32 = 4096;
    const PATIENCE: Duration = Duration::from_secs(30);

    fn flagged(url: &str, model: String) -> Result<Self, String> {
        if !is_model(&model) {
            return Err("feedback_model is empty: name a model that the endpoint offers".into());
        }
        let key = std::env::var_os(DEFAULT_KEY_ENV).is_some_and(|key| !key.is_empty());
        Ok(Self {
            key: key.then(|| KeySource::Env(DEFAULT_KEY_ENV.into())),
            ..Self::new(DEFAULT_NAME, url.parse().map_err(|error| format!("feedback_url: {error}"))?, model)
        })
    }

    /// An endpoint without a key, with everything else as it is by default.
    pub(crate) fn new(name: &str, url: BaseUrl, model: String) -> Self {
        Self {
            name: name.into(),
            url,
            model,
            key: None,
            key_header: None,
            headers: Headers::default(),
            price: None,
            max_tokens: Self::MAX_TOKENS,
            patience: Self::PATIENCE,
            body: serde_json::Map::new(),
        }
    }
}

fn is_model(name: &str) -> bool {
    (1..=256).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// The keys of `[[feedback.endpoint]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointFile {
    name: Option<String>,
    url: BaseUrl,
    model: String,
    key_env: Option<String>,
    key_file: Option<PathBuf>,
    key_header: Option<String>,
    #[serde(default)]
    headers: Headers,
    input_price: Option<Money>,
    output_price: Option<Money>,
    max_tokens: Option<Within<1, 1_000_000>>,
    patience: Option<Within<1, 600>>,
    #[serde(default)]
    body: serde_json::Map<String, serde_json::Value>,
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        EndpointFile::deserialize(deserializer)?.check().map_err(D::Error::custom)
    }
}

impl EndpointFile {
    fn check(self) -> Result<Endpoint, String> {
        let name = self.name.unwrap_or_else(|| self.url.host().to_owned());
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
            return Err(format!("{name:?} is no name of an endpoint: use up to 64 letters, digits, - and _"));
        }
        let wrong = |what: &str| Err(format!("the endpoint {name:?} {what}"));
        if !is_model(&self.model) {
            return wrong("has a model without a name: set model to one that it offers");
        }
        let key = match (self.key_env, self.key_file) {
            (Some(_), Some(_)) => return wrong("has both key_env and key_file: leave one of them out"),
            (Some(variable), None) if variable.is_empty() || variable.contains(['=', '\0']) => {
                return wrong("has a key_env that is no name of a variable: name the variable, not the key");
            }
            (Some(variable), None) => Some(KeySource::Env(variable)),
            (None, path) => path.map(KeySource::File),
        };
        if let Some(header) = &self.key_header {
            check_header_name(header)?;
        }
        let key_header = self.key_header.as_deref().unwrap_or("authorization");
        if key.is_some() && self.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(key_header)) {
            return wrong("has a key and a header of its own for the key: leave one of them out");
        }
        let price = match (self.input_price, self.output_price) {
            (Some(input), Some(output)) => Some(Price { input, output }),
            (None, None) => None,
            _ => return wrong("has one price: set both input_price and output_price"),
        };
        let ours = [
            ("model", "model"),
            ("messages", "nothing"),
            ("stream", "nothing"),
            ("stream_options", "nothing"),
            ("n", "nothing"),
            ("tools", "nothing"),
            ("max_tokens", "max_tokens"),
            ("max_completion_tokens", "max_tokens"),
        ];
        if let Some((field, key)) = ours.iter().find(|(field, _)| self.body.contains_key(*field)) {
            return wrong(&match *key {
                "nothing" => format!("sets {field} in its body, which CodeMentor does itself: leave it out"),
                key => format!("sets {field} in its body: set {key} of the endpoint instead"),
            });
        }
        Ok(Endpoint {
            key,
            key_header: self.key_header,
            headers: self.headers,
            price,
            max_tokens: self.max_tokens.map_or(Endpoint::MAX_TOKENS, |Within(tokens)| tokens as u32),
            patience: self
                .patience
                .map_or(Endpoint::PATIENCE, |Within(seconds)| Duration::from_secs(seconds)),
            body: self.body,
            ..Endpoint::new(&name, self.url, self.model)
        })
    }
}

/// A whole number within bounds. It is checked while the file is read, so that an error knows its line.
#[derive(Debug, Clone, Copy)]
struct Within<const LOW: u64, const HIGH: u64>(u64);

impl<'de, const LOW: u64, const HIGH: u64> Deserialize<'de> for Within<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u64::try_from(number) {
            Ok(value) if (LOW..=HIGH).contains(&value) => Ok(Self(value)),
            _ => Err(D::Error::custom(format!("it is {number}: it may be {LOW} to {HIGH}"))),
        }
    }
}

#[cfg(test)]
mod tests;
