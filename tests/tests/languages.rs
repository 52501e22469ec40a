//! The languages that the command line speaks: what a person reads, what programs read, and signs of ASCII only.

use std::sync::Arc;

use codementor_tests::{Draft, Home, Ran, Shared, home};
use serde_json::Value;

static SHARED: Shared = Shared::new();

const ENGLISH: &str = "en_US.UTF-8";
const KOREAN: &str = "ko_KR.UTF-8";

const RIGHT: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";
const WRONG: &str = "print('no')\n";

const ROSTER: &str = "student_id,name,email,section\n\
    2026-1,김민지,kim@example.org,가나\n\
    2026-2,Ada Lee,lee@example.org,B\n\
    2026-3,남궁민수,nam@example.org,다\n";

/// A class with a right and a wrong submission.
fn class() -> Arc<Home> {
    SHARED.get(|| {
        let home = home!().with("CODEMENTOR_SLOTS", 2).with("TZ", "Asia/Seoul");
        Draft::new("echo", 2).sample("1", "one\n", "one\n").secret("1", "two\n", "two\n").install(&home);
        home.run(&["course", "create", "algo"]).expect_code(0);
        let file = home.write("roster.csv", ROSTER);
        home.run(&["course", "roster", "import", "algo", file.to_str().expect("a text")]).expect_code(0);
        let create = ["assignment", "create", "algo/hw1", "-p", "echo:20", "--open", "--due", "+7d"];
        home.run(&create).expect_code(0);
        for (who, id) in [("kim", "2026-1"), ("lee", "2026-2"), ("nam", "2026-3")] {
            home.enrol(who, "algo", id, who);
        }
        for (who, text) in [("kim", RIGHT), ("nam", WRONG)] {
            let file = home.write(&format!("{who}/echo.py"), text);
            home.run_as(who, &["submit", file.to_str().expect("a text"), "-p", "algo/hw1/echo"]);
        }
        home
    })
}

fn run(home: &Home, locale: &str, arguments: &[&str]) -> Ran {
    let mut command = home.codementor(arguments);
    Ran::of(command.env("LC_ALL", locale))
}

fn run_as(home: &Home, who: &str, locale: &str, arguments: &[&str]) -> Ran {
    let mut command = home.command_of(who, arguments);
    Ran::of(command.env("LC_ALL", locale))
}

fn is_hangul(letter: char) -> bool {
    ('가'..='힣').contains(&letter)
}

/// How many cells of a terminal a text takes.
fn cells(text: &str) -> usize {
    text.chars().map(|letter| if is_hangul(letter) { 2 } else { 1 }).sum()
}

/// The cell at which a word begins.
fn place(line: &str, word: &str) -> usize {
    cells(line.split_once(word).unwrap_or_else(|| panic!("'{word}' is not in '{line}'")).0)
}

#[test]
fn a_korean_locale_is_spoken_to_in_korean_and_verdicts_stay_what_they_are() {
    let home = class();
    let file = home.write("korean/echo.py", WRONG);
    let file = file.to_str().expect("a text");
    let ran = run(&home, KOREAN, &["submit", file, "-p", "echo"]).expect_code(1);
    assert!(ran.stdout.contains("WRONG_ANSWER   0/100   테스트 0/2"), "{}", ran.stdout);
    assert!(ran.stdout.contains("다음: codementor diff"), "{}", ran.stdout);
    assert!(ran.stderr.contains("시도"), "{}", ran.stderr);
    for word in ["next", "tests", "attempt", "compiled"] {
        assert!(!ran.stdout.contains(word) && !ran.stderr.contains(word), "{}{}", ran.stdout, ran.stderr);
    }
    let id = ran.stdout.split_once('#').expect("its number").1;
    let id: String = id.chars().take_while(char::is_ascii_digit).collect();
    let ran = run(&home, KOREAN, &["diff", &id]).expect_code(0);
    assert!(
        ran.stdout.contains("기대 출력 | one") && ran.stdout.contains("내 출력   | no"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_flag_and_its_variable_choose_another_language_than_the_locale() {
    let home = class();
    let says = |ran: Ran, word: &str| assert!(ran.stdout.contains(word), "{}", ran.stdout);
    says(run(&home, KOREAN, &["list", "--lang", "en"]), "problem");
    says(run(&home, ENGLISH, &["list", "--lang=ko"]), "문제");
    let mut command = home.codementor(&["list"]);
    says(Ran::of(command.env("CODEMENTOR_LANG", "ko")), "문제");
    // The text is UTF-8, which such a terminal does not show.
    says(run(&home, "ko_KR.eucKR", &["list"]), "problem");
}

/// Two words of English in a row, outside of commands to type and of what was typed or stands in files.
fn english(text: &str) -> Option<String> {
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|letter| letter.is_ascii_lowercase());
    text.lines().find_map(|line| {
        let unquoted: String = line.split('\'').step_by(2).collect();
        let words: Vec<&str> =
            unquoted.split_whitespace().take_while(|word| !word.starts_with("codementor")).collect();
        words.windows(2).find(|pair| pair.iter().all(|word| is_word(word))).map(|pair| pair.join(" "))
    })
}

#[test]
fn what_a_server_refuses_and_a_package_lacks_is_told_in_korean() {
    let home = class();
    let ran = run(&home, KOREAN, &["show", "999999"]).expect_code(5);
    assert!(ran.stderr.contains("오류: 내 제출이 아닙니다: #999999"), "{}", ran.stderr);
    assert!(ran.stderr.contains("힌트: 내 제출 목록: codementor history"), "{}", ran.stderr);

    home.write("broken/problem.yaml", "name: Broken\nlimits:\n  time_limit: never\n  memory: 64\n");
    home.write("broken/data/secret/1.in", "1\n");
    home.write("odd/problem.yaml", "name: Odd\nlicence: mine\n");
    home.write("odd/data/sample/1.in", "1\n");
    home.write("odd/data/sample/1.ans", "1\n");
    home.write("odd/submissions/nice/a.py", "print(1)\n");
    let roster = home.write("wrong.csv", "student_id,name\n7 7,Kim\n,Lee\n");
    let roster = roster.to_str().expect("a text");
    let echo = home.write("refused/echo.py", RIGHT);
    let echo = echo.to_str().expect("a text");
    let big = home.write("refused/big.py", "#".repeat(400_000));
    let big = big.to_str().expect("a text");
    let calls: &[&[&str]] = &[
        &["submit", echo, "-p", "ecko"],
        &["submit", echo, "-p", "algo/hw9/echo"],
        &["submit", echo, "-p", "echo", "-l", "pyton3"],
        &["submit", big, "-p", "echo"],
        &["diff", "1", "--case", "secret/9"],
        &["hint", "1"],
        &["assignment", "create", "algo/hw1", "-p", "echo"],
        &["assignment", "create", "algo/hw2", "-p", "nothing"],
        &["assignment", "create", "algo/hw2", "-p", "echo", "--late-percent", "10"],
        &["assignment", "create", "Algo/hw2", "-p", "echo"],
        &["assignment", "extend", "algo/hw1", "+1d", "--student", "nobody"],
        &["course", "create", "algo"],
        &["course", "code", "drop", "algo", "99"],
        &["course", "roster", "import", "algo", roster],
        &["course", "roster", "withdraw", "algo", "2099-1"],
        &["grade", "show", "algo/hw1", "nobody"],
        &["grade", "override", "algo/hw1", "2026-1", "500", "--reason", "x"],
        &["grade", "list", "algo/hw1"],
        &["assignment", "create", "algo/hw2", "-p", "echo:many"],
        &["ci", "creds", "algo/hw9"],
        &["problem", "push", "broken"],
        &["problem", "push", "odd"],
        &["problem", "push", "missing"],
        &["problem", "pull", "nothing"],
        &["problem", "rejudge", "--show", "99"],
        &["admin", "revoke", "nobody"],
        &["join", "nats://localhost:1", "AAAA-BBBB"],
        &["sumbit"],
        &["submit", "--bogus"],
        &["submit", "--timeout", "soon"],
        &["grade", "export", "algo", "--format", "word"],
    ];
    let not_korean: Vec<String> = calls
        .iter()
        .map(|call| (call, run(&home, KOREAN, call)))
        .map(|(call, ran)| format!("{call:?}: {}{}", ran.stdout, ran.stderr))
        .filter(|told| {
            let said = told.split_once("]: ").expect("what was said").1;
            !said.contains(is_hangul) || english(said).is_some()
        })
        .collect();
    assert!(not_korean.is_empty(), "{}", not_korean.join("\n"));
    for call in [&["--help"][..], &["submit", "--help"], &["grade", "export", "-h"], &["help", "course"]] {
        let ran = run(&home, KOREAN, call).expect_code(0);
        assert_eq!(english(&ran.stdout), None, "{}", ran.stdout);
        assert!(ran.stdout.contains("사용법: codementor") && ran.stdout.contains("옵션:"), "{}", ran.stdout);
    }
}

/// Takes out of events what differs from one submission to the next.
fn alike(ran: &Ran) -> Vec<Value> {
    fn blank(value: &mut Value) {
        match value {
            Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| {
                let differs = ["id", "submission", "at", "attempt", "memory_kib", "position"];
                match differs.contains(&name.as_str()) || name.ends_with("_ms") {
                    true => *value = Value::Null,
                    false => blank(value),
                }
            }),
            Value::Array(values) => values.iter_mut().for_each(blank),
            _ => {}
        }
    }
    let mut events = ran.events();
    events.retain(|event| !["queued", "preparing"].contains(&event["type"].as_str().expect("a type")));
    events.iter_mut().for_each(blank);
    // Those that are left out leave gaps.
    events.iter_mut().for_each(|event| event["seq"] = Value::Null);
    events
}

#[test]
fn json_is_the_same_in_every_language() {
    let home = class();
    let file = home.write("json/echo.py", WRONG);
    let file = file.to_str().expect("a text");
    let [english, korean] =
        [ENGLISH, KOREAN].map(|locale| run(&home, locale, &["submit", file, "-p", "echo", "--json"]));
    assert_eq!(alike(&english), alike(&korean));
    let nothing = home.work().join("none.py");
    let nothing = nothing.to_str().expect("a text");
    // Of somebody to whom nothing happens meanwhile.
    let calls: &[&[&str]] = &[
        &["history", "--json"],
        &["show", "--json"],
        &["list", "--json"],
        &["whoami", "--json"],
        &["course", "list", "--json"],
        &["assignment", "list", "--json"],
        &["context", "list", "--json"],
    ];
    for call in calls {
        let [english, korean] = [ENGLISH, KOREAN].map(|locale| run_as(&home, "nam", locale, call));
        assert!(!english.stdout.is_empty(), "{call:?}: {}", english.stderr);
        assert_eq!((english.code, english.stdout), (korean.code, korean.stdout), "{call:?}");
    }
    let calls: &[&[&str]] = &[
        &["submit", nothing, "-p", "echo", "--json"],
        &["submit", file, "-p", "ecko", "--json"],
        &["problem", "list", "--json"],
        &["course", "roster", "list", "algo", "--json"],
        &["assignment", "list", "--json"],
        &["grade", "list", "algo/hw1", "--json"],
        &["stats", "algo/hw1", "--json"],
        &["audit", "algo", "--json"],
        &["runners", "list", "--json"],
    ];
    for call in calls {
        let [english, korean] = [ENGLISH, KOREAN].map(|locale| run(&home, locale, call));
        assert!(!english.stdout.is_empty(), "{call:?}: {}", english.stderr);
        assert_eq!((english.code, english.stdout), (korean.code, korean.stdout), "{call:?}");
    }
}

#[test]
fn signs_are_ascii_where_that_is_asked_for() {
    let home = class();
    let file = home.write("ascii/echo.py", WRONG);
    let file = file.to_str().expect("a text");
    let right = home.write("ascii/right.py", RIGHT);
    let right = right.to_str().expect("a text");
    let calls: &[&[&str]] = &[
        &["submit", file, "-p", "echo"],
        &["submit", right, "-p", "echo"],
        &["test", file, "-p", "echo"],
        &["diff", "1"],
        &["history"],
        &["show"],
        &["status"],
        &["list"],
        &["whoami"],
        &["due", "--all"],
        &["course", "list"],
        &["course", "code", "list", "algo"],
        &["assignment", "list"],
        &["stats", "algo/hw1"],
        &["audit", "algo"],
        &["runners", "list"],
        &["submit", "none.py"],
        &["submit", "--help"],
    ];
    for call in calls {
        let with = [*call, &["--ascii"]].concat();
        let english = run(&home, ENGLISH, &with);
        let said = format!("{}{}", english.stdout, english.stderr);
        assert!(said.is_ascii(), "{call:?}: {said}");
        let korean = run(&home, KOREAN, &with);
        let said = format!("{}{}", korean.stdout, korean.stderr);
        let sign = said.chars().find(|letter| !letter.is_ascii() && !is_hangul(*letter));
        assert_eq!(sign, None, "{call:?}: {said}");
    }
    let ran = run(&home, ENGLISH, &["submit", right, "-p", "echo"]).expect_code(0);
    assert!(ran.stdout.contains('✓'), "{}", ran.stdout);
    let mut command = home.codementor(&["submit", right, "-p", "echo"]);
    let ran = Ran::of(command.env("CODEMENTOR_ASCII", "1"));
    assert!(ran.stdout.starts_with("+ ACCEPTED"), "{}", ran.stdout);
}

#[test]
fn columns_stand_under_each_other_by_cells() {
    let home = class();
    for (locale, id, state) in [(ENGLISH, "student id", "state"), (KOREAN, "학번", "상태")] {
        let ran = run(&home, locale, &["course", "roster", "list", "algo"]).expect_code(0);
        let lines: Vec<&str> = ran.stdout.lines().collect();
        let header = lines.iter().find(|line| line.contains(id)).expect("a header");
        let find = |word: &str| lines.iter().find(|line| line.contains(word)).expect("a row");
        let email = place(find("김민지"), "kim@example.org");
        assert_eq!(email, place(find("Ada Lee"), "lee@example.org"), "{}", ran.stdout);
        assert_eq!(email, place(find("남궁민수"), "nam@example.org"), "{}", ran.stdout);
        let joined = if locale == KOREAN { "참여함" } else { "joined" };
        assert_eq!(place(header, state), place(find("남궁민수"), joined), "{}", ran.stdout);
    }
    let ran = run(&home, KOREAN, &["grade", "list", "algo/hw1"]).expect_code(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let find = |word: &str| lines.iter().find(|line| line.contains(word)).expect("a row");
    let id = place(find("학번"), "학번");
    for (name, number) in [("김민지", "2026-1"), ("Ada Lee", "2026-2"), ("남궁민수", "2026-3")] {
        assert_eq!(place(find(name), number), id, "{}", ran.stdout);
    }
    let ran = run_as(&home, "kim", KOREAN, &["history"]).expect_code(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(place(lines[0], "결과"), place(lines[1], "ACCEPTED"), "{}", ran.stdout);
}
