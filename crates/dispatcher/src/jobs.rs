//! What the steps have in common: how deliveries are named, and the outcomes that are the same everywhere.

use std::time::Duration;

use bytes::Bytes;
use watchbell_common::{
    alert::{Alert, Severity},
    clock::UnixMillis,
    ids::{ChannelId, DeliveryId, EventId, JobId, TenantId},
    payload::{DeliverPayload, Fact, FactHead, Payload as _, What},
    queue::{Lease, NewJob, Scope, Verdict, worker::Outcome},
};

/// How long a job waits for something of ours that is not there yet: a configuration, the queue.
const NOT_YET: Duration = Duration::from_secs(1);

/// How often an alert was seen, and since when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) count: u64,
    pub(crate) since: Option<UnixMillis>,
}

impl Seen {
    /// As the queue counted.
    pub(crate) fn by(lease: &Lease) -> Self {
        Self { count: lease.count, since: (lease.since > 0).then_some(lease.since) }
    }
}

/// The job that delivers an alert to a channel. The same event and channel always give the same names.
pub(crate) fn delivery(lease: &Lease, channel: ChannelId, alert: Alert, seen: Seen, update: bool) -> NewJob {
    let (event, id) = (alert.event.id.uuid(), channel.0.to_be_bytes());
    let kind: &[u8] = if update { b"update" } else { b"deliver" };
    // An update is no part of the books: the event already ended with the message that it follows.
    let books = if update { None } else { lease.event };
    let order = format!("{channel}:{}", alert.id);
    let delivery = delivery_id(alert.event.id, channel, update);
    let [lane, critical] = DeliverPayload::lanes(channel);
    let lane = if alert.analysis.severity == Severity::Critical { critical } else { lane };
    let Seen { count, since } = seen;
    let payload = DeliverPayload { delivery, channel, alert, count, since, update }.encode();
    let job = JobId::derived(&[kind, event.as_bytes(), &id]);
    NewJob { order: Some(order), ..NewJob::new(job, lease.tenant, books, lane, payload) }
}

/// Names one event on its way to one channel.
pub(crate) fn delivery_id(event: EventId, channel: ChannelId, update: bool) -> DeliveryId {
    let (event, channel) = (event.uuid(), channel.0.to_be_bytes());
    let kind: &[u8] = if update { b"update" } else { b"" };
    DeliveryId::derived(&[event.as_bytes(), &channel, kind])
}

/// A fact, ready to queue.
pub(crate) fn fact(tenant: TenantId, event: EventId, at: UnixMillis, what: What) -> Bytes {
    Fact { head: FactHead { tenant, event, at, what }, raw: Bytes::new() }.encode()
}

/// Not now, and not an attempt.
pub(crate) fn not_yet() -> Outcome {
    Outcome { verdict: Verdict::Defer { after: NOT_YET, scope: Scope::Job }, facts: Vec::new() }
}

/// Gives up on a job that never became a delivery.
pub(crate) fn bury(lease: &Lease, now_ms: UnixMillis, reason: String) -> Outcome {
    tracing::warn!(job.id = %lease.token.job, queue = %lease.token.queue, "gave up on a job: {reason}");
    let buried = |event| fact(lease.tenant, event, now_ms, What::Buried { reason: reason.clone() });
    let facts = lease.event.map(buried).into_iter().collect();
    Outcome { verdict: Verdict::Bury { reason }, facts }
}
