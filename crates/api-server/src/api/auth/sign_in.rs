//! Signing in: who knows a password, and the session that begins then.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use secrecy::SecretString;
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;
use watchbell_common::{
    clock::{UnixMillis, millis},
    http::ApiError,
    ids::SessionId,
    store::{
        Connection, StoreError,
        config::{self, Kind},
        sessions::{self, Session},
        users::{self, User},
    },
};

use super::{
    cookies::{self, SetCookies},
    lockout::Attempt,
    new_secret,
};
use crate::api::{Api, Shelf, caller, time::Time};

/// The longest name of a client that is kept.
const AGENT_MAX: usize = 200;

/// The other end of a request that proves nothing yet.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    pub(crate) agent: String,
}

impl FromRequestParts<Shelf> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Shelf) -> Result<Self, ApiError> {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // Another site must not sign somebody's browser in as somebody else.
        if text("sec-fetch-site") == "cross-site" {
            return Err(ApiError::forbidden("this cannot be asked from another site's page"));
        }
        let agent = text(header::USER_AGENT.as_str()).chars().take(AGENT_MAX).collect();
        Ok(Self { address: caller::address(api, parts), agent })
    }
}

/// Who signed in, as `PulseGuard`'s clients read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    /// The tenant's.
    #[schema(example = 1)]
    pub(crate) id: i64,
    #[schema(example = "ops@example.org")]
    pub(crate) email: String,
    /// `admin` for those who run the installation, `user` for all others; `GET /api/v1/me` has the role in the tenant.
    #[schema(example = "admin")]
    pub(crate) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
}

impl Account {
    pub(crate) fn of(user: &User) -> Self {
        Self {
            id: user.tenant.0,
            email: user.email.clone(),
            role: if user.platform_admin { "admin" } else { "user" },
            display_name: Some(user.display_name.clone()).filter(|name| !name.is_empty()),
        }
    }
}

/// A browser that is signed in; the cookies come along.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    pub(crate) tenant: Account,
    /// RFC 3339.
    pub(crate) session_expires_at: Time,
}

/// An e-mail address as accounts are known by.
///
/// # Errors
/// 400 when it cannot be one.
pub(crate) fn email(text: &str) -> Result<String, ApiError> {
    let email = text.trim().to_lowercase();
    let plausible = |(user, host): (&str, &str)| !user.is_empty() && !host.is_empty();
    let strange = |c: char| c.is_whitespace() || c.is_control();
    if email.len() > 254 || email.contains(strange) || !email.rsplit_once('@').is_some_and(plausible) {
        return Err(ApiError::validation("email: is not an e-mail address"));
    }
    Ok(email)
}

/// The user with this address and password.
///
/// # Errors
/// 401 whatever is wrong, after as much time; 429 when there were too many of them; 400 for what no account has.
pub(crate) async fn prove(api: &Api, account: &str, password: &SecretString, from: IpAddr) -> Result<User, ApiError> {
    let account = account.trim().to_lowercase();
    if account.contains(char::is_control) {
        return Err(ApiError::validation("email: is not an e-mail address"));
    }
    let attempt = Attempt::begin(api, Some(&account), from).await?;
    let (known, active) = match find(api, &account).await {
        Ok(found) => found,
        Err(error) => {
            attempt.take_back(api).await?;
            return Err(error);
        }
    };
    check(api, attempt, known.as_ref(), password).await?;
    let user = active.ok_or_else(wrong)?;
    if user.password.needs_upgrade() {
        // It is no reason not to let somebody in; the next time will do.
        if let Err(error) = upgrade(api, &user, password).await {
            tracing::warn!(user.id = %user.id, "the hash of a password could not be replaced: {error:?}");
        }
    }
    Ok(user)
}

/// Replaces a hash that was made another way or is weak by today's measure. Only now the password is known.
async fn upgrade(api: &Api, user: &User, password: &SecretString) -> Result<(), ApiError> {
    let hash = api.passwords.rehash(password).await?;
    let mut tx = api.store()?.begin().await?;
    users::rehash(&mut tx, user, &hash).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Whether it is the password of a user whose attempt was begun; a user that is not known has none.
///
/// # Errors
/// 401 when it is not.
pub(crate) async fn check(
    api: &Api,
    attempt: Attempt,
    user: Option<&User>,
    password: &SecretString,
) -> Result<(), ApiError> {
    match api.passwords.verify(user.map(|user| &user.password), password).await {
        Ok(true) => attempt.succeeded(api).await,
        Ok(false) => {
            attempt.failed(api, user).await?;
            Err(wrong())
        }
        Err(error) => {
            attempt.take_back(api).await?;
            Err(error)
        }
    }
}

fn wrong() -> ApiError {
    ApiError::unauthorized("invalid credentials")
}

/// The user of that address, and the same if it may sign in.
async fn find(api: &Api, account: &str) -> Result<(Option<User>, Option<User>), ApiError> {
    let mut tx = api.read().await?;
    let Some(known) = users::by_email(&mut tx, account).await? else { return Ok((None, None)) };
    let active = users::active(&mut tx, known.tenant, known.id).await?;
    Ok((Some(known), active))
}

/// Begins a session of a browser.
pub(crate) async fn browser(
    api: &Api,
    tx: &mut Connection,
    user: &User,
    client: &Client,
) -> Result<(SetCookies, SignedIn), ApiError> {
    let settings = &api.shared.settings;
    let ttl = settings.security.session_ttl;
    let secret = new_secret("");
    let hash = secret_hash(api, &secret);
    let session = begin(api, tx, user, client, api.shared.clock.now_ms() + millis(ttl), Some(&hash)).await?;
    let cookies = cookies::set(&api.shared.vault, &secret, settings.http.cookie_secure, ttl);
    let signed_in = SignedIn { tenant: Account::of(user), session_expires_at: Time(session.expires_at) };
    Ok((cookies, signed_in))
}

/// How the secret of a session, or a refresh token, is found in the store.
pub(crate) fn secret_hash(api: &Api, secret: &SecretString) -> String {
    api.shared.vault.hash(secrecy::ExposeSecret::expose_secret(secret))
}

/// Begins a session; `secret` is the hash of a browser's secret.
pub(crate) async fn begin(
    api: &Api,
    tx: &mut Connection,
    user: &User,
    client: &Client,
    expires_at: UnixMillis,
    secret: Option<&str>,
) -> Result<Session, ApiError> {
    let now = api.shared.clock.now_ms();
    let session = Session {
        id: SessionId(config::next_id(tx, Kind::Session).await?),
        tenant: user.tenant,
        user: user.id,
        browser: secret.is_some(),
        created_at: now,
        last_seen_at: now,
        expires_at,
        address: client.address.to_string(),
        agent: client.agent.clone(),
    };
    sessions::add(tx, &session, secret).await?;
    Ok(session)
}
