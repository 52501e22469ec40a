use super::*;

fn load(config: &str, flags: Flags) -> Result<Settings, SettingsError> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, config).expect("the file is written");
    Settings::load(Flags { config: Some(path), ..flags })
}

#[test]
fn a_flag_beats_the_file_and_the_file_beats_the_default() {
    let settings =
        load("slots = 3\nack_wait = 7\n", Flags { slots: Some(5), ..Flags::default() }).expect("loads");
    assert_eq!((settings.slots, settings.ack_wait.as_secs(), settings.max_deliver), (5, 7, 4));
}

#[test]
fn a_key_that_does_not_exist_is_named_with_its_line() {
    let error = load("slots = 3\nslotz = 4\n", Flags::default()).expect_err("is refused").to_string();
    assert!(error.contains("slotz") && error.contains("line 2"), "{error}");
}

#[test]
fn how_the_command_line_looks_is_read_before_the_rest_and_checked_with_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("config.toml");
    let look = |text: &str| {
        std::fs::write(&path, text).expect("the file is written");
        Look::read(Some(path.clone()), None)
    };
    let korean = Look { lang: Some(MessageLanguage::Ko), ascii: Some(true) };
    assert_eq!(look("slots = 3\nlang = \"ko\"\nascii = true\n"), korean);
    assert_eq!(look("lang = \"xx\"\n"), Look::default());
    assert_eq!(Look::read(Some(dir.path().join("none.toml")), None), Look::default());
    assert!(load("lang = \"ko\"\nascii = false\n", Flags::default()).is_ok());
    let error = load("lang = \"xx\"\n", Flags::default()).expect_err("is refused").to_string();
    assert!(error.contains("`en` or `ko`"), "{error}");
}

#[test]
fn what_is_out_of_range_is_refused() {
    let error = load("slots = 513\n", Flags::default()).expect_err("is refused").to_string();
    assert!(error.contains("slots is 513"), "{error}");
    let error = load("nats_url = \"nats://h:1\"\n", Flags::default()).expect_err("is refused").to_string();
    assert!(error.contains("--creds"), "{error}");
}

#[test]
fn issuers_of_id_tokens_say_where_their_keys_are() {
    let load = |keys: &str| {
        let text = format!("[[oidc]]\nissuer = \"https://ci.example\"\naudience = \"codementor\"\n{keys}\n");
        load(&text, Flags::default())
    };
    let settings = load("jwks_url = \"https://ci.example/jwks\"").expect("loads");
    assert_eq!(settings.oidc[0].keys, OidcKeys::Url("https://ci.example/jwks".into()));
    let settings = load("jwks_file = \"ci.json\"").expect("loads");
    assert!(matches!(&settings.oidc[0].keys, OidcKeys::File(path) if path.is_absolute()));
    for (keys, word) in [
        ("", "either"),
        ("jwks_url = \"http://ci.example/jwks\"", "https://"),
        ("jwks_url = \"http://127.0.0.1.evil/jwks\"", "https://"),
        ("jwks_url = \"https://ci.example/jwks\"\njwks_file = \"ci.json\"", "either"),
    ] {
        let error = load(keys).expect_err("is refused").to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn an_idle_timeout_of_zero_means_never() {
    assert_eq!(load("idle_timeout = 0\n", Flags::default()).expect("loads").idle_timeout, None);
}
