//! The one HTTP client for everything we call. `docs/decisions/0007-outbound.md` says what it guards.
//!
//! What the operator configured may be anywhere; what a tenant configured passes a [`Guard`]: [`ranges`] says which
//! addresses are public, [`guard`] looks names up and lets the client connect to nothing else.

mod guard;
mod ranges;
#[cfg(test)]
mod tests;

use std::{error::Error as _, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
pub use reqwest::{Client, Response};
use reqwest::{
    ClientBuilder, IntoUrl, Method, Proxy, Request, RequestBuilder, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

pub use self::guard::{Guard, LookupError, Refused};
use crate::clock::UnixMillis;

/// How long a connection may take to open: three SYNs (RFC 6298 §2: after 1 s, then 2 s) and some.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections kept open per host, so that a burst of deliveries does not open one each.
const IDLE_PER_HOST_MAX: usize = 64;

/// Shorter than the 60 to 75 s after which common servers and balancers drop an idle connection, so that
/// we rarely write into one that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a call may take whose caller says nothing else.
const CALL_TIMEOUT: Duration = Duration::from_mins(2);

/// A client: rustls, no redirects, no proxy from the environment, pooled. Clones share the pool; make one per
/// process. Callers set the timeout of each request.
///
/// # Errors
/// Only when TLS cannot be set up at all. Without any certificates on this machine there is a client, which
/// reaches `http://` and trusts no `https://`.
pub fn client() -> anyhow::Result<Client> {
    build(ClientBuilder::no_proxy)
}

/// Makes calls: anywhere for the operator, past a [`Guard`] for tenants.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    guard: Option<Guard>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It was not made.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Without its URL, which may hold a secret.
    #[error(transparent)]
    Failed(reqwest::Error),
}

impl Http {
    /// For what the operator configured: it may be anywhere.
    ///
    /// # Errors
    /// As [`client`].
    pub fn open() -> anyhow::Result<Self> {
        Ok(Self { client: client()?, guard: None })
    }

    /// For what a tenant configured.
    ///
    /// # Errors
    /// As [`client`].
    pub fn guarded(guard: Guard) -> anyhow::Result<Self> {
        let resolver = Arc::new(guard.clone());
        let client = build(|builder| builder.no_proxy().timeout(CALL_TIMEOUT).dns_resolver(resolver.clone()))?;
        Ok(Self { client, guard: Some(guard) })
    }

    /// The same, with all calls going through a proxy: `http://`, `https://`, `socks5://`, or `socks5h://`, which
    /// also looks names up. A user and password in the URL are given to the proxy. For a tenant, the proxy is what is
    /// guarded: what it reaches is in its network, not in ours.
    ///
    /// # Errors
    /// When this cannot be a proxy's URL (the text does not show it), when it is an address that tenants may not
    /// call, or TLS cannot be set up.
    pub fn through(&self, proxy: &Url) -> anyhow::Result<Self> {
        if let Some(guard) = &self.guard {
            guard.check(proxy)?;
        }
        let proxy = Proxy::all(proxy.clone()).map_err(|_| anyhow::anyhow!("this cannot be a proxy's URL"))?;
        let client = build(|builder| match &self.guard {
            None => builder.proxy(proxy.clone()),
            Some(guard) => builder.proxy(proxy.clone()).timeout(CALL_TIMEOUT).dns_resolver(Arc::new(guard.clone())),
        })?;
        Ok(Self { client, guard: self.guard.clone() })
    }

    /// Begins a request; [`Http::send`] makes the call.
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Begins a POST; [`Http::send`] makes the call.
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Makes the call.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, CallError> {
        self.execute(request.build().map_err(failed)?).await
    }

    /// [`Http::send`] of a request that is built already.
    pub async fn execute(&self, request: Request) -> Result<Response, CallError> {
        if let Some(guard) = &self.guard {
            guard.check(request.url())?;
        }
        self.client.execute(request).await.map_err(failed)
    }

    /// The client, for a library that begins requests with it. Calls are made with [`Http::execute`].
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What guards it, if anything does.
    pub fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref()
    }

    /// Where to connect for a host that is not called by HTTP, best first: the host itself, or for a tenant the
    /// addresses that were checked.
    pub async fn hosts(&self, host: &str) -> Result<Vec<String>, LookupError> {
        match &self.guard {
            None => Ok(vec![host.to_owned()]),
            Some(guard) => Ok(guard.addresses(host).await?.iter().map(ToString::to_string).collect()),
        }
    }
}

/// A refusal that the resolver gave comes back wrapped in the client's own errors.
fn failed(error: reqwest::Error) -> CallError {
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    match causes.find_map(|cause| cause.downcast_ref::<Refused>()) {
        Some(refused) => CallError::Refused(refused.clone()),
        None => CallError::Failed(error.without_url()),
    }
}

fn build(route: impl Fn(ClientBuilder) -> ClientBuilder) -> anyhow::Result<Client> {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes a client")]
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("Watchbell/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .pool_idle_timeout(IDLE_TIMEOUT);
        route(builder)
    };
    builder().build().or_else(|error| {
        tracing::warn!("https destinations will be refused, for want of root certificates: {}", explain(error));
        builder().tls_certs_only([]).build().context("setting up TLS")
    })
}

/// The first `max` bytes of a response's body, and whether there was more.
pub async fn read_capped(mut response: Response, max: usize) -> Result<(Bytes, bool), reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        let room = max - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body.freeze(), true));
        }
    }
    Ok((body.freeze(), false))
}

/// Reads `Retry-After`: seconds or an HTTP date (RFC 9110 §10.2.3). A date that has passed means now.
pub fn retry_after(headers: &HeaderMap, now_ms: UnixMillis) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::from_millis(u64::try_from(at.as_millisecond() - now_ms).unwrap_or_default()))
}

/// What went wrong, with its causes and without the URL: a URL may hold a secret.
pub fn explain(error: reqwest::Error) -> String {
    let error = anyhow::Error::new(error.without_url());
    format!("{error:#}")
}
