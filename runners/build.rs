//! Builds the agent and embeds it, together with the languages.
//!
//! The agent must be static, since it runs in images that hold any C library or none. The flag for that breaks
//! procedural macros when it is set for a whole workspace, so the agent is built by a cargo of its own, into a
//! folder of its own: two cargos on one folder would wait for each other for ever.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(variable("OUT_DIR"));
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    embed_languages(&here.join("languages"), &out.join("languages.rs"));
    embed_agent(&here.join("agent"), &out);
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}

fn embed_agent(agent: &Path, out: &Path) {
    for part in ["Cargo.toml", "src"] {
        println!("cargo::rerun-if-changed={}", agent.join(part).display());
    }
    let target = variable("TARGET");
    let folder = out.join("agent");
    let mut cargo = Command::new(variable("CARGO"));
    // The outer cargo describes the outer build in variables that the inner one would take for its own.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let about_this_build =
            ["CARGO_PKG_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PROFILE_", "DEP_", "CARGO_BUILD_"]
                .iter()
                .any(|prefix| name.starts_with(prefix));
        let by_name = [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_PATH",
            "CARGO_MANIFEST_LINKS",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_MAKEFLAGS",
            "CARGO_CRATE_NAME",
            "CARGO_BIN_NAME",
            "RUSTFLAGS",
            "RUSTC",
            "RUSTDOC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_LINKER",
            "MAKEFLAGS",
            "NUM_JOBS",
            "OPT_LEVEL",
            "DEBUG",
            "PROFILE",
            "HOST",
            "TARGET",
            "OUT_DIR",
        ]
        .contains(&name.as_str());
        if about_this_build || by_name {
            cargo.env_remove(&name);
        }
    }
    cargo
        .args(["build", "--release", "--bins", "--target", &target, "--locked"])
        .arg("--manifest-path")
        .arg(agent.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", "-C target-feature=+crt-static -C relocation-model=static")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")
        .env("CARGO_PROFILE_RELEASE_LTO", "true")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    let status = cargo.status().unwrap_or_else(|error| panic!("cannot run cargo for the agent: {error}"));
    assert!(status.success(), "the agent could not be built: {status}");
    let built = folder.join(&target).join("release").join("codementor-agent");
    fs::copy(&built, out.join("codementor-agent"))
        .unwrap_or_else(|error| panic!("no agent at {}: {error}", built.display()));
}

/// Writes the table of all files below the languages' folders, each with its path and its content.
fn embed_languages(languages: &Path, table: &Path) {
    println!("cargo::rerun-if-changed={}", languages.display());
    let mut files = Vec::new();
    walk(languages, "", &mut files);
    files.sort();
    let mut text = String::from("&[\n");
    for (name, path) in files {
        writeln!(text, "    ({name:?}, include_bytes!({path:?})),")
            .unwrap_or_else(|_| unreachable!("a String grows"));
    }
    text.push_str("]\n");
    fs::write(table, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", table.display()));
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) {
    let items =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    for item in items {
        let item = item.unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
        let name = format!("{prefix}{}", item.file_name().to_string_lossy());
        if item.path().is_dir() {
            walk(&item.path(), &format!("{name}/"), files);
        } else {
            files.push((name, item.path()));
        }
    }
}
