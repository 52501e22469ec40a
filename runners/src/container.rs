//! One container: created locked down, attached before it starts, removed by whoever made it.
//!
//! Nothing is ever executed in a container from outside: one program, the agent, is its first process, and all that
//! happens inside is said over the stream that is attached before it starts.

mod strays;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::pin::Pin;

use bollard::container::{AttachContainerResults, LogOutput};
use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, HostConfig, HostConfigLogConfig, Mount, MountType,
    MountVolumeOptions, ResourcesUlimits,
};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptions, InspectContainerOptions,
    RemoveContainerOptionsBuilder, StartContainerOptions,
};
use bytes::Bytes;
use codementor_protocol::InstanceId;
use futures::{Stream, StreamExt};
use tokio::io::AsyncWrite;

use crate::engine::{Engine, EngineError};
use crate::image::{AGENT_PATH, INPUTS_MOUNT, Image};

pub use strays::remove_strays;

/// The label with the instance that a container belongs to.
pub const INSTANCE_LABEL: &str = "codementor.instance";
/// The label with the file that its owner holds locked for as long as it lives.
pub const LOCK_LABEL: &str = "codementor.lock";
/// The label with what a container is for.
pub const ROLE_LABEL: &str = "codementor.role";

/// What root in a container may do; the agent needs it to become other users, and to end their processes. Programs
/// run as other users and have none of it.
const CAPABILITIES: [&str; 3] = ["SETUID", "SETGID", "KILL"];

/// What a container is made of.
#[derive(Debug, Clone)]
pub struct ContainerSpec<'a> {
    /// What it runs.
    pub image: &'a Image,
    /// The daemon that it belongs to.
    pub instance: &'a InstanceId,
    /// The file that the daemon holds locked for as long as it lives: others tell by it whether this is a stray.
    pub lock: Option<&'a Path>,
    /// A directory of the engine's host that the agent finds at `/inputs`, read-only.
    pub inputs: Option<&'a Path>,
    /// The memory of everything in it together, tmpfs included. There is no swap.
    pub memory_mib: u64,
    /// How many processes and threads there can be in it, the agent's own included.
    pub pids: u32,
    /// The size of the work space.
    pub work_mib: u64,
    /// The size of `/tmp`.
    pub tmp_mib: u64,
    /// The size of `/dev/shm`.
    pub shm_mib: u64,
}

impl<'a> ContainerSpec<'a> {
    /// A container of usual size.
    pub fn new(image: &'a Image, instance: &'a InstanceId) -> Self {
        Self {
            image,
            instance,
            lock: None,
            inputs: None,
            memory_mib: 2048,
            pids: 256,
            work_mib: 256,
            tmp_mib: 64,
            shm_mib: 64,
        }
    }
}

/// A container that has started. Dropping it leaves it running, to be found by [`remove_strays`]: end it with
/// [`Container::remove`].
pub struct Container {
    /// The engine's id of it.
    pub id: String,
    /// The agent's standard input. Closing it ends the agent, and with it the container.
    pub stdin: Pin<Box<dyn AsyncWrite + Send>>,
    /// What the agent writes. It ends when the container does.
    pub output: Pin<Box<dyn Stream<Item = io::Result<ContainerOutput>> + Send>>,
    /// Changes and removes it; can be cloned and kept apart from the streams.
    pub control: ContainerControl,
}

/// One piece of what a container's first process wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerOutput {
    /// On standard output.
    Stdout(Bytes),
    /// On standard error.
    Stderr(Bytes),
}

/// A started container without its streams.
#[derive(Debug, Clone)]
pub struct ContainerControl {
    engine: Engine,
    id: String,
}

/// Creates a container, attaches to it, and starts it.
pub async fn create(engine: &Engine, spec: &ContainerSpec<'_>) -> Result<Container, EngineError> {
    launch(engine, body(engine, spec)).await
}

async fn launch(engine: &Engine, body: ContainerCreateBody) -> Result<Container, EngineError> {
    let docker = engine.docker();
    let created = docker.create_container(None::<CreateContainerOptions>, body);
    let id = engine.call("create a container", created).await?.id;
    let control = ContainerControl { engine: engine.clone(), id: id.clone() };
    match attach_and_start(engine, &id).await {
        Ok(AttachContainerResults { output, input }) => {
            let output = output.filter_map(|item| async move {
                match item {
                    Ok(LogOutput::StdOut { message }) => Some(Ok(ContainerOutput::Stdout(message))),
                    Ok(LogOutput::StdErr { message }) => Some(Ok(ContainerOutput::Stderr(message))),
                    Ok(LogOutput::StdIn { .. } | LogOutput::Console { .. }) => None,
                    Err(error) => Some(Err(io::Error::other(error))),
                }
            });
            Ok(Container { id, stdin: input, output: Box::pin(output), control })
        }
        Err(error) => {
            // It never ran; the error that kept it from running is the one to report.
            let _ = control.remove().await;
            Err(error)
        }
    }
}

async fn attach_and_start(engine: &Engine, id: &str) -> Result<AttachContainerResults, EngineError> {
    let docker = engine.docker();
    let streams =
        AttachContainerOptionsBuilder::new().stream(true).stdin(true).stdout(true).stderr(true).build();
    // Attached first, so that nothing that the agent says can be lost.
    let attached = engine.call("attach to a container", docker.attach_container(id, Some(streams))).await?;
    engine.call("start a container", docker.start_container(id, None::<StartContainerOptions>)).await?;
    Ok(attached)
}

impl Container {
    /// See [`ContainerControl::set_memory`].
    pub async fn set_memory(&self, memory_mib: u64) -> Result<(), EngineError> {
        self.control.set_memory(memory_mib).await
    }

    /// See [`ContainerControl::inspect_oom`].
    pub async fn inspect_oom(&self) -> Result<bool, EngineError> {
        self.control.inspect_oom().await
    }

    /// See [`ContainerControl::remove`].
    pub async fn remove(self) -> Result<(), EngineError> {
        self.control.remove().await
    }
}

impl ContainerControl {
    /// The engine's id of the container.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Changes the memory limit. Lowering it below what is in use fails on cgroup v1, and on v2 ends processes.
    pub async fn set_memory(&self, memory_mib: u64) -> Result<(), EngineError> {
        let bytes = Some(mib(memory_mib));
        let body =
            ContainerUpdateBody { memory: bytes, memory_swap: bytes, ..ContainerUpdateBody::default() };
        let update = self.engine.docker().update_container(&self.id, body);
        self.engine.call("change a container's memory limit", update).await
    }

    /// Whether the kernel ended a process of the container for want of memory. The engine says so only when it has
    /// seen the container end, a moment after its output does; the agent sees it at once.
    pub async fn inspect_oom(&self) -> Result<bool, EngineError> {
        let inspect = self.engine.docker().inspect_container(&self.id, None::<InspectContainerOptions>);
        let state = self.engine.call("describe a container", inspect).await?.state;
        Ok(state.and_then(|state| state.oom_killed).unwrap_or(false))
    }

    /// Ends everything in the container and removes it. A container that is gone already is no error.
    pub async fn remove(&self) -> Result<(), EngineError> {
        remove(&self.engine, &self.id).await
    }
}

pub(crate) async fn remove(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match engine.call("remove a container", engine.docker().remove_container(id, Some(options))).await {
        Err(error) if error.is_missing() => Ok(()),
        // Somebody else is removing it at this moment.
        Err(error) if error.is_conflict() => Ok(()),
        other => other,
    }
}

fn body(engine: &Engine, spec: &ContainerSpec<'_>) -> ContainerCreateBody {
    let tmpfs = |mib: u64, more: &str| format!("rw,nosuid,nodev,{more},mode=1777,size={mib}m");
    let mut mounts = Vec::new();
    if let Some(inputs) = spec.inputs {
        mounts.push(Mount {
            typ: Some(MountType::BIND),
            source: Some(inputs.display().to_string()),
            target: Some(INPUTS_MOUNT.into()),
            read_only: Some(true),
            ..Mount::default()
        });
    }
    if let Some(volume) = &spec.image.usr_volume {
        mounts.push(Mount {
            typ: Some(MountType::VOLUME),
            source: Some(volume.clone()),
            target: Some("/usr".into()),
            read_only: Some(true),
            // Were the volume gone, the engine would make it anew; it must then not be filled half-way in here.
            volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..MountVolumeOptions::default() }),
            ..Mount::default()
        });
    }
    let host = HostConfig {
        network_mode: Some("none".into()),
        readonly_rootfs: Some(!engine.info().keeps_root_writable()),
        cap_drop: Some(vec!["ALL".into()]),
        cap_add: Some(CAPABILITIES.map(String::from).into()),
        security_opt: Some(vec!["no-new-privileges".into()]),
        pids_limit: Some(spec.pids.into()),
        memory: Some(mib(spec.memory_mib)),
        memory_swap: Some(mib(spec.memory_mib)),
        tmpfs: Some(HashMap::from([
            ("/work".into(), tmpfs(spec.work_mib, "exec")),
            ("/tmp".into(), tmpfs(spec.tmp_mib, "noexec")),
        ])),
        shm_size: Some(mib(spec.shm_mib)),
        ipc_mode: Some("private".into()),
        // The engine would keep a second copy of every byte of every frame.
        log_config: Some(HostConfigLogConfig { typ: Some("none".into()), config: None }),
        ulimits: Some(vec![ResourcesUlimits { name: Some("core".into()), soft: Some(0), hard: Some(0) }]),
        init: Some(false),
        // When the host itself runs out of memory, a sandbox ends before the daemon and what else runs there.
        oom_score_adj: Some(200),
        mounts: Some(mounts),
        ..HostConfig::default()
    };
    let mut labels = HashMap::from([
        (INSTANCE_LABEL.into(), spec.instance.to_string()),
        (ROLE_LABEL.into(), "sandbox".into()),
    ]);
    labels.extend(spec.lock.map(|lock| (LOCK_LABEL.into(), lock.display().to_string())));
    ContainerCreateBody {
        image: Some(spec.image.id.clone()),
        entrypoint: Some(vec![AGENT_PATH.into()]),
        cmd: Some(Vec::new()),
        user: Some("0:0".into()),
        working_dir: Some("/".into()),
        hostname: Some("sandbox".into()),
        network_disabled: Some(true),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        tty: Some(false),
        labels: Some(labels),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

fn mib(mib: u64) -> i64 {
    i64::try_from(mib << 20).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
