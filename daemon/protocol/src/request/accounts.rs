//! Requests about accounts: who one is, codes to join a course, further credentials.

use serde::{Deserialize, Serialize};

use crate::{AssignmentId, CourseName, CourseRole, Timestamp, UserName};

/// Who am I to this server?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoAmI {}

/// Who the asking user is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user.
    pub user: UserName,
    /// The name for people, where one was given.
    pub name: Option<String>,
    /// Whether the user runs this server.
    pub admin: bool,
    /// The courses, with what the user is to each.
    pub courses: Vec<(CourseName, CourseRole)>,
    /// The student id, where one was given.
    pub student_id: Option<String>,
    /// What a scoped credential is limited to.
    pub scope: Option<AssignmentId>,
    /// The server's clock.
    pub now: Timestamp,
}

/// Sign my credential anew before it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renew {
    /// The public half of the key that the credential is for.
    pub public_key: String,
}

/// Join one more course, as the user that I am.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The code.
    pub code: String,
    /// What people call me, where it is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The school's id of the student, where it is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student_id: Option<String>,
}

/// Make a code by which I enrol a second machine, once, within minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The user to be let in, for an administrator who helps somebody whose machine is lost. Who was cut off is let in
    /// again by such a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserName>,
}

/// A code that enrols.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolCode {
    /// The code. It is stored as a hash and cannot be shown again.
    pub code: String,
    /// When it ends.
    pub expires: Timestamp,
    /// What to type to reach the server, where its owner has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What the file is called that holds the certificate of the server's own authority, where it has one: who joins
    /// needs a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// Make a code that lets people join a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeCode {
    /// The course.
    pub course: CourseName,
    /// What those who use it become.
    pub role: CourseRole,
    /// For how many seconds it holds.
    pub lasts_s: u64,
    /// How many people it lets in; absent without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// Whether only student ids of the roster are let in.
    #[serde(default)]
    pub roster_only: bool,
}

/// List the codes of a course, without the codes themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCodes {
    /// The course.
    pub course: CourseName,
}

/// A code as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSummary {
    /// Its number, to drop it by.
    pub id: u64,
    /// The first characters of the code.
    pub starts_with: String,
    /// What those who use it become.
    pub role: CourseRole,
    /// When it ends.
    pub expires: Timestamp,
    /// How many people may still use it; absent without limit.
    pub uses_left: Option<u32>,
    /// How many have used it.
    pub used: u32,
    /// Whether only student ids of the roster are let in.
    pub roster_only: bool,
}

/// A code is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeDropped {}

/// Make a code void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropCode {
    /// The course.
    pub course: CourseName,
    /// The code's number.
    pub id: u64,
}

/// Sign a further credential of mine that can do nothing but submit to one assignment and read what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeScoped {
    /// The public half of its key.
    pub public_key: String,
    /// What it is limited to.
    pub assignment: AssignmentId,
    /// For how many seconds it holds.
    pub lasts_s: u64,
}

/// List my credentials: one for each machine, and those for CI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListKeys {}

/// A credential as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySummary {
    /// The public half of its key.
    pub public_key: String,
    /// The name of a scoped credential.
    pub credential: Option<UserName>,
    /// What a scoped credential is limited to.
    pub scope: Option<AssignmentId>,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends; absent if it does not.
    pub expires: Option<Timestamp>,
}

/// Cut a user off: every credential is void at once, live connections are closed. Its submissions stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// The user.
    pub user: UserName,
}

/// What a revocation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// How many credentials are void.
    pub credentials: u32,
}

/// Give up a credential of mine: this one, or one for CI. It is void at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOut {
    /// The public half of its key.
    pub public_key: String,
}

/// A credential was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedOut {}

/// What the holder of no credential, or of the shared enrol credential, asks on [`ENROL`](crate::subject::ENROL): by a
/// code, or by an ID token of a CI system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrol {
    /// The one-time or shared code; empty with an ID token.
    #[serde(default)]
    pub code: String,
    /// The public half of a key that the client has just made; the other half never leaves the machine.
    pub public_key: String,
    /// The name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The school's id of the student.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student_id: Option<String>,
    /// The ID token of a CI system, such as GitHub's or GitLab's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// With an ID token: what the credential is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
}

/// The answer to [`Enrol`], [`Renew`] and [`MakeScoped`]: useless to anybody without the key's other half.
/// Others who enrol at this moment can read the one to [`Enrol`], so it holds nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The user, or the name of the scoped credential.
    pub user: UserName,
    /// The signed JWT.
    pub jwt: String,
}
