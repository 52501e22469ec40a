//! Keys: where they come from, and that nobody sees them.

use std::fmt;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::feedback::settings::KeySource;

/// Longer files are no keys.
const MAX_KEY: u64 = 16 << 10;

/// A key, which neither `{:?}` nor a log shows.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

impl Key {
    /// Reads a key; an error says what to do, and nothing of what was read.
    pub(super) fn read(source: &KeySource) -> Result<Self, String> {
        let text = match source {
            KeySource::Env(name) => match std::env::var(name) {
                Ok(text) => text,
                Err(std::env::VarError::NotPresent) => {
                    return Err(format!(
                        "the key is missing: set {source} for the daemon, and start it again"
                    ));
                }
                Err(std::env::VarError::NotUnicode(_)) => return Err(not_a_key(source)),
            },
            KeySource::File(path) => {
                let text = read_file(path);
                text.map_err(|error| format!("the key cannot be read from {source}: {error}"))?
            }
        };
        Self::parse(&text).ok_or_else(|| not_a_key(source))
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_key = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Self(text.into()))
    }

    /// The key itself, for the header that carries it and for what is kept out of messages.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

fn not_a_key(source: &KeySource) -> String {
    format!("{source} holds no key: a key is one word of printable ASCII")
}

fn read_file(path: &Path) -> std::io::Result<String> {
    let file = std::fs::File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!("others may read the key in {}: chmod 600 it", path.display());
    }
    let mut bytes = Vec::new();
    file.take(MAX_KEY).read_to_end(&mut bytes)?;
    // What is no text is no key either, and is refused as such.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
