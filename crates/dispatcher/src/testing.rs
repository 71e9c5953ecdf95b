//! What the tests of the steps share: a small configuration, an alert, a lease, a queue.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use watchbell_channels::Tools;
use watchbell_common::{
    ai::Ai,
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    clock::{ManualClock, UnixMillis},
    config::{Bot, Channel, Document, Match, Operators, Rule, Snapshot, Tenant},
    crypto::{Place, Vault},
    ids::{BotId, ChannelId, EventId, JobId, RuleId, TenantId},
    outbound::{Guard, Http},
    queue::{Lease, LeaseToken, QueueName, WorkerId, sqlite::SqliteQueue},
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
        push_token: vault().seal(&Place::push_token(TenantId::DEFAULT, id), &id.to_string().into()),
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
        ai_max_wait_ms: None,
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
        ai: Ai::default(),
        operators: Operators::All,
        drills: BTreeMap::new(),
    };
    Document { version: 1, tenants: vec![tenant] }
}

/// A bot with these credentials.
pub(crate) fn bot(id: BotId, platform: &str, credentials: &[(&str, &str)]) -> Bot {
    let seal = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), vault().seal(&Place::bot(TenantId::DEFAULT, id, name), &(*value).into()))
    };
    let credentials = credentials.iter().map(seal).collect();
    let (name, description) = (platform.to_owned(), String::new());
    Bot { id, name, platform: platform.to_owned(), description, credentials, enabled: true }
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
        lapses: 0,
        count: 3,
        since: NOW - 60_000,
        payload,
    }
}

pub(crate) fn tools() -> Tools {
    let http = Http::open().unwrap();
    let guarded = Http::guarded(Guard::new(Vec::new())).unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    Tools { http, guarded, clock, timeout: TIMEOUT, telegram_api: None, public_url: None }
}

/// A queue in a folder of its own, whose time stands still at [`NOW`].
pub(crate) struct TestQueue {
    pub(crate) queue: Arc<SqliteQueue>,
    _folder: tempfile::TempDir,
}

pub(crate) fn queue() -> TestQueue {
    queue_by(&ManualClock::at(NOW))
}

/// A queue that keeps the time of this clock.
pub(crate) fn queue_by(clock: &ManualClock) -> TestQueue {
    let folder = tempfile::tempdir().unwrap();
    let queue = SqliteQueue::open(folder.path(), Arc::new(clock.clone())).unwrap();
    TestQueue { queue: Arc::new(queue), _folder: folder }
}
