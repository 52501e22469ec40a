//! The encoding of GitHub Classroom's autograders: base64 of JSON, which its reporter reads from an environment variable.
//!
//! The reporter adds up the scores of the tests, so a test is what is worth points as a whole: a problem.

use serde::Serialize;
use serde_json::Number;

use crate::ci::graded::{Ending, Graded, Problem};
use crate::ci::{log, number};

/// The variable that the reporter looks for when it is told of a runner `codementor`.
pub const VARIABLE: &str = "CODEMENTOR_RESULTS";

#[derive(Serialize)]
struct Results {
    version: u8,
    status: &'static str,
    max_score: Number,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    status: &'static str,
    score: Number,
    message: String,
    test_code: String,
    filename: String,
    line_no: u32,
    execution_time: u64,
}

/// The encoded results; none where there is no grade, since the reporter would take an error for a zero.
pub fn render(graded: &Graded) -> Option<String> {
    let score = graded.score()?;
    let tests: Option<Vec<Test>> = graded.problems.iter().map(test).collect();
    let results = Results {
        version: 1,
        status: status(graded.problems.iter().all(Problem::accepted)),
        max_score: number(score.most),
        tests: tests?,
    };
    let text = serde_json::to_vec(&results).ok()?;
    Some(data_encoding::BASE64.encode(&text))
}

fn status(passed: bool) -> &'static str {
    if passed { "pass" } else { "fail" }
}

fn test(problem: &Problem) -> Option<Test> {
    let place = problem.errors().find_map(|(found, path)| path.map(|path| (path, found.line)));
    let message = match &problem.ending {
        Ending::Judged(_) if problem.accepted() => String::new(),
        Ending::Judged(result) => match problem.first_failure() {
            Some(failure) => format!("{} (first failure: {})", result.verdict, log::line(&failure.name())),
            None => result.verdict.to_string(),
        },
        Ending::Unsent { reason, .. } => log::line(reason),
        Ending::Ungraded { .. } => return None,
    };
    Some(Test {
        name: log::line(&problem.name),
        status: status(problem.accepted()),
        score: number(problem.score()?.got),
        message,
        test_code: "codementor ci grade".into(),
        filename: place.map(|(path, _)| log::line(path)).unwrap_or_default(),
        line_no: place.map_or(0, |(_, line)| line),
        execution_time: problem.elapsed_ms / 1000,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ci::sample;
    use crate::error::ExitStatus;

    /// Reads what the reporter reads, as it does.
    fn decode(text: &str) -> Value {
        assert!(!text.contains(['\n', ' ']), "one line of an environment file");
        let bytes = data_encoding::BASE64.decode(text.as_bytes()).expect("is base64");
        let results: Value = serde_json::from_slice(&bytes).expect("is JSON");
        assert_eq!(results["version"], 1);
        assert!(["pass", "fail", "error"].contains(&results["status"].as_str().expect("a text")));
        let most = results["max_score"].as_f64().expect("without it the reporter drops all of it");
        let tests = results["tests"].as_array().expect("an array");
        let sum: f64 = tests.iter().map(|test| test["score"].as_f64().expect("a number")).sum();
        assert!(sum <= most, "{sum} of {most}");
        for test in tests {
            assert!(["pass", "fail", "error"].contains(&test["status"].as_str().expect("a text")));
            for name in ["name", "message", "test_code", "filename"] {
                // The reporter prints messages raw.
                let text = test[name].as_str().expect("a text");
                assert!(
                    !text.contains('\n') && !text.trim_start().starts_with("::") && !text.contains("##[")
                );
            }
            assert!(test["line_no"].is_u64() && test["execution_time"].is_u64());
        }
        results
    }

    #[test]
    fn the_reporter_reads_the_scores() {
        let results = decode(&render(&sample::graded()).expect("there is a grade"));
        insta::assert_snapshot!(serde_json::to_string_pretty(&results).expect("is JSON"));
        decode(&render(&sample::hostile()).expect("there is a grade"));
    }

    #[test]
    fn without_a_grade_nothing_is_reported() {
        let graded = Graded { problems: vec![sample::ungraded("a", ExitStatus::Later)], ..sample::graded() };
        assert_eq!(render(&graded), None);
    }
}
