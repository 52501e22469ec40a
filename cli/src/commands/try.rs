//! `codementor try`: from nothing to two verdicts, and what to type next.

use std::io::Write;
use std::path::PathBuf;

use codementor_protocol::{LanguageId, Purpose, SourceFile};
use codementor_runners::{Engine, Images};

use crate::args::Following;
use crate::commands::submit::{Entry, Wish};
use crate::commands::{Context, View, submit};
use crate::error::{CliError, ExitStatus, Outcome};
use crate::follow::Until;
use crate::package::{self, PackageError};
use crate::render::{self, Shown, words};
use crate::source::Chosen;

/// The sample problem: the paths in its folder, and what is there.
static HELLO: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/hello.rs"));
/// A program that is right.
const RIGHT: &str = "submissions/accepted/hello.py";
/// One that is not.
const WRONG: &str = "submissions/wrong_answer/no_comma.py";
/// The language of both.
const LANGUAGE: &str = "python3";

pub(crate) async fn run(context: &Context) -> Result<ExitStatus, CliError> {
    tokio::select! {
        status = show(context) => status,
        // What has been started goes on; a second `try` finds it done.
        () = crate::follow::interrupted() => Ok(ExitStatus::Interrupted),
    }
}

async fn show(context: &Context) -> Result<ExitStatus, CliError> {
    let progress = &context.progress;
    let paint = context.terminal.err;
    let title = |n: u32, text: &str| {
        progress.clear();
        // A title that nobody reads is no reason to stop.
        let _ = writeln!(std::io::stderr(), "\n{} {}", paint.strong(&format!("[{n}/4]")), paint.strong(text));
    };

    title(1, t!("The private daemon: it queues and records; it stops by itself when it has nothing to do"));
    let mut session = context.session().await?;
    progress.note(t!("  it is running"));

    title(
        2,
        t!("The Python runner: a container image that programs run in (the first time, this takes minutes)"),
    );
    let languages = context.languages()?;
    let python = languages.by_name(LANGUAGE)?;
    let engine = Engine::connect(context.settings.docker_host.as_deref()).await?;
    let view = View::new(progress);
    let image = Images::new(engine, Images::default_locks()).ready(python, &|event| view.show(event)).await?;
    progress.clear();
    progress.note(&t!("  {tag} is ready", tag = image.tag));

    title(3, t!("A right program for the sample problem hello"));
    let folder = unpack(context)?;
    let parcel = package::pack(&context.settings, progress, &languages, &folder).await?;
    package::install(&mut session, &parcel, false).await?;
    let mut id = None;
    for (n, path, expected) in [(3, RIGHT, ExitStatus::Success), (4, WRONG, ExitStatus::NotAccepted)] {
        if n == 4 {
            title(n, t!("And a wrong one"));
        }
        let file = embedded(path)?;
        for line in file.text.lines() {
            progress.note(&format!("  | {line}"));
        }
        let chosen = Chosen { language: LanguageId::clone(python.id()), files: vec![file], entry: None };
        let mut renderer = render::choose(&context.terminal, Shown { json: false, from: 1, feedback: false });
        let (slug, purpose) = (parcel.slug.clone(), Purpose::Submission);
        let mut judging =
            submit::send(&mut session, slug, None, chosen, purpose, Wish::NONE, Entry::default()).await?;
        let following = Following { json: false, timeout: None };
        let outcome =
            submit::watch(&mut session, &mut judging, &following, Until::Verdict, false, &mut *renderer)
                .await?;
        let status = submit::finish(&mut *renderer, &outcome, &judging.files)?;
        if outcome == Outcome::Detached || status != expected {
            return Ok(if status == ExitStatus::Success { ExitStatus::OurFault } else { status });
        }
        id = Some(judging.id);
    }
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    context.print(&next(&id))?;
    Ok(ExitStatus::Success)
}

fn next(id: &str) -> String {
    let rows = [
        (format!("codementor diff {id}"), t!("where the wrong answer differs")),
        (
            "codementor submit FILE -p hello".into(),
            t!("your own program, in any language of: codementor runners list"),
        ),
        ("codementor test FILE -p hello".into(), t!("only on the samples; nothing is recorded")),
        ("codementor problem push DIR".into(), t!("further problems, in the Kattis/ICPC package format")),
        ("codementor history".into(), t!("what you have submitted")),
        ("codementor --help".into(), t!("everything else")),
    ];
    let rows: String =
        rows.iter().map(|(command, what)| format!("  {}  {what}\n", words::padded(command, 32))).collect();
    t!("\nThat is all. Now try:\n{rows}", rows)
}

/// Writes the sample problem into the cache, where it can be packed like any other.
fn unpack(context: &Context) -> Result<PathBuf, CliError> {
    let folder = context.settings.paths.cache.join("try").join(codementord::BUILD).join("hello");
    for (name, content) in HELLO {
        let path = folder.join(name);
        let unwritten = |source| PackageError::Cache { path: path.clone(), source };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(unwritten)?;
        }
        std::fs::write(&path, content).map_err(unwritten)?;
    }
    Ok(folder)
}

fn embedded(path: &str) -> Result<SourceFile, CliError> {
    let found = HELLO.iter().find(|(name, _)| *name == path);
    let (name, content) = found.ok_or_else(|| std::io::Error::other(t!("{path} is not embedded", path)))?;
    let name = name.rsplit('/').next().unwrap_or(name).to_owned();
    Ok(SourceFile { name, text: String::from_utf8_lossy(content).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_problem_is_embedded_with_both_programs() {
        for path in [RIGHT, WRONG] {
            assert!(embedded(path).expect("it is embedded").text.contains("print"), "{path}");
        }
        assert!(HELLO.iter().any(|(name, _)| *name == "problem.yaml"));
    }
}
