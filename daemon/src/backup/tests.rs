use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::nats::auth::Keys;
use crate::store::Store;

/// A data directory with a database, keys, a configuration and two packages.
async fn server() -> (tempfile::TempDir, Paths) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    let paths =
        Paths { config: data.join("config.toml"), cache: dir.path().join("cache"), data: data.clone() };
    let store = Store::open(&paths.database()).expect("opens");
    store
        .write(|db| {
            db.execute("INSERT INTO users (name, created) VALUES ('kim', 0)", [])?;
            db.execute(
                "INSERT INTO outbox (submission, generation, user, lane, since, sequence)
                 VALUES (1, 0, 'kim', 0, 0, 7)",
                [],
            )?;
            Ok(())
        })
        .await
        .expect("is written");
    Keys::load_or_create(&paths.keys()).expect("keys");
    fs::write(&paths.config, format!("# ours\ndata_dir = \"{}\"\nslots = 1\n", data.display()))
        .expect("is written");
    fs::create_dir_all(paths.packages()).expect("is made");
    for letter in ["a", "b"] {
        let name = format!("{}.zip", letter.repeat(64));
        fs::write(paths.packages().join(name), letter.repeat(1000)).expect("is written");
    }
    fs::write(paths.packages().join("half.part"), "not yet").expect("is written");
    (dir, paths)
}

#[tokio::test]
async fn what_was_backed_up_comes_back() {
    let (dir, paths) = server().await;
    let file = dir.path().join("backup.tar");
    let made = backup(&paths, &file).expect("is backed up");
    assert_eq!(made.files, 5);
    assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);
    let leftovers = fs::read_dir(dir.path()).expect("is listed").filter_map(Result::ok);
    let hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(".codementor");
    assert_eq!(leftovers.filter(hidden).count(), 0);
    let error = backup(&paths, &file).expect_err("is not overwritten").to_string();
    assert!(error.contains("exists already"), "{error}");

    let other = dir.path().join("other");
    assert_eq!(restore(&file, &other).expect("is restored"), 5);
    assert_eq!(fs::metadata(&other).expect("is there").permissions().mode() & 0o777, 0o700);
    let same = |name: &str| fs::read(paths.data.join(name)).ok() == fs::read(other.join(name)).ok();
    assert!(same("keys/keys.json") && same(&format!("packages/{}.zip", "a".repeat(64))));
    let config = fs::read_to_string(other.join("config.toml")).expect("is there");
    assert!(config.contains(&format!("data_dir = \"{}\"\nslots", other.display())), "{config}");
    let store = Store::open(&other.join("codementor.db")).expect("opens");
    let row = store.read(|db| {
        Ok(db.query_row("SELECT sequence, generation FROM outbox WHERE submission = 1", [], |row| {
            Ok((row.get::<_, Option<u64>>(0)?, row.get::<_, u64>(1)?))
        })?)
    });
    // The stream that it lay in is not the new server's.
    assert_eq!(row.await.expect("reads"), (None, 1));

    let error = restore(&file, &other).expect_err("is not empty").to_string();
    assert!(error.contains("not empty"), "{error}");
}

#[tokio::test]
async fn a_backup_that_is_not_whole_is_named_and_leaves_nothing() {
    let (dir, paths) = server().await;
    let file = dir.path().join("backup.tar");
    backup(&paths, &file).expect("is backed up");
    let bytes = fs::read(&file).expect("is read");
    let broken = dir.path().join("broken.tar");
    let target = dir.path().join("target");
    let try_with = |bytes: &[u8]| {
        fs::write(&broken, bytes).expect("is written");
        let error = restore(&broken, &target).expect_err("is refused");
        assert_eq!(fs::read_dir(&target).map_or(0, Iterator::count), 0, "{error}");
        error
    };
    assert!(matches!(try_with(b""), RestoreError::NoBackup(_)));
    assert!(matches!(try_with(b"something else"), RestoreError::NoBackup(_)));
    // Wherever it is cut off before its list of files.
    let list = find(&bytes, MANIFEST.as_bytes()).expect("is there");
    for cut in [700, 1024, 1300, bytes.len() / 3, bytes.len() / 2, list, list + 512, list + 600] {
        let error = try_with(&bytes[..cut]);
        assert!(
            matches!(error, RestoreError::Truncated { .. } | RestoreError::Damaged { .. }),
            "{cut}: {error}"
        );
    }
    let mut flipped = bytes.clone();
    let place = find(&bytes, &[b'a'; 1000]).expect("the package is there");
    flipped[place + 10] ^= 1;
    let error = try_with(&flipped).to_string();
    assert!(error.contains("packages/aaa") && error.contains("not what was backed up"), "{error}");

    let mut newer = bytes.clone();
    newer[512] = b'9';
    assert!(matches!(try_with(&newer), RestoreError::TooNew { .. }));
}

#[test]
fn only_files_of_a_server_are_written() {
    for name in ["codementor.db", "keys/keys.json", &format!("packages/{}.zip", "0a".repeat(32))] {
        assert!(restore::is_ours(name), "{name}");
    }
    for name in
        ["../x", "/etc/passwd", "keys/other", "packages/../../x.zip", "packages/a.zip", "packages/", ""]
    {
        assert!(!restore::is_ours(name), "{name}");
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
