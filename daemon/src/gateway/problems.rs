//! Requests about problems.

use codementor_protocol::{
    Affected, AssignmentId, AssignmentState, ComparePackage, CourseRole, FindProblem, GetPackage, Install,
    InstallPackage, ListProblems, PackageChange, PackageHash, PackagePiece, PackageReceived, ProblemSummary,
    ProblemText, PutPackage, ReadProblem, Refusal, Slug,
};

use super::{Caller, Gateway, Handle, store_refusal};
use crate::courses;

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

impl Handle<ComparePackage> for Gateway {
    async fn handle(&self, caller: &Caller, request: ComparePackage) -> Result<PackageChange, Refusal> {
        let mut change = self.registry.compare(&caller.user, &request).await?;
        change.affects = self.affected(caller, &request.slug, &request.package).await?;
        Ok(change)
    }
}

impl Handle<GetPackage> for Gateway {
    async fn handle(&self, _: &Caller, request: GetPackage) -> Result<PackagePiece, Refusal> {
        self.registry.piece(&request.problem, request.package.as_ref(), request.offset).await
    }
}

impl Gateway {
    /// What a new version of a problem reaches: by name only what the caller teaches, the rest by number.
    async fn affected(
        &self,
        caller: &Caller,
        problem: &Slug,
        package: &PackageHash,
    ) -> Result<Affected, Refusal> {
        let all = self.core.store.read(|db| courses::assignments(db, None)).await.map_err(store_refusal)?;
        let with = all.into_iter().filter(|one| one.problems.iter().any(|one| one.problem == *problem));
        let (own, other): (Vec<(AssignmentId, AssignmentState)>, Vec<_>) = with
            .map(|one| (one.id, one.state))
            .partition(|(id, _)| caller.is_at_least(&id.course, CourseRole::Instructor));
        let mut affects = Affected { assignments: own, elsewhere: other.len() as u32, ..Affected::default() };
        for (course, count) in self.registry.judged_otherwise(problem, package).await? {
            let course = course.and_then(|course| course.parse().ok());
            let teaches = match &course {
                Some(course) => caller.is_at_least(course, CourseRole::Instructor),
                None => caller.admin,
            };
            if teaches {
                affects.submissions += count;
                affects.graded += if course.is_some() { count } else { 0 };
            }
        }
        Ok(affects)
    }
}
