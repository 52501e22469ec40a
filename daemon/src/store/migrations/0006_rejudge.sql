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
