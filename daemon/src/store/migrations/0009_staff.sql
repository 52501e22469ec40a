-- What those who teach submit themselves, to try an assignment, is not counted. Whether somebody taught is told by the
-- moment of the submission; of earlier ones by who teaches now.

ALTER TABLE submissions ADD COLUMN staff INTEGER NOT NULL DEFAULT 0;

UPDATE submissions SET staff = 1 WHERE assignment IS NOT NULL AND coalesce(
    (SELECT role <> 'student' FROM memberships AS m WHERE m.course = submissions.course AND m.user = submissions.user),
    (SELECT admin FROM users WHERE name = submissions.user), 0);

-- The class that the statistics put a time into.
ALTER TABLE submissions ADD COLUMN time_class INTEGER GENERATED ALWAYS AS (
    CASE WHEN time_ms < 20 THEN time_ms
         WHEN time_ms < 200 THEN time_ms / 10 * 10
         WHEN time_ms < 2000 THEN time_ms / 100 * 100
         WHEN time_ms < 20000 THEN time_ms / 1000 * 1000
         ELSE time_ms / 10000 * 10000 END) VIRTUAL;

-- What is counted is read from the index alone, as before.
DROP INDEX submissions_judged;
CREATE INDEX submissions_judged ON submissions (course, assignment, user, problem, id, at, verdict, staff)
    WHERE assignment IS NOT NULL AND purpose = 'submission' AND verdict IS NOT NULL;

-- The same counts as before, of students only.
DROP TRIGGER verdict_changed;
DROP TRIGGER submission_removed;
DROP TRIGGER case_written;
DROP TRIGGER case_given_over;
DROP TRIGGER case_removed;
DROP VIEW counted_students;
DROP VIEW counted;

DELETE FROM stats_hours;
DELETE FROM stats_times;
DELETE FROM stats_cases;
DROP TABLE stats_students;

-- Each student: attempts, the attempt that was accepted first, and how the newest submission ended: its first case that
-- was not accepted, or none where it does not compile. Then what can count for the grade: the first and the last of those
-- that cost an attempt, the first that was accepted, and the last that does not compile.
CREATE TABLE stats_students (
    course     TEXT NOT NULL,
    assignment TEXT NOT NULL,
    problem    TEXT NOT NULL,
    user       TEXT NOT NULL,
    tried      INTEGER NOT NULL,
    solved     INTEGER,
    newest     INTEGER NOT NULL,
    verdict    TEXT NOT NULL,
    idx        INTEGER,
    first      INTEGER,
    accepted   INTEGER,
    last       INTEGER,
    broken     INTEGER,
    PRIMARY KEY (course, assignment, problem, user)
) WITHOUT ROWID;

CREATE VIEW counted AS
    SELECT id, course, assignment, problem, user, verdict, at / 3600000 AS hour, time_class AS ms
    FROM submissions
    WHERE purpose = 'submission' AND assignment IS NOT NULL AND verdict IS NOT NULL AND NOT staff;

CREATE VIEW counted_students AS
    SELECT course, assignment, problem, user,
           sum(verdict <> 'COMPILE_ERROR') AS tried,
           min(CASE WHEN verdict <> 'COMPILE_ERROR' THEN id END) AS first,
           min(CASE WHEN verdict = 'ACCEPTED' THEN id END) AS accepted,
           max(CASE WHEN verdict <> 'COMPILE_ERROR' THEN id END) AS last,
           max(CASE WHEN verdict = 'COMPILE_ERROR' THEN id END) AS broken,
           max(id) AS newest
    FROM counted GROUP BY course, assignment, problem, user;

INSERT INTO stats_hours SELECT course, assignment, problem, hour, verdict, count(*) FROM counted GROUP BY 1, 2, 3, 4, 5;
INSERT INTO stats_times SELECT course, assignment, problem, ms, count(*) FROM counted
    WHERE verdict = 'ACCEPTED' AND ms IS NOT NULL GROUP BY 1, 2, 3, 4;
INSERT INTO stats_cases SELECT course, assignment, problem, idx, grp, sample, cases.verdict, count(*)
    FROM cases JOIN submissions ON id = submission
    WHERE assignment IS NOT NULL AND purpose = 'submission' AND NOT staff
    GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO stats_students
    SELECT course, assignment, problem, user, tried,
           nullif((SELECT count(*) FROM counted AS one WHERE one.course = by.course AND one.assignment = by.assignment
                   AND one.user = by.user AND one.problem = by.problem AND one.id <= by.accepted
                   AND verdict <> 'COMPILE_ERROR'), 0),
           newest, (SELECT verdict FROM submissions WHERE id = newest),
           (SELECT min(idx) FROM cases WHERE submission = newest AND verdict NOT IN ('ACCEPTED', 'SKIPPED')),
           first, accepted, last, broken
    FROM counted_students AS by;

-- A verdict that is given, changed or taken away. What was counted is taken out, what is there is counted.
CREATE TRIGGER verdict_changed AFTER UPDATE OF verdict ON submissions
WHEN NEW.purpose = 'submission' AND NEW.assignment IS NOT NULL AND NOT NEW.staff
BEGIN
    UPDATE stats_hours SET n = n - 1 WHERE OLD.verdict IS NOT NULL AND course = OLD.course
        AND assignment = OLD.assignment AND problem = OLD.problem AND hour = OLD.at / 3600000 AND verdict = OLD.verdict;
    UPDATE stats_times SET n = n - 1 WHERE OLD.verdict = 'ACCEPTED' AND course = OLD.course
        AND assignment = OLD.assignment AND problem = OLD.problem AND ms = OLD.time_class;
    INSERT INTO stats_hours SELECT course, assignment, problem, hour, verdict, 1 FROM counted WHERE id = NEW.id
        ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO stats_times SELECT course, assignment, problem, ms, 1 FROM counted
        WHERE id = NEW.id AND verdict = 'ACCEPTED' AND ms IS NOT NULL
        ON CONFLICT DO UPDATE SET n = n + 1;
    DELETE FROM stats_students WHERE course = NEW.course AND assignment = NEW.assignment AND problem = NEW.problem
        AND user = NEW.user;
    INSERT INTO stats_students
        SELECT course, assignment, problem, user, tried,
               nullif((SELECT count(*) FROM counted AS one WHERE one.course = NEW.course
                       AND one.assignment = NEW.assignment AND one.user = NEW.user AND one.problem = NEW.problem
                       AND one.id <= accepted AND one.verdict <> 'COMPILE_ERROR'), 0),
               newest, (SELECT verdict FROM submissions WHERE id = newest),
               (SELECT min(idx) FROM cases WHERE submission = newest AND verdict NOT IN ('ACCEPTED', 'SKIPPED')),
               first, accepted, last, broken
        FROM counted_students
        WHERE course = NEW.course AND assignment = NEW.assignment AND user = NEW.user AND problem = NEW.problem;
END;

CREATE TRIGGER submission_removed AFTER DELETE ON submissions
WHEN OLD.purpose = 'submission' AND OLD.assignment IS NOT NULL AND OLD.verdict IS NOT NULL AND NOT OLD.staff
BEGIN
    UPDATE stats_hours SET n = n - 1 WHERE course = OLD.course AND assignment = OLD.assignment
        AND problem = OLD.problem AND hour = OLD.at / 3600000 AND verdict = OLD.verdict;
    UPDATE stats_times SET n = n - 1 WHERE OLD.verdict = 'ACCEPTED' AND course = OLD.course
        AND assignment = OLD.assignment AND problem = OLD.problem AND ms = OLD.time_class;
    DELETE FROM stats_students WHERE course = OLD.course AND assignment = OLD.assignment AND problem = OLD.problem
        AND user = OLD.user;
END;

CREATE TRIGGER case_written AFTER INSERT ON cases
BEGIN
    INSERT INTO stats_cases
        SELECT course, assignment, problem, NEW.idx, NEW.grp, NEW.sample, NEW.verdict, 1 FROM submissions
        WHERE id = NEW.submission AND assignment IS NOT NULL AND purpose = 'submission' AND NOT staff
        ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER case_given_over AFTER UPDATE OF submission ON cases
BEGIN
    INSERT INTO stats_cases
        SELECT course, assignment, problem, NEW.idx, NEW.grp, NEW.sample, NEW.verdict, 1 FROM submissions
        WHERE id = NEW.submission AND assignment IS NOT NULL AND purpose = 'submission' AND NOT staff
        ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER case_removed BEFORE DELETE ON cases
BEGIN
    UPDATE stats_cases SET n = n - 1
    WHERE (course, assignment, problem) = (SELECT course, assignment, problem FROM submissions
           WHERE id = OLD.submission AND assignment IS NOT NULL AND purpose = 'submission' AND NOT staff)
        AND idx = OLD.idx AND grp = OLD.grp AND sample = OLD.sample AND verdict = OLD.verdict;
END;
