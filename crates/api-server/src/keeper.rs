//! The keeper: removes history that is older than what should be kept, and what live updates no longer need.
//!
//! Once a minute one api-server does it, whoever is first; when that one dies in the middle, another goes on a minute
//! later.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use watchbell_common::{
    clock::{UnixMillis, millis},
    ids::TenantId,
    queue::QueueError,
    shared::Shared,
    store::{Store, StoreError, retention, tenants},
};

/// How often. Also how long one may take: then the next begins.
const EVERY: Duration = Duration::from_mins(1);

/// Between two batches, so that the recorder comes first.
const PAUSE: Duration = Duration::from_millis(20);

const DAY: Duration = Duration::from_hours(24);

pub(crate) async fn run(shared: Shared, store: Store, stop: CancellationToken) -> anyhow::Result<()> {
    while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        match is_first(&shared).await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => {
                tracing::debug!("no turn to remove old history: {error}");
                continue;
            }
        }
        let round = tokio::time::timeout(EVERY, sweep(&shared, &store));
        // One that runs out of time is no failure: the next goes on.
        if let Some(Ok(Err(error))) = stop.run_until_cancelled(round).await {
            tracing::warn!("old history was not removed: {error}");
        }
    }
    Ok(())
}

async fn is_first(shared: &Shared) -> Result<bool, QueueError> {
    let ttl = EVERY.saturating_sub(Duration::from_secs(1));
    Ok(shared.queue.add_up("history keeper", 1, ttl).await? == 1)
}

/// One round over all tenants.
pub(crate) async fn sweep(shared: &Shared, store: &Store) -> Result<(), StoreError> {
    let now = shared.clock.now_ms();
    let mut tx = store.begin_read().await?;
    let days = retention::days(&mut tx).await?.unwrap_or(shared.settings.history.retention_days);
    let tenants: Vec<TenantId> = tenants::list(&mut tx).await?.into_iter().map(|tenant| tenant.id).collect();
    drop(tx);
    let before = (days > 0).then(|| now - millis(DAY * days));
    for tenant in tenants {
        let mut tx = store.begin().await?;
        retention::forget_changes(&mut tx, tenant, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        if let Some(before) = before {
            remove(store, tenant, before).await?;
        }
    }
    Ok(())
}

async fn remove(store: &Store, tenant: TenantId, before: UnixMillis) -> Result<(), StoreError> {
    loop {
        let mut tx = store.begin().await?;
        let removed = retention::remove(&mut tx, tenant, before).await?;
        tx.commit().await.map_err(StoreError::from)?;
        if removed == 0 {
            return Ok(());
        }
        metrics::counter!("watchbell_history_removed_total").increment(removed);
        tokio::time::sleep(PAUSE).await;
    }
}
