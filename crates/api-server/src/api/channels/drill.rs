//! A channel that pretends to be down for a while, so that people see what happens then before it happens.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{clock::UnixMillis, http::ApiError, ids::ChannelId, store::channels};

use super::{
    super::{
        Shelf,
        body::{self, Id},
        caller::{Caller, Editor},
        configured::wrong,
        errors::ChangeErrors,
    },
    ChannelView, one,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(begin_drill, end_drill))
}

/// The longest drill: one that is forgotten is over before it costs a night's alerts.
const SECONDS_MAX: i64 = 600;

/// How long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"seconds": 120}))]
struct DrillBody {
    /// 1 to 600.
    #[schema(minimum = 1, maximum = 600)]
    seconds: i64,
}

/// Lets a channel pretend to be down
///
/// Every attempt fails with "drill: …", as if the destination did not answer, and nothing is sent. Attempts follow each
/// other within 3 seconds, so that a dead letter can be seen in a quarter of a minute; it stays until it is replayed.
/// The drill ends by itself. A test message is sent all the same.
#[utoipa::path(
    post, path = "/api/v1/channels/{id}/drill", tag = "channels", params(("id" = i64, Path)), request_body = DrillBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = ChannelView), ChangeErrors)
)]
async fn begin_drill(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<ChannelId>,
    body::Json(DrillBody { seconds }): body::Json<DrillBody>,
) -> Result<Json<ChannelView>, ApiError> {
    if !(1..=SECONDS_MAX).contains(&seconds) {
        return Err(wrong("seconds", format!("must be 1 to {SECONDS_MAX}")));
    }
    let until = api.shared.clock.now_ms() + seconds * 1000;
    drill(&api, &caller, id, "begin_drill", until).await
}

/// Ends a drill
#[utoipa::path(
    delete, path = "/api/v1/channels/{id}/drill", tag = "channels", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = ChannelView), ChangeErrors)
)]
async fn end_drill(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<ChannelId>,
) -> Result<Json<ChannelView>, ApiError> {
    drill(&api, &caller, id, "end_drill", 0).await
}

/// A drill changes nothing that is configured: so the provisioning file's channels have them as well.
async fn drill(
    api: &Shelf,
    caller: &Caller,
    id: ChannelId,
    action: &str,
    until: UnixMillis,
) -> Result<Json<ChannelView>, ApiError> {
    let mut change = api.change(caller).await?;
    channels::set_drill(change.tx(), caller.tenant, id, until).await?;
    let view = one(api, caller, change.tx(), id).await?;
    change.audit(action, "channel", id, (None, Some(&view.shown_to_all()))).await?;
    change.commit().await?;
    Ok(Json(view))
}
