//! The first user of an installation: from the settings, or from whoever has the link that the first start prints.

use anyhow::Context as _;
use axum::{Json, extract::State, http::StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::{UnixMillis, millis},
    http::ApiError,
    identity::Role,
    ids::{TenantId, UserId},
    passwords::PasswordHash,
    shared::Shared,
    store::{
        Store, StoreError,
        config::{self, Kind},
        links::{self, Link},
        users::{self, User},
    },
};

use super::{
    Shelf,
    auth::{
        cookies::SetCookies,
        lockout::Attempt,
        new_secret,
        passwords::{self, Passwords},
        sign_in::{self, Client, SignedIn},
    },
    body,
    caller::Caller,
    errors::{ChangeErrors, Common},
    users::{UserView, display_name},
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(state, set_up))
}

/// Whether the installation has its first user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupState {
    /// Whether `POST /api/v1/setup` is still to be done.
    needed: bool,
}

/// Is the installation set up?
#[utoipa::path(
    get, path = "/api/v1/setup", tag = "setup", security(()), extensions(("x-role" = json!("public"))),
    responses((status = 200, body = SetupState), Common)
)]
async fn state(State(api): State<Shelf>) -> Result<Json<SetupState>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(SetupState { needed: !users::any(&mut tx).await? }))
}

/// The first user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    /// What stands behind the `#` of the link that the first start printed.
    #[schema(value_type = String)]
    token: SecretString,
    #[schema(example = "ops@example.org")]
    email: String,
    /// At least 10 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    #[serde(default)]
    display_name: String,
}

/// Set up the installation
///
/// Makes the first user, a platform admin who owns the tenant `default`, and signs it in. Works once.
#[utoipa::path(
    post, path = "/api/v1/setup", tag = "setup", request_body = Setup, security(()),
    extensions(("x-role" = json!("public"))),
    responses((status = 201, body = SignedIn), ChangeErrors)
)]
async fn set_up(
    State(api): State<Shelf>,
    client: Client,
    body::Json(body): body::Json<Setup>,
) -> Result<(StatusCode, SetCookies, Json<SignedIn>), ApiError> {
    let (email, display_name) = (sign_in::email(&body.email)?, display_name(&body.display_name)?);
    passwords::check(&body.password)?;
    let attempt = Attempt::begin(&api, None, client.address).await?;
    let password = api.passwords.hash(&body.password).await?;
    let now = api.shared.clock.now_ms();
    let id = UserId(api.next_id(Kind::User).await?);
    let user = User { display_name, ..first_user(id, email, password, now) };
    let caller = Caller::of(&user, client.address);
    let mut change = api.write(&caller).await?;
    config::lock(change.tx()).await?;
    let link = links::consume(change.tx(), &sign_in::secret_hash(&api, &body.token), now).await?;
    if link != Some(Link::SetUp) {
        drop(change);
        attempt.failed(&api, None).await?;
        return Err(ApiError::validation("token: the link was used, has expired, or is not one"));
    }
    if users::any(change.tx()).await? {
        return Err(ApiError::conflict("the installation is set up: sign in"));
    }
    users::put(change.tx(), &user, now).await?;
    let (cookies, signed_in) = sign_in::browser(&api, change.tx(), &user, &client).await?;
    change.audit("set_up", "user", id, (None, Some(&UserView::of(&user)))).await?;
    change.commit().await?;
    attempt.succeeded(&api).await?;
    Ok((StatusCode::CREATED, cookies, Json(signed_in)))
}

fn first_user(id: UserId, email: String, password: PasswordHash, now: UnixMillis) -> User {
    let (tenant, role, platform_admin) = (TenantId::DEFAULT, Role::Owner, true);
    let (display_name, disabled) = (String::new(), false);
    User { id, tenant, email, display_name, password, role, platform_admin, disabled, created_at: now }
}

/// Makes the first user from the settings, or a link for whoever will be it: the token that belongs behind its `#`.
/// `None` when there is a user.
pub(crate) async fn prepare(shared: &Shared, store: &Store) -> anyhow::Result<Option<SecretString>> {
    let mut tx = store.begin_read().await?;
    if users::any(&mut tx).await? {
        return Ok(None);
    }
    drop(tx);
    let now = shared.clock.now_ms();
    let bootstrap = &shared.settings.bootstrap;
    if bootstrap.admin_email.is_empty() {
        let token = new_secret("wbl_");
        let hash = shared.vault.hash(token.expose_secret());
        let mut tx = store.begin().await?;
        links::add(&mut tx, Link::SetUp, &hash, now + millis(shared.settings.security.link_ttl)).await?;
        tx.commit().await.map_err(StoreError::from)?;
        return Ok(Some(token));
    }
    let refused = |error: ApiError| anyhow::anyhow!("{}", error.message);
    let email = sign_in::email(&bootstrap.admin_email).map_err(refused).context("bootstrap.admin_email")?;
    let password = Passwords::default().hash(&bootstrap.admin_password).await;
    let password = password.map_err(refused).context("bootstrap.admin_password")?;
    let mut tx = store.begin().await?;
    config::lock(&mut tx).await?;
    // Another process may have started at the same time.
    if !users::any(&mut tx).await? {
        let id = UserId(config::next_id(&mut tx, Kind::User).await?);
        users::put(&mut tx, &first_user(id, email.clone(), password, now), now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        tracing::info!("made the first user, {email}, from the settings");
    }
    Ok(None)
}
