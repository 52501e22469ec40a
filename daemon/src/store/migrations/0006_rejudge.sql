-- Which package became the version of which problem, when and by whom. Nothing is ever changed or removed here.

CREATE TABLE versions (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    slug    TEXT NOT NULL,
    package TEXT NOT NULL,
    by      TEXT NOT NULL,
    at      INTEGER NOT NULL
);

CREATE INDEX versions_by_slug ON versions (slug, id);

CREATE INDEX submissions_of_a_problem ON submissions (problem, course, package) WHERE purpose = 'submission';

-- Judging again. Each of the runs is a submission of the daemon's own, with the purpose 'rejudge': its results are
-- nobody's until all of them are applied in one transaction.

CREATE TABLE rejudges (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    by    TEXT NOT NULL,
    at    INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('judging', 'ready', 'applied', 'dropped')),
    -- What was asked for, in words.
    what  TEXT NOT NULL,
    -- Submissions that were still being judged when it began, and so are no part of it.
    open  INTEGER NOT NULL,
    total INTEGER NOT NULL,
    -- What came of it: how many results moved, and how many runs ended in a fault of ours.
    moved  INTEGER NOT NULL DEFAULT 0,
    faults INTEGER NOT NULL DEFAULT 0,
    ended  INTEGER
);

CREATE INDEX rejudges_by_state ON rejudges (state);

-- The version and the limits that judge again, by problem.
CREATE TABLE rejudge_problems (
    rejudge INTEGER NOT NULL,
    problem TEXT NOT NULL,
    package TEXT NOT NULL,
    limits  TEXT NOT NULL,
    PRIMARY KEY (rejudge, problem)
) WITHOUT ROWID;

CREATE TABLE rejudge_runs (
    rejudge    INTEGER NOT NULL,
    submission INTEGER NOT NULL,
    -- The daemon's own submission that does it; none while it waits.
    run        INTEGER,
    PRIMARY KEY (rejudge, submission)
) WITHOUT ROWID;

CREATE INDEX rejudge_runs_waiting ON rejudge_runs (rejudge, submission) WHERE run IS NULL;
CREATE INDEX rejudge_runs_by_run ON rejudge_runs (run, rejudge);
CREATE INDEX submissions_of_rejudges ON submissions (state) WHERE purpose = 'rejudge';

-- When a submission was last judged again.
ALTER TABLE submissions ADD COLUMN rejudged INTEGER;
