//! The route step: one analysed event in, one delivery per channel out.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use watchbell_common::{
    alert::Alert,
    clock::UnixMillis,
    config::Snapshot,
    crypto::hex,
    ids::ChannelId,
    payload::{Payload as _, RoutePayload, What},
    queue::{Dedup, Lease, NewJob, QueueName, Verdict, worker::Outcome},
    routing::Routing,
};

use crate::{
    enrich,
    jobs::{Part, Seen, bury, delivery, delivery_id, fact, not_yet},
};

/// Decides where the event goes. Pure: the same snapshot, job and time give the same outcome.
pub(crate) fn step(snapshot: &Snapshot, lease: &Lease, now_ms: UnixMillis) -> Outcome {
    let RoutePayload { mut alert, refined, answer_by } = match RoutePayload::decode(&lease.payload) {
        Ok(payload) => payload,
        Err(error) => return bury(lease, now_ms, error.to_string()),
    };
    let Some(tenant) = snapshot.tenants.get(&lease.tenant) else {
        return match snapshot.version {
            0 => not_yet(),
            _ => bury(lease, now_ms, format!("tenant {} is not configured", lease.tenant)),
        };
    };
    let routing = tenant.route_with(&alert, refined.as_ref(), now_ms);
    let late = answer_by.filter(|_| routing.ending.is_none());
    let late = late.map(|answer_by| (QueueName::Enrich, enrich::awaiting(lease, alert.clone(), &routing, answer_by)));
    // A model may fill in a system for the eyes; repeats are told apart by what the rules know.
    let system = alert.analysis.system.clone();
    if let Some(analysis) = &routing.analysis {
        alert.analysis = analysis.clone();
    }
    let (event, alert_id) = (alert.event.id, alert.id);
    let deliveries =
        routing.channels.iter().map(|&channel| (delivery_id(event, channel, Part::Message), channel)).collect();
    let jobs = routing.channels.iter().map(|&channel| {
        let repeat = || Repeat::new(&alert, &system, &routing, channel);
        (QueueName::Deliver, message(snapshot, lease, channel, &alert, Seen::by(lease), repeat, now_ms))
    });
    let follow_ups = jobs.chain(late).collect();
    let what = What::Routed {
        alert: alert_id,
        reasons: routing.reasons,
        rules: routing.rules,
        deliveries,
        ending: routing.ending,
        silence: routing.silenced,
        analysis: routing.analysis,
    };
    Outcome {
        verdict: Verdict::Complete { follow_ups, ending: routing.ending },
        facts: vec![fact(lease.tenant, event, now_ms, what)],
    }
}

/// What tells a repeat of an alert from news, for one channel.
pub(crate) struct Repeat {
    key: String,
    /// Another status, another severity, or other systems (a group of alerts that grew) are news.
    variant: String,
}

impl Repeat {
    /// A channel that the rules named is asked as if there were no model: nothing that a model says may make a repeat
    /// of what is none. One that only the model's severity named has a window of its own.
    pub(crate) fn new(alert: &Alert, system: &str, routing: &Routing, channel: ChannelId) -> Self {
        let raised = routing.raised.contains(&channel);
        let (kind, severity) = if raised { ('r', routing.severity) } else { ('d', routing.unraised) };
        let system = &hex(digest(&SHA256, system.as_bytes()).as_ref())[..16];
        Self {
            key: format!("{kind}{channel}:{}", alert.id),
            variant: format!("{} {severity} {system}", alert.analysis.status.as_str()),
        }
    }
}

/// The job for a channel's message, unless the channel has its like.
pub(crate) fn message(
    snapshot: &Snapshot,
    lease: &Lease,
    channel: ChannelId,
    alert: &Alert,
    seen: Seen,
    repeat: impl FnOnce() -> Repeat,
    now_ms: UnixMillis,
) -> NewJob {
    let mut job = delivery(lease, channel, alert.clone(), seen, Part::Message);
    let window = snapshot.channel(lease.tenant, channel).map_or(0, |open| open.channel.dedup_window_s);
    // The door already asked for the channel that the event was addressed to.
    if window > 0 && alert.event.channel != Some(channel) {
        let what = What::Deduplicated { delivery: delivery_id(alert.event.id, channel, Part::Message), channel };
        let Repeat { key, variant } = repeat();
        job.dedup = Some(Dedup {
            key,
            variant,
            window: Duration::from_secs(window.into()),
            fact: fact(lease.tenant, alert.event.id, now_ms, what),
        });
    }
    job
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        alert::{Analysis, Severity},
        config::Escalate,
        payload::{DeliverPayload, EnrichPayload, Fact},
        queue::{Ending, KEY_MAX_BYTES, Scope},
    };

    use super::*;
    use crate::testing::{self, NOW, OPS, SINK};

    fn routed(outcome: &Outcome) -> (Vec<NewJob>, Option<Ending>) {
        let Verdict::Complete { follow_ups, ending } = outcome.verdict.clone() else { panic!("{outcome:?}") };
        assert!(follow_ups.iter().all(|(queue, _)| *queue == QueueName::Deliver));
        (follow_ups.into_iter().map(|(_, job)| job).collect(), ending)
    }

    fn what(bytes: &bytes::Bytes) -> What {
        Fact::decode(bytes).unwrap().head.what
    }

    fn lease(alert: Alert) -> Lease {
        testing::lease(
            QueueName::Route,
            &alert.clone(),
            RoutePayload { alert, refined: None, answer_by: None }.encode(),
        )
    }

    #[test]
    fn an_event_becomes_one_delivery_per_channel() {
        let snapshot = testing::snapshot(&testing::document());
        let lease = lease(testing::alert());
        let outcome = step(&snapshot, &lease, NOW);
        let (jobs, ending) = routed(&outcome);
        assert_eq!((jobs.len(), ending), (2, None));
        for (job, channel) in jobs.iter().zip([OPS, SINK]) {
            let payload = DeliverPayload::decode(&job.payload).unwrap();
            assert_eq!((payload.channel, payload.count, payload.update), (channel, lease.count, false));
            assert_eq!(payload.since, Some(lease.since));
            assert_eq!(payload.alert.analysis.severity, Severity::Critical, "the rule's word");
            assert_eq!(
                (job.event, job.tenant, job.lane.as_str()),
                (lease.event, lease.tenant, &*format!("c{channel}!"))
            );
            assert!(job.order.as_ref().is_some_and(|order| order.len() <= KEY_MAX_BYTES));
        }
        let What::Routed { reasons, deliveries, analysis, .. } = what(&outcome.facts[0]) else { panic!() };
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert_eq!(deliveries.iter().map(|(_, channel)| *channel).collect::<Vec<_>>(), [OPS, SINK]);
        assert_eq!(analysis.unwrap().severity, Severity::Critical);
    }

    #[test]
    fn a_step_that_is_repeated_names_its_jobs_alike() {
        let snapshot = testing::snapshot(&testing::document());
        let ids = |at| {
            let (jobs, _) = routed(&step(&snapshot, &lease(testing::alert()), at));
            jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(NOW), ids(NOW + 60_000));
        assert_ne!(ids(NOW)[0], ids(NOW)[1]);
    }

    #[test]
    fn repeats_are_dropped_per_channel_where_the_door_did_not_ask() {
        let mut document = testing::document();
        for channel in &mut document.tenants[0].channels {
            channel.dedup_window_s = 300;
        }
        let snapshot = testing::snapshot(&document);
        let mut alert = testing::alert();
        alert.event.channel = Some(OPS);
        let (jobs, _) = routed(&step(&snapshot, &lease(alert.clone()), NOW));
        assert!(jobs[0].dedup.is_none(), "the door asked for this one");
        let dedup = jobs[1].dedup.clone().unwrap();
        assert!(dedup.variant.starts_with("firing critical ") && dedup.variant.len() <= KEY_MAX_BYTES);
        assert_eq!(dedup.window.as_secs(), 300);
        assert!(dedup.key.len() <= KEY_MAX_BYTES);
        let What::Deduplicated { channel, delivery } = what(&dedup.fact) else { panic!() };
        assert_eq!(delivery, DeliverPayload::decode(&jobs[1].payload).unwrap().delivery);
        assert_eq!(channel, SINK);
        // The same alert again, another event: the same key.
        alert.event.id = watchbell_common::ids::EventId::derived(&[b"another"]);
        let (again, _) = routed(&step(&snapshot, &lease(alert), NOW));
        assert_eq!(again[1].dedup.clone().unwrap().key, dedup.key);
    }

    #[test]
    fn what_no_channel_wants_ends_here_and_says_why() {
        let mut document = testing::document();
        document.tenants[0].rules.clear();
        let outcome = step(&testing::snapshot(&document), &lease(testing::alert()), NOW);
        let (jobs, ending) = routed(&outcome);
        assert_eq!((jobs.len(), ending), (0, Some(Ending::Unrouted)));
        assert!(matches!(what(&outcome.facts[0]), What::Routed { ending: Some(Ending::Unrouted), .. }));
    }

    #[test]
    fn an_unreadable_payload_is_buried_and_known_to_the_history() {
        let mut lease = lease(testing::alert());
        lease.payload = "{\"v\":\"99\"}\n".into();
        let outcome = step(&testing::snapshot(&testing::document()), &lease, NOW);
        assert!(matches!(&outcome.verdict, Verdict::Bury { reason } if reason.contains("unreadable payload")));
        assert!(matches!(what(&outcome.facts[0]), What::Buried { .. }));
    }

    #[test]
    fn before_any_configuration_an_event_waits_and_a_tenant_that_is_gone_is_no_reason_to_lose_it() {
        let outcome = step(&Snapshot::default(), &lease(testing::alert()), NOW);
        assert!(matches!(outcome.verdict, Verdict::Defer { scope: Scope::Job, .. }));
        let mut document = testing::document();
        document.tenants.clear();
        let outcome = step(&testing::snapshot(&document), &lease(testing::alert()), NOW);
        assert!(matches!(&outcome.verdict, Verdict::Bury { reason } if reason.contains("tenant 1")));
    }

    #[test]
    fn a_model_adds_channels_with_windows_of_their_own_and_makes_no_repeat_of_what_is_none() {
        let mut document = testing::document();
        let tenant = &mut document.tenants[0];
        tenant.channels.iter_mut().for_each(|channel| channel.dedup_window_s = 300);
        tenant.rules[0].set_severity = None;
        tenant.rules[0].channels = vec![OPS];
        tenant.rules[0].escalate = Some(Escalate { severity_at_least: Severity::Critical, channels: vec![SINK] });
        let snapshot = testing::snapshot(&document);
        let alert = testing::alert();
        let refined = Analysis { severity: Severity::Critical, system: "a guess".to_owned(), ..alert.analysis.clone() };
        let dedups = |refined| {
            let payload = RoutePayload { alert: alert.clone(), refined, answer_by: None }.encode();
            let (jobs, _) = routed(&step(&snapshot, &testing::lease(QueueName::Route, &alert, payload), NOW));
            jobs.into_iter().map(|job| job.dedup.unwrap()).map(|dedup| (dedup.key, dedup.variant)).collect::<Vec<_>>()
        };
        let (without, with) = (dedups(None), dedups(Some(refined)));
        assert_eq!((without.len(), with.len()), (1, 2));
        assert_eq!(with[0], without[0], "for the channel of the rules, nothing changed");
        assert!(with[1].0.starts_with(&format!("r{SINK}:")) && with[1].1.contains("critical"), "{with:?}");
    }

    #[test]
    fn what_leaves_while_a_model_is_asked_awaits_the_answer_in_the_same_step() {
        let alert = testing::alert();
        let payload = RoutePayload { alert: alert.clone(), refined: None, answer_by: Some(NOW + 9) }.encode();
        let lease = testing::lease(QueueName::Route, &alert, payload);
        let outcome = step(&testing::snapshot(&testing::document()), &lease, NOW);
        let Verdict::Complete { follow_ups, .. } = outcome.verdict else { panic!() };
        let (queue, job) = follow_ups.last().unwrap();
        assert_eq!((*queue, job.event), (QueueName::Enrich, lease.event), "the event is not done before the answer");
        let payload = EnrichPayload::decode(&job.payload).unwrap();
        assert_eq!((payload.alert, payload.channels, payload.answer_by), (alert, vec![OPS, SINK], NOW + 9));
        assert_eq!((payload.count, payload.since), (lease.count, Some(lease.since)));
    }
}
