//! Every fault ends in its named state, with words that say what to do.

use codementor_protocol::FeedbackOutcome as Outcome;
use codementor_test_model::Ended;
use serde_json::json;

use super::*;

fn one(choice: serde_json::Value) -> serde_json::Value {
    json!({ "choices": [choice] })
}

/// Name, what is played, the state, a word of what is said, and whether it is booked.
fn faults() -> Vec<(&'static str, Script, Outcome, &'static str, bool)> {
    let begun = || Script::sse().role().delta("Look at ");
    let said = || begun().delta("line 3.");
    let page = "<!doctype html><title>Sign in</title>";
    vec![
        ("401", Script::error(401, "bad"), Outcome::KeyRefused, "set key_env or key_file", false),
        ("403", Script::error(403, "not in your country"), Outcome::KeyRefused, "not in your country", false),
        (
            "400",
            Script::error(400, "context too long"),
            Outcome::RequestRefused,
            "(400): context too long",
            false,
        ),
        ("402", Script::error(402, "no money"), Outcome::RequestRefused, "(402): no money", false),
        (
            "404",
            Script::error(404, "no such model"),
            Outcome::RequestRefused,
            "check the url and the model",
            false,
        ),
        (
            "404 of Ollama",
            Script::json(404, &json!({ "error": "model 'x' not found" })),
            Outcome::RequestRefused,
            "model 'x' not found",
            false,
        ),
        (
            "422",
            Script::json(422, &json!({ "detail": [{ "msg": "field" }] })),
            Outcome::RequestRefused,
            "(422)",
            false,
        ),
        (
            "400 of Gemini",
            Script::json(400, &json!([{ "error": { "code": 400, "message": "bad key" } }])),
            Outcome::RequestRefused,
            "bad key",
            false,
        ),
        (
            "400 in text",
            Script::new(400).send("no\x1b[31m way, \x1b]8;;x\x07see http://evil.example/x\r\n"),
            Outcome::RequestRefused,
            "(400): no way, see",
            false,
        ),
        ("418 as a page", Script::new(418).send(page), Outcome::RequestRefused, "(418)", false),
        (
            "302",
            Script::new(302).header("location", "https://login.example/?token=x"),
            Outcome::RequestRefused,
            "sends us to login.example/ (302)",
            false,
        ),
        (
            "out of money",
            Script::json(429, &json!({ "error": { "message": "quota", "type": "insufficient_quota" } })),
            Outcome::RateLimited,
            "used up (429): quota",
            false,
        ),
        (
            "an error in place of text",
            Script::sse().stream_error(json!("overloaded"), "busy").done(),
            Outcome::EndpointFault,
            "busy",
            false,
        ),
        (
            "an error in the middle",
            said().stream_error(json!(500), "out of memory").done(),
            Outcome::EndpointFault,
            "out of memory",
            true,
        ),
        (
            "an error as an event",
            said().send("event: error\ndata: {\"message\":\"gone\"}\n\n").done(),
            Outcome::EndpointFault,
            "gone",
            true,
        ),
        (
            "an error of vLLM",
            said().event(&json!({ "object": "error", "message": "engine died", "code": 500 })).done(),
            Outcome::EndpointFault,
            "engine died",
            true,
        ),
        (
            "an error in text",
            said().event(&json!({ "error": "boom" })).done(),
            Outcome::EndpointFault,
            "boom",
            true,
        ),
        (
            "an error with status 200",
            Script::json(200, &json!({ "error": { "message": "bad gateway" } })),
            Outcome::EndpointFault,
            "bad gateway",
            false,
        ),
        (
            "a limit in the middle",
            said().stream_error(json!("429"), "slow down").done(),
            Outcome::RateLimited,
            "slow down",
            true,
        ),
        (
            "finished with an error",
            said().finish("error").done(),
            Outcome::EndpointFault,
            "with an error",
            true,
        ),
        ("a filter", said().finish("content_filter").done(), Outcome::RequestRefused, "filter", true),
        ("a tool", Script::sse().finish("tool_calls").done(), Outcome::Garbled, "tool", true),
        ("cut off", said().finish("length").done(), Outcome::CutOff, "raise max_tokens", true),
        (
            "cut off while thinking",
            Script::sse().role().finish("length").done(),
            Outcome::CutOff,
            "raise max_tokens",
            true,
        ),
        ("no [DONE]", said().finish("stop"), Outcome::Truncated, "before its end", true),
        (
            "no [DONE], closed",
            said().finish("stop").until_close(),
            Outcome::Truncated,
            "before its end",
            true,
        ),
        ("no finish reason", said().done(), Outcome::Truncated, "without a finish reason", true),
        (
            "an empty finish reason",
            said().finish("").done(),
            Outcome::Truncated,
            "without a finish reason",
            true,
        ),
        ("closed in the middle", said().break_off(), Outcome::Truncated, "broke in the middle", true),
        (
            "closed in a line",
            said().until_close().send("data: {\"choi").break_off(),
            Outcome::Truncated,
            "before its end",
            true,
        ),
        ("nothing at all", Script::sse(), Outcome::Truncated, "before it began", true),
        ("comments only", Script::sse().comment("hello"), Outcome::Truncated, "without an event", true),
        (
            "nothing said",
            Script::sse().role().delta(" \n").finish("stop").done(),
            Outcome::Empty,
            "no text",
            true,
        ),
        ("no choices ever", Script::sse().usage(1, 0).finish("stop").done(), Outcome::Empty, "no text", true),
        ("no JSON", said().send("data: {oops}\n\n").done(), Outcome::Garbled, "no chunk", true),
        (
            "JSON of another kind",
            said().event(&json!({ "choices": "many" })).done(),
            Outcome::Garbled,
            "no chunk",
            true,
        ),
        (
            "content of another kind",
            said().event(&one(json!({ "delta": { "content": 7 } }))).done(),
            Outcome::Garbled,
            "no chunk",
            true,
        ),
        (
            "no UTF-8",
            said().send(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}\n\n".to_vec()),
            Outcome::Garbled,
            "UTF-8",
            true,
        ),
        (
            "a web page",
            Script::new(200).header("content-type", "text/html").send(page),
            Outcome::Garbled,
            "check the url",
            false,
        ),
        ("prose", Script::new(200).send("It works!"), Outcome::Truncated, "without an event", true),
        (
            "half a document",
            Script::new(200).send("{\"choices\": [{\"message\""),
            Outcome::Truncated,
            "before its end",
            true,
        ),
        (
            "another document",
            Script::json(200, &json!({ "status": "ok" })),
            Outcome::Garbled,
            "no chat completion",
            true,
        ),
        (
            "a document cut off",
            Script::json(200, &one(json!({ "message": { "content": "abc" }, "finish_reason": "length" }))),
            Outcome::CutOff,
            "raise max_tokens",
            true,
        ),
        (
            "a document without a finish reason",
            Script::json(200, &one(json!({ "message": { "content": "abc" } }))),
            Outcome::Truncated,
            "without a finish reason",
            true,
        ),
        (
            "a document without text",
            Script::json(200, &one(json!({ "message": { "content": null }, "finish_reason": "stop" }))),
            Outcome::Empty,
            "no text",
            true,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_its_state_and_its_words_and_is_not_tried_again() {
    for (name, script, outcome, word, billed) in faults() {
        let server = ModelServer::playing([script]);
        let (result, seen) = ask(&models(&server)).await;
        let error = result.expect_err(name);
        assert_eq!(error.outcome, outcome, "{name}: {error:?}");
        assert!(error.detail.starts_with("one: ") && error.detail.contains(word), "{name}: {error:?}");
        assert_eq!(error.billed, billed, "{name}: {error:?}");
        assert!(!seen.contains("[DONE]") && !error.detail.contains(char::is_control), "{name}: {error:?}");
        assert_eq!(server.journal().len(), 1, "{name} is asked once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_every_stream_may_break_off_it_is_truncated() {
    let whole = Script::sse().delta("Look at ").delta("line 3.").finish("stop").usage(5, 5);
    let length = whole.bytes().len();
    let bytes = whole.bytes();
    let server = ModelServer::start(move |request| {
        let script = Script::sse().send(&bytes[..=request.number]);
        // In the middle of a chunk, and as an end that looks clean.
        if request.number % 2 == 0 { script.break_off() } else { script.until_close() }
    });
    let models = models(&server);
    for place in 0..length {
        let error = ask(&models).await.0.expect_err("is no answer");
        assert_eq!(error.outcome, Outcome::Truncated, "broken off at {place}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_not_read_to_its_end() {
    let line = || Script::sse().send(b"data: ".to_vec()).send(vec![b'a'; 2 << 20]).hang();
    let text = (0..600).fold(Script::sse(), |script, _| script.delta(&"a".repeat(1 << 10))).hang();
    let comments = Script::sse().send(": ....................\n".repeat(900_000)).hang();
    let lines = Script::sse().send(b"\ndata: x".to_vec()).send(vec![b'\n'; 17 << 20]).hang();
    let document = Script::new(200).send("{").send(vec![b' '; 17 << 20]).hang();
    for (name, script, outcome) in [
        ("a line", line(), Outcome::TooLarge),
        ("a text", text, Outcome::TooLarge),
        ("comments", comments, Outcome::TooLarge),
        ("lines", lines, Outcome::Garbled),
        ("a document", document, Outcome::TooLarge),
    ] {
        let server = ModelServer::playing([script]);
        let error = ask(&models(&server)).await.0.expect_err(name);
        assert_eq!(error.outcome, outcome, "{name}: {error:?}");
        assert_eq!(server.journal().wait_for_end(0, LONG), Ended::Left, "{name}");
    }
    // Of an error, the beginning is enough.
    let error = Script::new(400).send(vec![b'x'; 1 << 20]).hang();
    let error = play(error).await.0.expect_err("is refused");
    assert_eq!(error.outcome, Outcome::RequestRefused);
    assert!(error.detail.chars().count() < 350, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_stall_and_slowness_a_time_out() {
    let hasty = Pace { idle: SHORT, ..PATIENT };
    let endless = || Script::sse().trickle(": alive\n\n", Duration::from_millis(20), 10_000);
    let said = || Script::sse().delta("Look at ");
    let cases = [
        ("no head", Script::silent(), LONG, Outcome::Stalled, "did not begin"),
        ("no body", Script::sse().hang(), LONG, Outcome::Stalled, "did not begin"),
        ("silent in the middle", said().hang(), LONG, Outcome::Stalled, "stopped talking"),
        ("silent after its reason", said().finish("stop").hang(), LONG, Outcome::Stalled, "stopped talking"),
        ("alive without end", endless(), SHORT * 2, Outcome::TimedOut, "longer than it may"),
        ("no head until the deadline", Script::silent(), SHORT / 2, Outcome::TimedOut, "longer than it may"),
        ("silent until the deadline", said().hang(), SHORT / 2, Outcome::TimedOut, "longer than it may"),
        (
            "an error that stalls",
            Script::new(400).send("half a word").hang(),
            LONG,
            Outcome::RequestRefused,
            "half a word",
        ),
    ];
    for (name, script, time, outcome, word) in cases {
        let server = ModelServer::playing([script]);
        let hasty_endpoint = Endpoint { patience: SHORT, ..endpoint("one", &server.url()) };
        let models = Models::with_pace(vec![hasty_endpoint], hasty);
        let began = Instant::now();
        let error = ask_within(&models, time).await.0.expect_err(name);
        assert_eq!(error.outcome, outcome, "{name}: {error:?}");
        assert!(error.detail.contains(word), "{name}: {error:?}");
        assert!(began.elapsed() < LONG, "{name}");
        assert_eq!(server.journal().wait_for_end(0, LONG), Ended::Left, "{name}: the connection is closed");
        assert_eq!(server.journal().len(), 1, "{name} is not tried again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_unreachable() {
    let gone = ModelServer::playing([]);
    let url = gone.url();
    drop(gone);
    for url in [url.as_str(), &url.replace("http:", "https:")] {
        let models = Models::with_pace(vec![endpoint("one", url)], PATIENT);
        let error = ask(&models).await.0.expect_err("nobody is there");
        assert_eq!((error.outcome, error.billed), (Outcome::Unreachable, false), "{url}: {error:?}");
        assert!(error.detail.contains("cannot be reached"), "{error:?}");
    }
    // Nor is who takes a connection and does not go on with it, as a server that waits for HTTP where TLS is spoken.
    let plain = ModelServer::always(Script::answer("no"));
    let hasty = Pace { connect: SHORT, ..PATIENT };
    let models = Models::with_pace(vec![endpoint("one", &plain.url().replace("http:", "https:"))], hasty);
    let error = ask(&models).await.0.expect_err("it speaks no TLS");
    assert_eq!(error.outcome, Outcome::Unreachable, "{error:?}");
    assert!(plain.journal().is_empty());
    assert_eq!(plain.journal().connections(), 3, "a connection may be had a moment later");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_a_fault_of_the_endpoint() {
    for script in [Script::closed(), Script::raw("SSH-2.0-OpenSSH\r\n"), Script::raw("HTTP/1.1 abc\r\n\r\n")]
    {
        let server = ModelServer::always(script);
        let error = ask(&models(&server)).await.0.expect_err("is no answer");
        assert_eq!((error.outcome, error.billed), (Outcome::EndpointFault, false), "{error:?}");
        assert_eq!(server.journal().len(), 3, "such may pass, and is tried again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_closes_the_connection() {
    let scripts = [
        ("before the head", Script::silent()),
        ("before the first byte", Script::sse().hang()),
        ("in the middle", Script::sse().delta("Look at ").hang()),
        (
            "while it is alive",
            Script::sse().delta("a").trickle(": alive\n\n", Duration::from_millis(5), 100_000),
        ),
    ];
    for (name, script) in scripts {
        let server = ModelServer::playing([script]);
        let models = models(&server);
        let call = tokio::spawn(async move { ask(&models).await.0.map(drop) });
        server.journal().wait_for_requests(1, LONG);
        let left = Instant::now();
        call.abort();
        assert!(call.await.expect_err("was stopped").is_cancelled());
        assert_eq!(server.journal().wait_for_end(0, LONG), Ended::Left, "{name}");
        server.journal().wait_until_closed(LONG);
        assert!(left.elapsed() < Duration::from_secs(1), "{name}: {:?}", left.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_endpoints_nobody_is_asked() {
    let models = Models::new(Vec::new());
    assert!(models.is_empty());
    let error = ask(&models).await.0.expect_err("nobody answers");
    assert_eq!((error.outcome, error.billed), (Outcome::NotConfigured, false));
}
