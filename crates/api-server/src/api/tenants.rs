//! Tenants, for those who run the installation.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    http::ApiError,
    ids::TenantId,
    store::{
        config::{self, Kind},
        tenants::{self, Tenant},
    },
};

use super::{
    Shelf,
    body::{self, Id},
    caller::PlatformAdmin,
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
    time::Time,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update))
}

/// The owner of everything else.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantView {
    #[schema(value_type = i64, example = 2)]
    id: TenantId,
    #[schema(example = "databases")]
    name: String,
    disabled: bool,
    created_at: Time,
}

impl TenantView {
    fn of(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id,
            name: tenant.name.clone(),
            disabled: tenant.disabled,
            created_at: Time(tenant.created_at),
        }
    }
}

/// A name as it may stand in metrics and addresses.
///
/// # Errors
/// 400 otherwise.
pub(super) fn tenant_name(text: &str) -> Result<String, ApiError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if text.len() > 64 || !begins || !text.chars().all(fits) {
        let message = "name: must have 1 to 64 of a-z, 0-9, `.`, `_`, `-`, and begin with a letter or digit";
        return Err(ApiError::validation(message));
    }
    Ok(text.to_owned())
}

/// The tenants
#[utoipa::path(
    get, path = "/api/v1/tenants", operation_id = "list_tenants", tag = "tenants", extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = Items<TenantView>), Common)
)]
async fn list(
    State(api): State<Shelf>,
    PlatformAdmin(_caller): PlatformAdmin,
) -> Result<Json<Items<TenantView>>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(Items { items: tenants::list(&mut tx).await?.iter().map(TenantView::of).collect() }))
}

/// One tenant
#[utoipa::path(
    get, path = "/api/v1/tenants/{id}", operation_id = "get_tenant", tag = "tenants", params(("id" = i64, Path, description = "The tenant's id")),
    extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = TenantView), ReadErrors)
)]
async fn get(
    State(api): State<Shelf>,
    PlatformAdmin(_caller): PlatformAdmin,
    Id(id): Id<i64>,
) -> Result<Json<TenantView>, ApiError> {
    let mut tx = api.read().await?;
    let tenant = tenants::get(&mut tx, TenantId(id)).await?.ok_or_else(|| ApiError::not_found("not found"))?;
    Ok(Json(TenantView::of(&tenant)))
}

/// A new tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantCreate {
    /// 1 to 64 of a-z, 0-9, `.`, `_`, `-`.
    #[schema(example = "databases")]
    name: String,
}

/// Make a tenant
///
/// Its first owner joins by an invite that is made with `X-Watchbell-Tenant: <id>`.
#[utoipa::path(
    post, path = "/api/v1/tenants", operation_id = "create_tenant", tag = "tenants", request_body = TenantCreate,
    extensions(("x-role" = json!("admin"))),
    responses((status = 201, body = TenantView), ChangeErrors)
)]
async fn create(
    State(api): State<Shelf>,
    PlatformAdmin(caller): PlatformAdmin,
    body::Json(body): body::Json<TenantCreate>,
) -> Result<(StatusCode, Json<TenantView>), ApiError> {
    let (name, now) = (tenant_name(&body.name)?, api.shared.clock.now_ms());
    let mut change = api.change(&caller).await?;
    let id = TenantId(config::next_id(change.tx(), Kind::Tenant).await?);
    config::add_tenant(change.tx(), id, &name, now).await?;
    let view = TenantView::of(&Tenant { id, name, disabled: false, created_at: now });
    change.audit("create", "tenant", id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// What is to change of a tenant; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantUpdate {
    /// Metrics and mail addresses follow it.
    name: Option<String>,
    /// Nobody of a disabled tenant signs in, its push tokens answer 410 and nothing is sent to its channels.
    disabled: Option<bool>,
}

/// Rename, disable or enable a tenant
#[utoipa::path(
    put, path = "/api/v1/tenants/{id}", operation_id = "update_tenant", tag = "tenants", params(("id" = i64, Path, description = "The tenant's id")),
    request_body = TenantUpdate, extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = TenantView), ChangeErrors)
)]
async fn update(
    State(api): State<Shelf>,
    PlatformAdmin(caller): PlatformAdmin,
    Id(id): Id<i64>,
    body::Json(body): body::Json<TenantUpdate>,
) -> Result<Json<TenantView>, ApiError> {
    let name = body.name.as_deref().map(tenant_name).transpose()?;
    if body.disabled == Some(true) && caller.home.0 == id {
        return Err(ApiError::conflict("this is your own tenant: you would lock yourself out"));
    }
    if body.disabled == Some(true) && TenantId(id) == TenantId::DEFAULT {
        return Err(ApiError::conflict("mail that names no tenant belongs to this one: it cannot be disabled"));
    }
    let mut change = api.change(&caller).await?;
    let before = tenants::get(change.tx(), TenantId(id)).await?.ok_or_else(|| ApiError::not_found("not found"))?;
    let tenant = Tenant {
        name: name.unwrap_or_else(|| before.name.clone()),
        disabled: body.disabled.unwrap_or(before.disabled),
        ..before.clone()
    };
    tenants::update(change.tx(), &tenant).await?;
    let (before, after) = (TenantView::of(&before), TenantView::of(&tenant));
    change.audit("update", "tenant", id, (Some(&before), Some(&after))).await?;
    change.commit().await?;
    Ok(Json(after))
}
