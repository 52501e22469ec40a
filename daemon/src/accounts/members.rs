//! The rows of users, of what they are to courses, and of the keys that speak for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use codementor_protocol::{AssignmentId, CourseName, CourseRole, Timestamp, UserName};
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::StoreResult;
use crate::store::columns::{from_token, parse};

/// What the gateway has to know of a user for every request.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) admin: bool,
    pub(super) revoked: bool,
    pub(super) courses: Arc<BTreeMap<CourseName, CourseRole>>,
}

/// A credential that is limited to an assignment.
#[derive(Debug, Clone)]
pub(super) struct Scoped {
    pub(super) owner: UserName,
    pub(super) assignment: AssignmentId,
    pub(super) revoked: bool,
}

/// Everybody, and every scoped credential by its name on NATS.
#[derive(Debug, Default)]
pub(super) struct People {
    pub(super) users: HashMap<UserName, Known>,
    pub(super) credentials: HashMap<UserName, Scoped>,
}

/// Reads all of it.
pub(super) fn people(db: &Connection) -> StoreResult<People> {
    Ok(People { users: users(db, None)?, credentials: credentials(db, None)? })
}

/// Reads one user with its scoped credentials.
pub(super) fn person(db: &Connection, user: &UserName) -> StoreResult<People> {
    Ok(People { users: users(db, Some(user))?, credentials: credentials(db, Some(user))? })
}

fn users(db: &Connection, only: Option<&UserName>) -> StoreResult<HashMap<UserName, Known>> {
    let only = only.map(UserName::as_str);
    let mut courses: HashMap<UserName, BTreeMap<CourseName, CourseRole>> = HashMap::new();
    let mut statement =
        db.prepare_cached("SELECT user, course, role FROM memberships WHERE ?1 IS NULL OR user = ?1")?;
    let mut rows = statement.query([only])?;
    while let Some(row) = rows.next()? {
        let role = from_token("role", &row.get::<_, String>(2)?)?;
        let user = parse("user", row.get(0)?)?;
        courses.entry(user).or_default().insert(parse("course", row.get(1)?)?, role);
    }
    let mut users = HashMap::new();
    let mut statement = db
        .prepare_cached("SELECT name, admin, revoked IS NOT NULL FROM users WHERE ?1 IS NULL OR name = ?1")?;
    let mut rows = statement.query([only])?;
    while let Some(row) = rows.next()? {
        let user: UserName = parse("user", row.get(0)?)?;
        let courses = Arc::new(courses.remove(&user).unwrap_or_default());
        users.insert(user, Known { admin: row.get(1)?, revoked: row.get(2)?, courses });
    }
    Ok(users)
}

fn credentials(db: &Connection, only: Option<&UserName>) -> StoreResult<HashMap<UserName, Scoped>> {
    let mut statement = db.prepare_cached(
        "SELECT credential, user, course, assignment, revoked IS NOT NULL FROM user_keys
         WHERE credential IS NOT NULL AND (?1 IS NULL OR user = ?1) AND (expires IS NULL OR expires > ?2)",
    )?;
    // NATS lets in none that has ended, and CI jobs leave many behind.
    let mut rows = statement.query(params![only.map(UserName::as_str), crate::queue::now().0])?;
    let mut credentials = HashMap::new();
    while let Some(row) = rows.next()? {
        let assignment = AssignmentId {
            course: parse("course", row.get(2)?)?,
            assignment: parse("assignment", row.get(3)?)?,
        };
        let scoped = Scoped { owner: parse("user", row.get(1)?)?, assignment, revoked: row.get(4)? };
        credentials.insert(parse("credential", row.get(0)?)?, scoped);
    }
    Ok(credentials)
}

/// Makes an administrator, or makes one of a user that exists.
pub(super) fn put_admin(db: &Connection, user: &UserName, at: Timestamp) -> StoreResult<()> {
    db.execute(
        "INSERT INTO users (name, admin, created) VALUES (?1, 1, ?2)
         ON CONFLICT (name) DO UPDATE SET admin = 1, revoked = NULL",
        params![user.as_str(), at.0],
    )?;
    Ok(())
}

/// Remembers that a key speaks for a user until `expires`.
pub(super) fn put_key(
    db: &Connection,
    public_key: &str,
    user: &UserName,
    at: Timestamp,
    expires: Option<Timestamp>,
) -> StoreResult<()> {
    db.execute(
        "INSERT INTO user_keys (public_key, user, made, expires) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (public_key) DO UPDATE SET expires = ?4 WHERE user = ?2 AND credential IS NULL",
        params![public_key, user.as_str(), at.0, expires.map(|expires| expires.0)],
    )?;
    Ok(())
}

/// Makes a user a member of a course, or changes its role there.
pub(super) fn put_member(
    db: &Connection,
    course: &CourseName,
    user: &UserName,
    role: CourseRole,
    at: Timestamp,
) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT INTO memberships (course, user, role, joined) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (course, user) DO UPDATE SET role = ?3",
    )?
    .execute(params![course.as_str(), user.as_str(), role.token(), at.0])?;
    db.prepare_cached("DELETE FROM departures WHERE course = ?1 AND user = ?2")?
        .execute([course.as_str(), user.as_str()])?;
    Ok(())
}

/// What a user is to a course.
pub(super) fn role(db: &Connection, course: &CourseName, user: &UserName) -> StoreResult<Option<CourseRole>> {
    let role: Option<String> = db
        .prepare_cached("SELECT role FROM memberships WHERE course = ?1 AND user = ?2")?
        .query_row(params![course.as_str(), user.as_str()], |row| row.get(0))
        .optional()?;
    role.map(|role| from_token("role", &role)).transpose()
}

/// The courses that a user belongs to.
pub(super) fn courses(db: &Connection, user: &UserName) -> StoreResult<Vec<CourseName>> {
    let mut statement =
        db.prepare_cached("SELECT course FROM memberships WHERE user = ?1 ORDER BY course")?;
    let courses = statement.query_map([user.as_str()], |row| row.get::<_, String>(0))?;
    courses.map(|course| parse("course", course?)).collect()
}

/// The name for people and the student id of a user.
pub(super) fn names(
    db: &Connection,
    user: &UserName,
) -> StoreResult<Option<(Option<String>, Option<String>)>> {
    Ok(db
        .prepare_cached("SELECT full_name, student_id FROM users WHERE name = ?1")?
        .query_row([user.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}
