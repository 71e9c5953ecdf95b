//! API tokens: what scripts send instead of signing in.

use axum::{Json, extract::State, http::StatusCode};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    http::ApiError,
    identity::Role,
    ids::{ApiTokenId, UserId},
    store::{
        api_tokens::{self, ApiToken},
        config::{self, Kind},
    },
};

use super::{
    Shelf,
    auth::{new_secret, sign_in},
    body::{self, Id},
    caller::{Caller, Viewer},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
    time::Time,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// Tokens of one user. Whoever needs more shares one.
const TOKENS_MAX: usize = 100;

/// A token, without what proves it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenView {
    #[schema(value_type = i64, example = 5)]
    id: ApiTokenId,
    /// Whose it is: it can do no more than its user, and ends with it.
    #[schema(value_type = i64, example = 3)]
    user_id: UserId,
    #[schema(example = "backup script")]
    name: String,
    /// The token's last characters.
    #[schema(example = "x7Qa")]
    last4: String,
    #[schema(value_type = String, example = "viewer")]
    role: Role,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// Written every few seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Time>,
}

impl TokenView {
    fn of(token: &ApiToken) -> Self {
        Self {
            id: token.id,
            user_id: token.user,
            name: token.name.clone(),
            last4: token.last4.clone(),
            role: token.role,
            created_at: Time(token.created_at),
            expires_at: token.expires_at.map(Time),
            last_used_at: token.last_used_at.map(Time),
        }
    }
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewToken {
    #[serde(flatten)]
    view: TokenView,
    /// Shown this once: only a hash is kept.
    #[schema(example = "wbt_…")]
    token: String,
}

/// The API tokens
///
/// One's own; an owner sees those of the whole tenant.
#[utoipa::path(
    get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "tokens", extensions(("x-role" = json!("any"))),
    responses((status = 200, body = Items<TokenView>), Common)
)]
async fn list(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Items<TokenView>>, ApiError> {
    let mut tx = api.read().await?;
    let tokens = api_tokens::list(&mut tx, caller.tenant).await?;
    let items = tokens.iter().filter(|token| may_see(&caller, token)).map(TokenView::of).collect();
    Ok(Json(Items { items }))
}

fn may_see(caller: &Caller, token: &ApiToken) -> bool {
    caller.role == Role::Owner || token.user == caller.user
}

/// What a new token may do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenCreate {
    /// 1 to 64 characters.
    #[schema(example = "backup script")]
    name: String,
    /// At most the caller's own.
    #[schema(value_type = String, example = "viewer")]
    role: Role,
    /// Seconds from now; absent: it does not expire.
    #[schema(minimum = 1, example = 31_536_000)]
    expires_in_s: Option<u32>,
}

/// Make an API token
///
/// It belongs to whoever makes it. One that is made with a token ends no later than that.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "create_token", tag = "tokens", request_body = TokenCreate, extensions(("x-role" = json!("any"))),
    responses((status = 201, body = NewToken), ChangeErrors)
)]
async fn create(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    body::Json(body): body::Json<TokenCreate>,
) -> Result<(StatusCode, Json<NewToken>), ApiError> {
    let name = body.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 64 || name.contains(char::is_control) {
        return Err(ApiError::validation("name: must have 1 to 64 characters"));
    }
    if body.expires_in_s == Some(0) {
        return Err(ApiError::validation("expires_in_s: must be at least 1"));
    }
    if body.role > caller.role {
        return Err(ApiError::forbidden(format!("role: yours is only {}", caller.role.as_str())));
    }
    if caller.tenant != caller.home {
        return Err(ApiError::validation("a token belongs to its user's tenant: leave out X-Watchbell-Tenant"));
    }
    let now = api.shared.clock.now_ms();
    let asked = body.expires_in_s.map(|seconds| now + i64::from(seconds) * 1000);
    let expires_at = asked.into_iter().chain(caller.expires_at).min();
    let secret = new_secret("wbt_");
    let text = secret.expose_secret().to_owned();
    let mut change = api.write(&caller).await?;
    let tokens = api_tokens::list(change.tx(), caller.tenant).await?;
    if tokens.iter().filter(|token| token.user == caller.user).count() >= TOKENS_MAX {
        return Err(ApiError::conflict(format!("you have {TOKENS_MAX} tokens already: revoke some first")));
    }
    let token = ApiToken {
        id: ApiTokenId(config::next_id(change.tx(), Kind::ApiToken).await?),
        tenant: caller.tenant,
        user: caller.user,
        name,
        last4: text[text.len() - 4..].to_owned(),
        role: body.role,
        created_at: now,
        expires_at,
        last_used_at: None,
    };
    api_tokens::add(change.tx(), &token, &sign_in::secret_hash(&api, &secret)).await?;
    let view = TokenView::of(&token);
    change.audit("create", "token", token.id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(NewToken { view, token: text })))
}

/// Revoke an API token
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", operation_id = "revoke_token", tag = "tokens", params(("id" = i64, Path, description = "The token's id")),
    extensions(("x-role" = json!("any"))),
    responses((status = 204), ReadErrors)
)]
async fn revoke(State(api): State<Shelf>, Viewer(caller): Viewer, Id(id): Id<i64>) -> Result<StatusCode, ApiError> {
    let mut change = api.write(&caller).await?;
    let tokens = api_tokens::list(change.tx(), caller.tenant).await?;
    let token = tokens.iter().find(|token| token.id.0 == id && may_see(&caller, token));
    let token = token.ok_or_else(|| ApiError::not_found("not found"))?;
    api_tokens::delete(change.tx(), caller.tenant, token.id).await?;
    change.audit("delete", "token", id, (Some(&TokenView::of(token)), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
