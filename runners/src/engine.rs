//! The connection to the Docker engine, and the one place that knows how engines differ: their age, their cgroup
//! version, their storage driver, and whether they run without root.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::models::{SystemInfo, SystemInfoCgroupVersionEnum};
use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};
use futures::{Stream, StreamExt};

/// The oldest engine API that everything here was tried on: Docker 20.10.
const OLDEST_API: (usize, usize) = (1, 41);

/// How long a short request may take. A busy engine takes seconds to create a container; one that needs longer than
/// this is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the engine may be silent while it builds, pulls or imports. An import is silent until it has all of an
/// archive that is being downloaded meanwhile, which on a slow line takes longest.
const STREAM_PATIENCE: Duration = Duration::from_secs(1800);

/// A connection to an engine that has answered once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
    info: Arc<EngineInfo>,
}

/// What an engine said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Where it was reached.
    pub host: String,
    /// The engine's own identifier.
    pub id: String,
    /// The engine's version, such as `20.10.24`.
    pub version: String,
    /// The API version that both sides speak, such as `1.41`.
    pub api: String,
    /// The storage driver, such as `overlay2`.
    pub storage_driver: String,
    /// Which cgroup hierarchy limits the containers.
    pub cgroup: CgroupVersion,
    /// Whether the engine itself runs without root.
    pub rootless: bool,
    /// Whether root in a container is another user outside.
    pub userns: bool,
    /// The kernel's release.
    pub kernel: String,
    /// How many processors the engine's host has.
    pub cpus: u32,
    /// The memory of the engine's host, in MiB.
    pub memory_mib: u64,
    /// Whether memory limits are enforced.
    pub limits_memory: bool,
    /// Whether limits on the number of processes are enforced.
    pub limits_pids: bool,
    /// Whether a default seccomp filter is applied.
    pub seccomp: bool,
}

/// The cgroup hierarchy of an engine's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupVersion {
    /// One hierarchy for each controller.
    V1,
    /// The unified hierarchy.
    V2,
}

/// Why the engine could not be used. Every message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no socket.
    #[error(
        "no Docker engine was found: there is no socket at {host}. Install one and start it (on Debian: `apt-get install docker.io`), or set DOCKER_HOST to the address of another"
    )]
    Missing {
        /// Where one was looked for.
        host: String,
    },
    /// There is a socket, and nobody behind it.
    #[error(
        "the Docker engine at {host} is not running: start it, for example with `systemctl start docker`"
    )]
    Stopped {
        /// Where one was looked for.
        host: String,
    },
    /// The socket belongs to others.
    #[error(
        "you may not use the Docker engine at {host}: join the group that owns its socket (`sudo usermod -aG docker $USER`, then log in again), or use a rootless engine"
    )]
    Permission {
        /// The socket.
        host: String,
    },
    /// It accepts connections and says nothing.
    #[error(
        "the Docker engine at {host} did not answer within {seconds} s ({what}): see `docker info` and the engine's log, and restart it if it hangs"
    )]
    Silent {
        /// Which engine.
        host: String,
        /// What it was asked for.
        what: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It is older than anything this was tried on.
    #[error(
        "the Docker engine at {host} speaks API {api}: Docker 20.10 (API 1.41) or newer is needed, update it"
    )]
    TooOld {
        /// Which engine.
        host: String,
        /// What it speaks.
        api: String,
    },
    /// The address is of a kind that cannot be used.
    #[error(
        "DOCKER_HOST is {host}, which cannot be used: give unix:///path/to/docker.sock or tcp://host:port"
    )]
    Address {
        /// The address as given.
        host: String,
    },
    /// The engine refused a request.
    #[error("the Docker engine refused to {what}: {message}")]
    Refused {
        /// What it was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// The connection broke, or the answer could not be read.
    #[error("the connection to the Docker engine broke while asking it to {what}: {source}")]
    Broken {
        /// What it was asked for.
        what: String,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl EngineError {
    /// Whether the thing that was asked for does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the engine refused because of the state that something is in, such as a volume that is in use.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }

    fn api(what: impl Display, error: ApiError) -> Self {
        let what = what.to_string();
        match error {
            ApiError::DockerResponseServerError { status_code, message } => {
                Self::Refused { what, status: status_code, message: message.trim().into() }
            }
            ApiError::DockerStreamError { error } => {
                Self::Refused { what, status: 500, message: error.trim().into() }
            }
            other => Self::Broken { what, source: Box::new(other) },
        }
    }
}

impl Engine {
    /// Connects to the engine at `host`, else at `DOCKER_HOST`, else at the default socket or a rootless engine's.
    pub async fn connect(host: Option<&str>) -> Result<Self, EngineError> {
        let host = match host.map(str::to_owned).or_else(|| std::env::var("DOCKER_HOST").ok()) {
            Some(host) if !host.is_empty() => host,
            _ => default_host(),
        };
        let docker = dial(&host).await?;
        let silent = |what: &str| EngineError::Silent {
            host: host.clone(),
            what: what.into(),
            seconds: PATIENCE.as_secs(),
        };
        let docker = tokio::time::timeout(PATIENCE, docker.negotiate_version())
            .await
            .map_err(|_| silent("its version"))?
            .map_err(|error| EngineError::api("say its version", error))?;
        let ClientVersion { major_version, minor_version } = docker.client_version();
        if (major_version, minor_version) < OLDEST_API {
            return Err(EngineError::TooOld { host, api: format!("{major_version}.{minor_version}") });
        }
        let system = tokio::time::timeout(PATIENCE, docker.info())
            .await
            .map_err(|_| silent("what it is"))?
            .map_err(|error| EngineError::api("describe itself", error))?;
        let info = EngineInfo::new(host, format!("{major_version}.{minor_version}"), system);
        Ok(Self { docker, info: Arc::new(info) })
    }

    /// What the engine said of itself.
    pub fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Whether the engine still answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        self.call("answer", self.docker.ping()).await.map(drop)
    }

    /// The client, for what this crate does not wrap.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Waits for one answer, for a bounded time.
    pub(crate) async fn call<T>(
        &self,
        what: impl Display,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, EngineError> {
        self.within(PATIENCE, what, request).await
    }

    /// Waits for an answer that comes only after long work, asked for through [`Engine::patient`].
    pub(crate) async fn call_patiently<T>(
        &self,
        what: impl Display,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, EngineError> {
        self.within(STREAM_PATIENCE, what, request).await
    }

    async fn within<T>(
        &self,
        patience: Duration,
        what: impl Display,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, EngineError> {
        match tokio::time::timeout(patience, request).await {
            Ok(answer) => answer.map_err(|error| EngineError::api(what, error)),
            Err(_) => Err(EngineError::Silent {
                host: self.info.host.clone(),
                what: what.to_string(),
                seconds: patience.as_secs(),
            }),
        }
    }

    /// Reads a stream of progress to its end; `each` is given every item. A stream that stays silent is an error.
    pub(crate) async fn drain<T>(
        &self,
        what: impl Display,
        stream: impl Stream<Item = Result<T, ApiError>>,
        mut each: impl FnMut(T),
    ) -> Result<(), EngineError> {
        let mut stream = std::pin::pin!(stream);
        loop {
            match tokio::time::timeout(STREAM_PATIENCE, stream.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(item))) => each(item),
                Ok(Some(Err(error))) => return Err(EngineError::api(what, error)),
                Err(_) => {
                    return Err(EngineError::Silent {
                        host: self.info.host.clone(),
                        what: what.to_string(),
                        seconds: STREAM_PATIENCE.as_secs(),
                    });
                }
            }
        }
    }

    /// A client for requests whose answer begins only after long work, such as a build.
    pub(crate) fn patient(&self) -> Docker {
        self.docker.clone().with_timeout(STREAM_PATIENCE)
    }
}

impl EngineInfo {
    fn new(host: String, api: String, system: SystemInfo) -> Self {
        let options = system.security_options.unwrap_or_default();
        let has = |name: &str| {
            options
                .iter()
                .any(|option| option.split(',').any(|part| part == name || part == format!("name={name}")))
        };
        Self {
            host,
            id: system.id.unwrap_or_default(),
            version: system.server_version.unwrap_or_default(),
            api,
            storage_driver: system.driver.unwrap_or_default(),
            cgroup: match system.cgroup_version {
                Some(SystemInfoCgroupVersionEnum::_2) => CgroupVersion::V2,
                _ => CgroupVersion::V1,
            },
            rootless: has("rootless"),
            userns: has("userns"),
            seccomp: has("seccomp"),
            kernel: system.kernel_version.unwrap_or_default(),
            cpus: system.ncpu.and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1),
            memory_mib: system.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0) >> 20,
            limits_memory: system.memory_limit.unwrap_or(false),
            limits_pids: system.pids_limit.unwrap_or(false),
        }
    }

    /// Whether every read of a file in an image passes through a process of its own, so that programs start faster
    /// from a volume. Measured on fuse-overlayfs: 0.90 against 0.74 ms for a C program, 9.2 against 7.8 ms for
    /// Python. Drivers that copy whole images (vfs) are slow to create containers, which a volume does not help.
    pub fn slow_reads(&self) -> bool {
        self.storage_driver == "fuse-overlayfs"
    }

    /// Whether the root file system of containers stays writable, so that the agent can take from the group of `/`
    /// its rights. While it has some, the kernel asks the storage's process for the access control list of `/` each
    /// time that a program looks up an absolute path, about 85 times in one start of Python. With both processors
    /// busy that start takes 15.8 ms asked so, and 12.3 ms without.
    ///
    /// Programs cannot write to the root all the same: images are sealed, on every engine. Where a read-only mount
    /// costs nothing, it guards the root as well.
    pub fn keeps_root_writable(&self) -> bool {
        self.slow_reads()
    }

    /// What this engine cannot do that judging relies on, in words for the log and for `status`.
    pub fn shortcomings(&self) -> Vec<String> {
        let mut list = Vec::new();
        if !self.limits_memory {
            list.push("the engine does not enforce memory limits (a rootless engine needs cgroup v2 with delegation)".into());
        }
        if !self.limits_pids {
            list.push("the engine does not limit the number of processes (a rootless engine needs cgroup v2 with delegation)".into());
        }
        if !self.seccomp {
            list.push("the engine applies no seccomp filter: programs can reach more of the kernel than they should".into());
        }
        list
    }
}

/// The default socket; where there is none, a rootless engine's.
fn default_host() -> String {
    let system = Path::new("/var/run/docker.sock");
    let rootless = std::env::var_os("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("docker.sock"));
    let socket = match &rootless {
        Some(rootless) if !system.exists() && rootless.exists() => rootless,
        _ => system,
    };
    format!("unix://{}", socket.display())
}

/// Makes a client, after a first connection whose error says precisely what is wrong: the client library reports
/// all of them as one.
async fn dial(host: &str) -> Result<Docker, EngineError> {
    let seconds = PATIENCE.as_secs();
    let broken = |source: ApiError| EngineError::api("connect", source);
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => EngineError::Missing { host: host.into() },
        io::ErrorKind::PermissionDenied => EngineError::Permission { host: host.into() },
        io::ErrorKind::ConnectionRefused => EngineError::Stopped { host: host.into() },
        _ => EngineError::Broken { what: "connect".into(), source: Box::new(error) },
    };
    let silent = |_| EngineError::Silent { host: host.into(), what: "connecting".into(), seconds };
    if let Some(path) = host.strip_prefix("unix://") {
        let first = tokio::net::UnixStream::connect(path);
        tokio::time::timeout(PATIENCE, first).await.map_err(silent)?.map_err(refused)?;
        Docker::connect_with_unix(host, seconds, API_DEFAULT_VERSION).map_err(broken)
    } else if let Some(address) = host.strip_prefix("tcp://").or_else(|| host.strip_prefix("http://")) {
        let first = tokio::net::TcpStream::connect(address.trim_end_matches('/').to_owned());
        tokio::time::timeout(PATIENCE, first).await.map_err(silent)?.map_err(refused)?;
        Docker::connect_with_http(host, seconds, API_DEFAULT_VERSION).map_err(broken)
    } else {
        Err(EngineError::Address { host: host.into() })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    fn socket() -> (tempfile::TempDir, PathBuf, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let host = format!("unix://{}", path.display());
        (dir, path, host)
    }

    #[tokio::test]
    async fn the_real_engine_says_what_it_is() {
        let engine = Engine::connect(None).await.unwrap();
        let info = engine.info();
        assert!(!info.storage_driver.is_empty() && info.cpus > 0 && info.memory_mib > 0, "{info:?}");
        engine.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_missing_socket_is_told_apart_from_one_that_nobody_listens_on() {
        let (_dir, path, host) = socket();
        let error = Engine::connect(Some(&host)).await.unwrap_err();
        assert!(matches!(error, EngineError::Missing { .. }), "{error}");
        drop(UnixListener::bind(&path).unwrap());
        let error = Engine::connect(Some(&host)).await.unwrap_err();
        assert!(matches!(error, EngineError::Stopped { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_another_kind_is_refused() {
        let error = Engine::connect(Some("ssh://somewhere")).await.unwrap_err();
        assert!(matches!(error, EngineError::Address { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_old_engine_is_named_with_its_version() {
        let (_dir, path, host) = socket();
        let listener = UnixListener::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    if connection.read(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                    let body = r#"{"ApiVersion":"1.40","Version":"19.03"}"#;
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
                    let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
                    connection.write_all(answer.as_bytes()).await.unwrap();
                });
            }
        });
        let error = Engine::connect(Some(&host)).await.unwrap_err();
        assert!(matches!(&error, EngineError::TooOld { api, .. } if api == "1.40"), "{error}");
    }

    #[test]
    fn rootless_and_user_namespaces_are_read_from_the_security_options() {
        let system = |options: &[&str]| SystemInfo {
            security_options: Some(options.iter().map(|&option| option.to_owned()).collect()),
            cgroup_version: Some(SystemInfoCgroupVersionEnum::_2),
            ..SystemInfo::default()
        };
        let info = EngineInfo::new(
            String::new(),
            String::new(),
            system(&["name=seccomp,profile=default", "name=rootless"]),
        );
        assert!(info.rootless && info.seccomp && !info.userns);
        assert_eq!(info.cgroup, CgroupVersion::V2);
        assert_eq!(info.shortcomings().len(), 2);
        let info = EngineInfo::new(String::new(), String::new(), system(&["userns"]));
        assert!(info.userns && !info.rootless && !info.seccomp);
    }
}
