//! Gradescope's `results.json`.

use serde::Serialize;
use serde_json::{Number, Value, json};

use crate::ci::graded::{Ending, Graded, Problem, Test};
use crate::ci::{log, number};
use crate::render::words;
use crate::sanitize;

/// How many tests of a problem are listed.
const MOST: usize = 500;

#[derive(Serialize)]
struct Results {
    score: Number,
    execution_time: f64,
    output: String,
    output_format: &'static str,
    test_output_format: &'static str,
    test_name_format: &'static str,
    visibility: &'static str,
    stdout_visibility: &'static str,
    extra_data: Value,
    tests: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_score: Option<Number>,
    status: &'static str,
    name: String,
    number: String,
    output: String,
    visibility: &'static str,
}

/// The file; none where there is no grade: Gradescope then says that the autograder failed, and not the student.
pub fn render(graded: &Graded) -> Option<String> {
    let score = graded.score()?;
    let mut tests = Vec::new();
    for (place, problem) in (1..).zip(&graded.problems) {
        let points = problem.score()?;
        tests.push(Entry {
            score: Some(number(points.got)),
            max_score: Some(number(points.most)),
            status: status(problem.accepted()),
            name: sanitize::line(&problem.name).into_owned(),
            number: place.to_string(),
            output: output(problem),
            visibility: "visible",
        });
        let listed = problem.tests.iter().take(MOST);
        tests.extend(listed.map(|test| entry(place, test)));
    }
    let problems: Vec<Value> = graded
        .problems
        .iter()
        .map(|problem| json!({ "problem": problem.name, "submission": problem.submission, "verdict": problem.token() }))
        .collect();
    let results = Results {
        score: number(score.got),
        execution_time: graded.elapsed_ms as f64 / 1000.0,
        output: format!("{}: {} of {} points", sanitize::line(&graded.name), score.got, score.most),
        output_format: "text",
        test_output_format: "text",
        test_name_format: "text",
        visibility: "visible",
        // What the script prints is for instructors.
        stdout_visibility: "hidden",
        extra_data: json!({ "codementor": problems }),
        tests,
    };
    let mut text = serde_json::to_string_pretty(&results).ok()?;
    text.push('\n');
    Some(text)
}

fn status(passed: bool) -> &'static str {
    if passed { "passed" } else { "failed" }
}

fn output(problem: &Problem) -> String {
    match &problem.ending {
        Ending::Judged(_) if !problem.compiles() => {
            format!("{}\n{}", problem.token(), sanitize::text(&log::compiler(problem)))
        }
        Ending::Judged(result) => {
            let passed =
                result.passed.map(|passed| format!(": {passed} of {}", count!(result.total.into(), "test")));
            let late = problem.lateness().map(|late| format!("; {late}")).unwrap_or_default();
            format!("{}{}{late}", result.verdict, passed.unwrap_or_default())
        }
        Ending::Unsent { reason, .. } => sanitize::text(reason).into_owned(),
        Ending::Ungraded { message, .. } => sanitize::text(message).into_owned(),
    }
}

/// A test without points of its own.
fn entry(place: usize, test: &Test) -> Entry {
    let output = match &test.seen {
        None => test.verdict.to_string(),
        Some(seen) => {
            let reason = seen.reason.as_ref().map(|reason| format!(": {}", sanitize::line(reason)));
            let (time, memory) = (words::duration(seen.time_ms), words::memory(seen.memory_kib));
            format!("{}{} ({time}, {memory})", test.verdict, reason.unwrap_or_default())
        }
    };
    Entry {
        score: None,
        max_score: None,
        status: status(!test.failed()),
        name: sanitize::line(&test.name()).into_owned(),
        number: format!("{place}.{}", test.index),
        output,
        visibility: "visible",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::sample;
    use crate::error::ExitStatus;

    /// The rules by which Gradescope reads the file.
    fn check(text: &str) {
        let results: Value = serde_json::from_str(text).expect("is JSON");
        let object = results.as_object().expect("an object");
        #[rustfmt::skip]
        let known = ["score", "execution_time", "output", "output_format", "test_output_format", "test_name_format",
            "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"];
        assert!(object.keys().all(|key| known.contains(&key.as_str())), "{text}");
        assert!(results["score"].is_number() && results["execution_time"].is_number());
        let formats = ["text", "html", "simple_format", "md", "ansi"];
        let visibilities = ["visible", "hidden", "after_due_date", "after_published"];
        for key in ["output_format", "test_output_format", "test_name_format"] {
            assert!(formats.contains(&results[key].as_str().expect("a text")));
        }
        for key in ["visibility", "stdout_visibility"] {
            assert!(visibilities.contains(&results[key].as_str().expect("a text")));
        }
        let mut sum = 0.0;
        for test in results["tests"].as_array().expect("an array") {
            #[rustfmt::skip]
            let known = ["score", "max_score", "status", "name", "name_format", "number", "output", "output_format",
                "tags", "visibility", "extra_data"];
            assert!(test.as_object().expect("an object").keys().all(|key| known.contains(&key.as_str())));
            assert!(["passed", "failed"].contains(&test["status"].as_str().expect("a text")));
            assert!(visibilities.contains(&test["visibility"].as_str().expect("a text")));
            assert!(test["name"].is_string() && test["number"].is_string() && test["output"].is_string());
            let (score, most) = (test["score"].as_f64(), test["max_score"].as_f64());
            assert_eq!(score.is_some(), most.is_some());
            assert!(score <= most);
            sum += score.unwrap_or(0.0);
        }
        assert_eq!(results["score"].as_f64(), Some(sum), "the two ways to add up agree");
    }

    #[test]
    fn the_file_is_what_gradescope_wants() {
        let text = render(&sample::graded()).expect("there is a grade");
        check(&text);
        insta::assert_snapshot!(text);
        check(&render(&sample::hostile()).expect("there is a grade"));
    }

    #[test]
    fn our_fault_leaves_no_file_and_a_students_does() {
        for status in
            [ExitStatus::OurFault, ExitStatus::Unreachable, ExitStatus::Later, ExitStatus::StillRunning]
        {
            let problems = vec![
                sample::judged("right", codementor_protocol::Verdict::Accepted, "100"),
                sample::ungraded("fault", status),
            ];
            assert_eq!(render(&Graded { problems, ..sample::graded() }), None);
        }
        let graded = Graded { problems: vec![sample::unsent("sum", true)], ..sample::graded() };
        check(&render(&graded).expect("a student without a file has no points"));
    }
}
