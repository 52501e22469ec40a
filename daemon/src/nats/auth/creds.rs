//! Credential files in the form that every NATS client reads: the user's JWT, and the seed of its key.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nkeys::{KeyPair, KeyPairType};

use super::jwt;
use crate::nats::tls::Trust;

/// Longer than any credential, so that a wrong file is not read whole.
const MAX_CREDS: u64 = 64 * 1024;

/// A user's JWT and the seed of its key. The seed is the secret: it never leaves the machine that made it.
#[derive(Clone, PartialEq, Eq)]
pub struct Creds {
    /// Who the user is, signed.
    pub jwt: String,
    /// The secret half of the user's key.
    pub seed: String,
}

/// Where a server is, and what it is trusted by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its URL.
    pub server: Option<String>,
    /// What its certificate is looked at with.
    pub trust: Trust,
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredsError {
    /// The file cannot be read or written.
    #[error("the credentials file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is readable, and is no credentials file.
    #[error("{what} is not a NATS credentials file: {reason}")]
    Malformed {
        /// The file, or the text that was given.
        what: String,
        /// What is missing or wrong.
        reason: &'static str,
    },
}

impl Creds {
    /// A fresh key for a user: the seed, to be kept, and the public half, to be signed.
    pub fn new_key() -> Result<(String, String), nkeys::error::Error> {
        let key = KeyPair::new_user();
        Ok((key.seed()?, key.public_key()))
    }

    /// Reads a credentials file.
    pub fn read(path: &Path) -> Result<Self, CredsError> {
        let file = |source| CredsError::File { path: path.into(), source };
        if std::fs::metadata(path).map_err(file)?.len() > MAX_CREDS {
            return Err(CredsError::Malformed {
                what: path.display().to_string(),
                reason: "it is too large",
            });
        }
        let text = std::fs::read_to_string(path).map_err(file)?;
        Self::parse(&text)
            .map_err(|reason| CredsError::Malformed { what: path.display().to_string(), reason })
    }

    /// Where the server of a credentials file is, and what it is trusted by, where the file says so.
    pub fn read_place(path: &Path) -> Result<Place, CredsError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| CredsError::File { path: path.into(), source })?;
        let begin = text.find("-----BEGIN CERTIFICATE-----");
        Ok(Place {
            server: block(&text, "CODEMENTOR SERVER"),
            trust: begin.map_or(Trust::System, |begin| Trust::Certificates(text[begin..].to_owned())),
        })
    }

    /// The text of a credentials file that also says where its server is.
    pub fn text_for(&self, place: &Place) -> String {
        let mut text = String::new();
        if let Some(server) = &place.server {
            text.push_str(&format!(
                "-----BEGIN CODEMENTOR SERVER-----\n{server}\n------END CODEMENTOR SERVER------\n\n"
            ));
        }
        text.push_str(&self.to_string());
        if let Trust::Certificates(certificates) = &place.trust {
            text.push('\n');
            text.push_str(certificates);
        }
        text
    }

    /// Writes a credentials file that only its owner can read. A crash leaves the old file or the new one.
    pub fn write(&self, path: &Path) -> Result<(), CredsError> {
        write_private(path, self.to_string().as_bytes())
            .map_err(|source| CredsError::File { path: path.into(), source })
    }

    /// The public half of the user's key; `None` when the seed is no user's seed.
    pub fn public_key(&self) -> Option<String> {
        KeyPair::from_seed(&self.seed).ok().map(|key| key.public_key())
    }

    /// The name that the JWT gives the user.
    pub fn user_name(&self) -> Option<String> {
        Some(jwt::read(&self.jwt)?.get("name")?.as_str()?.to_owned())
    }

    /// When the JWT expires, in seconds of Unix time.
    pub fn expires(&self) -> Option<u64> {
        jwt::read(&self.jwt)?.get("exp")?.as_u64()
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let jwt = block(text, "NATS USER JWT").ok_or("it has no block NATS USER JWT")?;
        let seed = block(text, "USER NKEY SEED").ok_or("it has no block USER NKEY SEED")?;
        match KeyPair::from_seed(&seed) {
            Ok(key) if matches!(key.key_pair_type(), KeyPairType::User) => Ok(Self { jwt, seed }),
            _ => Err("its seed is not a user's"),
        }
    }
}

impl FromStr for Creds {
    type Err = CredsError;

    fn from_str(text: &str) -> Result<Self, CredsError> {
        Self::parse(text).map_err(|reason| CredsError::Malformed { what: "the text".into(), reason })
    }
}

impl fmt::Display for Creds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\n\
             The seed below is a secret. Whoever has it can act as this user.\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            self.jwt, self.seed
        )
    }
}

impl fmt::Debug for Creds {
    /// Without the seed, so that a log of anything that holds credentials is harmless.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Creds").field("user", &self.user_name()).finish_non_exhaustive()
    }
}

/// The one line between the markers of a block. Writers differ in how many dashes the markers have.
fn block(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    let marker = |line: &str, word: &str| {
        line.starts_with("---") && line.ends_with("---") && line.trim_matches('-') == format!("{word} {name}")
    };
    lines.by_ref().find(|line| marker(line, "BEGIN"))?;
    let value = lines.find(|line| !line.is_empty())?;
    (!value.starts_with('-')).then(|| value.to_owned())
}

/// Writes a file of mode 0600 under a name of its own and renames it, so that nobody ever reads half of it.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let result = (|| {
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        // The name is in the directory, so the directory is what must reach the disk.
        std::fs::File::open(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?.sync_all()
    })();
    if result.is_err() {
        // What failed is reported; that the leftover stays is not worth a second error.
        let _ = std::fs::remove_file(&new);
    }
    result
}
