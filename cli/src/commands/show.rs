//! `codementor show`: what is known of a submission, or its program.

use codementor_protocol::{Detail, Show};

use crate::args;
use crate::commands::{Context, newest, watch};
use crate::error::{CliError, ExitStatus};
use crate::render::{block, words};
use crate::sanitize;

pub(crate) async fn run(context: &Context, args: &args::Show) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let id = newest(&mut session, args.id).await?;
    let detail = session.request(&Show { submission: Some(id) }).await?;
    if args.json {
        context.print_json(&detail)?;
    } else if args.code {
        context.print(&code(&detail, context.terminal.out_tty))?;
    } else {
        let tally = watch::replay(&mut session, &detail).await?;
        let paint = context.terminal.out;
        let summary = &detail.summary;
        let files: Vec<String> =
            detail.files.iter().map(|file| sanitize::line(&file.name).into_owned()).collect();
        let mut text = t!(
            "#{id}  {problem}  {files}  {language}  attempt {attempt}  {at}\n",
            id = summary.id,
            problem = paint.strong(summary.problem.as_str()),
            files = files.join(" "),
            language = summary.language,
            attempt = summary.attempt,
            at = words::moment(summary.at)
        );
        if let Some((at, rejudged)) = &tally.rejudged {
            text.push_str(&format!("{}: {}\n", words::moment(*at), words::rejudged(rejudged)));
        }
        match tally.end {
            Some(_) => text.push_str(&block::render(&tally, &detail.files, paint)),
            None => {
                let standing = words::standing(summary.state, summary.verdict);
                text.push_str(&t!(
                    "{standing}\n  next: {command}\n",
                    standing,
                    command = paint.place(&format!("codementor watch {}", summary.id))
                ));
            }
        }
        context.print(&text)?;
    }
    Ok(ExitStatus::Success)
}

/// The program: byte for byte into a file or a pipe, harmless on a terminal.
fn code(detail: &Detail, terminal: bool) -> String {
    let mut text = String::new();
    for file in &detail.files {
        if detail.files.len() > 1 {
            let blank = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{blank}==> {} <==\n", sanitize::line(&file.name)));
        }
        match terminal {
            true => text.push_str(&sanitize::text(&file.text)),
            false => text.push_str(&file.text),
        }
        if terminal && !text.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}
