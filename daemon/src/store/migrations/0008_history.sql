-- One's own submissions, the newest first: those to an assignment, and those that came in by a scoped credential.

CREATE INDEX submissions_by_assignment_of_user ON submissions (user, course, assignment, purpose, id)
    WHERE assignment IS NOT NULL;
CREATE INDEX submissions_by_credential ON submissions (via, user, purpose, id) WHERE via IS NOT NULL;
