//! What happened in an assignment, as those who teach see it: in the terminal, and as a page in a real browser.

use codementor_tests::{Draft, Home, Ran, browser, home};
use serde_json::Value;

const RIGHT: &str = "import sys\nsys.stdout.write(sys.stdin.read())\n";
/// Right for the sample only.
const WRONG: &str = "print('one')\n";
const BROKEN: &str = "def (:\n";

fn class() -> Home {
    let home = home!().with("CODEMENTOR_SLOTS", 2).with("TZ", "Asia/Seoul");
    Draft::new("echo", 2)
        .sample("1", "one\n", "one\n")
        .secret("1", "two\n", "two\n")
        .secret("2", "three\n", "three\n")
        .install(&home);
    for course in ["cs101", "other"] {
        home.run(&["course", "create", course]).expect_code(0);
    }
    home.invite("ada", &[("cs101", "instructor")]);
    home.invite("tom", &[("cs101", "assistant")]);
    home.invite("eve", &[("other", "instructor")]);
    for name in ["kim", "lee", "park"] {
        home.invite(name, &[("cs101", "student")]);
    }
    // What students may not see is counted all the same.
    let title = "Sums & <b>more</b> <script>document.title='run'</script>";
    let create = [
        "assignment",
        "create",
        "cs101/hw",
        "-p",
        "echo:20",
        "--open",
        "--visibility",
        "verdict",
        "--title",
        title,
    ];
    home.run_as("ada", &create).expect_code(0);
    home
}

fn submit(home: &Home, who: &str, text: &str) {
    let file = home.write(&format!("{who}/echo.py"), text);
    let ran = home.run_as(who, &["submit", file.to_str().expect("a text"), "-p", "cs101/hw/echo", "--json"]);
    assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

#[test]
fn those_who_teach_see_what_happened() {
    let home = class();
    let empty = home.run_as("tom", &["stats", "cs101/hw"]).expect_code(0).stdout;
    assert!(
        empty.contains("3 students, 0 judged submissions") && empty.contains("nothing has been judged yet")
    );
    submit(&home, "kim", BROKEN);
    submit(&home, "kim", WRONG);
    submit(&home, "kim", RIGHT);
    submit(&home, "lee", WRONG);
    submit(&home, "park", &format!("{WRONG}# another\n"));
    // Those who teach only try it, the owner of the data directory among them.
    submit(&home, "tom", RIGHT);
    submit(&home, "ada", &format!("{WRONG}# of ada\n"));
    let file = home.write("echo.py", format!("{RIGHT}# of the owner\n"));
    home.run(&["submit", file.to_str().expect("a text"), "-p", "cs101/hw/echo"]).expect_code(0);
    let told = json(&home.run_as("ada", &["stats", "cs101/hw", "--json"]).expect_code(0));
    let echo = &told["problems"][0];
    assert_eq!((&told["submissions"], &echo["tried"], &echo["solved"]), (&5.into(), &3.into(), &1.into()));
    assert_eq!(echo["attempts"], serde_json::json!([[2, 1]]));
    assert_eq!(echo["cases"][0]["index"], 2);
    assert_eq!(echo["cases"][0]["failed"], serde_json::json!([["WRONG_ANSWER", 3]]));
    assert_eq!(echo["clusters"][0]["users"], serde_json::json!(["lee", "park"]));
    let drawn = home.run_as("tom", &["stats", "cs101/hw"]).expect_code(0).stdout;
    for line in [
        "solved by 1 of 3 who tried; worth 20",
        "WRONG_ANSWER at case 2: lee, park",
        "3 of 4  WRONG_ANSWER 3",
    ] {
        assert!(drawn.contains(line), "'{line}' in\n{drawn}");
    }
    for (who, code) in [("kim", 4), ("eve", 5)] {
        home.run_as(who, &["stats", "cs101/hw"]).expect_code(code);
    }
    home.run_as("ada", &["stats", "cs101/none"]).expect_code(5);

    let page = home.work().join("stats.html");
    home.run_as("ada", &["stats", "cs101/hw", "--html", page.to_str().expect("a text")]).expect_code(0);
    let html = std::fs::read_to_string(&page).expect("is written");
    assert!(html.contains("Sums &amp; &lt;b&gt;more&lt;/b&gt;"), "{html}");
    assert!(!html.contains("<script"), "{html}");
    // A browser understands it as it was meant: nothing was moved, closed or run, and each plot is there.
    let document = browser::document(&page, &home.work().join("profile"));
    for element in ["<svg", "<rect", "<h3", "<li", "<title"] {
        assert_eq!(
            document.matches(element).count(),
            html.matches(element).count(),
            "{element} in\n{document}"
        );
    }
    assert!(
        !document.contains("<title>run</title>") && document.contains("WRONG_ANSWER at case 2"),
        "{document}"
    );
    let nowhere = home.work().join("no/folder.html");
    home.run_as("ada", &["stats", "cs101/hw", "--html", nowhere.to_str().expect("a text")]).expect_code(2);
}
