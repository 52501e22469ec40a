//! Running a server: the guide from nothing to the first verdict, TLS, another NATS server, metrics, backups.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use codementor_test_model::{ModelServer, Script};
use codementor_tests::server::{free_port, get, nats_server, text};
use codementor_tests::{Draft, Home, Ran, Reaped, home, library, wait_until};
use rustix::process::Signal;
use serde_json::Value;

const HELLO: &str = "print('Hello, CodeMentor!')\n";

/// The lines of the first block of commands in the guide for courses.
fn guide() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/COURSE.md");
    let text = std::fs::read_to_string(path).expect("the guide is there");
    let block = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    block.expect("it has a block of commands").lines().map(str::to_owned).collect()
}

/// A shell in which `codementor` and `codementord` are the programs under test, for the owner or for a student.
fn shell(home: &Home, line: &str, student: bool) -> Command {
    let bin = home.work().join("bin");
    std::fs::create_dir_all(&bin).expect("is made");
    for (name, program) in [
        ("codementor", env!("CARGO_BIN_EXE_codementor-test")),
        ("codementord", env!("CARGO_BIN_EXE_codementord-test")),
    ] {
        // It is there from the line before.
        let _ = symlink(program, bin.join(name));
    }
    let mut paths = vec![bin];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let place = if student { home.work().join("student") } else { home.data().with_file_name("owner") };
    let data = if student { place.join("data") } else { home.data() };
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec {line}")])
        .current_dir(home.work())
        .stdin(Stdio::null())
        .env("PATH", std::env::join_paths(paths).expect("are paths"))
        .env("CODEMENTOR_DATA_DIR", data)
        .env("XDG_CONFIG_HOME", place.join("config"))
        .env_remove("CODEMENTOR_CONFIG");
    command
}

#[test]
fn the_guide_leads_from_nothing_to_a_verdict_in_eight_commands() {
    let home = home!();
    let lines = guide();
    assert!(lines.len() <= 8, "{lines:?}");
    symlink(library().parent().expect("is in a folder"), home.work().join("problems")).expect("is linked");
    home.write("hello.py", HELLO);
    let port = free_port();
    let (mut server, mut code, mut seen) = (None, String::new(), String::new());
    for line in &lines {
        // Only what depends on the moment is not word for word: the port, since tests run side by side, and the code.
        let typed = line.replace("4222", &port.to_string()).replace("CODE", &code);
        let student = seen.contains("codementor join") || line.starts_with("codementor join");
        seen.push_str(line);
        if line.ends_with("serve") {
            let log = home.work().join("serve.log");
            let process = shell(&home, &typed, false)
                .stdout(Stdio::null())
                .stderr(std::fs::File::create(&log).expect("the log is made"))
                .spawn()
                .expect("the shell starts");
            server = Some(Reaped(process));
            wait_until("the server is ready", || home.data().join("daemon.json").exists());
            continue;
        }
        let mut command = shell(&home, &typed, student);
        if line.starts_with("codementord init") {
            command.env("CODEMENTOR_LISTEN", format!("127.0.0.1:{port}"));
        }
        let ran = Ran::of(command).expect_code(0);
        if line.contains("code make") {
            let join = ran.stdout.lines().last().expect("a line").trim().to_owned();
            code = join.rsplit(' ').next().expect("a code").to_owned();
            assert_eq!(join, format!("codementor join nats://127.0.0.1:{port} {code}"));
        }
        if line.contains("submit") {
            assert!(ran.stdout.contains("ACCEPTED"), "{}", ran.stdout);
        }
    }
    assert!(server.is_some() && !code.is_empty(), "{lines:?}");
    // Told to stop, it takes its NATS server and its containers along.
    home.run(&["down"]).expect_code(0);
}

#[test]
fn a_new_server_is_made_once_and_is_its_owners_alone() {
    let home = home!();
    let data = home.data();
    let made = home.run_daemon(&["init", "--name", "Prof. Kim", "--listen", "127.0.0.1:4222"]).expect_code(0);
    assert!(
        made.stdout.contains("codementord serve") && made.stdout.contains("user.creds"),
        "{}",
        made.stdout
    );
    let mode = |path: &Path| path.metadata().expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("keys")), 0o700);
    let config = data.with_file_name("config.toml");
    for file in
        [data.join("keys/keys.json"), data.join("user.creds"), data.join("server.json"), config.clone()]
    {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let settings = std::fs::read_to_string(&config).expect("is read");
    assert!(settings.contains("listen = \"127.0.0.1:4222\"\n"), "{settings}");
    let keys = std::fs::read(data.join("keys/keys.json")).expect("is read");

    let again = home.run_daemon(&["init"]).expect_code(2);
    assert!(
        again.stderr.contains("already") && again.stderr.contains("codementord serve"),
        "{}",
        again.stderr
    );
    assert_eq!(std::fs::read(data.join("keys/keys.json")).expect("is read"), keys);
    let other = home.work().join("other");
    let taken = home.run_daemon(&["init", "--data-dir", text(&other)]).expect_code(2);
    assert!(taken.stderr.contains("config.toml") && taken.stderr.contains("--config"), "{}", taken.stderr);
    assert!(!other.exists());
    let config = other.join("config.toml");
    let named = ["init", "--data-dir", text(&other), "--config", text(&config), "--credential-days", "4"];
    let named = home.run_daemon(&named).expect_code(0);
    assert!(
        named.stdout.contains(&format!("codementord --data-dir {} serve", other.display())),
        "{}",
        named.stdout
    );
    let written = std::fs::read_to_string(&config).expect("is read");
    assert!(written.contains("\ncredential_days = 4\n"), "{written}");

    // Commands do not start what its owner starts.
    for command in ["list", "status"] {
        let down = home.run(&[command]).expect_code(69);
        assert!(down.stderr.contains("codementord serve"), "{}", down.stderr);
    }
    assert!(!data.join("daemon.json").exists());
    let port = free_port();
    let _server = home.serve(&["--listen", &format!("127.0.0.1:{port}")]);
    let whoami = home.run(&["whoami", "--json"]).expect_code(0);
    let whoami: Value = serde_json::from_str(&whoami.stdout).expect("is JSON");
    assert_eq!((whoami["name"].as_str(), whoami["admin"].as_bool()), (Some("Prof. Kim"), Some(true)));
}

/// A certificate for `localhost` that is its own authority.
fn certificate(home: &Home, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let cert = home.write(&format!("{name}.pem"), made.cert.pem());
    (cert, home.write(&format!("{name}.key"), made.signing_key.serialize_pem()))
}

#[test]
fn others_are_listened_to_with_a_certificate_which_can_be_renewed() {
    let home = home!();
    let port = free_port();
    let (cert, key) = certificate(&home, "cert");
    let open = format!("0.0.0.0:{port}");
    let refused = home.run_daemon(&["--listen", &open, "serve"]).expect_code(2);
    assert!(refused.stderr.contains("--tls-cert") && refused.stderr.contains("--insecure-listen"));
    let with = |address: &str, key: &Path| {
        let tls = ["--tls-cert", text(&cert), "--tls-key", text(key), "--tls-ca", text(&cert)];
        let mut arguments = vec!["init", "--listen", &open, "--address", address];
        arguments.extend(tls);
        home.run_daemon(&arguments)
    };
    let refused = with("judge.example.edu", &key).expect_code(2);
    assert!(refused.stderr.contains("not for judge.example.edu"), "{}", refused.stderr);
    let (_, other) = certificate(&home, "other");
    assert!(with("localhost", &other).expect_code(2).stderr.contains("does not belong"));
    with("localhost", &key).expect_code(0);

    let server = home.serve(&[]);
    assert!(home.log().contains("INFO") && !home.log().contains('\u{1b}'), "a file has no colours");
    home.run(&["course", "create", "cs101"]).expect_code(0);
    let code = home.run(&["course", "code", "make", "cs101", "--json"]).expect_code(0);
    let code: Value = serde_json::from_str(&code.stdout).expect("is JSON");
    let url = format!("tls://localhost:{port}");
    assert_eq!(code["server"], Value::String(url.clone()));
    assert_eq!(code["ca"], "cert.pem");
    let code = code["code"].as_str().expect("a text");
    // What is to be typed is all that is to be typed, where the certificate lies.
    let made = home.run(&["course", "code", "make", "cs101"]).expect_code(0);
    assert!(made.stdout.ends_with(" --ca cert.pem\n") && made.stderr.contains("hand a copy out"), "{made:?}");
    let admin = home.run_daemon(&["admin-code"]).expect_code(0);
    let line = format!("codementor join {url} {} --ca cert.pem\n", admin.stdout.trim());
    assert!(admin.stderr.ends_with(&line), "{admin:?}");
    let place = home.work().join("student");
    let student = |arguments: &[&str]| {
        let mut command = home.codementor(arguments);
        command.env("CODEMENTOR_DATA_DIR", place.join("data"));
        command.env_remove("CODEMENTOR_CONFIG").env("XDG_CONFIG_HOME", place.join("config"));
        Ran::of(command)
    };
    let refused = student(&["join", &url, code]).expect_code(69);
    assert!(
        refused.stderr.contains("cannot be trusted") && refused.stderr.contains("--ca"),
        "{}",
        refused.stderr
    );
    for (ca, said) in [("nowhere.pem", "cannot read the certificate"), (text(&key), "is no certificate")] {
        let refused = student(&["join", &url, code, "--ca", ca]).expect_code(2);
        assert!(refused.stderr.contains(said) && !refused.stderr.contains("--creds"), "{refused:?}");
    }
    student(&["join", &url, code, "--ca", text(&cert), "--name", "Kim"]).expect_code(0);
    student(&["whoami"]).expect_code(0);
    let log = |status: &str| status.lines().find(|line| line.starts_with("log ")).map(str::to_owned);
    let own = log(&home.run(&["status"]).expect_code(0).stdout).expect("its owner is told");
    assert!(own.ends_with("daemon.log"), "where standard error goes: {own}");
    assert_eq!(log(&student(&["status"]).expect_code(0).stdout), None);
    // The administrator's file is all that another machine needs.
    let creds = home.data().join("user.creds");
    let whoami = student(&["--creds", text(&creds), "whoami", "--json"]).expect_code(0);
    assert!(whoami.stdout.contains("\"local\""), "{}", whoami.stdout);

    let pair = home.run(&["pair", "--user", "kim"]).expect_code(0);
    assert!(pair.stdout.contains(&format!("codementor join {url} ")), "{}", pair.stdout);
    assert!(pair.stdout.ends_with(" --ca cert.pem\n"), "{}", pair.stdout);

    // A wrong file changes nothing.
    let good = std::fs::read(&cert).expect("is read");
    std::fs::write(&cert, "nothing").expect("is written");
    server.signal(Signal::HUP);
    wait_until("it has looked", || home.log().contains("the certificate in use is kept"));
    student(&["whoami"]).expect_code(0);
    std::fs::write(&cert, good).expect("is written");
    // A new one is taken, and what trusted the old one alone does not trust it.
    let (fresh, fresh_key) = certificate(&home, "fresh");
    std::fs::copy(&fresh_key, &key).expect("is copied");
    std::fs::copy(&fresh, &cert).expect("is copied");
    server.signal(Signal::HUP);
    wait_until("the new certificate is in use", || student(&["whoami"]).code == Some(69));
    home.run(&["course", "list"]).expect_code(0);
    server.stop();
}

#[test]
fn who_makes_codes_is_told_when_the_server_does_not_know_its_address() {
    let home = home!().with("CODEMENTOR_SLOTS", 0);
    let port = free_port();
    home.run_daemon(&["init", "--listen", &format!("0.0.0.0:{port}"), "--insecure-listen"]).expect_code(0);
    let _server = home.serve(&[]);
    home.run(&["course", "create", "cs101"]).expect_code(0);
    let here = format!("codementor join nats://127.0.0.1:{port} ");
    for make in [&["course", "code", "make", "cs101"][..], &["pair", "--user", "local"]] {
        let made = home.run(make).expect_code(0);
        assert!(made.stdout.contains(&here), "{}", made.stdout);
        assert!(made.stderr.contains("set address in its configuration"), "{}", made.stderr);
    }
}

#[test]
fn a_server_for_others_judges_what_is_installed_and_no_package_at_a_path() {
    let home = home!().with("CODEMENTOR_SLOTS", 0);
    home.run_daemon(&["init", "--listen", &format!("127.0.0.1:{}", free_port())]).expect_code(0);
    let _server = home.serve(&[]);
    home.run(&["course", "create", "cs101"]).expect_code(0);
    home.invite("kim", &[("cs101", "student")]);
    home.invite("ada", &[("cs101", "instructor")]);
    let package = Draft::new("echo", 2).sample("1", "one\n", "one\n").folder(&home);
    let file = home.write("echo.py", "print(input())\n");
    for command in ["submit", "test"] {
        let typed = [command, text(&file), "-p", &package];
        for who in ["kim", "ada"] {
            let refused = home.run_as(who, &typed).expect_code(3).stderr;
            let says = "a server that others use judges its own problems only";
            for part in [package.as_str(), says, "--context private", "codementor problem push"] {
                assert!(refused.contains(part), "'{part}' in\n{refused}");
            }
        }
        // The owner's commands reach the same server without knowing whose it is: then it says so itself.
        let refused = home.run(&typed).expect_code(3).stderr;
        assert!(refused.contains("judges by the version of a problem that is installed"), "{refused}");
        assert!(refused.contains("submit to the problem by its name"), "{refused}");
    }
    let history = home.run(&["history", "--json"]).expect_code(0).stdout;
    assert_eq!(history.trim(), "[]");
}

#[test]
fn what_cannot_be_listened_at_is_named() {
    let home = home!();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address");
    let place = taken.to_string();
    for arguments in [["--listen", &place, "serve"], ["--http", &place, "serve"]] {
        let ran = home.run_daemon(&arguments).expect_code(69);
        assert!(ran.stderr.contains(&taken.port().to_string()), "{}", ran.stderr);
        assert!(ran.stderr.contains(arguments[0]), "{}", ran.stderr);
    }
    let ran = home.run_daemon(&["--listen", "192.0.2.1:4222", "--insecure-listen", "serve"]).expect_code(69);
    assert!(ran.stderr.contains("192.0.2.1:4222"), "{}", ran.stderr);
    let cert = home.work().join("none.pem");
    let ran = home.run_daemon(&["--tls-cert", text(&cert), "--tls-key", text(&cert), "serve"]);
    assert!(ran.expect_code(69).stderr.contains("none.pem"));
}

/// Reads the text format of Prometheus strictly: every line is a comment of a known kind or a sample of a family that
/// was announced.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut kinds = BTreeMap::new();
    let mut samples = BTreeMap::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (what, name, rest) = (words.next(), words.next().expect("a name"), words.next());
            match what {
                Some("HELP") => assert!(rest.is_some_and(|help| help.ends_with('.')), "{line}"),
                Some("TYPE") => {
                    let kind = rest.expect("a kind").to_owned();
                    assert!(["counter", "gauge", "histogram"].contains(&kind.as_str()), "{line}");
                    assert!(kinds.insert(name.to_owned(), kind).is_none(), "{line} twice");
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a series and its value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(name.starts_with("codementor_") && name.chars().all(plain), "{line}");
        for label in labels.strip_suffix('}').expect("is closed").split(',').filter(|label| !label.is_empty())
        {
            let (key, quoted) = label.split_once("=\"").expect("a label");
            assert!(key.chars().all(plain) && quoted.ends_with('"'), "{line}");
        }
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
            let family = name.strip_suffix(end)?;
            (kinds.get(family).is_some_and(|kind| kind == "histogram")).then_some(family)
        });
        assert!(family.is_some() || kinds.contains_key(name), "{line} was not announced");
        let value: f64 = value.parse().expect("a number");
        assert!(samples.insert(series.to_owned(), value).is_none(), "{line} twice");
    }
    samples
}

#[test]
fn each_step_of_feedback_that_has_ended_is_counted() {
    let right = "import sys\nnumbers = list(map(int, sys.stdin.read().split()))\nprint(sum(numbers[1:]))\n";
    let model = ModelServer::start(move |request| Script::correction(request, right, "Look at the first."));
    let home =
        home!().with("CODEMENTOR_FEEDBACK_URL", model.url()).with("CODEMENTOR_FEEDBACK_MODEL", "scripted");
    let (port, http) = (free_port(), free_port());
    let listen = format!("127.0.0.1:{port}");
    home.run_daemon(&["init", "--listen", &listen, "--http", &format!("127.0.0.1:{http}")]).expect_code(0);
    let server = home.serve(&["--slots", "2"]);
    wait_until("it is ready", || get(http, "/readyz").0 == 200);
    home.run(&["problem", "push", text(&library().join("sum"))]).expect_code(0);
    let wrong = home.write("wrong.py", right.replace("[1:]", ""));
    let id = home.run(&["submit", text(&wrong), "-p", "sum", "--json", "--feedback"]).expect_code(1).id();
    home.run(&["hint", &id.to_string()]).expect_code(0);
    let metrics = parse(&get(http, "/metrics").1);
    assert_eq!(metrics["codementor_feedback_total{outcome=\"complete\"}"], 2.0);
    server.stop();
}

#[test]
fn metrics_agree_with_what_was_submitted_and_readiness_with_what_is_there() {
    let home = home!();
    let (port, http) = (free_port(), free_port());
    let listen = format!("127.0.0.1:{port}");
    home.run_daemon(&["init", "--listen", &listen, "--http", &format!("127.0.0.1:{http}")]).expect_code(0);
    let server = home.serve(&["--slots", "0"]);
    assert_eq!(get(http, "/healthz"), (200, "ok\n".into()));
    let (status, why) = get(http, "/readyz");
    assert_eq!(status, 503, "{why}");
    assert!(why.contains("no judge is ready") && why.lines().count() == 1, "{why}");
    assert_eq!(get(http, "/other").0, 404);
    home.run(&["problem", "push", text(&library().join("hello"))]).expect_code(0);
    let hello = home.write("hello.py", HELLO);
    let submit = |file: &Path| {
        home.run(&["submit", text(file), "-p", "hello", "--no-wait", "--json"]).expect_code(0).id()
    };
    let first = submit(&hello);
    submit(&home.write("wrong.py", "print('no')\n"));
    let cancelled = submit(&home.write("other.py", "print('never')\n"));
    home.run(&["cancel", &cancelled.to_string()]).expect_code(0);
    let waiting = parse(&get(http, "/metrics").1);
    assert_eq!(waiting["codementor_queue_depth{lane=\"interactive\"}"], 2.0);
    assert!(waiting["codementor_queue_oldest_seconds"] > 0.0);
    assert_eq!((waiting["codementor_ready"], waiting["codementor_nats_up"]), (0.0, 1.0));
    server.stop();

    // With judges; what was accepted before counts when it is judged.
    let server = home.serve(&["--slots", "1"]);
    wait_until("it is ready", || get(http, "/readyz").0 == 200);
    home.run(&["watch", &first.to_string()]).expect_code(0);
    let compile = home.write("broken.py", "print(\n");
    home.run(&["submit", text(&compile), "-p", "hello", "--json"]).expect_code(1);
    for number in 0..3 {
        let program = home.write(&format!("more{number}.py"), format!("# {number}\n{HELLO}"));
        submit(&program);
    }
    wait_until("all is judged", || {
        // While submissions run, each answer is well formed.
        let metrics = parse(&get(http, "/metrics").1);
        metrics.get("codementor_verdicts_total{verdict=\"ACCEPTED\"}") == Some(&4.0)
    });
    let (status, body) = get(http, "/metrics");
    assert_eq!(status, 200);
    let metrics = parse(&body);
    let verdicts = |verdict: &str| metrics[&format!("codementor_verdicts_total{{verdict=\"{verdict}\"}}")];
    assert_eq!((verdicts("WRONG_ANSWER"), verdicts("COMPILE_ERROR")), (1.0, 1.0));
    assert_eq!(metrics["codementor_submissions_total"], 4.0);
    assert_eq!(metrics["codementor_judging_seconds_count"], 6.0);
    assert_eq!(metrics["codementor_judging_seconds_bucket{le=\"+Inf\"}"], 6.0);
    assert_eq!(metrics["codementor_queue_depth{lane=\"interactive\"}"], 0.0);
    assert_eq!((metrics["codementor_queue_oldest_seconds"], metrics["codementor_running"]), (0.0, 0.0));
    let own = |state: &str| metrics[&format!("codementor_own_slots{{state=\"{state}\"}}")];
    assert_eq!((own("busy"), own("free")), (0.0, 1.0));
    assert_eq!((metrics["codementor_ready"], metrics["codementor_feedback_tokens_today"]), (1.0, 0.0));
    server.stop();
}

#[test]
fn a_backup_of_a_server_at_work_loses_nothing() {
    let home = home!();
    let listen = format!("127.0.0.1:{}", free_port());
    home.run_daemon(&["init", "--listen", &listen]).expect_code(0);
    let server = home.serve(&["--slots", "1"]);
    home.run(&["problem", "push", text(&library().join("hello"))]).expect_code(0);
    home.run(&["course", "create", "cs101"]).expect_code(0);
    let create = ["assignment", "create", "cs101/hw1", "--problem", "hello:10", "--due", "+7d", "--open"];
    home.run(&create).expect_code(0);
    home.invite("kim", &[("cs101", "student")]);
    let mut ids = Vec::new();
    for number in 0..6 {
        let program = format!("import time\ntime.sleep(0.3)\n# {number}\n{HELLO}");
        let file = home.write(&format!("p{number}.py"), program);
        let submit = ["submit", text(&file), "-p", "cs101/hw1/hello", "--no-wait", "--yes", "--json"];
        ids.push(home.run_as("kim", &submit).expect_code(0).id());
    }
    let nowhere = home.run_daemon(&["backup", "no/dir/backup.tar"]).expect_code(2);
    assert!(nowhere.stderr.contains("name a file in a folder that is there"), "{}", nowhere.stderr);
    let file = home.work().join("backup.tar");
    let made = home.run_daemon(&["backup", text(&file)]).expect_code(0);
    assert!(made.stdout.contains("backup.tar"), "{}", made.stdout);
    assert_eq!(file.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    // The old server is gone for good, with its directory.
    server.kill();
    std::fs::rename(home.data(), home.work().join("gone")).expect("is moved");
    wait_until("its NATS server has ended", || std::net::TcpListener::bind(&listen).is_ok());

    let restored = home.run_daemon(&["restore", text(&file), "--data", text(&home.data())]).expect_code(0);
    assert!(restored.stdout.contains("serve"), "{}", restored.stdout);
    let again = home.run_daemon(&["restore", text(&file), "--data", text(&home.data())]).expect_code(2);
    assert!(again.stderr.contains("not empty"), "{}", again.stderr);
    let server = home.serve(&["--slots", "1"]);
    for id in &ids {
        let watched = home.run_as("kim", &["watch", &id.to_string(), "--json"]).expect_code(0);
        assert_eq!(watched.verdict(), "ACCEPTED");
    }
    let history = home.run_as("kim", &["history", "--json"]).expect_code(0);
    let history: Value = serde_json::from_str(&history.stdout).expect("is JSON");
    assert_eq!(history.as_array().map(Vec::len), Some(ids.len()));
    // Its owner is who it was, and another submission has another number.
    home.run(&["course", "list"]).expect_code(0);
    let file = home.write("new.py", HELLO);
    let submit = ["submit", text(&file), "-p", "cs101/hw1/hello", "--yes", "--json"];
    assert!(!ids.contains(&home.run_as("kim", &submit).expect_code(0).id()));
    server.stop();
}

#[test]
fn a_nats_server_of_ones_own_serves_with_what_was_exported() {
    let home = home!();
    let exported = home.work().join("nats");
    let accounts = home.work().join("accounts");
    let arguments = ["nats-config", "--out", text(&exported), "--resolver-dir", text(&accounts)];
    home.run_daemon(&arguments).expect_code(0);
    let secret = exported.join("daemon.creds");
    assert_eq!(secret.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    let port = free_port();
    let config = home.write(
        "nats/nats.conf",
        format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", max_file_store: 32GB, sync_interval: always }}\n\
             include \"codementor.conf\"\n",
            home.work().join("store").display()
        ),
    );
    let program = nats_server();
    let process = Command::new(program).arg("--config").arg(&config).stderr(Stdio::null()).spawn();
    let _nats = Reaped(process.expect("the NATS server starts"));
    let url = format!("nats://127.0.0.1:{port}");
    let server = home.serve(&["--nats-url", &url, "--creds", text(&secret)]);
    home.run(&["problem", "push", text(&library().join("hello"))]).expect_code(0);
    home.run(&["course", "create", "cs101"]).expect_code(0);
    let create = ["assignment", "create", "cs101/hw1", "--problem", "hello:10", "--due", "+7d", "--open"];
    home.run(&create).expect_code(0);
    // A newcomer needs no file: an address and a code.
    let user = home.invite("kim", &[("cs101", "student")]);
    let file = home.write("hello.py", HELLO);
    let submit = ["submit", text(&file), "-p", "cs101/hw1/hello", "--yes", "--json"];
    assert_eq!(home.run_as("kim", &submit).expect_code(0).verdict(), "ACCEPTED");
    // The server hears of who is cut off.
    home.run(&["admin", "revoke", &user]).expect_code(0);
    home.run_as("kim", &["whoami"]).expect_code(4);
    server.stop();
}
