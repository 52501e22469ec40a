//! What is taken out of a model's words, and what holds them back.

use codementor_protocol::SourceFile;
use proptest::prelude::*;

use super::*;

fn edit(name: &str, before: &str, after: &str) -> Edit {
    let file = |text: &str| [SourceFile { name: name.into(), text: text.into() }];
    Edit::between(&file(before), &file(after))
}

const BEFORE: &str = "n = int(input())\ntotal = 0\nfor i in range(n):\n    total += i * i\nprint(total)\n";
const AFTER: &str =
    "n = int(input())\ntotal = 0\nfor i in range(1, n + 1, 2):\n    total += i * i\nprint(total)\n";

#[test]
fn escapes_controls_and_invisible_characters_are_taken_out() {
    for (text, expected) in [
        ("a\u{1b}[31mred\u{1b}[0m b", "ared b"),
        ("a\u{1b}]0;title\u{7}b", "ab"),
        ("a\u{1b}]8;;x\u{1b}\\b", "ab"),
        ("a\u{1b}]0;never closed", "a0;never closed"),
        ("a\u{1b}P1$r\u{1b}\\b\u{1b}(Bc\u{1b}cd\u{1b}7", "abcd"),
        ("a\u{9b}2Jb\u{9d}0;t\u{9c}c\u{90}q\u{9c}d", "abcd"),
        ("a\u{1b}\u{1b}[31m[32mb", "a[32mb"),
        ("a\u{1b}[31", "a31"),
        ("a\u{8}\u{0}\u{7f}\u{85}b\tc\nd", "ab\tc\nd"),
        ("a\r\nb\rc\u{2028}d", "a\nb\nc\nd"),
        ("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{200f}f\u{ad}g\u{e0041}h", "abcdefgh"),
        ("a&#27;[31mb&#x1b;c&#0;d", "a\u{fffd}[31mb\u{fffd}c\u{fffd}d"),
        ("&#60;b&#62; && a[i][j] &lt;", "<b> && a[i][j] &lt;"),
        ("한국어와 é와 😀", "한국어와 é와 😀"),
    ] {
        assert_eq!(clean(text), expected, "{text:?}");
    }
}

#[test]
fn addresses_and_links_are_taken_out_and_their_texts_stay() {
    for (text, expected) in [
        ("see https://evil.example/a?b=c#d, then", "see  then"),
        ("see HTTP://X.example. Then", "see  Then"),
        ("x ftp://a ssh+git://b file:///etc/passwd y", "x    y"),
        ("javascript:alert(1) mailto:a@b.example data:text/html;base64,AA tel:+123", "(1)   "),
        ("www.evil.example/x and WWW.a", " and "),
        ("[read this](http://evil.example \"t\") now", "read this now"),
        ("![image](x.png) [relative](../a) [empty]()", "image relative empty"),
        ("[a [nested](x) one](http://y)", "a nested one"),
        ("<http://evil.example> and <foo:bar>", " and "),
        ("`http://evil.example/x` stays code", "`` stays code"),
        ("http://evil.example를 보세요", "를 보세요"),
        ("(http://evil.example)", "()"),
        ("h\u{200b}ttp://evil.example", ""),
        ("http&#58;//evil.example http&colon;//evil.example", " "),
        ("[&](x)#104;ttp", "\u{fffd}ttp"),
        ("hhttp://x\nttp://y", "\n"),
    ] {
        assert_eq!(clean(text), expected, "{text:?}");
    }
}

#[test]
fn words_about_code_are_left_as_they_are() {
    for text in [
        "Look at `a[i](x)` and `dp[i][j]`, at a[i][j] and f(x).",
        "`std::vector<int>` or <std::string> or `x: int`",
        "At 12:30 the slice a[1:] has data: none; the file: is open. 3 < 4 && 5 > 4",
        "**Bold**, *emphasis*, 1. list\n\n- [ ] item\n> quote",
        "`//` begins a comment, and `a // b` divides.",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn a_block_of_code_gives_away() {
    for hint in [
        "Try this:\n\n```python\nprint(1)\n```",
        "Try ```x = 1``` once",
        "~~~\nx\n~~~",
        "- ~~~\n  x",
        "> ~~~\n> x",
        "> So:\n>\n>     x = 1\n>     y = 2",
        "Try this:\n\n    x = 1\n    y = 2\n",
        "Try this:\n\n\tx = 1\n\n\ty = 2\n",
        "1. One\n\n        x = 1\n        y = 2\n",
        "<pre>x</pre>",
    ] {
        assert_eq!(gives_away(hint, &edit("a.py", BEFORE, BEFORE)), Some(Leak::Fence), "{hint:?}");
    }
}

#[test]
fn what_only_looks_like_a_block_is_none() {
    for hint in [
        "1. One\n\n   goes on\n   and on\n\n2. Two\n   goes on",
        "- One\n    - nested\n    - nested too\n\n      goes on\n      and on",
        "A long line\n    that is indented\n    but goes on",
        "Only one:\n\n    x = 1\n\nline.",
        "Use `x` and ``y`` ~~not z~~.",
    ] {
        assert_eq!(gives_away(hint, &edit("a.py", BEFORE, AFTER)), None, "{hint:?}");
    }
}

#[test]
fn eight_tokens_of_the_changed_lines_give_away_however_they_are_written() {
    let edit = edit("a.py", BEFORE, AFTER);
    for hint in [
        "Write for i in range(1, n + 1, 2): instead.",
        "Write `for i in range(1, n + 1, 2):` instead.",
        "Write `for  i in\nrange( 1,n+1,2 )`",
        "Write **for** i *in* `range`(1, `n` + 1",
        "Start with `for i in` and go on with `range(1, n`, then `+ 1, 2):`.",
        "- `for i in`\n- `range(1,`\n- `n + 1`",
        "FOR I IN RANGE(1, N + 1",
        "for i in range（1， n ＋ 1",
        "`for`를 `i`로, `in`은 `range`에 `(1, n + 1`을 씁니다",
        "`in range(1, n + 1`",
    ] {
        assert!(matches!(gives_away(hint, &edit), Some(Leak::Run { tokens: 8.. })), "{hint:?}");
    }
    assert_eq!(gives_away("`for i in range(1, n + 1, 2):`", &edit), Some(Leak::Run { tokens: 14 }));
}

#[test]
fn fewer_tokens_and_the_students_own_lines_pass() {
    let found = edit("a.py", BEFORE, AFTER);
    for hint in [
        "Think about where `range(1, n` begins.",
        "`in range(1, n`",
        "Your `for i in range(n):` visits too many numbers.",
        "In `total += i * i` and `n = int(input())` all is right: `for i in range(n): total += i * i print(total)`.",
        "Which numbers does `range` give? See the documentation of `range(start, stop, step)`.",
    ] {
        assert_eq!(gives_away(hint, &found), None, "{hint:?}");
    }
    // The line with the mistake can be quoted as it stands, though most of its tokens are those of the correction.
    let loop_ = edit("a.c", "for (int i = 0; i <= n; i++) f(i);", "for (int i = 0; i < n; i++) f(i);");
    assert_eq!(gives_away("In `for (int i = 0; i <= n; i++)` look at the end.", &loop_), None);
    assert!(gives_away("Use `for (int i = 0; i < n; i++)`.", &loop_).is_some());
    assert!(gives_away("`i = 0; i < n;`", &loop_).is_some(), "eight tokens with the correction among them");
}

#[test]
fn operators_that_markdown_uses_count_as_tokens() {
    let found = edit("a.c", "x = 0;", "x = a * b * c * d * e;");
    assert!(gives_away("It is `a * b * c * d * e`.", &found).is_some());
    assert_eq!(gives_away("It is `a * b * c * d`.", &found), None);
    let names = edit("a.py", "x = 0\n", "my_sum = first_one + second_one - third_one + x\n");
    assert!(
        gives_away("my\\_sum = first\\_one + second\\_one - third\\_one", &names).is_none(),
        "seven tokens"
    );
    assert!(gives_away("my\\_sum = first\\_one + second\\_one - third\\_one + x", &names).is_some());
}

proptest! {
    #[test]
    fn cleaning_a_clean_text_changes_nothing(
        text in "(\u{1b}|\\[|\\]|\\(|\\)|!|`|<|>|http|:|//|www\\.|&#|58;|27;|x|a b|\u{200b}|\u{9b}|\u{9d}|\u{7}|\\\\|\n|\r|한|&colon;|mailto:){0,40}",
    ) {
        let once = clean(&text);
        prop_assert_eq!(clean(&once), once.clone());
        prop_assert!(!once.contains("://") || once.starts_with("://") || once.contains(|c: char| !c.is_ascii_alphanumeric()));
        prop_assert!(once.chars().all(|c| c == '\n' || c == '\t' || !is_invisible(c)), "{:?}", once);
    }

    #[test]
    fn any_eight_new_tokens_in_a_row_are_found_in_any_words(
        start in 0_usize..12, more in 0_usize..10, before in "[a-z ]{0,20}", after in "[a-z ]{0,20}", gap in "[ \n*`]{1,3}",
    ) {
        let tokens: Vec<String> = (0..20).map(|i| if i % 2 == 0 { format!("v{i}") } else { "+".into() }).collect();
        let found = edit("a.c", "int x;", &tokens.join(" "));
        let end = (start + RUN + more).min(tokens.len());
        let hint = format!("{before} {} {after}", tokens[start..end].join(&gap));
        prop_assert!(gives_away(&hint, &found).is_some() || has_block(&hint), "{}", hint);
        let few = format!("{before} {} {after}", tokens[start..start + RUN - 1].join(" "));
        prop_assert_eq!(gives_away(&few, &found), None);
    }
}
