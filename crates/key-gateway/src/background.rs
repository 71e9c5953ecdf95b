//! What goes on beside the requests: the store is opened, changes are heard, uses are written down, old rows go.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    clock::millis,
    settings::Settings,
    store::{
        Store, StoreError, bindings, interceptions, leases,
        usage::{self, Day},
    },
};

use crate::{guard::Guard, sources::SourceWatch};

/// How long between two attempts to open the store.
const OPEN_PAUSE: Duration = Duration::from_secs(1);

/// How often changes are asked for: they hold everywhere within a second.
const CHANGES_POLL: Duration = Duration::from_millis(250);
const CHANGES_BATCH: i64 = 1_000;

/// After this long without the store, what is remembered is forgotten: changes are kept for twice as long.
const CHANGES_MISSED_MAX: Duration = Duration::from_hours(12);
const CHANGES_KEPT: Duration = Duration::from_hours(24);

/// How often uses are written down.
const USES_FLUSH: Duration = Duration::from_secs(5);

/// How often old rows are looked for, by one process at a time, and how many go in one transaction.
const HOUSE_PAUSE: Duration = Duration::from_mins(1);
const HOUSE_LEASE: Duration = Duration::from_mins(3);
const HOUSE_BATCH: i64 = 500;

/// How long archived bindings and the counts of days are kept.
const ARCHIVE_KEPT: Duration = Duration::from_hours(365 * 24);
const DAYS_KEPT: i64 = 400;

const DAY: Duration = Duration::from_hours(24);

/// Opens the store, however long it takes. Until then, unknown keys meet the fail mode.
pub(crate) async fn open_store(guard: &Guard, settings: &Settings, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut told = false;
    while guard.store.load().is_none() {
        match Store::open(&settings.database.url, &settings.data.dir).await {
            Ok(store) => guard.store.store(Some(Arc::new(store))),
            Err(error) if error.is_transient() => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("the gateway waits for the store: {error}");
                }
                if stop.run_until_cancelled(sleep(OPEN_PAUSE)).await.is_none() {
                    return Ok(());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Hears of changed bindings and settings until `stop`.
pub(crate) async fn follow(guard: Arc<Guard>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut last = None;
    let mut heard_at = guard.clock.now_ms();
    let mut away = false;
    while stop.run_until_cancelled(sleep(CHANGES_POLL)).await.is_some() {
        let Some(store) = guard.store.load_full() else { continue };
        let now = guard.clock.now_ms();
        if now - heard_at > millis(CHANGES_MISSED_MAX) {
            last = None;
        }
        match hear(&guard, &store, last).await {
            Ok(number) => {
                (last, heard_at) = (Some(number), now);
                if std::mem::take(&mut away) {
                    tracing::info!("the store of bindings is back");
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!("the store of bindings is away; known keys go on: {error}");
                }
            }
        }
    }
    Ok(())
}

/// Hears what came after `last`; without one, begins anew. Answers the number of the last change.
async fn hear(guard: &Guard, store: &Store, last: Option<i64>) -> Result<i64, StoreError> {
    let mut tx = store.begin_read().await?;
    let Some(mut last) = last else {
        let last = bindings::last_change(&mut tx).await?;
        guard.set_runtime(&bindings::runtime(&mut tx, guard.tenant).await?);
        guard.raise_floor(last);
        guard.cache.clear();
        return Ok(last);
    };
    loop {
        let changes = bindings::changes(&mut tx, guard.tenant, last, CHANGES_BATCH).await?;
        let mut settings = false;
        for (number, change) in &changes {
            settings |= guard.heard(*number, *change);
            last = *number;
        }
        if settings {
            guard.set_runtime(&bindings::runtime(&mut tx, guard.tenant).await?);
        }
        if changes.is_empty() {
            return Ok(last);
        }
    }
}

/// Writes down, every few seconds and at the end, which keys were used and how often.
pub(crate) async fn write_uses(guard: Arc<Guard>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut unwritten = Uses::default();
    loop {
        let stopped = stop.run_until_cancelled(sleep(USES_FLUSH)).await.is_none();
        if let Err(error) = unwritten.flush(&guard).await {
            tracing::debug!("uses wait for the store: {error}");
        }
        if stopped {
            return Ok(());
        }
    }
}

/// Uses that were taken from memory and are not in the store yet.
#[derive(Default)]
struct Uses {
    keys: std::collections::HashMap<watchbell_common::binding::token::KeyHash, i64>,
    passed: i64,
    intercepted: i64,
}

impl Uses {
    async fn flush(&mut self, guard: &Guard) -> Result<(), StoreError> {
        // While the store is away, the counts stay where they are: with their bindings, which are bounded.
        let Some(store) = guard.store.load_full() else { return Ok(()) };
        if self.keys.is_empty() {
            let dirty = std::mem::take(&mut *guard.dirty.lock().unwrap_or_else(PoisonError::into_inner));
            for known in dirty {
                *self.keys.entry(known.key).or_default() += i64::from(known.take());
            }
            self.passed += i64::try_from(guard.passed.swap(0, Relaxed)).unwrap_or(i64::MAX);
            self.intercepted += i64::try_from(guard.intercepted.swap(0, Relaxed)).unwrap_or(i64::MAX);
        }
        if self.passed == 0 && self.intercepted == 0 {
            return Ok(());
        }
        let now = guard.clock.now_ms();
        let day = usage::day_of(now);
        let all = Day { day, key: None, allowed: self.passed, intercepted: self.intercepted };
        // In one order in all processes: rows are locked until the commit.
        let mut keys: Vec<_> = self.keys.iter().map(|(key, uses)| (*key, *uses)).collect();
        keys.sort_unstable();
        let of_keys = keys.iter().map(|&(key, allowed)| Day { day, key: Some(key), allowed, intercepted: 0 });
        let days: Vec<_> = std::iter::once(all).chain(of_keys).collect();
        let keys: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
        let mut tx = store.begin().await?;
        bindings::used(&mut tx, guard.tenant, &keys, now).await?;
        usage::add(&mut tx, guard.tenant, &days).await?;
        tx.commit().await?;
        *self = Self::default();
        Ok(())
    }
}

/// Keeps figures, the number of bindings and old rows within their limits until `stop`.
pub(crate) async fn keep_house(
    guard: Arc<Guard>,
    sources: Arc<SourceWatch>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let owner = watchbell_common::ids::JobId::at(guard.clock.now_ms()).to_string();
    loop {
        metrics::gauge!("watchbell_gateway_bindings_cached").set(f64_of(guard.cache.len()));
        sources.judge(&guard).await;
        if let Some(store) = guard.store.load_full()
            && let Err(error) = tidy(&guard, &store, &owner, &stop).await
        {
            tracing::debug!("old bindings wait for the store: {error}");
        }
        if stop.run_until_cancelled(sleep(HOUSE_PAUSE)).await.is_none() {
            return Ok(());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of some millions")]
fn f64_of(number: usize) -> f64 {
    number as f64
}

async fn tidy(guard: &Guard, store: &Store, owner: &str, stop: &CancellationToken) -> Result<(), StoreError> {
    let count = bindings::count(&mut *store.begin_read().await?, guard.tenant).await?;
    guard.full.store(count >= i64::from(guard.settings.bindings_max), Relaxed);
    let now = guard.clock.now_ms();
    let mut tx = store.begin().await?;
    let name = format!("gateway:{}", guard.tenant);
    let ours = leases::take(&mut tx, &name, owner, now, now + millis(HOUSE_LEASE)).await?;
    tx.commit().await?;
    if ours { remove_old(guard, store, stop).await } else { Ok(()) }
}

/// Small batches, each a transaction of its own, so that nobody waits for long.
async fn remove_old(guard: &Guard, store: &Store, stop: &CancellationToken) -> Result<(), StoreError> {
    let now = guard.clock.now_ms();
    let days = |days: u32| now - i64::from(days) * millis(DAY);
    let archive_days = guard.rules().archive_days;
    let mut archived = 0;
    while archive_days > 0 && !stop.is_cancelled() {
        let mut tx = store.begin().await?;
        let batch = bindings::archive(&mut tx, guard.tenant, days(archive_days), HOUSE_BATCH, now).await?;
        tx.commit().await?;
        archived += batch;
        if batch == 0 {
            break;
        }
    }
    if archived > 0 {
        tracing::info!(archived, "bindings that were not used for {archive_days} days were archived");
    }
    let settings = &guard.settings;
    let (before, keep) = (days(settings.interception_days), i64::from(settings.interceptions_max));
    while !stop.is_cancelled() {
        let mut tx = store.begin().await?;
        let pruned = interceptions::prune(&mut tx, guard.tenant, before, keep, HOUSE_BATCH).await?;
        tx.commit().await?;
        if pruned == 0 {
            break;
        }
    }
    let mut tx = store.begin().await?;
    bindings::prune(&mut tx, guard.tenant, now - millis(ARCHIVE_KEPT), now - millis(CHANGES_KEPT)).await?;
    usage::prune(&mut tx, guard.tenant, usage::day_of(now) - DAYS_KEPT).await?;
    tx.commit().await.map_err(StoreError::from)
}
