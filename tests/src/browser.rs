//! A real browser without a window: one that is installed, else Debian's in an image of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Ran, say};

const IMAGE: &str = "codementor-test-browser";
const DOCKERFILE: &str = "FROM debian:trixie-slim\n\
    RUN apt-get update && apt-get install --yes --no-install-recommends chromium-headless-shell \
    && rm -rf /var/lib/apt/lists/*\n\
    ENTRYPOINT [\"chromium-headless-shell\"]\n";
const ARGUMENTS: [&str; 4] = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

/// What a browser makes of a page: its document, once everything in it has been read and run.
#[track_caller]
pub fn document(page: &Path, profile: &Path) -> String {
    if let Some(browser) = installed() {
        let mut command = Command::new(browser);
        command.args(ARGUMENTS).arg(format!("--user-data-dir={}", profile.display()));
        return Ran::of(command.arg("--dump-dom").arg(format!("file://{}", page.display())))
            .expect_code(0)
            .stdout;
    }
    // What is built already costs a moment.
    let mut build = Command::new("docker");
    build.args(["build", "--tag", IMAGE, "-"]).stdin(Stdio::piped());
    let mut child = build.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(|error| {
        panic!("a page is looked at with chromium, or with one in a container: install either ({error})")
    });
    say(&mut child, DOCKERFILE);
    drop(child.stdin.take());
    Ran::awaited(child).expect_code(0);
    let mut run = Command::new("docker");
    run.args(["run", "--rm", "--network", "none", "--volume"])
        .arg(format!("{}:/page.html:ro", page.display()));
    Ran::of(run.arg(IMAGE).args(ARGUMENTS).args(["--dump-dom", "file:///page.html"])).expect_code(0).stdout
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|path| path.is_file())
}
