//! Requests about judging again. Who asks reaches the submissions of the courses that it teaches, and no others.

use std::collections::{BTreeMap, BTreeSet};

use codementor_protocol::{
    CourseRole, EndRejudge, ListRejudges, MAX_REJUDGED_BY_NUMBER, ReadRejudge, Refusal, RefusalCode,
    RejudgeMove, RejudgePage, RejudgeState, RejudgeSummary, RejudgeWhat, StartRejudge, SubmissionId,
};
use serde_json::json;

use super::{Caller, Gateway, Handle, store_refusal};
use crate::courses::{audit, rules};
use crate::queue::now;
use crate::registry;
use crate::submissions::rejudge::{self, Candidate, Order, Which};

/// How many moves go into one answer.
const PAGE: usize = 500;
/// How many moves the audit log keeps one by one.
const KEPT: usize = 5000;

impl Handle<StartRejudge> for Gateway {
    async fn handle(&self, caller: &Caller, request: StartRejudge) -> Result<RejudgePage, Refusal> {
        let (which, what) = match request.what {
            RejudgeWhat::Problem(problem) => {
                // A problem that is not there is told from one that nobody has submitted to.
                self.registry.resolve(&problem, None).await?;
                let what = problem.to_string();
                (Which::Problem(problem), what)
            }
            RejudgeWhat::Assignment(id) => {
                if !caller.is_at_least(&id.course, CourseRole::Instructor) {
                    return Err(rules::unknown(&id));
                }
                let what = id.to_string();
                (Which::Assignment(id), what)
            }
            RejudgeWhat::Submissions(ids) if ids.is_empty() || ids.len() > MAX_REJUDGED_BY_NUMBER => {
                let message = format!("from 1 to {MAX_REJUDGED_BY_NUMBER} submissions can be named");
                return Err(Refusal::new(RefusalCode::Invalid, message)
                    .hint("name the problem, or the assignment with --assignment"));
            }
            RejudgeWhat::Submissions(ids) => {
                let named: Vec<String> = ids.iter().take(5).map(|id| format!("#{id}")).collect();
                let more = if ids.len() > named.len() { " …" } else { "" };
                let what = format!("{}{more}", named.join(" "));
                (Which::Numbers(ids), what)
            }
        };
        let by_number = match &which {
            Which::Numbers(ids) => Some(ids.clone()),
            _ => None,
        };
        let find = move |db: &_| rejudge::candidates(db, &which);
        let mut found = self.core.store.read(find).await.map_err(store_refusal)?;
        found.retain(|one| reaches(caller, one));
        if let Some(ids) = &by_number
            && let Some(id) = ids.iter().find(|id| !found.iter().any(|one| one.id == **id))
        {
            let message = format!("there is no submission #{id} that you could have judged again");
            return Err(Refusal::new(RefusalCode::NotFound, message)
                .hint("it has to be one of a course that you teach"));
        }
        let mut problems = Vec::new();
        for slug in found.iter().map(|one| one.problem.clone()).collect::<BTreeSet<_>>() {
            let installed = self.registry.resolve(&slug, None).await?;
            problems.push((slug, installed.hash, installed.limits));
        }
        let all = found.len();
        let open = found.iter().filter(|one| one.state.is_open()).count() as u64;
        // Whoever names a submission means it.
        let every = request.all || by_number.is_some();
        let current: BTreeMap<_, _> = problems.iter().map(|(slug, hash, _)| (slug, hash)).collect();
        found.retain(|one| {
            let other = current.get(&one.problem).is_some_and(|hash| **hash != one.package);
            one.has_ended() && (every || other || one.is_faulted())
        });
        if found.is_empty() {
            let message = match (all, open) {
                (0, _) => format!("nothing was submitted to {what} that you could have judged again"),
                (_, 0) => "all of it was judged by the version that judges now".to_owned(),
                (_, open) => format!("the {open} that could be are still being judged"),
            };
            let refusal = Refusal::new(RefusalCode::Nothing, message);
            return Err(if all > 0 && open == 0 {
                refusal.hint("--all judges it all the same")
            } else {
                refusal
            });
        }
        let wanted: BTreeSet<_> = found.iter().map(|one| one.problem.clone()).collect();
        problems.retain(|(slug, _, _)| wanted.contains(slug));
        let submissions = found.iter().map(|one| one.id).collect();
        let order = Order { by: caller.user.clone(), what, open, problems, submissions };
        let ordered = self.core.store.write(move |db| rejudge::order(db, &order, now())).await;
        let id = ordered.map_err(store_refusal)?.map_err(|(slug, other)| {
            let message = format!("'{slug}' is being judged again already, by number {other}");
            Refusal::new(RefusalCode::Forbidden, message).hint(format!(
                "go on with it: codementor problem rejudge --show {other}; forget it: --cancel {other}"
            ))
        })?;
        tracing::info!(rejudge = id, by = %caller.user, "submissions are judged again");
        self.core.own_ended.notify_one();
        self.page(id, SubmissionId(0)).await
    }
}

impl Handle<ReadRejudge> for Gateway {
    async fn handle(&self, caller: &Caller, request: ReadRejudge) -> Result<RejudgePage, Refusal> {
        self.may_end(caller, request.id).await?;
        self.page(request.id, request.after.unwrap_or(SubmissionId(0))).await
    }
}

impl Handle<EndRejudge> for Gateway {
    async fn handle(&self, caller: &Caller, request: EndRejudge) -> Result<RejudgePage, Refusal> {
        let (id, by) = (request.id, caller.user.clone());
        self.may_end(caller, id).await?;
        if !request.apply {
            let dropped = self.core.store.write(move |db| {
                let going = rejudge::summary(db, id)?
                    .is_some_and(|now| matches!(now.state, RejudgeState::Judging | RejudgeState::Ready));
                if going { rejudge::drop_all(db, id, now()).map(Some) } else { Ok(None) }
            });
            if let Some((withdrawn, changes)) = dropped.await.map_err(store_refusal)? {
                self.core.announce(changes).await;
                for run in withdrawn {
                    self.core.withdraw(run).await;
                }
                // There is room for the runs of others.
                self.core.own_ended.notify_one();
            }
            return self.page(id, SubmissionId(0)).await;
        }
        let apply = move |db: &rusqlite::Connection| {
            let Some(summary) = rejudge::summary(db, id)? else { return Ok(Err(unknown(id))) };
            match summary.state {
                // The answer to the first request got lost.
                RejudgeState::Applied => return Ok(Ok(None)),
                RejudgeState::Ready => {}
                RejudgeState::Judging => {
                    let message = format!("{} of {} are judged yet", summary.done, summary.total);
                    return Ok(Err(Refusal::new(RefusalCode::Later, message)
                        .hint(format!("wait for it: codementor problem rejudge --show {id}"))));
                }
                RejudgeState::Dropped => return Ok(Err(unknown(id))),
            }
            for (slug, package) in rejudge::versions(db, id)? {
                if registry::current(db, &slug)?.as_ref() != Some(&package) {
                    let message = format!("'{slug}' has a newer version than the one that judged again");
                    return Ok(Err(Refusal::new(RefusalCode::Forbidden, message).hint(format!(
                        "forget this and begin anew: codementor problem rejudge --cancel {id}"
                    ))));
                }
            }
            let at = now();
            // Written down before the results are taken over: afterwards nothing moves any more.
            for course in rejudge::courses(db, id)?.into_iter().flatten() {
                let mut moves = rejudge::moves(db, id, SubmissionId(0), KEPT)?;
                moves.retain(|one| one.assignment.as_ref().is_some_and(|id| id.course == course));
                let detail = json!({
                    "rejudge": id,
                    "versions": rejudge::versions(db, id)?,
                    "submissions": summary.total,
                    "faults": summary.faults,
                    "moves": moves,
                });
                audit::append(db, &course, &by, "rejudge", &summary.what, &detail, at)?;
            }
            Ok(Ok(Some(rejudge::apply(db, id, at)?)))
        };
        if let Some(changes) = self.core.store.write(apply).await.map_err(store_refusal)?? {
            self.core.announce(changes).await;
        }
        self.page(id, SubmissionId(0)).await
    }
}

impl Handle<ListRejudges> for Gateway {
    async fn handle(&self, caller: &Caller, _: ListRejudges) -> Result<Vec<RejudgeSummary>, Refusal> {
        let all = self.core.store.read(rejudge::going_on).await.map_err(store_refusal)?;
        let mut seen = Vec::new();
        for one in all {
            if self.may_end(caller, one.id).await.is_ok() {
                seen.push(one);
            }
        }
        Ok(seen)
    }
}

impl Gateway {
    /// Whoever asked for it, and whoever teaches all courses that it is about, may look at it and end it.
    async fn may_end(&self, caller: &Caller, id: u64) -> Result<(), Refusal> {
        let read = move |db: &_| Ok((rejudge::summary(db, id)?, rejudge::courses(db, id)?));
        let (summary, courses) = self.core.store.read(read).await.map_err(store_refusal)?;
        let teaches = |course: &Option<codementor_protocol::CourseName>| match course {
            Some(course) => caller.is_at_least(course, CourseRole::Instructor),
            None => caller.admin,
        };
        match summary {
            Some(summary) if caller.admin || summary.by == caller.user => Ok(()),
            Some(_) if !courses.is_empty() && courses.iter().all(teaches) => Ok(()),
            _ => Err(unknown(id)),
        }
    }

    async fn page(&self, id: u64, after: SubmissionId) -> Result<RejudgePage, Refusal> {
        let read = move |db: &_| {
            let summary = rejudge::summary(db, id)?;
            let ready = summary.as_ref().is_some_and(|summary| summary.state == RejudgeState::Ready);
            let moves = if ready { rejudge::moves(db, id, after, PAGE + 1)? } else { Vec::new() };
            Ok((summary, moves))
        };
        let (summary, mut moves): (_, Vec<RejudgeMove>) =
            self.core.store.read(read).await.map_err(store_refusal)?;
        let more = moves.len() > PAGE;
        moves.truncate(PAGE);
        Ok(RejudgePage { summary: summary.ok_or_else(|| unknown(id))?, moves, more })
    }
}

fn reaches(caller: &Caller, one: &Candidate) -> bool {
    match &one.course {
        Some(course) => caller.is_at_least(course, CourseRole::Instructor),
        None => caller.admin,
    }
}

fn unknown(id: u64) -> Refusal {
    Refusal::new(RefusalCode::NotFound, format!("nothing is judged again under number {id}"))
        .hint("codementor problem rejudge --list shows what is")
}
