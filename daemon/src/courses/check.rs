//! Whether an assignment makes sense, before it is stored.

use codementor_protocol::{Assignment, LanguageId, Refusal, RefusalCode, Slug, Timestamp};

use super::times::{is_in_calendar, is_zone, moment};

/// The most problems in an assignment.
const MAX_PROBLEMS: usize = 200;
/// The longest title, in characters.
const MAX_TITLE: usize = 200;
/// The longest reason, in characters.
const MAX_REASON: usize = 500;
/// The longest span of a policy, in seconds: ten years.
const MAX_SPAN: u64 = 10 * 366 * 86_400;
/// The most attempts that a limit may name.
const MAX_ATTEMPTS: u32 = 1_000_000;

/// What is said of points with too many digits.
pub(crate) const FINE_POINTS: &str = "points have at most four digits after the point";

/// Looks at everything that can be told from the assignment itself and from which languages there are.
pub(crate) fn assignment(assignment: &Assignment, languages: &[LanguageId]) -> Result<(), Refusal> {
    let invalid = |message: String, hint: &str| Err(Refusal::new(RefusalCode::Invalid, message).hint(hint));
    title(&assignment.title)?;
    if assignment.problems.is_empty() {
        return invalid(
            "the assignment has no problem".into(),
            "name at least one, such as --problem two-sum:20",
        );
    }
    if assignment.problems.len() > MAX_PROBLEMS {
        let message = format!(
            "the assignment has {} problems; at most {MAX_PROBLEMS} are possible",
            assignment.problems.len()
        );
        return invalid(message, "make two assignments of it");
    }
    let given = assignment.problems.iter().map(|one| one.points).chain(assignment.weight);
    if given.into_iter().any(|points| !points.can_be_given()) {
        return invalid(FINE_POINTS.into(), "such as 20 or 12.5");
    }
    for (place, one) in assignment.problems.iter().enumerate() {
        let problem = &one.problem;
        if assignment.problems[..place].iter().any(|other| other.problem == *problem) {
            return invalid(format!("problem '{problem}' is there twice"), "name each problem once");
        }
    }
    for language in &assignment.languages {
        if !languages.contains(language) {
            let known: Vec<&str> = languages.iter().map(LanguageId::as_str).collect();
            return invalid(
                format!("there is no language '{language}'"),
                &format!("the languages are {}", known.join(", ")),
            );
        }
    }
    if !is_zone(&assignment.time_zone) {
        return invalid(
            format!("there is no time zone '{}'", assignment.time_zone),
            "it is a name such as Asia/Seoul, Europe/Berlin or UTC",
        );
    }
    times(assignment)?;
    policies(assignment)
}

/// Looks at one problem of an assignment: whether there is a language in which it may be solved.
pub(crate) fn problem(
    assignment: &Assignment,
    problem: &Slug,
    allowed: &[LanguageId],
) -> Result<(), Refusal> {
    let all =
        |languages: &[LanguageId]| languages.iter().map(LanguageId::as_str).collect::<Vec<_>>().join(", ");
    let (ours, theirs) = (&assignment.languages, allowed);
    if ours.is_empty() || theirs.is_empty() || ours.iter().any(|language| theirs.contains(language)) {
        return Ok(());
    }
    let message = format!("'{problem}' can be solved in none of the assignment's languages, {}", all(ours));
    Err(Refusal::new(RefusalCode::Invalid, message).hint(format!("'{problem}' allows {}", all(theirs))))
}

/// Looks at when an assignment opens and is due.
pub(crate) fn times(assignment: &Assignment) -> Result<(), Refusal> {
    let invalid = |message: String, hint: &str| Err(Refusal::new(RefusalCode::Invalid, message).hint(hint));
    let shown = |at: Timestamp| moment(at, &assignment.time_zone);
    for at in [assignment.opens, assignment.due].into_iter().flatten() {
        if !is_in_calendar(at) {
            return invalid(
                "a time lies outside of any calendar".into(),
                "times are milliseconds since 1970",
            );
        }
    }
    match (assignment.opens, assignment.due) {
        (Some(opens), Some(due)) if opens >= due => invalid(
            format!("it opens at {}, after it is due at {}", shown(opens), shown(due)),
            "put --opens before --due",
        ),
        _ => Ok(()),
    }
}

fn policies(assignment: &Assignment) -> Result<(), Refusal> {
    let invalid = |message: String, hint: &str| Err(Refusal::new(RefusalCode::Invalid, message).hint(hint));
    let (late, attempts) = (&assignment.late, &assignment.attempts);
    if late.percent_per_day > 100 {
        return invalid(
            format!("{} % a day is more than all of the points", late.percent_per_day),
            "--late-percent is from 0 to 100",
        );
    }
    if late.cutoff_s.is_some_and(|cutoff| cutoff < late.grace_s) {
        return invalid(
            "nothing would be accepted any more before the grace is over".into(),
            "--cutoff counts from the deadline, as --grace does, and is no shorter",
        );
    }
    if assignment.due.is_none() && *late != codementor_protocol::LatePolicy::default() {
        return invalid("there is no deadline that anything could be late for".into(), "give --due too");
    }
    let spans = [
        ("grace", late.grace_s),
        ("cut-off", late.cutoff_s.unwrap_or(0)),
        ("cool-down", attempts.cool_down_s),
    ];
    if let Some((what, _)) = spans.iter().find(|(_, span)| *span > MAX_SPAN) {
        return invalid(format!("the {what} is longer than ten years"), "leave it away for no limit");
    }
    match attempts.limit {
        Some(0) => {
            invalid("with 0 attempts nobody could submit".into(), "leave it away for no limit, or close it")
        }
        Some(limit) if limit > MAX_ATTEMPTS => {
            invalid(format!("{limit} attempts are as good as no limit"), "leave it away for no limit")
        }
        _ => Ok(()),
    }
}

/// Looks at a title of a course or an assignment.
pub(crate) fn title(title: &str) -> Result<(), Refusal> {
    let invalid =
        |message: &str| Err(Refusal::new(RefusalCode::Invalid, message).hint("such as --title 'Homework 3'"));
    if title.trim().is_empty() {
        return invalid("the title is empty");
    }
    if title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
        return invalid("the title is one line of at most 200 characters");
    }
    Ok(())
}

/// Looks at a reason that is kept.
pub(crate) fn reason(reason: &str) -> Result<(), Refusal> {
    if reason.chars().count() > MAX_REASON || reason.chars().any(char::is_control) {
        let message = "the reason is one line of at most 500 characters";
        return Err(Refusal::new(RefusalCode::Invalid, message).hint("such as --reason 'was ill'"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use codementor_protocol::{
        AssignmentProblem, AssignmentState, AttemptPolicy, CaseVisibility, Counting, LatePolicy, Points,
        StopRule,
    };

    use super::*;

    fn sound() -> Assignment {
        let problem =
            |name: &str| AssignmentProblem { problem: name.parse().expect("a slug"), points: Points::FULL };
        Assignment {
            id: "cs101/hw3".parse().expect("an assignment"),
            title: "Homework 3".into(),
            problems: vec![problem("sum"), problem("tram")],
            state: AssignmentState::Draft,
            opens: Some(Timestamp(1_000)),
            due: Some(Timestamp(2_000)),
            time_zone: "Asia/Seoul".into(),
            late: LatePolicy { grace_s: 60, percent_per_day: 100, cutoff_s: Some(60) },
            attempts: AttemptPolicy { limit: Some(1), cool_down_s: 60 },
            languages: vec!["cpp".parse().expect("a language")],
            stop: StopRule::FirstFailure,
            visibility: CaseVisibility::All,
            feedback: None,
            counting: Counting::Best,
            weight: None,
        }
    }

    /// What is said of the assignment after a change.
    fn said(change: impl FnOnce(&mut Assignment)) -> String {
        let mut changed = sound();
        change(&mut changed);
        let languages = ["c", "cpp"].map(|name| name.parse().expect("a language"));
        match assignment(&changed, &languages) {
            Ok(()) => "sound".into(),
            Err(refusal) => {
                assert!(refusal.hint.is_some(), "'{}' says what to do", refusal.message);
                refusal.message
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        assert_eq!(said(|_| ()), "sound");
        assert_eq!(said(|a| a.problems.clear()), "the assignment has no problem");
        assert_eq!(said(|a| a.problems.swap(0, 1)), "sound");
        assert_eq!(said(|a| a.problems[0].points = "1.0001".parse().expect("points")), "sound");
        assert_eq!(said(|a| a.problems[0].points = "1.00001".parse().expect("points")), FINE_POINTS);
        assert_eq!(said(|a| a.weight = Some("1.00001".parse().expect("points"))), FINE_POINTS);
        assert_eq!(said(|a| a.problems[1] = a.problems[0].clone()), "problem 'sum' is there twice");
        assert_eq!(
            said(|a| a.languages.push("cobol".parse().expect("a language"))),
            "there is no language 'cobol'"
        );
        assert_eq!(said(|a| a.time_zone = "Asia/Soul".into()), "there is no time zone 'Asia/Soul'");
        assert_eq!(
            said(|a| a.opens = Some(Timestamp(61_000))),
            "it opens at 1970-01-01 09:01 KST, after it is due at 1970-01-01 09:00 KST"
        );
        assert_eq!(said(|a| a.due = Some(Timestamp(i64::MAX))), "a time lies outside of any calendar");
        assert_eq!(said(|a| a.late.percent_per_day = 101), "101 % a day is more than all of the points");
        assert_eq!(
            said(|a| a.late.cutoff_s = Some(59)),
            "nothing would be accepted any more before the grace is over"
        );
        assert_eq!(said(|a| a.late.cutoff_s = None), "sound");
        assert_eq!(said(|a| a.due = None), "there is no deadline that anything could be late for");
        assert_eq!(said(|a| a.attempts.limit = Some(0)), "with 0 attempts nobody could submit");
        assert_eq!(said(|a| a.attempts.cool_down_s = u64::MAX), "the cool-down is longer than ten years");
        assert_eq!(said(|a| a.title = " ".into()), "the title is empty");
        assert_eq!(said(|a| a.title = "a\nb".into()), "the title is one line of at most 200 characters");
    }

    #[test]
    fn a_problem_must_be_solvable_in_a_language_of_the_assignment() {
        let languages = |names: &[&str]| -> Vec<LanguageId> {
            names.iter().map(|name| name.parse().expect("a language")).collect()
        };
        let assignment = Assignment { languages: languages(&["cpp", "c"]), ..sound() };
        let (rise, any) = ("rise".parse().expect("a slug"), Assignment { languages: vec![], ..sound() });
        assert!(problem(&assignment, &rise, &[]).is_ok());
        assert!(problem(&assignment, &rise, &languages(&["c", "java"])).is_ok());
        assert!(problem(&any, &rise, &languages(&["java"])).is_ok());
        let refusal = problem(&assignment, &rise, &languages(&["java"])).expect_err("is refused");
        assert_eq!(refusal.message, "'rise' can be solved in none of the assignment's languages, cpp, c");
    }
}
