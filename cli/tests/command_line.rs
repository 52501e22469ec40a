//! The program itself, without a daemon: exit code, standard output and standard error.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// A folder to call the program in, with files in it.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(dir.path().join("here")).expect("a folder");
        let place = Self { dir };
        for (name, content) in files {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
            std::fs::write(path, content).expect("is written");
        }
        place
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("here")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codementor"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    /// Exit code, standard output and standard error, with paths that differ each time replaced.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the program starts");
        let shown = format!(
            "$ codementor {}\nexit code: {}\n--- stdout\n{}--- stderr\n{}",
            arguments.join(" ").escape_debug(),
            output.status.code().expect("no signal ended it"),
            String::from_utf8(output.stdout).expect("it is text"),
            String::from_utf8(output.stderr).expect("it is text"),
        );
        let real = self.dir.path().canonicalize().expect("it is there");
        shown.replace(&real.display().to_string(), "~").replace(&self.dir.path().display().to_string(), "~")
    }
}

fn all(place: &Place, calls: &[&[&str]]) -> String {
    calls.iter().map(|call| place.run(call)).collect::<Vec<_>>().join("\n")
}

const PROGRAM: &[u8] = b"print(6)\n";

#[test]
fn help_works_without_anything() {
    let place = Place::new(&[]);
    insta::assert_snapshot!(all(&place, &[&[], &["--help"], &["submit", "-h"]]));
}

#[test]
fn usage_errors_name_what_may_have_been_meant() {
    let place = Place::new(&[]);
    insta::assert_snapshot!(all(
        &place,
        &[
            &["sumbit"],
            &["show", "twelve"],
            &["submit", "--jason"],
            &["watch", "1", "--from", "0"],
            &["problem", "push"],
        ]
    ));
}

#[test]
fn programs_that_cannot_be_sent() {
    let place = Place::new(&[
        ("a.py", PROGRAM),
        ("b.py", PROGRAM),
        ("main.cpp", b"int main() {}\n"),
        ("dir/a.py", PROGRAM),
        ("empty.py", b""),
        ("program.py", b"\x7fELF\0"),
        ("korean.py", b"# \xc7\xd5\xb0\xe8\nprint(6)\n"),
        ("new\nline.py", PROGRAM),
        ("notes.txt", b"notes\n"),
    ]);
    insta::assert_snapshot!(all(
        &place,
        &[
            &["submit", "-p", "hello", "a.py", "main.cpp"],
            &["submit", "-p", "hello", "a.py", "-l", "pyhton3"],
            &["submit", "-p", "hello", "missing.py"],
            &["submit", "-p", "hello", "empty.py"],
            &["submit", "-p", "hello", "program.py"],
            &["submit", "-p", "hello", "korean.py"],
            &["submit", "-p", "hello", "new\nline.py"],
            &["submit", "-p", "hello", "a.py", "dir/a.py"],
            &["submit", "-p", "hello", "dir"],
            &["submit", "-p", "hello", ".."],
            &["submit", "-p", "hello", "notes.txt"],
            &["submit", "-p", "hello", "a.py", "b.py", "--entry", "c.py"],
        ]
    ));
}

#[test]
fn a_folder_without_a_program_and_one_with_too_many() {
    let empty = Place::new(&[("notes.txt", b"notes\n")]);
    let several = Place::new(&[("a.py", PROGRAM), ("b.py", PROGRAM)]);
    let mixed = Place::new(&[("a.py", PROGRAM), ("b.cpp", b"int main() {}\n")]);
    let call: &[&str] = &["submit", "-p", "hello"];
    insta::assert_snapshot!([&empty, &several, &mixed].map(|place| place.run(call)).join("\n"));
}

#[test]
fn problems_that_cannot_be_told() {
    let place = Place::new(&[
        ("a.py", PROGRAM),
        ("empty/notes.txt", b"notes\n"),
        ("bad/.codementor/problem.toml", b"problem = 3\n"),
    ]);
    insta::assert_snapshot!(all(
        &place,
        &[
            &["submit", "a.py"],
            &["submit", "a.py", "-p", "Two Sum"],
            &["submit", "a.py", "-p", "./nowhere"],
            &["submit", "a.py", "-p", "./empty"],
            &["history", "-p", "No"],
        ]
    ));
    let output = place.command(&["submit", "../a.py"]).current_dir(place.path().join("bad")).output();
    let output = output.expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("problem.toml is wrong"), "{output:?}");
}

#[test]
fn packages_that_cannot_be_judged() {
    let place = Place::new(&[
        ("a.py", PROGRAM),
        ("none/problem.yaml", b"name: none\n"),
        ("yaml/problem.yaml", b"name: [\n"),
        ("yaml/data/secret/1.in", b"1\n"),
        ("yaml/data/secret/1.ans", b"1\n"),
        ("half/problem.yaml", b"name: half\n"),
        ("half/data/secret/1.in", b"1\n"),
        ("several/problem.yaml", b"name: several\n"),
        ("several/data/secret/1.in", b"1\n"),
        ("several/data/secret/2.ans", b"2\n"),
        ("broken.zip", b"PK\x03\x04 and no more"),
    ]);
    insta::assert_snapshot!(all(
        &place,
        &[
            &["submit", "a.py", "-p", "./none"],
            &["submit", "a.py", "-p", "./yaml"],
            &["submit", "a.py", "-p", "./half"],
            &["submit", "a.py", "-p", "broken.zip"],
            &["submit", "a.py", "-p", "several"],
        ]
    ));
}

#[test]
fn with_json_an_error_is_an_event_too() {
    let place = Place::new(&[]);
    insta::assert_snapshot!(place.run(&["submit", "--json", "-p", "hello"]));
}

#[test]
fn settings_that_cannot_be_used() {
    let place = Place::new(&[("a.py", PROGRAM), ("config.toml", b"slotz = 3\n"), ("junk.creds", b"junk\n")]);
    let server = "nats://127.0.0.1:1";
    insta::assert_snapshot!(all(
        &place,
        &[
            &["list", "--config", "config.toml"],
            &["list", "--config", "missing.toml"],
            &["list", "--nats-url", server],
            &["list", "--nats-url", server, "--creds", "missing.creds"],
            &["list", "--nats-url", server, "--creds", "junk.creds"],
            &["up", "--nats-url", server, "--creds", "junk.creds"],
        ]
    ));
}

#[test]
fn a_server_that_does_not_answer_is_unreachable() {
    let key = nkeys::KeyPair::new_user();
    let claims = data_encoding::BASE64URL_NOPAD.encode(br#"{"name":"kim"}"#);
    let creds = codementor::client::Credentials::compose(
        &format!("e30.{claims}.c2ln"),
        &key.seed().expect("a new key has its seed"),
    );
    let place = Place::new(&[("kim.creds", creds.as_bytes())]);
    insta::assert_snapshot!(place.run(&["list", "--nats-url", "nats://127.0.0.1:1", "--creds", "kim.creds"]));
}

#[test]
fn without_a_daemon_status_says_so_and_starts_none() {
    let place = Place::new(&[]);
    insta::assert_snapshot!(all(&place, &[&["status"], &["down"]]));
    assert!(!place.dir.path().join(".local").exists(), "nothing was made");
}

#[test]
fn colour_is_a_matter_of_flags_and_variables() {
    let place = Place::new(&[]);
    let error = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = place.command(arguments);
        command.envs(variables.iter().copied());
        let output = command.output().expect("the program starts");
        output.stderr.contains(&0x1b)
    };
    let call: &[&str] = &["submit", "-p", "No"];
    assert!(!error(call, &[]));
    assert!(error(call, &[("CLICOLOR_FORCE", "1")]));
    assert!(!error(call, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(error(call, &[("CODEMENTOR_COLOR", "always"), ("NO_COLOR", "1")]));
    assert!(!error(&["submit", "-p", "No", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(error(&["sumbit", "--color=always"], &[]), "usage errors too");
    assert!(!error(&["sumbit", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn nobody_reading_is_no_failure() {
    let place = Place::new(&[]);
    for arguments in [&["completion", "bash"][..], &["man"], &["--help"]] {
        let mut child = place
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("it is a pipe").read_to_string(&mut said).expect("it is text");
        assert_eq!((child.wait().expect("it ends").code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn completions_and_manual_pages_are_made_offline() {
    let place = Place::new(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let shown = place.run(&["completion", shell]);
        assert!(shown.contains("exit code: 0") && shown.contains("codementor"), "{shown}");
    }
    assert!(place.run(&["man"]).contains(".TH codementor"));
    assert!(place.run(&["man", "--dir", "pages"]).contains("exit code: 0"));
    let page = |name: &str| std::fs::read_to_string(place.path().join("pages").join(name));
    assert!(page("codementor-submit.1").is_ok_and(|page| page.contains("problem")));
    assert!(Path::new(&place.path()).join("pages/codementor.1").exists());
}
