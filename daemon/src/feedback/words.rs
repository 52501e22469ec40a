//! What a student is told where feedback does not go its usual way.

use codementor_protocol::FeedbackOutcome;

pub(super) const INTERRUPTED: &str = "the daemon was restarted meanwhile; 'codementor hint' asks again";
pub(super) const OUR_FAULT: &str =
    "feedback broke off, through a fault of ours; 'codementor hint' asks again";
pub(super) const NOT_CONFIGURED: &str = "no model is set up to give feedback: add a [[feedback.endpoint]] to \
     config.toml, or set CODEMENTOR_FEEDBACK_URL and CODEMENTOR_FEEDBACK_MODEL";
pub(super) const OVER_BUDGET: &str =
    "what may be spent on feedback today is spent; it begins anew at midnight UTC";
pub(super) const TOO_MANY: &str = "too many ask for feedback at this moment; 'codementor hint' asks again";
pub(super) const TOO_LONG: &str = "the program is too long for a model to correct it";
pub(super) const NO_STEPS_LEFT: &str = "there is no further hint for this program";
const ACCEPTED: &str = "the program is accepted: there is nothing to correct";
const STOPPED: &str = "the submission has no verdict, and so there is nothing to say of it";

/// That one answer, of at most so many tokens, is more than may still be spent.
pub(super) fn over_budget(tokens: u64) -> String {
    format!(
        "one answer may take up to {tokens} tokens, for which too little is left today; it begins anew at midnight UTC"
    )
}

/// What an outcome that says it all is in words.
pub(super) fn of(outcome: FeedbackOutcome) -> &'static str {
    match outcome {
        FeedbackOutcome::Accepted => ACCEPTED,
        FeedbackOutcome::Stopped => STOPPED,
        FeedbackOutcome::Interrupted => INTERRUPTED,
        FeedbackOutcome::OverBudget => OVER_BUDGET,
        FeedbackOutcome::NotConfigured => NOT_CONFIGURED,
        FeedbackOutcome::NoStepsLeft => NO_STEPS_LEFT,
        FeedbackOutcome::RateLimited => TOO_MANY,
        _ => "",
    }
}
