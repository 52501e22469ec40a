//! A connection that survives: when the private daemon or its NATS server dies, it is started again and the request
//! is repeated. All requests can be repeated: a submission has a key, a package piece has its place.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use codementor_protocol::{Renew, Request, UserName};
use codementord::files::write_private;
use codementord::settings::Settings;

use crate::client::{Client, ClientError, Credentials};
use crate::error::CliError;
use crate::private;
use crate::progress::Progress;

/// How long a command goes on trying after a connection was lost.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it waits between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// A connection to the daemon, whichever it is.
pub struct Session<'a> {
    settings: &'a Settings,
    progress: &'a Progress,
    client: Client,
    generation: u64,
}

impl<'a> Session<'a> {
    /// Connects to the configured server, else to the private daemon, which is started where none runs.
    pub async fn open(settings: &'a Settings, progress: &'a Progress) -> Result<Self, CliError> {
        let client = connect(settings, progress).await?;
        progress.clear();
        Ok(Self { settings, progress, client, generation: 0 })
    }

    /// Who this is.
    pub fn user(&self) -> &UserName {
        self.client.user()
    }

    /// The connection of this moment.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Counts connections: subscriptions are those of one.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The settings in force.
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// Where progress is shown.
    pub fn progress(&self) -> &'a Progress {
        self.progress
    }

    /// Asks the daemon, again where the connection breaks.
    pub async fn request<R: Request>(&mut self, request: &R) -> Result<R::Reply, CliError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let error = match self.client.request(request).await {
                Err(CliError::Client(error)) if error.is_passing() && Instant::now() < until => error,
                answered => return answered,
            };
            self.recover(error, until).await?;
        }
    }

    /// Stands the connection up again after `error`, or gives that error back when the time is over.
    pub async fn recover(&mut self, error: ClientError, until: Instant) -> Result<(), CliError> {
        if Instant::now() >= until {
            return Err(error.into());
        }
        tokio::time::sleep(PAUSE).await;
        if self.settings.nats_url.is_some() {
            // A foreign server is come back to by the connection itself, which keeps its subscriptions.
            let left = until.saturating_duration_since(Instant::now());
            return match tokio::time::timeout(left, self.client.restored()).await {
                Ok(restored) => Ok(restored?),
                Err(_) => Err(error.into()),
            };
        }
        if !self.client.is_lost() && !matches!(error, ClientError::Lost | ClientError::Unreachable { .. }) {
            return Ok(());
        }
        self.client = connect(self.settings, self.progress).await?;
        self.progress.clear();
        self.generation += 1;
        Ok(())
    }
}

async fn connect(settings: &Settings, progress: &Progress) -> Result<Client, CliError> {
    match (&settings.nats_url, &settings.creds) {
        (Some(url), Some(creds)) => {
            let credentials = Credentials::read(creds)?;
            let client = Client::connect(url, &credentials).await?;
            if credentials.is_worn(seconds()) && !credentials.is_scoped() && creds.is_file() {
                renew(&client, &credentials, creds, progress).await;
            }
            Ok(client)
        }
        _ => private::ensure(settings, progress).await,
    }
}

/// Has credentials signed anew. That it does not work stops no command: there is time left to try again.
async fn renew(client: &Client, credentials: &Credentials, path: &Path, progress: &Progress) {
    let failed = match client.request(&Renew { public_key: credentials.public_key() }).await {
        Err(error) => error.to_string(),
        Ok(renewed) => match credentials.with_jwt(&renewed.jwt) {
            Err(reason) => reason.to_owned(),
            Ok(renewed) => match write_private(path, renewed.text().as_bytes()) {
                Err(error) => error.to_string(),
                Ok(()) => return,
            },
        },
    };
    progress.note(&t!("your credentials end soon and could not be renewed: {failed}", failed));
}

/// Unix time by this machine's clock.
pub(crate) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
