//! Warm containers, by image.
//!
//! ```text
//! open ──▶ idle container of the image (pinged) ──▶ Sandbox ──close──▶ wiped and checked ─┬─▶ idle again
//!   └────▶ none: one that is being wiped, soon    else: a new one     (in the background) └─▶ destroyed, replaced
//! ```

mod users;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codementor_protocol::{Fault, FaultCode, InstanceId};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::container::{self, Container, ContainerControl, ContainerSpec};
use crate::engine::{Engine, EngineError};
use crate::image::Image;
use crate::sandbox::{GRACE, Parts, Sandbox, container_mib};
use crate::session::Session;

use users::Users;

/// How many submissions a container serves before it is replaced, so that whatever slowly builds up in one goes away.
const SERVES: u32 = 200;

/// How long a warm container may take to answer before another one is taken.
const PING_TIME: Duration = Duration::from_secs(2);

/// How long a container that is being wiped is waited for; making a new one takes longer than wiping usually does.
const RETURN_TIME: Duration = Duration::from_millis(60);

/// How a pool is set up.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The daemon that the containers belong to.
    pub instance: InstanceId,
    /// The file that the daemon holds locked for as long as it lives.
    pub lock: Option<PathBuf>,
    /// How many idle containers are kept, of all images together. The image that was not asked for the longest loses
    /// its containers first.
    pub warm: usize,
    /// The judge's cache of inputs, mounted read-only in every container.
    pub inputs: Option<PathBuf>,
}

/// Warm containers. Cheap to clone; all clones are one pool.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    engine: Engine,
    config: PoolConfig,
    serves: u32,
    users: Users,
    state: Mutex<State>,
    returned: Notify,
    /// The work that nobody waits for: wiping, replacing, removing.
    background: TaskTracker,
    runtime: tokio::runtime::Handle,
}

#[derive(Default)]
struct State {
    /// Idle containers, those used last at the end.
    idle: Vec<Parts>,
    /// How many containers of an image, by its id, are being wiped.
    returning: HashMap<String, usize>,
    /// Every container that this pool has made and not removed.
    living: HashMap<String, ContainerControl>,
    closed: bool,
}

impl Pool {
    /// A pool without containers. Must be called within a runtime, which then does its background work.
    pub fn new(engine: Engine, config: PoolConfig) -> Self {
        Self::serving(engine, config, SERVES)
    }

    /// A pool whose containers are replaced after `serves` submissions.
    pub fn serving(engine: Engine, config: PoolConfig, serves: u32) -> Self {
        let users = Users::new(engine.info().rootless || engine.info().userns);
        Self {
            inner: Arc::new(Inner {
                engine,
                config,
                serves,
                users,
                state: Mutex::default(),
                returned: Notify::new(),
                background: TaskTracker::new(),
                runtime: tokio::runtime::Handle::current(),
            }),
        }
    }

    /// Lends a container of `image`. `memory_mib` is what the first program will be judged by; getting it right saves
    /// changing it.
    pub async fn open(&self, image: &Image, memory_mib: u64) -> Result<Sandbox, Fault> {
        let home = Home { inner: self.inner.clone() };
        let memory_mib = container_mib(memory_mib);
        while let Some(mut parts) = self.take_idle(image, memory_mib).await {
            match parts.session.ping(PING_TIME).await {
                Ok(()) => return Ok(Sandbox::new(parts, home)),
                // No program has touched it yet, so nobody needs to hear of it.
                Err(error) => {
                    tracing::warn!(container = parts.control().id(), %error, "a warm container was dead");
                }
            }
        }
        let parts = home.create(image, memory_mib).await?;
        Ok(Sandbox::new(parts, home))
    }

    /// Makes an idle container of `image` in the background, unless there is one.
    pub fn warm(&self, image: &Image, memory_mib: u64) {
        self.inner.replenish(image.clone(), container_mib(memory_mib));
    }

    /// Waits until everything that was given back is idle or removed.
    pub async fn settle(&self) {
        self.inner.background.close();
        self.inner.background.wait().await;
        self.inner.background.reopen();
    }

    /// The engine's ids of the idle containers.
    pub fn idle(&self) -> Vec<String> {
        self.inner.state().idle.iter().map(|parts| parts.control().id().to_owned()).collect()
    }

    /// Removes every container, the lent ones too, and waits until they are gone. No more can be opened.
    pub async fn shutdown(&self) {
        let (idle, living) = {
            let mut state = self.inner.state();
            state.closed = true;
            let living: Vec<_> = state.living.drain().map(|(_, control)| control).collect();
            (std::mem::take(&mut state.idle), living)
        };
        drop(idle);
        futures::future::join_all(living.into_iter().map(|control| self.inner.clone().remove(control))).await;
        self.inner.background.close();
        self.inner.background.wait().await;
    }

    async fn take_idle(&self, image: &Image, memory_mib: u64) -> Option<Parts> {
        let deadline = tokio::time::Instant::now() + RETURN_TIME;
        loop {
            let returned = self.inner.returned.notified();
            tokio::pin!(returned);
            // Registered before the look, so that one that comes back in between is not missed.
            returned.as_mut().enable();
            let (taken, on_its_way, dead) = {
                let mut state = self.inner.state();
                let dead = state.bury();
                (state.take(image, memory_mib), state.returning.contains_key(&image.id), dead)
            };
            // Dropped without the lock: what they do when dropped takes it.
            drop(dead);
            if taken.is_some() || !on_its_way {
                return taken;
            }
            tokio::time::timeout_at(deadline, returned).await.ok()?;
        }
    }
}

impl State {
    /// An idle container of the image, if possible one with the right limit, and of those the one used last.
    fn take(&mut self, image: &Image, memory_mib: u64) -> Option<Parts> {
        let fits = |parts: &Parts| parts.image.id == image.id;
        let right = |parts: &Parts| fits(parts) && parts.memory_mib == memory_mib;
        let place = self.idle.iter().rposition(right).or_else(|| self.idle.iter().rposition(fits))?;
        Some(self.idle.remove(place))
    }

    /// Those whose container has ended while nobody talked to it.
    fn bury(&mut self) -> Vec<Parts> {
        self.idle.extract_if(.., |parts| !parts.session.is_alive()).collect()
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change to the state is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(self.background.track_future(work));
    }

    async fn remove(self: Arc<Self>, control: ContainerControl) {
        if let Err(error) = control.remove().await {
            // It carries our labels: the next start of the daemon finds it.
            tracing::warn!(container = control.id(), %error, "a container could not be removed");
        }
    }

    async fn create(self: &Arc<Self>, image: &Image, memory_mib: u64) -> Result<Parts, Fault> {
        let spec = ContainerSpec {
            memory_mib,
            inputs: self.config.inputs.as_deref(),
            lock: self.config.lock.as_deref(),
            ..ContainerSpec::new(image, &self.config.instance)
        };
        let engine_fault = |error: EngineError| Fault::new(FaultCode::Engine, error);
        let Container { control, stdin, output, .. } =
            container::create(&self.engine, &spec).await.map_err(engine_fault)?;
        let housed = Housed { control: control.clone(), inner: self.clone() };
        {
            let mut state = self.state();
            if state.closed {
                return Err(Fault::new(FaultCode::Sandbox, "the judge is shutting down"));
            }
            state.living.insert(control.id().to_owned(), control);
        }
        let session = Session::open(stdin, output).await?;
        Ok(Parts {
            session,
            housed,
            image: image.clone(),
            memory_mib,
            begins_with_mib: memory_mib,
            served: 0,
            last_run: 0,
        })
    }

    fn replenish(self: &Arc<Self>, image: Image, memory_mib: u64) {
        let there = |state: &State| {
            state.closed
                || state.idle.iter().any(|parts| parts.image.id == image.id && parts.session.is_alive())
        };
        if there(&self.state()) {
            return;
        }
        let inner = self.clone();
        self.spawn(async move {
            match inner.create(&image, memory_mib).await {
                Ok(parts) => inner.keep(parts),
                Err(fault) => tracing::warn!(image = image.tag, %fault, "no container could be made ready"),
            }
        });
    }

    /// Puts a container among the idle ones, and removes one too many.
    fn keep(&self, parts: Parts) {
        let mut state = self.state();
        let mut surplus = state.bury();
        if state.closed {
            surplus.push(parts);
        } else {
            state.idle.push(parts);
            while state.idle.len() > self.config.warm {
                surplus.push(state.idle.remove(0));
            }
        }
        drop(state);
        drop(surplus);
    }
}

/// A container's way back to its pool.
#[derive(Clone)]
pub(crate) struct Home {
    inner: Arc<Inner>,
}

impl Home {
    pub(crate) async fn create(&self, image: &Image, memory_mib: u64) -> Result<Parts, Fault> {
        self.inner.create(image, memory_mib).await
    }

    /// Two users that no other program on this host runs under: who builds, and who runs.
    pub(crate) fn users(&self) -> (u32, u32) {
        self.inner.users.next()
    }

    /// Takes a container back; `used` when a submission was begun in it.
    pub(crate) fn take_back(self, mut parts: Parts, used: bool) {
        let image = parts.image.clone();
        let inner = self.inner;
        *inner.state().returning.entry(image.id.clone()).or_default() += 1;
        inner.clone().spawn(async move {
            let wiped = if used { parts.session.finish(GRACE).await } else { Ok(()) };
            parts.served += u32::from(used);
            let memory_mib = parts.begins_with_mib;
            match wiped {
                Ok(()) if parts.served < inner.serves => {
                    // Where it fails, the next submission finds the limit as it is, and changes it if it must.
                    let _ = parts.resize(memory_mib).await;
                    inner.keep(parts);
                }
                result => {
                    if let Err(error) = result {
                        tracing::warn!(container = parts.control().id(), %error, "a container is destroyed");
                    }
                    drop(parts);
                    inner.replenish(image.clone(), memory_mib);
                }
            }
            let mut state = inner.state();
            if let Some(count) = state.returning.get_mut(&image.id) {
                *count -= 1;
                if *count == 0 {
                    state.returning.remove(&image.id);
                }
            }
            drop(state);
            inner.returned.notify_waiters();
        });
    }
}

/// The life of a container: when this is dropped, the container is removed in the background.
pub(crate) struct Housed {
    control: ContainerControl,
    inner: Arc<Inner>,
}

impl Housed {
    pub(crate) fn control(&self) -> &ContainerControl {
        &self.control
    }
}

impl Drop for Housed {
    fn drop(&mut self) {
        self.inner.state().living.remove(self.control.id());
        self.inner.spawn(self.inner.clone().remove(self.control.clone()));
    }
}
