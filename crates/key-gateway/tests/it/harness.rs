//! A running gateway, an upstream that does as it is told, and a client that sends exactly what it is given.

use std::{fmt::Write as _, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    binding::token::{KeyHash, KeyHasher},
    ids::TenantId,
    settings::Settings,
    shared::Shared,
    store::{Store, StoreError, Tx},
    testing,
};

/// How long anything may take: debug builds on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const TENANT: TenantId = TenantId(1);
const SECRET: &str = "a secret of the tests";

/// Where bindings and queue are: two gateways may share it.
pub(crate) struct Place {
    pub(crate) database: SecretString,
    pub(crate) queue: String,
    pub(crate) dir: TempDir,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self { database: "sqlite".into(), queue: "sqlite".to_owned(), dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn postgres() -> Self {
        Self { database: testing::database(), ..Self::sqlite() }
    }
}

pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) shared: Shared,
    store: Option<Store>,
    stop: CancellationToken,
    running: JoinSet<anyhow::Result<()>>,
}

impl Gateway {
    /// In front of an upstream, with more settings of its section.
    pub(crate) async fn start(place: &Place, upstream: SocketAddr, more: &[(&str, &str)]) -> Self {
        let store = Store::open(&place.database, place.dir.path()).await.unwrap();
        Self::start_with(place, upstream, more, Some(store)).await
    }

    /// One that has to open its store itself.
    pub(crate) async fn start_alone(place: &Place, upstream: SocketAddr, more: &[(&str, &str)]) -> Self {
        Self::start_with(place, upstream, more, None).await
    }

    async fn start_with(place: &Place, upstream: SocketAddr, more: &[(&str, &str)], store: Option<Store>) -> Self {
        let mut env = vec![
            ("WATCHBELL_DATA_DIR".to_owned(), place.dir.path().display().to_string()),
            ("WATCHBELL_DATABASE_URL".to_owned(), place.database.expose_secret().to_owned()),
            ("WATCHBELL_QUEUE_URL".to_owned(), place.queue.clone()),
            ("WATCHBELL_SECURITY_MASTER_KEY".to_owned(), "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned()),
            ("WATCHBELL_STOP_DRAIN".to_owned(), "2s".to_owned()),
            ("WATCHBELL_GATEWAY_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("WATCHBELL_GATEWAY_UPSTREAM".to_owned(), format!("http://{upstream}")),
            ("WATCHBELL_GATEWAY_HMAC_SECRET".to_owned(), SECRET.to_owned()),
        ];
        env.extend(more.iter().map(|(name, value)| (format!("WATCHBELL_GATEWAY_{name}"), (*value).to_owned())));
        let settings = Settings::load_with(None, &env, &[]).unwrap();
        let listener = watchbell_key_gateway::bind(&settings.gateway).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared::open(settings).await.unwrap();
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(watchbell_key_gateway::run(shared.clone(), store.clone(), listener, stop.clone()));
        Self { address, shared, store, stop, running }
    }

    /// Its store.
    pub(crate) fn store(&self) -> Store {
        self.store.clone().expect("it was started with one")
    }

    /// Stops it, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let ended = timeout(PATIENCE, self.running.join_next()).await.expect("it stops").unwrap();
        ended.unwrap().unwrap();
    }

    /// A connection from this machine's usual address.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_from("127.0.0.1").await
    }

    /// A connection from any address of 127.0.0.0/8.
    pub(crate) async fn connect_from(&self, source: &str) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
        Client { stream: socket.connect(self.address).await.unwrap(), read: Vec::new() }
    }

    /// The status of a request with a key from an address.
    pub(crate) async fn status(&self, source: &str, key: &str) -> u16 {
        let mut client = self.connect_from(source).await;
        client.get("/v1/models", key).await;
        client.answer().await.status
    }

    /// Does something in a transaction of the store.
    pub(crate) async fn commit<T>(&self, work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>) -> T {
        let mut tx = self.store().begin().await.unwrap();
        let done = work(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        done
    }
}

/// An address that nobody listens on at the moment.
pub(crate) fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What the store finds a key by.
pub(crate) fn hash(key: &str) -> KeyHash {
    KeyHasher::new(&SECRET.into()).hash(key.as_bytes())
}

/// Sends what it is given, and reads answers.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str, key: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer {key}\r\n\r\n")).await;
    }

    /// More bytes; `false` at the end.
    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.expect("an answer in time");
        read.is_ok_and(|bytes| bytes > 0)
    }

    /// Everything up to and with a text.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            let found = self.read.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let rest = self.read.split_off(at + text.len());
                return String::from_utf8_lossy(&std::mem::replace(&mut self.read, rest)).into_owned();
            }
            assert!(self.more().await, "it ended before {text:?}: {}", self.read.escape_ascii());
        }
    }

    /// The head of an answer.
    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await.to_lowercase()
    }

    /// A whole answer with a length or chunks.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let status = head[9..12].parse().unwrap();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
        let body = if head.contains("transfer-encoding: chunked") {
            self.chunks().await
        } else {
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            self.exactly(length).await
        };
        Answer { status, head, body }
    }

    async fn exactly(&mut self, bytes: usize) -> Vec<u8> {
        while self.read.len() < bytes {
            assert!(self.more().await, "it ended in a body");
        }
        let rest = self.read.split_off(bytes);
        std::mem::replace(&mut self.read, rest)
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.until("\r\n").await;
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            if size == 0 {
                while self.until("\r\n").await != "\r\n" {}
                return body;
            }
            body.extend(self.exactly(size).await);
            self.until("\r\n").await;
        }
    }

    /// All that comes until the other end closes.
    pub(crate) async fn rest(&mut self) -> String {
        while self.more().await {}
        String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned()
    }
}

/// An upstream that answers each connection with this; what it accepted is on the channel.
pub(crate) async fn raw_upstream<F, R>(serve: F) -> (SocketAddr, JoinSet<()>)
where
    F: Fn(Client) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(Client { stream, read: Vec::new() }));
        }
    });
    (address, tasks)
}

/// An upstream that answers `hello` and tells of each request's head, target and headers in lower case.
pub(crate) async fn telling_upstream() -> (SocketAddr, mpsc::UnboundedReceiver<String>, JoinSet<()>) {
    let (tell, told) = mpsc::unbounded_channel();
    let (address, tasks) = upstream(move |request| {
        let mut head = format!("{} {}\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            let _ = writeln!(head, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
        let _ = tell.send(head);
        async { "hello".into_response() }
    })
    .await;
    (address, told, tasks)
}

/// An upstream that answers each request with this.
pub(crate) async fn upstream<F, R>(answer: F) -> (SocketAddr, JoinSet<()>)
where
    F: Fn(Request<Body>) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    let router = Router::new().fallback(move |request: Request<Body>| {
        let answer = answer.clone();
        async move { answer(request).await }
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, tasks)
}

/// Asks every 20 ms until it holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let asked = timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    asked.await.unwrap_or_else(|_| panic!("waited for: {what}"));
}
