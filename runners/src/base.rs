//! The image that every language's image begins with: pulled, or, where no registry can be reached, bootstrapped
//! from Debian's packages.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use bollard::body_try_stream;
use bollard::query_parameters::CreateImageOptionsBuilder;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio_util::io::ReaderStream;

use crate::engine::{Engine, EngineError};
use crate::lock::{self, LockError};
use crate::progress::{Progress, ProgressEvent};

/// The base image, as the first line of every Dockerfile names it.
pub const BASE_IMAGE: &str = "debian:trixie-slim";

const REPOSITORY: &str = "debian";
const TAG: &str = "trixie-slim";
/// Debian's name for the release in the base image.
const SUITE: &str = "trixie";

/// How many lines of a failed program's output are kept.
const LOG_LINES: usize = 30;

/// Why there is no base image.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The lock failed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Neither the registry nor a package mirror can be reached.
    #[error(
        "the base image {BASE_IMAGE} cannot be downloaded. No image registry can be reached ({registry}), and neither can Debian's package mirror:\n{mirror}\nCheck the network, or load the image by hand with `docker load`"
    )]
    Blocked {
        /// What the engine said of the registry.
        registry: String,
        /// The end of what the package manager said.
        mirror: String,
    },
    /// The program that bootstraps is missing, and cannot be installed from here.
    #[error(
        "no image registry can be reached ({registry}), and mmdebstrap, which makes the base image from Debian's packages, is not installed. {advice}"
    )]
    NoBootstrap {
        /// What the engine said of the registry.
        registry: String,
        /// What to do.
        advice: &'static str,
    },
    /// A program that bootstraps failed.
    #[error("no image registry can be reached ({registry}), and {program} failed ({status}):\n{log}")]
    Bootstrap {
        /// What the engine said of the registry.
        registry: String,
        /// The program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// The end of its output.
        log: String,
    },
}

/// Sees to it that the engine has the base image.
pub async fn ready(engine: &Engine, locks: &Path, progress: &dyn Progress) -> Result<(), BaseError> {
    if present(engine).await? {
        return Ok(());
    }
    let _lock = lock::acquire(locks, "base", "the base image", progress).await?;
    if present(engine).await? {
        return Ok(());
    }
    match pull(engine, progress).await {
        Ok(()) => Ok(()),
        Err(error @ (EngineError::Silent { .. } | EngineError::Broken { .. })) => Err(error.into()),
        Err(error) => {
            let registry = match error {
                EngineError::Refused { message, .. } => message,
                other => other.to_string(),
            };
            bootstrap(engine, (REPOSITORY, TAG), registry, progress).await
        }
    }
}

async fn present(engine: &Engine) -> Result<bool, EngineError> {
    match engine.call("describe an image", engine.docker().inspect_image(BASE_IMAGE)).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_missing() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn pull(engine: &Engine, progress: &dyn Progress) -> Result<(), EngineError> {
    let docker = engine.patient();
    let options = CreateImageOptionsBuilder::new().from_image(REPOSITORY).tag(TAG).build();
    let pull = docker.create_image(Some(options), None, None);
    engine
        .drain(format!("pull {BASE_IMAGE}"), pull, |item| {
            let size = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            let detail = item.progress_detail.unwrap_or_default();
            progress.report(ProgressEvent::Pull {
                layer: item.id.unwrap_or_default(),
                status: item.status.unwrap_or_default(),
                current: size(detail.current),
                total: size(detail.total),
            });
        })
        .await
}

/// Makes the image `repository:tag` from Debian's packages.
async fn bootstrap(
    engine: &Engine,
    (repository, tag): (&str, &str),
    registry: String,
    progress: &dyn Progress,
) -> Result<(), BaseError> {
    let say = |text: &str| progress.report(ProgressEvent::Bootstrap { text: text.into() });
    say(&format!(
        "no image registry can be reached, so the base image is made from Debian's packages instead ({registry})"
    ));
    if !runs("mmdebstrap").await {
        install_mmdebstrap(&registry, progress).await?;
    }
    let log = Log::default();
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap.args(["--variant=minbase", "--include=ca-certificates", "--format=tar", SUITE, "-"]);
    let mut child = spawn(&mut mmdebstrap).map_err(|error| start_failed(&registry, "mmdebstrap", &error))?;
    let archive = archive(&mut child);
    let (Some(archive), Some(stderr)) = (archive, child.stderr.take()) else {
        return Err(start_failed(&registry, "mmdebstrap", &io::Error::other("no pipes")));
    };
    let ended = Arc::new(Mutex::new(None));
    let body = body_try_stream(complete(archive, child, ended.clone()));
    let docker = engine.patient();
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(repository)
        .tag(tag)
        .message("bootstrapped from Debian's packages by CodeMentor")
        .changes(vec![r#"CMD ["bash"]"#.into()])
        .build();
    let import = engine.drain(
        format!("import {BASE_IMAGE}"),
        docker.create_image(Some(options), Some(body), None),
        |_| {},
    );
    let (imported, ()) = tokio::join!(import, log.follow(stderr, progress));
    let status: Option<ExitStatus> = *ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match status {
        // The engine's error would only say that the archive broke off.
        Some(status) if !status.success() => Err(program_failed(registry, "mmdebstrap", status, &log)),
        _ => Ok(imported?),
    }
}

async fn install_mmdebstrap(registry: &str, progress: &dyn Progress) -> Result<(), BaseError> {
    let missing = |advice| BaseError::NoBootstrap { registry: registry.into(), advice };
    if !runs("apt-get").await {
        return Err(missing("Install it with your package manager and try again"));
    }
    if !rustix::process::geteuid().is_root() {
        return Err(missing("Run `sudo apt-get install mmdebstrap` once and try again"));
    }
    progress.report(ProgressEvent::Bootstrap { text: "installing mmdebstrap with apt-get".into() });
    // The lists may be stale or absent; if they cannot be fetched, the installation says so.
    let _ = apt_get(&["update"], registry, progress).await;
    apt_get(&["install", "--yes", "--no-install-recommends", "mmdebstrap"], registry, progress).await
}

async fn apt_get(arguments: &[&str], registry: &str, progress: &dyn Progress) -> Result<(), BaseError> {
    let log = Log::default();
    let mut command = Command::new("apt-get");
    command
        .args(["--quiet", "-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let mut child = spawn(&mut command).map_err(|error| start_failed(registry, "apt-get", &error))?;
    if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
        tokio::join!(log.follow(stdout, progress), log.follow(stderr, progress));
    }
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(program_failed(registry.into(), "apt-get", status, &log)),
        Err(error) => Err(start_failed(registry, "apt-get", &error)),
    }
}

async fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

fn spawn(command: &mut Command) -> io::Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()
}

fn archive(child: &mut Child) -> Option<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
    child.stdout.take().map(|stdout| ReaderStream::with_capacity(stdout, 256 << 10))
}

/// The archive, followed by an error if the program that wrote it failed: otherwise the engine would import the half
/// that it was given.
fn complete(
    archive: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    mut child: Child,
    ended: Arc<Mutex<Option<ExitStatus>>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let verdict = async move {
        let status = child.wait().await?;
        *ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(status);
        if status.success() { Ok(Bytes::new()) } else { Err(io::Error::other("the archive is incomplete")) }
    };
    // An empty piece would end a chunked body early, so a good end adds nothing.
    archive.chain(stream::once(verdict)).filter(|piece| {
        let keep = !matches!(piece, Ok(bytes) if bytes.is_empty());
        async move { keep }
    })
}

fn start_failed(registry: &str, program: &'static str, error: &io::Error) -> BaseError {
    BaseError::Bootstrap {
        registry: registry.into(),
        program,
        status: "it could not be started".into(),
        log: error.to_string(),
    }
}

fn program_failed(registry: String, program: &'static str, status: ExitStatus, log: &Log) -> BaseError {
    let log = log.text();
    let unreachable = [
        "Could not resolve",
        "Temporary failure",
        "Failed to fetch",
        "Could not connect",
        "Cannot initiate the connection",
    ];
    if unreachable.iter().any(|sign| log.contains(sign)) {
        return BaseError::Blocked { registry, mirror: log };
    }
    BaseError::Bootstrap { registry, program, status: status.to_string(), log }
}

/// The last lines that a program printed.
#[derive(Debug, Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    async fn follow(&self, output: impl AsyncRead + Unpin, progress: &dyn Progress) {
        let mut lines = BufReader::new(output).split(b'\n');
        // A line that cannot be read is the end of the output: the program's exit status says the rest.
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if line.is_empty() {
                continue;
            }
            progress.report(ProgressEvent::Bootstrap { text: line.clone() });
            let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if kept.len() == LOG_LINES {
                kept.remove(0);
            }
            kept.push(line);
        }
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use bollard::query_parameters::RemoveImageOptions;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_base_image_is_made_where_none_can_be_pulled() {
        let engine = Engine::connect(None).await.unwrap();
        let locks = crate::image::tests::locks();
        // One at a time, as in earnest: apt-get does not wait for another that updates its lists.
        let _lock = lock::acquire(&locks, "base", "a base image", &crate::progress::Quiet).await.unwrap();
        let tag = format!("{:08x}", rand::random::<u32>());
        let repository = "codementor-test/base";
        let said = Mutex::new(Vec::new());
        let say = |event| said.lock().unwrap().push(event);
        match bootstrap(&engine, (repository, &tag), "no such host".into(), &say).await {
            Ok(()) => {}
            // Only root can install what is needed.
            Err(BaseError::NoBootstrap { .. }) if !rustix::process::geteuid().is_root() => return,
            Err(error) => panic!("{error}"),
        }
        let name = format!("{repository}:{tag}");
        let image = engine.call("inspect", engine.docker().inspect_image(&name)).await.unwrap();
        assert!(image.size.unwrap() > 50 << 20, "{image:?}");
        let remove = engine.docker().remove_image(&name, None::<RemoveImageOptions>, None);
        engine.call("remove", remove).await.unwrap();
        let said = said.into_inner().unwrap();
        assert!(
            matches!(&said[0], ProgressEvent::Bootstrap { text } if text.contains("made from Debian's packages"))
        );
        assert!(said.len() > 5, "{said:?}");
    }

    #[tokio::test]
    async fn half_an_archive_ends_in_an_error() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo half; exit 3"]);
        let mut child = spawn(&mut command).unwrap();
        let archive = archive(&mut child).unwrap();
        let ended = Arc::new(Mutex::new(None));
        let pieces: Vec<_> = complete(archive, child, ended.clone()).collect().await;
        assert!(pieces[0].is_ok() && pieces.last().unwrap().is_err(), "{pieces:?}");
        assert_eq!(ended.lock().unwrap().unwrap().code(), Some(3));
    }

    #[test]
    fn a_blocked_mirror_is_told_apart_from_a_failure() {
        let failed = |line: &str| {
            let log = Log(Mutex::new(vec![line.into()]));
            program_failed("no such host".into(), "mmdebstrap", ExitStatus::from_raw(0x100), &log)
        };
        assert!(matches!(failed("E: Failed to fetch …"), BaseError::Blocked { .. }));
        assert!(matches!(failed("E: No space left on device"), BaseError::Bootstrap { .. }));
    }
}
