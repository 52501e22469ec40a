//! Errors of the other crates, which speak English, in the language of this process. What most people meet is said whole;
//! of the rest, what kind of trouble it is, followed by the words that there are.

use std::fmt::Display;

use codementor_protocol::IdError;
use codementor_runners::language::DetectError;

use crate::locale;

/// Why a language is not known.
pub(crate) fn detect(error: &DetectError) -> String {
    if !locale::is_korean() {
        return error.to_string();
    }
    match error {
        DetectError::Unknown { given, near, known } => {
            let mut text =
                t!("unknown language '{given}'; there are {known}", given, known = known.join(", "));
            if !near.is_empty() {
                text.push_str(&t!("; did you mean {near}?", near = near.join(t!(" or "))));
            }
            text
        }
        DetectError::Two { first_file, first, second_file, second } => t!(
            "{first_file} is {first} and {second_file} is {second}: submit one language at a time",
            first_file,
            first,
            second_file,
            second
        ),
        DetectError::Extension { file, known } => t!(
            "{file} is in no language that there is; name the language with -l, or use one of {known}",
            file,
            known = known.join(" ")
        ),
        DetectError::Foreign { file, language, extensions } => t!(
            "{file} cannot be a {language} file: those end in {extensions}",
            file,
            language,
            extensions = extensions.join(" ")
        ),
        DetectError::NoSource => t!("there is no source file among the submitted files").into(),
    }
}

/// Why a text is no name.
pub(crate) fn id(error: &IdError) -> String {
    said(error, |error| t!("this name cannot be used: {error}", error))
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

/// English words as they are, and in another language what kind of trouble they tell of before them.
fn said(error: &impl Display, kind: impl FnOnce(String) -> String) -> String {
    let error = error.to_string();
    if locale::is_korean() { kind(error) } else { error }
}
