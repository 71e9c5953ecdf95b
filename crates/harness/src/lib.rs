//! Starts the product as processes, with real senders and a real destination: for product tests and chaos.
//!
//! [`Product`] is a running Watchbell, embedded or distributed; [`Sink`] is a webhook destination that can be
//! told to misbehave; [`Model`] is a language model that counts its calls and misbehaves, too; [`mail`] sends real SMTP, and [`load`] much
//! of it.

mod behaviour;
pub mod load;
pub mod mail;
mod model;
mod process;
mod product;
mod sink;

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::{Duration, Instant},
};

pub use behaviour::Behaviour;
pub use model::Model;
pub use process::Process;
pub use product::{Product, Service};
pub use sink::{FAILURES_MAX, Mood, Received, Sink};

/// An address on loopback that nobody listens on at the moment.
pub fn free_address() -> SocketAddr {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    probe.local_addr().expect("a bound listener has an address")
}

/// Serves HTTP on loopback until the runtime ends.
async fn serve(router: axum::Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    #[expect(clippy::disallowed_methods, reason = "what is served ends with its test's runtime")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Asks every 20 ms until the answer is `Some`.
///
/// # Panics
/// When that did not happen within `at_most`: the text says what was awaited.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    at_most: Duration,
    mut ask: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < at_most, "waited {at_most:?} for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
