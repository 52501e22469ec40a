//! `codementor problem rehearse`: what feedback does for the wrong programs of a package, before students rely on it.

use std::time::Duration;

use codementor_protocol::{FeedbackOutcome, Rehearsal, Rehearse, Rehearsed};

use crate::args;
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::follow::interrupted;
use crate::locale;
use crate::package::{self, Parcel};
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::session::Session;
use crate::terminal::Paint;

/// How long between two looks at a rehearsal.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) async fn run(context: &Context, args: &args::Rehearse) -> Result<ExitStatus, CliError> {
    let languages = context.languages()?;
    let parcel = package::pack(&context.settings, &context.progress, &languages, &args.package).await?;
    let mut session = context.session().await?;
    let installed = package::install(&mut session, &parcel, true).await?;
    for warning in installed.warnings.iter().filter(|_| !installed.unchanged) {
        context.progress.note(&t!(
            "warning: {slug}: {warning}",
            slug = parcel.slug,
            warning = locale::said(warning)
        ));
    }
    let rehearsal = tokio::select! {
        rehearsal = rehearse(context, &mut session, &parcel) => rehearsal?,
        () = interrupted() => return Ok(ExitStatus::Interrupted),
    };
    match args.json {
        true => context.print_json(&rehearsal)?,
        false => context.print(&report(&rehearsal, context.terminal.out))?,
    }
    Ok(status(&rehearsal))
}

async fn rehearse(
    context: &Context,
    session: &mut Session<'_>,
    parcel: &Parcel,
) -> Result<Rehearsal, CliError> {
    let request = Rehearse { problem: parcel.slug.clone(), package: parcel.hash.clone() };
    let text = t!("{slug}: asking for feedback on its wrong programs", slug = parcel.slug);
    loop {
        let rehearsal = session.request(&request).await?;
        if rehearsal.finished {
            context.progress.clear();
            return Ok(rehearsal);
        }
        context.progress.amount(&text, rehearsal.tried.len() as u64, rehearsal.total.into(), false);
        tokio::time::sleep(PAUSE).await;
    }
}

/// A prompt that gives solutions away, or that never helps, is not ready for students.
fn status(rehearsal: &Rehearsal) -> ExitStatus {
    let tried = &rehearsal.tried;
    if tried.is_empty() {
        ExitStatus::NothingToGrade
    } else if tried.iter().all(|one| one.outcome == FeedbackOutcome::NotConfigured) {
        ExitStatus::Unreachable
    } else if tried.iter().any(|one| one.leaks > 0) || !tried.iter().any(|one| one.verified) {
        ExitStatus::NotAccepted
    } else {
        ExitStatus::Success
    }
}

fn report(rehearsal: &Rehearsal, paint: Paint) -> String {
    let tried = &rehearsal.tried;
    if tried.is_empty() {
        return t!("the package has no wrong submissions to rehearse with\n").into();
    }
    let columns = [
        t!("submission"),
        t!("verdict"),
        t!("fix"),
        t!(">changed"),
        t!(">rounds"),
        t!(">leaks"),
        t!(">tokens"),
        t!(">cost"),
        t!(">time"),
        t!("ended"),
    ];
    let mut table = Table::new(&columns);
    for one in tried {
        table.row(row(one));
    }
    format!("{}\n{}\n", table.render(paint), totals(tried))
}

fn row(one: &Rehearsed) -> [(String, Tone); 10] {
    let plain = |text: String| (text, Tone::Plain);
    let verdict = one.verdict.map_or("-", codementor_protocol::Verdict::token);
    [
        plain(one.name.clone()),
        plain(verdict.into()),
        if one.verified { (t!("verified").into(), Tone::Good) } else { (t!("none").into(), Tone::Bad) },
        plain(one.changed_percent.map_or("-".into(), |percent| format!("{percent} %"))),
        plain(one.rounds.to_string()),
        (one.leaks.to_string(), if one.leaks > 0 { Tone::Bad } else { Tone::Plain }),
        plain(one.tokens.to_string()),
        plain(words::money(one.cost_micro)),
        plain(words::duration(one.time_ms)),
        match one.outcome {
            FeedbackOutcome::Complete => plain(one.outcome.token().into()),
            outcome => (outcome.token().into(), Tone::Odd),
        },
    ]
}

fn totals(tried: &[Rehearsed]) -> String {
    let count = tried.len() as u64;
    let verified = tried.iter().filter(|one| one.verified).count() as u64;
    let sum = |of: fn(&Rehearsed) -> u64| tried.iter().map(of).sum::<u64>();
    [
        t!(
            "{verified} of {count} corrected and verified ({percent} %)",
            verified,
            count,
            percent = verified * 100 / count.max(1)
        ),
        count!(sum(|one| one.rounds.into()), "round"),
        count!(sum(|one| one.leaks.into()), "leak"),
        count!(sum(|one| one.tokens), "token"),
        words::money(sum(|one| one.cost_micro)),
        t!("{sum} on average", sum = words::duration(sum(|one| one.time_ms) / count.max(1))),
    ]
    .join("   ")
}

#[cfg(test)]
mod tests {
    use codementor_protocol::Verdict;

    use super::*;

    fn tried(name: &str, verified: bool, leaks: u32, outcome: FeedbackOutcome) -> Rehearsed {
        Rehearsed {
            name: name.into(),
            verdict: Some(Verdict::WrongAnswer),
            verified,
            changed_percent: verified.then_some(7),
            rounds: 2,
            leaks,
            outcome,
            tokens: 1500,
            cost_micro: 1200,
            time_ms: 2500,
        }
    }

    fn rehearsal(tried: Vec<Rehearsed>) -> Rehearsal {
        Rehearsal { total: tried.len() as u32, tried, finished: true }
    }

    #[test]
    fn the_table_ends_in_the_rate_of_verified_fixes() {
        let shown = report(
            &rehearsal(vec![
                tried("wrong_answer/off_by_one.py", true, 0, FeedbackOutcome::Complete),
                tried("wrong_answer/no_comma.py", false, 1, FeedbackOutcome::Withheld),
            ]),
            Paint::PLAIN,
        );
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_leak_or_no_help_at_all_is_a_failure() {
        use FeedbackOutcome::{Complete, NotConfigured, Withheld};
        for (rows, code) in [
            (vec![tried("a", true, 0, Complete), tried("b", false, 0, Withheld)], 0),
            (vec![tried("a", true, 0, Complete), tried("b", false, 1, Withheld)], 1),
            (vec![tried("a", false, 0, Withheld)], 1),
            (vec![tried("a", false, 0, NotConfigured)], 69),
            (vec![], 6),
        ] {
            assert_eq!(status(&rehearsal(rows)).code(), code);
        }
    }
}
