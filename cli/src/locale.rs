//! The language that the person at this terminal reads.

use codementor_protocol::AnswerLanguage;

/// The language that the locale names. English is what a system speaks where nobody has chosen, and so says nothing:
/// then the server's choice holds.
pub fn language(variable: impl Fn(&str) -> Option<String>) -> Option<AnswerLanguage> {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable);
    let locale = set.into_iter().find(|value| !value.is_empty())?;
    let code = locale.split(['_', '.', '@']).next().unwrap_or_default();
    code.parse().ok().filter(|language: &AnswerLanguage| language.as_str() != "en")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let found = language(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found.as_ref().map(AnswerLanguage::as_str), expected, "{set:?}");
        }
    }
}
