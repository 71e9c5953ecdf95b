//! Publishes the configuration: makes the queue's copy equal to the store's, which is the authority.

use anyhow::Context as _;
use watchbell_common::{
    config::Document,
    shared::Shared,
    store::{Store, StoreError, config},
};

/// Publishes what the store holds, unless the queue has it already, and says its version. This process uses it at
/// once; others find it within [`watchbell_common::config::CONFIG_POLL`].
pub(crate) async fn publish(shared: &Shared, store: &Store) -> anyhow::Result<i64> {
    let mut document = document(store).await?;
    let queue = &shared.queue;
    match queue.config_newer(document.version - 1).await.context("reading the published configuration")? {
        Some(published) if published.version > document.version => {
            // The store was restored from an earlier time. Nobody would take an older version.
            let mut tx = store.begin().await?;
            config::bump_version(&mut tx, shared.clock.now_ms(), published.version).await?;
            tx.commit().await.map_err(StoreError::from)?;
            document = self::document(store).await?;
            queue.publish_config(document.publish()).await.context("publishing the configuration")?;
        }
        Some(_) => {}
        None => queue.publish_config(document.publish()).await.context("publishing the configuration")?,
    }
    shared.config.refresh(&**queue, &shared.vault).await?;
    Ok(document.version)
}

async fn document(store: &Store) -> Result<Document, StoreError> {
    let mut tx = store.begin_read().await?;
    config::document(&mut tx).await
}
