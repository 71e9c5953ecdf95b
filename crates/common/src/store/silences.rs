//! Silences: what is kept from the channels until it expires.

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    config::{self, Owned},
    sql,
};
use crate::{
    config::Silence,
    ids::{SilenceId, TenantId},
};

/// A tenant's silences, expired ones too, in the order of their ids.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Owned<Silence>>, StoreError> {
    let statement =
        "SELECT id, matcher, expires_at, comment, provisioned FROM silences WHERE tenant_id = $1 ORDER BY id";
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Owned<Silence>, StoreError> {
    let silence = Silence {
        id: SilenceId(row.try_get("id")?),
        matcher: sql::from_json("a silence's conditions", row.try_get("matcher")?)?,
        expires_at: row.try_get("expires_at")?,
        comment: row.try_get("comment")?,
    };
    config::owned(row, silence)
}

/// Writes a silence: a new one, or the tenant's one of that id.
pub async fn put(connection: &mut Connection, tenant: TenantId, silence: &Owned<Silence>) -> Result<(), StoreError> {
    let Owned { item, provisioned } = silence;
    let done = sqlx::query(
        "INSERT INTO silences (id, tenant_id, matcher, expires_at, comment, provisioned)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET matcher = excluded.matcher, expires_at = excluded.expires_at,
             comment = excluded.comment, provisioned = excluded.provisioned
         WHERE silences.tenant_id = excluded.tenant_id",
    )
    .bind(item.id.0)
    .bind(tenant.0)
    .bind(sql::json(&item.matcher))
    .bind(item.expires_at)
    .bind(sql::clean(&item.comment))
    .bind(i64::from(*provisioned))
    .execute(connection)
    .await?;
    sql::one_row(&done, "silence", item.id)
}

/// Deletes a silence.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: SilenceId) -> Result<(), StoreError> {
    config::delete(connection, "DELETE FROM silences WHERE tenant_id = $1 AND id = $2", tenant, "silence", id.0).await
}
