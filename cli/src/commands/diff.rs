//! `codementor diff`: where a sample's output first differs.

use codementor_protocol::ReadCase;

use crate::args;
use crate::commands::{Context, newest};
use crate::error::{CliError, ExitStatus};
use crate::render;

pub(crate) async fn run(context: &Context, args: &args::Diff) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let submission = newest(&mut session, args.id).await?;
    let case = session.request(&ReadCase { submission, case: args.case.clone() }).await?;
    match args.json {
        true => context.print_json(&case)?,
        false => context.print(&render::diff::render(&case, context.terminal.out))?,
    }
    Ok(ExitStatus::Success)
}
