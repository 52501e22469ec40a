//! The keys of one installation, in one file, and what is signed with them.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use codementor_protocol::UserName;
use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::creds::{Creds, write_private};
use super::jwt::{self, Claim};
use super::permissions::Role;
use crate::nats::connect::{Connect, ConnectError, Initial, connect_trusting};
use crate::nats::server::Version;
use crate::nats::tls::Trust;

/// The keys' file in their directory.
const FILE: &str = "keys.json";
/// The version of that file that this program writes.
const FORMAT: u32 = 1;
/// How long a credential of the system account lives: it is made for one request.
const SYSTEM_USER_LIFE: u64 = 300;
/// How long the server may take to answer a claims update.
const UPDATE_TIMEOUT: Duration = Duration::from_secs(5);
/// The name of the user that may only enrol.
const ENROL_USER: &str = "enrol";
/// The first server that lets in whoever has no credential as a user that the configuration names.
pub const ANONYMOUS_SINCE: Version = Version::new(2, 11, 2);
/// What the account may hold in memory: no stream of ours lives there.
const MEMORY_STORE: u64 = 64 * 1024 * 1024;

/// The operator, the accounts and the roles' signing keys of one installation.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    stored: Mutex<Stored>,
    /// Held while a claims update is on its way, so that an older account never overtakes a newer one.
    updates: tokio::sync::Mutex<()>,
    /// What the server that is told of revocations is trusted by.
    trust: OnceLock<Trust>,
}

/// What the file holds. The operator's JWT is kept as it was first signed: a server that runs refuses another one.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    format: u32,
    operator: Signed,
    system: Signed,
    account: Signed,
    /// The seed of each role's signing key.
    roles: BTreeMap<String, String>,
    /// The seed of the shared enrol user.
    enrol: String,
    /// When each revoked user was revoked, by its public key.
    revocations: BTreeMap<String, u64>,
}

/// A seed and the JWT of the entity that it belongs to.
#[derive(Clone, Serialize, Deserialize)]
struct Signed {
    seed: String,
    jwt: String,
}

impl std::fmt::Debug for Stored {
    /// Without the seeds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored").field("revocations", &self.revocations.len()).finish_non_exhaustive()
    }
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The directory or the file cannot be used.
    #[error("cannot use the NATS keys in {path}: {source}")]
    File {
        /// The directory or the file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error(
        "the NATS keys in {path} are damaged ({reason}): put a backup back, or delete the file; then all \
         credentials are void and everybody must enrol again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file was written by a later program.
    #[error("the NATS keys in {path} have format {found}; this program knows {FORMAT}: use a newer one")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A signature could not be made.
    #[error("cannot sign: {0}")]
    Sign(#[from] nkeys::error::Error),
}

/// Why a user was not signed.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The name could reach beyond its own subjects.
    #[error(transparent)]
    Name(#[from] codementor_protocol::IdError),
    /// The key is not the public half of a user's key.
    #[error("'{0}' is not the public key of a NATS user: it is 56 characters and begins with U")]
    Key(String),
    /// The time has passed already.
    #[error("the credential would have expired before it was made")]
    Expired,
    /// A signature could not be made.
    #[error("cannot sign: {0}")]
    Sign(#[from] nkeys::error::Error),
}

/// Why a user may still connect.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The key is not the public half of a user's key.
    #[error("'{0}' is not the public key of a NATS user")]
    Key(String),
    /// The revocation could not be recorded, and nothing has changed.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The server could not be reached.
    #[error("the revocation is recorded, but the NATS server does not know of it before its next start: {0}")]
    Connect(#[from] ConnectError),
    /// The server did not accept the account.
    #[error("the revocation is recorded, but the NATS server refused it: {0}")]
    Refused(String),
}

impl Keys {
    /// Reads the keys in `dir`, or makes them. The directory and the file are their owner's only. An account that
    /// was signed by an earlier version of this program with other permissions is signed again.
    pub fn load_or_create(dir: &Path) -> Result<Self, KeysError> {
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| KeysError::File { path, source }
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(file(dir))?;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).map_err(file(dir))?;
        // Two that start at once must not each make keys: the second reads what the first has made.
        let lock = std::fs::File::open(dir).map_err(file(dir))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| file(dir)(error.into()))?;

        let path = dir.join(FILE);
        let (mut stored, known) = match std::fs::read(&path) {
            Ok(bytes) => (parse(&path, &bytes)?, true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Stored::create()?, false),
            Err(source) => return Err(KeysError::File { path, source }),
        };
        if stored.refresh()? || !known {
            save(&path, &stored)?;
        }
        Ok(Self {
            path,
            stored: Mutex::new(stored),
            updates: tokio::sync::Mutex::new(()),
            trust: OnceLock::new(),
        })
    }

    /// Says what the server that is told of revocations is trusted by; what the system trusts until then. It is said
    /// once.
    pub fn trust_server_by(&self, trust: Trust) {
        let _ = self.trust.set(trust);
    }

    /// Signs a user: `name` is what the subjects of the role are made from, `public_nkey` the public half of a key
    /// whose seed need never be here.
    pub fn mint_user(
        &self,
        role: Role,
        name: &str,
        public_nkey: &str,
        expires: Option<SystemTime>,
    ) -> Result<String, MintError> {
        let name = UserName::new(name)?;
        if !is_user_key(public_nkey) {
            return Err(MintError::Key(public_nkey.chars().take(64).collect()));
        }
        let expires = expires.map(seconds);
        if expires.is_some_and(|expires| expires <= now()) {
            return Err(MintError::Expired);
        }
        Ok(self.stored().user(role, name.as_str(), public_nkey, expires)?)
    }

    /// Makes a key and signs its user: for roles whose credentials are made where the keys are.
    pub fn issue(&self, role: Role, name: &str, expires: Option<SystemTime>) -> Result<Creds, MintError> {
        let (seed, public) = Creds::new_key()?;
        Ok(Creds { jwt: self.mint_user(role, name, &public, expires)?, seed })
    }

    /// The credential that everybody may have and that may only enrol; the same key at each call.
    pub fn enrol_creds(&self) -> Result<Creds, MintError> {
        let seed = self.stored().enrol.clone();
        let public = KeyPair::from_seed(&seed)?.public_key();
        Ok(Creds { jwt: self.mint_user(Role::Enrol, ENROL_USER, &public, None)?, seed })
    }

    /// Makes a server's configuration let in whoever has no credential, as the user that may only enrol: so an address
    /// and a code are all that one needs to join. For servers that know how, see [`ANONYMOUS_SINCE`].
    pub fn anonymous_config(&self) -> Result<String, KeysError> {
        let stored = self.stored();
        let account = KeyPair::from_seed(&stored.account.seed)?;
        // The server wants no proof of such a user's key, which it accepts only where the JWT itself says so; and then
        // the permissions must stand there too, and the account itself must sign.
        let mut nats = Role::Enrol.permissions(ENROL_USER);
        nats["type"] = "user".into();
        nats["version"] = 2.into();
        nats["bearer_token"] = true.into();
        let claim = Claim {
            subject: &KeyPair::from_seed(&stored.enrol)?.public_key(),
            name: ENROL_USER,
            issued_at: now(),
            expires: None,
            nats,
        };
        Ok(format!("default_sentinel: {}\n", jwt::sign(&account, claim)?))
    }

    /// The operator's JWT: the same bytes for as long as the keys live.
    pub fn operator_jwt(&self) -> String {
        self.stored().operator.jwt.clone()
    }

    /// The account's JWT: limits, roles and revocations.
    pub fn account_jwt(&self) -> String {
        self.stored().account.jwt.clone()
    }

    /// The account's public key.
    pub fn account_id(&self) -> String {
        subject_of(&self.stored().account.jwt)
    }

    /// The part of a server's configuration that makes it trust these keys: for the embedded server, and for any
    /// other that is to serve this installation. `resolver_dir` is where the server keeps accounts.
    pub fn server_config(&self, resolver_dir: &Path) -> String {
        let stored = self.stored();
        let system = subject_of(&stored.system.jwt);
        let account = subject_of(&stored.account.jwt);
        format!(
            "operator: {operator}\nsystem_account: {system}\n\
             resolver {{\n  type: full\n  dir: {dir}\n  allow_delete: false\n  limit: 100\n}}\n\
             resolver_preload {{\n  {system}: {system_jwt}\n  {account}: {account_jwt}\n}}\n",
            operator = stored.operator.jwt,
            system_jwt = stored.system.jwt,
            account_jwt = stored.account.jwt,
            dir = json!(resolver_dir),
        )
    }

    /// Revokes every credential that this user has now: it is recorded first, so that it holds after a crash, then
    /// told to the server at `url`, which drops the user's connections at once. What is signed later is valid.
    pub async fn revoke(&self, url: &str, public_nkey: &str) -> Result<(), RevokeError> {
        self.revoke_all(url, &[public_nkey.to_owned()]).await
    }

    /// The same for several users at once.
    pub async fn revoke_all(&self, url: &str, public_nkeys: &[String]) -> Result<(), RevokeError> {
        if let Some(wrong) = public_nkeys.iter().find(|key| !is_user_key(key)) {
            return Err(RevokeError::Key(wrong.chars().take(64).collect()));
        }
        if public_nkeys.is_empty() {
            return Ok(());
        }
        {
            let mut stored = self.stored();
            let mut changed = stored.clone();
            changed.revocations.extend(public_nkeys.iter().map(|key| (key.clone(), now())));
            changed.refresh()?;
            save(&self.path, &changed)?;
            *stored = changed;
        }
        self.push(url).await
    }

    /// Tells the account as it is now to the server at `url`.
    pub async fn push(&self, url: &str) -> Result<(), RevokeError> {
        let _in_order = self.updates.lock().await;
        let (creds, account) = {
            let stored = self.stored();
            (stored.system_user().map_err(KeysError::from)?, stored.account.jwt.clone())
        };
        let settings = Connect {
            url,
            creds: &creds,
            name: "claims update",
            inbox_prefix: SYSTEM_INBOX,
            initial: Initial::Once,
            on_event: None,
        };
        let client = connect_trusting(settings, self.trust.get().unwrap_or(&Trust::System)).await?;
        let reply = tokio::time::timeout(UPDATE_TIMEOUT, client.request(CLAIMS_UPDATE, account.into()))
            .await
            .map_err(|_| RevokeError::Refused("no answer in time".into()))?
            .map_err(|error| RevokeError::Refused(error.to_string()))?;
        let reply: Value = serde_json::from_slice(&reply.payload)
            .map_err(|error| RevokeError::Refused(format!("its answer is not understood: {error}")))?;
        if reply["data"]["code"] == 200 {
            Ok(())
        } else {
            Err(RevokeError::Refused(reply["error"]["description"].as_str().unwrap_or("no reason").into()))
        }
    }

    /// A panic elsewhere leaves what is stored whole: it is only ever replaced.
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an account is told to a server with a full resolver.
const CLAIMS_UPDATE: &str = "$SYS.REQ.CLAIMS.UPDATE";
/// The inbox prefix of the system user, in the system account.
const SYSTEM_INBOX: &str = "_INBOX.system";

impl Stored {
    fn create() -> Result<Self, KeysError> {
        let operator = KeyPair::new_operator();
        let system = KeyPair::new_account();
        let system_claim = Claim {
            subject: &system.public_key(),
            name: "SYS",
            issued_at: now(),
            expires: None,
            nats: json!({"type": "account", "version": 2, "limits": limits(false)}),
        };
        let operator_claim = Claim {
            subject: &operator.public_key(),
            name: "codementor",
            issued_at: now(),
            expires: None,
            nats: json!({"type": "operator", "version": 2, "system_account": system.public_key()}),
        };
        Ok(Self {
            format: FORMAT,
            operator: Signed { seed: operator.seed()?, jwt: jwt::sign(&operator, operator_claim)? },
            system: Signed { seed: system.seed()?, jwt: jwt::sign(&operator, system_claim)? },
            // Signed by the first refresh.
            account: Signed { seed: KeyPair::new_account().seed()?, jwt: String::new() },
            roles: BTreeMap::new(),
            enrol: KeyPair::new_user().seed()?,
            revocations: BTreeMap::new(),
        })
    }

    /// Signs the account again where it differs from what it should be, and says whether it did. A role that an
    /// earlier version did not have gets its key here.
    fn refresh(&mut self) -> Result<bool, KeysError> {
        for role in Role::ALL {
            if !self.roles.contains_key(role.token()) {
                self.roles.insert(role.token().into(), KeyPair::new_account().seed()?);
            }
        }
        let signing_keys = Role::ALL
            .iter()
            .map(|role| {
                Ok(json!({
                    "kind": "user_scope",
                    "key": self.role_key(*role)?.public_key(),
                    "role": role.token(),
                    "template": role.template(),
                }))
            })
            .collect::<Result<Vec<Value>, nkeys::error::Error>>()?;
        let nats = json!({
            "type": "account",
            "version": 2,
            "limits": limits(true),
            "signing_keys": signing_keys,
            "revocations": self.revocations,
        });
        let signed = jwt::read(&self.account.jwt);
        if signed.as_ref().is_some_and(|claim| claim["nats"] == nats) {
            return Ok(false);
        }
        // A server keeps the account with the later time, and time has whole seconds only.
        let last = signed.and_then(|claim| claim["iat"].as_u64()).unwrap_or(0);
        let claim = Claim {
            subject: &KeyPair::from_seed(&self.account.seed)?.public_key(),
            name: "CM",
            issued_at: now().max(last + 1),
            expires: None,
            nats,
        };
        self.account.jwt = jwt::sign(&KeyPair::from_seed(&self.operator.seed)?, claim)?;
        Ok(true)
    }

    fn role_key(&self, role: Role) -> Result<KeyPair, nkeys::error::Error> {
        // Every role has its key since the refresh that ends loading; an empty seed is an error of its own.
        KeyPair::from_seed(self.roles.get(role.token()).map_or("", String::as_str))
    }

    fn user(
        &self,
        role: Role,
        name: &str,
        public_nkey: &str,
        expires: Option<u64>,
    ) -> Result<String, nkeys::error::Error> {
        // A credential signed in the second of its user's revocation would be revoked with the others.
        let revoked = self.revocations.get(public_nkey).copied().unwrap_or(0);
        let claim = Claim {
            subject: public_nkey,
            name,
            issued_at: now().max(revoked + 1),
            expires,
            // The permissions are the signing key's; any of them here would make the server refuse the user.
            nats: json!({"type": "user", "version": 2, "issuer_account": subject_of(&self.account.jwt)}),
        };
        jwt::sign(&self.role_key(role)?, claim)
    }

    /// A user of the system account that can update claims, and nothing else, for a few minutes.
    fn system_user(&self) -> Result<Creds, nkeys::error::Error> {
        let (seed, public) = Creds::new_key()?;
        let claim = Claim {
            subject: &public,
            name: "claims",
            issued_at: now(),
            expires: Some(now() + SYSTEM_USER_LIFE),
            nats: json!({
                "type": "user", "version": 2,
                "pub": {"allow": [CLAIMS_UPDATE]},
                "sub": {"allow": [format!("{SYSTEM_INBOX}.>")]},
                "subs": 16, "data": -1, "payload": -1,
            }),
        };
        Ok(Creds { jwt: jwt::sign(&KeyPair::from_seed(&self.system.seed)?, claim)?, seed })
    }
}

/// What an account may use. JetStream is off for an account that does not state all four of its limits.
fn limits(jetstream: bool) -> Value {
    let mut limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1,
    });
    if jetstream {
        // The streams bound themselves; what is left bounds a stream that somebody adds by mistake.
        limits["mem_storage"] = MEMORY_STORE.into();
        limits["disk_storage"] = json!(-1);
        limits["streams"] = 16.into();
        limits["consumer"] = 1024.into();
    }
    limits
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Stored, KeysError> {
    let damaged = |reason: String| KeysError::Damaged { path: path.into(), reason };
    let value: Value = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    match value["format"].as_u64() {
        Some(found) if found > u64::from(FORMAT) => {
            return Err(KeysError::TooNew { path: path.into(), found: found as u32 });
        }
        _ => {}
    }
    let stored: Stored = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
    for (seed, kind) in [
        (&stored.operator.seed, KeyPairType::Operator),
        (&stored.system.seed, KeyPairType::Account),
        (&stored.account.seed, KeyPairType::Account),
        (&stored.enrol, KeyPairType::User),
    ] {
        match KeyPair::from_seed(seed) {
            Ok(key) if std::mem::discriminant(&key.key_pair_type()) == std::mem::discriminant(&kind) => {}
            _ => return Err(damaged("a seed is not what it should be".into())),
        }
    }
    Ok(stored)
}

fn save(path: &Path, stored: &Stored) -> Result<(), KeysError> {
    let file = |source| KeysError::File { path: path.into(), source };
    let bytes = serde_json::to_vec_pretty(stored).map_err(|error| file(error.into()))?;
    write_private(path, &bytes).map_err(file)
}

/// Whether a text is the public half of a user's key, with its checksum.
fn is_user_key(text: &str) -> bool {
    text.starts_with('U') && KeyPair::from_public_key(text).is_ok()
}

/// Whom one of our JWTs is about.
fn subject_of(token: &str) -> String {
    jwt::read(token).and_then(|claim| Some(claim["sub"].as_str()?.to_owned())).unwrap_or_default()
}

fn now() -> u64 {
    seconds(SystemTime::now())
}

/// Seconds of Unix time; a clock before 1970 counts as 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
