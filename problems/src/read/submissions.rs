//! The example submissions and what the package promises about them.

use std::collections::{BTreeMap, BTreeSet};

use super::load_yaml;
use crate::defect::{Place, WarningKind};
use crate::files::Files;
use crate::package::{Constants, Expectation, Format, NamedFile, Outcome, Submission, TimeLimitUse};
use crate::submissions::matches_path;
use crate::yaml::{Map, Node, Notes};

/// The file that says more than the folders do.
const FILE: &str = "submissions/submissions.yaml";

/// The folders in which DOMjudge ignores expected results that stand in the source.
const STANDARD: [&str; 4] = ["accepted", "wrong_answer", "time_limit_exceeded", "run_time_error"];

/// What marks expected results in a source file.
const TAG: &[u8] = b"@EXPECTED_RESULTS@:";

/// The largest source file that is searched for the mark.
const MAX_SEARCHED_BYTES: u64 = 1 << 20;

/// Reads the submissions in the order of their names.
pub(super) fn read(files: &Files, format: Format, notes: &mut Notes) -> Vec<Submission> {
    let mut submissions = list(files, notes);
    for submission in &mut submissions {
        let tagged = if STANDARD.contains(&submission.directory.as_str()) {
            None
        } else {
            tagged(files, submission, notes)
        };
        let by_folder = || by_folder(&submission.directory, format);
        let expectation = tagged.or_else(by_folder).unwrap_or_else(Expectation::anything);
        submission.expectations = vec![expectation];
    }
    let unknown: BTreeSet<_> = submissions
        .iter()
        .map(|submission| submission.directory.clone())
        .filter(|directory| by_folder(directory, format).is_none() && directory != "mixed")
        .collect();
    let mut described = BTreeSet::new();
    if let Some(node) = load_yaml(files, FILE, &Constants::default(), notes) {
        described = apply(&node, &mut submissions, format, notes);
    }
    for directory in unknown.difference(&described) {
        let place = Place::file(format!("submissions/{directory}"));
        notes.warn(place, WarningKind::UnknownSubmissionFolder);
    }
    let promised = |s: &Submission| s.expectations.iter().any(|e| e.permitted.iter().eq([&Outcome::Ac]));
    if !submissions.iter().any(promised) {
        notes.warn(Place::package(), WarningKind::NoAcceptedSubmission);
    }
    submissions
}

/// Each file or folder in a folder under `submissions`.
fn list(files: &Files, notes: &mut Notes) -> Vec<Submission> {
    let mut found: BTreeMap<(String, String), Vec<NamedFile>> = BTreeMap::new();
    for (path, file) in files.under("submissions") {
        let mut parts = path.splitn(3, '/');
        let (Some(directory), Some(name)) = (parts.next(), parts.next()) else {
            match path {
                "submissions.yaml" => {}
                "submissions.json" => notes.warn(Place::file(file.name), WarningKind::ForeignSettings),
                _ => notes.warn(Place::file(file.name), WarningKind::LooseSubmission),
            }
            continue;
        };
        let inner = parts.next();
        if inner.is_none() && name.to_ascii_lowercase().starts_with("readme") {
            continue;
        }
        let path = inner.unwrap_or(name).to_owned();
        found.entry((directory.to_owned(), name.to_owned())).or_default().push(NamedFile { path, file });
    }
    found
        .into_iter()
        .map(|((directory, name), files)| Submission {
            name: format!("{directory}/{name}"),
            directory,
            files,
            language: None,
            entrypoint: None,
            model_solution: false,
            expectations: Vec::new(),
        })
        .collect()
}

/// What a folder promises. `None` if it is none that is known.
fn by_folder(directory: &str, format: Format) -> Option<Expectation> {
    use Outcome::{Ac, Ce, Rte, Tle, Wa};
    let any = &[Ac, Wa, Tle, Rte][..];
    let (permitted, required): (&[Outcome], &[Outcome]) = match directory {
        "accepted" => (&[Ac], &[]),
        "wrong_answer" | "no_output" => (&[Ac, Wa], &[Wa]),
        "time_limit_exceeded" if format.is_legacy() => (&[Ac, Wa, Tle], &[Tle]),
        "time_limit_exceeded" => (&[Ac, Tle], &[Tle]),
        "run_time_error" | "runtime_error" | "output_limit" | "memory_limit" => (&[Ac, Rte], &[Rte]),
        "compiler_error" => (&[Ce], &[Ce]),
        "rejected" => (any, &[Wa, Tle, Rte]),
        "brute_force" => (&[Ac, Rte, Tle], &[Rte, Tle]),
        "partially_accepted" if format.is_legacy() => (any, &[]),
        _ => return None,
    };
    // Before 2023-07 only accepted submissions bounded the time limit from below.
    let bounds = !format.is_legacy() || ["accepted", "time_limit_exceeded"].contains(&directory);
    Some(Expectation {
        permitted: permitted.iter().copied().collect(),
        required: required.iter().copied().collect(),
        time_limit: if bounds { TimeLimitUse::Implied } else { TimeLimitUse::No },
        ..Expectation::anything()
    })
}

/// What DOMjudge's mark in a source file promises about how the submission ends.
fn tagged(files: &Files, submission: &Submission, notes: &mut Notes) -> Option<Expectation> {
    for NamedFile { file, .. } in submission.files.iter().filter(|f| f.file.size <= MAX_SEARCHED_BYTES) {
        // A file that cannot be read fails with a better message where it is needed.
        let text = files.read(&file.name).unwrap_or_default();
        let Some(at) = text.windows(TAG.len()).position(|window| window == TAG) else { continue };
        let line = text[at + TAG.len()..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        // A comment may end on the same line.
        let line = line.split("*/").next().unwrap_or_default().split("-->").next().unwrap_or_default();
        let number = text[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        let mut ends = BTreeSet::new();
        for word in line.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match outcome(word) {
                Some(outcome) => {
                    ends.insert(outcome);
                }
                None => notes.warn(
                    Place::line(&file.name, number),
                    WarningKind::UnknownResult(word.chars().take(60).collect()),
                ),
            }
        }
        if ends.is_empty() {
            continue;
        }
        // Judging ends with the first test that is not accepted, so that those before it were.
        let mut permitted = ends.clone();
        if ends.iter().any(|end| *end != Outcome::Ce) {
            permitted.insert(Outcome::Ac);
        }
        let required = if ends.contains(&Outcome::Ac) { BTreeSet::new() } else { ends };
        let time_limit = TimeLimitUse::No;
        return Some(Expectation { permitted, required, time_limit, ..Expectation::anything() });
    }
    None
}

/// A result by any of the names that packages use for it.
fn outcome(name: &str) -> Option<Outcome> {
    Some(match name.to_ascii_uppercase().replace(['_', ' '], "-").as_str() {
        "AC" | "CORRECT" | "ACCEPTED" => Outcome::Ac,
        "WA" | "WRONG-ANSWER" | "NO-OUTPUT" => Outcome::Wa,
        "TLE" | "TIMELIMIT" | "TIME-LIMIT" | "TIME-LIMIT-EXCEEDED" => Outcome::Tle,
        "RTE" | "RUN-ERROR" | "RUN-TIME-ERROR" | "RUNTIME-ERROR" => Outcome::Rte,
        "MLE"
        | "OLE"
        | "MEMORY-LIMIT"
        | "MEMORY-LIMIT-EXCEEDED"
        | "OUTPUT-LIMIT"
        | "OUTPUT-LIMIT-EXCEEDED" => Outcome::Rte,
        "CE" | "COMPILER-ERROR" | "COMPILE-ERROR" => Outcome::Ce,
        _ => return None,
    })
}

/// Applies submissions.yaml, and says which folders it describes as a whole.
fn apply(node: &Node, submissions: &mut [Submission], format: Format, notes: &mut Notes) -> BTreeSet<String> {
    let mut described = BTreeSet::new();
    let mut map = Map::open(FILE, "", node, notes);
    for pattern in map.keys() {
        let place = map.place(pattern);
        let Some(node) = map.take(pattern, notes) else { continue };
        let mut entry = Map::open(FILE, pattern, node, notes);
        let directory = pattern.trim_end_matches('/');
        let is_directory = !directory.contains(['/', '*', '{']);
        let language = entry.string("language", notes);
        let entrypoint = entry.string("entrypoint", notes);
        let model_solution = entry.boolean("model_solution", notes);
        entry.skip(&["authors"]);
        let base = by_folder(directory, format).filter(|_| is_directory).unwrap_or_else(run_anything);
        let whole = expectation(&mut entry, None, base, notes);
        let mut expectations: Vec<_> = whole.into_iter().collect();
        for tests in entry.keys() {
            // A key whose value is no map is not a pattern for tests, and is left to be called unknown.
            let Some(inner) = entry.map_value(tests) else { continue };
            entry.skip(&[tests]);
            let mut inner = Map::open(FILE, tests, inner, notes);
            expectations.extend(expectation(&mut inner, Some(tests), run_anything(), notes));
            inner.finish(notes);
        }
        entry.finish(notes);
        let mut used = false;
        for submission in submissions.iter_mut().filter(|s| matches_path(directory, &s.name)) {
            used = true;
            if is_directory && submission.directory == directory {
                described.insert(directory.to_owned());
                if expectations.iter().any(|expectation| expectation.tests.is_none()) {
                    // The folder's own name replaces what it promises by default; any other pattern adds to it.
                    submission.expectations.clear();
                }
            }
            submission.expectations.extend(expectations.iter().cloned());
            submission.language = language.clone().or(submission.language.take());
            submission.entrypoint = entrypoint.clone().or(submission.entrypoint.take());
            submission.model_solution = model_solution.unwrap_or(submission.model_solution);
        }
        if !used {
            notes.warn(place, WarningKind::UnusedPattern(pattern.to_owned()));
        }
    }
    described
}

/// Whatever may happen to a program that compiles.
fn run_anything() -> Expectation {
    let mut anything = Expectation::anything();
    anything.permitted.remove(&Outcome::Ce);
    anything
}

/// Reads what an entry promises. `None` if it promises nothing.
fn expectation(
    map: &mut Map<'_>,
    tests: Option<&str>,
    base: Expectation,
    notes: &mut Notes,
) -> Option<Expectation> {
    let keys = ["permitted", "required", "message", "use_for_time_limit"];
    map.scoring(&["score"], notes);
    if !keys.iter().any(|key| map.has(key)) {
        return None;
    }
    let mut outcomes = |key: &str| {
        let place = map.place(key);
        let words = map.strings(key, notes)?;
        let mut outcomes = BTreeSet::new();
        for word in words {
            match outcome(&word) {
                Some(outcome) => {
                    outcomes.insert(outcome);
                }
                None => notes.warn(place.clone(), WarningKind::UnknownResult(word)),
            }
        }
        (!outcomes.is_empty()).then_some(outcomes)
    };
    let (permitted, required) = (outcomes("permitted"), outcomes("required"));
    let time_limit = map.take("use_for_time_limit", notes).and_then(|node| {
        match node.text().map(str::to_ascii_lowercase).as_deref() {
            Some("lower") => Some(TimeLimitUse::Lower),
            Some("upper") => Some(TimeLimitUse::Upper),
            Some("true" | "yes" | "on") => Some(TimeLimitUse::Implied),
            Some("false" | "no" | "off") => Some(TimeLimitUse::No),
            _ => map.bad("use_for_time_limit", node, "true, false, lower or upper", notes),
        }
    });
    Some(Expectation {
        tests: tests.map(str::to_owned),
        permitted: permitted.unwrap_or(base.permitted),
        required: required.unwrap_or(base.required),
        message: map.string("message", notes),
        time_limit: time_limit.unwrap_or(base.time_limit),
    })
}
