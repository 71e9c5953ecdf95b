//! Invites: codes with which somebody new becomes a user, each once.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, sql};
use crate::{
    clock::UnixMillis,
    crypto::Sealed,
    identity::Role,
    ids::{InviteId, TenantId, UserId},
};

/// An invite as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Invite {
    pub id: InviteId,
    /// The tenant of whoever made it.
    pub tenant: TenantId,
    pub created_by: UserId,
    /// Sealed, since whoever made it may see it again.
    pub code: Sealed,
    /// The tenant to join; `None`: a new one.
    pub for_tenant: Option<TenantId>,
    pub role: Role,
    pub created_at: UnixMillis,
    pub expires_at: Option<UnixMillis>,
    /// Who used it, and when.
    pub used: Option<(UserId, UnixMillis)>,
}

/// Writes a new invite. `hash` is [`crate::crypto::Vault::hash`] of its code.
pub async fn add(connection: &mut Connection, invite: &Invite, hash: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO invites (id, tenant_id, created_by, code, code_hash, for_tenant, role, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(invite.id.0)
    .bind(invite.tenant.0)
    .bind(invite.created_by.0)
    .bind(sql::json(&invite.code))
    .bind(hash)
    .bind(invite.for_tenant.map(|tenant| tenant.0))
    .bind(invite.role.as_str())
    .bind(invite.created_at)
    .bind(invite.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The invites that were made in a tenant, latest first.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<Invite>, StoreError> {
    let statement = "SELECT * FROM invites WHERE tenant_id = $1 ORDER BY id DESC";
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

/// The invite with that hash, of whatever tenant: whoever has a code may use it.
pub async fn by_hash(connection: &mut Connection, hash: &str) -> Result<Option<Invite>, StoreError> {
    let row = sqlx::query("SELECT * FROM invites WHERE code_hash = $1").bind(hash).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Uses an invite up for the new user `by`. Of several that try at once, one succeeds; the others, and codes that
/// expired, get `None`.
pub async fn consume(
    connection: &mut Connection,
    hash: &str,
    by: UserId,
    now: UnixMillis,
) -> Result<Option<Invite>, StoreError> {
    let statement = "UPDATE invites SET used_by = $1, used_at = $2
        WHERE code_hash = $3 AND used_at IS NULL AND (expires_at IS NULL OR expires_at > $2) RETURNING *";
    let row = sqlx::query(statement).bind(by.0).bind(now).bind(hash).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Deletes an invite that was not used.
///
/// # Errors
/// [`StoreError::Missing`] when it was used meanwhile.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: InviteId) -> Result<(), StoreError> {
    let statement = "DELETE FROM invites WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL";
    super::config::delete(connection, statement, tenant, "invite", id.0).await
}

/// Ends the invites of somebody who goes, as far as they were not used.
pub async fn delete_of(connection: &mut Connection, by: UserId) -> Result<(), StoreError> {
    let statement = "DELETE FROM invites WHERE created_by = $1 AND used_at IS NULL";
    sqlx::query(statement).bind(by.0).execute(connection).await?;
    Ok(())
}

/// Counts invites that a user makes on a day, and says how many it has made on it now.
pub async fn count(connection: &mut Connection, user: UserId, day: i64, made: i64) -> Result<i64, StoreError> {
    let statement = "INSERT INTO invite_days (user_id, day, made) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, day) DO UPDATE SET made = invite_days.made + excluded.made RETURNING made";
    Ok(sqlx::query_scalar(statement).bind(user.0).bind(day).bind(made).fetch_one(connection).await?)
}

/// Forgets the counts of earlier days.
pub async fn sweep(connection: &mut Connection, day: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invite_days WHERE day < $1").bind(day).execute(connection).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Invite, StoreError> {
    let used_at = row.try_get::<Option<i64>, _>("used_at")?;
    let used_by = row.try_get::<Option<i64>, _>("used_by")?.map(UserId);
    Ok(Invite {
        id: InviteId(row.try_get("id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        created_by: UserId(row.try_get("created_by")?),
        code: sql::from_json("an invite's code", row.try_get("code")?)?,
        for_tenant: row.try_get::<Option<i64>, _>("for_tenant")?.map(TenantId),
        role: sql::from_word("a role", row.try_get("role")?)?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        used: used_by.zip(used_at),
    })
}
