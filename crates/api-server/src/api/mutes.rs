//! Mutes: senders and sources that are dropped at intake, until removed.

use std::collections::HashMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::UnixMillis,
    config::{Mute, check},
    http::ApiError,
    ids::{MuteId, TenantId},
    store::{
        Connection,
        config::{self, Kind, Owned, Times},
        hidden, mutes,
    },
};

use super::{
    Shelf,
    body::{self, Id},
    caller::{Editor, Viewer},
    configured::{HiddenView, Stamp, find, find_to_change, invalid, lately},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_mutes, create_mute)).routes(routes!(get_mute, update_mute, delete_mute))
}

/// What is dropped: `from`, `source`, or what is both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "noreply@*", "comment": "newsletter"}))]
struct MuteBody {
    /// A glob on the sender's addresses.
    from: Option<String>,
    /// A glob on the intake: `mail`, `push`, `alertmanager` …
    source: Option<String>,
    #[serde(default)]
    comment: String,
}

/// A mute.
#[derive(Debug, Serialize, ToSchema)]
struct MuteView {
    #[schema(value_type = i64)]
    id: MuteId,
    from: Option<String>,
    source: Option<String>,
    comment: String,
    hidden: HiddenView,
    #[serde(flatten)]
    stamp: Stamp,
}

/// The mutes
#[utoipa::path(
    get, path = "/api/v1/mutes", tag = "mutes", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<MuteView>), Common)
)]
async fn list_mutes(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<MuteView>>, ApiError> {
    let mut tx = api.read().await?;
    let now = api.shared.clock.now_ms();
    let there = mutes::list(&mut tx, caller.tenant).await?;
    let times = config::times(&mut tx, caller.tenant, Kind::Mute).await?;
    let mut items = Vec::with_capacity(there.len());
    for mute in &there {
        items.push(view(&mut tx, caller.tenant, (mute, &times), now).await?);
    }
    Ok(Json(Items { items }))
}

/// Makes a mute
#[utoipa::path(
    post, path = "/api/v1/mutes", tag = "mutes", request_body = MuteBody, extensions(("x-role" = json!("editor"))),
    responses((status = 201, body = MuteView), ChangeErrors)
)]
async fn create_mute(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<MuteBody>,
) -> Result<(StatusCode, Json<MuteView>), ApiError> {
    let now = api.shared.clock.now_ms();
    let mut change = api.change(&caller).await?;
    let id = MuteId(config::next_id(change.tx(), Kind::Mute).await?);
    mutes::put(change.tx(), caller.tenant, &body.mute(id)?).await?;
    change.touch(Kind::Mute, id.0).await?;
    let view = one(change.tx(), caller.tenant, id, now).await?;
    change.audit("create", "mute", id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// One mute
#[utoipa::path(
    get, path = "/api/v1/mutes/{id}", tag = "mutes", params(("id" = i64, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = MuteView), ReadErrors)
)]
async fn get_mute(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<MuteId>,
) -> Result<Json<MuteView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(one(&mut tx, caller.tenant, id, api.shared.clock.now_ms()).await?))
}

/// Replaces a mute
#[utoipa::path(
    put, path = "/api/v1/mutes/{id}", tag = "mutes", params(("id" = i64, Path)), request_body = MuteBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = MuteView), ChangeErrors)
)]
async fn update_mute(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<MuteId>,
    body::Json(body): body::Json<MuteBody>,
) -> Result<Json<MuteView>, ApiError> {
    let now = api.shared.clock.now_ms();
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), caller.tenant, id, now).await?;
    find_to_change(&mutes::list(change.tx(), caller.tenant).await?, |mute| mute.id == id)?;
    mutes::put(change.tx(), caller.tenant, &body.mute(id)?).await?;
    change.touch(Kind::Mute, id.0).await?;
    let view = one(change.tx(), caller.tenant, id, now).await?;
    change.audit("update", "mute", id, (Some(&before), Some(&view))).await?;
    change.commit().await?;
    Ok(Json(view))
}

/// Deletes a mute
#[utoipa::path(
    delete, path = "/api/v1/mutes/{id}", tag = "mutes", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_mute(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<MuteId>,
) -> Result<StatusCode, ApiError> {
    let now = api.shared.clock.now_ms();
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), caller.tenant, id, now).await?;
    find_to_change(&mutes::list(change.tx(), caller.tenant).await?, |mute| mute.id == id)?;
    mutes::delete(change.tx(), caller.tenant, id).await?;
    change.audit("delete", "mute", id, (Some(&before), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn one(connection: &mut Connection, tenant: TenantId, id: MuteId, now: UnixMillis) -> Result<MuteView, ApiError> {
    let mute = find(mutes::list(connection, tenant).await?, |mute| mute.id == id)?;
    let times = config::times(connection, tenant, Kind::Mute).await?;
    view(connection, tenant, (&mute, &times), now).await
}

async fn view(
    connection: &mut Connection,
    tenant: TenantId,
    (owned, times): (&Owned<Mute>, &HashMap<i64, Times>),
    now: UnixMillis,
) -> Result<MuteView, ApiError> {
    let Mute { id, from, source, comment } = owned.item.clone();
    let times = times.get(&id.0);
    let lately = lately(times, now);
    let hidden = hidden::by_mute(connection, tenant, id, &lately).await?;
    Ok(MuteView {
        id,
        from,
        source,
        comment,
        hidden: HiddenView::new(&hidden, &lately),
        stamp: Stamp::new(owned, times),
    })
}

impl MuteBody {
    fn mute(self, id: MuteId) -> Result<Owned<Mute>, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mute = Mute { id, from: given(self.from), source: given(self.source), comment: self.comment };
        check::mute(&mute).map_err(|found| invalid(&found))?;
        Ok(Owned { item: mute, provisioned: false })
    }
}
