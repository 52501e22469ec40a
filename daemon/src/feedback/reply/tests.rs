//! Answers as models write them.

use proptest::prelude::*;

use super::*;

fn key() -> Nonce {
    Nonce::fixed("a1b2c3d4e5f60718")
}

/// Replaces `@` by markers' beginnings.
fn written(text: &str) -> String {
    text.replace('@', "=== a1b2c3d4e5f60718")
}

fn read_in(parts: &[&str], names: &[&str]) -> (Vec<Piece>, Reply) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut reading = Reading::new(&key(), &names);
    let pieces = parts.iter().flat_map(|part| reading.push(part)).collect();
    (pieces, reading.finish())
}

fn read(text: &str, names: &[&str]) -> Reply {
    read_in(&[&written(text)], names).1
}

fn files(list: &[(&str, &str)]) -> Option<Vec<SourceFile>> {
    Some(list.iter().map(|(name, text)| SourceFile { name: (*name).into(), text: (*text).into() }).collect())
}

#[test]
fn a_program_and_a_hint_are_told_apart() {
    let text =
        written("@ file main.py ===\nprint(1)\n@ end ===\n@ hint ===\nOne.\nStill one.\n\nTwo.\n@ end ===\n");
    let (pieces, reply) = read_in(&[&text], &["main.py"]);
    let fix = files(&[("main.py", "print(1)\n")]);
    let hint = |text: &str| Piece::Hint(text.into());
    assert_eq!(pieces, [Piece::Fix(fix.clone().unwrap()), hint("One.\nStill one."), hint("Two.")]);
    assert_eq!(reply, Reply { fix, hint: "One.\nStill one.\n\nTwo.".into(), rest: Vec::new() });
}

#[test]
fn the_program_is_given_on_as_soon_as_the_hint_begins() {
    let mut reading = Reading::new(&key(), &["main.py".into()]);
    assert_eq!(reading.push(&written("@ file main.py ===\nx\n@ end ===\n")), []);
    assert!(matches!(reading.push(&written("@ hint ===\n"))[..], [Piece::Fix(_)]));
    assert_eq!(reading.push("One.\n\nTwo"), [Piece::Hint("One.".into())]);
    let reply = reading.finish();
    assert_eq!(reply.rest, [Piece::Hint("Two".into())], "the last paragraph needs no empty line");
    assert_eq!(reply.hint, "One.\n\nTwo");
}

#[test]
fn programs_are_understood_however_they_are_dressed() {
    let plain = files(&[("main.py", "a\n\n  b\n")]);
    for text in [
        "@ file main.py ===\na\n\n  b\n@ end ===",
        "@ file main.py ===\r\na\r\n\r\n  b\r\n@ end ===\r\n",
        "@ file main.py ===   \na\n\n  b\n@ end ===  \t\n",
        "@ file main.py\na\n\n  b\n@ end",
        "@ FILE: `main.py` ===\na\n\n  b\n@ END ===",
        "**@ file main.py ===**\na\n\n  b\n**@ end ===**",
        "# @ file main.py ===\na\n\n  b\n# @ end ===",
        "// @ file main.py ===\na\n\n  b\n// @ end ===",
        "@ file ===\na\n\n  b\n@ end ===",
        "@ file src/main.py ===\na\n\n  b\n@ end ===",
        "@ file /tmp/x/main.py ===\na\n\n  b\n@ end ===",
        "@ file C:\\x\\Main.py ===\na\n\n  b\n@ end ===",
        "@ file solution.py ===\na\n\n  b\n@ end ===",
        "@ file main.py ===\n```python\na\n\n  b\n```\n@ end ===",
        "@ file main.py ===\n\n```java\na\n\n  b\n```\n\n@ end ===",
        "@ file main.py ===\nHere it is:\n\n~~~\na\n\n  b\n~~~\nThat is all.\n@ end ===",
        "@ file main.py ===\n````\na\n\n  b\n````\n@ end ===",
        "@ file main.py ===\n```python\na\n\n  b\n@ end ===",
        "@ file main.py ===\na\n\n  b @ end ===",
        "Sure!\n\n```\n@ file main.py ===\na\n\n  b\n@ end ===\n```\n",
        "@ data program main.py ===\n@ file main.py ===\na\n\n  b\n@ data end ===\n@ end ===",
    ] {
        let reply = read(text, &["main.py"]);
        assert_eq!(reply.fix, plain, "{text:?}");
    }
}

#[test]
fn what_is_no_complete_program_of_the_students_is_none() {
    for text in [
        "",
        "Only words.",
        "```python\nprint(1)\n```",
        "@ file main.py ===\nprint(1)\n",
        "@ file main.py ===\nprint(1)\n@ hint ===\nx",
        "@ file main.py ===\n\n\n@ end ===",
        "@ file Main.java ===\nclass Main {}\n@ end ===",
        "@ end ===\n@ hint ===\nx\n@ end ===",
        "=== 0000000000000000 file main.py ===\nx\n=== 0000000000000000 end ===",
    ] {
        assert_eq!(read(text, &["main.py"]).fix, None, "{text:?}");
    }
    assert_eq!(read("@ file c.c ===\nx\n@ end ===", &["a.c", "b.c"]).fix, None);
    assert_eq!(read("@ file ===\nx\n@ end ===", &["a.c", "b.c"]).fix, None, "which of the two is not said");
}

#[test]
fn programs_of_several_files_have_one_end_or_one_each() {
    let both = files(&[("a.c", "a\n"), ("b.h", "b\n")]);
    for text in [
        "@ file a.c ===\na\n@ file b.h ===\nb\n@ end ===",
        "@ file a.c ===\na\n@ end ===\n@ file b.h ===\nb\n@ end ===",
        "@ file a.c ===\na\n@ file other.c ===\nc\n@ file b.h ===\nb\n@ end ===",
        "@ file a.c ===\nold\n@ file a.c ===\na\n@ file b.h ===\nb\n@ end ===",
    ] {
        assert_eq!(read(text, &["a.c", "b.h"]).fix, both, "{text:?}");
    }
    assert_eq!(read("@ file b.h ===\nb\n@ end ===", &["a.c", "b.h"]).fix, files(&[("b.h", "b\n")]));
}

#[test]
fn of_several_programs_the_last_complete_one_counts() {
    let one = files(&[("main.py", "1\n")]);
    let two = files(&[("main.py", "2\n")]);
    let names = ["main.py"];
    let first = "@ file main.py ===\n1\n@ end ===\nNo, wait.\n";
    assert_eq!(read(&format!("{first}@ file main.py ===\n2\n@ end ===\n"), &names).fix, two);
    assert_eq!(read(&format!("{first}@ file main.py ===\n2\n"), &names).fix, one);
    assert_eq!(read(&format!("{first}@ hint ===\nx\n@ file main.py ===\n2\n@ end ===\n"), &names).fix, one);
    let late = read("@ hint ===\nx\n@ end ===\n@ file main.py ===\n2\n@ end ===", &names);
    assert_eq!((late.fix.clone(), late.hint.as_str()), (two.clone(), "x"));
    assert_eq!(late.rest, [Piece::Fix(two.unwrap())]);
}

#[test]
fn the_hint_is_what_follows_its_marker_or_else_what_stands_outside() {
    for (text, hint) in [
        ("Only words.\n\nTwo.", "Only words.\n\nTwo."),
        ("Before.\n@ file main.py ===\nx\n@ end ===\nAfter.\n", "Before.\nAfter."),
        ("Before.\n@ file main.py ===\nx\n@ end ===\n@ hint ===\nHint.\n@ end ===\nAfter.", "Hint."),
        ("@ hint ===\n\n\nHint.  \n\n\n\nTwo.\n\n", "Hint.\n\nTwo."),
        ("@ hint ===\nSee:\n```\na\n\nb\n```\nso.", "See:\n```\na\n\nb\n```\nso."),
        ("@ hint ===\nHint. @ end ===\nmore", "Hint."),
        ("@ file main.py ===\nx\n", ""),
    ] {
        assert_eq!(read(text, &["main.py"]).hint, hint, "{text:?}");
    }
}

#[test]
fn a_fence_in_a_hint_stays_with_what_is_in_it() {
    let (pieces, _) = read_in(&[&written("@ hint ===\nSee:\n```\na\n\nb\n```\n\nSo.\n\n")], &["main.py"]);
    assert_eq!(pieces, [Piece::Hint("See:\n```\na\n\nb\n```".into()), Piece::Hint("So.".into())]);
}

#[test]
fn a_program_may_hold_a_text_with_fences() {
    let text = "a\nb\nc\nd = '''\n```\ne\n```\n'''\n";
    let reply = read(&format!("@ file main.py ===\n{text}@ end ==="), &["main.py"]);
    assert_eq!(reply.fix, files(&[("main.py", text)]));
    let reply = read(&format!("@ file main.py ===\n```python\n{text}```\n@ end ==="), &["main.py"]);
    assert_eq!(reply.fix, files(&[("main.py", text)]));
}

#[test]
fn no_more_is_read_than_an_answer_may_have() {
    let program = written("@ file main.py ===\n") + &"x\n".repeat(MAX_REPLY / 2);
    let (pieces, reply) = read_in(&[&program, &written("@ end ===\n@ hint ===\nx\n\n")], &["main.py"]);
    assert_eq!((pieces, reply.fix, reply.hint), (Vec::new(), None, String::new()));
}

proptest! {
    #[test]
    fn however_an_answer_is_cut_the_same_comes_of_it(
        lines in proptest::collection::vec(
            prop_oneof![
                Just("@ file main.py ==="), Just("@ file b.py ==="), Just("@ file ==="), Just("@ end ==="), Just("@ hint ==="),
                Just("x = 1"), Just(""), Just("```python"), Just("```"), Just("\r"), Just("한글 é"), Just("y @ end"),
            ],
            0..24,
        ),
        cuts in proptest::collection::vec(0_usize..600, 0..12),
        two in any::<bool>(),
    ) {
        let text = written(&lines.join("\n"));
        let names: &[&str] = if two { &["main.py", "b.py"] } else { &["main.py"] };
        let (pieces, reply) = read_in(&[&text], names);
        let mut places: Vec<usize> = cuts.into_iter().map(|at| text.floor_char_boundary(at.min(text.len()))).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        let parts: Vec<&str> = places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        let (cut_pieces, cut_reply) = read_in(&parts, names);
        prop_assert_eq!(&cut_pieces, &pieces);
        prop_assert_eq!(&cut_reply, &reply);
        // What was given in pieces is what the answer holds.
        let all: Vec<Piece> = pieces.into_iter().chain(reply.rest).collect();
        let hint: Vec<String> = all.iter().filter_map(|p| if let Piece::Hint(text) = p { Some(text.clone()) } else { None }).collect();
        prop_assert_eq!(hint.join("\n\n"), reply.hint);
        let fixes: Vec<Vec<SourceFile>> = all.into_iter().filter_map(|p| if let Piece::Fix(files) = p { Some(files) } else { None }).collect();
        prop_assert_eq!(fixes, reply.fix.into_iter().collect::<Vec<_>>());
    }
}
