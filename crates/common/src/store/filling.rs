//! A store with a long history at once, for the benchmark of lists. Behind the feature `testing`.

use sqlx::AssertSqlSafe;

use super::{Engine, Store, StoreError};

/// Rows of one statement: a transaction of a second or two.
const PART: i64 = 100_000;

/// The alert of an event: a fifth are new, the others repeat one of those.
const ALERT: &str = "'alr_' || substr('00000000000000000000000000000000' || CAST(i % {alerts} AS TEXT),
    length(CAST(i % {alerts} AS TEXT)) + 1)";

/// Adds `events` events to the default tenant, one a second up to `now`, of a fifth as many alerts; each event has a
/// routing and a delivery. Few alerts are open: one in a hundred.
///
/// # Errors
/// The store's.
pub async fn fill(store: &Store, events: i64, now: i64) -> Result<(), StoreError> {
    let alerts = (events / 5).max(1);
    let alert = ALERT.replace("{alerts}", &alerts.to_string());
    for from in (0..events).step_by(usize::try_from(PART).unwrap_or(usize::MAX)) {
        let to = (from + PART).min(events);
        for (target, columns) in [
            (
                "events (tenant_id, id, received_at, source, senders, recipients, subject, labels, attachments,
                    alert_id, severity, status, category, system, summary, action, origin, confidence, text)",
                "1, {event}, {at}, {source}, '[]', '[]', 'disk full ' || CAST(i AS TEXT), '{}', '[]', {alert},
                    {severity}, {status}, 'disk', {system}, 'disk full', '', 'rules', 1.0, 'text of the mail'",
            ),
            ("routings (tenant_id, event_id, at, reasons)", "1, {event}, {at}, '[]'"),
            (
                "deliveries (tenant_id, id, event_id, channel_id, alert_id, state, state_rank, state_at, state_number,
                    attempts, detail)",
                "1, 'dlv_' || substr({event}, 5), {event}, i % 20, {alert},
                    CASE WHEN i % 1000 = 0 THEN 'dead' ELSE 'delivered' END, 3, {at}, 1, 1, '200 OK'",
            ),
        ] {
            insert(store, target, columns, (from, to), (&alert, now - events * 1_000)).await?;
        }
    }
    let oldest = events - alerts;
    for from in (oldest..events).step_by(usize::try_from(PART).unwrap_or(usize::MAX)) {
        let part = (from, (from + PART).min(events));
        let columns = "1, {alert}, 'f' || CAST(i AS TEXT), {at} - 1000, {at}, {event}, 5, {severity}, {status}, 'disk',
            {system}, 'disk full', '', 'rules', 1.0, {source}, 'disk full ' || CAST(i AS TEXT)";
        let target = "alerts (tenant_id, id, fingerprint, first_seen, last_seen, last_event, events, severity, status,
            category, system, summary, action, origin, confidence, source, subject)";
        insert(store, target, columns, part, (&alert, now - events * 1_000)).await?;
        let routes = "alert_routes (tenant_id, alert_id, kind, item)";
        insert(store, routes, "1, {alert}, 'channel', i % 20", part, (&alert, 0)).await?;
    }
    if store.engine == Engine::Postgres {
        sqlx::query("ANALYZE").execute(&store.pool).await?;
    }
    Ok(())
}

async fn insert(
    store: &Store,
    target: &str,
    columns: &str,
    (from, to): (i64, i64),
    (alert, begin): (&str, i64),
) -> Result<(), StoreError> {
    let event = "'evt_' || substr('00000000000000000000000000000000' || CAST(i AS TEXT), length(CAST(i AS TEXT)) + 1)";
    let columns = columns
        .replace("{alert}", alert)
        .replace("{event}", event)
        .replace("{at}", &format!("({begin} + i * 1000)"))
        .replace("{severity}", "CASE i % 20 WHEN 0 THEN 'critical' WHEN 1 THEN 'info' ELSE 'warning' END")
        .replace("{status}", "CASE i % 100 WHEN 0 THEN 'firing' ELSE 'resolved' END")
        .replace("{system}", "'host' || CAST(i % 500 AS TEXT)")
        .replace("{source}", "CASE i % 3 WHEN 0 THEN 'mail' WHEN 1 THEN 'push' ELSE 'alertmanager' END");
    let text = format!(
        "INSERT INTO {target} WITH RECURSIVE n (i) AS
            (SELECT CAST({from} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to}) SELECT {columns} FROM n"
    );
    // As long as it takes: a server's limit is for requests.
    let mut tx = store.begin().await?;
    if store.engine == Engine::Postgres {
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
    }
    // Safe: the text is made of constants and numbers.
    sqlx::query(AssertSqlSafe(text)).execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}
