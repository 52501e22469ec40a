//! The engine, the images and the pool of one judge: brought up when the engine is there, and again when it comes
//! back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use codementor_protocol::{Fault, FaultCode, InstanceId, LanguageId, Limits};
use codementor_runners::{
    Engine, EngineError, Image, ImageError, Images, Language, Pool, PoolConfig, ProgressEvent, Sandbox,
    container,
};
use tokio::sync::{Mutex, OnceCell, mpsc, watch};
use tokio::time::sleep;

/// How often an engine that is away is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many warm sandboxes are kept beside one for each slot, so that a class that uses several languages does not
/// wait for a container with each change.
const SPARE: usize = 4;

/// How to bring the engine and the pool up.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The engine's address, where it is not the default one.
    pub(crate) docker_host: Option<String>,
    /// What containers are labelled with.
    pub(crate) instance: InstanceId,
    /// How many sandboxes are used at once.
    pub(crate) slots: u32,
    /// The inputs, mounted into every sandbox.
    pub(crate) inputs: PathBuf,
    /// Locks that all daemons of this user share.
    pub(crate) locks: PathBuf,
    /// What this daemon holds for as long as it lives: other daemons tell by it whose containers are strays.
    pub(crate) lock: PathBuf,
}

/// A judge's means.
#[derive(Clone)]
pub(crate) struct Workshop {
    plan: Arc<Plan>,
    state: watch::Sender<State>,
    images: Arc<Mutex<HashMap<LanguageId, Arc<OnceCell<Image>>>>>,
    error: watch::Sender<Option<String>>,
}

#[derive(Clone)]
enum State {
    /// The engine is looked for.
    Down,
    /// Sandboxes can be leased.
    Up { engine: Engine, pool: Pool },
}

impl Workshop {
    /// Begins to look for the engine.
    pub(crate) fn start(plan: Plan) -> Self {
        let workshop = Self {
            plan: Arc::new(plan),
            state: watch::channel(State::Down).0,
            images: Arc::default(),
            error: watch::channel(None).0,
        };
        tokio::spawn(workshop.clone().keep_up());
        workshop
    }

    /// What is wrong with the engine, if something is.
    pub(crate) fn error(&self) -> watch::Receiver<Option<String>> {
        self.error.subscribe()
    }

    /// Returns once sandboxes can be leased.
    pub(crate) async fn ready(&self) {
        // The sender is in `self`, so this does not fail.
        let _ = self.state.subscribe().wait_for(|state| matches!(state, State::Up { .. })).await;
    }

    /// Looks whether the engine still answers; if not, it is looked for until it is back.
    pub(crate) async fn check(&self) {
        let State::Up { engine, .. } = self.state.borrow().clone() else { return };
        if let Err(error) = engine.ping().await {
            tracing::warn!(%error, "the container engine is gone");
            self.error.send_replace(Some(error.to_string()));
            self.state.send_replace(State::Down);
        }
    }

    /// Leases a sandbox for a program. The steps of making an image ready are told to `progress`. An engine that is
    /// away is waited for: a job must not use up its tries on it.
    pub(crate) async fn open(
        &self,
        language: &Language,
        limits: &Limits,
        progress: mpsc::Sender<String>,
    ) -> Result<Sandbox, Fault> {
        loop {
            let state = self.state.borrow().clone();
            let State::Up { engine, pool } = state else {
                // Said once; a full channel has steps enough in it.
                let _ = progress.try_send("waiting for the container engine, which does not answer".into());
                self.ready().await;
                continue;
            };
            match self.open_in(&engine, &pool, language, limits, &progress).await {
                Err(fault) if fault.code == FaultCode::Engine => {
                    self.check().await;
                    if matches!(*self.state.borrow(), State::Up { .. }) {
                        return Err(fault);
                    }
                }
                opened => return opened,
            }
        }
    }

    async fn open_in(
        &self,
        engine: &Engine,
        pool: &Pool,
        language: &Language,
        limits: &Limits,
        progress: &mpsc::Sender<String>,
    ) -> Result<Sandbox, Fault> {
        let cell = self.images.lock().await.entry(language.id().clone()).or_default().clone();
        let image = cell.get_or_try_init(|| async {
            tracing::info!(language = %language.id(), "making the runner ready");
            let tell = |event: ProgressEvent| {
                // A full channel means that nobody can keep up with the steps; the next one says more anyway.
                let _ = progress.try_send(event.to_string());
            };
            Images::new(engine.clone(), &self.plan.locks).ready(language, &tell).await
        });
        let image = image.await.map_err(|error| match error {
            ImageError::Engine(error) => Fault::new(FaultCode::Engine, error),
            error => Fault::new(FaultCode::Image, error),
        })?;
        pool.open(image, limits.memory_mib).await
    }

    /// Removes all sandboxes.
    pub(crate) async fn shutdown(&self) {
        let state = self.state.send_replace(State::Down);
        if let State::Up { pool, .. } = state {
            pool.shutdown().await;
        }
    }

    async fn keep_up(self) {
        let mut states = self.state.subscribe();
        loop {
            match self.bring_up().await {
                Ok(state) => {
                    self.error.send_replace(None);
                    self.state.send_replace(state);
                    // Until somebody finds the engine gone.
                    let _ = states.wait_for(|state| matches!(state, State::Down)).await;
                    self.images.lock().await.clear();
                }
                Err(error) => {
                    if self.error.borrow().as_deref() != Some(&*error.to_string()) {
                        tracing::warn!(%error, "there is no usable container engine");
                    }
                    self.error.send_replace(Some(error.to_string()));
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    async fn bring_up(&self) -> Result<State, EngineError> {
        let plan = &self.plan;
        let engine = Engine::connect(plan.docker_host.as_deref()).await?;
        // What names no lock cannot be told to be a stray.
        let in_container = crate::instance::in_container();
        let lives = |_: &str, lock: Option<&Path>| {
            lock.is_none_or(|lock| !crate::instance::is_stray(lock, in_container))
        };
        match container::remove_strays(&engine, lives).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed sandboxes that a dead daemon had left"),
            Err(error) => tracing::warn!(%error, "sandboxes of dead daemons could not be removed"),
        }
        tracing::info!(info = ?engine.info(), "the container engine answers");
        for shortcoming in engine.info().shortcomings() {
            tracing::warn!(shortcoming, "the container engine protects less than it could");
        }
        let pool = Pool::new(
            engine.clone(),
            PoolConfig {
                instance: plan.instance.clone(),
                lock: Some(plan.lock.clone()),
                warm: plan.slots as usize + SPARE,
                inputs: Some(plan.inputs.clone()),
            },
        );
        Ok(State::Up { engine, pool })
    }
}
