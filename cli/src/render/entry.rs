//! What a submission is for, and what it costs: its problem, its attempt, its deadline.

use codementor_protocol::{Accepted, Purpose, Span, Timestamp};

use crate::render::words;

/// The problem, with the assignment where it is for one.
pub(crate) fn place(facts: &Accepted) -> String {
    match &facts.assignment {
        Some(assignment) => format!("{assignment}/{}", facts.problem),
        None => facts.problem.to_string(),
    }
}

/// Which attempt it is, and how it stands to its deadline: `3/20, due in 4 h 12 min`.
pub(crate) fn attempt(facts: &Accepted, at: Timestamp) -> String {
    let mut text = match facts.attempt_limit {
        Some(limit) => format!("{}/{limit}", facts.attempt),
        None => facts.attempt.to_string(),
    };
    if let Some(due) = facts.due.filter(|_| facts.purpose == Purpose::Submission) {
        let left = due.0 - at.0;
        text.push_str(&match (facts.late, left) {
            (true, _) => t!(", late: it was due {left} ago", left = words::span(Span(left))),
            (false, 0..) => t!(", due in {left}", left = words::span(Span(left))),
            // Within the grace.
            (false, _) => t!(", in time: it was due {left} ago", left = words::span(Span(left))),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use codementor_protocol::{PackageHash, SubmissionId};

    use super::*;

    #[test]
    fn attempt_and_deadline_are_told_as_the_server_saw_them() {
        let facts = Accepted {
            id: SubmissionId(1),
            problem: "sum".parse().expect("a slug"),
            package: PackageHash::new("0".repeat(64)).expect("a hash"),
            lang: "c".parse().expect("a language"),
            purpose: Purpose::Submission,
            late: false,
            late_percent: 0,
            attempt: 3,
            time_limit_ms: 1,
            memory_limit_mib: 1,
            assignment: None,
            due: None,
            attempt_limit: None,
        };
        assert_eq!((place(&facts).as_str(), attempt(&facts, Timestamp(0)).as_str()), ("sum", "3"));
        let assignment = Some("cs101/hw3".parse().expect("an assignment"));
        let facts =
            Accepted { assignment, due: Some(Timestamp(3_600_000)), attempt_limit: Some(20), ..facts };
        assert_eq!(place(&facts), "cs101/hw3/sum");
        assert_eq!(attempt(&facts, Timestamp(0)), "3/20, due in 1 h");
        assert_eq!(attempt(&facts, Timestamp(3_660_000)), "3/20, in time: it was due 1 min ago");
        let late = Accepted { late: true, ..facts };
        assert_eq!(attempt(&late, Timestamp(7_200_000)), "3/20, late: it was due 1 h ago");
    }
}
