-- Accounts.

CREATE TABLE users (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL,
    public_key TEXT,
    created    INTEGER NOT NULL
) WITHOUT ROWID;

-- Problems. A package never changes; a problem's name points to the version that judges.

CREATE TABLE packages (
    hash      TEXT PRIMARY KEY,
    title     TEXT NOT NULL,
    limits    TEXT NOT NULL,
    samples   INTEGER NOT NULL,
    cases     INTEGER NOT NULL,
    languages TEXT NOT NULL,
    warnings  TEXT NOT NULL,
    code_kib  INTEGER NOT NULL,
    -- What the package says of feedback, as JSON.
    feedback  TEXT NOT NULL,
    installed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE problems (
    slug    TEXT PRIMARY KEY,
    package TEXT NOT NULL REFERENCES packages (hash)
) WITHOUT ROWID;

-- Submissions. The state is a function of the events; it stands here too so that it can be searched by.

CREATE TABLE submissions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user        TEXT NOT NULL,
    key         TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    problem     TEXT NOT NULL,
    package     TEXT NOT NULL,
    language    TEXT NOT NULL,
    files       TEXT NOT NULL,
    entry       TEXT,
    lane        INTEGER NOT NULL,
    limits      TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    state       TEXT NOT NULL,
    verdict     TEXT,
    score       TEXT,
    passed      INTEGER,
    total       INTEGER,
    time_ms     INTEGER,
    memory_kib  INTEGER,
    fault       TEXT,
    -- NULL where none is given; the stream of events stays open while it is pending.
    feedback    TEXT CHECK (feedback IN ('pending', 'ended')),
    answer_in   TEXT,
    -- The newest delivery that has started, and the next report wanted of it.
    delivery    INTEGER NOT NULL DEFAULT 0,
    token       TEXT,
    next_report INTEGER NOT NULL DEFAULT 0,
    faults      INTEGER NOT NULL DEFAULT 0,
    next_seq    INTEGER NOT NULL DEFAULT 1,
    UNIQUE (user, key)
);

CREATE INDEX submissions_by_user ON submissions (user, purpose, id);
CREATE INDEX submissions_by_problem ON submissions (user, problem, purpose, id);
CREATE INDEX submissions_by_state ON submissions (state);
CREATE INDEX submissions_with_pending_feedback ON submissions (id) WHERE feedback = 'pending';
CREATE INDEX submissions_of_the_daemon ON submissions (purpose) WHERE purpose = 'verification';

CREATE TABLE events (
    submission INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (submission, seq)
) WITHOUT ROWID;

CREATE TABLE captures (
    submission   INTEGER NOT NULL,
    idx          INTEGER NOT NULL,
    name         TEXT NOT NULL,
    verdict      TEXT NOT NULL,
    stdout       BLOB NOT NULL,
    stdout_total INTEGER NOT NULL,
    stderr       BLOB NOT NULL,
    stderr_total INTEGER NOT NULL,
    PRIMARY KEY (submission, idx)
) WITHOUT ROWID;

-- The outbox: a row for each job that has not ended. `sequence` is its place in the NATS stream once published.

CREATE TABLE outbox (
    submission INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    user       TEXT NOT NULL,
    lane       INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    sequence   INTEGER
);

CREATE INDEX outbox_by_sequence ON outbox (sequence);

-- How far a stream has been read. `incarnation` tells a stream that was made anew from the one that we read.

CREATE TABLE positions (
    stream      TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    sequence    INTEGER NOT NULL
) WITHOUT ROWID;

-- Feedback. What may be seen of it, by step of the ladder: the text that was shown, and a corrected program only where
-- the policy shows it.

CREATE TABLE feedback_steps (
    submission INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    said       TEXT NOT NULL,
    outcome    TEXT,
    message    TEXT,
    fix        TEXT,
    at         INTEGER NOT NULL,
    PRIMARY KEY (submission, step)
) WITHOUT ROWID;

-- What no request of a student reads: every answer that can be given again, with its corrected program.

CREATE TABLE feedback_answers (
    key    BLOB PRIMARY KEY,
    answer TEXT NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

-- Spent and reserved, by day (days since 1970) and user; the empty user is the whole server.

CREATE TABLE feedback_spending (
    day        INTEGER NOT NULL,
    user       TEXT NOT NULL,
    tokens     INTEGER NOT NULL,
    cost_micro INTEGER NOT NULL,
    PRIMARY KEY (day, user)
) WITHOUT ROWID;

-- How many corrected programs were checked for a user, by day and problem.

CREATE TABLE feedback_checks (
    day     INTEGER NOT NULL,
    user    TEXT NOT NULL,
    problem TEXT NOT NULL,
    checks  INTEGER NOT NULL,
    PRIMARY KEY (day, user, problem)
) WITHOUT ROWID;
