//! A course with a roster: who is on it, who may come in by it, who leaves, and what is written down of that.

use codementor_tests::{Home, Ran, home, library};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePrivateKey;
use serde_json::{Value, json};

const ROSTER: &str = "학번,이름,email,github\n\
    2026-1,김민지,kim@example.org,Kim-Dev\n\
    2026-2,\"Lee, Ada\",lee@example.org,\n\
    2026-3,Park,park@example.org,park\n";

/// A daemon that judges nothing, with a course and an open assignment.
fn school(home: Home) -> Home {
    home.run(&["problem", "push", library().join("hello").to_str().expect("a text")]).expect_code(0);
    home.run(&["course", "create", "algo"]).expect_code(0);
    home.run(&["assignment", "create", "algo/hw1", "-p", "hello", "--due", "+7d", "--open"]).expect_code(0);
    home
}

fn import(home: &Home, text: impl AsRef<[u8]>, more: &[&str]) -> Ran {
    let file = home.write("roster.csv", text);
    let usual = ["course", "roster", "import", "algo", file.to_str().expect("a text")];
    home.run(&[&usual, more].concat())
}

fn roster(home: &Home) -> Vec<Value> {
    let listed = home.run(&["course", "roster", "list", "algo", "--json"]).expect_code(0);
    serde_json::from_str(&listed.stdout).expect("is JSON")
}

/// Somebody on a machine of its own joins by a code that is made for it.
fn join(home: &Home, who: &str, code: &[&str], more: &[&str]) -> Ran {
    let made = home.run(&[&["course", "code", "make", "algo", "--json"], code].concat()).expect_code(0);
    let made: Value = serde_json::from_str(&made.stdout).expect("is JSON");
    let code = made["code"].as_str().expect("a text");
    home.settle(who);
    home.run_as(who, &[&["join", &home.url(), code], more].concat())
}

fn submit(home: &Home, mut command: std::process::Command) -> Ran {
    let file = home.write("hello.py", "print('Hello, CodeMentor!')\n");
    command.args(["submit", file.to_str().expect("a text"), "-p", "algo/hw1/hello", "--no-wait", "--json"]);
    Ran::of(command)
}

#[test]
fn a_roster_is_imported_whole_or_not_at_all_and_shows_what_it_changes() {
    let home = school(home!().with("CODEMENTOR_SLOTS", 0));
    let tried = import(&home, ROSTER, &["--dry-run"]).expect_code(0);
    assert!(
        tried.stdout.contains(" + 2026-1\n") && tried.stdout.contains("nothing was changed"),
        "{tried:?}"
    );
    assert!(roster(&home).is_empty());
    import(&home, ROSTER, &[]).expect_code(0);
    assert_eq!(roster(&home).len(), 3);

    // One row that is wrong keeps all out.
    let broken = "student_id,name\n2026-1,Kim\n2026-9,\n2026-1,Kim\n";
    let refused = import(&home, broken, &[]).expect_code(2);
    assert!(refused.stderr.contains("line 3: it has no name"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("line 4: the student id '2026-1' is in line 2 too"),
        "{}",
        refused.stderr
    );
    // So does one that says of two students what only one can have.
    let taken = import(&home, "student_id,name,github\n2026-9,Han,PARK\n", &[]).expect_code(2);
    assert!(taken.stderr.contains("2026-3 and 2026-9 would have the same code-host account"), "{taken:?}");
    let korean = b"student_id,name\n2026-9,\xb1\xe8\n";
    assert!(import(&home, korean, &[]).expect_code(2).stderr.contains("--encoding cp949"));
    import(&home, "name\nKim\n", &[]).expect_code(2);
    assert_eq!(roster(&home).len(), 3);

    // What a row leaves empty stays, and so does who is not in the file.
    let again = import(&home, "student_id,name,section\n2026-1,김민지,A\n2026-2,\"Lee, Ada\",\n", &[]);
    let again = again.expect_code(0).stdout;
    assert!(again.contains(" ~ 2026-1: section\n") && again.contains(" ? 2026-3: "), "{again}");
    assert!(again.ends_with("0 added, 1 changed, 1 as before\n"), "{again}");
    let row = &roster(&home)[2]["row"];
    assert_eq!((&row["email"], &row["section"]), (&json!("kim@example.org"), &json!("A")));
    home.run(&["course", "roster", "import", "other", "roster.csv"]).expect_code(5);
    home.run(&["course", "roster", "import", "algo", "nowhere.csv"]).expect_code(2);

    let audit = home.run(&["audit", "algo", "--json"]).expect_code(0);
    let audit: Vec<Value> = serde_json::from_str(&audit.stdout).expect("is JSON");
    let imports: Vec<&Value> = audit.iter().filter(|entry| entry["action"] == "roster-import").collect();
    assert_eq!(imports.len(), 2, "what changed nothing is not written down");
    assert_eq!(imports[0]["detail"]["changed"], json!({ "2026-1": ["section"] }));
    assert_eq!(imports[0]["by"], "local");
    let page = home.run(&["audit", "algo", "-n", "1", "--json", "--before", &audit[0]["id"].to_string()]);
    let page: Vec<Value> = serde_json::from_str(&page.expect_code(0).stdout).expect("is JSON");
    assert_eq!(page, audit[1..2]);
}

#[test]
fn a_code_for_the_roster_lets_in_who_is_on_it() {
    let home = school(home!().with("CODEMENTOR_SLOTS", 0));
    let none = join(&home, "kim", &["--roster"], &["--student-id", "2026-1"]).expect_code(3);
    assert!(none.stderr.contains("there is none yet"), "{}", none.stderr);
    import(&home, ROSTER, &[]).expect_code(0);
    let stranger = join(&home, "han", &["--roster"], &["--student-id", "2026-9"]).expect_code(3);
    assert!(stranger.stderr.contains("not on the roster"), "{}", stranger.stderr);
    // Without a name of its own, the roster's is taken.
    let joined = join(&home, "lee", &["--roster"], &["--student-id", "2026-2"]).expect_code(0);
    assert!(joined.stdout.contains("lee-ada"), "{}", joined.stdout);
    let twice = join(&home, "eve", &["--roster"], &["--student-id", "2026-2"]).expect_code(3);
    assert!(twice.stderr.contains("already"), "{}", twice.stderr);

    // Who came in without a student id is told apart by the instructor.
    join(&home, "minji", &[], &["--name", "Minji"]).expect_code(0);
    let find = |user: &str| roster(&home).into_iter().find(|one| one["user"] == user).expect("is listed");
    assert_eq!(find("minji")["row"], Value::Null);
    let link = |user: &str, id: &str| home.run(&["course", "roster", "link", "algo", user, id]);
    link("minji", "2026-9").expect_code(5);
    link("minji", "2026-2").expect_code(3);
    link("nobody", "2026-1").expect_code(5);
    link("minji", "2026-1").expect_code(0);
    assert_eq!(find("minji")["row"]["name"], "김민지");
    link("minji", "2026-3").expect_code(3);
    home.run_as("minji", &["course", "roster", "list", "algo"]).expect_code(4);
    let listed = home.run(&["course", "roster", "list", "algo"]).expect_code(0).stdout;
    assert!(listed.lines().any(|line| line.contains("2026-3") && line.contains("not joined")), "{listed}");
}

#[test]
fn who_leaves_a_course_takes_its_credentials_for_ci_along_and_can_come_back() {
    let home = school(home!().with("CODEMENTOR_SLOTS", 0));
    import(&home, ROSTER, &[]).expect_code(0);
    join(&home, "kim", &["--roster"], &["--student-id", "2026-1", "--name", "Kim"]).expect_code(0);
    submit(&home, home.command_of("kim", &[])).expect_code(0);
    let secret = home.run_as("kim", &["ci", "creds", "algo/hw1"]).expect_code(0).stdout;
    let in_ci = |arguments: &[&str]| {
        let mut command = home.command_of("ci", arguments);
        command.env("CODEMENTOR_CREDS", secret.trim());
        command
    };
    home.settle("ci");
    Ran::of(in_ci(&["whoami"])).expect_code(0);

    let withdraw = ["course", "roster", "withdraw", "algo", "2026-1"];
    let out = home.run(&[&withdraw[..], &["--reason", "moved away"]].concat()).expect_code(0);
    assert_eq!(out.stdout, "kim is out of algo; 1 credential for CI void\n");
    home.run(&withdraw).expect_code(2);
    home.run(&["course", "roster", "withdraw", "algo", "2026-9"]).expect_code(5);
    Ran::of(in_ci(&["whoami"])).expect_code(4);
    submit(&home, home.command_of("kim", &[])).expect_code(5);
    // What was handed in is the student's still.
    home.run_as("kim", &["show", "1"]).expect_code(0);
    let back = join(&home, "kim", &[], &[]).expect_code(3);
    assert!(back.stderr.contains("has left"), "{}", back.stderr);

    home.run(&[&withdraw[..], &["--undo"]].concat()).expect_code(0);
    submit(&home, home.command_of("kim", &[])).expect_code(0);
    Ran::of(in_ci(&["whoami"])).expect_code(4);

    // The same by a file.
    import(&home, "student_id,name,withdrawn\n2026-1,김민지,yes\n", &[]).expect_code(0);
    submit(&home, home.command_of("kim", &[])).expect_code(5);
    import(&home, "student_id,name,withdrawn\n2026-1,김민지,no\n", &[]).expect_code(0);
    submit(&home, home.command_of("kim", &[])).expect_code(0);

    // Those who teach can be taken out too.
    join(&home, "tom", &["--role", "assistant"], &["--name", "Tom"]).expect_code(0);
    home.run_as("tom", &["course", "roster", "list", "algo"]).expect_code(0);
    home.run(&["course", "remove", "algo", "tom"]).expect_code(0);
    home.run_as("tom", &["course", "roster", "list", "algo"]).expect_code(5);
    let audit = home.run(&["audit", "algo"]).expect_code(0).stdout;
    assert!(audit.contains("member-remove") && audit.contains("reason: moved away"), "{audit}");
}

/// Signs ID tokens as a code host does.
struct Issuer(EncodingKey);

impl Issuer {
    fn new(keys: &std::path::Path) -> Self {
        let key = p256::SecretKey::random(&mut p256::elliptic_curve::rand_core::OsRng);
        let point = key.public_key().to_encoded_point(false);
        let part = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let (x, y) = (point.x().expect("is no infinity"), point.y().expect("is no infinity"));
        let public = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", "x": part(x), "y": part(y),
        });
        std::fs::write(keys, json!({ "keys": [public] }).to_string()).expect("is written");
        let private = key.to_pkcs8_der().expect("is encoded");
        Self(EncodingKey::from_ec_der(private.as_bytes()))
    }

    fn token(&self, owner: &str) -> String {
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "iss": "https://gitlab.example", "aud": "codementor", "iat": now, "exp": now + 300,
            "namespace_path": owner,
        });
        let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.0).expect("is signed")
    }
}

#[test]
fn a_ci_job_is_the_student_whose_repository_it_is_of() {
    let home = home!().with("CODEMENTOR_SLOTS", 0);
    let config = home.data().with_file_name("config.toml");
    let keys = home.data().with_file_name("keys.json");
    let issuer = Issuer::new(&keys);
    let settings = "[[oidc]]\nissuer = \"https://gitlab.example\"\naudience = \"codementor\"\njwks_file = \"keys.json\"\n";
    std::fs::write(config, settings).expect("is written");
    let home = school(home);
    let log_in = |owner: &str, assignment: &str| {
        let token = issuer.token(owner);
        home.settle("job");
        let arguments = ["ci", "login", &home.url(), assignment, "--out", "job.creds", "--id-token", &token];
        home.run_as("job", &arguments)
    };
    home.settle("job");
    // Without a token it is said what gives a job one, not how the command is used.
    for (set, said) in [
        (&[("GITHUB_ACTIONS", "true")][..], "permissions: id-token: write"),
        (&[("GITLAB_CI", "true"), ("CODEMENTOR_ID_TOKEN", "")], "id_tokens"),
        (&[("CODEMENTOR_ID_TOKEN", " \n")], "id_tokens"),
    ] {
        let mut command =
            home.command_of("job", &["ci", "login", &home.url(), "algo/hw1", "--out", "job.creds"]);
        command.env_remove("GITHUB_ACTIONS").env_remove("CODEMENTOR_ID_TOKEN").envs(set.iter().copied());
        let ran = Ran::of(command).expect_code(4);
        let lacks = ran.stderr.contains("no ID token") && ran.stderr.contains("fork");
        assert!(lacks && ran.stderr.contains(said), "{}", ran.stderr);
    }
    let nobody = log_in("kim-dev", "algo/hw1").expect_code(4);
    assert!(nobody.stderr.contains("nobody on the course's roster"), "{}", nobody.stderr);
    import(&home, ROSTER, &[]).expect_code(0);
    let early = log_in("kim-dev", "algo/hw1").expect_code(4);
    assert!(early.stderr.contains("has not joined"), "{}", early.stderr);
    join(&home, "kim", &["--roster"], &["--student-id", "2026-1", "--name", "Kim"]).expect_code(0);
    // However the account is written.
    let let_in = log_in("KIM-dev", "algo/hw1").expect_code(0);
    assert!(let_in.stderr.contains("kim--1 may submit to algo/hw1"), "{}", let_in.stderr);
    let mut command = home.command_of("job", &[]);
    command.env("CODEMENTOR_CREDS", home.work().join("job.creds"));
    let id = submit(&home, command).expect_code(0).id();
    home.run_as("kim", &["show", &id.to_string()]).expect_code(0);
    log_in("kim-dev", "algo/hw2").expect_code(5);
    log_in("stranger", "algo/hw1").expect_code(4);
    home.run(&["course", "roster", "withdraw", "algo", "kim"]).expect_code(0);
    log_in("kim-dev", "algo/hw1").expect_code(4);
}
