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
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

pub use behaviour::Behaviour;
pub use model::Model;
pub use process::Process;
pub use product::{Product, Service};
pub use sink::{FAILURES_MAX, Mood, Received, Sink};

/// Where services listen: below the ports that Linux gives to connections (`ip_local_port_range`, from 32768), so that
/// none is taken by chance before its service listens, or while that is restarted.
const PORTS: Range<u16> = 20_000..32_000;

/// How far apart two test processes that run at the same time begin to look.
const PORTS_EACH: u32 = 64;

/// An address on loopback that nobody listens on at the moment, and that this process has not given out of late.
///
/// # Panics
/// When all ports are taken.
pub fn free_address() -> SocketAddr {
    static LOOKED_AT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(PORTS_EACH);
    let next = |_| {
        let number = begin.wrapping_add(LOOKED_AT.fetch_add(1, Ordering::Relaxed));
        PORTS.start + u16::try_from(number % u32::from(PORTS.end - PORTS.start)).expect("smaller than a port")
    };
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|probe| probe.local_addr()).ok();
    PORTS.map(next).find_map(bind).expect("loopback has a free port")
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
