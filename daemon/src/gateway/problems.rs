//! Requests about problems.

use codementor_protocol::{
    FindProblem, Install, InstallPackage, ListProblems, PackageReceived, ProblemSummary, PutPackage, Refusal,
};

use super::{Caller, Gateway, Handle};

impl Handle<ListProblems> for Gateway {
    async fn handle(&self, caller: &Caller, _: ListProblems) -> Result<Vec<ProblemSummary>, Refusal> {
        self.registry.list(&caller.user).await
    }
}

impl Handle<FindProblem> for Gateway {
    async fn handle(&self, caller: &Caller, request: FindProblem) -> Result<ProblemSummary, Refusal> {
        self.registry.find(&caller.user, &request.problem).await
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
