//! The table of who may ask what. `docs/ACCESS.md` has the same table, written by hand; a test compares every cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use codementor_protocol::{
    AssignmentId, Cancel, ComparePackage, CourseName, CourseRole, DeleteAssignment, DropCode, Events,
    ExtendAssignment, FindProblem, GetPackage, GetStatus, Hint, History, InstallPackage, Join,
    ListAssignments, ListCodes, ListCourses, ListDue, ListKeys, ListProblems, LogOut, MakeCode, MakeScoped,
    Pair, PutAssignment, PutCourse, PutPackage, ReadCase, ReadFeedback, ReadProblem, Refusal, RefusalCode,
    Rehearse, Renew, Request, Revoke, SetAssignmentState, Show, ShowPrompt, Stop, Submit, UserName, WhoAmI,
};
use codementor_protocol::{ChooseSubmission, ListGrades, OverrideGrade, ShowGrade};
use codementor_protocol::{EndRejudge, ListRejudges, ReadRejudge, ReadStats, StartRejudge};
use codementor_protocol::{ErasePersonal, ReadPersonal};
use codementor_protocol::{ImportRoster, LinkMember, ListRoster, ReadAudit, RemoveMember};

/// Who may ask something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every user of this server. What comes back may still depend on who asks.
    Anyone,
    /// Every user, about what is its own: whose it is, the handler looks up.
    Own,
    /// Whoever has at least this role in the course that the request names.
    Course(CourseRole),
    /// Whoever has at least this role in any course.
    SomeCourse(CourseRole),
    /// Administrators of the server.
    Admin,
}

/// Who may ask `verb`. A verb that is not in the table may be asked by nobody.
pub(crate) fn access(verb: &str) -> Option<Access> {
    Some(match verb {
        ListProblems::VERB | FindProblem::VERB | GetStatus::VERB | Submit::VERB | ShowPrompt::VERB => {
            Access::Anyone
        }
        Events::VERB | Show::VERB | History::VERB | ReadCase::VERB | Cancel::VERB => Access::Own,
        Hint::VERB | ReadFeedback::VERB => Access::Own,
        PutPackage::VERB | InstallPackage::VERB | Rehearse::VERB => {
            Access::SomeCourse(CourseRole::Instructor)
        }
        ComparePackage::VERB | GetPackage::VERB => Access::SomeCourse(CourseRole::Instructor),
        ReadStats::VERB => Access::Course(CourseRole::Assistant),
        StartRejudge::VERB | ReadRejudge::VERB | EndRejudge::VERB | ListRejudges::VERB => {
            Access::SomeCourse(CourseRole::Instructor)
        }
        ListCourses::VERB | ListAssignments::VERB | ListDue::VERB | ReadProblem::VERB => Access::Anyone,
        PutAssignment::VERB | SetAssignmentState::VERB | ExtendAssignment::VERB | DeleteAssignment::VERB => {
            Access::Course(CourseRole::Instructor)
        }
        WhoAmI::VERB | Join::VERB | Pair::VERB => Access::Anyone,
        ListKeys::VERB | Renew::VERB | LogOut::VERB => Access::Own,
        MakeScoped::VERB => Access::Course(CourseRole::Student),
        MakeCode::VERB | ListCodes::VERB | DropCode::VERB => Access::Course(CourseRole::Instructor),
        ReadPersonal::VERB => Access::Own,
        ErasePersonal::VERB => Access::Admin,
        ShowGrade::VERB => Access::Course(CourseRole::Student),
        ChooseSubmission::VERB => Access::Own,
        ListGrades::VERB => Access::Course(CourseRole::Assistant),
        OverrideGrade::VERB => Access::Course(CourseRole::Instructor),
        ListRoster::VERB => Access::Course(CourseRole::Assistant),
        ImportRoster::VERB | LinkMember::VERB | RemoveMember::VERB | ReadAudit::VERB => {
            Access::Course(CourseRole::Instructor)
        }
        PutCourse::VERB | Revoke::VERB | Stop::VERB => Access::Admin,
        _ => return None,
    })
}

/// What a credential that is limited to an assignment may ask at all. The handlers see to it that it reaches nothing
/// but that assignment, and of the submissions only those that it has made itself.
fn is_in_scope(verb: &str) -> bool {
    matches!(
        verb,
        Submit::VERB
            | Events::VERB
            | Show::VERB
            | History::VERB
            | ReadCase::VERB
            | Cancel::VERB
            | FindProblem::VERB
            | ReadFeedback::VERB
            | GetStatus::VERB
            | WhoAmI::VERB
            | ListDue::VERB
            | ReadProblem::VERB
    )
}

/// What a scoped credential is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The name of the credential on NATS: its requests, inbox and events go by it.
    pub(crate) credential: UserName,
    /// The only assignment that it may submit to.
    pub(crate) assignment: AssignmentId,
}

impl Scope {
    /// Makes a submission one to the assignment of the scope, or refuses one to another.
    pub(crate) fn narrow(&self, request: &mut Submit) -> Result<(), Refusal> {
        match &request.assignment {
            Some(named) if *named != self.assignment => {
                let message = format!("these credentials are for submissions to {} only", self.assignment);
                Err(Refusal::new(RefusalCode::Unauthorised, message))
            }
            _ => {
                request.assignment = Some(self.assignment.clone());
                Ok(())
            }
        }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The user; with a scoped credential, the user whose credential it is.
    pub(crate) user: UserName,
    /// Whether the user runs this server.
    pub(crate) admin: bool,
    /// What the user is to each of its courses.
    pub(crate) courses: Arc<BTreeMap<CourseName, CourseRole>>,
    /// What the credential is limited to.
    pub(crate) scope: Option<Scope>,
}

impl Caller {
    /// The user's own role in a course. An administrator need not have one.
    pub(crate) fn in_course(&self, course: &CourseName) -> Option<CourseRole> {
        self.courses.get(course).copied()
    }

    /// Whether the user may do what `least` may do in a course.
    pub(crate) fn is_at_least(&self, course: &CourseName, least: CourseRole) -> bool {
        self.admin || self.in_course(course).is_some_and(|role| role >= least)
    }

    /// Whether the user may do what `least` may do in one course at least.
    pub(crate) fn is_somewhere(&self, least: CourseRole) -> bool {
        self.admin || self.courses.values().any(|role| *role >= least)
    }

    /// Decides whether this caller may ask `verb` about `course`. Nobody learns whether a course exists that is not
    /// its own.
    pub(crate) fn may_ask(&self, verb: &str, course: Option<&CourseName>) -> Result<(), Refusal> {
        let refused = |why: String| Err(Refusal::new(RefusalCode::Unauthorised, why));
        let Some(access) = access(verb) else {
            let message = format!("this server does not know '{verb}'");
            return Err(Refusal::new(RefusalCode::Invalid, message)
                .hint("are the command and the server of the same version?"));
        };
        if let Some(scope) = &self.scope
            && !is_in_scope(verb)
        {
            return refused(format!("these credentials are for submissions to {} only", scope.assignment));
        }
        let role = match access {
            Access::Anyone | Access::Own => return Ok(()),
            Access::Admin if self.admin => return Ok(()),
            Access::Admin => "administrators",
            Access::SomeCourse(least) if self.is_somewhere(least) => return Ok(()),
            Access::SomeCourse(least) => plural(least),
            Access::Course(least) => match course {
                Some(course) if self.is_at_least(course, least) => return Ok(()),
                Some(course) if self.in_course(course).is_none() => return Err(no_course(course)),
                _ => plural(least),
            },
        };
        refused(format!("'{}' may not ask for '{verb}': that is for {role}", self.user))
    }
}

/// What somebody is told of a course that does not exist, or that is none of its business.
pub(crate) fn no_course(course: &CourseName) -> Refusal {
    Refusal::new(RefusalCode::NotFound, format!("you are in no course '{course}'"))
        .hint("codementor whoami lists your courses")
}

fn plural(role: CourseRole) -> &'static str {
    match role {
        CourseRole::Student => "members of the course",
        CourseRole::Assistant => "assistants and instructors",
        CourseRole::Instructor => "instructors",
    }
}

#[cfg(test)]
mod tests;
