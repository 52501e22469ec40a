//! Codes: short texts that let people in. Only their hashes are stored.

use codementor_protocol::{CodeSummary, CourseName, CourseRole, Timestamp, UserName};
use rand::Rng;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::store::StoreResult;
use crate::store::columns::{from_token, parse};

/// Digits and letters without those that are taken for another: each stands for five bits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// How many characters a code has: 80 bits. What is shown of it in lists leaves 60 bits to guess.
const LENGTH: usize = 16;
/// How many of its characters are shown in lists.
const SHOWN: usize = 4;

/// A code as it was typed: case, dashes, spaces and characters that look alike make no difference.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Code(String);

impl Code {
    /// A code that nobody can guess.
    pub(super) fn fresh() -> Self {
        let mut random = rand::rng();
        Self((0..LENGTH).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect())
    }

    /// Reads what was typed; `None` when it cannot be a code.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut code = String::with_capacity(LENGTH);
        for typed in text.chars().filter(|typed| !typed.is_whitespace() && *typed != '-') {
            let plain = match typed.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                plain => plain,
            };
            if code.len() == LENGTH || !ALPHABET.contains(&u8::try_from(plain).ok()?) {
                return None;
            }
            code.push(plain);
        }
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// As it is handed out: four groups of four.
    pub(super) fn text(&self) -> String {
        let groups: Vec<&str> = (0..LENGTH).step_by(4).map(|at| &self.0[at..at + 4]).collect();
        groups.join("-")
    }

    /// What is shown of it in lists.
    pub(super) fn prefix(&self) -> &str {
        &self.0[..SHOWN]
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// What a code opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opens {
    /// A course, in a role.
    Course(CourseName, CourseRole),
    /// One more machine of a user.
    User(UserName),
    /// The server itself.
    Admin,
}

/// A code that is to be made.
pub(super) struct New<'a> {
    pub(super) opens: &'a Opens,
    pub(super) roster_only: bool,
    pub(super) expires: Timestamp,
    pub(super) uses: Option<u32>,
    pub(super) by: &'a UserName,
    pub(super) at: Timestamp,
}

/// A code as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: u64,
    pub(super) opens: Opens,
    pub(super) roster_only: bool,
    pub(super) expires: Timestamp,
    pub(super) uses_left: Option<u32>,
}

/// Makes a code.
pub(super) fn make(db: &Connection, new: &New<'_>) -> StoreResult<Code> {
    let code = Code::fresh();
    let (course, role, user) = match new.opens {
        Opens::Course(course, role) => (Some(course.as_str()), Some(role.token()), None),
        Opens::User(user) => (None, None, Some(user.as_str())),
        Opens::Admin => (None, None, None),
    };
    db.execute(
        "INSERT INTO codes (hash, starts_with, course, role, user, roster_only, expires, uses_left, made_by, made)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            code.hash(),
            code.prefix(),
            course,
            role,
            user,
            new.roster_only,
            new.expires.0,
            new.uses,
            new.by.as_str(),
            new.at.0
        ],
    )?;
    Ok(code)
}

/// The code, if there is such a one. It may have ended.
pub(super) fn find(db: &Connection, code: &Code) -> StoreResult<Option<Stored>> {
    let mut statement = db.prepare_cached(
        "SELECT id, course, role, user, roster_only, expires, uses_left FROM codes WHERE hash = ?1",
    )?;
    let mut rows = statement.query([code.hash()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let text = |column: usize| row.get::<_, Option<String>>(column);
    let opens = match (text(1)?, text(2)?, text(3)?) {
        (Some(course), Some(role), _) => Opens::Course(parse("course", course)?, from_token("role", &role)?),
        (_, _, Some(user)) => Opens::User(parse("user", user)?),
        _ => Opens::Admin,
    };
    Ok(Some(Stored {
        id: row.get(0)?,
        opens,
        roster_only: row.get(4)?,
        expires: Timestamp(row.get(5)?),
        uses_left: row.get(6)?,
    }))
}

/// Whether any code begins like this.
pub(super) fn is_prefix(db: &Connection, prefix: &str) -> StoreResult<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM codes WHERE starts_with = ?1)")?
        .query_row([prefix], |row| row.get(0))?)
}

/// Counts one use.
pub(super) fn use_once(db: &Connection, id: u64) -> StoreResult<()> {
    db.prepare_cached("UPDATE codes SET used = used + 1, uses_left = uses_left - 1 WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// The codes of a course, those that have ended too, the newest first.
pub(super) fn list(db: &Connection, course: &CourseName) -> StoreResult<Vec<CodeSummary>> {
    let mut statement = db.prepare_cached(
        "SELECT id, starts_with, role, expires, uses_left, used, roster_only FROM codes
         WHERE course = ?1 ORDER BY id DESC LIMIT 1000",
    )?;
    let mut rows = statement.query([course.as_str()])?;
    let mut codes = Vec::new();
    while let Some(row) = rows.next()? {
        codes.push(CodeSummary {
            id: row.get(0)?,
            starts_with: row.get(1)?,
            role: from_token("role", &row.get::<_, String>(2)?)?,
            expires: Timestamp(row.get(3)?),
            uses_left: row.get(4)?,
            used: row.get(5)?,
            roster_only: row.get(6)?,
        });
    }
    Ok(codes)
}

/// Makes a code of a course void. False when there is none of that number.
pub(super) fn drop_one(db: &Connection, course: &CourseName, id: u64) -> StoreResult<bool> {
    let dropped =
        db.execute("DELETE FROM codes WHERE id = ?1 AND course = ?2", params![id, course.as_str()])?;
    Ok(dropped > 0)
}

/// Makes the codes void that would let another machine in as a user.
pub(super) fn drop_pairing(db: &Connection, user: &UserName) -> StoreResult<()> {
    db.execute("DELETE FROM codes WHERE user = ?1", [user.as_str()])?;
    Ok(())
}

/// How many codes of a course are still good.
pub(super) fn count_open(db: &Connection, course: &CourseName, at: Timestamp) -> StoreResult<u32> {
    let count = db
        .prepare_cached("SELECT count(*) FROM codes WHERE course = ?1 AND expires > ?2")?
        .query_row(params![course.as_str(), at.0], |row| row.get(0))
        .optional()?;
    Ok(count.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = Code::fresh();
        assert_eq!(code.text().len(), 19);
        assert!(Code::read(&code.text()) == Some(code.clone()));
        assert!(Code::read(&code.text().to_uppercase().replace('-', " ")) == Some(code.clone()));
        let looks_alike = Code::read("OIL0-0000-0000-0000").expect("is read");
        assert!(Code::read("0110-0000-0000-0000") == Some(looks_alike));
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        for text in ["", "1234", "1234-5678-9abc-def", "1234-5678-9abc-defg-h", "u234-5678-9abc-defg", "가나"]
        {
            assert!(Code::read(text).is_none(), "{text}");
        }
    }
}
