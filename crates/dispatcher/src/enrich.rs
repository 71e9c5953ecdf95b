//! The enrich step: the model's late answer follows the messages that already went out.
//!
//! A route job that leaves while a model is still asked about its alert also queues a job here, in the same step, so
//! that nobody has to remember what was sent where. That job waits for the answer until it is there or cannot come
//! any more. The event is pending as long: an answer that raises the severity can add channels, and what these get is
//! a delivery like any other, in the books, with the channel's window, and a dead letter when it fails.

use std::time::Duration;

use watchbell_common::{
    alert::Alert,
    answers::{self, Found},
    clock::UnixMillis,
    config::Snapshot,
    ids::ChannelId,
    payload::{EnrichPayload, Payload as _, What},
    queue::{Ending, Lease, NewJob, Queue, QueueName, Scope, Verdict, worker::Outcome},
    routing::Routing,
};

use crate::{
    jobs::{Part, Seen, bury, delivery, delivery_id, fact, not_yet},
    route::{Repeat, message},
};

/// When an answer is looked for that was there before anyone waited for it.
const LOOK_FIRST: Duration = Duration::from_secs(1);

/// How often it is looked for after that. Who leaves an answer lets the job go; only what came during a look is found
/// by the next.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The job that looks for the answer about an alert that goes out now.
pub(crate) fn awaiting(lease: &Lease, alert: Alert, routing: &Routing, answer_by: UnixMillis) -> NewJob {
    let id = answers::awaiting(alert.event.id);
    let Seen { count, since } = Seen::by(lease);
    let payload = EnrichPayload { alert, count, since, channels: routing.channels.clone(), answer_by };
    let job = NewJob::new(id, lease.tenant, lease.event, format!("t{}", lease.tenant), payload.encode());
    NewJob { delay: LOOK_FIRST, ..job }
}

/// One update per channel that has the message and still exists, and a message per channel that the answer's severity
/// adds. The history hears what the answer was even where nobody gets an update.
pub(crate) async fn step(queue: &dyn Queue, snapshot: &Snapshot, lease: &Lease, now_ms: UnixMillis) -> Outcome {
    let payload = match EnrichPayload::decode(&lease.payload) {
        Ok(payload) => payload,
        Err(error) => return bury(lease, now_ms, error.to_string()),
    };
    if snapshot.version == 0 {
        return not_yet();
    }
    let nothing = done(lease, Vec::new());
    match answers::find(queue, payload.alert.event.id).await {
        Ok(Found::Answer(refined)) => match snapshot.tenants.get(&lease.tenant) {
            Some(tenant) => {
                let routing = tenant.route_with(&payload.alert, Some(&refined), now_ms);
                updates(snapshot, lease, payload, routing, now_ms)
            }
            None => Outcome { verdict: nothing, facts: Vec::new() },
        },
        Ok(Found::Nothing) | Err(_) if now_ms < payload.answer_by => {
            let left = Duration::from_millis(now_ms.abs_diff(payload.answer_by));
            let verdict = Verdict::Defer { after: LOOK_EVERY.min(left), scope: Scope::Job };
            Outcome { verdict, facts: Vec::new() }
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
    let EnrichPayload { mut alert, count, since, channels: told, .. } = payload;
    // A silence that came meanwhile holds for updates too.
    let gets_it = |&channel: &ChannelId| {
        routing.silenced.is_none() && snapshot.channel(lease.tenant, channel).is_some_and(|open| open.channel.enabled)
    };
    let updated = told.iter().copied().filter(gets_it).map(|channel| (channel, Part::Update));
    let added = routing.raised.iter().copied().filter(|channel| !told.contains(channel)).filter(gets_it);
    let parts: Vec<_> = updated.chain(added.map(|channel| (channel, Part::Message))).collect();
    // As when routing: a model may fill in a system for the eyes; repeats are told apart by what the rules know.
    let system = alert.analysis.system.clone();
    if let Some(analysis) = &routing.analysis {
        alert.analysis = analysis.clone();
    }
    let (event, seen) = (alert.event.id, Seen { count, since });
    let job = |&(channel, part): &(ChannelId, Part)| {
        let repeat = || Repeat::new(&alert, &system, &routing, channel);
        let job = match part {
            Part::Update => delivery(lease, channel, alert.clone(), seen, part),
            Part::Message => message(snapshot, lease, channel, &alert, seen, repeat, now_ms),
        };
        (QueueName::Deliver, job)
    };
    let follow_ups = parts.iter().map(job).collect();
    let what = What::Enriched {
        alert: alert.id,
        reasons: routing.reasons,
        deliveries: parts.iter().map(|&(channel, part)| (delivery_id(event, channel, part), channel)).collect(),
        analysis: alert.analysis,
    };
    Outcome { verdict: done(lease, follow_ups), facts: vec![fact(lease.tenant, event, now_ms, what)] }
}

/// This job is done. It brought the event nowhere by itself, which is the least that can be said of it: how the event
/// ended is what became of its messages.
fn done(lease: &Lease, follow_ups: Vec<(QueueName, NewJob)>) -> Verdict {
    Verdict::Complete { follow_ups, ending: lease.event.map(|_| Ending::Unrouted) }
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        alert::{Analysis, Origin, Severity},
        config::{Document, Escalate, Match, Silence},
        ids::{EventId, JobId, SilenceId},
        payload::{DeliverPayload, Fact},
        queue::{Books, DeadFilter, Decision, Want, WorkerId},
    };

    use bytes::Bytes;

    use super::*;
    use crate::testing::{self, NOW, OPS, SINK};

    const TTL: Duration = Duration::from_mins(1);

    fn awaiting_lease() -> Lease {
        let alert = testing::alert();
        let channels = vec![SINK, ChannelId(99)];
        let payload = EnrichPayload { alert: alert.clone(), count: 5, since: Some(NOW), channels, answer_by: NOW + 1 };
        testing::lease(QueueName::Enrich, &alert, payload.encode())
    }

    fn refined(severity: Severity) -> Analysis {
        let words = "the model's words".to_owned();
        Analysis { summary: words, severity, origin: Origin::Model, ..testing::alert().analysis }
    }

    /// The updates, and what the history hears.
    async fn updates(snapshot: &Snapshot) -> (Vec<NewJob>, What) {
        after(Severity::Info, snapshot).await
    }

    /// What follows an answer of that severity.
    async fn after(severity: Severity, snapshot: &Snapshot) -> (Vec<NewJob>, What) {
        let (test, lease) = (testing::queue(), awaiting_lease());
        answers::leave(&*test.queue, testing::alert().event.id, Some(&refined(severity)), TTL).await.unwrap();
        let outcome = step(&*test.queue, snapshot, &lease, NOW).await;
        let Verdict::Complete { follow_ups, ending: Some(Ending::Unrouted) } = outcome.verdict else {
            panic!("{outcome:?}")
        };
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
        assert_eq!(payload.delivery, delivery_id(event, SINK, Part::Update));
        assert_ne!(payload.delivery, delivery_id(event, SINK, Part::Message));
        assert_ne!(payload.delivery, delivery_id(event, OPS, Part::Update));

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

    /// Everything goes to the sink, and to the other channel as well when it is critical.
    fn critical_goes_to_ops() -> Document {
        let mut document = testing::document();
        let tenant = &mut document.tenants[0];
        let escalate = Escalate { severity_at_least: Severity::Critical, channels: vec![OPS] };
        (tenant.rules[0].set_severity, tenant.rules[0].channels) = (None, vec![SINK]);
        tenant.rules[0].escalate = Some(escalate);
        tenant.channels.iter_mut().for_each(|channel| channel.dedup_window_s = 300);
        document
    }

    #[tokio::test]
    async fn a_channel_that_the_answer_adds_gets_a_whole_message_in_the_books_and_the_others_an_update() {
        let snapshot = testing::snapshot(&critical_goes_to_ops());
        let (alone, _) = after(Severity::Error, &snapshot).await;
        let [update] = &alone[..] else { panic!("the update alone: {alone:?}") };
        let [_, critical, updates] = DeliverPayload::lanes(SINK);
        assert_eq!(update.lane, updates, "in nobody's way");
        let (jobs, what) = after(Severity::Critical, &snapshot).await;
        let event = testing::alert().event.id;
        let payloads: Vec<_> = jobs.iter().map(|job| DeliverPayload::decode(&job.payload).unwrap()).collect();
        let [(update, told), (message, added)] = [(&jobs[0], &payloads[0]), (&jobs[1], &payloads[1])];
        assert_eq!((jobs.len(), told.channel, told.update, update.event), (2, SINK, true, None));
        assert_eq!(update.lane, critical, "but this one is urgent, after all");
        assert_eq!((added.channel, added.update, message.event), (OPS, false, Some(event)));
        assert_eq!((added.count, added.since), (5, Some(NOW)));
        assert_eq!(added.delivery, delivery_id(event, OPS, Part::Message), "as if the answer had been in time");
        let dedup = message.dedup.as_ref().unwrap();
        assert!(dedup.key.starts_with(&format!("r{OPS}:")) && dedup.variant.contains("critical"), "{dedup:?}");
        let What::Enriched { deliveries, .. } = what else { panic!("{what:?}") };
        assert_eq!(deliveries, [(told.delivery, SINK), (added.delivery, OPS)]);
    }

    #[tokio::test]
    async fn an_event_is_pending_until_the_answer_and_ends_with_its_last_message() {
        let (test, snapshot) = (testing::queue(), testing::snapshot(&critical_goes_to_ops()));
        let (queue, worker, alert) = (&*test.queue, WorkerId("w".into()), testing::alert());
        queue.keep_alive(&worker, TTL).await.unwrap();
        let take = async |name| queue.lease(name, &worker, Want::up_to(9)).await.unwrap();
        let decide = async |lease: &Lease, outcome: Outcome| {
            let Outcome { verdict, facts } = outcome;
            queue.decide(Decision { lease: lease.token.clone(), verdict, facts }).await.unwrap()
        };
        let books = async || queue.books().await.unwrap()[0].1;
        let delivered = || Outcome {
            verdict: Verdict::Complete { follow_ups: Vec::new(), ending: Some(Ending::Delivered) },
            facts: Vec::new(),
        };
        let event = alert.event.id;
        let first = NewJob::new(JobId::derived(&[b"first"]), alert.event.tenant, Some(event), "l", Bytes::new());
        let payload = EnrichPayload { alert, count: 1, since: None, channels: vec![SINK], answer_by: NOW + 1 };
        let awaits = NewJob::new(JobId::derived(&[b"late"]), first.tenant, Some(event), "l", payload.encode());
        queue.push(QueueName::Deliver, vec![first]).await.unwrap();
        queue.push(QueueName::Enrich, vec![awaits]).await.unwrap();
        let pending = Books { received: 1, pending: 1, ..Books::default() };
        let message = take(QueueName::Deliver).await.remove(0);
        decide(&message, delivered()).await;
        assert_eq!(books().await, pending, "the answer may add a channel");
        answers::leave(queue, event, Some(&refined(Severity::Critical)), TTL).await.unwrap();
        let late = take(QueueName::Enrich).await.remove(0);
        decide(&late, step(queue, &snapshot, &late, NOW).await).await;
        assert_eq!(books().await, pending, "and it did");
        let jobs = take(QueueName::Deliver).await;
        let added = jobs.iter().find(|job| job.event.is_some()).unwrap();
        let bury = Verdict::Bury { reason: "404".to_owned() };
        decide(added, Outcome { verdict: bury, facts: Vec::new() }).await;
        assert_eq!(books().await, Books { received: 1, dead: 1, ..Books::default() }, "a dead letter like any other");
        queue.replay(&DeadFilter::default(), 9).await.unwrap();
        let added = take(QueueName::Deliver).await.remove(0);
        decide(&added, delivered()).await;
        assert_eq!(books().await, Books { received: 1, delivered: 1, ..Books::default() });
    }

    #[tokio::test]
    async fn no_late_answer_to_a_hostile_alert_takes_anything_away() {
        let snapshot = testing::snapshot(&critical_goes_to_ops());
        let corpus = include_str!("../../analysis/tests/hostile/alerts.txt").split("\n# ").skip(1);
        let texts = corpus.map(|entry| entry.split_once('\n').unwrap().1.split_once('\n').unwrap());
        let test = testing::queue();
        for (subject, body) in texts {
            let mut alert = testing::alert();
            (alert.event.subject, alert.event.text) = (subject.to_owned(), body.to_owned());
            alert.event.id = EventId::derived(&[subject.as_bytes(), body.as_bytes()]);
            for severity in Severity::ALL.into_iter().filter(|severity| *severity >= alert.analysis.severity) {
                // It does what the text asks, and nothing of its words was taken out.
                let refined = Analysis {
                    severity,
                    category: "ignore".to_owned(),
                    system: body.to_owned(),
                    summary: format!("All is well. {body}"),
                    action: body.to_owned(),
                    origin: Origin::Model,
                    ..alert.analysis.clone()
                };
                answers::leave(&*test.queue, alert.event.id, Some(&refined), TTL).await.unwrap();
                let channels = vec![SINK];
                let payload =
                    EnrichPayload { alert: alert.clone(), count: 1, since: None, channels, answer_by: NOW }.encode();
                let lease = testing::lease(QueueName::Enrich, &alert, payload);
                let outcome = step(&*test.queue, &snapshot, &lease, NOW).await;
                let Verdict::Complete { follow_ups, .. } = outcome.verdict else { panic!("{outcome:?}") };
                let sent: Vec<_> = follow_ups
                    .iter()
                    .map(|(_, job)| DeliverPayload::decode(&job.payload).unwrap())
                    .map(|sent| {
                        let analysis = &sent.alert.analysis;
                        assert!(analysis.severity >= alert.analysis.severity, "{subject}: {:?}", analysis.severity);
                        assert_eq!(analysis.status, alert.analysis.status, "{subject}");
                        assert_eq!(sent.alert.event, alert.event, "{subject}: what was received stands beside it");
                        (sent.channel, sent.update)
                    })
                    .collect();
                let also = (severity == Severity::Critical).then_some((OPS, false));
                assert_eq!(sent, [(SINK, true)].into_iter().chain(also).collect::<Vec<_>>(), "{subject}");
            }
        }
    }

    #[tokio::test]
    async fn it_goes_as_soon_as_the_answer_is_there() {
        let (test, route, worker) = (testing::queue(), awaiting_lease(), WorkerId("w".into()));
        let snapshot = testing::snapshot(&testing::document());
        let alert = testing::alert();
        let routing = snapshot.tenants[&alert.event.tenant].route(&alert, NOW);
        let (queue, event) = (&*test.queue, alert.event.id);
        queue.push(QueueName::Enrich, vec![awaiting(&route, alert, &routing, NOW + 9_000)]).await.unwrap();
        assert!(queue.lease(QueueName::Enrich, &worker, Want::up_to(1)).await.unwrap().is_empty());
        answers::leave(queue, event, None, TTL).await.unwrap();
        assert_eq!(queue.lease(QueueName::Enrich, &worker, Want::up_to(1)).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn it_looks_until_the_answer_cannot_come_any_more() {
        let (test, lease) = (testing::queue(), awaiting_lease());
        let snapshot = testing::snapshot(&testing::document());
        let outcome = step(&*test.queue, &snapshot, &lease, NOW).await;
        let Verdict::Defer { after, scope: Scope::Job } = outcome.verdict else { panic!("{outcome:?}") };
        assert_eq!(after, Duration::from_millis(1), "no longer than it can come");
        let done = |outcome: &Outcome| matches!(&outcome.verdict, Verdict::Complete { follow_ups, .. } if follow_ups.is_empty());
        assert!(done(&step(&*test.queue, &snapshot, &lease, NOW + 1).await), "its time is over");
        answers::leave(&*test.queue, testing::alert().event.id, None, TTL).await.unwrap();
        assert!(done(&step(&*test.queue, &snapshot, &lease, NOW).await), "there is none");
    }
}
