//! What the tests of the steps share: a small configuration, an alert, a lease, and a queue that gives slots.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use watchbell_channels::Tools;
use watchbell_common::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    clock::{ManualClock, UnixMillis},
    config::{Channel, Document, Match, Rule, Snapshot, Tenant},
    crypto::Vault,
    ids::{ChannelId, EventId, JobId, RuleId, TenantId},
    outbound,
    queue::{
        Audit, Books, DeadFilter, DeadJob, Decision, Depth, Lease, LeaseToken, NewJob, Published, Pushed, Queue,
        QueueError, QueueName, Tended, Want, WorkerId,
    },
};

pub(crate) const OPS: ChannelId = ChannelId(1);
pub(crate) const SINK: ChannelId = ChannelId(2);
/// 2026-11-20T10:00:00Z
pub(crate) const NOW: UnixMillis = 1_795_168_800_000;
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn vault() -> Vault {
    Vault::from_base64(&"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()).unwrap()
}

pub(crate) fn snapshot(document: &Document) -> Snapshot {
    Snapshot::compile(document, &vault()).unwrap()
}

/// One tenant whose only rule calls everything critical and sends it to both channels.
pub(crate) fn document() -> Document {
    let channel = |id: ChannelId, name: &str, platform: &str, target: &str| Channel {
        id,
        name: name.to_owned(),
        platform: platform.to_owned(),
        bot: None,
        target: target.to_owned(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: vault().seal("x", &id.to_string().into()),
        templates: Vec::new(),
        enabled: true,
    };
    let rule = Rule {
        id: RuleId(1),
        name: "all".to_owned(),
        matcher: Match::default(),
        channels: vec![OPS, SINK],
        r#continue: false,
        set_severity: Some(Severity::Critical),
        escalate: None,
        active: None,
        enabled: true,
    };
    let tenant = Tenant {
        id: TenantId::DEFAULT,
        name: "default".to_owned(),
        bots: Vec::new(),
        templates: Vec::new(),
        channels: vec![
            channel(OPS, "ops", "console", ""),
            channel(SINK, "sink", "webhook", "http://127.0.0.1:9/alerts"),
        ],
        rules: vec![rule],
        default_channels: Vec::new(),
        mutes: Vec::new(),
        silences: Vec::new(),
    };
    Document { version: 1, tenants: vec![tenant] }
}

pub(crate) fn alert() -> Alert {
    let text = |text: &str| text.to_owned();
    let fingerprint = text("0123456789abcdef0123456789abcdef");
    Alert {
        event: Event {
            id: EventId::derived(&[b"1"]),
            tenant: TenantId::DEFAULT,
            received_at: NOW - 1_000,
            source: text("mail"),
            channel: None,
            peer: None,
            from: vec![text("root@db1.example.org")],
            to: vec![text("alerts@example.org")],
            subject: text("Disk FULL on db1"),
            text: text("Filesystem /var is 100 % full."),
            labels: BTreeMap::new(),
            attachments: Vec::new(),
        },
        analysis: Analysis {
            severity: Severity::Warning,
            status: Status::Firing,
            category: text("disk"),
            system: text("db1"),
            summary: text("/var on db1 is full"),
            action: String::new(),
            origin: Origin::Rules,
            confidence: 1.0,
        },
        id: Alert::id_of(TenantId::DEFAULT, &fingerprint),
        fingerprint,
    }
}

pub(crate) fn lease(queue: QueueName, alert: &Alert, payload: Bytes) -> Lease {
    Lease {
        token: LeaseToken { queue, job: JobId::derived(&[b"1"]), worker: WorkerId("w".into()), epoch: 1 },
        tenant: alert.event.tenant,
        event: Some(alert.event.id),
        lane: "lane".to_owned(),
        attempts: 0,
        count: 3,
        payload,
    }
}

pub(crate) fn tools() -> Tools {
    Tools {
        http: outbound::client().unwrap(),
        clock: Arc::new(ManualClock::at(NOW)),
        timeout: TIMEOUT,
        public_url: None,
    }
}

/// A queue of which only the slots are asked for; each costs this wait.
pub(crate) struct Slots(pub(crate) Duration);

#[async_trait]
impl Queue for Slots {
    async fn take_slot(&self, key: &str, per_minute: u32) -> Result<Duration, QueueError> {
        assert_eq!((key, per_minute), ("c2", 60));
        Ok(self.0)
    }

    async fn push(&self, _: QueueName, _: Vec<NewJob>) -> Result<Vec<Pushed>, QueueError> {
        unreachable!()
    }

    async fn lease(&self, _: QueueName, _: &WorkerId, _: Want) -> Result<Vec<Lease>, QueueError> {
        unreachable!()
    }

    async fn wait(&self, _: QueueName, _: Duration) {
        unreachable!()
    }

    async fn decide(&self, _: Decision) -> Result<Vec<Pushed>, QueueError> {
        unreachable!()
    }

    async fn keep_alive(&self, _: &WorkerId, _: Duration) -> Result<(), QueueError> {
        unreachable!()
    }

    async fn release(&self, _: &WorkerId) -> Result<u64, QueueError> {
        unreachable!()
    }

    async fn tend(&self) -> Result<Tended, QueueError> {
        unreachable!()
    }

    async fn dead(&self, _: &DeadFilter, _: usize, _: usize) -> Result<Vec<DeadJob>, QueueError> {
        unreachable!()
    }

    async fn replay(&self, _: &DeadFilter, _: usize) -> Result<u64, QueueError> {
        unreachable!()
    }

    async fn depths(&self) -> Result<Vec<(QueueName, Depth)>, QueueError> {
        unreachable!()
    }

    async fn books(&self) -> Result<Vec<(TenantId, Books)>, QueueError> {
        unreachable!()
    }

    async fn audit(&self) -> Result<Audit, QueueError> {
        unreachable!()
    }

    async fn publish_config(&self, _: Published) -> Result<(), QueueError> {
        unreachable!()
    }

    async fn config_newer(&self, _: i64) -> Result<Option<Published>, QueueError> {
        unreachable!()
    }

    async fn ping(&self) -> Result<(), QueueError> {
        unreachable!()
    }
}
