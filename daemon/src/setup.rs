//! `codementord init`: makes a server in an empty data directory, so that `codementord serve` is all that is left.
//!
//! The keys come first and the database last: what an interrupted run has left is taken up by the next one, and a
//! directory that has a database is somebody's server and is never touched.

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use crate::accounts;
use crate::feedback::settings::DEFAULT_KEY_ENV;
use crate::files::write_private;
use crate::instance::{Instance, InstanceError};
use crate::nats::auth::{Creds, CredsError, Keys, KeysError, MintError, Place, Role};
use crate::nats::tls::{CertificateFault, Trust};
use crate::queue::now;
use crate::settings::{Flags, Paths, Server, ServerFlags, Settings, absolute};
use crate::store::{Store, StoreError};

/// Where a server listens unless it is told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4222);

/// Why there is no new server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    /// There is one.
    #[error(
        "there is a server in {} already, and nothing was changed: start it with 'codementord serve', or name \
         another directory with --data-dir DIR",
        .0.display()
    )]
    Server(PathBuf),
    /// There is a configuration.
    #[error(
        "the configuration {} exists already, and nothing was changed: name a new one with --config FILE, or a \
         directory for the whole server with --data-dir DIR",
        .0.display()
    )]
    Config(PathBuf),
    /// The settings are for another kind of server.
    #[error(
        "nats_url is set, and a server of your own needs none: leave it out here; 'codementord nats-config' sets up a \
         NATS server that you run yourself"
    )]
    Foreign,
    /// Nobody can be called that.
    #[error("--name: {0}")]
    Name(String),
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    #[error(transparent)]
    Instance(#[from] InstanceError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Mint(#[from] MintError),
    #[error(transparent)]
    Creds(#[from] CredsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot write {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

impl InitError {
    /// Whether what was typed is wrong, and not this machine.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Server(_) | Self::Config(_) | Self::Foreign | Self::Name(_) | Self::Certificate(_)
        )
    }
}

/// Makes the server, and returns what to tell about it. What was given for its settings is written down. `name` is what
/// people call its administrator.
pub(crate) async fn init(
    settings: &Settings,
    flags: &Flags,
    server_flags: &ServerFlags,
    name: Option<&str>,
) -> Result<String, InitError> {
    let paths = &settings.paths;
    if settings.nats_url.is_some() {
        return Err(InitError::Foreign);
    }
    let name = accounts::full_name(name).map_err(InitError::Name)?;
    if paths.database().exists() {
        return Err(InitError::Server(paths.data.clone()));
    }
    let server = Server {
        listen: settings.server.listen.or(settings.nats_port.map(|port| (Ipv4Addr::LOCALHOST, port).into())),
        ..settings.server.clone()
    };
    let server = Server { listen: server.listen.or(Some(LISTEN)), ..server };
    if let Some(tls) = &server.tls {
        let host = server.address.as_ref().map(|address| address.host());
        tls.check(host, server.ca.as_deref(), SystemTime::now())?;
    }
    let config = render(&paths.data, &server, flags, server_flags);
    // An empty file is as good as none; one that an interrupted run has left is this very one.
    match std::fs::read_to_string(&paths.config) {
        Ok(text) if !text.trim().is_empty() && text != config => {
            return Err(InitError::Config(paths.config.clone()));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(InitError::Config(paths.config.clone()));
        }
        _ => {}
    }

    private_folder(&paths.data, true)?;
    let _instance = Instance::hold(&paths.data, &paths.lock())?;
    let keys = Keys::load_or_create(&paths.keys())?;
    let url = server.public_url().unwrap_or_else(|| own_url(&server));
    let place = Place { server: Some(url.clone()), trust: read_ca(server.ca.as_deref())? };
    let (seed, public_key) = Creds::new_key().map_err(MintError::from)?;
    let jwt = keys.mint_user(Role::Student, accounts::LOCAL_USER, &public_key, None)?;
    let creds = Creds { jwt, seed };
    write(&paths.user_creds(), creds.text_for(&place).as_bytes())?;
    if let Some(folder) = paths.config.parent() {
        private_folder(folder, false)?;
    }
    write(&paths.config, config.as_bytes())?;
    write(&paths.server_mark(), json!({"format": 1, "url": url}).to_string().as_bytes())?;
    let store = Store::open(&paths.database())?;
    store.write(move |db| accounts::put_owner(db, &public_key, name.as_deref(), now())).await?;
    Ok(tell(paths, &server, &url))
}

/// The certificate of an authority of one's own, as credentials carry it.
pub(crate) fn read_ca(ca: Option<&Path>) -> Result<Trust, CertificateFault> {
    let Some(path) = ca else { return Ok(Trust::System) };
    let what = "certificate";
    let pem = std::fs::read_to_string(path).map_err(|source| CertificateFault::Unreadable {
        what,
        path: path.into(),
        source,
    })?;
    let trust = Trust::Certificates(pem);
    match trust.client_config() {
        Ok(_) => Ok(trust),
        Err(error) => Err(CertificateFault::None { what, path: path.into(), reason: error.to_string() }),
    }
}

/// How commands on this machine reach the server.
fn own_url(server: &Server) -> String {
    let at = server.listen.unwrap_or(LISTEN);
    let scheme = if server.tls.is_some() { "tls" } else { "nats" };
    format!("{scheme}://{}", SocketAddr::new(crate::settings::reached_at(at.ip()), at.port()))
}

/// Makes a folder that is its owner's alone; one that is there is made so only if it is `ours`.
fn private_folder(path: &Path, ours: bool) -> Result<(), InitError> {
    let file = |source| InitError::File { path: path.into(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(file)?;
    if ours {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(file)?;
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> Result<(), InitError> {
    write_private(path, content).map_err(|source| InitError::File { path: path.into(), source })
}

/// The configuration: what was asked for, and as comments what else there is.
fn render(data: &Path, server: &Server, flags: &Flags, server_flags: &ServerFlags) -> String {
    let mut text = String::from(
        "# The configuration of this CodeMentor server. Each key is also a flag and an environment variable of\n\
         # codementord: listen, --listen and CODEMENTOR_LISTEN. What is commented out is the default.\n\n",
    );
    let mut put = |comment: &str, key: &str, value: Option<String>, example: &str| {
        // Writing to a String cannot fail.
        let _ = match value {
            Some(value) => write!(text, "# {comment}\n{key} = {value}\n\n"),
            None => write!(text, "# {comment}\n#{key} = {example}\n\n"),
        };
    };
    let quoted = |path: &Path| json!(path).to_string();
    let path = |path: &Option<PathBuf>| path.clone().map(|path| quoted(&absolute(path)));
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    put("Where everything is kept: what must not be lost.", "data_dir", Some(quoted(data)), "");
    put(
        "Where downloads and built packages are kept: what can be made again.",
        "cache_dir",
        path(&flags.cache_dir),
        "\"/var/cache/codementor\"",
    );
    put(
        "Where the server listens. Others reach it at an address of this machine, or at all with 0.0.0.0; that needs\n\
         # a certificate.",
        "listen",
        server.listen.map(|listen| json!(listen.to_string()).to_string()),
        "\"127.0.0.1:4222\"",
    );
    put(
        "What people type to reach it. It stands in the lines that codes are handed out with.",
        "address",
        server.address.as_ref().map(|address| json!(address.to_string()).to_string()),
        "\"judge.example.edu\"",
    );
    let tls = server.tls.as_ref();
    put(
        "Its certificate, with those that lead to the authority, and the key, as PEM. After a renewal: SIGHUP.",
        "tls_cert",
        tls.map(|tls| quoted(&tls.cert)),
        "\"/etc/codementor/cert.pem\"",
    );
    put("", "tls_key", tls.map(|tls| quoted(&tls.key)), "\"/etc/codementor/key.pem\"");
    put(
        "The certificate of an authority of your own: it is put into the credentials that the server makes.",
        "tls_ca",
        server.ca.as_deref().map(quoted),
        "\"/etc/codementor/ca.pem\"",
    );
    put(
        "Listen to others without a certificate, such as behind a tunnel.",
        "insecure_listen",
        server_flags.insecure_listen.then(|| "true".into()),
        "false",
    );
    put(
        "Where /healthz, /readyz and /metrics are answered.",
        "http",
        server.http.map(|http| json!(http.to_string()).to_string()),
        "\"127.0.0.1:9222\"",
    );
    put(
        "Programs judged at once; 0 where other machines judge. The default is the number of cores.",
        "slots",
        number(flags.slots.map(u64::from)),
        "2",
    );
    put(
        "How many MiB of unpacked packages a judge keeps on its disk.",
        "judge_cache_mib",
        number(flags.judge_cache_mib),
        "20480",
    );
    put(
        "Seconds after which a silent judge's job goes to another, and how often a job is handed out.",
        "ack_wait",
        number(flags.ack_wait),
        "10",
    );
    put("", "max_deliver", number(flags.max_deliver.map(u64::from)), "4");
    put(
        "Days after which a user's credential ends. It renews itself.",
        "credential_days",
        number(flags.credential_days.map(u64::from)),
        "180",
    );
    put(
        "The container engine, as in DOCKER_HOST.",
        "docker_host",
        flags.docker_host.as_ref().map(|host| json!(host).to_string()),
        "\"unix:///var/run/docker.sock\"",
    );
    put(
        "The program of its NATS server. By default one is found or fetched.",
        "nats_server",
        path(&flags.nats_server),
        "\"/usr/local/bin/nats-server\"",
    );
    put(
        "Further languages, each laid out like those that are built in.",
        "languages_dir",
        path(&flags.languages_dir),
        "\"/etc/codementor/languages\"",
    );
    put(
        "What is logged, as in RUST_LOG.",
        "log",
        flags.log.as_ref().map(|log| json!(log).to_string()),
        "\"info\"",
    );
    if flags.idle_timeout.is_some() {
        put(
            "Seconds without work after which a private daemon stops.",
            "idle_timeout",
            number(flags.idle_timeout),
            "",
        );
    }
    // A comment without words is a key that belongs to the one above it.
    text = text.replace("\n\n# \n", "\n");
    text.push_str("# Feedback by a model: docs/FEEDBACK.md has every key.\n");
    text.push_str(&feedback(flags));
    text
}

fn feedback(flags: &Flags) -> String {
    let line = |key: &str, value: Option<String>, example: &str| match value {
        Some(value) => format!("{key} = {value}\n"),
        None => format!("#{key} = {example}\n"),
    };
    let said = |text: &str| json!(text).to_string();
    let policy = flags.feedback_policy.map(|policy| said(policy.token()));
    let language = flags.answer_in.as_ref().map(|language| said(language.as_str()));
    let endpoint = flags.feedback_url.as_deref().zip(flags.feedback_model.as_deref());
    let mark = |given: bool| if given { "" } else { "#" };
    let mut text = format!("{}[feedback]\n", mark(policy.is_some() || language.is_some()));
    text.push_str(&line("policy", policy, "\"hints\""));
    text.push_str(&line("answer_in", language, "\"ko\""));
    text.push_str(&format!("{}[[feedback.endpoint]]\n", mark(endpoint.is_some())));
    text.push_str(&line("url", endpoint.map(|(url, _)| said(url)), "\"http://127.0.0.1:11434/v1\""));
    text.push_str(&line("model", endpoint.map(|(_, model)| said(model)), "\"MODEL\""));
    // The key itself stays where it is.
    let has_key = std::env::var_os(DEFAULT_KEY_ENV).is_some_and(|key| !key.is_empty());
    let key = (endpoint.is_some() && has_key).then(|| said(DEFAULT_KEY_ENV));
    text.push_str(&line("key_env", key, &said(DEFAULT_KEY_ENV)));
    text
}

fn tell(paths: &Paths, server: &Server, url: &str) -> String {
    // The environment beats the configuration, and both have to be beaten where they name another directory, or none.
    let named = match std::env::var_os("CODEMENTOR_DATA_DIR") {
        Some(other) => absolute(other.into()) != paths.data,
        None => paths.config == paths.data.join("config.toml"),
    };
    let with = if named { format!(" --data-dir {}", shown(&paths.data)) } else { String::new() };
    let mut text = format!(
        "a new server in {}\n  configuration   {}\n  administrator   {}, a secret\n\n\
         next, here:\n  codementord{with} serve\n\nand in another terminal:\n  codementor{with} problem push DIR...\n  \
         codementor{with} course create NAME\n\non another machine, with a copy of the administrator's file:\n  \
         codementor --creds {} status\n",
        paths.data.display(),
        paths.config.display(),
        paths.user_creds().display(),
        paths.user_creds().file_name().unwrap_or_default().to_string_lossy(),
    );
    if server.listen.is_some_and(|listen| listen.ip().is_loopback()) {
        let _ = write!(
            text,
            "\nit listens at {url}, to this machine only. For others, set listen, address, tls_cert and tls_key in the \
             configuration.\n"
        );
    }
    text
}

/// A path as a shell takes it.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `init` would write for a server that is given these settings, as a server reads it.
    fn read_back(flags: &Flags, server_flags: &ServerFlags, edit: impl Fn(String) -> String) -> Settings {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let given = Settings::for_new_server(flags.clone(), server_flags.clone()).expect("can be in force");
        let path = dir.path().join("config.toml");
        let text = edit(render(&given.paths.data, &given.server, flags, server_flags));
        std::fs::write(&path, &text).expect("is written");
        let read = Settings::load(Flags { config: Some(path), ..Flags::default() });
        read.unwrap_or_else(|error| panic!("{error}:\n{text}"))
    }

    #[test]
    fn what_was_given_is_written_down() {
        let flags = Flags {
            data_dir: Some("/srv/cm".into()),
            cache_dir: Some("/srv/cache".into()),
            nats_server: Some("/opt/nats-server".into()),
            docker_host: Some("unix:///run/docker.sock".into()),
            slots: Some(3),
            idle_timeout: Some(61),
            ack_wait: Some(7),
            judge_cache_mib: Some(77),
            max_deliver: Some(6),
            credential_days: Some(4),
            languages_dir: Some("/srv/languages".into()),
            log: Some("debug".into()),
            feedback_url: Some("http://127.0.0.1:1/v1".into()),
            feedback_model: Some("m".into()),
            feedback_policy: Some(codementor_protocol::FeedbackPolicy::Full),
            answer_in: Some("ko".parse().expect("a language")),
            ..Flags::default()
        };
        let server = ServerFlags {
            listen: Some("0.0.0.0:4222".parse().expect("an address")),
            insecure_listen: true,
            http: Some("127.0.0.1:9222".parse().expect("an address")),
            ..ServerFlags::default()
        };
        let given = Settings::for_new_server(flags.clone(), server.clone()).expect("can be in force");
        let read = read_back(&flags, &server, |text| text);
        let comparable = |settings: Settings| {
            let mut settings = settings;
            settings.paths.config = PathBuf::new();
            // A flag gives the endpoint a name of its own, which nobody has asked for.
            settings.feedback.by_flag = false;
            settings.feedback.endpoints.iter_mut().for_each(|endpoint| endpoint.name.clear());
            format!("{settings:#?}")
        };
        assert_eq!(comparable(read), comparable(given));
    }

    #[test]
    fn what_is_shown_as_a_comment_can_be_uncommented() {
        let uncommented = |text: String| {
            let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ");
            let line = |line: &str| if is_key(line) { line[1..].to_owned() } else { line.to_owned() };
            text.lines().map(line).collect::<Vec<_>>().join("\n")
        };
        let flags = Flags { data_dir: Some("/srv/cm".into()), ..Flags::default() };
        let read = read_back(&flags, &ServerFlags::default(), uncommented);
        assert_eq!((read.slots, read.ack_wait.as_secs(), read.max_deliver), (2, 10, 4));
        assert_eq!(read.credential_life.as_secs(), 180 * 86_400);
    }
}
