//! Logs and dead letters in the shape that `PulseGuard` has them, for its scripts: numbered pages, times as texts.

use std::collections::HashMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::Event,
    http::ApiError,
    ids::{ChannelId, DeliveryId, EventId, JobId},
    queue::{DeadFilter, DeadJob},
    store::{
        SCANNED_MAX,
        deliveries::{self, State as Standing, StoredDelivery},
        events,
    },
};

use super::{
    Shelf,
    body::{Id, Params},
    caller::{Editor, Viewer},
    dead_letters::{Contents, replay_ids},
    errors::{Common, ReadErrors},
    paging::{Numbered, NumberedPage},
    time::Time,
    words,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(logs)).routes(routes!(dead_letters)).routes(routes!(replay))
}

/// Whose log.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogFilter {
    /// The id of a channel.
    channel_id: Option<String>,
}

/// What became of one push or mail on one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogView {
    #[schema(value_type = String)]
    id: DeliveryId,
    /// The event.
    #[schema(value_type = String)]
    outbox_id: EventId,
    channel_id: i64,
    /// The event as JSON text: subject, text, labels.
    payload_json: String,
    /// The event's readable text.
    rendered_text: String,
    /// `sent`, `failed` (another attempt follows) or `dead`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    attempts: i64,
    created_at: Time,
}

/// What was delivered, latest first
///
/// The latest 10,000 deliveries; `GET /deliveries` has all.
#[utoipa::path(
    get, path = "/api/v1/logs", tag = "deliveries", params(LogFilter, Numbered),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = NumberedPage<LogView>), Common)
)]
async fn logs(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<LogFilter>,
    Params(numbered): Params<Numbered>,
) -> Result<Json<NumberedPage<LogView>>, ApiError> {
    let filter = deliveries::Filter {
        states: vec![Standing::Delivered, Standing::Failed, Standing::Dead],
        channels: words::numbers("channel_id", filter.channel_id.as_deref(), ChannelId)?,
        since: None,
    };
    let mut tx = api.read().await?;
    let (page, per_page, skip) = (numbered.page(), numbered.per_page(), numbered.skip().min(SCANNED_MAX));
    let total = deliveries::count(&mut tx, caller.tenant, &filter).await?;
    let found = deliveries::list(&mut tx, caller.tenant, &filter, None, skip + per_page).await?;
    let found: Vec<_> = found.items.into_iter().skip(skip as usize).collect();
    let ids: Vec<_> = found.iter().map(|delivery| delivery.event).collect();
    let events = events::of_ids(&mut tx, caller.tenant, &ids).await?;
    let events: HashMap<_, _> = events.into_iter().map(|stored| (stored.event.id, stored.event)).collect();
    let items = found.into_iter().map(|delivery| log_view(events.get(&delivery.event), delivery)).collect();
    Ok(Json(NumberedPage { items, total: total.unsigned_abs(), page, per_page }))
}

fn log_view(event: Option<&Event>, delivery: StoredDelivery) -> LogView {
    let (status, error) = match delivery.state {
        Standing::Dead => ("dead", Some(delivery.detail)),
        Standing::Failed => ("failed", Some(delivery.detail)),
        _ => ("sent", None),
    };
    LogView {
        id: delivery.id,
        outbox_id: delivery.event,
        channel_id: delivery.channel.0,
        payload_json: payload_json(event),
        rendered_text: event.map(|event| event.text.clone()).unwrap_or_default(),
        status,
        error,
        attempts: delivery.attempts,
        created_at: Time(delivery.state_at),
    }
}

fn payload_json(event: Option<&Event>) -> String {
    event.map_or_else(
        || "{}".to_owned(),
        |event| serde_json::json!({ "subject": event.subject, "text": event.text, "labels": event.labels }).to_string(),
    )
}

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OldDeadLetter {
    #[schema(value_type = String)]
    id: JobId,
    /// The event.
    #[schema(value_type = Option<String>)]
    outbox_id: Option<EventId>,
    /// 0 for a job that is no delivery.
    channel_id: i64,
    /// The event as JSON text: subject, text, labels.
    payload_json: String,
    last_error: String,
    attempts: u32,
    created_at: Time,
}

/// Dead letters in numbered pages
///
/// As `GET /dead-letters`, in the shape of `PulseGuard`. `total` counts events.
#[utoipa::path(
    get, path = "/api/v1/deadletters", tag = "dead letters", params(Numbered),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = NumberedPage<OldDeadLetter>), Common)
)]
async fn dead_letters(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(numbered): Params<Numbered>,
) -> Result<Json<NumberedPage<OldDeadLetter>>, ApiError> {
    let (page, per_page) = (numbered.page(), numbered.per_page());
    let skip = numbered.skip().min(SCANNED_MAX);
    let filter = DeadFilter { tenant: Some(caller.tenant), ..DeadFilter::default() };
    let queue = &api.shared.queue;
    let jobs = queue.dead(&filter, skip as usize, per_page as usize).await?;
    let books = queue.books().await?;
    let dead = books.iter().find(|(tenant, _)| *tenant == caller.tenant).map_or(0, |(_, books)| books.dead);
    let total = dead.max(if jobs.is_empty() { 0 } else { u64::from(skip) + jobs.len() as u64 });
    let items = jobs.iter().map(old_dead_letter).collect();
    Ok(Json(NumberedPage { items, total, page, per_page }))
}

fn old_dead_letter(job: &DeadJob) -> OldDeadLetter {
    let contents = Contents::of(job.queue, &job.payload);
    OldDeadLetter {
        id: job.id,
        outbox_id: job.event,
        channel_id: contents.as_ref().and_then(Contents::channel).map_or(0, |channel| channel.0),
        payload_json: payload_json(contents.as_ref().map(|contents| &contents.alert.event)),
        last_error: job.reason.clone(),
        attempts: job.attempts,
        created_at: Time(job.buried_at),
    }
}

/// A dead letter that is queued again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Requeued {
    /// The job, which keeps its id.
    #[schema(value_type = String)]
    new_outbox_id: JobId,
    /// `queued`
    status: &'static str,
}

/// Replay a dead letter
///
/// As `POST /dead-letters/{id}/replay`, in the shape of `PulseGuard`.
#[utoipa::path(
    post, path = "/api/v1/deadletters/{id}/replay", operation_id = "replay_logged_dead_letter", tag = "dead letters",
    params(("id" = String, Path, description = "The dead letter's id")),
    extensions(("x-role" = json!("editor"))), responses((status = 202, body = Requeued), ReadErrors)
)]
async fn replay(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<JobId>,
) -> Result<(StatusCode, Json<Requeued>), ApiError> {
    match replay_ids(&api, &caller, vec![id], &id).await? {
        0 => Err(ApiError::not_found("there is no such dead letter (any more)")),
        _ => Ok((StatusCode::ACCEPTED, Json(Requeued { new_outbox_id: id, status: "queued" }))),
    }
}
