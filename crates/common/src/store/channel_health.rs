//! How deliveries to each channel went lately.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, SCANNED_MAX, StoreError};
use crate::{
    clock::UnixMillis,
    ids::{ChannelId, TenantId},
};

/// How the latest deliveries to one channel went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    pub channel: ChannelId,
    /// When a message last arrived there.
    pub delivered_at: Option<UnixMillis>,
    /// Since when none arrived although some were tried; `None` while all is well.
    pub failing_since: Option<UnixMillis>,
    /// How many deliveries failed or gave up since then.
    pub failing: i64,
}

/// How it went, for each channel among a tenant's latest [`SCANNED_MAX`] deliveries.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Health>, StoreError> {
    let statement = "WITH latest AS (
            SELECT channel_id, state, state_at FROM deliveries WHERE tenant_id = $1
            ORDER BY state_at DESC, id DESC LIMIT $2),
        arrived AS (
            SELECT channel_id, MAX(state_at) AS at FROM latest WHERE state = 'delivered' GROUP BY channel_id),
        failed AS (
            SELECT latest.channel_id, MIN(latest.state_at) AS since, COUNT(*) AS n
            FROM latest LEFT JOIN arrived ON arrived.channel_id = latest.channel_id
            WHERE latest.state IN ('failed', 'dead') AND (arrived.at IS NULL OR latest.state_at > arrived.at)
            GROUP BY latest.channel_id)
        SELECT latest.channel_id, MAX(arrived.at) AS delivered_at, MIN(failed.since) AS failing_since,
            COALESCE(MAX(failed.n), 0) AS failing
        FROM latest
            LEFT JOIN arrived ON arrived.channel_id = latest.channel_id
            LEFT JOIN failed ON failed.channel_id = latest.channel_id
        GROUP BY latest.channel_id ORDER BY latest.channel_id";
    let read = |row: &AnyRow| {
        Ok(Health {
            channel: ChannelId(row.try_get("channel_id")?),
            delivered_at: row.try_get("delivered_at")?,
            failing_since: row.try_get("failing_since")?,
            failing: row.try_get("failing")?,
        })
    };
    let rows = sqlx::query(statement).bind(tenant.0).bind(i64::from(SCANNED_MAX)).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}
