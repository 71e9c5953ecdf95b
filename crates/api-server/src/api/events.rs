//! Events: what was received, what was understood of it, where it went, and its raw bytes.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::{Analysis, Origin, Severity, Status},
    http::ApiError,
    ids::{AlertId, EventId},
    queue::Ending,
    store::{
        deliveries,
        events::{self, StoredEvent},
    },
};

use super::{
    Shelf,
    body::{Id, Params},
    caller::Viewer,
    deliveries::{DeliveryDetail, Names},
    errors::{Common, ReadErrors},
    paging::{Page, Paging},
    time::Time,
    words::{self, EndingWord, OriginWord, SeverityWord, StatusWord},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(raw))
}

/// How many other events of the alert are named beside one.
const SIBLINGS_MAX: u32 = 20;

/// Which events. Lists are written with commas between their values; an event must be in each that is given.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventFilter {
    /// The id of an alert.
    #[param(value_type = Option<String>)]
    alert: Option<String>,
    /// `info`, `warning`, `error`, `critical`.
    severity: Option<String>,
    /// The intake: `mail`, `push`, `alertmanager` …
    source: Option<String>,
    /// `muted`, `deduplicated`, `silenced`, `unrouted`.
    ending: Option<String>,
    /// Words that all stand in the subject or the text.
    q: Option<String>,
}

impl EventFilter {
    fn read(&self) -> Result<events::Filter, ApiError> {
        let alert = self.alert.as_deref().filter(|alert| !alert.is_empty()).map(str::parse::<AlertId>).transpose();
        Ok(events::Filter {
            alert: alert.map_err(|error| ApiError::validation(format!("alert: {error}")))?,
            severities: words::severities("severity", self.severity.as_deref())?,
            sources: words::texts("source", self.source.as_deref())?,
            endings: words::endings("ending", self.ending.as_deref())?,
            text: words::search("q", self.q.as_deref())?,
        })
    }
}

/// What was understood of an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnalysisView {
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = StatusWord)]
    status: Status,
    category: String,
    system: String,
    summary: String,
    action: String,
    #[schema(value_type = OriginWord)]
    origin: Origin,
    /// 0 to 1.
    confidence: f32,
}

impl From<Analysis> for AnalysisView {
    fn from(analysis: Analysis) -> Self {
        let Analysis { severity, status, category, system, summary, action, origin, confidence } = analysis;
        Self { severity, status, category, system, summary, action, origin, confidence }
    }
}

/// One thing received.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    #[schema(value_type = String, example = "evt_0195f3f0c0de7d2a8b3c4d5e6f708192")]
    id: EventId,
    /// Absent when it was dropped at intake.
    #[schema(value_type = Option<String>)]
    alert: Option<AlertId>,
    received_at: Time,
    /// The intake: `mail`, `push`, `alertmanager` …
    source: String,
    /// The channel that it was addressed to.
    channel: Option<i64>,
    /// The address that it came from.
    peer: Option<String>,
    from: Vec<String>,
    to: Vec<String>,
    /// As it was sent.
    subject: String,
    labels: std::collections::BTreeMap<String, String>,
    /// Names of attachments.
    attachments: Vec<String>,
    /// As routing or a model's late answer left it. Absent when it was dropped at intake.
    analysis: Option<AnalysisView>,
    /// How it ended without a message; absent when it went somewhere.
    #[schema(value_type = Option<EndingWord>)]
    ending: Option<Ending>,
    /// Why it was dropped at intake.
    drop_reason: Option<String>,
}

impl From<StoredEvent> for EventView {
    fn from(stored: StoredEvent) -> Self {
        let StoredEvent { event, alert, analysis, dropped, routing, enrichment } = stored;
        let routed = routing.as_ref().and_then(|routing| routing.ending);
        let late = enrichment.map(|enrichment| enrichment.analysis);
        let refined = late.or(routing.and_then(|routing| routing.analysis));
        Self {
            id: event.id,
            alert,
            received_at: Time(event.received_at),
            source: event.source,
            channel: event.channel.map(|channel| channel.0),
            peer: event.peer.map(|peer| peer.to_string()),
            from: event.from,
            to: event.to,
            subject: event.subject,
            labels: event.labels,
            attachments: event.attachments,
            analysis: refined.or(analysis).map(AnalysisView::from),
            ending: dropped.as_ref().map(|(ending, _)| *ending).or(routed),
            drop_reason: dropped.map(|(_, reason)| reason),
        }
    }
}

/// One event with everything that came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventDetail {
    #[serde(flatten)]
    event: EventView,
    /// Its readable text.
    text: String,
    /// What the rules understood, before a model or a rule changed it.
    rules_analysis: Option<AnalysisView>,
    /// When it was routed; absent while it was not.
    routed_at: Option<Time>,
    /// Why it went where it went, in order.
    reasons: Vec<String>,
    deliveries: Vec<DeliveryDetail>,
    /// When and why jobs of it gave up before they became deliveries.
    burials: Vec<Burial>,
    /// Other events of the same alert, newest first, at most 20.
    siblings: Vec<EventView>,
}

/// A job that gave up before it became a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Burial {
    at: Time,
    reason: String,
}

/// Events, newest first
///
/// A page may hold fewer events than asked for and still name a next one: the search is then not at its end.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events", tag = "events", params(EventFilter, Paging),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Page<EventView>), Common)
)]
async fn list(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<EventFilter>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<EventView>>, ApiError> {
    let mut tx = api.read().await?;
    let (before, limit) = (paging.after()?, paging.limit());
    let found = events::list(&mut tx, caller.tenant, &filter.read()?, before.as_ref(), limit).await?;
    Ok(Json(Page::found(found, EventView::from)))
}

/// One event: what was understood, why it went where it went, its deliveries
#[utoipa::path(
    get, path = "/api/v1/events/{id}", operation_id = "get_event", tag = "events", params(("id" = String, Path, description = "The event's id")),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = EventDetail), ReadErrors)
)]
async fn get(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<EventId>,
) -> Result<Json<EventDetail>, ApiError> {
    let mut tx = api.read().await?;
    let tenant = caller.tenant;
    let stored = events::get(&mut tx, tenant, id).await?.ok_or_else(|| ApiError::not_found("not found"))?;
    let names = Names::new(&api, tenant);
    let mut sent = Vec::new();
    for delivery in deliveries::of_event(&mut tx, tenant, id).await? {
        let attempts = deliveries::attempts(&mut tx, tenant, delivery.id).await?;
        sent.push(DeliveryDetail::new(delivery, attempts, &names));
    }
    let burials = events::burials(&mut tx, tenant, id).await?;
    let mut siblings = Vec::new();
    if stored.alert.is_some() {
        let of_alert = events::Filter { alert: stored.alert, ..events::Filter::default() };
        let found = events::list(&mut tx, tenant, &of_alert, None, SIBLINGS_MAX + 1).await?;
        siblings = found.items.into_iter().filter(|sibling| sibling.event.id != id).map(EventView::from).collect();
        siblings.truncate(SIBLINGS_MAX as usize);
    }
    Ok(Json(EventDetail {
        text: stored.event.text.clone(),
        rules_analysis: stored.analysis.clone().map(AnalysisView::from),
        routed_at: stored.routing.as_ref().map(|routing| Time(routing.at)),
        reasons: stored.routing.as_ref().map(|routing| routing.reasons.clone()).unwrap_or_default(),
        event: EventView::from(stored),
        deliveries: sent,
        burials: burials.into_iter().map(|(at, reason)| Burial { at: Time(at), reason }).collect(),
        siblings,
    }))
}

/// Which part of the raw bytes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RawPart {
    /// `source` (all bytes, the default), or of a mail `headers`, `text`, `html`.
    part: Option<String>,
}

/// The raw bytes of an event
///
/// Always sent as plain text, also the HTML of a mail: whoever shows it puts it into a sandbox. Header
/// `X-Truncated: true` says that the bytes were longer than what is kept.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/raw", tag = "events",
    params(("id" = String, Path, description = "The event's id"), RawPart),
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, content_type = "text/plain", body = String), ReadErrors)
)]
async fn raw(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<EventId>,
    Params(RawPart { part }): Params<RawPart>,
) -> Result<Response, ApiError> {
    let part = part.unwrap_or_else(|| "source".to_owned());
    if !["source", "headers", "text", "html"].contains(&part.as_str()) {
        let why = format!("part: `{part}` is not a part: use source, headers, text or html");
        return Err(ApiError::validation(why));
    }
    let mut tx = api.read().await?;
    let missing = || ApiError::not_found("there are no raw bytes of such an event");
    let (bytes, truncated) = events::raw(&mut tx, caller.tenant, id).await?.ok_or_else(missing)?;
    let body = match part.as_str() {
        "source" => bytes.to_vec(),
        part => mail_part(&bytes, part).ok_or_else(|| ApiError::not_found(format!("it has no part `{part}`")))?,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::HeaderName::from_static("x-truncated"), if truncated { "true" } else { "false" }),
    ];
    Ok((headers, body).into_response())
}

/// A part of a mail as UTF-8.
fn mail_part(bytes: &[u8], part: &str) -> Option<Vec<u8>> {
    let mail = MessageParser::default().parse(bytes)?;
    match part {
        "headers" => {
            let root = mail.root_part();
            bytes.get(root.raw_header_offset() as usize..root.raw_body_offset() as usize).map(<[u8]>::to_vec)
        }
        "html" => {
            let html = mail.html_bodies().find(|part| part.is_text_html())?;
            html.text_contents().map(|text| text.as_bytes().to_vec())
        }
        _ => mail.body_text(0).map(|text| text.as_bytes().to_vec()),
    }
}
