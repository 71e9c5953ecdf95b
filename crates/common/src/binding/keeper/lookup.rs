//! A secret that is not in memory: Redis and the store are asked, and a first use binds it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use bytes::Bytes;
use ipnet::IpNet;
use tokio::time::{Instant, timeout, timeout_at};

use super::{CHANGES_MAX, Changes, Denied, Keeper, Secret, cache::Known};
use crate::{
    binding::{Binding, Mode, Verdict, decide, token::KeyHash},
    clock::{UnixMillis, millis},
    crypto::hex,
    store::{
        Store, StoreError,
        bindings::{self, Bound},
    },
};

/// How long a request waits for Redis or for the store.
const REDIS_PATIENCE: Duration = Duration::from_millis(500);
const STORE_PATIENCE: Duration = Duration::from_secs(2);

/// After so many look-ups in a row without an answer, the store is not asked for a moment. One alone says nothing of
/// other keys: somebody may hold its row.
const FAILURES_MAX: u32 = 3;
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// So long after the start of a process its first uses wait until the store is open: so that a restart refuses nobody
/// whose key is bound, and lets nobody pass unseen.
const STORE_WAIT: Duration = Duration::from_secs(3);

/// How long Redis remembers a binding.
const REDIS_TTL: Duration = Duration::from_mins(10);

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        tracing::debug!("looking up a binding: {error}");
        Self::Unavailable
    }
}

impl Keeper {
    /// What a secret is bound to; binds it, when nobody did.
    pub(super) async fn find(&self, secret: &Secret<'_>, client: IpAddr) -> Result<Arc<Known>, Denied> {
        let key = secret.key;
        let arrived = Instant::now();
        let mut turn = self.turns.take(key).await;
        loop {
            if let Some(known) = self.cache.get(&key) {
                return Ok(known);
            }
            if turn.failed_since(arrived) {
                return Err(Denied::Unavailable);
            }
            let (as_of, binding) = match self.recall(secret).await {
                Some(recalled) => recalled,
                None => self.look_up(secret, client).await.inspect_err(|denied| {
                    if *denied == Denied::Unavailable {
                        turn.failed();
                    }
                })?,
            };
            if let Some(known) = self.remember(secret, binding, as_of) {
                return Ok(known);
            }
        }
    }

    /// Keeps what was read, unless it changed since.
    fn remember(&self, secret: &Secret<'_>, binding: Binding, as_of: i64) -> Option<Arc<Known>> {
        let key = secret.key;
        let known = Arc::new(Known::new(secret.tenant, key, binding));
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
    pub(super) fn raise_floor(&self, floor: i64) {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) = Changes { floor, by_key: HashMap::new() };
    }

    /// Hears that a binding was changed.
    pub(super) fn heard(&self, number: i64, key: KeyHash) {
        {
            let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            if changes.by_key.len() >= CHANGES_MAX {
                *changes = Changes { floor: number, by_key: HashMap::new() };
            }
            changes.by_key.insert(key, number);
        }
        self.cache.forget(&key);
    }

    /// What Redis remembers of a secret.
    async fn recall(&self, secret: &Secret<'_>) -> Option<(i64, Binding)> {
        if !self.shared_queue {
            return None;
        }
        let answer = timeout(REDIS_PATIENCE, self.queue.recall(&note(secret))).await.ok()?.ok()??;
        let (as_of, binding) = decode(&answer)?;
        self.believes(secret.key, as_of).then_some((as_of, binding))
    }

    /// What the store says of a secret, bound now if it was not; Redis is told.
    async fn look_up(&self, secret: &Secret<'_>, client: IpAddr) -> Result<(i64, Binding), Denied> {
        if self.store.load().is_none() {
            let _ = timeout_at(self.started + STORE_WAIT, self.opened()).await;
        }
        let _place = self.lookups.acquire().await.expect("the semaphore is never closed");
        // Only now, so that whoever waited for a place hears that the store failed meanwhile.
        let now = self.clock.now_ms();
        let store = self.store.load_full().filter(|_| now >= self.store_not_before.load(Relaxed));
        let store = store.ok_or(Denied::Unavailable)?;
        metrics::counter!("watchbell_gateway_store_lookups_total").increment(1);
        let asked = timeout(STORE_PATIENCE, self.ask(&store, secret, client, now)).await;
        let asked = asked.unwrap_or(Err(Denied::Unavailable));
        self.note(matches!(asked, Err(Denied::Unavailable)));
        let (as_of, bound) = asked?;
        if self.shared_queue {
            let (name, note) = (note(secret), encode(as_of, &bound.binding));
            // Without Redis, the next process asks the store.
            let _ = timeout(REDIS_PATIENCE, self.queue.remember(&name, note, REDIS_TTL)).await;
        }
        Ok((as_of, bound.binding))
    }

    /// Leaves the store alone for a moment once nobody gets an answer any more.
    fn note(&self, failed: bool) {
        if !failed {
            return self.failures.store(0, Relaxed);
        }
        metrics::counter!("watchbell_gateway_store_failures_total").increment(1);
        if self.failures.fetch_add(1, Relaxed) + 1 >= FAILURES_MAX {
            self.store_not_before.store(self.clock.now_ms() + millis(STORE_PAUSE), Relaxed);
        }
    }

    async fn ask(
        &self,
        store: &Store,
        secret: &Secret<'_>,
        client: IpAddr,
        now: UnixMillis,
    ) -> Result<(i64, Bound), Denied> {
        let &Secret { tenant, key, masked } = secret;
        let found = bindings::get(&mut *store.begin_read().await?, tenant, key).await?;
        if let Some(bound) = found.bound {
            return Ok((found.as_of, bound));
        }
        let rules = self.rules();
        let net = rules.policy.net(client);
        if self.full.load().contains(&tenant) {
            return Err(Denied::TooManyBindings);
        }
        if !self.limiter.allows(net, rules.first_binds_per_minute, now) {
            return Err(Denied::TooManyNew);
        }
        let mut tx = store.begin().await?;
        let new = bindings::bind(&mut tx, tenant, key, &masked(), net, now).await?;
        let found = bindings::get(&mut tx, tenant, key).await?;
        tx.commit().await.map_err(StoreError::from)?;
        if new {
            metrics::counter!("watchbell_gateway_bindings_made_total").increment(1);
        }
        // Unbound again in this very moment: the client's next attempt binds it.
        Ok((found.as_of, found.bound.ok_or(Denied::Unavailable)?))
    }

    /// Adds a network to a binding, unless another change came first; then the binding is to be looked at again.
    /// `false`: it cannot be written down at the moment.
    pub(super) async fn learn(&self, secret: &Secret<'_>, client: IpAddr, net: IpNet) -> bool {
        let key = secret.key;
        let _turn = self.turns.take(key).await;
        let Some(store) = self.store.load_full() else { return false };
        let learned = timeout(STORE_PATIENCE, self.write_learned(&store, secret, client, net)).await;
        self.cache.forget(&key);
        learned.is_ok_and(|learned| {
            learned.inspect_err(|error| tracing::debug!("learning an address: {error}")).is_ok_and(|number| {
                // What Redis remembers is from before.
                self.heard(number, key);
                true
            })
        })
    }

    async fn write_learned(
        &self,
        store: &Store,
        secret: &Secret<'_>,
        client: IpAddr,
        net: IpNet,
    ) -> Result<i64, StoreError> {
        let &Secret { tenant, key, .. } = secret;
        let now = self.clock.now_ms();
        let mut tx = store.begin().await?;
        let found = bindings::get(&mut tx, tenant, key).await?;
        let policy = self.rules().policy;
        if let Some(bound) = &found.bound
            && matches!(decide(&bound.binding, client, &policy, now), Verdict::Learn(_))
        {
            bindings::learn(&mut tx, tenant, bound, net, now).await?;
        }
        let number = bindings::last_change(&mut tx).await?;
        tx.commit().await?;
        Ok(number)
    }
}

/// 24 bytes of the hash are as unlike any other's as all of them, and fit a note's name.
fn note(secret: &Secret<'_>) -> String {
    format!("gwb:{}:{}", secret.tenant, hex(&secret.key.0[..24]))
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
