//! A class on one daemon: an instructor's assignments, what students see of them, and by which rules they submit.

use std::path::Path;
use std::sync::Arc;

use codementor_tests::{Draft, Home, Ran, Shared, home};
use serde_json::Value;

static SHARED: Shared = Shared::new();

/// Right for `echo`.
const RIGHT: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";
/// Right for the sample of `echo` only.
const WRONG: &str = "import sys\nsys.stdout.write(sys.stdin.read().replace('two', 'too'))\n";
/// No Python.
const BROKEN: &str = "def (:\n";
/// Right for `patience`, after a while of doing nothing.
const SLOW: &str = "import time\ntime.sleep(2)\nprint('done')\n";

/// A class: Ada teaches, Kim and Lee learn, Eve is in another course. Each test makes assignments of its own.
fn class() -> Arc<Home> {
    SHARED.get(|| {
        let home = home!().with("CODEMENTOR_SLOTS", 2).with("TZ", "Asia/Seoul");
        Draft::new("echo", 2)
            .file("problem_statement/problem.en.tex", "\\problemname{Echo}\nSay \\texttt{it} again.\n")
            .file("attachments/templates/python3/echo.py", "import sys\n")
            .sample("1", "one\n", "one\n")
            .secret("1", "two\n", "two\n")
            .secret("2", "three\n", "three\n")
            .install(&home);
        Draft::new("patience", 20).secret("1", "", "done\n").install(&home);
        Draft::new("unassigned", 2).secret("1", "", "done\n").install(&home);
        home.run(&["course", "create", "cs101", "--title", "Algorithms"]).expect_code(0);
        home.run(&["course", "create", "other"]).expect_code(0);
        home.invite("ada", &[("cs101", "instructor")]);
        home.invite("tom", &[("cs101", "assistant")]);
        for name in ["kim", "lee"] {
            assert_eq!(home.invite(name, &[("cs101", "student")]), name);
        }
        home.invite("eve", &[("other", "student")]);
        home
    })
}

fn create(home: &Home, name: &str, further: &[&str]) {
    let id = format!("cs101/{name}");
    let usual: &[&str] = &["assignment", "create", &id, "--problem", "echo:20", "--open"];
    home.run_as("ada", &[usual, further].concat()).expect_code(0);
}

fn submit(home: &Home, who: &str, assignment: &str, text: &str, further: &[&str]) -> Ran {
    let file = home.write(&format!("{who}-{assignment}/echo.py"), text);
    let problem = format!("cs101/{assignment}/echo");
    let usual: &[&str] = &["submit", file.to_str().expect("a text"), "-p", &problem, "--json"];
    home.run_as(who, &[usual, further].concat())
}

fn due(home: &Home, who: &str, assignment: &str) -> Value {
    let ran = home.run_as(who, &["due", "--all", "--json"]).expect_code(0);
    let all: Vec<Value> = serde_json::from_str(&ran.stdout).expect("is JSON");
    let id = format!("cs101/{assignment}");
    all.into_iter().find(|one| one["assignment"]["id"] == id.as_str()).unwrap_or(Value::Null)
}

/// A moment so many hours from now, as it is typed.
fn hours(from_now: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(from_now)).to_string()
}

#[test]
fn a_student_finds_gets_and_solves_what_is_open_and_nothing_else() {
    let home = class();
    let id = "cs101/first";
    home.run_as("ada", &["assignment", "create", id, "-p", "echo:20", "--due", "+1d", "--attempts", "2"])
        .expect_code(0);
    assert_eq!(due(&home, "kim", "first"), Value::Null, "a draft is not seen");
    home.run_as("kim", &["list", id]).expect_code(5);
    let refused = submit(&home, "kim", "first", RIGHT, &[]).expect_code(5);
    assert!(refused.stderr.is_empty() || refused.stderr.contains("no assignment"), "{}", refused.stderr);
    let opened = home.run_as("ada", &["assignment", "open", id]).expect_code(0);
    assert!(opened.stdout.contains("cs101/first is open: 1 problem, 20 points"), "{}", opened.stdout);

    let list = home.run_as("kim", &["list", id]).expect_code(0).stdout;
    assert!(list.contains("echo") && !list.contains("unassigned"), "{list}");
    let all = home.run_as("kim", &["list"]).expect_code(0).stdout;
    assert!(all.contains("echo") && !all.contains("unassigned"), "{all}");
    assert!(home.run_as("ada", &["list"]).expect_code(0).stdout.contains("unassigned"));

    let folder = home.work().join("first");
    let got = home.run_as("kim", &["get", "cs101/first/echo", "--dir", "first"]).expect_code(0);
    assert!(got.stdout.contains("Say `it` again."), "{}", got.stdout);
    let read =
        |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!((read("samples/1.in").as_str(), read("samples/1.ans").as_str()), ("one\n", "one\n"));
    assert!(read("statement.md").starts_with("# "));
    assert_eq!(read("echo.py"), "import sys\n");
    let again = home.run_as("kim", &["get", "cs101/first/echo", "--dir", "first"]).expect_code(2);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);

    // In that folder nothing has to be named any more.
    let in_folder = |text: &str, further: &[&str]| {
        std::fs::write(folder.join("echo.py"), text).expect("is written");
        let mut command = home.command_of("kim", &[&["submit", "--json"], further].concat());
        Ran::of(command.current_dir(&folder))
    };
    let wrong = in_folder(WRONG, &[]).expect_code(1);
    let facts = wrong.event("submission");
    assert_eq!((&facts["assignment"], &facts["attempt"]), (&Value::from(id), &Value::from(1)));
    assert_eq!((&facts["attempt_limit"], &facts["late"]), (&Value::from(2), &Value::from(false)));
    assert_eq!(
        (&wrong.event("result")["score"], &wrong.event("result")["max_score"]),
        (&"0".into(), &"20".into())
    );
    let broken = in_folder(BROKEN, &["--yes"]).expect_code(1);
    assert_eq!(broken.verdict(), "COMPILE_ERROR");
    let last = in_folder(RIGHT, &[]).expect_code(3);
    assert!(
        last.stdout.contains("the last of 2 attempts"),
        "asked, where nobody can answer: {}",
        last.stdout
    );
    let right = in_folder(RIGHT, &["--yes"]).expect_code(0);
    assert_eq!(right.event("submission")["attempt"], 2, "a program that does not compile cost nothing");
    assert_eq!(right.event("result")["score"], "20");
    let over = in_folder(RIGHT, &["--yes"]).expect_code(3);
    assert!(over.stdout.contains("all 2 attempts"), "{}", over.stdout);

    let mine = due(&home, "kim", "first");
    assert_eq!((&mine["problems"][0]["score"], &mine["problems"][0]["attempts"]), (&"20".into(), &2.into()));
    let history = home.run_as("kim", &["history", "-p", id, "--json"]).expect_code(0);
    let history: Vec<Value> = serde_json::from_str(&history.stdout).expect("is JSON");
    assert_eq!(history.len(), 3);
    assert!(history.iter().all(|one| one["assignment"] == id));
}

#[test]
fn assistants_see_the_problems_of_drafts_and_students_hear_when_an_assignment_opens() {
    let home = class();
    Draft::new("drafted", 2).secret("1", "one\n", "one\n").install(&home);
    home.run_as("ada", &["assignment", "create", "cs101/drafts", "-p", "drafted"]).expect_code(0);
    for arguments in [&["list", "cs101/drafts"][..], &["list"], &["get", "drafted", "--print"]] {
        home.run_as("tom", arguments).expect_code(0);
    }
    assert!(home.run_as("tom", &["list", "cs101/drafts"]).stdout.contains("drafted"));
    home.run_as("kim", &["get", "drafted", "--print"]).expect_code(5);
    assert!(!home.run_as("kim", &["list"]).expect_code(0).stdout.contains("drafted"));

    create(&home, "tomorrow", &["--opens", "2199-01-01 09:00"]);
    home.run_as("kim", &["get", "cs101/tomorrow/echo", "--print"]).expect_code(3);
    for json in [&[][..], &["--json"]] {
        let early = home.run_as("kim", &[&["list", "cs101/tomorrow"], json].concat()).expect_code(3);
        let told = format!("{}{}", early.stdout, early.stderr);
        assert!(told.contains("opens at 2199-01-01 09:00"), "{told}");
    }
    assert!(home.run_as("tom", &["list", "cs101/tomorrow"]).expect_code(0).stdout.contains("echo"));
}

#[test]
fn a_course_that_is_not_there_has_no_list_of_anything() {
    let home = class();
    for arguments in [&["audit", "nope"][..], &["course", "code", "list", "nope"]] {
        let refused = home.run(arguments).expect_code(5);
        assert!(refused.stderr.contains("'nope'"), "{}", refused.stderr);
    }
}

#[test]
fn others_have_no_part_in_a_course_that_is_not_theirs() {
    let home = class();
    create(&home, "closed-club", &[]);
    let kims = submit(&home, "kim", "closed-club", WRONG, &[]).expect_code(1).id().to_string();
    assert_eq!(due(&home, "eve", "closed-club"), Value::Null);
    assert!(!home.run_as("eve", &["list"]).expect_code(0).stdout.contains("echo"));
    submit(&home, "eve", "closed-club", RIGHT, &[]).expect_code(5);
    home.run_as("eve", &["get", "cs101/closed-club/echo", "--print"]).expect_code(5);
    home.run_as("eve", &["get", "echo", "--print"]).expect_code(5);
    home.run_as("eve", &["assignment", "list", "cs101"]).expect_code(5);
    home.run_as("eve", &["assignment", "close", "cs101/closed-club"]).expect_code(5);
    home.run_as("kim", &["assignment", "close", "cs101/closed-club"]).expect_code(4);
    home.run_as("ada", &["course", "create", "cs102"]).expect_code(4);
    // A submission is read by who made it and by those who teach.
    for (who, code) in [("kim", 0), ("ada", 0), ("tom", 0), ("lee", 5), ("eve", 5)] {
        home.run_as(who, &["show", &kims]).expect_code(code);
        home.run_as(who, &["diff", &kims]).expect_code(code);
    }
    // Nor does a student choose what judges.
    let package = Draft::new("echo", 2).secret("1", "", "").folder(&home);
    let file = home.write("kim-own/echo.py", RIGHT);
    home.run_as("kim", &["submit", file.to_str().expect("a text"), "-p", &package, "--json"]).expect_code(3);
}

#[test]
fn late_submissions_cost_what_was_said_and_an_extension_is_for_one() {
    let home = class();
    let (past, long_past) = (hours(-1), hours(-30));
    create(&home, "late", &["--due", &past, "--late-percent", "10", "--cutoff", "2d"]);
    let asked = submit(&home, "kim", "late", RIGHT, &[]).expect_code(3);
    assert!(asked.stdout.contains("takes 10 % of the points"), "{}", asked.stdout);
    let late = submit(&home, "kim", "late", RIGHT, &["--yes"]).expect_code(0);
    assert_eq!(late.event("submission")["late"], true);
    assert_eq!(late.event("submission")["late_percent"], 10);
    assert_eq!(due(&home, "kim", "late")["problems"][0]["score"], "18");

    create(&home, "strict", &["--due", &long_past, "--cutoff", "0s"]);
    let refused = submit(&home, "kim", "strict", RIGHT, &["--yes"]).expect_code(3);
    assert!(refused.stdout.contains("nothing is accepted after"), "{}", refused.stdout);
    let extend = ["assignment", "extend", "cs101/strict", "+2d", "--student", "kim", "--reason", "was ill"];
    home.run_as("ada", &extend).expect_code(0);
    let in_time = submit(&home, "kim", "strict", RIGHT, &[]).expect_code(0);
    assert_eq!(in_time.event("submission")["late"], false);
    assert_eq!(due(&home, "kim", "strict")["extended"], true);
    submit(&home, "lee", "strict", RIGHT, &["--yes"]).expect_code(3);
    home.run_as("ada", &["assignment", "extend", "cs101/strict", "+3d", "--student", "eve"]).expect_code(5);
    home.run_as("ada", &["assignment", "extend", "cs101/strict", "+3d"]).expect_code(0);
    submit(&home, "lee", "strict", RIGHT, &[]).expect_code(0);

    home.run_as("ada", &["assignment", "close", "cs101/strict"]).expect_code(0);
    let closed = submit(&home, "lee", "strict", RIGHT, &["--yes"]).expect_code(3);
    assert!(closed.stdout.contains("is closed"), "{}", closed.stdout);
    home.run_as("lee", &["get", "cs101/strict/echo", "--print"]).expect_code(0);
}

#[test]
fn what_an_assignment_hides_is_not_told() {
    let home = class();
    create(&home, "samples", &["--visibility", "samples", "--stop", "never"]);
    create(&home, "verdict", &["--visibility", "verdict"]);
    let tests = |ran: &Ran| ran.events().iter().filter(|event| event["type"] == "test").count();
    let samples = submit(&home, "kim", "samples", WRONG, &[]).expect_code(1);
    assert_eq!(tests(&samples), 1);
    assert_eq!(samples.event("result")["passed"], Value::Null);
    let verdict = submit(&home, "kim", "verdict", WRONG, &[]).expect_code(1);
    assert_eq!(tests(&verdict), 0);
    home.run_as("kim", &["diff", &verdict.id().to_string()]).expect_code(5);
    // What is read later is what was told.
    for ran in [&samples, &verdict] {
        let watched = home.run_as("kim", &["watch", &ran.id().to_string(), "--json"]).expect_code(1);
        assert_eq!(tests(&watched), tests(ran));
        let shown = home.run_as("kim", &["show", &ran.id().to_string(), "--json"]).expect_code(0);
        let shown: Value = serde_json::from_str(&shown.stdout).expect("is JSON");
        assert_eq!(shown["summary"]["passed"], Value::Null);
    }
    // The samples are no secret: they can be tried as always.
    let file = home.write("kim-trial/echo.py", WRONG);
    let file = file.to_str().expect("a text");
    home.run_as("kim", &["test", file, "-p", "cs101/verdict/echo", "--json"]).expect_code(0);
}

#[test]
fn an_assignment_that_is_deleted_leaves_its_submissions_to_be_judged() {
    let home = class();
    home.run_as("ada", &["assignment", "create", "cs101/gone", "-p", "patience:7", "--open"]).expect_code(0);
    let file = home.write("kim-gone/patience.py", SLOW);
    let arguments =
        ["submit", file.to_str().expect("a text"), "-p", "cs101/gone/patience", "--json", "--no-wait"];
    let id = home.run_as("kim", &arguments).expect_code(0).id().to_string();
    home.run_as("ada", &["assignment", "delete", "cs101/gone"]).expect_code(3);
    let deleted = home.run_as("ada", &["assignment", "delete", "cs101/gone", "--yes"]).expect_code(0);
    assert!(deleted.stdout.contains("1 submission"), "{}", deleted.stdout);
    let watched = home.run_as("kim", &["watch", &id, "--json"]).expect_code(0);
    assert_eq!(watched.event("result")["score"], "7");
    home.run_as("kim", &arguments).expect_code(5);
}

#[test]
fn an_instructor_hears_what_is_wrong_with_an_assignment() {
    let home = class();
    #[rustfmt::skip]
    let table: &[(&[&str], i32, &str)] = &[
        (&["-p", "ecko"],                                           5, "no problem 'ecko'"),
        (&["-p", "echo", "-p", "echo:5"],                           2, "problem 'echo' is there twice"),
        (&["-p", "echo:ten"],                                       2, "'ten' is no amount of points"),
        (&[],                                                       2, "the assignment has no problem"),
        (&["-p", "echo", "--due", "+1d", "--opens", "+2d"],         2, "after it is due"),
        (&["-p", "echo", "--time-zone", "Asia/Soul"],               2, "no time zone 'Asia/Soul'"),
        (&["-p", "echo", "--due", "2026-12-04"],                    2, "a day without a time"),
        (&["-p", "echo", "--due", "+1d", "--late-percent", "101"],  2, "more than all of the points"),
        (&["-p", "echo", "--due", "+1d", "--grace", "2h", "--cutoff", "1h"], 2, "before the grace is over"),
        (&["-p", "echo", "--late-percent", "10"],                   2, "no deadline"),
        (&["-p", "echo", "--language", "cobol"],                    2, "no language 'cobol'"),
        (&["-p", "echo", "--file", "nowhere.toml"],                 2, "cannot read nowhere.toml"),
    ];
    for (arguments, code, said) in table {
        let ran = home
            .run_as("ada", &[&["assignment", "create", "cs101/odd"], *arguments].concat())
            .expect_code(*code);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    let ran = home.run_as("ada", &["assignment", "create", "other/odd", "-p", "echo"]).expect_code(5);
    assert!(ran.stderr.contains("in no course 'other'"), "{}", ran.stderr);

    let file = "title = \"From a file\"\nproblems = [\"echo:5\"]\ndue = \"2036-12-04 23:59\"\ntime_zone = \"Asia/Seoul\"\n";
    let file = home.write("hw.toml", file);
    let file = file.to_str().expect("a text");
    home.run_as("ada", &["assignment", "create", "cs101/filed", "--file", file]).expect_code(0);
    let twice = home.run_as("ada", &["assignment", "create", "cs101/filed", "--file", file]).expect_code(2);
    assert!(twice.stderr.contains("--update"), "{}", twice.stderr);
    home.run_as("ada", &["assignment", "create", "cs101/filed", "--update", "--title", "Changed"])
        .expect_code(0);
    let list = home.run_as("ada", &["assignment", "list", "cs101"]).expect_code(0).stdout;
    let line = list.lines().find(|line| line.starts_with("cs101/filed")).expect("is listed");
    assert!(
        line.contains("Changed") && line.contains("draft") && line.contains("2036-12-04 23:59 KST"),
        "{line}"
    );
    assert!(Path::new(file).is_file());
}

#[test]
fn a_problem_of_two_assignments_has_to_be_named_with_one() {
    let home = class();
    for name in ["twin-one", "twin-two"] {
        home.run_as("ada", &["assignment", "create", &format!("cs101/{name}"), "-p", "patience", "--open"])
            .expect_code(0);
    }
    let file = home.write("lee-twin/patience.py", "print('done')\n");
    let file = file.to_str().expect("a text");
    let ambiguous = home.run_as("lee", &["submit", file, "-p", "patience"]).expect_code(2);
    assert!(ambiguous.stderr.contains("cs101/twin-one/patience"), "{}", ambiguous.stderr);
    home.run_as("ada", &["assignment", "close", "cs101/twin-two"]).expect_code(0);
    let meant = home.run_as("lee", &["submit", file, "-p", "patience", "--json"]).expect_code(0);
    assert_eq!(meant.event("submission")["assignment"], "cs101/twin-one");
    // What the owner of the daemon does on its own needs no course.
    let own = home.run(&["submit", file, "-p", "patience", "--json"]).expect_code(0);
    assert_eq!(own.event("submission")["assignment"], Value::Null);
    home.run_as("ada", &["assignment", "close", "cs101/twin-one"]).expect_code(0);
}
