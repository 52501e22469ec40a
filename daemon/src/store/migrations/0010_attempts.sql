-- What somebody submitted while teaching costs no attempt of the student that they may become. The query says the same
-- word for word.
DROP INDEX submissions_that_cost;
CREATE INDEX submissions_that_cost
    ON submissions (user, problem, course, assignment, staff, at, purpose, verdict, state, total)
    WHERE purpose = 'submission' AND verdict IS NOT 'COMPILE_ERROR' AND state NOT IN ('faulted', 'faulted-ended')
          AND (total IS NOT NULL OR state NOT IN ('cancelled', 'cancelled-ended'));
