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
