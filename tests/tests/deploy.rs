//! What is in `deploy`: service units that systemd takes.

use std::path::{Path, PathBuf};
use std::process::Command;

use codementor_tests::Ran;

#[test]
fn systemd_takes_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("NOT CHECKED: systemd-analyze is missing; install systemd to have the units checked");
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd");
    let mut checked: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("is listed").path();
        if path.extension().is_none_or(|extension| extension != "service") {
            continue;
        }
        let unit = std::fs::read_to_string(&path).expect("is read");
        // The program has to be there to be started; here it is the one under test.
        let installed = "ExecStart=/usr/local/bin/codementord ";
        assert_eq!(unit.matches(installed).count(), 1, "{}", path.display());
        let here = format!("ExecStart={} ", env!("CARGO_BIN_EXE_codementord-test"));
        let copy = dir.path().join(path.file_name().expect("has a name"));
        std::fs::write(&copy, unit.replace(installed, &here)).expect("is written");
        let verify = Command::new("systemd-analyze").arg("verify").arg(&copy).output();
        let ran = Ran::of(verify.expect("it runs")).expect_code(0);
        assert_eq!(ran.stderr, "", "{}", path.display());
        // What the unit has the program do, the program knows.
        let start = unit.lines().find_map(|line| line.strip_prefix(installed)).expect("it starts something");
        let command = start.split(' ').next().expect("a command");
        let help = Command::new(env!("CARGO_BIN_EXE_codementord-test")).args([command, "--help"]).output();
        Ran::of(help.expect("the program runs")).expect_code(0);
        checked.push(path);
    }
    assert_eq!(checked.len(), 2, "{checked:?}");
}
