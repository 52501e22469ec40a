//! One process from its start to its end.
//!
//! ```text
//! serve ─ hold the data directory ─ database ─ NATS (embedded or foreign) ─ streams
//!       └─ tasks: gateway, results, outbox, judge (slots > 0), feedback (one a step), idle watch
//! judge ─ NATS (foreign) ─ judge
//! both end on: SIGTERM, SIGINT; serve also on the stop request and when idle. Running jobs get time to end;
//! what waits is in the database.
//! ```

use std::sync::Arc;
use std::time::Duration;

use codementor_protocol::UserName;
use codementor_runners::{Engine, Images, Languages};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::accounts::{Accounts, Issuer};
use crate::feedback::Feedback;
use crate::gateway::{Facts, Gateway};
use crate::instance::Instance;
use crate::judge::{self, Judge, PackageCache, Slots, Workshop};
use crate::monitor::{self, Metrics, Monitor};
use crate::nats::auth::{Creds, Keys, Place, Role};
use crate::nats::connect::{self, Connect, Initial, LinkEvent};
use crate::nats::embedded::{self, Embedded};
use crate::nats::export;
use crate::nats::server::{self, ImageFile, Search};
use crate::nats::streams::{self, Layout};
use crate::nats::tls::{Certificate, CertificateFault, Trust};
use crate::oidc::Oidc;
use crate::queue::{self, Core, now};
use crate::registry::Registry;
use crate::settings::{DaemonFile, Paths, Settings};
use crate::store::Store;
use crate::{BUILD, files};

/// How long the server may take to accept the daemon at the start.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// How often the daemon looks whether it is idle, and tidies up.
const LOOK: Duration = Duration::from_secs(1);
/// Tries on the samples are forgotten after this time.
const KEEP_TRIALS: Duration = Duration::from_secs(24 * 3600);
/// How long a code for an administrator holds.
const ADMIN_CODE_HOLDS: Duration = Duration::from_secs(3600);
/// How many days before the end of a certificate that is warned of.
const EXPIRES_SOON: u64 = 14;
/// The name of the daemon's own credential.
const DAEMON_USER: &str = "daemon";

/// Why a daemon could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The data directory.
    #[error(transparent)]
    Instance(#[from] crate::instance::InstanceError),
    /// The database.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] crate::nats::auth::KeysError),
    /// A credential.
    #[error(transparent)]
    Creds(#[from] crate::nats::auth::CredsError),
    /// A credential that cannot be signed.
    #[error(transparent)]
    Mint(#[from] crate::nats::auth::MintError),
    /// The NATS server's program.
    #[error(transparent)]
    Server(#[from] crate::nats::server::ServerError),
    /// The embedded NATS server.
    #[error(transparent)]
    Embedded(#[from] embedded::EmbeddedError),
    /// The connection to NATS.
    #[error(transparent)]
    Connect(#[from] connect::ConnectError),
    /// The NATS server's version.
    #[error(transparent)]
    TooOld(#[from] connect::TooOld),
    /// The streams.
    #[error(transparent)]
    Streams(#[from] streams::StreamsError),
    /// The languages.
    #[error(transparent)]
    Languages(#[from] codementor_runners::language::LoadError),
    /// A request could not be listened to.
    #[error("the gateway cannot listen: {0}")]
    Gateway(#[from] async_nats::SubscribeError),
    /// A file.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A part that runs for as long as the daemon does has ended, which is a bug.
    #[error("{0} has broken down")]
    Broke(&'static str),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// What another NATS server needs.
    #[error(transparent)]
    Export(#[from] export::ExportError),
    /// Health and metrics cannot be answered.
    #[error(
        "cannot answer for health and metrics at {address}: {source}; choose another place with --http ADDR:PORT"
    )]
    Http {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// What is counted cannot be set up, which is a bug.
    #[error("the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// Something that is needed was not set.
    #[error("{0}")]
    Missing(&'static str),
}

impl From<crate::accounts::AccountsError> for DaemonError {
    fn from(error: crate::accounts::AccountsError) -> Self {
        match error {
            crate::accounts::AccountsError::Store(error) => Self::Store(error),
            crate::accounts::AccountsError::Code { path, source } => Self::File { path, source },
        }
    }
}

impl From<crate::registry::RegistryError> for DaemonError {
    fn from(error: crate::registry::RegistryError) -> Self {
        match error {
            crate::registry::RegistryError::Directory { path, source } => Self::File { path, source },
            crate::registry::RegistryError::Bucket(error) => Self::Streams(error),
        }
    }
}

impl DaemonError {
    /// What to do about it, where that is not in the message.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Instance(crate::instance::InstanceError::Held(_)) => {
                Some("stop it with 'codementor down', or choose another --data-dir".into())
            }
            error if error.is_disk_full() => Some("free some space and try again".into()),
            _ => None,
        }
    }

    /// Whether there is no room for something: later there may be.
    pub fn is_disk_full(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
            if error.downcast_ref().is_some_and(full) {
                return true;
            }
            cause = error.source();
        }
        // SQLite has words of its own for it.
        matches!(self, Self::Store(crate::store::StoreError::DiskFull))
    }
}

/// Runs the daemon until it is told to stop, has nothing to do for too long, or cannot go on. One that is `shared` is a
/// server for others.
pub(crate) async fn serve(settings: Settings, shared: bool) -> Result<(), DaemonError> {
    let paths = settings.paths.clone();
    let instance = Instance::hold(&paths.data, &paths.lock())?;
    // A file that a crash has left behind would send commands to a port where nobody listens, or somebody else does.
    let _ = std::fs::remove_file(paths.daemon_file());
    let _ = std::fs::remove_file(paths.daemon_error());
    tracing::info!(build = BUILD, pid = std::process::id(), data = %paths.data.display(), "starting");
    let store = Store::open(&paths.database())?;
    let keys = Arc::new(Keys::load_or_create(&paths.keys())?);
    keys.enrol_creds()?.write(&paths.enrol_creds())?;
    let languages = Arc::new(Languages::load(settings.languages_dir.as_deref())?);

    // What cannot be had is said before anything is started.
    let http = match settings.server.http {
        Some(address) => {
            Some(monitor::listen(address).await.map_err(|source| DaemonError::Http { address, source })?)
        }
        None => None,
    };
    let (certificate_ends, ends) = watch::channel(None);
    if let Some(tls) = &settings.server.tls {
        certificate_ends.send_replace(Some(check_certificate(tls, &settings)?));
    }
    let (embedded, url, creds, trust) = match (&settings.nats_url, &settings.creds) {
        (Some(url), Some(creds)) => (None, url.clone(), Creds::read(creds)?, Creds::read_place(creds)?.trust),
        _ => {
            let server = start_server(&settings, keys.clone()).await?;
            let url = server.url();
            let trust =
                settings.server.tls.as_ref().map_or(Trust::System, |tls| Trust::Pinned(tls.cert.clone()));
            (Some(server), url, keys.issue(Role::Daemon, DAEMON_USER, None)?, trust)
        }
    };
    if let (Some(tls), Some(server)) = (&settings.server.tls, &embedded) {
        let renewing = renew_certificate(tls.clone(), settings.clone(), server.reloader(), certificate_ends);
        tokio::spawn(renewing);
    }
    keys.trust_server_by(trust.clone());
    let (client, reconnects) = connect_to(&url, &creds, Role::Daemon, &trust).await?;
    connect::check_version(&client)?;
    let jetstream = streams::context(client.clone());
    let layout = Layout::new(settings.ack_wait, settings.max_deliver, 4096);
    streams::prepare(&jetstream, &layout).await?;

    let metrics = Arc::new(Metrics::new()?);
    let (core, job_changes) = Core::new(store.clone(), client.clone(), jetstream.clone(), metrics);
    let oidc = Oidc::new(&settings.oidc);
    // Where only this machine is listened to, its own address is right for everybody.
    let only_here = settings.server.listen.is_none_or(|listen| listen.ip().is_loopback());
    let only_here = only_here && settings.nats_url.is_none();
    let address = settings.server.public_url().or_else(|| only_here.then(|| url.clone()));
    let ca = settings.server.ca_name();
    let issuer = Issuer { keys, url: url.clone(), life: settings.credential_life, oidc, address, ca };
    let accounts = Accounts::load(store, issuer, &paths.enrol_code()).await?;
    let registry = Registry::open(core.clone(), languages.clone(), &paths).await?;
    registry.publish_all().await;
    let stopping = watch::Sender::new(false);
    let slots = Slots::new(settings.slots);
    let workshop = (settings.slots > 0).then(|| start_workshop(&settings, &instance));
    let no_error = watch::channel(None).1;
    Feedback::take_over(&core).await?;
    let feedback = Feedback::new(
        core.clone(),
        registry.clone(),
        settings.feedback.clone(),
        settings.slots,
        stopping.subscribe(),
    );
    let gateway = Arc::new(Gateway {
        core: core.clone(),
        accounts,
        registry,
        feedback: feedback.clone(),
        languages: languages.clone(),
        facts: Facts {
            since: now(),
            nats: client.server_info().version,
            idle_timeout_s: settings.idle_timeout.map(|timeout| timeout.as_secs()),
            shared,
            log: if shared { where_errors_go() } else { paths.log().display().to_string() },
            slots: workshop.is_some().then(|| slots.clone()),
            engine_error: workshop.as_ref().map_or(no_error.clone(), Workshop::error),
        },
        stopping: stopping.clone(),
    });
    let watching = http.map(|listener| {
        let monitor = Monitor {
            core: core.clone(),
            feedback: feedback.clone(),
            slots: workshop.is_some().then(|| slots.clone()),
            engine_error: workshop.as_ref().map_or(no_error, Workshop::error),
            certificate_ends: ends,
        };
        tokio::spawn(monitor.run(listener))
    });
    let (caught_up, is_caught_up) = watch::channel(false);
    let outbox = queue::Outbox { window: window(settings.slots), ack_wait: settings.ack_wait };
    let mut projecting = tokio::spawn(queue::run_results(core.clone(), reconnects.clone(), caught_up));
    // It ends with the process; what it has not begun stands in the database.
    tokio::spawn(crate::rejudge::run(core.clone()));
    let mut publishing = tokio::spawn(queue::run_outbox(core.clone(), outbox, job_changes, is_caught_up));
    let judging = match workshop {
        Some(workshop) => {
            let judge = Judge {
                client: client.clone(),
                jetstream: jetstream.clone(),
                reconnects,
                setup: judge_setup(&settings),
                slots,
                languages,
                workshop,
                packages: open_cache(&settings, jetstream, true)?,
            };
            Some(tokio::spawn(Arc::new(judge).run(stopping.subscribe())))
        }
        None => None,
    };
    let mut listening = tokio::spawn(gateway.run());
    let certificate = settings.server.tls.as_ref().map(|tls| tls.cert.clone());
    let ready = DaemonFile { pid: std::process::id(), build: BUILD.into(), url, certificate };
    write_daemon_file(&paths, &ready)?;
    tracing::info!(url = ready.url, "ready");

    let mut stop = stopping.subscribe();
    let result = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => Ok(()),
        reason = end_signal(settings.server.tls.is_none()) => {
            tracing::info!(reason, "told to stop");
            Ok(())
        }
        () = idle(&core, settings.idle_timeout) => {
            tracing::info!("nothing was asked for a long time");
            Ok(())
        }
        ended = &mut listening => match ended {
            Ok(Err(error)) => Err(DaemonError::Gateway(error)),
            _ => Ok(()),
        },
        // Without either, jobs would be judged again and again and never end; the next daemon goes on from the database.
        _ = &mut projecting => Err(DaemonError::Broke("the reading of results")),
        _ = &mut publishing => Err(DaemonError::Broke("the outbox")),
    };
    // Commands that come now start a daemon of their own, and wait for the lock.
    let _ = std::fs::remove_file(paths.daemon_file());
    stopping.send_replace(true);
    if let Some(watching) = watching {
        watching.abort();
    }
    if let Some(judging) = judging {
        // Its jobs end or are handed back within a bound of its own.
        let _ = judging.await;
    }
    // Each step ends as interrupted as soon as it hears of it; one that does not is ended by the next start.
    let _ = tokio::time::timeout(Duration::from_secs(2), feedback.ended()).await;
    let _ = tokio::time::timeout(Duration::from_secs(2), client.drain()).await;
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    tracing::info!("stopped");
    result
}

/// Judges for a daemon elsewhere until it is told to stop.
pub(crate) async fn judge(settings: Settings) -> Result<(), DaemonError> {
    let Some(creds) = &settings.creds else {
        return Err(DaemonError::Missing(
            "a judge needs --creds FILE: 'codementord judge-creds NAME' on the server makes it",
        ));
    };
    let place = Creds::read_place(creds)?;
    let Some(url) = settings.nats_url.clone().or(place.server) else {
        return Err(DaemonError::Missing(
            "the credentials do not say where the server is: name it with --nats-url URL",
        ));
    };
    if settings.slots == 0 {
        return Err(DaemonError::Missing("a judge needs at least one slot: --slots 1"));
    }
    let paths = &settings.paths;
    let instance = Instance::hold(&paths.judge(), &paths.judge().join("judge.lock"))?;
    let creds = Creds::read(creds)?;
    let (client, reconnects) = connect_to(&url, &creds, Role::Judge, &place.trust).await?;
    connect::check_version(&client)?;
    let jetstream = streams::context(client.clone());
    let judge = Judge {
        client,
        jetstream: jetstream.clone(),
        reconnects,
        setup: judge_setup(&settings),
        slots: Slots::new(settings.slots),
        languages: Arc::new(Languages::load(settings.languages_dir.as_deref())?),
        workshop: start_workshop(&settings, &instance),
        packages: open_cache(&settings, jetstream, false)?,
    };
    let stopping = watch::Sender::new(false);
    let judging = tokio::spawn(Arc::new(judge).run(stopping.subscribe()));
    tracing::info!(url, slots = settings.slots, "judging");
    let reason = end_signal(true).await;
    tracing::info!(reason, "told to stop");
    stopping.send_replace(true);
    let _ = judging.await;
    Ok(())
}

/// Makes the credential of a judge on another host, as the text of its file.
pub(crate) fn judge_creds(settings: &Settings, name: &str) -> Result<(String, Place), DaemonError> {
    let creds = Keys::load_or_create(&settings.paths.keys())?.issue(Role::Judge, name, None)?;
    let place = place(settings)?;
    Ok((creds.text_for(&place), place))
}

/// Where clients elsewhere find the NATS server, and what they trust it by, as far as the settings say.
pub(crate) fn place(settings: &Settings) -> Result<Place, DaemonError> {
    let server = settings.nats_url.clone().or_else(|| settings.server.public_url());
    Ok(Place { server, trust: crate::setup::read_ca(settings.server.ca.as_deref())? })
}

/// Writes what a NATS server of somebody else's needs to serve this installation.
pub(crate) fn export(
    settings: &Settings,
    out: &std::path::Path,
    resolver: &std::path::Path,
) -> Result<export::Exported, DaemonError> {
    let keys = Keys::load_or_create(&settings.paths.keys())?;
    Ok(export::export(&keys, DAEMON_USER, out, resolver, &place(settings)?)?)
}

/// Makes a code by which one person becomes an administrator, whether the daemon runs or not.
pub(crate) async fn admin_code(settings: Settings) -> Result<String, DaemonError> {
    let database = settings.paths.database();
    if !database.exists() {
        return Err(DaemonError::Missing(
            "there is no server in this data directory yet: start 'codementord serve' once, or name another --data-dir",
        ));
    }
    let store = Store::open(&database)?;
    Ok(store.write(|db| crate::accounts::admin_code(db, ADMIN_CODE_HOLDS, now())).await?)
}

async fn start_server(settings: &Settings, keys: Arc<Keys>) -> Result<Embedded, DaemonError> {
    // Asked only where the program is on no shorter way; that there is no engine is then one reason among others.
    let engine = Engine::connect(settings.docker_host.as_deref()).await.ok();
    let binary = server::find_or_fetch(&Search {
        cache_dir: &settings.paths.cache,
        explicit: settings.nats_server.as_deref(),
        engine: engine.as_ref().map(|engine| engine.docker() as &dyn ImageFile),
        search_path: None,
        progress: &|step: server::Progress<'_>| tracing::info!("the NATS server's program: {step:?}"),
    })
    .await?;
    tracing::info!(path = %binary.path.display(), version = %binary.version, "the NATS server's program");
    let mut config = embedded::Config::new(binary, settings.paths.nats(), settings.nats_port);
    if let Some(listen) = settings.server.listen {
        (config.host, config.port) = (listen.ip(), Some(listen.port()));
    }
    config.tls = settings.server.tls.clone();
    Ok(Embedded::start(config, keys).await?)
}

/// Connects, and counts how often the connection was made anew.
async fn connect_to(
    url: &str,
    creds: &Creds,
    role: Role,
    trust: &Trust,
) -> Result<(async_nats::Client, watch::Receiver<u64>), DaemonError> {
    let (count, reconnects) = watch::channel(0);
    let name = creds.user_name().unwrap_or_else(|| role.token().into());
    let on_event = move |event: LinkEvent| match event {
        LinkEvent::Connected => count.send_modify(|count| *count += 1),
        event => tracing::warn!(?event, "NATS"),
    };
    let settings = Connect {
        url,
        creds,
        name: &format!("codementor {}", role.token()),
        inbox_prefix: &role.inbox(&name),
        initial: Initial::Within(CONNECT_WITHIN),
        on_event: Some(Arc::new(on_event)),
    };
    let client = connect::connect_trusting(settings, trust).await?;
    Ok((client, reconnects))
}

fn start_workshop(settings: &Settings, instance: &Instance) -> Workshop {
    Workshop::start(judge::Plan {
        docker_host: settings.docker_host.clone(),
        instance: instance.id.clone(),
        lock: instance.lock_path().to_owned(),
        slots: settings.slots,
        inputs: judge::inputs(&settings.paths.judge()),
        locks: Images::default_locks(),
    })
}

fn judge_setup(settings: &Settings) -> judge::Setup {
    judge::Setup {
        name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        slots: settings.slots,
    }
}

fn open_cache(
    settings: &Settings,
    jetstream: async_nats::jetstream::Context,
    beside_daemon: bool,
) -> Result<PackageCache, DaemonError> {
    let paths = &settings.paths;
    let installed = beside_daemon.then(|| paths.packages());
    PackageCache::open(jetstream, paths.judge(), installed, settings.judge_cache_mib * 1024 * 1024)
        .map_err(|source| DaemonError::File { path: paths.judge(), source })
}

fn write_daemon_file(paths: &Paths, ready: &DaemonFile) -> Result<(), DaemonError> {
    let file = |source| DaemonError::File { path: paths.daemon_file(), source };
    let json = serde_json::to_vec(ready).map_err(|error| file(error.into()))?;
    files::write_private(&paths.daemon_file(), &json).map_err(file)
}

/// Waits until there was nothing to do for `timeout`; for ever without one. Tidies up meanwhile.
async fn idle(core: &Core, timeout: Option<Duration>) {
    let mut looks: u64 = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        if timeout.is_some_and(|timeout| core.gauges.idle_for() >= timeout) {
            return;
        }
        if looks.is_multiple_of(3600) {
            let before = codementor_protocol::Timestamp(now().0 - KEEP_TRIALS.as_millis() as i64);
            if let Err(error) =
                core.store.write(move |db| crate::submissions::forget_trials(db, before)).await
            {
                tracing::warn!(%error, "old tries on samples could not be removed");
            }
        }
        looks += 1;
    }
}

/// Where the log of a server is, which it writes to standard error.
fn where_errors_go() -> String {
    match std::fs::read_link("/proc/self/fd/2") {
        Ok(path) if path.is_file() => path.display().to_string(),
        _ => "standard error of codementord: its terminal, the journal of its service, or docker logs".into(),
    }
}

/// Looks whether clients will be content with the certificate. Returns when it ends.
fn check_certificate(
    tls: &Certificate,
    settings: &Settings,
) -> Result<std::time::SystemTime, CertificateFault> {
    let host = settings.server.address.as_ref().map(|address| address.host());
    let now = std::time::SystemTime::now();
    let ends = tls.check(host, settings.server.ca.as_deref(), now)?;
    let days = ends.duration_since(now).map_or(0, |left| left.as_secs() / 86_400);
    if days < EXPIRES_SOON {
        tracing::warn!(days, "the certificate ends soon: put a new one in its place and send SIGHUP");
    }
    Ok(ends)
}

/// At each SIGHUP: has the NATS server read the certificate that is in its place now, if it is one.
async fn renew_certificate(
    tls: Certificate,
    settings: Settings,
    server: embedded::Reloader,
    ends: watch::Sender<Option<std::time::SystemTime>>,
) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        match check_certificate(&tls, &settings) {
            Ok(end) => {
                server.reload();
                ends.send_replace(Some(end));
            }
            Err(error) => tracing::error!("the certificate in use is kept: {error}"),
        }
    }
}

/// The first signal that asks this process to end. A hang-up does unless it means something else.
async fn end_signal(at_hangup: bool) -> &'static str {
    let on = |kind: SignalKind| signal(kind);
    match (on(SignalKind::terminate()), on(SignalKind::interrupt()), on(SignalKind::hangup())) {
        (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) => tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hangup.recv(), if at_hangup => "SIGHUP",
        },
        // Without handlers the signals end the process by themselves.
        _ => std::future::pending().await,
    }
}

/// The daemon's own user, which owns what it asks of itself.
pub(crate) fn daemon_user() -> UserName {
    #[expect(clippy::unwrap_used, reason = "the constant obeys the rule of user names")]
    UserName::new(DAEMON_USER).unwrap()
}

/// How many published jobs may be unstarted: one for each slot, and half as many more, since that a job has started is
/// told a moment late.
fn window(slots: u32) -> usize {
    (slots + slots.div_ceil(2)).max(2) as usize
}
