//! Problems: packages that arrive, are checked, get a time limit, and judge from then on.
//!
//! ```text
//! PutPackage (pieces) ─▶ uploads/<user>-<hash>.part
//! InstallPackage ─▶ read and check ─▶ packages/<hash>.zip + the bucket for judges
//!                     ├── states a time limit ──────────────────────────────▶ rows: it judges
//!                     └── states none ─▶ its own submissions run as jobs ───▶ rows: it judges
//! ```
//!
//! A package never changes: it is named by the hash of its content. Only the name of a problem moves on to another.

mod calibrate;
mod compare;
mod rows;
mod statement;
mod text;
mod upload;
pub(crate) mod view;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use codementor_problems::compare::{Comparison, Difference, DifferenceKind, Flags, compare};
use codementor_problems::package::{FeedbackRules, Package};
use codementor_problems::read::{self, Opened};
use codementor_problems::slug::near_matches;
use codementor_protocol::{
    AnswerLanguage, Capture, CaseDetail, ComparePackage, Install, InstallPackage, LanguageId, Limits,
    PACKAGE_PIECE, PackageChange, PackageHash, PackagePart, PackagePiece, PackageReceived, ProblemSummary,
    PutPackage, Refusal, RefusalCode, Replaces, Slug, Timestamp, UserName,
};
use codementor_runners::Languages;
use rusqlite::{Connection, params};
use serde_json::json;

use crate::courses::{self, audit};
use crate::gateway::store_refusal;
use crate::queue::{Core, now};
use calibrate::Calibrations;
pub(crate) use calibrate::OwnSubmission;
pub(crate) use rows::current;
use rows::{add, best, installed, newest_version, slugs, titles};
use upload::arrived;
use view::PublicView;

/// How much of a sample's input and answer a student can read at once.
const MAX_SAMPLE: usize = 64 * 1024;
/// How many problems are kept as a model may see them.
const MAX_VIEWS: usize = 128;

/// What students may see of packages, by the language of the statement.
type Views = HashMap<(PackageHash, AnswerLanguage), Arc<PublicView>>;

/// The installed problems. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registry {
    core: Core,
    languages: Arc<Languages>,
    bucket: async_nats::jetstream::object_store::ObjectStore,
    packages: PathBuf,
    uploads: PathBuf,
    calibrations: Calibrations,
    /// Taken while a piece is written, so that two commands of one user cannot write the same one twice.
    receiving: Arc<Mutex<()>>,
    /// Packages that are being checked, so that two requests do not do it twice.
    checking: Arc<tokio::sync::Mutex<()>>,
    cache: Arc<Mutex<HashMap<PackageHash, Installed>>>,
    views: Arc<Mutex<Views>>,
}

/// An installed package, as far as it matters to the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    pub(crate) hash: PackageHash,
    pub(crate) title: String,
    pub(crate) limits: Limits,
    pub(crate) samples: u32,
    pub(crate) cases: u32,
    pub(crate) languages: Vec<LanguageId>,
    pub(crate) warnings: Vec<String>,
    pub(crate) code_kib: u64,
    /// What the package says of feedback.
    pub(crate) feedback: FeedbackRules,
    pub(crate) installed: Timestamp,
}

impl Registry {
    pub(crate) async fn open(
        core: Core,
        languages: Arc<Languages>,
        paths: &crate::settings::Paths,
    ) -> Result<Self, RegistryError> {
        for directory in [paths.packages(), paths.uploads()] {
            std::fs::create_dir_all(&directory)
                .map_err(|source| RegistryError::Directory { path: directory.clone(), source })?;
        }
        upload::forget_old(&paths.uploads());
        let bucket = crate::nats::streams::packages_bucket(&core.jetstream).await?;
        Ok(Self {
            core,
            languages,
            bucket,
            packages: paths.packages(),
            uploads: paths.uploads(),
            calibrations: Calibrations::default(),
            receiving: Arc::default(),
            checking: Arc::default(),
            cache: Arc::default(),
            views: Arc::default(),
        })
    }

    /// What judges a new submission: the problem's current version, or the one that is asked for.
    pub(crate) async fn resolve(
        &self,
        slug: &Slug,
        package: Option<&PackageHash>,
    ) -> Result<Installed, Refusal> {
        let hash = match package {
            Some(hash) => hash.clone(),
            None => {
                let name = slug.clone();
                let current =
                    self.core.store.read(move |db| current(db, &name)).await.map_err(store_refusal)?;
                match current {
                    Some(hash) => hash,
                    None => return Err(self.unknown(slug).await),
                }
            }
        };
        let cached = self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&hash).cloned();
        if let Some(installed) = cached {
            return Ok(installed);
        }
        let wanted = hash.clone();
        let installed =
            self.core.store.read(move |db| installed(db, &wanted)).await.map_err(store_refusal)?;
        let installed = installed.ok_or_else(|| {
            Refusal::new(
                RefusalCode::NotFound,
                format!("no version {} of '{slug}' is installed", hash.short()),
            )
        })?;
        // A package never changes, so what is kept here is never stale.
        self.cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(hash, installed.clone());
        Ok(installed)
    }

    pub(crate) async fn find(&self, user: &UserName, slug: &Slug) -> Result<ProblemSummary, Refusal> {
        let installed = self.resolve(slug, None).await?;
        self.summary(user, slug, &installed).await
    }

    pub(crate) async fn list(&self, user: &UserName) -> Result<Vec<ProblemSummary>, Refusal> {
        let slugs = self.core.store.read(slugs).await.map_err(store_refusal)?;
        let mut summaries = Vec::with_capacity(slugs.len());
        for slug in &slugs {
            summaries.push(self.find(user, slug).await?);
        }
        Ok(summaries)
    }

    /// The title of each problem.
    pub(crate) async fn titles(&self) -> Result<HashMap<Slug, String>, Refusal> {
        self.core.store.read(titles).await.map_err(store_refusal)
    }

    async fn summary(
        &self,
        user: &UserName,
        slug: &Slug,
        installed: &Installed,
    ) -> Result<ProblemSummary, Refusal> {
        let (user, name) = (user.clone(), slug.clone());
        let best = self.core.store.read(move |db| best(db, &user, &name)).await.map_err(store_refusal)?;
        Ok(ProblemSummary {
            slug: slug.clone(),
            title: installed.title.clone(),
            package: installed.hash.clone(),
            limits: installed.limits,
            samples: installed.samples,
            cases: installed.cases,
            languages: installed.languages.clone(),
            installed: installed.installed,
            best,
        })
    }

    async fn unknown(&self, slug: &Slug) -> Refusal {
        let refusal = Refusal::new(RefusalCode::NotFound, format!("there is no problem '{slug}'"));
        let slugs = self.core.store.read(slugs).await.unwrap_or_default();
        let near = near_matches(slug.as_str(), slugs.iter().map(Slug::as_str));
        match near.first() {
            Some(near) => refusal.hint(format!("did you mean '{near}'? codementor list shows them all")),
            None if slugs.is_empty() => {
                refusal.hint("no problem is installed yet: codementor problem push DIR, or use -p DIR")
            }
            None => {
                refusal.hint("codementor list shows the installed problems; -p also takes a directory or zip")
            }
        }
    }

    /// Takes a piece of a package.
    pub(crate) async fn receive(
        &self,
        user: &UserName,
        request: PutPackage,
    ) -> Result<PackageReceived, Refusal> {
        let path = self.upload_file(user, &request.package);
        if self.package_file(&request.package).exists() {
            // Somebody else has sent the rest. That nothing had to be removed is the usual case.
            let _ = std::fs::remove_file(&path);
            return Ok(PackageReceived { next: request.size, complete: true });
        }
        let receiving = self.receiving.clone();
        let append = move || {
            let _alone = receiving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            upload::append(&path, &request)
        };
        tokio::task::spawn_blocking(append)
            .await
            .map_err(|error| Refusal::new(RefusalCode::Internal, error.to_string()))?
    }

    /// Makes a package judge, or says how far its calibration is.
    pub(crate) async fn install(&self, user: &UserName, request: InstallPackage) -> Result<Install, Refusal> {
        let hash = request.package.clone();
        let known = {
            let hash = hash.clone();
            self.core.store.read(move |db| installed(db, &hash)).await.map_err(store_refusal)?
        };
        if let Some(installed) = known {
            let unchanged = self.point(user, &request).await?;
            let problem = self.summary(user, &request.slug, &installed).await?;
            return Ok(Install::Installed { problem, warnings: installed.warnings, unchanged });
        }
        if let Some(outcome) = self.calibrations.look(&hash) {
            return match outcome {
                calibrate::Progress::Running { done, total } => Ok(Install::Calibrating { done, total }),
                calibrate::Progress::Failed(refusal) => Err(refusal),
            };
        }
        let _one_at_a_time = self.checking.lock().await;
        let opened = self.check(user, &hash).await?;
        let mut row = self.row(&hash, &opened)?;
        self.publish(&hash).await?;
        match opened.package.limits.time_limit {
            Some(_) => {
                self.add(&row).await?;
                self.point(user, &request).await?;
                let problem = self.summary(user, &request.slug, &row).await?;
                Ok(Install::Installed { problem, warnings: row.warnings, unchanged: false })
            }
            None => {
                let plan = calibrate::plan(&opened, &self.languages, &mut row.warnings);
                let total = plan.runs.len() as u32;
                self.calibrations.start(self.clone(), user.clone(), request, row, opened.package, plan);
                Ok(Install::Calibrating { done: 0, total })
            }
        }
    }

    /// Reads an arrived package, sees that it is the one that its hash names, and keeps it.
    async fn check(&self, user: &UserName, hash: &PackageHash) -> Result<Opened, Refusal> {
        let (kept, upload, hash) = (self.package_file(hash), self.upload_file(user, hash), hash.clone());
        let work = move || {
            let opened = arrived(&kept, &upload, &hash)?;
            if kept.exists() {
                return Ok(opened);
            }
            upload::keep(&upload, &kept)?;
            read::open(&kept).map_err(|_| Refusal::new(RefusalCode::Internal, "the package vanished"))
        };
        blocking(work).await
    }

    /// Says what an arrived package would change. What it reaches is for the caller to say.
    pub(crate) async fn compare(
        &self,
        user: &UserName,
        request: &ComparePackage,
    ) -> Result<PackageChange, Refusal> {
        let hash = &request.package;
        let (name, wanted) = (request.slug.clone(), hash.clone());
        let read = move |db: &Connection| {
            let from = current(db, &name)?;
            let before = from.as_ref().map(|from| installed(db, from)).transpose()?.flatten();
            Ok((before, installed(db, &wanted)?))
        };
        let (before, known) = self.core.store.read(read).await.map_err(store_refusal)?;
        let (kept, upload, new) = (self.package_file(hash), self.upload_file(user, hash), hash.clone());
        let old = before.as_ref().map(|before| self.package_file(&before.hash));
        let now = before.as_ref().map(|before| before.limits);
        let work = move || {
            let opened = arrived(&kept, &upload, &new)?;
            let mut change = match &old {
                Some(old) if *old != kept => {
                    let broken =
                        || Refusal::new(RefusalCode::Internal, "the installed package cannot be read");
                    let old = read::open(old).map_err(|_| broken())?;
                    compare::compare(&old, &opened).map_err(|_| broken())?
                }
                Some(_) => PackageChange::default(),
                None => compare::all_new(&opened),
            };
            let mut limits = limits(&opened.package);
            if let (true, Some(now)) = (change.measured, now) {
                limits.time_ms = now.time_ms;
            }
            change.limits = Some(limits).zip(now).map(|(is, was)| (was, is));
            change.warnings = opened.warnings.iter().map(ToString::to_string).collect();
            Ok(change)
        };
        let mut change = blocking(work).await?;
        if let (Some(known), Some((_, is))) = (known, &mut change.limits) {
            // It was measured when it was first installed.
            *is = known.limits;
            change.measured = false;
        }
        change.limits = change.limits.filter(|(was, is)| was != is);
        if change.limits.is_some() && change.parts == [PackagePart::Other] {
            // The limits are what else differs.
            change.parts.clear();
        }
        change.from = before.map(|before| before.hash);
        change.now = now;
        Ok(change)
    }

    /// How many submissions to a problem, by course, another version than this one has judged.
    pub(crate) async fn judged_otherwise(
        &self,
        problem: &Slug,
        package: &PackageHash,
    ) -> Result<Vec<(Option<String>, u64)>, Refusal> {
        let (problem, package) = (problem.clone(), package.clone());
        let read = move |db: &Connection| compare::judged_otherwise(db, &problem, package.as_str());
        self.core.store.read(read).await.map_err(store_refusal)
    }

    /// A piece of an installed package.
    pub(crate) async fn piece(
        &self,
        problem: &Slug,
        package: Option<&PackageHash>,
        offset: u64,
    ) -> Result<PackagePiece, Refusal> {
        let package = self.resolve(problem, package).await?.hash;
        let path = self.package_file(&package);
        let work = move || {
            let (size, piece) = upload::piece(&path, offset, PACKAGE_PIECE)?;
            Ok(PackagePiece { package, size, piece })
        };
        blocking(work).await
    }

    fn row(&self, hash: &PackageHash, opened: &Opened) -> Result<Installed, Refusal> {
        let package = &opened.package;
        let mut languages = Vec::new();
        for name in package.languages.iter().flatten() {
            match self.languages.by_name(name).ok() {
                Some(language) => languages.push(language.id().clone()),
                None => tracing::debug!(name, "a package allows a language that there is no runner for"),
            }
        }
        if package.languages.as_ref().is_some_and(|list| !list.is_empty()) && languages.is_empty() {
            return Err(Refusal::new(
                RefusalCode::Invalid,
                "the package allows only languages that there is no runner for",
            ));
        }
        Ok(Installed {
            hash: hash.clone(),
            title: package.name().to_owned(),
            limits: limits(package),
            samples: package.samples().count() as u32,
            cases: package.cases.len() as u32,
            languages,
            warnings: opened.warnings.iter().map(ToString::to_string).collect(),
            code_kib: package.limits.code_kib,
            feedback: package.feedback,
            installed: now(),
        })
    }

    /// Puts every package where judges on other hosts find it: a NATS server that was made anew has none of them.
    pub(crate) async fn publish_all(&self) {
        let Ok(mut entries) = tokio::fs::read_dir(&self.packages).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let name = entry.file_name();
            let hash = name.to_str().and_then(|name| name.strip_suffix(".zip"));
            let Some(hash) = hash.and_then(|hash| PackageHash::new(hash).ok()) else { continue };
            if let Err(refusal) = self.publish(&hash).await {
                tracing::warn!(
                    package = hash.short(),
                    error = refusal.message,
                    "judges elsewhere lack a package"
                );
            }
        }
    }

    /// Puts a package where judges on other hosts find it.
    async fn publish(&self, hash: &PackageHash) -> Result<(), Refusal> {
        let unavailable =
            |error: String| Refusal::new(RefusalCode::Later, format!("the package was not stored: {error}"));
        if self.bucket.info(hash.as_str()).await.is_ok() {
            return Ok(());
        }
        let mut file =
            tokio::fs::File::open(self.package_file(hash)).await.map_err(|e| unavailable(e.to_string()))?;
        let put = self.bucket.put(hash.as_str(), &mut file);
        tokio::time::timeout(crate::queue::NATS_TIMEOUT * 6, put)
            .await
            .map_err(|error| unavailable(error.to_string()))?
            .map_err(|error| unavailable(error.to_string()))?;
        Ok(())
    }

    async fn add(&self, row: &Installed) -> Result<(), Refusal> {
        let row = row.clone();
        self.core.store.write(move |db| add(db, &row)).await.map_err(store_refusal)
    }

    /// Makes a package the version that judges new submissions of its name. Returns whether it was that already. What
    /// judges must be what the request means to replace: of two who push at once, the later one has to look again.
    async fn point(&self, user: &UserName, request: &InstallPackage) -> Result<bool, Refusal> {
        if request.by_content {
            return Ok(true);
        }
        let (by, request, at) = (user.clone(), request.clone(), now());
        let write = move |db: &Connection| {
            let (slug, hash) = (&request.slug, &request.package);
            let before = current(db, slug)?;
            if before.as_ref() == Some(hash) {
                return Ok(Ok(true));
            }
            let expected = match &request.replaces {
                None => true,
                Some(Replaces::Nothing) => before.is_none(),
                Some(Replaces::Version(version)) => before.as_ref() == Some(version),
            };
            if !expected {
                return Ok(Err(changed_meanwhile(slug, newest_version(db, slug)?)));
            }
            db.prepare_cached(
                "INSERT INTO problems (slug, package) VALUES (?1, ?2) ON CONFLICT (slug) DO UPDATE SET package = ?2",
            )?
            .execute(params![slug.as_str(), hash.as_str()])?;
            db.prepare_cached("INSERT INTO versions (slug, package, by, at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![slug.as_str(), hash.as_str(), by.as_str(), at.0])?;
            let detail = json!({ "from": before.as_ref().map(PackageHash::short), "to": hash.short() });
            for course in courses::with_problem(db, slug)? {
                audit::append(db, &course, &by, "problem-push", slug.as_str(), &detail, at)?;
            }
            Ok(Ok(false))
        };
        self.core.store.write(write).await.map_err(store_refusal)?
    }

    /// Adds to a case what its package holds: input, answer, and the difference in words. Only samples come here.
    pub(crate) async fn fill_in(
        &self,
        hash: &PackageHash,
        mut case: CaseDetail,
    ) -> Result<CaseDetail, Refusal> {
        let path = self.package_file(hash);
        let work = move || {
            let gone = |error: String| {
                Refusal::new(RefusalCode::Internal, format!("the package cannot be read: {error}"))
            };
            let opened = read::open(&path).map_err(|_| gone("it is broken".into()))?;
            let sample = opened.package.samples().find(|sample| sample.name == case.name);
            let sample = sample.ok_or_else(|| gone(format!("it has no sample '{}'", case.name)))?;
            let input = opened.files.read(&sample.input.name).map_err(|error| gone(error.to_string()))?;
            let answer = opened.files.read(&sample.answer.name).map_err(|error| gone(error.to_string()))?;
            let flags = Flags::parse(&sample.validator_flags).map_err(|error| gone(error.to_string()))?;
            if let Comparison::Different(difference) = compare(&answer, &case.stdout.bytes, &flags) {
                case.difference = Some(words(&difference));
            }
            case.input = Capture::new(&input, input.len() as u64, MAX_SAMPLE);
            case.expected = Capture::new(&answer, answer.len() as u64, MAX_SAMPLE);
            Ok(case)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Refusal::new(RefusalCode::Internal, error.to_string()))?
    }

    /// A problem as a model may see it, with the statement in a language, if there is one.
    pub(crate) async fn public_view(
        &self,
        problem: &Installed,
        answer_in: &AnswerLanguage,
    ) -> Result<Arc<PublicView>, Refusal> {
        let key = (problem.hash.clone(), answer_in.clone());
        let known = self.views.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&key).cloned();
        if let Some(view) = known {
            return Ok(view);
        }
        let (path, limits, language) = (self.package_file(&problem.hash), problem.limits, answer_in.clone());
        let broken = || Refusal::new(RefusalCode::Internal, "the package cannot be read");
        let work = move || {
            let opened = read::open(&path).map_err(|_| broken())?;
            PublicView::of(&opened, &limits, &language).map_err(|_| broken())
        };
        let view = tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Refusal::new(RefusalCode::Internal, error.to_string()))??;
        let view = Arc::new(view);
        let mut views = self.views.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if views.len() >= MAX_VIEWS {
            views.clear();
        }
        views.insert(key, view.clone());
        Ok(view)
    }

    /// The package's own submissions that are not right, to rehearse feedback with.
    pub(crate) async fn wrong_submissions(&self, hash: &PackageHash) -> Result<Vec<OwnSubmission>, Refusal> {
        let (path, languages) = (self.package_file(hash), self.languages.clone());
        let work = move || {
            let opened = read::open(&path)
                .map_err(|_| Refusal::new(RefusalCode::Internal, "the package cannot be read"))?;
            let wrong =
                opened.package.submissions.iter().filter(|submission| !calibrate::is_right(submission));
            // One that cannot be run was warned of when the package was checked.
            Ok(wrong
                .filter_map(|submission| calibrate::to_run(&opened, submission, &languages).ok())
                .collect())
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Refusal::new(RefusalCode::Internal, error.to_string()))?
    }

    fn package_file(&self, hash: &PackageHash) -> PathBuf {
        package_file(&self.packages, hash)
    }

    fn upload_file(&self, user: &UserName, hash: &PackageHash) -> PathBuf {
        self.uploads.join(format!("{user}-{hash}.part"))
    }
}

/// Runs work that reads files.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|error| Refusal::new(RefusalCode::Internal, error.to_string()))?
}

fn changed_meanwhile(slug: &Slug, newest: Option<(PackageHash, UserName)>) -> Refusal {
    let message = match newest {
        Some((hash, by)) => {
            format!(
                "'{slug}' has changed meanwhile: {by} pushed version {}; yours was not installed",
                hash.short()
            )
        }
        None => format!("'{slug}' has changed meanwhile; yours was not installed"),
    };
    Refusal::new(RefusalCode::Forbidden, message).hint(
        "codementor problem push --dry-run shows what yours would change now; codementor problem pull gets the other",
    )
}

/// The first difference in words, by the problem's own rules.
fn words(difference: &Difference) -> String {
    let show = |bytes: &[u8]| format!("'{}'", String::from_utf8_lossy(bytes).escape_debug());
    let (expected, got) = (show(&difference.expected), show(&difference.got));
    let what = match &difference.kind {
        DifferenceKind::Whitespace => "the white space differs".to_owned(),
        DifferenceKind::Case => format!("{got} differs from {expected} in upper and lower case"),
        DifferenceKind::Token => format!("{got} instead of {expected}"),
        DifferenceKind::TooShort => format!("the output ends before {expected}"),
        DifferenceKind::TooLong => format!("{got} comes after the end of the answer"),
        DifferenceKind::FloatOff { .. } => format!("{got} is too far from {expected}"),
    };
    format!("line {}, column {}: {what}", difference.line, difference.column)
}

/// Where an installed package lies.
pub(crate) fn package_file(packages: &Path, hash: &PackageHash) -> PathBuf {
    packages.join(format!("{hash}.zip"))
}

/// Why the registry cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    #[error("cannot create {path}: {source}")]
    Directory { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Bucket(#[from] crate::nats::streams::StreamsError),
}

/// A package's limits in the units of the wire. Without a time limit the default stands until it is calibrated.
fn limits(package: &Package) -> Limits {
    let milliseconds = |seconds: f64| (seconds * 1000.0).ceil().max(1.0) as u64;
    let stated = &package.limits;
    Limits {
        time_ms: stated.time_limit.map_or(Limits::default().time_ms, milliseconds),
        memory_mib: stated.memory_mib,
        output_mib: stated.output_mib,
        compile_time_ms: milliseconds(stated.compilation_seconds),
        compile_memory_mib: stated.compilation_memory_mib,
    }
}
