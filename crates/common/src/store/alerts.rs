//! Alerts: events with the same fingerprint in a tenant, and where they stand.
//!
//! The row follows from the set of events alone, so that their order of arrival does not matter: first and last
//! seen are the least and the greatest arrival time, the analysis is that of the last event. What people said stands
//! above that ([`super::marks`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::{
    Connection, Found, Place, SCANNED_MAX, StoreError,
    events::{bind_analysis, read_analysis},
    lists::{Condition, List, Query, Value},
    sql::{self, Insert},
};
use crate::{
    alert::{Alert, Analysis, Severity, Status},
    clock::UnixMillis,
    ids::{AlertId, ChannelId, EventId, RuleId, TenantId},
    queue::Ending,
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
    /// That of the last event, as routing and a late answer of a model left it; but the status may be a person's word.
    pub analysis: Analysis,
    /// The last event's.
    pub source: String,
    pub subject: String,
    /// Whether a silence kept the last event from the channels.
    pub silenced: bool,
}

/// Which alerts: each list that is not empty must hold the alert's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    pub severities: Vec<Severity>,
    pub statuses: Vec<Status>,
    pub sources: Vec<String>,
    pub systems: Vec<String>,
    pub categories: Vec<String>,
    /// It ever went to one of them.
    pub channels: Vec<ChannelId>,
    /// One of them ever matched.
    pub rules: Vec<RuleId>,
    /// Only those whose last event a silence kept from the channels.
    pub silenced: bool,
    /// Words that must all stand in subject, summary, system or fingerprint.
    pub text: String,
    /// Last seen at that time or later.
    pub since: Option<UnixMillis>,
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

/// Where an alert went and why: the tenant's, the alert's, then `channel` or `rule` and its number.
pub(super) type Route = (TenantId, AlertId, &'static str, i64);

/// Remembers where alerts went.
pub(super) async fn put_routes(connection: &mut Connection, routes: &BTreeSet<Route>) -> Result<(), StoreError> {
    let insert = Insert {
        head: "alert_routes (tenant_id, alert_id, kind, item)",
        columns: 4,
        tail: "ON CONFLICT (tenant_id, alert_id, kind, item) DO NOTHING",
    };
    let rows: Vec<_> = routes.iter().collect();
    insert
        .run(connection, &rows, |statement, (tenant, alert, kind, item)| {
            statement.bind(tenant.0).bind(alert.to_string()).bind(*kind).bind(*item)
        })
        .await?;
    Ok(())
}

/// The channels that an alert ever went to, and the rules that ever matched it.
pub async fn routes(
    connection: &mut Connection,
    tenant: TenantId,
    id: AlertId,
) -> Result<(Vec<i64>, Vec<i64>), StoreError> {
    let statement = "SELECT kind, item FROM alert_routes WHERE tenant_id = $1 AND alert_id = $2 ORDER BY item";
    let rows = sqlx::query(statement).bind(tenant.0).bind(id.to_string()).fetch_all(connection).await?;
    let (mut channels, mut rules) = (Vec::new(), Vec::new());
    for row in rows {
        let list = if row.try_get::<&str, _>("kind")? == "rule" { &mut rules } else { &mut channels };
        list.push(row.try_get("item")?);
    }
    Ok((channels, rules))
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
                    confidence = COALESCE(m.confidence, r.confidence, e.confidence),
                    source = e.source, subject = e.subject, ending = r.ending
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

const LIST: List = List { columns: "alerts.*", from: "alerts", keys: ["tenant_id", "last_seen", "id"] };

/// A page of a tenant's alerts, last seen first, behind `before`.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
    before: Option<&Place>,
    limit: u32,
) -> Result<Found<StoredAlert>, StoreError> {
    LIST.page(connection, tenant, &filter.query(), (before, limit), read).await
}

/// How the database would read the first page, line by line.
#[cfg(any(test, feature = "testing"))]
pub async fn explain(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    LIST.explain(connection, tenant, &filter.query(), limit).await
}

/// Those of a tenant's alerts that have these ids, in no order.
pub async fn of_ids(
    connection: &mut Connection,
    tenant: TenantId,
    ids: &[AlertId],
) -> Result<Vec<StoredAlert>, StoreError> {
    let rows = sql::of_ids(connection, "SELECT * FROM alerts WHERE tenant_id = $1 AND id", tenant, ids).await?;
    rows.iter().map(read).collect()
}

impl Filter {
    /// The rarest condition leads: open alerts are few, and so are those of one system.
    fn query(&self) -> Query {
        let words = |column: &str, words: &[&str]| words.iter().map(|word| Condition::equals(column, *word)).collect();
        let severities: Vec<_> = self.severities.iter().map(|severity| severity.as_str()).collect();
        let statuses: Vec<_> = self.statuses.iter().map(|status| status.as_str()).collect();
        let sources: Vec<_> = self.sources.iter().map(String::as_str).collect();
        let systems: Vec<_> = self.systems.iter().map(String::as_str).collect();
        let open = !self.statuses.contains(&Status::Resolved);
        let leads = [
            ("status", if open { &statuses[..] } else { &[] }),
            ("system", &systems),
            ("severity", &severities),
            ("source", &sources),
            ("status", &statuses),
        ];
        let lead = leads.into_iter().find(|(_, words)| !words.is_empty() && !self.silenced);
        let any = lead.map_or_else(Vec::new, |(column, present)| words(column, present));
        let lead = lead.map(|(column, _)| column);
        let all = [("status", statuses.clone()), ("system", systems.clone()), ("source", sources.clone())];
        let all = all.into_iter().chain([("severity", severities.clone())]);
        let all = all.filter(|(column, words)| Some(*column) != lead && !words.is_empty());
        let mut query = Query { any, all: all.map(|(column, words)| Condition::one_of(column, words)).collect() };
        if self.silenced {
            query.any.push(Condition::new("ending = 'silenced'", []));
        }
        if !self.categories.is_empty() {
            query.all.push(Condition::one_of("category", &self.categories));
        }
        query.all.extend(routed_by("channel", self.channels.iter().map(|channel| channel.0)));
        query.all.extend(routed_by("rule", self.rules.iter().map(|rule| rule.0)));
        let text = "(subject || ' ' || summary || ' ' || system || ' ' || fingerprint)";
        query.all.extend(Condition::contains(text, &self.text));
        query.all.extend(self.since.map(|since| Condition::new("last_seen >= ?", [Value::Number(since)])));
        query
    }
}

/// That one of the items is among the alert's routes.
fn routed_by(kind: &'static str, items: impl Iterator<Item = i64>) -> Option<Condition> {
    let values: Vec<_> = items.map(Value::Number).collect();
    let marks = vec!["?"; values.len()].join(", ");
    let sql = format!(
        "EXISTS (SELECT 1 FROM alert_routes r WHERE r.tenant_id = alerts.tenant_id AND r.alert_id = alerts.id
            AND r.kind = '{kind}' AND r.item IN ({marks}))"
    );
    (!values.is_empty()).then(|| Condition::new(sql, values))
}

/// How many alerts a count looks at: more are "more than that".
pub const COUNTED_MAX: u32 = SCANNED_MAX;

/// How many of a tenant's alerts stand where, each at most [`COUNTED_MAX`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub firing: i64,
    pub acknowledged: i64,
    pub resolved: i64,
    /// Whose last event a silence kept from the channels.
    pub silenced: i64,
}

/// Counts a tenant's alerts. Reads indices only, and not beyond [`COUNTED_MAX`] of each.
pub async fn count(connection: &mut Connection, tenant: TenantId) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    for (which, count) in [
        ("status = 'firing'", &mut counts.firing),
        ("status = 'acknowledged'", &mut counts.acknowledged),
        ("status = 'resolved'", &mut counts.resolved),
        ("ending = 'silenced'", &mut counts.silenced),
    ] {
        let text = format!(
            "SELECT count(*) FROM (SELECT 1 FROM alerts WHERE tenant_id = $1 AND {which} LIMIT {COUNTED_MAX}) counted"
        );
        *count = sqlx::query_scalar(AssertSqlSafe(text)).bind(tenant.0).fetch_one(&mut *connection).await?;
    }
    Ok(counts)
}

/// How many alerts have which value: facet, value, count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facets {
    pub counts: BTreeMap<(&'static str, String), i64>,
    /// How many of those counted have a last event that a silence kept from the channels.
    pub silenced: i64,
    /// How many alerts were counted: the latest that pass the filter.
    pub counted: usize,
    /// Whether there are more.
    pub more: bool,
}

/// Counts the values of the latest alerts that pass a filter, at most [`COUNTED_MAX`].
pub async fn facets(connection: &mut Connection, tenant: TenantId, filter: &Filter) -> Result<Facets, StoreError> {
    let columns = ["severity", "status", "source", "system", "category"];
    let list = List { columns: "severity, status, source, system, category, ending", ..LIST };
    let read = |row: &AnyRow| {
        let values = columns.map(|column| row.try_get::<String, _>(column));
        let silenced = is_silenced(row)?;
        Ok((row.try_get::<String, _>("id_")?, silenced, values))
    };
    let found = list.page(connection, tenant, &filter.query(), (None, COUNTED_MAX), read).await?;
    let mut facets = Facets { counted: found.items.len(), more: found.next.is_some(), ..Facets::default() };
    let mut ids = Vec::with_capacity(found.items.len());
    for (id, silenced, values) in found.items {
        facets.silenced += i64::from(silenced);
        for (column, value) in columns.into_iter().zip(values) {
            *facets.counts.entry((column, value?)).or_default() += 1;
        }
        ids.push(id);
    }
    count_routes(connection, tenant, &ids, &mut facets).await?;
    Ok(facets)
}

async fn count_routes(
    connection: &mut Connection,
    tenant: TenantId,
    alerts: &[String],
    facets: &mut Facets,
) -> Result<(), StoreError> {
    let select = "SELECT kind, item FROM alert_routes WHERE tenant_id = $1 AND alert_id";
    for row in sql::of_ids(connection, select, tenant, alerts).await? {
        let kind = if row.try_get::<&str, _>("kind")? == "rule" { "rule" } else { "channel" };
        *facets.counts.entry((kind, row.try_get::<i64, _>("item")?.to_string())).or_default() += 1;
    }
    Ok(())
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
        source: row.try_get("source")?,
        subject: row.try_get("subject")?,
        silenced: is_silenced(row)?,
    })
}

fn is_silenced(row: &AnyRow) -> Result<bool, StoreError> {
    Ok(row.try_get::<Option<&str>, _>("ending")? == Some(Ending::Silenced.as_str()))
}
