//! The alerts and channels that tests speak of.

use std::collections::BTreeMap;

use watchbell_common::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    config::{Channel as ChannelConfig, OpenChannel},
    crypto::{Place, Vault},
    ids::{ChannelId, DeliveryId, EventId, TenantId},
    payload::DeliverPayload,
};

use super::NOW;
use crate::{Message, render::Manner};

/// What a delivery of an ordinary alert carries.
pub(crate) fn payload() -> DeliverPayload {
    let text = |text: &str| text.to_owned();
    let fingerprint = text("0123456789abcdef0123456789abcdef");
    DeliverPayload {
        delivery: DeliveryId::derived(&[b"1"]),
        channel: ChannelId(7),
        alert: Alert {
            event: Event {
                id: EventId::derived(&[b"1"]),
                tenant: TenantId::DEFAULT,
                received_at: NOW - 1_500,
                source: text("mail"),
                channel: None,
                peer: None,
                from: vec![text("bounce@relay.example.org"), text("root@db1.example.org")],
                to: vec![text("alerts@example.org")],
                subject: text("Disk FULL on db1"),
                text: text("Filesystem /var is 100 % full."),
                labels: [(text("team"), text("storage"))].into(),
                attachments: Vec::new(),
            },
            analysis: Analysis {
                severity: Severity::Critical,
                status: Status::Firing,
                category: text("disk"),
                system: text("db1"),
                summary: text("/var on db1 is full"),
                action: text("free some space on /var"),
                origin: Origin::Rules,
                confidence: 1.0,
            },
            id: Alert::id_of(TenantId::DEFAULT, &fingerprint),
            fingerprint,
        },
        count: 3,
        since: Some(NOW - 61_500),
        update: false,
    }
}

/// The rendered form of [`payload`].
pub(crate) fn message() -> Message {
    Message::new(payload())
}

/// The rendered form of [`payload`] where people reach the dashboard at `https://{host}`, and its link.
pub(crate) fn message_at(host: &str) -> (Message, String) {
    let manner = Manner { public_url: Some(format!("https://{host}")), ..Manner::default() };
    let message = Message::in_manner(payload(), &manner);
    let link = message.link.clone().unwrap();
    (message, link)
}

/// The rendered form of [`payload`] in Chinese.
pub(crate) fn message_in_chinese() -> Message {
    let mut channel = channel("console", "");
    channel.channel.options.insert("language".to_owned(), "zh".into());
    Message::in_manner(payload(), &Manner::of(&channel, None).unwrap())
}

/// Where people reach the dashboard: a name that platforms take, and one that some of them refuse.
pub(crate) const HOST: &str = "watchbell.example.org";
pub(crate) const BARE_HOST: &str = "watchbell:8080";

/// A channel without options or secrets.
pub(crate) fn channel(platform: &str, target: &str) -> OpenChannel {
    let vault = Vault::from_base64(&"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()).unwrap();
    let channel = ChannelConfig {
        id: ChannelId(7),
        name: "it".to_owned(),
        platform: platform.to_owned(),
        bot: None,
        target: target.to_owned(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
        rate_per_min: 0,
        dedup_window_s: 0,
        push_token: vault.seal(&Place::push_token(TenantId::DEFAULT, ChannelId(7)), &"x".into()),
        templates: Vec::new(),
        enabled: true,
    };
    OpenChannel { tenant: TenantId::DEFAULT, channel, secrets: BTreeMap::new(), trusted: true, templates: Vec::new() }
}

/// A channel whose URL is its secret.
pub(crate) fn hook(platform: &str, url: &str) -> OpenChannel {
    let mut channel = channel(platform, "");
    channel.secrets.insert("webhook_url".into(), url.into());
    channel
}

/// The rendered form of an alert in which every text of the sender's is this one, and of which the analysis is a
/// guess.
pub(crate) fn message_saying(text: &str) -> Message {
    let mut payload = payload();
    let (event, analysis) = (&mut payload.alert.event, &mut payload.alert.analysis);
    let excerpt = [text; 9].map(|line| format!("excerpt {line}")).join("\n");
    (event.subject, event.text, event.from) = (format!("subject {text}"), excerpt, vec![text.to_owned()]);
    for field in [&mut analysis.summary, &mut analysis.action, &mut analysis.system] {
        text.clone_into(field);
    }
    analysis.confidence = 0.4;
    Message::new(payload)
}
