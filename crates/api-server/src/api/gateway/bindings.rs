//! Bindings: what a secret is tied to, changed by people.

use std::net::IpAddr;

use axum::{Json, extract::State, http::StatusCode};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    binding::{Binding, Mode, token::KeyHash},
    clock::show_time,
    http::ApiError,
    ids::TenantId,
    store::{
        Connection, Place,
        bindings::{self, Bound},
    },
};

use super::after;
use crate::api::{
    Shelf,
    body::{self, Id, Params},
    caller::{Caller, Editor, Viewer},
    configured::wrong,
    errors::{ChangeErrors, Common, ReadErrors},
    paging::{Page, Paging},
    words::{self, BindingModeWord},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(list_bindings))
        .routes(routes!(get_binding, update_binding, delete_binding))
        .routes(routes!(block_binding))
        .routes(routes!(unblock_binding))
}

/// Which bindings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BindingFilter {
    /// A part of the masked secret or of an address.
    q: Option<String>,
    #[param(value_type = Option<BindingModeWord>)]
    mode: Option<Mode>,
    /// Only those that are blocked, or that are not.
    blocked: Option<bool>,
}

/// What a secret is tied to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BindingView {
    /// The keyed hash of the secret, which is all that is kept of it.
    #[schema(value_type = String, example = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")]
    id: String,
    /// The secret as people may see it.
    #[schema(example = "sk-012…ghij")]
    masked: String,
    #[schema(value_type = BindingModeWord)]
    mode: Mode,
    /// Addresses and networks in CIDR notation.
    #[schema(example = json!(["203.0.113.7/32"]))]
    addresses: Vec<String>,
    /// Refused from everywhere.
    blocked: bool,
    #[schema(example = "2027-01-31T18:00:00Z")]
    created_at: String,
    /// Written some seconds late.
    #[schema(example = "2027-01-31T18:00:00Z")]
    last_used_at: String,
}

impl From<&Bound> for BindingView {
    fn from(bound: &Bound) -> Self {
        Self {
            id: bound.key.to_string(),
            masked: bound.masked.clone(),
            mode: bound.binding.mode,
            addresses: bound.binding.addresses.as_slice().iter().map(ToString::to_string).collect(),
            blocked: bound.binding.blocked,
            created_at: show_time(bound.created_at),
            last_used_at: show_time(bound.last_used_at),
        }
    }
}

/// What a secret is to be tied to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"mode": "multiple", "addresses": ["203.0.113.7", "198.51.100.0/24", "2001:db8::/64"]}))]
pub(crate) struct BindingBody {
    #[schema(value_type = BindingModeWord)]
    mode: Mode,
    /// Addresses, or networks in CIDR notation: one for `single`, 1 to 64 for `multiple`, any for `all`.
    #[serde(default)]
    addresses: Vec<String>,
}

/// What secrets are tied to, newest first
#[utoipa::path(
    get, path = "/api/v1/gateway/bindings", tag = "gateway", params(BindingFilter, Paging),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Page<BindingView>), Common)
)]
async fn list_bindings(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<BindingFilter>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<BindingView>>, ApiError> {
    let filter = bindings::Filter {
        search: Some(words::search("q", filter.q.as_deref())?),
        mode: filter.mode,
        blocked: filter.blocked,
        after: after(paging.after()?)?,
    };
    let mut tx = api.read().await?;
    let found = bindings::list(&mut tx, caller.tenant, &filter, i64::from(paging.limit()) + 1).await?;
    let place = |bound: &Bound| Place { at: bound.created_at, id: bound.key.to_string() };
    Ok(Json(Page::new(found, paging.limit(), place).map(|bound| BindingView::from(&bound))))
}

/// What one secret is tied to
#[utoipa::path(
    get, path = "/api/v1/gateway/bindings/{id}", tag = "gateway", params(("id" = String, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = BindingView), ReadErrors)
)]
async fn get_binding(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(key): Id<KeyHash>,
) -> Result<Json<BindingView>, ApiError> {
    let bound = one(&mut *api.read().await?, caller.tenant, key).await?;
    Ok(Json(BindingView::from(&bound)))
}

/// Tie a secret to other addresses
///
/// It holds everywhere within a second.
#[utoipa::path(
    put, path = "/api/v1/gateway/bindings/{id}", tag = "gateway", params(("id" = String, Path)),
    request_body = BindingBody, extensions(("x-role" = json!("editor"))),
    responses((status = 200, body = BindingView), ChangeErrors)
)]
async fn update_binding(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(key): Id<KeyHash>,
    body::Json(body): body::Json<BindingBody>,
) -> Result<Json<BindingView>, ApiError> {
    let nets = body.addresses.iter().map(|text| net(text)).collect::<Result<Vec<_>, _>>()?;
    Binding::check(body.mode, &nets).map_err(|why| wrong("addresses", why))?;
    let set = move |binding: Binding| Binding { mode: body.mode, addresses: nets.into(), ..binding };
    change(&api, &caller, key, "update", set).await
}

/// Unbind a secret: its next use binds it anew
#[utoipa::path(
    delete, path = "/api/v1/gateway/bindings/{id}", tag = "gateway", params(("id" = String, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_binding(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(key): Id<KeyHash>,
) -> Result<StatusCode, ApiError> {
    let mut change = api.write(&caller).await?;
    let before = one(change.tx(), caller.tenant, key).await?;
    bindings::remove(change.tx(), caller.tenant, key, api.shared.clock.now_ms()).await?;
    change.audit("delete", "binding", &before.masked, (Some(&BindingView::from(&before)), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuse a secret from everywhere
#[utoipa::path(
    post, path = "/api/v1/gateway/bindings/{id}/block", tag = "gateway", params(("id" = String, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = BindingView), ChangeErrors)
)]
async fn block_binding(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(key): Id<KeyHash>,
) -> Result<Json<BindingView>, ApiError> {
    change(&api, &caller, key, "block", |binding| Binding { blocked: true, ..binding }).await
}

/// Let a secret pass again from where it is bound to
#[utoipa::path(
    post, path = "/api/v1/gateway/bindings/{id}/unblock", tag = "gateway", params(("id" = String, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = BindingView), ChangeErrors)
)]
async fn unblock_binding(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(key): Id<KeyHash>,
) -> Result<Json<BindingView>, ApiError> {
    change(&api, &caller, key, "unblock", |binding| Binding { blocked: false, ..binding }).await
}

async fn change(
    api: &Shelf,
    caller: &Caller,
    key: KeyHash,
    action: &str,
    set: impl FnOnce(Binding) -> Binding,
) -> Result<Json<BindingView>, ApiError> {
    let mut change = api.write(caller).await?;
    let mut bound = one(change.tx(), caller.tenant, key).await?;
    let before = BindingView::from(&bound);
    bound.binding = set(bound.binding);
    bindings::set(change.tx(), caller.tenant, key, &bound.binding, api.shared.clock.now_ms()).await?;
    let after = BindingView::from(&bound);
    change.audit(action, "binding", &bound.masked, (Some(&before), Some(&after))).await?;
    change.commit().await?;
    Ok(Json(after))
}

async fn one(connection: &mut Connection, tenant: TenantId, key: KeyHash) -> Result<Bound, ApiError> {
    let found = bindings::get(connection, tenant, key).await?;
    found.bound.ok_or_else(|| ApiError::not_found("not found"))
}

/// An address or a network, without the bits that it does not bind.
fn net(text: &str) -> Result<IpNet, ApiError> {
    let text = text.trim();
    let read = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    read.map(|net| net.trunc()).ok_or_else(|| wrong("addresses", format!("`{text}` is no address and no network")))
}
