//! The server under test, a queue in memory that can fail, and a client that sends exactly what it is told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    ai::Ai,
    clock::ManualClock,
    config::{Channel, ConfigCell, Document, Operators, Tenant},
    crypto::{Place, Vault},
    http,
    ids::{ChannelId, JobId, TenantId},
    payload::{AlertPayload, Content, Fact, Item, Payload as _},
    queue::{
        Audit, Books, DeadFilter, DeadJob, Decision, Depth, Lease, NewJob, Published, Pushed, Queue, QueueError,
        QueueName, Slot, Tended, Want, WorkerId,
    },
    settings::Settings,
    shared::Shared,
};

pub(crate) const NOW_MS: i64 = 1_795_295_524_584;

/// Push tokens of the channels of [`Server::start`].
pub(crate) const TOKEN: &str = "tok-plain-4711";
pub(crate) const TOKEN_DEDUP: &str = "tok-dedup-4712";
pub(crate) const TOKEN_DISABLED: &str = "tok-disabled-4713";

/// Long enough for a slow machine, short enough to fail a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps what was pushed; drops repeats as the contract says, without ever forgetting a window.
#[derive(Default)]
pub(crate) struct MemoryQueue {
    pub(crate) down: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pushes: Vec<Vec<NewJob>>,
    facts: Vec<Bytes>,
    variants: HashMap<String, String>,
}

impl MemoryQueue {
    /// The jobs of each push that was not refused.
    pub(crate) fn pushes(&self) -> Vec<Vec<NewJob>> {
        self.state.lock().unwrap().pushes.clone()
    }

    /// The payloads that were queued, in order.
    pub(crate) fn payloads(&self) -> Vec<AlertPayload> {
        self.pushes().concat().iter().map(|job| AlertPayload::decode(&job.payload).unwrap()).collect()
    }

    /// The items that were queued, in order.
    pub(crate) fn items(&self) -> Vec<Item> {
        let content = |payload: AlertPayload| match payload.head.content {
            Content::Item(item) => item,
            Content::Mail(_) => panic!("HTTP intake makes items"),
        };
        self.payloads().into_iter().map(content).collect()
    }

    /// The facts of what was dropped.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.state.lock().unwrap().facts.iter().map(|fact| Fact::decode(fact).unwrap()).collect()
    }

    fn check(&self) -> Result<(), QueueError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(QueueError::Unavailable("switched off: inside-detail".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn push(&self, queue: QueueName, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, QueueError> {
        assert_eq!(queue, QueueName::Intake);
        self.check()?;
        let mut state = self.state.lock().unwrap();
        let mut queued = Vec::new();
        let mut answers = Vec::new();
        for job in jobs {
            let repeat = job.dedup.as_ref().filter(|dedup| {
                state.variants.insert(dedup.key.clone(), dedup.variant.clone()).as_ref() == Some(&dedup.variant)
            });
            if let Some(dedup) = repeat {
                state.facts.push(dedup.fact.clone());
                answers.push(Pushed::Duplicate);
            } else {
                queued.push(job);
                answers.push(Pushed::Queued);
            }
        }
        state.pushes.push(queued);
        Ok(answers)
    }

    async fn ping(&self) -> Result<(), QueueError> {
        self.check()
    }

    async fn lease(&self, _: QueueName, _: &WorkerId, _: Want) -> Result<Vec<Lease>, QueueError> {
        Ok(Vec::new())
    }

    async fn wait(&self, _: QueueName, _: Duration) {}

    async fn decide_all(&self, _: Vec<Decision>) -> Vec<Result<Vec<Pushed>, QueueError>> {
        Vec::new()
    }

    async fn amend(&self, _: QueueName, _: JobId, _: Bytes) -> Result<bool, QueueError> {
        Ok(false)
    }

    async fn hurry(&self, _: QueueName, _: JobId) -> Result<bool, QueueError> {
        Ok(false)
    }

    async fn keep_alive(&self, _: &WorkerId, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn release(&self, _: &WorkerId) -> Result<u64, QueueError> {
        Ok(0)
    }

    async fn tend(&self) -> Result<Tended, QueueError> {
        Ok(Tended::default())
    }

    async fn take_slots(&self, _: &[Slot]) -> Result<Duration, QueueError> {
        Ok(Duration::ZERO)
    }

    async fn recall(&self, _: &str) -> Result<Option<Bytes>, QueueError> {
        Ok(None)
    }

    async fn remember(&self, _: &str, _: Bytes, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn add_up(&self, _: &str, by: i64, _: Duration) -> Result<u64, QueueError> {
        Ok(by.unsigned_abs())
    }

    async fn announce(&self, _: &str, _: Bytes, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn announced(&self) -> Result<Vec<(String, Bytes)>, QueueError> {
        Ok(Vec::new())
    }

    async fn dead(&self, _: &DeadFilter, _: usize, _: usize) -> Result<Vec<DeadJob>, QueueError> {
        Ok(Vec::new())
    }

    async fn dead_heads(&self, _: &DeadFilter, _: usize, _: usize) -> Result<Vec<DeadJob>, QueueError> {
        Ok(Vec::new())
    }

    async fn replay(&self, _: &DeadFilter, _: usize) -> Result<u64, QueueError> {
        Ok(0)
    }

    async fn depths(&self) -> Result<Vec<(QueueName, Depth)>, QueueError> {
        Ok(Vec::new())
    }

    async fn books(&self) -> Result<Vec<(TenantId, Books)>, QueueError> {
        Ok(Vec::new())
    }

    async fn audit(&self) -> Result<Audit, QueueError> {
        Ok(Audit::default())
    }

    async fn publish_config(&self, _: Published) -> Result<(), QueueError> {
        Ok(())
    }

    async fn config_newer(&self, _: i64) -> Result<Option<Published>, QueueError> {
        Ok(None)
    }
}

fn channel(vault: &Vault, id: i64, token: &str, dedup_window_s: u32, enabled: bool) -> Channel {
    Channel {
        id: ChannelId(id),
        name: format!("channel-{id}"),
        platform: "console".to_owned(),
        bot: None,
        target: String::new(),
        options: std::collections::BTreeMap::default(),
        secrets: std::collections::BTreeMap::default(),
        rate_per_min: 0,
        dedup_window_s,
        push_token: vault.seal(&Place::push_token(TenantId::DEFAULT, ChannelId(id)), &token.into()),
        templates: Vec::new(),
        enabled,
    }
}

fn configuration(vault: &Vault) -> ConfigCell {
    let tenant = Tenant {
        id: TenantId::DEFAULT,
        name: "default".to_owned(),
        bots: Vec::new(),
        templates: Vec::new(),
        channels: vec![
            channel(vault, 1, TOKEN, 0, true),
            channel(vault, 2, TOKEN_DEDUP, 300, true),
            channel(vault, 3, TOKEN_DISABLED, 0, false),
        ],
        rules: Vec::new(),
        default_channels: Vec::new(),
        mutes: Vec::new(),
        silences: Vec::new(),
        ai: Ai::default(),
        operators: Operators::All,
        drills: std::collections::BTreeMap::new(),
    };
    let cell = ConfigCell::default();
    cell.accept(&Document { version: 1, tenants: vec![tenant] }.publish(), vault).unwrap();
    cell
}

/// A running service.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) queue: Arc<MemoryQueue>,
    _tasks: JoinSet<anyhow::Result<()>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with some settings changed.
    pub(crate) async fn start_with(overrides: &[(&str, &str)]) -> Self {
        let overrides = overrides.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
        let settings = Settings::load_with(None, &[], &overrides).unwrap();
        let vault = Vault::from_base64(&"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".into()).unwrap();
        let queue = Arc::new(MemoryQueue::default());
        let shared = Shared {
            settings: Arc::new(settings),
            clock: Arc::new(ManualClock::at(NOW_MS)),
            queue: queue.clone(),
            config: Arc::new(configuration(&vault)),
            vault: Arc::new(vault),
        };
        let listener = http::bind("127.0.0.1:0".parse().unwrap(), "test").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let mut tasks = JoinSet::new();
        tasks.spawn(watchbell_webhook_ingestor::run(shared, listener, metrics, CancellationToken::new()));
        Self { addr, queue, _tasks: tasks }
    }

    /// Posts a body to `/api/v1/push/{token}`.
    pub(crate) async fn push(&self, token: &str, body: impl AsRef<[u8]>) -> Answer {
        self.post(&format!("/api/v1/push/{token}"), "", body).await
    }

    /// Posts a body with extra header lines, each ending in CR LF.
    pub(crate) async fn post(&self, path: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        self.exchange(&[head.as_bytes(), body].concat()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.exchange(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await
    }

    /// Sends bytes and reads until the server closes; the server need not take all of them.
    pub(crate) async fn exchange(&self, request: &[u8]) -> Answer {
        let (mut read, mut write) = TcpStream::connect(self.addr).await.unwrap().into_split();
        let mut answer = Vec::new();
        let (_, read) =
            tokio::join!(write.write_all(request), tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer)));
        read.expect("the server answers in time").unwrap();
        Answer::parse(&answer)
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The code and message of the error envelope.
    pub(crate) fn error(&self) -> (String, String) {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        let text = |name: &str| value["error"][name].as_str().unwrap().to_owned();
        assert!(self.head.contains(&format!("x-request-id: {}", text("request_id"))), "{self:?}");
        (text("code"), text("message"))
    }

    /// The id of the queued job that `push_id` speaks of.
    pub(crate) fn job_id(&self) -> JobId {
        assert_eq!(self.status, 202, "{self:?}");
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(value["status"], "queued");
        let event: watchbell_common::ids::EventId = value["push_id"].as_str().unwrap().parse().unwrap();
        JobId::from_uuid(event.uuid())
    }
}
