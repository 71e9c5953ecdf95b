//! Who calls: what a request proves about its sender, and what each handler asks for.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use watchbell_common::{
    clock::{DAY_MS, UnixMillis},
    http::{ApiError, Peer, client_addr},
    identity::Role,
    ids::{AuditId, SessionId, TenantId, UserId},
    store::{
        Connection, api_tokens, audit,
        sessions::{self, Session},
        tenants,
        users::{self, User},
    },
};

use super::{
    Api, Shelf,
    auth::{cookies, jwt, sign_in},
};
pub(crate) use crate::seen::Credential;

/// Whoever a request comes from, once that is proved.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Whose things it is about.
    pub(crate) tenant: TenantId,
    /// Where the user belongs: another tenant only when a platform admin acts for it.
    pub(crate) home: TenantId,
    pub(crate) user: UserId,
    /// As the audit log names whoever it was.
    pub(crate) actor: String,
    pub(crate) role: Role,
    /// Whether it may also do what concerns the whole installation.
    pub(crate) platform_admin: bool,
    pub(crate) address: IpAddr,
    /// What it proved itself with; nothing yet at the doors where sessions begin.
    pub(crate) credential: Option<Credential>,
    /// What a browser repeats with each change.
    pub(crate) csrf: Option<String>,
    /// When a token ends that has an end.
    pub(crate) expires_at: Option<UnixMillis>,
}

impl Caller {
    /// A user who proved to be it at this request's door.
    pub(crate) fn of(user: &User, address: IpAddr) -> Self {
        Self {
            tenant: user.tenant,
            home: user.tenant,
            user: user.id,
            actor: user.email.clone(),
            role: user.role,
            platform_admin: user.platform_admin,
            address,
            credential: None,
            csrf: None,
            expires_at: None,
        }
    }

    /// The session it came with, if it came with one.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.credential {
            Some(Credential::Session(id)) => Some(id),
            Some(Credential::Token(_)) | None => None,
        }
    }

    /// The same where it concerns only the user itself, whatever tenant it acts for.
    pub(crate) fn at_home(self) -> Self {
        Self { tenant: self.home, ..self }
    }

    /// An entry of the audit log on what it does.
    pub(crate) fn entry(&self, at: UnixMillis, action: &str, kind: &str, item: &impl ToString) -> audit::Entry {
        audit::Entry {
            id: AuditId::at(at),
            tenant: self.tenant,
            at,
            user: Some(self.user),
            actor: self.actor.clone(),
            address: self.address.to_string(),
            action: action.to_owned(),
            kind: kind.to_owned(),
            item: item.to_string(),
            before: None,
            after: None,
        }
    }

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

/// What a request came with, once it was found in the store.
struct Proof {
    tenant: TenantId,
    user: UserId,
    credential: Credential,
    csrf: Option<String>,
    /// The name, the greatest role and the end of an API token.
    token: Option<(String, Role, Option<UnixMillis>)>,
}

/// Finds out who sent a request.
///
/// # Errors
/// 401 when it does not say, or what it says is not valid (any more); 403 for a change that another site may have
/// caused, and for acting for a tenant without being allowed to.
pub(crate) async fn authenticate(api: &Api, parts: &Parts) -> Result<Caller, ApiError> {
    let mut tx = api.read().await?;
    let proof = prove(api, &mut tx, parts).await?;
    let user = users::active(&mut tx, proof.tenant, proof.user).await?.ok_or_else(ended)?;
    drop(tx);
    if let Some(csrf) = &proof.csrf
        && !parts.method.is_safe()
    {
        cookies::check_csrf(&parts.headers, csrf)?;
    }
    api.seen(proof.credential);
    let mut caller =
        Caller { credential: Some(proof.credential), csrf: proof.csrf, ..Caller::of(&user, address(api, parts)) };
    if let Some((name, role, expires_at)) = proof.token {
        caller.actor = format!("{} (token {name})", user.email);
        caller.role = role.min(user.role);
        caller.platform_admin = user.platform_admin && role == Role::Owner;
        caller.expires_at = expires_at;
    }
    act_for(api, caller, parts).await
}

/// Whether what a caller proved is still so: to be asked now and then by whoever answers for long.
pub(crate) async fn still_valid(api: &Api, caller: &Caller) -> Result<bool, ApiError> {
    let now = api.shared.clock.now_ms();
    let mut tx = api.read().await?;
    let lives = match caller.credential {
        Some(Credential::Session(id)) => sessions::by_id(&mut tx, id, now).await?.is_some(),
        Some(Credential::Token(id)) => api_tokens::by_id(&mut tx, id).await?.is_some_and(|token| token.lives(now)),
        None => false,
    };
    let user = users::active(&mut tx, caller.home, caller.user).await?;
    Ok(lives && user.is_some_and(|user| caller.tenant == caller.home || user.platform_admin))
}

fn ended() -> ApiError {
    ApiError::unauthorized("the session or token is unknown, expired or revoked")
}

async fn prove(api: &Api, tx: &mut Connection, parts: &Parts) -> Result<Proof, ApiError> {
    let now = api.shared.clock.now_ms();
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.split_once(' ')).filter(|(way, _)| way.eq_ignore_ascii_case("bearer"));
    if let Some((_, token)) = bearer {
        return bearer_proof(api, tx, token.trim(), now).await?.ok_or_else(ended);
    }
    let secret = cookies::secret(&parts.headers, api.shared.settings.http.cookie_secure);
    let secret = secret.ok_or_else(|| ApiError::unauthorized("sign in, or send a bearer token"))?;
    let session = sessions::by_secret(tx, &sign_in::secret_hash(api, &secret), now).await?.ok_or_else(ended)?;
    let csrf = Some(cookies::csrf_token(&api.shared.vault, &secret));
    Ok(Proof { csrf, ..of_session(&session) })
}

fn of_session(session: &Session) -> Proof {
    let credential = Credential::Session(session.id);
    Proof { tenant: session.tenant, user: session.user, credential, csrf: None, token: None }
}

async fn bearer_proof(api: &Api, tx: &mut Connection, token: &str, now: UnixMillis) -> Result<Option<Proof>, ApiError> {
    // A JWT has dots, and an API token never has.
    if token.contains('.') {
        let Some(id) = jwt::verify(api, tx, token).await? else { return Ok(None) };
        return Ok(sessions::by_id(tx, id, now).await?.as_ref().map(of_session));
    }
    let found = api_tokens::by_hash(tx, &api.shared.vault.hash(token)).await?;
    Ok(found.filter(|token| token.lives(now)).map(|token| Proof {
        tenant: token.tenant,
        user: token.user,
        credential: Credential::Token(token.id),
        csrf: None,
        token: Some((token.name, token.role, token.expires_at)),
    }))
}

/// Names the tenant that a platform admin acts for.
const ACTS_FOR: &str = "x-watchbell-tenant";

/// Lets a platform admin act for the tenant that the request names, and tells that tenant's owners, once a day.
async fn act_for(api: &Api, caller: Caller, parts: &Parts) -> Result<Caller, ApiError> {
    let Some(named) = parts.headers.get(ACTS_FOR) else { return Ok(caller) };
    let named = named.to_str().ok().and_then(|text| text.trim().parse().ok()).map(TenantId);
    let named = named.ok_or_else(|| ApiError::validation("X-Watchbell-Tenant: must be a tenant's id"))?;
    if named == caller.home {
        return Ok(caller);
    }
    if !caller.platform_admin {
        return Err(ApiError::forbidden("X-Watchbell-Tenant: admin only"));
    }
    let mut tx = api.read().await?;
    let tenant = tenants::get(&mut tx, named).await?.ok_or_else(|| ApiError::not_found("not found"))?;
    drop(tx);
    let actor = format!("{} (platform admin)", caller.actor);
    let caller = Caller { tenant: tenant.id, role: Role::Owner, actor, ..caller };
    let today = api.shared.clock.now_ms() / DAY_MS;
    if !api.visits.known(today, caller.user, tenant.id) {
        let mut change = api.write(&caller).await?;
        change.audit::<()>("act_for", "tenant", tenant.id, (None, None)).await?;
        change.commit().await?;
        api.visits.note(today, caller.user, tenant.id);
    }
    Ok(caller)
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
