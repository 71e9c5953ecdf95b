//! Invites: codes with which others register.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::DAY_MS,
    crypto::Place,
    http::ApiError,
    identity::Role,
    ids::{InviteId, TenantId, UserId},
    store::{
        config::{self, Kind},
        invites::{self, Invite},
    },
};

use super::{
    Api, Shelf,
    auth::{new_secret, sign_in},
    body::{self, Id},
    caller::{Caller, Owner},
    errors::{ChangeErrors, Common},
    paging::Items,
    time::Time,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// Codes made with one request.
const COUNT_MAX: u32 = 100;

/// Codes that one user makes on a day (UTC).
const DAILY_MAX: i64 = 500;

/// A code with which somebody registers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InviteView {
    code: String,
    /// The user who made it.
    #[schema(value_type = i64, example = 3)]
    created_by: UserId,
    /// The tenant to join; absent: a new one.
    #[schema(value_type = Option<i64>, example = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<TenantId>,
    #[schema(value_type = String, example = "editor")]
    role: Role,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    used: bool,
    /// The user that it made.
    #[schema(value_type = Option<i64>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Time>,
}

/// What the audit log keeps of an invite: not the code.
#[derive(Serialize)]
struct Audited {
    tenant_id: Option<TenantId>,
    role: Role,
    expires_at: Option<Time>,
}

impl Audited {
    fn of(invite: &Invite) -> Self {
        Self { tenant_id: invite.for_tenant, role: invite.role, expires_at: invite.expires_at.map(Time) }
    }
}

fn view(api: &Api, invite: &Invite) -> Result<InviteView, ApiError> {
    let failed = |error| ApiError::internal().because(format!("opening invite {}: {error}", invite.id));
    Ok(InviteView {
        code: api
            .shared
            .vault
            .open(&invite.code, &Place::invite(invite.tenant, invite.id))
            .map_err(failed)?
            .expose_secret()
            .to_owned(),
        created_by: invite.created_by,
        tenant_id: invite.for_tenant,
        role: invite.role,
        created_at: Time(invite.created_at),
        expires_at: invite.expires_at.map(Time),
        used: invite.used.is_some(),
        used_by: invite.used.map(|(by, _)| by),
        used_at: invite.used.map(|(_, at)| Time(at)),
    })
}

/// Codes that make tenants are the business of platform admins.
fn may_see(caller: &Caller, invite: &Invite) -> bool {
    caller.platform_admin || invite.for_tenant.is_some()
}

/// The invites, latest first
#[utoipa::path(
    get, path = "/api/v1/invites", operation_id = "list_invites", tag = "invites", extensions(("x-role" = json!("owner"))),
    responses((status = 200, body = Items<InviteView>), Common)
)]
async fn list(State(api): State<Shelf>, Owner(caller): Owner) -> Result<Json<Items<InviteView>>, ApiError> {
    let mut tx = api.read().await?;
    let found = invites::list(&mut tx, caller.tenant).await?;
    let seen = found.into_iter().filter(|invite| may_see(&caller, invite));
    Ok(Json(Items { items: seen.map(|invite| view(&api, &invite)).collect::<Result<_, _>>()? }))
}

/// Which invites to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteCreate {
    /// How many: 1 to 100; 0 and absent mean 1.
    #[serde(default)]
    #[schema(maximum = 100, example = 1)]
    count: u32,
    /// Seconds from now; 0 and absent: they do not expire.
    #[serde(default)]
    #[schema(example = 604_800)]
    ttl_seconds: u32,
    /// The role in the tenant that they join; `viewer` when absent.
    #[schema(value_type = Option<String>, example = "editor")]
    role: Option<Role>,
    /// Whether each makes a tenant of its own, whose owner the new user is: for platform admins, who mean that when
    /// they name neither this nor a role.
    new_tenant: Option<bool>,
}

/// Make invites
///
/// At most 500 per user and day (UTC), all or none.
#[utoipa::path(
    post, path = "/api/v1/invites", operation_id = "create_invite", tag = "invites", request_body = InviteCreate,
    extensions(("x-role" = json!("owner"))),
    responses((status = 201, body = Items<InviteView>), ChangeErrors)
)]
async fn create(
    State(api): State<Shelf>,
    Owner(caller): Owner,
    body::Json(body): body::Json<InviteCreate>,
) -> Result<(StatusCode, Json<Items<InviteView>>), ApiError> {
    let count = body.count.max(1);
    if count > COUNT_MAX {
        return Err(ApiError::validation(format!("count: must be at most {COUNT_MAX}")));
    }
    let new_tenant = body.new_tenant.unwrap_or(caller.platform_admin && body.role.is_none());
    if new_tenant && !caller.platform_admin {
        return Err(ApiError::forbidden("new_tenant: admin only"));
    }
    let now = api.shared.clock.now_ms();
    let mut change = api.write(&caller).await?;
    if invites::count(change.tx(), caller.user, now / DAY_MS, count.into()).await? > DAILY_MAX {
        let wait = Duration::from_millis(u64::try_from(DAY_MS - now % DAY_MS).unwrap_or_default() + 999);
        return Err(ApiError::rate_limited(format!("at most {DAILY_MAX} invites a day (UTC)"), wait));
    }
    let mut items = Vec::new();
    for _ in 0..count {
        let id = InviteId(config::next_id(change.tx(), Kind::Invite).await?);
        let code = new_secret("");
        let invite = Invite {
            id,
            tenant: caller.tenant,
            created_by: caller.user,
            code: api.shared.vault.seal(&Place::invite(caller.tenant, id), &code),
            for_tenant: (!new_tenant).then_some(caller.tenant),
            role: if new_tenant { Role::Owner } else { body.role.unwrap_or(Role::Viewer) },
            created_at: now,
            expires_at: (body.ttl_seconds > 0).then(|| now + i64::from(body.ttl_seconds) * 1000),
            used: None,
        };
        invites::add(change.tx(), &invite, &sign_in::secret_hash(&api, &code)).await?;
        change.audit("create", "invite", id, (None, Some(&Audited::of(&invite)))).await?;
        items.push(view(&api, &invite)?);
    }
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(Items { items })))
}

/// Revoke an invite
#[utoipa::path(
    delete, path = "/api/v1/invites/{code}", operation_id = "revoke_invite", tag = "invites", params(("code" = String, Path, description = "The code")),
    extensions(("x-role" = json!("owner"))),
    responses((status = 204), ChangeErrors)
)]
async fn revoke(State(api): State<Shelf>, Owner(caller): Owner, Id(code): Id<String>) -> Result<StatusCode, ApiError> {
    let mut change = api.write(&caller).await?;
    let found = invites::by_hash(change.tx(), &sign_in::secret_hash(&api, &code.into())).await?;
    let invite = found.filter(|invite| invite.tenant == caller.tenant && may_see(&caller, invite));
    let invite = invite.ok_or_else(|| ApiError::not_found("invite not found"))?;
    if invite.used.is_some() {
        return Err(ApiError::conflict("invite already consumed"));
    }
    invites::delete(change.tx(), caller.tenant, invite.id).await?;
    change.audit("delete", "invite", invite.id, (Some(&Audited::of(&invite)), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
