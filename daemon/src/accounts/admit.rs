//! Letting people in by a code. Each function works in a transaction of the caller's, and writes nothing where it
//! refuses.

use codementor_protocol::{
    AssignmentId, AssignmentState, CourseName, CourseRole, Refusal, RefusalCode, Timestamp, UserName,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::codes::{self, Code, Opens, Stored};
use super::roster::{self, Standing};
use super::{members, names};
use crate::courses::{self, audit};
use crate::store::StoreResult;

/// Somebody who is no user yet, or on a machine that is not known yet.
pub(super) struct Applicant {
    pub(super) public_key: String,
    pub(super) said: Said,
}

/// What somebody says of itself.
pub(super) struct Said {
    pub(super) full_name: Option<String>,
    pub(super) student_id: Option<String>,
}

/// What became of a code.
pub(super) enum Tried<T> {
    /// It let somebody in.
    Done(T),
    /// There is no such code; whether any code begins like it.
    Wrong { known_prefix: bool },
    /// It is a code, and lets this one in no more, or not at all.
    Refused(Refusal),
}

/// Lets an applicant in, and says as whom.
pub(super) fn enrol(
    db: &Connection,
    code: &Code,
    applicant: &Applicant,
    at: Timestamp,
    expires: Option<Timestamp>,
) -> StoreResult<Tried<UserName>> {
    let Some(stored) = codes::find(db, code)? else {
        return Ok(Tried::Wrong { known_prefix: codes::is_prefix(db, code.prefix())? });
    };
    // The answer to an earlier try was lost: the key is what is let in, and it is the same key.
    match owner_of(db, &applicant.public_key)? {
        Some(Owner { user, open: true }) => return Ok(Tried::Done(user)),
        Some(_) => {
            let message = "this key was given up or cut off before";
            return Ok(Tried::Refused(
                Refusal::new(RefusalCode::Invalid, message).hint("try again: a new key is made each time"),
            ));
        }
        None => {}
    }
    if let Some(refusal) = has_ended(&stored, at) {
        return Ok(Tried::Refused(refusal));
    }
    let user = match &stored.opens {
        Opens::User(user) => {
            db.execute("UPDATE users SET revoked = NULL WHERE name = ?1", [user.as_str()])?;
            user.clone()
        }
        Opens::Admin => {
            if let Some(refusal) = taken(db, applicant.said.student_id.as_deref(), None)? {
                return Ok(Tried::Refused(refusal));
            }
            let user = new_user(db, &applicant.said, at)?;
            members::put_admin(db, &user, at)?;
            user
        }
        Opens::Course(course, role) => {
            let student_id = applicant.said.student_id.clone();
            let listed = match admissible(db, &stored, course, *role, student_id.as_deref(), None)? {
                Ok(name) => name,
                Err(refusal) => return Ok(Tried::Refused(refusal)),
            };
            let full_name = applicant.said.full_name.clone().or(listed);
            let user = new_user(db, &Said { full_name, student_id }, at)?;
            members::put_member(db, course, &user, *role, at)?;
            note_joined(db, course, &user, *role, stored.id, at)?;
            user
        }
    };
    members::put_key(db, &applicant.public_key, &user, at, expires)?;
    codes::use_once(db, stored.id)?;
    Ok(Tried::Done(user))
}

/// Makes a user a member of one more course, or an administrator, and takes down what it says of itself for the first
/// time.
pub(super) fn join(
    db: &Connection,
    code: &Code,
    user: &UserName,
    said: &Said,
    at: Timestamp,
) -> StoreResult<Tried<()>> {
    let Some(stored) = codes::find(db, code)? else {
        return Ok(Tried::Wrong { known_prefix: codes::is_prefix(db, code.prefix())? });
    };
    let (known_name, known_id) = members::names(db, user)?.unwrap_or_default();
    if let Some(refusal) = contradicts(known_name.as_deref(), known_id.as_deref(), said) {
        return Ok(Tried::Refused(refusal));
    }
    let is_new_id = known_id.is_none() && said.student_id.is_some();
    let is_news = is_new_id || known_name.is_none() && said.full_name.is_some();
    match &stored.opens {
        Opens::User(_) => {
            let message = "this code is for another machine of a user";
            return Ok(Tried::Refused(
                Refusal::new(RefusalCode::Forbidden, message)
                    .hint("type it there: codementor join SERVER CODE"),
            ));
        }
        Opens::Course(course, role) => {
            let is_in = members::role(db, course, user)?.is_some_and(|has| has >= *role);
            if is_in {
                // Whoever is in already loses nothing by a code that has ended.
                if !is_news {
                    return Ok(Tried::Done(()));
                }
            }
            // To say more of oneself is no further use of a code.
            let ended = if is_in { has_expired(&stored, at) } else { has_ended(&stored, at) };
            if let Some(refusal) = ended {
                return Ok(Tried::Refused(refusal));
            }
            let student_id = known_id.or_else(|| said.student_id.clone());
            let listed = match admissible(db, &stored, course, *role, student_id.as_deref(), Some(user))? {
                Ok(name) => name,
                Err(refusal) => return Ok(Tried::Refused(refusal)),
            };
            let full_name = said.full_name.clone().or(listed);
            complete(db, user, &Said { full_name, student_id: student_id.clone() })?;
            if is_in {
                if is_new_id {
                    let detail = json!({ "user": user, "student": student_id });
                    audit::append(db, course, user, "roster-link", user.as_str(), &detail, at)?;
                }
                return Ok(Tried::Done(()));
            }
            members::put_member(db, course, user, *role, at)?;
            note_joined(db, course, user, *role, stored.id, at)?;
        }
        Opens::Admin => {
            if let Some(refusal) = has_ended(&stored, at) {
                return Ok(Tried::Refused(refusal));
            }
            if let Some(refusal) = taken(db, said.student_id.as_deref(), Some(user))? {
                return Ok(Tried::Refused(refusal));
            }
            complete(db, user, said)?;
            members::put_admin(db, user, at)?;
        }
    }
    codes::use_once(db, stored.id)?;
    Ok(Tried::Done(()))
}

/// What a user says of itself is what is known of it, as far as anything is.
fn contradicts(name: Option<&str>, student_id: Option<&str>, said: &Said) -> Option<Refusal> {
    let differs = |known: Option<&str>, said: &Option<String>| {
        known.zip(said.as_deref()).filter(|(known, said)| known != said).map(|(known, _)| known.to_owned())
    };
    let message = if let Some(known) = differs(student_id, &said.student_id) {
        format!("you have the student id '{known}' here already")
    } else if let Some(known) = differs(name, &said.full_name) {
        format!("you are called '{known}' here already")
    } else {
        return None;
    };
    let hint =
        "leave it out; who is which student of a roster, an instructor says: codementor course roster link";
    Some(Refusal::new(RefusalCode::Forbidden, message).hint(hint))
}

/// Takes down what is not known of a user yet.
fn complete(db: &Connection, user: &UserName, said: &Said) -> StoreResult<()> {
    db.execute(
        "UPDATE users SET full_name = coalesce(full_name, ?2), student_id = coalesce(student_id, ?3)
         WHERE name = ?1",
        params![user.as_str(), said.full_name, said.student_id],
    )?;
    Ok(())
}

/// Whether a student id is somebody else's than `user`.
fn taken(db: &Connection, student_id: Option<&str>, user: Option<&UserName>) -> StoreResult<Option<Refusal>> {
    let holder: Option<String> = db
        .query_row("SELECT name FROM users WHERE student_id = ?1", [student_id], |row| row.get(0))
        .optional()?;
    Ok(holder.filter(|holder| user.is_none_or(|user| holder != user.as_str())).map(|_| {
        Refusal::new(RefusalCode::Forbidden, "somebody has enrolled with this student id already").hint(
            "was it you, on another machine? Make a code there: codementor pair. If not, tell your instructor",
        )
    }))
}

/// The student whom the roster gives an account at the code host, for a job in that account's repository.
pub(super) fn by_code_host(
    db: &Connection,
    assignment: &AssignmentId,
    account: &str,
) -> StoreResult<Result<UserName, Refusal>> {
    let course = &assignment.course;
    let known = courses::assignment(db, assignment)?;
    let user = user_by_code_host(db, course, account)?;
    let teaches = match &user {
        Ok(user) => members::role(db, course, user)? >= Some(CourseRole::Assistant),
        Err(_) => false,
    };
    // Only those who teach hear of a draft, and an account that is nobody's hears least of all.
    if known.is_none_or(|known| known.state == AssignmentState::Draft && !teaches) {
        let message = format!("there is no assignment '{assignment}'");
        let hint = "is it written as COURSE/ASSIGNMENT?";
        return Ok(Err(Refusal::new(RefusalCode::NotFound, message).hint(hint)));
    }
    Ok(user)
}

/// The student of a course whom its roster gives an account at the code host.
fn user_by_code_host(
    db: &Connection,
    course: &CourseName,
    account: &str,
) -> StoreResult<Result<UserName, Refusal>> {
    let nobody = |message: &str, hint: &str| {
        Ok(Err(Refusal::new(RefusalCode::Unauthorised, message.to_owned()).hint(hint)))
    };
    let student_id = match roster::by_code_host(db, course, account)?.as_slice() {
        [student_id] => student_id.clone(),
        [] => {
            return nobody(
                "the owner of this repository is nobody on the course's roster",
                "ask your instructor to put your account at the code host on the roster",
            );
        }
        _ => {
            return nobody(
                "the owner of this repository is on the course's roster more than once",
                "ask your instructor to put it right",
            );
        }
    };
    let user: Option<String> = db
        .query_row(
            "SELECT name FROM users JOIN memberships ON user = name
             WHERE student_id = ?1 AND course = ?2 AND revoked IS NULL",
            params![student_id, course.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    match user {
        Some(user) => Ok(Ok(crate::store::columns::parse("user", user)?)),
        None => nobody(
            "the owner of this repository has not joined the course",
            "join it first, with your student id: codementor join SERVER CODE --student-id ID",
        ),
    }
}

/// Why a code lets nobody in any more, if so.
fn has_ended(code: &Stored, at: Timestamp) -> Option<Refusal> {
    has_expired(code, at).or_else(|| {
        (code.uses_left == Some(0)).then(|| no_more(code, "this code has been used as often as it may be"))
    })
}

fn has_expired(code: &Stored, at: Timestamp) -> Option<Refusal> {
    (code.expires <= at).then(|| no_more(code, "this code has expired"))
}

fn no_more(code: &Stored, message: &str) -> Refusal {
    let hint = match &code.opens {
        Opens::Course(..) => "ask your instructor for a new one",
        Opens::User(_) => "make a new one where you are logged in: codementor pair",
        Opens::Admin => "make a new one on the server",
    };
    Refusal::new(RefusalCode::Forbidden, message).hint(hint)
}

/// Whether somebody may come into a course by a code; the name that the roster has.
fn admissible(
    db: &Connection,
    code: &Stored,
    course: &CourseName,
    role: CourseRole,
    student_id: Option<&str>,
    user: Option<&UserName>,
) -> StoreResult<Result<Option<String>, Refusal>> {
    let refused =
        |message: String, hint: &str| Ok(Err(Refusal::new(RefusalCode::Forbidden, message).hint(hint)));
    let Some(student_id) = student_id else {
        return if code.roster_only {
            let message = format!("this code lets in only those on the roster of '{course}'");
            Ok(Err(Refusal::new(RefusalCode::Invalid, message).hint("say who you are with --student-id ID")))
        } else {
            Ok(Ok(None))
        };
    };
    if let Some(refusal) = taken(db, Some(student_id), user)? {
        return Ok(Err(refusal));
    }
    let ask = "ask your instructor to put you on the roster";
    match roster::student(db, course, student_id)? {
        Standing::Listed { name } => Ok(Ok(Some(name))),
        Standing::Withdrawn if role == CourseRole::Student => {
            refused(format!("this student id has left '{course}'"), ask)
        }
        Standing::NotListed if code.roster_only => {
            refused(format!("this student id is not on the roster of '{course}'"), ask)
        }
        Standing::NoRoster if code.roster_only => refused(
            format!("this code lets in only those on the roster of '{course}', and there is none yet"),
            "ask your instructor to import the roster",
        ),
        Standing::Withdrawn | Standing::NotListed | Standing::NoRoster => Ok(Ok(None)),
    }
}

fn new_user(db: &Connection, said: &Said, at: Timestamp) -> StoreResult<UserName> {
    let (full_name, student_id) = (said.full_name.as_deref(), said.student_id.as_deref());
    let user = names::unused(db, full_name, student_id)?;
    db.execute(
        "INSERT INTO users (name, full_name, student_id, created) VALUES (?1, ?2, ?3, ?4)",
        params![user.as_str(), full_name, student_id, at.0],
    )?;
    Ok(user)
}

fn note_joined(
    db: &Connection,
    course: &CourseName,
    user: &UserName,
    role: CourseRole,
    code: u64,
    at: Timestamp,
) -> StoreResult<()> {
    let detail = json!({ "role": role, "code": code });
    audit::append(db, course, user, "join", user.as_str(), &detail, at)
}

struct Owner {
    user: UserName,
    /// Whether the key is one of a machine, and good.
    open: bool,
}

fn owner_of(db: &Connection, public_key: &str) -> StoreResult<Option<Owner>> {
    let row: Option<(String, bool)> = db
        .prepare_cached(
            "SELECT user, revoked IS NULL AND credential IS NULL FROM user_keys WHERE public_key = ?1",
        )?
        .query_row([public_key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(user, open)| Ok(Owner { user: crate::store::columns::parse("user", user)?, open })).transpose()
}
