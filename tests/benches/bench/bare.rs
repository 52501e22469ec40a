//! The bare side: the programs of this host, by absolute path, without a shell.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The path of a program in the system's own directories. What a user has put before them on PATH, such as a shim that
/// chooses a version, would be timed with it.
pub(crate) fn program(name: &str) -> PathBuf {
    ["/usr/bin", "/usr/local/bin", "/bin"]
        .iter()
        .map(|directory| Path::new(directory).join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("the bare side needs {name} in /usr/bin"))
}

/// Runs a command to its end with this input, and says how long that took. The output must be as expected.
pub(crate) fn run(command: &mut Command, input: &[u8], expected: &[u8]) -> Duration {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    // A program that reads nothing may have ended.
    let _ = child.stdin.take().expect("is a pipe").write_all(input);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    assert_eq!(output.stdout.trim_ascii_end(), expected.trim_ascii_end(), "{command:?}");
    start.elapsed()
}
