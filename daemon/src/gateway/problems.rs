//! Requests about problems.

use codementor_protocol::{
    FindProblem, Install, InstallPackage, ListProblems, PackageReceived, ProblemSummary, ProblemText,
    PutPackage, ReadProblem, Refusal,
};

use super::{Caller, Gateway, Handle};

impl Handle<ListProblems> for Gateway {
    async fn handle(&self, caller: &Caller, _: ListProblems) -> Result<Vec<ProblemSummary>, Refusal> {
        let seen = self.seen(caller).await?;
        let mut all = self.registry.list(&caller.user).await?;
        if let Some(seen) = seen {
            all.retain(|problem| seen.contains(&problem.slug));
        }
        Ok(all)
    }
}

impl Handle<FindProblem> for Gateway {
    async fn handle(&self, caller: &Caller, request: FindProblem) -> Result<ProblemSummary, Refusal> {
        self.sees(caller, &request.problem, None).await?;
        self.registry.find(&caller.user, &request.problem).await
    }
}

impl Handle<ReadProblem> for Gateway {
    async fn handle(&self, caller: &Caller, request: ReadProblem) -> Result<ProblemText, Refusal> {
        self.sees(caller, &request.problem, request.assignment.as_ref()).await?;
        let installed = self.registry.resolve(&request.problem, None).await?;
        self.registry.text(&request.problem, installed, request.statement_in).await
    }
}

impl Handle<PutPackage> for Gateway {
    async fn handle(&self, caller: &Caller, request: PutPackage) -> Result<PackageReceived, Refusal> {
        self.registry.receive(&caller.user, request).await
    }
}

impl Handle<InstallPackage> for Gateway {
    async fn handle(&self, caller: &Caller, request: InstallPackage) -> Result<Install, Refusal> {
        self.registry.install(&caller.user, request).await
    }
}
