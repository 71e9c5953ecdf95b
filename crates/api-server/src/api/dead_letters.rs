//! Dead letters: jobs that gave up, and their replay. They are jobs of the queue, so they are here before any history
//! is written, and stay until they are replayed.

mod causes;

use std::{fmt, num::ParseIntError, str::FromStr};

use axum::{Json as Answer, extract::State, http::StatusCode};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::{Alert, Severity},
    clock::UnixMillis,
    http::ApiError,
    ids::{AlertId, ChannelId, DeliveryId, EventId, JobId, TenantId},
    payload::{DeliverPayload, Payload as _, RoutePayload},
    queue::{DeadFilter, DeadJob, Queue, QueueError, QueueName},
};

use super::{
    Shelf,
    body::{Id, Json, Params},
    caller::{Caller, Editor, Viewer},
    deliveries::Names,
    errors::{ChangeErrors, Common, ReadErrors},
    paging::{Page, Paging},
    time::Time,
    words::{QueueWord, SeverityWord},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .merge(causes::routes())
        .routes(routes!(get))
        .routes(routes!(replay))
        .routes(routes!(replay_many))
        .routes(routes!(replay_all))
}

/// How many one request replays: some hundred milliseconds of work.
const REPLAY_MAX: usize = 500;

/// Which dead letters.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct DeadLetterFilter {
    /// `intake`, `route`, `deliver`, `enrich` or `history`.
    #[param(example = "deliver")]
    queue: Option<String>,
    /// The id of a channel: deliveries to it.
    channel: Option<i64>,
    /// A `cause`, as `GET /dead-letters/causes` names it.
    cause: Option<String>,
}

impl DeadLetterFilter {
    /// What of the filter the queue knows; it does not know causes.
    fn read(&self, tenant: TenantId) -> Result<DeadFilter, ApiError> {
        let known = QueueName::ALL.map(QueueName::as_str).join(", ");
        let unknown = |name| ApiError::validation(format!("queue: `{name}` is not a queue: use one of {known}"));
        let queue = self.queue.as_deref().filter(|name| !name.is_empty());
        let queue = queue.map(|name| QueueName::from_name(name).ok_or_else(|| unknown(name))).transpose()?;
        let lanes = self.channel.map_or_else(Vec::new, |channel| DeliverPayload::lanes(ChannelId(channel)).to_vec());
        // Other queues have lanes of the same names, for other things.
        let queue = if lanes.is_empty() { queue } else { Some(queue.unwrap_or(QueueName::Deliver)) };
        Ok(DeadFilter { tenant: Some(tenant), queue, lanes, ids: Vec::new() })
    }
}

/// A job that gave up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterView {
    #[schema(value_type = String, example = "job_0195f3f0c0de7d2a8b3c4d5e6f708192")]
    pub(super) id: JobId,
    #[schema(value_type = QueueWord)]
    queue: QueueName,
    #[schema(value_type = Option<String>)]
    event: Option<EventId>,
    #[schema(value_type = Option<String>)]
    alert: Option<AlertId>,
    #[schema(value_type = Option<String>)]
    delivery: Option<DeliveryId>,
    pub(super) channel: Option<i64>,
    /// Absent when the channel is gone.
    channel_name: Option<String>,
    #[schema(value_type = Option<SeverityWord>)]
    severity: Option<Severity>,
    /// The alert's subject, where the job can be read.
    subject: Option<String>,
    pub(super) reason: String,
    pub(super) attempts: u32,
    pub(super) buried_at: Time,
}

/// What can be read of a job.
pub(super) struct Contents {
    pub(super) alert: Alert,
    delivery: Option<(DeliveryId, ChannelId)>,
}

impl Contents {
    pub(super) fn channel(&self) -> Option<ChannelId> {
        self.delivery.map(|(_, channel)| channel)
    }

    pub(super) fn of(queue: QueueName, payload: &Bytes) -> Option<Self> {
        match queue {
            QueueName::Deliver => DeliverPayload::decode(payload)
                .ok()
                .map(|payload| Self { delivery: Some((payload.delivery, payload.channel)), alert: payload.alert }),
            QueueName::Route => {
                RoutePayload::decode(payload).ok().map(|payload| Self { alert: payload.alert, delivery: None })
            }
            _ => None,
        }
    }
}

impl DeadLetterView {
    pub(super) fn new(job: &DeadJob, contents: Option<&Contents>, names: &Names) -> Self {
        let delivery = contents.and_then(|contents| contents.delivery);
        let alert = contents.map(|contents| &contents.alert);
        Self {
            id: job.id,
            queue: job.queue,
            event: job.event,
            alert: alert.map(|alert| alert.id),
            delivery: delivery.map(|(delivery, _)| delivery),
            channel: delivery.map(|(_, channel)| channel.0),
            channel_name: delivery.and_then(|(_, channel)| names.channel(channel)),
            severity: alert.map(|alert| alert.analysis.severity),
            subject: alert.map(|alert| alert.event.subject.clone()),
            reason: job.reason.clone(),
            attempts: job.attempts,
            buried_at: Time(job.buried_at),
        }
    }
}

/// Dead letters, oldest first
///
/// With a `cause`, a page may hold fewer than asked for and still name a next one: the search is then not at its end.
#[utoipa::path(
    get, path = "/api/v1/dead-letters", operation_id = "list_dead_letters", tag = "dead letters", params(DeadLetterFilter, Paging),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Page<DeadLetterView>), Common)
)]
async fn list(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<DeadLetterFilter>,
    Params(paging): Params<Paging>,
) -> Result<Answer<Page<DeadLetterView>>, ApiError> {
    let (queue, dead) = (&*api.shared.queue, filter.read(caller.tenant)?);
    let skip: usize = paging.after()?.unwrap_or(0);
    let limit = paging.limit() as usize;
    let (jobs, next) = if let Some(cause) = &filter.cause {
        causes::page(queue, &dead, cause, (skip, limit)).await?
    } else {
        let mut jobs = queue.dead(&dead, skip, limit + 1).await?;
        let next = (jobs.len() > limit).then_some(skip + limit);
        jobs.truncate(limit);
        (jobs, next)
    };
    let names = Names::new(&api, caller.tenant);
    let view = |job: &DeadJob| DeadLetterView::new(job, Contents::of(job.queue, &job.payload).as_ref(), &names);
    Ok(Answer(Page { items: jobs.iter().map(view).collect(), next_cursor: next.map(super::paging::cursor) }))
}

/// One dead letter
#[utoipa::path(
    get, path = "/api/v1/dead-letters/{id}", operation_id = "get_dead_letter", tag = "dead letters",
    params(("id" = String, Path, description = "The dead letter's id")),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = DeadLetterView), ReadErrors)
)]
async fn get(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<JobId>,
) -> Result<Answer<DeadLetterView>, ApiError> {
    let filter = DeadFilter { tenant: Some(caller.tenant), ids: vec![id], ..DeadFilter::default() };
    let jobs = api.shared.queue.dead(&filter, 0, 1).await?;
    let job = jobs.first().ok_or_else(|| ApiError::not_found("not found"))?;
    let contents = Contents::of(job.queue, &job.payload);
    Ok(Answer(DeadLetterView::new(job, contents.as_ref(), &Names::new(&api, caller.tenant))))
}

/// What came of a replay.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplayOutcome {
    /// `queued`
    status: &'static str,
    /// How many are queued again.
    pub(super) replayed: u64,
    /// How many were asked for and are not dead (any more).
    skipped: u64,
    /// Asks for the rest; absent when nothing is left of what was dead when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Replay a dead letter
///
/// Safe to repeat: one that was replayed already is not dead any more, and answers 404.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/{id}/replay", operation_id = "replay_dead_letter", tag = "dead letters",
    params(("id" = String, Path, description = "The dead letter's id")),
    extensions(("x-role" = json!("editor"))), responses((status = 202, body = ReplayOutcome), ReadErrors)
)]
async fn replay(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<JobId>,
) -> Result<(StatusCode, Answer<ReplayOutcome>), ApiError> {
    let replayed = replay_ids(&api, &caller, vec![id], &id).await?;
    if replayed == 0 {
        return Err(ApiError::not_found("there is no such dead letter (any more)"));
    }
    Ok((StatusCode::ACCEPTED, Answer(ReplayOutcome { status: "queued", replayed, skipped: 0, next_cursor: None })))
}

/// Replays, and writes into the audit log how many of what.
pub(super) async fn replay_ids(
    api: &Shelf,
    caller: &Caller,
    ids: Vec<JobId>,
    what: &impl ToString,
) -> Result<u64, ApiError> {
    #[derive(Serialize)]
    struct Audited {
        replayed: u64,
    }
    if ids.is_empty() {
        return Ok(0);
    }
    let limit = ids.len();
    let filter = DeadFilter { tenant: Some(caller.tenant), ids, ..DeadFilter::default() };
    let mut change = api.write(caller).await?;
    let replayed = api.shared.queue.replay(&filter, limit).await?;
    if replayed > 0 {
        change.audit("replay", "dead_letter", what.to_string(), (None, Some(&Audited { replayed }))).await?;
    }
    change.commit().await?;
    Ok(replayed)
}

/// Which dead letters to replay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayMany {
    /// At most 500.
    #[schema(value_type = Vec<String>)]
    ids: Vec<JobId>,
}

/// Replay some dead letters
///
/// Safe to repeat: those that are not dead any more are skipped.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/replay-many", tag = "dead letters", request_body = ReplayMany,
    extensions(("x-role" = json!("editor"))), responses((status = 202, body = ReplayOutcome), ChangeErrors)
)]
async fn replay_many(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Json(ReplayMany { mut ids }): Json<ReplayMany>,
) -> Result<(StatusCode, Answer<ReplayOutcome>), ApiError> {
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > REPLAY_MAX {
        return Err(ApiError::validation(format!("ids: lists more than {REPLAY_MAX}")));
    }
    let asked = ids.len() as u64;
    let replayed = replay_ids(&api, &caller, ids, &format!("{asked} of a list")).await?;
    let skipped = asked.saturating_sub(replayed);
    Ok((StatusCode::ACCEPTED, Answer(ReplayOutcome { status: "queued", replayed, skipped, next_cursor: None })))
}

/// Which dead letters to replay: all that pass the filter.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReplayAll {
    /// `intake`, `route`, `deliver`, `enrich` or `history`.
    #[schema(value_type = Option<QueueWord>)]
    queue: Option<String>,
    /// The id of a channel: deliveries to it.
    channel: Option<i64>,
    /// A `cause`, as `GET /dead-letters/causes` names it.
    cause: Option<String>,
    /// `next_cursor` of the answer before; absent to begin.
    cursor: Option<String>,
}

/// How far a replay of all is. What was buried after it began is not meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    began: UnixMillis,
    /// Those before were looked at, and stay.
    skip: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.began, self.skip)
    }
}

impl FromStr for Progress {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (began, skip) = text.split_once('.').unwrap_or((text, "0"));
        Ok(Self { began: began.parse()?, skip: skip.parse()? })
    }
}

impl Progress {
    /// The next that are meant, at most [`REPLAY_MAX`]; and how far it is then, if that was not all.
    async fn next(
        self,
        queue: &dyn Queue,
        filter: &DeadFilter,
        cause: Option<&String>,
    ) -> Result<(Vec<JobId>, Option<Self>), QueueError> {
        let scanned = if cause.is_some() { causes::SCANNED_MAX } else { REPLAY_MAX };
        let heads = queue.dead_heads(filter, self.skip, scanned).await?;
        let mut causes = causes::Causes::default();
        let meant = heads.iter().filter(|head| head.buried_at <= self.began && causes.is(head, cause));
        let ids: Vec<_> = meant.map(|head| head.id).take(REPLAY_MAX).collect();
        let is_behind = heads.last().is_some_and(|last| last.buried_at <= self.began);
        let next = if ids.len() == REPLAY_MAX {
            // Looks at all of them again: others may replay what stood before.
            Some(self)
        } else if heads.len() == scanned && is_behind {
            Some(Self { skip: self.skip + scanned - ids.len(), ..self })
        } else {
            None
        };
        Ok((ids, next))
    }
}

/// Replay all dead letters
///
/// At most 500 in one request; the answer's `next_cursor` replays the rest, until there is none. What dies again
/// meanwhile is not replayed again.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/replay-all", tag = "dead letters", request_body = ReplayAll,
    extensions(("x-role" = json!("editor"))), responses((status = 202, body = ReplayOutcome), ChangeErrors)
)]
async fn replay_all(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Json(ReplayAll { queue, channel, cause, cursor }): Json<ReplayAll>,
) -> Result<(StatusCode, Answer<ReplayOutcome>), ApiError> {
    let filter = DeadLetterFilter { queue, channel, cause };
    let dead = filter.read(caller.tenant)?;
    let progress = Paging { cursor, limit: None }.after()?;
    let progress = progress.unwrap_or_else(|| Progress { began: api.shared.clock.now_ms(), skip: 0 });
    let (ids, next) = progress.next(&*api.shared.queue, &dead, filter.cause.as_ref()).await?;
    let asked = ids.len();
    let replayed = replay_ids(&api, &caller, ids, &"all that match").await?;
    let skipped = (asked as u64).saturating_sub(replayed);
    let next_cursor = next.map(super::paging::cursor);
    Ok((StatusCode::ACCEPTED, Answer(ReplayOutcome { status: "queued", replayed, skipped, next_cursor })))
}
