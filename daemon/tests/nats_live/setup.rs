//! What the tests share: a server with its keys, and clients that remember what was told of them.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use codementord::nats::auth::{Creds, Keys, Role};
use codementord::nats::connect::{Action, Connect, Initial, LinkEvent, connect};
use codementord::nats::embedded::{Config, Embedded};
use codementord::nats::server::{Search, ServerBinary, find_or_fetch};
use tokio::sync::{OnceCell, mpsc};

/// Longer than anything takes that works, on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The result of something that must end.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it ends in time")
}

/// Where programs are kept between test runs.
pub(crate) fn cache_dir() -> PathBuf {
    match std::env::var_os("CODEMENTOR_CACHE_DIR") {
        Some(dir) => dir.into(),
        None => PathBuf::from(std::env::var_os("HOME").expect("a home directory")).join(".cache/codementor"),
    }
}

/// The server's program.
pub(crate) async fn binary() -> ServerBinary {
    static BINARY: OnceCell<ServerBinary> = OnceCell::const_new();
    let find = || async {
        let cache_dir = cache_dir();
        let search = Search {
            cache_dir: &cache_dir,
            explicit: None,
            engine: None,
            search_path: None,
            progress: &|step| println!("{step:?}"),
        };
        find_or_fetch(&search).await.expect("there is a server program")
    };
    BINARY.get_or_init(find).await.clone()
}

/// A server of a test's own.
pub(crate) struct Rig {
    pub(crate) keys: Arc<Keys>,
    server: Option<Embedded>,
    dir: Option<tempfile::TempDir>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory")).await
    }

    pub(crate) async fn start_in(dir: tempfile::TempDir) -> Self {
        let (keys, server) = start_in(dir.path()).await;
        Self { keys, server: Some(server), dir: Some(dir) }
    }

    pub(crate) fn server(&self) -> &Embedded {
        self.server.as_ref().expect("the rig has a server")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.server().pid().expect("the server is ready")
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.as_ref().expect("the rig has a directory").path()
    }

    /// Ends the server and starts another on the same files, as a daemon that is started again does.
    pub(crate) async fn restart(mut self) -> Self {
        within(self.server.take().expect("the rig has a server").stop()).await;
        let dir = self.dir.take().expect("the rig has a directory");
        Self::start_in(dir).await
    }

    /// A user that is signed now, connected.
    pub(crate) async fn peer(&self, role: Role, name: &str) -> Peer {
        let creds = self.keys.issue(role, name, None).expect("is signed");
        Peer::connect(&self.server().url(), creds, &role.inbox(name)).await
    }
}

impl Drop for Rig {
    /// The server must be gone before its directory is, or it makes files where there should be none.
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        let stopped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(within(server.stop()));
        });
        // A test that fails must not fail a second time while it unwinds.
        let _ = stopped.join();
    }
}

pub(crate) async fn start_in(dir: &Path) -> (Arc<Keys>, Embedded) {
    let keys = Arc::new(Keys::load_or_create(&dir.join("keys")).expect("keys"));
    let config = Config::new(binary().await, dir.join("nats"), None);
    let server = within(Embedded::start(config, keys.clone())).await.expect("the server starts");
    (keys, server)
}

/// A client, and what it was told.
pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) creds: Creds,
    pub(crate) events: mpsc::UnboundedReceiver<LinkEvent>,
}

impl Peer {
    pub(crate) async fn connect(url: &str, creds: Creds, inbox_prefix: &str) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let connected = connect(Connect {
            url,
            creds: &creds,
            name: "test",
            inbox_prefix,
            initial: Initial::Once,
            on_event: Some(Arc::new(move |event| drop(tell.send(event)))),
        });
        let client = within(connected).await.expect("connects");
        Self { client, creds, events }
    }

    pub(crate) fn public_key(&self) -> String {
        self.creds.public_key().expect("a key")
    }

    /// Waits for an event that `matches`; what comes before it does not matter.
    pub(crate) async fn event(&mut self, matches: impl Fn(&LinkEvent) -> bool) -> LinkEvent {
        let find = async {
            loop {
                let event = self.events.recv().await.expect("the client lives");
                if matches(&event) {
                    return event;
                }
            }
        };
        within(find).await
    }

    /// Publishing to `subject` must be denied.
    pub(crate) async fn must_not_publish(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "x".into()).await.expect("is sent");
        self.client.flush().await.expect("is flushed");
        self.must_be_denied(Action::Publish, subject).await;
    }

    /// Listening to `subject` must be denied.
    pub(crate) async fn must_not_hear(&mut self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.expect("is sent");
        self.client.flush().await.expect("is flushed");
        self.must_be_denied(Action::Subscribe, subject).await;
    }

    async fn must_be_denied(&mut self, action: Action, subject: &str) {
        let denied = LinkEvent::Denied { action, subject: subject.to_owned() };
        self.event(|event| *event == denied).await;
    }
}

/// Asks until the answer is yes. Between two tries it lets others run.
pub(crate) async fn until(what: impl Fn() -> bool) {
    within(async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Whether a process lives and has not ended.
pub(crate) fn lives(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

pub(crate) fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid as i32).expect("a process number");
    rustix::process::kill_process(pid, signal).expect("the process is there");
}
