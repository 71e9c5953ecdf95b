//! The installation's health: its processes with their heartbeats, and how many jobs are where.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    heartbeat,
    http::ApiError,
    queue::{Depth, QueueName},
};

use super::{
    Api, Shelf,
    caller::{Caller, Viewer},
    errors::Common,
    paging::Items,
    time::Time,
    words::QueueWord,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(services)).routes(routes!(queues))
}

/// A process.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceView {
    /// The program.
    #[schema(example = "smtp-ingestor")]
    name: String,
    version: String,
    /// Only for those who run the installation.
    host: Option<String>,
    /// Only for those who run the installation.
    pid: Option<u32>,
    /// Whether it is there: its last heartbeat is at most 35 seconds old.
    up: bool,
    started_at: Time,
    last_seen: Time,
}

pub(super) async fn service_views(api: &Api, caller: &Caller) -> Result<Vec<ServiceView>, ApiError> {
    let now = api.shared.clock.now_ms();
    let view = |beat: heartbeat::Heartbeat| ServiceView {
        up: beat.is_up(now),
        name: beat.name,
        version: beat.version,
        host: caller.platform_admin.then_some(beat.host),
        pid: caller.platform_admin.then_some(beat.pid),
        started_at: Time(beat.started_at),
        last_seen: Time(beat.last_seen),
    };
    Ok(heartbeat::all(&*api.shared.queue).await?.into_iter().map(view).collect())
}

/// The processes of the installation
///
/// One that vanished is shown for six hours; one that was stopped is not.
#[utoipa::path(
    get, path = "/api/v1/services", tag = "system",
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Items<ServiceView>), Common)
)]
async fn services(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<ServiceView>>, ApiError> {
    Ok(Json(Items { items: service_views(&api, &caller).await? }))
}

/// How many jobs of a queue are where.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueView {
    #[schema(value_type = QueueWord)]
    queue: QueueName,
    /// Can be taken now.
    ready: u64,
    /// Wait for an earlier job of the same alert.
    held: u64,
    /// In the hands of a worker.
    leased: u64,
    /// Wait for their time.
    waiting: u64,
    /// Gave up.
    dead: u64,
}

pub(super) async fn queue_views(api: &Api) -> Result<Vec<QueueView>, ApiError> {
    let depths = api.shared.queue.depths().await?.into_iter();
    let view = |(queue, depth): (QueueName, Depth)| {
        let Depth { ready, held, leased, waiting, dead } = depth;
        QueueView { queue, ready, held, leased, waiting, dead }
    };
    Ok(depths.map(view).collect())
}

/// Where jobs are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueDepths {
    /// The tenant's events that are on their way.
    pending: u64,
    /// The tenant's events whose only remaining jobs gave up.
    dead: u64,
    /// All tenants' jobs by queue; empty for those who do not run the installation.
    queues: Vec<QueueView>,
}

/// How many jobs are where
#[utoipa::path(
    get, path = "/api/v1/queues", tag = "system",
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = QueueDepths), Common)
)]
async fn queues(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<QueueDepths>, ApiError> {
    let books = api.shared.queue.books().await?;
    let own = books.into_iter().find(|(tenant, _)| *tenant == caller.tenant);
    let own = own.map(|(_, books)| books).unwrap_or_default();
    let queues = if caller.platform_admin { queue_views(&api).await? } else { Vec::new() };
    Ok(Json(QueueDepths { pending: own.pending, dead: own.dead, queues }))
}
