//! The audit log: who did what. Only ever added to, in the transaction of what was done.

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, Found, Place, StoreError,
    lists::{Condition, List, Query, Value},
    sql,
};
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

/// Which entries: each of these that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// What this user did, also through tokens.
    pub user: Option<UserId>,
    pub kind: Option<String>,
    pub since: Option<UnixMillis>,
    pub before: Option<UnixMillis>,
}

impl Filter {
    fn query(&self) -> Query {
        let mut query = Query::default();
        if let Some(user) = self.user {
            query.any.push(Condition::new("user_id = ?", [Value::Number(user.0)]));
        }
        match &self.kind {
            // One index leads; what the other would answer is checked row by row.
            Some(kind) if query.any.is_empty() => query.any.push(Condition::equals("kind", kind.as_str())),
            Some(kind) => query.all.push(Condition::one_of("kind", [kind.as_str()])),
            None => {}
        }
        query.all.extend(self.since.map(|since| Condition::new("at >= ?", [Value::Number(since)])));
        query.all.extend(self.before.map(|before| Condition::new("at < ?", [Value::Number(before)])));
        query
    }
}

const LIST: List = List { columns: "audit_log.*", from: "audit_log", keys: ["tenant_id", "at", "id"] };

/// A page of a tenant's entries that pass a filter, latest first, behind `before`.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
    before: Option<&Place>,
    limit: u32,
) -> Result<Found<Entry>, StoreError> {
    LIST.page(connection, tenant, &filter.query(), (before, limit), read).await
}

/// How the database would read the first page of a filter, line by line.
#[cfg(test)]
pub(super) async fn explain(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
) -> Result<Vec<String>, StoreError> {
    LIST.explain(connection, tenant, &filter.query(), 10).await
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
