//! How deliveries to the channels went lately: one query for all of them.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{http::ApiError, ids::ChannelId, store::channel_health};

use super::super::{Shelf, caller::Viewer, errors::Common, paging::Items, time::Time};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_channel_health))
}

/// How the latest deliveries to one channel went.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelHealth {
    #[schema(value_type = i64)]
    channel: ChannelId,
    /// When a message last arrived there; absent when none did lately.
    delivered_at: Option<Time>,
    /// Since when none arrived although some were tried; absent while all is well.
    failing_since: Option<Time>,
    /// How many deliveries failed or gave up since then.
    failing: i64,
}

/// How deliveries to each channel went lately
///
/// Looks at the latest 10,000 deliveries; a channel that is not among them is not named.
#[utoipa::path(
    get, path = "/api/v1/channels/health", tag = "channels", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<ChannelHealth>), Common)
)]
async fn list_channel_health(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
) -> Result<Json<Items<ChannelHealth>>, ApiError> {
    let found = channel_health::list(&mut *api.read().await?, caller.tenant).await?;
    let view = |health: channel_health::Health| ChannelHealth {
        channel: health.channel,
        delivered_at: health.delivered_at.map(Time),
        failing_since: health.failing_since.map(Time),
        failing: health.failing,
    };
    Ok(Json(Items { items: found.into_iter().map(view).collect() }))
}
