//! Keeps the number of bindings and old rows within their limits.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Keeper;
use crate::{
    binding::gateway::Rules,
    clock::millis,
    ids::{JobId, TenantId},
    store::{Store, StoreError, bindings, interceptions, leases, usage},
};

/// How often old rows are looked for, by one process at a time, and how many go in one transaction.
const PAUSE: Duration = Duration::from_mins(1);
const LEASE: Duration = Duration::from_mins(3);
const BATCH: i64 = 500;

/// How long archived bindings, changes and the counts of days are kept.
const ARCHIVE_KEPT: Duration = Duration::from_hours(365 * 24);
const CHANGES_KEPT: Duration = Duration::from_hours(24);
const DAYS_KEPT: i64 = 400;

const DAY: Duration = Duration::from_hours(24);

/// Looks every minute until `stop`.
pub(super) async fn run(
    keeper: &Keeper,
    tenants: &(dyn Fn() -> Vec<TenantId> + Send + Sync),
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let owner = JobId::at(keeper.clock.now_ms()).to_string();
    let _ = stop.run_until_cancelled(keeper.opened()).await;
    loop {
        if let Some(store) = keeper.store.load_full() {
            for tenant in tenants() {
                if let Err(error) = (House { keeper, store: &store, tenant, stop }).tidy(&owner).await {
                    tracing::debug!("old bindings wait for the store: {error}");
                }
            }
        }
        if stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            return Ok(());
        }
    }
}

/// The bindings of one tenant.
struct House<'a> {
    keeper: &'a Keeper,
    store: &'a Store,
    tenant: TenantId,
    stop: &'a CancellationToken,
}

impl House<'_> {
    async fn tidy(&self, owner: &str) -> Result<(), StoreError> {
        let Self { keeper, store, tenant, .. } = *self;
        let mut tx = store.begin_read().await?;
        let count = bindings::count(&mut tx, tenant).await?;
        // Whichever door it is, the gateway's settings hold for what is kept.
        let rules = Rules::new(&keeper.settings, &bindings::runtime(&mut tx, tenant).await?);
        drop(tx);
        let mut full = (**keeper.full.load()).clone();
        if count >= i64::from(keeper.settings.bindings_max) {
            full.insert(tenant);
        } else {
            full.remove(&tenant);
        }
        keeper.full.store(Arc::new(full));
        let now = keeper.clock.now_ms();
        let mut tx = store.begin().await?;
        let ours = leases::take(&mut tx, &format!("bindings:{tenant}"), owner, now, now + millis(LEASE)).await?;
        tx.commit().await?;
        if ours { self.remove_old(&rules).await } else { Ok(()) }
    }

    /// Small batches, each a transaction of its own, so that nobody waits for long.
    async fn remove_old(&self, rules: &Rules) -> Result<(), StoreError> {
        let Self { keeper, store, tenant, stop } = *self;
        let now = keeper.clock.now_ms();
        let days = |days: u32| now - i64::from(days) * millis(DAY);
        let archive_days = rules.archive_days;
        let mut archived = 0;
        while archive_days > 0 && !stop.is_cancelled() {
            let mut tx = store.begin().await?;
            let batch = bindings::archive(&mut tx, tenant, days(archive_days), BATCH, now).await?;
            tx.commit().await?;
            archived += batch;
            if batch == 0 {
                break;
            }
        }
        if archived > 0 {
            tracing::info!(archived, "bindings that were not used for {archive_days} days were archived");
        }
        let settings = &keeper.settings;
        let (before, keep) = (days(settings.interception_days), i64::from(settings.interceptions_max));
        while !stop.is_cancelled() {
            let mut tx = store.begin().await?;
            let pruned = interceptions::prune(&mut tx, tenant, before, keep, BATCH).await?;
            tx.commit().await?;
            if pruned == 0 {
                break;
            }
        }
        let mut tx = store.begin().await?;
        bindings::prune(&mut tx, tenant, now - millis(ARCHIVE_KEPT), now - millis(CHANGES_KEPT)).await?;
        usage::prune(&mut tx, tenant, usage::day_of(now) - DAYS_KEPT).await?;
        tx.commit().await.map_err(StoreError::from)
    }
}
