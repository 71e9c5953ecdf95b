//! Bots: credentials of platforms, sealed.

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    config::{self, Owned},
    sql,
};
use crate::{
    config::Bot,
    ids::{BotId, TenantId},
};

/// A tenant's bots, in the order of their ids.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Owned<Bot>>, StoreError> {
    let statement = "SELECT id, name, platform, description, credentials, enabled, provisioned FROM bots
        WHERE tenant_id = $1 ORDER BY id";
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Owned<Bot>, StoreError> {
    let bot = Bot {
        id: BotId(row.try_get("id")?),
        name: row.try_get("name")?,
        platform: row.try_get("platform")?,
        description: row.try_get("description")?,
        credentials: sql::from_json("a bot's credentials", row.try_get("credentials")?)?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
    };
    config::owned(row, bot)
}

/// Writes a bot: a new one, or the tenant's one of that id.
pub async fn put(connection: &mut Connection, tenant: TenantId, bot: &Owned<Bot>) -> Result<(), StoreError> {
    let Owned { item, provisioned } = bot;
    let done = sqlx::query(
        "INSERT INTO bots (id, tenant_id, name, platform, description, credentials, enabled, provisioned)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, platform = excluded.platform,
             description = excluded.description, credentials = excluded.credentials,
             enabled = excluded.enabled, provisioned = excluded.provisioned
         WHERE bots.tenant_id = excluded.tenant_id",
    )
    .bind(item.id.0)
    .bind(tenant.0)
    .bind(sql::clean(&item.name))
    .bind(sql::clean(&item.platform))
    .bind(sql::clean(&item.description))
    .bind(sql::json(&item.credentials))
    .bind(i64::from(item.enabled))
    .bind(i64::from(*provisioned))
    .execute(connection)
    .await?;
    sql::one_row(&done, "bot", item.id)
}

/// Deletes a bot. A channel that still uses it makes the transaction's commit fail.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: BotId) -> Result<(), StoreError> {
    config::delete(connection, "DELETE FROM bots WHERE tenant_id = $1 AND id = $2", tenant, "bot", id.0).await
}
