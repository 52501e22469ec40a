//! Judging again: silently, then for all at once or not at all.

use std::process::Stdio;

use codementor_tests::{Draft, Home, Ran, home, wait_until};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// Right for what the first version asks, and not for the second.
const ECHO: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";
/// Right for the second version only.
const COUNT: &str = "import sys\nsys.stdout.write(sys.stdin.read().replace('one', 'two'))\n";

fn class(slots: u32) -> Home {
    let home = home!().with("CODEMENTOR_SLOTS", slots);
    version(&home, "one\n");
    home.run(&["course", "create", "cs101"]).expect_code(0);
    home.run(&["course", "create", "other"]).expect_code(0);
    home.invite("ada", &[("cs101", "instructor")]);
    home.invite("eve", &[("other", "instructor")]);
    for name in ["kim", "lee"] {
        home.invite(name, &[("cs101", "student")]);
    }
    home.run_as("ada", &["assignment", "create", "cs101/hw", "-p", "echo:20", "--open"]).expect_code(0);
    home
}

/// Installs `echo` with this answer to its hidden test.
fn version(home: &Home, answer: &str) {
    Draft::new("echo", 5).sample("1", "1\n", "1\n").secret("1", "one\n", answer).install(home);
}

fn submit(home: &Home, who: &str, text: &str) -> u64 {
    let file = home.write(&format!("{who}/echo.py"), text);
    let ran = home.run_as(who, &["submit", file.to_str().expect("a text"), "-p", "cs101/hw/echo", "--json"]);
    assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
    ran.id()
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

fn shown(home: &Home, who: &str, id: u64) -> (String, String) {
    let shown = json(&home.run_as(who, &["show", &id.to_string(), "--json"]).expect_code(0));
    let text = |key: &str| shown["summary"][key].as_str().expect("a text").to_owned();
    (text("verdict"), text("score"))
}

fn rows<T: rusqlite::types::FromSql>(home: &Home, sql: &str) -> Vec<T> {
    let path = std::fs::read_dir(home.data())
        .expect("lists")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|end| end == "db"))
        .expect("the database is there");
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
    let mut statement = db.prepare(sql).expect("is SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("runs");
    rows.collect::<Result<_, _>>().expect("reads")
}

#[test]
fn results_move_for_all_at_once_when_they_are_applied() {
    let home = class(2);
    let (kim, lee) = (submit(&home, "kim", ECHO), submit(&home, "lee", COUNT));
    let nothing = home.run_as("ada", &["problem", "rejudge", "echo"]).expect_code(6);
    assert!(nothing.stderr.contains("--all judges it all the same"), "{}", nothing.stderr);
    // What the assignment says since then is not what these were submitted for.
    home.run_as("ada", &["assignment", "create", "cs101/hw", "--update", "-p", "echo:50"]).expect_code(0);
    version(&home, "two\n");
    let preview = home.run_as("ada", &["problem", "rejudge", "echo", "--preview"]).expect_code(0);
    assert!(
        preview.stdout.contains("echo: 2 submissions judged again, 2 results move"),
        "{}",
        preview.stdout
    );
    let line = |id: u64| {
        let found = preview.stdout.lines().find(|line| line.trim_start().starts_with(&id.to_string()));
        found.unwrap_or_else(|| panic!("#{id} in\n{}", preview.stdout)).split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(line(kim)[1..], ["kim", "cs101/hw/echo", "ACCEPTED", "WRONG_ANSWER", "20", "0", "20"]);
    assert_eq!(line(lee)[1..], ["lee", "cs101/hw/echo", "WRONG_ANSWER", "ACCEPTED", "0", "20", "20"]);
    // Nobody sees anything of it, and nobody else's instructor reaches it.
    assert_eq!(shown(&home, "kim", kim), ("ACCEPTED".into(), "20".into()));
    assert!(!home.run_as("lee", &["history"]).expect_code(0).stdout.contains("judged again"));
    assert_eq!(
        json(&home.run_as("lee", &["history", "--json"]).expect_code(0)).as_array().map(Vec::len),
        Some(1)
    );
    home.run_as("eve", &["problem", "rejudge", "--show", "1"]).expect_code(5);
    home.run_as("eve", &["problem", "rejudge", "echo"]).expect_code(6);
    home.run_as("eve", &["problem", "rejudge", "--assignment", "cs101/hw"]).expect_code(5);
    home.run_as("eve", &["problem", "rejudge", &kim.to_string()]).expect_code(5);
    home.run_as("kim", &["problem", "rejudge", "echo"]).expect_code(4);
    let twice = home.run_as("ada", &["problem", "rejudge", "--assignment", "cs101/hw"]).expect_code(3);
    assert!(twice.stderr.contains("--show 1"), "{}", twice.stderr);
    assert!(home.run_as("ada", &["problem", "rejudge", "--list"]).expect_code(0).stdout.contains("ready"));

    home.run_as("ada", &["problem", "rejudge", "--show", "1", "--apply"]).expect_code(0);
    assert_eq!(shown(&home, "kim", kim), ("WRONG_ANSWER".into(), "0".into()));
    assert_eq!(shown(&home, "lee", lee), ("ACCEPTED".into(), "20".into()));
    let told = home.run_as("kim", &["show", &kim.to_string()]).expect_code(0).stdout;
    assert!(
        told.contains("judged again by version") && told.contains("before: ACCEPTED, points: 20"),
        "{told}"
    );
    assert!(told.contains("WRONG_ANSWER"), "{told}");
    let history = home.run_as("lee", &["history"]).expect_code(0).stdout;
    assert!(history.contains("ACCEPTED (judged again)"), "{history}");
    // The stream has both, and ends with what holds.
    let watched = home.run_as("kim", &["watch", &kim.to_string(), "--json"]).expect_code(1);
    let types: Vec<Value> = watched.events().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types.iter().filter(|kind| **kind == "result").count(), 2);
    assert_eq!(types.iter().filter(|kind| **kind == "end").count(), 1);
    let seqs: Vec<Value> = watched.events().iter().map(|event| event["seq"].clone()).collect();
    assert!(seqs.iter().map(|seq| seq.as_u64().expect("a number")).eq(1..=seqs.len() as u64), "{seqs:?}");
    // Cases, and the audit log, are in step; nothing of the runs is left.
    let cases: Vec<String> =
        rows(&home, &format!("SELECT verdict FROM cases WHERE submission = {kim} ORDER BY idx"));
    assert_eq!(cases, ["ACCEPTED", "WRONG_ANSWER"]);
    let audit: Vec<String> = rows(&home, "SELECT detail FROM audit WHERE action = 'rejudge'");
    assert_eq!(audit.len(), 1);
    assert!(audit[0].contains("\"was\":\"ACCEPTED\""), "{}", audit[0]);
    assert_eq!(rows::<u64>(&home, "SELECT count(*) FROM submissions WHERE purpose = 'rejudge'"), [0]);
    // Applied once more, as after a broken connection, it is the same.
    home.run_as("ada", &["problem", "rejudge", "--show", "1", "--apply"]).expect_code(0);
    assert_eq!(rows::<u64>(&home, "SELECT count(*) FROM audit WHERE action = 'rejudge'"), [1]);
}

#[test]
fn a_push_judges_again_what_it_affects() {
    let home = class(2);
    let kim = submit(&home, "kim", ECHO);
    let draft = Draft::new("echo", 5).sample("1", "1\n", "1\n").secret("1", "one\n", "two\n");
    let folder = draft.folder(&home);
    let dry = home.run_as("ada", &["problem", "push", &folder, "--dry-run"]).expect_code(0);
    assert!(dry.stderr.contains("choose what is judged again"), "{}", dry.stderr);
    let push = ["problem", "push", &folder, "--rejudge", "affected", "--yes"];
    let pushed = home.run_as("ada", &push).expect_code(0);
    assert!(pushed.stdout.contains("1 result moves") && pushed.stdout.contains("the new results count"));
    assert_eq!(shown(&home, "kim", kim).0, "WRONG_ANSWER");
    // The statement alone judges nothing otherwise.
    let folder =
        draft.file("problem_statement/problem.en.tex", "\\problemname{Echo}\nSay it.\n").folder(&home);
    let push = ["problem", "push", &folder, "--rejudge", "affected", "--yes"];
    let pushed = home.run_as("ada", &push).expect_code(0);
    assert!(!pushed.stdout.contains("judged again,"), "{}", pushed.stdout);
    // Forgotten, it leaves everything as it is.
    home.run_as("ada", &["problem", "rejudge", "echo", "--all", "--preview"]).expect_code(0);
    home.run_as("ada", &["problem", "rejudge", "--cancel", "2"]).expect_code(0);
    assert_eq!(shown(&home, "kim", kim).0, "WRONG_ANSWER");
    home.run_as("ada", &["problem", "rejudge", "--show", "2", "--apply"]).expect_code(0);
    assert_eq!(rows::<u64>(&home, "SELECT count(*) FROM audit WHERE action = 'rejudge'"), [1]);
}

#[test]
fn a_daemon_that_dies_in_the_middle_goes_on_with_it() {
    let home = class(1);
    // Each takes a while, so that some are still to be judged when the daemon dies.
    let slow =
        |n: u32| format!("import sys, time\ntime.sleep(0.5)\nsys.stdout.write(sys.stdin.read()) # {n}\n");
    let ids: Vec<u64> = (0..4).map(|n| submit(&home, "kim", &slow(n))).collect();
    version(&home, "two\n");
    let mut going = home.command_of("ada", &["problem", "rejudge", "echo", "--preview"]);
    going.stdout(Stdio::null()).stderr(Stdio::null());
    let mut going = codementor_tests::Reaped(going.spawn().expect("it runs"));
    let ended = "SELECT count(*) FROM submissions WHERE purpose = 'rejudge' AND state LIKE '%-ended'";
    wait_until("the first run has ended", || rows::<u64>(&home, ended)[0] >= 1);
    let pid = home.daemon_pid().expect("the daemon runs");
    let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("is killed");
    // The next command of its owner starts it again, on another port: whoever was connected is not its matter.
    let _ = going.0.kill();
    home.run(&["up"]).expect_code(0);
    let again = home.run(&["problem", "rejudge", "--show", "1", "--apply"]).expect_code(0);
    assert!(again.stdout.contains("4 submissions judged again, 4 results move"), "{}", again.stdout);
    for id in ids {
        let shown = json(&home.run(&["problem", "rejudge", "--list", "--json"]).expect_code(0));
        assert_eq!(shown.as_array().map(Vec::len), Some(0));
        let verdict: Vec<String> = rows(&home, &format!("SELECT verdict FROM submissions WHERE id = {id}"));
        assert_eq!(verdict, ["WRONG_ANSWER"]);
    }
}
