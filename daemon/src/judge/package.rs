//! The judge's cache of problem packages.
//!
//! Inputs lie apart from everything else, in one folder that is mounted into every sandbox, each named by its hash:
//! a new package needs no new container. Answers lie in a folder that is mounted nowhere. Both are unpacked when
//! a package is first judged.
//!
//! The folders have a bound. What goes over it is removed after a package was added: first what no package of this
//! process's life has, then the packages that were used the longest ago. One that a job uses is never touched.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_nats::jetstream;
use codementor_problems::compare::Flags;
use codementor_problems::read::{self, Opened};
use codementor_protocol::{Fault, FaultCode, LanguageId, PackageHash, SourceFile, Visibility};
use codementor_runners::{CaseInput, CaseRun, InputName};
use tokio::sync::{Mutex, OnceCell, RwLock};
use tokio::time::timeout;

use crate::registry::package_file;
use bound::{Owner, make_room};

mod bound;

/// How long fetching a package from the daemon may take.
const FETCH_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(300);
/// How many packages stay unpacked in memory, without their cases' data.
const PREPARED: usize = 256;
/// Answers up to this size stay in memory with their package.
const SMALL_ANSWER: u64 = 16 * 1024;

/// Packages by hash.
pub(crate) struct PackageCache {
    jetstream: jetstream::Context,
    /// Where packages lie that this process has anyway.
    installed: Option<PathBuf>,
    directory: PathBuf,
    /// How many bytes the folders may hold.
    bound: u64,
    prepared: Mutex<HashMap<PackageHash, Cached>>,
    /// Held for reading while a package is unpacked, for writing while files are removed.
    unpacking: RwLock<()>,
}

/// A package that was asked for.
#[derive(Default)]
struct Cached {
    cell: Arc<OnceCell<Arc<Prepared>>>,
    /// Grows with each use of any.
    used: u64,
}

impl Cached {
    /// Whether a job has it, or waits for it. Whoever holds the lock of the map holds off new ones.
    fn in_use(&self) -> bool {
        let held = self.cell.get().is_some_and(|prepared| Arc::strong_count(prepared) > 1);
        held || Arc::strong_count(&self.cell) > 1
    }
}

/// A package, ready to be judged by.
pub(crate) struct Prepared {
    pub(super) cases: Vec<PreparedCase>,
    include: HashMap<String, Vec<SourceFile>>,
    answers: PathBuf,
    /// The files in the folders of inputs and of answers that it needs.
    files: Vec<PathBuf>,
}

/// One case, ready to be run.
pub(super) struct PreparedCase {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) visibility: Visibility,
    pub(super) flags: Flags,
    input: InputName,
    answer: Answer,
    args: Vec<String>,
    files: Vec<(String, InputName)>,
}

enum Answer {
    Small(Arc<[u8]>),
    /// A name in the folder of answers.
    Stored(String),
}

impl PackageCache {
    /// A cache in `directory`. `installed` is where the daemon in this process, if there is one, keeps packages.
    pub(crate) fn open(
        jetstream: jetstream::Context,
        directory: PathBuf,
        installed: Option<PathBuf>,
        bound: u64,
    ) -> io::Result<Self> {
        for folder in [inputs(&directory), answers(&directory), packages(&directory)] {
            std::fs::create_dir_all(&folder)?;
        }
        let (prepared, unpacking) = (Mutex::default(), RwLock::default());
        Ok(Self { jetstream, installed, directory, bound, prepared, unpacking })
    }

    /// A package by its hash, fetched and unpacked if need be.
    pub(crate) async fn get(&self, hash: &PackageHash) -> Result<Arc<Prepared>, Fault> {
        let cell = {
            let mut prepared = self.prepared.lock().await;
            if prepared.len() >= PREPARED && !prepared.contains_key(hash) {
                // The others are cheap to read again.
                prepared.retain(|_, cached| cached.in_use());
            }
            let now = prepared.values().map(|cached| cached.used).max().unwrap_or(0) + 1;
            let cached = prepared.entry(hash.clone()).or_default();
            cached.used = now;
            cached.cell.clone()
        };
        if let Some(prepared) = cell.get() {
            return Ok(prepared.clone());
        }
        let prepared = {
            let _unpacking = self.unpacking.read().await;
            cell.get_or_try_init(|| self.load(hash)).await.cloned()?
        };
        drop(cell);
        self.trim().await;
        Ok(prepared)
    }

    /// Removes what is over the bound.
    async fn trim(&self) {
        let _alone = self.unpacking.write().await;
        let mut prepared = self.prepared.lock().await;
        let owners = prepared.iter().map(|(hash, cached)| {
            let package = package_file(&packages(&self.directory), hash);
            let files = cached.cell.get().map_or(&[][..], |prepared| &prepared.files).to_vec();
            let in_use = cached.in_use();
            Owner { id: hash.clone(), files: [files, vec![package]].concat(), used: cached.used, in_use }
        });
        let owners: Vec<Owner<PackageHash>> = owners.collect();
        let folders = [inputs(&self.directory), answers(&self.directory), packages(&self.directory)];
        let bound = self.bound;
        match tokio::task::spawn_blocking(move || make_room(&folders, bound, owners)).await {
            Ok(Ok(removed)) => {
                removed.iter().for_each(|hash| drop(prepared.remove(hash)));
            }
            Ok(Err(error)) => tracing::warn!(%error, "the judge's cache of packages cannot be tidied up"),
            Err(error) => tracing::error!(%error, "tidying up the judge's cache of packages broke"),
        }
    }

    async fn load(&self, hash: &PackageHash) -> Result<Arc<Prepared>, Fault> {
        let file = self.file(hash).await?;
        let directory = self.directory.clone();
        let prepare = move || prepare(&file, &directory);
        let prepared =
            tokio::task::spawn_blocking(prepare).await.map_err(|e| Fault::new(FaultCode::Internal, e))??;
        Ok(Arc::new(prepared))
    }

    /// Where the package lies on this host.
    async fn file(&self, hash: &PackageHash) -> Result<PathBuf, Fault> {
        let here = self.installed.iter().map(|folder| package_file(folder, hash)).find(|file| file.exists());
        if let Some(file) = here {
            return Ok(file);
        }
        let file = package_file(&packages(&self.directory), hash);
        if file.exists() {
            return Ok(file);
        }
        let temporary = file.with_extension(format!("{}.part", std::process::id()));
        timeout(FETCH_TIMEOUT, self.fetch(hash, &temporary))
            .await
            .map_err(|_| Fault::new(FaultCode::Sandbox, "the package did not arrive in time"))??;
        std::fs::rename(&temporary, &file).map_err(|error| disk(&error))?;
        Ok(file)
    }

    async fn fetch(&self, hash: &PackageHash, target: &Path) -> Result<(), Fault> {
        tracing::info!(package = hash.short(), "fetching a package");
        // Whether NATS is away or the package is gone, another try can help: the daemon's database knows the package.
        let unavailable = |error: &dyn std::fmt::Display| {
            Fault::new(FaultCode::Lost, format!("package {} cannot be fetched: {error}", hash.short()))
        };
        let bucket =
            crate::nats::streams::packages_bucket(&self.jetstream).await.map_err(|e| unavailable(&e))?;
        let mut object = bucket.get(hash.as_str()).await.map_err(|error| unavailable(&error))?;
        let mut file = tokio::fs::File::create(target).await.map_err(|error| disk(&error))?;
        tokio::io::copy(&mut object, &mut file).await.map_err(|error| unavailable(&error))?;
        file.sync_all().await.map_err(|error| disk(&error))
    }
}

impl Prepared {
    /// The files that the package adds to a program in this language.
    pub(super) fn include_for(&self, language: &LanguageId) -> &[SourceFile] {
        self.include.get(language.as_str()).or_else(|| self.include.get("default")).map_or(&[], Vec::as_slice)
    }

    /// The expected answer of a case.
    pub(super) async fn answer(&self, case: &PreparedCase) -> Result<Arc<[u8]>, Fault> {
        match &case.answer {
            Answer::Small(answer) => Ok(answer.clone()),
            Answer::Stored(name) => {
                let bytes = tokio::fs::read(self.answers.join(name)).await.map_err(|error| disk(&error))?;
                Ok(bytes.into())
            }
        }
    }
}

impl PreparedCase {
    /// What a sandbox is given of this case.
    pub(super) fn run(&self) -> CaseRun {
        CaseRun {
            stdin: CaseInput::Input(self.input.clone()),
            args: self.args.clone(),
            files: self.files.clone(),
        }
    }
}

/// The folder that is mounted into every sandbox.
pub(crate) fn inputs(directory: &Path) -> PathBuf {
    directory.join("inputs")
}

fn answers(directory: &Path) -> PathBuf {
    directory.join("answers")
}

fn packages(directory: &Path) -> PathBuf {
    directory.join("packages")
}

fn prepare(file: &Path, directory: &Path) -> Result<Prepared, Fault> {
    let broken = |error: &dyn std::fmt::Display| Fault::new(FaultCode::Package, error);
    let Opened { package, files, .. } = read::open(file).map_err(|defects| {
        Fault::new(FaultCode::Package, defects.first().map_or(String::new(), ToString::to_string))
    })?;
    let (inputs, answers) = (inputs(directory), answers(directory));
    let stored = std::cell::RefCell::new(Vec::new());
    let input = |name: &str| {
        let hash = files.store(name, &inputs).map_err(|error| broken(&error))?;
        stored.borrow_mut().push(inputs.join(&hash));
        InputName::from_hex(&hash).ok_or_else(|| broken(&"a hash is none"))
    };
    let mut cases = Vec::with_capacity(package.cases.len());
    for (index, case) in (1..).zip(&package.cases) {
        let answer = if case.answer.size <= SMALL_ANSWER {
            Answer::Small(files.read(&case.answer.name).map_err(|error| broken(&error))?.into())
        } else {
            let hash = files.store(&case.answer.name, &answers).map_err(|error| broken(&error))?;
            stored.borrow_mut().push(answers.join(&hash));
            Answer::Stored(hash)
        };
        cases.push(PreparedCase {
            index,
            name: case.name.clone(),
            group: case.group.split('/').next_back().unwrap_or_default().to_owned(),
            visibility: match case.visibility {
                codementor_problems::package::Visibility::Sample => Visibility::Sample,
                codementor_problems::package::Visibility::Hidden => Visibility::Hidden,
            },
            flags: Flags::parse(&case.validator_flags).map_err(|error| broken(&error))?,
            input: input(&case.input.name)?,
            answer,
            args: case.args.clone(),
            files: case
                .files
                .iter()
                .map(|file| Ok((file.path.clone(), input(&file.file.name)?)))
                .collect::<Result<_, Fault>>()?,
        });
    }
    let mut include = HashMap::new();
    for (language, list) in &package.include {
        let list = list.iter().map(|file| {
            let bytes =
                files.read_with(&file.file.name, &package.constants).map_err(|error| broken(&error))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| broken(&format!("{} is not in UTF-8", file.file.name)))?;
            Ok(SourceFile { name: file.path.clone(), text })
        });
        include.insert(language.clone(), list.collect::<Result<_, Fault>>()?);
    }
    File::open(&inputs).and_then(|folder| folder.sync_all()).map_err(|error| disk(&error))?;
    let files = stored.into_inner();
    Ok(Prepared { cases, include, answers, files })
}

fn disk(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::StorageFull => Fault::new(FaultCode::DiskFull, "the judge's disk is full"),
        _ => Fault::new(FaultCode::Internal, format!("the judge's cache of packages: {error}")),
    }
}
