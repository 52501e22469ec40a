//! What feedback costs is counted by what was taken, also where a call is dropped in the middle.

use std::time::{Duration, Instant};

use codementor_test_model::{ModelServer, Script};
use codementor_tests::{PATIENCE, home, library};
use serde_json::Value;

/// What an answer may have at most: far more than the request has.
const MAX_TOKENS: u64 = 4096;

#[test]
fn a_call_that_is_dropped_costs_what_was_sent_and_has_come() {
    let model = ModelServer::start(|_| Script::sse().role().hang());
    let home = home!()
        .with("CODEMENTOR_FEEDBACK_URL", model.url())
        .with("CODEMENTOR_FEEDBACK_MODEL", "scripted")
        .with("CODEMENTOR_FEEDBACK_POLICY", "hints");
    let package = library().join("sum");
    home.run(&["problem", "push", package.to_str().expect("a text")]).expect_code(0);
    let file = home.write("right.py", "print(sum(map(int, open(0).read().split()[1:])))\n");
    home.run(&["submit", file.to_str().expect("a text"), "-p", "sum", "--json", "--feedback"]).expect_code(0);
    model.journal().wait_until_closed(Duration::from_secs(5));
    let request = &model.journal().requests()[0];
    let sent = (request.message("system").len() + request.message("user").len()).div_ceil(3) as u64;
    let until = Instant::now() + PATIENCE;
    let spent = loop {
        let status: Value = serde_json::from_str(&home.run(&["status", "--json"]).stdout).expect("is JSON");
        let spent = status["feedback"]["tokens_today"].as_u64().expect("is told");
        // It is written down after the connection has gone.
        if spent < sent + MAX_TOKENS {
            break spent;
        }
        assert!(Instant::now() < until, "all that was set aside stays in the books: {spent}");
    };
    assert_eq!(spent, sent + 1, "what was sent, and the event that had come");
}
