//! Requests about feedback. Only a submission's owner is told anything of it.

use codementor_protocol::{
    FeedbackDetail, FeedbackStep, Hint, Prompt, ReadFeedback, Refusal, Rehearsal, Rehearse, ShowPrompt,
};

use super::submissions::check_files;
use super::{Caller, Gateway, Handle, store_refusal};
use crate::courses;

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
        let mut policy = None;
        if let Some((assignment, _)) = assignment {
            self.sees(caller, &request.problem, Some(&assignment)).await?;
            let read = move |db: &_| courses::feedback_policy(db, &assignment);
            policy = self.core.store.read(read).await.map_err(store_refusal)?;
        }
        let problem = self.registry.resolve(&request.problem, package).await?;
        self.feedback.prompt(&problem, policy, &request).await
    }
}

impl Handle<Rehearse> for Gateway {
    async fn handle(&self, caller: &Caller, request: Rehearse) -> Result<Rehearsal, Refusal> {
        self.feedback.rehearse(&caller.user, request).await
    }
}
