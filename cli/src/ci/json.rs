//! What `--json` prints: one object with everything that was graded.

use codementor_protocol::{Diagnostic, Points, SCHEMA_VERSION, Verdict};
use serde::Serialize;
use serde_json::{Value, json};

use crate::ci::graded::{Ending, Graded, Problem, Test};
use crate::ci::log;
use crate::sanitize;

/// The object, on one line. Points are texts, as everywhere, so that nothing is rounded.
pub fn render(graded: &Graded, threshold: Option<Points>) -> String {
    let score = graded.score();
    let object = json!({
        "v": SCHEMA_VERSION,
        "name": graded.name,
        "score": text(score.map(|score| score.got)),
        "max_score": text(score.map(|score| score.most)),
        "threshold": text(threshold),
        "passed": graded.passes(threshold),
        "verdict": graded.token(),
        "exit_code": graded.status(threshold).code(),
        "elapsed_ms": graded.elapsed_ms,
        "problems": graded.problems.iter().map(problem).collect::<Vec<Value>>(),
    });
    log::json(&sanitize::json(&format!("{object}\n")))
}

fn text(points: Option<Points>) -> Value {
    points.map_or(Value::Null, |points| Value::String(points.to_string()))
}

fn problem(problem: &Problem) -> Value {
    let score = problem.score();
    let (code, message) = match &problem.ending {
        Ending::Judged(_) => (None, None),
        Ending::Unsent { reason, .. } => (None, Some(reason)),
        Ending::Ungraded { code, message, .. } => (Some(code), Some(message)),
    };
    let result = match &problem.ending {
        Ending::Judged(result) => Some(result),
        Ending::Unsent { .. } | Ending::Ungraded { .. } => None,
    };
    let diagnostics: Vec<&Diagnostic> = problem.diagnostics().map(|(found, _)| found).collect();
    json!({
        "problem": problem.name,
        "submission": problem.submission,
        "lang": problem.language,
        "late": problem.late,
        "late_percent": problem.late_percent,
        "verdict": problem.token(),
        "score": text(score.map(|score| score.got)),
        "max_score": text(score.map(|score| score.most)),
        "passed": result.and_then(|result| result.passed),
        "total": result.map(|result| result.total),
        "code": code,
        "message": message,
        "files": problem.files.iter().map(|source| &source.path).collect::<Vec<&String>>(),
        "diagnostics": diagnostics,
        "tests": problem.tests.iter().map(test).collect::<Vec<Row>>(),
    })
}

#[derive(Serialize)]
struct Row<'a> {
    index: u32,
    name: Option<&'a str>,
    group: &'a str,
    visibility: &'static str,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_kib: Option<u64>,
}

fn test(test: &Test) -> Row<'_> {
    let seen = test.seen.as_ref();
    Row {
        index: test.index,
        name: seen.and_then(|seen| seen.name.as_deref()),
        group: &test.group,
        visibility: if seen.is_some() { "sample" } else { "hidden" },
        verdict: test.verdict,
        time_ms: seen.map(|seen| seen.time_ms),
        memory_kib: seen.map(|seen| seen.memory_kib),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::sample;

    #[test]
    fn everything_is_one_object_on_one_line() {
        let text = render(&sample::graded(), "60".parse().ok());
        let object: Value = serde_json::from_str(&text).expect("is JSON");
        insta::assert_snapshot!(serde_json::to_string_pretty(&object).expect("is JSON"));
        let text = render(&sample::hostile(), None);
        assert_eq!(text.lines().count(), 1);
        assert!(!text.contains("##") && text.starts_with('{'), "{text}");
        let object: Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(object["problems"][0]["problem"], sample::hostile().problems[0].name.as_str());
    }
}
