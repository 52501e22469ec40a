//! `codementor test`: the samples, judged by the same path, and the first difference. Nothing is recorded.

use codementor_protocol::{Cancel, Purpose, ReadCase, Verdict};

use crate::args;
use crate::commands::submit::Wish;
use crate::commands::{Context, submit};
use crate::error::{CliError, ExitStatus, Outcome};
use crate::follow::Until;
use crate::render::{self, Shown};

pub(crate) async fn run(context: &Context, args: &args::Test) -> Result<ExitStatus, CliError> {
    let mut renderer =
        render::choose(&context.terminal, Shown { json: args.following.json, from: 1, feedback: false });
    let tested = async {
        let mut session = None;
        let judging = submit::judge(context, &args.program, Purpose::Trial, Wish::NONE, &mut session);
        let mut judging = judging.await?;
        let session = session.as_mut().ok_or(CliError::NoSubmissions)?;
        let outcome =
            submit::watch(session, &mut judging, &args.following, Until::Verdict, false, &mut *renderer)
                .await?;
        if matches!(outcome, Outcome::Detached | Outcome::StillRunning) {
            // Nobody will ever ask for it. Where it cannot be cancelled, it ends by itself.
            let _ = session.request(&Cancel { submission: judging.id }).await;
        }
        let status = submit::finish(&mut *renderer, &outcome, &judging.files)?;
        let failed = matches!(outcome, Outcome::Judged(verdict, _)
            if !matches!(verdict, Verdict::Accepted | Verdict::CompileError));
        if failed && !args.following.json {
            let case = session.request(&ReadCase { submission: judging.id, case: None }).await?;
            let text = render::diff::render(&case, context.terminal.out);
            match context.print(&format!("\n{text}")) {
                // That nobody reads it does not change how it ended.
                Ok(()) | Err(CliError::BrokenPipe) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(status)
    };
    let tested = tested.await;
    submit::conclude(tested, &mut *renderer)
}
