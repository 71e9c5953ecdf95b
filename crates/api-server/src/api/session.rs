//! The doors: signing in and out, registering with an invite, and the short tokens of scripts.

use axum::{Json, extract::State, http::StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::millis,
    http::ApiError,
    identity::{Role, tenant_name_from},
    ids::{SessionId, TenantId, UserId},
    store::{
        Connection, StoreError, audit,
        config::{self, Kind},
        invites,
        sessions::{self, Refresh},
        tenants,
        users::{self, User},
    },
};

use super::{
    Api, Shelf,
    auth::{
        cookies::{self, SetCookies},
        jwt,
        lockout::Attempt,
        new_secret, passwords,
        sign_in::{self, Client, SignedIn},
    },
    body,
    caller::{Caller, Viewer},
    errors::{ChangeErrors, Common},
    tenants::tenant_name,
    time::Time,
    users::{UserView, display_name},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(login)).routes(routes!(register)).routes(routes!(token)).routes(routes!(logout))
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    #[schema(example = "ops@example.org")]
    email: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// Ignored: one form may serve both doors.
    #[serde(default, rename = "invite_code")]
    _invite_code: Option<String>,
}

/// Sign in with a browser
///
/// Sets the session's cookie and a readable one with the CSRF token, which every change must repeat in `X-CSRF-Token`.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "sign-in", request_body = Login, security(()),
    extensions(("x-role" = json!("public"))),
    responses((status = 200, body = SignedIn), ChangeErrors)
)]
async fn login(
    State(api): State<Shelf>,
    client: Client,
    body::Json(body): body::Json<Login>,
) -> Result<(SetCookies, Json<SignedIn>), ApiError> {
    let user = sign_in::prove(&api, &body.email, &body.password, client.address).await?;
    let caller = Caller::of(&user, client.address);
    let mut change = api.write(&caller).await?;
    let (cookies, signed_in) = sign_in::browser(&api, change.tx(), &user, &client).await?;
    change.audit::<()>("sign_in", "user", user.id, (None, None)).await?;
    change.commit().await?;
    Ok((cookies, Json(signed_in)))
}

/// Who registers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    #[schema(example = "ops@example.org")]
    email: String,
    /// At least 10 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    #[schema(value_type = String)]
    invite_code: SecretString,
    #[serde(default)]
    display_name: String,
    /// The new tenant's name, where the invite makes one; made from the address when absent.
    #[serde(default)]
    tenant_name: Option<String>,
}

/// Register with an invite
///
/// The new user joins the invite's tenant or becomes the owner of a new one, and is signed in.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "sign-in", request_body = Register, security(()),
    extensions(("x-role" = json!("public"))),
    responses((status = 201, body = SignedIn), ChangeErrors)
)]
async fn register(
    State(api): State<Shelf>,
    client: Client,
    body::Json(body): body::Json<Register>,
) -> Result<(StatusCode, SetCookies, Json<SignedIn>), ApiError> {
    if body.email.trim().is_empty()
        || [&body.password, &body.invite_code].iter().any(|text| text.expose_secret().is_empty())
    {
        return Err(ApiError::validation("email/password/invite_code required"));
    }
    let (email, display_name) = (sign_in::email(&body.email)?, display_name(&body.display_name)?);
    passwords::check(&body.password)?;
    let attempt = Attempt::begin(&api, None, client.address).await?;
    let code = sign_in::secret_hash(&api, &body.invite_code);
    let Some((tenant, role)) = invited(&api, &code).await? else {
        attempt.failed(&api, None).await?;
        return Err(invalid_invite());
    };
    attempt.succeeded(&api).await?;
    let password = api.passwords.hash(&body.password).await?;
    let made = tenant.is_none();
    let tenant = match tenant {
        Some(tenant) => tenant,
        None => TenantId(api.next_id(Kind::Tenant).await?),
    };
    let id = UserId(api.next_id(Kind::User).await?);
    let now = api.shared.clock.now_ms();
    let (platform_admin, disabled) = (false, false);
    let user = User { id, tenant, email, display_name, password, role, platform_admin, disabled, created_at: now };
    let caller = Caller::of(&user, client.address);
    let mut change = if made { api.change(&caller).await? } else { api.write(&caller).await? };
    invites::consume(change.tx(), &code, id, now).await?.ok_or_else(invalid_invite)?;
    if made {
        let name = body.tenant_name.unwrap_or_else(|| tenant_name_from(&user.email, tenant));
        config::add_tenant(change.tx(), tenant, &tenant_name(&name)?, now).await?;
    }
    if users::by_email(change.tx(), &user.email).await?.is_some() {
        return Err(ApiError::conflict("email already registered"));
    }
    users::put(change.tx(), &user, now).await?;
    let (cookies, signed_in) = sign_in::browser(&api, change.tx(), &user, &client).await?;
    change.audit("register", "user", id, (None, Some(&UserView::of(&user)))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, cookies, Json(signed_in)))
}

fn invalid_invite() -> ApiError {
    ApiError::validation("invite code invalid")
}

/// The tenant to join (`None`: a new one) and the role in it, if the code can be used.
async fn invited(api: &Api, code: &str) -> Result<Option<(Option<TenantId>, Role)>, ApiError> {
    let now = api.shared.clock.now_ms();
    let mut tx = api.read().await?;
    let found = invites::by_hash(&mut tx, code).await?;
    let usable = found.filter(|invite| invite.used.is_none() && invite.expires_at.is_none_or(|end| end > now));
    let Some(invite) = usable else { return Ok(None) };
    let joined = match invite.for_tenant {
        None => return Ok(Some((None, invite.role))),
        Some(tenant) => tenants::get(&mut tx, tenant).await?,
    };
    Ok(joined.filter(|tenant| !tenant.disabled).map(|tenant| (Some(tenant.id), invite.role)))
}

/// What a script signs in with: address and password, or a refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    #[schema(example = "ops@example.org")]
    email: Option<String>,
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
    #[schema(value_type = Option<String>)]
    refresh_token: Option<SecretString>,
}

/// The tokens of a script.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: u64,
    /// Gives the next pair, once. Used a second time, it ends the session.
    refresh_token: String,
    refresh_expires_at: Time,
}

/// Sign in with a script
///
/// With `email` and `password`, or with the `refresh_token` of the answer before, which is then used up.
#[utoipa::path(
    post, path = "/api/v1/auth/token", tag = "sign-in", request_body = Grant, security(()),
    extensions(("x-role" = json!("public"))),
    responses((status = 200, body = Tokens), ChangeErrors)
)]
async fn token(
    State(api): State<Shelf>,
    client: Client,
    body::Json(body): body::Json<Grant>,
) -> Result<Json<Tokens>, ApiError> {
    match body {
        Grant { email: Some(email), password: Some(password), refresh_token: None } => {
            let user = sign_in::prove(&api, &email, &password, client.address).await?;
            let caller = Caller::of(&user, client.address);
            let mut change = api.write(&caller).await?;
            let end = api.shared.clock.now_ms() + millis(api.shared.settings.security.refresh_ttl);
            let session = sign_in::begin(&api, change.tx(), &user, &client, end, None).await?;
            let tokens = tokens(&api, change.tx(), session.id).await?;
            change.audit::<()>("sign_in", "user", user.id, (None, None)).await?;
            change.commit().await?;
            Ok(Json(tokens))
        }
        Grant { email: None, password: None, refresh_token: Some(token) } => refresh(&api, &client, &token).await,
        _ => Err(ApiError::validation("send either email and password, or refresh_token")),
    }
}

async fn refresh(api: &Api, client: &Client, token: &SecretString) -> Result<Json<Tokens>, ApiError> {
    let unknown = || ApiError::unauthorized("the refresh token is unknown, used or expired: sign in again");
    let now = api.shared.clock.now_ms();
    let mut tx = api.store()?.begin().await?;
    let found = sessions::refresh(&mut tx, &sign_in::secret_hash(api, token), now).await?;
    let session = match &found {
        Refresh::Fresh(session) | Refresh::Reused(session) => session,
        Refresh::Unknown => return Err(unknown()),
    };
    let user = users::active(&mut tx, session.tenant, session.user).await?.ok_or_else(unknown)?;
    if let Refresh::Reused(session) = &found {
        tracing::warn!(client.address = %client.address, "a refresh token was used twice: its session is ended");
        let caller = Caller::of(&user, client.address);
        audit::add(&mut tx, &caller.entry(now, "end_reused", "session", &session.id)).await?;
        tx.commit().await.map_err(StoreError::from)?;
        return Err(unknown());
    }
    let tokens = tokens(api, &mut tx, session.id).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Json(tokens))
}

/// The next pair of tokens of a session, whose end moves.
async fn tokens(api: &Api, tx: &mut Connection, session: SessionId) -> Result<Tokens, ApiError> {
    let expires_at = api.shared.clock.now_ms() + millis(api.shared.settings.security.refresh_ttl);
    sessions::extend(tx, session, expires_at).await?;
    let refresh = new_secret("wbr_");
    sessions::add_refresh(tx, session, &sign_in::secret_hash(api, &refresh)).await?;
    Ok(Tokens {
        access_token: jwt::issue(api, tx, session).await?,
        token_type: "Bearer",
        expires_in: jwt::TTL.as_secs(),
        refresh_token: refresh.expose_secret().to_owned(),
        refresh_expires_at: Time(expires_at),
    })
}

/// Sign out
///
/// Ends the session of the cookie or the token. An API token goes on: `DELETE /api/v1/tokens/{id}` ends it.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "sign-in", extensions(("x-role" = json!("any"))),
    responses((status = 204), Common)
)]
async fn logout(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<(StatusCode, SetCookies), ApiError> {
    if let Some(session) = caller.session() {
        let mut change = api.write(&caller).await?;
        sessions::end(change.tx(), caller.home, caller.user, session).await?;
        change.commit().await?;
    }
    Ok((StatusCode::NO_CONTENT, cookies::unset(api.shared.settings.http.cookie_secure)))
}
