//! One connection of a client, request after request, and what it may become.

use std::{
    convert::Infallible,
    future,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use hyper::{
    Method, Request, Response, StatusCode, Version,
    body::Incoming,
    header,
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
    upgrade::{self, OnUpgrade},
};
use hyper_util::rt::TokioIo;
use metrics::Counter;
use tokio::{
    io::{AsyncReadExt as _, copy_bidirectional},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use watchbell_common::{binding::proxy_protocol, http::Lingering};

use crate::{
    bodies::{Answer, Upload},
    framing::Doubt,
    guard::Guard,
    lines::Slot,
    refusal::Refusal,
    sources::SourceWatch,
    upstream::{self, From, Upstream},
    wire::{Patience, Watch, Wire},
};

/// What all connections share.
pub(crate) struct Door {
    pub(crate) guard: Guard,
    pub(crate) upstream: Upstream,
    pub(crate) sources: Arc<SourceWatch>,
    pub(crate) protocol: http1::Builder,
    /// Counts requests that passed; it is kept, since looking up a counter takes longer than many steps of a request.
    passed: Counter,
}

impl Door {
    pub(crate) fn new(guard: Guard, upstream: Upstream, sources: Arc<SourceWatch>, protocol: http1::Builder) -> Self {
        Self { guard, upstream, sources, protocol, passed: requests("passed") }
    }

    /// Serves a connection to its end.
    pub(crate) async fn serve(
        self: Arc<Self>,
        mut stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        stop: CancellationToken,
    ) {
        // Chunks of an answer are passed on as they come, small as they are.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY: {error}");
        }
        let mut begun = Bytes::new();
        let mut peer = peer.ip().to_canonical();
        let settings = &self.guard.settings;
        if settings.proxy_protocol && self.upstream.sources().trusts(peer) {
            match timeout(settings.head_timeout, proxied(&mut stream)).await {
                Ok(Some((source, rest))) => {
                    peer = source.unwrap_or(peer);
                    begun = rest;
                }
                _ => return tracing::warn!("{peer} is a trusted proxy and sent no PROXY header"),
            }
        } else if !self.upstream.sources().trusts(peer) {
            self.sources.seen(peer);
        }
        let watch = Arc::new(Watch::new());
        let wire = Wire::new(Lingering::new(stream), begun, watch.clone());
        let slot = Arc::new(Slot::new(self.upstream.lines().clone()));
        let exchange =
            Exchange { door: self.clone(), peer, watch, slot, requests: AtomicU64::new(0), tunnel: Mutex::new(None) };
        metrics::gauge!("watchbell_gateway_connections").increment(1.0);
        exchange.converse(wire, stop).await;
        metrics::gauge!("watchbell_gateway_connections").decrement(1.0);
        drop(place);
    }
}

/// Reads the PROXY header: whose connection it is, and what came behind the header.
async fn proxied(stream: &mut TcpStream) -> Option<(Option<IpAddr>, Bytes)> {
    let mut begun = BytesMut::new();
    loop {
        if stream.read_buf(&mut begun).await.ok()? == 0 {
            return None;
        }
        if let Some(read) = proxy_protocol::parse(&begun).ok()? {
            let rest = begun.split_off(read.bytes);
            return Some((read.source, rest.freeze()));
        }
    }
}

/// The requests of one connection.
struct Exchange {
    door: Arc<Door>,
    peer: IpAddr,
    watch: Arc<Watch>,
    slot: Arc<Slot>,
    requests: AtomicU64,
    /// Both ends of what the connection becomes.
    tunnel: Mutex<Option<(OnUpgrade, OnUpgrade)>>,
}

impl Exchange {
    async fn converse(&self, wire: Wire, stop: CancellationToken) {
        let settings = &self.door.guard.settings;
        let busy = settings.idle_timeout.max(settings.response_timeout + Duration::from_secs(1));
        let patience = Patience { keep_alive: settings.keep_alive, head: settings.head_timeout, busy };
        {
            let service = service_fn(|request| self.answer(request));
            let connection = self.door.protocol.serve_connection(TokioIo::new(wire), service).with_upgrades();
            let mut connection = pin!(connection);
            let mut stalled = pin!(self.watch.stalled(patience));
            // The answer, when it is asked for, moves the upload along; so does this while the client does not read.
            let mut uploading = pin!(future::poll_fn(|cx| {
                if self.watch.uploading() {
                    self.slot.drive(cx);
                }
                Poll::<Infallible>::Pending
            }));
            let ended = tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                never = uploading.as_mut() => match never {},
                () = stalled.as_mut() => return,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        biased;
                        ended = connection => ended,
                        never = uploading => match never {},
                        () = stalled => return,
                    }
                }
            };
            if let Err(error) = ended {
                // hyper's errors name the fault, never what was sent.
                tracing::debug!("connection ended: {error}");
            }
        }
        let tunnel = self.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((client, upstream)) = tunnel {
            let copied = async {
                let (client, upstream) = tokio::try_join!(client, upstream)?;
                let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
                Ok::<_, anyhow::Error>(copy_bidirectional(&mut client, &mut upstream).await?)
            };
            let patience = Patience { busy: settings.idle_timeout, ..patience };
            tokio::select! {
                ended = copied => if let Err(error) = ended {
                    tracing::debug!("a tunnel ended: {error}");
                },
                () = self.watch.stalled(patience) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Never fails: what goes wrong is an answer as well.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        let number = self.requests.fetch_add(1, Relaxed) + 1;
        let answer = self.pass_on(request, number).await;
        Ok(match answer {
            Ok(response) => {
                self.door.passed.increment(1);
                response.map(|body| Answer::upstream(body, self.slot.clone(), self.watch.clone()))
            }
            Err(refusal) => {
                self.slot.hang_up();
                requests(refusal.status().1).increment(1);
                refusal.response().map(|body| Answer::own(body, self.watch.clone()))
            }
        })
    }

    async fn pass_on(&self, mut request: Request<Incoming>, number: u64) -> Result<Response<Incoming>, Refusal> {
        if let Some(doubt) = self.watch.doubt(number).or_else(|| hosts(&request)) {
            tracing::warn!("a request of {} was refused: {}", self.peer, doubt.as_str());
            return Err(Refusal::Doubtful(doubt));
        }
        if request.method() == Method::CONNECT {
            return Err(Refusal::Connect);
        }
        let door = &self.door;
        let websocket = asks_for_websocket(&request);
        let client_end = websocket.then(|| upgrade::on(&mut request));
        let (mut head, body) = request.into_parts();
        let client = door.upstream.sources().client(self.peer, &head.headers);
        door.guard.admit(&head, client).await?;
        door.upstream.rewrite(&mut head, From { peer: self.peer, client }, websocket)?;
        let mut response = self.send(head, body).await?;
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        match client_end {
            Some(client_end) if switched => {
                let tunnel = (client_end, upgrade::on(&mut response));
                *self.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
                self.watch.upgrade();
            }
            // The upstream switched to what nobody asked for.
            None if switched => return Err(Refusal::BadGateway),
            _ => {}
        }
        *response.version_mut() = Version::HTTP_11;
        upstream::rewrite_answer(response.headers_mut(), switched);
        Ok(response)
    }

    /// Sends the request and waits until the answer begins. Dropped, because the client went away, it cancels.
    async fn send(&self, head: Parts, body: Incoming) -> Result<Response<Incoming>, Refusal> {
        let settings = &self.door.guard.settings;
        let upload = Upload::new(body, self.watch.clone());
        let limit = || if self.watch.uploading() { settings.idle_timeout } else { settings.response_timeout };
        tokio::select! {
            biased;
            answer = self.slot.send(Request::from_parts(head, upload)) => answer.map_err(|error| {
                if self.watch.upload_failed() { Refusal::BadBody } else { self.door.upstream.failure(&error) }
            }),
            () = self.watch.quiet(limit) => {
                Err(if self.watch.uploading() { Refusal::SlowBody } else { Refusal::GatewayTimeout })
            }
        }
    }
}

/// RFC 9112 §3.2: exactly one `Host`, which HTTP/1.0 may leave out. Of two, each server takes another.
fn hosts(request: &Request<Incoming>) -> Option<Doubt> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    (hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11)).then_some(Doubt::Hosts)
}

fn requests(outcome: &'static str) -> Counter {
    metrics::counter!("watchbell_gateway_requests_total", "outcome" => outcome)
}

/// Of all upgrades only this one: behind `h2c`, say, requests would pass unseen.
fn asks_for_websocket(request: &Request<Incoming>) -> bool {
    let headers = request.headers();
    request.version() == Version::HTTP_11
        && upstream::lists(headers, &header::CONNECTION, "upgrade")
        && headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}
