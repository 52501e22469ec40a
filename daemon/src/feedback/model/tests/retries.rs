//! What is tried again, when, and where; and what is booked for it.

use std::sync::Mutex;

use codementor_protocol::FeedbackOutcome as Outcome;
use serde_json::json;

use super::*;

fn two(first: &ModelServer, second: &ModelServer) -> Models {
    Models::with_pace(vec![endpoint("one", &first.url()), endpoint("two", &second.url())], PATIENT)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_twice_again() {
    for status in [408, 409, 429, 500, 502, 503, 504, 529] {
        let failing = Script::error(status, "not now");
        let server = ModelServer::playing([failing.clone(), failing.clone(), Script::answer("now")]);
        let (answer, seen) = ask(&models(&server)).await;
        assert_eq!(answer.expect("the third time").text, "now", "{status}");
        assert_eq!(seen, "now");

        let server = ModelServer::always(failing);
        let error = ask(&models(&server)).await.0.expect_err("never");
        let expected = if status == 429 { Outcome::RateLimited } else { Outcome::EndpointFault };
        assert_eq!((error.outcome, error.billed), (expected, false), "{status}: {error:?}");
        assert!(error.detail.contains(&format!("({status}): not now")), "{error:?}");
        assert_eq!(server.journal().len(), 3, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_before_any_text_is_as_good_as_a_status() {
    let failing = Script::sse().role().stream_error(json!(503), "loading");
    let server = ModelServer::playing([failing.clone(), Script::answer("loaded")]);
    assert_eq!(ask(&models(&server)).await.0.expect("the second time").text, "loaded");

    let server = ModelServer::always(failing);
    let error = ask(&models(&server)).await.0.expect_err("never");
    assert_eq!((error.outcome, error.again_after), (Outcome::EndpointFault, None));
    assert_eq!(server.journal().len(), 3, "nor is all of it tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_that_an_endpoint_asks_for_is_given() {
    let cases = [("retry-after-ms", "200", "retry-after", "9"), ("retry-after", "0.2", "x-other", "")];
    for (name, value, other, its_value) in cases {
        let failing = Script::error(429, "slow down").header(name, value).header(other, its_value);
        let server = ModelServer::playing([failing, Script::answer("now")]);
        ask(&models(&server)).await.0.expect("the second time");
        let exchanges = server.journal().exchanges();
        let pause = exchanges[1].at - exchanges[0].at;
        assert!((Duration::from_millis(200)..Duration::from_secs(5)).contains(&pause), "{name}: {pause:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_beyond_the_deadline_is_not_waited_for_and_not_disturbed() {
    let server = ModelServer::always(Script::error(429, "slow down").header("retry-after", "100"));
    let models = models(&server);
    let began = Instant::now();
    for _ in 0..2 {
        let error = ask(&models).await.0.expect_err("is refused");
        assert_eq!(error.outcome, Outcome::RateLimited, "{error:?}");
    }
    assert!(began.elapsed() < LONG / 2);
    assert_eq!(server.journal().len(), 1, "the second call knows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_wrong_silences_no_endpoint_for_others() {
    for status in [400, 401, 403, 404, 302] {
        let refusal = Script::error(status, "no").header("retry-after", "600");
        let server = ModelServer::playing([refusal, Script::answer("now")]);
        let models = models(&server);
        ask(&models).await.0.expect_err("is refused");
        assert_eq!(ask(&models).await.0.expect("another request is right").text, "now", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_tried_again_once_text_was_handed_on() {
    let broken = Script::sse().delta("Look at ").stream_error(json!(503), "gone");
    let first = ModelServer::always(broken);
    let second = ModelServer::always(Script::answer("else"));
    let (result, seen) = ask(&two(&first, &second)).await;
    let error = result.expect_err("broke off");
    assert_eq!((error.outcome, error.endpoint.as_str()), (Outcome::EndpointFault, "one"));
    assert_eq!(seen, "Look at ");
    assert_eq!((first.journal().len(), second.journal().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_endpoint_is_asked_where_one_fails() {
    let failing = [
        Script::error(401, "no"),
        Script::error(400, "no"),
        Script::error(503, "no"),
        Script::error(429, "no").header("retry-after", "30"),
        Script::closed(),
        Script::sse().role().done(),
        Script::sse().role().finish("length").done(),
        Script::new(200).send("<html>"),
    ];
    for script in failing {
        let first = ModelServer::always(script.clone());
        let second = ModelServer::always(Script::answer("from the second"));
        let (answer, seen) = ask(&two(&first, &second)).await;
        let answer = answer.expect("the second answers");
        assert_eq!((answer.endpoint.as_str(), seen.as_str()), ("two", "from the second"), "{script:?}");
        assert!(!first.journal().is_empty() && second.journal().len() == 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_fail_each_is_named() {
    let first = ModelServer::always(Script::error(401, "no"));
    let second = ModelServer::always(Script::error(404, "no model"));
    let error = ask(&two(&first, &second)).await.0.expect_err("both fail");
    assert_eq!((error.outcome, error.endpoint.as_str()), (Outcome::RequestRefused, "two"));
    assert!(error.detail.contains("one: it wants a key") && error.detail.contains("; two: "), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tries_share_one_deadline() {
    let silent = ModelServer::always(Script::silent());
    let second = ModelServer::always(Script::answer("too late"));
    let began = Instant::now();
    let error = ask_within(&two(&silent, &second), SHORT).await.0.expect_err("nobody answers in time");
    assert_eq!((error.outcome, error.endpoint.as_str()), (Outcome::TimedOut, "one"));
    assert!(began.elapsed() < LONG && second.journal().is_empty());

    let failing = ModelServer::always(Script::error(500, "no"));
    let slow = Pace { backoff: LONG, ..PATIENT };
    let models = Models::with_pace(vec![endpoint("one", &failing.url())], slow);
    let error = ask_within(&models, Duration::from_secs(2)).await.0.expect_err("fails");
    assert_eq!(error.outcome, Outcome::EndpointFault, "a pause beyond the deadline is not begun: {error:?}");
    assert!(began.elapsed() < LONG / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_endpoint_does_not_know_is_left_out_from_then_on() {
    let lesson = Mutex::new(Vec::new());
    let server = ModelServer::start(move |request| {
        let body = request.json();
        lesson.lock().expect("nobody panics").push(body.clone());
        if body.get("stream_options").is_some() {
            Script::error(400, "Unrecognized request argument supplied: stream_options")
        } else if body.get("max_tokens").is_some() {
            Script::error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        } else {
            Script::answer("learnt")
        }
    });
    let models = models(&server);
    for _ in 0..2 {
        assert_eq!(ask(&models).await.0.expect("is answered").text, "learnt");
    }
    assert_eq!(server.journal().len(), 4, "three for the first call, one for the second");
    assert_eq!(server.journal().requests()[3].json()["max_completion_tokens"], 4096);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_stays_is_not_tried_for_ever() {
    let server = ModelServer::always(Script::error(400, "stream_options max_completion_tokens"));
    let error = ask(&models(&server)).await.0.expect_err("is refused");
    assert_eq!((error.outcome, server.journal().len()), (Outcome::RequestRefused, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_is_booked_and_what_was_not_is_assumed_at_its_most() {
    let price = Price { input: "1".parse().expect("money"), output: "2".parse().expect("money") };
    let priced = |server: &ModelServer| {
        let endpoint = Endpoint { price: Some(price), max_tokens: 100, ..endpoint("one", &server.url()) };
        Models::with_pace(vec![endpoint], PATIENT)
    };
    // 24 bytes of messages are 8 tokens.
    let most = Spending { tokens: 108, cost_micro: 208 };
    let said = || Script::sse().delta("yes");

    let server = ModelServer::playing([
        said().finish("stop").usage(10, 5).done(),
        said().finish("stop").done(),
        said().finish("length").usage(10, 100).done(),
        said().usage(1, 1).break_off(),
        said().break_off(),
        Script::error(400, "no"),
    ]);
    let models = priced(&server);
    assert_eq!(models.cost(&messages()), most);
    assert_eq!(ask(&models).await.0.expect("answers").spent, Spending { tokens: 15, cost_micro: 20 });
    assert_eq!(ask(&models).await.0.expect("answers").spent, most);
    assert_eq!(ask(&models).await.0.expect_err("fails").spent, Spending { tokens: 110, cost_micro: 210 });
    assert_eq!(ask(&models).await.0.expect_err("fails").spent, Spending { tokens: 2, cost_micro: 3 });
    assert_eq!(ask(&models).await.0.expect_err("fails").spent, most);
    assert_eq!(ask(&models).await.0.expect_err("fails").spent, Spending::default());

    // What the first has cost is booked though the second answers.
    let first = ModelServer::always(Script::sse().role().finish("length").usage(10, 4096).done());
    let second = ModelServer::always(Script::sse().delta("yes").finish("stop").usage(10, 5).done());
    let both = two(&first, &second);
    let spent = ask(&both).await.0.expect("the second answers").spent;
    assert_eq!(spent.tokens, 4121);
    assert!(both.cost(&messages()).tokens >= spent.tokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_broke_may_be_asked_for_once_more_and_a_refusal_may_not() {
    let said = || Script::sse().delta("Look at ");
    for broken in [said(), said().break_off(), said().done(), said().send("data: {oops}\n\n"), Script::sse()]
    {
        let error = play(broken).await.0.expect_err("is no answer");
        let pause = error.again_after.unwrap_or_else(|| panic!("{error:?} may be asked again"));
        assert!((PATIENT.backoff..PATIENT.backoff * 2).contains(&pause), "{error:?}");
    }
    let final_ones = [
        Script::error(400, "no"),
        Script::error(500, "no"),
        said().finish("length").done(),
        said().finish("content_filter").done(),
        Script::sse().finish("stop").done(),
        Script::new(200).send("<html>"),
    ];
    for script in final_ones {
        let server = ModelServer::always(script);
        let error = ask(&models(&server)).await.0.expect_err("is no answer");
        assert_eq!(error.again_after, None, "{error:?}");
    }
}
