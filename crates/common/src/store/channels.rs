//! Channels: where messages go. Their secrets are sealed; the push token is also kept as a keyed hash, which makes
//! it unique over all tenants.

use std::collections::BTreeMap;

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    config::{self, Owned},
    sql, templates,
};
use crate::{
    clock::UnixMillis,
    config::{Channel, TemplateUse},
    ids::{BotId, ChannelId, TenantId},
};

/// A tenant's channels, in the order of their ids.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Owned<Channel>>, StoreError> {
    let mut uses = templates::uses(connection, tenant).await?;
    let statement = "SELECT id, name, platform, bot_id, target, options, secrets, rate_per_min, dedup_window_s,
            push_token, enabled, provisioned
        FROM channels WHERE tenant_id = $1 ORDER BY id";
    let rows = sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?;
    rows.iter().map(|row| read(row, uses.remove(&row.try_get("id")?).unwrap_or_default())).collect()
}

fn read(row: &AnyRow, templates: Vec<TemplateUse>) -> Result<Owned<Channel>, StoreError> {
    let channel = Channel {
        id: ChannelId(row.try_get("id")?),
        name: row.try_get("name")?,
        platform: row.try_get("platform")?,
        bot: row.try_get::<Option<i64>, _>("bot_id")?.map(BotId),
        target: row.try_get("target")?,
        options: sql::from_json("a channel's options", row.try_get("options")?)?,
        secrets: sql::from_json("a channel's secrets", row.try_get("secrets")?)?,
        rate_per_min: sql::narrow("a channel's rate", row.try_get("rate_per_min")?)?,
        dedup_window_s: sql::narrow("a channel's window", row.try_get("dedup_window_s")?)?,
        push_token: sql::from_json("a push token", row.try_get("push_token")?)?,
        templates,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
    };
    config::owned(row, channel)
}

/// Which channel, of whatever tenant, has the push token with that hash ([`crate::crypto::Vault::hash`]).
pub async fn by_token_hash(
    connection: &mut Connection,
    hash: &str,
) -> Result<Option<(TenantId, ChannelId)>, StoreError> {
    let statement = "SELECT tenant_id, id FROM channels WHERE push_token_hash = $1";
    let row: Option<(i64, i64)> = sqlx::query_as(statement).bind(hash).fetch_optional(connection).await?;
    Ok(row.map(|(tenant, id)| (TenantId(tenant), ChannelId(id))))
}

/// Writes a channel: a new one, or the tenant's one of that id. `token_hash` is [`crate::crypto::Vault::hash`] of
/// the push token.
///
/// # Errors
/// [`StoreError::Conflict`] when another channel, of any tenant, has the token.
pub async fn put(
    connection: &mut Connection,
    tenant: TenantId,
    channel: &Owned<Channel>,
    token_hash: &str,
) -> Result<(), StoreError> {
    let Owned { item, provisioned } = channel;
    let done = sqlx::query(
        "INSERT INTO channels (id, tenant_id, name, platform, bot_id, target, options, secrets, rate_per_min,
             dedup_window_s, push_token, push_token_hash, enabled, provisioned)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, platform = excluded.platform,
             bot_id = excluded.bot_id, target = excluded.target, options = excluded.options,
             secrets = excluded.secrets, rate_per_min = excluded.rate_per_min,
             dedup_window_s = excluded.dedup_window_s, push_token = excluded.push_token,
             push_token_hash = excluded.push_token_hash, enabled = excluded.enabled,
             provisioned = excluded.provisioned
         WHERE channels.tenant_id = excluded.tenant_id",
    )
    .bind(item.id.0)
    .bind(tenant.0)
    .bind(sql::clean(&item.name))
    .bind(sql::clean(&item.platform))
    .bind(item.bot.map(|bot| bot.0))
    .bind(sql::clean(&item.target))
    .bind(sql::json(&item.options))
    .bind(sql::json(&item.secrets))
    .bind(i64::from(item.rate_per_min))
    .bind(i64::from(item.dedup_window_s))
    .bind(sql::json(&item.push_token))
    .bind(token_hash)
    .bind(i64::from(item.enabled))
    .bind(i64::from(*provisioned))
    .execute(&mut *connection)
    .await?;
    sql::one_row(&done, "channel", item.id)?;
    templates::put_uses(connection, tenant, item.id, &item.templates).await
}

/// Frees a channel's push token before it is written anew, so that two channels can exchange theirs.
pub async fn free_token(connection: &mut Connection, tenant: TenantId, id: ChannelId) -> Result<(), StoreError> {
    let statement = "UPDATE channels SET push_token_hash = $1 WHERE tenant_id = $2 AND id = $3";
    let done = sqlx::query(statement).bind(format!("freed {id}")).bind(tenant.0).bind(id.0).execute(connection).await?;
    sql::one_row(&done, "channel", id)
}

/// The channels that pretend to be down, and until when; some of it may be over.
pub async fn drills(
    connection: &mut Connection,
    tenant: TenantId,
) -> Result<BTreeMap<ChannelId, UnixMillis>, StoreError> {
    let statement = "SELECT id, drill_until FROM channels WHERE tenant_id = $1 AND drill_until > 0";
    let rows: Vec<(i64, i64)> = sqlx::query_as(statement).bind(tenant.0).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, until)| (ChannelId(id), until)).collect())
}

/// Lets a channel pretend to be down until that time; 0 ends it.
pub async fn set_drill(
    connection: &mut Connection,
    tenant: TenantId,
    id: ChannelId,
    until: UnixMillis,
) -> Result<(), StoreError> {
    let statement = "UPDATE channels SET drill_until = $1 WHERE tenant_id = $2 AND id = $3";
    let done = sqlx::query(statement).bind(until).bind(tenant.0).bind(id.0).execute(connection).await?;
    sql::one_row(&done, "channel", id)
}

/// Deletes a channel. A rule that still uses it makes the transaction's commit fail.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: ChannelId) -> Result<(), StoreError> {
    config::delete(connection, "DELETE FROM channels WHERE tenant_id = $1 AND id = $2", tenant, "channel", id.0).await
}
