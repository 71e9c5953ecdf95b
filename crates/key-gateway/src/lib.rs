//! The key gateway: a streaming reverse proxy that binds each model key to the address that first used it.
//!
//! Reading order: [`connection`] (one connection, request after request), [`framing`] and [`wire`] (what arrives, read
//! strictly), [`guard`] (may this request pass?), [`upstream`] (how it is
//! passed on), [`lines`] (over which connections). Bindings are kept by
//! `watchbell_common::binding::keeper`.

mod bodies;
mod connection;
mod framing;
mod guard;
mod lines;
mod refusal;
mod sources;
mod upstream;
mod wire;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use futures_util::FutureExt as _;
use hyper::server::conn::http1;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    binding::token::KeyHasher,
    crypto, http,
    settings::{self, Settings},
    shared::Shared,
    store::Store,
};

use connection::Door;
use guard::Guard;
use sources::SourceWatch;
use upstream::Upstream;

/// The file in the data folder that holds the secret under which keys are hashed.
pub const SECRET_FILE: &str = "gateway.key";

/// What is left of `stop.drain` for closing what streams on.
const CLOSING: Duration = Duration::from_secs(1);

/// Listens on `gateway.listen`.
pub async fn bind(settings: &settings::Gateway) -> anyhow::Result<TcpListener> {
    http::bind(settings.listen, "gateway.listen").await
}

/// Runs until `stop`. Without a store, it opens one, as long as that takes; known keys need none.
///
/// # Errors
/// Settings that cannot be used, or a store that never will be.
pub async fn run(
    shared: Shared,
    store: Option<Store>,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let settings = shared.settings.clone();
    let hasher = KeyHasher::new(&secret(&settings)?);
    let gateway = settings.gateway.clone();
    let upstream = Upstream::new(&gateway)?;
    let mut protocol = http1::Builder::new();
    // `Watch` has the time limits, each for what the connection is doing.
    protocol.max_header_size(gateway.head_max_bytes).header_read_timeout(None);
    let places = gateway.connections_max;
    let (guard, beside) = Guard::new(&shared, hasher);
    let (keeper, sources) = (guard.keeper.clone(), Arc::new(SourceWatch::default()));
    let lines = upstream.lines().clone();
    let door = Arc::new(Door::new(guard, upstream, sources.clone(), protocol));
    // What the last requests left to write down is written after they have ended.
    let served = CancellationToken::new();
    let serving = async {
        let _ended = served.clone().drop_guard();
        serve(door, listener, places, settings.stop.drain, stop.clone()).await
    };
    tokio::try_join!(
        serving,
        beside.run(store, stop.clone(), served.clone()),
        sources.watch(&keeper, &gateway, &*shared.queue, &stop),
        lines.keep(&stop).map(Ok),
    )?;
    Ok(())
}

/// The secret under which keys are hashed, from the settings or of the data folder.
fn secret(settings: &Settings) -> anyhow::Result<SecretString> {
    let secret = &settings.gateway.hmac_secret;
    if !secret.expose_secret().is_empty() {
        return Ok(secret.clone());
    }
    if !settings.embedded() {
        bail!("gateway.hmac_secret must be set where services share a queue (`openssl rand -base64 32` makes one)");
    }
    crypto::secret_in(&settings.data.dir, SECRET_FILE).context("the secret of the key gateway")
}

/// Takes connections until `stop`; then finishes the answers in hand, as long as `drain` allows: a stream of events
/// may have no end.
async fn serve(
    door: Arc<Door>,
    listener: TcpListener,
    places: usize,
    drain: Duration,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(places));
    let mut connections = JoinSet::new();
    while let Some((stream, peer, place)) = http::next_connection(&listener, &places, &mut connections, &stop).await {
        connections.spawn(door.clone().serve(stream, peer, place, stop.clone()));
    }
    drop(listener);
    let ended = timeout(drain.saturating_sub(CLOSING), async { while connections.join_next().await.is_some() {} });
    if ended.await.is_err() {
        tracing::info!(connections = connections.len(), "closing what still streams");
    }
    connections.shutdown().await;
    Ok(())
}
