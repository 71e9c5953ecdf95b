//! Keeps what identifies people small: writes when it was used, and forgets what expired.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use watchbell_common::{
    clock::{DAY_MS, UnixMillis, millis},
    lockout::TRUST_FOR,
    outage::Outage,
    shared::Shared,
    store::{Store, StoreError, invites, links, lockouts, sessions, signing_keys},
};

use crate::StoreSlot;

/// How often the times of last use are written.
const BATCH: Duration = Duration::from_secs(10);

/// Every so many batches, what expired is forgotten.
const BATCHES_PER_SWEEP: u32 = 360;

/// Runs until `stop`, and writes the last batch then.
pub(crate) async fn run(shared: Shared, store: Store, slot: StoreSlot, stop: CancellationToken) -> anyhow::Result<()> {
    let mut outage = Outage::new("writing when sessions were used");
    let mut batches = 0_u32;
    loop {
        let stopped = stop.run_until_cancelled(tokio::time::sleep(BATCH)).await.is_none();
        let written = async {
            slot.seen().write(&store).await?;
            if batches.is_multiple_of(BATCHES_PER_SWEEP) {
                sweep(&store, shared.clock.now_ms()).await?;
            }
            Ok::<_, StoreError>(())
        };
        outage.note(&written.await);
        if stopped {
            return Ok(());
        }
        batches = batches.wrapping_add(1);
    }
}

async fn sweep(store: &Store, now: UnixMillis) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sessions::sweep(&mut tx, now).await?;
    links::sweep(&mut tx, now).await?;
    signing_keys::sweep(&mut tx, now).await?;
    lockouts::sweep(&mut tx, now - millis(TRUST_FOR)).await?;
    invites::sweep(&mut tx, now / DAY_MS).await?;
    Ok(tx.commit().await?)
}
