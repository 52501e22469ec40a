use super::*;
use crate::settings::{Flags, Settings};

fn load(config: &str, flags: Flags) -> Result<FeedbackSettings, String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, config).expect("the file is written");
    let settings = Settings::load(Flags { config: Some(path), ..flags });
    settings.map(|settings| settings.feedback).map_err(|error| error.to_string())
}

fn endpoint(keys: &str) -> String {
    format!(
        "[[feedback.endpoint]]\nname = \"one\"\nurl = \"https://api.openai.com/v1\"\nmodel = \"m\"\n{keys}\n"
    )
}

#[test]
fn without_a_word_about_it_there_are_hints_and_nobody_to_ask() {
    let settings = load("", Flags::default()).expect("loads");
    assert_eq!(settings.policy, FeedbackPolicy::Hints);
    assert!(settings.endpoints.is_empty() && settings.hold && !settings.comment);
    assert_eq!((settings.steps, settings.rounds, settings.checks), (3, 3, 20));
    assert_eq!(settings.timeout, Duration::from_secs(90));
    assert_eq!((settings.user_tokens, settings.server_cost), (None, None));
}

#[test]
fn everything_can_be_set() {
    let config = r#"
        [feedback]
        policy = "full"
        answer_in = "ko"
        hold = false
        comment = true
        steps = 5
        rounds = 1
        checks = 0
        timeout = 120
        user_tokens = 200000
        server_tokens = 5000000
        user_cost = "0.50"
        server_cost = 10
        [[feedback.endpoint]]
        name = "azure"
        url = "https://x.openai.azure.com/openai/deployments/d?api-version=2024-06-01"
        model = "gpt-4o-mini"
        key_file = "azure.key"
        key_header = "api-key"
        headers = { "X-Title" = "CodeMentor" }
        input_price = "0.15"
        output_price = "0.60"
        max_tokens = 2000
        patience = 60
        body = { temperature = 0.2, reasoning = { effort = "low" } }
        [[feedback.endpoint]]
        url = "http://127.0.0.1:11434/v1/"
        model = "qwen2.5-coder"
        input_price = "0"
        output_price = "0"
    "#;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, config).expect("the file is written");
    let settings = Settings::load(Flags { config: Some(path), ..Flags::default() }).expect("loads").feedback;
    assert_eq!(settings.policy, FeedbackPolicy::Full);
    assert_eq!(settings.answer_in.as_ref().map(AnswerLanguage::as_str), Some("ko"));
    assert_eq!((settings.steps, settings.rounds, settings.checks), (5, 1, 0));
    assert_eq!(settings.timeout, Duration::from_secs(120));
    assert_eq!(settings.user_cost, Some(Money { micro: 500_000 }));
    assert_eq!(settings.server_cost, Some(Money { micro: 10_000_000 }));
    let [azure, local] = &settings.endpoints[..] else { panic!("{:?}", settings.endpoints) };
    assert_eq!(
        azure.url.chat().as_str(),
        "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01"
    );
    assert_eq!(
        azure.key,
        Some(KeySource::File(dir.path().join("azure.key"))),
        "beside the configuration file"
    );
    assert_eq!((azure.max_tokens, azure.patience), (2000, Duration::from_secs(60)));
    assert_eq!(azure.body["reasoning"]["effort"], "low");
    assert_eq!(local.url.chat().as_str(), "http://127.0.0.1:11434/v1/chat/completions");
    assert_eq!((local.name.as_str(), local.url.is_local()), ("127.0.0.1", true));
}

#[test]
fn an_endpoint_of_flags_takes_the_place_of_those_of_the_file() {
    let flags = Flags {
        feedback_url: Some("http://localhost:8080/v1/chat/completions".into()),
        feedback_model: Some("local".into()),
        feedback_policy: Some(FeedbackPolicy::Off),
        ..Flags::default()
    };
    let settings = load(&format!("[feedback]\npolicy = \"full\"\n{}", endpoint("")), flags).expect("loads");
    assert_eq!(settings.policy, FeedbackPolicy::Off);
    assert!(settings.by_flag);
    let [only] = &settings.endpoints[..] else { panic!("{:?}", settings.endpoints) };
    assert_eq!((only.name.as_str(), only.model.as_str()), ("default", "local"));
    assert_eq!(only.url.chat().as_str(), "http://localhost:8080/v1/chat/completions");
}

#[test]
fn half_an_endpoint_says_what_the_other_half_is() {
    let url = Flags { feedback_url: Some("http://localhost:1/v1".into()), ..Flags::default() };
    let error = load("", url).expect_err("is refused");
    assert!(error.contains("--feedback-model") && error.contains("CODEMENTOR_FEEDBACK_MODEL"), "{error}");
    let model = Flags { feedback_model: Some("m".into()), ..Flags::default() };
    let error = load("", model).expect_err("is refused");
    assert!(error.contains("--feedback-url") && error.contains("CODEMENTOR_FEEDBACK_URL"), "{error}");
}

/// What is wrong in the file, the line it is reported at, and a word of the advice.
#[test]
fn what_is_wrong_in_the_file_is_reported_with_its_line_and_what_to_do() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("[feedback]\nhold = true\npolicies = \"off\"\n", "line 3", &["policies", "policy"]),
        ("[feedback]\npolicy = \"some\"\n", "line 2", &["some", "`off`, `hints`"]),
        ("[feedback]\nanswer_in = \"Korean\"\n", "line 2", &["Korean", "such as en or ko"]),
        ("[feedback]\nsteps = 0\n", "line 2", &["it may be 1 to 10"]),
        ("[feedback]\nrounds = 4\n", "line 2", &["it may be 1 to 3"]),
        ("[feedback]\ntimeout = -1\n", "line 2", &["it may be 5 to 600"]),
        ("[feedback]\nuser_cost = \"1,50\"\n", "line 2", &["1,50", "\"0.50\""]),
        ("[feedback]\nuser_cost = 1.5\n", "line 2", &["as text", "\"0.50\""]),
        ("[feedback]\nuser_cost = \"0.0000001\"\n", "line 2", &["six digits"]),
        (&endpoint("key = \"sk-1\""), "line 5", &["key", "key_env"]),
        (
            &endpoint("headers = { \"Content-Length\" = \"1\" }"),
            "line 5",
            &["Content-Length", "leave it out"],
        ),
        (&endpoint("headers = { \"X Y\" = \"1\" }"), "line 5", &["X Y", "letters, digits"]),
        (&endpoint("headers = { X = \"\\n\" }"), "line 5", &["the header X", "printable ASCII"]),
        (&endpoint("max_tokens = 0"), "line 5", &["it may be 1 to 1000000"]),
        (&endpoint("key_env = \"A\"\nkey_file = \"b\""), "line 1", &["\"one\"", "leave one of them out"]),
        (&endpoint("key_env = \"A=b\""), "line 1", &["name the variable, not the key"]),
        (
            &endpoint("key_env = \"A\"\nheaders = { Authorization = \"x\" }"),
            "line 1",
            &["leave one of them out"],
        ),
        (&endpoint("input_price = \"1\""), "line 1", &["set both input_price and output_price"]),
        (&endpoint("body = { stream = false }"), "line 1", &["stream", "leave it out"]),
        (&endpoint("body = { max_tokens = 3 }"), "line 1", &["set max_tokens of the endpoint"]),
        ("[[feedback.endpoint]]\nmodel = \"m\"\n", "line 1", &["missing field `url`"]),
        ("[[feedback.endpoint]]\nurl = \"api.openai.com\"\nmodel = \"m\"\n", "line 2", &["such as https://"]),
        ("[[feedback.endpoint]]\nurl = \"ftp://h/v1\"\nmodel = \"m\"\n", "line 2", &["http or https"]),
        (
            "[[feedback.endpoint]]\nurl = \"http://u:p@h/v1\"\nmodel = \"m\"\n",
            "line 2",
            &["key_env or key_file"],
        ),
    ];
    for (config, line, words) in cases {
        let error = load(config, Flags::default()).expect_err(config);
        assert!(error.contains(line), "{config}\n{error}");
        for word in *words {
            assert!(error.contains(word), "{config}\n{error}\nlacks {word}");
        }
    }
}

#[test]
fn what_is_wrong_between_parts_names_them() {
    let error = load(&endpoint("").repeat(2), Flags::default()).expect_err("is refused");
    assert!(error.contains("two endpoints are named \"one\""), "{error}");
    let error = load(&format!("[feedback]\nuser_cost = \"1\"\n{}", endpoint("")), Flags::default());
    let error = error.expect_err("is refused");
    assert!(error.contains("user_cost") && error.contains("input_price"), "{error}");
    let nine: String = (0..9).map(|n| endpoint("").replace("one", &format!("e{n}"))).collect();
    let error = load(&nine, Flags::default()).expect_err("is refused");
    assert!(error.contains("at most 8"), "{error}");
}

#[test]
fn money_is_counted_exactly_and_rounded_up() {
    let price = Price { input: "0.15".parse().expect("money"), output: "0.60".parse().expect("money") };
    assert_eq!(price.of(1_000_000, 1_000_000), 750_000);
    assert_eq!(price.of(1, 0), 1, "part of a millionth counts as one");
    assert_eq!(price.of(0, 0), 0);
    let dear = Price { input: Money { micro: u64::MAX }, output: Money { micro: u64::MAX } };
    assert_eq!(dear.of(u64::MAX / 4, u64::MAX / 4), u64::MAX, "too much for the type stays too much");
}

#[test]
fn secrets_are_not_shown() {
    let config = "[[feedback.endpoint]]\nurl = \"https://h/v1?key=s3cret\"\nmodel = \"m\"\nheaders = { X-Key = \"s3cret\" }\n";
    let settings = load(config, Flags::default()).expect("loads");
    let shown = format!("{settings:?} {}", settings.endpoints[0].url);
    assert!(shown.contains("X-Key") && !shown.contains("s3cret"), "{shown}");
}
