//! Tenants: the owners of everything.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, sql};
use crate::{clock::UnixMillis, ids::TenantId};

/// A tenant as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    /// The short name used in metrics and addresses. Unique.
    pub name: String,
    /// Nobody of it signs in, and its doors take nothing.
    pub disabled: bool,
    pub created_at: UnixMillis,
}

/// One of the tenants.
pub async fn get(connection: &mut Connection, id: TenantId) -> Result<Option<Tenant>, StoreError> {
    let row = sqlx::query("SELECT * FROM tenants WHERE id = $1").bind(id.0).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// All tenants, in the order of their ids.
pub async fn list(connection: &mut Connection) -> Result<Vec<Tenant>, StoreError> {
    sqlx::query("SELECT * FROM tenants ORDER BY id").fetch_all(connection).await?.iter().map(read).collect()
}

/// Changes a tenant's name and whether it is disabled.
///
/// # Errors
/// [`StoreError::Conflict`] when another tenant has the name.
pub async fn update(connection: &mut Connection, tenant: &Tenant) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE tenants SET name = $1, disabled = $2 WHERE id = $3")
        .bind(sql::clean(&tenant.name))
        .bind(i64::from(tenant.disabled))
        .bind(tenant.id.0)
        .execute(connection)
        .await?;
    sql::one_row(&done, "tenant", tenant.id)
}

fn read(row: &AnyRow) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: TenantId(row.try_get("id")?),
        name: row.try_get("name")?,
        disabled: row.try_get::<i64, _>("disabled")? != 0,
        created_at: row.try_get("created_at")?,
    })
}
