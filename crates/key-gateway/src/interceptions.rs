//! What was intercepted is logged, kept, counted over all processes, and raised as an alert when it is too much.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    alert::{Severity, Status},
    binding::{Reason, token::KeyHash},
    clock::UnixMillis,
    crypto::hex,
    ids::{EventId, InterceptionId, JobId},
    outbound,
    payload::{AlertPayload, Content, IntakeHead, Item, Payload as _},
    queue::{NewJob, QueueError, QueueName},
    store::{
        interceptions::{self, Interception},
        usage::{self, Day},
    },
};

use crate::guard::Guard;

/// How often they are written. Those of this time that differ only in it share a line.
const FLUSH: Duration = Duration::from_secs(1);

/// Lines that wait for a store that is away. More are only in the log of the process.
const WAITING_MAX: usize = 10_000;

/// Alerts that wait for a queue that is away.
const ALERTS_WAITING_MAX: usize = 100;

/// How long the plain webhook may take.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// What the source of these alerts is called, in rules too.
const SOURCE: &str = "gateway";

/// One use that was intercepted.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) at: UnixMillis,
    pub(crate) key: KeyHash,
    pub(crate) masked: String,
    pub(crate) bound: String,
    pub(crate) attempted: IpAddr,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) reason: Reason,
    pub(crate) refused: bool,
}

/// Uses with the same of these share a line.
type Alike = (KeyHash, IpAddr, String, String, Reason, bool);

/// Writes what comes until `stop`, and then the rest.
pub(crate) async fn record(
    guard: Arc<Guard>,
    mut waiting: mpsc::Receiver<Use>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut recorder = Recorder {
        guard,
        webhook: outbound::client()?,
        new: HashMap::new(),
        unwritten: Vec::new(),
        unsent: Vec::new(),
    };
    let mut tick = interval(FLUSH);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(one) = waiting.recv() => recorder.take(one),
            _ = tick.tick() => recorder.flush().await,
            () = stop.cancelled() => break,
        }
    }
    while let Ok(one) = waiting.try_recv() {
        recorder.take(one);
    }
    recorder.flush().await;
    Ok(())
}

struct Recorder {
    guard: Arc<Guard>,
    webhook: outbound::Client,
    new: HashMap<Alike, Interception>,
    unwritten: Vec<Interception>,
    unsent: Vec<Alarm>,
}

/// An alert that is due.
#[derive(Debug, Clone)]
struct Alarm {
    event: EventId,
    uses: u64,
    last: Interception,
}

impl Recorder {
    fn take(&mut self, one: Use) {
        let alike = (one.key, one.attempted, one.method.clone(), one.path.clone(), one.reason, one.refused);
        let line = self.new.entry(alike).or_insert_with(|| Interception {
            id: InterceptionId::at(one.at),
            at: one.at,
            key: one.key,
            masked: one.masked,
            bound: one.bound,
            attempted: one.attempted.to_string(),
            method: one.method,
            path: one.path,
            reason: one.reason,
            refused: one.refused,
            uses: 0,
        });
        line.uses += 1;
    }

    async fn flush(&mut self) {
        let new: Vec<_> = std::mem::take(&mut self.new).into_values().collect();
        for line in &new {
            let Interception { masked, bound, attempted, method, path, refused, uses, .. } = line;
            let reason = line.reason.as_str();
            tracing::warn!(
                key = masked,
                bound,
                attempted,
                method,
                path,
                reason,
                refused,
                uses,
                "a key was used from elsewhere"
            );
        }
        self.sound(&new).await;
        self.unwritten.extend(new);
        self.write().await;
        for alarm in std::mem::take(&mut self.unsent) {
            if let Err(error) = self.push(&alarm).await {
                tracing::warn!("an alert of the gateway waits for the queue: {error}");
                if self.unsent.len() < ALERTS_WAITING_MAX {
                    self.unsent.push(alarm);
                }
            }
        }
    }

    /// Counts the uses of each key over all processes; the one that reaches the threshold is an alert.
    async fn sound(&mut self, lines: &[Interception]) {
        let mut by_key = HashMap::<KeyHash, (u64, &Interception)>::new();
        for line in lines {
            let of_key = by_key.entry(line.key).or_insert((0, line));
            of_key.0 += u64::try_from(line.uses).unwrap_or_default();
            of_key.1 = line;
        }
        let rules = self.guard.rules();
        for (key, (uses, last)) in by_key {
            let name = format!("gwi:{}:{}", self.guard.tenant, hex(&key.0[..24]));
            match self.guard.queue.add_up(&name, uses, rules.alert_window).await {
                Ok(sum) if sum >= rules.alert_threshold && sum - uses < rules.alert_threshold => {
                    let alarm = Alarm { event: EventId::at(self.guard.clock.now_ms()), uses: sum, last: last.clone() };
                    self.post(&alarm).await;
                    self.unsent.push(alarm);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!("counting interceptions: {error}"),
            }
        }
    }

    async fn write(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let written = async {
            let Some(store) = self.guard.store.load_full() else { return Ok(false) };
            let mut tx = store.begin().await?;
            interceptions::insert(&mut tx, self.guard.tenant, &self.unwritten).await?;
            usage::add(&mut tx, self.guard.tenant, &of_days(&self.unwritten)).await?;
            tx.commit().await?;
            anyhow::Ok(true)
        };
        match written.await {
            Ok(true) => return self.unwritten.clear(),
            Ok(false) => {}
            Err(error) => tracing::warn!("interceptions wait for the store: {error}"),
        }
        let excess = self.unwritten.len().saturating_sub(WAITING_MAX);
        metrics::counter!("watchbell_gateway_unlogged_interceptions_total").increment(excess as u64);
        self.unwritten.drain(..excess);
    }

    async fn push(&self, alarm: &Alarm) -> Result<(), QueueError> {
        let tenant = self.guard.tenant;
        let head = IntakeHead {
            event: alarm.event,
            tenant,
            received_at: self.guard.clock.now_ms(),
            peer: alarm.last.attempted.parse().ok(),
            channel: None,
            content: Content::Item(alarm.item()),
        };
        let payload = AlertPayload { head, raw: Bytes::from(alarm.json().to_string()) };
        let job = JobId::from_uuid(alarm.event.uuid());
        let job = NewJob::new(job, tenant, Some(alarm.event), SOURCE, payload.encode());
        self.guard.queue.push(QueueName::Intake, vec![job]).await.map(drop)
    }

    /// Posts to the plain webhook, once: the alert itself takes the safe way.
    async fn post(&self, alarm: &Alarm) {
        let url = self.guard.settings.alert_webhook.expose_secret();
        if url.is_empty() {
            return;
        }
        let sent = self.webhook.post(url).timeout(WEBHOOK_TIMEOUT).json(&alarm.json()).send().await;
        match sent.and_then(outbound::Response::error_for_status) {
            Ok(_) => {}
            Err(error) => tracing::warn!("posting to gateway.alert_webhook: {}", outbound::explain(error)),
        }
    }
}

/// The uses of each key on each day, in one order in all processes: rows are locked until the commit.
fn of_days(lines: &[Interception]) -> Vec<Day> {
    let mut uses = BTreeMap::<(i64, KeyHash), i64>::new();
    for line in lines {
        *uses.entry((usage::day_of(line.at), line.key)).or_default() += line.uses;
    }
    let day = |((day, key), intercepted)| Day { day, key: Some(key), allowed: 0, intercepted };
    uses.into_iter().map(day).collect()
}

impl Alarm {
    fn item(&self) -> Item {
        let Interception { masked, bound, attempted, method, path, .. } = &self.last;
        let verb = if self.last.refused { "refused" } else { "observed" };
        let uses = self.uses;
        let labels = [("key", masked), ("bound", bound), ("attempted", attempted), ("method", method), ("path", path)];
        Item {
            source: SOURCE.to_owned(),
            key: Some(self.last.key.to_string()),
            title: format!("Key {masked} is used from elsewhere"),
            text: format!(
                "{uses} uses of the key {masked} were {verb}. It is bound to {bound}; the last attempt came from \
                 {attempted}: {method} {path}"
            ),
            severity: Some(Severity::Error),
            status: Some(Status::Firing),
            system: Some("key-gateway".to_owned()),
            category: Some("security".to_owned()),
            from: None,
            labels: labels.map(|(name, value)| (name.to_owned(), value.clone())).into(),
        }
    }

    fn json(&self) -> serde_json::Value {
        let Interception { at, masked, bound, attempted, method, path, reason, refused, .. } = &self.last;
        json!({
            "event_id": self.event.to_string(), "source": SOURCE, "interceptions": self.uses, "key": masked,
            "bound": bound, "attempted": attempted, "method": method, "path": path, "reason": reason.as_str(),
            "refused": refused, "at": at,
        })
    }
}
