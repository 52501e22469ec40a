//! `codementor problem push`: makes packages the versions that judge, and says what that changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codementor_protocol::{
    Affected, AssignmentState, CaseChanges, ComparePackage, Limits, Names, PackageChange, Replaces, Slug,
};
use codementor_runners::Languages;
use serde_json::{Value, json};

use crate::args::problem::{Push, Which};
use crate::commands::{Context, rejudge};
use crate::error::{CliError, ExitStatus};
use crate::package::{self, Installed};
use crate::render::words;
use crate::session::Session;
use crate::{locale, sanitize};

/// How many names of cases a line shows.
const SHOWN: usize = 6;

/// What became of one package.
struct Pushed {
    slug: Slug,
    change: PackageChange,
    /// Absent in a dry run.
    installed: Option<Installed>,
    /// Whether programs are judged otherwise from now on.
    judges: bool,
}

pub(crate) async fn run(context: &Context, args: &Push) -> Result<ExitStatus, CliError> {
    let languages = context.languages()?;
    let mut session = context.session().await?;
    let mut status = ExitStatus::Success;
    let mut report: Vec<Value> = Vec::new();
    let mut names: BTreeMap<Slug, PathBuf> = BTreeMap::new();
    let mut again: Vec<Slug> = Vec::new();
    let mut pending = 0;
    for (place, path) in args.packages.iter().enumerate() {
        match one(context, &mut session, &languages, args, path, &mut names).await {
            Ok(pushed) => {
                match args.json {
                    true => report.push(told(path, &pushed)),
                    false => context.print(&describe(&pushed))?,
                }
                let submissions = pushed.change.affects.submissions;
                let is_new = pushed.change.from.is_none();
                let wanted = match args.rejudge {
                    Which::None => false,
                    Which::Affected => pushed.judges && submissions > 0,
                    Which::All => !is_new,
                };
                if wanted {
                    again.push(pushed.slug);
                } else if pushed.judges && submissions > 0 && args.rejudge == Which::None {
                    pending += 1;
                }
            }
            Err(error) => {
                // Without the server each of the others would fail in the same way, after a long wait.
                let hopeless = matches!(error.status(), ExitStatus::Unreachable | ExitStatus::Login);
                if args.packages.len() == 1 && !args.json {
                    return Err(error);
                }
                if status == ExitStatus::Success {
                    status = error.status();
                }
                context.progress.clear();
                match args.json {
                    true => report.push(json!({
                        "path": path, "error": { "message": error.to_string(), "hint": error.hint(),
                        "exit_code": error.status().code() },
                    })),
                    false => context.progress.lines(&blamed(path, &error, context)),
                }
                if hopeless {
                    let left = args.packages.len() - place - 1;
                    if left > 0 {
                        let left = count!(left as u64, "package");
                        context.progress.note(&t!("{left} more: not tried", left));
                    }
                    break;
                }
            }
        }
    }
    if args.json {
        context.print_json(&report)?;
    } else if pending > 0 {
        context.progress.note(match args.dry_run {
            true => t!("choose what is judged again: --rejudge none, affected or all"),
            false => {
                t!("what was submitted keeps its verdicts; see what would move: codementor problem rejudge \
                    NAME")
            }
        });
    }
    if args.dry_run || again.is_empty() {
        return Ok(status);
    }
    let rejudged = rejudge::after_push(context, &mut session, &again, args).await?;
    Ok(if status == ExitStatus::Success { rejudged } else { status })
}

async fn one(
    context: &Context,
    session: &mut Session<'_>,
    languages: &Languages,
    args: &Push,
    path: &Path,
    names: &mut BTreeMap<Slug, PathBuf>,
) -> Result<Pushed, CliError> {
    let parcel = package::pack(&context.settings, &context.progress, languages, path).await?;
    let slug = parcel.slug.clone();
    if let Some(other) = names.insert(slug.clone(), path.to_owned()) {
        return Err(package::PackageError::Twice { slug, other }.into());
    }
    package::send(session, &parcel).await?;
    let compare = ComparePackage { package: parcel.hash.clone(), slug: slug.clone() };
    let mut change = session.request(&compare).await?;
    // What does not belong to the format was not sent, so that only this side knows of it.
    change.warnings.retain(|warning| !parcel.warnings.contains(warning));
    change.warnings.splice(0..0, parcel.warnings.iter().cloned());
    if args.dry_run {
        for warning in &change.warnings {
            context.progress.note(&t!("warning: {slug}: {warning}", slug, warning = locale::said(warning)));
        }
        let judges = change.judges_otherwise();
        return Ok(Pushed { slug, change, installed: None, judges });
    }
    let replaces = match &change.from {
        Some(from) => Replaces::Version(from.clone()),
        None => Replaces::Nothing,
    };
    let installed = package::settle(session, &parcel, false, Some(replaces)).await?;
    for warning in &installed.warnings {
        context.progress.note(&t!("warning: {slug}: {warning}", slug, warning = locale::said(warning)));
    }
    let limits = &installed.problem.limits;
    if let Some(now) = change.now.filter(|now| now != limits) {
        change.limits = Some((now, *limits));
        change.measured = false;
    }
    let judges = change.from.is_some() && change.judges_otherwise();
    Ok(Pushed { slug, change, installed: Some(installed), judges })
}

/// An error of one package of several.
fn blamed(path: &Path, error: &CliError, context: &Context) -> String {
    let text = error.render(context.terminal.err);
    let path = path.display().to_string();
    // Errors of a package name it themselves.
    if text.contains(&path) { text } else { format!("{}: {text}", sanitize::line(&path)) }
}

/// What became of a package, for people.
fn describe(pushed: &Pushed) -> String {
    let Pushed { slug, change, installed, .. } = pushed;
    let unchanged = match installed {
        Some(installed) => installed.unchanged,
        None => change.from.is_some() && is_nothing(change),
    };
    let mut text = match (installed, unchanged, &change.from) {
        (Some(installed), _, _) => {
            let problem = &installed.problem;
            t!(
                "{slug} {what}: {title}, {tests} ({samples} shown), {time_ms} of CPU time, {memory_mib}\n",
                slug,
                what = if unchanged { t!("is unchanged") } else { t!("is installed") },
                title = sanitize::line(&problem.title),
                tests = count!(problem.cases.into(), "test"),
                samples = problem.samples,
                time_ms = words::duration(problem.limits.time_ms),
                memory_mib = words::memory(problem.limits.memory_mib * 1024)
            )
        }
        (None, true, _) => t!("{slug} is unchanged\n", slug),
        (None, false, None) => {
            let (shown, all) = (change.samples.added.count, change.hidden.added.count);
            t!(
                "{slug} would be new: {tests} ({shown} shown)\n",
                slug,
                tests = count!((shown + all).into(), "test"),
                shown
            )
        }
        (None, false, Some(_)) => t!("{slug} would change\n", slug),
    };
    if !unchanged && change.from.is_some() {
        lines(change, &mut text);
        reach(&change.affects, &mut text);
    }
    text
}

fn is_nothing(change: &PackageChange) -> bool {
    change.parts.is_empty()
        && change.limits.is_none()
        && change.samples.is_empty()
        && change.hidden.is_empty()
}

fn lines(change: &PackageChange, text: &mut String) {
    if let Some((was, is)) = &change.limits {
        for (name, was, is) in limits(was, is) {
            text.push_str(&format!("  ~ {name} {was} -> {is}\n"));
        }
    }
    if change.measured {
        text.push_str(t!("  ~ time limit: measured when it is installed\n"));
    }
    let samples = |n: u64| count!(n, "sample");
    let hidden = |n: u64| count!(n, "hidden test");
    let groups: [(&dyn Fn(u64) -> String, _); 2] = [(&samples, &change.samples), (&hidden, &change.hidden)];
    for (counted, list) in groups {
        let CaseChanges { added, removed, changed } = list;
        for (sign, names) in [("+", added), ("-", removed), ("~", changed)] {
            if names.count > 0 {
                let count = counted(names.count.into());
                text.push_str(&format!("  {sign} {count}: {}\n", listed(names)));
            }
        }
    }
    for part in &change.parts {
        text.push_str(&format!("  ~ {}\n", locale::said(part.words())));
    }
}

fn listed(names: &Names) -> String {
    let shown: Vec<_> = names.first.iter().take(SHOWN).map(|name| sanitize::line(name)).collect();
    let left = names.count as usize - shown.len();
    let more = if left > 0 { t!(" and {left} more", left) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The limits that differ: name, before, after.
fn limits(was: &Limits, is: &Limits) -> Vec<(&'static str, String, String)> {
    let mebibytes = |mib: u64| words::memory(mib * 1024);
    [
        (t!("time limit"), words::duration(was.time_ms), words::duration(is.time_ms)),
        (t!("memory limit"), mebibytes(was.memory_mib), mebibytes(is.memory_mib)),
        (t!("output limit"), mebibytes(was.output_mib), mebibytes(is.output_mib)),
        (t!("time to compile"), words::duration(was.compile_time_ms), words::duration(is.compile_time_ms)),
        (t!("memory to compile"), mebibytes(was.compile_memory_mib), mebibytes(is.compile_memory_mib)),
    ]
    .into_iter()
    .filter(|(_, was, is)| was != is)
    .collect()
}

fn reach(affects: &Affected, text: &mut String) {
    let mut said: Vec<String> = Vec::new();
    for (id, state) in &affects.assignments {
        let state = match state {
            AssignmentState::Draft => t!("draft"),
            AssignmentState::Open => t!("open"),
            AssignmentState::Closed => t!("closed"),
        };
        said.push(format!("{id} ({state})"));
    }
    if affects.elsewhere > 0 {
        said.push(t!(
            "{assignments} of other courses",
            assignments = count!(affects.elsewhere.into(), "assignment")
        ));
    }
    if affects.submissions > 0 {
        let submissions = count!(affects.submissions, "submission");
        said.push(t!(
            "{submissions} judged by other versions, {graded} graded",
            submissions,
            graded = affects.graded
        ));
    }
    if !said.is_empty() {
        text.push_str(&t!("  affects {said}\n", said = said.join(", ")));
    }
}

/// What became of a package, for programs.
fn told(path: &Path, pushed: &Pushed) -> Value {
    let Pushed { slug, change, installed, judges } = pushed;
    let unchanged = installed
        .as_ref()
        .map_or(change.from.is_some() && is_nothing(change), |installed| installed.unchanged);
    json!({
        "path": path,
        "problem": slug,
        "installed": installed.is_some(),
        "unchanged": unchanged,
        "judges_otherwise": judges,
        "change": change,
        "summary": installed.as_ref().map(|installed| &installed.problem),
    })
}

#[cfg(test)]
mod tests {
    use codementor_protocol::PackageHash;

    use super::*;

    #[test]
    fn what_changes_is_said_line_by_line() {
        let mut change = PackageChange {
            from: Some(PackageHash::new("a".repeat(64)).expect("a hash")),
            parts: vec![codementor_protocol::PackagePart::Statement],
            limits: Some((
                Limits { time_ms: 1000, ..Limits::default() },
                Limits { time_ms: 800, ..Limits::default() },
            )),
            ..PackageChange::default()
        };
        (1..=8).for_each(|n| change.hidden.added.push(&format!("secret/{n}")));
        change.samples.changed.push("sample/1\u{1b}[31m");
        change.affects = Affected {
            assignments: vec![("cs101/hw1".parse().expect("an assignment"), AssignmentState::Open)],
            elsewhere: 1,
            submissions: 31,
            graded: 30,
        };
        let pushed = Pushed { slug: "sum".parse().expect("a slug"), judges: true, change, installed: None };
        assert_eq!(
            describe(&pushed),
            "sum would change\n  ~ time limit 1.00 s -> 0.80 s\n  ~ 1 sample: sample/1\\x1b[31m\n  \
             + 8 hidden tests: secret/1, secret/2, secret/3, secret/4, secret/5, secret/6 and 2 more\n  \
             ~ statement\n  affects cs101/hw1 (open), 1 assignment of other courses, 31 submissions judged by other \
             versions, 30 graded\n"
        );
    }
}
