//! What stands in columns: texts, words and JSON of the types of the protocol.

use super::{StoreError, StoreResult};

/// A value as the JSON of a column.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Malformed { what: "value", message: error.to_string() })
}

/// What a column of JSON holds.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Malformed { what, message: error.to_string() })
}

/// The bare word of a unit variant, as it stands in JSON.
pub(crate) fn token<T: serde::Serialize>(value: T) -> StoreResult<String> {
    Ok(json(&value)?.trim_matches('"').to_owned())
}

/// The unit variant that a column names.
pub(crate) fn from_token<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> StoreResult<T> {
    from_json(what, &format!("\"{text}\""))
}

/// What a column of text holds.
pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &'static str,
    text: String,
) -> StoreResult<T> {
    text.parse().map_err(|error: T::Err| StoreError::Malformed { what, message: error.to_string() })
}
