//! What went wrong on our side. A fault is never a verdict and never costs an attempt.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A failure of ours while a submission was being judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// What kind of failure it was.
    pub code: FaultCode,
    /// What happened, for the person who runs the judge.
    pub message: String,
}

impl Fault {
    /// A fault of the given kind.
    pub fn new(code: FaultCode, message: impl fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }
}

/// The kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// The container engine cannot be reached or refused what we asked for.
    Engine,
    /// A language's image could not be made ready.
    Image,
    /// A container or the agent in it died or broke the protocol.
    Sandbox,
    /// The problem package is missing or cannot be judged.
    Package,
    /// The job was delivered as often as is allowed and no judge finished it.
    Lost,
    /// The disk of the judge or the daemon is full.
    DiskFull,
    /// Anything else; always a bug.
    Internal,
}

impl FaultCode {
    /// Whether trying again elsewhere can help.
    pub fn retryable(self) -> bool {
        match self {
            Self::Engine | Self::Sandbox | Self::Lost | Self::DiskFull | Self::Internal => true,
            Self::Image | Self::Package => false,
        }
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "engine",
            Self::Image => "image",
            Self::Sandbox => "sandbox",
            Self::Package => "package",
            Self::Lost => "lost",
            Self::DiskFull => "disk full",
            Self::Internal => "internal",
        })
    }
}
