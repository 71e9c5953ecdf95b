//! What people say about alerts: a mark is the status that somebody gave one, until an event ends it; an action is an
//! entry of its timeline; a label is a correction of the analysis.
//!
//! An alert that somebody **acknowledged** stays so while it goes on firing. It ends when a later event resolves the
//! alert, or has a greater severity than what was acknowledged: that is news. One that somebody **resolved** stays so
//! until the next event that fires.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{Row as _, any::AnyRow};

use super::{Connection, StoreError, alerts::StoredAlert, sql};
use crate::{
    alert::{Alert, Severity, Status},
    clock::UnixMillis,
    ids::{ActionId, AlertId, EventId, TenantId},
};

/// The status that somebody gave an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub alert: AlertId,
    /// Acknowledged or resolved.
    pub status: Status,
    /// The alert's, then; the greater one, where a rule lowered that of its event.
    pub severity: Severity,
    /// The last event that there was, then.
    pub seen: (UnixMillis, EventId),
    pub at: UnixMillis,
    /// Who, as people know them.
    pub actor: String,
    pub comment: String,
}

impl Mark {
    /// Whether an event that came later ends it.
    fn ends_with(&self, event: (UnixMillis, EventId), severity: Severity, status: Status) -> bool {
        if event <= self.seen {
            return false;
        }
        match self.status {
            Status::Acknowledged => status == Status::Resolved || severity > self.severity,
            _ => status != Status::Resolved,
        }
    }
}

/// What somebody does with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Acknowledge,
    Unacknowledge,
    Resolve,
    Label,
}

impl What {
    /// The word used in the API, the database and the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Unacknowledge => "unacknowledge",
            Self::Resolve => "resolve",
            Self::Label => "label",
        }
    }
}

/// A person's correction of an analysis; what is absent was right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// An entry of an alert's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub id: ActionId,
    pub alert: AlertId,
    pub at: UnixMillis,
    /// The last event that there was, then.
    pub event: EventId,
    pub what: What,
    pub actor: String,
    pub comment: String,
    pub label: Option<Label>,
}

/// Does it: writes the timeline, and gives the alert its status.
pub async fn act(
    connection: &mut Connection,
    tenant: TenantId,
    alert: &StoredAlert,
    action: &Action,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO alert_actions (tenant_id, alert_id, id, at, event_id, action, actor, comment, label)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(action.alert.to_string())
    .bind(action.id.to_string())
    .bind(action.at)
    .bind(action.event.to_string())
    .bind(action.what.as_str())
    .bind(sql::clean(&action.actor))
    .bind(sql::clean(&action.comment))
    .bind(action.label.as_ref().map(sql::json))
    .execute(&mut *connection)
    .await?;
    // The alert's row comes first, as in the recorder: then neither waits for the other.
    let status = match action.what {
        What::Acknowledge => Status::Acknowledged,
        What::Resolve => Status::Resolved,
        What::Unacknowledge => {
            super::alerts::refresh(connection, &[(tenant, action.alert)].into()).await?;
            return remove(connection, tenant, action.alert).await;
        }
        What::Label => return Ok(()),
    };
    set_status(connection, tenant, action.alert, status).await?;
    let mark = Mark {
        alert: action.alert,
        status,
        severity: severity(connection, tenant, alert).await?,
        seen: (alert.last_seen, alert.last_event),
        at: action.at,
        actor: action.actor.clone(),
        comment: action.comment.clone(),
    };
    put(connection, tenant, &mark).await
}

/// What an alert is acknowledged with: the severity that people see, or that of its event before a rule lowered it.
/// The next event is compared with it before it is routed.
async fn severity(connection: &mut Connection, tenant: TenantId, alert: &StoredAlert) -> Result<Severity, StoreError> {
    let event = super::events::get(connection, tenant, alert.last_event).await?;
    let own = event.and_then(|event| event.analysis).map(|analysis| analysis.severity);
    Ok(own.map_or(alert.analysis.severity, |own| own.max(alert.analysis.severity)))
}

async fn put(connection: &mut Connection, tenant: TenantId, mark: &Mark) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO alert_marks (tenant_id, alert_id, status, severity, seen_at, seen_event, at, actor, comment)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (tenant_id, alert_id) DO UPDATE SET status = excluded.status, severity = excluded.severity,
            seen_at = excluded.seen_at, seen_event = excluded.seen_event, at = excluded.at, actor = excluded.actor,
            comment = excluded.comment",
    )
    .bind(tenant.0)
    .bind(mark.alert.to_string())
    .bind(mark.status.as_str())
    .bind(mark.severity.as_str())
    .bind(mark.seen.0)
    .bind(mark.seen.1.to_string())
    .bind(mark.at)
    .bind(sql::clean(&mark.actor))
    .bind(sql::clean(&mark.comment))
    .execute(connection)
    .await?;
    Ok(())
}

async fn remove(connection: &mut Connection, tenant: TenantId, alert: AlertId) -> Result<(), StoreError> {
    let statement = "DELETE FROM alert_marks WHERE tenant_id = $1 AND alert_id = $2";
    sqlx::query(statement).bind(tenant.0).bind(alert.to_string()).execute(connection).await?;
    Ok(())
}

async fn set_status(
    connection: &mut Connection,
    tenant: TenantId,
    alert: AlertId,
    status: Status,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE alerts SET status = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(alert.to_string())
        .bind(status.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The marks of these of a tenant's alerts.
pub async fn of_alerts(
    connection: &mut Connection,
    tenant: TenantId,
    alerts: &[AlertId],
) -> Result<BTreeMap<AlertId, Mark>, StoreError> {
    let select = "SELECT * FROM alert_marks WHERE tenant_id = $1 AND alert_id";
    let read = |row: &AnyRow| {
        let alert = sql::from_id(row.try_get("alert_id")?)?;
        let mark = Mark {
            alert,
            status: sql::from_word("a status", row.try_get("status")?)?,
            severity: sql::from_word("a severity", row.try_get("severity")?)?,
            seen: (row.try_get("seen_at")?, sql::from_id(row.try_get("seen_event")?)?),
            at: row.try_get("at")?,
            actor: row.try_get("actor")?,
            comment: row.try_get("comment")?,
        };
        Ok((alert, mark))
    };
    sql::of_ids(connection, select, tenant, alerts).await?.iter().map(read).collect()
}

/// Ends the marks that new events end, and gives the others' alerts their status again: call it after
/// [`super::alerts::refresh`] with the same alerts.
pub(super) async fn renew(
    connection: &mut Connection,
    touched: &std::collections::BTreeSet<(TenantId, AlertId)>,
    new: &[&Alert],
) -> Result<(), StoreError> {
    let mut by_tenant = BTreeMap::<TenantId, Vec<AlertId>>::new();
    for (tenant, alert) in touched {
        by_tenant.entry(*tenant).or_default().push(*alert);
    }
    for (tenant, touched) in by_tenant {
        let marks = of_alerts(connection, tenant, &touched).await?;
        if marks.is_empty() {
            continue;
        }
        let marked: Vec<_> = marks.keys().copied().collect();
        let now = super::alerts::of_ids(connection, tenant, &marked).await?;
        for alert in now {
            let mark = &marks[&alert.id];
            let events = new.iter().filter(|event| event.event.tenant == tenant && event.id == alert.id);
            let ended = events
                .map(|new| ((new.event.received_at, new.event.id), new.analysis.severity, new.analysis.status))
                .chain([((alert.last_seen, alert.last_event), alert.analysis.severity, alert.analysis.status)])
                .any(|(event, severity, status)| mark.ends_with(event, severity, status));
            if ended {
                remove(connection, tenant, alert.id).await?;
            } else {
                set_status(connection, tenant, alert.id, mark.status).await?;
            }
        }
    }
    Ok(())
}

/// What people did with an alert, latest first, at most `limit`.
pub async fn actions(
    connection: &mut Connection,
    tenant: TenantId,
    alert: AlertId,
    limit: u32,
) -> Result<Vec<Action>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM alert_actions WHERE tenant_id = $1 AND alert_id = $2 ORDER BY id DESC LIMIT $3")
            .bind(tenant.0)
            .bind(alert.to_string())
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
    let read = |row: &AnyRow| {
        let label = row.try_get::<Option<&str>, _>("label")?;
        Ok(Action {
            id: sql::from_id(row.try_get("id")?)?,
            alert,
            at: row.try_get("at")?,
            event: sql::from_id(row.try_get("event_id")?)?,
            what: sql::from_word("an action", row.try_get("action")?)?,
            actor: row.try_get("actor")?,
            comment: row.try_get("comment")?,
            label: label.map(|label| sql::from_json("a label", label)).transpose()?,
        })
    };
    rows.iter().map(read).collect()
}
