//! Sending a test message through a channel, by the same code as delivery.

use std::time::Instant;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_channels::{SendError, Voice, configure};
use watchbell_common::{
    clock::UnixMillis,
    config::{Document, OpenChannel, Snapshot},
    http::ApiError,
    ids::{ChannelId, DeliveryId, EventId},
    payload::DeliverPayload,
    store::config,
};

use super::{
    super::{
        Api, Shelf,
        body::Id,
        caller::{Caller, Editor},
        errors::ChangeErrors,
        sample::Sample,
    },
    wrong_channel,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(test_channel))
}

/// What became of a test message.
#[derive(Debug, Serialize, ToSchema)]
struct TestView {
    delivered: bool,
    /// The platform's answer, or why there is none.
    #[schema(example = "200 OK")]
    detail: String,
    /// What kind of failure it was: `transient`, `rate_limited` or `rejected`.
    class: Option<&'static str>,
    /// The platform's name for the message.
    provider_id: Option<String>,
    /// Why the channel's template failed; the built-in layout was sent.
    template_failure: Option<String>,
    latency_ms: u64,
}

/// Sends a test message, whether the channel is enabled or not
#[utoipa::path(
    post, path = "/api/v1/channels/{id}/test", tag = "channels", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = TestView), ChangeErrors)
)]
async fn test_channel(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<ChannelId>,
) -> Result<Json<TestView>, ApiError> {
    let open = open(&api, &caller, id).await?;
    let tools = api.tools()?;
    let sender = configure(&open, tools).map_err(|error| wrong_channel(&error))?;
    let now = api.shared.clock.now_ms();
    let voice = Voice::of(&open, tools).map_err(|error| wrong_channel(&error))?;
    let (message, failure) = voice.message(payload(&caller, id, now), now);
    let began = Instant::now();
    let sent = tokio::time::timeout(tools.timeout, sender.send(&message, None)).await;
    let latency_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let sent = sent.unwrap_or_else(|_| {
        let detail = format!("no answer within {} s", tools.timeout.as_secs());
        Err(SendError::Transient { detail, retry_after: None, ambiguous: true })
    });
    let template_failure = failure.map(|failure| format!("{}: {}", failure.template, failure.reason));
    Ok(Json(match sent {
        Ok(receipt) => TestView {
            delivered: true,
            detail: receipt.detail,
            class: None,
            provider_id: receipt.provider_id,
            template_failure,
            latency_ms,
        },
        Err(error) => TestView {
            delivered: false,
            detail: error.to_string(),
            class: Some(error.class()),
            provider_id: None,
            template_failure,
            latency_ms,
        },
    }))
}

/// The channel as the store has it, open.
async fn open(api: &Api, caller: &Caller, id: ChannelId) -> Result<OpenChannel, ApiError> {
    let tenant = config::tenant(&mut *api.read().await?, caller.tenant, String::new()).await?;
    let document = Document { version: 0, tenants: vec![tenant] };
    let snapshot = Snapshot::compile(&document, &api.shared.vault)
        .map_err(|error| ApiError::internal().because(error.to_string()))?;
    let open = snapshot.channel(caller.tenant, id).ok_or_else(|| ApiError::not_found("not found"))?;
    Ok(OpenChannel {
        tenant: open.tenant,
        channel: open.channel.clone(),
        secrets: open.secrets.clone(),
        templates: open.templates.clone(),
        trusted: open.trusted,
    })
}

fn payload(caller: &Caller, channel: ChannelId, now: UnixMillis) -> DeliverPayload {
    let sample = Sample {
        subject: Some("Test message".to_owned()),
        text: Some(format!("{} tries this channel out.", caller.actor)),
        summary: Some("This channel works".to_owned()),
        ..Sample::default()
    };
    let event = EventId::at(now);
    DeliverPayload {
        delivery: DeliveryId::derived(&[b"test", event.uuid().as_bytes()]),
        channel,
        alert: sample.alert(caller.tenant, event, now),
        count: 1,
        since: None,
        update: false,
    }
}
