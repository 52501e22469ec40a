//! The daily commands on a real daemon: what they print, what they exit with, and what they must never print.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::Arc;

use codementor::client::{Client, Credentials};
use codementor_protocol::{LanguageId, Purpose, Slug, SourceFile, Submit};
use codementor_tests::{Draft, Home, Ran, Reaped, Shared, home, library};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

static SHARED: Shared = Shared::new();

/// Reads and prints lines; the problem `echo` wants just that.
const ECHO: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";
/// Right for `patience`, after a while of doing nothing.
const SLOW: &str = "import time\ntime.sleep(3)\nprint('done')\n";

/// Two samples and two hidden cases.
fn echo() -> Draft {
    Draft::new("echo", 1)
        .sample("1", "one\n", "one\n")
        .sample("2", "two words\n", "two words\n")
        .secret("1", "three\n", "three\n")
        .secret("2", "four\n", "four\n")
}

fn shared() -> Arc<Home> {
    SHARED.get(|| {
        let home = home!().with("CODEMENTOR_SLOTS", 2);
        echo().install(&home);
        Draft::new("patience", 20).secret("1", "", "done\n").install(&home);
        home
    })
}

fn submit(home: &Home, name: &str, content: &str, problem: &str) -> Ran {
    let file = home.write(name, content);
    home.submit(&file, problem)
}

/// Submits a program that takes a while, and does not wait for it.
fn submit_slow(home: &Home, name: &str) -> String {
    let file = home.write(name, SLOW);
    let file = file.to_str().expect("a text");
    let ran = home.run(&["submit", file, "-p", "patience", "--no-wait", "--json"]).expect_code(0);
    assert_eq!(ran.event("end")["exit_code"], 0);
    ran.id().to_string()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("a type is a text")).collect()
}

/// What holds for every stream of events, whatever happens in it.
#[track_caller]
fn check_stream(ran: &Ran, from: u64) {
    let events = ran.events();
    let numbers: Vec<u64> =
        events.iter().map(|event| event["seq"].as_u64().expect("seq is a number")).collect();
    assert_eq!(numbers, (from..from + events.len() as u64).collect::<Vec<_>>(), "{}", ran.stdout);
    assert!(events.iter().all(|event| event["v"] == 1), "{}", ran.stdout);
    assert_eq!(kinds(&events).iter().filter(|kind| **kind == "end").count(), 1, "{}", ran.stdout);
    let last = events.last().expect("there are events");
    assert_eq!(last["type"], "end");
    assert_eq!(last["exit_code"].as_i64(), ran.code.map(i64::from), "{}", ran.stdout);
}

#[test]
fn the_events_of_a_right_program_follow_the_schema() {
    let home = shared();
    let ran = submit(&home, "right/main.py", ECHO, "echo").expect_code(0);
    check_stream(&ran, 1);
    let events = ran.events();
    let told: Vec<&str> =
        kinds(&events).into_iter().filter(|kind| !["queued", "preparing"].contains(kind)).collect();
    assert_eq!(told, ["submission", "started", "compiled", "test", "test", "test", "test", "result", "end"]);
    let facts = &events[0];
    assert_eq!(
        (&facts["problem"], &facts["lang"], &facts["late"]),
        (&json!("echo"), &json!("python3"), &json!(false))
    );
    assert!(facts["id"].is_u64() && facts["attempt"].as_u64().is_some_and(|attempt| attempt >= 1), "{facts}");
    let compiled = ran.event("compiled");
    assert!(compiled["ok"] == true && compiled["time_ms"].is_u64() && compiled["diagnostics"] == json!([]));
    for (place, test) in events.iter().filter(|event| event["type"] == "test").enumerate() {
        let hidden = place >= 2;
        assert_eq!((&test["index"], &test["total"]), (&json!(place + 1), &json!(4)));
        assert_eq!(test["visibility"], if hidden { "hidden" } else { "sample" });
        assert_eq!(test["name"], if hidden { Value::Null } else { json!(format!("sample/{}", place + 1)) });
        assert_eq!((&test["verdict"], &test["exit_code"]), (&json!("ACCEPTED"), &json!(0)));
        assert!(test["group"].is_string() && test["time_ms"].is_u64() && test["wall_ms"].is_u64(), "{test}");
        assert!(test["memory_kib"].as_u64().is_some_and(|memory| memory > 500), "{test}");
    }
    let result = ran.event("result");
    assert_eq!(result["verdict"], "ACCEPTED");
    assert_eq!((&result["passed"], &result["total"]), (&json!(4), &json!(4)));
    assert!(
        result["score"].is_string() && result["score"] == result["max_score"],
        "points are texts: {result}"
    );
}

#[test]
fn each_way_to_fail_has_its_verdict() {
    let home = shared();
    let python = [
        ("wrong", "print('no')", "WRONG_ANSWER"),
        ("exit", "exit(3)", "RUNTIME_ERROR"),
        ("raise", "raise ValueError('no')", "RUNTIME_ERROR"),
        ("endless", "while True: pass", "TIME_LIMIT"),
        ("hungry", "x = bytearray(300 << 20)", "MEMORY_LIMIT"),
        ("chatty", "while True: print('x' * 9999)", "OUTPUT_LIMIT"),
    ];
    let cpp = [
        ("wrong", "#include <cstdio>\nint main() { puts(\"no\"); }", "WRONG_ANSWER"),
        ("abort", "#include <cstdlib>\nint main() { abort(); }", "RUNTIME_ERROR"),
        ("endless", "int main() { volatile int x = 0; while (x == 0) {} }", "TIME_LIMIT"),
        (
            "hungry",
            "#include <vector>\nint main() { std::vector<std::vector<char>> v; for (;;) v.emplace_back(1 << 20, 'x'); }",
            "MEMORY_LIMIT",
        ),
    ];
    let programs = python
        .map(|(name, text, verdict)| (format!("fail/{name}.py"), text, verdict))
        .into_iter()
        .chain(cpp.map(|(name, text, verdict)| (format!("fail/{name}.cpp"), text, verdict)));
    for (name, text, verdict) in programs {
        let ran = submit(&home, &name, text, "echo").expect_code(1);
        check_stream(&ran, 1);
        assert_eq!(ran.verdict(), verdict, "{name}: {}", ran.stdout);
        let tests: Vec<Value> = ran.events().into_iter().filter(|event| event["type"] == "test").collect();
        assert_eq!(tests.len(), 1, "{name}: a pass-fail problem ends at the first failure");
        match name.as_str() {
            "fail/exit.py" => assert_eq!(tests[0]["exit_code"], 3),
            "fail/abort.cpp" => assert_eq!(tests[0]["signal"], 6),
            // On a host that is busy the clock may strike before the processor has given so much time.
            "fail/endless.py" => {
                let (cpu, wall) = (tests[0]["time_ms"].as_u64(), tests[0]["wall_ms"].as_u64());
                assert!(cpu > Some(1000) || wall > Some(2000), "{}", tests[0]);
            }
            _ => {}
        }
        // The sandbox is as good as new.
        assert_eq!(submit(&home, "fail/after.py", ECHO, "echo").verdict(), "ACCEPTED", "after {name}");
    }
}

#[test]
fn what_does_not_compile_is_shown_at_its_place() {
    let home = shared();
    let table = [
        ("ce/a.py", "x = 1\nprint(x\n", 2),
        ("ce/a.c", "int main(void) {\n    return 0\n}\n", 2),
        ("ce/a.cpp", "int main() {\n    return nothing;\n}\n", 2),
        ("ce/Main.java", "class Main {\n    int f() { return nothing; }\n}\n", 2),
        ("ce/a.js", "let x = 1;\nlet = = 2;\n", 2),
    ];
    for (name, text, line) in table {
        let ran = submit(&home, name, text, "echo").expect_code(1);
        check_stream(&ran, 1);
        assert_eq!(ran.verdict(), "COMPILE_ERROR", "{name}");
        let compiled = ran.event("compiled");
        let diagnostic = &compiled["diagnostics"][0];
        assert_eq!(compiled["ok"], false, "{name}");
        assert_eq!(diagnostic["severity"], "error", "{name}: {compiled}");
        assert_eq!(diagnostic["line"], line, "{name}: {compiled}");
        let file = name.rsplit('/').next().expect("it has a name");
        assert_eq!(diagnostic["file"], file, "{name}: {compiled}");
        assert!(diagnostic["message"].as_str().is_some_and(|message| !message.is_empty()), "{name}");
        // The same for people, now and later: the student's own line, with a caret below.
        let path = home.work().join(name);
        let shown = home.run(&["submit", path.to_str().expect("a text"), "-p", "echo"]).expect_code(1);
        let again = home.run(&["show", &ran.id().to_string()]).expect_code(0);
        for text in [&shown.stdout, &again.stdout] {
            assert!(
                text.contains("COMPILE_ERROR") && text.contains(&format!("{file}:{line}")),
                "{name}: {text}"
            );
            assert!(text.contains('^'), "{name}: {text}");
        }
    }
}

#[test]
fn without_waiting_a_submission_is_watched_later_and_from_anywhere() {
    let home = shared();
    let id = submit_slow(&home, "later.py");
    let live = home.run(&["watch", &id, "--json"]).expect_code(0);
    check_stream(&live, 1);
    assert_eq!(live.verdict(), "ACCEPTED");
    let again = home.run(&["watch", &id, "--json"]).expect_code(0);
    assert_eq!(again.stdout, live.stdout, "what has happened does not change");
    let events = live.events();
    for from in 1..=events.len() as u64 {
        let part = home.run(&["watch", &id, "--json", "--from", &from.to_string()]).expect_code(0);
        check_stream(&part, from);
        assert_eq!(part.events(), events[from as usize - 1..]);
    }
    let plain = home.run(&["watch", &id]).expect_code(0);
    assert!(
        plain.stdout.contains("ACCEPTED") && plain.stdout.contains(&format!("#{id}")),
        "{}",
        plain.stdout
    );
    let file = home.work().join("later.py");
    let plain =
        home.run(&["submit", file.to_str().expect("a text"), "-p", "patience", "--no-wait"]).expect_code(0);
    let number = plain.stdout.trim().strip_prefix('#').expect("the number is all that is printed");
    assert!(plain.stderr.contains(&format!("codementor watch {number}")), "{}", plain.stderr);
    home.run(&["cancel", number]).expect_code(0);
}

/// Starts a command and reads its first lines until one of them holds `mark`.
fn start_until(
    home: &Home,
    arguments: &[&str],
    mark: &str,
) -> (Reaped, BufReader<std::process::ChildStdout>, String) {
    let child = home.codementor(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = Reaped(child.expect("the command runs"));
    let mut out = BufReader::new(child.0.stdout.take().expect("is a pipe"));
    let mut seen = String::new();
    while !seen.contains(mark) {
        assert_ne!(out.read_line(&mut seen).expect("a line is read"), 0, "{seen}");
    }
    (child, out, seen)
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id is small")).expect("and not 0");
    kill_process(pid, Signal::INT).expect("the command runs");
}

#[test]
fn an_interrupt_leaves_the_submission_to_be_judged() {
    let home = shared();
    let file = home.write("interrupted.py", SLOW);
    let arguments = ["submit", file.to_str().expect("a text"), "-p", "patience", "--json"];
    let (mut child, mut out, mut seen) = start_until(&home, &arguments, "\"started\"");
    interrupt(&child.0);
    out.read_to_string(&mut seen).expect("the rest is read");
    let code = child.0.wait().expect("it ends").code();
    let ran = Ran { code, stdout: seen, stderr: String::new() }.expect_code(130);
    check_stream(&ran, 1);
    let watched = home.run(&["watch", &ran.id().to_string(), "--json"]).expect_code(0);
    assert_eq!(watched.verdict(), "ACCEPTED");
    assert!(!kinds(&watched.events()).contains(&"cancelled"));
}

#[test]
fn an_interrupt_says_how_to_come_back() {
    let home = shared();
    let id = submit_slow(&home, "back.py");
    let child = home.codementor(&["watch", &id]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = Reaped(child.expect("the command runs"));
    let mut err = BufReader::new(child.0.stderr.take().expect("is a pipe"));
    let mut said = String::new();
    err.read_line(&mut said).expect("a line is read");
    interrupt(&child.0);
    err.read_to_string(&mut said).expect("the rest is read");
    assert_eq!(child.0.wait().expect("it ends").code(), Some(130), "{said}");
    assert!(said.contains(&format!("codementor watch {id}")), "{said}");
    home.run(&["cancel", &id]).expect_code(0);
}

#[test]
fn at_its_time_out_a_command_says_that_judging_goes_on() {
    let home = shared();
    let file = home.write("timeout.py", SLOW);
    let file = file.to_str().expect("a text");
    let ran = home.run(&["submit", file, "-p", "patience", "--timeout", "1", "--json"]).expect_code(8);
    check_stream(&ran, 1);
    let id = ran.id().to_string();
    let plain = home.run(&["watch", &id, "--timeout", "0"]).expect_code(8);
    assert!(plain.stderr.contains(&format!("codementor watch {id}")), "{}", plain.stderr);
    home.run(&["watch", &id]).expect_code(0);
}

#[test]
fn what_is_cancelled_ends_without_a_verdict() {
    let home = shared();
    let id = submit_slow(&home, "cancelled.py");
    let ran = home.run(&["cancel", &id]).expect_code(0);
    assert!(ran.stdout.contains(&format!("#{id} is cancelled")), "{}", ran.stdout);
    let watched = home.run(&["watch", &id, "--json"]).expect_code(9);
    check_stream(&watched, 1);
    assert!(!kinds(&watched.events()).contains(&"result"), "{}", watched.stdout);
    let again = home.run(&["cancel", &id]).expect_code(0);
    assert!(again.stdout.contains("had already ended"), "{}", again.stdout);
    assert!(home.run(&["show", &id]).expect_code(0).stdout.contains("CANCELLED"));
    // The slot is free again.
    assert_eq!(submit(&home, "after.py", ECHO, "echo").verdict(), "ACCEPTED");
}

fn history(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let ran = home.run(&[&["history", "--json", "-n", "1000"], arguments].concat()).expect_code(0);
    serde_json::from_str(&ran.stdout).expect("is one array")
}

#[test]
fn a_test_runs_the_samples_and_is_not_recorded() {
    let home = shared();
    let right = home.write("samples/right.py", ECHO);
    let right = right.to_str().expect("a text");
    let ran = home.run(&["test", right, "-p", "echo", "--json"]).expect_code(0);
    check_stream(&ran, 1);
    let tests: Vec<Value> = ran.events().into_iter().filter(|event| event["type"] == "test").collect();
    assert_eq!(tests.iter().map(|test| &test["name"]).collect::<Vec<_>>(), ["sample/1", "sample/2"]);
    let trial = ran.id();
    assert!(history(&home, &[]).iter().all(|known| known["id"] != trial), "#{trial} is no submission");

    let wrong = home.write("samples/wrong.py", "print(input().replace(' ', '  '))\n");
    let wrong = wrong.to_str().expect("a text");
    let plain = home.run(&["test", wrong, "-p", "echo"]).expect_code(0);
    assert!(plain.stdout.contains("ACCEPTED") && plain.stdout.contains("2/2 samples"), "{}", plain.stdout);
    let wrong = home.write("samples/wrong.py", "print(input()[::-1])\n");
    let plain = home.run(&["test", wrong.to_str().expect("a text"), "-p", "echo"]).expect_code(1);
    for part in ["WRONG_ANSWER", "expected | one", "yours    | eno", "^"] {
        assert!(plain.stdout.contains(part), "{part}: {}", plain.stdout);
    }
    assert!(!plain.stdout.contains("attempt") && !plain.stderr.contains("attempt"), "{}", plain.stderr);
}

#[test]
fn show_diff_and_history_tell_the_same_story() {
    let home = shared();
    let ran = submit(&home, "story.py", "print(input()[::-1])  # story\n", "echo").expect_code(1);
    let id = ran.id().to_string();
    let shown = home.run(&["show", &id]).expect_code(0);
    for part in
        [&*format!("#{id}"), "echo", "story.py", "python3", "WRONG_ANSWER", &format!("codementor diff {id}")]
    {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let code = home.run(&["show", &id, "--code"]).expect_code(0);
    assert_eq!(code.stdout, "print(input()[::-1])  # story\n");
    let detail: Value =
        serde_json::from_str(&home.run(&["show", &id, "--json"]).expect_code(0).stdout).expect("JSON");
    assert_eq!(detail["summary"]["verdict"], "WRONG_ANSWER");
    assert_eq!(detail["files"][0]["name"], "story.py");

    let diff = home.run(&["diff", &id]).expect_code(0);
    for part in ["sample/1: WRONG_ANSWER", "expected | one", "yours    | eno", "^", "input (4 bytes)"] {
        assert!(diff.stdout.contains(part), "{part}: {}", diff.stdout);
    }
    for case in ["1", "sample/1"] {
        assert_eq!(home.run(&["diff", &id, "--case", case]).expect_code(0).stdout, diff.stdout);
    }
    let none = home.run(&["diff", &id, "--case", "sample/9"]).expect_code(5);
    assert!(none.stderr.contains("run were sample/1"), "{}", none.stderr);

    let known = history(&home, &["-p", "echo"]);
    let entry = known.iter().find(|known| known["id"] == ran.id()).expect("it is in the history");
    assert_eq!((&entry["verdict"], &entry["total"]), (&json!("WRONG_ANSWER"), &json!(4)));
    let numbers: Vec<u64> = known.iter().map(|known| known["id"].as_u64().expect("a number")).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b), "the newest first: {numbers:?}");
    let table = home.run(&["history", "-n", "1000"]).expect_code(0);
    assert!(
        table.stdout.lines().any(|line| line.contains(&id) && line.contains("WRONG_ANSWER")),
        "{}",
        table.stdout
    );
}

#[test]
fn a_problem_is_named_by_its_name_its_folder_or_its_zip() {
    let home = shared();
    let draft = Draft::new("triple", 1).sample("1", "2\n", "6\n").secret("1", "5\n", "15\n");
    let zip = draft.zip(&home);
    let program = home.write("triple.py", "print(3 * int(input()))\n");
    // A package that is not installed is known by its content, and only by that.
    assert_eq!(home.submit(&program, &zip).expect_code(0).verdict(), "ACCEPTED");
    let folder = draft.folder(&home);
    let by_folder = home.submit(&program, &folder).expect_code(0);
    assert_eq!(by_folder.event("submission")["problem"], "triple");

    let pushed = home.run(&["problem", "push", &zip]).expect_code(0);
    assert!(
        pushed.stdout.contains("triple is installed: triple, 2 tests (1 shown), 1.00 s"),
        "{}",
        pushed.stdout
    );
    let again = home.run(&["problem", "push", &folder]).expect_code(0);
    assert!(again.stdout.contains("triple is unchanged"), "{}", again.stdout);
    assert_eq!(home.submit(&program, "triple").expect_code(0).verdict(), "ACCEPTED");

    let package = by_folder.event("submission")["package"].clone();
    Draft::new("triple", 1).sample("1", "2\n", "7\n").install(&home);
    let newer = home.submit(&program, "triple").expect_code(1);
    assert_ne!(newer.event("submission")["package"], package, "a new version judges from now on");
    assert_eq!(newer.verdict(), "WRONG_ANSWER");

    for arguments in [&["list", "--json"][..], &["problem", "list", "--json"]] {
        let list: Value =
            serde_json::from_str(&home.run(arguments).expect_code(0).stdout).expect("one array");
        let entry = list.as_array().expect("an array").iter().find(|known| known["slug"] == "triple");
        let entry = entry.expect("it is installed");
        assert_eq!((&entry["cases"], &entry["samples"]), (&json!(1), &json!(1)));
    }
    let table = home.run(&["list"]).expect_code(0);
    assert!(table.stdout.contains("triple") && table.stdout.contains("echo"), "{}", table.stdout);
}

#[test]
fn programs_of_several_files_start_where_they_should() {
    let home = shared();
    let file = |name: &str, text: &str| {
        home.write(&format!("several/{name}"), text).to_str().expect("a text").to_owned()
    };
    let helper = file("helper.py", "def echo():\n    print(input())\n");
    let first = file("first.py", "print('not this one')\n");
    let start = file("start.py", "import helper\nhelper.echo()\n");
    let run = |arguments: &[&str]| home.run(&[&["submit", "--json", "-p", "echo"], arguments].concat());
    assert_eq!(run(&[&helper, &first, &start, "--entry", "start.py"]).verdict(), "ACCEPTED");
    assert_eq!(run(&[&helper, &first, &start, "--entry", "first.py"]).verdict(), "WRONG_ANSWER");
    let cpp = [
        file("line.h", "#pragma once\n#include <string>\nstd::string line();\n"),
        file(
            "line.cpp",
            "#include <iostream>\n#include \"line.h\"\nstd::string line() { std::string s; std::getline(std::cin, s); return s; }\n",
        ),
        file(
            "my main.cpp",
            "#include <iostream>\n#include \"line.h\"\nint main() { std::cout << line() << '\\n'; }\n",
        ),
    ];
    let ran = run(&cpp.each_ref().map(String::as_str));
    assert_eq!(ran.verdict(), "ACCEPTED", "{}", ran.stdout);
    let shown = home.run(&["show", &ran.id().to_string(), "--code"]).expect_code(0);
    for name in ["line.h", "line.cpp", "my main.cpp"] {
        assert!(shown.stdout.contains(&format!("==> {name} <==")), "{}", shown.stdout);
    }
}

#[test]
fn a_submission_that_is_sent_twice_is_one() {
    let home = shared();
    let text = std::fs::read_to_string(home.data().join("daemon.json")).expect("the daemon is ready");
    let file: Value = serde_json::from_str(&text).expect("is JSON");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ids = runtime.block_on(async {
        let credentials = Credentials::read(&home.data().join("user.creds")).expect("they are there");
        let client =
            Client::connect(file["url"].as_str().expect("a text"), &credentials).await.expect("connects");
        let submit = |key: &str, text: &str| Submit {
            key: key.into(),
            purpose: Purpose::Submission,
            problem: Slug::new("echo").expect("is a name"),
            package: None,
            language: LanguageId::new("python3").expect("is a name"),
            files: vec![SourceFile { name: "a.py".into(), text: text.into() }],
            entry: None,
            feedback: false,
            answer_in: None,
            assignment: None,
            confirmed: false,
        };
        let (one, two) = (submit("one-and-the-same", ECHO), submit("quite-another", ECHO));
        let (first, second) = tokio::join!(client.request(&one), client.request(&one));
        let third = client.request(&two).await;
        [first, second, third].map(|submitted| submitted.expect("is accepted").id.0)
    });
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    for id in &ids[1..] {
        home.run(&["watch", &id.to_string()]).expect_code(0);
    }
    assert_eq!(history(&home, &[]).iter().filter(|known| known["id"] == ids[0]).count(), 1);
}

/// What no text may hold: escapes, other controls, and what reorders or hides.
fn steers(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Removes the colours that the command itself uses.
fn without_colours(text: &str) -> String {
    ["0", "1", "2", "31;1", "32;1", "33;1", "36"]
        .iter()
        .fold(text.to_owned(), |text, code| text.replace(&format!("\x1b[{code}m"), ""))
}

#[test]
fn nothing_that_a_student_writes_steers_the_terminal() {
    let home = shared();
    let evil =
        "\\x1b[2J\\x1b]0;title\\x07\\x1b[31;1mFORGED\\x1b[0m\\r\\u009b31m\\u202eabc\\u200b\\x00\\x7f\\x08";
    let prints = format!(
        "import sys\nfor f in (sys.stdout.buffer, sys.stderr.buffer):\n    f.write('{evil}\\n'.encode())\n    f.write(bytes([0x9b, 0xff, 0x1b]))\n"
    );
    let raw = "\x1b[2J\x1b]0;title\x07\x1b[31;1mFORGED\x1b[0m\u{9b}31m\u{202e}abc\u{200b}\x7f\x08";
    let programs = [
        ("evil/prints.py", prints, "WRONG_ANSWER"),
        ("evil/broken.py", format!("x = 1\ny = '{raw}\n"), "COMPILE_ERROR"),
        ("evil/broken.cpp", format!("int main() {{\n#error {raw}\n    return {raw}; }}\n"), "COMPILE_ERROR"),
        ("evil/broken.c", format!("int main(void) {{ \"{raw}\"; return x; }}\n"), "COMPILE_ERROR"),
    ];
    for (name, text, verdict) in programs {
        let file = home.write(name, text);
        let file = file.to_str().expect("a text");
        let first = home.submit(std::path::Path::new(file), "echo").expect_code(1);
        assert_eq!(first.verdict(), verdict, "{name}: {}", first.stdout);
        let id = first.id().to_string();
        let commands: &[&[&str]] = &[
            &["submit", file, "-p", "echo"],
            &["submit", file, "-p", "echo", "--json"],
            &["test", file, "-p", "echo"],
            &["watch", &id],
            &["watch", &id, "--json"],
            &["show", &id],
            &["show", &id, "--json"],
            &["diff", &id],
            &["diff", &id, "--json"],
            &["history", "--json"],
        ];
        for command in commands {
            for color in ["never", "always"] {
                let ran = home.run(&[*command, &["--color", color]].concat());
                for text in [&ran.stdout, &ran.stderr] {
                    assert!(!text.contains("\x1b[31;1mFORGED"), "{name} {command:?}: {text:?}");
                    let rest = if color == "always" { without_colours(text) } else { text.clone() };
                    let found = rest.chars().find(|c| steers(*c));
                    assert_eq!(found, None, "{name} {command:?} --color {color}: {rest:?}");
                }
            }
        }
    }
    // What was written is not lost, it is only written out.
    let file = home.work().join("evil/prints.py");
    let ran = home.run(&["test", file.to_str().expect("a text"), "-p", "echo"]).expect_code(1);
    assert!(ran.stdout.contains("\\x1b[2J"), "{}", ran.stdout);
}

#[test]
fn hidden_tests_stay_hidden() {
    const NAME: &str = "zzsecretname";
    const INPUT: &str = "zzsecretinput";
    const ANSWER: &str = "zzsecretanswer";
    let home = shared();
    let draft = Draft::new("vault", 1).sample("1", "open\n", "open\n").secret(
        &format!("01-{NAME}"),
        &format!("{INPUT}\n"),
        &format!("{ANSWER}\n"),
    );
    draft.install(&home);
    let programs = [
        // Whatever a program does with its input, nobody sees it.
        (
            "leak/echo.py",
            "import sys\nx = sys.stdin.read()\nsys.stderr.write(x)\nsys.stdout.write(x)\n".to_owned(),
        ),
        ("leak/raise.py", "x = input()\nif x != 'open': raise ValueError(x)\nprint(x)\n".into()),
        ("leak/exit.py", "import sys\nx = input()\nif x != 'open': sys.exit(x)\nprint(x)\n".into()),
        ("leak/look.cpp", LOOK.into()),
    ];
    let mut said = String::new();
    let mut run = |arguments: &[&str]| {
        let ran = home.run(arguments);
        said.push_str(&format!("$ {}\n{}{}", arguments.join(" "), ran.stdout, ran.stderr));
        ran
    };
    for (name, text) in programs {
        let file = home.write(name, text);
        let file = file.to_str().expect("a text");
        let ran = run(&["submit", file, "-p", "vault", "--json"]).expect_code(1);
        let id = ran.id().to_string();
        assert_eq!(ran.event("result")["passed"], 1, "the sample is right: {}", ran.stdout);
        run(&["submit", file, "-p", "vault"]).expect_code(1);
        run(&["submit", file, "-p", "vault", "--color", "always"]).expect_code(1);
        run(&["test", file, "-p", "vault"]).expect_code(0);
        run(&["watch", &id, "--json"]).expect_code(1);
        run(&["show", &id]).expect_code(0);
        run(&["show", &id, "--json"]).expect_code(0);
        run(&["diff", &id]).expect_code(0);
        run(&["diff", &id, "--json"]).expect_code(0);
        run(&["diff", &id, "--case", "2"]).expect_code(5);
        run(&["diff", &id, "--case", "secret/01"]).expect_code(5);
    }
    run(&["history", "--json"]).expect_code(0);
    run(&["list", "--json"]).expect_code(0);
    run(&["status", "--json"]).expect_code(0);
    run(&["problem", "push", &draft.folder(&home)]).expect_code(0);
    for (log, at) in [("daemon.log", home.data()), ("nats.log", home.data().join("nats"))] {
        said.push_str(&std::fs::read_to_string(at.join(log)).expect("there is a log"));
    }
    for canary in [NAME, INPUT, ANSWER] {
        assert!(!said.contains(canary), "{canary} in\n{said}");
    }
    // Captures are in JSON as base64.
    assert!(said.contains("\"b3Blbg"), "the sample's are there: {said}");
    assert!(!said.contains("\"enpzZWNy"), "a hidden case's are not: {said}");
}

/// Prints whatever it finds of answers and of names of cases.
const LOOK: &str = r#"
#include <filesystem>
#include <fstream>
#include <iostream>
namespace fs = std::filesystem;
int main() {
    std::string line;
    std::getline(std::cin, line);
    if (line == "open") { std::cout << line << '\n'; return 0; }
    std::error_code error;
    for (const char *root : {"/inputs", "/work", "/tmp", "/proc/self"}) {
        auto it = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
        for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
            std::cerr << it->path() << '\n';
            std::cout << it->path() << '\n' << std::ifstream(it->path()).rdbuf();
        }
    }
}
"#;

#[test]
fn the_whole_way_of_the_library_works_as_a_person_would_go_it() {
    let home = shared();
    let hello = library().join("hello");
    home.run(&["up"]).expect_code(0);
    home.run(&["problem", "push", hello.to_str().expect("a text")]).expect_code(0);
    let right = std::fs::read_to_string(hello.join("submissions/accepted/hello.py")).expect("is there");
    home.write("way/hello.py", right);
    home.write("way/.codementor/problem.toml", "problem = \"hello\"\n");
    // Neither the file nor the problem is named: both are found.
    let ran = home.codementor(&["submit"]).current_dir(home.work().join("way")).output().expect("it runs");
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).contains("ACCEPTED"));
    let status: Value =
        serde_json::from_str(&home.run(&["status", "--json"]).expect_code(0).stdout).expect("JSON");
    assert_eq!(status["pid"].as_i64(), home.daemon_pid().map(i64::from));
    assert_eq!((&status["slots"], &status["engine_error"]), (&json!(2), &Value::Null));
    let plain = home.run(&["status"]).expect_code(0);
    assert!(plain.stdout.contains("engine   in order"), "{}", plain.stdout);
}
