//! What crosses NATS between the command line, the daemon and the judges: identifiers, subjects, requests and
//! replies, jobs and reports, events, verdicts, and the state that a submission is in.
//!
//! Everything here is a type or a pure function: no I/O, no clock, no runtime. All messages are JSON; they are
//! additive, so that a reader ignores fields and event types that it does not know.

mod course;
mod diagnostic;
mod event;
mod fault;
mod feedback;
mod ids;
mod job;
mod points;
mod request;
mod state;
pub mod subject;
mod timestamp;
mod verdict;

pub use course::{
    Assignment, AssignmentId, AssignmentProblem, AssignmentState, AttemptPolicy, CaseVisibility, Counting,
    CourseRole, LatePolicy,
};
pub use diagnostic::{Diagnostic, Severity};
pub use event::{
    Accepted, Compiled, Ended, EventKind, Failed, JobEvent, Queued, Rejudged, Restarted, SCHEMA_VERSION,
    Started, TestEvent, Verdicted,
};
pub use fault::{Fault, FaultCode};
pub use feedback::{
    Allowance, AnswerLanguage, Feedback, FeedbackEnd, FeedbackOutcome, FeedbackPolicy, FeedbackStep, Fix,
};
pub use ids::{
    AssignmentName, CourseName, IdError, InstanceId, LanguageId, PackageHash, Slug, SubmissionId, UserName,
};
pub use job::{
    Capture, CaseReport, CaseSelection, DeliveryToken, Finish, Job, Lane, Limits, Purpose, Report,
    ReportKind, Reports, SourceFile, StopRule,
};
pub use points::{Points, PointsError};
pub use request::*;
pub use state::{Ending, Illegal, State};
pub use timestamp::{Span, Timestamp};
pub use verdict::{Comparison, Exit, Exited, Limit, Usage, Verdict, Visibility, classify};
