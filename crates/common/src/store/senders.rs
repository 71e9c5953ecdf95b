//! Who sent lately: sources, senders and addresses, counted over the latest events.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, SCANNED_MAX, StoreError, sql};
use crate::{clock::UnixMillis, ids::TenantId};

/// How many senders are told: those that sent most.
pub const SENDERS_MAX: u32 = 200;

/// Where events came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub source: String,
    /// The addresses that the events themselves name.
    pub from: Vec<String>,
    /// The network address.
    pub peer: Option<String>,
    pub count: i64,
    pub last_at: UnixMillis,
}

/// Who sent since a time, those that sent most first. At most the latest [`SCANNED_MAX`] events are looked at.
pub async fn list(connection: &mut Connection, tenant: TenantId, since: UnixMillis) -> Result<Vec<Sender>, StoreError> {
    let statement = "SELECT source, senders, peer, COUNT(*) AS count, MAX(received_at) AS last_at
        FROM (SELECT source, senders, peer, received_at FROM events WHERE tenant_id = $1 AND received_at >= $2
            ORDER BY received_at DESC, id DESC LIMIT $3) latest
        GROUP BY source, senders, peer ORDER BY COUNT(*) DESC, MAX(received_at) DESC LIMIT $4";
    let rows = sqlx::query(statement)
        .bind(tenant.0)
        .bind(since)
        .bind(i64::from(SCANNED_MAX))
        .bind(i64::from(SENDERS_MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Sender, StoreError> {
    Ok(Sender {
        source: row.try_get("source")?,
        from: sql::from_json("an event's senders", row.try_get("senders")?)?,
        peer: row.try_get("peer")?,
        count: row.try_get("count")?,
        last_at: row.try_get("last_at")?,
    })
}
