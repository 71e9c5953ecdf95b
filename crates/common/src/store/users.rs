//! Users: who belongs to a tenant, with which role.
//!
//! An e-mail address names one user of the whole installation, so a user belongs to one tenant.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, config, sql};
use crate::{
    clock::UnixMillis,
    identity::Role,
    ids::{TenantId, UserId},
    passwords::PasswordHash,
};

/// A user as the store knows one.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub tenant: TenantId,
    /// Trimmed and in lower case.
    pub email: String,
    pub display_name: String,
    pub password: PasswordHash,
    pub role: Role,
    /// Runs the installation: may act for every tenant.
    pub platform_admin: bool,
    pub disabled: bool,
    pub created_at: UnixMillis,
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, tenant_id, email, display_name, password_hash, role, platform_admin, disabled, created_at \
             FROM users ",
            $tail
        )
    };
}

/// The user of that address, of whatever tenant: whoever signs in has said no tenant yet.
pub async fn by_email(connection: &mut Connection, email: &str) -> Result<Option<User>, StoreError> {
    let statement = select!("WHERE email = $1");
    let row = sqlx::query(statement).bind(email).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// One of a tenant's users.
pub async fn get(connection: &mut Connection, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
    let statement = select!("WHERE tenant_id = $1 AND id = $2");
    let row = sqlx::query(statement).bind(tenant.0).bind(id.0).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// One of a tenant's users, unless it or its tenant is disabled.
pub async fn active(connection: &mut Connection, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
    let statement = select!(
        "WHERE tenant_id = $1 AND id = $2 AND disabled = 0
             AND EXISTS (SELECT 1 FROM tenants WHERE tenants.id = users.tenant_id AND tenants.disabled = 0)"
    );
    let row = sqlx::query(statement).bind(tenant.0).bind(id.0).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Whether there is any user, of whatever tenant.
pub async fn any(connection: &mut Connection) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM users LIMIT 1").fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// Whether any platform admin but this user can sign in.
pub async fn another_admin(connection: &mut Connection, id: UserId) -> Result<bool, StoreError> {
    let statement = "SELECT id FROM users WHERE platform_admin = 1 AND disabled = 0 AND id <> $1
        AND EXISTS (SELECT 1 FROM tenants WHERE tenants.id = users.tenant_id AND tenants.disabled = 0) LIMIT 1";
    let found: Option<i64> = sqlx::query_scalar(statement).bind(id.0).fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// Gives a user another password. Lock the configuration first, as for every change of a user: [`put`] writes the whole
/// row as it was read.
pub async fn set_password(
    connection: &mut Connection,
    tenant: TenantId,
    id: UserId,
    password: &PasswordHash,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE users SET password_hash = $1, updated_at = $2 WHERE tenant_id = $3 AND id = $4")
        .bind(password.to_string())
        .bind(now)
        .bind(tenant.0)
        .bind(id.0)
        .execute(connection)
        .await?;
    sql::one_row(&done, "user", id)
}

/// Keeps a user's password under another hash of it, unless the password changed meanwhile.
pub async fn rehash(connection: &mut Connection, user: &User, hash: &PasswordHash) -> Result<(), StoreError> {
    let statement = "UPDATE users SET password_hash = $1 WHERE tenant_id = $2 AND id = $3 AND password_hash = $4";
    sqlx::query(statement)
        .bind(hash.to_string())
        .bind(user.tenant.0)
        .bind(user.id.0)
        .bind(user.password.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a user, with sessions and tokens.
pub async fn delete(connection: &mut Connection, tenant: TenantId, id: UserId) -> Result<(), StoreError> {
    let statement = "DELETE FROM users WHERE tenant_id = $1 AND id = $2";
    config::delete(connection, statement, tenant, "user", id.0).await
}

/// A tenant's users, in the order of their ids.
pub async fn list(connection: &mut Connection, tenant: TenantId) -> Result<Vec<User>, StoreError> {
    let statement = select!("WHERE tenant_id = $1 ORDER BY id");
    sqlx::query(statement).bind(tenant.0).fetch_all(connection).await?.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<User, StoreError> {
    let damaged = |why: String| StoreError::Damaged { what: "a user", why };
    Ok(User {
        id: UserId(row.try_get("id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        email: row.try_get("email")?,
        display_name: row.try_get("display_name")?,
        password: row.try_get::<String, _>("password_hash")?.parse().map_err(|_| damaged("its hash".to_owned()))?,
        role: sql::from_word("a role", row.try_get("role")?)?,
        platform_admin: row.try_get::<i64, _>("platform_admin")? != 0,
        disabled: row.try_get::<i64, _>("disabled")? != 0,
        created_at: row.try_get("created_at")?,
    })
}

/// Writes a user: a new one, or the tenant's one of that id.
///
/// # Errors
/// [`StoreError::Conflict`] when another user, of any tenant, has the address.
pub async fn put(connection: &mut Connection, user: &User, now: UnixMillis) -> Result<(), StoreError> {
    let done = sqlx::query(
        "INSERT INTO users (id, tenant_id, email, display_name, password_hash, role, platform_admin, disabled,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (id) DO UPDATE SET email = excluded.email, display_name = excluded.display_name,
             password_hash = excluded.password_hash, role = excluded.role,
             platform_admin = excluded.platform_admin, disabled = excluded.disabled, updated_at = excluded.updated_at
         WHERE users.tenant_id = excluded.tenant_id",
    )
    .bind(user.id.0)
    .bind(user.tenant.0)
    .bind(sql::clean(&user.email))
    .bind(sql::clean(&user.display_name))
    .bind(user.password.to_string())
    .bind(user.role.as_str())
    .bind(i64::from(user.platform_admin))
    .bind(i64::from(user.disabled))
    .bind(user.created_at)
    .bind(now)
    .execute(connection)
    .await?;
    sql::one_row(&done, "user", user.id)
}
