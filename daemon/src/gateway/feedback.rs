//! Requests about feedback. Only a submission's owner is told anything of it.

use codementor_protocol::{
    FeedbackDetail, FeedbackStep, Hint, Prompt, ReadFeedback, Refusal, Rehearsal, Rehearse, ShowPrompt,
};

use super::submissions::check_files;
use super::{Caller, Gateway, Handle, store_refusal};
use crate::{courses, feedback};

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
        check_files(&request.files, None)?;
        let (package, named) = (request.package.as_ref(), request.assignment.as_ref());
        let assignment = self.assignment_of(caller, &request.problem, package, named).await?;
        let assignment = assignment.map(|(assignment, _)| assignment);
        if assignment.is_some() {
            self.sees(caller, &request.problem, assignment.as_ref()).await?;
        }
        let user = caller.user.clone();
        let read = move |db: &_| {
            let policy = assignment.as_ref().map(|id| courses::feedback_policy(db, id)).transpose()?;
            Ok((policy.flatten(), feedback::author(db, &user, assignment.as_ref())?))
        };
        let (policy, author) = self.core.store.read(read).await.map_err(store_refusal)?;
        let problem = self.registry.resolve(&request.problem, package).await?;
        self.feedback.prompt(&problem, policy, &request, &author).await
    }
}

impl Handle<Rehearse> for Gateway {
    async fn handle(&self, caller: &Caller, request: Rehearse) -> Result<Rehearsal, Refusal> {
        self.feedback.rehearse(&caller.user, request).await
    }
}
