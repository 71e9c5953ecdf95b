//! The configuration as a whole: its version, its lock, ids, tenants' settings, and the [`Document`].

use std::collections::{BTreeSet, HashMap};

use sqlx::Row as _;

use super::{Connection, StoreError, bots, channels, mutes, rules, silences, templates, tenants};
use crate::{
    ai::Ai,
    clock::UnixMillis,
    config::{Document, Operators, Tenant},
    ids::{ChannelId, TenantId},
};

/// A configured item and whether the provisioning file made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Owned<T> {
    pub item: T,
    pub provisioned: bool,
}

/// What has ids of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bot,
    Template,
    Channel,
    Rule,
    Mute,
    Silence,
    AiProvider,
    Tenant,
    User,
    Session,
    ApiToken,
    Invite,
    SigningKey,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bots",
            Self::Template => "templates",
            Self::Channel => "channels",
            Self::Rule => "rules",
            Self::Mute => "mutes",
            Self::Silence => "silences",
            Self::AiProvider => "ai_providers",
            Self::Tenant => "tenants",
            Self::User => "users",
            Self::Session => "sessions",
            Self::ApiToken => "api_tokens",
            Self::Invite => "invites",
            Self::SigningKey => "signing_keys",
        }
    }
}

/// Locks the configuration until the transaction ends and says its version. Begin every change with it: two
/// changes at once would otherwise each see a state that the other replaces.
pub async fn lock(connection: &mut Connection) -> Result<i64, StoreError> {
    let statement = "UPDATE config_state SET version = version WHERE only_row = 1 RETURNING version";
    Ok(sqlx::query_scalar(statement).fetch_one(connection).await?)
}

/// The version of the configuration; 0 when nobody configured anything yet.
pub async fn version(connection: &mut Connection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT version FROM config_state WHERE only_row = 1").fetch_one(connection).await?)
}

/// Ends every change, in its transaction: the new version is greater than the present one and than `above`.
///
/// It is at least the time, so that a store that was made anew does not repeat versions that the queue has seen.
pub async fn bump_version(connection: &mut Connection, now: UnixMillis, above: i64) -> Result<i64, StoreError> {
    let version = lock(connection).await?.max(above).saturating_add(1).max(now);
    let done = sqlx::query("UPDATE config_state SET version = $1 WHERE only_row = 1")
        .bind(version)
        .execute(connection)
        .await?;
    super::sql::one_row(&done, "configuration", 1)?;
    Ok(version)
}

/// A new id. Never given twice, even when its row was deleted.
pub async fn next_id(connection: &mut Connection, kind: Kind) -> Result<i64, StoreError> {
    let statement = "UPDATE ids SET last = last + 1 WHERE kind = $1 RETURNING last";
    Ok(sqlx::query_scalar(statement).bind(kind.as_str()).fetch_one(connection).await?)
}

/// Keeps the ids up to `last` for items that bring theirs along, unless there ever was an item of the kind; says whether
/// it did.
pub async fn reserve_ids(connection: &mut Connection, kind: Kind, last: i64) -> Result<bool, StoreError> {
    let statement = "UPDATE ids SET last = $1 WHERE kind = $2 AND last = 0";
    let done = sqlx::query(statement).bind(last).bind(kind.as_str()).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// When and by whom an item was made and last changed. 0 where nobody noted it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
    /// Empty for the provisioning file.
    pub created_by: String,
}

/// Notes that somebody made or changed an item of a kind that has a table with its times: bots, templates, channels,
/// rules, mutes, silences.
pub async fn touch(
    connection: &mut Connection,
    tenant: TenantId,
    (kind, id): (Kind, i64),
    now: UnixMillis,
    by: &str,
) -> Result<(), StoreError> {
    // Safe: the name of the table is one of ours.
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE {} SET updated_at = $1, created_by = CASE WHEN created_at = 0 THEN $2 ELSE created_by END,
             created_at = CASE WHEN created_at = 0 THEN $1 ELSE created_at END
         WHERE tenant_id = $3 AND id = $4",
        kind.as_str()
    ));
    let done = sqlx::query(statement)
        .bind(now)
        .bind(super::sql::clean(by))
        .bind(tenant.0)
        .bind(id)
        .execute(connection)
        .await?;
    super::sql::one_row(&done, kind.as_str(), id)
}

/// The times of a tenant's items of such a kind, by id.
pub async fn times(
    connection: &mut Connection,
    tenant: TenantId,
    kind: Kind,
) -> Result<HashMap<i64, Times>, StoreError> {
    // Safe: the name of the table is one of ours.
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT id, created_at, updated_at, created_by FROM {} WHERE tenant_id = $1",
        kind.as_str()
    ));
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(statement).bind(tenant.0).fetch_all(connection).await?;
    let times = |(id, created_at, updated_at, created_by)| (id, Times { created_at, updated_at, created_by });
    Ok(rows.into_iter().map(times).collect())
}

/// Hands all that the provisioning file keeps over to people: there is no file that could keep it.
pub async fn release(connection: &mut Connection, tenant: TenantId) -> Result<(), StoreError> {
    for table in ["bots", "templates", "channels", "rules", "default_channels", "mutes", "silences"] {
        // Safe: the names of the tables stand above.
        let statement = sqlx::AssertSqlSafe(format!("UPDATE {table} SET provisioned = 0 WHERE tenant_id = $1"));
        sqlx::query(statement).bind(tenant.0).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Makes a tenant.
pub async fn add_tenant(
    connection: &mut Connection,
    id: TenantId,
    name: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(id.0)
        .bind(name)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// One setting of a tenant.
pub async fn setting(connection: &mut Connection, tenant: TenantId, name: &str) -> Result<Option<String>, StoreError> {
    let statement = "SELECT value FROM settings WHERE tenant_id = $1 AND name = $2";
    Ok(sqlx::query_scalar(statement).bind(tenant.0).bind(name).fetch_optional(connection).await?)
}

/// Sets one setting of a tenant, or removes it.
pub async fn set_setting(
    connection: &mut Connection,
    tenant: TenantId,
    name: &str,
    value: Option<&str>,
) -> Result<(), StoreError> {
    let statement = match value {
        None => sqlx::query("DELETE FROM settings WHERE tenant_id = $1 AND name = $2").bind(tenant.0).bind(name),
        Some(value) => sqlx::query(
            "INSERT INTO settings (tenant_id, name, value) VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value",
        )
        .bind(tenant.0)
        .bind(name)
        .bind(value),
    };
    statement.execute(connection).await?;
    Ok(())
}

/// The tenant's setting that holds its models.
const AI_SETTING: &str = "models";

/// A tenant's models.
pub async fn ai(connection: &mut Connection, tenant: TenantId) -> Result<Ai, StoreError> {
    let text = setting(connection, tenant, AI_SETTING).await?;
    text.map_or_else(|| Ok(Ai::default()), |text| super::sql::from_json("a tenant's models", &text))
}

/// Sets a tenant's models.
pub async fn set_ai(connection: &mut Connection, tenant: TenantId, ai: &Ai) -> Result<(), StoreError> {
    let text = (*ai != Ai::default()).then(|| super::sql::json(ai));
    set_setting(connection, tenant, AI_SETTING, text.as_deref()).await
}

/// Where events go that no rule takes, in order.
pub async fn default_channels(
    connection: &mut Connection,
    tenant: TenantId,
) -> Result<Vec<Owned<ChannelId>>, StoreError> {
    let statement = "SELECT channel_id, provisioned FROM default_channels WHERE tenant_id = $1 ORDER BY position";
    let rows: Vec<(i64, i64)> = sqlx::query_as(statement).bind(tenant.0).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, provisioned)| Owned { item: ChannelId(id), provisioned: provisioned != 0 }).collect())
}

/// Replaces the default channels.
pub async fn set_default_channels(
    connection: &mut Connection,
    tenant: TenantId,
    channels: &[Owned<ChannelId>],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM default_channels WHERE tenant_id = $1").bind(tenant.0).execute(&mut *connection).await?;
    for (position, channel) in (0_i64..).zip(channels) {
        sqlx::query(
            "INSERT INTO default_channels (tenant_id, position, channel_id, provisioned) VALUES ($1, $2, $3, $4)",
        )
        .bind(tenant.0)
        .bind(position)
        .bind(channel.item.0)
        .bind(i64::from(channel.provisioned))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The whole configuration of all tenants. Call it in [`super::Store::begin_read`], so that it is of one moment.
pub async fn document(connection: &mut Connection) -> Result<Document, StoreError> {
    let version = version(connection).await?;
    let mut document = Document { version, tenants: Vec::new() };
    for owner in tenants::list(connection).await? {
        let mut tenant = tenant(connection, owner.id, owner.name).await?;
        // A disabled tenant is one whose channels are: its doors refuse, and what was on its way can be sent later.
        for channel in &mut tenant.channels {
            channel.enabled &= !owner.disabled;
        }
        document.tenants.push(tenant);
    }
    Ok(document)
}

/// One tenant's part of the document. The same advice holds.
pub async fn tenant(connection: &mut Connection, id: TenantId, name: String) -> Result<Tenant, StoreError> {
    let (bots, channels) = (bots::list(connection, id).await?, channels::list(connection, id).await?);
    let operators =
        Operators::Only { bots: operators(&bots, |bot| bot.id), channels: operators(&channels, |channel| channel.id) };
    Ok(Tenant {
        id,
        name,
        bots: items(bots),
        templates: items(templates::list(connection, id).await?),
        channels: items(channels),
        rules: items(rules::list(connection, id).await?),
        default_channels: items(default_channels(connection, id).await?),
        mutes: items(mutes::list(connection, id).await?),
        silences: items(silences::list(connection, id).await?),
        ai: ai(connection, id).await?,
        operators,
        drills: super::channels::drills(connection, id).await?,
    })
}

/// Which of them the provisioning file made.
fn operators<T, I: Ord>(owned: &[Owned<T>], id: impl Fn(&T) -> I) -> BTreeSet<I> {
    owned.iter().filter(|owned| owned.provisioned).map(|owned| id(&owned.item)).collect()
}

fn items<T>(owned: Vec<Owned<T>>) -> Vec<T> {
    owned.into_iter().map(|owned| owned.item).collect()
}

/// Deletes a tenant's row of a table of configured items.
pub(super) async fn delete(
    connection: &mut Connection,
    statement: &'static str,
    tenant: TenantId,
    what: &'static str,
    id: i64,
) -> Result<(), StoreError> {
    let done = sqlx::query(statement).bind(tenant.0).bind(id).execute(connection).await?;
    super::sql::one_row(&done, what, id)
}

/// The column that every configured item has.
pub(super) fn owned<T>(row: &sqlx::any::AnyRow, item: T) -> Result<Owned<T>, StoreError> {
    Ok(Owned { item, provisioned: row.try_get::<i64, _>("provisioned")? != 0 })
}
