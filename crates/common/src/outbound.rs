//! The one HTTP client for everything we call. `docs/decisions/0007-outbound.md` says what it guards.

use std::time::Duration;

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
pub use reqwest::{Client, Response};
use reqwest::{
    ClientBuilder, Proxy, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

use crate::clock::UnixMillis;

/// How long a connection may take to open: three SYNs (RFC 6298 §2: after 1 s, then 2 s) and some.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections kept open per host, so that a burst of deliveries does not open one each.
const IDLE_PER_HOST_MAX: usize = 64;

/// Shorter than the 60 to 75 s after which common servers and balancers drop an idle connection, so that
/// we rarely write into one that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client: rustls, no redirects, no proxy from the environment, pooled. Clones share the pool; make one per
/// process. Callers set the timeout of each request.
///
/// # Errors
/// Only when TLS cannot be set up at all. Without any certificates on this machine there is a client, which
/// reaches `http://` and trusts no `https://`.
pub fn client() -> anyhow::Result<Client> {
    build(ClientBuilder::no_proxy)
}

/// A client like [`client`] whose calls all go through a proxy: `http://`, `https://`, `socks5://`, or `socks5h://`,
/// which also looks names up. A user and password in the URL are given to the proxy.
///
/// # Errors
/// When this cannot be a proxy's URL (the text does not show it), or TLS cannot be set up.
pub fn client_through(proxy: &Url) -> anyhow::Result<Client> {
    let proxy = Proxy::all(proxy.clone()).map_err(|_| anyhow::anyhow!("this cannot be a proxy's URL"))?;
    build(|builder| builder.proxy(proxy.clone()))
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

#[cfg(test)]
mod tests {
    use axum::{Router, response::Redirect, routing::get};
    use tokio::{net::TcpListener, task::JoinSet};

    use super::*;

    async fn serve(router: Router) -> (String, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://user:hunter2@{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (base, tasks)
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let router = Router::new().route("/", get(|| async { Redirect::temporary("/elsewhere") }));
        let (base, _tasks) = serve(router).await;
        let response = client().unwrap().get(base).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 307);
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_cap() {
        let (base, _tasks) = serve(Router::new().route("/", get(|| async { "x".repeat(100_000) }))).await;
        let client = client().unwrap();
        let capped = read_capped(client.get(&base).send().await.unwrap(), 1_000).await.unwrap();
        assert_eq!((capped.0.len(), capped.1), (1_000, true));
        let whole = read_capped(client.get(&base).send().await.unwrap(), 100_000).await.unwrap();
        assert_eq!((whole.0.len(), whole.1), (100_000, false));
    }

    #[tokio::test]
    async fn an_explanation_has_the_cause_and_not_the_url() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let url = format!("http://user:hunter2@{taken}/?token=hunter3");
        let text = explain(client().unwrap().get(url).send().await.unwrap_err());
        assert!(text.contains("refused") && !text.contains("hunter") && !text.contains("token"), "{text}");
    }
}
