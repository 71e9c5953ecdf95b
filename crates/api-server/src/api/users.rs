//! The users of a tenant: what each may do, and whether they may at all.

use std::net::IpAddr;

use axum::{Json, extract::State, http::StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    clock::{UnixMillis, millis},
    http::ApiError,
    identity::Role,
    ids::UserId,
    shared::Shared,
    store::{
        Connection, Store, StoreError, audit, config, invites,
        links::{self, Link},
        sessions,
        users::{self, User},
    },
};

use super::{
    Shelf,
    auth::{
        lockout::Attempt,
        new_secret, passwords,
        sign_in::{self, Client},
    },
    body::{self, Id},
    caller::{Caller, Owner},
    errors::{ChangeErrors, Common, ReadErrors},
    me::SessionView,
    paging::Items,
    time::Time,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, update, remove))
        .routes(routes!(list_sessions, end_sessions))
        .routes(routes!(offer_reset))
        .routes(routes!(reset))
}

/// The longest name of a person, in characters.
const NAME_MAX: usize = 100;

/// Somebody who signs in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UserView {
    #[schema(value_type = i64, example = 3)]
    id: UserId,
    #[schema(example = "ops@example.org")]
    email: String,
    display_name: String,
    #[schema(value_type = String, example = "editor")]
    role: Role,
    /// Runs the installation: may act for every tenant.
    platform_admin: bool,
    disabled: bool,
    created_at: Time,
}

impl UserView {
    pub(super) fn of(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            display_name: user.display_name.clone(),
            role: user.role,
            platform_admin: user.platform_admin,
            disabled: user.disabled,
            created_at: Time(user.created_at),
        }
    }
}

/// A name as it may be shown; may be empty.
pub(super) fn display_name(text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    if name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        return Err(ApiError::validation(format!("display_name: must have at most {NAME_MAX} characters")));
    }
    Ok(name.to_owned())
}

/// The users
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "list_users", tag = "users", extensions(("x-role" = json!("owner"))),
    responses((status = 200, body = Items<UserView>), Common)
)]
async fn list(State(api): State<Shelf>, Owner(caller): Owner) -> Result<Json<Items<UserView>>, ApiError> {
    let mut tx = api.read().await?;
    let items = users::list(&mut tx, caller.tenant).await?.iter().map(UserView::of).collect();
    Ok(Json(Items { items }))
}

async fn find(tx: &mut Connection, caller: &Caller, id: i64) -> Result<User, ApiError> {
    users::get(tx, caller.tenant, UserId(id)).await?.ok_or_else(|| ApiError::not_found("not found"))
}

/// One user
#[utoipa::path(
    get, path = "/api/v1/users/{id}", operation_id = "get_user", tag = "users", params(("id" = i64, Path, description = "The user's id")),
    extensions(("x-role" = json!("owner"))),
    responses((status = 200, body = UserView), ReadErrors)
)]
async fn get(State(api): State<Shelf>, Owner(caller): Owner, Id(id): Id<i64>) -> Result<Json<UserView>, ApiError> {
    let mut tx = api.read().await?;
    Ok(Json(UserView::of(&find(&mut tx, &caller, id).await?)))
}

/// What is to change of a user; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserUpdate {
    #[schema(value_type = Option<String>, example = "viewer")]
    role: Option<Role>,
    display_name: Option<String>,
    /// A disabled user is signed out and cannot sign in; API tokens of theirs do not work meanwhile.
    disabled: Option<bool>,
    /// Only platform admins change it.
    platform_admin: Option<bool>,
}

/// Change a user
///
/// A tenant keeps at least one owner, and the installation one platform admin, who are not disabled.
#[utoipa::path(
    put, path = "/api/v1/users/{id}", operation_id = "update_user", tag = "users", params(("id" = i64, Path, description = "The user's id")),
    request_body = UserUpdate, extensions(("x-role" = json!("owner"))),
    responses((status = 200, body = UserView), ChangeErrors)
)]
async fn update(
    State(api): State<Shelf>,
    Owner(caller): Owner,
    Id(id): Id<i64>,
    body::Json(body): body::Json<UserUpdate>,
) -> Result<Json<UserView>, ApiError> {
    if body.platform_admin.is_some() && !caller.platform_admin {
        return Err(ApiError::forbidden("platform_admin: admin only"));
    }
    let mut change = api.write(&caller).await?;
    config::lock(change.tx()).await?;
    let before = find(change.tx(), &caller, id).await?;
    let user = User {
        role: body.role.unwrap_or(before.role),
        display_name: body
            .display_name
            .as_deref()
            .map(display_name)
            .transpose()?
            .unwrap_or(before.display_name.clone()),
        disabled: body.disabled.unwrap_or(before.disabled),
        platform_admin: body.platform_admin.unwrap_or(before.platform_admin),
        ..before.clone()
    };
    may_change(&caller, &before)?;
    keeps_somebody(change.tx(), &before, Some(&user)).await?;
    users::put(change.tx(), &user, api.shared.clock.now_ms()).await?;
    if user.disabled {
        sessions::end_all(change.tx(), user.tenant, user.id, None).await?;
    }
    let (before, after) = (UserView::of(&before), UserView::of(&user));
    change.audit("update", "user", id, (Some(&before), Some(&after))).await?;
    change.commit().await?;
    Ok(Json(after))
}

/// Whoever runs the installation is not in the hands of a tenant's owners, though a user of that tenant.
fn may_change(caller: &Caller, user: &User) -> Result<(), ApiError> {
    if user.platform_admin && !caller.platform_admin {
        return Err(ApiError::forbidden("this user is a platform admin: admin only"));
    }
    Ok(())
}

/// Whether somebody can still decide after a change, or a removal. The configuration must be locked: two owners who
/// remove each other at once would each see the other.
async fn keeps_somebody(tx: &mut Connection, before: &User, after: Option<&User>) -> Result<(), ApiError> {
    let after = after.filter(|user| !user.disabled);
    let decides = |user: &User| user.role == Role::Owner && !user.disabled;
    if decides(before) && !after.is_some_and(decides) {
        let users = users::list(tx, before.tenant).await?;
        if !users.iter().any(|user| user.id != before.id && decides(user)) {
            return Err(ApiError::conflict("this is the last owner of the tenant: make somebody else an owner first"));
        }
    }
    let runs = before.platform_admin && !before.disabled;
    if runs && !after.is_some_and(|user| user.platform_admin) && !users::another_admin(tx, before.id).await? {
        return Err(ApiError::conflict("this is the last platform admin: make somebody else one first"));
    }
    Ok(())
}

/// Remove a user
///
/// With sessions, API tokens and invites that were not used. What they did stays in the audit log.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}", tag = "users", params(("id" = i64, Path, description = "The user's id")),
    extensions(("x-role" = json!("owner"))),
    responses((status = 204), ChangeErrors)
)]
async fn remove(State(api): State<Shelf>, Owner(caller): Owner, Id(id): Id<i64>) -> Result<StatusCode, ApiError> {
    let mut change = api.write(&caller).await?;
    config::lock(change.tx()).await?;
    let user = find(change.tx(), &caller, id).await?;
    may_change(&caller, &user)?;
    keeps_somebody(change.tx(), &user, None).await?;
    invites::delete_of(change.tx(), user.id).await?;
    users::delete(change.tx(), user.tenant, user.id).await?;
    change.audit("delete", "user", id, (Some(&UserView::of(&user)), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a user is signed in
#[utoipa::path(
    get, path = "/api/v1/users/{id}/sessions", operation_id = "list_user_sessions", tag = "users", params(("id" = i64, Path, description = "The user's id")),
    extensions(("x-role" = json!("owner"))),
    responses((status = 200, body = Items<SessionView>), ReadErrors)
)]
async fn list_sessions(
    State(api): State<Shelf>,
    Owner(caller): Owner,
    Id(id): Id<i64>,
) -> Result<Json<Items<SessionView>>, ApiError> {
    let mut tx = api.read().await?;
    let user = find(&mut tx, &caller, id).await?;
    let found = sessions::list(&mut tx, user.tenant, user.id, api.shared.clock.now_ms()).await?;
    let items = found.into_iter().map(|session| SessionView::of(session, caller.session())).collect();
    Ok(Json(Items { items }))
}

/// Sign a user out everywhere
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/sessions", tag = "users",
    params(("id" = i64, Path, description = "The user's id")), extensions(("x-role" = json!("owner"))),
    responses((status = 204), ReadErrors)
)]
async fn end_sessions(State(api): State<Shelf>, Owner(caller): Owner, Id(id): Id<i64>) -> Result<StatusCode, ApiError> {
    let mut change = api.write(&caller).await?;
    let user = find(change.tx(), &caller, id).await?;
    may_change(&caller, &user)?;
    sessions::end_all(change.tx(), user.tenant, user.id, None).await?;
    change.audit::<()>("end_sessions", "user", id, (None, None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link with which a user chooses a new password, once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResetLink {
    /// To be handed to the user. Absent when `http.public_url` is not set: then put it together from the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://watchbell.example.org/reset#wbl_…")]
    link: Option<String>,
    #[schema(example = "wbl_…")]
    token: String,
    expires_at: Time,
}

/// Let a user choose a new password
///
/// Makes a link that works once. The present password and sessions stay until it is used; earlier links end.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/reset-password", tag = "users",
    params(("id" = i64, Path, description = "The user's id")), extensions(("x-role" = json!("owner"))),
    responses((status = 201, body = ResetLink), ReadErrors)
)]
async fn offer_reset(
    State(api): State<Shelf>,
    Owner(caller): Owner,
    Id(id): Id<i64>,
) -> Result<(StatusCode, Json<ResetLink>), ApiError> {
    let mut change = api.write(&caller).await?;
    let user = find(change.tx(), &caller, id).await?;
    may_change(&caller, &user)?;
    let (token, expires_at) = new_link(&api.shared, change.tx(), &user).await?;
    change.audit::<()>("offer_reset", "user", id, (None, None)).await?;
    change.commit().await?;
    let public = api.shared.settings.http.public_url.as_deref();
    let link = public.map(|base| reset_page(base, &token));
    let token = token.expose_secret().to_owned();
    Ok((StatusCode::CREATED, Json(ResetLink { link, token, expires_at: Time(expires_at) })))
}

/// Makes the token of a link for a user, and says when it ends. Earlier ones end now.
async fn new_link(shared: &Shared, tx: &mut Connection, user: &User) -> Result<(SecretString, UnixMillis), StoreError> {
    let token = new_secret("wbl_");
    let expires_at = shared.clock.now_ms() + millis(shared.settings.security.link_ttl);
    let hash = shared.vault.hash(token.expose_secret());
    links::end_of_user(tx, user.tenant, user.id).await?;
    links::add(tx, Link::Reset(user.tenant, user.id), &hash, expires_at).await?;
    Ok((token, expires_at))
}

/// The page of the dashboard that takes a token. It stands behind `#`, where it reaches no server and so no log.
fn reset_page(base: &str, token: &SecretString) -> String {
    format!("{}/reset#{}", base.trim_end_matches('/'), token.expose_secret())
}

/// Makes a link for the user of that address on behalf of whoever runs the machine; `base` is where people reach
/// the dashboard. `None`: there is no such user.
pub(crate) async fn reset_link(
    shared: &Shared,
    store: &Store,
    email: &str,
    base: &str,
) -> Result<Option<String>, StoreError> {
    let mut tx = store.begin().await?;
    let Some(user) = users::by_email(&mut tx, &email.trim().to_lowercase()).await? else { return Ok(None) };
    let (token, _) = new_link(shared, &mut tx, &user).await?;
    let by = Caller { actor: "the command line".to_owned(), ..Caller::of(&user, IpAddr::from([127, 0, 0, 1])) };
    let entry = by.entry(shared.clock.now_ms(), "offer_reset", "user", &user.id);
    audit::add(&mut tx, &audit::Entry { user: None, ..entry }).await?;
    tx.commit().await?;
    Ok(Some(reset_page(base, &token)))
}

/// A new password for whoever has the link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    /// What stands behind the `#` of the link.
    #[schema(value_type = String)]
    token: SecretString,
    /// At least 10 characters.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// Choose a new password with a link
///
/// Ends the user's sessions. Signing in is the next step.
#[utoipa::path(
    post, path = "/api/v1/auth/reset-password", tag = "sign-in", request_body = Reset, security(()),
    extensions(("x-role" = json!("public"))),
    responses((status = 204), ChangeErrors)
)]
async fn reset(
    State(api): State<Shelf>,
    client: Client,
    body::Json(body): body::Json<Reset>,
) -> Result<StatusCode, ApiError> {
    let now = api.shared.clock.now_ms();
    passwords::check(&body.password)?;
    let attempt = Attempt::begin(&api, None, client.address).await?;
    let password = api.passwords.hash(&body.password).await?;
    let mut tx = api.store()?.begin().await?;
    config::lock(&mut tx).await?;
    let link = links::consume(&mut tx, &sign_in::secret_hash(&api, &body.token), now).await?;
    let user = match link {
        Some(Link::Reset(tenant, user)) => users::get(&mut tx, tenant, user).await?,
        Some(Link::SetUp) | None => None,
    };
    let Some(user) = user else {
        drop(tx);
        attempt.failed(&api, None).await?;
        return Err(ApiError::validation("token: the link was used, has expired, or is not one"));
    };
    users::set_password(&mut tx, user.tenant, user.id, &password, now).await?;
    sessions::end_all(&mut tx, user.tenant, user.id, None).await?;
    let caller = Caller::of(&user, client.address);
    audit::add(&mut tx, &caller.entry(now, "reset_password", "user", &user.id)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    attempt.succeeded(&api).await?;
    Ok(StatusCode::NO_CONTENT)
}
