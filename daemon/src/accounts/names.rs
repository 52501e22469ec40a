//! User names, made from what people are called.

use codementor_protocol::{Refusal, RefusalCode, UserName};
use rusqlite::Connection;

use crate::store::StoreResult;

/// The longest name that is derived, so that a number and the mark of a scoped credential fit behind it.
const DERIVED: usize = 20;
/// The longest name that people may be called by.
const FULL_NAME: usize = 100;
/// The longest student id.
const STUDENT_ID: usize = 64;
/// What stands between a user's name and the number of one of its scoped credentials. No user's own name holds it.
const SCOPED: &str = "--";
/// Names that mean something else: the daemon's own, roles, and the user of a private daemon.
const RESERVED: &[&str] = &["admin", "daemon", "enrol", "judge", "local", "root", "system"];

/// A user name that nobody has yet, from the name for people or else the student id.
pub(super) fn unused(db: &Connection, name: Option<&str>, student_id: Option<&str>) -> StoreResult<UserName> {
    let base = name
        .and_then(derive)
        .or_else(|| student_id.and_then(derive))
        .filter(|base| !RESERVED.contains(&base.as_str()))
        .unwrap_or_else(|| "user".into());
    let mut is_taken = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM users WHERE name = ?1)")?;
    let mut number = 1_u64;
    loop {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        if !is_taken.query_row([&name], |row| row.get::<_, bool>(0))? {
            return crate::store::columns::parse("user", name);
        }
        number += 1;
    }
}

/// The name of a user's next scoped credential.
pub(super) fn scoped(db: &Connection, user: &UserName) -> StoreResult<UserName> {
    let count: u64 = db.query_row(
        "SELECT count(*) FROM user_keys WHERE user = ?1 AND credential IS NOT NULL",
        [user.as_str()],
        |row| row.get(0),
    )?;
    crate::store::columns::parse("credential", format!("{user}{SCOPED}{}", count + 1))
}

/// Letters and digits, joined by single dashes; `None` where there are none of ASCII.
fn derive(text: &str) -> Option<String> {
    let mut name = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(DERIVED);
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

/// A name for people, without white space around it.
pub(super) fn full_name(text: Option<&str>) -> Result<Option<String>, Refusal> {
    plain(text, FULL_NAME, "name", |letter| !letter.is_control())
}

/// A student id, without white space around it.
pub(super) fn student_id(text: Option<&str>) -> Result<Option<String>, Refusal> {
    plain(text, STUDENT_ID, "student id", |letter| !letter.is_control() && !letter.is_whitespace())
}

fn plain(
    text: Option<&str>,
    most: usize,
    what: &str,
    is_plain: fn(char) -> bool,
) -> Result<Option<String>, Refusal> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() <= most && text.chars().all(is_plain) {
        Ok(Some(text.to_owned()))
    } else {
        let message = format!("this cannot be a {what}: it has 1 to {most} characters that can be printed");
        Err(Refusal::new(RefusalCode::Invalid, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_made_from_letters_and_digits() {
        for (text, name) in [
            ("Kim Min-ji", Some("kim-min-ji")),
            ("  O'Brien,  Pat ", Some("o-brien-pat")),
            ("2026-00123", Some("2026-00123")),
            ("A very long name of many words", Some("a-very-long-name-of")),
            ("김민지", None),
            ("--", None),
        ] {
            assert_eq!(derive(text).as_deref(), name, "{text}");
            assert!(!derive(text).is_some_and(|name| name.contains(SCOPED)));
        }
    }

    #[test]
    fn names_for_people_and_student_ids_can_be_printed() {
        assert_eq!(full_name(Some(" 김민지 ")).expect("is one").as_deref(), Some("김민지"));
        assert_eq!(full_name(Some("  ")).expect("is none"), None);
        assert!(full_name(Some("a\u{1b}[31m")).is_err());
        assert!(student_id(Some("20 26")).is_err());
        assert!(student_id(Some(&"9".repeat(65))).is_err());
    }
}
