//! Grades of a class, from programs that were judged to the files that learning platforms take. Each file is read by the
//! rules of its importer, written down here, and not by what wrote it.

use std::collections::{BTreeMap, BTreeSet};

use codementor_tests::{Draft, Home, Ran, home};
use serde_json::Value;

const RIGHT: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";
const WRONG: &str = "print('no')\n";

const ROSTER: &str = "student_id,last_name,first_name,email,section,login,canvas_id\n\
    2026-1,Kim,민지,kim@example.org,A,kim,501\n\
    2026-2,Lee,Ada,lee@example.org,A,lee,502\n\
    2026-3,\"=HYPERLINK(\"\"http://x\"\")\",Eve,eve@example.org,B,eve,503\n\
    2026-4,Missing,Max,max@example.org,B,max,504\n\
    2026-5,Ill,Ida,ida@example.org,B,ida,505\n\
    2026-6,Gone,Gus,gus@example.org,B,gus,506\n";

/// A class with two assignments, of which the first is due since an hour.
fn class() -> Home {
    let home = home!().with("CODEMENTOR_SLOTS", 2).with("TZ", "Asia/Seoul");
    Draft::new("echo", 2).sample("1", "one\n", "one\n").secret("1", "two\n", "two\n").install(&home);
    home.run(&["course", "create", "algo"]).expect_code(0);
    let file = home.write("roster.csv", ROSTER);
    home.run(&["course", "roster", "import", "algo", file.to_str().expect("a text")]).expect_code(0);
    let past = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).to_string();
    let create = |id: &str, more: &[&str]| {
        let usual: &[&str] = &["assignment", "create", id, "-p", "echo:20", "--open"];
        home.run(&[usual, more].concat()).expect_code(0);
    };
    create("algo/hw1", &["--title", "Homework, \"one\"", "--due", &past, "--late-percent", "10"]);
    create("algo/hw2", &["--due", "+7d", "--count", "chosen", "--weight", "60"]);
    for (who, id) in [("kim", "2026-1"), ("lee", "2026-2"), ("eve", "2026-3")] {
        home.enrol(who, "algo", id, who);
    }
    home
}

fn submit(home: &Home, who: &str, assignment: &str, text: &str) -> Ran {
    let file = home.write(&format!("{who}/echo.py"), text);
    let problem = format!("algo/{assignment}/echo");
    home.run_as(who, &["submit", file.to_str().expect("a text"), "-p", &problem, "--json", "--yes"])
}

/// A CSV file by RFC 4180: quotes, doubled quotes, CRLF.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => assert_eq!(rest.peek(), Some(&'\n'), "a carriage return alone"),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            letter => field.push(letter),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty(), "the file ends in the middle of a record");
    let width = records.first().map_or(0, Vec::len);
    assert!(records.iter().all(|record| record.len() == width), "as many fields in each: {records:?}");
    records
}

/// What a spreadsheet would run.
fn is_formula(cell: &str) -> bool {
    cell.trim_start().starts_with(['=', '+', '-', '@'])
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty()
        && cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && cell.parse::<f64>().is_ok()
}

fn exported(home: &Home, arguments: &[&str]) -> Ran {
    home.run(&[&["grade", "export"], arguments].concat()).expect_code(0)
}

/// Canvas finds the student by its own id, then the SIS id, then the login; a blank over a grade is a change; `EX` excuses.
fn canvas(text: &str, students: &[(&str, &str, &str)]) -> (String, BTreeMap<String, String>) {
    let records = records(text);
    assert_eq!(records[0][..5], ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]);
    assert_eq!(records[0].len(), 6, "one assignment");
    assert!(records[1][0].trim_start().starts_with("Points Possible") && is_number(&records[1][5]));
    let mut grades = BTreeMap::new();
    for record in &records[2..] {
        let found = students.iter().find(|(id, sis, login)| {
            if !record[1].is_empty() {
                record[1] == *id
            } else if !record[2].is_empty() {
                record[2] == *sis
            } else {
                record[3] == *login
            }
        });
        let (_, sis, _) = found.unwrap_or_else(|| panic!("Canvas knows nobody like {record:?}"));
        let grade = &record[5];
        assert!(grade == "EX" || is_number(grade), "{record:?}");
        if grade != "EX" {
            assert!(grade.parse::<f64>().expect("a number") <= records[1][5].parse().expect("a number"));
        }
        assert!(grades.insert((*sis).to_owned(), grade.clone()).is_none(), "twice");
        assert!(!record.iter().any(|cell| is_formula(cell)), "{record:?}");
    }
    (records[0][5].clone(), grades)
}

/// Moodle aborts at the first user it does not know, refuses grades above 100, and takes a comment without a grade for
/// the grade's removal.
fn moodle(text: &str, known: &[(&str, &str)]) -> BTreeMap<String, String> {
    let records = records(text);
    assert_eq!(records[0][..2], ["email", "idnumber"]);
    assert_eq!(records[0][3], format!("{} feedback", records[0][2]));
    let mut grades = BTreeMap::new();
    for record in &records[1..] {
        assert!(known.contains(&(&record[0], &record[1])), "Moodle knows nobody like {record:?}");
        assert!(is_number(&record[2]), "{record:?}");
        assert!(record[2].parse::<f64>().expect("a number") <= 100.0);
        assert!(record[2].split_once('.').is_none_or(|(_, part)| part.len() <= 5));
        assert!(!record.iter().any(|cell| is_formula(cell)), "{record:?}");
        grades.insert(record[1].clone(), record[2].clone());
    }
    grades
}

fn of(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(id, grade)| ((*id).to_owned(), (*grade).to_owned())).collect()
}

#[test]
fn grades_leave_in_every_form_as_its_importer_wants_them() {
    let home = class();
    submit(&home, "kim", "hw1", RIGHT).expect_code(0);
    submit(&home, "lee", "hw1", WRONG).expect_code(1);
    submit(&home, "eve", "hw1", RIGHT).expect_code(0);
    let set = |student: &str, more: &[&str]| {
        home.run(&[&["grade", "override", "algo/hw1", student][..], more].concat())
    };
    home.run(&["assignment", "extend", "algo/hw1", "+2d", "--student", "kim"]).expect_code(0);
    set("2026-5", &["--excuse", "--reason", "was ill"]).expect_code(0);
    home.run(&["course", "roster", "withdraw", "algo", "2026-6"]).expect_code(0);

    let students = [
        ("501", "2026-1", "kim"),
        ("502", "2026-2", "lee"),
        ("503", "2026-3", "eve"),
        ("504", "2026-4", "max"),
        ("505", "2026-5", "ida"),
        ("506", "2026-6", "gus"),
    ];
    let known: Vec<(String, &str)> =
        students.iter().map(|(_, id, login)| (format!("{login}@example.org"), *id)).collect();
    let known: Vec<(&str, &str)> = known.iter().map(|(email, id)| (email.as_str(), *id)).collect();
    // Kim has an extension, Lee is wrong, Eve is late by a day begun.
    let graded = [("2026-1", "20"), ("2026-2", "0"), ("2026-3", "18")];

    let ran = exported(&home, &["algo/hw1", "--format", "canvas", "--canvas-id", "77"]);
    let (title, grades) = canvas(&ran.stdout, &students);
    assert_eq!(title, "Homework, \"one\" (77)");
    assert_eq!(grades, of(&[&graded[..], &[("2026-5", "EX")]].concat()));
    assert!(ran.stderr.contains("Max Missing has handed nothing in"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Gus Gone has left the course"), "{}", ran.stderr);
    let ran = exported(&home, &["algo/hw1", "--format", "canvas", "--missing", "zero"]);
    assert_eq!(canvas(&ran.stdout, &students).1["2026-4"], "0");

    let ran = exported(&home, &["algo/hw1", "--format", "moodle"]);
    assert_eq!(moodle(&ran.stdout, &known), of(&graded));
    let ran = exported(&home, &["algo/hw1", "--format", "moodle", "--out-of", "7"]);
    assert_eq!(moodle(&ran.stdout, &known)["2026-3"], "6.3");

    let ran = exported(&home, &["algo", "--format", "csv", "--bom"]);
    let records = records(ran.stdout.strip_prefix('\u{feff}').expect("begins with the mark"));
    assert_eq!(
        records[0].join(","),
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,score,max_score"
    );
    let hw1: Vec<&Vec<String>> = records.iter().filter(|record| record[0] == "algo/hw1").collect();
    assert_eq!(hw1.len(), 5, "all but who has left");
    let line = |id: &str| *hw1.iter().find(|record| record[3] == id).expect("is there");
    assert_eq!(line("2026-3")[7..], ["20", "2", "18", "20"]);
    assert_eq!(line("2026-3")[4], "'=HYPERLINK(\"http://x\")");
    assert_eq!(line("2026-1")[4..6], ["Kim", "민지"]);
    assert_eq!((line("2026-4")[9].as_str(), line("2026-5")[9].as_str()), ("", ""));
    let day: jiff::civil::DateTime = line("2026-1")[2].parse().expect("a moment");
    assert!(day.year() >= 2025);
    assert!(!records.iter().flatten().any(|cell| is_formula(cell)));

    exported(&home, &["algo/hw1", "--format", "gradescope", "--out", "gradescope"]);
    let files: BTreeSet<String> = std::fs::read_dir(home.work().join("gradescope"))
        .expect("is a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a text"))
        .collect();
    assert_eq!(files, ["2026-1.json", "2026-2.json", "2026-3.json"].map(str::to_owned).into());
    let text = std::fs::read_to_string(home.work().join("gradescope/2026-3.json")).expect("is read");
    let results: Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!(
        (results["score"].as_f64(), results["tests"][0]["max_score"].as_f64()),
        (Some(18.0), Some(20.0))
    );
    assert!(
        ["visible", "hidden", "after_due_date", "after_published"]
            .contains(&results["visibility"].as_str().expect("a text"))
    );
    assert!(["passed", "failed"].contains(&results["tests"][0]["status"].as_str().expect("a text")));

    let ran = exported(&home, &["algo/hw1", "--format", "json"]);
    let tables: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
    assert_eq!(tables[0]["rows"].as_array().expect("a list").len(), 6);

    // What cannot be right is said.
    home.run(&["grade", "export", "algo", "--format", "canvas"]).expect_code(2);
    home.run(&["grade", "export", "algo/hw1", "--format", "gradescope"]).expect_code(2);
    home.run(&["grade", "export", "algo/nope", "--format", "canvas"]).expect_code(5);
    let out = ["grade", "export", "algo/hw1", "--format", "csv", "--out", "no/dir/x.csv"];
    let unwritten = home.run(&out).expect_code(2);
    assert!(unwritten.stderr.contains("no/dir/x.csv: No such file"), "{}", unwritten.stderr);
    home.run(&["grade", "export", "algo/hw1", "--format", "csv", "--out-of", "0"]).expect_code(2);
    home.run(&["grade", "export", "algo/hw1", "--format", "csv", "--canvas-id", "7"]).expect_code(2);
    let much = ["assignment", "create", "algo/hw3", "-p", "echo:250", "--title", "Three (3)", "--open"];
    home.run(&much).expect_code(0);
    let refused = home.run(&["grade", "export", "algo/hw3", "--format", "moodle"]).expect_code(2);
    assert!(refused.stderr.contains("--out-of 100"), "{}", refused.stderr);
    let refused = home.run(&["grade", "export", "algo/hw3", "--format", "canvas"]).expect_code(2);
    assert!(refused.stderr.contains("--canvas-id"), "{}", refused.stderr);
}

#[test]
fn students_see_their_own_grade_choose_what_counts_and_others_set_it() {
    let home = class();
    let first = submit(&home, "kim", "hw2", RIGHT).expect_code(0).id().to_string();
    submit(&home, "kim", "hw2", WRONG).expect_code(1);
    let shown = |who: &str, more: &[&str]| home.run_as(who, &[&["grade", "show", "algo/hw2"], more].concat());
    assert!(shown("kim", &[]).expect_code(0).stdout.contains("0/20  in time"));
    home.run_as("kim", &["grade", "choose", &first]).expect_code(0);
    assert!(shown("kim", &[]).expect_code(0).stdout.contains("20/20  in time"));
    home.run_as("lee", &["grade", "choose", &first]).expect_code(5);
    shown("lee", &["kim"]).expect_code(4);
    home.run_as("kim", &["grade", "list", "algo/hw2"]).expect_code(4);

    let set = ["grade", "override", "algo/hw2", "2026-1", "12.5"];
    home.run_as("kim", &[&set[..], &["--reason", "please"]].concat()).expect_code(4);
    home.run(&set).expect_code(2);
    home.run(&[&set[..], &["--reason", " "]].concat()).expect_code(2);
    home.run(&["grade", "override", "algo/hw2", "2026-1", "21", "--reason", "x"]).expect_code(2);
    home.run(&["grade", "override", "algo/hw2", "2026-1", "1.00001", "--reason", "x"]).expect_code(2);
    home.run(&["grade", "override", "algo/hw2", "2026-99", "1", "--reason", "x"]).expect_code(5);
    home.run(&[&set[..], &["--reason", "an oral exam"]].concat()).expect_code(0);
    let seen = shown("kim", &[]).expect_code(0).stdout;
    assert!(seen.contains("12.5/20  in time, set") && seen.contains("an oral exam"), "{seen}");
    let list = home.run(&["grade", "list", "algo/hw2"]).expect_code(0).stdout;
    let kim = list.lines().find(|line| line.contains("2026-1")).expect("is listed");
    assert!(kim.contains("12.5/20") && kim.contains("echo 20/20"), "{list}");
    // The weight of hw2 is 60, that of hw1 its points, and Kim has handed in nothing there: 12.5 of 20 is 37.5 of 60.
    // What students do not see yet counts for nobody.
    home.run(&["assignment", "create", "algo/draft", "-p", "echo"]).expect_code(0);
    home.run(&["assignment", "create", "algo/later", "-p", "echo", "--open", "--opens", "+1d"])
        .expect_code(0);
    let course = home.run(&["grade", "list", "algo"]).expect_code(0).stdout;
    assert!(course.lines().any(|line| line.contains("2026-1") && line.ends_with("37.5/80")), "{course}");
    let undo = ["grade", "override", "algo/hw2", "2026-1", "--undo", "--reason", "a mistake"];
    home.run(&undo).expect_code(0);
    assert!(shown("kim", &[]).expect_code(0).stdout.contains("20/20  in time\n"));
    let audit = home.run(&["audit", "algo"]).expect_code(0).stdout;
    assert!(
        audit.contains("grade-override") && audit.contains("an oral exam") && audit.contains("grade-choose"),
        "{audit}"
    );
}
