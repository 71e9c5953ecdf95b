//! Silences: what is kept from the channels until it expires.

use std::{collections::HashMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::{UnixMillis, millis, parse_time},
    config::{Match, Silence, check},
    http::ApiError,
    ids::{SilenceId, TenantId},
    store::{
        Connection,
        config::{self, Kind, Owned, Times},
        hidden, silences,
    },
};

use super::{
    Shelf,
    body::{self, Id},
    caller::{Editor, Viewer},
    configured::{HiddenView, Stamp, find, find_to_change, invalid, lately, wrong},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
    time::Time,
};

/// The longest silence. Whoever wants to hear nothing for longer means a mute or a rule.
const SILENCE_MAX: Duration = Duration::from_hours(365 * 24);

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list_silences, create_silence)).routes(routes!(
        get_silence,
        update_silence,
        delete_silence
    ))
}

/// What is kept from the channels, and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"match": {"system": "db1"}, "expires_at": "2027-01-31T18:00:00Z", "comment": "moving racks"}))]
struct SilenceBody {
    #[serde(rename = "match")]
    matcher: Match,
    /// In the future, at most 365 days.
    #[schema(format = DateTime)]
    expires_at: String,
    #[serde(default)]
    comment: String,
}

/// A silence.
#[derive(Debug, Serialize, ToSchema)]
struct SilenceView {
    #[schema(value_type = i64)]
    id: SilenceId,
    #[serde(rename = "match")]
    matcher: Match,
    expires_at: Time,
    /// It has not expired.
    active: bool,
    comment: String,
    hidden: HiddenView,
    #[serde(flatten)]
    stamp: Stamp,
}

/// The silences, expired ones too
#[utoipa::path(
    get, path = "/api/v1/silences", tag = "silences", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<SilenceView>), Common)
)]
async fn list_silences(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<SilenceView>>, ApiError> {
    let mut tx = api.read().await?;
    let there = silences::list(&mut tx, caller.tenant).await?;
    let times = config::times(&mut tx, caller.tenant, Kind::Silence).await?;
    let now = api.shared.clock.now_ms();
    let mut items = Vec::with_capacity(there.len());
    for silence in &there {
        items.push(view(&mut tx, caller.tenant, (silence, &times), now).await?);
    }
    Ok(Json(Items { items }))
}

/// Makes a silence
#[utoipa::path(
    post, path = "/api/v1/silences", tag = "silences", request_body = SilenceBody,
    extensions(("x-role" = json!("editor"))), responses((status = 201, body = SilenceView), ChangeErrors)
)]
async fn create_silence(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<SilenceBody>,
) -> Result<(StatusCode, Json<SilenceView>), ApiError> {
    let now = api.shared.clock.now_ms();
    let mut change = api.change(&caller).await?;
    let id = SilenceId(config::next_id(change.tx(), Kind::Silence).await?);
    silences::put(change.tx(), caller.tenant, &body.silence(id, now)?).await?;
    change.touch(Kind::Silence, id.0).await?;
    let view = one(change.tx(), caller.tenant, id, now).await?;
    change.audit("create", "silence", id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// One silence
#[utoipa::path(
    get, path = "/api/v1/silences/{id}", tag = "silences", params(("id" = i64, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = SilenceView), ReadErrors)
)]
async fn get_silence(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<SilenceId>,
) -> Result<Json<SilenceView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(one(&mut tx, caller.tenant, id, api.shared.clock.now_ms()).await?))
}

/// Replaces a silence
#[utoipa::path(
    put, path = "/api/v1/silences/{id}", tag = "silences", params(("id" = i64, Path)), request_body = SilenceBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = SilenceView), ChangeErrors)
)]
async fn update_silence(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<SilenceId>,
    body::Json(body): body::Json<SilenceBody>,
) -> Result<Json<SilenceView>, ApiError> {
    let now = api.shared.clock.now_ms();
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), caller.tenant, id, now).await?;
    find_to_change(&silences::list(change.tx(), caller.tenant).await?, |silence| silence.id == id)?;
    silences::put(change.tx(), caller.tenant, &body.silence(id, now)?).await?;
    change.touch(Kind::Silence, id.0).await?;
    let view = one(change.tx(), caller.tenant, id, now).await?;
    change.audit("update", "silence", id, (Some(&before), Some(&view))).await?;
    change.commit().await?;
    Ok(Json(view))
}

/// Ends a silence
#[utoipa::path(
    delete, path = "/api/v1/silences/{id}", tag = "silences", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_silence(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<SilenceId>,
) -> Result<StatusCode, ApiError> {
    let mut change = api.change(&caller).await?;
    let before = one(change.tx(), caller.tenant, id, api.shared.clock.now_ms()).await?;
    find_to_change(&silences::list(change.tx(), caller.tenant).await?, |silence| silence.id == id)?;
    silences::delete(change.tx(), caller.tenant, id).await?;
    change.audit("delete", "silence", id, (Some(&before), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn one(
    connection: &mut Connection,
    tenant: TenantId,
    id: SilenceId,
    now: UnixMillis,
) -> Result<SilenceView, ApiError> {
    let silence = find(silences::list(connection, tenant).await?, |silence| silence.id == id)?;
    let times = config::times(connection, tenant, Kind::Silence).await?;
    view(connection, tenant, (&silence, &times), now).await
}

async fn view(
    connection: &mut Connection,
    tenant: TenantId,
    (owned, times): (&Owned<Silence>, &HashMap<i64, Times>),
    now: UnixMillis,
) -> Result<SilenceView, ApiError> {
    let Silence { id, matcher, expires_at, comment } = owned.item.clone();
    let times = times.get(&id.0);
    let lately = lately(times, now.min(expires_at));
    let hidden = hidden::by_silence(connection, tenant, id, &lately).await?;
    Ok(SilenceView {
        id,
        matcher,
        expires_at: Time(expires_at),
        active: expires_at > now,
        comment,
        hidden: HiddenView::new(&hidden, &lately),
        stamp: Stamp::new(owned, times),
    })
}

impl SilenceBody {
    fn silence(self, id: SilenceId, now: UnixMillis) -> Result<Owned<Silence>, ApiError> {
        let expires_at = parse_time(&self.expires_at).map_err(|why| wrong("expires_at", why))?;
        if expires_at <= now {
            return Err(wrong("expires_at", "is in the past"));
        }
        if expires_at - now > millis(SILENCE_MAX) {
            return Err(wrong("expires_at", "is more than 365 days away"));
        }
        let silence = Silence { id, matcher: self.matcher, expires_at, comment: self.comment };
        check::silence(&silence).map_err(|found| invalid(&found))?;
        Ok(Owned { item: silence, provisioned: false })
    }
}
