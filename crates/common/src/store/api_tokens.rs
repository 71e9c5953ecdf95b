//! Tokens of scripts: shown once, kept as a keyed hash.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, config, sql};
use crate::{
    clock::UnixMillis,
    identity::Role,
    ids::{ApiTokenId, TenantId, UserId},
};

/// A token as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub tenant: TenantId,
    /// Whoever made it; it ends with its user, and can do no more than its user.
    pub user: UserId,
    pub name: String,
    /// The end of the token, by which people recognise it.
    pub last4: String,
    pub role: Role,
    pub created_at: UnixMillis,
    pub expires_at: Option<UnixMillis>,
    pub last_used_at: Option<UnixMillis>,
}

impl ApiToken {
    /// Whether it has not expired.
    pub fn lives(&self, now: UnixMillis) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// Writes a new token. `hash` is [`crate::crypto::Vault::hash`] of it.
pub async fn add(connection: &mut Connection, token: &ApiToken, hash: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_tokens (id, tenant_id, user_id, name, secret_hash, last4, role, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(token.id.0)
    .bind(token.tenant.0)
    .bind(token.user.0)
    .bind(sql::clean(&token.name))
    .bind(hash)
    .bind(sql::clean(&token.last4))
    .bind(token.role.as_str())
    .bind(token.created_at)
    .bind(token.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The token with that hash, of whatever tenant: the token itself says whose it is.
pub async fn by_hash(connection: &mut Connection, hash: &str) -> Result<Option<ApiToken>, StoreError> {
    let row =
        sqlx::query("SELECT * FROM api_tokens WHERE secret_hash = $1").bind(hash).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// A tenant's tokens, in the order of their ids.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<ApiToken>, StoreError> {
    let statement = "SELECT * FROM api_tokens WHERE tenant_id = $1 ORDER BY id";
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

/// The token of that id, of whatever tenant. For ids that were proved.
pub async fn by_id(connection: &mut Connection, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
    let row = sqlx::query("SELECT * FROM api_tokens WHERE id = $1").bind(id.0).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Notes when a token was last used. Tokens that ended meanwhile are left alone.
pub async fn used(connection: &mut Connection, id: ApiTokenId, at: UnixMillis) -> Result<(), StoreError> {
    let statement = "UPDATE api_tokens SET last_used_at = $1
        WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
    sqlx::query(statement).bind(at).bind(id.0).execute(connection).await?;
    Ok(())
}

/// Ends a token.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: ApiTokenId) -> Result<(), StoreError> {
    let statement = "DELETE FROM api_tokens WHERE tenant_id = $1 AND id = $2";
    config::delete(connection, statement, tenant, "API token", id.0).await
}

fn read(row: &AnyRow) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: ApiTokenId(row.try_get("id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        user: UserId(row.try_get("user_id")?),
        name: row.try_get("name")?,
        last4: row.try_get("last4")?,
        role: sql::from_word("a role", row.try_get("role")?)?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}
