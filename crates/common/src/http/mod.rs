//! The one HTTP server of all services: limits, request ids, errors, health and metrics around any router.
//!
//! [`serve`] reads HTTP/1.1, gives each request an id, answers a panic with 500, dresses errors in one envelope
//! ([`ApiError`]) and counts. It logs route templates only: a path can hold a push token.

mod body;
mod client;
mod error;
mod health;
mod linger;
mod observe;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub use body::read_body;
pub use client::client_addr;
pub use error::ApiError;
pub use health::{health_router, upkeep};
pub use linger::Lingering;

use crate::settings;

/// The largest request head in bytes, start line and header fields together; past it the answer is 431.
/// Twice what nginx and Apache accept by default (8 KiB), for cookies and tokens of gateways.
pub const HEAD_MAX_BYTES: usize = 16 * 1024;

/// How long to wait before accepting again when the machine refuses (out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address of the other end of the connection, as an extension of every request. A proxy's, if there is one:
/// see [`client_addr`].
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Listens on an address. `what` is the setting that names it, for the error.
pub async fn bind(addr: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| {
        format!("cannot listen on {addr} ({what}): is something else listening there, or is the port below 1024?")
    })
}

/// Serves a router until `stop`; then closes idle connections and finishes the requests in hand.
///
/// Limits: `connections_max` connections at a time (more wait in the kernel's backlog, so nobody is turned away
/// in a burst), `head_timeout` for each request head and for an idle connection, [`HEAD_MAX_BYTES`] of head.
/// Bodies are bounded where they are read: [`read_body`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &settings::Http,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let meters = Arc::new(observe::Meters::default());
    let router = router.layer(axum::middleware::from_fn_with_state(meters, observe::observe));
    let places = Arc::new(Semaphore::new(settings.connections_max));
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head_timeout)
        .max_header_size(HEAD_MAX_BYTES)
        // Senders that close their half after the request still get an answer.
        .half_close(true);
    let mut connections = JoinSet::new();
    while let Some((stream, peer, place)) = next_connection(&listener, &places, &mut connections, &stop).await {
        connections.spawn(converse(stream, peer, place, router.clone(), protocol.clone(), stop.clone()));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// The next connection and its place among `connections_max`; `None` on `stop`. Ended connections are reaped
/// meanwhile.
pub async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    connections: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = stop.run_until_cancelled(places.clone().acquire_owned()).await?;
    let place = place.expect("the semaphore is never closed");
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => return Some((stream, peer, place)),
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!("cannot accept connections: {error}");
                    stop.run_until_cancelled(tokio::time::sleep(ACCEPT_PAUSE)).await?;
                }
            },
        }
    }
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection, request after request.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    router: Router,
    protocol: http1::Builder,
    stop: CancellationToken,
) {
    // Answers are small and written at once: waiting to fill a segment only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY: {error}");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let mut connection = std::pin::pin!(protocol.serve_connection(TokioIo::new(Lingering::new(stream)), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // hyper's errors name the fault, never what was sent.
        tracing::debug!("connection ended: {error}");
    }
    drop(place);
}

#[cfg(test)]
mod tests;
