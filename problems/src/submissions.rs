//! What is promised about example submissions, and whether it was kept.

use std::collections::BTreeSet;

use crate::package::{Expectation, Outcome, Submission, TimeLimitUse};

/// The most patterns that the braces of one pattern may stand for.
const MAX_ALTERNATIVES: usize = 256;

/// Results that a program can end in on a test.
const RUN: [Outcome; 4] = [Outcome::Ac, Outcome::Wa, Outcome::Tle, Outcome::Rte];

/// A promise about a submission that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A test ended in what is not permitted.
    #[error("{submission}: {case} ended in {found}, but only {} may happen", list(.permitted))]
    NotPermitted {
        /// The submission.
        submission: String,
        /// The test.
        case: String,
        /// How it ended.
        found: Outcome,
        /// What may happen.
        permitted: BTreeSet<Outcome>,
    },
    /// No test ended in what is required.
    #[error("{submission}: no test ended in {}", list(.required))]
    NotReached {
        /// The submission.
        submission: String,
        /// What should have happened.
        required: BTreeSet<Outcome>,
    },
}

impl Submission {
    /// Compares what happened with what was promised. A submission that does not compile has the one result
    /// `("compilation", Outcome::Ce)`. Judging may have stopped at the first test that was not accepted.
    pub fn check(&self, results: &[(&str, Outcome)]) -> Result<(), Broken> {
        for expectation in &self.expectations {
            let about: Vec<_> = results.iter().filter(|(case, _)| expectation.is_about(case)).collect();
            if let Some((case, found)) =
                about.iter().find(|(_, found)| !expectation.permitted.contains(found))
            {
                return Err(Broken::NotPermitted {
                    submission: self.name.clone(),
                    case: (*case).to_owned(),
                    found: *found,
                    permitted: expectation.permitted.clone(),
                });
            }
            let reached = about.iter().any(|(_, found)| expectation.required.contains(found));
            if !expectation.required.is_empty() && !reached {
                return Err(Broken::NotReached {
                    submission: self.name.clone(),
                    required: expectation.required.clone(),
                });
            }
        }
        Ok(())
    }

    /// Whether the time limit must let this submission pass: the slowest of its tests is a lower bound.
    pub fn bounds_time_limit_below(&self) -> bool {
        self.expectations.iter().any(|expectation| match expectation.time_limit {
            TimeLimitUse::Implied => {
                !expectation.permitted.contains(&Outcome::Tle)
                    && RUN.iter().any(|outcome| expectation.permitted.contains(outcome))
            }
            TimeLimitUse::Lower => true,
            TimeLimitUse::No | TimeLimitUse::Upper => false,
        })
    }

    /// Whether the time limit must stop this submission: the slowest of its tests is an upper bound.
    pub fn bounds_time_limit_above(&self) -> bool {
        self.expectations.iter().any(|expectation| match expectation.time_limit {
            TimeLimitUse::Implied => expectation.required.iter().eq([&Outcome::Tle]),
            TimeLimitUse::Upper => true,
            TimeLimitUse::No | TimeLimitUse::Lower => false,
        })
    }
}

impl Expectation {
    /// Everything may happen, nothing must.
    pub fn anything() -> Self {
        Self {
            tests: None,
            permitted: RUN.into_iter().chain([Outcome::Ce]).collect(),
            required: BTreeSet::new(),
            message: None,
            time_limit: TimeLimitUse::Implied,
        }
    }

    /// Whether this is about a test.
    pub fn is_about(&self, case: &str) -> bool {
        self.tests.as_ref().is_none_or(|pattern| matches_path(pattern, case))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ac => "AC",
            Self::Wa => "WA",
            Self::Tle => "TLE",
            Self::Rte => "RTE",
            Self::Ce => "CE",
        })
    }
}

fn list(outcomes: &BTreeSet<Outcome>) -> String {
    outcomes.iter().map(Outcome::to_string).collect::<Vec<_>>().join(" or ")
}

/// Whether a pattern fits a path or a folder that it is in. `*` stops at `/`; braces hold alternatives.
pub(crate) fn matches_path(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_end_matches('/');
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let prefixes: Vec<_> = ends.map(|end| &path[..end]).collect();
    expand(pattern).is_some_and(|patterns| {
        patterns.iter().any(|pattern| prefixes.iter().any(|prefix| matches_whole(pattern, prefix)))
    })
}

fn matches_whole(pattern: &str, path: &str) -> bool {
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(|(pattern, part)| matches_part(pattern, part))
}

/// Matches one part of a path, with `*` for any characters.
fn matches_part(pattern: &str, part: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == part };
    let Some(mut part) = part.strip_prefix(first) else { return false };
    let mut pieces = rest.split('*').peekable();
    // The earliest place for each piece leaves the most for those after it; the last one stands at the end.
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return part.ends_with(piece);
        }
        match part.find(piece) {
            Some(at) => part = &part[at + piece.len()..],
            None => return false,
        }
    }
    true
}

/// The patterns that one with braces stands for. `None` if there are too many.
fn expand(pattern: &str) -> Option<Vec<String>> {
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(pattern) = open.pop() {
        // The innermost pair comes first: the first `}` and the last `{` before it.
        let pair = pattern.find('}').and_then(|end| Some((pattern[..end].rfind('{')?, end)));
        match pair {
            None => done.push(pattern),
            Some((start, end)) => open.extend(
                pattern[start + 1..end]
                    .split(',')
                    .map(|choice| format!("{}{choice}{}", &pattern[..start], &pattern[end + 1..])),
            ),
        }
        if open.len() + done.len() > MAX_ALTERNATIVES {
            return None;
        }
    }
    Some(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_the_format_says() {
        for (pattern, path, fits) in [
            ("accepted", "accepted/sum.py", true),
            ("accepted/", "accepted/sum.py", true),
            ("accepted/*", "accepted/sum.py", true),
            ("accepted/*", "accepted", false),
            ("*", "accepted/sum.py", true),
            ("*.py", "accepted/sum.py", false),
            ("*/*.py", "accepted/sum.py", true),
            ("*/*.py", "accepted/sum.cpp", false),
            ("accepted/s*m*.py", "accepted/sum.py", true),
            ("accepted/s*m*x.py", "accepted/sum.py", false),
            ("accepted/sum*sum.py", "accepted/sum.py", false),
            ("{accepted,wrong_answer}/sum.{py,cpp}", "wrong_answer/sum.cpp", true),
            ("{accepted,wrong_answer}/sum.{py,cpp}", "rejected/sum.cpp", false),
            ("secret/*-easy", "secret/1-easy", true),
            ("secret/{a{1,2},b}", "secret/a2/01", true),
            ("secret/group", "secret/group2/01", false),
            ("a{b", "a{b", true),
        ] {
            assert_eq!(matches_path(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn braces_cannot_multiply_without_end() {
        assert!(!matches_path(&"{a,b}".repeat(40), &"a".repeat(40)));
    }

    #[test]
    fn promises_are_checked() {
        use Outcome::{Ac, Ce, Rte, Tle, Wa};
        let promise = |tests: Option<&str>, permitted: &[Outcome], required: &[Outcome]| Expectation {
            tests: tests.map(str::to_owned),
            permitted: permitted.iter().copied().collect(),
            required: required.iter().copied().collect(),
            ..Expectation::anything()
        };
        let all = |permitted: &[Outcome], required: &[Outcome]| vec![promise(None, permitted, required)];
        for (expectations, results, kept) in [
            (all(&[Ac], &[]), &[("secret/1", Ac)][..], true),
            (all(&[Ac], &[]), &[("secret/1", Ac), ("secret/2", Wa)], false),
            (all(&[Ac, Wa], &[Wa]), &[("secret/1", Ac), ("secret/2", Wa)], true),
            (all(&[Ac, Wa], &[Wa]), &[("secret/1", Ac)], false),
            (all(&[Ac, Wa], &[Wa]), &[("secret/1", Rte)], false),
            (all(&[Ac, Rte, Tle], &[Rte, Tle]), &[("secret/1", Tle)], true),
            (all(&[Ce], &[Ce]), &[("compilation", Ce)], true),
            (all(&[Ac], &[]), &[("compilation", Ce)], false),
            (vec![promise(Some("secret/a"), &[Ac], &[])], &[("secret/b/1", Wa)], true),
            (vec![promise(Some("secret/a"), &[Ac], &[])], &[("secret/a/1", Wa)], false),
        ] {
            let submission = Submission {
                name: "x.py".into(),
                directory: "x".into(),
                files: Vec::new(),
                language: None,
                entrypoint: None,
                model_solution: false,
                expectations: expectations.clone(),
            };
            assert_eq!(submission.check(results).is_ok(), kept, "{expectations:?} {results:?}");
        }
    }
}
