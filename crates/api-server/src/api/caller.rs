//! Who calls: what a request proves about its sender, and what each handler asks for.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use watchbell_common::{
    http::{ApiError, Peer, client_addr},
    identity::Role,
    ids::{TenantId, UserId},
    store::{api_tokens, users},
};

use super::{Api, Shelf};

/// Whoever a request comes from, once that is proved.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Whose things it is about.
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    /// As the audit log names whoever it was.
    pub(crate) actor: String,
    pub(crate) role: Role,
    /// Whether it may also do what concerns the whole installation.
    pub(crate) platform_admin: bool,
    pub(crate) address: IpAddr,
}

impl Caller {
    fn at_least(self, role: Role) -> Result<Self, ApiError> {
        if self.role >= role {
            return Ok(self);
        }
        Err(ApiError::forbidden(format!("this needs the role {}; yours is {}", role.as_str(), self.role.as_str())))
    }
}

/// The address a request comes from, behind the trusted proxies.
pub(crate) fn address(api: &Api, parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |Peer(peer)| peer.ip());
    client_addr(peer, &parts.headers, &api.shared.settings.http.trusted_proxies)
}

/// Finds out who sent a request.
///
/// # Errors
/// 401 when it does not say, or what it says is not valid (any more).
pub(crate) async fn authenticate(api: &Api, parts: &Parts) -> Result<Caller, ApiError> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.split_once(' ')).filter(|(way, _)| way.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = bearer else { return Err(ApiError::unauthorized("sign in, or send a bearer token")) };
    let invalid = || ApiError::unauthorized("the token is unknown, expired or revoked");
    let mut tx = api.read().await?;
    let found = api_tokens::by_hash(&mut tx, &api.shared.vault.hash(token.trim())).await?;
    let token = found.ok_or_else(invalid)?;
    if token.expires_at.is_some_and(|end| end <= api.shared.clock.now_ms()) {
        return Err(invalid());
    }
    let user =
        users::get(&mut tx, token.tenant, token.user).await?.filter(|user| !user.disabled).ok_or_else(invalid)?;
    Ok(Caller {
        tenant: token.tenant,
        user: user.id,
        actor: format!("{} (token {})", user.email, token.name),
        role: token.role.min(user.role),
        platform_admin: user.platform_admin && token.role == Role::Owner,
        address: address(api, parts),
    })
}

/// Extractors that let in who may, written once.
macro_rules! admits {
    ($($(#[$doc:meta])* $name:ident($check:expr);)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) Caller);

        impl FromRequestParts<Shelf> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, api: &Shelf) -> Result<Self, ApiError> {
                let check: fn(Caller) -> Result<Caller, ApiError> = $check;
                check(authenticate(api, parts).await?).map(Self)
            }
        }
    )+};
}

admits! {
    /// Anybody of the tenant.
    Viewer(|caller| caller.at_least(Role::Viewer));
    /// Whoever may change what alerts meet.
    Editor(|caller| caller.at_least(Role::Editor));
    /// Whoever decides who belongs to the tenant.
    Owner(|caller| caller.at_least(Role::Owner));
    /// Whoever runs the installation.
    PlatformAdmin(|caller| {
        if caller.platform_admin { Ok(caller) } else { Err(ApiError::forbidden("admin only")) }
    });
}
