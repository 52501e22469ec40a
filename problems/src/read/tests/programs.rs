//! Example submissions, what is promised about them, and the programs that make cases.

use codementor_protocol::FeedbackPolicy;

use super::{fails, judged, sound, warns};
use crate::package::{FeedbackRules, Outcome};
use crate::testing::Sketch;

#[test]
fn folders_promise_what_the_format_says() {
    use Outcome::{Ac, Ce, Rte, Tle, Wa};
    for (folder, current, permitted, required) in [
        ("accepted", true, &[Ac][..], &[][..]),
        ("wrong_answer", true, &[Ac, Wa], &[Wa]),
        ("time_limit_exceeded", true, &[Ac, Tle], &[Tle]),
        ("time_limit_exceeded", false, &[Ac, Wa, Tle], &[Tle]),
        ("run_time_error", true, &[Ac, Rte], &[Rte]),
        ("rejected", true, &[Ac, Wa, Tle, Rte], &[Wa, Tle, Rte]),
        ("brute_force", true, &[Ac, Tle, Rte], &[Tle, Rte]),
        ("compiler_error", false, &[Ce], &[Ce]),
        ("no_output", false, &[Ac, Wa], &[Wa]),
        ("output_limit", false, &[Ac, Rte], &[Rte]),
        ("partially_accepted", false, &[Ac, Wa, Tle, Rte], &[]),
        ("mixed", false, &[Ac, Wa, Tle, Rte, Ce], &[]),
    ] {
        let sketch = if current { Sketch::current() } else { Sketch::legacy() };
        let package = sound(&sketch.with(&format!("submissions/{folder}/zz.py"), ""));
        let submission = package.submissions.iter().find(|s| s.name.ends_with("zz.py")).unwrap();
        let [expectation] = &submission.expectations[..] else { panic!("{submission:?}") };
        assert!(expectation.permitted.iter().eq(permitted), "{folder}: {expectation:?}");
        assert!(expectation.required.iter().eq(required), "{folder}: {expectation:?}");
    }
}

#[test]
fn which_submissions_bound_the_time_limit_depends_on_the_version() {
    let bounds = |sketch: Sketch| {
        let folders =
            ["wrong_answer", "time_limit_exceeded", "run_time_error", "brute_force", "compiler_error"];
        let sketch =
            folders.iter().fold(sketch, |s, folder| s.with(&format!("submissions/{folder}/x.py"), ""));
        judged(&sketch)
            .submissions
            .iter()
            .map(|s| {
                format!("{}{}", u8::from(s.bounds_time_limit_below()), u8::from(s.bounds_time_limit_above()))
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    // In the order of the names: accepted, brute_force, compiler_error, run_time_error, time_limit_exceeded, wrong_answer.
    assert_eq!(bounds(Sketch::current()), "10 00 00 10 01 10");
    assert_eq!(bounds(Sketch::legacy()), "10 00 00 00 01 00");
}

#[test]
fn a_submission_is_a_file_or_a_folder() {
    let package = sound(
        &Sketch::legacy()
            .with("submissions/accepted/big/main.c", "")
            .with("submissions/accepted/big/lib/x.h", "")
            .with("submissions/accepted/README.md", ""),
    );
    let found: Vec<_> = package
        .submissions
        .iter()
        .map(|s| (s.name.as_str(), s.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(found, [("accepted/big", vec!["lib/x.h", "main.c"]), ("accepted/sum.py", vec!["sum.py"])]);
}

#[test]
fn expected_results_in_the_source_count_outside_the_standard_folders() {
    use Outcome::{Ac, Ce, Rte, Tle, Wa};
    let read = |folder: &str, text: &str| {
        let name = format!("submissions/{folder}/zz.c");
        let package = judged(&Sketch::legacy().with(&name, text));
        package.submissions.into_iter().find(|s| s.name.ends_with("zz.c")).unwrap().expectations
    };
    for (text, permitted, required) in [
        ("/* @EXPECTED_RESULTS@: WRONG-ANSWER */\n", &[Ac, Wa][..], &[Wa][..]),
        ("int x;\n// @EXPECTED_RESULTS@: TIMELIMIT, RUN-ERROR\n", &[Ac, Tle, Rte], &[Tle, Rte]),
        ("// @EXPECTED_RESULTS@: CORRECT, TIMELIMIT", &[Ac, Tle], &[]),
        ("// @EXPECTED_RESULTS@: MEMORY-LIMIT", &[Ac, Rte], &[Rte]),
        ("// @EXPECTED_RESULTS@: COMPILER-ERROR", &[Ce], &[Ce]),
    ] {
        let found = read("mixed", text);
        assert!(found[0].permitted.iter().eq(permitted), "{text}: {found:?}");
        assert!(found[0].required.iter().eq(required), "{text}: {found:?}");
    }
    let ignored = read("accepted", "// @EXPECTED_RESULTS@: WRONG-ANSWER\n");
    assert!(ignored[0].permitted.iter().eq(&[Ac]));
    warns(
        Sketch::legacy().with("submissions/mixed/x.c", "\n// @EXPECTED_RESULTS@: ODD, CORRECT\n"),
        "submissions/mixed/x.c:2: 'ODD' is not a result",
    );
}

#[test]
fn submissions_yaml_adds_to_the_folders_or_replaces_them() {
    use Outcome::{Ac, Rte, Tle, Wa};
    let yaml = "\
accepted/sum.py:
  language: python3
  entrypoint: sum.py
  authors: A
  model_solution: yes
wrong_answer:
  permitted: [AC, WA, RTE]
wrong_answer/*.py:
  message: too small
  use_for_time_limit: false
  secret/{a,b}:
    required: [WA]
slow:
  permitted: [AC, TLE]
  required: [TLE]
  use_for_time_limit: upper
";
    let sketch = Sketch::current()
        .with("submissions/wrong_answer/x.py", "")
        .with("submissions/slow/x.py", "")
        .with("submissions/submissions.yaml", yaml);
    let package = sound(&sketch);
    let [accepted, slow, wrong] = &package.submissions[..] else { panic!("{:?}", package.submissions) };
    assert_eq!(
        (accepted.language.as_deref(), accepted.entrypoint.as_deref()),
        (Some("python3"), Some("sum.py"))
    );
    assert!(accepted.model_solution && accepted.expectations.len() == 1);
    assert!(slow.bounds_time_limit_above() && slow.expectations[0].permitted.iter().eq(&[Ac, Tle]));
    let [replaced, added, tests] = &wrong.expectations[..] else { panic!("{wrong:?}") };
    assert!(replaced.permitted.iter().eq(&[Ac, Wa, Rte]) && replaced.required.iter().eq(&[Wa]));
    assert_eq!((added.message.as_deref(), added.permitted.len()), (Some("too small"), 4));
    assert!(tests.required.iter().eq(&[Wa]) && tests.is_about("secret/a/1") && !tests.is_about("secret/c/1"));

    let with = |yaml: &str| Sketch::current().with("submissions/submissions.yaml", yaml);
    warns(
        with("accepted/none.py: {language: c}\n"),
        "submissions.yaml:1: 'accepted/none.py' fits no submission",
    );
    warns(with("accepted:\n  permitted: [AC, XX]\n"), "submissions.yaml:2: 'XX' is not a result");
    warns(
        with("accepted:\n  score: 5\n"),
        "submissions.yaml:2: accepted.score only matters where points are given",
    );
    warns(with("accepted:\n  colour: red\n"), "submissions.yaml:2: accepted.colour is not a key");
    fails(with("accepted:\n  use_for_time_limit: maybe\n"), "must be true, false, lower or upper");
}

#[test]
fn recipes_are_read_and_checked() {
    let recipe = "[[generate]]\ncase = \"secret/03-big\"\ngenerator = \"generators/n.py\"\nargs = [\"9\"]\nsolution = \"submissions/accepted/sum.py\"\n";
    let sketch = |toml: &str| Sketch::legacy().with("codementor.toml", toml).with("generators/n.py", "");
    let package = sound(&sketch(&format!("{recipe}[feedback]\npolicy = \"full\"\n[parameter]\nn = 3\n")));
    assert_eq!((package.generate.len(), package.cases.len()), (1, 2));
    assert_eq!(
        (package.generate[0].case.as_str(), &package.generate[0].args[..]),
        ("secret/03-big", &["9".to_owned()][..])
    );

    // Tests that are all generated are tests, and their hints belong to them.
    let only = sketch(recipe).without("data").with("data/secret/03-big.hint", "h");
    assert!(sound(&only).cases.is_empty());
    // A case that is there is not generated again.
    let there = sketch(recipe).with("data/secret/03-big.in", "").with("data/secret/03-big.ans", "");
    assert!(sound(&there).generate.is_empty());

    warns(sketch(&format!("{recipe}colour = 1\n")), "generate.colour is not a key");
    fails(
        sketch(&recipe.replace("n.py", "m.py")),
        "codementor.toml: generator 'generators/m.py' is not in the package",
    );
    fails(
        sketch(&recipe.replace("sum.py", "no.py")),
        "solution 'submissions/accepted/no.py' is not in the package",
    );
    fails(sketch(&recipe.repeat(2)), "case 'secret/03-big' is generated twice");
    fails(
        sketch(&recipe.replace("secret/", "../")),
        "generate.case is \"../03-big\", but must be a test's name",
    );
    fails(sketch(&recipe.replace("case", "kase")), "generate.case is \"missing\"");
    fails(sketch("generate = 1\n"), "generate is 1, but must be a list of tables");
    fails(sketch(&recipe.replace("[\"9\"]", "9")), "generate.args is 9, but must be a list of texts");
}

#[test]
fn rules_of_feedback_are_read_and_what_is_wrong_in_them_is_named() {
    let sketch = |lines: &str| Sketch::legacy().with("codementor.toml", format!("[feedback]\n{lines}"));
    assert_eq!(sound(&Sketch::legacy()).feedback, FeedbackRules::default());
    assert_eq!(sound(&sketch("")).feedback, FeedbackRules::default());
    let all = sound(&sketch("policy = \"off\"\nsteps = 4\nhold = false\ncomment = true\n")).feedback;
    let expected = FeedbackRules {
        policy: Some(FeedbackPolicy::Off),
        steps: Some(4),
        hold: Some(false),
        comment: Some(true),
    };
    assert_eq!(all, expected);
    warns(sketch("colour = 1\n"), "codementor.toml: feedback.colour is not a key");
    for (lines, expected) in [
        (
            "policy = \"Full\"",
            "codementor.toml: feedback.policy is \"Full\", but must be \"off\", \"hints\" or \"full\"",
        ),
        ("policy = true", "feedback.policy is true, but must be"),
        ("steps = 0", "feedback.steps is 0, but must be a number from 1 to 10"),
        ("steps = 11", "feedback.steps is 11, but must be"),
        ("steps = \"3\"", "feedback.steps is \"3\", but must be"),
        ("hold = \"yes\"", "feedback.hold is \"yes\", but must be true or false"),
        ("comment = 1", "feedback.comment is 1, but must be true or false"),
    ] {
        fails(sketch(lines), expected);
    }
    let text = Sketch::legacy().with("codementor.toml", "feedback = \"off\"\n");
    fails(text, "codementor.toml: feedback is \"off\", but must be a table, begun by [feedback]");
}
