//! The rules by which submissions to an assignment are taken and count: pure functions of the assignment, the
//! student's extension, the server's clock, and what the student did before.

use codementor_protocol::{
    Assignment, AssignmentId, AssignmentState, Counting, LanguageId, LatePolicy, Points, Refusal,
    RefusalCode, Slug, Span, SubmissionId, Timestamp, Verdict,
};

use super::times::moment;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// How a submission to an assignment is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Whether it is late.
    pub(crate) late: bool,
    /// How many days after the deadline have begun; 0 unless it is late.
    pub(crate) late_days: u32,
    /// How much of its points that takes, in percent.
    pub(crate) late_percent: u32,
    /// Which attempt it is, counted from 1.
    pub(crate) attempt: u32,
}

/// What a student wants to hand in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The problem.
    pub(crate) problem: &'a Slug,
    /// The language.
    pub(crate) language: &'a LanguageId,
    /// Whether the student agrees to what it costs.
    pub(crate) confirmed: bool,
}

/// Decides whether a submission is taken. `past` are the moments of the student's attempts at the problem that cost
/// one, the earliest first; those that are still being judged are among them.
pub(crate) fn admit(
    assignment: &Assignment,
    extension: Option<Timestamp>,
    wanted: Wanted<'_>,
    now: Timestamp,
    past: &[Timestamp],
) -> Result<Admitted, Refusal> {
    let Wanted { problem, language, confirmed } = wanted;
    let (id, zone) = (&assignment.id, assignment.time_zone.as_str());
    let forbidden = |message: String| Refusal::new(RefusalCode::Forbidden, message);
    visible(assignment, problem, now)?;
    if assignment.state == AssignmentState::Closed {
        return Err(forbidden(format!("'{id}' is closed"))
            .hint("codementor history shows what you handed in; only an instructor can open it again"));
    }
    allowed(assignment, language)?;
    let due = deadline(assignment, extension);
    let Lateness { late, days } = lateness(assignment, extension, now);
    if let (Some(due), Some(cutoff)) = (due, assignment.late.cutoff_s)
        && now.0 > after(due, cutoff).0
    {
        let last = moment(after(due, cutoff), zone);
        let message = format!("'{id}' was due at {}; nothing is accepted after {last}", moment(due, zone));
        return Err(forbidden(message).hint("only an instructor can give you more time"));
    }
    let attempt = past.len() as u32 + 1;
    if let Some(limit) = assignment.attempts.limit
        && attempt > limit
    {
        let message = match limit {
            1 => format!("your one attempt at '{problem}' is used"),
            limit => format!("all {limit} attempts at '{problem}' are used"),
        };
        return Err(forbidden(message).hint("codementor test runs the samples, as often as you like"));
    }
    if let Some(last) = past.last() {
        let next = after(*last, assignment.attempts.cool_down_s);
        if now < next {
            let message = format!(
                "the next attempt at '{problem}' is possible in {}, at {}",
                Span(next.0 - now.0),
                moment(next, zone)
            );
            return Err(forbidden(message).hint("codementor test runs the samples meanwhile"));
        }
    }
    let mut costs = Vec::new();
    if let (true, Some(due)) = (late, due) {
        costs.push(match percent(&assignment.late, days) {
            0 => format!("it is late: the deadline was {}", moment(due, zone)),
            percent => format!(
                "it is late: the deadline was {}, which takes {percent} % of the points",
                moment(due, zone)
            ),
        });
    }
    if let Some(limit) = assignment.attempts.limit
        && attempt == limit
    {
        costs.push(format!("it is the last of {limit} attempts at '{problem}'"));
    }
    if !confirmed && !costs.is_empty() {
        return Err(
            Refusal::new(RefusalCode::Confirm, costs.join("; ")).hint("--yes submits it all the same")
        );
    }
    let late_percent = if late { percent(&assignment.late, days) } else { 0 };
    Ok(Admitted { late, late_days: days, late_percent, attempt })
}

/// Decides whether a program may be tried on the samples: whenever students see the problem.
pub(crate) fn admit_trial(
    assignment: &Assignment,
    problem: &Slug,
    language: &LanguageId,
    now: Timestamp,
) -> Result<(), Refusal> {
    visible(assignment, problem, now)?;
    allowed(assignment, language)
}

/// Decides whether students see a problem of an assignment.
pub(crate) fn visible(assignment: &Assignment, problem: &Slug, now: Timestamp) -> Result<(), Refusal> {
    let id = &assignment.id;
    if assignment.state == AssignmentState::Draft {
        return Err(unknown(id));
    }
    if let Some(opens) = not_yet(assignment, now) {
        let message =
            format!("'{id}' opens in {}, at {}", Span(opens.0 - now.0), moment(opens, &assignment.time_zone));
        return Err(Refusal::new(RefusalCode::Forbidden, message));
    }
    has_problem(assignment, problem)
}

/// When an assignment opens, if that lies ahead.
pub(crate) fn not_yet(assignment: &Assignment, now: Timestamp) -> Option<Timestamp> {
    assignment.opens.filter(|opens| now < *opens)
}

/// Sees that a problem belongs to an assignment.
pub(crate) fn has_problem(assignment: &Assignment, problem: &Slug) -> Result<(), Refusal> {
    if assignment.problems.iter().any(|one| one.problem == *problem) {
        return Ok(());
    }
    let names: Vec<&str> = assignment.problems.iter().map(|one| one.problem.as_str()).collect();
    let message = format!("'{}' has no problem '{problem}'", assignment.id);
    Err(Refusal::new(RefusalCode::NotFound, message).hint(format!("its problems: {}", names.join(", "))))
}

/// Sees that an assignment takes a language. What the problem itself allows is looked at elsewhere.
pub(crate) fn allowed(assignment: &Assignment, language: &LanguageId) -> Result<(), Refusal> {
    if assignment.languages.is_empty() || assignment.languages.contains(language) {
        return Ok(());
    }
    let allowed: Vec<&str> = assignment.languages.iter().map(LanguageId::as_str).collect();
    let message = format!("'{}' may not be solved in {language}", assignment.id);
    Err(Refusal::new(RefusalCode::Forbidden, message).hint(format!("allowed: {}", allowed.join(", "))))
}

/// What is said of an assignment that is not there, or that the one who asks may not know of.
pub(crate) fn unknown(id: &AssignmentId) -> Refusal {
    Refusal::new(RefusalCode::NotFound, format!("there is no assignment '{id}'"))
        .hint("codementor due lists yours")
}

/// The deadline of a student: the assignment's, or the student's own where that is later.
pub(crate) fn deadline(assignment: &Assignment, extension: Option<Timestamp>) -> Option<Timestamp> {
    assignment.due.map(|due| extension.map_or(due, |extension| extension.max(due)))
}

/// How late a submission is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lateness {
    /// Whether it is late at all.
    pub(crate) late: bool,
    /// How many days after the deadline have begun.
    pub(crate) days: u32,
}

/// How late a submission at `at` is. Within the grace it is not; beyond it, days count from the deadline.
pub(crate) fn lateness(assignment: &Assignment, extension: Option<Timestamp>, at: Timestamp) -> Lateness {
    match deadline(assignment, extension) {
        Some(due) if at > after(due, assignment.late.grace_s) => {
            let days = (at.0 - due.0).unsigned_abs().div_ceil(DAY.unsigned_abs());
            Lateness { late: true, days: u32::try_from(days).unwrap_or(u32::MAX) }
        }
        _ => Lateness::default(),
    }
}

/// The points that are left of `raw`.
pub(crate) fn worth(policy: &LatePolicy, raw: Points, lateness: Lateness) -> Points {
    raw.less_percent(if lateness.late { percent(policy, lateness.days) } else { 0 })
}

/// What so many days take away, in percent.
fn percent(policy: &LatePolicy, days: u32) -> u32 {
    policy.percent_per_day.saturating_mul(days).min(100)
}

/// A submission of a student to a problem of an assignment that has a verdict and cost an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tried {
    /// Its number.
    pub(crate) id: SubmissionId,
    /// When it was made.
    pub(crate) at: Timestamp,
    /// Its verdict.
    pub(crate) verdict: Verdict,
}

impl Tried {
    /// Its points before lateness, of so many.
    pub(crate) fn raw(&self, most: Points) -> Points {
        if self.verdict == Verdict::Accepted { most } else { Points::ZERO }
    }
}

/// The submission that counts, of a student's submissions to a problem that is worth `most`, the earliest first.
pub(crate) fn counting<'a>(
    assignment: &Assignment,
    extension: Option<Timestamp>,
    most: Points,
    tries: &'a [Tried],
    chosen: Option<SubmissionId>,
) -> Option<&'a Tried> {
    let last = tries.last();
    match assignment.counting {
        Counting::Last => last,
        Counting::Chosen => tries.iter().find(|tried| Some(tried.id) == chosen).or(last),
        Counting::Best => {
            let worth = |tried: &Tried| {
                worth(&assignment.late, tried.raw(most), lateness(assignment, extension, tried.at))
            };
            // The earliest of equal ones: so it is compared by more, never by as much.
            let mut best: Option<&Tried> = None;
            for tried in tries {
                if best.is_none_or(|best| worth(tried) > worth(best)) {
                    best = Some(tried);
                }
            }
            best
        }
    }
}

fn after(at: Timestamp, seconds: u64) -> Timestamp {
    Timestamp(at.0.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)))
}

#[cfg(test)]
mod tests;
