//! The outputs of a step of GitHub Actions: tokens and numbers of ours, never text of a student.

use codementor_protocol::Points;

use crate::ci::graded::Graded;

/// The lines to add to `$GITHUB_OUTPUT`. Without a grade there is no score, so that none can be taken for a zero.
pub fn render(graded: &Graded, threshold: Option<Points>) -> String {
    let score = graded.score();
    let number = |points: Option<Points>| points.map(|points| points.to_string()).unwrap_or_default();
    let ids: Vec<String> =
        graded.problems.iter().filter_map(|problem| problem.submission).map(|id| id.to_string()).collect();
    let passed = graded.passes(threshold).map(|passed| passed.to_string()).unwrap_or_default();
    format!(
        "score={}\nmax_score={}\nverdict={}\npassed={passed}\nsubmission_id={}\n",
        number(score.map(|score| score.got)),
        number(score.map(|score| score.most)),
        graded.token(),
        ids.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::sample;
    use crate::error::ExitStatus;

    #[test]
    fn outputs_are_one_line_each() {
        insta::assert_snapshot!(render(&sample::graded(), "30".parse().ok()), @r"
        score=100
        max_score=400
        verdict=TIME_LIMIT
        passed=false
        submission_id=7,7,7
        ");
        let graded =
            Graded { problems: vec![sample::ungraded("a", ExitStatus::OurFault)], ..sample::graded() };
        insta::assert_snapshot!(render(&graded, None), @r"
        score=
        max_score=
        verdict=JUDGE_ERROR
        passed=
        submission_id=7
        ");
        assert_eq!(render(&sample::hostile(), None).lines().count(), 5);
    }
}
