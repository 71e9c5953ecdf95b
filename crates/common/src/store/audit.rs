//! The audit log: who did what. Only ever added to, in the transaction of what was done.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, sql};
use crate::{
    clock::UnixMillis,
    ids::{AuditId, TenantId, UserId},
};

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: AuditId,
    pub tenant: TenantId,
    pub at: UnixMillis,
    /// `None` when a program did it.
    pub user: Option<UserId>,
    /// Whoever it was, as people know them: an e-mail address, a token's name.
    pub actor: String,
    /// Where the request came from.
    pub address: String,
    /// A verb: `create`, `update`, `delete`, `rotate_token` …
    pub action: String,
    /// What kind of thing it was done to: `channel`, `user` …
    pub kind: String,
    /// Which one: its id, as the API shows it.
    pub item: String,
    /// The thing before and after, as the API shows it: without secrets.
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
}

/// Adds an entry.
pub async fn add(connection: &mut Connection, entry: &Entry) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit_log (tenant_id, id, at, user_id, actor, address, action, kind, item, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(entry.tenant.0)
    .bind(entry.id.to_string())
    .bind(entry.at)
    .bind(entry.user.map(|user| user.0))
    .bind(sql::clean(&entry.actor))
    .bind(sql::clean(&entry.address))
    .bind(sql::clean(&entry.action))
    .bind(sql::clean(&entry.kind))
    .bind(sql::clean(&entry.item))
    .bind(entry.before.as_ref().map(sql::json))
    .bind(entry.after.as_ref().map(sql::json))
    .execute(connection)
    .await?;
    Ok(())
}

/// A tenant's entries, latest first, at most `limit`; those before `before`, which is the last of the previous page.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    before: Option<AuditId>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    // Ids follow the time, and "aue" sorts after all of them.
    let before = before.map_or_else(|| "aue".to_owned(), |id| id.to_string());
    let statement = "SELECT * FROM audit_log WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    let rows = sqlx::query(statement).bind(tenant.0).bind(before).bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Entry, StoreError> {
    let json = |text: Option<String>| text.map(|text| sql::from_json("an audit entry", &text)).transpose();
    Ok(Entry {
        id: sql::from_id(row.try_get("id")?)?,
        tenant: TenantId(row.try_get("tenant_id")?),
        at: row.try_get("at")?,
        user: row.try_get::<Option<i64>, _>("user_id")?.map(UserId),
        actor: row.try_get("actor")?,
        address: row.try_get("address")?,
        action: row.try_get("action")?,
        kind: row.try_get("kind")?,
        item: row.try_get("item")?,
        before: json(row.try_get("before")?)?,
        after: json(row.try_get("after")?)?,
    })
}
