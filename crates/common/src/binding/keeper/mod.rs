//! The keeper of a door's bindings: may this secret be used from there? The one implementation, for the key gateway and
//! for our own doors. From memory first, then from Redis where there is one, then from the store.
//!
//! What is remembered is never older than a change that this process has heard of: [`Keeper::heard`] first notes the
//! change, then forgets the secret; whoever remembers something first stores it, then looks whether a change was noted
//! that is newer than what was read. So one of the two always sees the other.
//!
//! Reading order: this file (one use), [`lookup`] (a secret that is not in memory), then what goes on beside: [`follow`],
//! [`uses`], [`interceptions`], [`house`].

mod cache;
mod follow;
mod house;
mod interceptions;
mod limiter;
mod lookup;
mod turns;
mod uses;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use self::{
    cache::{Cache, Known},
    interceptions::Use,
    limiter::Limiter,
    turns::Turns,
};
use super::{
    Reason, Verdict, decide,
    gateway::{FailMode, Rules, Runtime},
    token::KeyHash,
};
use crate::{
    clock::Clock,
    ids::TenantId,
    queue::Queue,
    settings::{self, Settings},
    shared::Shared,
    store::{Store, bindings},
};

/// Look-ups in the store at a time; more wait. The pool has fewer connections.
const LOOKUPS_MAX: usize = 32;

/// Changes that are remembered, so that what Redis remembers from before them is not believed.
const CHANGES_MAX: usize = 100_000;

/// Interceptions that wait to be written. More are counted, but not logged.
const INTERCEPTIONS_WAITING_MAX: usize = 10_000;

/// The longest path that is logged.
const PATH_MAX_CHARS: usize = 512;

/// What a door calls itself and what it binds.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// The source of its alerts, in rules too.
    pub source: &'static str,
    /// The system of its alerts.
    pub system: &'static str,
    /// What it binds, as its alerts begin.
    pub binds: &'static str,
    /// The metric that counts what it intercepted.
    pub counter: &'static str,
}

/// Whose rules a keeper follows.
#[derive(Debug, Clone, Copy)]
pub enum Follows {
    /// Those that were set while running for a tenant, over its settings.
    Tenant(TenantId),
    /// What stands in its settings, with this over it.
    Only(Runtime),
}

/// A secret that somebody uses. Its masked form is asked for when it is needed, which is seldom.
pub struct Secret<'a> {
    pub tenant: TenantId,
    pub key: KeyHash,
    pub masked: &'a (dyn Fn() -> String + Sync),
}

/// For what it is used, as the log tells it.
pub struct Purpose<'a> {
    pub method: &'a str,
    /// Without a query, which may hold a secret.
    pub path: &'a str,
}

/// Why a use is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The secret is bound to other addresses.
    Elsewhere,
    /// A person blocked it.
    Blocked,
    /// Too many new secrets from this address.
    TooManyNew,
    /// Too many bindings in all.
    TooManyBindings,
    /// Nobody can say what it is bound to.
    Unavailable,
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Elsewhere => Self::Elsewhere,
            Reason::Blocked => Self::Blocked,
        }
    }
}

/// Decides about uses. Everything that it waits for has a limit.
pub struct Keeper {
    door: Door,
    follows: Follows,
    settings: settings::Gateway,
    clock: Arc<dyn Clock>,
    queue: Arc<dyn Queue>,
    /// Whether other processes share the queue, so that it is worth asking.
    shared_queue: bool,
    rules: ArcSwap<Rules>,
    cache: Cache,
    /// Absent until it was opened.
    store: ArcSwapOption<Store>,
    opened: CancellationToken,
    started: Instant,
    store_not_before: AtomicI64,
    /// Look-ups in a row that the store did not answer.
    failures: AtomicU32,
    changes: Mutex<Changes>,
    turns: Turns,
    lookups: Semaphore,
    limiter: Limiter,
    /// Tenants that have as many bindings as they may.
    full: ArcSwap<HashSet<TenantId>>,
    /// Bindings with uses that were not written down yet.
    dirty: Mutex<Vec<Arc<Known>>>,
    /// Requests that passed without a binding that counted them, since that was last written down.
    uncounted: AtomicU64,
    interceptions: mpsc::Sender<Use>,
}

#[derive(Default)]
struct Changes {
    /// Nothing that was read before this change is believed.
    floor: i64,
    by_key: HashMap<KeyHash, i64>,
}

/// What goes on beside the requests; without it, no change is heard of and nothing is written down.
pub struct Beside {
    keeper: Arc<Keeper>,
    waiting: mpsc::Receiver<Use>,
    settings: Arc<Settings>,
    tenants: Tenants,
}

/// Whose old bindings are cleared away.
type Tenants = Box<dyn Fn() -> Vec<TenantId> + Send + Sync>;

impl Keeper {
    /// A keeper, and what has to run beside it. `tenants` are those whose secrets it binds.
    pub fn new(
        shared: &Shared,
        door: Door,
        follows: Follows,
        tenants: impl Fn() -> Vec<TenantId> + Send + Sync + 'static,
    ) -> (Arc<Self>, Beside) {
        let settings = shared.settings.gateway.clone();
        let first = match follows {
            Follows::Tenant(_) => Runtime::default(),
            Follows::Only(runtime) => runtime,
        };
        let (interceptions, waiting) = mpsc::channel(INTERCEPTIONS_WAITING_MAX);
        let keeper = Arc::new(Self {
            door,
            follows,
            rules: ArcSwap::from_pointee(Rules::new(&settings, &first)),
            cache: Cache::new(settings.cache_entries),
            settings,
            clock: shared.clock.clone(),
            queue: shared.queue.clone(),
            shared_queue: !shared.settings.embedded(),
            store: ArcSwapOption::empty(),
            opened: CancellationToken::new(),
            started: Instant::now(),
            store_not_before: AtomicI64::new(0),
            failures: AtomicU32::new(0),
            changes: Mutex::default(),
            turns: Turns::default(),
            lookups: Semaphore::new(LOOKUPS_MAX),
            limiter: Limiter::default(),
            full: ArcSwap::default(),
            dirty: Mutex::default(),
            uncounted: AtomicU64::new(0),
            interceptions,
        });
        let settings = shared.settings.clone();
        (keeper.clone(), Beside { keeper, waiting, settings, tenants: Box::new(tenants) })
    }

    /// What holds now.
    pub fn rules(&self) -> Rules {
        **self.rules.load()
    }

    /// How many bindings are in memory.
    pub fn known(&self) -> usize {
        self.cache.len()
    }

    /// Returns when the store was opened. Until then, every use of a secret that nobody remembers waits for it while the
    /// process is new, and meets the fail mode afterwards.
    async fn opened(&self) {
        self.opened.cancelled().await;
    }

    fn set_store(&self, store: Store) {
        self.store.store(Some(Arc::new(store)));
        self.opened.cancel();
    }

    /// Counts a request that passed without a secret.
    pub fn count_without(&self) {
        self.uncounted.fetch_add(1, Relaxed);
    }

    /// Whether a secret may be used from an address; a first use binds it. What is intercepted is logged and counted.
    ///
    /// # Errors
    /// Why it may not.
    pub async fn check(&self, secret: &Secret<'_>, client: IpAddr, purpose: &Purpose<'_>) -> Result<(), Denied> {
        let mut known = self.cache.get(&secret.key);
        loop {
            let current = match known.take() {
                Some(known) => known,
                None => match self.find(secret, client).await {
                    Ok(known) => known,
                    Err(Denied::Unavailable) => return self.failed(),
                    Err(denied) => return Err(denied),
                },
            };
            match decide(&current.binding, client, &self.rules.load().policy, self.clock.now_ms()) {
                Verdict::Allowed => {
                    self.count_use(&current);
                    return Ok(());
                }
                Verdict::Learn(net) => {
                    if !self.learn(secret, client, net).await {
                        // Nobody could write it down; the next use will be.
                        self.count_without();
                        return Ok(());
                    }
                }
                Verdict::Observed(reason) => {
                    self.intercept(secret, &current, client, purpose, reason, false);
                    self.count_without();
                    return Ok(());
                }
                Verdict::Refused(reason) => {
                    self.intercept(secret, &current, client, purpose, reason, true);
                    return Err(reason.into());
                }
            }
        }
    }

    fn failed(&self) -> Result<(), Denied> {
        match self.rules.load().fail_mode {
            FailMode::Closed => Err(Denied::Unavailable),
            FailMode::Open => {
                metrics::counter!("watchbell_gateway_unchecked_total").increment(1);
                self.count_without();
                Ok(())
            }
        }
    }

    fn count_use(&self, known: &Arc<Known>) {
        if known.used() {
            self.dirty.lock().unwrap_or_else(PoisonError::into_inner).push(known.clone());
        }
    }

    fn intercept(
        &self,
        secret: &Secret<'_>,
        known: &Known,
        client: IpAddr,
        purpose: &Purpose<'_>,
        reason: Reason,
        refused: bool,
    ) {
        metrics::counter!(self.door.counter, "reason" => reason.as_str()).increment(1);
        let interception = Use {
            tenant: secret.tenant,
            at: self.clock.now_ms(),
            key: known.key,
            masked: (secret.masked)(),
            bound: bindings::text(&known.binding.addresses),
            attempted: client,
            method: purpose.method.to_owned(),
            path: purpose.path.chars().take(PATH_MAX_CHARS).collect(),
            reason,
            refused,
        };
        if self.interceptions.try_send(interception).is_err() {
            metrics::counter!("watchbell_gateway_unlogged_interceptions_total").increment(1);
        }
    }
}

impl Beside {
    /// Runs until `stop`; what the last requests left is written when they have `ended`. Without a store, it opens one,
    /// as long as that takes; known secrets need none.
    ///
    /// # Errors
    /// A store that never will be.
    pub async fn run(
        self,
        store: Option<Store>,
        stop: CancellationToken,
        ended: CancellationToken,
    ) -> anyhow::Result<()> {
        let Self { keeper, waiting, settings, tenants } = self;
        let ours = store.is_none();
        tokio::try_join!(
            follow::run(&keeper, &settings, store, &stop),
            uses::run(&keeper, &ended),
            house::run(&keeper, &*tenants, &stop),
            interceptions::run(keeper.clone(), waiting, ended.clone()),
        )?;
        if let Some(store) = keeper.store.load_full().filter(|_| ours) {
            store.close().await;
        }
        Ok(())
    }
}
