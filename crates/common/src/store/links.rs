//! Links that work once: to set up the installation, and to choose a new password. Kept as keyed hashes.

use super::{Connection, StoreError};
use crate::{
    clock::UnixMillis,
    ids::{TenantId, UserId},
};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// To make the first user.
    SetUp,
    /// To choose a new password for this user.
    Reset(TenantId, UserId),
}

/// Adds a link.
pub async fn add(
    connection: &mut Connection,
    link: Link,
    hash: &str,
    expires_at: UnixMillis,
) -> Result<(), StoreError> {
    let (tenant, user) = match link {
        Link::SetUp => (None, None),
        Link::Reset(tenant, user) => (Some(tenant.0), Some(user.0)),
    };
    sqlx::query("INSERT INTO links (secret_hash, tenant_id, user_id, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(hash)
        .bind(tenant)
        .bind(user)
        .bind(expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Uses a link up and says what it was for. Of several that try at once, one succeeds.
pub async fn consume(connection: &mut Connection, hash: &str, now: UnixMillis) -> Result<Option<Link>, StoreError> {
    let statement = "DELETE FROM links WHERE secret_hash = $1 AND expires_at > $2 RETURNING tenant_id, user_id";
    let row: Option<(Option<i64>, Option<i64>)> =
        sqlx::query_as(statement).bind(hash).bind(now).fetch_optional(connection).await?;
    Ok(row.map(|row| match row {
        (Some(tenant), Some(user)) => Link::Reset(TenantId(tenant), UserId(user)),
        _ => Link::SetUp,
    }))
}

/// Ends the links that a user was given before.
pub async fn end_of_user(connection: &mut Connection, tenant: TenantId, user: UserId) -> Result<(), StoreError> {
    let statement = "DELETE FROM links WHERE tenant_id = $1 AND user_id = $2";
    sqlx::query(statement).bind(tenant.0).bind(user.0).execute(connection).await?;
    Ok(())
}

/// Forgets what expired.
pub async fn sweep(connection: &mut Connection, now: UnixMillis) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM links WHERE expires_at <= $1").bind(now).execute(connection).await?;
    Ok(done.rows_affected())
}
