//! Real containers on the real engine.

use std::time::Duration;

use bollard::query_parameters::WaitContainerOptions;
use futures::TryStreamExt;
use tokio::io::AsyncWriteExt;

use super::*;
use crate::image::Images;
use crate::image::tests::{images, instance};
use crate::language::Languages;
use crate::progress::Quiet;

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
    let mut body = body(images.engine(), &ContainerSpec::new(image, &instance));
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

/// An image with a shell.
async fn python() -> (Images, Image) {
    let images = images().await;
    let languages = Languages::load(None).unwrap();
    let image = images.ready(languages.by_name("python3").unwrap(), &Quiet).await.unwrap();
    (images, image)
}

/// A container in which a shell stands where the agent would.
async fn shell(images: &Images, spec: &ContainerSpec<'_>, script: &str) -> Container {
    let mut body = body(images.engine(), spec);
    body.entrypoint = Some(vec!["/bin/sh".into(), "-c".into(), script.into()]);
    launch(images.engine(), body).await.unwrap()
}

async fn stdout(container: &mut Container, until: usize) -> String {
    let mut text = Vec::new();
    while text.len() < until {
        match container.output.try_next().await.unwrap() {
            Some(ContainerOutput::Stdout(bytes)) => text.extend_from_slice(&bytes),
            Some(ContainerOutput::Stderr(bytes)) => panic!("{}", String::from_utf8_lossy(&bytes)),
            None => break,
        }
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_itself_locked_in() {
    let (images, image) = python().await;
    let script = r#"
        exec 2>&1
        id -u
        grep -E '^(CapEff|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\t '
        touch /x && echo root is writable
        touch /usr/x && echo usr is writable
        ls /codementor /inputs/ && echo inputs are readable
        cat /codementor-agent > /dev/null && echo the agent is readable
        ls /sys/class/net
        ulimit -c
        hostname
        cp /bin/true /work/true && /work/true && echo work runs
        cp /bin/true /tmp/true && ! /tmp/true && echo tmp does not
        true
    "#;
    let ran = run_script(&images, &image, script, "").await;
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.contains(": ")).collect();
    assert_eq!(
        lines,
        [
            "23456",
            "CapPrm:0000000000000000",
            "CapEff:0000000000000000",
            "NoNewPrivs:1",
            "Seccomp:2",
            "lo",
            "0",
            "sandbox",
            "work runs",
            "tmp does not"
        ],
        "{ran:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_root_has_three_capabilities_and_reads_the_inputs() {
    let (images, image) = python().await;
    let instance = instance();
    let inputs = tempfile::tempdir().unwrap();
    std::fs::write(inputs.path().join("abc"), "input").unwrap();
    std::os::unix::fs::chown(inputs.path(), Some(0), Some(0)).ok();
    let spec = ContainerSpec { inputs: Some(inputs.path()), ..ContainerSpec::new(&image, &instance) };
    let script = "cat /inputs/abc; echo; touch /inputs/x 2> /dev/null || echo read-only; grep CapEff /proc/self/status";
    let mut container = shell(&images, &spec, script).await;
    // SETUID, SETGID and KILL are numbers 7, 6 and 5.
    assert_eq!(stdout(&mut container, usize::MAX).await, "input\nread-only\nCapEff:\t00000000000000e0\n");
    container.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_attached_from_the_first_byte_to_the_last() {
    let (images, image) = python().await;
    let instance = instance();
    let mut container = shell(&images, &ContainerSpec::new(&image, &instance), "echo first; exec cat").await;
    assert_eq!(stdout(&mut container, 6).await, "first\n");
    let data = vec![b'x'; 4 << 20];
    let (mut stdin, mut output) = (container.stdin, container.output);
    let write = async {
        stdin.write_all(&data).await.unwrap();
        stdin.shutdown().await.unwrap();
    };
    let read = async {
        let mut total = 0;
        while let Some(ContainerOutput::Stdout(bytes)) = output.try_next().await.unwrap() {
            total += bytes.len();
        }
        total
    };
    // The end of standard input ends cat, and with it the container and its output.
    assert_eq!(tokio::join!(write, read).1, data.len());
    container.control.remove().await.unwrap();
    container.control.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_limit_holds_and_can_be_changed() {
    let (images, image) = python().await;
    let instance = instance();
    let spec = ContainerSpec { memory_mib: 64, ..ContainerSpec::new(&image, &instance) };
    let allocate = "exec 2> /dev/null; read line; /usr/bin/python3 -c 'x = bytearray(100 << 20)'; echo $?";
    let mut container = shell(&images, &spec, allocate).await;
    container.stdin.write_all(b"go\n").await.unwrap();
    assert_eq!(stdout(&mut container, 4).await, "137\n");
    // The engine notes it when it has seen the container end.
    let noticed = async { while !container.inspect_oom().await.unwrap() {} };
    tokio::time::timeout(Duration::from_secs(30), noticed).await.unwrap();
    container.remove().await.unwrap();
    let mut container = shell(&images, &spec, allocate).await;
    container.set_memory(256).await.unwrap();
    container.stdin.write_all(b"go\n").await.unwrap();
    assert_eq!(stdout(&mut container, 2).await, "0\n");
    assert!(!container.inspect_oom().await.unwrap());
    container.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_containers_of_dead_instances_are_removed() {
    let (images, image) = python().await;
    let engine = images.engine();
    let (dead, alive) = (instance(), instance());
    let mut lost = shell(&images, &ContainerSpec::new(&image, &dead), "exec cat").await;
    let mut kept = shell(&images, &ContainerSpec::new(&image, &alive), "exec cat").await;
    // Other tests' instances, and other people's, must live through this one.
    let removed = remove_strays(engine, |instance, _| instance != dead.as_str()).await.unwrap();
    assert_eq!(removed, 1);
    let ended = tokio::time::timeout(Duration::from_secs(30), stdout(&mut lost, 1)).await.unwrap();
    assert_eq!(ended, "", "the output of a removed container ends");
    kept.stdin.write_all(b"alive").await.unwrap();
    assert_eq!(stdout(&mut kept, 5).await, "alive");
    kept.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_cannot_start_leaves_nothing_behind() {
    let (images, image) = python().await;
    let instance = instance();
    let mut body = body(images.engine(), &ContainerSpec::new(&image, &instance));
    body.entrypoint = Some(vec!["/no/such/program".into()]);
    assert!(launch(images.engine(), body).await.is_err());
    let filters = HashMap::from([("label", vec![format!("{INSTANCE_LABEL}={instance}")])]);
    let options =
        bollard::query_parameters::ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let left = images.engine().docker().list_containers(Some(options)).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}
