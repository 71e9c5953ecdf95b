//! The deliver step: one attempt to bring one event to one channel.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::timeout;
use watchbell_channels::{KEEP_MAX_BYTES, Kept, Message, Receipt, SendError, TemplateFailure};
use watchbell_common::{
    alert::Severity,
    clock::Clock,
    config::{ConfigCell, OpenChannel},
    ids::{AlertId, ChannelId, DeliveryId, EventId},
    payload::{AttemptOutcome, DeliverPayload, Payload as _, What},
    queue::{Ending, Lease, Queue, QueueError, Scope, Slot, Verdict, worker::Outcome},
};

use crate::{
    holds::Holds,
    jobs::{bury, fact, not_yet},
    retry::{After, decide_after, decide_in_drill},
    senders::{Sender, Senders},
};

/// Channels keep the time limit themselves and can then say more; past it and this, we stop waiting for them.
const GRACE: Duration = Duration::from_secs(2);

/// How long it is known which message an alert has in a channel. Platforms let messages be edited for two days
/// (Telegram) to for ever; an alert that comes after a week deserves a fresh one.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// What the step needs.
pub(crate) struct Deliver {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) config: Arc<ConfigCell>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) holds: Holds,
    pub(crate) senders: Senders,
    /// How long one attempt may take.
    pub(crate) timeout: Duration,
}

/// What the facts of one attempt have in common.
struct Attempt {
    event: EventId,
    delivery: DeliveryId,
    channel: ChannelId,
    number: u32,
}

impl Deliver {
    /// Makes one attempt.
    pub(crate) async fn step(&self, lease: &Lease) -> Outcome {
        let payload = match DeliverPayload::decode(&lease.payload) {
            Ok(payload) => payload,
            Err(error) => return bury(lease, self.clock.now_ms(), error.to_string()),
        };
        let attempt = Attempt {
            event: payload.alert.event.id,
            delivery: payload.delivery,
            channel: payload.channel,
            number: lease.attempts.saturating_add(1),
        };
        let snapshot = self.config.load();
        if snapshot.version == 0 {
            return not_yet();
        }
        let (open, sender) = match self.senders.get(&snapshot, lease.tenant, payload.channel) {
            Ok(found) => found,
            Err(reason) => {
                let verdict = Verdict::Bury { reason: reason.clone() };
                return self.failed(lease, &attempt, After { verdict, outcome: AttemptOutcome::Dead, detail: reason });
            }
        };
        if snapshot.in_drill(payload.channel, self.clock.now_ms()) {
            return self.failed(lease, &attempt, decide_in_drill(lease.attempts));
        }
        let critical = payload.alert.analysis.severity == Severity::Critical;
        let note = sender.kind.remembers.then(|| note(payload.channel, payload.alert.id));
        let Ok(last) = self.last_message(note.as_deref()).await else { return not_yet() };
        let (received_at, update) = (payload.alert.event.received_at, payload.update);
        let message = self.message(&sender, &open, payload);
        let calls = sender.channel.calls(&message, last.as_ref());
        if let Some(wait) = self.wait_for_turn(&open, &sender, critical, calls).await {
            return wait;
        }
        match self.send(&sender, &message, last.as_ref()).await {
            Ok(mut receipt) => {
                if !update {
                    let millis = u32::try_from(self.clock.now_ms().saturating_sub(received_at)).unwrap_or_default();
                    metrics::histogram!("watchbell_delivery_seconds", "platform" => sender.kind.id)
                        .record(f64::from(millis) / 1_000.0);
                }
                if let (Some(note), Some(keep)) = (note, receipt.keep.take()) {
                    self.keep(&note, &keep).await;
                }
                self.delivered(lease, &attempt, receipt, update)
            }
            Err(error) => {
                if let SendError::RateLimited { retry_after, .. } = &error {
                    self.holds.begin(open.channel.id, &sender.paces, *retry_after).await;
                }
                let after = decide_after(lease.attempts, error, rand::random_range(-1.0..=1.0));
                self.failed(lease, &attempt, after)
            }
        }
    }

    /// Writes the message, and tells the operator when a template failed; the message tells its readers.
    fn message(&self, sender: &Sender, open: &OpenChannel, payload: DeliverPayload) -> Message {
        let (message, failure) = sender.voice.message(payload, self.clock.now_ms());
        if let Some(TemplateFailure { template, reason }) = failure {
            tracing::warn!(channel.name = open.channel.name, "the template `{template}` failed: {reason}");
        }
        message
    }

    /// Waits as long as the platform wants to be left alone. Then takes a slot of the channel's rate, and one for each
    /// call of each of the platform's; when one has too few, the lane waits for them.
    async fn wait_for_turn(&self, open: &OpenChannel, sender: &Sender, critical: bool, calls: u32) -> Option<Outcome> {
        let wait = match self.holds.left(open.channel.id, &sender.paces).await {
            Ok(Duration::ZERO) => self.take_slots(open, sender, critical, calls).await,
            held => held,
        };
        match wait {
            Ok(Duration::ZERO) => None,
            Ok(after) => Some(Outcome { verdict: Verdict::Defer { after, scope: Scope::Lane }, facts: Vec::new() }),
            Err(error) => {
                tracing::warn!(channel.name = open.channel.name, "cannot ask for a slot: {error}");
                Some(not_yet())
            }
        }
    }

    /// Takes all slots or none, and says how long until they are free. What is not critical leaves a slot for what is.
    async fn take_slots(
        &self,
        open: &OpenChannel,
        sender: &Sender,
        critical: bool,
        calls: u32,
    ) -> Result<Duration, QueueError> {
        let slot = |key: &str, per_minute, burst: u32, count: u32| {
            let reserve = u32::from(!critical && burst > 1);
            // More than a platform ever lets through at once would wait for ever.
            Slot { key: key.to_owned(), per_minute, burst, reserve, count: count.min(burst - reserve) }
        };
        let paces = sender.paces.iter().filter(|_| calls > 0);
        let mut slots: Vec<_> = paces.map(|pace| slot(&pace.key, pace.per_minute, pace.burst, calls)).collect();
        if let per_minute @ 1.. = open.channel.rate_per_min {
            slots.push(slot(&format!("c{}", open.channel.id), per_minute, per_minute, 1));
        }
        if slots.is_empty() { Ok(Duration::ZERO) } else { self.queue.take_slots(&slots).await }
    }

    /// What the channel kept of the last message about the alert. One that cannot be read is as good as none.
    async fn last_message(&self, note: Option<&str>) -> Result<Option<Kept>, QueueError> {
        let Some(note) = note else { return Ok(None) };
        let kept = self.queue.recall(note).await;
        let kept = kept.inspect_err(|error| tracing::warn!("cannot ask for the last message: {error}"))?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }

    async fn keep(&self, note: &str, keep: &Kept) {
        let value = keep.to_string();
        if value.len() > KEEP_MAX_BYTES {
            return tracing::error!(bytes = value.len(), "a channel wants to keep too much of a message");
        }
        // The message is out. Without this note, the next one about the alert is a fresh one.
        if let Err(error) = self.queue.remember(note, value.into(), KEPT_FOR).await {
            tracing::warn!("cannot keep what the next message would need: {error}");
        }
    }

    async fn send(&self, sender: &Sender, message: &Message, last: Option<&Kept>) -> Result<Receipt, SendError> {
        let started = Instant::now();
        let result = timeout(self.timeout + GRACE, sender.channel.send(message, last)).await.unwrap_or_else(|_| {
            let detail = format!("not done within {:?}", self.timeout);
            Err(SendError::Transient { detail, retry_after: None, ambiguous: true })
        });
        let (platform, outcome) = (sender.kind.id, result.as_ref().err().map_or("delivered", SendError::class));
        metrics::histogram!("watchbell_attempt_seconds", "platform" => platform)
            .record(started.elapsed().as_secs_f64());
        metrics::counter!("watchbell_deliveries_total", "platform" => platform, "outcome" => outcome).increment(1);
        result
    }

    fn delivered(&self, lease: &Lease, attempt: &Attempt, receipt: Receipt, update: bool) -> Outcome {
        tracing::debug!(delivery.id = %attempt.delivery, attempt.number, "delivered: {}", receipt.detail);
        let mut detail = match receipt.provider_id {
            Some(id) => format!("{} ({id})", receipt.detail),
            None => receipt.detail,
        };
        if lease.lapses > 0 {
            detail = format!("possibly duplicated, since a worker vanished with it: {detail}");
        }
        // An update is no part of the books.
        let ending = (!update).then_some(Ending::Delivered);
        Outcome {
            verdict: Verdict::Complete { follow_ups: Vec::new(), ending },
            facts: vec![self.fact(lease, attempt, AttemptOutcome::Delivered, detail)],
        }
    }

    fn failed(&self, lease: &Lease, attempt: &Attempt, after: After) -> Outcome {
        let After { verdict, outcome, detail } = after;
        let id = attempt.delivery;
        if outcome == AttemptOutcome::Dead {
            tracing::warn!(delivery.id = %id, lane = lease.lane, attempt.number, "became a dead letter: {detail}");
        } else {
            tracing::info!(delivery.id = %id, lane = lease.lane, attempt.number, "not delivered yet: {detail}");
        }
        Outcome { verdict, facts: vec![self.fact(lease, attempt, outcome, detail)] }
    }

    fn fact(&self, lease: &Lease, attempt: &Attempt, outcome: AttemptOutcome, detail: String) -> bytes::Bytes {
        let &Attempt { event, delivery, channel, number } = attempt;
        let what = What::Attempt { delivery, channel, number, outcome, detail };
        fact(lease.tenant, event, self.clock.now_ms(), what)
    }
}

/// Where it is noted what a channel kept of the last message about an alert.
fn note(channel: ChannelId, alert: AlertId) -> String {
    format!("k{channel}:{alert}")
}

#[cfg(test)]
mod tests;
