//! Writes down which secrets were used and how often.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Follows, Keeper};
use crate::{
    binding::token::KeyHash,
    ids::TenantId,
    store::{
        StoreError, bindings,
        usage::{self, Day},
    },
};

/// How often uses are written down.
const FLUSH: Duration = Duration::from_secs(5);

/// Writes every few seconds, and what is left when all requests have `ended`.
pub(super) async fn run(keeper: &Keeper, ended: &CancellationToken) -> anyhow::Result<()> {
    let mut unwritten = Uses::default();
    loop {
        let last = ended.run_until_cancelled(sleep(FLUSH)).await.is_none();
        if let Err(error) = unwritten.flush(keeper).await {
            tracing::debug!("uses wait for the store: {error}");
        }
        if last {
            return Ok(());
        }
    }
}

/// Uses that were taken from memory and are not in the store yet. In one order in all processes: rows are locked until
/// the commit.
#[derive(Default)]
struct Uses(BTreeMap<TenantId, OfTenant>);

#[derive(Default)]
struct OfTenant {
    /// With bound secrets and without.
    all: i64,
    by_key: BTreeMap<KeyHash, i64>,
}

impl Uses {
    async fn flush(&mut self, keeper: &Keeper) -> Result<(), StoreError> {
        // While the store is away, the counts stay where they are: with their bindings, which are bounded.
        let Some(store) = keeper.store.load_full() else { return Ok(()) };
        if self.0.is_empty() {
            self.take(keeper);
        }
        if self.0.is_empty() {
            return Ok(());
        }
        let now = keeper.clock.now_ms();
        let day = usage::day_of(now);
        let mut tx = store.begin().await?;
        for (tenant, uses) in &self.0 {
            let all = Day { day, key: None, allowed: uses.all, intercepted: 0 };
            let of_keys =
                uses.by_key.iter().map(|(&key, &allowed)| Day { day, key: Some(key), allowed, intercepted: 0 });
            let days: Vec<_> = std::iter::once(all).chain(of_keys).collect();
            let keys: Vec<_> = uses.by_key.keys().copied().collect();
            bindings::used(&mut tx, *tenant, &keys, now).await?;
            usage::add(&mut tx, *tenant, &days).await?;
        }
        tx.commit().await?;
        self.0.clear();
        Ok(())
    }

    fn take(&mut self, keeper: &Keeper) {
        let dirty = std::mem::take(&mut *keeper.dirty.lock().unwrap_or_else(PoisonError::into_inner));
        for known in dirty {
            let uses = i64::from(known.take());
            let of_tenant = self.0.entry(known.tenant).or_default();
            of_tenant.all += uses;
            *of_tenant.by_key.entry(known.key).or_default() += uses;
        }
        let uncounted = i64::try_from(keeper.uncounted.swap(0, Relaxed)).unwrap_or(i64::MAX);
        // A door of our own has no requests but those with secrets, which have a tenant.
        if let (Follows::Tenant(tenant), 1..) = (keeper.follows, uncounted) {
            self.0.entry(tenant).or_default().all += uncounted;
        }
    }
}
