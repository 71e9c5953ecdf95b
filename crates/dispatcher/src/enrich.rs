//! The enrich step: the model's late answer follows the messages that already went out.

use watchbell_common::{
    alert::Analysis,
    clock::UnixMillis,
    config::Snapshot,
    payload::{EnrichPayload, Payload as _},
    queue::{Lease, QueueName, Verdict, worker::Outcome},
};

use crate::jobs::{Seen, bury, delivery, not_yet};

/// One update per channel that still exists. What a rule said about the severity stands against the model.
pub(crate) fn step(snapshot: &Snapshot, lease: &Lease, now_ms: UnixMillis) -> Outcome {
    let EnrichPayload { mut alert, count, since, channels } = match EnrichPayload::decode(&lease.payload) {
        Ok(payload) => payload,
        Err(error) => return bury(lease, now_ms, error.to_string()),
    };
    if snapshot.version == 0 {
        return not_yet();
    }
    let routing = snapshot.tenants.get(&lease.tenant).map(|tenant| tenant.route(&alert, now_ms));
    if let Some(routing) = &routing {
        alert.analysis = Analysis { severity: routing.severity, ..alert.analysis };
    }
    // A silence that came meanwhile holds for updates too.
    let silenced = routing.is_none_or(|routing| routing.silenced.is_some());
    let usable = |channel| snapshot.channel(lease.tenant, channel).is_some_and(|open| open.channel.enabled);
    let channels = channels.into_iter().filter(|&channel| !silenced && usable(channel));
    let update = |channel| (QueueName::Deliver, delivery(lease, channel, alert.clone(), Seen { count, since }, true));
    let verdict = Verdict::Complete { follow_ups: channels.map(update).collect(), ending: None };
    Outcome { verdict, facts: Vec::new() }
}

#[cfg(test)]
mod tests {
    use watchbell_common::{
        alert::{Origin, Severity},
        config::{Match, Silence},
        ids::{ChannelId, SilenceId},
        payload::DeliverPayload,
        queue::NewJob,
    };

    use super::*;
    use crate::{
        jobs::delivery_id,
        testing::{self, NOW, OPS, SINK},
    };

    fn updates(snapshot: &Snapshot) -> Vec<NewJob> {
        let mut alert = testing::alert();
        alert.analysis.origin = Origin::Model;
        alert.analysis.severity = Severity::Info;
        let payload =
            EnrichPayload { alert: alert.clone(), count: 5, since: Some(NOW), channels: vec![SINK, ChannelId(99)] }
                .encode();
        let lease = testing::lease(QueueName::Enrich, &alert, payload);
        let outcome = step(snapshot, &lease, NOW);
        let Verdict::Complete { follow_ups, ending: None } = outcome.verdict else { panic!("{outcome:?}") };
        follow_ups.into_iter().map(|(_, job)| job).collect()
    }

    #[test]
    fn an_update_follows_its_message_outside_the_books() {
        let jobs = updates(&testing::snapshot(&testing::document()));
        let [job] = &jobs[..] else { panic!("{jobs:?}") };
        let payload = DeliverPayload::decode(&job.payload).unwrap();
        let event = testing::alert().event.id;
        assert_eq!((payload.channel, payload.update, payload.count, job.event), (SINK, true, 5, None));
        assert_eq!(payload.alert.analysis.severity, Severity::Critical, "a rule said so");
        assert_eq!(payload.delivery, delivery_id(event, SINK, true));
        assert_ne!(payload.delivery, delivery_id(event, SINK, false));
        assert_ne!(payload.delivery, delivery_id(event, OPS, true));
    }

    #[test]
    fn a_silence_that_came_meanwhile_holds_for_updates_too() {
        let mut document = testing::document();
        let silence =
            Silence { id: SilenceId(1), matcher: Match::default(), expires_at: NOW + 1, comment: String::new() };
        document.tenants[0].silences.push(silence);
        assert!(updates(&testing::snapshot(&document)).is_empty());
    }
}
