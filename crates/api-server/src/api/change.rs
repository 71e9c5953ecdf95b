//! A change: one transaction that also writes the audit log and, where configuration changes, publishes it.

use serde::Serialize;
use watchbell_common::{
    http::ApiError,
    store::{
        Connection, StoreError, Tx, audit,
        config::{self, Kind},
    },
};

use super::{Api, caller::Caller};
use crate::publisher;

/// A change under way. Dropped without [`Change::commit`], nothing happened.
pub(crate) struct Change<'a> {
    api: &'a Api,
    caller: &'a Caller,
    tx: Tx,
    configures: bool,
}

impl Api {
    /// Begins a change of what services use: the configuration is locked until it ends, and then published.
    pub(crate) async fn change<'a>(&'a self, caller: &'a Caller) -> Result<Change<'a>, ApiError> {
        let mut change = self.write(caller).await?;
        config::lock(&mut change.tx).await?;
        change.configures = true;
        Ok(change)
    }

    /// Begins a change that concerns no service: users, tokens, acknowledgements.
    pub(crate) async fn write<'a>(&'a self, caller: &'a Caller) -> Result<Change<'a>, ApiError> {
        Ok(Change { api: self, caller, tx: self.store()?.begin().await?, configures: false })
    }
}

impl Change<'_> {
    /// What the store's functions work on.
    pub(crate) fn tx(&mut self) -> &mut Connection {
        &mut self.tx
    }

    /// Notes when and by whom a configured item was made or changed.
    pub(crate) async fn touch(&mut self, kind: Kind, id: i64) -> Result<(), ApiError> {
        let (now, by) = (self.api.shared.clock.now_ms(), &self.caller.actor);
        Ok(config::touch(&mut self.tx, self.caller.tenant, (kind, id), now, by).await?)
    }

    /// Writes into the audit log what is done to the `item` of a `kind`. `before` and `after` are its views, which
    /// hold no secrets.
    pub(crate) async fn audit<V: Serialize>(
        &mut self,
        action: &str,
        kind: &str,
        item: impl ToString,
        (before, after): (Option<&V>, Option<&V>),
    ) -> Result<(), ApiError> {
        let at = self.api.shared.clock.now_ms();
        let view = |view: Option<&V>| view.and_then(|view| serde_json::to_value(view).ok());
        let entry = self.caller.entry(at, action, kind, &item);
        let entry = audit::Entry { before: view(before), after: view(after), ..entry };
        Ok(audit::add(&mut self.tx, &entry).await?)
    }

    /// Makes it so. The configuration is published before the answer; when the queue is away, it follows as soon as
    /// it is back, since the provisioner compares both every second.
    pub(crate) async fn commit(mut self) -> Result<(), ApiError> {
        if self.configures {
            config::bump_version(&mut self.tx, self.api.shared.clock.now_ms(), 0).await?;
        }
        self.tx.commit().await.map_err(StoreError::from)?;
        if self.configures
            && let Err(error) = publisher::publish(&self.api.shared, self.api.store()?).await
        {
            tracing::warn!("a change is stored and will be published later: {error:#}");
        }
        Ok(())
    }
}
