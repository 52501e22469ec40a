//! The images that programs run in: built from a language's folder, with the agent on top, named by what they were
//! made of.
//!
//! Two images a language. The lower one holds the toolchain and takes long; the upper one adds the agent and takes
//! a moment, so that a new agent does not rebuild toolchains.

mod build;
mod usr;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions};
use codementor_protocol::LanguageId;
use sha2::{Digest, Sha256};

use crate::base::{self, BASE_IMAGE, BaseError};
use crate::engine::{Engine, EngineError};
use crate::language::{Language, Languages};
use crate::lock::{self, LockError};
use crate::progress::{Progress, ProgressEvent};

/// The agent, ready to be put into an image.
pub const AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/codementor-agent"));
/// Where the agent stands in an image.
pub const AGENT_PATH: &str = codementor_agent::PATH;
/// Where the directory of inputs is mounted. `/inputs` leads there through a folder that only root may pass, so that
/// programs cannot reach it whatever the rights of the mounted directory are: those belong to the host's users.
pub const INPUTS_MOUNT: &str = "/codementor/inputs";

/// The label with the language of an image.
const LANGUAGE_LABEL: &str = "codementor.language";

/// An image that is ready to run programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The language.
    pub language: LanguageId,
    /// Its name, `codementor/<language>:<hash>`.
    pub tag: String,
    /// The engine's id of it.
    pub id: String,
    /// The volume with a copy of its `/usr`, where programs start faster from one.
    pub usr_volume: Option<String>,
}

/// Why an image is not ready.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is nothing to build on.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The lock failed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It declares volumes.
    #[error(
        "the image for {language} cannot be used: its Dockerfile, or the image that this begins with, declares a VOLUME ({}), where programs could leave files for each other",
        .volumes.join(", ")
    )]
    Volumes {
        /// The language.
        language: String,
        /// Where they would be.
        volumes: Vec<String>,
    },
    /// A step of the Dockerfile failed.
    #[error("the image for {language} could not be built: {message}\n{log}")]
    Build {
        /// The language.
        language: String,
        /// What the engine said.
        message: String,
        /// The end of the build's output.
        log: String,
    },
}

/// What there is of a language.
#[derive(Debug, Clone)]
pub struct ImageStatus {
    /// The language.
    pub language: Arc<Language>,
    /// The name that its image has or would have.
    pub tag: String,
    /// The size of the image in bytes, if there is one.
    pub size: Option<u64>,
}

/// The images of one engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Images {
    engine: Engine,
    locks: PathBuf,
}

impl Images {
    /// The images of `engine`. All processes that use one engine should give the same folder for `locks`, or they
    /// may build the same image twice, which is slow but harmless.
    pub fn new(engine: Engine, locks: impl Into<PathBuf>) -> Self {
        Self { engine, locks: locks.into() }
    }

    /// A folder for locks that all processes of this user find.
    pub fn default_locks() -> PathBuf {
        match std::env::var_os("XDG_RUNTIME_DIR") {
            Some(folder) if Path::new(&folder).is_dir() => PathBuf::from(folder).join("codementor"),
            _ => std::env::temp_dir().join(format!("codementor-{}", rustix::process::getuid().as_raw())),
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Builds the language's image, and all that it stands on, unless it is there. Of several callers at once, in
    /// this process or others, one builds and the rest wait.
    pub async fn ready(&self, language: &Language, progress: &dyn Progress) -> Result<Image, ImageError> {
        if let Some(image) = self.find(language).await? {
            return Ok(image);
        }
        let what = format!("the image for {}", language.name());
        let _lock = lock::acquire(&self.locks, &lock_name(language), &what, progress).await?;
        if let Some(image) = self.find(language).await? {
            return Ok(image);
        }
        let names = Names::of(language);
        if self.id_of(&names.toolchain).await?.is_none() {
            base::ready(&self.engine, &self.locks, progress).await?;
            build::toolchain(&self.engine, language, &names.toolchain, progress).await?;
        }
        if self.id_of(&names.full).await?.is_none() {
            self.refuse_volumes(language, &names).await?;
            build::with_agent(&self.engine, language, &names, progress).await?;
        }
        if self.engine.info().slow_reads() {
            progress.report(ProgressEvent::Copying { language: language.id().clone() });
            usr::fill(&self.engine, &names).await?;
        }
        progress.report(ProgressEvent::Ready { language: language.id().clone() });
        match self.find(language).await? {
            Some(image) => Ok(image),
            None => Err(ImageError::Build {
                language: language.name().into(),
                message: "somebody removed the image while it was being built; try again".into(),
                log: String::new(),
            }),
        }
    }

    /// The engine would mount a volume of its own in every container, where a program could leave something for the
    /// next, and which sealing the image does not reach.
    async fn refuse_volumes(&self, language: &Language, names: &Names) -> Result<(), ImageError> {
        let config = self.inspect(&names.toolchain).await?.and_then(|inspect| inspect.config);
        match config.and_then(|config| config.volumes).unwrap_or_default() {
            volumes if volumes.is_empty() => Ok(()),
            volumes => Err(ImageError::Volumes { language: language.name().into(), volumes }),
        }
    }

    /// What there is of each language.
    pub async fn status(&self, languages: &Languages) -> Result<Vec<ImageStatus>, EngineError> {
        let mut list = Vec::new();
        for language in languages.iter() {
            let tag = Names::of(language).full;
            let size = match self.inspect(&tag).await? {
                Some(inspect) => Some(inspect.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)),
                None => None,
            };
            list.push(ImageStatus { language: language.clone(), tag, size });
        }
        Ok(list)
    }

    /// Removes images and volumes of ours that were made from an older state of these languages or from an older
    /// agent. What a container uses stays. Says how many were removed.
    pub async fn prune(&self, languages: &Languages) -> Result<usize, EngineError> {
        let names: Vec<Names> = languages.iter().map(|language| Names::of(language)).collect();
        self.prune_matching(&names, |_| true).await
    }

    /// Removes what is not in `keep` and whose name `matches`.
    async fn prune_matching(
        &self,
        keep: &[Names],
        matches: impl Fn(&str) -> bool,
    ) -> Result<usize, EngineError> {
        let docker = self.engine.docker();
        let filters = HashMap::from([("label", vec![LANGUAGE_LABEL])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let images = self.engine.call("list images", docker.list_images(Some(options))).await?;
        let mut removed = 0;
        let mut tags: Vec<String> = images.into_iter().flat_map(|image| image.repo_tags).collect();
        tags.retain(|tag| tag.starts_with("codementor/") && matches(tag));
        tags.retain(|tag| !keep.iter().any(|names| *tag == names.full || *tag == names.toolchain));
        // The upper images come first: the engine does not remove an image that another is built on.
        tags.sort_by_key(|tag| tag.contains("-toolchain:"));
        for tag in tags {
            let remove = docker.remove_image(&tag, None::<RemoveImageOptions>, None);
            match self.engine.call("remove an image", remove).await {
                Ok(_) => removed += 1,
                Err(error) if error.is_missing() || error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        removed += usr::prune(&self.engine, keep, matches).await?;
        Ok(removed)
    }

    async fn find(&self, language: &Language) -> Result<Option<Image>, EngineError> {
        let names = Names::of(language);
        let Some(id) = self.id_of(&names.full).await? else { return Ok(None) };
        let usr_volume = match self.engine.info().slow_reads() {
            true if usr::filled(&self.engine, &names).await? => Some(names.usr_volume),
            true => return Ok(None),
            false => None,
        };
        Ok(Some(Image { language: language.id().clone(), tag: names.full, id, usr_volume }))
    }

    async fn id_of(&self, tag: &str) -> Result<Option<String>, EngineError> {
        Ok(self.inspect(tag).await?.and_then(|inspect| inspect.id))
    }

    async fn inspect(&self, tag: &str) -> Result<Option<bollard::models::ImageInspect>, EngineError> {
        match self.engine.call("describe an image", self.engine.docker().inspect_image(tag)).await {
            Ok(inspect) => Ok(Some(inspect)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The names of all that is made for one language.
#[derive(Debug, Clone)]
struct Names {
    toolchain: String,
    full: String,
    usr_volume: String,
    usr_marker: String,
}

impl Names {
    fn of(language: &Language) -> Self {
        let id = language.id();
        let mut hash = Sha256::new();
        hash.update(BASE_IMAGE);
        for file in context(language) {
            hash.update(file.path.len().to_le_bytes());
            hash.update(&file.path);
            hash.update(file.bytes.len().to_le_bytes());
            hash.update(&file.bytes);
        }
        hash.update(build::LINKING);
        let toolchain = digits(hash.clone());
        hash.update(build::agent_layer());
        hash.update(build::agent_steps());
        let full = digits(hash);
        Self {
            full: format!("codementor/{id}:{full}"),
            usr_volume: format!("codementor-usr-{id}-{toolchain}"),
            usr_marker: format!("codementor-usr-{id}-{toolchain}-filled"),
            toolchain: format!("codementor/{id}-toolchain:{toolchain}"),
        }
    }
}

/// The files that an image is made of. `language.toml` is not among them: it says how to use the image.
fn context(language: &Language) -> impl Iterator<Item = &crate::language::FolderFile> {
    language.folder().iter().filter(|file| file.path != "language.toml")
}

fn digits(hash: Sha256) -> String {
    data_encoding::HEXLOWER.encode(&hash.finalize()[..8])
}

/// Languages whose Dockerfiles begin with the same instructions share layers if they are built one after the other,
/// so they share a lock.
fn lock_name(language: &Language) -> String {
    let dockerfile = context(language).find(|file| file.path == "Dockerfile");
    let text = String::from_utf8_lossy(dockerfile.map_or(&[][..], |file| &file.bytes)).into_owned();
    let mut opening = String::new();
    let mut runs = 0;
    let mut continued = false;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !continued && line.starts_with("RUN") {
            runs += 1;
        }
        if runs > 1 || (runs == 1 && !continued && !line.starts_with("RUN")) {
            break;
        }
        continued = line.ends_with('\\');
        opening.push_str(line);
        opening.push('\n');
    }
    format!("image-{}", digits(Sha256::new_with_prefix(opening)))
}

#[cfg(test)]
pub(crate) mod tests;
