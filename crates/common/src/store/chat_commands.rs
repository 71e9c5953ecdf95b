//! Scripts that answer in a chat. They are kept for when something runs them.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, sql};
use crate::{
    clock::UnixMillis,
    ids::{BotId, TenantId},
};

/// A script, named by its bot and the word that calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatCommand {
    /// The bot's name where the script was written.
    pub bot: String,
    pub name: String,
    /// That bot, if it is here.
    pub bot_id: Option<BotId>,
    pub description: String,
    /// Starlark.
    pub code: String,
    pub enabled: bool,
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
}

/// Adds a script, unless the tenant has one of that bot and name; says whether it did.
pub async fn add(connection: &mut Connection, tenant: TenantId, command: &ChatCommand) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO chat_commands (tenant_id, bot, name, bot_id, description, code, enabled, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, bot, name) DO NOTHING",
    )
    .bind(tenant.0)
    .bind(sql::clean(&command.bot))
    .bind(sql::clean(&command.name))
    .bind(command.bot_id.map(|bot| bot.0))
    .bind(sql::clean(&command.description))
    .bind(sql::clean(&command.code))
    .bind(i64::from(command.enabled))
    .bind(command.created_at)
    .bind(command.updated_at)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A tenant's scripts, by bot and name.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<ChatCommand>, StoreError> {
    let statement = "SELECT * FROM chat_commands WHERE tenant_id = $1 ORDER BY bot, name";
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<ChatCommand, StoreError> {
    Ok(ChatCommand {
        bot: row.try_get("bot")?,
        name: row.try_get("name")?,
        bot_id: row.try_get::<Option<i64>, _>("bot_id")?.map(BotId),
        description: row.try_get("description")?,
        code: row.try_get("code")?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}
