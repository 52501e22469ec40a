//! Requests about courses and assignments, and which problems somebody sees.

use codementor_protocol::{
    Assignment, AssignmentDeleted, AssignmentId, AssignmentState, CourseName, CourseRole, CourseSummary,
    DeleteAssignment, DueAssignment, ExtendAssignment, LanguageId, ListAssignments, ListCourses, ListDue,
    PackageHash, PutAssignment, PutCourse, ReadStats, Refusal, RefusalCode, SetAssignmentState, Slug, Stats,
};

use super::{Caller, Gateway, Handle, store_refusal};
use crate::accounts::no_course;
use crate::courses::{self, check, due, entry, rules};
use crate::queue::now;

impl Handle<PutCourse> for Gateway {
    async fn handle(&self, caller: &Caller, request: PutCourse) -> Result<CourseSummary, Refusal> {
        check::title(&request.title)?;
        let (course, title, by) = (request.course.clone(), request.title, caller.user.clone());
        let put = move |db: &_| courses::put_course(db, &course, &title, &by, now());
        self.core.store.write(put).await.map_err(store_refusal)?;
        let all = self.core.store.read(courses::courses).await.map_err(store_refusal)?;
        let made = all.into_iter().find(|course| course.name == request.course);
        made.map(|made| self.summary(caller, made)).ok_or_else(|| no_course(&request.course))
    }
}

impl Handle<ListCourses> for Gateway {
    async fn handle(&self, caller: &Caller, _: ListCourses) -> Result<Vec<CourseSummary>, Refusal> {
        let mut all = self.core.store.read(courses::courses).await.map_err(store_refusal)?;
        all.retain(|course| caller.is_at_least(&course.name, CourseRole::Student));
        Ok(all.into_iter().map(|course| self.summary(caller, course)).collect())
    }
}

impl Handle<PutAssignment> for Gateway {
    async fn handle(&self, caller: &Caller, request: PutAssignment) -> Result<Assignment, Refusal> {
        let PutAssignment { assignment, create } = request;
        let languages: Vec<LanguageId> =
            self.languages.iter().map(|language| language.id().clone()).collect();
        check::assignment(&assignment, &languages)?;
        for one in &assignment.problems {
            let installed = self.registry.resolve(&one.problem, None).await?;
            check::problem(&assignment, &one.problem, &installed.languages)?;
        }
        let by = caller.user.clone();
        let put = move |db: &_| {
            let put = courses::put_assignment(db, &assignment, create, &by, now())?;
            Ok(put.map(|()| assignment))
        };
        self.core.store.write(put).await.map_err(store_refusal)?
    }
}

impl Handle<ListAssignments> for Gateway {
    async fn handle(&self, caller: &Caller, request: ListAssignments) -> Result<Vec<Assignment>, Refusal> {
        if let Some(course) = &request.course {
            let name = course.clone();
            let is_course = move |db: &_| courses::is_course(db, &name);
            let is_course = self.core.store.read(is_course).await.map_err(store_refusal)?;
            if !(is_course && caller.is_at_least(course, CourseRole::Student)) {
                return Err(no_course(course));
            }
        }
        let list = move |db: &_| courses::assignments(db, request.course.as_ref());
        let all = self.core.store.read(list).await.map_err(store_refusal)?;
        Ok(all.into_iter().filter_map(|assignment| shown(caller, assignment)).collect())
    }
}

impl Handle<SetAssignmentState> for Gateway {
    async fn handle(&self, caller: &Caller, request: SetAssignmentState) -> Result<Assignment, Refusal> {
        let by = caller.user.clone();
        let set = move |db: &_| courses::set_state(db, &request.assignment, request.state, &by, now());
        self.core.store.write(set).await.map_err(store_refusal)?
    }
}

impl Handle<ExtendAssignment> for Gateway {
    async fn handle(&self, caller: &Caller, request: ExtendAssignment) -> Result<Assignment, Refusal> {
        let ExtendAssignment { assignment: id, student, due, reason } = request;
        check::reason(&reason)?;
        if let Some(student) = &student
            && !self.accounts.caller(student).is_ok_and(|known| known.in_course(&id.course).is_some())
        {
            let message = format!("there is nobody named '{student}' in '{}'", id.course);
            return Err(Refusal::new(RefusalCode::NotFound, message)
                .hint(format!("codementor course roster list {} shows who is", id.course)));
        }
        let by = caller.user.clone();
        let extend = move |db: &_| match (student, due) {
            (Some(student), due) => courses::extend_one(db, &id, &student, due, &reason, &by, now()),
            (None, Some(due)) => courses::extend_all(db, &id, due, &reason, &by, now()),
            (None, None) => Ok(Err(Refusal::new(RefusalCode::Invalid, "until when?")
                .hint("name the new deadline; only a student's extension can be taken back"))),
        };
        self.core.store.write(extend).await.map_err(store_refusal)?
    }
}

impl Handle<DeleteAssignment> for Gateway {
    async fn handle(&self, caller: &Caller, request: DeleteAssignment) -> Result<AssignmentDeleted, Refusal> {
        let by = caller.user.clone();
        let delete = move |db: &_| courses::delete(db, &request.assignment, &by, now());
        let submissions = self.core.store.write(delete).await.map_err(store_refusal)??;
        Ok(AssignmentDeleted { submissions })
    }
}

impl Handle<ListDue> for Gateway {
    async fn handle(&self, caller: &Caller, _: ListDue) -> Result<Vec<DueAssignment>, Refusal> {
        let titles = self.registry.titles().await?;
        let (user, courses) = (caller.user.clone(), self.courses_of(caller).await?);
        let list = move |db: &_| {
            let title = |problem: &Slug| titles.get(problem).cloned().unwrap_or_else(|| problem.to_string());
            due::due(db, &user, &courses, title, now())
        };
        let mut all = self.core.store.read(list).await.map_err(store_refusal)?;
        if let Some(scope) = &caller.scope {
            all.retain(|one| one.assignment.id == scope.assignment);
        }
        Ok(all)
    }
}

impl Handle<ReadStats> for Gateway {
    async fn handle(&self, _: &Caller, request: ReadStats) -> Result<Stats, Refusal> {
        let id = request.assignment;
        let students = self.accounts.students(&id.course);
        let read = move |db: &_| {
            let Some(assignment) = courses::assignment(db, &id)? else { return Ok(Err(rules::unknown(&id))) };
            courses::stats::stats(db, &assignment, students).map(Ok)
        };
        self.core.store.read(read).await.map_err(store_refusal)?
    }
}

impl Gateway {
    fn summary(&self, caller: &Caller, course: courses::Course) -> CourseSummary {
        CourseSummary {
            role: caller.in_course(&course.name),
            students: self.accounts.students(&course.name),
            course: course.name,
            title: course.title,
            assignments: course.assignments,
        }
    }

    /// The courses that somebody belongs to; every one for an administrator.
    async fn courses_of(&self, caller: &Caller) -> Result<Vec<CourseName>, Refusal> {
        if !caller.admin {
            return Ok(caller.courses.keys().cloned().collect());
        }
        let all = self.core.store.read(courses::courses).await.map_err(store_refusal)?;
        Ok(all.into_iter().map(|course| course.name).collect())
    }

    /// The assignment that a submission is for, and whether whoever submits teaches its course. Those who may see every
    /// problem can submit outside of assignments; others who name none mean the one that has the problem.
    pub(super) async fn assignment_of(
        &self,
        caller: &Caller,
        problem: &Slug,
        package: Option<&PackageHash>,
        assignment: Option<&AssignmentId>,
    ) -> Result<Option<(AssignmentId, bool)>, Refusal> {
        let id = match assignment {
            Some(id) if caller.is_at_least(&id.course, CourseRole::Student) => id.clone(),
            Some(id) => return Err(rules::unknown(id)),
            None if sees_all(caller) => return Ok(None),
            None => self.meant(caller, problem).await?,
        };
        if package.is_some() && !sees_all(caller) {
            let message = "which version of a problem judges is for the instructor to say";
            return Err(
                Refusal::new(RefusalCode::Forbidden, message).hint("submit to the problem by its name")
            );
        }
        // An administrator who is a student of the course has a grade there: the rules for students hold.
        let teaches = caller.in_course(&id.course) != Some(CourseRole::Student)
            && caller.is_at_least(&id.course, CourseRole::Assistant);
        Ok(Some((id, teaches)))
    }

    /// Sees that somebody may see a problem, through an assignment if one is named. A problem that may not be seen is
    /// as unknown as one that does not exist.
    pub(super) async fn sees(
        &self,
        caller: &Caller,
        problem: &Slug,
        assignment: Option<&AssignmentId>,
    ) -> Result<(), Refusal> {
        let id = match assignment {
            Some(id) if caller.is_at_least(&id.course, CourseRole::Student) => id.clone(),
            Some(id) => return Err(rules::unknown(id)),
            None if sees_all(caller) => return Ok(()),
            None => {
                // That there may be several does not matter here: each of them shows it.
                if self.seen(caller).await?.is_none_or(|seen| seen.contains(problem)) {
                    return Ok(());
                }
                return self.meant(caller, problem).await.map(drop);
            }
        };
        let teaches = caller.is_at_least(&id.course, CourseRole::Assistant);
        let wanted = id.clone();
        let read = self.core.store.read(move |db| courses::assignment(db, &wanted)).await;
        let assignment = read.map_err(store_refusal)?.ok_or_else(|| rules::unknown(&id))?;
        if teaches {
            return rules::has_problem(&assignment, problem);
        }
        rules::visible(&assignment, problem, now())
    }

    /// The problems that somebody sees; `None` for all.
    pub(super) async fn seen(&self, caller: &Caller) -> Result<Option<Vec<Slug>>, Refusal> {
        if sees_all(caller) {
            return Ok(None);
        }
        let courses = self.courses_of(caller).await?;
        // Drafts too, for those who teach; credentials for CI are for what students submit.
        let teaches =
            |course: &CourseName| caller.scope.is_none() && caller.is_at_least(course, CourseRole::Assistant);
        let taught: Vec<CourseName> = courses.iter().filter(|course| teaches(course)).cloned().collect();
        let seen = self.core.store.read(move |db| {
            let mut seen = entry::seen(db, &courses, now())?;
            for course in &taught {
                seen.extend(courses::assignments(db, Some(course))?);
            }
            Ok(seen)
        });
        let problems = seen.await.map_err(store_refusal)?.into_iter().flat_map(|one| one.problems);
        Ok(Some(problems.map(|one| one.problem).collect()))
    }

    async fn meant(&self, caller: &Caller, problem: &Slug) -> Result<AssignmentId, Refusal> {
        let (courses, problem) = (self.courses_of(caller).await?, problem.clone());
        let meant = move |db: &_| entry::meant(db, &courses, &problem, now());
        self.core.store.read(meant).await.map_err(store_refusal)?
    }
}

/// Administrators and instructors see every problem of the server: they install them.
fn sees_all(caller: &Caller) -> bool {
    caller.scope.is_none() && caller.is_somewhere(CourseRole::Instructor)
}

/// An assignment as somebody may see it.
fn shown(caller: &Caller, mut assignment: Assignment) -> Option<Assignment> {
    let course = &assignment.id.course;
    if !caller.is_at_least(course, CourseRole::Student) {
        return None;
    }
    if caller.is_at_least(course, CourseRole::Assistant) {
        return Some(assignment);
    }
    if assignment.state == AssignmentState::Draft {
        return None;
    }
    if rules::not_yet(&assignment, now()).is_some() {
        assignment.problems.clear();
    }
    Some(assignment)
}
