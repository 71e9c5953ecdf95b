//! The store is opened, and changes of bindings and settings are heard of.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Follows, Keeper};
use crate::{
    binding::gateway::Rules,
    clock::millis,
    ids::TenantId,
    outage::Outage,
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

/// Opens the store, unless it is given, however long it takes; until then, unknown secrets meet the fail mode. Then
/// hears of changed bindings and settings until `stop`.
pub(super) async fn run(
    keeper: &Keeper,
    settings: &Settings,
    given: Option<Store>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(begun) = stop.run_until_cancelled(begin(keeper, settings, given)).await else { return Ok(()) };
    let mut last = Some(begun?);
    let mut heard_at = keeper.clock.now_ms();
    let mut outage = Outage::new("hearing of changed bindings");
    while stop.run_until_cancelled(sleep(CHANGES_POLL)).await.is_some() {
        let Some(store) = keeper.store.load_full() else { continue };
        let now = keeper.clock.now_ms();
        if now - heard_at > millis(CHANGES_MISSED_MAX) {
            last = None;
        }
        let heard = hear(keeper, &store, last).await;
        outage.note(&heard);
        if let Ok(number) = heard {
            (last, heard_at) = (Some(number), now);
        }
    }
    Ok(())
}

/// Nothing is remembered from before the first round, so that round has nothing to take back.
async fn begin(keeper: &Keeper, settings: &Settings, given: Option<Store>) -> anyhow::Result<i64> {
    let mut outage = Outage::new("opening the store of bindings");
    let mut store = given;
    loop {
        let begun = async {
            let store = match &store {
                Some(store) => store,
                None => store.insert(Store::open(&settings.database.url, &settings.data.dir).await?),
            };
            Ok((hear(keeper, store, None).await?, store.clone()))
        };
        let begun: Result<(i64, Store), StoreError> = begun.await;
        outage.note(&begun);
        match begun {
            Ok((number, store)) => {
                keeper.set_store(store);
                return Ok(number);
            }
            Err(error) if store.is_some() || error.is_transient() => sleep(OPEN_PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
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
