//! Copying one file out of an image, through the engine.

use std::collections::HashMap;
use std::io::Read;

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, CreateImageOptionsBuilder, DownloadFromContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptions,
};
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};

use super::MAX_PROGRAM;

/// What can copy a file out of an image.
pub trait ImageFile: Send + Sync {
    /// The first of `paths` that the image has, as bytes. The image is pulled where it is not there yet, and what
    /// was made for the copying is removed again.
    fn copy_from_image<'a>(
        &'a self,
        image: &'a str,
        paths: &'a [&'a str],
        progress: &'a (dyn Fn(Pull) + Send + Sync),
    ) -> BoxFuture<'a, Result<Vec<u8>, ImageError>>;
}

/// How far a pull is, in bytes, over the layers that are known so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pull {
    /// What has arrived.
    pub done: u64,
    /// What is to arrive.
    pub total: u64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The image cannot be had.
    #[error("it cannot be pulled: {0}")]
    Pull(#[source] bollard::errors::Error),
    /// The engine does not do what it is asked.
    #[error("the engine fails: {0}")]
    Engine(#[from] bollard::errors::Error),
    /// What the engine sends is no file.
    #[error("what the engine copied cannot be read: {0}")]
    Archive(#[from] std::io::Error),
    /// None of the paths is there.
    #[error("it has no file {0}")]
    Missing(String),
    /// The file is larger than any server program.
    #[error("its file is larger than {MAX_PROGRAM} bytes")]
    TooLarge,
}

impl ImageFile for Docker {
    fn copy_from_image<'a>(
        &'a self,
        image: &'a str,
        paths: &'a [&'a str],
        progress: &'a (dyn Fn(Pull) + Send + Sync),
    ) -> BoxFuture<'a, Result<Vec<u8>, ImageError>> {
        async move {
            let pulled = self.inspect_image(image).await.is_err();
            if pulled {
                pull(self, image, progress).await.map_err(ImageError::Pull)?;
            }
            let copied = copy(self, image, paths).await;
            if pulled {
                // It was here for the copying only; that it stays does not spoil what was copied.
                let _ = self.remove_image(image, None::<RemoveImageOptions>, None).await;
            }
            copied
        }
        .boxed()
    }
}

async fn pull(
    docker: &Docker,
    image: &str,
    progress: &(dyn Fn(Pull) + Send + Sync),
) -> Result<(), bollard::errors::Error> {
    let options = CreateImageOptionsBuilder::default().from_image(image).build();
    let mut steps = docker.create_image(Some(options), None, None);
    let mut layers: HashMap<String, Pull> = HashMap::new();
    while let Some(step) = steps.try_next().await? {
        let (Some(layer), Some(detail)) = (step.id, step.progress_detail) else { continue };
        let (Some(done), Some(total)) = (detail.current, detail.total) else { continue };
        let (done, total) = (done.try_into().unwrap_or(0), total.try_into().unwrap_or(0));
        layers.insert(layer, Pull { done, total });
        progress(Pull {
            done: layers.values().map(|layer| layer.done).sum(),
            total: layers.values().map(|layer| layer.total).sum(),
        });
    }
    Ok(())
}

/// Copies through a container that is never started.
async fn copy(docker: &Docker, image: &str, paths: &[&str]) -> Result<Vec<u8>, ImageError> {
    let body = ContainerCreateBody {
        image: Some(image.into()),
        // An image without a command needs one, though it is never run.
        cmd: Some(vec![paths.first().copied().unwrap_or("/").into()]),
        labels: Some(HashMap::from([("codementor.role".into(), "build".into())])),
        ..Default::default()
    };
    let container = docker.create_container(None::<CreateContainerOptions>, body).await?.id;
    let mut found = Err(ImageError::Missing(paths.join(" or ")));
    for path in paths {
        found = download(docker, &container, path).await;
        if !matches!(found, Err(ImageError::Missing(_))) {
            break;
        }
    }
    let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    docker.remove_container(&container, Some(force)).await?;
    found
}

async fn download(docker: &Docker, container: &str, path: &str) -> Result<Vec<u8>, ImageError> {
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let mut stream = std::pin::pin!(docker.download_from_container(container, Some(options)));
    let mut archive = Vec::new();
    loop {
        match stream.try_next().await {
            Ok(Some(bytes)) => archive.extend_from_slice(&bytes),
            Ok(None) => break,
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {
                return Err(ImageError::Missing(path.into()));
            }
            Err(error) => return Err(error.into()),
        }
        if archive.len() as u64 > MAX_PROGRAM {
            return Err(ImageError::TooLarge);
        }
    }
    for entry in tar::Archive::new(archive.as_slice()).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
    Err(ImageError::Missing(path.into()))
}
