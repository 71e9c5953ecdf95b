//! The enrich step: the model's late answer follows the messages that already went out.
//!
//! A route job that leaves while a model is still asked about its alert also queues a job here, in the same step, so
//! that nobody has to remember what was sent where. That job looks for the answer until it is there or cannot come
//! any more.

use std::time::Duration;

use watchbell_common::{
    alert::Alert,
    answers::{self, Found},
    clock::UnixMillis,
    config::Snapshot,
    ids::JobId,
    payload::{EnrichPayload, Payload as _},
    queue::{Lease, NewJob, Queue, QueueName, Scope, Verdict, worker::Outcome},
    routing::Routing,
};

use crate::jobs::{Seen, bury, delivery, not_yet};

/// How often an answer is looked for. A model takes seconds, and a message that already went out is in no hurry.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The job that looks for the answer about an alert that goes out now.
pub(crate) fn awaiting(lease: &Lease, alert: Alert, routing: &Routing, answer_by: UnixMillis) -> NewJob {
    let id = JobId::derived(&[b"enrich", alert.event.id.uuid().as_bytes()]);
    let Seen { count, since } = Seen::by(lease);
    let payload = EnrichPayload { alert, count, since, channels: routing.channels.clone(), answer_by };
    // Outside the books: the event ends with the message that goes out.
    let job = NewJob::new(id, lease.tenant, None, format!("t{}", lease.tenant), payload.encode());
    NewJob { delay: LOOK_EVERY, ..job }
}

/// One update per channel that has the message and still exists, and per channel that the answer's severity adds.
pub(crate) async fn step(queue: &dyn Queue, snapshot: &Snapshot, lease: &Lease, now_ms: UnixMillis) -> Outcome {
    let payload = match EnrichPayload::decode(&lease.payload) {
        Ok(payload) => payload,
        Err(error) => return bury(lease, now_ms, error.to_string()),
    };
    if snapshot.version == 0 {
        return not_yet();
    }
    let follow_ups = match answers::find(queue, payload.alert.event.id).await {
        Ok(Found::Answer(refined)) => {
            let tenant = snapshot.tenants.get(&lease.tenant);
            let routing = tenant.map(|tenant| tenant.route_with(&payload.alert, Some(&refined), now_ms));
            routing.map(|routing| updates(snapshot, lease, payload, routing)).unwrap_or_default()
        }
        Ok(Found::Nothing) | Err(_) if now_ms < payload.answer_by => {
            return Outcome { verdict: Verdict::Defer { after: LOOK_EVERY, scope: Scope::Job }, facts: Vec::new() };
        }
        Ok(Found::Nothing | Found::NoAnswer) | Err(_) => Vec::new(),
    };
    Outcome { verdict: Verdict::Complete { follow_ups, ending: None }, facts: Vec::new() }
}

fn updates(snapshot: &Snapshot, lease: &Lease, payload: EnrichPayload, routing: Routing) -> Vec<(QueueName, NewJob)> {
    let EnrichPayload { mut alert, count, since, mut channels, .. } = payload;
    // A silence that came meanwhile holds for updates too.
    if routing.silenced.is_some() {
        return Vec::new();
    }
    channels.extend(routing.raised.iter().filter(|raised| !channels.contains(raised)).copied().collect::<Vec<_>>());
    channels.retain(|&channel| snapshot.channel(lease.tenant, channel).is_some_and(|open| open.channel.enabled));
    if let Some(analysis) = routing.analysis {
        alert.analysis = analysis;
    }
    let update = |channel| (QueueName::Deliver, delivery(lease, channel, alert.clone(), Seen { count, since }, true));
    channels.into_iter().map(update).collect()
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        alert::{Analysis, Origin, Severity},
        config::{Match, Silence},
        ids::{ChannelId, SilenceId},
        payload::DeliverPayload,
    };

    use super::*;
    use crate::{
        jobs::delivery_id,
        testing::{self, NOW, OPS, SINK},
    };

    const TTL: Duration = Duration::from_mins(1);

    fn awaiting_lease() -> Lease {
        let alert = testing::alert();
        let channels = vec![SINK, ChannelId(99)];
        let payload = EnrichPayload { alert: alert.clone(), count: 5, since: Some(NOW), channels, answer_by: NOW + 1 };
        testing::lease(QueueName::Enrich, &alert, payload.encode())
    }

    fn refined() -> Analysis {
        let words = "the model's words".to_owned();
        Analysis { summary: words, severity: Severity::Info, origin: Origin::Model, ..testing::alert().analysis }
    }

    async fn updates(snapshot: &Snapshot) -> Vec<NewJob> {
        let (test, lease) = (testing::queue(), awaiting_lease());
        answers::leave(&*test.queue, testing::alert().event.id, Some(&refined()), TTL).await.unwrap();
        let outcome = step(&*test.queue, snapshot, &lease, NOW).await;
        let Verdict::Complete { follow_ups, ending: None } = outcome.verdict else { panic!("{outcome:?}") };
        follow_ups.into_iter().map(|(_, job)| job).collect()
    }

    #[tokio::test]
    async fn an_update_follows_its_message_outside_the_books() {
        let jobs = updates(&testing::snapshot(&testing::document())).await;
        let [job] = &jobs[..] else { panic!("{jobs:?}") };
        let payload = DeliverPayload::decode(&job.payload).unwrap();
        let event = testing::alert().event.id;
        assert_eq!((payload.channel, payload.update, payload.count, job.event), (SINK, true, 5, None));
        assert_eq!(payload.alert.analysis.severity, Severity::Critical, "a rule said so");
        assert_eq!(payload.alert.analysis.summary, "the model's words");
        assert_eq!(payload.delivery, delivery_id(event, SINK, true));
        assert_ne!(payload.delivery, delivery_id(event, SINK, false));
        assert_ne!(payload.delivery, delivery_id(event, OPS, true));
    }

    #[tokio::test]
    async fn a_silence_that_came_meanwhile_holds_for_updates_too() {
        let mut document = testing::document();
        let silence =
            Silence { id: SilenceId(1), matcher: Match::default(), expires_at: NOW + 1, comment: String::new() };
        document.tenants[0].silences.push(silence);
        assert!(updates(&testing::snapshot(&document)).await.is_empty());
    }

    #[tokio::test]
    async fn it_looks_until_the_answer_cannot_come_any_more() {
        let (test, lease) = (testing::queue(), awaiting_lease());
        let snapshot = testing::snapshot(&testing::document());
        let outcome = step(&*test.queue, &snapshot, &lease, NOW).await;
        assert!(matches!(outcome.verdict, Verdict::Defer { scope: Scope::Job, .. }), "{outcome:?}");
        let done = |outcome: &Outcome| matches!(&outcome.verdict, Verdict::Complete { follow_ups, ending: None } if follow_ups.is_empty());
        assert!(done(&step(&*test.queue, &snapshot, &lease, NOW + 1).await), "its time is over");
        answers::leave(&*test.queue, testing::alert().event.id, None, TTL).await.unwrap();
        assert!(done(&step(&*test.queue, &snapshot, &lease, NOW).await), "there is none");
    }
}
