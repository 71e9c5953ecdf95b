//! The doors: who gets a session, how many at a time, and how they end when the server stops.

use std::{
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use watchbell_common::{binding::doors::Guarded, clock::Clock, settings};

use crate::{
    limits::{Budget, Seats},
    lockout::Lockout,
    meters::{self, Meters},
    publish::Publish,
    recipients::Recipients,
    reply::{self, Reply},
    session::Session,
    tls,
    users::Users,
    wire::Wire,
};

/// How long the server waits after it could not take a connection (out of file descriptors, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The share of the drain limit after which messages that are still arriving are cut off; the rest of it is for
/// ending in good order. Their senders got no 250 and try again.
const DRAIN_SHARE: f64 = 0.9;

/// What was loaded and bound before anything runs.
pub struct Listeners {
    settings: settings::Smtp,
    hostname: String,
    plain: TcpListener,
    implicit_tls: Option<TcpListener>,
    tls: Option<TlsAcceptor>,
    users: Option<Arc<Users>>,
}

impl Listeners {
    /// Where SMTP is spoken: the real port, also when the settings say 0.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.plain.local_addr()
    }

    /// Where implicit TLS is spoken, if anywhere.
    pub fn tls_address(&self) -> io::Result<Option<SocketAddr>> {
        self.implicit_tls.as_ref().map(TcpListener::local_addr).transpose()
    }
}

/// Loads certificate, key and users, and binds the ports.
///
/// # Errors
/// Name the setting, and the file where there is one.
pub async fn bind(settings: &settings::Smtp) -> anyhow::Result<Listeners> {
    let tls = match (&settings.tls_cert, &settings.tls_key) {
        (Some(cert), Some(key)) => Some(tls::acceptor(cert, key)?),
        _ => None,
    };
    let users = settings.users_file.as_deref().map(Users::load).transpose()?.map(Arc::new);
    let listen = async |setting, address: SocketAddr| {
        TcpListener::bind(address).await.with_context(|| format!("{setting}: listening on {address}"))
    };
    let plain = listen("smtp.listen", settings.listen).await?;
    let implicit_tls = match settings.tls_listen {
        Some(address) => Some(listen("smtp.tls_listen", address).await?),
        None => None,
    };
    let hostname = if settings.hostname.is_empty() { machine_name() } else { settings.hostname.clone() };
    Ok(Listeners { settings: settings.clone(), hostname, plain, implicit_tls, tls, users })
}

fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// What all sessions share.
pub(crate) struct Server<P> {
    pub(crate) settings: settings::Smtp,
    pub(crate) hostname: String,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) users: Option<Arc<Users>>,
    pub(crate) lockout: Lockout,
    pub(crate) guarded: Option<Guarded>,
    pub(crate) recipients: Recipients,
    pub(crate) budget: Budget,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) publish: P,
    pub(crate) meters: Meters,
    pub(crate) stop: CancellationToken,
    seats: Arc<Seats>,
}

/// Serves until `stop`, then lets messages that are arriving come to their end, within `drain`. Where users are bound,
/// `guarded` says from where each may log in.
pub async fn serve<P: Publish>(
    publish: P,
    lockout: Lockout,
    clock: Arc<dyn Clock>,
    guarded: Option<Guarded>,
    listeners: Listeners,
    drain: Duration,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let Listeners { settings, hostname, plain, implicit_tls, tls, users } = listeners;
    let server = Arc::new(Server {
        hostname,
        tls,
        users,
        lockout,
        guarded,
        recipients: Recipients::new(&settings.recipients),
        budget: Budget::new(settings.memory_max_bytes),
        clock,
        publish,
        meters: Meters::new(),
        stop: stop.clone(),
        seats: Seats::new(settings.connections_max, settings.connections_per_address_max),
        settings,
    });
    tracing::info!(smtp.listen = %plain.local_addr()?, smtp.hostname = server.hostname, "taking mail");
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = sessions.join_next() => note_panic(ended),
            accepted = plain.accept() => admit(&server, accepted, false, &mut sessions).await,
            accepted = accept_some(implicit_tls.as_ref()) => admit(&server, accepted, true, &mut sessions).await,
        }
        server.meters.connections.set(u32::try_from(sessions.len()).unwrap_or(u32::MAX));
    }
    drop((plain, implicit_tls));
    let ending = async {
        while let Some(ended) = sessions.join_next().await {
            note_panic(ended);
        }
    };
    if tokio::time::timeout(drain.mul_f64(DRAIN_SHARE), ending).await.is_err() {
        tracing::warn!(smtp.sessions = sessions.len(), "cut off messages that did not end within the drain limit");
        sessions.shutdown().await;
    }
    server.meters.connections.set(0);
    Ok(())
}

async fn accept_some(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Gives a client a session, or tells it why not.
async fn admit<P: Publish>(
    server: &Arc<Server<P>>,
    accepted: io::Result<(TcpStream, SocketAddr)>,
    implicit_tls: bool,
    sessions: &mut JoinSet<()>,
) {
    let (stream, address) = match accepted {
        Ok(accepted) => accepted,
        Err(error) => {
            tracing::warn!("a connection could not be taken: {error}");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            return;
        }
    };
    let peer = address.ip().to_canonical();
    let settings = &server.settings;
    if !settings.allow_from.iter().any(|network| network.contains(&peer)) {
        tracing::warn!(smtp.peer = %peer, "a client is not in smtp.allow_from");
        return turn_away(stream, peer, "network", &reply::FORBIDDEN_NETWORK, implicit_tls);
    }
    let Some(seat) = server.seats.take(peer) else {
        tracing::warn!(
            smtp.peer = %peer, smtp.sessions = sessions.len(),
            "too many connections; smtp.connections_max and smtp.connections_per_address_max are the limits"
        );
        return turn_away(stream, peer, "connections", &reply::TOO_MANY_CONNECTIONS, implicit_tls);
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(smtp.peer = %peer, "a client left at once: {error}");
        return;
    }
    server.meters.accepted.increment(1);
    let wire = Wire::new(stream, settings.line_max_bytes, settings.idle_timeout, server.stop.clone());
    let session = Session::new(server.clone(), peer, wire);
    sessions.spawn(async move {
        session.run(implicit_tls).await;
        drop(seat);
    });
}

/// Says one line and closes. The send buffer of a new connection is empty, so this neither waits nor needs a task.
fn turn_away(stream: TcpStream, peer: IpAddr, reason: &'static str, reply: &Reply, implicit_tls: bool) {
    meters::refused(reason);
    if implicit_tls {
        return; // A TLS client cannot read it.
    }
    if let Err(error) = stream.into_std().and_then(|mut stream| stream.write_all(reply.as_bytes())) {
        tracing::debug!(smtp.peer = %peer, "a refused client left at once: {error}");
    }
}

/// A session that panicked took its connection with it, and nothing else.
fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a session failed: {error}");
    }
}
