//! Deliveries: events on their way to channels, with their attempts and what the providers answered.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    alert::Severity,
    config::Snapshot,
    http::ApiError,
    ids::{AlertId, ChannelId, DeliveryId, EventId, TenantId},
    store::deliveries::{self, State as Standing, StoredAttempt, StoredDelivery},
};

use super::{
    Api, Shelf,
    body::{Id, Params},
    caller::Viewer,
    errors::{Common, ReadErrors},
    paging::{Page, Paging},
    time::{self, Time},
    words::{self, SeverityWord, StateWord},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// The names of a tenant's channels, as they are now.
pub(super) struct Names {
    snapshot: Arc<Snapshot>,
    tenant: TenantId,
}

impl Names {
    pub(super) fn new(api: &Api, tenant: TenantId) -> Self {
        Self { snapshot: api.shared.config.load(), tenant }
    }

    /// `None` when the channel is gone.
    pub(super) fn channel(&self, id: ChannelId) -> Option<String> {
        self.snapshot.channel(self.tenant, id).map(|channel| channel.channel.name.clone())
    }
}

/// Which deliveries. Lists are written with commas between their values; a delivery must be in each that is given.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryFilter {
    /// `pending`, `rate_limited`, `failed`, `dead`, `deduplicated`, `delivered`.
    #[param(example = "failed,dead")]
    state: Option<String>,
    /// Ids of channels.
    channel: Option<String>,
    /// In that state since that time or later.
    #[param(format = DateTime)]
    since: Option<String>,
}

/// One event on its way to one channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    #[schema(value_type = String, example = "dlv_0195f3f0c0de8d2a8b3c4d5e6f708192")]
    id: DeliveryId,
    #[schema(value_type = String)]
    event: EventId,
    #[schema(value_type = Option<String>)]
    alert: Option<AlertId>,
    channel: i64,
    /// Absent when the channel is gone.
    channel_name: Option<String>,
    /// As it was sent; absent while the alert is not recorded, and when its history is gone.
    #[schema(value_type = Option<SeverityWord>)]
    severity: Option<Severity>,
    /// The alert's subject; absent as its severity.
    subject: Option<String>,
    #[schema(value_type = StateWord)]
    state: Standing,
    /// When it came into this state.
    state_at: Time,
    /// Waiting for a rate limit is not an attempt.
    attempts: i64,
    /// What the provider answered last.
    detail: String,
}

impl DeliveryView {
    pub(super) fn new(delivery: StoredDelivery, names: &Names) -> Self {
        Self {
            id: delivery.id,
            event: delivery.event,
            alert: delivery.alert,
            channel: delivery.channel.0,
            channel_name: names.channel(delivery.channel),
            severity: delivery.severity,
            subject: delivery.subject,
            state: delivery.state,
            state_at: Time(delivery.state_at),
            attempts: delivery.attempts,
            detail: delivery.detail,
        }
    }
}

/// One delivery with its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// In order.
    tries: Vec<AttemptView>,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttemptView {
    at: Time,
    /// From 1.
    number: i64,
    #[schema(value_type = StateWord)]
    outcome: Standing,
    /// What the provider answered.
    detail: String,
}

impl DeliveryDetail {
    pub(super) fn new(delivery: StoredDelivery, attempts: Vec<StoredAttempt>, names: &Names) -> Self {
        let view = |attempt: StoredAttempt| {
            let StoredAttempt { at, number, outcome, detail } = attempt;
            AttemptView { at: Time(at), number, outcome, detail }
        };
        Self { delivery: DeliveryView::new(delivery, names), tries: attempts.into_iter().map(view).collect() }
    }
}

/// Deliveries, those whose state changed last first
///
/// A page may hold fewer deliveries than asked for and still name a next one: the search is then not at its end.
#[utoipa::path(
    get, path = "/api/v1/deliveries", operation_id = "list_deliveries", tag = "deliveries", params(DeliveryFilter, Paging),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Page<DeliveryView>), Common)
)]
async fn list(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<DeliveryFilter>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<DeliveryView>>, ApiError> {
    let filter = deliveries::Filter {
        states: words::states("state", filter.state.as_deref())?,
        channels: words::numbers("channel", filter.channel.as_deref(), ChannelId)?,
        since: time::read("since", filter.since.as_deref())?,
    };
    let mut tx = api.read().await?;
    let (before, limit) = (paging.after()?, paging.limit());
    let found = deliveries::list(&mut tx, caller.tenant, &filter, before.as_ref(), limit).await?;
    let names = Names::new(&api, caller.tenant);
    Ok(Json(Page::found(found, |delivery| DeliveryView::new(delivery, &names))))
}

/// One delivery with its attempts
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", operation_id = "get_delivery", tag = "deliveries",
    params(("id" = String, Path, description = "The delivery's id")),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = DeliveryDetail), ReadErrors)
)]
async fn get(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<DeliveryId>,
) -> Result<Json<DeliveryDetail>, ApiError> {
    let mut tx = api.read().await?;
    let found = deliveries::get(&mut tx, caller.tenant, id).await?;
    let delivery = found.ok_or_else(|| ApiError::not_found("not found"))?;
    let attempts = deliveries::attempts(&mut tx, caller.tenant, id).await?;
    Ok(Json(DeliveryDetail::new(delivery, attempts, &Names::new(&api, caller.tenant))))
}
