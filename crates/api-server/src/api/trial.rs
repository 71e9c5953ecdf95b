//! Trying out: where an alert would go and why, what other rules would have done, what a silence would hit. All of it
//! asks the same pure function that routes, and changes nothing.

mod pasted;

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::{Alert, Severity},
    clock::UnixMillis,
    config::{Match, Silence, Tenant, check},
    http::ApiError,
    ids::{ChannelId, EventId, RuleId, SilenceId, TenantId},
    queue::Ending,
    routing::{CompiledTenant, Routing},
    store::{
        Place, channels,
        config::{self, Owned},
        events::{self, StoredEvent},
    },
};

use self::pasted::ReadView;
use super::{
    Api, Shelf, body,
    caller::Viewer,
    configured::{invalid, wrong},
    errors::ChangeErrors,
    paging::{Paging, cursor},
    rules::{RuleBody, duration},
    sample::Sample,
    time::{self, Time},
};

/// How many stored events are looked at when the request does not say, and at most.
const SCAN_DEFAULT: u32 = 1_000;
const SCAN_MAX: u32 = 20_000;

/// Events of one read: some hundred kB, after which whoever went away is noticed.
const PAGE: u32 = 500;

/// How many examples an answer shows.
const EXAMPLES_MAX: usize = 20;

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(test_rules)).routes(routes!(dry_run_rules)).routes(routes!(preview_silence))
}

/// An alert, and the rules to route it by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"event": {"from": ["root@db1.example.org"], "subject": "disk full", "severity": "critical"}}))]
struct RuleTestBody {
    /// A stored event, as the analyzer understood it; or give `event`, `raw` or `body`.
    #[schema(value_type = Option<String>)]
    event_id: Option<EventId>,
    event: Option<Sample>,
    /// A mail (RFC 5322) with its header, as it was received. Its sender is that of `Return-Path`, else of `From`. With
    /// everything else in the body, at most 1 MiB.
    #[schema(example = "From: root@db1.example.org\r\nSubject: disk full\r\n\r\n/var is full\r\n")]
    raw: Option<String>,
    /// What a sender posts to `/api/v1/push/{token}`: any JSON object, or a notification of Alertmanager, which can hold
    /// several alerts. With everything else in the request, at most 1 MiB.
    #[schema(value_type = Option<Object>, example = json!({"title": "disk full", "severity": "critical", "host": "db1"}))]
    body: Option<Box<RawValue>>,
    /// The channel whose push token `body` would be posted with; without it, the rules alone decide.
    #[schema(value_type = Option<i64>)]
    channel: Option<ChannelId>,
    /// A draft, instead of the rules that are in force.
    rules: Option<Vec<RuleBody>>,
    /// The time to route at, for rules with hours; now when absent.
    at: Option<String>,
}

/// Where an alert goes and why.
#[derive(Debug, Serialize, ToSchema)]
struct RoutingView {
    channels: Vec<ChannelName>,
    /// After the rules.
    severity: Severity,
    /// Why, in the order of the decisions.
    reasons: Vec<String>,
    /// How it ends when it goes nowhere: `silenced` or `unrouted`.
    ending: Option<&'static str>,
    /// The silence that keeps it from all channels.
    #[schema(value_type = Option<i64>)]
    silenced_by: Option<SilenceId>,
    /// The comment of the mute that would have dropped it at intake.
    muted: Option<String>,
    /// How long it may wait for the model's answer.
    #[schema(example = "5s")]
    ai_max_wait: Option<String>,
    /// What was read in `raw` or `body`; absent without them.
    read: Option<ReadView>,
    /// How many alerts `body` holds; 1 without it.
    alerts: usize,
    /// The same for those behind the first, 19 of them at most; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion, required = false)]
    others: Vec<RoutingView>,
}

/// A channel by id and name.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelName {
    #[schema(value_type = i64)]
    id: ChannelId,
    name: String,
}

/// Says where an alert would go and why
#[utoipa::path(
    post, path = "/api/v1/rules/test", tag = "rules", request_body = RuleTestBody,
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = RoutingView), ChangeErrors)
)]
async fn test_rules(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    body::Json(body): body::Json<RuleTestBody>,
) -> Result<Json<RoutingView>, ApiError> {
    let now = api.shared.clock.now_ms();
    let at = time::read("at", body.at.as_deref())?.unwrap_or(now);
    let live = live(&api, caller.tenant).await?;
    if body.channel.is_some() && body.body.is_none() {
        return Err(wrong("channel", "only goes with `body`"));
    }
    let (alerts, count, is_read) = match (body.event_id, body.event, body.raw, body.body) {
        (Some(id), None, None, None) => (vec![stored(&api, caller.tenant, id).await?], 1, false),
        (None, Some(sample), None, None) => (vec![sample.alert(caller.tenant, EventId::at(now), now)], 1, false),
        (None, None, Some(raw), None) => (pasted::mail(&api, &live, raw).await?, 1, true),
        (None, None, None, Some(posted)) => {
            let (alerts, count) = pasted::body(&api, &live, &posted, body.channel).await?;
            (alerts, count, true)
        }
        _ => return Err(ApiError::validation("give one of `event_id`, `event`, `raw` and `body`")),
    };
    let tenant = match body.rules {
        Some(draft) => with_rules(&api, live, draft).await?,
        None => live,
    };
    let compiled = compile(&tenant)?;
    let view = |alert: &Alert| RoutingView {
        read: is_read.then(|| pasted::view(alert, &tenant)),
        ..RoutingView::of(alert, &tenant, &compiled, at)
    };
    let mut views = alerts.iter().map(view);
    let first = views.next().ok_or_else(|| ApiError::internal().because("a dialect read nothing in a body"))?;
    Ok(Json(RoutingView { alerts: count, others: views.collect(), ..first }))
}

impl RoutingView {
    fn of(alert: &Alert, tenant: &Tenant, compiled: &CompiledTenant, at: UnixMillis) -> Self {
        let muted = compiled.muted(&alert.event.from, &alert.event.source).map(|mute| mute.comment.clone());
        let Routing { channels, silenced, severity, reasons, ending, ai_max_wait, .. } = compiled.route(alert, at);
        Self {
            channels: channels.into_iter().map(|id| ChannelName { id, name: name_of(tenant, id) }).collect(),
            severity,
            reasons,
            ending: ending.map(Ending::as_str),
            silenced_by: silenced,
            muted,
            ai_max_wait: ai_max_wait.map(|wait| duration(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX))),
            read: None,
            alerts: 1,
            others: Vec::new(),
        }
    }
}

/// A draft, and the stored events to try it on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DryRunBody {
    /// The whole rule set, in its order.
    rules: Vec<RuleBody>,
    /// Only events from then on.
    #[schema(format = DateTime, example = "2027-01-24T00:00:00Z")]
    since: Option<String>,
    /// Only events before.
    #[schema(format = DateTime, example = "2027-01-31T00:00:00Z")]
    until: Option<String>,
    /// How many events to look at, newest first: 1000 when absent, at most 20000.
    limit: Option<u32>,
    /// `next_cursor` of the answer before, to go on with the events behind those it looked at.
    cursor: Option<String>,
}

/// What the draft would have done, beside what the rules in force would have done, without silences and models.
#[derive(Debug, Default, Serialize, ToSchema)]
struct DryRunView {
    /// Events that were routed both ways.
    events: u32,
    /// Whether that was all of the time asked for.
    complete: bool,
    /// When the last event came that was looked at; absent when there was none.
    reached: Option<Time>,
    /// Goes on behind that event; absent when that was all.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// To other channels than now.
    moved: u32,
    /// To no channel, where now there is one.
    lost: u32,
    /// To a channel, where now there is none.
    found: u32,
    /// With another severity.
    severity_changed: u32,
    /// Messages per channel.
    channels: Vec<ChannelCount>,
    /// The newest that differ.
    examples: Vec<Difference>,
}

/// How many messages a channel gets.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelCount {
    #[schema(value_type = i64)]
    id: ChannelId,
    name: String,
    now: u32,
    draft: u32,
}

/// An event that would have gone elsewhere.
#[derive(Debug, Serialize, ToSchema)]
struct Difference {
    event: EventLine,
    now: Vec<String>,
    draft: Vec<String>,
    severity_now: Severity,
    severity_draft: Severity,
    /// Why the draft decides so.
    reasons: Vec<String>,
}

/// An event in one line.
#[derive(Debug, Serialize, ToSchema)]
struct EventLine {
    #[schema(value_type = String)]
    id: EventId,
    #[schema(example = "2027-01-31T18:00:00Z")]
    received_at: Time,
    subject: String,
    severity: Severity,
}

/// Says what a draft of the rules would have done with stored events
#[utoipa::path(
    post, path = "/api/v1/rules/dry-run", tag = "rules", request_body = DryRunBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = DryRunView), ChangeErrors)
)]
async fn dry_run_rules(
    State(api): State<Shelf>,
    super::caller::Editor(caller): super::caller::Editor,
    body::Json(body): body::Json<DryRunBody>,
) -> Result<Json<DryRunView>, ApiError> {
    let since = time::read("since", body.since.as_deref())?;
    let until = time::read("until", body.until.as_deref())?;
    let live = Tenant { silences: Vec::new(), ..live(&api, caller.tenant).await? };
    let now = compile(&live)?;
    let tenant = with_rules(&api, live, body.rules).await?;
    let mut trial = Trial { tenant: &tenant, now, draft: compile(&tenant)?, counts: BTreeMap::new() };
    let mut view = DryRunView::default();
    let mut scan = Scan::new(until, body.limit);
    if let Some(place) = (Paging { cursor: body.cursor, limit: None }).after()? {
        scan.before = Some(place);
    }
    loop {
        let page = scan.next(&api, caller.tenant).await?;
        let Some(page) = page else {
            view.complete = scan.ended;
            view.next_cursor = scan.before.map(cursor);
            break;
        };
        let in_time: Vec<_> =
            page.into_iter().take_while(|stored| since.is_none_or(|since| stored.event.received_at >= since)).collect();
        let all = in_time.len() == scan.last_page;
        view.reached = in_time.last().map(|stored| Time(stored.event.received_at)).or(view.reached);
        for alert in in_time.into_iter().filter_map(alert) {
            trial.compare(&alert, &mut view);
        }
        if !all {
            view.complete = true;
            break;
        }
    }
    view.channels = trial.channels();
    Ok(Json(view))
}

/// Two rule sets side by side.
struct Trial<'t> {
    tenant: &'t Tenant,
    now: CompiledTenant,
    draft: CompiledTenant,
    /// Messages now and with the draft.
    counts: BTreeMap<ChannelId, (u32, u32)>,
}

impl Trial<'_> {
    fn compare(&mut self, alert: &Alert, view: &mut DryRunView) {
        let at = alert.event.received_at;
        let (now, draft) = (self.now.route(alert, at), self.draft.route(alert, at));
        view.events += 1;
        for id in &now.channels {
            self.counts.entry(*id).or_default().0 += 1;
        }
        for id in &draft.channels {
            self.counts.entry(*id).or_default().1 += 1;
        }
        let sorted = |routing: &Routing| {
            let mut ids = routing.channels.clone();
            ids.sort_unstable();
            ids
        };
        let moved = sorted(&now) != sorted(&draft);
        let louder = now.severity != draft.severity;
        view.moved += u32::from(moved);
        view.lost += u32::from(draft.channels.is_empty() && !now.channels.is_empty());
        view.found += u32::from(now.channels.is_empty() && !draft.channels.is_empty());
        view.severity_changed += u32::from(louder);
        if (moved || louder) && view.examples.len() < EXAMPLES_MAX {
            let names = |routing: &Routing| routing.channels.iter().map(|id| name_of(self.tenant, *id)).collect();
            view.examples.push(Difference {
                event: line(alert),
                now: names(&now),
                draft: names(&draft),
                severity_now: now.severity,
                severity_draft: draft.severity,
                reasons: draft.reasons,
            });
        }
    }

    fn channels(self) -> Vec<ChannelCount> {
        let count = |(id, (now, draft))| ChannelCount { id, name: name_of(self.tenant, id), now, draft };
        self.counts.into_iter().map(count).collect()
    }
}

/// A silence that is not there yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"match": {"system": "db*"}}))]
struct SilencePreviewBody {
    #[serde(rename = "match")]
    matcher: Match,
    /// How many of the newest events to look at: 1000 when absent, at most 20000.
    limit: Option<u32>,
}

/// What a silence would have kept from the channels.
#[derive(Debug, Default, Serialize, ToSchema)]
struct SilencePreviewView {
    /// How many of the newest events were looked at.
    events: u32,
    hits: u32,
    /// The newest of them.
    examples: Vec<EventLine>,
}

/// Says which of the newest events a silence would have hit
#[utoipa::path(
    post, path = "/api/v1/silences/preview", tag = "silences", request_body = SilencePreviewBody,
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = SilencePreviewView), ChangeErrors)
)]
async fn preview_silence(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    body::Json(body): body::Json<SilencePreviewBody>,
) -> Result<Json<SilencePreviewView>, ApiError> {
    let silence =
        Silence { id: SilenceId(0), matcher: body.matcher, expires_at: UnixMillis::MAX, comment: String::new() };
    check::silence(&silence).map_err(|found| invalid(&found))?;
    let compiled = compile(&Tenant { silences: vec![silence], ..live(&api, caller.tenant).await? })?;
    let mut view = SilencePreviewView::default();
    let mut scan = Scan::new(None, body.limit);
    while let Some(page) = scan.next(&api, caller.tenant).await? {
        for alert in page.into_iter().filter_map(alert) {
            view.events += 1;
            if compiled.route(&alert, alert.event.received_at).silenced.is_some() {
                view.hits += 1;
                if view.examples.len() < EXAMPLES_MAX {
                    view.examples.push(line(&alert));
                }
            }
        }
    }
    Ok(Json(view))
}

/// Stored events, newest first, page by page. A client that goes away ends it between two pages.
struct Scan {
    before: Option<Place>,
    left: u32,
    last_page: usize,
    /// There are no more events.
    ended: bool,
}

impl Scan {
    fn new(until: Option<UnixMillis>, limit: Option<u32>) -> Self {
        // An id of the first millisecond comes before all others: so this is before whatever arrived at `until`.
        let before = until.map(|at| Place { at, id: EventId::at(0).to_string() });
        let left = limit.unwrap_or(SCAN_DEFAULT).clamp(1, SCAN_MAX);
        Self { before, left, last_page: 0, ended: false }
    }

    async fn next(&mut self, api: &Api, tenant: TenantId) -> Result<Option<Vec<StoredEvent>>, ApiError> {
        let wanted = self.left.min(PAGE);
        if wanted == 0 || self.ended {
            return Ok(None);
        }
        let filter = events::Filter::default();
        let page = events::list(&mut *api.read().await?, tenant, &filter, self.before.as_ref(), wanted).await?;
        self.last_page = page.items.len();
        self.ended = page.next.is_none();
        self.left -= wanted;
        self.before = page.next;
        Ok(Some(page.items))
    }
}

/// The tenant's configuration as the store has it.
async fn live(api: &Api, tenant: TenantId) -> Result<Tenant, ApiError> {
    Ok(config::tenant(&mut *api.read().await?, tenant, String::new()).await?)
}

/// The same with a draft of the rules, each of them sound.
async fn with_rules(api: &Api, tenant: Tenant, draft: Vec<RuleBody>) -> Result<Tenant, ApiError> {
    let there: Vec<Owned<_>> = channels::list(&mut *api.read().await?, tenant.id).await?;
    let mut rules = Vec::with_capacity(draft.len());
    for (index, body) in draft.into_iter().enumerate() {
        let id = RuleId(i64::try_from(index).unwrap_or(i64::MAX));
        rules.push(body.rule(id, &there).map_err(|found| invalid(&found.within(&format!("rules[{index}]"))))?);
    }
    Ok(Tenant { rules, ..tenant })
}

fn compile(tenant: &Tenant) -> Result<CompiledTenant, ApiError> {
    CompiledTenant::compile(tenant).map_err(|error| ApiError::internal().because(error.to_string()))
}

fn name_of(tenant: &Tenant, id: ChannelId) -> String {
    let channel = tenant.channels.iter().find(|channel| channel.id == id);
    channel.map(|channel| channel.name.clone()).unwrap_or_default()
}

/// A stored event that a body names, as it was routed.
pub(super) async fn stored(api: &Api, tenant: TenantId, id: EventId) -> Result<Alert, ApiError> {
    let stored = events::get(&mut *api.read().await?, tenant, id).await?;
    let stored = stored.ok_or_else(|| ApiError::validation("event_id not found"))?;
    alert(stored).ok_or_else(|| wrong("event_id", "was dropped at intake; no rule saw it"))
}

/// A stored event as it was routed; `None` for one that never was. No rule looks at the fingerprint.
pub(super) fn alert(stored: StoredEvent) -> Option<Alert> {
    let (id, analysis) = stored.alert.zip(stored.analysis)?;
    Some(Alert { event: stored.event, analysis, fingerprint: String::new(), id })
}

fn line(alert: &Alert) -> EventLine {
    EventLine {
        id: alert.event.id,
        received_at: Time(alert.event.received_at),
        subject: alert.event.subject.clone(),
        severity: alert.analysis.severity,
    }
}
