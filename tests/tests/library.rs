//! Every submission of every problem of the library is judged, and ends as its folder promises.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use codementor_problems::package::{Outcome, Submission};
use codementor_problems::read;
use codementor_tests::{Home, Ran, home, library};

/// What the package format calls a verdict of ours.
fn outcome(verdict: &str) -> Outcome {
    match verdict {
        "ACCEPTED" => Outcome::Ac,
        "WRONG_ANSWER" => Outcome::Wa,
        "TIME_LIMIT" => Outcome::Tle,
        "COMPILE_ERROR" => Outcome::Ce,
        // The format knows no verdicts for memory and output.
        "RUNTIME_ERROR" | "MEMORY_LIMIT" | "OUTPUT_LIMIT" => Outcome::Rte,
        other => panic!("no verdict: {other}"),
    }
}

/// What a submission's folder promises and does not hold.
fn broken_promise(submission: &Submission, ran: &Ran) -> Option<String> {
    let verdict = ran.verdict();
    let tests: Vec<(String, Outcome)> = ran
        .events()
        .iter()
        .filter(|event| event["type"] == "test")
        .map(|event| {
            // Hidden cases have no name in an event; the library promises nothing of single cases.
            let name = event["name"].as_str().unwrap_or("secret").to_owned();
            (name, outcome(event["verdict"].as_str().expect("a verdict is a text")))
        })
        .collect();
    let mut tests: Vec<(&str, Outcome)> =
        tests.iter().map(|(name, outcome)| (name.as_str(), *outcome)).collect();
    if verdict == "COMPILE_ERROR" {
        tests.push(("compilation", Outcome::Ce));
    }
    submission.check(&tests).err().map(|broken| format!("{} is {verdict}: {broken}", submission.name))
}

fn judge(home: &Home, slug: &str, package: &Path, submission: &Submission) -> Option<String> {
    let files: Vec<String> = submission
        .files
        .iter()
        .map(|file| package.join(&file.file.name).to_str().expect("the path is a text").to_owned())
        .collect();
    let mut arguments = vec!["submit", "-p", slug, "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let ran = home.run(&arguments);
    match ran.code {
        Some(0 | 1) => broken_promise(submission, &ran),
        code => Some(format!("{} ended with {code:?}: {} {}", submission.name, ran.stdout, ran.stderr)),
    }
}

#[test]
fn every_submission_of_the_library_ends_as_its_folder_promises() {
    let home = home!();
    let mut work = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(library())
        .expect("the library is read")
        .map(|entry| entry.expect("an entry is read").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 10, "ten problems");
    let mut languages = BTreeSet::new();
    for folder in folders {
        let (package, _) =
            read::read(&folder).unwrap_or_else(|defects| panic!("{}: {defects:?}", folder.display()));
        home.run(&["problem", "push", folder.to_str().expect("the path is a text")]).expect_code(0);
        for submission in package.submissions {
            languages.extend(submission.files.iter().filter_map(|file| {
                Path::new(&file.path).extension().map(|extension| extension.to_string_lossy().into_owned())
            }));
            work.push((package.slug.clone(), folder.clone(), submission));
        }
    }
    assert!(
        ["py", "c", "cpp", "java", "js", "rs", "go"].iter().all(|it| languages.contains(*it)),
        "{languages:?}"
    );
    let (next, broken) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((slug, folder, submission)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(promise) = judge(&home, slug, folder, submission) {
                        broken.lock().expect("no thread panicked").push(format!("{slug}: {promise}"));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().expect("no thread panicked");
    assert!(broken.is_empty(), "of {} submissions:\n{}", work.len(), broken.join("\n"));
}
