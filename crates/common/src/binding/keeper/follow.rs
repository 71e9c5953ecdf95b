//! The store is opened, and changes of bindings and settings are heard of.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Follows, Keeper};
use crate::{
    binding::gateway::Rules,
    clock::millis,
    ids::TenantId,
    settings::Settings,
    store::{
        Store, StoreError, Tx,
        bindings::{self, Change},
    },
};

/// How long between two attempts to open the store.
const OPEN_PAUSE: Duration = Duration::from_secs(1);

/// How often changes are asked for: they hold everywhere within a second.
const CHANGES_POLL: Duration = Duration::from_millis(250);
const CHANGES_BATCH: i64 = 1_000;

/// After this long without the store, what is remembered is forgotten: changes are kept for twice as long.
const CHANGES_MISSED_MAX: Duration = Duration::from_hours(12);

/// Opens the store, however long it takes. Until then, unknown secrets meet the fail mode.
pub(super) async fn open_store(keeper: &Keeper, settings: &Settings, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut told = false;
    while keeper.store.load().is_none() {
        match Store::open(&settings.database.url, &settings.data.dir).await {
            Ok(store) => keeper.set_store(store),
            Err(error) if error.is_transient() => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("bindings wait for the store: {error}");
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
pub(super) async fn run(keeper: &Keeper, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut last = None;
    let mut heard_at = keeper.clock.now_ms();
    let mut away = false;
    while stop.run_until_cancelled(sleep(CHANGES_POLL)).await.is_some() {
        let Some(store) = keeper.store.load_full() else { continue };
        let now = keeper.clock.now_ms();
        if now - heard_at > millis(CHANGES_MISSED_MAX) {
            last = None;
        }
        match hear(keeper, &store, last).await {
            Ok(number) => {
                (last, heard_at) = (Some(number), now);
                if std::mem::take(&mut away) {
                    tracing::info!("the store of bindings is back");
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!("the store of bindings is away; what is known goes on: {error}");
                }
            }
        }
    }
    Ok(())
}

/// Hears what came after `last`; without one, begins anew. Answers the number of the last change.
async fn hear(keeper: &Keeper, store: &Store, last: Option<i64>) -> Result<i64, StoreError> {
    let mut tx = store.begin_read().await?;
    let Some(mut last) = last else {
        let last = bindings::last_change(&mut tx).await?;
        read_rules(keeper, &mut tx).await?;
        keeper.raise_floor(last);
        keeper.cache.clear();
        return Ok(last);
    };
    loop {
        let changes = bindings::changes(&mut tx, last, CHANGES_BATCH).await?;
        let mut settings = false;
        for (number, tenant, change) in &changes {
            last = *number;
            match change {
                Change::Binding(key) => keeper.heard(*number, *key),
                Change::Settings => settings |= follows(keeper) == Some(*tenant),
            }
        }
        if settings {
            read_rules(keeper, &mut tx).await?;
        }
        if changes.is_empty() {
            return Ok(last);
        }
    }
}

const fn follows(keeper: &Keeper) -> Option<TenantId> {
    match keeper.follows {
        Follows::Tenant(tenant) => Some(tenant),
        Follows::Only(_) => None,
    }
}

/// Lays what was set while running over the settings.
async fn read_rules(keeper: &Keeper, tx: &mut Tx) -> Result<(), StoreError> {
    if let Some(tenant) = follows(keeper) {
        let runtime = bindings::runtime(tx, tenant).await?;
        keeper.rules.store(Arc::new(Rules::new(&keeper.settings, &runtime)));
    }
    Ok(())
}
