//! What students' programs, compilers and packages say is shown, never obeyed: nothing that moves the cursor, sets a
//! colour, reorders text or hides it reaches a terminal raw. Such characters are written as the escape that a
//! programmer would write for them.

use std::borrow::Cow;
use std::fmt::Write;

/// Text of any number of lines. Line ends and tabs stay; the carriage return of a CRLF goes.
pub fn text(raw: &str) -> Cow<'_, str> {
    clean(raw, true)
}

/// Text that must stay on one line, such as a file name: line ends and tabs are escaped too.
pub fn line(raw: &str) -> Cow<'_, str> {
    clean(raw, false)
}

/// Bytes of any encoding, as text of any number of lines. What is not UTF-8 is written as `\xNN`.
pub fn bytes(raw: &[u8]) -> String {
    let mut shown = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        shown.push_str(&text(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// JSON as it may be printed: what JSON lets stand raw in its texts and a terminal would obey is written as `\\u`. It
/// reads as the same value.
pub fn json(raw: &str) -> Cow<'_, str> {
    // Outside of its texts JSON is ASCII; a line end after an object is its own.
    let obeyed =
        |character: char| !character.is_ascii_control() && escape(character).is_some() || character == '\x7f';
    if !raw.contains(obeyed) {
        return Cow::Borrowed(raw);
    }
    let mut shown = String::with_capacity(raw.len() + 16);
    for character in raw.chars() {
        if obeyed(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The escape for a character that is not to reach a terminal; `None` for one that may.
pub fn escape(character: char) -> Option<String> {
    match character {
        '\0' => Some("\\0".into()),
        '\r' => Some("\\r".into()),
        '\n' => Some("\\n".into()),
        '\t' => Some("\\t".into()),
        '\x01'..='\x1f' | '\x7f' => Some(format!("\\x{:02x}", u32::from(character))),
        character if is_unseen(character) => Some(format!("\\u{{{:x}}}", u32::from(character))),
        _ => None,
    }
}

/// Characters beyond ASCII that control, reorder or hide: C1 controls, marks and overrides of direction, separators
/// that some terminals take for line ends, zero-width characters, and the tag block.
fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn clean(raw: &str, lines: bool) -> Cow<'_, str> {
    let stays = |character: char| lines && matches!(character, '\n' | '\t');
    let Some(first) = raw.char_indices().find(|(_, c)| !stays(*c) && escape(*c).is_some()) else {
        return Cow::Borrowed(raw);
    };
    let mut shown = String::with_capacity(raw.len() + 16);
    shown.push_str(&raw[..first.0]);
    let mut rest = raw[first.0..].chars().peekable();
    while let Some(character) = rest.next() {
        if stays(character) || (lines && character == '\r' && rest.peek() == Some(&'\n')) {
            if character != '\r' {
                shown.push(character);
            }
            continue;
        }
        match escape(character) {
            Some(escaped) => shown.push_str(&escaped),
            None => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_json_lets_stand_is_written_out() {
        let shown = json("{\"a\":\"\u{9b}31m \u{202e}\x7f \u{e0041} 합계\"}\n").into_owned();
        assert_eq!(shown, "{\"a\":\"\\u009b31m \\u202e\\u007f \\udb40\\udc41 합계\"}\n");
    }

    #[test]
    fn what_could_steer_a_terminal_is_written_out() {
        let table = [
            ("plain 합계 ✓", "plain 합계 ✓"),
            ("\x1b[2Jgone", "\\x1b[2Jgone"),
            ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("over\rwritten", "over\\rwritten"),
            ("dos\r\nline", "dos\nline"),
            ("if (admin\u{202e} {\u{2066}", "if (admin\\u{202e} {\\u{2066}"),
            ("a\0b\x08c", "a\\0b\\x08c"),
            ("tab\tstays\n", "tab\tstays\n"),
        ];
        for (raw, shown) in table {
            assert_eq!(text(raw), shown);
        }
        assert_eq!(line("two\nlines\t"), "two\\nlines\\t");
        assert_eq!(bytes(b"\xc7\xd5\xb0\xe8 6\n"), "\\xc7հ\\xe8 6\n");
    }

    fn is_harmless(shown: &str) -> bool {
        shown.chars().all(|c| matches!(c, '\n' | '\t') || escape(c).is_none())
            && !shown.bytes().any(|b| b == 0x1b || (b < 0x20 && b != b'\n' && b != b'\t') || b == 0x7f)
    }

    proptest! {
        #[test]
        fn no_json_steers_a_terminal_and_none_changes_its_value(raw in any::<String>()) {
            let text = serde_json::to_string(&raw).expect("a text is JSON");
            let shown = json(&text);
            prop_assert!(is_harmless(&shown) && !shown.contains(['\n', '\t']));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).expect("it is JSON still"), raw);
        }

        #[test]
        fn no_text_steers_a_terminal(raw in any::<String>()) {
            prop_assert!(is_harmless(&text(&raw)));
            prop_assert!(!line(&raw).contains(['\n', '\t']));
            prop_assert!(is_harmless(&line(&raw)));
        }

        #[test]
        fn no_bytes_steer_a_terminal(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(is_harmless(&bytes(&raw)));
        }

        #[test]
        fn what_is_shown_is_not_changed_again(raw in any::<String>()) {
            let once = text(&raw).into_owned();
            prop_assert_eq!(text(&once), once.as_str());
        }
    }
}
