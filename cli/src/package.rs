//! Sends a problem package to the daemon and has it installed.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use codementor_problems::pack::{self, GenerateError, PackError};
use codementor_problems::slug;
use codementor_protocol::{
    IdError, Install, InstallPackage, PACKAGE_PIECE, PackageHash, ProblemSummary, PutPackage, Refusal,
    RefusalCode, Replaces, Slug,
};
use codementor_runners::Languages;
use codementord::settings::Settings;
use serde::{Deserialize, Serialize};

use crate::error::{CliError, ExitStatus};
use crate::foreign;
use crate::generate::Workshop;
use crate::progress::Progress;
use crate::render::words;
use crate::session::Session;

/// How long the first pause is while a package is being calibrated; each is longer than the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a package cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It cannot be packed.
    #[error("{}", told(path, source))]
    Unusable {
        /// The package as it was named.
        path: PathBuf,
        /// What is wrong, a line for each defect.
        source: PackError,
    },
    /// Its name cannot be a problem's.
    #[error("{}", foreign::id(.0))]
    BadName(#[from] IdError),
    /// A server judges by what was installed under a name, for all in the same way.
    #[error("{}", t!("{path}: a server that others use judges its own problems only", path = path.display()))]
    OnServer {
        /// The package as it was named.
        path: PathBuf,
    },
    /// Two packages would be one problem.
    #[error("{}", t!(
        "'{slug}' is the name of {other} too, which was pushed just now",
        slug, other = other.display()
    ))]
    Twice {
        /// The name.
        slug: Slug,
        /// The other package.
        other: PathBuf,
    },
    /// The packed package cannot be kept or read again.
    #[error("{}", t!("cannot use the cache {path}: {source}", path = path.display(), source))]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Each defect says where it is in the package; the package itself is named before them.
fn told(path: &Path, error: &PackError) -> String {
    let (path, text) = (path.display().to_string(), error.to_string());
    foreign::package(match text.lines().count() {
        0 | 1 if text.starts_with(&format!("{path}:")) => text,
        0 | 1 => format!("{path}: {text}"),
        _ => text.lines().fold(format!("{path}:"), |told, line| format!("{told}\n  {line}")),
    })
}

impl PackageError {
    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Unusable {
                source: PackError::Generate { source: GenerateError::Fault(_), .. }, ..
            } => ExitStatus::Unreachable,
            Self::Unusable { source: PackError::Write(_), .. } => ExitStatus::OurFault,
            Self::Unusable { .. } | Self::BadName(_) | Self::Twice { .. } => ExitStatus::Usage,
            Self::OnServer { .. } => ExitStatus::Refused,
            Self::Cache { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                ExitStatus::Later
            }
            Self::Cache { .. } => ExitStatus::OurFault,
        }
    }

    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unusable {
                source: PackError::Generate { source: GenerateError::Fault(_), .. }, ..
            } => Some(
                t!("generators run in a container; is that possible here? codementor runners build python3")
                    .into(),
            ),
            // Each defect says what to do.
            Self::Unusable { .. } => None,
            Self::BadName(_) | Self::Twice { .. } => Some(t!("rename the package's folder or zip").into()),
            Self::OnServer { .. } => Some(
                t!("submit to the problem by its name; --context private judges a package on this machine; \
                    an instructor installs it: codementor problem push")
                .into(),
            ),
            Self::Cache { .. } => Some(t!("choose another folder with --cache-dir DIR").into()),
        }
    }
}

/// A packed package, ready to be sent.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Its name in commands.
    pub slug: Slug,
    /// What names its content.
    pub hash: PackageHash,
    /// What is odd about it, as its author left it.
    pub warnings: Vec<String>,
    /// The archive.
    file: PathBuf,
    size: u64,
}

/// What is kept beside a packed archive.
#[derive(Serialize, Deserialize)]
struct Label {
    slug: Slug,
    hash: PackageHash,
    warnings: Vec<String>,
}

/// Packs a folder or a zip; what has been packed before, and has not changed since, is taken from the cache.
pub async fn pack(
    settings: &Settings,
    progress: &Progress,
    languages: &Languages,
    source: &Path,
) -> Result<Parcel, CliError> {
    // As a person would type it from here.
    let here = std::env::current_dir().unwrap_or_default();
    let shown = source.strip_prefix(&here).ok().filter(|path| *path != Path::new("")).unwrap_or(source);
    let unusable = |error| PackageError::Unusable { path: shown.into(), source: error };
    let hash = pack::source_hash(source).map_err(unusable)?;
    // The problem's name comes from the folder's or the zip's, which is not part of the content.
    let name = source.canonicalize().ok().and_then(|path| path.file_stem().map(|stem| stem.to_owned()));
    let name = slug::from_name(&name.unwrap_or_default().to_string_lossy());
    let folder = settings.paths.cache.join("packages");
    let stem = format!("{hash}-{name}");
    let (archive, label) = (folder.join(format!("{stem}.zip")), folder.join(format!("{stem}.json")));
    if let Some(parcel) = kept(&archive, &label) {
        return Ok(parcel);
    }
    progress.step(&t!("{name}: packing", name));
    let mut workshop = Workshop::new(
        settings.clone(),
        languages.clone(),
        progress.redraws(),
        tokio::runtime::Handle::current(),
    );
    let path = source.to_path_buf();
    // Packing is long work on one thread, and its generators wait for containers that this thread drives.
    let packing = tokio::task::spawn_blocking(move || {
        let packed = pack::pack(&path, &mut workshop);
        workshop.close();
        packed
    });
    let packed = match packing.await {
        Ok(packed) => packed.map_err(unusable)?,
        Err(error) => return Err(unusable(PackError::Write(error.to_string())).into()),
    };
    progress.clear();
    let content = Label {
        slug: Slug::new(packed.package.slug).map_err(PackageError::BadName)?,
        hash: PackageHash::new(packed.hash).map_err(PackageError::BadName)?,
        warnings: packed.warnings.iter().map(ToString::to_string).collect(),
    };
    let unkept = |path: &Path| {
        let path = path.to_path_buf();
        move |source| PackageError::Cache { path, source }
    };
    std::fs::create_dir_all(&folder).map_err(unkept(&folder))?;
    // The label comes last: with it, the archive is whole.
    write_whole(&archive, &packed.bytes).map_err(unkept(&archive))?;
    let text = serde_json::to_vec(&content).map_err(std::io::Error::from).map_err(unkept(&label))?;
    write_whole(&label, &text).map_err(unkept(&label))?;
    Ok(kept(&archive, &label)
        .ok_or_else(|| unkept(&archive)(std::io::Error::other(t!("it has just been emptied"))))?)
}

fn kept(archive: &Path, label: &Path) -> Option<Parcel> {
    let Label { slug, hash, warnings } = serde_json::from_slice(&std::fs::read(label).ok()?).ok()?;
    let size = archive.metadata().ok()?.len();
    Some(Parcel { slug, hash, warnings, file: archive.into(), size })
}

/// Writes a file whole or not at all, also where two commands do it at once.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&fresh, bytes)?;
    std::fs::rename(fresh, path)
}

/// What an installation came to.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The problem as it is now.
    pub problem: ProblemSummary,
    /// What is odd about the package.
    pub warnings: Vec<String>,
    /// Whether this very version was there before.
    pub unchanged: bool,
}

/// Sends what the daemon does not have of a package, and waits until it is installed.
pub async fn install(
    session: &mut Session<'_>,
    parcel: &Parcel,
    by_content: bool,
) -> Result<Installed, CliError> {
    send(session, parcel).await?;
    settle(session, parcel, by_content, None).await
}

/// Has a package that was sent installed, and waits for it.
pub async fn settle(
    session: &mut Session<'_>,
    parcel: &Parcel,
    by_content: bool,
    replaces: Option<Replaces>,
) -> Result<Installed, CliError> {
    let request =
        InstallPackage { package: parcel.hash.clone(), slug: parcel.slug.clone(), by_content, replaces };
    let mut pause = FIRST_PAUSE;
    let mut calibrated = false;
    loop {
        match session.request(&request).await? {
            Install::Installed { problem, mut warnings, unchanged } => {
                session.progress().clear();
                // What does not belong to the format was not sent, so that only this side knows of it.
                warnings.retain(|warning| !parcel.warnings.contains(warning));
                warnings.splice(0..0, parcel.warnings.iter().cloned());
                // The request that began the calibration installed it; this one only found it done.
                return Ok(Installed { problem, warnings, unchanged: unchanged && !calibrated });
            }
            Install::Calibrating { done, total } => {
                calibrated = true;
                let text =
                    t!("{slug}: setting the time limit from its accepted submissions", slug = parcel.slug);
                session.progress().amount(&text, done.into(), total.into(), false);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Sends what the daemon does not have of a package.
pub async fn send(session: &mut Session<'_>, parcel: &Parcel) -> Result<(), CliError> {
    let request = |offset: u64, piece: Vec<u8>| PutPackage {
        package: parcel.hash.clone(),
        size: parcel.size,
        offset,
        piece,
    };
    // An empty piece asks how much is there: all of it, usually.
    let mut received = session.request(&request(0, Vec::new())).await?;
    while !received.complete && received.next < parcel.size {
        let before = received.next;
        if parcel.size > PACKAGE_PIECE as u64 {
            let text = t!("{slug}: sending {size}", slug = parcel.slug, size = words::size(parcel.size));
            session.progress().amount(&text, before, parcel.size, true);
        }
        let piece = read_piece(&parcel.file, before)
            .map_err(|source| PackageError::Cache { path: parcel.file.clone(), source })?;
        received = session.request(&request(before, piece)).await?;
        if !received.complete && received.next == before {
            // Nothing would ever change: the daemon and the archive do not agree on what is to be sent.
            let package = parcel.hash.short();
            let message =
                t!("the daemon takes no more of package {package} after {before} bytes", package, before);
            return Err(CliError::Known(Refusal::new(RefusalCode::Internal, message)));
        }
    }
    Ok(())
}

fn read_piece(file: &Path, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(file)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut piece = Vec::new();
    file.take(PACKAGE_PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}
