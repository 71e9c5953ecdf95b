//! The log of uses from elsewhere.

use serde::Serialize;
use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, bindings, sql};
use crate::{
    binding::{Reason, token::KeyHash},
    clock::UnixMillis,
    ids::{InterceptionId, TenantId},
};

/// A use of a secret from elsewhere, or several that differ only in time. Flat, so that it is a line of CSV as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interception {
    pub id: InterceptionId,
    /// Of the first use.
    pub at: UnixMillis,
    #[serde(serialize_with = "shown")]
    pub key: KeyHash,
    pub masked: String,
    /// What the secret is bound to.
    pub bound: String,
    pub attempted: String,
    pub method: String,
    /// Without the query, which may hold a secret.
    pub path: String,
    pub reason: Reason,
    /// `false`: it was only observed.
    pub refused: bool,
    /// How many uses this stands for.
    pub uses: i64,
}

fn shown<S: serde::Serializer>(key: &KeyHash, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(key)
}

fn read(row: &AnyRow) -> Result<Interception, StoreError> {
    Ok(Interception {
        id: sql::from_id(row.try_get("id")?)?,
        at: row.try_get("at")?,
        key: bindings::key(row.try_get("key_hash")?)?,
        masked: row.try_get("masked")?,
        bound: row.try_get("bound")?,
        attempted: row.try_get("attempted")?,
        method: row.try_get("method")?,
        path: row.try_get("path")?,
        reason: sql::from_word("a reason", row.try_get("reason")?)?,
        refused: row.try_get::<i64, _>("refused")? != 0,
        uses: row.try_get("uses")?,
    })
}

/// Writes interceptions.
pub async fn insert(connection: &mut Connection, tenant: TenantId, rows: &[Interception]) -> Result<(), StoreError> {
    let insert = sql::Insert {
        head: "interceptions
            (tenant_id, id, at, key_hash, masked, bound, attempted, method, path, reason, refused, uses)",
        columns: 12,
        tail: "ON CONFLICT (tenant_id, id) DO NOTHING",
    };
    insert
        .run(connection, rows, |statement, row| {
            statement
                .bind(tenant.0)
                .bind(row.id.to_string())
                .bind(row.at)
                .bind(row.key.to_string())
                .bind(sql::clean(&row.masked))
                .bind(row.bound.clone())
                .bind(row.attempted.clone())
                .bind(sql::clean(&row.method))
                .bind(sql::clean(&row.path))
                .bind(row.reason.as_str())
                .bind(i64::from(row.refused))
                .bind(row.uses)
        })
        .await?;
    Ok(())
}

/// Which interceptions to list. Empty fields match everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub key: Option<KeyHash>,
    /// A part of the masked secret, of the attempted address or of the path.
    pub search: Option<String>,
    pub since: Option<UnixMillis>,
    pub until: Option<UnixMillis>,
    /// The last one of the page before.
    pub after: Option<(UnixMillis, InterceptionId)>,
}

/// Interceptions, the newest first.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Interception>, StoreError> {
    let statement = "SELECT id, at, key_hash, masked, bound, attempted, method, path, reason, refused, uses
         FROM interceptions
         WHERE tenant_id = $1 AND at >= $2 AND at < $3 AND ($4 = '' OR key_hash = $4)
             AND ($5 = '' OR LOWER(masked) LIKE $6 ESCAPE '!' OR attempted LIKE $6 ESCAPE '!'
                 OR LOWER(path) LIKE $6 ESCAPE '!')
             AND (at < $7 OR (at = $7 AND id < $8))
         ORDER BY at DESC, id DESC LIMIT $9";
    let search = filter.search.as_deref().unwrap_or_default().to_lowercase();
    let (before, id) = filter.after.map_or((i64::MAX, String::new()), |(at, id)| (at, id.to_string()));
    let rows = sqlx::query(statement)
        .bind(tenant.0)
        .bind(filter.since.unwrap_or(i64::MIN))
        .bind(filter.until.unwrap_or(i64::MAX))
        .bind(filter.key.map(|key| key.to_string()).unwrap_or_default())
        .bind(search.clone())
        .bind(sql::contains(&search))
        .bind(before)
        .bind(id)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// Deletes what is older than a time and what exceeds the newest `keep`, at most `limit` rows; says how many.
pub async fn prune(
    connection: &mut Connection,
    tenant: TenantId,
    before: UnixMillis,
    keep: i64,
    limit: i64,
) -> Result<u64, StoreError> {
    let old = "DELETE FROM interceptions WHERE tenant_id = $1 AND id IN (
        SELECT id FROM interceptions WHERE tenant_id = $1 AND at < $2 ORDER BY at LIMIT $3)";
    let old = sqlx::query(old).bind(tenant.0).bind(before).bind(limit).execute(&mut *connection).await?;
    let many = "DELETE FROM interceptions WHERE tenant_id = $1 AND id IN (
        SELECT id FROM interceptions WHERE tenant_id = $1 ORDER BY at DESC, id DESC LIMIT $2 OFFSET $3)";
    let many = sqlx::query(many).bind(tenant.0).bind(limit).bind(keep).execute(connection).await?;
    Ok(old.rows_affected() + many.rows_affected())
}
