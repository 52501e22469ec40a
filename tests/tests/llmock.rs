//! The client of model endpoints against a server that somebody else wrote to break clients with, and that judges them:
//! through the real command line and daemon. What goes wrong there ends in the state that docs/FEEDBACK.md names, is
//! told to the student, and moves no verdict.

use codementor_tests::canary::{CANARY, holds};
use codementor_tests::llmock::LlMock;
use codementor_tests::{Draft, Home, Ran, home, wait_until};
use serde_json::{Value, json};

/// What the model says where nothing else is scripted. Long enough to be broken in the middle.
const HINT: &str =
    "You read the whole input and print the first letters of it; look at how many letters it has.";

/// What happens to the requests for one program, in llmock's own terms, and what has to come of it.
struct Fault {
    what: &'static str,
    behaviors: &'static str,
    outcome: &'static str,
    /// How many requests there are, all with the same body.
    requests: usize,
}

const fn fault(what: &'static str, behaviors: &'static str, outcome: &'static str, requests: usize) -> Fault {
    Fault { what, behaviors, outcome, requests }
}

/// Faults of which llmock's verdict says how they have to be taken.
const FAULTS: &[Fault] = &[
    fault("nothing", "[]", "complete", 1),
    // What passes.
    fault("status 408 once", r#"[{"type":"fail","status":408}]"#, "complete", 2),
    fault("status 409 once", r#"[{"type":"fail","status":409}]"#, "complete", 2),
    fault("status 429 once", r#"[{"type":"fail","status":429,"retry_after":1.5}]"#, "complete", 2),
    fault("status 500 once", r#"[{"type":"fail","status":500}]"#, "complete", 2),
    fault("status 502 once", r#"[{"type":"fail","status":502}]"#, "complete", 2),
    fault("status 503 twice", r#"[{"type":"fail","status":503,"retry_after":0.4,"times":2}]"#, "complete", 3),
    fault("status 529 once", r#"[{"type":"fail","status":529}]"#, "complete", 2),
    fault("slow", r#"[{"type":"delay","seconds":1}]"#, "complete", 1),
    fault("slow to begin", r#"[{"type":"slow_first_token","seconds":1}]"#, "complete", 1),
    fault("left at once", r#"[{"type":"stream_fault","kind":"disconnect","after_chunks":0}]"#, "complete", 2),
    fault("left", r#"[{"type":"stream_fault","kind":"disconnect","after_chunks":4}]"#, "complete", 2),
    fault("cut at once", r#"[{"type":"stream_fault","kind":"truncate","after_chunks":0}]"#, "complete", 2),
    fault("cut", r#"[{"type":"stream_fault","kind":"truncate","after_chunks":4}]"#, "complete", 2),
    fault("no JSON", r#"[{"type":"stream_fault","kind":"malformed","after_chunks":4}]"#, "complete", 2),
    // What stays.
    fault("status 400", r#"[{"type":"fail","status":400}]"#, "request_refused", 1),
    fault("status 401", r#"[{"type":"fail","status":401}]"#, "key_refused", 1),
    fault("status 403", r#"[{"type":"fail","status":403}]"#, "key_refused", 1),
    fault("status 404", r#"[{"type":"fail","status":404}]"#, "request_refused", 1),
    fault("status 422", r#"[{"type":"fail","status":422}]"#, "request_refused", 1),
    fault(
        "status 429",
        r#"[{"type":"fail","status":429,"retry_after":0.3,"times":null}]"#,
        "rate_limited",
        3,
    ),
    fault(
        "status 500",
        r#"[{"type":"fail","status":500,"retry_after":0.3,"times":null}]"#,
        "endpoint_fault",
        3,
    ),
    fault(
        "status 503",
        r#"[{"type":"fail","status":503,"retry_after":0.3,"times":null}]"#,
        "endpoint_fault",
        3,
    ),
    fault(
        "leaves",
        r#"[{"type":"stream_fault","kind":"disconnect","after_chunks":4,"times":null}]"#,
        "truncated",
        2,
    ),
    fault("too slow", r#"[{"type":"delay","seconds":7}]"#, "stalled", 1),
    fault("too slow to begin", r#"[{"type":"slow_first_token","seconds":7}]"#, "stalled", 1),
    fault("too long", r#"[{"type":"reply","text":"Look at","finish_reason":"length"}]"#, "cut_off", 1),
    fault(
        "filtered",
        r#"[{"type":"reply","text":"Look at","finish_reason":"content_filter"}]"#,
        "request_refused",
        1,
    ),
    fault("says nothing", r#"[{"type":"reply","text":""}]"#, "empty", 1),
    fault(
        "calls a tool",
        r#"[{"type":"reply","tool_calls":[{"name":"set_verdict","arguments":{"verdict":"ACCEPTED"}}]}]"#,
        "garbled",
        1,
    ),
];

/// Faults that stay, of which llmock says that a client which gives up has not noticed them, whatever it makes of them.
const BEYOND_ITS_VERDICT: &[Fault] = &[
    fault(
        "cuts",
        r#"[{"type":"stream_fault","kind":"truncate","after_chunks":4,"times":null}]"#,
        "truncated",
        2,
    ),
    fault(
        "never JSON",
        r#"[{"type":"stream_fault","kind":"malformed","after_chunks":4,"times":null}]"#,
        "garbled",
        2,
    ),
    // More patience than there is time: nobody asks until then.
    fault("status 429 for long", r#"[{"type":"fail","status":429,"retry_after":300}]"#, "rate_limited", 1),
    fault("after that", "[]", "rate_limited", 0),
];

/// Right for the sample, and carries out what is hidden by all ways that it has.
fn program(what: &str) -> String {
    format!(
        "import sys\n\ntext = sys.stdin.read()\nsys.stderr.write(text)\nprint(text[:5])\nwhat = {what:?}\n\
         if text[0] != 'a':\n    print(text)\n"
    )
}

fn with_llmock(llmock: &LlMock) -> Home {
    let url = llmock.url();
    let home = home!().configured(&format!(
        "[feedback]\npolicy = \"hints\"\nhold = false\ntimeout = 20\n\n\
         [[feedback.endpoint]]\nname = \"llmock\"\nurl = \"{url}\"\nmodel = \"llmock\"\npatience = 5\n"
    ));
    Draft::new("echo", 2)
        .sample("1", "amsel\n", "amsel\n")
        .secret(&format!("{CANARY}-name"), &format!("{CANARY} in\n"), &format!("{CANARY} out\n"))
        .install(&home);
    home
}

/// Submits with and without feedback, and compares; returns the first.
fn submit(home: &Home, what: &str) -> Ran {
    let file = home.write("wrong.py", program(what));
    let file = file.to_str().expect("a text");
    let submit = |flag| home.run(&["submit", file, "-p", "echo", "--json", flag]).expect_code(1);
    let (with, without) = (submit("--feedback"), submit("--no-feedback"));
    assert_eq!(with.judged(), without.judged(), "{what}");
    assert_eq!(with.verdict(), "WRONG_ANSWER", "{what}");
    assert!(without.events().iter().all(|event| event["type"] != "feedback_end"), "{what}");
    with
}

/// That feedback on a submission ended so, by all ways in which a student is told, and what was said is `said`.
#[track_caller]
fn expect_end(home: &Home, ran: &Ran, what: &str, outcome: &str, said: &str) {
    let end = ran.event("feedback_end");
    assert_eq!(end["outcome"], outcome, "{what}: {}", ran.stdout);
    let id = ran.id().to_string();
    let detail = home.run(&["feedback", &id, "--json"]).expect_code(0);
    let detail: Value = serde_json::from_str(&detail.stdout).expect("is JSON");
    assert_eq!(detail["steps"][0]["end"]["outcome"], outcome, "{what}: {detail}");
    assert_eq!(detail["steps"][0]["text"].as_str().expect("a text").trim(), said, "{what}: {detail}");
    let shown = home.run(&["feedback", &id]).expect_code(0).stdout;
    let told = if outcome == "complete" { "a model's words" } else { "feedback: " };
    assert!(shown.contains(told), "{what}: {shown}");
}

/// Plays a fault, and sees that it ends as it has to.
fn meet(home: &Home, llmock: &LlMock, fault: &Fault) {
    let Fault { what, behaviors, outcome, requests } = *fault;
    let mut behaviors: Vec<Value> = serde_json::from_str(behaviors).expect("is JSON");
    behaviors.push(json!({ "type": "reply", "text": HINT, "times": null }));
    llmock.play(&behaviors);
    let before = llmock.requests().len();
    let ran = submit(home, what);
    expect_end(home, &ran, what, outcome, if outcome == "complete" { HINT } else { "" });
    // What is delayed stands in the journal only once the delay is over.
    wait_until(what, || llmock.requests().len() >= before + requests);
    assert_eq!(llmock.requests().len(), before + requests, "{what}");
}

/// What llmock was sent holds what is public and nothing hidden.
fn expect_nothing_hidden(llmock: &LlMock) {
    let requests = llmock.requests();
    assert!(!requests.is_empty(), "something was asked");
    for request in &requests {
        let sent = request["body"].to_string();
        assert!(sent.contains("amsel"), "the sample is sent: {request}");
        assert!(!holds(sent.as_bytes()), "what is hidden was sent: {request}");
    }
}

/// llmock's verdict on the client: no errors, no warnings, and each call with as many requests as it has to have.
fn expect_good_verdict(llmock: &LlMock, calls: usize, requests: usize) {
    let verdict = llmock.verdict();
    assert_eq!((&verdict["errors"], &verdict["warnings"]), (&json!(0), &json!(0)), "{verdict:#}");
    assert_eq!((&verdict["calls"], &verdict["attempts"]), (&json!(calls), &json!(requests)), "{verdict:#}");
    println!("llmock's verdict: {verdict}");
}

#[test]
fn a_client_breaker_finds_nothing_wrong_and_each_fault_ends_in_its_state() {
    let llmock = LlMock::start();
    let home = with_llmock(&llmock);
    for fault in FAULTS {
        meet(&home, &llmock, fault);
    }
    // More than an answer may hold.
    llmock.play(&[json!({ "type": "reply", "text": "la".repeat(300 << 10) })]);
    expect_end(&home, &submit(&home, "endless"), "endless", "too_large", "");
    // The next step knows that a hidden test failed.
    llmock.play(&[json!({ "type": "reply", "text": HINT })]);
    let id = submit(&home, "twice").id().to_string();
    llmock.play(&[json!({ "type": "reply", "text": "Count the letters." })]);
    let hint = home.run(&["hint", &id, "--json"]).expect_code(0);
    assert!(hint.stdout.contains("Count the letters."), "{}", hint.stdout);
    let last = llmock.requests().pop().expect("was asked")["body"].to_string();
    assert!(last.contains("hidden test"), "{last}");

    let asked: usize = FAULTS.iter().map(|fault| fault.requests).sum();
    expect_good_verdict(&llmock, FAULTS.len() + 3, asked + 3);
    expect_nothing_hidden(&llmock);
    assert!(!holds(home.log().as_bytes()), "the log holds what is hidden");

    llmock.reset();
    for fault in BEYOND_ITS_VERDICT {
        meet(&home, &llmock, fault);
    }
    expect_nothing_hidden(&llmock);
}

#[test]
fn an_answer_that_stalls_or_takes_too_long_is_left_and_delays_no_verdict() {
    let llmock = LlMock::start();
    let home = with_llmock(&llmock);
    let stall = r#"[{"type":"stream_fault","kind":"stall","after_chunks":4,"stall_seconds":60}]"#;
    meet(&home, &llmock, &fault("stalls", stall, "stalled", 1));
    // Forty seconds, where twenty are allowed.
    llmock.play(&[json!({ "type": "reply", "text": "word ".repeat(2000) })]);
    expect_end(&home, &submit(&home, "on and on"), "on and on", "timed_out", "");
    expect_good_verdict(&llmock, 2, 2);
    expect_nothing_hidden(&llmock);
    // And when nobody is there any more.
    drop(llmock);
    expect_end(&home, &submit(&home, "gone"), "gone", "unreachable", "");
}
