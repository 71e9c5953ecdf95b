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

use super::{Door, Keeper};
use crate::{
    alert::{Severity, Status},
    binding::{Reason, token::KeyHash},
    clock::UnixMillis,
    crypto::hex,
    ids::{EventId, InterceptionId, JobId, TenantId},
    outbound,
    payload::{AlertPayload, Content, IntakeHead, Item, Payload as _},
    queue::{NewJob, QueueError, QueueName},
    store::{
        StoreError,
        interceptions::{self, Interception},
        usage::{self, Day},
    },
};

/// How often they are written. Those of this time that differ only in it share a line.
const FLUSH: Duration = Duration::from_secs(1);

/// Lines that wait for a store that is away. More are only in the log of the process.
const WAITING_MAX: usize = 10_000;

/// Alerts that wait for a queue that is away.
const ALERTS_WAITING_MAX: usize = 100;

/// How long the plain webhook may take.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// One use that was intercepted.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) tenant: TenantId,
    pub(super) at: UnixMillis,
    pub(super) key: KeyHash,
    pub(super) masked: String,
    pub(super) bound: String,
    pub(super) attempted: IpAddr,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) reason: Reason,
    pub(super) refused: bool,
}

/// Uses with the same of these share a line.
type Alike = (KeyHash, IpAddr, String, String, Reason, bool);

/// Writes what comes until all requests have `ended`, and then the rest.
pub(super) async fn run(
    keeper: Arc<Keeper>,
    mut waiting: mpsc::Receiver<Use>,
    ended: CancellationToken,
) -> anyhow::Result<()> {
    let mut recorder = Recorder {
        keeper,
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
            () = ended.cancelled() => break,
        }
    }
    while let Ok(one) = waiting.try_recv() {
        recorder.take(one);
    }
    recorder.flush().await;
    Ok(())
}

struct Recorder {
    keeper: Arc<Keeper>,
    webhook: outbound::Client,
    new: HashMap<Alike, Line>,
    unwritten: Vec<Line>,
    unsent: Vec<Alarm>,
}

/// A line of a tenant's log.
#[derive(Debug, Clone)]
struct Line {
    tenant: TenantId,
    interception: Interception,
}

/// An alert that is due.
#[derive(Debug, Clone)]
struct Alarm {
    door: Door,
    tenant: TenantId,
    event: EventId,
    uses: u64,
    last: Interception,
}

impl Recorder {
    fn take(&mut self, one: Use) {
        let alike = (one.key, one.attempted, one.method.clone(), one.path.clone(), one.reason, one.refused);
        let interception = || Interception {
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
        };
        let line = self.new.entry(alike);
        let line = line.or_insert_with(|| Line { tenant: one.tenant, interception: interception() });
        line.interception.uses += 1;
    }

    async fn flush(&mut self) {
        let new: Vec<_> = std::mem::take(&mut self.new).into_values().collect();
        for Line { interception, .. } in &new {
            let Interception { masked, bound, attempted, method, path, reason, refused, uses, .. } = interception;
            let (source, reason) = (self.keeper.door.source, reason.as_str());
            tracing::warn!(
                source,
                key = masked,
                bound,
                attempted,
                method,
                path,
                reason,
                refused,
                uses,
                "a secret was used from elsewhere"
            );
        }
        self.sound(&new).await;
        self.unwritten.extend(new);
        self.write().await;
        for alarm in std::mem::take(&mut self.unsent) {
            if let Err(error) = self.push(&alarm).await {
                tracing::warn!("an alert about a bound secret waits for the queue: {error}");
                if self.unsent.len() < ALERTS_WAITING_MAX {
                    self.unsent.push(alarm);
                }
            }
        }
    }

    /// Counts the uses of each secret over all processes; the one that reaches the threshold is an alert.
    async fn sound(&mut self, lines: &[Line]) {
        let mut by_key = HashMap::<KeyHash, (u64, &Line)>::new();
        for line in lines {
            let of_key = by_key.entry(line.interception.key).or_insert((0, line));
            of_key.0 += u64::try_from(line.interception.uses).unwrap_or_default();
            of_key.1 = line;
        }
        let keeper = &self.keeper;
        let rules = keeper.rules();
        let mut due = Vec::new();
        for (key, (uses, Line { tenant, interception })) in by_key {
            let name = format!("gwi:{tenant}:{}", hex(&key.0[..24]));
            let more = i64::try_from(uses).unwrap_or(i64::MAX);
            match keeper.queue.add_up(&name, more, rules.alert_window).await {
                Ok(sum) if sum >= rules.alert_threshold && sum - uses < rules.alert_threshold => due.push(Alarm {
                    door: keeper.door,
                    tenant: *tenant,
                    event: EventId::at(keeper.clock.now_ms()),
                    uses: sum,
                    last: interception.clone(),
                }),
                Ok(_) => {}
                Err(error) => tracing::warn!("counting interceptions: {error}"),
            }
        }
        for alarm in due {
            self.post(&alarm).await;
            self.unsent.push(alarm);
        }
    }

    async fn write(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        match self.write_to_store().await {
            Ok(true) => return self.unwritten.clear(),
            Ok(false) => {}
            Err(error) => tracing::warn!("interceptions wait for the store: {error}"),
        }
        let excess = self.unwritten.len().saturating_sub(WAITING_MAX);
        metrics::counter!("watchbell_gateway_unlogged_interceptions_total").increment(excess as u64);
        self.unwritten.drain(..excess);
    }

    /// `false`: there is no store yet.
    async fn write_to_store(&self) -> Result<bool, StoreError> {
        let Some(store) = self.keeper.store.load_full() else { return Ok(false) };
        let mut by_tenant = BTreeMap::<TenantId, Vec<Interception>>::new();
        for Line { tenant, interception } in &self.unwritten {
            by_tenant.entry(*tenant).or_default().push(interception.clone());
        }
        let mut tx = store.begin().await?;
        for (tenant, lines) in by_tenant {
            interceptions::insert(&mut tx, tenant, &lines).await?;
            usage::add(&mut tx, tenant, &of_days(&lines)).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn push(&self, alarm: &Alarm) -> Result<(), QueueError> {
        let tenant = alarm.tenant;
        let head = IntakeHead {
            event: alarm.event,
            tenant,
            received_at: self.keeper.clock.now_ms(),
            peer: alarm.last.attempted.parse().ok(),
            channel: None,
            content: Content::Item(alarm.item()),
        };
        let payload = AlertPayload { head, raw: Bytes::from(alarm.json().to_string()) };
        let job = JobId::from_uuid(alarm.event.uuid());
        let job = NewJob::new(job, tenant, Some(alarm.event), alarm.door.source, payload.encode());
        self.keeper.queue.push(QueueName::Intake, vec![job]).await.map(drop)
    }

    /// Posts to the plain webhook, once: the alert itself takes the safe way.
    async fn post(&self, alarm: &Alarm) {
        let url = self.keeper.settings.alert_webhook.expose_secret();
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

/// The uses of all secrets and of each on each day, in one order in all processes: rows are locked until the commit.
fn of_days(lines: &[Interception]) -> Vec<Day> {
    let mut uses = BTreeMap::<(i64, Option<KeyHash>), i64>::new();
    for line in lines {
        let day = usage::day_of(line.at);
        *uses.entry((day, None)).or_default() += line.uses;
        *uses.entry((day, Some(line.key))).or_default() += line.uses;
    }
    let day = |((day, key), intercepted)| Day { day, key, allowed: 0, intercepted };
    uses.into_iter().map(day).collect()
}

impl Alarm {
    fn item(&self) -> Item {
        let Interception { masked, bound, attempted, method, path, .. } = &self.last;
        let verb = if self.last.refused { "refused" } else { "observed" };
        let uses = self.uses;
        let labels = [("key", masked), ("bound", bound), ("attempted", attempted), ("method", method), ("path", path)];
        Item {
            source: self.door.source.to_owned(),
            key: Some(self.last.key.to_string()),
            title: format!("{} {masked} is used from elsewhere", self.door.binds),
            text: format!(
                "{uses} uses of {masked} were {verb}. It is bound to {bound}; the last attempt came from \
                 {attempted}: {method} {path}"
            ),
            severity: Some(Severity::Error),
            status: Some(Status::Firing),
            system: Some(self.door.system.to_owned()),
            category: Some("security".to_owned()),
            from: None,
            labels: labels.map(|(name, value)| (name.to_owned(), value.clone())).into(),
        }
    }

    fn json(&self) -> serde_json::Value {
        let Interception { at, masked, bound, attempted, method, path, reason, refused, .. } = &self.last;
        json!({
            "event_id": self.event.to_string(), "source": self.door.source, "interceptions": self.uses, "key": masked,
            "bound": bound, "attempted": attempted, "method": method, "path": path, "reason": reason.as_str(),
            "refused": refused, "at": at,
        })
    }
}
