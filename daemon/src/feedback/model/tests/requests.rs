//! What is sent, and what is kept to ourselves.

use std::os::unix::fs::PermissionsExt;

use codementor_protocol::FeedbackOutcome as Outcome;
use serde_json::json;

use super::*;
use crate::feedback::settings::KeySource;

const KEY: &str = "sk-proj-0123456789abcdef";

/// A folder with a key in a file, and where it is.
fn key(text: &str) -> (tempfile::TempDir, KeySource) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("key");
    std::fs::write(&path, text).expect("the key is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode is set");
    (dir, KeySource::File(path))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_holds_what_is_configured_and_no_more() {
    let server = ModelServer::always(Script::answer("yes"));
    let (_dir, source) = key(&format!("  {KEY}\n"));
    let config = format!(
        "url = \"{}\"\nmodel = \"m\"\nheaders = {{ X-Title = \"CodeMentor\" }}\nmax_tokens = 77\nbody = {{ temperature = 0.5 }}",
        server.url()
    );
    let configured: Endpoint = toml::from_str(&config).expect("an endpoint");
    let models = Models::with_pace(vec![Endpoint { key: Some(source), ..configured }], PATIENT);
    ask(&models).await.0.expect("answers");

    let [request] = &server.journal().requests()[..] else { panic!("one request") };
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/chat/completions"));
    let sent = json!({
        "model": "m",
        "messages": [
            { "role": "system", "content": "You are a tutor." },
            { "role": "user", "content": "print(1)" },
        ],
        "stream": true,
        "stream_options": { "include_usage": true },
        "max_tokens": 77,
        "temperature": 0.5,
    });
    assert_eq!(request.json(), sent);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&models.body(&messages())).expect("JSON"), sent);
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(request.header("x-title"), Some("CodeMentor"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let expected =
        ["accept", "authorization", "content-length", "content-type", "host", "user-agent", "x-title"];
    assert_eq!(names, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_have_a_header_of_its_own() {
    let server = ModelServer::always(Script::answer("yes"));
    let (_dir, source) = key(KEY);
    let endpoint = endpoint("azure", &format!("{}?api-version=1", server.url()));
    let endpoint = Endpoint { key: Some(source), key_header: Some("api-key".into()), ..endpoint };
    ask(&Models::with_pace(vec![endpoint], PATIENT)).await.0.expect("answers");
    let [request] = &server.journal().requests()[..] else { panic!("one request") };
    assert_eq!((request.header("api-key"), request.header("authorization")), (Some(KEY), None));
    assert_eq!(request.path, "/v1/chat/completions?api-version=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_do_not_come_back_from_an_endpoint() {
    let (_dir, source) = key(KEY);
    let echo =
        format!("key {KEY} and {KEY}, or sk-proj-\u{200b}0123456789abcdef, header s3cret-value\x1b]0;x\x07");
    let said = |status| Script::error(status, &echo);
    let scripts = [
        said(400),
        said(401),
        said(403),
        said(404),
        Script::sse().stream_error(json!("x"), &echo),
        Script::new(307).header("location", &format!("https://h/{KEY}")),
    ];
    for script in scripts {
        let server = ModelServer::always(script);
        let config =
            format!("url = \"{}\"\nmodel = \"m\"\nheaders = {{ X-Token = \"s3cret-value\" }}", server.url());
        let configured: Endpoint = toml::from_str(&config).expect("an endpoint");
        let models = Models::with_pace(vec![Endpoint { key: Some(source.clone()), ..configured }], PATIENT);
        let error = ask(&models).await.0.expect_err("is refused");
        let shown = format!("{error:?} {error} {models:?} {}", models.identity());
        assert!(!shown.contains("0123456789") && !shown.contains("s3cret"), "{shown}");
        assert!(!error.detail.contains(char::is_control), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let other = ModelServer::always(Script::answer("give me the key"));
    let server = ModelServer::always(Script::new(307).header("location", &other.url()));
    let error = ask(&models(&server)).await.0.expect_err("is no answer");
    assert_eq!(error.outcome, Outcome::RequestRefused);
    assert!(error.detail.contains("set the url to where it leads"), "{error:?}");
    assert!(other.journal().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_used_fails_the_endpoint_and_nothing_else() {
    let server = ModelServer::always(Script::answer("yes"));
    let (dir, _) = key(KEY);
    let file = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("the key is written");
        KeySource::File(path)
    };
    let cases = [
        (
            KeySource::Env("CODEMENTOR_NO_SUCH_KEY".into()),
            "set the environment variable CODEMENTOR_NO_SUCH_KEY",
        ),
        (KeySource::File(dir.path().join("nothing")), "cannot be read from the file"),
        (file("empty", b" \n"), "holds no key"),
        (file("two", b"one two\n"), "holds no key"),
        (file("binary", b"\xff\xfe"), "holds no key"),
        (file("large", &[b' '; 1 << 20]), "holds no key"),
    ];
    for (source, word) in cases {
        let keyless = Endpoint { key: Some(source), ..endpoint("one", &server.url()) };
        let alone = Models::with_pace(vec![keyless.clone()], PATIENT);
        let error = ask(&alone).await.0.expect_err("cannot ask");
        assert_eq!((error.outcome, error.billed), (Outcome::KeyRefused, false));
        assert!(error.detail.contains(word), "{error:?}");
        assert!(server.journal().is_empty(), "nothing is sent without its key");
        let helped = ModelServer::always(Script::answer("yes"));
        let both = Models::with_pace(vec![keyless, endpoint("two", &helped.url())], PATIENT);
        assert_eq!(ask(&both).await.0.expect("the other answers").endpoint, "two");
    }
}

#[test]
fn what_would_be_sent_can_be_seen_before_there_is_an_endpoint() {
    let body: serde_json::Value =
        serde_json::from_str(&Models::new(Vec::new()).body(&messages())).expect("JSON");
    assert_eq!(body["messages"][1]["content"], "print(1)");
}

#[test]
fn who_would_answer_alike_has_one_identity() {
    let of = |endpoint: Endpoint| Models::with_pace(vec![endpoint], PATIENT).identity();
    let base = || endpoint("one", "http://127.0.0.1:1/v1");
    assert_eq!(of(base()), of(Endpoint { name: "two".into(), ..base() }));
    assert_ne!(of(base()), of(Endpoint { model: "other".into(), ..base() }));
    assert_ne!(of(base()), of(Endpoint { max_tokens: 1, ..base() }));
    assert_ne!(of(base()), of(endpoint("one", "http://127.0.0.1:2/v1")));
}
