//! How much bound secrets are used: requests per day, in all and per secret.

use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, bindings, sql};
use crate::{
    binding::token::KeyHash,
    clock::{DAY_MS, UnixMillis},
    ids::TenantId,
};

/// The requests of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    /// Whose; `None` for all requests, those without a secret included.
    pub key: Option<KeyHash>,
    pub allowed: i64,
    pub intercepted: i64,
}

/// The day of a time.
pub fn day_of(now: UnixMillis) -> i64 {
    now.div_euclid(DAY_MS)
}

/// When a day began.
pub fn start_of(day: i64) -> UnixMillis {
    day.saturating_mul(DAY_MS)
}

fn read(row: &AnyRow) -> Result<Day, StoreError> {
    let key: &str = row.try_get("key_hash")?;
    Ok(Day {
        day: row.try_get("day")?,
        key: (!key.is_empty()).then(|| bindings::key(key)).transpose()?,
        allowed: row.try_get("allowed")?,
        intercepted: row.try_get("intercepted")?,
    })
}

/// Adds to the counts; no day and secret may stand in `days` twice.
pub async fn add(connection: &mut Connection, tenant: TenantId, days: &[Day]) -> Result<(), StoreError> {
    let insert = sql::Insert {
        head: "binding_days (tenant_id, day, key_hash, allowed, intercepted)",
        columns: 5,
        tail: "ON CONFLICT (tenant_id, day, key_hash) DO UPDATE SET
            allowed = binding_days.allowed + excluded.allowed,
            intercepted = binding_days.intercepted + excluded.intercepted",
    };
    insert
        .run(connection, days, |statement, day| {
            let key = day.key.map(|key| key.to_string()).unwrap_or_default();
            statement.bind(tenant.0).bind(day.day).bind(key).bind(day.allowed).bind(day.intercepted)
        })
        .await?;
    Ok(())
}

/// The days from one on, of one secret or of all requests, oldest first.
pub async fn days(
    connection: &mut Connection,
    tenant: TenantId,
    key: Option<KeyHash>,
    since_day: i64,
) -> Result<Vec<Day>, StoreError> {
    let statement = "SELECT day, key_hash, allowed, intercepted FROM binding_days
        WHERE tenant_id = $1 AND key_hash = $2 AND day >= $3 ORDER BY day";
    let key = key.map(|key| key.to_string()).unwrap_or_default();
    let rows = sqlx::query(statement).bind(tenant.0).bind(key).bind(since_day).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// A secret and its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    pub key: KeyHash,
    /// The secret as people may see it; `None` for one that is not bound any more.
    pub masked: Option<String>,
    pub allowed: i64,
    pub intercepted: i64,
}

/// The secrets with the most requests since a day.
pub async fn busiest(
    connection: &mut Connection,
    tenant: TenantId,
    since_day: i64,
    limit: i64,
) -> Result<Vec<Busy>, StoreError> {
    // PostgreSQL's sums of BIGINT are NUMERIC.
    let statement =
        "SELECT used.key_hash, MAX(bindings.masked) AS masked, CAST(SUM(used.allowed) AS BIGINT) AS allowed,
            CAST(SUM(used.intercepted) AS BIGINT) AS intercepted
        FROM binding_days AS used
            LEFT JOIN bindings ON bindings.tenant_id = used.tenant_id AND bindings.key_hash = used.key_hash
        WHERE used.tenant_id = $1 AND used.day >= $2 AND used.key_hash <> ''
        GROUP BY used.key_hash ORDER BY SUM(used.allowed) + SUM(used.intercepted) DESC, used.key_hash LIMIT $3";
    let rows = sqlx::query(statement).bind(tenant.0).bind(since_day).bind(limit).fetch_all(connection).await?;
    let busy = |row: &AnyRow| {
        Ok(Busy {
            key: bindings::key(row.try_get("key_hash")?)?,
            masked: row.try_get("masked")?,
            allowed: row.try_get("allowed")?,
            intercepted: row.try_get("intercepted")?,
        })
    };
    rows.iter().map(busy).collect()
}

/// Forgets the days before one.
pub async fn prune(connection: &mut Connection, tenant: TenantId, before_day: i64) -> Result<(), StoreError> {
    let statement = "DELETE FROM binding_days WHERE tenant_id = $1 AND day < $2";
    sqlx::query(statement).bind(tenant.0).bind(before_day).execute(connection).await?;
    Ok(())
}
