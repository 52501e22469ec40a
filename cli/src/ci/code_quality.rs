//! GitLab's Code Quality report: what the compiler says of the student's files, shown beside the changes of a merge
//! request.

use std::collections::HashMap;

use codementor_protocol::Severity;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::ci::graded::Graded;
use crate::sanitize;

/// The longest description, in characters.
const LONGEST: usize = 4096;

#[derive(Serialize)]
struct Finding {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The report.
pub fn render(graded: &Graded) -> String {
    let mut times: HashMap<[u8; 32], u32> = HashMap::new();
    let mut findings = Vec::new();
    for problem in &graded.problems {
        for (found, path) in problem.diagnostics() {
            let severity = match found.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
                Severity::Note => continue,
            };
            // What is said of a file that is not the student's has no place in the repository.
            let Some(path) = path else { continue };
            let path = sanitize::line(path).into_owned();
            let description: String = sanitize::line(found.message.trim()).chars().take(LONGEST).collect();
            // The line is left out, so that a finding stays the same one when the lines before it change; which of
            // several equal ones it is, counts instead.
            let same = digest(&[&problem.name, &path, severity, &description]);
            let time = times.entry(same).or_default();
            *time += 1;
            let fingerprint = digest(&[&data_encoding::HEXLOWER.encode(&same), &time.to_string()]);
            findings.push(Finding {
                description,
                check_name: format!(
                    "compile/{}",
                    problem.language.as_ref().map_or("program", |id| id.as_str())
                ),
                fingerprint: data_encoding::HEXLOWER.encode(&fingerprint),
                severity,
                location: Location { path, lines: Lines { begin: found.line.max(1) } },
            });
        }
    }
    // Texts and numbers always are JSON.
    let mut text = serde_json::to_string_pretty(&findings).unwrap_or_else(|_| "[]".into());
    text.push('\n');
    text
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;
    use crate::ci::sample;

    /// The rules by which GitLab reads the report.
    fn check(text: &str) -> Vec<Value> {
        let findings: Vec<Value> = serde_json::from_str(text).expect("is an array");
        let mut seen = HashSet::new();
        for finding in &findings {
            let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
            assert!(text(&finding["description"]).is_some() && text(&finding["check_name"]).is_some());
            assert!(
                seen.insert(text(&finding["fingerprint"]).expect("it has one")),
                "fingerprints are unique"
            );
            let severity = text(&finding["severity"]).expect("it has one");
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity.as_str()));
            let path = text(&finding["location"]["path"]).expect("it has a path");
            assert!(!path.starts_with("./") && !path.starts_with('/'), "{path}");
            assert!(finding["location"]["lines"]["begin"].as_u64().is_some_and(|line| line >= 1));
        }
        findings
    }

    #[test]
    fn a_report_is_what_gitlab_wants() {
        let text = render(&sample::graded());
        check(&text);
        insta::assert_snapshot!(text);
        check(&render(&sample::hostile()));
        // Fifty times the same words in the same file.
        assert_eq!(check(&render(&sample::many_errors(50))).len(), 50);
    }
}
