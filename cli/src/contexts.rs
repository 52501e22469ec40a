//! Contexts: the servers that one has joined, side by side, each a credentials file with a name. One of them may be
//! the current one; without one, commands go to the private daemon.
//!
//! ```text
//! --context NAME, CODEMENTOR_CONTEXT ─▶ --creds, CODEMENTOR_CREDS ─▶ the current context ─▶ the private daemon
//! ```

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use codementord::files::write_private;
use codementord::settings::Settings;

use crate::client::ClientError;
use crate::credentials::Credentials;
use crate::error::{CliError, ExitStatus};

/// The name that means the private daemon.
pub const PRIVATE: &str = "private";
/// What the files of contexts end with.
const SUFFIX: &str = ".creds";
/// The file that names the current one.
const CURRENT: &str = "current";

/// Why a context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// There is none of this name.
    #[error("{}", t!("there is no context '{name}'", name))]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The name cannot be one.
    #[error("{}", match .0.as_str() {
        PRIVATE => t!("'{private}' is the private daemon: no server can be called so", private = PRIVATE),
        text => t!(
            "'{text}' cannot be the name of a context: it has 1 to 64 letters, digits, dots, dashes and \
             underscores",
            text
        ),
    })]
    BadName(String),
    /// The name is another server's already.
    #[error("{}", t!("the context '{name}' is for another server, {server}", name, server))]
    Taken {
        /// The name.
        name: String,
        /// The server.
        server: String,
    },
    /// Files cannot be used.
    #[error("{}", t!("cannot use {path}: {source}", path = path.display(), source))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Neither the credentials nor anything else names a server.
    #[error("{}", t!("the credentials name no server"))]
    NoServer,
    /// The command is for a server that was joined.
    #[error("{}", t!("there is no server that you have joined: the private daemon is in use"))]
    Private,
}

impl ContextError {
    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Unknown { .. } => ExitStatus::NotFound,
            Self::BadName(_) | Self::Taken { .. } | Self::NoServer | Self::Private => ExitStatus::Usage,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                ExitStatus::Later
            }
            Self::File { .. } => ExitStatus::OurFault,
        }
    }

    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { known, .. } if known.is_empty() => {
                Some(t!("join a server first: codementor join SERVER CODE").into())
            }
            Self::Unknown { known, .. } => {
                Some(t!("there are {known}, and {private}", known = known.join(", "), private = PRIVATE))
            }
            Self::BadName(_) => None,
            Self::Taken { .. } => Some(t!("choose another name with --context NAME").into()),
            Self::File { .. } => Some(t!("is the configuration folder yours to write?").into()),
            Self::NoServer => Some(t!("say where it is with --nats-url URL").into()),
            Self::Private => {
                Some(t!("codementor join SERVER CODE, with what your instructor gave you").into())
            }
        }
    }
}

/// The contexts of one configuration folder.
pub struct Contexts {
    dir: PathBuf,
}

impl Contexts {
    /// Those that belong to these settings.
    pub fn of(settings: &Settings) -> Self {
        let config = settings.paths.config.parent().unwrap_or(Path::new("."));
        Self { dir: config.join("contexts") }
    }

    /// The file of a context.
    pub fn path(&self, name: &str) -> Result<PathBuf, ContextError> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let good = (1..=64).contains(&name.len())
            && name.chars().all(plain)
            && !name.starts_with(['.', '-'])
            && name != PRIVATE;
        if good {
            Ok(self.dir.join(format!("{name}{SUFFIX}")))
        } else {
            Err(ContextError::BadName(name.into()))
        }
    }

    /// The names of all, in order.
    pub fn names(&self) -> Result<Vec<String>, ContextError> {
        let entries = match std::fs::read_dir(&self.dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(self.file(&self.dir))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(self.file(&self.dir))?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            names.extend(name.filter(|name| self.path(name).is_ok()).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// The name of the current one; none means the private daemon.
    pub fn current(&self) -> Option<String> {
        let name = std::fs::read_to_string(self.dir.join(CURRENT)).ok()?;
        Some(name.trim().to_owned()).filter(|name| self.path(name).is_ok_and(|path| path.exists()))
    }

    /// The credentials of a context.
    pub fn read(&self, name: &str) -> Result<Credentials, CliError> {
        let path = self.known(name)?;
        Ok(Credentials::read(&path)?)
    }

    /// Makes a context, or replaces it.
    pub fn write(&self, name: &str, credentials: &Credentials) -> Result<(), ContextError> {
        let path = self.path(name)?;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(self.file(&self.dir))?;
        write_private(&path, credentials.text().as_bytes()).map_err(self.file(&path))
    }

    /// Makes a context the current one; none is the private daemon.
    pub fn select(&self, name: Option<&str>) -> Result<(), ContextError> {
        let path = self.dir.join(CURRENT);
        match name {
            Some(name) => {
                self.known(name)?;
                write_private(&path, format!("{name}\n").as_bytes()).map_err(self.file(&path))
            }
            None => match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.file(&path)(error)),
                _ => Ok(()),
            },
        }
    }

    /// Forgets a context on this machine.
    pub fn remove(&self, name: &str) -> Result<(), ContextError> {
        let path = self.known(name)?;
        if self.current().as_deref() == Some(name) {
            self.select(None)?;
        }
        std::fs::remove_file(&path).map_err(self.file(&path))
    }

    /// The context of a server, if it was joined.
    pub fn of_server(&self, url: &str) -> Result<Option<(String, Credentials)>, ContextError> {
        // A file that is damaged is none: joining again replaces it.
        let read = |name: String| Some((name.clone(), self.read(&name).ok()?));
        Ok(self
            .names()?
            .into_iter()
            .filter_map(read)
            .find(|(_, credentials)| credentials.server.as_deref() == Some(url)))
    }

    /// A name for a server that has none yet: the first word of its host.
    pub fn unused(&self, host: &str) -> Result<String, ContextError> {
        let is_address = host.parse::<std::net::IpAddr>().is_ok() || host.contains(':');
        let word = if is_address { host } else { host.split('.').next().unwrap_or(host) };
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
        let base: String = word.to_ascii_lowercase().chars().map(plain).take(40).collect();
        let base = base.trim_matches(['-', '.']).to_owned();
        let base = if self.path(&base).is_ok() { base } else { "server".into() };
        let mut name = base.clone();
        for number in 2_u32.. {
            if !self.path(&name)?.exists() {
                break;
            }
            name = format!("{base}-{number}");
        }
        Ok(name)
    }

    fn known(&self, name: &str) -> Result<PathBuf, ContextError> {
        let path = self.path(name)?;
        if path.exists() {
            return Ok(path);
        }
        Err(ContextError::Unknown { name: name.into(), known: self.names()? })
    }

    fn file<'a>(&self, path: &'a Path) -> impl Fn(std::io::Error) -> ContextError + use<'a> {
        move |source| ContextError::File { path: path.into(), source }
    }
}

/// Settles which server commands go to, and with which credentials.
pub fn apply(mut settings: Settings, named: Option<&str>) -> Result<Settings, CliError> {
    let contexts = Contexts::of(&settings);
    let context = match named.filter(|name| !name.is_empty()) {
        Some(PRIVATE) => {
            (settings.nats_url, settings.creds) = (None, None);
            return Ok(settings);
        }
        Some(name) => name.to_owned(),
        None if settings.nats_url.is_some() => return Ok(settings),
        None => match &settings.creds {
            Some(creds) => {
                settings.nats_url = Some(Credentials::read(creds)?.server.ok_or(ContextError::NoServer)?);
                return Ok(settings);
            }
            None => match contexts.current() {
                Some(name) => name,
                None => return Ok(settings),
            },
        },
    };
    let credentials = contexts.read(&context)?;
    let path = contexts.path(&context)?;
    let Some(server) = credentials.server else {
        return Err(ClientError::BadCredentials { path, reason: t!("they name no server") }.into());
    };
    (settings.nats_url, settings.creds) = (Some(server), Some(path));
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contexts() -> (tempfile::TempDir, Contexts) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let contexts = Contexts { dir: dir.path().join("contexts") };
        (dir, contexts)
    }

    fn credentials(server: &str) -> Credentials {
        let key = nkeys::KeyPair::new_user();
        let claims = data_encoding::BASE64URL_NOPAD.encode(br#"{"name":"kim"}"#);
        let seed = key.seed().expect("a new key has its seed");
        Credentials::new(&format!("e30.{claims}.c2ln"), &seed, server, None).expect("are right")
    }

    #[test]
    fn servers_stand_side_by_side_and_one_is_current() {
        use std::os::unix::fs::PermissionsExt;
        let (_dir, contexts) = contexts();
        assert_eq!(contexts.names().expect("reads"), [""; 0]);
        for (name, server) in [("judge", "tls://judge.example:4222"), ("other", "tls://other.example:4222")] {
            contexts.write(name, &credentials(server)).expect("is written");
        }
        assert_eq!(contexts.names().expect("reads"), ["judge", "other"]);
        assert_eq!(contexts.current(), None);
        contexts.select(Some("judge")).expect("is chosen");
        assert_eq!(contexts.current().as_deref(), Some("judge"));
        let (name, _) = contexts.of_server("tls://other.example:4222").expect("reads").expect("is there");
        assert_eq!(name, "other");
        let mode =
            std::fs::metadata(contexts.path("judge").expect("a name")).expect("is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        contexts.remove("judge").expect("is removed");
        assert_eq!((contexts.current(), contexts.names().expect("reads").len()), (None, 1));
        assert!(matches!(contexts.select(Some("judge")), Err(ContextError::Unknown { .. })));
    }

    #[test]
    fn a_name_is_made_from_the_host() {
        let (_dir, contexts) = contexts();
        for (host, name) in [
            ("judge.cs.example.edu", "judge"),
            ("192.0.2.7", "192.0.2.7"),
            ("[::1]", "1"),
            ("private.example", "server"),
        ] {
            assert_eq!(contexts.unused(host).expect("a name"), name);
        }
        contexts.write("judge", &credentials("tls://judge.example:4222")).expect("is written");
        assert_eq!(contexts.unused("judge.example.org").expect("a name"), "judge-2");
    }

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        let (_dir, contexts) = contexts();
        for name in ["", "..", "../x", "a/b", ".x", "-x", PRIVATE, "a b"] {
            assert!(matches!(contexts.path(name), Err(ContextError::BadName(_))), "{name}");
        }
    }
}
