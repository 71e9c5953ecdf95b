//! Events, their raw bytes, what routing decided about them, and the jobs of theirs that gave up.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, Found, Place, StoreError,
    lists::{Condition, List, Query},
    sql::{self, Insert, Statement},
};
use crate::{
    alert::{Alert, Analysis, Event, Severity},
    clock::UnixMillis,
    ids::{AlertId, ChannelId, EventId, MuteId, SilenceId, TenantId},
    queue::Ending,
};

/// An event as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub event: Event,
    pub alert: Option<AlertId>,
    /// What the rules understood; `None` for an event that was dropped at intake.
    pub analysis: Option<Analysis>,
    /// How and why it was dropped at intake.
    pub dropped: Option<(Ending, String)>,
    /// `None` while it was not routed, or when that fact has not arrived yet.
    pub routing: Option<Routing>,
    /// Set when a model answered after the event had gone out.
    pub enrichment: Option<Enrichment>,
}

/// What routing decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Routing {
    pub at: UnixMillis,
    /// Why, in order.
    pub reasons: Vec<String>,
    /// Set when no delivery came of it.
    pub ending: Option<Ending>,
    /// Where it differs from the event's own.
    pub analysis: Option<Analysis>,
}

/// What a late answer of a model made of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrichment {
    pub at: UnixMillis,
    /// Routing's, which was asked again.
    pub reasons: Vec<String>,
    pub analysis: Analysis,
}

/// An event to be written.
pub(super) struct EventRow<'f> {
    pub(super) event: &'f Event,
    pub(super) alert: Option<&'f Alert>,
    pub(super) dropped: Option<(Ending, &'f str)>,
    pub(super) mute: Option<MuteId>,
    pub(super) raw: &'f Bytes,
    pub(super) raw_truncated: bool,
}

/// A routing to be written.
pub(super) struct RoutingRow<'f> {
    pub(super) at: UnixMillis,
    pub(super) reasons: &'f [String],
    pub(super) ending: Option<Ending>,
    pub(super) silence: Option<SilenceId>,
    pub(super) analysis: Option<&'f Analysis>,
}

/// An enrichment to be written.
pub(super) struct EnrichmentRow<'f> {
    pub(super) at: UnixMillis,
    pub(super) reasons: &'f [String],
    pub(super) analysis: &'f Analysis,
}

/// What names an event: ids are unique, but every row also says whose it is.
pub(super) type EventKey = (TenantId, EventId);

/// Raw bytes are copied on their way into a statement; with `history.raw_max_bytes` of 256 KiB this is 8 MiB a time.
const RAW_ROWS_MAX: usize = 32;

/// Writes events that are not there yet, with their raw bytes, and says which those were.
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &[EventRow<'_>],
) -> Result<HashSet<EventKey>, StoreError> {
    let insert = Insert {
        head: "events (tenant_id, id, received_at, source, channel_id, peer, senders, recipients, subject, labels,
            attachments, alert_id, severity, status, category, system, summary, action, origin, confidence, ending,
            drop_reason, text, mute_id)",
        columns: 24,
        tail: "ON CONFLICT (tenant_id, id) DO NOTHING RETURNING tenant_id, id",
    };
    let inserted = insert.run(connection, rows, bind_event).await?;
    let new = inserted.iter().map(event_key).collect::<Result<HashSet<_>, StoreError>>()?;
    let raw: Vec<_> =
        rows.iter().filter(|row| !row.raw.is_empty() && new.contains(&(row.event.tenant, row.event.id))).collect();
    let insert = Insert {
        head: "event_raw (tenant_id, event_id, truncated, raw)",
        columns: 4,
        tail: "ON CONFLICT (tenant_id, event_id) DO NOTHING",
    };
    for part in raw.chunks(RAW_ROWS_MAX) {
        insert
            .run(connection, part, |statement, row| {
                statement
                    .bind(row.event.tenant.0)
                    .bind(row.event.id.to_string())
                    .bind(i64::from(row.raw_truncated))
                    .bind(row.raw.to_vec())
            })
            .await?;
    }
    Ok(new)
}

fn event_key(row: &AnyRow) -> Result<EventKey, StoreError> {
    Ok((TenantId(row.try_get("tenant_id")?), sql::from_id(row.try_get("id")?)?))
}

fn bind_event(statement: Statement, row: &EventRow<'_>) -> Statement {
    let event = row.event;
    let statement = statement
        .bind(event.tenant.0)
        .bind(event.id.to_string())
        .bind(event.received_at)
        .bind(sql::clean(&event.source))
        .bind(event.channel.map(|channel| channel.0))
        .bind(event.peer.map(|peer| peer.to_string()))
        .bind(sql::json(&event.from))
        .bind(sql::json(&event.to))
        .bind(sql::clean(&event.subject))
        .bind(sql::json(&event.labels))
        .bind(sql::json(&event.attachments))
        .bind(row.alert.map(|alert| alert.id.to_string()));
    bind_analysis(statement, row.alert.map(|alert| &alert.analysis))
        .bind(row.dropped.map(|(ending, _)| ending.as_str()))
        .bind(row.dropped.map(|(_, reason)| sql::clean(reason)))
        .bind(sql::clean(&event.text))
        .bind(row.mute.map(|mute| mute.0))
}

/// Binds the eight columns of an analysis: severity, status, category, system, summary, action, origin, confidence.
pub(super) fn bind_analysis(statement: Statement, analysis: Option<&Analysis>) -> Statement {
    statement
        .bind(analysis.map(|analysis| analysis.severity.as_str()))
        .bind(analysis.map(|analysis| analysis.status.as_str()))
        .bind(analysis.map(|analysis| sql::clean(&analysis.category)))
        .bind(analysis.map(|analysis| sql::clean(&analysis.system)))
        .bind(analysis.map(|analysis| sql::clean(&analysis.summary)))
        .bind(analysis.map(|analysis| sql::clean(&analysis.action)))
        .bind(analysis.map(|analysis| analysis.origin.as_str()))
        .bind(analysis.map(|analysis| f64::from(analysis.confidence)))
}

/// Reads the eight columns of an analysis, whose names may have a prefix; `None` when they are empty.
pub(super) fn read_analysis(row: &AnyRow, prefix: &str) -> Result<Option<Analysis>, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(format!("{prefix}{column}").as_str());
    if row.try_get::<Option<&str>, _>(format!("{prefix}severity").as_str())?.is_none() {
        return Ok(None);
    }
    let confidence: f64 = row.try_get(format!("{prefix}confidence").as_str())?;
    Ok(Some(Analysis {
        severity: sql::from_word("a severity", text("severity")?)?,
        status: sql::from_word("a status", text("status")?)?,
        category: text("category")?,
        system: text("system")?,
        summary: text("summary")?,
        action: text("action")?,
        origin: sql::from_word("an origin", text("origin")?)?,
        #[expect(clippy::cast_possible_truncation, reason = "it was an f32 when it was written")]
        confidence: confidence as f32,
    }))
}

/// Writes what routing decided. An event that is routed again keeps the later decision.
pub(super) async fn put_routings(
    connection: &mut Connection,
    rows: &BTreeMap<EventKey, RoutingRow<'_>>,
) -> Result<(), StoreError> {
    let insert = Insert {
        head: "routings (tenant_id, event_id, at, reasons, ending, silence_id, severity, status, category, system,
            summary, action, origin, confidence)",
        columns: 14,
        tail: "ON CONFLICT (tenant_id, event_id) DO UPDATE SET at = excluded.at, reasons = excluded.reasons,
            ending = excluded.ending, silence_id = excluded.silence_id, severity = excluded.severity,
            status = excluded.status,
            category = excluded.category, system = excluded.system, summary = excluded.summary,
            action = excluded.action, origin = excluded.origin, confidence = excluded.confidence
            WHERE excluded.at > routings.at",
    };
    let rows: Vec<_> = rows.iter().collect();
    insert
        .run(connection, &rows, |statement, ((tenant, event), row)| {
            let statement = statement
                .bind(tenant.0)
                .bind(event.to_string())
                .bind(row.at)
                .bind(sql::json(&row.reasons))
                .bind(row.ending.map(Ending::as_str))
                .bind(row.silence.map(|silence| silence.0));
            bind_analysis(statement, row.analysis)
        })
        .await?;
    Ok(())
}

/// Writes what late answers said. Of two about the same event, the later one stays.
pub(super) async fn put_enrichments(
    connection: &mut Connection,
    rows: &BTreeMap<EventKey, EnrichmentRow<'_>>,
) -> Result<(), StoreError> {
    let insert = Insert {
        head: "enrichments (tenant_id, event_id, at, reasons, severity, status, category, system, summary, action,
            origin, confidence)",
        columns: 12,
        tail: "ON CONFLICT (tenant_id, event_id) DO UPDATE SET at = excluded.at, reasons = excluded.reasons,
            severity = excluded.severity, status = excluded.status, category = excluded.category,
            system = excluded.system, summary = excluded.summary, action = excluded.action, origin = excluded.origin,
            confidence = excluded.confidence
            WHERE excluded.at > enrichments.at",
    };
    let rows: Vec<_> = rows.iter().collect();
    insert
        .run(connection, &rows, |statement, ((tenant, event), row)| {
            let statement = statement.bind(tenant.0).bind(event.to_string()).bind(row.at).bind(sql::json(&row.reasons));
            bind_analysis(statement, Some(row.analysis))
        })
        .await?;
    Ok(())
}

/// Writes why jobs gave up before they became deliveries.
pub(super) async fn put_burials(
    connection: &mut Connection,
    rows: &BTreeMap<(EventKey, UnixMillis), &str>,
) -> Result<(), StoreError> {
    let insert = Insert {
        head: "burials (tenant_id, event_id, at, reason)",
        columns: 4,
        tail: "ON CONFLICT (tenant_id, event_id, at) DO NOTHING",
    };
    let rows: Vec<_> = rows.iter().collect();
    insert
        .run(connection, &rows, |statement, (((tenant, event), at), reason)| {
            statement.bind(tenant.0).bind(event.to_string()).bind(*at).bind(sql::clean(reason))
        })
        .await?;
    Ok(())
}

/// The columns of an event with its routing, and where they come from.
macro_rules! select_event {
    ("columns") => {
        "e.*, r.at AS r_at, r.reasons AS r_reasons, r.ending AS r_ending, r.severity AS r_severity,
            r.status AS r_status, r.category AS r_category, r.system AS r_system, r.summary AS r_summary,
            r.action AS r_action, r.origin AS r_origin, r.confidence AS r_confidence,
            m.at AS m_at, m.reasons AS m_reasons, m.severity AS m_severity, m.status AS m_status,
            m.category AS m_category, m.system AS m_system, m.summary AS m_summary, m.action AS m_action,
            m.origin AS m_origin, m.confidence AS m_confidence"
    };
    ("from") => {
        "events e LEFT JOIN routings r ON r.tenant_id = e.tenant_id AND r.event_id = e.id
            LEFT JOIN enrichments m ON m.tenant_id = e.tenant_id AND m.event_id = e.id"
    };
}

/// One of a tenant's events.
pub async fn get(
    connection: &mut Connection,
    tenant: TenantId,
    id: EventId,
) -> Result<Option<StoredEvent>, StoreError> {
    let statement = concat!(
        "SELECT ",
        select_event!("columns"),
        " FROM ",
        select_event!("from"),
        " WHERE e.tenant_id = $1 AND e.id = $2"
    );
    let row = sqlx::query(statement).bind(tenant.0).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// Which events: each list that is not empty must hold the event's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    pub alert: Option<AlertId>,
    /// As the rules understood it.
    pub severities: Vec<Severity>,
    pub sources: Vec<String>,
    /// Dropped at intake (muted, a repeat at the door), or kept from the channels when it was routed.
    pub endings: Vec<Ending>,
    /// Words that must all stand in the subject or the text.
    pub text: String,
}

impl Filter {
    fn query(&self) -> Query {
        let mut query = Query::default();
        query.any.extend(self.alert.map(|alert| Condition::equals("e.alert_id", alert.to_string())));
        if !self.severities.is_empty() {
            let words = self.severities.iter().map(|severity| severity.as_str());
            query.all.push(Condition::one_of("COALESCE(e.severity, '')", words));
        }
        if !self.sources.is_empty() {
            query.all.push(Condition::one_of("e.source", &self.sources));
        }
        if !self.endings.is_empty() {
            let words = self.endings.iter().map(|ending| ending.as_str());
            query.all.push(Condition::one_of("COALESCE(e.ending, r.ending, '')", words));
        }
        query.all.extend(Condition::contains("(e.subject || ' ' || e.text)", &self.text));
        query
    }
}

const LIST: List = List {
    columns: select_event!("columns"),
    from: select_event!("from"),
    keys: ["e.tenant_id", "e.received_at", "e.id"],
};

/// A page of a tenant's events, newest first, behind `before`.
pub async fn list(
    connection: &mut Connection,
    tenant: TenantId,
    filter: &Filter,
    before: Option<&Place>,
    limit: u32,
) -> Result<Found<StoredEvent>, StoreError> {
    LIST.page(connection, tenant, &filter.query(), (before, limit), read).await
}

/// Those of a tenant's events that have these ids, in no order.
pub async fn of_ids(
    connection: &mut Connection,
    tenant: TenantId,
    ids: &[EventId],
) -> Result<Vec<StoredEvent>, StoreError> {
    const SELECT: &str = concat!(
        "SELECT ",
        select_event!("columns"),
        " FROM ",
        select_event!("from"),
        " WHERE e.tenant_id = $1 AND e.id"
    );
    sql::of_ids(connection, SELECT, tenant, ids).await?.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<StoredEvent, StoreError> {
    let ending = |column| {
        let word = row.try_get::<Option<String>, _>(column)?;
        word.map(|word| sql::from_word::<Ending>("an ending", word)).transpose()
    };
    let peer = row.try_get::<Option<&str>, _>("peer")?;
    let event = Event {
        id: sql::from_id(row.try_get("id")?)?,
        tenant: TenantId(row.try_get("tenant_id")?),
        received_at: row.try_get("received_at")?,
        source: row.try_get("source")?,
        channel: row.try_get::<Option<i64>, _>("channel_id")?.map(ChannelId),
        peer: peer.and_then(|peer| peer.parse().ok()),
        from: sql::from_json("senders", row.try_get("senders")?)?,
        to: sql::from_json("recipients", row.try_get("recipients")?)?,
        subject: row.try_get("subject")?,
        text: row.try_get("text")?,
        labels: sql::from_json("labels", row.try_get("labels")?)?,
        attachments: sql::from_json("attachments", row.try_get("attachments")?)?,
    };
    let routing = match row.try_get::<Option<i64>, _>("r_at")? {
        None => None,
        Some(at) => Some(Routing {
            at,
            reasons: sql::from_json("reasons", row.try_get("r_reasons")?)?,
            ending: ending("r_ending")?,
            analysis: read_analysis(row, "r_")?,
        }),
    };
    let enrichment = match (row.try_get::<Option<i64>, _>("m_at")?, read_analysis(row, "m_")?) {
        (Some(at), Some(analysis)) => {
            Some(Enrichment { at, reasons: sql::from_json("reasons", row.try_get("m_reasons")?)?, analysis })
        }
        _ => None,
    };
    Ok(StoredEvent {
        event,
        alert: row.try_get::<Option<&str>, _>("alert_id")?.map(sql::from_id).transpose()?,
        analysis: read_analysis(row, "")?,
        dropped: match ending("ending")? {
            None => None,
            Some(ending) => Some((ending, row.try_get("drop_reason")?)),
        },
        routing,
        enrichment,
    })
}

/// The raw bytes of an event and whether they were cut.
pub async fn raw(
    connection: &mut Connection,
    tenant: TenantId,
    id: EventId,
) -> Result<Option<(Bytes, bool)>, StoreError> {
    let row = sqlx::query("SELECT raw, truncated FROM event_raw WHERE tenant_id = $1 AND event_id = $2")
        .bind(tenant.0)
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    let read = |row: AnyRow| Ok((row.try_get::<Vec<u8>, _>("raw")?.into(), row.try_get::<i64, _>("truncated")? != 0));
    row.map(read).transpose()
}

/// When and why jobs of an event gave up before they became deliveries, in order.
pub async fn burials(
    connection: &mut Connection,
    tenant: TenantId,
    id: EventId,
) -> Result<Vec<(UnixMillis, String)>, StoreError> {
    let statement = "SELECT at, reason FROM burials WHERE tenant_id = $1 AND event_id = $2 ORDER BY at";
    Ok(sqlx::query_as(statement).bind(tenant.0).bind(id.to_string()).fetch_all(connection).await?)
}
