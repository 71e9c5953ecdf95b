//! Alerts: the list with its filters, the facets beside it, and one alert with its timeline.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::{Origin, Severity, Status},
    http::ApiError,
    ids::{AlertId, ChannelId, EventId, RuleId, TenantId},
    store::{
        Connection, Found,
        alerts::{self, StoredAlert},
        events,
        marks::{self, Action, Label, Mark, What},
    },
};

use super::{
    Shelf,
    body::{Id, Params},
    caller::Viewer,
    errors::{Common, ReadErrors},
    paging::{Page, Paging},
    time::{self, Time},
    words::{self, OriginWord, SeverityWord, StatusWord},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(facets))
}

/// How many events and how many actions a timeline shows.
const TIMELINE_MAX: u32 = 50;

/// Which alerts. Lists are written with commas between their values; an alert must be in each that is given.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct AlertFilter {
    /// `info`, `warning`, `error`, `critical`.
    #[param(example = "critical,error")]
    severity: Option<String>,
    /// `firing`, `acknowledged`, `resolved`.
    #[param(example = "firing,acknowledged")]
    status: Option<String>,
    /// The intake: `mail`, `push`, `alertmanager` …
    source: Option<String>,
    system: Option<String>,
    category: Option<String>,
    /// Ids of channels: the alert went to one of them.
    channel: Option<String>,
    /// Ids of rules: one of them matched.
    rule: Option<String>,
    /// `true`: only those whose last event a silence kept from the channels.
    silenced: Option<bool>,
    /// Words that all stand in subject, summary, system or fingerprint.
    q: Option<String>,
    /// Last seen at that time or later.
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    since: Option<String>,
}

impl AlertFilter {
    /// # Errors
    /// 400 that names the parameter.
    pub(super) fn read(&self) -> Result<alerts::Filter, ApiError> {
        Ok(alerts::Filter {
            severities: words::severities("severity", self.severity.as_deref())?,
            statuses: words::statuses("status", self.status.as_deref())?,
            sources: words::texts("source", self.source.as_deref())?,
            systems: words::texts("system", self.system.as_deref())?,
            categories: words::texts("category", self.category.as_deref())?,
            channels: words::numbers("channel", self.channel.as_deref(), ChannelId)?,
            rules: words::numbers("rule", self.rule.as_deref(), RuleId)?,
            silenced: self.silenced.unwrap_or_default(),
            text: words::search("q", self.q.as_deref())?,
            since: time::read("since", self.since.as_deref())?,
        })
    }
}

/// The stateful thing: events with the same fingerprint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AlertView {
    #[schema(value_type = String, example = "alr_0195f3f0c0de8d2a8b3c4d5e6f708192")]
    pub(super) id: AlertId,
    fingerprint: String,
    #[schema(value_type = StatusWord)]
    status: Status,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(example = "disk")]
    category: String,
    /// The host, service or job; empty when the alert does not say.
    system: String,
    summary: String,
    /// What to do about it; may be empty.
    action: String,
    /// Who understood it so.
    #[schema(value_type = OriginWord)]
    origin: Origin,
    /// 0 to 1.
    confidence: f32,
    /// The intake of the last event.
    source: String,
    /// The subject of the last event, as it was sent.
    subject: String,
    /// Whether a silence kept the last event from the channels.
    silenced: bool,
    /// How many events there were.
    count: i64,
    first_seen: Time,
    last_seen: Time,
    #[schema(value_type = String)]
    last_event: EventId,
    /// Who gave it its status; absent when that is what its events say.
    mark: Option<MarkView>,
}

/// Who gave an alert its status.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MarkView {
    #[schema(example = "ops@example.org")]
    by: String,
    at: Time,
    comment: String,
}

impl AlertView {
    fn new(alert: StoredAlert, mark: Option<&Mark>) -> Self {
        let analysis = alert.analysis;
        Self {
            id: alert.id,
            fingerprint: alert.fingerprint,
            status: analysis.status,
            severity: analysis.severity,
            category: analysis.category,
            system: analysis.system,
            summary: analysis.summary,
            action: analysis.action,
            origin: analysis.origin,
            confidence: analysis.confidence,
            source: alert.source,
            subject: alert.subject,
            silenced: alert.silenced,
            count: alert.count,
            first_seen: Time(alert.first_seen),
            last_seen: Time(alert.last_seen),
            last_event: alert.last_event,
            mark: mark.map(|mark| MarkView {
                by: mark.actor.clone(),
                at: Time(mark.at),
                comment: mark.comment.clone(),
            }),
        }
    }

    /// As people see them, in the same order.
    pub(super) async fn of(
        connection: &mut Connection,
        tenant: TenantId,
        alerts: Vec<StoredAlert>,
    ) -> Result<Vec<Self>, ApiError> {
        let ids: Vec<_> = alerts.iter().map(|alert| alert.id).collect();
        let marks = marks::of_alerts(connection, tenant, &ids).await?;
        let view = |alert: StoredAlert| {
            let mark = marks.get(&alert.id);
            Self::new(alert, mark)
        };
        Ok(alerts.into_iter().map(view).collect())
    }
}

/// A person's correction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LabelView {
    /// What was wrong and how it is right; what is absent was right.
    pub(super) label: LabelBody,
    /// Always `human`.
    #[schema(value_type = OriginWord)]
    pub(super) origin: Origin,
    pub(super) by: String,
    pub(super) at: Time,
    /// The event that was looked at.
    #[schema(value_type = String)]
    pub(super) event: EventId,
}

/// What is wrong about an analysis and how it is right; leave out what is right.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SeverityWord>)]
    pub(super) severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<String>,
}

impl LabelView {
    pub(super) fn of(action: &Action) -> Option<Self> {
        let Label { severity, category, system, summary, action: to_do } = action.label.clone()?;
        Some(Self {
            label: LabelBody { severity, category, system, summary, action: to_do },
            origin: Origin::Human,
            by: action.actor.clone(),
            at: Time(action.at),
            event: action.event,
        })
    }
}

/// One alert with what happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertDetail {
    #[serde(flatten)]
    alert: AlertView,
    /// The latest correction, if there is one.
    label: Option<LabelView>,
    /// Ids of the channels it ever went to.
    channels: Vec<i64>,
    /// Ids of the rules that ever matched.
    rules: Vec<i64>,
    /// Its events and what people did, latest first; at most 50 of each. `GET /events?alert=` has all events.
    timeline: Vec<Moment>,
}

/// One entry of a timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Moment {
    at: Time,
    /// `event`, `acknowledge`, `unacknowledge`, `resolve` or `label`.
    what: &'static str,
    /// The event; for an action, the last one that there was then.
    #[schema(value_type = String)]
    event: EventId,
    /// An event's.
    #[schema(value_type = Option<SeverityWord>)]
    severity: Option<Severity>,
    /// An event's.
    #[schema(value_type = Option<StatusWord>)]
    status: Option<Status>,
    /// An event's subject, or what a person wrote.
    text: String,
    /// Who did it.
    by: Option<String>,
}

/// Alerts, last seen first
///
/// A page may hold fewer alerts than asked for and still name a next one: the search is then not at its end.
#[utoipa::path(
    get, path = "/api/v1/alerts", operation_id = "list_alerts", tag = "alerts", params(AlertFilter, Paging),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Page<AlertView>), Common)
)]
async fn list(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<AlertFilter>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<AlertView>>, ApiError> {
    let mut tx = api.read().await?;
    let (before, limit) = (paging.after()?, paging.limit());
    let found = alerts::list(&mut tx, caller.tenant, &filter.read()?, before.as_ref(), limit).await?;
    let items = AlertView::of(&mut tx, caller.tenant, found.items).await?;
    Ok(Json(Page::found(Found { items, next: found.next }, |view| view)))
}

/// One alert
#[utoipa::path(
    get, path = "/api/v1/alerts/{id}", operation_id = "get_alert", tag = "alerts", params(("id" = String, Path, description = "The alert's id")),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = AlertDetail), ReadErrors)
)]
async fn get(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<AlertId>,
) -> Result<Json<AlertDetail>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(detail(&mut tx, caller.tenant, id).await?))
}

/// One alert as it stands.
///
/// # Errors
/// 404 when the tenant has none of that id.
pub(super) async fn detail(tx: &mut Connection, tenant: TenantId, id: AlertId) -> Result<AlertDetail, ApiError> {
    let stored = alerts::get(tx, tenant, id).await?.ok_or_else(|| ApiError::not_found("not found"))?;
    let (channels, rules) = alerts::routes(tx, tenant, id).await?;
    let actions = marks::actions(tx, tenant, id, TIMELINE_MAX).await?;
    let of_alert = events::Filter { alert: Some(id), ..events::Filter::default() };
    let events = events::list(tx, tenant, &of_alert, None, TIMELINE_MAX).await?.items;
    let mut timeline: Vec<Moment> = events
        .into_iter()
        .map(|stored| {
            let analysis = stored.routing.and_then(|routing| routing.analysis).or(stored.analysis);
            Moment {
                at: Time(stored.event.received_at),
                what: "event",
                event: stored.event.id,
                severity: analysis.as_ref().map(|analysis| analysis.severity),
                status: analysis.as_ref().map(|analysis| analysis.status),
                text: stored.event.subject,
                by: None,
            }
        })
        .collect();
    let label = actions.iter().find(|action| action.what == What::Label).and_then(LabelView::of);
    timeline.extend(actions.into_iter().map(|action| Moment {
        at: Time(action.at),
        what: action.what.as_str(),
        event: action.event,
        severity: None,
        status: None,
        text: action.comment,
        by: Some(action.actor),
    }));
    timeline.sort_by_key(|moment| std::cmp::Reverse(moment.at));
    let alert = AlertView::of(tx, tenant, vec![stored]).await?.remove(0);
    Ok(AlertDetail { alert, label, channels, rules, timeline })
}

/// What the values of the alerts are, and how often.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Facets {
    severity: Vec<Facet>,
    status: Vec<Facet>,
    source: Vec<Facet>,
    system: Vec<Facet>,
    category: Vec<Facet>,
    /// Values are ids.
    channel: Vec<Facet>,
    /// Values are ids.
    rule: Vec<Facet>,
    /// How many of those counted have a last event that a silence kept from the channels.
    silenced: i64,
    /// How many alerts were counted: the latest that pass the filter, at most 10,000.
    counted: usize,
    /// Whether there are more than those.
    more: bool,
}

/// One value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Facet {
    value: String,
    /// How people know it: a channel's name. Absent when the value speaks for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    count: i64,
}

/// How many values of a facet are listed: the most frequent.
const FACET_MAX: usize = 50;

/// The values that alerts have
///
/// For the same filter as the list. The 50 most frequent values of each.
#[utoipa::path(
    get, path = "/api/v1/facets", tag = "alerts", params(AlertFilter),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Facets), Common)
)]
async fn facets(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<AlertFilter>,
) -> Result<Json<Facets>, ApiError> {
    let mut tx = api.read().await?;
    let found = alerts::facets(&mut tx, caller.tenant, &filter.read()?).await?;
    let snapshot = api.shared.config.load();
    let channel = |value: &str| {
        let channel = snapshot.channel(caller.tenant, ChannelId(value.parse().ok()?))?;
        Some(channel.channel.name.clone())
    };
    let of = |which: &str| {
        let mut all: Vec<_> = found.counts.iter().filter(|((facet, _), _)| *facet == which).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let facet = |((_, value), count): (&(&str, String), &i64)| {
            let name = if which == "channel" { channel(value) } else { None };
            Facet { value: value.clone(), name, count: *count }
        };
        all.into_iter().take(FACET_MAX).map(facet).collect()
    };
    Ok(Json(Facets {
        severity: of("severity"),
        status: of("status"),
        source: of("source"),
        system: of("system"),
        category: of("category"),
        channel: of("channel"),
        rule: of("rule"),
        silenced: found.silenced,
        counted: found.counted,
        more: found.more,
    }))
}
