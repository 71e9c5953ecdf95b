//! The audit log: who did what.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{http::ApiError, ids::AuditId, store::audit};

use super::{
    Shelf,
    body::Params,
    caller::Owner,
    errors::Common,
    paging::{Page, Paging},
    time::Time,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One thing that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditView {
    #[schema(value_type = String, example = "aud_0195f3f0c0de7d2a8b3c4d5e6f708192")]
    id: AuditId,
    at: Time,
    /// An e-mail address, or a token's name.
    actor: String,
    address: String,
    #[schema(example = "update")]
    action: String,
    #[schema(example = "channel")]
    kind: String,
    #[schema(example = "7")]
    item: String,
    /// The item as it was; absent when it was made.
    before: Option<serde_json::Value>,
    /// The item as it is since; absent when it was removed.
    after: Option<serde_json::Value>,
}

/// Who did what, latest first
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit", params(Paging), extensions(("x-role" = json!("owner"))),
    responses((status = 200, body = Page<AuditView>), Common)
)]
async fn list(
    State(api): State<Shelf>,
    Owner(caller): Owner,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<AuditView>>, ApiError> {
    let mut tx = api.read().await?;
    let entries = audit::list(&mut tx, caller.tenant, paging.after()?, paging.limit() + 1).await?;
    let items = entries.into_iter().map(view).collect();
    Ok(Json(Page::new(items, paging.limit(), |entry: &AuditView| entry.id)))
}

fn view(entry: audit::Entry) -> AuditView {
    AuditView {
        id: entry.id,
        at: Time(entry.at),
        actor: entry.actor,
        address: entry.address,
        action: entry.action,
        kind: entry.kind,
        item: entry.item,
        before: entry.before,
        after: entry.after,
    }
}
