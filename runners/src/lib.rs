//! Launches containers and runs programs in them.
//!
//! [`engine`] connects to Docker. [`language`] says what a language is, and [`image`] turns it into an image, on the
//! [`base`] that all share. [`container`] starts one, locked down, with the agent as its first process. A [`pool`]
//! keeps some warm and lends each as a [`sandbox`] to one submission at a time.

pub mod base;
pub mod container;
pub mod diagnostics;
pub mod engine;
pub mod image;
pub mod language;
mod lock;
pub mod pool;
pub mod progress;
pub mod sandbox;
mod session;

pub use container::{Container, ContainerControl, ContainerOutput, ContainerSpec};
pub use engine::{CgroupVersion, Engine, EngineError, EngineInfo};
pub use image::{Image, ImageError, ImageStatus, Images};
pub use language::{DiagnosticFormat, Language, LanguageLimits, Languages, Program};
pub use lock::LockError;
pub use pool::{Pool, PoolConfig};
pub use progress::{Progress, ProgressEvent, Quiet};
pub use sandbox::{Build, CaseDone, CaseInput, CaseRun, Cases, InputName, Sandbox, Source};
