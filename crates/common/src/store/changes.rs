//! Which alerts changed: a log that live updates follow, by whichever process made the change.
//!
//! Ids follow the clock of whoever writes, and are written a little before they are committed: a reader looks
//! [`LATE`] back, and knows what it has seen.

use std::{collections::BTreeSet, time::Duration};

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, sql};
use crate::{
    clock::{UnixMillis, millis},
    ids::{AlertId, ChangeId, TenantId},
};

/// How long a change may take from its id to its commit, clocks that differ included.
pub const LATE: Duration = Duration::from_secs(5);

/// How long changes are kept for readers that were away.
pub const KEPT: Duration = Duration::from_mins(10);

/// How many alerts a change names; more are not named, and readers begin anew.
pub const NAMED_MAX: usize = 200;

/// What one transaction changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: ChangeId,
    /// `None`: more than [`NAMED_MAX`].
    pub alerts: Option<Vec<AlertId>>,
    /// How many deliveries came into another state.
    pub deliveries: i64,
}

/// Notes what a transaction changed of a tenant's alerts.
pub async fn add(
    connection: &mut Connection,
    tenant: TenantId,
    alerts: &BTreeSet<AlertId>,
    deliveries: i64,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let named = (alerts.len() <= NAMED_MAX).then_some(alerts);
    write(connection, tenant, named, deliveries, now).await
}

/// Notes that alerts are gone: readers begin anew.
pub(super) async fn add_unnamed(
    connection: &mut Connection,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<(), StoreError> {
    write(connection, tenant, None, 0, now).await
}

async fn write(
    connection: &mut Connection,
    tenant: TenantId,
    named: Option<&BTreeSet<AlertId>>,
    deliveries: i64,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO changes (tenant_id, id, alerts, deliveries) VALUES ($1, $2, $3, $4)")
        .bind(tenant.0)
        .bind(ChangeId::at(now).to_string())
        .bind(sql::json(&named))
        .bind(deliveries)
        .execute(connection)
        .await?;
    Ok(())
}

/// A tenant's changes after an id, oldest first, at most `limit`.
pub async fn after(
    connection: &mut Connection,
    tenant: TenantId,
    id: ChangeId,
    limit: u32,
) -> Result<Vec<Change>, StoreError> {
    let statement = "SELECT id, alerts, deliveries FROM changes WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let rows = sqlx::query(statement).bind(tenant.0).bind(id.to_string()).bind(i64::from(limit));
    let read = |row: &AnyRow| {
        Ok(Change {
            id: sql::from_id(row.try_get("id")?)?,
            alerts: sql::from_json("a change", row.try_get("alerts")?)?,
            deliveries: row.try_get("deliveries")?,
        })
    };
    rows.fetch_all(connection).await?.iter().map(read).collect()
}

/// Forgets a tenant's changes that nobody resumes from any more.
pub(super) async fn forget(connection: &mut Connection, tenant: TenantId, now: UnixMillis) -> Result<(), StoreError> {
    let oldest = ChangeId::first_at(now - millis(KEPT));
    sqlx::query("DELETE FROM changes WHERE tenant_id = $1 AND id < $2")
        .bind(tenant.0)
        .bind(oldest.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
