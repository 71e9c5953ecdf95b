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
    ids::{ChannelId, JobId},
    payload::{EnrichPayload, Payload as _, What},
    queue::{Lease, NewJob, Queue, QueueName, Scope, Verdict, worker::Outcome},
    routing::Routing,
};

use crate::jobs::{Seen, bury, delivery, delivery_id, fact, not_yet};

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

/// One update per channel that has the message and still exists, and per channel that the answer's severity adds. The
/// history hears what the answer was even where nobody gets an update.
pub(crate) async fn step(queue: &dyn Queue, snapshot: &Snapshot, lease: &Lease, now_ms: UnixMillis) -> Outcome {
    let payload = match EnrichPayload::decode(&lease.payload) {
        Ok(payload) => payload,
        Err(error) => return bury(lease, now_ms, error.to_string()),
    };
    if snapshot.version == 0 {
        return not_yet();
    }
    let nothing = Verdict::Complete { follow_ups: Vec::new(), ending: None };
    match answers::find(queue, payload.alert.event.id).await {
        Ok(Found::Answer(refined)) => match snapshot.tenants.get(&lease.tenant) {
            Some(tenant) => {
                let routing = tenant.route_with(&payload.alert, Some(&refined), now_ms);
                updates(snapshot, lease, payload, routing, now_ms)
            }
            None => Outcome { verdict: nothing, facts: Vec::new() },
        },
        Ok(Found::Nothing) | Err(_) if now_ms < payload.answer_by => {
            Outcome { verdict: Verdict::Defer { after: LOOK_EVERY, scope: Scope::Job }, facts: Vec::new() }
        }
        Ok(Found::Nothing | Found::NoAnswer) | Err(_) => Outcome { verdict: nothing, facts: Vec::new() },
    }
}

fn updates(
    snapshot: &Snapshot,
    lease: &Lease,
    payload: EnrichPayload,
    routing: Routing,
    now_ms: UnixMillis,
) -> Outcome {
    let EnrichPayload { mut alert, count, since, mut channels, .. } = payload;
    channels.extend(routing.raised.iter().filter(|raised| !channels.contains(raised)).copied().collect::<Vec<_>>());
    // A silence that came meanwhile holds for updates too.
    let gets_it = |&channel: &ChannelId| {
        routing.silenced.is_none() && snapshot.channel(lease.tenant, channel).is_some_and(|open| open.channel.enabled)
    };
    channels.retain(gets_it);
    if let Some(analysis) = &routing.analysis {
        alert.analysis = analysis.clone();
    }
    let event = alert.event.id;
    let what = What::Enriched {
        alert: alert.id,
        reasons: routing.reasons,
        deliveries: channels.iter().map(|&channel| (delivery_id(event, channel, true), channel)).collect(),
        analysis: alert.analysis.clone(),
    };
    let update = |channel| (QueueName::Deliver, delivery(lease, channel, alert.clone(), Seen { count, since }, true));
    Outcome {
        verdict: Verdict::Complete { follow_ups: channels.into_iter().map(update).collect(), ending: None },
        facts: vec![fact(lease.tenant, event, now_ms, what)],
    }
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        alert::{Analysis, Origin, Severity},
        config::{Match, Silence},
        ids::SilenceId,
        payload::{DeliverPayload, Fact},
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

    /// The updates, and what the history hears.
    async fn updates(snapshot: &Snapshot) -> (Vec<NewJob>, What) {
        let (test, lease) = (testing::queue(), awaiting_lease());
        answers::leave(&*test.queue, testing::alert().event.id, Some(&refined()), TTL).await.unwrap();
        let outcome = step(&*test.queue, snapshot, &lease, NOW).await;
        let Verdict::Complete { follow_ups, ending: None } = outcome.verdict else { panic!("{outcome:?}") };
        let fact = Fact::decode(&outcome.facts[0]).unwrap();
        assert_eq!((fact.head.event, fact.head.at, outcome.facts.len()), (testing::alert().event.id, NOW, 1));
        (follow_ups.into_iter().map(|(_, job)| job).collect(), fact.head.what)
    }

    #[tokio::test]
    async fn an_update_follows_its_message_outside_the_books() {
        let (jobs, what) = updates(&testing::snapshot(&testing::document())).await;
        let [job] = &jobs[..] else { panic!("{jobs:?}") };
        let payload = DeliverPayload::decode(&job.payload).unwrap();
        let event = testing::alert().event.id;
        assert_eq!((payload.channel, payload.update, payload.count, job.event), (SINK, true, 5, None));
        assert_eq!(payload.alert.analysis.severity, Severity::Critical, "a rule said so");
        assert_eq!(payload.alert.analysis.summary, "the model's words");
        assert_eq!(payload.delivery, delivery_id(event, SINK, true));
        assert_ne!(payload.delivery, delivery_id(event, SINK, false));
        assert_ne!(payload.delivery, delivery_id(event, OPS, true));

        let What::Enriched { alert, deliveries, analysis, .. } = what else { panic!("{what:?}") };
        assert_eq!((alert, deliveries), (payload.alert.id, vec![(payload.delivery, SINK)]));
        assert_eq!(analysis, payload.alert.analysis, "the history shows what people were told");
    }

    #[tokio::test]
    async fn a_silence_that_came_meanwhile_holds_for_updates_too() {
        let mut document = testing::document();
        let silence =
            Silence { id: SilenceId(1), matcher: Match::default(), expires_at: NOW + 1, comment: String::new() };
        document.tenants[0].silences.push(silence);
        let (jobs, what) = updates(&testing::snapshot(&document)).await;
        let What::Enriched { deliveries, analysis, reasons, .. } = what else { panic!("{what:?}") };
        assert!(jobs.is_empty() && deliveries.is_empty(), "{jobs:?} {deliveries:?}");
        assert_eq!(analysis.summary, "the model's words", "the answer is worth knowing all the same");
        assert!(reasons.iter().any(|reason| reason.contains("silence 1")), "{reasons:?}");
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
