//! Accounts: who there is, what they may ask, and how they get their credentials.
//!
//! ```text
//! access       pure                    the table of who may ask what
//! members      users, memberships      what the gateway knows of people, kept in memory
//! codes        codes                   texts that let people in, stored as hashes
//! admit        all of them             what a code does, in one transaction
//! credentials  user_keys               renewing, giving up, cutting off; scoped ones for CI
//! roster       roster, departures      who is meant to be in a course, who is, and who has left
//! guard        memory                  slows down whoever guesses codes
//! ```

mod access;
mod admit;
mod codes;
mod credentials;
mod guard;
mod members;
mod names;
mod roster;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use codementor_protocol::{
    AssignmentState, CodeSummary, CourseName, CourseRole, Enrol, EnrolCode, Enrolled, Identity, ImportRoster,
    Join, KeySummary, LinkMember, MakeCode, MakeScoped, Member, MemberRemoved, Refusal, RefusalCode,
    RemoveMember, Revoked, RosterChange, Timestamp, UserName,
};
use rand::Rng;
use rusqlite::Connection;

pub(crate) use access::{Caller, Scope, no_course};
pub(crate) use roster::{find as find_member, words_for};

use crate::courses::{self, audit, rules};
use crate::nats::auth::{Keys, Role};
use crate::oidc::Oidc;
use crate::store::{Store, StoreError, StoreResult};
use admit::{Applicant, Said, Tried};
use codes::{Code, New, Opens};
use guard::{Guard, Wrong};
use members::{Known, People};

/// The one user of a private daemon.
pub(crate) const LOCAL_USER: &str = "local";
/// How long a code for another machine of one's own holds.
const PAIRING: Duration = Duration::from_secs(10 * 60);
/// How long one that an administrator makes for somebody else does.
const PAIRING_FOR_OTHERS: Duration = Duration::from_secs(24 * 3600);
/// How long the credentials of a CI job hold.
const JOB: Duration = Duration::from_secs(15 * 60);
/// How long codes and scoped credentials may hold.
const LONGEST: u64 = 400 * 24 * 3600;
/// And at least.
const SHORTEST: u64 = 60;
/// How many codes of a course may be open at a time.
const CODES: u32 = 100;

/// Signs credentials, and revokes them.
pub(crate) struct Issuer {
    pub(crate) keys: Arc<Keys>,
    /// Where the NATS server hears of revocations.
    pub(crate) url: String,
    /// How long the credentials of people hold.
    pub(crate) life: Duration,
    /// Whose ID tokens stand for a code.
    pub(crate) oidc: Oidc,
    /// What people type to reach the server, where the settings say so.
    pub(crate) address: Option<String>,
    /// What the file is called with the certificate that they trust it by, where it is not the system that does.
    pub(crate) ca: Option<String>,
}

impl Issuer {
    fn sign(&self, name: &UserName, key: &str, expires: Option<Timestamp>) -> Result<String, Refusal> {
        let expires = expires.map(|at| {
            SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or_default())
        });
        self.keys.mint_user(Role::Student, name.as_str(), key, expires).map_err(|error| {
            Refusal::new(RefusalCode::Invalid, format!("the public key cannot be signed: {error}"))
        })
    }

    fn enrol_code(&self, code: String, expires: Timestamp) -> EnrolCode {
        EnrolCode { code, expires, server: self.address.clone(), ca: self.ca.clone() }
    }

    fn life_from(&self, at: Timestamp) -> Timestamp {
        later(at, self.life)
    }
}

/// The users, kept in memory beside the database, since every request asks for one.
#[derive(Clone)]
pub(crate) struct Accounts {
    store: Store,
    issuer: Arc<Issuer>,
    people: Arc<RwLock<People>>,
    /// Held while a user is read again, so that an older reading never replaces a newer one.
    reading: Arc<tokio::sync::Mutex<()>>,
    guard: Arc<Guard>,
    code: Arc<str>,
}

impl Accounts {
    /// Reads the users, and makes the code by which the owner of the data directory enrols.
    pub(crate) async fn load(store: Store, issuer: Issuer, code_file: &Path) -> Result<Self, AccountsError> {
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
        Ok(Self {
            store,
            issuer: Arc::new(issuer),
            people: Arc::new(RwLock::new(people)),
            reading: Arc::default(),
            guard: Arc::new(Guard::new(Instant::now())),
            code: code.into(),
        })
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

    /// Lets the holder of a code in, and signs its key.
    pub(crate) async fn enrol(&self, request: Enrol, at: Timestamp) -> Result<Enrolled, Refusal> {
        if let Some(token) = &request.id_token {
            let token = token.clone();
            return self.enrol_job(&token, request, at).await;
        }
        let said = Said {
            full_name: names::full_name(request.name.as_deref())?,
            student_id: names::student_id(request.student_id.as_deref())?,
        };
        let applicant = Applicant { public_key: request.public_key, said };
        // Whether the key can be signed at all is known before anything is written.
        self.issuer.sign(&local(), &applicant.public_key, None)?;
        if same(request.code.trim().as_bytes(), self.code.as_bytes()) {
            return self.enrol_owner(applicant.public_key, at).await;
        }
        let key = applicant.public_key.clone();
        let expires = self.issuer.life_from(at);
        let user = self
            .guarded(&request.code, move |db, code| admit::enrol(db, code, &applicant, at, Some(expires)))
            .await?;
        self.read_again(&user).await?;
        tracing::info!(%user, "enrolled");
        Ok(Enrolled { jwt: self.issuer.sign(&user, &key, Some(expires))?, user })
    }

    /// Signs the key of a CI job, for a quarter of an hour and one assignment. Whose job it is, its ID token says.
    async fn enrol_job(&self, token: &str, request: Enrol, at: Timestamp) -> Result<Enrolled, Refusal> {
        let Some(assignment) = request.assignment else {
            return Err(Refusal::new(
                RefusalCode::Invalid,
                "an ID token is good for one assignment: name it",
            ));
        };
        let public_key = request.public_key;
        self.issuer.sign(&local(), &public_key, None)?;
        let owner = self.issuer.oidc.owner(token).await?;
        let expires = later(at, JOB);
        let key = public_key.clone();
        let put = self.store.write(move |db| {
            let user = match admit::by_code_host(db, &assignment, &owner)? {
                Ok(user) => user,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let put = credentials::put_scoped(db, &user, &key, &assignment, at, expires)?;
            Ok(put.map(|credential| (user, credential)))
        });
        let (user, credential) = put.await.map_err(later_refusal)??;
        self.read_again(&user).await?;
        tracing::info!(%user, %credential, "let a CI job in");
        Ok(Enrolled { jwt: self.issuer.sign(&credential, &public_key, Some(expires))?, user: credential })
    }

    /// Makes the owner of the data directory the administrator that it is.
    async fn enrol_owner(&self, public_key: String, at: Timestamp) -> Result<Enrolled, Refusal> {
        let user = local();
        let jwt = self.issuer.sign(&user, &public_key, None)?;
        let write = self.store.write(move |db| {
            members::put_admin(db, &local(), at)?;
            members::put_key(db, &public_key, &local(), at, None)
        });
        write.await.map_err(later_refusal)?;
        self.read_again(&user).await?;
        tracing::info!(%user, "enrolled");
        Ok(Enrolled { user, jwt })
    }

    /// Lets a user into one more course.
    pub(crate) async fn join(&self, caller: &Caller, request: Join, at: Timestamp) -> Result<(), Refusal> {
        let said = Said {
            full_name: names::full_name(request.name.as_deref())?,
            student_id: names::student_id(request.student_id.as_deref())?,
        };
        let user = caller.user.clone();
        self.guarded(&request.code, move |db, code| admit::join(db, code, &user, &said, at)).await?;
        self.read_again(&caller.user).await
    }

    /// Tries a code, unless too many wrong ones were tried.
    async fn guarded<T: Send + 'static>(
        &self,
        typed: &str,
        work: impl FnOnce(&Connection, &Code) -> StoreResult<Tried<T>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let code = Code::read(typed);
        let tried = match &code {
            Some(code) if !self.guard.may_try(code.prefix(), Instant::now()) => {
                tracing::warn!(
                    starts_with = code.prefix(),
                    "a code that was guessed at is closed for a while"
                );
                return Err(too_many());
            }
            Some(code) => {
                let code = code.clone();
                self.store.write(move |db| work(db, &code)).await.map_err(later_refusal)?
            }
            None => Tried::Wrong { known_prefix: false },
        };
        let known_prefix = match tried {
            Tried::Done(done) => return Ok(done),
            Tried::Refused(refusal) => return Err(refusal),
            Tried::Wrong { known_prefix } => known_prefix,
        };
        let prefix = code.as_ref().map(Code::prefix);
        match self.guard.wrong(prefix.filter(|_| known_prefix), Instant::now()) {
            Wrong::Say { unlogged } => {
                let starts_with = prefix.unwrap_or("what is no code");
                tracing::warn!(starts_with, known_prefix, unlogged, "somebody tried a code that is none");
                Err(Refusal::new(RefusalCode::Unauthorised, "this code lets nobody in")
                    .hint("was it typed as it was given? Ask your instructor for a new one"))
            }
            Wrong::TooMany => Err(too_many()),
        }
    }

    /// Who a caller is.
    pub(crate) async fn identity(&self, caller: &Caller, at: Timestamp) -> Result<Identity, Refusal> {
        let user = caller.user.clone();
        let read = self.store.read(move |db| members::names(db, &user)).await.map_err(later_refusal)?;
        let (name, student_id) = read.unwrap_or_default();
        Ok(Identity {
            user: caller.user.clone(),
            name,
            student_id,
            admin: caller.admin,
            courses: caller.courses.iter().map(|(course, role)| (course.clone(), *role)).collect(),
            scope: caller.scope.as_ref().map(|scope| scope.assignment.clone()),
            now: at,
        })
    }

    /// Signs a key of a machine anew.
    pub(crate) async fn renew(
        &self,
        caller: &Caller,
        public_key: String,
        at: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        let (user, key) = (caller.user.clone(), public_key.clone());
        let expires = Some(self.issuer.life_from(at));
        let renewed = self.store.write(move |db| credentials::renew(db, &user, &key, expires)).await;
        let expires = renewed.map_err(later_refusal)??;
        tracing::info!(user = %caller.user, "renewed a credential");
        Ok(Enrolled { jwt: self.issuer.sign(&caller.user, &public_key, expires)?, user: caller.user.clone() })
    }

    /// Makes a code for another machine of a user.
    pub(crate) async fn pair(
        &self,
        caller: &Caller,
        user: Option<UserName>,
        at: Timestamp,
    ) -> Result<EnrolCode, Refusal> {
        let others = user.filter(|user| *user != caller.user);
        if let Some(user) = &others {
            if !caller.admin {
                let message = "only administrators make codes for the machines of others";
                return Err(Refusal::new(RefusalCode::Unauthorised, message));
            }
            self.is_user(user)?;
        }
        let holds = if others.is_some() { PAIRING_FOR_OTHERS } else { PAIRING };
        let (user, by) = (others.unwrap_or_else(|| caller.user.clone()), caller.user.clone());
        let expires = later(at, holds);
        let made = self.store.write(move |db| {
            codes::drop_pairing(db, &user)?;
            let opens = Opens::User(user);
            codes::make(db, &New { opens: &opens, roster_only: false, expires, uses: Some(1), by: &by, at })
        });
        let code = made.await.map_err(later_refusal)?.text();
        Ok(self.issuer.enrol_code(code, expires))
    }

    /// Makes a code for a course.
    pub(crate) async fn make_code(
        &self,
        caller: &Caller,
        request: MakeCode,
        at: Timestamp,
    ) -> Result<EnrolCode, Refusal> {
        let expires = later(at, Duration::from_secs(bounded(request.lasts_s, "a code")?));
        if request.uses == Some(0) {
            return Err(Refusal::new(RefusalCode::Invalid, "a code lets at least one person in"));
        }
        let by = caller.user.clone();
        let made = self.store.write(move |db| {
            let course = request.course;
            if !courses::is_course(db, &course)? {
                return Ok(Err(no_course(&course)));
            }
            if codes::count_open(db, &course, at)? >= CODES {
                let message = format!("'{course}' has {CODES} codes already");
                return Ok(Err(Refusal::new(RefusalCode::Forbidden, message)
                    .hint("drop some that are not needed: codementor course code drop")));
            }
            let opens = Opens::Course(course.clone(), request.role);
            let (roster_only, uses) = (request.roster_only, request.uses);
            let code = codes::make(db, &New { opens: &opens, roster_only, expires, uses, by: &by, at })?;
            let detail = serde_json::json!({
                "role": request.role, "expires": expires, "uses": uses, "roster_only": roster_only,
            });
            audit::append(db, &course, &by, "code-make", code.prefix(), &detail, at)?;
            Ok(Ok(code))
        });
        let code = made.await.map_err(later_refusal)??.text();
        Ok(self.issuer.enrol_code(code, expires))
    }

    /// The codes of a course.
    pub(crate) async fn codes(&self, course: CourseName) -> Result<Vec<CodeSummary>, Refusal> {
        let list = self.store.read(move |db| {
            if !courses::is_course(db, &course)? {
                return Ok(Err(no_course(&course)));
            }
            codes::list(db, &course).map(Ok)
        });
        list.await.map_err(later_refusal)?
    }

    /// Makes a code of a course void.
    pub(crate) async fn drop_code(
        &self,
        caller: &Caller,
        course: CourseName,
        id: u64,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let by = caller.user.clone();
        let dropped = self.store.write(move |db| {
            if !codes::drop_one(db, &course, id)? {
                let message = format!("'{course}' has no code {id}");
                return Ok(Err(Refusal::new(RefusalCode::NotFound, message)
                    .hint(format!("codementor course code list {course} shows them"))));
            }
            audit::append(db, &course, &by, "code-drop", &id.to_string(), &serde_json::Value::Null, at)?;
            Ok(Ok(()))
        });
        dropped.await.map_err(later_refusal)?
    }

    /// Signs a credential that is limited to an assignment.
    pub(crate) async fn make_scoped(
        &self,
        caller: &Caller,
        request: MakeScoped,
        at: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        let expires = later(at, Duration::from_secs(bounded(request.lasts_s, "a credential")?));
        self.issuer.sign(&caller.user, &request.public_key, None)?;
        let (user, key) = (caller.user.clone(), request.public_key.clone());
        let teaches = caller.is_at_least(&request.assignment.course, CourseRole::Assistant);
        let put = self.store.write(move |db| {
            let assignment = courses::assignment(db, &request.assignment)?;
            if assignment.is_none_or(|one| one.state == AssignmentState::Draft && !teaches) {
                return Ok(Err(rules::unknown(&request.assignment)));
            }
            credentials::put_scoped(db, &user, &key, &request.assignment, at, expires)
        });
        let credential = put.await.map_err(later_refusal)??;
        self.read_again(&caller.user).await?;
        tracing::info!(user = %caller.user, %credential, "made a scoped credential");
        let jwt = self.issuer.sign(&credential, &request.public_key, Some(expires))?;
        Ok(Enrolled { user: credential, jwt })
    }

    /// The credentials of a caller.
    pub(crate) async fn keys(&self, caller: &Caller, at: Timestamp) -> Result<Vec<KeySummary>, Refusal> {
        let user = caller.user.clone();
        self.store.read(move |db| credentials::list(db, &user, at)).await.map_err(later_refusal)
    }

    /// Makes one credential of a caller void. Its connections end, which may be the one that asks.
    pub(crate) async fn log_out(
        &self,
        caller: &Caller,
        public_key: String,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let (user, key) = (caller.user.clone(), public_key.clone());
        self.store.write(move |db| credentials::void(db, &user, &key, at)).await.map_err(later_refusal)??;
        self.read_again(&caller.user).await?;
        tracing::info!(user = %caller.user, "gave a credential up");
        self.tell_nats(&[public_key]).await
    }

    /// Cuts a user off at once.
    pub(crate) async fn revoke(
        &self,
        caller: &Caller,
        user: UserName,
        at: Timestamp,
    ) -> Result<Revoked, Refusal> {
        if user == caller.user {
            return Err(Refusal::new(RefusalCode::Invalid, "you would cut off yourself")
                .hint("codementor logout gives up the credential of this machine"));
        }
        let (name, by) = (user.clone(), caller.user.clone());
        let cut = self.store.write(move |db| {
            codes::drop_pairing(db, &name)?;
            let keys = credentials::cut_off(db, &name, at)?;
            if let Some(keys) = &keys {
                let detail = serde_json::json!({ "user": name, "credentials": keys.len() });
                for course in members::courses(db, &name)? {
                    audit::append(db, &course, &by, "revoke", name.as_str(), &detail, at)?;
                }
            }
            Ok(keys)
        });
        let keys = cut.await.map_err(later_refusal)?.ok_or_else(|| no_user(&user))?;
        self.read_again(&user).await?;
        tracing::warn!(%user, by = %caller.user, credentials = keys.len(), "cut off");
        self.tell_nats(&keys).await?;
        Ok(Revoked { credentials: u32::try_from(keys.len()).unwrap_or(u32::MAX) })
    }

    /// Puts people on the roster of a course.
    pub(crate) async fn import_roster(
        &self,
        caller: &Caller,
        request: ImportRoster,
        at: Timestamp,
    ) -> Result<RosterChange, Refusal> {
        let by = caller.user.clone();
        let import = self.store.write(move |db| {
            let ImportRoster { course, rows, dry_run } = request;
            if !courses::is_course(db, &course)? {
                return Ok(Err(no_course(&course)));
            }
            roster::import(db, &course, &rows, dry_run, &by, at)
        });
        let imported = import.await.map_err(later_refusal)??;
        for user in &imported.users {
            self.read_again(user).await?;
        }
        self.tell_nats(&imported.keys).await?;
        Ok(imported.change)
    }

    /// Everybody on the roster of a course, in it, or gone from it.
    pub(crate) async fn roster(&self, course: &CourseName) -> Result<Vec<Member>, Refusal> {
        let name = course.clone();
        let read = self.store.read(move |db| {
            if !courses::is_course(db, &name)? {
                return Ok(Err(no_course(&name)));
            }
            roster::everybody(db, &name).map(Ok)
        });
        read.await.map_err(later_refusal)?
    }

    /// Says which student of the roster a user is.
    pub(crate) async fn link(
        &self,
        caller: &Caller,
        request: LinkMember,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let by = caller.user.clone();
        self.store.write(move |db| roster::link(db, &request, &by, at)).await.map_err(later_refusal)?
    }

    /// Takes somebody out of a course at once, or back in.
    pub(crate) async fn remove_member(
        &self,
        caller: &Caller,
        request: RemoveMember,
        at: Timestamp,
    ) -> Result<MemberRemoved, Refusal> {
        let by = caller.user.clone();
        let removed = self.store.write(move |db| roster::remove(db, &request, &by, at));
        let (member, keys) = removed.await.map_err(later_refusal)??;
        if let Some(user) = &member.user {
            self.read_again(user).await?;
            tracing::info!(%user, by = %caller.user, credentials = keys.len(), "a membership was changed");
        }
        self.tell_nats(&keys).await?;
        Ok(MemberRemoved { user: member.user, credentials: keys.len().try_into().unwrap_or(u32::MAX) })
    }

    /// Takes over that a user is gone.
    pub(crate) async fn forget(&self, user: &UserName) -> Result<(), Refusal> {
        self.read_again(user).await
    }

    /// The gateway refuses what these keys ask from now on; this makes NATS drop their connections too.
    async fn tell_nats(&self, keys: &[String]) -> Result<(), Refusal> {
        self.issuer.keys.revoke_all(&self.issuer.url, keys).await.map_err(|error| {
            tracing::error!(%error, "a revocation was not heard");
            Refusal::new(RefusalCode::Later, error.to_string())
                .hint("the daemon refuses these credentials already; do it again to cut live connections")
        })
    }

    /// How many students a course has.
    pub(crate) fn students(&self, course: &CourseName) -> u32 {
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        let is_student = |known: &&Known| known.courses.get(course) == Some(&CourseRole::Student);
        people.users.values().filter(is_student).count().try_into().unwrap_or(u32::MAX)
    }

    fn is_user(&self, user: &UserName) -> Result<(), Refusal> {
        let people = self.people.read().unwrap_or_else(PoisonError::into_inner);
        if people.users.contains_key(user) { Ok(()) } else { Err(no_user(user)) }
    }

    /// Takes over what was committed about a user.
    async fn read_again(&self, user: &UserName) -> Result<(), Refusal> {
        let _in_order = self.reading.lock().await;
        let name = user.clone();
        let read = self.store.read(move |db| members::person(db, &name)).await.map_err(later_refusal)?;
        let mut people = self.people.write().unwrap_or_else(PoisonError::into_inner);
        people.users.remove(user);
        people.credentials.retain(|_, scoped| scoped.owner != *user);
        people.users.extend(read.users);
        people.credentials.extend(read.credentials);
        Ok(())
    }
}

/// Makes the owner of the data directory its administrator, whom people call `name`, with a key that is known already.
pub(crate) fn put_owner(
    db: &Connection,
    public_key: &str,
    name: Option<&str>,
    at: Timestamp,
) -> StoreResult<()> {
    members::put_admin(db, &local(), at)?;
    db.execute("UPDATE users SET full_name = ?2 WHERE name = ?1", rusqlite::params![local().as_str(), name])?;
    members::put_key(db, public_key, &local(), at, None)
}

/// What people may be called.
pub(crate) fn full_name(name: Option<&str>) -> Result<Option<String>, String> {
    names::full_name(name).map_err(|refusal| refusal.message)
}

/// Makes a code that makes one administrator, for the owner of the data directory to hand out.
pub(crate) fn admin_code(db: &Connection, holds: Duration, at: Timestamp) -> StoreResult<String> {
    let (by, expires) = (local(), later(at, holds));
    let new = New { opens: &Opens::Admin, roster_only: false, expires, uses: Some(1), by: &by, at };
    Ok(codes::make(db, &new)?.text())
}

fn local() -> UserName {
    #[expect(clippy::unwrap_used, reason = "the constant obeys the rule of user names")]
    UserName::new(LOCAL_USER).unwrap()
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp(at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

fn bounded(seconds: u64, what: &str) -> Result<u64, Refusal> {
    if (SHORTEST..=LONGEST).contains(&seconds) {
        return Ok(seconds);
    }
    let days = LONGEST / 86_400;
    Err(Refusal::new(RefusalCode::Invalid, format!("{what} may hold for one minute to {days} days")))
}

fn too_many() -> Refusal {
    Refusal::new(RefusalCode::Later, "too many wrong codes were tried")
        .hint("try again in a minute, with the code as it was given")
}

fn no_user(user: &UserName) -> Refusal {
    Refusal::new(RefusalCode::NotFound, format!("there is no user '{user}' on this server"))
}

/// Whoever cannot be told about now may be told later.
fn later_refusal(error: StoreError) -> Refusal {
    crate::gateway::store_refusal(error)
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
mod tests;
