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

/// What a channel gets about an event: decides the names of the delivery, its place in the books and its look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The channel's own message: in full, and in the books of the event.
    Message,
    /// Better words about a message that the channel has: short, and outside the books, for they count the message.
    Update,
}

/// The job that delivers an alert to a channel. The same event, channel and part always give the same names.
pub(crate) fn delivery(lease: &Lease, channel: ChannelId, alert: Alert, seen: Seen, part: Part) -> NewJob {
    let (event, id) = (alert.event.id.uuid(), channel.0.to_be_bytes());
    let (kind, books): (&[u8], _) = match part {
        Part::Message => (b"deliver", lease.event),
        Part::Update => (b"update", None),
    };
    let order = format!("{channel}:{}", alert.id);
    let delivery = delivery_id(alert.event.id, channel, part);
    let [lane, critical, updates] = DeliverPayload::lanes(channel);
    let lane = match part {
        _ if alert.analysis.severity == Severity::Critical => critical,
        Part::Message => lane,
        Part::Update => updates,
    };
    let Seen { count, since } = seen;
    let update = part == Part::Update;
    let payload = DeliverPayload { delivery, channel, alert, count, since, update }.encode();
    let job = JobId::derived(&[kind, event.as_bytes(), &id]);
    NewJob { order: Some(order), ..NewJob::new(job, lease.tenant, books, lane, payload) }
}

/// Names one part of an event on its way to one channel.
pub(crate) fn delivery_id(event: EventId, channel: ChannelId, part: Part) -> DeliveryId {
    let (event, channel) = (event.uuid(), channel.0.to_be_bytes());
    let kind: &[u8] = match part {
        Part::Message => b"",
        Part::Update => b"update",
    };
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
