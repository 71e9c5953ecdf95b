//! May this request pass? From memory first, then from Redis where there is one, then from the store.
//!
//! What is remembered is never older than a change that this process has heard of: [`Guard::heard`] first notes the
//! change, then forgets the key; whoever remembers something first stores it, then looks whether a change was noted
//! that is newer than what was read. So one of the two always sees the other.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use hyper::http::request::Parts;
use ipnet::IpNet;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};
use watchbell_common::{
    binding::{
        Binding, Mode, Reason, Verdict, decide,
        gateway::{FailMode, Rules, Runtime, WithoutKey},
        token::{self, KeyHash, KeyHasher, Places},
    },
    clock::{Clock, UnixMillis, millis},
    crypto::hex,
    ids::TenantId,
    queue::Queue,
    settings,
    store::{
        Store, StoreError,
        bindings::{self, Bound, Change},
    },
};

use crate::{
    cache::{Cache, Known},
    interceptions::Use,
    limiter::Limiter,
    refusal::Refusal,
    turns::Turns,
};

/// Look-ups in the store at a time; more wait. The pool has fewer connections.
const LOOKUPS_MAX: usize = 32;

/// How long a request waits for Redis or for the store, and how long the store is not asked again after it failed.
const REDIS_PATIENCE: Duration = Duration::from_millis(500);
const STORE_PATIENCE: Duration = Duration::from_secs(2);
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How long Redis remembers a binding.
const REDIS_TTL: Duration = Duration::from_mins(10);

/// Changes that are remembered, so that what Redis remembers from before them is not believed.
const CHANGES_MAX: usize = 100_000;

/// Interceptions that wait to be written. More are counted, but not logged.
const INTERCEPTIONS_WAITING_MAX: usize = 10_000;

/// The longest path that is logged.
const PATH_MAX_CHARS: usize = 512;

pub(crate) struct Guard {
    pub(crate) settings: settings::Gateway,
    pub(crate) tenant: TenantId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Arc<dyn Queue>,
    /// Whether other processes share the queue, so that it is worth asking.
    shared_queue: bool,
    hasher: KeyHasher,
    rules: ArcSwap<Rules>,
    pub(crate) cache: Cache,
    /// Absent until it was opened.
    pub(crate) store: ArcSwapOption<Store>,
    store_not_before: AtomicI64,
    changes: Mutex<Changes>,
    turns: Turns,
    lookups: Semaphore,
    limiter: Limiter,
    /// There are as many bindings as there may be.
    pub(crate) full: AtomicBool,
    /// Bindings with uses that were not written down yet.
    pub(crate) dirty: Mutex<Vec<Arc<Known>>>,
    /// Requests that passed, with a key or without, and were intercepted, since that was last written down.
    pub(crate) passed: AtomicU64,
    pub(crate) intercepted: AtomicU64,
    interceptions: mpsc::Sender<Use>,
}

#[derive(Default)]
struct Changes {
    /// Nothing that was read before this change is believed.
    floor: i64,
    by_key: HashMap<KeyHash, i64>,
}

/// Why nothing is known of a key.
#[derive(Debug)]
enum Unknown {
    Refused(Refusal),
    Unavailable,
}

impl From<StoreError> for Unknown {
    fn from(error: StoreError) -> Self {
        metrics::counter!("watchbell_gateway_store_failures_total").increment(1);
        tracing::debug!("looking up a binding: {error}");
        Self::Unavailable
    }
}

impl Guard {
    pub(crate) fn new(
        settings: settings::Gateway,
        hasher: KeyHasher,
        clock: Arc<dyn Clock>,
        queue: Arc<dyn Queue>,
        shared_queue: bool,
    ) -> (Self, mpsc::Receiver<Use>) {
        let (interceptions, waiting) = mpsc::channel(INTERCEPTIONS_WAITING_MAX);
        let guard = Self {
            tenant: TenantId(settings.tenant),
            rules: ArcSwap::from_pointee(Rules::new(&settings, &Runtime::default())),
            cache: Cache::new(settings.cache_entries),
            settings,
            clock,
            queue,
            shared_queue,
            hasher,
            store: ArcSwapOption::empty(),
            store_not_before: AtomicI64::new(0),
            changes: Mutex::default(),
            turns: Turns::default(),
            lookups: Semaphore::new(LOOKUPS_MAX),
            limiter: Limiter::default(),
            full: AtomicBool::new(false),
            dirty: Mutex::default(),
            passed: AtomicU64::new(0),
            intercepted: AtomicU64::new(0),
            interceptions,
        };
        (guard, waiting)
    }

    pub(crate) fn rules(&self) -> Rules {
        **self.rules.load()
    }

    /// Lays what was set while running over the settings.
    pub(crate) fn set_runtime(&self, runtime: &Runtime) {
        self.rules.store(Arc::new(Rules::new(&self.settings, runtime)));
    }

    /// Whether the request of a client may pass.
    pub(crate) async fn admit(&self, request: &Parts, client: IpAddr) -> Result<(), Refusal> {
        let admitted = self.check(request, client).await;
        self.passed.fetch_add(u64::from(admitted.is_ok()), Relaxed);
        admitted
    }

    async fn check(&self, request: &Parts, client: IpAddr) -> Result<(), Refusal> {
        let places = Places { google: self.settings.google_keys };
        let found = token::find(&request.headers, request.uri.query(), places);
        let Some(token) = found.map_err(|_| Refusal::KeysDiffer)? else {
            let refused = self.rules.load().without_key == WithoutKey::Refuse;
            return if refused { Err(Refusal::KeyMissing) } else { Ok(()) };
        };
        let key = self.hasher.hash(&token);
        let mut known = self.cache.get(&key);
        loop {
            let current = match known.take() {
                Some(known) => known,
                None => match self.find(key, &token, client).await {
                    Ok(known) => known,
                    Err(Unknown::Refused(refusal)) => return Err(refusal),
                    Err(Unknown::Unavailable) => return self.failed(),
                },
            };
            let verdict = decide(&current.binding, client, &self.rules.load().policy, self.clock.now_ms());
            match verdict {
                Verdict::Allowed => {
                    self.count_use(&current);
                    return Ok(());
                }
                Verdict::Learn(net) => {
                    if !self.learn(key, client, net).await {
                        // Nobody could write it down; the next use will be.
                        return Ok(());
                    }
                }
                Verdict::Observed(reason) => {
                    self.intercept(request, &current, &token, client, reason, false);
                    return Ok(());
                }
                Verdict::Refused(reason) => {
                    self.intercept(request, &current, &token, client, reason, true);
                    return Err(match reason {
                        Reason::Elsewhere => Refusal::Elsewhere,
                        Reason::Blocked => Refusal::Blocked,
                    });
                }
            }
        }
    }

    fn failed(&self) -> Result<(), Refusal> {
        match self.rules.load().fail_mode {
            FailMode::Closed => Err(Refusal::BindingsUnavailable),
            FailMode::Open => {
                metrics::counter!("watchbell_gateway_unchecked_total").increment(1);
                Ok(())
            }
        }
    }

    fn count_use(&self, known: &Arc<Known>) {
        if known.used() {
            self.dirty.lock().unwrap_or_else(PoisonError::into_inner).push(known.clone());
        }
    }

    fn intercept(&self, request: &Parts, known: &Known, token: &[u8], client: IpAddr, reason: Reason, refused: bool) {
        self.intercepted.fetch_add(1, Relaxed);
        metrics::counter!("watchbell_gateway_interceptions_total", "reason" => reason.as_str()).increment(1);
        let interception = Use {
            at: self.clock.now_ms(),
            key: known.key,
            masked: token::masked(token),
            bound: bindings::text(&known.binding.addresses),
            attempted: client,
            method: request.method.to_string(),
            path: request.uri.path().chars().take(PATH_MAX_CHARS).collect(),
            reason,
            refused,
        };
        if self.interceptions.try_send(interception).is_err() {
            metrics::counter!("watchbell_gateway_unlogged_interceptions_total").increment(1);
        }
    }

    /// What a key is bound to; binds it, when nobody did.
    async fn find(&self, key: KeyHash, token: &[u8], client: IpAddr) -> Result<Arc<Known>, Unknown> {
        let _turn = self.turns.take(key).await;
        loop {
            if let Some(known) = self.cache.get(&key) {
                return Ok(known);
            }
            let (as_of, binding) = match self.recall(key).await {
                Some(recalled) => recalled,
                None => self.look_up(key, token, client).await?,
            };
            if let Some(known) = self.remember(key, binding, as_of) {
                return Ok(known);
            }
        }
    }

    /// Keeps what was read, unless it changed since.
    fn remember(&self, key: KeyHash, binding: Binding, as_of: i64) -> Option<Arc<Known>> {
        let known = Arc::new(Known::new(key, binding));
        self.cache.put(known.clone());
        if self.believes(key, as_of) {
            return Some(known);
        }
        self.cache.forget(&key);
        None
    }

    fn believes(&self, key: KeyHash, as_of: i64) -> bool {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        as_of >= changes.floor && changes.by_key.get(&key).is_none_or(|changed| as_of >= *changed)
    }

    /// Nothing that was read before this change is believed from now on.
    pub(crate) fn raise_floor(&self, floor: i64) {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) = Changes { floor, by_key: HashMap::new() };
    }

    /// Hears of a change; `true` when it is one of the settings.
    pub(crate) fn heard(&self, number: i64, change: Change) -> bool {
        let Change::Binding(key) = change else { return true };
        {
            let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            if changes.by_key.len() >= CHANGES_MAX {
                *changes = Changes { floor: number, by_key: HashMap::new() };
            }
            changes.by_key.insert(key, number);
        }
        self.cache.forget(&key);
        false
    }

    /// What Redis remembers of a key.
    async fn recall(&self, key: KeyHash) -> Option<(i64, Binding)> {
        if !self.shared_queue {
            return None;
        }
        let answer = timeout(REDIS_PATIENCE, self.queue.recall(&self.note(key))).await.ok()?.ok()??;
        let (as_of, binding) = decode(&answer)?;
        self.believes(key, as_of).then_some((as_of, binding))
    }

    /// 24 bytes of the hash are as unlike any other's as all of them, and fit a note's name.
    fn note(&self, key: KeyHash) -> String {
        format!("gwb:{}:{}", self.tenant, hex(&key.0[..24]))
    }

    /// What the store says of a key, bound now if it was not; Redis is told.
    async fn look_up(&self, key: KeyHash, token: &[u8], client: IpAddr) -> Result<(i64, Binding), Unknown> {
        let now = self.clock.now_ms();
        let store = self.store.load_full().filter(|_| now >= self.store_not_before.load(Relaxed));
        let store = store.ok_or(Unknown::Unavailable)?;
        let _place = self.lookups.acquire().await.expect("the semaphore is never closed");
        let asked = timeout(STORE_PATIENCE, self.ask(&store, key, token, client, now)).await;
        let asked = asked.unwrap_or(Err(Unknown::Unavailable));
        if matches!(asked, Err(Unknown::Unavailable)) {
            self.store_not_before.store(self.clock.now_ms() + millis(STORE_PAUSE), Relaxed);
        }
        let (as_of, bound) = asked?;
        if self.shared_queue {
            let (name, note) = (self.note(key), encode(as_of, &bound.binding));
            // Without Redis, the next process asks the store.
            let _ = timeout(REDIS_PATIENCE, self.queue.remember(&name, note, REDIS_TTL)).await;
        }
        Ok((as_of, bound.binding))
    }

    async fn ask(
        &self,
        store: &Store,
        key: KeyHash,
        token: &[u8],
        client: IpAddr,
        now: UnixMillis,
    ) -> Result<(i64, Bound), Unknown> {
        let found = bindings::get(&mut *store.begin_read().await?, self.tenant, key).await?;
        if let Some(bound) = found.bound {
            return Ok((found.as_of, bound));
        }
        let rules = self.rules();
        let net = rules.policy.net(client);
        if self.full.load(Relaxed) {
            return Err(Unknown::Refused(Refusal::TooManyBindings));
        }
        if !self.limiter.allows(net, rules.first_binds_per_minute, now) {
            return Err(Unknown::Refused(Refusal::TooManyNewKeys));
        }
        let mut tx = store.begin().await?;
        let new = bindings::bind(&mut tx, self.tenant, key, &token::masked(token), net, now).await?;
        let found = bindings::get(&mut tx, self.tenant, key).await?;
        tx.commit().await.map_err(StoreError::from)?;
        if new {
            metrics::counter!("watchbell_gateway_bindings_made_total").increment(1);
        }
        // Unbound again in this very moment: the client's next attempt binds it.
        Ok((found.as_of, found.bound.ok_or(Unknown::Unavailable)?))
    }

    /// Adds a network to a binding, unless another change came first; then the binding is to be looked at again.
    /// `false`: it cannot be written down at the moment.
    async fn learn(&self, key: KeyHash, client: IpAddr, net: IpNet) -> bool {
        let _turn = self.turns.take(key).await;
        let Some(store) = self.store.load_full() else { return false };
        let learned = timeout(STORE_PATIENCE, self.write_learned(&store, key, client, net)).await;
        self.cache.forget(&key);
        learned.is_ok_and(|learned| {
            learned.inspect_err(|error| tracing::debug!("learning an address: {error}")).is_ok_and(|number| {
                // What Redis remembers is from before.
                self.heard(number, Change::Binding(key));
                true
            })
        })
    }

    async fn write_learned(&self, store: &Store, key: KeyHash, client: IpAddr, net: IpNet) -> Result<i64, StoreError> {
        let now = self.clock.now_ms();
        let mut tx = store.begin().await?;
        let found = bindings::get(&mut tx, self.tenant, key).await?;
        let policy = self.rules().policy;
        if let Some(bound) = &found.bound
            && matches!(decide(&bound.binding, client, &policy, now), Verdict::Learn(_))
        {
            bindings::learn(&mut tx, self.tenant, bound, net, now).await?;
        }
        let number = bindings::last_change(&mut tx).await?;
        tx.commit().await?;
        Ok(number)
    }
}

/// A binding as Redis keeps it: the number of the last change it knows of, mode, blocked, addresses.
fn encode(as_of: i64, binding: &Binding) -> Bytes {
    let blocked = u8::from(binding.blocked);
    let (mode, addresses) = (binding.mode.as_str(), bindings::text(&binding.addresses));
    format!("{as_of} {mode} {blocked} {addresses}").into()
}

fn decode(bytes: &Bytes) -> Option<(i64, Binding)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut words = text.split_ascii_whitespace();
    let as_of = words.next()?.parse().ok()?;
    let mode = match words.next()? {
        "single" => Mode::Single,
        "multiple" => Mode::Multiple,
        "all" => Mode::All,
        _ => return None,
    };
    let blocked = words.next()? == "1";
    let addresses = words.map(|word| word.parse::<IpNet>().ok()).collect::<Option<Vec<_>>>()?;
    Some((as_of, Binding { mode, addresses: addresses.into(), blocked }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_comes_back_from_redis_as_it_went_and_nonsense_is_nothing() {
        let nets = ["192.0.2.0/24", "2001:db8::/64"].map(|net| net.parse().unwrap());
        let binding = Binding { mode: Mode::Multiple, addresses: nets.to_vec().into(), blocked: true };
        assert_eq!(decode(&encode(7, &binding)), Some((7, binding)));
        for text in ["", "x", "1 some 0", "1 single 0 nowhere"] {
            assert_eq!(decode(&Bytes::from(text)), None, "{text}");
        }
    }
}
