//! Requests about who is in a course, and the audit log of what was changed there.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{CourseName, CourseRole, Timestamp, UserName};

/// The most rows that one import may have, so that a message always holds them.
pub const MAX_ROSTER_ROWS: usize = 2000;
/// The longest text in a row, in characters.
const MAX_TEXT: usize = 100;
/// The longest e-mail address.
const MAX_EMAIL: usize = 254;

/// Somebody on a roster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRow {
    /// The school's id of the student, unique in the course.
    pub student_id: String,
    /// The name for people.
    pub name: String,
    /// The family name, where it is known by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The given name, where it is known by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The section or group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// The login name at the learning platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The number that Canvas gives the student.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvas_id: Option<String>,
    /// The account at a code host, such as GitHub, for jobs in CI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_host: Option<String>,
    /// Whether the student has left the course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<bool>,
}

/// What begins a formula in a spreadsheet. Nothing by which learning platforms find a student may begin like that, since
/// it could not be exported in a safe form and still be found.
pub const FORMULA: [char; 4] = ['=', '+', '-', '@'];

impl RosterRow {
    /// Looks at a row by itself; says what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.student_id.is_empty() {
            return Err("it has no student id".into());
        }
        if self.name.is_empty() {
            return Err("it has no name".into());
        }
        let ids = [
            ("student id", Some(&self.student_id)),
            ("login", self.login.as_ref()),
            ("code-host account", self.code_host.as_ref()),
        ];
        for (what, id) in ids.into_iter().filter_map(|(what, id)| Some((what, id?))) {
            text(what, id, MAX_TEXT)?;
            if id.contains(char::is_whitespace) {
                return Err(format!("the {what} '{id}' holds white space"));
            }
            no_formula(what, id)?;
        }
        let texts = [
            ("name", Some(&self.name)),
            ("last name", self.last_name.as_ref()),
            ("first name", self.first_name.as_ref()),
            ("section", self.section.as_ref()),
        ];
        for (what, value) in texts.into_iter().filter_map(|(what, value)| Some((what, value?))) {
            text(what, value, MAX_TEXT)?;
        }
        if let Some(id) = &self.canvas_id
            && (id.is_empty() || id.len() > 20 || !id.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(format!("Canvas's id '{}' is no number", id.escape_debug()));
        }
        if let Some(email) = &self.email {
            text("e-mail address", email, MAX_EMAIL)?;
            no_formula("e-mail address", email)?;
            let parts = email.split_once('@');
            let whole = parts.is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
            if !whole || email.contains(char::is_whitespace) {
                return Err(format!("'{email}' is no e-mail address"));
            }
        }
        Ok(())
    }

    /// What must be no other row's too: what it is, and its value as it is compared.
    fn unique(&self) -> impl Iterator<Item = (&'static str, String)> {
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        [
            ("student id", Some(self.student_id.clone())),
            ("e-mail address", lower(&self.email)),
            ("login", self.login.clone()),
            ("Canvas id", self.canvas_id.clone()),
            ("code-host account", lower(&self.code_host)),
        ]
        .into_iter()
        .filter_map(|(what, value)| Some((what, value?)))
    }
}

fn text(what: &str, value: &str, most: usize) -> Result<(), String> {
    if value.trim().is_empty() {
        return Err(format!("the {what} is empty"));
    }
    if value.chars().count() > most {
        return Err(format!("the {what} has more than {most} characters"));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("the {what} '{}' holds what cannot be printed", value.escape_debug()));
    }
    Ok(())
}

fn no_formula(what: &str, value: &str) -> Result<(), String> {
    match value.starts_with(FORMULA) {
        true => Err(format!("the {what} '{value}' begins as a formula does in a spreadsheet")),
        false => Ok(()),
    }
}

/// Two rows that are the same student, or cannot be told apart by a learning platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterClash {
    /// The place of the earlier row, counted from 0.
    pub first: usize,
    /// The place of the later one.
    pub second: usize,
    /// What is the same in both.
    pub what: &'static str,
    /// The value.
    pub value: String,
}

/// Finds rows that hold what only one row may have.
pub fn roster_clashes<'a>(rows: impl IntoIterator<Item = &'a RosterRow>) -> Vec<RosterClash> {
    let mut seen: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut clashes = Vec::new();
    for (second, row) in rows.into_iter().enumerate() {
        for (what, value) in row.unique() {
            match seen.get(&(what, value.clone())) {
                Some(&first) => clashes.push(RosterClash { first, second, what, value }),
                None => drop(seen.insert((what, value), second)),
            }
        }
    }
    clashes
}

/// Put people on a course's roster. Nothing is changed when one row is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRoster {
    /// The course.
    pub course: CourseName,
    /// The rows. What a row does not say stays as it was.
    pub rows: Vec<RosterRow>,
    /// Only say what would change.
    pub dry_run: bool,
}

/// What an import changed, or would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterChange {
    /// Student ids that are new.
    pub added: Vec<String>,
    /// Student ids whose row is another than before, with what differs.
    pub changed: Vec<(String, Vec<String>)>,
    /// How many rows say what was there already.
    pub same: u32,
    /// Student ids that are on the roster and were not in the rows; they stay.
    pub missing: Vec<String>,
}

/// Show a course's roster: who is on it, and who is in the course without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRoster {
    /// The course.
    pub course: CourseName,
    /// How many to leave out at the start, for the next page.
    #[serde(default)]
    pub from: u32,
}

/// A part of a roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterPage {
    /// The members, by name.
    pub members: Vec<Member>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// Somebody on the roster or in the course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The user, once enrolled.
    pub user: Option<UserName>,
    /// The name that the user gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The student id that the user gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student_id: Option<String>,
    /// What the user is to the course; a student for who is on the roster and has not joined.
    pub role: CourseRole,
    /// The row of the roster, if there is one.
    pub row: Option<RosterRow>,
    /// When the user joined; absent for who has not, or has left.
    pub joined: Option<Timestamp>,
    /// Whether it has left the course.
    pub withdrawn: bool,
}

impl Member {
    /// The name for people: the roster's, else the one that the user gave, else the user.
    pub fn shown(&self) -> &str {
        let row = self.row.as_ref().map(|row| row.name.as_str());
        row.or(self.name.as_deref()).or(self.user.as_ref().map(UserName::as_str)).unwrap_or_default()
    }

    /// The student id: the roster's, else the one that the user gave.
    pub fn student_id(&self) -> Option<&str> {
        self.row.as_ref().map(|row| row.student_id.as_str()).or(self.student_id.as_deref())
    }

    /// Whether somebody who types `text` means this one.
    pub fn is_called(&self, text: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.as_str() == text) || self.student_id() == Some(text)
    }
}

/// Take somebody out of a course, or a student in again. Submissions and the row of the roster stay; credentials for CI
/// that are for this course are void at once, and for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveMember {
    /// The course.
    pub course: CourseName,
    /// Who: a user name or a student id.
    pub who: String,
    /// Whether a student who has left is taken in again.
    #[serde(default)]
    pub back: bool,
    /// Why, for the record.
    #[serde(default)]
    pub reason: String,
}

/// What became of a removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRemoved {
    /// The user, if it had joined.
    pub user: Option<UserName>,
    /// How many credentials for CI are void.
    pub credentials: u32,
}

/// Say which student of the roster a user is who joined without a student id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMember {
    /// The course.
    pub course: CourseName,
    /// The user.
    pub user: UserName,
    /// The student id on the roster.
    pub student_id: String,
}

/// A user is a student of the roster now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLinked {}

/// Who changed what in a course, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAudit {
    /// The course.
    pub course: CourseName,
    /// Only what is older than this entry, for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// How many at most.
    pub limit: u32,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: UserName,
    /// What was done, such as `grade-override`.
    pub action: String,
    /// To what: an assignment, a student, a code.
    pub target: String,
    /// Before and after, and the reason.
    pub detail: serde_json::Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, name: &str) -> RosterRow {
        RosterRow { student_id: id.into(), name: name.into(), ..RosterRow::default() }
    }

    #[test]
    fn a_row_that_no_platform_could_take_is_refused() {
        let said = |row: RosterRow| row.check().err().unwrap_or_else(|| "sound".into());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said(row("2026-1", "=1+1 is a name, and is exported in a safe form")), "sound");
        assert_eq!(said(row("", "Kim")), "it has no student id");
        assert_eq!(said(row("1", "")), "it has no name");
        assert_eq!(said(row("20 26", "Kim")), "the student id '20 26' holds white space");
        assert_eq!(
            said(row("=2026", "Kim")),
            "the student id '=2026' begins as a formula does in a spreadsheet"
        );
        assert_eq!(said(row("1", "a\nb")), "the name 'a\\nb' holds what cannot be printed");
        let kim = || row("1", "Kim");
        assert_eq!(said(RosterRow { email: some("kim"), ..kim() }), "'kim' is no e-mail address");
        assert_eq!(said(RosterRow { canvas_id: some("x1"), ..kim() }), "Canvas's id 'x1' is no number");
        assert_eq!(said(RosterRow { login: some(" "), ..kim() }), "the login is empty");
    }

    #[test]
    fn what_only_one_may_have_is_found_in_the_second_row() {
        let with = |id: &str, account: &str| RosterRow { code_host: Some(account.into()), ..row(id, "Kim") };
        let rows = [with("1", "Kim"), with("2", "kim"), row("1", "Lee")];
        let clashes = roster_clashes(&rows);
        let told: Vec<_> = clashes.iter().map(|one| (one.first, one.second, one.what)).collect();
        assert_eq!(told, [(0, 1, "code-host account"), (0, 2, "student id")]);
    }
}
