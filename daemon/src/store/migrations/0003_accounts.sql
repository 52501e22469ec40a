-- Accounts: people, what they are to each course, the keys that speak for them, and the codes that let them in.

CREATE TABLE people (
    name       TEXT PRIMARY KEY,
    full_name  TEXT,
    student_id TEXT UNIQUE,
    admin      INTEGER NOT NULL DEFAULT 0,
    -- When the user was cut off; nobody is cut off for good, a pairing code lets a user back in.
    revoked    INTEGER,
    created    INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO people (name, admin, created) SELECT name, role = 'admin', created FROM users;

-- The public half of every key that was ever signed for a user. A scoped one has a name of its own on NATS.
CREATE TABLE user_keys (
    public_key TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    credential TEXT UNIQUE,
    course     TEXT,
    assignment TEXT,
    made       INTEGER NOT NULL,
    expires    INTEGER,
    revoked    INTEGER
) WITHOUT ROWID;

CREATE INDEX user_keys_by_user ON user_keys (user);

INSERT INTO user_keys (public_key, user, made)
    SELECT public_key, name, created FROM users WHERE public_key IS NOT NULL;

DROP TABLE users;
ALTER TABLE people RENAME TO users;

CREATE TABLE memberships (
    course TEXT NOT NULL,
    user   TEXT NOT NULL,
    role   TEXT NOT NULL,
    joined INTEGER NOT NULL,
    PRIMARY KEY (course, user)
) WITHOUT ROWID;

CREATE INDEX memberships_by_user ON memberships (user);

-- A code lets people into a course, or one more machine in as a user that exists, or makes an administrator.
-- What is stored is its hash; `starts_with` tells people which one it is.
CREATE TABLE codes (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB NOT NULL UNIQUE,
    starts_with TEXT NOT NULL,
    course      TEXT,
    role        TEXT,
    user        TEXT,
    roster_only INTEGER NOT NULL DEFAULT 0,
    expires     INTEGER NOT NULL,
    uses_left   INTEGER,
    used        INTEGER NOT NULL DEFAULT 0,
    made_by     TEXT NOT NULL,
    made        INTEGER NOT NULL
);

CREATE INDEX codes_by_course ON codes (course);

-- The scoped credential by which a submission came in: its events go there too.
ALTER TABLE submissions ADD COLUMN via TEXT;
