//! Accounts: who there is, what they may ask, and how they get their credentials.

mod access;
mod members;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use codementor_protocol::{CourseName, CourseRole, Enrol, Enrolled, Refusal, RefusalCode, Timestamp, UserName};
use rand::Rng;

pub(crate) use access::{Caller, Scope, no_course};

use crate::store::{Store, StoreError};
use members::{Known, People};

/// The one user of a private daemon.
pub(crate) const LOCAL_USER: &str = "local";

/// The users, kept in memory beside the database, since every request asks for one.
#[derive(Clone)]
pub(crate) struct Accounts {
    store: Store,
    people: Arc<RwLock<People>>,
    /// Held while a user is read again, so that an older reading never replaces a newer one.
    reading: Arc<tokio::sync::Mutex<()>>,
    code: Arc<str>,
}

impl Accounts {
    /// Reads the users, and makes the code by which the owner of the data directory enrols.
    pub(crate) async fn load(store: Store, code_file: &Path) -> Result<Self, AccountsError> {
        let people = store.read(members::people).await?;
        let code = match std::fs::read_to_string(code_file) {
            Ok(code) if !code.trim().is_empty() => code.trim().to_owned(),
            _ => {
                let code = data_encoding::BASE32_NOPAD.encode(&rand::rng().random::<[u8; 20]>());
                crate::files::write_private(code_file, code.as_bytes())
                    .map_err(|source| AccountsError::Code { path: code_file.into(), source })?;
                code
            }
        };
        Ok(Self { store, people: Arc::new(RwLock::new(people)), reading: Arc::default(), code: code.into() })
    }

    /// Who asks under a name: a user, or the owner of a scoped credential.
    pub(crate) fn caller(&self, name: &UserName) -> Result<Caller, Refusal> {
        let refused = |why: String| Err(Refusal::new(RefusalCode::Unauthorised, why));
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        let (user, scope) = match people.credentials.get(name) {
            Some(scoped) if scoped.revoked => {
                return refused(format!("the credentials '{name}' were revoked"));
            }
            Some(scoped) => {
                let scope = Scope { credential: name.clone(), assignment: scoped.assignment.clone() };
                (&scoped.owner, Some(scope))
            }
            None => (name, None),
        };
        match people.users.get(user) {
            None => refused(format!("there is no user '{user}' on this server")),
            Some(Known { revoked: true, .. }) => refused(format!("'{user}' was cut off from this server")),
            Some(known) => {
                Ok(Caller { user: user.clone(), admin: known.admin, courses: known.courses.clone(), scope })
            }
        }
    }

    /// How many students a course has.
    pub(crate) fn students(&self, course: &CourseName) -> u32 {
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        let is_student = |known: &&Known| known.courses.get(course) == Some(&CourseRole::Student);
        people.users.values().filter(is_student).count() as u32
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
        let write = self.store.write(move |db| {
            members::put_admin(db, &name, at)?;
            members::put_key(db, &request.public_key, &name, at, None)
        });
        write.await.map_err(|error| Refusal::new(RefusalCode::Later, error.to_string()))?;
        self.read_again(&user).await.map_err(|error| Refusal::new(RefusalCode::Later, error.to_string()))?;
        tracing::info!(%user, "enrolled");
        Ok(Enrolled { user, jwt })
    }

    /// Takes over what was committed about a user.
    async fn read_again(&self, user: &UserName) -> Result<(), StoreError> {
        let _in_order = self.reading.lock().await;
        let name = user.clone();
        let read = self.store.read(move |db| members::person(db, &name)).await?;
        let mut people = self.people.write().unwrap_or_else(PoisonError::into_inner);
        people.users.remove(user);
        people.credentials.retain(|_, scoped| scoped.owner != *user);
        people.users.extend(read.users);
        people.credentials.extend(read.credentials);
        Ok(())
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

/// Compares without telling by its time how much was right.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(accounts.caller(&user).is_err());
        let code = std::fs::read_to_string(&file).expect("the code was written");
        accounts.enrol(enrol(code), Timestamp(1), mint).await.expect("enrols");
        let again = Accounts::load(store, &file).await.expect("loads");
        assert!(again.caller(&user).expect("is known").admin);
    }
}
