//! Joining, leaving and being cut off, with the real programs and a real NATS server; and what a student's, a judge's
//! or nobody's credentials can be used for by somebody who writes to NATS directly.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use codementor_protocol::{
    DeliveryToken, Finish, Report, ReportKind, Reports, SubmissionId, Timestamp, Verdict,
};
use codementor_tests::peer::{Peer, runtime, within};
use codementor_tests::{Home, Ran, Reaped, home, library, wait_until};
use codementord::nats::auth::{Creds, Keys, Role};
use codementord::nats::connect::{Action, Connect, Initial, LinkEvent, Refused, connect, settle};
use codementord::nats::streams;
use data_encoding::BASE64URL_NOPAD;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A daemon that judges nothing, so that what is submitted waits, with a course and an open assignment of one problem.
struct Server {
    home: Home,
    url: String,
}

impl Server {
    fn start() -> Self {
        Self::with(home!().with("CODEMENTOR_SLOTS", 0))
    }

    fn with(home: Home) -> Self {
        home.run(&["problem", "push", library().join("hello").to_str().expect("a text")]).expect_code(0);
        for course in ["algo", "os"] {
            home.run(&["course", "create", course]).expect_code(0);
        }
        for assignment in ["algo/hw1", "algo/hw2"] {
            let create = ["assignment", "create", assignment, "-p", "hello", "--due", "+7d", "--open"];
            home.run(&create).expect_code(0);
        }
        let text = std::fs::read_to_string(home.data().join("daemon.json")).expect("the daemon is ready");
        let ready: Value = serde_json::from_str(&text).expect("is JSON");
        let url = ready["url"].as_str().expect("a text").to_owned();
        Self { home, url }
    }

    /// A code for a course, as the administrator makes it.
    fn code(&self, course: &str, more: &[&str]) -> String {
        let usual: &[&str] = &["course", "code", "make", course, "--json"];
        let made = self.home.run(&[usual, more].concat()).expect_code(0);
        let made: Value = serde_json::from_str(&made.stdout).expect("is JSON");
        made["code"].as_str().expect("a text").to_owned()
    }

    /// Somebody with a machine of its own who has joined `algo`.
    fn student(&self, name: &str) -> Machine {
        let machine = Machine::new();
        machine.join(self, &self.code("algo", &["--uses", "1"]), &["--name", name]).expect_code(0);
        machine
    }

    fn keys(&self) -> Keys {
        Keys::load_or_create(&self.home.data().join("keys")).expect("the daemon has keys")
    }

    fn query<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        let db = rusqlite::Connection::open(self.home.data().join("codementor.db")).expect("opens");
        db.query_row(sql, [], |row| row.get(0)).expect("there is a row")
    }
}

/// A machine without a daemon of its own.
struct Machine {
    home: Home,
}

impl Machine {
    fn new() -> Self {
        Self { home: home!() }
    }

    fn join(&self, server: &Server, code: &str, more: &[&str]) -> Ran {
        self.home.run(&[&["join", &server.url, code], more].concat())
    }

    fn whoami(&self) -> Value {
        let ran = self.home.run(&["whoami", "--json"]).expect_code(0);
        serde_json::from_str(&ran.stdout).expect("is JSON")
    }

    fn user(&self) -> String {
        self.whoami()["user"].as_str().expect("a text").to_owned()
    }

    /// The credentials file of its only context.
    fn creds(&self) -> PathBuf {
        let ran = self.home.run(&["context", "list", "--json"]).expect_code(0);
        let listed: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
        let name = listed[0]["context"].as_str().expect("a text").to_owned();
        self.home.data().parent().expect("is below the home").join(format!("contexts/{name}.creds"))
    }

    fn submit(&self, problem: &str) -> Ran {
        let file = self.home.write("hello.py", "print('Hello, CodeMentor!')\n");
        self.home.run(&["submit", file.to_str().expect("a text"), "-p", problem, "--no-wait", "--json"])
    }
}

/// Somebody at a machine who writes to NATS directly.
async fn peer_at(server: &Server, machine: &Machine) -> Peer {
    Peer::of(&server.url, &Creds::read(&machine.creds()).expect("are read")).await
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}

#[test]
fn people_join_by_a_code_on_as_many_servers_courses_and_machines_as_they_need() {
    let server = Server::start();
    let code = server.code("algo", &["--uses", "1"]);
    let kim = Machine::new();
    let joined = kim.join(&server, &code, &["--name", "Kim Min-ji", "--student-id", "2026-1"]).expect_code(0);
    assert!(joined.stdout.contains("kim-min-ji") && joined.stdout.contains("algo, as student"), "{joined:?}");
    let who = kim.whoami();
    assert_eq!((who["student_id"].as_str(), who["admin"].as_bool()), (Some("2026-1"), Some(false)));
    assert_eq!(who["courses"], json!([{ "course": "algo", "role": "student" }]));
    use std::os::unix::fs::PermissionsExt;
    let mode = kim.creds().metadata().expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let lee = Machine::new();
    let refused = lee.join(&server, &code, &["--name", "Lee"]).expect_code(3);
    assert!(refused.stderr.contains("as often as it may be"), "{}", refused.stderr);
    assert!(refused.stderr.contains("ask your instructor"), "{}", refused.stderr);
    let ended = server.code("algo", &["--for", "1m"]);
    let db = rusqlite::Connection::open(server.home.data().join("codementor.db")).expect("opens");
    db.execute("UPDATE codes SET expires = 1 WHERE starts_with = ?1", [&ended[..4]]).expect("is written");
    let refused = lee.join(&server, &ended, &[]).expect_code(3);
    assert!(refused.stderr.contains("expired"), "{}", refused.stderr);
    let roster = server.code("algo", &["--roster"]);
    assert!(lee.join(&server, &roster, &[]).expect_code(2).stderr.contains("--student-id"));
    lee.home.run(&["whoami"]).expect_code(0);
    assert_eq!(
        lee.home.run(&["context", "list"]).expect_code(0).stdout.lines().count(),
        2,
        "none was joined"
    );

    // Who said too little says it by joining again.
    let park = Machine::new();
    let open = server.code("algo", &[]);
    park.join(&server, &open, &[]).expect_code(0);
    park.join(&server, &open, &["--name", "Park", "--student-id", "2026-2"]).expect_code(0);
    assert_eq!((&park.whoami()["name"], &park.whoami()["student_id"]), (&json!("Park"), &json!("2026-2")));
    let refused = park.join(&server, &open, &["--name", "Kim"]).expect_code(3);
    assert!(refused.stderr.contains("codementor course roster link"), "{}", refused.stderr);

    // A second course, as the same user.
    let os = server.code("os", &["--role", "assistant"]);
    kim.join(&server, &os, &[]).expect_code(0);
    let roles = json!([{ "course": "algo", "role": "student" }, { "course": "os", "role": "assistant" }]);
    assert_eq!(kim.whoami()["courses"], roles);
    assert_eq!(server.query::<i64>("SELECT count(*) FROM users WHERE name LIKE 'kim%'"), 1);

    // A second machine, as the same user, by a code that works once.
    let pair = kim.home.run(&["pair", "--json"]).expect_code(0);
    let pair: Value = serde_json::from_str(&pair.stdout).expect("is JSON");
    let pair = pair["code"].as_str().expect("a text");
    let second = Machine::new();
    second.join(&server, pair, &[]).expect_code(0);
    assert_eq!((second.user().as_str(), &second.whoami()["courses"]), ("kim-min-ji", &roles));
    Machine::new().join(&server, pair, &[]).expect_code(3);
    assert_eq!(kim.submit("algo/hw1/hello").expect_code(0).id(), 1);
    second.home.run(&["show", "1"]).expect_code(0);

    // A second server beside it, and the private daemon beside both.
    let other = Server::start();
    kim.join(&other, &other.code("algo", &[]), &["--name", "Minji"]).expect_code(0);
    assert_eq!(kim.user(), "minji");
    let contexts = kim.home.run(&["context", "list", "--json"]).expect_code(0);
    let contexts: Value = serde_json::from_str(&contexts.stdout).expect("is JSON");
    let name = |place: usize| contexts[place]["context"].as_str().expect("a text");
    let former = (0..2).find(|place| contexts[*place]["current"] == false).expect("one is not in use");
    let there = kim.home.run(&["--context", name(former), "whoami", "--json"]).expect_code(0);
    assert!(there.stdout.contains("kim-min-ji"), "{}", there.stdout);
    kim.home.run(&["context", "use", name(former)]).expect_code(0);
    assert_eq!(kim.user(), "kim-min-ji");
    kim.home.run(&["--context", "nowhere", "whoami"]).expect_code(5);

    // Leaving makes the credentials void, here and nowhere else.
    let kept = Creds::read(&second.creds()).expect("are read");
    second.home.run(&["logout"]).expect_code(0);
    assert!(!second.creds_exist(), "they are forgotten");
    assert_refused(&server, &kept);
    assert_eq!(kim.user(), "kim-min-ji");
}

impl Machine {
    fn creds_exist(&self) -> bool {
        let folder = self.home.data().parent().expect("is below the home").join("contexts");
        let mut entries = std::fs::read_dir(folder).expect("is listed").flatten();
        entries.any(|entry| entry.path().extension().is_some_and(|end| end == "creds"))
    }
}

fn assert_refused(server: &Server, creds: &Creds) {
    let refused = connect(Connect {
        url: &server.url,
        creds,
        name: "test",
        inbox_prefix: "_INBOX.x",
        initial: Initial::Once,
        on_event: None,
    });
    runtime().block_on(within(refused)).expect_err("is refused");
}

#[test]
fn whoever_owns_the_data_directory_makes_administrators_one_a_code() {
    let server = Server::start();
    let made = Ran::of(server.home.codementord(&["admin-code"])).expect_code(0);
    let chair = Machine::new();
    chair.join(&server, made.stdout.trim(), &["--name", "Chair"]).expect_code(0);
    assert_eq!(chair.whoami()["admin"], true);
    chair.home.run(&["course", "create", "networks"]).expect_code(0);
    Machine::new().join(&server, made.stdout.trim(), &["--name", "Guest"]).expect_code(3);

    let nowhere = home!();
    assert!(
        Ran::of(nowhere.codementord(&["admin-code"])).expect_code(69).stderr.contains("codementord serve")
    );
}

#[test]
fn guessing_is_slowed_logged_and_told_apart_by_nothing() {
    let server = Server::start();
    let code = server.code("algo", &[]);
    let wrong = format!("{}-0000-0000-0000", &code[..4]);
    let machine = Machine::new();
    let mut codes = Vec::new();
    for _ in 0..11 {
        codes.push(machine.join(&server, &wrong, &[]).code.expect("an exit code"));
    }
    assert_eq!(codes, [&[4; 10][..], &[75]].concat());
    machine.join(&server, &code, &[]).expect_code(75);
    Machine::new().join(&server, &server.code("algo", &[]), &[]).expect_code(0);
    let unknown = machine.join(&server, "zzzz-zzzz-zzzz-zzzz", &[]).expect_code(4);
    assert!(unknown.stderr.contains("this code lets nobody in"), "{}", unknown.stderr);
    let log = server.home.log();
    assert_eq!(log.matches("somebody tried a code that is none").count(), 11, "{log}");
    assert!(log.contains("closed for a while"), "{log}");
    assert!(!log.contains(&wrong) && !log.contains(&code), "no code is in the log");
}

#[test]
fn who_is_cut_off_is_out_at_once_and_an_administrator_lets_it_in_again() {
    let server = Server::start();
    let (kim, lee) = (server.student("Kim"), server.student("Lee"));
    let id = kim.submit("algo/hw1/hello").expect_code(0).id().to_string();
    let mut watching = Reaped(
        kim.home
            .codementor(&["watch", &id, "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts"),
    );
    let mut seen = std::io::BufReader::new(watching.0.stdout.take().expect("is a pipe"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut seen, &mut line).expect("an event");
    let runtime = runtime();
    let mut raw = runtime.block_on(peer_at(&server, &kim));
    let mut other = runtime.block_on(peer_at(&server, &lee));

    lee.home.run(&["admin", "revoke", "kim"]).expect_code(4);
    let revoked = server.home.run(&["admin", "revoke", "kim"]).expect_code(0);
    assert!(revoked.stdout.contains("1 credential void"), "{}", revoked.stdout);
    runtime.block_on(raw.told(|event| matches!(event, LinkEvent::Refused(Refused::Revoked))));
    let status = watching.0.wait().expect("ends");
    assert_eq!(status.code(), Some(4), "a command that runs ends at once");
    let refused = kim.home.run(&["whoami"]).expect_code(4);
    assert!(refused.stderr.contains("codementor join SERVER CODE"), "{}", refused.stderr);
    assert_eq!(lee.user(), "lee");
    assert!(
        !std::iter::from_fn(|| other.events.try_recv().ok()).any(|event| event == LinkEvent::Disconnected)
    );

    let pair = server.home.run(&["pair", "--user", "kim", "--json"]).expect_code(0);
    let pair: Value = serde_json::from_str(&pair.stdout).expect("is JSON");
    assert_eq!(pair["server"].as_str(), Some(server.url.as_str()));
    kim.join(&server, pair["code"].as_str().expect("a text"), &[]).expect_code(0);
    assert_eq!(kim.user(), "kim");
    // What is printed can be typed as it stands.
    let pair = server.home.run(&["pair", "--user", "kim"]).expect_code(0);
    let line = pair.stdout.lines().last().expect("a line").trim().to_owned();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..3], ["codementor", "join", server.url.as_str()], "{line}");
    let second = Machine::new();
    second.home.run(&words[1..]).expect_code(0);
    assert_eq!(second.user(), "kim");
    kim.home.run(&["show", &id]).expect_code(0);
}

/// Signs a student's own key anew, as the daemon would have done at another time.
fn sign_as_of(server: &Server, path: &Path, issued: u64, expires: u64) {
    let text = std::fs::read_to_string(server.home.data().join("keys/keys.json")).expect("is read");
    let stored: Value = serde_json::from_str(&text).expect("is JSON");
    let seed = stored["roles"]["student"].as_str().expect("a text");
    let signer = nkeys::KeyPair::from_seed(seed).expect("a seed");
    let creds = Creds::read(path).expect("are read");
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let account = server.keys().account_id();
    let claim = json!({
        "iat": issued, "exp": expires, "jti": "x", "iss": signer.public_key(), "sub": creds.public_key(),
        "name": creds.user_name(), "nats": { "type": "user", "version": 2, "issuer_account": account },
    });
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), part(&claim));
    let signature = signer.sign(signed.as_bytes()).expect("is signed");
    let jwt = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
    let text = std::fs::read_to_string(path).expect("is read").replace(&creds.jwt, &jwt);
    std::fs::write(path, text).expect("is written");
}

#[test]
fn credentials_renew_themselves_in_time_and_say_what_to_do_when_it_was_too_late() {
    let server = Server::start();
    let kim = server.student("Kim");
    let path = kim.creds();
    let expires = || kim.whoami()["expires"].as_u64().expect("a number");
    let whole = expires();
    assert!((179 * 86_400..=180 * 86_400).contains(&(whole - seconds())), "{whole}");

    sign_as_of(&server, &path, seconds() - 1000, seconds() + 300);
    let before = Creds::read(&path).expect("are read");
    kim.home.run(&["history"]).expect_code(0);
    let after = Creds::read(&path).expect("are read");
    assert_eq!(before.seed, after.seed);
    assert!(after.expires().expect("an end") > seconds() + 179 * 86_400);
    assert!(expires() >= whole);

    sign_as_of(&server, &path, seconds() - 1000, seconds() - 10);
    let refused = kim.home.run(&["history"]).expect_code(4);
    assert!(refused.stderr.contains("they have expired"), "{}", refused.stderr);
    assert!(refused.stderr.contains("codementor pair"), "{}", refused.stderr);
}

#[test]
fn credentials_for_ci_submit_to_one_assignment_and_see_nothing_else() {
    let server = Server::start();
    let kim = server.student("Kim");
    let own = kim.submit("algo/hw1/hello").expect_code(0).id();
    let secret = kim.home.run(&["ci", "creds", "algo/hw1", "--days", "30"]).expect_code(0).stdout;
    assert_eq!(secret.trim().lines().count(), 1);
    let file = kim.home.work().join("ci.creds");
    kim.home.run(&["ci", "creds", "algo/hw1", "--out", file.to_str().expect("a text")]).expect_code(0);
    // What cannot be kept is not left behind on the server either.
    let known = kim.home.run(&["whoami", "--json"]).expect_code(0).stdout;
    let lost = kim.home.run(&["ci", "creds", "algo/hw1", "--out", "no/dir/x.creds"]).expect_code(2);
    assert!(lost.stderr.contains("no/dir/x.creds") && lost.stderr.contains("hint"), "{}", lost.stderr);
    assert_eq!(kim.home.run(&["whoami", "--json"]).expect_code(0).stdout, known);

    for secret in [secret.trim(), file.to_str().expect("a text")] {
        let runner = Machine { home: home!().with("CODEMENTOR_CREDS", secret) };
        let who = runner.whoami();
        assert_eq!((who["user"].as_str(), who["scope"].as_str()), (Some("kim"), Some("algo/hw1")));
        let id = runner.submit("algo/hw1/hello").expect_code(0).id().to_string();
        runner.home.run(&["show", &id]).expect_code(0);
        // Its events reach it under its own name.
        let cancelled = kim.home.run(&["cancel", &id]).expect_code(0);
        assert!(cancelled.stdout.contains(&id) || cancelled.stderr.contains(&id), "{cancelled:?}");
        runner.home.run(&["watch", &id, "--json"]).expect_code(9);

        runner.submit("algo/hw2/hello").expect_code(4);
        runner.home.run(&["show", &own.to_string()]).expect_code(5);
        runner.home.run(&["watch", &own.to_string()]).expect_code(5);
        runner.home.run(&["cancel", &own.to_string()]).expect_code(5);
        for refused in
            [&["pair"][..], &["list"], &["course", "code", "list", "algo"], &["join", &server.url, "x"]]
        {
            let code = runner.home.run(refused).code;
            assert!(matches!(code, Some(4 | 5)), "{refused:?}: {code:?}");
        }
        let history = runner.home.run(&["history", "--json"]).expect_code(0).stdout;
        let history: Value = serde_json::from_str(&history).expect("is JSON");
        assert_eq!(history.as_array().expect("a list").len(), 1, "{history}");
    }
    // Its owner sees all of it, and can end it.
    kim.home.run(&["show", &(own + 1).to_string()]).expect_code(0);
    kim.home.run(&["ci", "drop", "kim--1"]).expect_code(0);
    let runner = Machine { home: home!().with("CODEMENTOR_CREDS", secret.trim()) };
    runner.home.run(&["whoami"]).expect_code(4);
    assert_eq!(kim.user(), "kim");
}

#[test]
fn events_of_a_submission_reach_a_scoped_credential_as_they_happen() {
    let server = Server::start();
    let kim = server.student("Kim");
    let secret = kim.home.run(&["ci", "creds", "algo/hw1"]).expect_code(0).stdout;
    let runner = Machine { home: home!().with("CODEMENTOR_CREDS", secret.trim()) };
    let id = runner.submit("algo/hw1/hello").expect_code(0).id().to_string();
    let mut watching = Reaped(
        runner.home.codementor(&["watch", &id, "--json"]).stdout(Stdio::piped()).spawn().expect("starts"),
    );
    let mut seen = std::io::BufReader::new(watching.0.stdout.take().expect("is a pipe"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut seen, &mut line).expect("an event");
    kim.home.run(&["cancel", &id]).expect_code(0);
    assert_eq!(watching.0.wait().expect("ends").code(), Some(9));
}

#[test]
fn a_student_who_writes_to_nats_reaches_nothing_of_jetstream_and_of_others() {
    let server = Server::start();
    let (kim, lee) = (server.student("Kim"), server.student("Lee"));
    lee.submit("algo/hw1/hello").expect_code(0);
    runtime().block_on(async {
        let mut raw = peer_at(&server, &kim).await;
        for subject in [
            "$JS.API.INFO",
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.INFO.CM_JOBS",
            "$JS.API.STREAM.MSG.GET.CM_RESULTS",
            "$JS.API.CONSUMER.CREATE.CM_RESULTS.mine",
            "$JS.API.CONSUMER.DURABLE.CREATE.CM_JOBS.mine",
            "$JS.API.CONSUMER.MSG.NEXT.CM_JOBS.judge",
            "$JS.API.DIRECT.GET.OBJ_cm-packages",
            "$JS.ACK.CM_JOBS.judge.1.1.1.1.0",
            "cm.job.interactive.python3",
            "cm.res.1",
            "cm.ctl.cancel.1",
            "cm.ev.lee.1",
            "cm.ev.kim.1",
            "cm.u.lee.submit",
            "cm.enrol",
            "_INBOX.lee.x",
            "_INBOX_DAEMON.daemon.x",
            "$SYS.REQ.CLAIMS.UPDATE",
        ] {
            raw.must_not_publish(subject).await;
        }
        for subject in [
            ">",
            "_INBOX.>",
            "_INBOX.lee.>",
            "cm.ev.>",
            "cm.ev.lee.>",
            "cm.u.>",
            "cm.job.>",
            "cm.res.>",
            "cm.ctl.>",
            "$JS.>",
            "_INBOX_ENROL.>",
            "_INBOX_JUDGE.>",
        ] {
            raw.must_not_hear(subject).await;
        }
        // What is its own it may, and what is another's the daemon does not know of.
        let own = raw.ask("kim", "whoami", json!({})).await;
        assert_eq!(own["ok"]["user"], "kim");
        for (verb, body) in [
            ("show", json!({ "submission": 1 })),
            ("events", json!({ "submission": 1, "from": 1 })),
            ("cancel", json!({ "submission": 1 })),
            ("case", json!({ "submission": 1 })),
        ] {
            assert_eq!(raw.ask("kim", verb, body).await["refused"]["code"], "not_found", "{verb}");
        }
        assert_eq!(
            raw.ask("kim", "codes", json!({ "course": "algo" })).await["refused"]["code"],
            "unauthorised"
        );
        assert_eq!(raw.ask("kim", "codes", json!({ "course": "os" })).await["refused"]["code"], "not_found");
        assert_eq!(raw.ask("kim", "stop", json!({})).await["refused"]["code"], "unauthorised");

        // With the inbox prefix that clients have by default, answers are not heard.
        let creds = Creds::read(&kim.creds()).expect("are read");
        let mut default = Peer::connect(&server.url, &creds, "_INBOX").await;
        let asked = default.client.request("cm.u.kim.whoami", "{}".into());
        let _unanswered = tokio::time::timeout(Duration::from_millis(300), asked).await;
        default.told(|event| matches!(event, LinkEvent::Denied { action: Action::Subscribe, .. })).await;
    });
}

#[test]
fn an_answer_goes_nowhere_but_into_the_inbox_of_who_asks() {
    let server = Server::start();
    let (kim, _lee) = (server.student("Kim"), server.student("Lee"));
    runtime().block_on(async {
        let raw = peer_at(&server, &kim).await;
        // Hears everything, as only the daemon may.
        let spy = server.keys().issue(Role::Daemon, "spy", None).expect("is signed");
        let spy = Peer::connect(&server.url, &spy, "_INBOX_DAEMON.spy").await;
        let mut heard = spy.client.subscribe(">").await.expect("hears");
        settle(&spy.client).await.expect("the server hears");
        let forged = [
            "cm.u.lee.submit",
            "cm.u.lee.cancel",
            "cm.u.kim.submit",
            "cm.job.interactive.python3",
            "cm.res.1",
            "cm.ctl.cancel.1",
            "cm.ev.lee.1",
            "cm.enrol",
            "_INBOX.lee.x",
            "_INBOX.kimchi.x",
            "_INBOX.kim",
            "_INBOX_JUDGE.judge-1.x",
            "$JS.API.STREAM.DELETE.CM_JOBS",
        ];
        for reply in forged {
            let body = json!({}).to_string();
            raw.client.publish_with_reply("cm.u.kim.whoami", reply, body.into()).await.expect("is sent");
        }
        raw.client.publish("cm.u.kim.whoami", "{}".into()).await.expect("is sent");
        raw.client.flush().await.expect("is sent");
        let dropped =
            || server.home.log().matches("whose answer would go to somebody else was dropped").count();
        tokio::task::block_in_place(|| wait_until("all are dropped", || dropped() == forged.len() + 1));
        let own = raw.ask("kim", "whoami", json!({})).await;
        assert_eq!(own["ok"]["user"], "kim");
        let mut requests = 0;
        while requests < forged.len() + 2 {
            let message = within(heard.next()).await.expect("a message");
            requests += usize::from(message.subject.as_str() == "cm.u.kim.whoami");
            assert!(!forged.contains(&message.subject.as_str()), "the daemon spoke to {}", message.subject);
        }
    });
}

#[test]
fn a_judge_that_was_given_up_can_ack_but_decides_nothing() {
    let server = Server::with(home!().with("CODEMENTOR_SLOTS", 0).with("CODEMENTOR_ACK_WAIT", 1));
    let kim = server.student("Kim");
    let id = kim.submit("algo/hw1/hello").expect_code(0).id();
    runtime().block_on(async {
        let creds = server.keys().issue(Role::Judge, "judge-x", None).expect("is signed");
        let mut judge = Peer::connect(&server.url, &creds, "_INBOX_JUDGE.judge-x").await;
        let jetstream = streams::context(judge.client.clone());
        let consumer = streams::judge_consumer(&jetstream).await.expect("the consumer");
        let job = || async {
            within(async {
                loop {
                    if let Some(job) = streams::next_job(&consumer).await.expect("the server answers") {
                        return job;
                    }
                }
            })
            .await
        };
        let report = |redelivery: u32, n: u32, kind: ReportKind| {
            let reports = Reports {
                submission: SubmissionId(id),
                token: DeliveryToken { generation: 1, redelivery },
                reports: vec![Report { n, at: Timestamp(1), kind }],
            };
            let body = serde_json::to_vec(&reports).expect("is JSON");
            let jetstream = jetstream.clone();
            async move {
                let stored = jetstream.publish(format!("cm.res.{id}"), body.into()).await.expect("is sent");
                within(async { stored.await }).await.expect("is stored");
            }
        };
        let started = || ReportKind::Started { judge: "judge-x".into(), total: 2 };
        let judged = |verdict| ReportKind::Finished(Finish::Judged { verdict, passed: 1, total: 2 });
        let first = job().await;
        report(1, 0, started()).await;
        // It says nothing more for so long that the job is given to the next.
        let second = job().await;
        assert_eq!(second.info().expect("has its number").delivered, 2);
        report(2, 0, started()).await;
        within(first.double_ack()).await.expect("NATS takes it");
        report(1, 1, judged(Verdict::Accepted)).await;
        report(2, 1, judged(Verdict::WrongAnswer)).await;

        for subject in ["cm.u.kim.submit", "cm.ev.kim.1", "cm.enrol", "cm.job.batch.c", "_INBOX.kim.x"] {
            judge.must_not_publish(subject).await;
        }
        for subject in ["cm.u.>", "cm.ev.>", "_INBOX.>", "_INBOX_JUDGE.judge-1.>"] {
            judge.must_not_hear(subject).await;
        }
    });
    let seen = kim.home.run(&["watch", &id.to_string(), "--json"]).expect_code(1);
    assert_eq!(seen.verdict(), "WRONG_ANSWER");
    seen.event("restarted");
}

#[test]
fn who_has_no_credentials_can_do_nothing_but_ask_to_be_let_in() {
    let server = Server::start();
    runtime().block_on(async {
        let (tell, mut events) = mpsc::unbounded_channel();
        let options = async_nats::ConnectOptions::new()
            .custom_inbox_prefix("_INBOX_ENROL.enrol")
            .event_callback(move |event| {
                let _ = tell.send(event.to_string());
                async {}
            });
        let nobody = within(options.connect(&server.url)).await.expect("is let in to ask");
        let asked = nobody.request("cm.enrol", json!({ "code": "x", "public_key": "U" }).to_string().into());
        let answer: Value =
            serde_json::from_slice(&within(asked).await.expect("an answer").payload).expect("JSON");
        assert!(answer["refused"].is_object(), "{answer}");
        for subject in
            ["cm.u.local.stop", "cm.u.enrol.submit", "cm.job.batch.c", "$JS.API.INFO", "_INBOX.kim.x"]
        {
            nobody.publish(subject, "{}".into()).await.expect("is sent");
            let denied = format!("Permissions Violation for Publish to \"{subject}\"");
            within(async { while !events.recv().await.expect("lives").contains(&denied) {} }).await;
        }
        for subject in [">", "cm.>", "cm.u.>", "cm.ev.>", "_INBOX.>", "$JS.>", "$SYS.>"] {
            let _subscription = nobody.subscribe(subject).await.expect("is sent");
            let denied = format!("Permissions Violation for Subscription to \"{subject}\"");
            within(async { while !events.recv().await.expect("lives").contains(&denied) {} }).await;
        }
    });
}
