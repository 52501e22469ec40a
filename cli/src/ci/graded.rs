//! What grading came to: the one value that every format is rendered from. It holds nothing that a student may not
//! see: of a hidden test its place, its group and its verdict.

use std::collections::HashSet;

use codementor_protocol::{
    Compiled, Diagnostic, LanguageId, Points, Severity, SourceFile, SubmissionId, TestEvent, Timestamp,
    Verdict, Verdicted, Visibility,
};

use crate::error::ExitStatus;
use crate::render::words;

/// A graded assignment.
#[derive(Debug, Clone)]
pub struct Graded {
    /// Its name.
    pub name: String,
    /// Its problems, in the plan's order.
    pub problems: Vec<Problem>,
    /// When grading began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A graded problem.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Its name.
    pub name: String,
    /// What it is worth, where the plan says it.
    pub points: Option<Points>,
    /// The submission, where one was made.
    pub submission: Option<SubmissionId>,
    /// The runner.
    pub language: Option<LanguageId>,
    /// Whether it came after the deadline.
    pub late: bool,
    /// How much of its points that takes, in percent.
    pub late_percent: u32,
    /// The program's files.
    pub files: Vec<Source>,
    /// The tests that were run.
    pub tests: Vec<Test>,
    /// How many tests there are.
    pub total: u32,
    /// What the compiler did.
    pub compiled: Option<Compiled>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// How it ended.
    pub ending: Ending,
}

/// A file of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file as it was sent.
    pub file: SourceFile,
    /// Where it is in the repository.
    pub path: String,
}

/// A test that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Its place, counted from 1.
    pub index: u32,
    /// Its group.
    pub group: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What else is known; of a hidden test, nothing.
    pub seen: Option<Seen>,
}

/// What is known of a test that is not hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: Option<String>,
    /// CPU time, in milliseconds.
    pub time_ms: u64,
    /// The largest resident set, in KiB.
    pub memory_kib: u64,
    /// Why it was not accepted, beyond the verdict.
    pub reason: Option<String>,
}

/// How a problem ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With a verdict.
    Judged(Verdicted),
    /// Nothing was sent, for a reason that is in the student's files.
    Unsent {
        /// Whether there simply is no file, as where a problem has not been begun.
        missing: bool,
        /// Why.
        reason: String,
    },
    /// There is no grade, and that is not a zero: a fault of ours, a refusal, an end before the verdict.
    Ungraded {
        /// What the process exits with for it.
        status: ExitStatus,
        /// What kind of failure.
        code: String,
        /// What happened.
        message: String,
    },
}

/// The points of something that has a grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// The points.
    pub got: Points,
    /// The most points.
    pub most: Points,
}

impl Test {
    /// What may be told of a test; the limits are those of the submission.
    pub fn of(event: &TestEvent, time_limit_ms: u64, memory_limit_mib: u64) -> Self {
        let seen = match event.visibility {
            Visibility::Hidden => None,
            Visibility::Sample => Some(Seen {
                name: event.name.clone(),
                time_ms: event.time_ms,
                memory_kib: event.memory_kib,
                reason: words::reason(event, time_limit_ms, memory_limit_mib),
            }),
        };
        Self { index: event.index, group: event.group.clone(), verdict: event.verdict, seen }
    }

    /// What it is called: a sample by its name, a hidden one by its group and place. Untrusted text.
    pub fn name(&self) -> String {
        match self.seen.as_ref().and_then(|seen| seen.name.clone()) {
            Some(name) => name,
            None => format!("{}/t{}", self.group, self.index),
        }
    }

    /// Whether it counts against the program.
    pub fn failed(&self) -> bool {
        !matches!(self.verdict, Verdict::Accepted | Verdict::Skipped)
    }
}

impl Problem {
    /// Its points, lateness counted; none where there is no grade.
    pub fn score(&self) -> Option<Score> {
        match &self.ending {
            Ending::Judged(result) => {
                // The judge's own numbers are such; were one not, it would be worth nothing rather than something.
                let number = |text: &str| text.parse().unwrap_or(Points::ZERO);
                let (got, most) = (number(&result.score), number(&result.max_score));
                let got = got.less_percent(self.late_percent);
                let worth = self.points.unwrap_or(most);
                Some(Score { got: worth.share(got, most), most: worth })
            }
            Ending::Unsent { .. } => {
                Some(Score { got: Points::ZERO, most: self.points.unwrap_or(Points::FULL) })
            }
            Ending::Ungraded { .. } => None,
        }
    }

    /// What is said of lateness: that it is, and what it takes.
    pub fn lateness(&self) -> Option<String> {
        match (self.late, self.late_percent) {
            (false, _) => None,
            (true, 0) => Some("late".into()),
            (true, percent) => Some(format!("late, less {percent} %")),
        }
    }

    /// The word for how it ended: a verdict's token, or one of ours.
    pub fn token(&self) -> &'static str {
        match &self.ending {
            Ending::Judged(result) => result.verdict.token(),
            Ending::Unsent { missing: true, .. } => "MISSING",
            Ending::Unsent { missing: false, .. } => "NOT_SENT",
            Ending::Ungraded { status: ExitStatus::Cancelled, .. } => "CANCELLED",
            Ending::Ungraded { status: ExitStatus::StillRunning | ExitStatus::Interrupted, .. } => {
                "UNFINISHED"
            }
            Ending::Ungraded { status: ExitStatus::Refused, .. } => "REFUSED",
            Ending::Ungraded {
                status: ExitStatus::OurFault | ExitStatus::Unreachable | ExitStatus::Later,
                ..
            } => "JUDGE_ERROR",
            Ending::Ungraded { .. } => "NOT_GRADED",
        }
    }

    /// Whether all of it is right.
    pub fn accepted(&self) -> bool {
        matches!(&self.ending, Ending::Judged(result) if result.verdict == Verdict::Accepted)
    }

    /// The first test that was not accepted.
    pub fn first_failure(&self) -> Option<&Test> {
        self.tests.iter().find(|test| test.failed())
    }

    /// The places of the tests that were not run. Where an assignment shows only some of its tests, those that are not
    /// there may have been run all the same.
    pub fn not_run(&self) -> impl Iterator<Item = u32> {
        let all = match &self.ending {
            Ending::Judged(result) if result.passed.is_some() || !self.compiles() => self.total,
            _ => 0,
        };
        let run: HashSet<u32> = self.tests.iter().map(|test| test.index).collect();
        (1..=all).filter(move |index| !run.contains(index))
    }

    /// Whether there was a program to run.
    pub fn compiles(&self) -> bool {
        self.compiled.as_ref().is_none_or(|compiled| compiled.ok)
    }

    /// What the compiler complains of, where the program does not compile; with it, where the file is in the
    /// repository. Only errors: warnings do not matter while nothing can be built.
    pub fn errors(&self) -> impl Iterator<Item = (&Diagnostic, Option<&str>)> {
        let failed = !self.compiles();
        self.diagnostics().filter(move |(found, _)| failed && found.severity == Severity::Error)
    }

    /// Everything that the compiler says of a place.
    pub fn diagnostics(&self) -> impl Iterator<Item = (&Diagnostic, Option<&str>)> {
        let found = self.compiled.iter().flat_map(|compiled| &compiled.diagnostics);
        found.map(|found| (found, self.path(&found.file)))
    }

    /// Where a file of the program is in the repository; none for a file that is not the student's.
    pub fn path(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|source| source.file.name == name).map(|source| source.path.as_str())
    }
}

impl Graded {
    /// The points of all problems together; none while one of them has no grade.
    pub fn score(&self) -> Option<Score> {
        let scores: Option<Vec<Score>> = self.problems.iter().map(Problem::score).collect();
        let scores = scores?;
        let got = scores.iter().map(|score| score.got).sum();
        Some(Score { got, most: scores.iter().map(|score| score.most).sum() })
    }

    /// Whether it passes: with at least so many percent where a threshold is given, else with everything accepted.
    /// None while a problem has no grade.
    pub fn passes(&self, threshold: Option<Points>) -> Option<bool> {
        let score = self.score()?;
        Some(match threshold {
            Some(percent) => score.got.reaches(percent, score.most),
            None => self.problems.iter().all(Problem::accepted),
        })
    }

    /// One verdict for all problems: that of the first that is not accepted.
    pub fn token(&self) -> &'static str {
        let ungraded = self.problems.iter().find(|problem| problem.score().is_none());
        let other = self.problems.iter().find(|problem| !problem.accepted());
        ungraded.or(other).map_or(Verdict::Accepted.token(), Problem::token)
    }

    /// What the process exits with.
    pub fn status(&self, threshold: Option<Points>) -> ExitStatus {
        let ungraded = self.problems.iter().filter_map(|problem| match &problem.ending {
            Ending::Ungraded { status, .. } => Some(*status),
            Ending::Judged(_) | Ending::Unsent { .. } => None,
        });
        if let Some(status) = ungraded.min_by_key(|status| rank(*status)) {
            return status;
        }
        let unsent = |problem: &Problem| matches!(problem.ending, Ending::Unsent { .. });
        let missing = |problem: &Problem| matches!(problem.ending, Ending::Unsent { missing: true, .. });
        if self.problems.iter().all(missing) {
            return ExitStatus::NothingToGrade;
        }
        if self.problems.iter().all(unsent) {
            return ExitStatus::Usage;
        }
        match self.passes(threshold) {
            Some(true) => ExitStatus::Success,
            Some(false) | None => ExitStatus::NotAccepted,
        }
    }
}

/// Which of several reasons for having no grade is told: what nobody can do anything about here comes before what
/// goes away by itself.
fn rank(status: ExitStatus) -> u8 {
    match status {
        ExitStatus::Interrupted => 0,
        ExitStatus::OurFault => 1,
        ExitStatus::Login => 2,
        ExitStatus::Refused => 3,
        ExitStatus::NotFound => 4,
        ExitStatus::Usage => 5,
        ExitStatus::NothingToGrade => 6,
        ExitStatus::Cancelled => 7,
        ExitStatus::Unreachable => 8,
        ExitStatus::Later => 9,
        ExitStatus::StillRunning => 10,
        ExitStatus::NotAccepted | ExitStatus::Success => 11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::sample;

    fn graded(problems: Vec<Problem>) -> Graded {
        Graded { problems, ..sample::graded() }
    }

    fn points(text: &str) -> Points {
        text.parse().expect("is a number of points")
    }

    #[test]
    fn the_exit_code_follows_the_table() {
        let right = || sample::judged("right", Verdict::Accepted, "100");
        let half = || sample::judged("half", Verdict::WrongAnswer, "50");
        let wrong = || sample::judged("wrong", Verdict::CompileError, "0");
        let missing = || sample::unsent("none", true);
        let broken = || sample::unsent("broken", false);
        let fault = |status| sample::ungraded("fault", status);
        let at = |percent: &str| Some(points(percent));
        #[rustfmt::skip]
        let table = [
            // problems,                                         threshold,  exit code
            (vec![right()],                                      None,       0),
            (vec![half()],                                       None,       1),
            (vec![wrong()],                                      None,       1),
            (vec![right(), half()],                              None,       1),
            (vec![right(), half()],                              at("75"),   0),
            (vec![right(), half()],                              at("75.1"), 1),
            (vec![wrong()],                                      at("0"),    0),
            (vec![missing()],                                    None,       6),
            (vec![missing(), missing()],                         at("0"),    6),
            (vec![right(), missing()],                           at("50"),   0),
            (vec![right(), missing()],                           None,       1),
            (vec![broken()],                                     None,       2),
            (vec![broken(), missing()],                          None,       2),
            (vec![broken(), right()],                            at("51"),   1),
            (vec![right(), fault(ExitStatus::OurFault)],         at("0"),    70),
            (vec![fault(ExitStatus::Unreachable), right()],      None,       69),
            (vec![fault(ExitStatus::Later)],                     None,       75),
            (vec![fault(ExitStatus::Later), fault(ExitStatus::Unreachable)], None, 69),
            (vec![fault(ExitStatus::Unreachable), fault(ExitStatus::OurFault)], None, 70),
            (vec![fault(ExitStatus::Refused), right()],          None,       3),
            (vec![fault(ExitStatus::StillRunning), wrong()],     None,       8),
            (vec![fault(ExitStatus::Cancelled)],                 None,       9),
            (vec![fault(ExitStatus::NothingToGrade)],            None,       6),
            (vec![fault(ExitStatus::Interrupted), fault(ExitStatus::OurFault)], None, 130),
        ];
        for (problems, threshold, code) in table {
            let tokens: Vec<&str> = problems.iter().map(Problem::token).collect();
            assert_eq!(graded(problems).status(threshold).code(), code, "{tokens:?} {threshold:?}");
        }
    }

    #[test]
    fn a_fault_is_never_a_zero() {
        let graded = graded(vec![
            sample::judged("right", Verdict::Accepted, "100"),
            sample::ungraded("fault", ExitStatus::OurFault),
        ]);
        assert_eq!(graded.score(), None);
        assert_eq!(graded.passes(Some(Points::ZERO)), None);
        assert_eq!(graded.token(), "JUDGE_ERROR");
    }

    #[test]
    fn what_counts_is_less_what_lateness_takes() {
        let late = |late_percent, score| {
            let judged = sample::judged("a", Verdict::Accepted, score);
            Problem { late: true, late_percent, ..judged }
        };
        let one = graded(vec![late(10, "100")]);
        assert_eq!(one.score(), Some(Score { got: points("90"), most: points("100") }));
        assert_eq!(one.status(Some(points("90.1"))), ExitStatus::NotAccepted);
        assert_eq!(one.status(Some(points("90"))), ExitStatus::Success);
        assert_eq!(late(10, "100").lateness().as_deref(), Some("late, less 10 %"));
        assert_eq!(late(0, "100").lateness().as_deref(), Some("late"));
        // In the plan's points as in the server's.
        let worth = Problem { points: Some(points("12.5")), ..late(10, "100") };
        assert_eq!(worth.score(), Some(Score { got: points("11.25"), most: points("12.5") }));
    }

    #[test]
    fn points_weigh_problems() {
        let worth = |name, verdict, score, worth| Problem {
            points: Some(points(worth)),
            ..sample::judged(name, verdict, score)
        };
        let graded = graded(vec![
            worth("a", Verdict::Accepted, "100", "10"),
            worth("b", Verdict::WrongAnswer, "50", "30"),
            Problem { points: Some(points("20")), ..sample::unsent("c", true) },
        ]);
        assert_eq!(graded.score(), Some(Score { got: points("25"), most: points("60") }));
        assert_eq!(graded.token(), "WRONG_ANSWER");
    }
}
