//! `codementor cancel`: stops judging a submission.

use codementor_protocol::Cancel;

use crate::args;
use crate::commands::{Context, newest};
use crate::error::{CliError, ExitStatus};

pub(crate) async fn run(context: &Context, args: &args::Cancel) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let submission = newest(&mut session, args.id).await?;
    let cancelling = session.request(&Cancel { submission }).await?;
    match cancelling.cancelled {
        true => context.print(&t!("#{submission} is cancelled\n", submission))?,
        false => context
            .print(&t!("#{submission} had already ended: codementor show {submission}\n", submission))?,
    }
    Ok(ExitStatus::Success)
}
