//! The NATS subjects. A user's requests go to subjects that only that user may publish, so the subject *is* the
//! identity; replies and events go to subjects that only that user may hear.

use crate::{Lane, LanguageId, SubmissionId, UserName};

/// Where the shared enrol credential asks for a user of its own.
pub const ENROL: &str = "cm.enrol";
/// What the daemon listens to for requests.
pub const REQUESTS: &str = "cm.u.*.*";
/// The work queue of jobs.
pub const JOBS_STREAM: &str = "CM_JOBS";
/// The log of what judges report.
pub const RESULTS_STREAM: &str = "CM_RESULTS";
/// The durable pull consumer that all judges share.
pub const JUDGE_CONSUMER: &str = "judge";
/// The bucket of problem packages, each named by its hash.
pub const PACKAGES_BUCKET: &str = "cm-packages";
/// Where the daemon tells judges to stop a submission's job.
pub const CANCELS: &str = "cm.ctl.cancel.*";

/// The subject of one request of one user.
pub fn request(user: &UserName, verb: &str) -> String {
    format!("cm.u.{user}.{verb}")
}

/// The user and the verb of a request's subject; `None` when it is no such subject.
pub fn parse_request(subject: &str) -> Option<(UserName, &str)> {
    let (user, verb) = subject.strip_prefix("cm.u.")?.split_once('.')?;
    Some((UserName::new(user).ok()?, verb))
}

/// The inbox prefix of a user: the only place where replies to it may go.
pub fn inbox(user: &UserName) -> String {
    format!("_INBOX.{user}")
}

/// Whether `reply` lies in the inbox of `user`. A reply anywhere else would make the daemon speak for somebody else.
pub fn is_own_inbox(user: &UserName, reply: &str) -> bool {
    reply
        .strip_prefix("_INBOX.")
        .and_then(|rest| rest.strip_prefix(user.as_str()))
        .is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
}

/// Where the events of one submission go.
pub fn events(user: &UserName, submission: SubmissionId) -> String {
    format!("cm.ev.{user}.{submission}")
}

/// Where all events of one user go.
pub fn all_events(user: &UserName) -> String {
    format!("cm.ev.{user}.>")
}

/// Where a job waits for a judge.
pub fn job(lane: Lane, language: &LanguageId) -> String {
    format!("cm.job.{}.{language}", lane.token())
}

/// Where judges report on a submission.
pub fn results(submission: SubmissionId) -> String {
    format!("cm.res.{submission}")
}

/// Where the daemon tells judges that a submission's job is to stop.
pub fn cancel(submission: SubmissionId) -> String {
    format!("cm.ctl.cancel.{submission}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_inbox_of_the_asking_user_is_its_own() {
        let user = UserName::new("kim").expect("a user name");
        assert!(is_own_inbox(&user, "_INBOX.kim.abc"));
        for other in
            ["_INBOX.kim", "_INBOX.kim.", "_INBOX.kimchi.abc", "_INBOX.lee.abc", "cm.u.lee.submit", ""]
        {
            assert!(!is_own_inbox(&user, other), "{other}");
        }
    }

    #[test]
    fn a_request_subject_names_its_user_and_verb() {
        let user = UserName::new("kim").expect("a user name");
        assert_eq!(parse_request(&request(&user, "submit")), Some((user, "submit")));
        assert_eq!(parse_request("cm.u.KIM.submit"), None);
        assert_eq!(parse_request("cm.job.batch.c"), None);
    }
}
