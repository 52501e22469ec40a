//! `codementord nats-config`: what a NATS server that somebody else runs needs to serve this installation.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::auth::{ANONYMOUS_SINCE, Creds, CredsError, Keys, KeysError, MintError, Place, Role};
use super::server::{OLDEST, PINNED};
use crate::files::write_private;

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A credential cannot be signed.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// A credential cannot be written.
    #[error(transparent)]
    Creds(#[from] CredsError),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What was exported.
#[derive(Debug)]
pub struct Exported {
    /// What the server's configuration includes.
    pub config: PathBuf,
    /// The daemon's credential, a secret.
    pub daemon: PathBuf,
    /// The credential that may only enrol, for servers that let in nobody without one.
    pub enrol: PathBuf,
}

/// Writes them into `out`. `resolver` is a folder that the server may write, where it keeps accounts; `place` says where
/// the server is, where that is known.
pub fn export(
    keys: &Keys,
    daemon: &str,
    out: &Path,
    resolver: &Path,
    place: &Place,
) -> Result<Exported, ExportError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError::File { path, source }
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(out).map_err(file(out))?;
    let exported = Exported {
        config: out.join("codementor.conf"),
        daemon: out.join("daemon.creds"),
        enrol: out.join("enrol.creds"),
    };
    let text = format!(
        "# For the configuration of a NATS server, {OLDEST} or newer, best {PINNED}:\n\
         #\n\
         #     include \"codementor.conf\"\n\
         #\n\
         # Beside it the server needs JetStream, which writes what it confirms and may store at least 18 GiB, and\n\
         # encryption where others reach it:\n\
         #\n\
         #     jetstream {{ store_dir: \"/var/lib/nats\", max_file_store: 32GB, sync_interval: always }}\n\
         #     tls {{ cert_file: \"cert.pem\", key_file: \"key.pem\" }}\n\
         #\n\
         # Nothing in this file is a secret. Whoever has the folder of keys of the daemon can sign users of this server.\n\n\
         {}\n\
         # Lets in whoever has no credential yet, to join by a code and for nothing else. Servers before {ANONYMOUS_SINCE}\n\
         # do not know it: remove the line there, and give newcomers the file enrol.creds (codementor join --creds).\n\
         {}",
        keys.server_config(resolver),
        keys.anonymous_config()?,
    );
    write_private(&exported.config, text.as_bytes()).map_err(file(&exported.config))?;
    let write =
        |path: &Path, creds: Creds| write_private(path, creds.text_for(place).as_bytes()).map_err(file(path));
    write(&exported.daemon, keys.issue(Role::Daemon, daemon, None)?)?;
    write(&exported.enrol, keys.enrol_creds()?)?;
    Ok(exported)
}
