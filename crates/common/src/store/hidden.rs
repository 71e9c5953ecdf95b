//! How much each mute and each silence kept from people, as far as the history goes back.

use super::{Connection, SCANNED_MAX, StoreError};
use crate::{
    clock::UnixMillis,
    ids::{MuteId, SilenceId, TenantId},
};

/// How many events, and when the last one came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// [`SCANNED_MAX`] means that many or more.
    pub count: i64,
    pub last_at: Option<UnixMillis>,
}

/// What a mute dropped at intake.
pub async fn by_mute(connection: &mut Connection, tenant: TenantId, id: MuteId) -> Result<Hidden, StoreError> {
    let statement = "SELECT COUNT(*), MAX(received_at) FROM (SELECT received_at FROM events
        WHERE tenant_id = $1 AND mute_id = $2 ORDER BY received_at DESC LIMIT $3) latest";
    hidden(connection, statement, tenant, id.0).await
}

/// What a silence kept from the channels.
pub async fn by_silence(connection: &mut Connection, tenant: TenantId, id: SilenceId) -> Result<Hidden, StoreError> {
    let statement = "SELECT COUNT(*), MAX(at) FROM (SELECT at FROM routings
        WHERE tenant_id = $1 AND silence_id = $2 ORDER BY at DESC LIMIT $3) latest";
    hidden(connection, statement, tenant, id.0).await
}

async fn hidden(
    connection: &mut Connection,
    statement: &'static str,
    tenant: TenantId,
    id: i64,
) -> Result<Hidden, StoreError> {
    let row = sqlx::query_as(statement).bind(tenant.0).bind(id).bind(i64::from(SCANNED_MAX));
    let (count, last_at) = row.fetch_one(connection).await?;
    Ok(Hidden { count, last_at })
}
