//! A webhook destination that keeps what it got and misbehaves when told to.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::Value;
use watchbell_common::clock::{Clock as _, SystemClock};

use crate::{eventually, serve};

/// How often [`Mood::FailsEach`] refuses the same delivery: the retries after these come within a minute, the later
/// ones after five and fifteen, which no test waits for.
pub const FAILURES_MAX: u64 = 3;

/// How a sink answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// 200 to all.
    Good,
    /// 500 to every n-th request, but to no delivery more than [`FAILURES_MAX`] times.
    FailsEach(u64),
    /// This status to all.
    Answers(u16),
    /// 429 with `Retry-After: 1` to the first n requests, then 200.
    Limits(u64),
}

/// One accepted request.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it arrived, in Unix milliseconds.
    pub at_ms: i64,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Received {
    /// From the arrival of the event to the arrival of this message.
    ///
    /// # Panics
    /// When the body does not say when the event was received.
    pub fn latency(&self) -> Duration {
        let received: jiff::Timestamp = self.text("received_at").parse().expect("a webhook says `received_at`");
        Duration::from_millis(u64::try_from(self.at_ms - received.as_millisecond()).unwrap_or_default())
    }

    /// Whether it adds to a message that was delivered before.
    pub fn is_update(&self) -> bool {
        self.body["update"] == true
    }

    /// A text field of the body; empty when absent.
    pub fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

#[derive(Debug)]
struct Inner {
    mood: Mutex<Mood>,
    delay: Mutex<Duration>,
    requests: AtomicU64,
    /// By idempotency key.
    failures: Mutex<HashMap<String, u64>>,
    received: Mutex<Vec<Received>>,
}

/// A destination on loopback; ends with the runtime that started it.
#[derive(Debug, Clone)]
pub struct Sink {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl Sink {
    /// Starts one.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start() -> Self {
        let inner = Arc::new(Inner {
            mood: Mutex::new(Mood::Good),
            delay: Mutex::new(Duration::ZERO),
            requests: AtomicU64::new(0),
            failures: Mutex::default(),
            received: Mutex::new(Vec::new()),
        });
        let router = Router::new().route("/{*path}", post(take)).with_state(inner.clone());
        Self { address: serve(router).await, inner }
    }

    /// A URL of it. Several paths can stand for several channels.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// A provisioning file that sends everything here.
    pub fn as_only_channel(&self) -> String {
        let target = self.url("alerts");
        format!("channels:\n  - {{ name: sink, platform: webhook, target: '{target}' }}\ndefault_channels: [sink]\n")
    }

    /// Changes how it answers from now on.
    pub fn mood(&self, mood: Mood) {
        *lock(&self.inner.mood) = mood;
    }

    /// Answers only after this long.
    pub fn delay(&self, delay: Duration) {
        *lock(&self.inner.delay) = delay;
    }

    /// Everything that was answered with 200, in order.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.inner.received).clone()
    }

    /// How many were answered with 200.
    pub fn count(&self) -> usize {
        lock(&self.inner.received).len()
    }

    /// How many of those that were answered with 200 are like this.
    pub fn count_of(&self, like_this: impl Fn(&Received) -> bool) -> usize {
        lock(&self.inner.received).iter().filter(|received| like_this(received)).count()
    }

    /// All requests, whatever the answer.
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::SeqCst)
    }

    /// Waits until at least `n` were answered with 200.
    pub async fn wait_for(&self, n: usize, at_most: Duration) -> Vec<Received> {
        eventually(&format!("{n} messages at the sink (there are {})", self.count()), at_most, || async {
            (self.count() >= n).then(|| self.received())
        })
        .await
    }

    /// How often each delivery arrived.
    pub fn deliveries(&self) -> HashMap<String, u64> {
        let mut deliveries = HashMap::new();
        for received in self.received() {
            *deliveries.entry(received.text("delivery_id").to_owned()).or_default() += 1;
        }
        deliveries
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn may_fail(inner: &Inner, headers: &HeaderMap) -> bool {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let mut failures = lock(&inner.failures);
    let times = failures.entry(key.to_owned()).or_default();
    *times += 1;
    *times <= FAILURES_MAX
}

async fn take(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let number = inner.requests.fetch_add(1, Ordering::SeqCst);
    let delay = *lock(&inner.delay);
    tokio::time::sleep(delay).await;
    let status = match *lock(&inner.mood) {
        Mood::FailsEach(n) if number % n == 0 && may_fail(&inner, &headers) => StatusCode::INTERNAL_SERVER_ERROR,
        Mood::Answers(status) => StatusCode::from_u16(status).expect("tests name real statuses"),
        Mood::Limits(n) if number < n => StatusCode::TOO_MANY_REQUESTS,
        Mood::Good | Mood::FailsEach(_) | Mood::Limits(_) => StatusCode::OK,
    };
    if status.is_success() {
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        lock(&inner.received).push(Received { at_ms: SystemClock.now_ms(), headers, body });
    }
    (status, [("retry-after", "1")])
}
