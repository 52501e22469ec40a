//! Streams that are right, however they are cut and whatever stands between the text.

use codementor_test_model::event;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Everything that a right stream may hold, in all its forms.
fn colourful() -> Script {
    Script::sse()
        .comment("OPENROUTER PROCESSING")
        // Azure's first chunk.
        .event(&json!({ "choices": [], "prompt_filter_results": [] }))
        .role()
        .event(&json!({ "choices": null }))
        .event(&json!({ "choices": [{ "index": 0, "delta": { "role": "assistant", "content": null }, "finish_reason": null }] }))
        .delta("안녕, ")
        .event(&json!({ "choices": [{ "delta": { "content": "wörld" }, "finish_reason": "" }] }))
        .event(&json!({ "choices": [{ "index": 0, "delta": { "reasoning_content": "hm" } }], "usage": {} }))
        .send(": ping\r\n\r\n")
        .send("event: ping\ndata: pong\n\n")
        .send("id: 7\nretry: 10\ndata:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\" 🎉\\n\"}}]}\r\n\r\n")
        .event(&json!({ "choices": [{ "index": 1, "delta": { "content": "another choice" } }] }))
        .event(&json!({ "choices": [{ "index": 0, "delta": { "content": [{ "type": "text", "text": "end" }] } }] }))
        .event(&json!({ "choices": [{ "index": 0, "delta": null, "finish_reason": "stop" }] }))
        .usage(12, 7)
        .done()
}

const COLOURFUL: &str = "안녕, wörld 🎉\nend";

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_endpoints_put_into_a_stream_is_read() {
    let (answer, seen) = play(colourful()).await;
    let answer = answer.expect("is answered");
    assert_eq!(answer.text, COLOURFUL);
    assert_eq!(seen, COLOURFUL);
    assert_eq!(answer.usage, Some(TokenUsage { input: 12, output: 7 }));
    assert_eq!((answer.endpoint.as_str(), answer.model.as_str()), ("one", "scripted"));
    assert!(answer.first_token <= answer.total);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_may_be_cut_anywhere() {
    let script = colourful();
    let length = script.bytes().len();
    let server = ModelServer::start(move |request| script.clone().split_at(&[request.number + 1]));
    let models = models(&server);
    for place in 1..length {
        let (answer, seen) = ask(&models).await;
        assert_eq!(answer.expect("is answered").text, COLOURFUL, "cut at {place}");
        assert_eq!(seen, COLOURFUL, "cut at {place}");
    }
    assert_eq!(server.journal().len(), length - 1);
    assert!(server.journal().connections() < length / 10, "connections are used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_may_come_byte_by_byte() {
    let (answer, seen) = play(colourful().split_every(1)).await;
    assert_eq!((answer.expect("is answered").text.as_str(), seen.as_str()), (COLOURFUL, COLOURFUL));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_before_an_answer_is_none_of_it() {
    let body = json!({
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "yes" }, "finish_reason": "stop" }],
    });
    let stream = Script::answer("yes").bytes();
    for mark in ["\u{feff}", "\n\u{feff}", "\u{feff}\u{feff} "] {
        for body in [stream.clone(), body.to_string().into_bytes()] {
            let marked = [mark.as_bytes(), &body].concat();
            let script = Script::sse().send(marked);
            for script in [script.clone(), script.split_every(1)] {
                let (answer, _) = play(script).await;
                assert_eq!(answer.expect("is answered").text, "yes", "{mark:?}");
            }
        }
    }
    let (nothing, _) = play(Script::sse().send("\u{feff}")).await;
    assert_eq!(nothing.expect_err("holds nothing").outcome, FeedbackOutcome::Truncated);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_handed_on_as_it_comes() {
    let gate = codementor_test_model::Gate::new();
    let script = Script::sse().delta("first").gate(&gate).delta("second").finish("stop").done();
    let server = ModelServer::playing([script]);
    let models = models(&server);
    let mut seen = Vec::new();
    let mut sink = |text: &str| {
        // The second piece is not sent before the first has arrived here.
        gate.open();
        seen.push(text.to_owned());
    };
    let answer = models.ask(&messages(), Instant::now() + LONG, &Meter::default(), &mut sink).await;
    assert_eq!(answer.expect("is answered").text, "firstsecond");
    assert_eq!(seen, ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_of_streams_that_lack_a_line_are_ends_all_the_same() {
    let right = || Script::sse().delta("yes").finish("stop");
    for end in ["data: [DONE]", "data:[DONE]", "data: [DONE]\n", "data: [DONE]\r\n", "data: [DONE] \n\n"] {
        for script in
            [right().send(end), right().send(end).until_close(), right().done().send("data: {\"broken")]
        {
            let (answer, _) = play(script).await;
            assert_eq!(answer.expect(end).text, "yes", "{end:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_end_is_not_waited_for() {
    let (answer, _) = play(Script::answer("all was said").hang()).await;
    assert_eq!(answer.expect("is answered").text, "all was said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_does_not_stream_is_read_too() {
    let body = json!({
        "object": "chat.completion",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "in one piece" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 3, "completion_tokens": 4 },
    });
    // DeepSeek sends blank lines as long as it thinks.
    let slow = Script::new(200).send("\n").send("\n\n").send(body.to_string());
    for script in [Script::json(200, &body), Script::json(200, &body).split_every(7), slow] {
        let (answer, seen) = play(script).await;
        let answer = answer.expect("is answered");
        assert_eq!((answer.text.as_str(), seen.as_str()), ("in one piece", "in one piece"));
        assert_eq!(answer.usage, Some(TokenUsage { input: 3, output: 4 }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_alive_comments_are_signs_of_life() {
    // Three times the idle time passes in which nothing but comments comes.
    let script = Script::sse().trickle(": alive\n\n", SHORT / 5, 15).delta("late").finish("stop").done();
    let server = ModelServer::playing([script]);
    let models = Models::with_pace(vec![endpoint("one", &server.url())], Pace { idle: SHORT, ..PATIENT });
    let (answer, _) = ask(&models).await;
    let answer = answer.expect("is answered");
    assert_eq!(answer.text, "late");
    assert!(answer.first_token >= SHORT * 3, "{answer:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Any text, in any pieces, cut at any places, comes through as it is.
    #[test]
    fn any_text_comes_through(pieces in prop::collection::vec("\\PC{0,12}|[\\n\\r\\t \"\\\\]{1,4}", 1..12), size in 1_usize..40) {
        let whole: String = pieces.concat();
        prop_assume!(!whole.trim().is_empty());
        let script = pieces.iter().fold(Script::sse(), |script, piece| script.delta(piece));
        let script = script.finish("stop").done().split_every(size);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (answer, seen) = runtime.block_on(play(script));
        prop_assert_eq!(answer.expect("is answered").text, whole.clone());
        prop_assert_eq!(seen, whole);
    }

    /// Whatever comes, it is an answer or one of the named states, and what was handed on was never taken back.
    #[test]
    fn no_bytes_break_the_client(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..2000) {
        let mut stream = colourful().bytes();
        let cut = cut.min(stream.len());
        stream.splice(cut..cut, bytes);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (outcome, seen) = runtime.block_on(play(Script::sse().send(stream)));
        match outcome {
            Ok(answer) => prop_assert_eq!(answer.text, seen),
            Err(error) => prop_assert!(!error.detail.contains(char::is_control), "{:?}", error),
        }
    }
}

#[test]
fn an_event_is_what_the_server_sends() {
    // The scripts are what these tests stand on.
    assert_eq!(event("x"), b"data: x\n\n");
    assert!(Script::sse().delta("가").bytes().windows(3).any(|bytes| bytes == "가".as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_answer_that_is_dropped_what_was_sent_and_has_come_is_booked() {
    let thinking = json!({ "choices": [{ "index": 0, "delta": { "reasoning_content": "hm" } }] });
    let script = Script::sse().role().event(&thinking).delta("twelve bytes").hang();
    let server = ModelServer::playing([script]);
    let (models, meter) = (models(&server), Meter::default());
    let most = models.cost(&messages());
    let (heard, hears) = tokio::sync::oneshot::channel();
    let mut heard = Some(heard);
    let mut sink = |_: &str| {
        if let Some(heard) = heard.take() {
            heard.send(()).expect("is waited for");
        }
    };
    let request = messages();
    tokio::select! {
        answer = models.ask(&request, Instant::now() + LONG, &meter, &mut sink) => panic!("it never ends: {answer:?}"),
        heard = hears => heard.expect("text comes"),
    }
    let input = (request.system.len() + request.user.len()).div_ceil(3) as u64;
    // Three events, and twelve bytes are four tokens.
    assert_eq!(meter.spent().tokens, input + 4);
    assert!(meter.spent().tokens < most.tokens);
}
