//! What failed, what to try next, and the exit code: an exhaustive match, so that a new failure cannot be forgotten.

use std::path::PathBuf;

use codementor_protocol::{AssignmentId, EventKind, FaultCode, Refusal, RefusalCode, SubmissionId, Verdict};
use codementor_runners::ImageError;
use codementord::files::is_of_the_path;
use codementord::settings::SettingsError;

use crate::apply::ApplyError;
use crate::ci::CiError;
use crate::client::ClientError;
use crate::commands::get::GetError;
use crate::contexts::ContextError;
use crate::draft::DraftError;
use crate::foreign;
use crate::grades::ExportError;
use crate::locale;
use crate::package::PackageError;
use crate::private::PrivateError;
use crate::problem::ProblemError;
use crate::roster::RosterError;
use crate::sanitize;
use crate::source::SourceError;
use crate::terminal::Paint;

/// What the process exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Accepted, or done.
    Success = 0,
    /// Judged, but not accepted.
    NotAccepted = 1,
    /// Wrong usage; clap uses the same.
    Usage = 2,
    /// The rules do not allow it.
    Refused = 3,
    /// No valid credentials.
    Login = 4,
    /// No such problem or submission.
    NotFound = 5,
    /// There is nothing that could be graded.
    NothingToGrade = 6,
    /// Not judged within the time given.
    StillRunning = 8,
    /// Somebody cancelled it.
    Cancelled = 9,
    /// The daemon, the NATS server or the engine cannot be reached.
    Unreachable = 69,
    /// A fault of ours.
    OurFault = 70,
    /// Later it may work.
    Later = 75,
    /// Interrupted from the keyboard before the verdict.
    Interrupted = 130,
}

impl ExitStatus {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The word for this outcome in JSON.
    pub fn token(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::NotAccepted => "not_accepted",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Login => "login_required",
            Self::NotFound => "not_found",
            Self::NothingToGrade => "nothing_to_grade",
            Self::StillRunning => "still_running",
            Self::Cancelled => "cancelled",
            Self::Unreachable => "unreachable",
            Self::OurFault => "internal",
            Self::Later => "later",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        status.code().into()
    }
}

/// How watching a submission ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With a verdict, on so many cases.
    Judged(Verdict, u32),
    /// With a fault of ours, of the kind that the text names.
    Faulted(String),
    /// Somebody cancelled it.
    Cancelled,
    /// The time given had passed.
    StillRunning,
    /// Interrupted from the keyboard.
    Detached,
    /// Nobody wanted to wait.
    NotAwaited,
}

impl Outcome {
    /// The outcome that an event brings, if it brings one.
    pub fn of(event: &EventKind) -> Option<Self> {
        match event {
            EventKind::Result(result) => Some(Self::Judged(result.verdict, result.total)),
            EventKind::Error(failed) => Some(Self::Faulted(failed.code.clone())),
            EventKind::Cancelled => Some(Self::Cancelled),
            EventKind::Submission(_)
            | EventKind::Queued(_)
            | EventKind::Preparing { .. }
            | EventKind::Started(_)
            | EventKind::Restarted(_)
            | EventKind::Rejudged(_)
            | EventKind::Compiled(_)
            | EventKind::Test(_)
            | EventKind::Feedback(_)
            | EventKind::Fix(_)
            | EventKind::FeedbackEnd(_)
            | EventKind::End(_)
            | EventKind::Unknown => None,
        }
    }

    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Judged(Verdict::CompileError, _) => ExitStatus::NotAccepted,
            Self::Judged(_, 0) => ExitStatus::NothingToGrade,
            Self::Judged(Verdict::Accepted, _) => ExitStatus::Success,
            Self::Judged(_, _) => ExitStatus::NotAccepted,
            Self::Faulted(code) if *code == FaultCode::Engine.to_string() => ExitStatus::Unreachable,
            Self::Faulted(code) if *code == FaultCode::DiskFull.to_string() => ExitStatus::Later,
            Self::Faulted(_) => ExitStatus::OurFault,
            Self::Cancelled => ExitStatus::Cancelled,
            Self::StillRunning => ExitStatus::StillRunning,
            Self::Detached => ExitStatus::Interrupted,
            Self::NotAwaited => ExitStatus::Success,
        }
    }
}

/// Why a command could not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The settings are wrong.
    #[error("{}", foreign::settings(.0))]
    Settings(#[from] SettingsError),
    /// The program cannot be sent.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The problem cannot be told.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// A problem package cannot be sent.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// There is nothing that CI could grade, or be set up with.
    #[error(transparent)]
    Ci(#[from] CiError),
    /// The private daemon cannot be started or reached.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The servers that were joined cannot be told apart, or their credentials not be kept.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The server cannot be talked to.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The daemon said no.
    #[error("{}", refused(.0))]
    Refused(#[from] Refusal),
    /// The daemon has no such problem.
    #[error("{}", refused(refusal))]
    NoProblem {
        /// The daemon's words.
        refusal: Refusal,
        /// Those that may have been meant.
        near: Vec<String>,
    },
    /// What this side knows that the daemon would refuse, or has nothing to answer to.
    #[error("{}", .0.message)]
    Known(Refusal),
    /// What was written is no assignment.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// What was written is no roster.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// Grades cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The files of a problem cannot be written.
    #[error(transparent)]
    Get(GetError),
    /// There is no such assignment.
    #[error("{}", t!("there is no assignment '{text}'", text = .0))]
    NoAssignment(AssignmentId),
    /// Nobody agreed to something that cannot be undone.
    #[error("{}", t!("{what}: nobody agreed to it", what))]
    NotAgreed {
        /// What was not done.
        what: String,
    },
    /// There is no submission yet that could be the default.
    #[error("{}", t!("you have not submitted anything yet"))]
    NoSubmissions,
    /// A corrected program is not written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The languages cannot be loaded.
    #[error("{}", foreign::languages(.0))]
    Languages(#[from] codementor_runners::language::LoadError),
    /// A language that is asked for by name does not exist.
    #[error("{}", foreign::detect(.0))]
    Language(#[from] codementor_runners::language::DetectError),
    /// A submission waits, since the daemon's container engine is away.
    #[error("{}", t!(
        "{id} waits: {reason}",
        id = submission.map_or(t!("it").into(), |id| format!("#{id}")), reason
    ))]
    Waits {
        /// The submission; absent for a trial, which is not kept.
        submission: Option<SubmissionId>,
        /// What is wrong with the engine.
        reason: String,
    },
    /// The container engine cannot be used.
    #[error("{}", foreign::engine(.0))]
    Engine(#[from] codementor_runners::EngineError),
    /// A language's image cannot be built.
    #[error("{}", foreign::image(.0))]
    Image(#[from] codementor_runners::ImageError),
    /// Writing failed.
    #[error("{}", t!("cannot write {what}: {source}", what, source))]
    Write {
        /// To what.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file that was named cannot be written.
    #[error("{}", t!("cannot write {path}: {source}", path = path.display(), source))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody reads our output any more.
    #[error("{}", t!("nobody reads the output"))]
    BrokenPipe,
}

impl From<std::io::Error> for CliError {
    /// An error of one of the two standard streams; files have errors of their own.
    fn from(source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Write { what: t!("the output").into(), source },
        }
    }
}

impl CliError {
    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Settings(_) => ExitStatus::Usage,
            Self::Source(SourceError::NothingHere { .. }) => ExitStatus::NothingToGrade,
            Self::Source(_) => ExitStatus::Usage,
            Self::Problem(_) => ExitStatus::Usage,
            Self::Package(error) => error.status(),
            Self::Ci(error) => error.status(),
            Self::Private(error) => error.status(),
            Self::Context(error) => error.status(),
            Self::Client(error) => error.status(),
            Self::Refused(refusal) | Self::Known(refusal) | Self::NoProblem { refusal, .. } => {
                match refusal.code {
                    RefusalCode::Invalid => ExitStatus::Usage,
                    RefusalCode::Forbidden | RefusalCode::Confirm => ExitStatus::Refused,
                    RefusalCode::Unauthorised => ExitStatus::Login,
                    RefusalCode::NotFound => ExitStatus::NotFound,
                    RefusalCode::Nothing => ExitStatus::NothingToGrade,
                    RefusalCode::Later => ExitStatus::Later,
                    RefusalCode::Internal | RefusalCode::Unknown => ExitStatus::OurFault,
                }
            }
            Self::Draft(_) | Self::Roster(_) | Self::Export(_) => ExitStatus::Usage,
            Self::Get(GetError::Write { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull => {
                ExitStatus::Later
            }
            Self::Get(GetError::Write { .. }) => ExitStatus::OurFault,
            Self::Get(_) => ExitStatus::Usage,
            Self::NotAgreed { .. } => ExitStatus::Refused,
            Self::NoSubmissions | Self::NoAssignment(_) => ExitStatus::NotFound,
            Self::Apply(error) => error.status(),
            Self::Languages(_) | Self::Language(_) => ExitStatus::Usage,
            Self::Waits { .. } | Self::Engine(_) | Self::Image(ImageError::Engine(_)) => {
                ExitStatus::Unreachable
            }
            Self::Image(_) => ExitStatus::OurFault,
            Self::Write { source, .. } | Self::File { source, .. }
                if source.kind() == std::io::ErrorKind::StorageFull =>
            {
                ExitStatus::Later
            }
            Self::File { source, .. } if is_of_the_path(source) => ExitStatus::Usage,
            Self::Write { .. } | Self::File { .. } => ExitStatus::OurFault,
            Self::BrokenPipe => ExitStatus::Success,
        }
    }

    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        match self {
            // These say themselves what to do, or nothing can be done.
            Self::Settings(_)
            | Self::Languages(_)
            | Self::Language(_)
            | Self::Engine(_)
            | Self::Image(_)
            | Self::Write { .. }
            | Self::BrokenPipe => None,
            Self::File { source, .. } => is_of_the_path(source)
                .then(|| t!("name a file in a folder that is there, and that you may write to").into()),
            Self::Source(error) => error.hint(),
            Self::Problem(error) => error.hint(),
            Self::Package(error) => error.hint(),
            Self::Ci(error) => error.hint(),
            Self::Draft(error) => error.hint(),
            Self::Roster(error) => error.hint(),
            Self::Export(error) => error.hint(),
            Self::Get(error) => error.hint(),
            Self::NoAssignment(id) => {
                Some(t!("those of the course: codementor assignment list {course}", course = id.course))
            }
            Self::NotAgreed { .. } => Some(t!("--yes agrees").into()),
            Self::Private(error) => error.hint(),
            Self::Context(error) => error.hint(),
            Self::Client(error) => error.hint(),
            Self::Refused(refusal) => refusal.hint.as_deref().map(|hint| locale::said(hint).into_owned()),
            Self::Known(refusal) => refusal.hint.clone(),
            Self::NoProblem { near, .. } if near.is_empty() => Some(
                t!("the installed problems: codementor list; a package goes by its path, such as ./hello")
                    .into(),
            ),
            Self::NoProblem { near, .. } => Some(t!("did you mean {near}?", near = near.join(t!(" or ")))),
            Self::Waits { submission: Some(id), .. } => Some(t!(
                "nothing is lost: it is judged once the engine is there. Come back with: {command}",
                command = come_back(*id)
            )),
            Self::Waits { submission: None, .. } => Some(t!("try again once the engine is there").into()),
            Self::Apply(error) => error.hint(),
            Self::NoSubmissions => {
                Some(t!("submit a program first: codementor submit FILE -p PROBLEM").into())
            }
        }
    }

    /// Whether trying the same again later can help.
    pub fn retryable(&self) -> bool {
        matches!(self.status(), ExitStatus::Unreachable | ExitStatus::Later)
    }

    /// The error as a person reads it: what failed, and what to try next.
    pub fn render(&self, paint: Paint) -> String {
        let mut text = format!("{}: {}\n", paint.bad(t!("error")), sanitize::text(&self.to_string()));
        if let Some(hint) = self.hint() {
            text.push_str(&format!("{}: {}\n", paint.place(t!(" hint")), sanitize::text(&hint)));
        }
        text
    }
}

/// What the daemon refused. Its words are English; where they are not known, what kind of refusal it is can be said in
/// every language.
fn refused(refusal: &Refusal) -> String {
    // In its own language the daemon has said it all.
    if !locale::is_korean() {
        return refusal.message.clone();
    }
    locale::known(&refusal.message).unwrap_or_else(|| match refusal.code {
        RefusalCode::Invalid => t!("the request is wrong: {reason}", reason = refusal.message),
        RefusalCode::Forbidden => t!("the rules do not allow it: {reason}", reason = refusal.message),
        RefusalCode::Confirm => t!("it has to be agreed to: {reason}", reason = refusal.message),
        RefusalCode::Unauthorised => t!("you have no right to it: {reason}", reason = refusal.message),
        RefusalCode::Nothing => t!("there is nothing to judge: {reason}", reason = refusal.message),
        RefusalCode::NotFound => t!("it does not exist: {reason}", reason = refusal.message),
        RefusalCode::Later => t!("not now, but later: {reason}", reason = refusal.message),
        RefusalCode::Internal | RefusalCode::Unknown => {
            t!("a fault of ours: {reason}", reason = refusal.message)
        }
    })
}

/// How to come back to a submission.
pub fn come_back(id: SubmissionId) -> String {
    format!("codementor watch {id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_the_exit_code_of_the_table() {
        let table = [
            (Outcome::Judged(Verdict::Accepted, 3), 0),
            (Outcome::Judged(Verdict::WrongAnswer, 3), 1),
            (Outcome::Judged(Verdict::CompileError, 3), 1),
            (Outcome::Judged(Verdict::CompileError, 0), 1),
            (Outcome::Judged(Verdict::Accepted, 0), 6),
            (Outcome::Faulted("sandbox".into()), 70),
            (Outcome::Faulted("engine".into()), 69),
            (Outcome::Faulted("disk full".into()), 75),
            (Outcome::Cancelled, 9),
            (Outcome::StillRunning, 8),
            (Outcome::Detached, 130),
            (Outcome::NotAwaited, 0),
        ];
        for (outcome, code) in table {
            assert_eq!(outcome.status().code(), code, "{outcome:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_wrong_usage_and_a_full_disk_is_not() {
        use std::io::ErrorKind;
        for (kind, code) in [
            (ErrorKind::NotFound, 2),
            (ErrorKind::PermissionDenied, 2),
            (ErrorKind::IsADirectory, 2),
            (ErrorKind::NotADirectory, 2),
            (ErrorKind::ReadOnlyFilesystem, 2),
            (ErrorKind::StorageFull, 75),
            (ErrorKind::Other, 70),
        ] {
            let error = CliError::File { path: "/no/dir/x".into(), source: kind.into() };
            assert_eq!(error.status().code(), code, "{kind:?}");
            assert_eq!(error.hint().is_some(), code == 2, "{kind:?}");
        }
        assert_eq!(CliError::from(std::io::Error::from(ErrorKind::PermissionDenied)).status().code(), 70);
    }

    #[test]
    fn each_refusal_has_the_exit_code_of_the_table() {
        let table = [
            (RefusalCode::Invalid, 2),
            (RefusalCode::Forbidden, 3),
            (RefusalCode::Confirm, 3),
            (RefusalCode::Unauthorised, 4),
            (RefusalCode::NotFound, 5),
            (RefusalCode::Nothing, 6),
            (RefusalCode::Later, 75),
            (RefusalCode::Internal, 70),
            (RefusalCode::Unknown, 70),
        ];
        for (code, status) in table {
            assert_eq!(CliError::from(Refusal::new(code, "no")).status().code(), status, "{code:?}");
        }
    }

    #[test]
    fn an_error_says_what_failed_and_what_to_try_and_cannot_steer_the_terminal() {
        let refusal =
            Refusal::new(RefusalCode::NotFound, "no such problem: \x1b[31mx").hint("did you mean hello?");
        assert_eq!(
            CliError::from(refusal).render(Paint::PLAIN),
            "error: no such problem: \\x1b[31mx\n hint: did you mean hello?\n"
        );
    }
}
