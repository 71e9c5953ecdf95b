//! Keys that sign the short tokens of scripts, sealed.

use super::{Connection, StoreError, sql};
use crate::{clock::UnixMillis, crypto::Sealed, ids::TenantId};

/// A key as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct SigningKey {
    pub id: i64,
    pub secret: Sealed,
    pub created_at: UnixMillis,
    /// Nothing it signed is valid after that.
    pub expires_at: UnixMillis,
}

/// Writes a new key.
pub async fn add(connection: &mut Connection, key: &SigningKey) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO signing_keys (id, tenant_id, secret, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(key.id)
        .bind(TenantId::DEFAULT.0)
        .bind(sql::json(&key.secret))
        .bind(key.created_at)
        .bind(key.expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// The key that signs: the newest, if it was made since then.
pub async fn newest(connection: &mut Connection, since: UnixMillis) -> Result<Option<SigningKey>, StoreError> {
    let statement = "SELECT id, secret, created_at, expires_at FROM signing_keys WHERE created_at >= $1
        ORDER BY created_at DESC, id LIMIT 1";
    sqlx::query_as(statement).bind(since).fetch_optional(connection).await?.map(read).transpose()
}

/// The key of that id, unless it expired.
pub async fn get(connection: &mut Connection, id: i64, now: UnixMillis) -> Result<Option<SigningKey>, StoreError> {
    let statement = "SELECT id, secret, created_at, expires_at FROM signing_keys WHERE id = $1 AND expires_at > $2";
    sqlx::query_as(statement).bind(id).bind(now).fetch_optional(connection).await?.map(read).transpose()
}

/// Forgets what expired.
pub async fn sweep(connection: &mut Connection, now: UnixMillis) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM signing_keys WHERE expires_at <= $1").bind(now).execute(connection).await?;
    Ok(done.rows_affected())
}

fn read((id, secret, created_at, expires_at): (i64, String, i64, i64)) -> Result<SigningKey, StoreError> {
    Ok(SigningKey { id, secret: sql::from_json("a signing key", &secret)?, created_at, expires_at })
}
