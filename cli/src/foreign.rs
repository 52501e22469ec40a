//! Errors of the other crates, which speak English, in the language of this process. Of what is not known there, it says
//! what kind of trouble it is, followed by the words that there are.

use std::fmt::Display;

use codementor_protocol::{IdError, PointsError};
use codementor_runners::language::DetectError;

use crate::locale;

/// Why a language is not known.
pub(crate) fn detect(error: &DetectError) -> String {
    said(error, |error| t!("the language cannot be told: {error}", error))
}

/// Why a text is no name.
pub(crate) fn id(error: &IdError) -> String {
    said(error, |error| t!("this name cannot be used: {error}", error))
}

/// Why a text is no amount of points.
pub(crate) fn points(error: &PointsError) -> String {
    said(error, |error| t!("these points cannot be used: {error}", error))
}

/// Why the settings cannot be used.
pub(crate) fn settings(error: &impl Display) -> String {
    said(error, |error| t!("the settings are wrong: {error}", error))
}

/// Why the languages cannot be loaded.
pub(crate) fn languages(error: &impl Display) -> String {
    said(error, |error| t!("the languages cannot be loaded: {error}", error))
}

/// Why the container engine cannot be used.
pub(crate) fn engine(error: &impl Display) -> String {
    said(error, |error| t!("the container engine cannot be used: {error}", error))
}

/// Why an image cannot be built.
pub(crate) fn image(error: &impl Display) -> String {
    said(error, |error| t!("the language's image cannot be made: {error}", error))
}

/// Why a package cannot be used.
pub(crate) fn package(error: String) -> String {
    said(&error, |error| t!("the problem package cannot be used: {error}", error))
}

/// English words in the language of this process; those that are not known as they are, after what kind of trouble they
/// tell of.
fn said(error: &impl Display, kind: impl FnOnce(String) -> String) -> String {
    let error = error.to_string();
    if !locale::is_korean() {
        return error;
    }
    locale::known(&error).unwrap_or_else(|| kind(error))
}
