//! A corrected program without what is in it for people and their terminals: the compiler sees no difference, so that no
//! judge would.

use codementor_protocol::SourceFile;

use super::scan;
use super::tokens::{Kind, Syntax, Tokens, tokens};

/// How often a program is gone through again after something was taken out of it. Only programs made to deceive need more
/// than two.
const PASSES: usize = 4;

/// A corrected program without characters that nobody sees or that a terminal obeys, and without addresses in comments
/// and texts, unless the student has the same. Nothing where there is no end of them.
pub(super) fn harmless(fix: Vec<SourceFile>, own: &[SourceFile]) -> Option<Vec<SourceFile>> {
    let pieces: Vec<(Vec<&str>, Vec<&str>)> = own.iter().map(pieces).collect();
    let has_character = |c: char| own.iter().any(|file| file.text.contains(c));
    let has_comment = |comment: &str| pieces.iter().any(|(comments, _)| comments.contains(&comment.trim()));
    let has_text = |text: &str| pieces.iter().any(|(_, texts)| texts.contains(&text));
    let clean = |file: SourceFile| {
        let mut text = file.text;
        for _ in 0..PASSES {
            let next = cleaned(&file.name, &text, &has_comment, &has_text);
            let next: String =
                next.chars().filter(|c| !scan::is_invisible(*c) || has_character(*c)).collect();
            if next == text {
                return Some(SourceFile { name: file.name, text });
            }
            text = next;
        }
        None
    };
    fix.into_iter().map(clean).collect()
}

/// The comments and the texts of a file.
fn pieces(file: &SourceFile) -> (Vec<&str>, Vec<&str>) {
    let Tokens { tokens, comments } = tokens(Syntax::of_file(&file.name), &file.text);
    let comments = comments.into_iter().map(|range| file.text[range].trim()).collect();
    let texts = tokens.iter().filter(|token| token.kind == Kind::Text).map(|token| token.text).collect();
    (comments, texts)
}

fn cleaned(
    name: &str,
    text: &str,
    has_comment: &impl Fn(&str) -> bool,
    has_text: &impl Fn(&str) -> bool,
) -> String {
    let Tokens { tokens, comments } = tokens(Syntax::of_file(name), text);
    let texts = tokens.iter().filter(|token| token.kind == Kind::Text);
    let texts = texts.map(|token| (token.start..token.start + token.text.len(), false));
    let mut places: Vec<_> = comments.into_iter().map(|range| (range, true)).chain(texts).collect();
    places.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, is_comment) in places {
        out.push_str(&text[at..range.start]);
        at = range.end;
        let piece = &text[range];
        out.push_str(&match is_comment {
            true if has_comment(piece) => piece.to_owned(),
            // What ends a line for a reader and not for the compiler must not become a line of code.
            true => scan::clean(&piece.replace(['\r', '\u{2028}', '\u{2029}'], " ")),
            false if has_text(piece) => piece.to_owned(),
            false => scan::without_addresses(piece),
        });
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn clean(name: &str, own: &str, fix: &str) -> String {
        let file = |text: &str| SourceFile { name: name.into(), text: text.into() };
        harmless(vec![file(fix)], &[file(own)]).expect("comes to an end").remove(0).text
    }

    #[test]
    fn what_the_compiler_does_not_see_and_people_do_is_taken_out() {
        let own = "x = 1  # see http://own.example/a\ny = '\u{200b}http://b.example'  # \u{1b}[1m\n";
        assert_eq!(clean("a.py", own, own), own, "what is the student's stays");
        for (name, own, fix, expected) in [
            (
                "a.py",
                "x = 1\n",
                "x = 2  # see http://evil.example/x \u{1b}[31mred\u{202e}\u{200b}\n",
                "x = 2  # see  red\n",
            ),
            ("a.py", "x = 1\n", "x\u{200b} = 2\u{202e}\n", "x = 2\n"),
            (
                "a.py",
                "x = 1\n",
                "\"\"\"www.evil.example\"\"\"\nx = 'a://b' + '[%d](%d)'\n",
                "\"\"\"\"\"\"\nx = '' + '[%d](%d)'\n",
            ),
            (
                "a.py",
                "x = 1\n",
                "x = 2  # a\rimport os\u{2028}import re\n",
                "x = 2  # a import os import re\n",
            ),
            ("a.c", "int a;", "int b; /* http://e.example */ /*\u{9b}1m*/", "int b; /*  */ /**/"),
            ("a.c", "int a;", "int b; /* *[](x)/ http://e.example */", "int b; /* */  */"),
            (
                "a.c",
                "// http://own.example\nint a;",
                "// http://own.example\nint b;",
                "// http://own.example\nint b;",
            ),
            ("a.c", "int a;", "int b; // a[i](x) of `b`", "int b; // ai of `b`"),
        ] {
            assert_eq!(clean(name, own, fix), expected, "{fix:?}");
        }
    }
}
