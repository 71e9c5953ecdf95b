//! The audit log: who did what.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    http::ApiError,
    ids::{AuditId, UserId},
    store::audit,
};

use super::{
    Shelf,
    body::Params,
    caller::Owner,
    errors::Common,
    paging::{Page, Paging},
    time::{self, Time},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which entries: each that is given must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditFilter {
    /// The id of a user: what they did, also through their tokens.
    user: Option<i64>,
    /// What kind of thing it was done to.
    #[param(example = "channel")]
    kind: Option<String>,
    /// At that time or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before that time.
    #[param(format = DateTime)]
    before: Option<String>,
}

/// One thing that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditView {
    #[schema(value_type = String, example = "aud_0195f3f0c0de7d2a8b3c4d5e6f708192")]
    id: AuditId,
    at: Time,
    /// The user, also where a token of theirs did it; absent when a program did.
    #[schema(value_type = Option<i64>)]
    user: Option<UserId>,
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
///
/// A page may hold fewer entries than asked for and still name a next one: the search is then not at its end.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit", params(AuditFilter, Paging), extensions(("x-role" = json!("owner"))),
    responses((status = 200, body = Page<AuditView>), Common)
)]
async fn list(
    State(api): State<Shelf>,
    Owner(caller): Owner,
    Params(filter): Params<AuditFilter>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<AuditView>>, ApiError> {
    let filter = audit::Filter {
        user: filter.user.map(UserId),
        kind: filter.kind.filter(|kind| !kind.is_empty()),
        since: time::read("since", filter.since.as_deref())?,
        before: time::read("before", filter.before.as_deref())?,
    };
    let mut tx = api.read().await?;
    let found = audit::list(&mut tx, caller.tenant, &filter, paging.after()?.as_ref(), paging.limit()).await?;
    Ok(Json(Page::found(found, view)))
}

fn view(entry: audit::Entry) -> AuditView {
    AuditView {
        id: entry.id,
        at: Time(entry.at),
        user: entry.user,
        actor: entry.actor,
        address: entry.address,
        action: entry.action,
        kind: entry.kind,
        item: entry.item,
        before: entry.before,
        after: entry.after,
    }
}
