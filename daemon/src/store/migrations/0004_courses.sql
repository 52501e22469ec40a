-- Courses and their assignments. What is set about an assignment is read and written as a whole.

CREATE TABLE courses (
    name    TEXT PRIMARY KEY,
    title   TEXT NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE assignments (
    course  TEXT NOT NULL,
    name    TEXT NOT NULL,
    body    TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (course, name)
) WITHOUT ROWID;

-- A student's own, later deadline.
CREATE TABLE extensions (
    course     TEXT NOT NULL,
    assignment TEXT NOT NULL,
    user       TEXT NOT NULL,
    due        INTEGER NOT NULL,
    PRIMARY KEY (course, assignment, user)
) WITHOUT ROWID;

-- Who changed what. Nothing is ever changed or removed here.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    course TEXT NOT NULL,
    by     TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE INDEX audit_by_course ON audit (course, id);

-- What an assignment says of a submission is kept as it was when the submission came: the assignment may change or go.

ALTER TABLE submissions ADD COLUMN course TEXT;
ALTER TABLE submissions ADD COLUMN assignment TEXT;
ALTER TABLE submissions ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submissions ADD COLUMN max_score TEXT NOT NULL DEFAULT '100';
ALTER TABLE submissions ADD COLUMN stop TEXT NOT NULL DEFAULT 'first_failure';
ALTER TABLE submissions ADD COLUMN visibility TEXT NOT NULL DEFAULT 'all';

CREATE INDEX submissions_by_assignment ON submissions (course, assignment, user, problem, id)
    WHERE assignment IS NOT NULL;

-- What cost a student an attempt, or may still cost one: no fault of ours, nothing that was cancelled before it was
-- started, and no program that did not compile. The query says the same word for word.
CREATE INDEX submissions_that_cost ON submissions (user, problem, course, assignment, at, purpose, verdict, state, total)
    WHERE purpose = 'submission' AND verdict IS NOT 'COMPILE_ERROR' AND state NOT IN ('faulted', 'faulted-ended')
          AND (total IS NOT NULL OR state NOT IN ('cancelled', 'cancelled-ended'));

-- The cases of submissions to assignments, hidden ones too: for those who teach, never for a student's request.
CREATE TABLE cases (
    submission INTEGER NOT NULL,
    idx        INTEGER NOT NULL,
    grp        TEXT NOT NULL,
    sample     INTEGER NOT NULL,
    verdict    TEXT NOT NULL,
    time_ms    INTEGER NOT NULL,
    memory_kib INTEGER NOT NULL,
    PRIMARY KEY (submission, idx)
) WITHOUT ROWID;
