//! What is reported while images are made ready, for whoever shows it.

use std::fmt;

use codementor_protocol::LanguageId;

/// Takes reports. It is called from the task that does the work, so it must not block.
pub trait Progress: Send + Sync {
    /// Takes one report.
    fn report(&self, event: ProgressEvent);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn report(&self, _: ProgressEvent) {}
}

impl<F: Fn(ProgressEvent) + Send + Sync> Progress for F {
    fn report(&self, event: ProgressEvent) {
        self(event);
    }
}

/// One step forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgressEvent {
    /// Another process is doing the same work; it is waited for.
    Waiting {
        /// What that process is making.
        what: String,
    },
    /// The base image is being pulled; sizes are in bytes and known only after a while.
    Pull {
        /// The layer, as the engine calls it.
        layer: String,
        /// What is done with it.
        status: String,
        /// How much of it there is.
        current: u64,
        /// How large it is.
        total: u64,
    },
    /// The base image is being made from Debian's packages, since it could not be pulled.
    Bootstrap {
        /// What is being done.
        text: String,
    },
    /// A step of building a language's image begins.
    Step {
        /// The language.
        language: LanguageId,
        /// The step, from 1.
        step: u32,
        /// How many steps there are.
        total: u32,
        /// The step in words.
        text: String,
    },
    /// The step under way printed a line.
    Output {
        /// The language.
        language: LanguageId,
        /// The line.
        line: String,
    },
    /// The image's programs are being copied to where they start faster.
    Copying {
        /// The language.
        language: LanguageId,
    },
    /// A language's image is ready.
    Ready {
        /// The language.
        language: LanguageId,
    },
}

impl fmt::Display for ProgressEvent {
    /// One line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { what } => write!(f, "another command is making {what}"),
            Self::Pull { layer, status, .. } => write!(f, "pulling the base image: {layer} {status}"),
            Self::Bootstrap { text } => write!(f, "making the base image: {text}"),
            Self::Step { language, step, total, text } => {
                write!(f, "making {language} ready ({step}/{total}): {text}")
            }
            Self::Output { language, line } => write!(f, "making {language} ready: {line}"),
            Self::Copying { language } => write!(f, "making {language} ready: copying its programs"),
            Self::Ready { language } => write!(f, "{language} is ready"),
        }
    }
}
