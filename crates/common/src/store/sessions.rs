//! Sessions: who is signed in, with a browser or a script. Their secrets are kept as keyed hashes.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, sql};
use crate::{
    clock::UnixMillis,
    ids::{SessionId, TenantId, UserId},
};

/// A sign-in that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub tenant: TenantId,
    pub user: UserId,
    /// A browser's; else a script's, which has refresh tokens.
    pub browser: bool,
    pub created_at: UnixMillis,
    pub last_seen_at: UnixMillis,
    pub expires_at: UnixMillis,
    /// Where it was begun.
    pub address: String,
    /// The client's own name for itself.
    pub agent: String,
}

/// Begins a session. `secret` is the hash of a browser's secret.
pub async fn add(connection: &mut Connection, session: &Session, secret: Option<&str>) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sessions (id, tenant_id, user_id, secret_hash, created_at, last_seen_at, expires_at, address,
             agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(session.id.0)
    .bind(session.tenant.0)
    .bind(session.user.0)
    .bind(secret)
    .bind(session.created_at)
    .bind(session.last_seen_at)
    .bind(session.expires_at)
    .bind(sql::clean(&session.address))
    .bind(sql::clean(&session.agent))
    .execute(connection)
    .await?;
    Ok(())
}

/// The session whose secret has that hash, of whatever tenant, unless it expired: the session says whose it is.
pub async fn by_secret(
    connection: &mut Connection,
    hash: &str,
    now: UnixMillis,
) -> Result<Option<Session>, StoreError> {
    let statement = "SELECT * FROM sessions WHERE secret_hash = $1 AND expires_at > $2";
    let row = sqlx::query(statement).bind(hash).bind(now).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// The session of that id, of whatever tenant, unless it expired. For ids that were proved.
pub async fn by_id(connection: &mut Connection, id: SessionId, now: UnixMillis) -> Result<Option<Session>, StoreError> {
    let statement = "SELECT * FROM sessions WHERE id = $1 AND expires_at > $2";
    let row = sqlx::query(statement).bind(id.0).bind(now).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// A user's sessions, latest first.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    user: UserId,
    now: UnixMillis,
) -> Result<Vec<Session>, StoreError> {
    let statement = "SELECT * FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND expires_at > $3 ORDER BY id DESC";
    let rows = sqlx::query(statement).bind(tenant.0).bind(user.0).bind(now).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Ends one session of a user.
pub async fn end(connection: &mut Connection, tenant: TenantId, user: UserId, id: SessionId) -> Result<(), StoreError> {
    let statement = "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id = $3";
    let done = sqlx::query(statement).bind(tenant.0).bind(user.0).bind(id.0).execute(connection).await?;
    sql::one_row(&done, "session", id)
}

/// Ends all sessions of a user but `spared`, and says how many.
pub async fn end_all(
    connection: &mut Connection,
    tenant: TenantId,
    user: UserId,
    spared: Option<SessionId>,
) -> Result<u64, StoreError> {
    let statement = "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id <> $3";
    let spared = spared.map_or(0, |session| session.0);
    let done = sqlx::query(statement).bind(tenant.0).bind(user.0).bind(spared).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Notes when a session was last seen. Sessions that ended meanwhile are left alone.
pub async fn seen(connection: &mut Connection, id: SessionId, at: UnixMillis) -> Result<(), StoreError> {
    let statement = "UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1";
    sqlx::query(statement).bind(at).bind(id.0).execute(connection).await?;
    Ok(())
}

/// Adds the next refresh token of a script's session.
pub async fn add_refresh(connection: &mut Connection, session: SessionId, hash: &str) -> Result<(), StoreError> {
    let statement = "INSERT INTO refresh_tokens (secret_hash, session_id) VALUES ($1, $2)";
    sqlx::query(statement).bind(hash).bind(session.0).execute(connection).await?;
    Ok(())
}

/// What a refresh token turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The present one of its session; it is used up now.
    Fresh(Session),
    /// One that was used before, so somebody else has it too; its session has ended now.
    Reused(Session),
    Unknown,
}

/// Uses a refresh token up. Of several that try at once, one succeeds.
pub async fn refresh(connection: &mut Connection, hash: &str, now: UnixMillis) -> Result<Refresh, StoreError> {
    let statement = "SELECT session_id FROM refresh_tokens WHERE secret_hash = $1";
    let id: Option<i64> = sqlx::query_scalar(statement).bind(hash).fetch_optional(&mut *connection).await?;
    let Some(id) = id.map(SessionId) else { return Ok(Refresh::Unknown) };
    let Some(session) = by_id(connection, id, now).await? else { return Ok(Refresh::Unknown) };
    let statement = "UPDATE refresh_tokens SET used_at = $1 WHERE secret_hash = $2 AND used_at IS NULL";
    let done = sqlx::query(statement).bind(now).bind(hash).execute(&mut *connection).await?;
    if done.rows_affected() == 1 {
        return Ok(Refresh::Fresh(session));
    }
    match end(connection, session.tenant, session.user, id).await {
        Ok(()) => Ok(Refresh::Reused(session)),
        Err(StoreError::Missing { .. }) => Ok(Refresh::Unknown),
        Err(error) => Err(error),
    }
}

/// Moves a session's end.
pub async fn extend(connection: &mut Connection, id: SessionId, expires_at: UnixMillis) -> Result<(), StoreError> {
    let statement = "UPDATE sessions SET expires_at = $1 WHERE id = $2";
    let done = sqlx::query(statement).bind(expires_at).bind(id.0).execute(connection).await?;
    sql::one_row(&done, "session", id)
}

/// Forgets what expired: sessions, with their refresh tokens.
pub async fn sweep(connection: &mut Connection, now: UnixMillis) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now).execute(connection).await?;
    Ok(done.rows_affected())
}

fn read(row: &AnyRow) -> Result<Session, StoreError> {
    Ok(Session {
        id: SessionId(row.try_get("id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        user: UserId(row.try_get("user_id")?),
        browser: row.try_get::<Option<String>, _>("secret_hash")?.is_some(),
        created_at: row.try_get("created_at")?,
        last_seen_at: row.try_get("last_seen_at")?,
        expires_at: row.try_get("expires_at")?,
        address: row.try_get("address")?,
        agent: row.try_get("agent")?,
    })
}
