//! Mutes: senders and sources that are dropped at intake.

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    config::{self, Owned},
    sql,
};
use crate::{
    config::Mute,
    ids::{MuteId, TenantId},
};

/// A tenant's mutes, in the order of their ids.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Owned<Mute>>, StoreError> {
    let statement = "SELECT id, sender, source, comment, provisioned FROM mutes WHERE tenant_id = $1 ORDER BY id";
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Owned<Mute>, StoreError> {
    let mute = Mute {
        id: MuteId(row.try_get("id")?),
        from: row.try_get("sender")?,
        source: row.try_get("source")?,
        comment: row.try_get("comment")?,
    };
    config::owned(row, mute)
}

/// Writes a mute: a new one, or the tenant's one of that id.
pub async fn put(connection: &mut Connection, tenant: TenantId, mute: &Owned<Mute>) -> Result<(), StoreError> {
    let Owned { item, provisioned } = mute;
    let done = sqlx::query(
        "INSERT INTO mutes (id, tenant_id, sender, source, comment, provisioned) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET sender = excluded.sender, source = excluded.source,
             comment = excluded.comment, provisioned = excluded.provisioned
         WHERE mutes.tenant_id = excluded.tenant_id",
    )
    .bind(item.id.0)
    .bind(tenant.0)
    .bind(item.from.as_deref().map(sql::clean))
    .bind(item.source.as_deref().map(sql::clean))
    .bind(sql::clean(&item.comment))
    .bind(i64::from(*provisioned))
    .execute(connection)
    .await?;
    sql::one_row(&done, "mute", item.id)
}

/// Deletes a mute.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: MuteId) -> Result<(), StoreError> {
    config::delete(connection, "DELETE FROM mutes WHERE tenant_id = $1 AND id = $2", tenant, "mute", id.0).await
}
