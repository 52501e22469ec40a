//! Copies of an image's `/usr` in a volume, for engines whose storage driver passes every read through a process of
//! its own.
//!
//! The engine fills an empty volume from the image when a container is created with it. A crash can leave it half
//! full, so a second, empty volume is made afterwards, and only the two together count.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, VolumeCreateRequest};
use bollard::query_parameters::{CreateContainerOptions, ListVolumesOptionsBuilder, RemoveVolumeOptions};

use super::Names;
use crate::container::{self, ROLE_LABEL};
use crate::engine::{Engine, EngineError};

/// Whether the copy is there and complete.
pub(super) async fn filled(engine: &Engine, names: &Names) -> Result<bool, EngineError> {
    Ok(exists(engine, &names.usr_marker).await? && exists(engine, &names.usr_volume).await?)
}

/// Makes the copy, unless it is there. The caller holds the language's lock.
pub(super) async fn fill(engine: &Engine, names: &Names) -> Result<(), EngineError> {
    if filled(engine, names).await? {
        return Ok(());
    }
    remove(engine, &names.usr_marker).await?;
    remove(engine, &names.usr_volume).await?;
    create(engine, &names.usr_volume).await?;
    let mount = Mount {
        typ: Some(MountType::VOLUME),
        source: Some(names.usr_volume.clone()),
        target: Some("/usr".into()),
        ..Mount::default()
    };
    let body = ContainerCreateBody {
        image: Some(names.toolchain.clone()),
        entrypoint: Some(vec!["/usr/bin/true".into()]),
        network_disabled: Some(true),
        labels: Some(HashMap::from([(ROLE_LABEL.into(), "usr".into())])),
        host_config: Some(HostConfig { mounts: Some(vec![mount]), ..HostConfig::default() }),
        ..ContainerCreateBody::default()
    };
    // The engine answers when the copy is complete, which for a large toolchain takes seconds.
    let docker = engine.patient();
    let create_container = docker.create_container(None::<CreateContainerOptions>, body);
    let made = engine.call_patiently("copy an image's programs to a volume", create_container).await?;
    container::remove(engine, &made.id).await?;
    create(engine, &names.usr_marker).await
}

/// Removes the copies that belong to none of `keep`, whose name `matches`, and that no container uses.
pub(super) async fn prune(
    engine: &Engine,
    keep: &[Names],
    matches: impl Fn(&str) -> bool,
) -> Result<usize, EngineError> {
    let filters = HashMap::from([("label", vec![format!("{ROLE_LABEL}=usr")])]);
    let options = ListVolumesOptionsBuilder::new().filters(&filters).build();
    let list = engine.call("list volumes", engine.docker().list_volumes(Some(options))).await?;
    let mut removed = 0;
    for volume in list.volumes.unwrap_or_default() {
        let current = keep.iter().any(|n| n.usr_volume == volume.name || n.usr_marker == volume.name);
        if !current && matches(&volume.name) && remove(engine, &volume.name).await? {
            removed += 1;
        }
    }
    Ok(removed)
}

async fn exists(engine: &Engine, name: &str) -> Result<bool, EngineError> {
    match engine.call("describe a volume", engine.docker().inspect_volume(name)).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_missing() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn create(engine: &Engine, name: &str) -> Result<(), EngineError> {
    let request = VolumeCreateRequest {
        name: Some(name.into()),
        labels: Some(HashMap::from([(ROLE_LABEL.into(), "usr".into())])),
        ..VolumeCreateRequest::default()
    };
    engine.call("make a volume", engine.docker().create_volume(request)).await.map(drop)
}

/// Whether there was one to remove. One that a container uses stays.
async fn remove(engine: &Engine, name: &str) -> Result<bool, EngineError> {
    let remove = engine.docker().remove_volume(name, None::<RemoveVolumeOptions>);
    match engine.call("remove a volume", remove).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_missing() || error.is_conflict() => Ok(false),
        Err(error) => Err(error),
    }
}
