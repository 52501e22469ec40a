//! What would be sent to a model is shown to those who may submit, under the policy that their submission would have.

use codementor_tests::{Draft, Home, Ran, home};
use serde_json::Value;

const PROGRAM: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";

/// Kim is a student of a course with `echo` in an assignment; `unassigned` is in none.
fn class() -> Home {
    let home = home!().with("CODEMENTOR_FEEDBACK_POLICY", "full");
    for (problem, sample) in [("echo", "seen"), ("unassigned", "unseen")] {
        Draft::new(problem, 1).sample("1", sample, sample).secret("1", "two\n", "two\n").install(&home);
    }
    home.run(&["course", "create", "cs101"]).expect_code(0);
    home.invite("kim", &[("cs101", "student")]);
    assign(&home, "lab", &["--feedback", "hints"]);
    home
}

fn assign(home: &Home, name: &str, further: &[&str]) {
    let id = format!("cs101/{name}");
    home.run(&[&["assignment", "create", &id, "--problem", "echo", "--open"], further].concat())
        .expect_code(0);
}

fn arguments<'a>(file: &'a str, problem: &'a str) -> [&'a str; 6] {
    ["submit", file, "-p", problem, "--show-prompt", "--json"]
}

fn policy(ran: Ran) -> Value {
    let ran = ran.expect_code(0);
    let prompt: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
    assert!(prompt["body"].as_str().expect("a text").contains("seen"), "{}", ran.stdout);
    prompt["policy"].clone()
}

#[test]
fn what_the_server_knows_of_a_student_is_in_no_prompt() {
    let home = class();
    let roster = "student id,name,email,login\n2026-1,\"Kim, Minji\",mj@snu.example,mk99\n";
    let roster = home.write("roster.csv", roster);
    let import = ["course", "roster", "import", "cs101", roster.to_str().expect("a text")];
    home.run(&import).expect_code(0);
    home.enrol("minji", "cs101", "2026-1", "Minji");
    let who = "# Minji Kim, mk99, 2026-1, kim-minji, for CS101";
    let file = home.write("echo.py", PROGRAM.replace('\n', &format!("  {who}\n")));
    for problem in ["echo", "cs101/lab/echo"] {
        let prompt = home.run_as("minji", &arguments(file.to_str().expect("a text"), problem)).expect_code(0);
        let sent = prompt.stdout.to_lowercase();
        assert!(sent.contains("sys.stdout.write(sys.stdin.read())  # "), "{sent}");
        for word in ["minji", "kim", "mk99", "2026-1", "cs101"] {
            assert!(!sent.contains(word), "{word} would be sent: {sent}");
        }
    }
}

#[test]
fn a_prompt_is_shown_to_who_may_submit_and_under_the_same_policy() {
    let home = class();
    let file = home.write("echo.py", PROGRAM);
    let file = file.to_str().expect("a text");
    let of_kim = |problem| home.run_as("kim", &arguments(file, problem));
    assert_eq!(policy(home.run(&arguments(file, "echo"))), "full", "outside of assignments");
    assert_eq!(policy(home.run(&arguments(file, "cs101/lab/echo"))), "hints", "the stricter one holds");
    assert_eq!(policy(of_kim("echo")), "hints", "the only assignment is meant");

    // What may not be submitted to says nothing of itself: neither its statement nor its samples.
    let prompt = of_kim("unassigned").expect_code(5);
    assert!(!prompt.stdout.contains("unseen") && !prompt.stderr.contains("unseen"), "{}", prompt.stdout);
    assert!(prompt.stderr.contains("none of your assignments"), "{}", prompt.stderr);
    of_kim("other/lab/echo").expect_code(5);

    assign(&home, "exam", &["--feedback", "off"]);
    assert_eq!(policy(of_kim("cs101/exam/echo")), "off");
    let which = of_kim("echo").expect_code(2);
    assert!(which.stderr.contains("cs101/exam/echo"), "{}", which.stderr);
}
