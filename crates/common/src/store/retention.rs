//! How long history is kept: what is older goes, a few hundred events at a time.

use sqlx::{AssertSqlSafe, Row as _};

use super::{Connection, StoreError, changes, installation, sql};
use crate::{clock::UnixMillis, ids::TenantId};

/// How many events one call removes: a transaction of some milliseconds, between which the recorder writes.
pub const BATCH: u32 = 500;

/// What belongs to an event, and the column that names it. Attempts go first: they are found by their deliveries.
const OF_EVENT: [(&str, &str); 4] =
    [("routings", "event_id"), ("burials", "event_id"), ("event_raw", "event_id"), ("deliveries", "event_id")];

/// Removes up to [`BATCH`] of a tenant's events that were received before a time, with everything that belongs to
/// them, and then alerts not seen since. Answers how many events and alerts went; 0 when nothing is left to do.
pub async fn remove(connection: &mut Connection, tenant: TenantId, before: UnixMillis) -> Result<u64, StoreError> {
    let old = "SELECT id FROM events WHERE tenant_id = $1 AND received_at < $2 ORDER BY received_at, id LIMIT $3";
    let old = sqlx::query(old).bind(tenant.0).bind(before).bind(i64::from(BATCH)).fetch_all(&mut *connection).await?;
    let old = old.iter().map(|row| row.try_get::<String, _>("id")).collect::<Result<Vec<_>, _>>()?;
    remove_events(connection, tenant, &old).await?;
    if !old.is_empty() {
        return Ok(old.len() as u64);
    }
    remove_old_alerts(connection, tenant, before).await
}

/// Removes the alerts whose last event came from a source, with all their events, and says how many there were.
/// `now` dates the note for those who watch.
pub async fn remove_source(
    connection: &mut Connection,
    tenant: TenantId,
    source: &str,
    now: UnixMillis,
) -> Result<u64, StoreError> {
    let alerts = "SELECT id FROM alerts WHERE tenant_id = $1 AND source = $2";
    let alerts: Vec<String> =
        sqlx::query_scalar(alerts).bind(tenant.0).bind(source).fetch_all(&mut *connection).await?;
    for alert in &alerts {
        let events = "SELECT id FROM events WHERE tenant_id = $1 AND alert_id = $2";
        let events: Vec<String> =
            sqlx::query_scalar(events).bind(tenant.0).bind(alert).fetch_all(&mut *connection).await?;
        remove_events(connection, tenant, &events).await?;
    }
    remove_alerts(connection, tenant, &alerts).await?;
    changes::add_unnamed(connection, tenant, now).await?;
    Ok(alerts.len() as u64)
}

async fn remove_events(connection: &mut Connection, tenant: TenantId, old: &[String]) -> Result<(), StoreError> {
    let attempts = "DELETE FROM attempts WHERE tenant_id = $1 AND delivery_id IN
        (SELECT id FROM deliveries WHERE tenant_id = $1 AND event_id";
    delete(connection, &format!("{attempts} IN (%))"), tenant, old).await?;
    for (table, column) in OF_EVENT {
        delete(connection, &format!("DELETE FROM {table} WHERE tenant_id = $1 AND {column} IN (%)"), tenant, old)
            .await?;
    }
    delete(connection, "DELETE FROM events WHERE tenant_id = $1 AND id IN (%)", tenant, old).await
}

async fn remove_old_alerts(
    connection: &mut Connection,
    tenant: TenantId,
    before: UnixMillis,
) -> Result<u64, StoreError> {
    let old = "SELECT id FROM alerts WHERE tenant_id = $1 AND last_seen < $2 ORDER BY last_seen, id LIMIT $3";
    let old = sqlx::query(old).bind(tenant.0).bind(before).bind(i64::from(BATCH)).fetch_all(&mut *connection).await?;
    let old = old.iter().map(|row| row.try_get::<String, _>("id")).collect::<Result<Vec<_>, _>>()?;
    remove_alerts(connection, tenant, &old).await?;
    sqlx::query("DELETE FROM tallies WHERE tenant_id = $1 AND minute < $2")
        .bind(tenant.0)
        .bind(before / 60_000)
        .execute(connection)
        .await?;
    Ok(old.len() as u64)
}

async fn remove_alerts(connection: &mut Connection, tenant: TenantId, old: &[String]) -> Result<(), StoreError> {
    for table in ["alert_routes", "alert_marks", "alert_actions"] {
        delete(connection, &format!("DELETE FROM {table} WHERE tenant_id = $1 AND alert_id IN (%)"), tenant, old)
            .await?;
    }
    delete(connection, "DELETE FROM alerts WHERE tenant_id = $1 AND id IN (%)", tenant, old).await
}

/// Runs a statement in which `%` stands for ids.
async fn delete(connection: &mut Connection, text: &str, tenant: TenantId, ids: &[String]) -> Result<(), StoreError> {
    for part in sql::parts(ids, sql::PARAMETERS_MAX / 2) {
        let marks: Vec<_> = (2..2 + part.len()).map(|parameter| format!("${parameter}")).collect();
        // Safe: the text is made of constants and numbers.
        let statement = sqlx::query(AssertSqlSafe(text.replace('%', &marks.join(", ")))).bind(tenant.0);
        part.iter().fold(statement, sqlx::query::Query::bind).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets what live updates no longer need.
pub async fn forget_changes(connection: &mut Connection, tenant: TenantId, now: UnixMillis) -> Result<(), StoreError> {
    changes::forget(connection, tenant, now).await
}

/// Where the number of days stands that was set at run time.
const DAYS: &str = "history.retention_days";

/// For how many days history is kept, if that was set at run time; 0 for ever.
pub async fn days(connection: &mut Connection) -> Result<Option<u32>, StoreError> {
    let damaged = |_| StoreError::Damaged { what: DAYS, why: "it is not a number".to_owned() };
    let days = installation::get(connection, DAYS).await?;
    days.map(|days| days.parse().map_err(damaged)).transpose()
}

/// Sets for how many days history is kept; `None`: what the settings say.
pub async fn set_days(connection: &mut Connection, days: Option<u32>) -> Result<(), StoreError> {
    match days {
        Some(days) => installation::put(connection, DAYS, &days.to_string()).await,
        None => installation::remove(connection, DAYS).await,
    }
}
