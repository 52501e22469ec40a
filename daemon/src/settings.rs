//! Every setting, from a flag, an environment variable, a key of the configuration file, or a default: in that order.

mod look;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::TypedValueParser as _;
use codementor_protocol::{AnswerLanguage, FeedbackPolicy};
use serde::Deserialize;

pub use crate::feedback::settings::{BaseUrl, Endpoint, FeedbackSettings, Headers, KeySource, Money, Price};
use crate::feedback::settings::{FeedbackFile, FeedbackFlags};
pub use look::{Look, MessageLanguage};
use look::{config_file, xdg};
use server::ServerFile;
pub use server::{Address, NotAnAddress, Server, ServerFlags, ServerSettingsError, reached_at};

/// The name of a configuration file.
const OWN_CONFIG: &str = "config.toml";

/// The settings as flags and environment variables.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings (also in config.toml)")]
pub struct Flags {
    /// Configuration file
    #[arg(long, global = true, env = "CODEMENTOR_CONFIG", value_name = "FILE", hide_short_help = true)]
    pub config: Option<PathBuf>,
    /// Where the private daemon keeps everything
    #[arg(
        long,
        alias = "data",
        global = true,
        env = "CODEMENTOR_DATA_DIR",
        value_name = "DIR",
        hide_short_help = true
    )]
    pub data_dir: Option<PathBuf>,
    /// Where downloads and built packages are kept
    #[arg(long, global = true, env = "CODEMENTOR_CACHE_DIR", value_name = "DIR", hide_short_help = true)]
    pub cache_dir: Option<PathBuf>,
    /// NATS server to use instead of a private one
    #[arg(long, global = true, env = "CODEMENTOR_NATS_URL", value_name = "URL", hide_short_help = true)]
    pub nats_url: Option<String>,
    /// Credentials for that server
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_CREDS",
        // It may be the credentials themselves.
        hide_env_values = true,
        value_name = "FILE",
        // A path would have to be one: that the variable is empty is how CI services say that there is no secret.
        value_parser = clap::builder::OsStringValueParser::new().map(PathBuf::from),
        hide_short_help = true
    )]
    pub creds: Option<PathBuf>,
    /// nats-server program for the private daemon
    #[arg(long, global = true, env = "CODEMENTOR_NATS_SERVER", value_name = "FILE", hide_short_help = true)]
    pub nats_server: Option<PathBuf>,
    /// Port of the private NATS server on loopback [default: a free one]
    #[arg(long, global = true, env = "CODEMENTOR_NATS_PORT", value_name = "PORT", hide_short_help = true)]
    pub nats_port: Option<u16>,
    /// Container engine, as in DOCKER_HOST
    #[arg(long, global = true, env = "CODEMENTOR_DOCKER_HOST", value_name = "URL", hide_short_help = true)]
    pub docker_host: Option<String>,
    /// Programs judged at once [default: the number of cores]
    #[arg(long, global = true, env = "CODEMENTOR_SLOTS", value_name = "N", hide_short_help = true)]
    pub slots: Option<u32>,
    /// Seconds without work after which the private daemon stops; 0 for never [default: 1800]
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_IDLE_TIMEOUT",
        value_name = "SECONDS",
        hide_short_help = true
    )]
    pub idle_timeout: Option<u64>,
    /// Seconds after which a silent judge's job goes to another [default: 10]
    #[arg(long, global = true, env = "CODEMENTOR_ACK_WAIT", value_name = "SECONDS", hide_short_help = true)]
    pub ack_wait: Option<u64>,
    /// How many MiB of unpacked packages a judge keeps on its disk [default: 20480]
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_JUDGE_CACHE_MIB",
        value_name = "MIB",
        hide_short_help = true
    )]
    pub judge_cache_mib: Option<u64>,
    /// How often a job is handed out before it is given up [default: 4]
    #[arg(long, global = true, env = "CODEMENTOR_MAX_DELIVER", value_name = "N", hide_short_help = true)]
    pub max_deliver: Option<u32>,
    /// Days after which a user's credential ends, unless it was renewed; it renews itself [default: 180]
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_CREDENTIAL_DAYS",
        value_name = "DAYS",
        hide_short_help = true
    )]
    pub credential_days: Option<u32>,
    /// Folder of further languages, each laid out like those that are built in
    #[arg(long, global = true, env = "CODEMENTOR_LANGUAGES_DIR", value_name = "DIR", hide_short_help = true)]
    pub languages_dir: Option<PathBuf>,
    /// What the daemon logs, as in RUST_LOG [default: info]
    #[arg(long, global = true, env = "CODEMENTOR_LOG", value_name = "FILTER", hide_short_help = true)]
    pub log: Option<String>,
    /// OpenAI-compatible endpoint that gives feedback, such as http://127.0.0.1:11434/v1; its key, where it needs one,
    /// is taken from CODEMENTOR_FEEDBACK_KEY
    #[arg(long, global = true, env = "CODEMENTOR_FEEDBACK_URL", value_name = "URL", hide_short_help = true)]
    pub feedback_url: Option<String>,
    /// Model to ask there
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_FEEDBACK_MODEL",
        value_name = "MODEL",
        hide_short_help = true
    )]
    pub feedback_model: Option<String>,
    /// The most that feedback may show: off, hints or full [default: hints]
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_FEEDBACK_POLICY",
        value_name = "POLICY",
        value_parser = policy,
        hide_short_help = true
    )]
    pub feedback_policy: Option<FeedbackPolicy>,
    /// Language of feedback, such as en or ko [default: by LANG]
    #[arg(long, global = true, env = "CODEMENTOR_ANSWER_IN", value_name = "CODE", hide_short_help = true)]
    pub answer_in: Option<AnswerLanguage>,
}

fn policy(text: &str) -> Result<FeedbackPolicy, String> {
    let policies = [FeedbackPolicy::Off, FeedbackPolicy::Hints, FeedbackPolicy::Full];
    let policy = policies.into_iter().find(|policy| policy.token() == text);
    policy.ok_or_else(|| "it may be off, hints or full".into())
}

/// The keys of the configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
    nats_url: Option<String>,
    creds: Option<PathBuf>,
    nats_server: Option<PathBuf>,
    nats_port: Option<u16>,
    listen: Option<std::net::SocketAddr>,
    address: Option<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_ca: Option<PathBuf>,
    insecure_listen: Option<bool>,
    http: Option<std::net::SocketAddr>,
    docker_host: Option<String>,
    slots: Option<u32>,
    idle_timeout: Option<u64>,
    ack_wait: Option<u64>,
    max_deliver: Option<u32>,
    judge_cache_mib: Option<u64>,
    credential_days: Option<u32>,
    languages_dir: Option<PathBuf>,
    log: Option<String>,
    feedback: Option<FeedbackFile>,
    oidc: Option<Vec<OidcFile>>,
    // What only the command line goes by, which reads it before anything else: see [`Look`].
    #[serde(rename = "lang")]
    _lang: Option<MessageLanguage>,
    #[serde(rename = "ascii")]
    _ascii: Option<bool>,
}

/// `[[oidc]]` of the configuration file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OidcFile {
    issuer: String,
    audience: String,
    jwks_url: Option<String>,
    jwks_file: Option<PathBuf>,
    owner_claim: Option<String>,
}

/// A CI system whose ID tokens are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcIssuer {
    /// Who signs, word for word as in the token.
    pub issuer: String,
    /// For whom the token must be.
    pub audience: String,
    /// Where its keys are.
    pub keys: OidcKeys,
    /// The claim that says whose repository it is, where it is not the usual one.
    pub owner_claim: Option<String>,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OidcKeys {
    /// At an address.
    Url(String),
    /// In a file.
    File(PathBuf),
}

impl OidcFile {
    fn check(self, folder: &Path) -> Result<OidcIssuer, SettingsError> {
        if self.issuer.is_empty() || self.audience.is_empty() {
            let reason = "issuer and audience are not empty";
            return Err(SettingsError::Oidc { issuer: self.issuer, reason });
        }
        let keys = match (self.jwks_url, self.jwks_file) {
            (Some(url), None) => {
                let here = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
                if !url.starts_with("https://") && !here.iter().any(|prefix| url.starts_with(prefix)) {
                    return Err(SettingsError::Oidc {
                        issuer: self.issuer,
                        reason: "jwks_url begins with https://, or who is on the way could exchange the keys",
                    });
                }
                OidcKeys::Url(url)
            }
            (None, Some(file)) => OidcKeys::File(folder.join(file)),
            _ => {
                return Err(SettingsError::Oidc {
                    issuer: self.issuer,
                    reason: "either jwks_url or jwks_file says where its keys are",
                });
            }
        };
        Ok(OidcIssuer { issuer: self.issuer, audience: self.audience, keys, owner_claim: self.owner_claim })
    }
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where files go.
    pub paths: Paths,
    /// A foreign NATS server; none means a private one.
    pub nats_url: Option<String>,
    /// Credentials for the foreign server.
    pub creds: Option<PathBuf>,
    /// The program of the private server, where the user names one.
    pub nats_server: Option<PathBuf>,
    /// The port of the private server, where the user names one.
    pub nats_port: Option<u16>,
    /// What only a server for others has.
    pub server: Server,
    /// The container engine, where it is not the default one.
    pub docker_host: Option<String>,
    /// How many programs are judged at once.
    pub slots: u32,
    /// The same where it was said, and is not the default.
    pub given_slots: Option<u32>,
    /// When a private daemon without work stops.
    pub idle_timeout: Option<Duration>,
    /// When NATS gives a job to another judge.
    pub ack_wait: Duration,
    /// How often NATS gives a job out.
    pub max_deliver: u32,
    /// How much of unpacked packages a judge keeps.
    pub judge_cache_mib: u64,
    /// How long the credentials of users hold.
    pub credential_life: Duration,
    /// The CI systems whose ID tokens are believed.
    pub oidc: Vec<OidcIssuer>,
    /// Further languages.
    pub languages_dir: Option<PathBuf>,
    /// The log filter.
    pub log: String,
    /// What a model may say, and whom to ask.
    pub feedback: FeedbackSettings,
}

/// Where files go, by the XDG base directory specification.
#[derive(Debug, Clone)]
pub struct Paths {
    /// What must not be lost: the database, keys, packages.
    pub data: PathBuf,
    /// The configuration file.
    pub config: PathBuf,
    /// What can be made again: downloads, built packages.
    pub cache: PathBuf,
}

impl Paths {
    /// Held by a living daemon for as long as it lives.
    pub fn lock(&self) -> PathBuf {
        self.data.join("daemon.lock")
    }

    /// Held by a command while it starts a daemon.
    pub fn start_lock(&self) -> PathBuf {
        self.data.join("start.lock")
    }

    /// Where a ready daemon says how to reach it.
    pub fn daemon_file(&self) -> PathBuf {
        self.data.join("daemon.json")
    }

    /// What makes this the data directory of a server that is started by its owner, and by no command.
    pub fn server_mark(&self) -> PathBuf {
        self.data.join("server.json")
    }

    /// Where a daemon that could not start says why.
    pub fn daemon_error(&self) -> PathBuf {
        self.data.join("daemon.err")
    }

    /// The log of a private daemon; a server writes its own to standard error.
    pub fn log(&self) -> PathBuf {
        self.data.join("daemon.log")
    }

    /// The credential that may only enrol.
    pub fn enrol_creds(&self) -> PathBuf {
        self.data.join("enrol.creds")
    }

    /// The code that enrols the owner of the data directory.
    pub fn enrol_code(&self) -> PathBuf {
        self.data.join("enrol.code")
    }

    /// The owner's credential; its seed is made by the command line and never leaves the machine.
    pub fn user_creds(&self) -> PathBuf {
        self.data.join("user.creds")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("codementor.db")
    }

    /// Installed packages, each named by its hash.
    pub fn packages(&self) -> PathBuf {
        self.data.join("packages")
    }

    /// Packages that are arriving.
    pub fn uploads(&self) -> PathBuf {
        self.data.join("uploads")
    }

    /// What a judge keeps.
    pub fn judge(&self) -> PathBuf {
        self.data.join("judge")
    }

    /// The keys that sign credentials.
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    /// The private NATS server's files.
    pub fn nats(&self) -> PathBuf {
        self.data.join("nats")
    }
}

/// What a ready daemon says of itself in [`Paths::daemon_file`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct DaemonFile {
    /// Its process id.
    pub pid: u32,
    /// The build that it runs, [`crate::BUILD`].
    pub build: String,
    /// Where its NATS server listens.
    pub url: String,
    /// The certificate that the NATS server has, where it has one: on this machine it is told by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// There is no home directory to derive paths from.
    #[error(
        "neither HOME nor CODEMENTOR_DATA_DIR is set: set CODEMENTOR_DATA_DIR to a directory that may be written"
    )]
    NoHome,
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration file is not what it should be.
    #[error("the configuration file {path} is wrong: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        message: String,
    },
    /// A value is out of its range.
    #[error("{name} is {value}: {rule}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        rule: &'static str,
    },
    /// Half of a pair.
    #[error("nats_url needs creds too: pass --creds FILE with the credentials for {0}")]
    UrlWithoutCreds(String),
    /// An issuer of ID tokens cannot be as it is set.
    #[error("[[oidc]] {issuer}: {reason}")]
    Oidc {
        /// The issuer.
        issuer: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A server cannot be set up like this.
    #[error(transparent)]
    Server(#[from] ServerSettingsError),
    /// The feedback cannot be as it is set.
    #[error("the feedback settings are wrong: {0}")]
    Feedback(String),
}

impl Settings {
    /// Merges flags and environment with the configuration file and the defaults.
    pub fn load(flags: Flags) -> Result<Self, SettingsError> {
        Self::load_server(flags, ServerFlags::default())
    }

    /// The same with the settings of a server for others.
    pub fn load_server(flags: Flags, server: ServerFlags) -> Result<Self, SettingsError> {
        Self::merge(flags, server, false)
    }

    /// The settings for a server that is to be made: its configuration file need not be there, and is not read.
    pub fn for_new_server(flags: Flags, server: ServerFlags) -> Result<Self, SettingsError> {
        Self::merge(flags, server, true)
    }

    fn merge(flags: Flags, server: ServerFlags, is_new: bool) -> Result<Self, SettingsError> {
        let (config, named) = config_file(flags.config, flags.data_dir.as_deref(), is_new);
        let file = match &config {
            Some(path) if !is_new => read_file(path, named)?,
            _ => File::default(),
        };
        let data = flags.data_dir.or(file.data_dir).or_else(|| xdg("XDG_DATA_HOME", ".local/share"));
        let data = data.ok_or(SettingsError::NoHome)?;
        let cache = flags.cache_dir.or(file.cache_dir).or_else(|| xdg("XDG_CACHE_HOME", ".cache"));
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let paths = Paths {
            cache: absolute(cache.unwrap_or_else(|| data.join("cache"))),
            config: absolute(config.unwrap_or_else(|| data.join(OWN_CONFIG))),
            data: absolute(data),
        };
        let feedback = FeedbackFlags {
            url: flags.feedback_url,
            model: flags.feedback_model,
            policy: flags.feedback_policy,
            answer_in: flags.answer_in,
        };
        let folder = paths.config.parent().unwrap_or(Path::new("/"));
        let feedback = FeedbackSettings::merge(feedback, file.feedback.unwrap_or_default(), folder);
        let oidc = file.oidc.unwrap_or_default();
        let oidc = oidc.into_iter().map(|issuer| issuer.check(folder)).collect::<Result<_, _>>()?;
        // What is set to nothing is not set.
        let nats_url = flags.nats_url.filter(|url| !url.is_empty()).or(file.nats_url);
        let ports = (flags.nats_port, file.nats_port);
        let in_file = ServerFile {
            listen: file.listen,
            address: file.address,
            tls_cert: file.tls_cert,
            tls_key: file.tls_key,
            tls_ca: file.tls_ca,
            insecure_listen: file.insecure_listen,
            http: file.http,
        };
        let (server, nats_port) = Server::merge(server, in_file, folder, ports, nats_url.is_some())?;
        let settings = Self {
            oidc,
            feedback: feedback.map_err(SettingsError::Feedback)?,
            paths,
            nats_url,
            creds: flags.creds.filter(|path| !path.as_os_str().is_empty()).or(file.creds),
            nats_server: flags.nats_server.or(file.nats_server),
            nats_port,
            server,
            docker_host: flags.docker_host.or(file.docker_host),
            slots: flags.slots.or(file.slots).unwrap_or(cores),
            given_slots: flags.slots.or(file.slots),
            idle_timeout: match flags.idle_timeout.or(file.idle_timeout).unwrap_or(1800) {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
            ack_wait: Duration::from_secs(flags.ack_wait.or(file.ack_wait).unwrap_or(10)),
            max_deliver: flags.max_deliver.or(file.max_deliver).unwrap_or(4),
            judge_cache_mib: flags.judge_cache_mib.or(file.judge_cache_mib).unwrap_or(20 * 1024),
            credential_life: Duration::from_secs(
                u64::from(flags.credential_days.or(file.credential_days).unwrap_or(180)) * 86_400,
            ),
            languages_dir: flags.languages_dir.or(file.languages_dir),
            log: flags.log.or(file.log).unwrap_or_else(|| "info".into()),
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let range = |name, value: u64, low: u64, high: u64, rule| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(SettingsError::OutOfRange { name, value: value.to_string(), rule })
            }
        };
        range("slots", self.slots.into(), 0, 512, "it may be 0, for no judging here, to 512")?;
        range("ack_wait", self.ack_wait.as_secs(), 1, 3600, "it may be 1 to 3600 seconds")?;
        range("judge_cache_mib", self.judge_cache_mib, 1, 1 << 30, "it may be 1 to 1073741824 MiB")?;
        let days = self.credential_life.as_secs() / 86_400;
        range("credential_days", days, 1, 3650, "it may be 1 to 3650 days")?;
        range("max_deliver", self.max_deliver.into(), 1, 100, "it may be 1 to 100")?;
        match (&self.nats_url, &self.creds) {
            (Some(url), None) => Err(SettingsError::UrlWithoutCreds(url.clone())),
            _ => Ok(()),
        }
    }
}

/// Paths are handed to a daemon in another working directory, and to the engine.
pub(crate) fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Reads the configuration file; that it does not exist is an error only where the user named it.
fn read_file(path: &Path, named: bool) -> Result<File, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| SettingsError::Malformed { path: path.into(), message: error.to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => Ok(File::default()),
        Err(source) => Err(SettingsError::Unreadable { path: path.into(), source }),
    }
}

#[cfg(test)]
mod tests;
