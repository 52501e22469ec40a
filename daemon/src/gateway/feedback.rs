//! Requests about feedback. Only a submission's owner is told anything of it.

use codementor_protocol::{
    FeedbackDetail, FeedbackStep, Hint, Prompt, ReadFeedback, Refusal, Rehearsal, Rehearse, ShowPrompt,
};

use super::submissions::check_files;
use super::{Caller, Gateway, Handle};

impl Handle<Hint> for Gateway {
    async fn handle(&self, caller: &Caller, request: Hint) -> Result<FeedbackStep, Refusal> {
        self.own(caller, request.submission).await?;
        self.feedback.hint(request.submission, request.step).await
    }
}

impl Handle<ReadFeedback> for Gateway {
    async fn handle(&self, caller: &Caller, request: ReadFeedback) -> Result<FeedbackDetail, Refusal> {
        self.own(caller, request.submission).await?;
        self.feedback.detail(request.submission).await
    }
}

impl Handle<ShowPrompt> for Gateway {
    async fn handle(&self, caller: &Caller, request: ShowPrompt) -> Result<Prompt, Refusal> {
        self.sees(caller, &request.problem, None).await?;
        check_files(&request.files, None)?;
        let problem = self.registry.resolve(&request.problem, request.package.as_ref()).await?;
        self.feedback.prompt(&problem, &request).await
    }
}

impl Handle<Rehearse> for Gateway {
    async fn handle(&self, caller: &Caller, request: Rehearse) -> Result<Rehearsal, Refusal> {
        self.feedback.rehearse(&caller.user, request).await
    }
}
