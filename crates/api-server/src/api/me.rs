//! What concerns whoever asks: who they are, their password, where they are signed in.

use axum::{Json, extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    http::ApiError,
    identity::Role,
    ids::{SessionId, TenantId},
    store::{
        config, links,
        sessions::{self, Session},
        tenants::{self, Tenant},
        users::{self, User},
    },
};

use super::{
    Api, Shelf,
    auth::{
        lockout::Attempt,
        sign_in::{self, Account},
    },
    body::{self, Id},
    caller::{Caller, Viewer},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
    time::Time,
    users::{UserView, display_name},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(get, update))
        .routes(routes!(change_password))
        .routes(routes!(list_sessions, end_other_sessions))
        .routes(routes!(end_session))
}

/// Whoever asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// As `PulseGuard`'s clients read it. Its `id` is the tenant that the request is about.
    tenant: Account,
    #[schema(example = "default")]
    tenant_name: String,
    user: UserView,
    /// What the request may do in the tenant: an API token may do less than its user.
    #[schema(value_type = String, example = "owner")]
    role: Role,
    platform_admin: bool,
    /// The tenants that a platform admin who is signed in can act for, with `X-Watchbell-Tenant`; empty for everybody
    /// else.
    tenants: Vec<TenantName>,
    /// To be sent as `X-CSRF-Token` with every change; absent for bearers, which need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// A tenant to act for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantName {
    #[schema(value_type = i64)]
    id: TenantId,
    name: String,
}

/// Who am I?
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "get_me", tag = "me", extensions(("x-role" = json!("any"))),
    responses((status = 200, body = Me), Common)
)]
async fn get(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Me>, ApiError> {
    let user = myself(&api, &caller).await?;
    let mut tx = api.read().await?;
    let tenant = tenants::get(&mut tx, caller.tenant).await?.ok_or_else(|| ApiError::not_found("not found"))?;
    let account = Account { id: caller.tenant.0, ..Account::of(&user) };
    let (role, platform_admin) = (caller.role, caller.platform_admin);
    let all = if platform_admin && caller.session().is_some() { tenants::list(&mut tx).await? } else { Vec::new() };
    let tenants = all.into_iter().filter(|tenant| !tenant.disabled);
    Ok(Json(Me {
        tenant: account,
        tenant_name: tenant.name,
        user: UserView::of(&user),
        role,
        platform_admin,
        tenants: tenants.map(|Tenant { id, name, .. }| TenantName { id, name }).collect(),
        csrf_token: caller.csrf,
    }))
}

async fn myself(api: &Api, caller: &Caller) -> Result<User, ApiError> {
    let mut tx = api.read().await?;
    users::get(&mut tx, caller.home, caller.user).await?.ok_or_else(|| ApiError::not_found("not found"))
}

/// What people may change of themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeUpdate {
    /// At most 100 characters.
    display_name: String,
}

/// Change my name
#[utoipa::path(
    put, path = "/api/v1/me", operation_id = "update_me", tag = "me", request_body = MeUpdate, extensions(("x-role" = json!("any"))),
    responses((status = 200, body = UserView), ChangeErrors)
)]
async fn update(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    body::Json(body): body::Json<MeUpdate>,
) -> Result<Json<UserView>, ApiError> {
    let display_name = display_name(&body.display_name)?;
    let caller = caller.at_home();
    let mut change = api.write(&caller).await?;
    config::lock(change.tx()).await?;
    let before = users::get(change.tx(), caller.home, caller.user).await?;
    let before = before.ok_or_else(|| ApiError::not_found("not found"))?;
    let user = User { display_name, ..before.clone() };
    users::put(change.tx(), &user, api.shared.clock.now_ms()).await?;
    let (before, after) = (UserView::of(&before), UserView::of(&user));
    change.audit("update", "user", user.id, (Some(&before), Some(&after))).await?;
    change.commit().await?;
    Ok(Json(after))
}

/// A change of one's own password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    /// At least 10 characters.
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

/// Change my password
///
/// Ends all other sessions, and links to choose a password. API tokens go on.
#[utoipa::path(
    post, path = "/api/v1/me/password", tag = "me", request_body = PasswordChange,
    extensions(("x-role" = json!("any"))),
    responses((status = 204), ChangeErrors)
)]
async fn change_password(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    body::Json(body): body::Json<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let caller = caller.at_home();
    let user = myself(&api, &caller).await?;
    let attempt = Attempt::begin(&api, Some(&user.email), caller.address).await?;
    let wrong = |error: ApiError| match error.status {
        // 401 would tell a browser that its session ended.
        StatusCode::UNAUTHORIZED => ApiError::forbidden("current_password: is wrong"),
        _ => error,
    };
    sign_in::check(&api, attempt, Some(&user), &body.current_password).await.map_err(wrong)?;
    let password = api.passwords.hash(&body.new_password).await?;
    let mut change = api.write(&caller).await?;
    config::lock(change.tx()).await?;
    let now = api.shared.clock.now_ms();
    users::set_password(change.tx(), user.tenant, user.id, &password, now).await?;
    sessions::end_all(change.tx(), user.tenant, user.id, caller.session()).await?;
    links::end_of_user(change.tx(), user.tenant, user.id).await?;
    change.audit::<()>("change_password", "user", user.id, (None, None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A browser or a script that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    #[schema(value_type = i64, example = 7)]
    id: SessionId,
    /// `browser` or `script`.
    #[schema(example = "browser")]
    kind: &'static str,
    /// Whether it is the one that asks.
    current: bool,
    /// Where it was begun.
    #[schema(example = "192.0.2.7")]
    address: String,
    /// The client's own name for itself.
    agent: String,
    created_at: Time,
    last_seen_at: Time,
    expires_at: Time,
}

impl SessionView {
    pub(super) fn of(session: Session, current: Option<SessionId>) -> Self {
        Self {
            id: session.id,
            kind: if session.browser { "browser" } else { "script" },
            current: current == Some(session.id),
            address: session.address,
            agent: session.agent,
            created_at: Time(session.created_at),
            last_seen_at: Time(session.last_seen_at),
            expires_at: Time(session.expires_at),
        }
    }
}

/// Where am I signed in?
#[utoipa::path(
    get, path = "/api/v1/me/sessions", operation_id = "list_own_sessions", tag = "me", extensions(("x-role" = json!("any"))),
    responses((status = 200, body = Items<SessionView>), Common)
)]
async fn list_sessions(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<SessionView>>, ApiError> {
    let mut tx = api.read().await?;
    let found = sessions::list(&mut tx, caller.home, caller.user, api.shared.clock.now_ms()).await?;
    let items = found.into_iter().map(|session| SessionView::of(session, caller.session())).collect();
    Ok(Json(Items { items }))
}

/// Sign out everywhere else
#[utoipa::path(
    delete, path = "/api/v1/me/sessions", tag = "me", extensions(("x-role" = json!("any"))),
    responses((status = 204), Common)
)]
async fn end_other_sessions(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<StatusCode, ApiError> {
    let caller = caller.at_home();
    let mut change = api.write(&caller).await?;
    sessions::end_all(change.tx(), caller.home, caller.user, caller.session()).await?;
    change.audit::<()>("end_sessions", "user", caller.user, (None, None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out one session
#[utoipa::path(
    delete, path = "/api/v1/me/sessions/{id}", tag = "me", params(("id" = i64, Path, description = "The session's id")),
    extensions(("x-role" = json!("any"))),
    responses((status = 204), ReadErrors)
)]
async fn end_session(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<i64>,
) -> Result<StatusCode, ApiError> {
    let caller = caller.at_home();
    let mut change = api.write(&caller).await?;
    sessions::end(change.tx(), caller.home, caller.user, SessionId(id)).await?;
    change.audit::<()>("end", "session", id, (None, None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
