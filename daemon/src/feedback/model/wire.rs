//! What endpoints send, read with as little trust as possible in how well they keep to OpenAI's description: what is
//! absent, null or of another type is taken as absent wherever the text does not depend on it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::TokenUsage;

/// More than any model answers, and few enough to be added up.
const MAX_TOKENS: u64 = 1_000_000_000;

/// A chunk of a stream, or a whole answer that was not streamed.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    object: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    message: Option<String>,
    #[serde(default)]
    code: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default, deserialize_with = "lenient")]
    index: Option<u64>,
    #[serde(default)]
    delta: Option<Said>,
    #[serde(default)]
    message: Option<Said>,
    #[serde(default, deserialize_with = "lenient")]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default, deserialize_with = "lenient")]
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(default, deserialize_with = "lenient")]
    prompt_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    completion_tokens: Option<u64>,
}

fn lenient<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

impl Chunk {
    /// What it adds to the text. Only the first choice counts, since no more were asked for.
    pub(super) fn text(&self) -> String {
        let said = self.first().filter_map(|choice| choice.delta.as_ref().or(choice.message.as_ref()));
        let mut text = String::new();
        for content in said.filter_map(|said| said.content.as_ref()) {
            match content {
                Content::Text(more) => text += more,
                Content::Parts(parts) => {
                    parts.iter().filter_map(|part| part.text.as_ref()).for_each(|more| text += more)
                }
            }
        }
        text
    }

    /// Why the text ended. Some endpoints say "" as long as it goes on.
    pub(super) fn finish_reason(&self) -> Option<&str> {
        self.first().filter_map(|choice| choice.finish_reason.as_deref()).find(|reason| !reason.is_empty())
    }

    /// What was counted; half of it is nothing.
    pub(super) fn usage(&self) -> Option<TokenUsage> {
        let usage = self.usage.as_ref()?;
        let tokens = |count: Option<u64>| count.map(|count| count.min(MAX_TOKENS));
        Some(TokenUsage { input: tokens(usage.prompt_tokens)?, output: tokens(usage.completion_tokens)? })
    }

    /// An error that came in place of text.
    pub(super) fn error(&self) -> Option<Complaint> {
        match &self.error {
            Some(error) if !error.is_null() => Some(Complaint::of(error)),
            _ if self.object.as_deref() == Some("error") => Some(Complaint {
                message: self.message.clone().unwrap_or_default(),
                status: self.code.as_ref().and_then(status),
                code: String::new(),
            }),
            _ => None,
        }
    }

    /// Whether it says anything at all, be it nothing.
    pub(super) fn has_choices(&self) -> bool {
        self.first().next().is_some()
    }

    fn first(&self) -> impl Iterator<Item = &Choice> {
        self.choices.iter().flatten().filter(|choice| choice.index.unwrap_or(0) == 0)
    }
}

/// What an endpoint says of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: String,
    /// The status that it would have had, where it comes in the middle of a stream.
    pub(super) status: Option<u16>,
    /// A word for it.
    pub(super) code: String,
}

impl Complaint {
    /// Reads the body of an error, in any of the forms that are about.
    pub(super) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of_body(&value),
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                // A web page says nothing that a status does not.
                let message =
                    if text.trim_start().starts_with('<') { String::new() } else { text.into_owned() };
                Self { message, ..Self::default() }
            }
        }
    }

    fn of_body(body: &Value) -> Self {
        let body = body.get(0).unwrap_or(body);
        match body.get("error").filter(|error| !error.is_null()) {
            Some(error) => Self::of(error),
            None => Self::of(body),
        }
    }

    /// Reads what is under `error`: a text, or an object.
    pub(super) fn of(error: &Value) -> Self {
        if let Some(text) = error.as_str() {
            return Self { message: text.into(), ..Self::default() };
        }
        let words = ["message", "detail", "msg"];
        let message = words.iter().find_map(|key| error.get(key)).map(|message| match message {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let word = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        Self {
            message: message.unwrap_or_default(),
            status: error.get("code").or_else(|| error.get("status")).and_then(status),
            code: format!("{} {}", word("code"), word("type")).trim().to_owned(),
        }
    }
}

/// A status, as a number or as text.
fn status(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}
