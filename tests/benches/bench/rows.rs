//! The rows of the table.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use codementor::client::{Client, Credentials};
use codementor_protocol::{
    GetStatus, History, LanguageId, ListGrades, Purpose, Show, Slug, SourceFile, Submit,
};
use codementor_tests::{Home, Ran};

use crate::{bare, feedback, fill, median, ms, p95, packages, stats, students};

/// How often each side of a row is run.
const ROUNDS: usize = 15;
/// How many submissions a class has in the row about its grades, at first and then.
const FEW: u64 = 100;
const MANY: u64 = 10_000;
/// How many programs wait in the row about throughput.
const QUEUED: u64 = 300;

/// How often each look-up is made, idle and busy: seconds of it, for one moment says little.
const LOOK_UPS: usize = 2_000;

/// A row of the table, by a name to choose it by.
type Row = (&'static str, fn(&Bench));

pub(crate) const ROWS: &[Row] = &[
    ("hello", hello),
    ("cpp", cpp),
    ("python-case", python_case),
    ("java", java),
    ("queue", queue),
    ("look-ups", look_ups),
    ("stats", stats::stats),
    ("grades", grades),
    ("students", students::students),
    ("feedback-stalled", feedback::stalled),
    ("first-token", feedback::first_token),
];

/// What the rows share.
pub(crate) struct Bench {
    home: Home,
    directory: PathBuf,
    runtime: tokio::runtime::Runtime,
    nonce: AtomicU64,
}

/// Prints a line of the table.
pub(crate) fn print(work: &str, against: &str, bound: &str, measured: String) {
    println!("| {work} | {against} | {bound} | {measured} |");
}

impl Bench {
    pub(crate) fn new(home: Home) -> Self {
        let directory = home.work();
        let bench = Self {
            home,
            directory,
            runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime"),
            nonce: AtomicU64::new(rand::random::<u32>().into()),
        };
        for cases in [1, 10, 20, 100] {
            let package = packages::sums(&bench.directory, &format!("sums{cases}"), cases);
            bench.home.run(&["problem", "push", package.to_str().expect("a text")]).expect_code(0);
        }
        bench
    }

    /// The home that everything runs in.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// What requests are made on.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    /// A number that no program had before.
    pub(crate) fn nonce(&self) -> u64 {
        self.nonce.fetch_add(1, Ordering::Relaxed)
    }

    /// Submits a fresh program and says how long the whole command took.
    fn submit(&self, name: &str, text: impl Fn(u64) -> String, problem: &str) -> (Duration, Ran) {
        let file = self.home.write(name, text(self.nonce()));
        let start = Instant::now();
        let ran = self.home.submit(&file, problem);
        let took = start.elapsed();
        let ran = ran.expect_code(0);
        (took, ran)
    }

    /// Waits for something that is done over NATS.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A connection of the owner.
    pub(crate) async fn connect(&self) -> Client {
        let credentials = Credentials::read(&self.home.data().join("user.creds")).expect("are there");
        Client::connect(&self.home.url(), &credentials).await.expect("the daemon answers")
    }

    fn client(&self) -> Client {
        self.wait(self.connect())
    }

    /// A submission of a fresh Python program.
    pub(crate) fn submission(&self, problem: &str) -> Submit {
        let nonce = self.nonce();
        Submit {
            key: format!("bench-{nonce:012}"),
            purpose: Purpose::Submission,
            problem: Slug::new(problem).expect("a name"),
            package: None,
            language: LanguageId::new("python3").expect("a language"),
            files: vec![SourceFile { name: "sum.py".into(), text: packages::python(nonce) }],
            entry: None,
            feedback: false,
            answer_in: None,
            assignment: None,
            confirmed: false,
        }
    }

    /// Puts many programs into the queue and returns their numbers.
    fn enqueue(&self, client: &Client, count: u64, problem: &str) -> Vec<u64> {
        let accepted = |_| self.wait(client.request(&self.submission(problem))).expect("is accepted").id.0;
        (0..count).map(accepted).collect()
    }

    /// Asks seldom: at fifty questions a second, half of the NATS server's messages would be these.
    fn wait_for_queue(&self, client: &Client) {
        let is_empty = || {
            let status = self.runtime.block_on(client.request(&GetStatus {})).expect("the daemon answers");
            status.running == 0 && status.queued.iter().all(|(_, depth)| *depth == 0)
        };
        let deadline = Instant::now() + codementor_tests::PATIENCE;
        while !is_empty() {
            assert!(Instant::now() < deadline, "waited in vain until the queue is empty");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The milliseconds between the moments of two events.
fn between(ran: &Ran, first: &str, last: &str) -> f64 {
    let at = |kind| ran.event(kind)["at"].as_f64().expect("a time");
    at(last) - at(first)
}

fn hello(bench: &Bench) {
    let (docker, python) = (bare::program("docker"), bare::program("python3"));
    let (input, answer) = packages::case(0);
    let image = bench.image("python3");
    bench.submit("warm.py", packages::python, "sums1");
    let (mut ours, mut container, mut bare_times) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        ours.push(bench.submit("hello.py", packages::python, "sums1").0);
        let text = packages::python(bench.nonce());
        let mut run = Command::new(&docker);
        run.args([
            "run",
            "--rm",
            "-i",
            "--network",
            "none",
            "--entrypoint",
            "/usr/bin/python3",
            &image,
            "-c",
            &text,
        ]);
        container.push(bare::run(&mut run, input.as_bytes(), answer.as_bytes()));
        let file = bench.home.write("bare.py", packages::python(bench.nonce()));
        bare_times.push(bare::run(Command::new(&python).arg(&file), input.as_bytes(), answer.as_bytes()));
    }
    let (ours, container, bare) = (median(ours), median(container), median(bare_times));
    print(
        "`submit` of one Python case, whole process",
        "`docker run --rm` of the same image",
        "0.4",
        format!("{:.2} ({:.0} ms / {:.0} ms)", ms(ours) / ms(container), ms(ours), ms(container)),
    );
    print(
        "the same",
        "bare `python3`, added milliseconds",
        "aim 40",
        format!("{:.0} ms ({:.0} ms − {:.1} ms)", ms(ours) - ms(bare), ms(ours), ms(bare)),
    );
}

fn cpp(bench: &Bench) {
    let compiler = bare::program("g++");
    let source = bench.home.write("bare.cpp", "");
    let program = bench.directory.join("bare-cpp");
    bench.submit("warm.cpp", packages::cpp, "sums100");
    let (mut ours, mut cases, mut bare_times, mut bare_cases) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS / 2 {
        let (took, ran) = bench.submit("sum.cpp", packages::cpp, "sums100");
        ours.push(took);
        cases.push(Duration::from_secs_f64(between(&ran, "compiled", "result") / 100.0 / 1000.0));
        std::fs::write(&source, packages::cpp(bench.nonce())).expect("is written");
        let start = Instant::now();
        bare::run(Command::new(&compiler).arg("-O2").arg("-o").arg(&program).arg(&source), b"", b"");
        let compiled = Instant::now();
        run_all(&program, &[], 100);
        bare_times.push(start.elapsed());
        bare_cases.push(compiled.elapsed() / 100);
    }
    let (ours, bare) = (median(ours), median(bare_times));
    print(
        "C++ with `<bits/stdc++.h>`, 100 cases, submit to verdict",
        "bare g++ -O2 and 100 runs",
        "0.6",
        format!("{:.2} ({:.0} ms / {:.0} ms)", ms(ours) / ms(bare), ms(ours), ms(bare)),
    );
    let (ours, bare) = (median(cases), median(bare_cases));
    print(
        "one more C++ case of 100",
        "bare fork + exec + wait",
        "1.5",
        format!("{:.2} ({:.2} ms / {:.2} ms)", ms(ours) / ms(bare), ms(ours), ms(bare)),
    );
}

/// Runs a program on the first `count` cases.
fn run_all(program: &Path, arguments: &[&str], count: usize) {
    for number in 0..count {
        let (input, answer) = packages::case(number);
        bare::run(Command::new(program).args(arguments), input.as_bytes(), answer.as_bytes());
    }
}

fn python_case(bench: &Bench) {
    let python = bare::program("python3");
    bench.submit("warm.py", packages::python, "sums100");
    let (mut ours, mut bare_cases) = (vec![], vec![]);
    for _ in 0..ROUNDS / 2 {
        let (_, ran) = bench.submit("sum.py", packages::python, "sums100");
        // The first case has run when `compiled` is told: it stands in for the syntax check.
        ours.push(Duration::from_secs_f64(between(&ran, "compiled", "result") / 99.0 / 1000.0));
        let file = bench.home.write("bare.py", packages::python(bench.nonce()));
        let start = Instant::now();
        run_all(&python, &[file.to_str().expect("a text")], 100);
        bare_cases.push(start.elapsed() / 100);
    }
    let (ours, bare) = (median(ours), median(bare_cases));
    print(
        "one more Python case of 100",
        "bare `python3`",
        "1.15",
        format!("{:.2} ({:.2} ms / {:.2} ms)", ms(ours) / ms(bare), ms(ours), ms(bare)),
    );
}

fn java(bench: &Bench) {
    let (javac, java) = (bare::program("javac"), bare::program("java"));
    let directory = bench.directory.join("bare-java");
    std::fs::create_dir_all(&directory).expect("the folder is made");
    bench.submit("Main.java", packages::java, "sums20");
    let (mut ours, mut bare_times) = (vec![], vec![]);
    for _ in 0..ROUNDS / 3 {
        ours.push(bench.submit("Main.java", packages::java, "sums20").0);
        let file = directory.join("Main.java");
        std::fs::write(&file, packages::java(bench.nonce())).expect("is written");
        let start = Instant::now();
        bare::run(Command::new(&javac).arg("-d").arg(&directory).arg(&file), b"", b"");
        run_all(&java, &["-cp", directory.to_str().expect("a text"), "Main"], 20);
        bare_times.push(start.elapsed());
    }
    let (ours, bare) = (median(ours), median(bare_times));
    print(
        "Java, 20 cases, submit to verdict",
        "bare javac and 20 × java",
        "0.7",
        format!("{:.2} ({:.0} ms / {:.0} ms)", ms(ours) / ms(bare), ms(ours), ms(bare)),
    );
}

fn queue(bench: &Bench) {
    let python = bare::program("python3");
    let client = bench.client();
    // One half before and one half after, since the speed of a shared machine drifts.
    let mut bare = bare_on_both(bench, &python, QUEUED / 4);
    let start = Instant::now();
    let ids = bench.enqueue(&client, QUEUED, "sums10");
    bench.wait_for_queue(&client);
    let ours = start.elapsed();
    for id in ids {
        let show = Show { submission: Some(codementor_protocol::SubmissionId(id)) };
        let detail = bench.runtime.block_on(client.request(&show)).expect("is there");
        assert_eq!(detail.summary.verdict, Some(codementor_protocol::Verdict::Accepted), "#{id}");
    }
    bare += bare_on_both(bench, &python, QUEUED / 4);
    print(
        "300 queued Python submissions of 10 cases, throughput",
        "bare loop on both cores",
        "at least 0.8",
        format!(
            "{:.2} ({:.1} s against {:.1} s)",
            ms(bare) / ms(ours),
            ours.as_secs_f64(),
            bare.as_secs_f64()
        ),
    );
}

/// Runs `each` programs on each of two cores, and says how long it took.
fn bare_on_both(bench: &Bench, python: &Path, each: u64) -> Duration {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for _ in 0..each {
                    let file = bench.home.write(&format!("bare{half}.py"), packages::python(bench.nonce()));
                    run_all(python, &[file.to_str().expect("a text")], 10);
                }
            });
        }
    });
    start.elapsed()
}

fn look_ups(bench: &Bench) {
    let client = bench.client();
    let id = bench.submit("sum.py", packages::python, "sums1").1.id();
    let look = |times: &mut [Vec<Duration>; 2]| {
        let start = Instant::now();
        let show = Show { submission: Some(codementor_protocol::SubmissionId(id)) };
        bench.runtime.block_on(client.request(&show)).expect("is there");
        times[0].push(start.elapsed());
        let start = Instant::now();
        let history = History { problem: None, assignment: None, before: None, limit: 20 };
        bench.runtime.block_on(client.request(&history)).expect("is there");
        times[1].push(start.elapsed());
    };
    let (mut idle, mut busy) = ([vec![], vec![]], [vec![], vec![]]);
    (0..LOOK_UPS).for_each(|_| look(&mut idle));
    let ids = bench.enqueue(&client, QUEUED, "sums10");
    (0..LOOK_UPS).for_each(|_| look(&mut busy));
    for id in ids {
        let cancel = codementor_protocol::Cancel { submission: codementor_protocol::SubmissionId(id) };
        bench.runtime.block_on(client.request(&cancel)).expect("is there");
    }
    bench.wait_for_queue(&client);
    for (name, idle, busy) in [("show", &idle[0], &busy[0]), ("history", &idle[1], &busy[1])] {
        let (idle, busy) = (p95(idle.clone()), p95(busy.clone()));
        print(
            &format!("p95 of `{name}` with {QUEUED} queued"),
            "the same, idle",
            "2",
            format!("{:.2} ({:.2} ms / {:.2} ms)", ms(busy) / ms(idle), ms(busy), ms(idle)),
        );
    }
}

/// Lists of a class with few submissions and with many: by the command, and by the daemon alone.
fn grades(bench: &Bench) {
    let home = &bench.home;
    home.run(&["course", "create", "filled"]).expect_code(0);
    let create = ["assignment", "create", "filled/hw", "-p", "sums1", "--due", "+7d", "--open"];
    home.run(&create).expect_code(0);
    let commands: [&[&str]; 2] = [&["history"], &["grade", "list", "filled/hw"]];
    let mut times = Vec::new();
    for count in [FEW, MANY] {
        fill::fill(home, "filled", "hw", "sums1", count);
        let client = bench.client();
        let history = History { problem: None, assignment: None, before: None, limit: 20 };
        let list = ListGrades { assignment: "filled/hw".parse().expect("an assignment"), from: 0 };
        let mut of = [vec![], vec![], vec![], vec![]];
        for _ in 0..ROUNDS * 4 {
            for (place, command) in commands.iter().enumerate() {
                let start = Instant::now();
                home.run(command).expect_code(0);
                of[place].push(start.elapsed());
            }
            let start = Instant::now();
            bench.runtime.block_on(client.request(&history)).expect("is there");
            of[2].push(start.elapsed());
            let start = Instant::now();
            bench.runtime.block_on(client.request(&list)).expect("is there");
            of[3].push(start.elapsed());
        }
        times.push(of.map(median));
    }
    let names = ["`history`", "`grade list`", "the request of `history`", "the request of `grade list`"];
    for (place, name) in names.iter().enumerate() {
        let (few, many) = (times[0][place], times[1][place]);
        print(
            &format!("{name} with {MANY} submissions of {} students", fill::STUDENTS),
            &format!("the same with {FEW}"),
            "2",
            format!("{:.2} ({:.2} ms / {:.2} ms)", ms(many) / ms(few), ms(many), ms(few)),
        );
    }
}

impl Bench {
    /// The tag of a language's image.
    fn image(&self, language: &str) -> String {
        let list = self.home.run(&["runners", "list", "--json"]).expect_code(0);
        let list: serde_json::Value = serde_json::from_str(&list.stdout).expect("is JSON");
        let found = list.as_array().expect("is a list").iter().find(|runner| runner["id"] == language);
        found.expect("is there")["image"].as_str().expect("a text").to_owned()
    }
}
