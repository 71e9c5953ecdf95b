//! Alerts: events with the same fingerprint in a tenant, and where they stand.
//!
//! The row follows from the set of events alone, so that their order of arrival does not matter: first and last
//! seen are the least and the greatest arrival time, the analysis is that of the last event.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    events::{bind_analysis, read_analysis},
    sql::{self, Insert},
};
use crate::{
    alert::{Alert, Analysis},
    clock::UnixMillis,
    ids::{AlertId, EventId, TenantId},
};

/// An alert as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAlert {
    pub id: AlertId,
    pub fingerprint: String,
    pub first_seen: UnixMillis,
    pub last_seen: UnixMillis,
    pub last_event: EventId,
    /// How many different events there were.
    pub count: i64,
    /// That of the last event, as routing and a late answer of a model left it.
    pub analysis: Analysis,
}

/// New events of one alert, summed up.
struct Seen<'f> {
    last: &'f Alert,
    first_at: UnixMillis,
    events: i64,
}

/// Adds events that the store did not have before to their alerts.
pub(super) async fn see<'f>(
    connection: &mut Connection,
    new: impl Iterator<Item = &'f Alert>,
) -> Result<(), StoreError> {
    let mut seen = BTreeMap::<(TenantId, AlertId), Seen<'f>>::new();
    for alert in new {
        let at = alert.event.received_at;
        let entry = seen.entry((alert.event.tenant, alert.id)).or_insert(Seen { last: alert, first_at: at, events: 0 });
        entry.events += 1;
        entry.first_at = entry.first_at.min(at);
        if (at, alert.event.id) > (entry.last.event.received_at, entry.last.event.id) {
            entry.last = alert;
        }
    }
    let insert = Insert {
        head: "alerts (tenant_id, id, fingerprint, first_seen, last_seen, last_event, events, severity, status,
            category, system, summary, action, origin, confidence)",
        columns: 15,
        tail: "ON CONFLICT (tenant_id, id) DO UPDATE SET
            first_seen = CASE WHEN excluded.first_seen < alerts.first_seen
                THEN excluded.first_seen ELSE alerts.first_seen END,
            last_seen = CASE WHEN excluded.last_seen > alerts.last_seen
                THEN excluded.last_seen ELSE alerts.last_seen END,
            last_event = CASE WHEN (excluded.last_seen, excluded.last_event) > (alerts.last_seen, alerts.last_event)
                THEN excluded.last_event ELSE alerts.last_event END,
            events = alerts.events + excluded.events",
    };
    let rows: Vec<_> = seen.into_iter().collect();
    insert
        .run(connection, &rows, |statement, ((tenant, id), seen)| {
            let statement = statement
                .bind(tenant.0)
                .bind(id.to_string())
                .bind(sql::clean(&seen.last.fingerprint))
                .bind(seen.first_at)
                .bind(seen.last.event.received_at)
                .bind(seen.last.event.id.to_string())
                .bind(seen.events);
            bind_analysis(statement, Some(&seen.last.analysis))
        })
        .await?;
    Ok(())
}

/// Copies to alerts what the rows of their last events say.
pub(super) async fn refresh(
    connection: &mut Connection,
    touched: &BTreeSet<(TenantId, AlertId)>,
) -> Result<(), StoreError> {
    let mut by_tenant = BTreeMap::<TenantId, Vec<AlertId>>::new();
    for (tenant, alert) in touched {
        by_tenant.entry(*tenant).or_default().push(*alert);
    }
    for (tenant, alerts) in by_tenant {
        for part in sql::parts(&alerts, sql::PARAMETERS_MAX / 2) {
            let mut text = "UPDATE alerts SET severity = COALESCE(m.severity, r.severity, e.severity),
                    status = COALESCE(m.status, r.status, e.status), category = COALESCE(m.category, r.category, e.category),
                    system = COALESCE(m.system, r.system, e.system), summary = COALESCE(m.summary, r.summary, e.summary),
                    action = COALESCE(m.action, r.action, e.action), origin = COALESCE(m.origin, r.origin, e.origin),
                    confidence = COALESCE(m.confidence, r.confidence, e.confidence)
                FROM events e LEFT JOIN routings r ON r.tenant_id = e.tenant_id AND r.event_id = e.id
                    LEFT JOIN enrichments m ON m.tenant_id = e.tenant_id AND m.event_id = e.id
                WHERE e.tenant_id = alerts.tenant_id AND e.id = alerts.last_event
                    AND alerts.tenant_id = $1 AND alerts.id IN ("
                .to_owned();
            for parameter in 2..2 + part.len() {
                let _ = write!(text, "{}${parameter}", if parameter == 2 { "" } else { ", " });
            }
            text.push(')');
            let statement = sqlx::query(AssertSqlSafe(text)).bind(tenant.0);
            let statement = part.iter().fold(statement, |statement, id| statement.bind(id.to_string()));
            statement.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// One of a tenant's alerts.
pub async fn get(
    connection: &mut Connection,
    tenant: TenantId,
    id: AlertId,
) -> Result<Option<StoredAlert>, StoreError> {
    let row = sqlx::query("SELECT * FROM alerts WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// A tenant's alerts, last seen first, at most `limit`; those before `before`, which is the last of the previous page.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    before: Option<(UnixMillis, AlertId)>,
    limit: u32,
) -> Result<Vec<StoredAlert>, StoreError> {
    let (at, id) = before.map_or((i64::MAX, String::new()), |(at, id)| (at, id.to_string()));
    let rows = sqlx::query(
        "SELECT * FROM alerts WHERE tenant_id = $1 AND (last_seen, id) < ($2, $3)
         ORDER BY last_seen DESC, id DESC LIMIT $4",
    )
    .bind(tenant.0)
    .bind(at)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<StoredAlert, StoreError> {
    let missing = || StoreError::Damaged { what: "an alert", why: "it has no analysis".to_owned() };
    Ok(StoredAlert {
        id: sql::from_id(row.try_get("id")?)?,
        fingerprint: row.try_get("fingerprint")?,
        first_seen: row.try_get("first_seen")?,
        last_seen: row.try_get("last_seen")?,
        last_event: sql::from_id(row.try_get("last_event")?)?,
        count: row.try_get("events")?,
        analysis: read_analysis(row, "")?.ok_or_else(missing)?,
    })
}
