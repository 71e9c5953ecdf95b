//! What happened, told to the recorder: facts about alerts as the other services queue them.

use std::collections::BTreeMap;

use bytes::Bytes;
use watchbell_common::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    ids::{AlertId, ChannelId, DeliveryId, EventId, JobId, RuleId, SilenceId, TenantId},
    payload::{AttemptOutcome, Fact, FactHead, Payload as _, What},
    queue::{Ending, NewJob, QueueName},
};

use crate::house::{House, until};

/// The channel that stories go to.
pub(crate) const CHANNEL: ChannelId = ChannelId(3);

/// One event and what became of it.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) tenant: TenantId,
    pub(crate) fingerprint: &'static str,
    pub(crate) subject: String,
    pub(crate) severity: Severity,
    pub(crate) status: Status,
    pub(crate) source: &'static str,
    pub(crate) system: &'static str,
    pub(crate) outcome: Option<AttemptOutcome>,
    pub(crate) ending: Option<Ending>,
    pub(crate) raw: &'static str,
    pub(crate) at: i64,
}

impl Story {
    /// A mail of that moment about a full disk, which was delivered.
    pub(crate) fn at(at: i64) -> Self {
        Self {
            tenant: TenantId::DEFAULT,
            fingerprint: "disk",
            subject: format!("disk full at {at}"),
            severity: Severity::Error,
            status: Status::Firing,
            source: "mail",
            system: "db1",
            outcome: Some(AttemptOutcome::Delivered),
            ending: None,
            raw: "From: a@b\r\nSubject: disk\r\n\r\n92 % of /var\r\n",
            at,
        }
    }

    pub(crate) fn alert(&self) -> AlertId {
        Alert::id_of(self.tenant, self.fingerprint)
    }

    /// The alert as an event of that id brings it.
    pub(crate) fn alert_of(&self, event: EventId) -> (EventId, Alert) {
        let alert = Alert {
            event: Event {
                id: event,
                tenant: self.tenant,
                received_at: self.at,
                source: self.source.into(),
                channel: None,
                peer: Some("192.0.2.7".parse().unwrap()),
                from: vec!["zabbix@example.com".into()],
                to: Vec::new(),
                subject: self.subject.clone(),
                text: "92 % of /var".into(),
                labels: BTreeMap::from([("host".to_owned(), self.system.to_owned())]),
                attachments: Vec::new(),
            },
            analysis: Analysis {
                severity: self.severity,
                status: self.status,
                category: "disk".into(),
                system: self.system.into(),
                summary: format!("{} is full", self.system),
                action: String::new(),
                origin: Origin::Rules,
                confidence: 1.0,
            },
            fingerprint: self.fingerprint.into(),
            id: self.alert(),
        };
        (event, alert)
    }

    pub(crate) fn delivery(&self, event: EventId) -> DeliveryId {
        DeliveryId::derived(&[self.fingerprint.as_bytes(), event.uuid().as_bytes()])
    }

    fn facts(&self) -> (EventId, Vec<Fact>) {
        let (event, alert) = self.alert_of(EventId::at(self.at));
        let head = |at, what| FactHead { tenant: self.tenant, event, at, what };
        let delivery = self.delivery(event);
        let deliveries = if self.ending.is_none() { vec![(delivery, CHANNEL)] } else { Vec::new() };
        let routed = What::Routed {
            alert: alert.id,
            reasons: vec!["rule `disks` matched".into()],
            rules: vec![RuleId(4)],
            deliveries,
            ending: self.ending,
            silence: self.ending.filter(|ending| *ending == Ending::Silenced).map(|_| SilenceId(1)),
            analysis: None,
        };
        let analysed = What::Analysed { alert: Box::new(alert), raw_truncated: false };
        let mut facts = vec![
            Fact { head: head(self.at, analysed), raw: Bytes::from_static(self.raw.as_bytes()) },
            Fact { head: head(self.at + 1, routed), raw: Bytes::new() },
        ];
        if let Some(outcome) = self.outcome.filter(|_| self.ending.is_none()) {
            let what = What::Attempt {
                delivery,
                channel: CHANNEL,
                number: 1,
                outcome,
                detail: "the provider's answer".into(),
            };
            facts.push(Fact { head: head(self.at + 40, what), raw: Bytes::new() });
        }
        (event, facts)
    }
}

/// Queues what happened and waits until it is recorded. Says the events' ids.
pub(crate) async fn tell(house: &House, stories: &[Story]) -> Vec<EventId> {
    let mut events = Vec::new();
    for story in stories {
        let (event, facts) = story.facts();
        let jobs = facts
            .iter()
            .map(Fact::encode)
            .map(|payload| NewJob::new(JobId::derived(&[&payload]), story.tenant, None, "facts", payload));
        house.queue().push(QueueName::History, jobs.collect()).await.unwrap();
        events.push(event);
    }
    until("all is recorded", async || {
        let depths = house.queue().depths().await.unwrap();
        let (_, depth) = depths.into_iter().find(|(queue, _)| *queue == QueueName::History).unwrap();
        depth.ready + depth.leased + depth.waiting + depth.held == 0
    })
    .await;
    events
}
