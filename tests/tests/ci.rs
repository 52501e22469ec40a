//! Grading in CI on a real daemon: what is graded, what is written, and what is never made of a failure of ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use codementor::client::{Client, Credentials};
use codementor_protocol::{Assignment, PutAssignment, PutCourse, Request};
use codementor_tests::{Draft, Home, Ran, Shared, home};
use serde_json::{Value, json};

static SHARED: Shared = Shared::new();

const MANIFEST: &str = ".codementor/assignment.toml";
const ECHO: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";

/// One sample and two hidden cases, whose data has words that must never be seen.
fn echo(slug: &str) -> Draft {
    Draft::new(slug, 2)
        .sample("1", "one\n", "one\n")
        .secret("covert-a", "xyzzy1\n", "xyzzy1\n")
        .secret("covert-b", "xyzzy2\n", "xyzzy2\n")
}

fn shared() -> Arc<Home> {
    SHARED.get(|| {
        let home = home!().with("CODEMENTOR_SLOTS", 2);
        echo("echo").install(&home);
        echo("again").install(&home);
        home
    })
}

/// A folder that stands for a student's repository, in a home that others may use too.
struct Repository<'a> {
    home: &'a Home,
    dir: PathBuf,
}

impl<'a> Repository<'a> {
    fn new(home: &'a Home, name: &str) -> Self {
        let repository = Self { home, dir: home.work().join(name) };
        std::fs::create_dir_all(repository.dir.join(".git")).expect("the folder is made");
        repository
    }

    fn write(&self, name: &str, content: &str) -> &Self {
        self.home.write(self.dir.join(name).to_str().expect("a text"), content);
        self
    }

    /// Runs a command here, as a job of GitHub Actions where that is wanted.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.home.codementor(arguments);
        command.current_dir(&self.dir).envs(variables.iter().copied());
        Ran::of(command)
    }

    /// Grades with every format on.
    fn grade(&self, arguments: &[&str]) -> Ran {
        #[rustfmt::skip]
        let formats = ["--junit", "out/junit.xml", "--summary", "out/summary.md", "--code-quality", "out/quality.json",
            "--classroom", "out/classroom.txt", "--gradescope", "out/results.json"];
        self.run(&[&["ci", "grade"], arguments, &formats].concat(), &[])
    }

    fn read(&self, name: &str) -> String {
        let path = self.dir.join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).expect("is JSON")
    }

    fn has(&self, name: &str) -> bool {
        self.dir.join(name).exists()
    }

    /// Whatever was written, it has nothing of the hidden cases.
    #[track_caller]
    fn check_hidden(&self, ran: &Ran) {
        let mut texts = vec![ran.stdout.clone(), ran.stderr.clone()];
        for entry in std::fs::read_dir(self.dir.join("out")).into_iter().flatten() {
            texts.push(std::fs::read_to_string(entry.expect("an entry").path()).expect("is a text"));
        }
        for text in texts {
            assert!(!text.contains("xyzzy") && !text.contains("covert"), "{text}");
        }
    }
}

fn ask<R: Request>(home: &Home, request: &R) -> R::Reply {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let file = std::fs::read(home.data().join("daemon.json")).expect("the daemon runs");
        let file: Value = serde_json::from_slice(&file).expect("is JSON");
        let credentials = Credentials::read(&home.data().join("user.creds")).expect("the owner's");
        let url = file["url"].as_str().expect("a text");
        let client = Client::connect(url, &credentials).await.expect("is let in");
        client.request(request).await.expect("is answered")
    })
}

/// Opens an assignment, and its course: all that is not said of it is usual.
fn assign(home: &Home, said: Value) {
    let usual = json!({"title": "One", "state": "open", "time_zone": "UTC", "stop": "first_failure"});
    let fields = [usual, said].into_iter().flat_map(|part| part.as_object().cloned().unwrap_or_default());
    let assignment: Assignment =
        serde_json::from_value(Value::Object(fields.collect())).expect("is an assignment");
    ask(home, &PutCourse { course: assignment.id.course.clone(), title: "CS".into() });
    ask(home, &PutAssignment { assignment, create: true });
}

#[test]
fn a_right_program_passes_in_every_format() {
    let home = shared();
    let repository = Repository::new(&home, "right");
    repository.write("main.py", ECHO).write(".codementor/problem.toml", "problem = \"echo\"\n");
    let ran = repository.run(&["ci", "grade"], &[]).expect_code(0);
    assert!(ran.stdout.starts_with("echo: 100/100 ACCEPTED (3 tests)  #"), "{}", ran.stdout);
    let ran = repository.grade(&["-p", "echo"]).expect_code(0);
    assert!(ran.stdout.starts_with("echo: 100/100 ACCEPTED (3 tests)  #"), "{}", ran.stdout);
    repository.check_hidden(&ran);
    let junit = repository.read("out/junit.xml");
    assert!(junit.contains("tests=\"3\" skipped=\"0\" errors=\"0\" failures=\"0\""), "{junit}");
    assert!(junit.contains("name=\"test 2\" classname=\"codementor.echo\" file=\"main.py\""), "{junit}");
    assert!(repository.read("out/summary.md").contains("**100/100** points: passed"));
    assert_eq!(repository.read("out/quality.json"), "[]\n");
    let results = repository.json("out/results.json");
    assert_eq!(results["score"], 100);
    assert_eq!(results["tests"].as_array().map(Vec::len), Some(4), "the problem and its tests");
    assert!(repository.has("out/classroom.txt"));
}

#[test]
fn a_wrong_program_fails_and_hidden_tests_stay_hidden() {
    let home = shared();
    let repository = Repository::new(&home, "wrong");
    // Right for the sample only.
    let text = "import sys\ntext = sys.stdin.read()\nprint(text if text == 'one\\n' else 'no', end='')\n";
    repository.write("main.py", text);
    let ran = repository.grade(&["main.py", "-p", "echo"]).expect_code(1);
    assert!(ran.stdout.starts_with("echo: 0/100 WRONG_ANSWER (first failure: secret/t2)"), "{}", ran.stdout);
    repository.check_hidden(&ran);
    let junit = repository.read("out/junit.xml");
    assert!(junit.contains("tests=\"3\" skipped=\"1\" errors=\"0\" failures=\"1\""), "{junit}");
    assert!(junit.contains("test 2 of the group secret is hidden"), "{junit}");
    assert!(repository.read("out/summary.md").contains("| secret/t2 | `WRONG_ANSWER` | | | hidden |"));
    assert_eq!(repository.json("out/results.json")["score"], 0);
    // Nought is enough where nought is asked for.
    repository.grade(&["main.py", "-p", "echo", "--min-score", "0"]).expect_code(0);
}

#[test]
fn what_does_not_compile_is_marked_in_the_file_and_nothing_of_it_is_obeyed() {
    let home = shared();
    let repository = Repository::new(&home, "broken");
    // A compiler repeats what stands in the source.
    let text = "#error x\\n::error::forged ##[error]forged\nint main() { return nothing; }\n";
    repository.write("src/main.cpp", text).write("summary", "").write("output", "").write("env", "");
    let path = |name: &str| repository.dir.join(name).to_str().expect("a text").to_owned();
    let github = [
        ("GITHUB_ACTIONS", "true"),
        ("CI", "true"),
        ("GITHUB_WORKSPACE", &path("")),
        ("GITHUB_STEP_SUMMARY", &path("summary")),
        ("GITHUB_OUTPUT", &path("output")),
        ("GITHUB_ENV", &path("env")),
    ];
    let arguments =
        ["ci", "grade", "src/main.cpp", "-p", "echo", "--code-quality", "q.json", "--classroom", "env"];
    let ran = repository.run(&arguments, &github).expect_code(1);
    assert!(ran.stdout.contains("echo: 0/100 COMPILE_ERROR"), "{}", ran.stdout);
    let marked: Vec<&str> = ran.stdout.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    assert!(!marked.is_empty());
    for line in marked {
        assert!(line.starts_with("::error file=src/main.cpp,line="), "{line}");
    }
    for line in ran.stdout.lines().chain(ran.stderr.lines()).filter(|line| !line.starts_with("::error file="))
    {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
    }
    assert!(repository.read("summary").contains("`COMPILE_ERROR`"));
    let outputs = repository.read("output");
    for line in [
        "score=0\n",
        "max_score=100\n",
        "verdict=COMPILE_ERROR\n",
        "passed=false\n",
        "submission_id=",
        "result=",
    ] {
        assert!(outputs.contains(line), "{outputs}");
    }
    assert!(repository.read("env").starts_with("CODEMENTOR_RESULTS="));
    let found = repository.json("q.json");
    assert_eq!(found[0]["location"]["path"], "src/main.cpp");
    // The object is alone on standard output, and a runner finds no command in it.
    let json =
        repository.run(&["ci", "grade", "src/main.cpp", "-p", "echo", "--json"], &github).expect_code(1);
    let object: Value = serde_json::from_str(&json.stdout).expect("is JSON");
    assert_eq!((&object["verdict"], &object["exit_code"]), (&"COMPILE_ERROR".into(), &1.into()));
    assert!(!json.stdout.contains("##"));
    assert!(json.stderr.contains("::error file=src/main.cpp"));
}

#[test]
fn several_problems_are_weighed_and_a_threshold_decides() {
    let home = shared();
    let repository = Repository::new(&home, "several");
    repository
        .write(
            ".codementor/assignment.toml",
            "name = \"hw1\"\n[[problem]]\nproblem = \"echo\"\npoints = 30\n[[problem]]\nproblem = \"again\"\npoints = 10\n",
        )
        .write("echo/solution.py", ECHO)
        .write("again.py", "print('no')\n");
    let listed = |threshold| ["--assignment", MANIFEST, "--min-score", threshold];
    let ran = repository.grade(&listed("75")).expect_code(0);
    assert!(ran.stdout.contains("echo: 30/30 ACCEPTED") && ran.stdout.contains("again: 0/10 WRONG_ANSWER"));
    assert!(ran.stdout.ends_with("hw1: 30/40, threshold 75 %: PASS\n"), "{}", ran.stdout);
    let junit = repository.read("out/junit.xml");
    assert!(
        junit.contains("<testsuite name=\"hw1/echo\"") && junit.contains("<testsuite name=\"hw1/again\"")
    );
    assert_eq!(repository.json("out/results.json")["score"], 30);
    let ran = repository.grade(&listed("75.01")).expect_code(1);
    assert!(ran.stdout.ends_with("hw1: 30/40, threshold 75.01 %: FAIL\n"), "{}", ran.stdout);
    // A problem that was not begun does not keep the other from counting.
    std::fs::remove_file(repository.dir.join("again.py")).expect("is removed");
    let ran = repository.grade(&listed("75")).expect_code(0);
    assert!(
        ran.stdout.contains("again: 0/10 MISSING: there is neither a folder again nor a source file again.*")
    );
    // Without any there is nothing to grade, and without a daemon that is known too.
    std::fs::remove_dir_all(repository.dir.join("echo")).expect("is removed");
    repository.grade(&listed("0")).expect_code(6);
    // What lies there without being named is no plan for Gradescope: who wrote it is graded by it.
    let ran = repository.grade(&["--min-score", "0"]).expect_code(2);
    assert!(ran.stderr.contains("neither -p nor --assignment names one"), "{}", ran.stderr);
}

#[test]
fn an_assignment_of_the_server_says_what_is_graded() {
    let home = shared();
    let problems = json!([{"problem": "echo", "points": "30"}, {"problem": "again", "points": "10"}]);
    assign(&home, json!({"id": "cs101/hw1", "problems": problems}));
    let repository = Repository::new(&home, "assigned");
    repository.write("echo.py", ECHO).write("again/main.py", "print('no')\n");
    repository.write(".codementor/assignment.toml", "assignment = \"cs101/hw1\"\n");
    let ran = repository.grade(&["--assignment", MANIFEST, "--min-score", "75"]).expect_code(0);
    assert!(ran.stdout.ends_with("hw1: 30/40, threshold 75 %: PASS\n"), "{}", ran.stdout);
    // A student's credentials for CI name the server and the assignment: the repository need say nothing.
    home.invite("kim", &[("cs101", "student")]);
    let secret = home.run_as("kim", &["ci", "creds", "cs101/hw1"]).expect_code(0).stdout;
    let student = Repository::new(&home, "student");
    student.write("echo.py", ECHO).write("again/main.py", ECHO);
    let alone = [("CODEMENTOR_CREDS", secret.trim()), ("CODEMENTOR_NATS_URL", ""), ("CI", "true")];
    let ran = student.run(&["ci", "grade", "--json"], &alone).expect_code(0);
    let object: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
    assert_eq!((&object["name"], &object["score"]), (&json!("hw1"), &json!("40")));
    assert!(!ran.stdout.contains("xyzzy") && !ran.stdout.contains("covert"), "{}", ran.stdout);

    // Nor may it, where its results are the grade.
    student.write(MANIFEST, "[[problem]]\nproblem = \"echo\"\npoints = 1000\n");
    let ran = student.run(&["ci", "grade", "--gradescope", "results.json"], &alone).expect_code(0);
    assert!(ran.stdout.ends_with("hw1: 40/40: PASS\n"), "{}", ran.stdout);
    assert_eq!(student.json("results.json")["score"], 40);

    repository.write(MANIFEST, "assignment = \"cs101/hw9\"\n");
    let ran = repository.run(&["ci", "grade"], &[]).expect_code(5);
    assert!(ran.stderr.contains("there is no assignment cs101/hw9"), "{}", ran.stderr);
    std::fs::remove_file(repository.dir.join(".codementor/assignment.toml")).expect("is removed");
    let ran = repository.run(&["ci", "grade"], &[]).expect_code(2);
    assert!(ran.stderr.contains("which problems? Neither"), "{}", ran.stderr);
}

#[test]
fn a_problem_of_several_assignments_is_graded_for_the_one_that_is_named() {
    let home = shared();
    echo("both").install(&home);
    for id in ["cs102/hw1", "cs102/hw2"] {
        assign(&home, json!({"id": id, "problems": [{"problem": "both", "points": "10"}]}));
    }
    home.invite("lee", &[("cs102", "student")]);
    let repository = Repository::new(&home, "both");
    repository.write("main.py", ECHO);
    let words = |arguments: &[&'static str]| [&["ci", "grade", "main.py"], arguments].concat();
    let grade = |arguments: &[&'static str]| {
        let mut command = home.command_of("lee", &words(arguments));
        command.current_dir(&repository.dir);
        Ran::of(command)
    };
    grade(&["-p", "both"]).expect_code(2);
    grade(&["-p", "cs102/hw2/both"]).expect_code(0);
    repository.write(".codementor/problem.toml", "problem = \"both\"\nassignment = \"cs102/hw2\"\n");
    grade(&[]).expect_code(0);
    let ran = grade(&["-p", "cs102/hw9/both"]).expect_code(5);
    assert!(ran.stderr.contains("cs102/hw9"), "{}", ran.stderr);
    // What credentials are good for does not change what was asked for.
    let secret = home.run_as("lee", &["ci", "creds", "cs102/hw1"]).expect_code(0).stdout;
    let scoped = [("CODEMENTOR_CREDS", secret.trim()), ("CODEMENTOR_NATS_URL", "")];
    repository.run(&words(&["-p", "cs102/hw1/both"]), &scoped).expect_code(0);
    repository.run(&words(&["-p", "cs102/hw2/both"]), &scoped).expect_code(4);
    repository.run(&words(&[]), &scoped).expect_code(4);
}

#[test]
fn a_late_grade_is_what_counts_and_the_verdict_says_so() {
    let home = shared();
    echo("tardy").install(&home);
    let due = jiff::Timestamp::now().as_millisecond() - 3_600_000;
    let late = json!({"grace_s": 0, "percent_per_day": 10});
    let problems = json!([{"problem": "tardy", "points": "12.5"}]);
    assign(&home, json!({"id": "cs103/hw1", "due": due, "late": late, "problems": problems}));
    home.invite("moon", &[("cs103", "student")]);
    let repository = Repository::new(&home, "tardy");
    repository.write("main.py", ECHO);
    let run = |arguments: &[&str]| {
        let mut command = home.command_of("moon", arguments);
        command.current_dir(&repository.dir);
        Ran::of(command).expect_code(0)
    };
    let ran =
        run(&["ci", "grade", "main.py", "-p", "cs103/hw1/tardy", "--yes", "--gradescope", "results.json"]);
    assert!(
        ran.stdout.starts_with("tardy: 11.25/12.5 ACCEPTED (3 tests)  late, less 10 %"),
        "{}",
        ran.stdout
    );
    let results = repository.json("results.json");
    assert_eq!((&results["score"], &results["tests"][0]["score"]), (&json!(11.25), &json!(11.25)));
    let shown = run(&["show"]).stdout;
    assert!(shown.contains("12.5/12.5") && shown.contains("late: 11.25 count"), "{shown}");
    let submitted = run(&["submit", "main.py", "-p", "cs103/hw1/tardy", "--yes"]).stdout;
    assert!(submitted.contains("  late: 11.25 count\n"), "{submitted}");
    assert!(run(&["grade", "show", "cs103/hw1"]).stdout.contains("11.25"));
}

/// Asks the private daemon as its owner.
#[test]
fn packages_of_a_folder_grade_without_a_server() {
    let home = home!();
    let set = Path::new(&echo("first").folder(&home)).parent().expect("it has a folder").to_path_buf();
    echo("second").folder(&home);
    let set = set.to_str().expect("a text");
    let repository = Repository::new(&home, "local");
    repository.write("first.py", ECHO).write("second/main.py", ECHO);
    // What the repository says of itself does not count, nor does a server that is set.
    repository.write(".codementor/assignment.toml", "[[problem]]\nproblem = \"else\"\n");
    let arguments = ["ci", "grade", "--local", set, "--junit", "junit.xml"];
    let variables = [("CODEMENTOR_NATS_URL", "nats://127.0.0.1:1"), ("CODEMENTOR_CREDS", "")];
    let ran = repository.run(&arguments, &variables).expect_code(0);
    assert!(
        ran.stdout.contains("first: 100/100 ACCEPTED") && ran.stdout.contains("second: 100/100 ACCEPTED")
    );
    assert!(ran.stdout.ends_with("codementor: 200/200: PASS\n"), "{}", ran.stdout);
    repository.check_hidden(&ran);
    let one = format!("{set}/second");
    let ran = repository.run(&["ci", "grade", "--local", &one, "first.py"], &[]).expect_code(0);
    assert!(ran.stdout.starts_with("second: 100/100 ACCEPTED"), "{}", ran.stdout);
    let ran = repository.run(&["ci", "grade", "--local", "nowhere"], &[]).expect_code(2);
    assert!(ran.stderr.contains("there is no problem package in"), "{}", ran.stderr);
}

#[test]
fn without_credentials_a_fork_is_told_what_it_lacks() {
    // No daemon is started for any of this.
    let home = home!();
    let repository = Repository::new(&home, "fork");
    repository.write("main.py", ECHO).write("summary", "").write("blank.creds", " \n");
    let summary = repository.dir.join("summary");
    let summary = summary.to_str().expect("a text");
    let url = "nats://127.0.0.1:4222";
    let tables: [&[(&str, &str)]; 7] = [
        &[("CODEMENTOR_NATS_URL", url), ("CODEMENTOR_CREDS", "")],
        &[("CODEMENTOR_NATS_URL", url)],
        &[("CODEMENTOR_NATS_URL", url), ("CODEMENTOR_CREDS", "blank.creds")],
        &[("CODEMENTOR_NATS_URL", ""), ("CODEMENTOR_CREDS", "")],
        &[("CODEMENTOR_NATS_URL", "")],
        &[("CODEMENTOR_CREDS", "")],
        &[("CODEMENTOR_CREDS", "blank.creds")],
    ];
    for variables in tables {
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_STEP_SUMMARY", summary),
        ];
        repository.write("summary", "").write("results.json", "{\"score\": 100}");
        let _ = std::fs::remove_file(repository.dir.join("junit.xml"));
        let formats = ["--gradescope", "results.json", "--junit", "junit.xml", "--json"];
        let arguments = [&["ci", "grade", "-p", "echo"][..], &formats].concat();
        let ran = repository.run(&arguments, &[variables, &github].concat()).expect_code(4);
        assert!(
            ran.stderr.contains("fork") && ran.stderr.contains("secret CODEMENTOR_CREDS"),
            "{}",
            ran.stderr
        );
        assert!(repository.read("summary").contains("This is no zero"), "{variables:?}");
        assert!(!repository.has("results.json"));
        let junit = repository.read("junit.xml");
        assert!(junit.contains("codementor/echo") && junit.contains("type=\"login_required\""), "{junit}");
        let object: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
        assert_eq!((&object["exit_code"], &object["score"]), (&json!(4), &Value::Null));
    }
    let named = ["ci", "grade", "-p", "echo", "--nats-url", url, "--creds", "gone.creds"];
    let ran = repository.run(&named, &[]).expect_code(4);
    assert!(ran.stderr.contains("gone.creds"), "{}", ran.stderr);
    assert!(home.daemon_pid().is_none());
}

#[test]
fn a_failure_of_ours_is_no_grade() {
    let home = home!().with("CODEMENTOR_DOCKER_HOST", "unix:///nowhere/docker.sock");
    let repository = Repository::new(&home, "fault");
    echo("echo").install(&home);
    repository.write("main.py", ECHO);
    // A grade of an earlier run must not be taken for this one's.
    for name in ["out/results.json", "out/classroom.txt", "out/quality.json"] {
        repository.write(name, "{\"score\": 100}");
    }
    let ran = repository.grade(&["-p", "echo", "--min-score", "0"]).expect_code(69);
    assert!(
        ran.stdout.contains("echo: JUDGE_ERROR") && ran.stdout.contains("this is no zero"),
        "{}",
        ran.stdout
    );
    assert!(!repository.has("out/results.json") && !repository.has("out/classroom.txt"));
    assert!(!repository.has("out/quality.json"));
    let junit = repository.read("out/junit.xml");
    assert!(junit.contains("errors=\"1\" failures=\"0\"") && junit.contains("<error "), "{junit}");
    assert!(!junit.contains("max_score"), "{junit}");
    assert!(repository.read("out/summary.md").contains("**Not graded.**"));
    // The same where nothing can be reached at all.
    let creds = home.data().join("user.creds");
    let creds = creds.to_str().expect("a text");
    let nowhere = ["-p", "echo", "--nats-url", "nats://127.0.0.1:1", "--creds", creds];
    repository.grade(&nowhere).expect_code(69);
    assert!(!repository.has("out/results.json"));
    assert!(repository.read("out/junit.xml").contains("<error "));
}

#[test]
fn refusals_and_mistakes_have_their_codes() {
    let home = shared();
    let repository = Repository::new(&home, "codes");
    repository.write("main.py", ECHO).write("binary.py", "a\0b").write("slow.py", "while True: pass\n");
    let ran = repository.grade(&["main.py", "-p", "nothing-such"]).expect_code(5);
    assert!(ran.stdout.starts_with("nothing-such: NOT_GRADED"), "{}", ran.stdout);
    assert!(!repository.has("out/results.json"));
    let ran = repository.grade(&["binary.py", "-p", "echo"]).expect_code(2);
    assert!(ran.stdout.contains("NOT_SENT: binary.py is not a text file"), "{}", ran.stdout);
    assert_eq!(repository.json("out/results.json")["score"], 0, "what a student broke is graded");
    repository.grade(&["main.py"]).expect_code(2);
    repository.grade(&["main.py", "-p", "echo", "-p", "again"]).expect_code(2);
    repository.grade(&["main.py", "-p", "echo", "--min-score", "101"]).expect_code(2);
    repository.grade(&["gone.py", "-p", "echo"]).expect_code(6);
    let ran = repository.grade(&["slow.py", "-p", "echo", "--timeout", "0"]).expect_code(8);
    assert!(ran.stdout.contains("codementor watch"), "{}", ran.stdout);
    assert!(!repository.has("out/results.json"));
}

#[test]
fn a_workflow_is_written_once_and_replaced_only_where_that_is_said() {
    let home = home!();
    let repository = Repository::new(&home, "init");
    let init = |arguments: &[&str]| repository.run(&[&["ci", "init"], arguments].concat(), &[]);
    let ran = init(&[]).expect_code(2);
    assert!(ran.stderr.contains("github|gitlab|jenkins|gradescope"), "{}", ran.stderr);
    repository.write(".git/config", "[remote \"origin\"]\n\turl = git@github.com:class/hw1.git\n");
    let ran = init(&[]).expect_code(0);
    assert!(ran.stdout.starts_with("wrote .github/workflows/codementor.yml\nnext: "), "{}", ran.stdout);
    let workflow = repository.read(".github/workflows/codementor.yml");
    assert_eq!(init(&["github", "--print"]).expect_code(0).stdout, workflow);
    repository.write(".github/workflows/codementor.yml", "mine\n");
    let ran = init(&[]).expect_code(2);
    assert!(ran.stderr.contains("exists") && ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(repository.read(".github/workflows/codementor.yml"), "mine\n");
    init(&["--force"]).expect_code(0);
    assert_eq!(repository.read(".github/workflows/codementor.yml"), workflow);
    init(&["gitlab"]).expect_code(0);
    init(&["jenkins"]).expect_code(0);
    assert!(repository.has(".gitlab-ci.yml") && repository.has("Jenkinsfile"));
    let ran = init(&[]).expect_code(2);
    assert!(ran.stderr.contains("it may be github or gitlab or jenkins"), "{}", ran.stderr);
    // Half of a set-up is not written.
    repository.write("setup.sh", "mine\n");
    init(&["gradescope"]).expect_code(2);
    assert!(!repository.has("run_autograder"));
    init(&["gradescope", "--force"]).expect_code(0);
    let script = repository.dir.join("run_autograder");
    let checked = std::process::Command::new("bash").arg("-n").arg(&script).status().expect("bash runs");
    assert!(checked.success());
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(script.metadata().expect("is there").permissions().mode() & 0o111, 0o111);
}
