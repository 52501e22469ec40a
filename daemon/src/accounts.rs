//! Accounts: who there is, what they may ask, and how they get their credentials.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

use codementor_protocol::{
    Cancel, Enrol, Enrolled, Events, FindProblem, GetStatus, Hint, History, InstallPackage, ListProblems,
    PutPackage, ReadCase, ReadFeedback, Refusal, RefusalCode, Rehearse, Request, Show, ShowPrompt, Stop,
    Submit, Timestamp, UserName,
};
use rand::Rng;
use rusqlite::{Connection, params};

use crate::store::{Store, StoreError, StoreResult};

/// The one user of a private daemon.
pub(crate) const LOCAL_USER: &str = "local";

/// What a user is to this daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Submits programs and sees what became of them.
    Student,
    /// Also loads problems.
    Instructor,
    /// Also stops the daemon.
    Admin,
}

impl Role {
    fn token(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Instructor => "instructor",
            Self::Admin => "admin",
        }
    }

    fn parse(token: &str) -> StoreResult<Self> {
        [Self::Student, Self::Instructor, Self::Admin]
            .into_iter()
            .find(|role| role.token() == token)
            .ok_or_else(|| StoreError::Malformed {
                what: "role",
                message: format!("'{token}' is none that this build knows"),
            })
    }

    /// Whether this role may ask `verb`. A verb that is not in the table may be asked by nobody.
    pub(crate) fn may(self, verb: &str) -> bool {
        let least = match verb {
            Submit::VERB | Events::VERB | Show::VERB | History::VERB | ReadCase::VERB | Cancel::VERB => {
                Self::Student
            }
            ListProblems::VERB | FindProblem::VERB | GetStatus::VERB => Self::Student,
            Hint::VERB | ReadFeedback::VERB | ShowPrompt::VERB => Self::Student,
            PutPackage::VERB | InstallPackage::VERB | Rehearse::VERB => Self::Instructor,
            Stop::VERB => Self::Admin,
            _ => return false,
        };
        self as u8 >= least as u8
    }
}

/// The users, kept in memory beside the database, since every request asks for one.
#[derive(Clone)]
pub(crate) struct Accounts {
    store: Store,
    roles: Arc<RwLock<HashMap<UserName, Role>>>,
    code: Arc<str>,
}

impl Accounts {
    /// Reads the users, and makes the code by which the owner of the data directory enrols.
    pub(crate) async fn load(store: Store, code_file: &Path) -> Result<Self, AccountsError> {
        let roles = store.read(all).await?;
        let code = match std::fs::read_to_string(code_file) {
            Ok(code) if !code.trim().is_empty() => code.trim().to_owned(),
            _ => {
                let code = data_encoding::BASE32_NOPAD.encode(&rand::rng().random::<[u8; 20]>());
                crate::files::write_private(code_file, code.as_bytes())
                    .map_err(|source| AccountsError::Code { path: code_file.into(), source })?;
                code
            }
        };
        Ok(Self { store, roles: Arc::new(RwLock::new(roles)), code: code.into() })
    }

    /// The role of a user, if there is such a user.
    pub(crate) fn role(&self, user: &UserName) -> Option<Role> {
        self.roles.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(user).copied()
    }

    /// Makes the holder of the code the owner of this daemon. `mint` signs the credential.
    pub(crate) async fn enrol(
        &self,
        request: Enrol,
        at: Timestamp,
        mint: impl FnOnce(&UserName, &str) -> Result<String, String>,
    ) -> Result<Enrolled, Refusal> {
        if !same(request.code.trim().as_bytes(), self.code.as_bytes()) {
            tracing::warn!("somebody tried to enrol with a code that is none");
            return Err(Refusal::new(RefusalCode::Unauthorised, "this code does not enrol anybody"));
        }
        let user = UserName::new(LOCAL_USER)
            .map_err(|error| Refusal::new(RefusalCode::Internal, error.to_string()))?;
        let jwt = mint(&user, &request.public_key).map_err(|error| {
            Refusal::new(RefusalCode::Invalid, format!("the public key cannot be signed: {error}"))
        })?;
        let name = user.clone();
        let write = self.store.write(move |db| put(db, &name, Role::Admin, &request.public_key, at)).await;
        write.map_err(|error| Refusal::new(RefusalCode::Later, error.to_string()))?;
        self.roles
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(user.clone(), Role::Admin);
        tracing::info!(%user, "enrolled");
        Ok(Enrolled { user, jwt })
    }
}

/// Why the accounts cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot write {path}: {source}")]
    Code { path: std::path::PathBuf, source: std::io::Error },
}

fn all(db: &Connection) -> StoreResult<HashMap<UserName, Role>> {
    let mut statement = db.prepare("SELECT name, role FROM users")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (name, role) = row?;
        Ok((crate::submissions::parse("user", name)?, Role::parse(&role)?))
    })
    .collect()
}

fn put(db: &Connection, user: &UserName, role: Role, public_key: &str, at: Timestamp) -> StoreResult<()> {
    db.execute(
        "INSERT INTO users (name, role, public_key, created) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET role = ?2, public_key = ?3",
        params![user.as_str(), role.token(), public_key, at.0],
    )?;
    Ok(())
}

/// Compares without telling by its time how much was right.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use codementor_protocol::VERBS;

    use super::*;

    #[test]
    fn who_may_ask_what_is_the_table() {
        #[rustfmt::skip]
        let table: &[(&str, [bool; 3])] = &[
            // verb               student instructor admin
            ("submit",           [true,  true,  true]),
            ("events",           [true,  true,  true]),
            ("show",             [true,  true,  true]),
            ("history",          [true,  true,  true]),
            ("case",             [true,  true,  true]),
            ("cancel",           [true,  true,  true]),
            ("problems",         [true,  true,  true]),
            ("problem",          [true,  true,  true]),
            ("status",           [true,  true,  true]),
            ("hint",             [true,  true,  true]),
            ("feedback",         [true,  true,  true]),
            ("prompt",           [true,  true,  true]),
            ("rehearse",         [false, true,  true]),
            ("package-put",      [false, true,  true]),
            ("package-install",  [false, true,  true]),
            ("stop",             [false, false, true]),
        ];
        assert_eq!(table.len(), VERBS.len());
        for (verb, expected) in table {
            assert!(VERBS.contains(verb), "{verb}");
            assert_eq!(
                [Role::Student, Role::Instructor, Role::Admin].map(|role| role.may(verb)),
                *expected,
                "{verb}"
            );
        }
        assert!(!Role::Admin.may("anything-else"));
    }

    #[tokio::test]
    async fn only_the_code_enrols() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(&dir.path().join("t.db")).expect("opens");
        let file = dir.path().join("enrol.code");
        let accounts = Accounts::load(store.clone(), &file).await.expect("loads");
        let user = UserName::new(LOCAL_USER).expect("a user name");
        let enrol = |code: String| Enrol { code, public_key: "UKEY".into() };
        let mint = |_: &UserName, _: &str| Ok("jwt".into());
        assert!(accounts.enrol(enrol("nonsense".into()), Timestamp(1), mint).await.is_err());
        assert_eq!(accounts.role(&user), None);
        let code = std::fs::read_to_string(&file).expect("the code was written");
        accounts.enrol(enrol(code), Timestamp(1), mint).await.expect("enrols");
        let again = Accounts::load(store, &file).await.expect("loads");
        assert_eq!(again.role(&user), Some(Role::Admin));
    }
}
