//! Requests of a user to the daemon, and the replies. One type a request; its verb is the last word of its subject.

mod accounts;
mod courses;
mod feedback;
mod grades;
mod personal;
mod problems;
mod rejudge;
mod roster;
mod stats;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use accounts::*;
pub use courses::*;
pub use feedback::*;
pub use grades::*;
pub use personal::*;
pub use problems::*;
pub use rejudge::*;
pub use roster::*;
pub use stats::*;

use crate::job::Capture;
use crate::{
    Allowance, AnswerLanguage, Assignment, AssignmentId, CaseSelection, CourseName, Diagnostic, FeedbackStep,
    JobEvent, LanguageId, Limits, PackageHash, Purpose, Slug, SourceFile, State, SubmissionId, Timestamp,
    UserName, Verdict,
};

/// The largest piece of a package that one message carries, so that a message with its base64 stays under the
/// server's default limit of 1 MiB.
pub const PACKAGE_PIECE: usize = 512 * 1024;
/// The most bytes of source text that a submission may have at all; a problem may allow less.
pub const MAX_SOURCE_BYTES: usize = 512 * 1024;
/// The most files that a submission may have.
pub const MAX_SOURCE_FILES: usize = 64;

/// Ties a request to its verb and to the type of its reply.
pub trait Request: Serialize + DeserializeOwned + Send {
    /// The last word of the subject.
    const VERB: &'static str;
    /// What is answered when nothing is wrong.
    type Reply: Serialize + DeserializeOwned + Send;

    /// The course that the request is about, where it must name one: the role that counts is the one in that course.
    fn course(&self) -> Option<&CourseName> {
        None
    }
}

/// What comes back for a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply<T> {
    /// The answer.
    Ok(T),
    /// Why there is none.
    Refused(Refusal),
}

impl<T> From<Result<T, Refusal>> for Reply<T> {
    fn from(result: Result<T, Refusal>) -> Self {
        match result {
            Ok(reply) => Self::Ok(reply),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}

impl<T> From<Reply<T>> for Result<T, Refusal> {
    fn from(reply: Reply<T>) -> Self {
        match reply {
            Reply::Ok(reply) => Ok(reply),
            Reply::Refused(refusal) => Err(refusal),
        }
    }
}

/// A request that was not carried out: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal it is; the command line's exit code follows from it.
    pub code: RefusalCode,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The request itself makes no sense: unknown language, empty source, a file name that is none.
    Invalid,
    /// The rules do not allow it: language not allowed, too late, too often.
    Forbidden,
    /// The rules allow it, at a price that the user has to agree to: late, or the last attempt.
    Confirm,
    /// The user has no right to ask this, or is not known.
    Unauthorised,
    /// There is nothing to run, so that no result could be right.
    Nothing,
    /// There is no such problem, submission or case.
    NotFound,
    /// Not now, but later: the daemon is stopping, or its disk is full.
    Later,
    /// A fault of ours.
    Internal,
    /// Something that a newer daemon says.
    #[serde(other)]
    Unknown,
}

macro_rules! requests {
    // `in course` names the field that holds the course which the request is about, or the way to it.
    ($($request:ident $verb:literal -> $reply:ty $(, in $($field:ident).+)?;)*) => {
        $(impl Request for $request {
            const VERB: &'static str = $verb;
            type Reply = $reply;

            $(fn course(&self) -> Option<&CourseName> {
                Some(&self.$($field).+)
            })?
        })*

        /// Every verb that the gateway answers.
        pub const VERBS: &[&str] = &[$($verb),*];

        /// The course that a request names, given its verb and its JSON. For checks of the whole table; the gateway
        /// asks the request itself.
        pub fn named_course(verb: &str, json: &[u8]) -> Result<Option<CourseName>, serde_json::Error> {
            match verb {
                $($verb => Ok(serde_json::from_slice::<$request>(json)?.course().cloned()),)*
                _ => Ok(None),
            }
        }
    };
}

requests! {
    Submit "submit" -> Submitted;
    Events "events" -> EventPage;
    Show "show" -> Detail;
    History "history" -> Vec<Summary>;
    ReadCase "case" -> CaseDetail;
    Cancel "cancel" -> Cancelling;
    ListProblems "problems" -> Vec<ProblemSummary>;
    FindProblem "problem" -> ProblemSummary;
    PutPackage "package-put" -> PackageReceived;
    InstallPackage "package-install" -> Install;
    ComparePackage "package-compare" -> PackageChange;
    GetPackage "package-get" -> PackagePiece;
    StartRejudge "rejudge" -> RejudgePage;
    ReadRejudge "rejudge-show" -> RejudgePage;
    EndRejudge "rejudge-end" -> RejudgePage;
    ListRejudges "rejudges" -> Vec<RejudgeSummary>;
    ReadStats "stats" -> Stats, in assignment.course;
    GetStatus "status" -> Status;
    Hint "hint" -> FeedbackStep;
    ReadFeedback "feedback" -> FeedbackDetail;
    ShowPrompt "prompt" -> Prompt;
    Rehearse "rehearse" -> Rehearsal;
    Stop "stop" -> Stopping;
    PutCourse "course-put" -> CourseSummary;
    ListCourses "courses" -> Vec<CourseSummary>;
    PutAssignment "assignment-put" -> Assignment, in assignment.id.course;
    ListAssignments "assignments" -> Vec<Assignment>;
    SetAssignmentState "assignment-state" -> Assignment, in assignment.course;
    ExtendAssignment "assignment-extend" -> Assignment, in assignment.course;
    DeleteAssignment "assignment-delete" -> AssignmentDeleted, in assignment.course;
    ListDue "due" -> Vec<DueAssignment>;
    ReadProblem "problem-read" -> ProblemText;
    WhoAmI "whoami" -> Identity;
    Join "join" -> Identity;
    Renew "renew" -> Enrolled;
    Pair "pair" -> EnrolCode;
    ListKeys "keys" -> Vec<KeySummary>;
    LogOut "logout" -> LoggedOut;
    MakeCode "code-make" -> EnrolCode, in course;
    ListCodes "codes" -> Vec<CodeSummary>, in course;
    DropCode "code-drop" -> CodeDropped, in course;
    MakeScoped "credential-make" -> Enrolled, in assignment.course;
    Revoke "revoke" -> Revoked;
    ImportRoster "roster-import" -> RosterChange, in course;
    ListRoster "roster" -> RosterPage, in course;
    LinkMember "roster-link" -> MemberLinked, in course;
    RemoveMember "member-remove" -> MemberRemoved, in course;
    ListGrades "grades" -> GradeTable, in assignment.course;
    ShowGrade "grade" -> Grade, in assignment.course;
    OverrideGrade "grade-override" -> Grade, in assignment.course;
    ChooseSubmission "grade-choose" -> Chosen;
    ReadPersonal "personal" -> PersonalPage;
    ErasePersonal "personal-erase" -> Erased;
    ReadAudit "audit" -> Vec<AuditEntry>, in course;
}

/// Judge a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// Made by the client, the same when it tries again: a second request with this key is the first one again.
    pub key: String,
    /// Whether it counts as an attempt.
    pub purpose: Purpose,
    /// The problem.
    pub problem: Slug,
    /// The version of the problem, where the client wants one that is not the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageHash>,
    /// The runner.
    pub language: LanguageId,
    /// The program.
    pub files: Vec<SourceFile>,
    /// The file to start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Whether the student wants feedback, where the policy allows it.
    #[serde(default = "yes")]
    pub feedback: bool,
    /// The language that feedback should be in, such as `ko`; the server's own choice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_in: Option<AnswerLanguage>,
    /// The assignment that it is for. A student who names none means the only open one with this problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    /// Whether it is to count even where it is late or the last attempt. Without this such a submission is refused
    /// with [`RefusalCode::Confirm`], so that a person can be asked; the server's clock alone decides.
    #[serde(default)]
    pub confirmed: bool,
}

fn yes() -> bool {
    true
}

/// A submission that will be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Its number.
    pub id: SubmissionId,
    /// What has happened to it so far.
    pub events: Vec<JobEvent>,
}

/// Read the events of a submission again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The submission.
    pub submission: SubmissionId,
    /// The first event wanted.
    pub from: u64,
}

/// Some events of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<JobEvent>,
    /// Whether there were more than fit into one message.
    pub more: bool,
}

/// Show a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Show {
    /// Its number; the newest of the user when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<SubmissionId>,
}

/// A submission in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its number.
    pub id: SubmissionId,
    /// The problem.
    pub problem: Slug,
    /// The runner.
    pub language: LanguageId,
    /// Where it is in its life.
    pub state: State,
    /// The verdict, once there is one.
    pub verdict: Option<Verdict>,
    /// Points.
    pub score: Option<String>,
    /// The most points that there are.
    pub max_score: String,
    /// How many cases were accepted; absent too where the assignment does not show it.
    pub passed: Option<u32>,
    /// How many cases there are.
    pub total: Option<u32>,
    /// The greatest CPU time of a case, in milliseconds.
    pub time_ms: Option<u64>,
    /// The greatest memory of a case, in KiB.
    pub memory_kib: Option<u64>,
    /// Which try it was.
    pub attempt: u32,
    /// When it was submitted.
    pub at: Timestamp,
    /// The assignment that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    /// Whether it came after the deadline.
    #[serde(default)]
    pub late: bool,
    /// When it was last judged again by another version of the problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejudged: Option<Timestamp>,
}

/// All that a user may see of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// As in a list.
    pub summary: Summary,
    /// The version of the problem that judges it.
    pub package: PackageHash,
    /// The program.
    pub files: Vec<SourceFile>,
    /// What the compiler said in the newest delivery.
    pub diagnostics: Vec<Diagnostic>,
    /// What the compiler said, in its own words.
    pub compiler_output: String,
    /// Our fault, if it could not be judged.
    pub fault: Option<String>,
}

/// List submissions, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Only of this problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Slug>,
    /// Only to this assignment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    /// Only those before this one, for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<SubmissionId>,
    /// How many at most.
    pub limit: u32,
}

/// Read what a program wrote for a sample, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadCase {
    /// The submission.
    pub submission: SubmissionId,
    /// The case by name or by place; the first sample that was not accepted when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

/// One sample as it was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseDetail {
    /// The submission.
    pub submission: SubmissionId,
    /// The case's place.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The input.
    pub input: Capture,
    /// The expected answer.
    pub expected: Capture,
    /// What the program wrote to standard output.
    pub stdout: Capture,
    /// What it wrote to standard error.
    pub stderr: Capture,
    /// The first difference by the problem's own rules, in words; absent where the outputs agree.
    pub difference: Option<String>,
}

/// Stop judging a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// The submission.
    pub submission: SubmissionId,
}

/// What became of a cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelling {
    /// False when judging had already ended.
    pub cancelled: bool,
    /// The state that it is in now.
    pub state: State,
}

/// List the problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProblems {}

/// Look up a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindProblem {
    /// Its name.
    pub problem: Slug,
}

/// A problem in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemSummary {
    /// Its name in commands.
    pub slug: Slug,
    /// Its title.
    pub title: String,
    /// The version that judges new submissions.
    pub package: PackageHash,
    /// The limits.
    pub limits: Limits,
    /// How many cases students may see.
    pub samples: u32,
    /// How many cases there are.
    pub cases: u32,
    /// Languages that are allowed; empty when all are.
    pub languages: Vec<LanguageId>,
    /// When this version was installed.
    pub installed: Timestamp,
    /// The best verdict of the asking user.
    pub best: Option<Verdict>,
}

/// A piece of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutPackage {
    /// The package's hash.
    pub package: PackageHash,
    /// How many bytes the archive has in all.
    pub size: u64,
    /// Where this piece begins.
    pub offset: u64,
    /// The piece; empty to ask how much has arrived.
    #[serde(with = "crate::job::base64")]
    pub piece: Vec<u8>,
}

/// How much of a package has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageReceived {
    /// The next byte wanted: the size when all is there.
    pub next: u64,
    /// Whether the daemon has the package already.
    pub complete: bool,
}

/// Make a package that has arrived the version of a problem that judges. Safe to repeat: the client asks again until
/// the answer is not [`Install::Calibrating`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallPackage {
    /// The package's hash.
    pub package: PackageHash,
    /// The problem's name.
    pub slug: Slug,
    /// Install it without making it the current version of the name: for `-p PATH`.
    pub by_content: bool,
    /// What it is to replace. Where something else judges meanwhile, it is refused; absent replaces whatever there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaces>,
}

/// Where an installation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Install {
    /// It judges from now on.
    Installed {
        /// The problem as it is now.
        problem: ProblemSummary,
        /// What is odd about the package, but does not stop it from being judged.
        warnings: Vec<String>,
        /// Whether this very version was there before.
        unchanged: bool,
    },
    /// Its accepted submissions are being run to set its time limit.
    Calibrating {
        /// How many have ended.
        done: u32,
        /// How many there are.
        total: u32,
    },
}

/// How is the daemon?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetStatus {}

/// How the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// The build that it runs.
    pub build: String,
    /// Its process id.
    pub pid: u32,
    /// When it started.
    pub since: Timestamp,
    /// Who asks.
    pub user: UserName,
    /// The NATS server's version.
    pub nats: String,
    /// How many programs it judges at once here.
    pub slots: u32,
    /// How many of them are busy.
    pub busy: u32,
    /// Submissions that wait, by lane.
    pub queued: Vec<(String, u64)>,
    /// Submissions that are with a judge.
    pub running: u64,
    /// All submissions ever.
    pub submissions: u64,
    /// All problems.
    pub problems: u64,
    /// After how many seconds without work it stops; absent when it does not.
    pub idle_timeout_s: Option<u64>,
    /// What is wrong with the container engine, if something is.
    pub engine_error: Option<String>,
    /// Where it writes its log; nothing for those who do not run the server.
    pub log: String,
    /// How feedback is set up.
    #[serde(default)]
    pub feedback: FeedbackStatus,
}

/// How feedback is set up, and what was spent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackStatus {
    /// The names of the endpoints, in the order in which they are asked; none is a normal state.
    pub endpoints: Vec<String>,
    /// What the whole server may still spend today.
    pub left: Allowance,
    /// Tokens spent today.
    pub tokens_today: u64,
    /// Millionths of a US dollar spent today.
    pub cost_micro_today: u64,
}

/// End the daemon once running jobs have ended; what waits is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {}

/// The daemon is ending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// Jobs that it still waits for.
    pub running: u64,
    /// Submissions that wait for the next start.
    pub queued: u64,
}

/// Which cases a purpose runs.
pub fn selection(purpose: Purpose) -> CaseSelection {
    match purpose {
        Purpose::Submission | Purpose::Calibration | Purpose::Verification | Purpose::Rejudge => {
            CaseSelection::All
        }
        Purpose::Trial => CaseSelection::Samples,
    }
}
