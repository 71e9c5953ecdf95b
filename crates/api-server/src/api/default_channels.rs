//! Where events go that no rule takes.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    http::ApiError,
    ids::{ChannelId, TenantId},
    store::{
        Connection, channels,
        config::{self, Owned},
    },
};

use super::{
    Shelf, body,
    caller::{Editor, Viewer},
    configured::kept_by_the_file,
    errors::{ChangeErrors, Common},
    rules::known_channels,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(get_default_channels, set_default_channels))
}

/// The default channels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"channels": [1]}))]
struct DefaultsBody {
    #[schema(value_type = Vec<i64>)]
    channels: Vec<ChannelId>,
}

/// The default channels.
#[derive(Debug, Serialize, ToSchema)]
struct DefaultsView {
    #[schema(value_type = Vec<i64>)]
    channels: Vec<ChannelId>,
    /// Kept by the provisioning file.
    provisioned: bool,
}

/// Where events go that no rule takes
#[utoipa::path(
    get, path = "/api/v1/default-channels", tag = "rules", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = DefaultsView), Common)
)]
async fn get_default_channels(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
) -> Result<Json<DefaultsView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(view(&mut tx, caller.tenant).await?))
}

/// Replaces the default channels
#[utoipa::path(
    put, path = "/api/v1/default-channels", tag = "rules", request_body = DefaultsBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = DefaultsView), ChangeErrors)
)]
async fn set_default_channels(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<DefaultsBody>,
) -> Result<Json<DefaultsView>, ApiError> {
    let mut change = api.change(&caller).await?;
    let before = view(change.tx(), caller.tenant).await?;
    if before.provisioned {
        return Err(kept_by_the_file());
    }
    known_channels("channels", &body.channels, &channels::list(change.tx(), caller.tenant).await?)?;
    let wanted: Vec<_> = body.channels.iter().map(|id| Owned { item: *id, provisioned: false }).collect();
    config::set_default_channels(change.tx(), caller.tenant, &wanted).await?;
    let after = view(change.tx(), caller.tenant).await?;
    change.audit("update", "default_channels", "", (Some(&before), Some(&after))).await?;
    change.commit().await?;
    Ok(Json(after))
}

async fn view(connection: &mut Connection, tenant: TenantId) -> Result<DefaultsView, ApiError> {
    let there = config::default_channels(connection, tenant).await?;
    let provisioned = there.iter().any(|owned| owned.provisioned);
    Ok(DefaultsView { channels: there.into_iter().map(|owned| owned.item).collect(), provisioned })
}
