//! All that a server keeps of one person: given out as a whole, and removed so that no byte of it is left.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use codementor_tests::{Draft, Home, Reaped, home};
use serde_json::Value;

/// A name, a student id and words of a program that stand nowhere else.
const NAME: &str = "Zquorfinia Vexlombard";
const ID: &str = "zq-770-vexl";
const WORD: &str = "qzxwordinprogram";
const MAIL: &str = "zquorf@vexl.example";

fn school() -> Home {
    let home = home!().with("CODEMENTOR_SLOTS", 2);
    Draft::new("echo", 2).sample("1", "one\n", "one\n").secret("1", "two\n", "two\n").install(&home);
    home.run(&["course", "create", "algo"]).expect_code(0);
    let roster =
        format!("student_id,name,email,github\n{ID},{NAME},{MAIL},{WORD}-dev\n2026-2,Lee,lee@x.org,lee\n");
    let file = home.write("roster.csv", roster);
    home.run(&["course", "roster", "import", "algo", file.to_str().expect("a text")]).expect_code(0);
    home.run(&["assignment", "create", "algo/hw1", "-p", "echo:20", "--due", "+7d", "--open"]).expect_code(0);
    for (who, id, name) in [("kim", ID, NAME), ("lee", "2026-2", "Lee")] {
        home.enrol(who, "algo", id, name);
        let program = format!("import sys\nprint('{WORD} of {who}')\nsys.stdout.write(sys.stdin.read())\n");
        let file = home.write(&format!("{who}/echo.py"), program);
        let file = file.to_str().expect("a text");
        home.run_as(who, &["submit", file, "-p", "algo/hw1/echo", "--json"]).expect_code(1);
        home.run_as(who, &["test", file, "-p", "algo/hw1/echo", "--json"]).expect_code(1);
        home.run_as(who, &["ci", "creds", "algo/hw1"]).expect_code(0);
    }
    home.run(&["assignment", "extend", "algo/hw1", "+2d", "--student", &user(&home), "--reason", "was ill"])
        .expect_code(0);
    home.run(&["grade", "override", "algo/hw1", ID, "7", "--reason", "Zquorfinia was ill"]).expect_code(0);
    home
}

fn user(home: &Home) -> String {
    let who = home.run_as("kim", &["whoami", "--json"]).expect_code(0);
    let who: Value = serde_json::from_str(&who.stdout).expect("is JSON");
    who["user"].as_str().expect("a text").to_owned()
}

/// The files below a folder that hold one of these texts, as it is, in base64 of any alignment, or in capitals.
fn holding(folder: &Path, texts: &[String]) -> Vec<PathBuf> {
    let mut wanted: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        wanted.push(text.clone().into_bytes());
        for shift in 0..3 {
            let padded = [vec![b' '; shift], text.clone().into_bytes()].concat();
            let encoded = data_encoding::BASE64_NOPAD.encode(&padded);
            // Without the characters that depend on what is around it.
            wanted.push(encoded.as_bytes()[4..encoded.len() - 4].to_vec());
        }
    }
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("is a folder") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                // It may be gone meanwhile.
                let bytes = std::fs::read(entry.path()).unwrap_or_default();
                let holds =
                    |wanted: &Vec<u8>| bytes.windows(wanted.len()).any(|part| part == wanted.as_slice());
                if wanted.iter().any(holds) {
                    found.push(entry.path());
                }
            }
        }
    }
    found
}

/// Where the database and the store of NATS are.
fn stores(home: &Home, texts: &[String]) -> Vec<PathBuf> {
    let mut found = holding(&home.data(), texts);
    found.retain(|path| {
        // The log says who did what by name, and ends by itself.
        path.file_name().is_some_and(|name| !name.to_string_lossy().ends_with(".log"))
    });
    found
}

#[test]
fn what_is_kept_of_a_person_can_be_had_whole_and_by_nobody_else() {
    let home = school();
    let own = home.run_as("kim", &["export", "own.json"]).expect_code(0);
    assert!(own.stdout.contains("own.json"), "{}", own.stdout);
    let path = home.work().join("own.json");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(path.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).expect("is read");
    let kept: Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!(kept["users"][0]["full_name"], NAME);
    assert_eq!(kept["roster"][0]["email"], MAIL);
    assert!(kept["submissions"][0]["files"][0]["text"].as_str().expect("a text").contains(WORD));
    assert_eq!(kept["memberships"][0]["course"], "algo");
    assert_eq!(kept["grades_set"][0]["score"], "7");
    for table in ["events", "captures", "extensions", "audit", "user_keys"] {
        assert!(kept[table].as_array().is_some_and(|rows| !rows.is_empty()), "{table}");
    }
    assert_eq!(kept["cases"], Value::Null, "what an assignment may hide is not in it");
    assert!(!text.contains("of lee") && !text.contains("2026-2"), "nothing of others");
    home.run_as("lee", &["export", "-", "--user", &user(&home)]).expect_code(4);
    let by_admin = home.run(&["export", "-", "--user", ID]).expect_code(0).stdout;
    let by_admin: Value = serde_json::from_str(&by_admin).expect("is JSON");
    assert_eq!(by_admin["submissions"], kept["submissions"]);
    assert!(by_admin["cases"].is_array());
    home.run(&["export", "-", "--user", "nobody"]).expect_code(5);
}

#[test]
fn who_is_erased_is_in_no_byte_of_the_database_and_of_nats() {
    let home = school();
    let name = user(&home);
    let texts =
        [NAME.to_owned(), ID.to_owned(), MAIL.to_owned(), format!("{WORD} of kim"), name.clone()].to_vec();
    assert!(!stores(&home, &texts).is_empty(), "the search finds what is there");
    // Something that goes on, on a connection that lives.
    let slow = home.write("kim/slow.py", format!("# {WORD} of kim\nimport time\ntime.sleep(60)\n"));
    let mut command =
        home.command_of("kim", &["submit", slow.to_str().expect("a text"), "-p", "algo/hw1/echo"]);
    let mut watching = Reaped(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"));
    codementor_tests::wait_until("it is known", || {
        let history = home.run_as("kim", &["history", "--json"]).expect_code(0).stdout;
        serde_json::from_str::<Vec<Value>>(&history).is_ok_and(|all| all.len() == 2)
    });

    home.run_as("lee", &["admin", "erase", &name, "--yes"]).expect_code(4);
    home.run(&["admin", "erase", &name]).expect_code(3);
    home.run(&["admin", "erase", "local", "--yes"]).expect_code(2);
    let erased = home.run(&["admin", "erase", &name, "--yes"]).expect_code(0);
    assert!(erased.stdout.contains("3 submissions"), "{}", erased.stdout);
    watching.0.wait().expect("the connection is cut");
    home.run_as("kim", &["whoami"]).expect_code(4);
    assert_eq!(stores(&home, &texts), Vec::<PathBuf>::new());
    home.run(&["admin", "erase", &name, "--yes"]).expect_code(5);

    // Others lose nothing, and the log keeps that something was done.
    let lee = home.run_as("lee", &["history", "--json"]).expect_code(0).stdout;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&lee).expect("is JSON").len(), 1);
    let grades = home.run(&["grade", "list", "algo/hw1"]).expect_code(0).stdout;
    assert!(grades.contains("Lee") && grades.lines().count() == 2, "{grades}");
    let audit = home.run(&["audit", "algo", "--json"]).expect_code(0).stdout;
    let audit: Vec<Value> = serde_json::from_str(&audit).expect("is JSON");
    assert_eq!((&audit[0]["action"], &audit[0]["by"]), (&Value::from("erase"), &Value::from("local")));
    let set = audit.iter().find(|entry| entry["action"] == "grade-override").expect("is kept");
    assert_eq!((&set["detail"]["student"], &set["detail"]["reason"]), (&"erased".into(), &"erased".into()));
    // Who has not joined is taken from rosters.
    let file = home.write("more.csv", "student_id,name\n2026-9,Nojoin Quuxenthal\n");
    home.run(&["course", "roster", "import", "algo", file.to_str().expect("a text")]).expect_code(0);
    home.run(&["admin", "erase", "2026-9", "--yes"]).expect_code(0);
    assert!(stores(&home, &["Nojoin Quuxenthal".to_owned()]).is_empty());
}
