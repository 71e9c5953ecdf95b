#![cfg(test)]
//! Every payload version ever written stays readable: one stored sample of each kind and version.
//!
//! A sample is never edited. When a kind gets a new version, its sample joins this list and the old ones stay.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use watchbell_common::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    ids::{ChannelId, DeliveryId, EventId, TenantId},
    payload::{
        AlertPayload, AttemptOutcome, Content, DeliverPayload, EnrichPayload, Envelope, Fact, FactHead, IntakeHead,
        Item, Payload, RoutePayload, What, unpacked,
    },
    queue::Ending,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/payloads")
}

/// The stored bytes read as the value, and the value is still written as those bytes, packed or not: a change of the
/// format without a new version fails here.
fn keeps<T: Payload + PartialEq + std::fmt::Debug>(file: &str, value: &T) {
    let path = folder().join(file);
    let stored = Bytes::from(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    assert_eq!(&T::decode(&stored).unwrap(), value, "{file}");
    assert_eq!(unpacked(&value.encode()).unwrap(), unpacked(&stored).unwrap(), "{file}");
}

const AT: i64 = 1_795_295_524_584;

fn event_id() -> EventId {
    EventId::derived(&[b"sample"])
}

fn event() -> Event {
    Event {
        id: event_id(),
        tenant: TenantId::DEFAULT,
        received_at: AT,
        source: "mail".to_owned(),
        channel: Some(ChannelId(7)),
        peer: Some("192.0.2.7".parse().unwrap()),
        from: vec!["zabbix@corp.example".to_owned()],
        to: vec!["ops@corp.example".to_owned()],
        subject: "Problem: High CPU load on 磁盘".to_owned(),
        text: "line one\nline \"two\"".to_owned(),
        labels: [("program".to_owned(), "zabbix".to_owned())].into(),
        attachments: vec!["graph.png".to_owned()],
    }
}

fn analysis() -> Analysis {
    Analysis {
        severity: Severity::Critical,
        status: Status::Firing,
        category: "availability".to_owned(),
        system: "db1".to_owned(),
        summary: "db1 is down".to_owned(),
        action: "look at it".to_owned(),
        origin: Origin::Rules,
        confidence: 0.5,
    }
}

fn alert() -> Alert {
    let fingerprint = "0123456789abcdef0123456789abcdef".to_owned();
    let id = Alert::id_of(TenantId::DEFAULT, &fingerprint);
    Alert { event: event(), analysis: analysis(), fingerprint, id }
}

fn delivery() -> DeliveryId {
    DeliveryId::derived(&[b"sample"])
}

fn fact(what: What, raw: &'static [u8]) -> Fact {
    Fact { head: FactHead { tenant: TenantId::DEFAULT, event: event_id(), at: AT, what }, raw: Bytes::from_static(raw) }
}

fn intake(content: Content, raw: &'static [u8]) -> AlertPayload {
    let head = IntakeHead {
        event: event_id(),
        tenant: TenantId::DEFAULT,
        received_at: AT,
        peer: Some("2001:db8::7".parse().unwrap()),
        channel: None,
        content,
    };
    AlertPayload { head, raw: Bytes::from_static(raw) }
}

#[test]
fn intake_v1() {
    let envelope = Envelope {
        helo: "mta01.corp.example".to_owned(),
        mail_from: String::new(),
        rcpt_to: vec!["ops@corp.example".to_owned()],
        user: Some("zabbix".to_owned()),
    };
    keeps("intake-mail.v1", &intake(Content::Mail(envelope.clone()), b"Subject: x\r\n\r\nraw \0\xff bytes\n"));
    let long = "Subject: x\r\n\r\n".to_owned() + &"disk full on db1\r\n".repeat(100);
    keeps("intake-packed.v1", &AlertPayload { raw: long.into(), ..intake(Content::Mail(envelope), b"") });
    let item = Item {
        source: "alertmanager".to_owned(),
        key: Some("fcf5f99d573a36a0".to_owned()),
        title: "InstanceDown".to_owned(),
        text: "down".to_owned(),
        severity: Some(Severity::Critical),
        status: Some(Status::Resolved),
        system: Some("db1".to_owned()),
        category: None,
        from: None,
        labels: [("job".to_owned(), "node".to_owned())].into(),
    };
    keeps("intake-item.v1", &intake(Content::Item(item), b"{\"a\":1}"));
}

#[test]
fn route_deliver_and_enrich_v1() {
    keeps("route.v1", &RoutePayload { alert: alert(), refined: None, answer_by: None });
    let refined = Analysis { origin: Origin::Model, severity: Severity::Critical, ..alert().analysis };
    keeps("route-model.v1", &RoutePayload { alert: alert(), refined: Some(refined), answer_by: Some(AT) });
    let deliver = |since| DeliverPayload {
        delivery: delivery(),
        channel: ChannelId(7),
        alert: alert(),
        count: 3,
        since,
        update: false,
    };
    keeps("deliver.v1", &deliver(None));
    keeps("deliver-since.v1", &deliver(Some(AT)));
    let channels = || vec![ChannelId(7), ChannelId(8)];
    let enrich = |since, answer_by| EnrichPayload { alert: alert(), count: 3, since, channels: channels(), answer_by };
    keeps("enrich.v1", &enrich(None, 0));
    keeps("enrich-since.v1", &enrich(Some(AT), 0));
    keeps("enrich-by.v1", &enrich(Some(AT), AT));
}

#[test]
fn facts_v1() {
    keeps("fact-analysed.v1", &fact(What::Analysed { alert: Box::new(alert()), raw_truncated: true }, b"raw\n\0"));
    let dropped =
        What::Dropped { event: Box::new(event()), ending: Ending::Muted, reason: "newsletter".to_owned(), mute: None };
    keeps("fact-dropped.v1", &fact(dropped, b"raw"));
    let routed = What::Routed {
        alert: alert().id,
        reasons: vec!["rule `databases` matches".to_owned()],
        rules: Vec::new(),
        deliveries: vec![(delivery(), ChannelId(7))],
        ending: None,
        silence: None,
        analysis: Some(analysis()),
    };
    keeps("fact-routed.v1", &fact(routed, b""));
    let enriched = What::Enriched {
        alert: alert().id,
        reasons: vec!["rule `databases` matches".to_owned()],
        deliveries: vec![(delivery(), ChannelId(7))],
        analysis: analysis(),
    };
    keeps("fact-enriched.v1", &fact(enriched, b""));
    keeps("fact-deduplicated.v1", &fact(What::Deduplicated { delivery: delivery(), channel: ChannelId(7) }, b""));
    let attempt = What::Attempt {
        delivery: delivery(),
        channel: ChannelId(7),
        number: 2,
        outcome: AttemptOutcome::RateLimited,
        detail: "429".to_owned(),
    };
    keeps("fact-attempt.v1", &fact(attempt, b""));
    keeps("fact-buried.v1", &fact(What::Buried { reason: "unreadable".to_owned() }, b""));
}

#[test]
fn each_stored_sample_has_its_test() {
    let source = include_str!("payloads.rs");
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(source.contains(&format!("\"{name}\"")), "{name} is read by no test");
    }
}

#[test]
fn what_cannot_be_read_says_so() {
    for bytes in ["", "{}", "{}\n", "{\"v\":\"99\"}\n", "not json\n", "{\"v\":\"1\"}\n"] {
        let bytes = Bytes::from_static(bytes.as_bytes());
        assert!(RoutePayload::decode(&bytes).unwrap_err().to_string().starts_with("unreadable payload: "));
        assert!(AlertPayload::decode(&bytes).is_err() && Fact::decode(&bytes).is_err());
    }
}
