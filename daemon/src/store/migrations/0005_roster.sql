-- Rosters, and what grades are made of beside submissions.

-- Who is meant to be in a course. A row and a user are the same student if their student ids are.
CREATE TABLE roster (
    course     TEXT NOT NULL,
    student_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    last_name  TEXT,
    first_name TEXT,
    email      TEXT,
    section    TEXT,
    login      TEXT,
    canvas_id  TEXT,
    code_host  TEXT,
    withdrawn  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (course, student_id)
) WITHOUT ROWID;

-- Students who have left a course: no members any more, and still in its grades.
CREATE TABLE departures (
    course TEXT NOT NULL,
    user   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (course, user)
) WITHOUT ROWID;

-- The submission that a student chose, where the assignment lets students choose.
CREATE TABLE chosen (
    course     TEXT NOT NULL,
    assignment TEXT NOT NULL,
    user       TEXT NOT NULL,
    problem    TEXT NOT NULL,
    submission INTEGER NOT NULL,
    PRIMARY KEY (course, assignment, user, problem)
) WITHOUT ROWID;

-- Grades that a person has set; without a score the student is excused. Whose it is, is told by the user, by the student
-- id, or by both: a student may be on the roster and not have joined, or have joined and not be on the roster.
CREATE TABLE grades_set (
    id         INTEGER PRIMARY KEY,
    course     TEXT NOT NULL,
    assignment TEXT NOT NULL,
    user       TEXT,
    student_id TEXT,
    score      TEXT,
    reason     TEXT NOT NULL,
    by         TEXT NOT NULL,
    at         INTEGER NOT NULL
);

CREATE INDEX grades_set_by_assignment ON grades_set (course, assignment);

-- What grades are computed from is read from these indexes alone. The queries say the same word for word.
CREATE INDEX submissions_judged ON submissions (course, assignment, user, problem, id, at, verdict)
    WHERE assignment IS NOT NULL AND purpose = 'submission' AND verdict IS NOT NULL;
CREATE INDEX submissions_unjudged ON submissions (course, assignment, user, problem, state)
    WHERE assignment IS NOT NULL AND purpose = 'submission' AND verdict IS NULL;
