//! Feedback by a real model: the server of llama.cpp with a model small enough for any machine, asked by the real daemon.
//!
//! What such a model says is chance, and mostly wrong. So this prints what came of each program, and fails only where
//! something does not hold that has to hold with any model: the verdict is that without feedback, feedback comes to an
//! end that has a name, what is shown as a correction is accepted, and nothing hidden is sent or shown.

mod programs;
mod relay;

use std::net::TcpStream;
use std::time::Instant;

use codementor_protocol::FeedbackOutcome;
use codementor_tests::canary::holds;
use codementor_tests::python::{Environment, expect_alive};
use codementor_tests::server::{free_port, get};
use codementor_tests::{Home, Ran, Reaped, home, wait_until};
use tempfile::NamedTempFile;

use programs::{PROGRAMS, Program};
use relay::Relay;

/// The longest answer. What the model is sent and what it answers have to fit into what the server is started with.
const MAX_TOKENS: u32 = 768;

fn main() {
    let log = NamedTempFile::new().expect("a temporary file");
    let (_model, port) = start_model(&log);
    let relay = Relay::before(port);
    let home = home!().configured(&format!(
        "[feedback]\npolicy = \"full\"\nchecks = 10000\n\n\
         [[feedback.endpoint]]\nname = \"llama.cpp\"\nurl = \"{}\"\nmodel = \"any\"\n\
         max_tokens = {MAX_TOKENS}\npatience = 120\n",
        relay.url()
    ));
    programs::install(&home);
    println!(
        "| program | mistake | verdict | outcome | rounds | first token | tokens | time | verified correction |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for program in &PROGRAMS {
        print_and_check(&home, &relay, program);
    }
    let sent = relay.sent();
    assert!(sent.windows(5).any(|window| window == b"amsel"), "the samples were sent");
    assert!(!holds(&sent), "what is hidden was sent: {}", String::from_utf8_lossy(&sent));
    assert!(!holds(home.log().as_bytes()), "the log holds what is hidden");
}

/// Starts the server of llama.cpp on loopback, and waits until it listens.
fn start_model(log: &NamedTempFile) -> (Reaped, u16) {
    let environment = Environment::of("llama.cpp", include_str!("../../python/llama.txt"));
    let port = free_port();
    let mut model =
        environment.start(include_str!("../../python/llama.py"), &[&port.to_string()], log.as_file());
    wait_until("the model listens", || {
        expect_alive(&mut model.0, log.path());
        TcpStream::connect(("127.0.0.1", port)).is_ok() && get(port, "/health").0 == 200
    });
    (model, port)
}

fn print_and_check(home: &Home, relay: &Relay, program: &Program) {
    let Program { problem, file, mistake, text } = program;
    let begin = Instant::now();
    let with = submit(home, problem, file, text, "--feedback");
    let took = begin.elapsed();
    let without = submit(home, problem, file, text, "--no-feedback");
    assert_eq!(with.judged(), without.judged(), "{file}: feedback moves no verdict");
    assert_ne!(with.verdict(), "ACCEPTED", "{file}: {mistake}");

    let end = with.event("feedback_end");
    let outcome: FeedbackOutcome = serde_json::from_value(end["outcome"].clone()).expect("an outcome");
    assert!(!matches!(outcome, FeedbackOutcome::Unknown | FeedbackOutcome::Interrupted), "{file}: {end}");
    let id = with.id().to_string();
    let shown = home.run(&["feedback", &id, "--json"]).expect_code(0);
    for told in [&with.stdout, &shown.stdout] {
        assert!(!holds(told.as_bytes()), "{file}: what is hidden was shown: {told}");
    }
    let fix = with.events().into_iter().find(|event| event["type"] == "fix");
    if let Some(fix) = &fix {
        let corrected = fix["files"][0]["text"].as_str().expect("a text");
        let judged = submit(home, problem, file, corrected, "--no-feedback");
        assert_eq!(judged.verdict(), "ACCEPTED", "{file}: what is shown as a correction is one: {fix}");
    }

    let first_token =
        relay.first_tokens().first().map_or("-".into(), |time| format!("{:.1} s", time.as_secs_f64()));
    let (rounds, tokens) = counted(&home.log(), &id);
    println!(
        "| `{file}` | {mistake} | {} | `{}` | {rounds} | {first_token} | {tokens} | {:.1} s | {} |",
        with.verdict(),
        outcome.token(),
        took.as_secs_f64(),
        if fix.is_some() { "yes" } else { "no" },
    );
}

/// The exit code is that of the verdict, which is compared by its name.
fn submit(home: &Home, problem: &str, file: &str, text: &str, flag: &str) -> Ran {
    let path = home.write(file, text);
    home.run(&["submit", path.to_str().expect("a text"), "-p", problem, "--json", flag])
}

/// Rounds and tokens of feedback on a submission, as the daemon's log tells them.
fn counted(log: &str, id: &str) -> (String, String) {
    let submission = format!("submission={id} ");
    let line = log.lines().find(|line| line.contains(&submission) && line.contains(" rounds="));
    let field = |name: &str| {
        let rest = line.and_then(|line| line.split_once(name)).map_or("-", |(_, rest)| rest);
        rest.split(' ').next().unwrap_or(rest).to_owned()
    };
    (field(" rounds="), field(" tokens="))
}
