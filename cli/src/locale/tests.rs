use super::*;

fn of<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn the_locale_says_which_language_is_read() {
    for (set, expected) in [
        (&[("LANG", "ko_KR.UTF-8")][..], Some("ko")),
        (&[("LANG", "ko")], Some("ko")),
        (&[("LANG", "de_AT@euro")], Some("de")),
        (&[("LANG", "en_US.UTF-8")], None),
        (&[("LANG", "C.UTF-8")], None),
        (&[("LANG", "POSIX")], None),
        (&[("LANG", "../../x")], None),
        (&[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "C")], None),
        (&[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "")], Some("ko")),
        (&[("LANG", "en_US"), ("LC_MESSAGES", "ja_JP")], Some("ja")),
        (&[], None),
    ] {
        let found = language(of(set));
        assert_eq!(found.as_ref().map(AnswerLanguage::as_str), expected, "{set:?}");
    }
}

#[test]
fn a_flag_beats_its_variable_which_beats_the_file_which_beats_the_locale() {
    use MessageLanguage::{En, Ko};
    let ko = Look { lang: Some(Ko), ascii: Some(true) };
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], Look, MessageLanguage, Option<bool>);
    let none = Look::default();
    #[rustfmt::skip]
    let table: &[Row] = &[
        // flags, environment, configuration file, language, ASCII
        (&[],                &[],                                                   none, En, None),
        (&[],                &[("LANG", "ko_KR.UTF-8")],                            none, Ko, None),
        (&[],                &[("LANG", "ko_KR")],                                  none, Ko, None),
        (&[],                &[("LANG", "ko_KR.eucKR")],                            none, En, None),
        (&[],                &[("LANG", "C.UTF-8"), ("LC_MESSAGES", "ko_KR.UTF-8")], none, Ko, None),
        (&[],                &[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "C")],           none, En, None),
        (&[],                &[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "")],            none, Ko, None),
        (&[],                &[("LANG", "de_DE.UTF-8")],                            none, En, None),
        (&[],                &[("LANG", "en_US.UTF-8")],                            ko,   Ko, Some(true)),
        (&[],                &[("CODEMENTOR_LANG", "en"), ("CODEMENTOR_ASCII", "0")], ko, En, Some(false)),
        (&[],                &[("CODEMENTOR_LANG", ""), ("CODEMENTOR_ASCII", "")],  ko,   Ko, Some(true)),
        (&[("--lang", "ko")], &[("CODEMENTOR_LANG", "en")],                         none, Ko, None),
        (&[("--ascii", "")], &[("CODEMENTOR_ASCII", "no")],                         none, En, Some(true)),
        (&[("--lang", "xx")], &[("LANG", "ko_KR.UTF-8")],                           none, Ko, None),
    ];
    for (flags, env, look, language, ascii) in table {
        let choice = Choice::decide(of(flags), of(env), || *look);
        assert_eq!((choice.language, choice.ascii), (*language, *ascii), "{flags:?} {env:?}");
    }
}

#[test]
fn arguments_stand_where_the_text_wants_them() {
    let arguments: &[(&str, &dyn Display)] = &[("id", &7), ("what", &"{id}")];
    assert_eq!(fill("{what}: {id} {id}", arguments), "{id}: 7 7");
    assert_eq!(fill("100 %", arguments), "100 %");
}

#[test]
fn without_a_choice_english_is_spoken() {
    assert_eq!(t!("{n} and {m}", n = 1, m = "two"), "1 and two");
    assert_eq!([1, 2].map(|n| count!(n, "test")), ["1 test", "2 tests"]);
}
