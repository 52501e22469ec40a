//! What is not sent, and that it all comes back.

use codementor_protocol::Severity;
use proptest::prelude::*;

use super::*;
use crate::feedback::edit::Edit;

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

fn scrub(language: &str, files: &[(&str, &str)]) -> (Vec<SourceFile>, Scrubbed) {
    let files: Vec<_> = files.iter().map(|(name, text)| file(name, text)).collect();
    let scrubbed = Scrubbed::new(&files, &LanguageId::new(language).unwrap(), &Author::default());
    (files, scrubbed)
}

/// Scrubs one file, and sees that it comes back as it was.
#[track_caller]
fn text(language: &str, name: &str, text: &str) -> String {
    let (files, scrubbed) = scrub(language, &[(name, text)]);
    assert_eq!(scrubbed.restore(scrubbed.files.clone()), files, "{text:?}");
    let lines = |text: &str| text.matches('\n').count();
    assert_eq!(lines(&scrubbed.files[0].text), lines(text), "{text:?}");
    scrubbed.files[0].text.clone()
}

#[test]
fn the_comment_at_the_top_goes_and_the_lines_stay() {
    for (language, name, before, after) in [
        ("c", "a.c", "// Kim Minsu\n// 20241234\n\n#include <stdio.h>\n", "\n\n\n#include <stdio.h>\n"),
        ("c", "a.c", "/* Kim\n * HW 3 */\nint main;\n", "\n\nint main;\n"),
        ("c", "a.c", "/* Kim */ int main;\n", "int main;\n"),
        ("cpp", "a.cpp", "\n/* Kim */\n// so\n  int a; // why\n", "\n\n\n  int a; // why\n"),
        ("java", "Main.java", "/**\n * @author Kim\n */\npackage a;\n", "\n\n\npackage a;\n"),
        (
            "javascript",
            "a.js",
            "#!/usr/bin/env node\n// Kim\n'use strict'\n",
            "#!/usr/bin/env node\n\n'use strict'\n",
        ),
        ("go", "a.go", "// Kim\n//go:build linux\n\npackage main\n", "\n//go:build linux\n\npackage main\n"),
        ("rust", "a.rs", "//! Kim\n#![allow(x)]\nfn main() {}\n", "\n#![allow(x)]\nfn main() {}\n"),
        ("python3", "a.py", "# Kim\n\n# more\nimport sys\n", "\n\n\nimport sys\n"),
        (
            "python3",
            "a.py",
            "#!/usr/bin/python3\n# -*- coding: utf-8 -*-\n# Kim\nx\n",
            "#!/usr/bin/python3\n# -*- coding: utf-8 -*-\n\nx\n",
        ),
        ("python3", "a.py", "\"\"\"\nName: Kim\nID: 20241234\n\"\"\"\n# so\nx = 1\n", "\n\n\n\n\nx = 1\n"),
        ("python3", "a.py", "'''학번: 20241234'''\nx = 1\n", "\nx = 1\n"),
        (
            "python3",
            "a.py",
            "\"\"\"Adds two numbers.\"\"\"\nx = 1\n",
            "\"\"\"Adds two numbers.\"\"\"\nx = 1\n",
        ),
        ("python3", "a.py", "'author: Kim'.upper()\n", "'author: Kim'.upper()\n"),
        ("python3", "a.py", "# only a comment\n", "\n"),
        ("c", "a.c", "int a;\n", "int a;\n"),
        ("c", "a.c", "\n\nint a;", "\n\nint a;"),
        ("c", "a.c", "", ""),
    ] {
        assert_eq!(text(language, name, before), after, "{before:?}");
    }
}

#[test]
fn people_within_comments_and_texts_are_replaced_and_the_problem_is_not() {
    for (name, before, after) in [
        (
            "a.c",
            "int a; // ask kim.minsu+x@snu.ac.kr, or Kim\n",
            "int a; // ask person1@example.com, or Kim\n",
        ),
        (
            "a.c",
            "f(\"kim@snu.ac.kr\", \"kim@snu.ac.kr\");\n",
            "f(\"person1@example.com\", \"person1@example.com\");\n",
        ),
        (
            "a.c",
            "int a; // person1@example.com and b@c.de\n",
            "int a; // person2@example.com and person3@example.com\n",
        ),
        ("a.java", "int a; // thanks @minsu_kim! @param x\n", "int a; // thanks @person1! @param x\n"),
        ("a.java", "int a; /* @author Kim Minsu */ int b;\n", "int a; /* @author PERSON1 */ int b;\n"),
        ("a.java", "@Override int a; // see {@code a@b}\n", "@Override int a; // see {@code a@b}\n"),
        ("a.py", "x = a@b.dot(c)  # 작성자: 김민수\n", "x = a@b.dot(c)  # 작성자: PERSON1\n"),
        ("a.py", "x = 1  # 이름을 정렬한다\n", "x = 1  # 이름을 정렬한다\n"),
        ("a.py", "x = 1  # written by Kim, 2024\n", "x = 1  # written by PERSON1\n"),
        ("a.py", "x = 1  # 20241234 or 2024-12345\n", "x = 1  # NUMBER1 or NUMBER2\n"),
        (
            "a.py",
            "x = 1  # at most 1000000, mod 1000000007, 10^1234567, 99999999\n",
            "x = 1  # at most 1000000, mod 1000000007, 10^1234567, 99999999\n",
        ),
        ("a.py", "m = 20241234  # why 20241234\n", "m = 20241234  # why 20241234\n"),
        ("a.py", "x = 1  # in /home/kim/cs101/a.py now\n", "x = 1  # in /path1 now\n"),
        ("a.py", "open('/home/kim/in.txt')\n", "open('/home/user1/in.txt')\n"),
        ("a.c", "f(\"C:\\\\Users\\\\kim\\\\in.txt\");\n", "f(\"C:\\\\Users\\\\user1\\\\in.txt\");\n"),
        ("a.c", "int a; // C:\\Users\\kim\\in.txt\n", "int a; // /path1\n"),
        ("a.js", "let a = `kim@snu.ac.kr`; // x\n", "let a = `person1@example.com`; // x\n"),
        ("a.c", "int PERSON1; // author: Kim\n", "int PERSON1; // author: PERSON2\n"),
    ] {
        assert_eq!(text("c", name, before), after);
    }
}

/// Each language with a file, the sign of its comments and a line of code.
const LANGUAGES: [(&str, &str, &str); 7] = [
    ("a.c", "//", "int main;"),
    ("a.cpp", "//", "int main;"),
    ("a.go", "//", "func main() {}"),
    ("A.java", "//", "class A {}"),
    ("a.js", "//", "main()"),
    ("a.py", "#", "main()"),
    ("a.rs", "//", "fn main() {}"),
];

#[test]
fn comments_below_the_first_line_of_code_name_nobody() {
    for (name, sign, code) in LANGUAGES {
        for (said, sent) in [
            ("Name: Kim Minji", "Name: PERSON1"),
            ("id: 2026-1", "id: PERSON1"),
            ("Section: 2", "Section: PERSON1"),
            ("by Kim Minji", "by PERSON1"),
            ("by: kim", "by: PERSON1"),
            ("solved by Kim Minji", "solved by PERSON1"),
            ("by 김민지", "by PERSON1"),
            ("by the way, sorted by Max, is::name::x", "by the way, sorted by Max, is::name::x"),
            ("https://github.com/minji-kim/hw", "/link1"),
            ("see (github.com/minji-kim), www.minji.kr.", "see (/link1), /link2."),
            ("~minji/hw and a/b, 3.5/2, x.y/z", "/path1 and a/b, 3.5/2, x.y/z"),
        ] {
            let before = format!("{code}\n{code} {sign} {said}\n");
            assert_eq!(text("c", name, &before), format!("{code}\n{code} {sign} {sent}\n"), "{name}");
        }
    }
}

#[test]
fn the_comments_behind_the_imports_go_too() {
    for (name, before, after) in [
        (
            "a.c",
            "#include <stdio.h> // for printf\n/* Kim Minji\n * HW 3\n */\n#define N 3 // most\n",
            "#include <stdio.h> // for printf\n/* NOTE1\n * NOTE2\n */\n#define N 3 // most\n",
        ),
        (
            "a.cpp",
            "#include <a>\n// Kim\n#include <b>\nusing namespace std;\n// Lee\nint a; // b\n",
            "#include <a>\n// NOTE1\n#include <b>\nusing namespace std;\n// NOTE2\nint a; // b\n",
        ),
        (
            "A.java",
            "package a;\nimport b.C;\n\n/** Kim */\nclass A {}\n",
            "package a;\nimport b.C;\n\n/** NOTE1 */\nclass A {}\n",
        ),
        (
            "a.go",
            "package main\nimport (\n\t\"fmt\"\n\t// Kim\n)\n//go:embed x\n// Kim\nvar x string\n",
            "package main\nimport (\n\t\"fmt\"\n\t// NOTE1\n)\n//go:embed x\n// NOTE1\nvar x string\n",
        ),
        (
            "a.js",
            "'use strict'\nconst fs = require('fs');\n// Kim\nconst a = require('fs').b() // c\n// d\n",
            "'use strict'\nconst fs = require('fs');\n// NOTE1\nconst a = require('fs').b() // c\n// d\n",
        ),
        (
            "a.py",
            "#!/usr/bin/python3\nimport sys\nfrom a import (\n    b,\n)\n# Kim\n# HW\n\ndef f():\n    # g\n    pass\n",
            "#!/usr/bin/python3\nimport sys\nfrom a import (\n    b,\n)\n# NOTE1\n# NOTE2\n\ndef f():\n    # g\n    pass\n",
        ),
        (
            "a.rs",
            "#![allow(x)]\nuse a::{\n    b,\n};\n// Kim\nfn main() {}\n// c\n",
            "#![allow(x)]\nuse a::{\n    b,\n};\n// NOTE1\nfn main() {}\n// c\n",
        ),
    ] {
        assert_eq!(text("c", name, before), after);
    }
}

#[test]
fn what_the_server_knows_of_the_author_is_not_sent() {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let author = Author {
        names: texts(&["Kim Minji", "김민지", "Max"]),
        ids: texts(&["kim-minji", "20261234", "minji.k@snu.example", "mk99"]),
        places: texts(&["cs101", "Introduction to Programming", "hw-3"]),
    };
    let scrub = |name: &str, text: &str| {
        let files = [file(name, text)];
        let scrubbed = Scrubbed::new(&files, &LanguageId::new("c").unwrap(), &author);
        assert_eq!(scrubbed.restore(scrubbed.files.clone()), files, "{text:?}");
        scrubbed
    };
    for (name, sign, code) in LANGUAGES {
        for (said, sent) in [
            ("Minji Kim wrote it", "PERSON1 wrote it"),
            ("hers: KIM MINJI, kim_minji_hw", "hers: PERSON1, PERSON2_hw"),
            ("minjikim2026 and Minji", "PERSON1 and PERSON2"),
            ("김민지가 씀", "PERSON1가 씀"),
            ("minji.k and mk99", "PERSON1 and PERSON2"),
            ("for CS101, hw-3", "for COURSE1, COURSE2"),
            ("introduction to programming", "COURSE1"),
            ("a kimono of Maxima", "a kimono of Maxima"),
        ] {
            let sent = format!("{code}\n{code} {sign} {sent}\n");
            assert_eq!(scrub(name, &format!("{code}\n{code} {sign} {said}\n")).files[0].text, sent, "{name}");
        }
    }
    // What is code stays, and so do texts, but for what can mean nobody else.
    let program = "def Minji(Max):\n    print('Minji', 'Kim Minji', Max)  # Max\n";
    let scrubbed = scrub("a.py", program);
    assert_eq!(scrubbed.files[0].text, "def Minji(Max):\n    print('Minji', 'PERSON1', Max)  # Max\n");
    assert_eq!(scrubbed.scrub_text("Kim Minji, minji kim"), "PERSON1, PERSON0");
    assert_eq!(scrubbed.scrub_output("20261234 Max"), "PERSON0 Max");
    let docstring = scrub("a.py", "\"\"\"Minji's homework\"\"\"\nx = 1\n");
    assert_eq!(docstring.files[0].text, "\nx = 1\n");
}

#[test]
fn names_are_neutral_where_nothing_depends_on_them() {
    for (language, files, names) in [
        ("c", &[("kim_hw3.c", "int main;")][..], &["main.c"][..]),
        (
            "c",
            &[("kim.c", "#include \"kim.h\""), ("kim.h", "int a;"), ("lee.h", "")],
            &["main.c", "main.h", "part2.h"],
        ),
        (
            "cpp",
            &[("kim.cpp", "int a;"), ("main.cpp", "int b;"), ("lee.cpp", "")],
            &["part2.cpp", "main.cpp", "part3.cpp"],
        ),
        (
            "java",
            &[("Kim.java", "public class Kim {}"), ("Lee.java", "class A {}")],
            &["Kim.java", "Main.java"],
        ),
        ("java", &[("KimMinsu.java", "public class KimMinsu {}")], &["Main.java"]),
        ("java", &[("KimMinsu.java", "class KimMinsu { Main a; } class Main {}")], &["Part2.java"]),
        ("java", &[("A.java", "class A {}")], &["A.java"]),
        (
            "java",
            &[
                ("Kim.java", "class Kim { public static void main(String[] a) { new Stack(); } }"),
                ("Stack.java", "class Stack { Kim kim; }"),
            ],
            &["Main.java", "Stack.java"],
        ),
        (
            "python3",
            &[("kim.py", "import lee"), ("lee.py", "x"), ("park.py", "y")],
            &["main.py", "lee.py", "part2.py"],
        ),
        ("python3", &[("kim.py", "from lee.a import b"), ("lee.py", "x")], &["main.py", "lee.py"]),
        ("python3", &[("__main__.py", "x"), ("kim.py", "# import kim\nx")], &["__main__.py", "main.py"]),
        (
            "javascript",
            &[("kim.js", "const a = require('./lee')"), ("lee.js", ""), ("x.mjs", "")],
            &["main.js", "part2.js", "main.mjs"],
        ),
        ("rust", &[("kim.rs", "mod lee;"), ("lee.rs", "")], &["main.rs", "lee.rs"]),
        ("rust", &[("kim.rs", "#[path = \"x/lee.rs\"] mod a;"), ("lee.rs", "")], &["main.rs", "part2.rs"]),
        ("c", &[("kim.c", "#include \"main.c\"\n")], &["part2.c"]),
        ("go", &[("kim.go", "package main"), ("lee.go", "package main")], &["main.go", "part2.go"]),
        ("c", &[("kim", "")], &["main"]),
    ] {
        let (originals, scrubbed) = scrub(language, files);
        let found: Vec<&str> = scrubbed.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(found, names, "{files:?}");
        assert_eq!(scrubbed.restore(scrubbed.files.clone()), originals);
    }
}

#[test]
fn what_a_program_calls_its_files_is_neutral_too() {
    let program =
        "public class KimMinsu {\n    KimMinsu() {}\n    String s = \"KimMinsu\"; // KimMinsus\n}\n";
    let (_, scrubbed) = scrub("java", &[("KimMinsu.java", program)]);
    let sent = &scrubbed.files[0].text;
    assert_eq!(sent, "public class Main {\n    Main() {}\n    String s = \"KimMinsu\"; // KimMinsus\n}\n");
    let corrected = scrubbed.restore(vec![file("Main.java", &sent.replace("{}", "{ super(); }"))]);
    assert_eq!(corrected, [file("KimMinsu.java", &program.replace("{}", "{ super(); }"))]);
    let message = "KimMinsu.java:1: error: class KimMinsu is public, should be declared in KimMinsu.java";
    let scrubbed_message = "Main.java:1: error: class Main is public, should be declared in Main.java";
    assert_eq!(scrubbed.scrub_text(message), scrubbed_message);
    assert_eq!(
        scrubbed.scrub_output("KimMinsu\nat KimMinsu.main(KimMinsu.java:3)"),
        "KimMinsu\nat Main.main(Main.java:3)"
    );
    assert_eq!(
        scrubbed.restore_text("Main point: `Main` calls `Main()`."),
        "Main point: `KimMinsu` calls `KimMinsu()`."
    );

    let (originals, scrubbed) = scrub(
        "c",
        &[
            ("kim.c", "#include \"kim.h\"\n#include \"lib/kim.h\"\nchar *s = \"kim.hh\";\n"),
            ("kim.h", "int a;"),
        ],
    );
    assert_eq!(
        scrubbed.files[0].text,
        "#include \"main.h\"\n#include \"lib/main.h\"\nchar *s = \"kim.hh\";\n"
    );
    assert_eq!(scrubbed.restore(scrubbed.files.clone()), originals);
    let (_, scrubbed) = scrub("javascript", &[("kim.js", "const a = require('./lee')\n"), ("lee.js", "")]);
    assert_eq!(scrubbed.files[0].text, "const a = require('./part2')\n");
}

#[test]
fn a_line_that_says_how_to_run_a_file_comes_back_whatever_it_looks_like() {
    for name in ["a.c", "a.cpp", "a.go", "A.java", "a.js", "a.py", "a.rs"] {
        for before in ["#!/x이름:  ", "#!/x이름:  \n", "#!/x 이름: Kim  ", "#!/x\t\n\n# 이름: \n"] {
            text("c", name, before);
        }
    }
}

#[test]
fn a_correction_gets_everything_back() {
    let before = "#!/usr/bin/python3\n# Kim Minsu 20241234\n\nimport sys\nx = 1  # kim@snu.ac.kr\nprint(x)";
    let (_, scrubbed) = scrub("python3", &[("kim.py", before)]);
    let expected = before.replace("x = 1", "x = 2");
    let sent = &scrubbed.files[0].text;
    let changed = sent.replace("x = 1", "x = 2");
    for fix in [
        changed.clone(),
        format!("{changed}\n"),
        changed.replace("\n\n\n", "\n"),
        changed.replace("#!/usr/bin/python3\n", ""),
        changed.trim_start_matches("#!/usr/bin/python3\n").trim_start().to_owned(),
        format!("\n{changed}"),
    ] {
        let restored = scrubbed.restore(vec![file("main.py", &fix)]);
        assert_eq!(restored, [file("kim.py", &expected)], "{fix:?}");
    }
    let edit = Edit::between(&scrubbed.files, &[file("main.py", &changed)]);
    assert_eq!(edit.edits, 1, "what was taken out is no change");
}

#[test]
fn lines_end_as_the_students_do() {
    let (_, scrubbed) = scrub("c", &[("kim.c", "\u{feff}// Kim\r\nint a;\r\n")]);
    assert_eq!(scrubbed.files[0].text, "\nint a;\n");
    let restored = scrubbed.restore(vec![file("main.c", "int b;\n")]);
    assert_eq!(restored[0].text, "\u{feff}// Kim\r\nint b;\r\n");
}

#[test]
fn files_left_out_come_back_and_foreign_ones_do_not() {
    let (originals, scrubbed) = scrub("c", &[("kim.c", "// Kim\nint a;\n"), ("lee.c", "// Lee\nint b;\n")]);
    let restored = scrubbed.restore(vec![file("part2.c", "int c;\n"), file("../x.c", "int d;\n")]);
    assert_eq!(restored, [originals[0].clone(), file("lee.c", "// Lee\nint c;\n")]);
}

#[test]
fn words_about_files_are_translated_both_ways() {
    let (_, scrubbed) = scrub("c", &[("kim.c", "int a; // kim@snu.ac.kr\n"), ("lee.c", "int b;\n")]);
    let message = Diagnostic {
        file: "kim.c".into(),
        line: 1,
        column: Some(5),
        end_column: None,
        severity: Severity::Error,
        message: "in kim.c, akim.c and lee.c: // kim@snu.ac.kr".into(),
        fix: None,
    };
    let found = scrubbed.diagnostics(std::slice::from_ref(&message));
    assert_eq!((found[0].file.as_str(), found[0].line, found[0].column), ("main.c", 1, Some(5)));
    assert_eq!(found[0].message, "in main.c, akim.c and part2.c: // person1@example.com");
    assert_eq!(scrubbed.restore_text("`main.c`에서, part2.c에서"), "`kim.c`에서, lee.c에서");
}

proptest! {
    #[test]
    fn whatever_is_scrubbed_comes_back_and_no_line_moves(
        text in "(//|/\\*|\\*/|#|\"|'|\"\"\"|author: |Kim|kim@snu.ac.kr|@kim |20241234 |/home/kim/x|\n|\n\n| |\t|int a;|x = 1|\\\\|é|이름: |#!/x|coding: u|PERSON1|\u{feff}|\r\n|class |Kim |Main |'main.c'|\"Kim.java\"|require\\('a'\\)|import a\n|#include <a>\n|use a;\n|minji|Minji Kim|_|1|https://x.y/z|~kim/x|by Kim){0,24}",
        name in prop_oneof![Just("a.c"), Just("a.cpp"), Just("a.go"), Just("Kim.java"), Just("a.js"), Just("a.py"), Just("a.rs")],
    ) {
        let author = Author { names: vec!["Kim Minji".into()], ids: vec!["kim".into()], places: vec!["x".into(), "a;".into()] };
        let files = [file(name, &text)];
        let scrubbed = Scrubbed::new(&files, &LanguageId::new("c").unwrap(), &author);
        prop_assert_eq!(scrubbed.restore(scrubbed.files.clone()), files);
        prop_assert_eq!(scrubbed.files[0].text.matches('\n').count(), text.matches('\n').count());
    }

    #[test]
    fn no_address_in_a_comment_is_sent(
        local in "[a-z][a-z0-9.]{0,8}[a-z0-9]", host in "[a-z]{2,8}", top in "(com|ac\\.kr|edu)", lead in "(int a;|x = 1;|)",
    ) {
        prop_assume!(host != "example");
        let mail = format!("{local}@{host}.{top}");
        for (name, comment) in [("a.c", format!("// {mail} x")), ("a.java", format!("/* {mail} */")), ("a.py", format!("# <{mail}>"))] {
            let (_, scrubbed) = scrub("c", &[(name, &format!("{lead}\n{comment}\n"))]);
            prop_assert!(!scrubbed.files[0].text.contains(&mail), "{}", scrubbed.files[0].text);
        }
    }
}
