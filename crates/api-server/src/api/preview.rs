//! What a template would write, by the engine and within the limits of delivery.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_channels::{Unit, Voice};
use watchbell_common::{
    alert::Alert,
    clock::UnixMillis,
    config::{Channel, OpenChannel, ParseMode, Template},
    crypto::Sealed,
    http::ApiError,
    ids::{ChannelId, DeliveryId, EventId, TemplateId, TenantId},
    payload::DeliverPayload,
};

use super::{
    Api, Shelf, body,
    caller::Editor,
    configured::wrong,
    errors::ChangeErrors,
    platforms::{self, LimitsView, limits},
    sample::Sample,
    templates::parse_mode,
    trial,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(preview_template))
}

/// A template, and what it is to be tried on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"body": "{{ .severity | upper }} {{ .host }}: {{ .value }}", "parse_mode": "None",
    "sample": {"severity": "critical", "host": "db1", "value": 91}}))]
struct PreviewBody {
    body: String,
    /// `MarkdownV2` (the default), `HTML` or `None`.
    parse_mode: Option<String>,
    /// What a sender would push; or give `event_id`.
    #[schema(value_type = Option<Object>)]
    sample: Option<Map<String, Value>>,
    /// A stored event.
    #[schema(value_type = Option<String>)]
    event_id: Option<EventId>,
    /// Whose limits to measure by; `telegram` when absent.
    platform: Option<String>,
}

/// What the template wrote.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewView {
    rendered: String,
    parse_mode: ParseMode,
    /// In the unit of the limits.
    length: usize,
    limits: LimitsView,
    /// Whether it goes out in one message, whole.
    fits: bool,
}

/// Writes a message with a template that need not be stored
#[utoipa::path(
    post, path = "/api/v1/templates/preview", tag = "templates", request_body = PreviewBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = PreviewView), ChangeErrors)
)]
async fn preview_template(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<PreviewBody>,
) -> Result<Json<PreviewView>, ApiError> {
    let platform = body.platform.as_deref().unwrap_or("telegram");
    let kind = watchbell_channels::kind(platform).ok_or_else(|| platforms::unknown("platform"))?;
    let parse_mode = parse_mode(body.parse_mode.as_deref())?.unwrap_or_default();
    watchbell_channels::check_template(&body.body).map_err(|why| wrong("body", why))?;
    let now = api.shared.clock.now_ms();
    let alert = match (body.event_id, body.sample) {
        (Some(id), None) => trial::stored(&api, caller.tenant, id).await?,
        (None, sample) => pushed(sample.unwrap_or_default()).alert(caller.tenant, EventId::at(now), now),
        (Some(_), Some(_)) => return Err(ApiError::validation("give either `event_id` or `sample`")),
    };
    let template = Template { id: TemplateId(0), name: "preview".to_owned(), body: body.body, parse_mode };
    let rendered = render(&api, caller.tenant, template, alert, now)?;
    let length = match kind.limits.unit {
        Unit::Bytes => rendered.len(),
        Unit::Characters => rendered.chars().count(),
        Unit::Utf16 => rendered.encode_utf16().count(),
    };
    let (fits, limits) = (length <= kind.limits.text_max, limits(kind));
    Ok(Json(PreviewView { rendered, parse_mode, length, limits, fits }))
}

/// A pushed object as intake reads it: its members are the labels, which a template sees under their own names.
fn pushed(members: Map<String, Value>) -> Sample {
    let text = |names: &[&str]| names.iter().find_map(|name| members.get(*name)?.as_str().map(str::to_owned));
    let word = |name: &str| members.get(name).cloned();
    let sample = Sample {
        subject: text(&["title", "subject", "alert", "name"]),
        text: text(&["message", "text", "description", "body"]),
        system: text(&["host", "system", "hostname", "instance"]),
        category: text(&["category"]),
        summary: text(&["summary", "title", "subject", "message"]),
        severity: word("severity").and_then(|word| serde_json::from_value(word).ok()),
        status: word("status").and_then(|word| serde_json::from_value(word).ok()),
        ..Sample::default()
    };
    let label = |(name, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(text) => Some((name, text)),
        other => Some((name, other.to_string())),
    };
    Sample { labels: members.into_iter().filter_map(label).collect(), ..sample }
}

fn render(api: &Api, tenant: TenantId, template: Template, alert: Alert, now: UnixMillis) -> Result<String, ApiError> {
    let channel = Channel {
        id: ChannelId(0),
        name: "preview".to_owned(),
        platform: "console".to_owned(),
        bot: None,
        target: String::new(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: Sealed::default(),
        templates: Vec::new(),
        enabled: true,
    };
    let open =
        OpenChannel { tenant, channel, secrets: BTreeMap::new(), templates: vec![(template, None)], trusted: false };
    let voice = Voice::of(&open, api.tools()?).map_err(|error| ApiError::internal().because(error.to_string()))?;
    let payload = DeliverPayload {
        delivery: DeliveryId::derived(&[b"preview"]),
        channel: ChannelId(0),
        alert,
        count: 1,
        since: None,
        update: false,
    };
    match voice.message(payload, now) {
        (message, None) => Ok(message.text),
        (_, Some(failure)) => Err(wrong("body", failure.reason)),
    }
}
