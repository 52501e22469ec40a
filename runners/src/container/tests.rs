//! Real containers on the real engine.

use std::time::Instant;

use bollard::query_parameters::WaitContainerOptions;
use futures::TryStreamExt;
use tokio::io::AsyncWriteExt;

use super::*;
use crate::image::Images;
use crate::image::tests::instance;

/// What a script did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a shell script as an unprivileged user in a container that is otherwise a sandbox.
pub(crate) async fn run_script(images: &Images, image: &Image, script: &str, input: &str) -> Ran {
    let instance = instance();
    let mut body = body(&ContainerSpec::new(image, &instance));
    body.user = Some("23456:23456".into());
    body.working_dir = Some("/work".into());
    body.entrypoint = Some(vec!["/bin/sh".into(), "-c".into(), script.into()]);
    let mut container = launch(images.engine(), body).await.unwrap();
    container.stdin.write_all(input.as_bytes()).await.unwrap();
    container.stdin.shutdown().await.unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(output) = container.output.try_next().await.unwrap() {
        match output {
            ContainerOutput::Stdout(bytes) => stdout.extend_from_slice(&bytes),
            ContainerOutput::Stderr(bytes) => stderr.extend_from_slice(&bytes),
        }
    }
    let docker = images.engine().docker();
    let mut wait = docker.wait_container(&container.id, None::<WaitContainerOptions>);
    let code = match wait.next().await.unwrap() {
        Ok(done) => done.status_code,
        Err(bollard::errors::Error::DockerContainerWaitError { code, .. }) => code,
        Err(error) => panic!("{error}"),
    };
    container.control.remove().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code, stdout: text(stdout), stderr: text(stderr) }
}
