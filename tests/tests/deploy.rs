//! What is in `deploy`: service units that systemd takes, and a container that a server runs in.

use std::path::{Path, PathBuf};
use std::process::Command;

use codementor_tests::server::{free_port, nats_server, text};
use codementor_tests::{Ran, home, library, wait_until};

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
        let ran = Ran::of(Command::new("systemd-analyze").arg("verify").arg(&copy)).expect_code(0);
        assert_eq!(ran.stderr, "", "{}", path.display());
        // What the unit has the program do, the program knows.
        let start = unit.lines().find_map(|line| line.strip_prefix(installed)).expect("it starts something");
        let command = start.split(' ').next().expect("a command");
        let mut help = Command::new(env!("CARGO_BIN_EXE_codementord-test"));
        Ran::of(help.args([command, "--help"])).expect_code(0);
        checked.push(path);
    }
    assert_eq!(checked.len(), 2, "{checked:?}");
}

/// Started by the file of `deploy/compose`; whatever comes of the test, it is taken down again.
struct Composed {
    file: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Composed {
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        command.args(["180", "docker-compose", "--file"]).arg(&self.file).args(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ran::of(command)
    }
}

impl Drop for Composed {
    fn drop(&mut self) {
        self.run(&["down", "--volumes", "--rmi", "all"]);
    }
}

#[test]
fn a_server_in_a_container_judges_for_its_owner_on_the_machine() {
    let has = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|ran| ran.status.success())
    };
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT CHECKED: what the container writes is root's alone; run this test as root");
        return;
    }
    if !has("docker-compose", &["version"]) || !has("docker", &["image", "inspect", "debian:trixie-slim"]) {
        eprintln!("NOT CHECKED: docker-compose, or the image debian:trixie-slim, is missing");
        return;
    }
    let home = home!();
    home.run(&["runners", "build", "python3"]).expect_code(0);
    // Whatever the repository's folder is called, and however many tests run, the container is of this one.
    let folder = home.work().join(format!("codementor-compose-{}", std::process::id()));
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).expect("is made");
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/compose");
    for name in ["Dockerfile", "docker-compose.yml"] {
        let text = std::fs::read_to_string(deploy.join(name)).expect("is there");
        let image = format!("image: codementord-test-{}", std::process::id());
        std::fs::write(folder.join(name), text.replace("image: codementord", &image)).expect("is written");
    }
    std::fs::copy(env!("CARGO_BIN_EXE_codementord-test"), bin.join("codementord")).expect("is copied");
    std::fs::copy(nats_server(), bin.join("nats-server")).expect("is copied");
    let http = free_port();
    let composed = Composed {
        file: folder.join("docker-compose.yml"),
        environment: vec![
            ("CODEMENTOR_DATA", text(&home.data()).to_owned()),
            ("CODEMENTOR_PORT", free_port().to_string()),
            ("CODEMENTOR_HTTP_PORT", http.to_string()),
        ],
    };
    composed.run(&["up", "--detach"]).expect_code(0);
    wait_until("the server is ready", || {
        std::net::TcpStream::connect(("127.0.0.1", http)).is_ok() && home.data().join("daemon.json").exists()
    });
    home.run(&["problem", "push", text(&library().join("hello"))]).expect_code(0);
    let file = home.write("hello.py", "print('Hello, CodeMentor!')\n");
    assert_eq!(home.submit(&file, "hello").expect_code(0).verdict(), "ACCEPTED");
    // What was accepted outlives the container.
    composed.run(&["down"]).expect_code(0);
    composed.run(&["up", "--detach"]).expect_code(0);
    wait_until("the server is ready again", || home.run(&["show", "1"]).code == Some(0));
}
