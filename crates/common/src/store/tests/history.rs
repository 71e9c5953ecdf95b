//! Facts: once, twice and in any order they leave the same rows.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Empty, on_both};
use crate::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    clock::UnixMillis,
    ids::{AlertId, ChannelId, DeliveryId, EventId, RuleId, TenantId},
    payload::{AttemptOutcome, Fact, FactHead, What},
    queue::Ending,
    store::{Store, alerts, deliveries, deliveries::State, events, history},
};

on_both!(
    a_whole_story_can_be_read_back,
    any_order_and_any_repetition_leave_the_same_rows,
    an_older_event_does_not_move_its_alert_back,
    what_routing_understood_stands_in_the_alert,
    a_late_answer_of_a_model_stands_in_the_event_and_in_the_alert,
    a_delivered_delivery_stays_delivered_and_a_replayed_one_forgets_its_death,
    a_delivery_is_named_by_its_event_and_weighed_as_routing_saw_it,
    another_tenants_history_is_not_there,
    texts_that_postgres_refuses_are_kept_readable,
    lists_are_newest_first_and_go_on_where_they_ended,
);

pub(super) const TENANT: TenantId = TenantId::DEFAULT;

pub(super) fn event(number: u8, at: UnixMillis) -> Event {
    Event {
        id: EventId::derived(&[&[number]]),
        tenant: TENANT,
        received_at: at,
        source: "mail".into(),
        channel: Some(ChannelId(3)),
        peer: Some("192.0.2.7".parse().unwrap()),
        from: vec!["zabbix@example.com".into()],
        to: vec!["ops@example.com".into()],
        subject: format!("disk full {number}"),
        text: "92 % of /var".into(),
        labels: BTreeMap::from([("host".to_owned(), "db1".to_owned())]),
        attachments: vec!["graph.png".into()],
    }
}

pub(super) fn alert(number: u8, at: UnixMillis, severity: Severity) -> Alert {
    let fingerprint = "0123456789abcdef0123456789abcdef".to_owned();
    let analysis = Analysis {
        severity,
        status: if severity == Severity::Info { Status::Resolved } else { Status::Firing },
        category: "disk".into(),
        system: "db1".into(),
        summary: format!("disk full {number}"),
        action: "make room".into(),
        origin: Origin::Rules,
        confidence: 0.5,
    };
    Alert { event: event(number, at), analysis, id: Alert::id_of(TENANT, &fingerprint), fingerprint }
}

fn fact(event: EventId, at: UnixMillis, what: What) -> Fact {
    Fact { head: FactHead { tenant: TENANT, event, at, what }, raw: Bytes::new() }
}

pub(super) fn analysed(number: u8, at: UnixMillis, severity: Severity) -> Fact {
    let alert = Box::new(alert(number, at, severity));
    let raw = Bytes::from_static(b"From: z\0\xff\r\n");
    Fact { raw, ..fact(alert.event.id, at, What::Analysed { alert, raw_truncated: true }) }
}

pub(super) fn delivery(number: u8) -> DeliveryId {
    DeliveryId::derived(&[&[number]])
}

pub(super) fn routed(number: u8, at: UnixMillis, analysis: Option<Analysis>) -> Fact {
    let what = What::Routed {
        alert: alert(0, 0, Severity::Info).id,
        reasons: vec!["rule `databases` matched".into()],
        rules: vec![RuleId(4)],
        deliveries: vec![(delivery(number), ChannelId(3))],
        ending: None,
        silence: None,
        analysis,
    };
    fact(event(number, 0).id, at, what)
}

fn enriched(number: u8, at: UnixMillis, analysis: Analysis) -> Fact {
    let what = What::Enriched {
        alert: alert_id(),
        reasons: vec!["rule `databases` matched again".into()],
        deliveries: vec![(delivery(number + 100), ChannelId(3))],
        analysis,
    };
    fact(event(number, 0).id, at, what)
}

pub(super) fn attempt(number: u8, at: UnixMillis, attempt: u32, outcome: AttemptOutcome) -> Fact {
    let (delivery, channel) = (delivery(number), ChannelId(3));
    let what = What::Attempt { delivery, channel, number: attempt, outcome, detail: format!("answer {at}") };
    fact(event(number, 0).id, at, what)
}

pub(super) async fn record(store: &Store, facts: &[Fact]) {
    let mut tx = store.begin().await.unwrap();
    history::record(&mut tx, facts, 0).await.unwrap();
    tx.commit().await.unwrap();
}

pub(super) fn alert_id() -> AlertId {
    alert(0, 0, Severity::Info).id
}

/// Everything the store says about the events 1 to 4.
async fn everything(store: &Store) -> String {
    let mut tx = store.begin_read().await.unwrap();
    let mut all = vec![format!("{:#?}", alerts::get(&mut tx, TENANT, alert_id()).await.unwrap())];
    for number in 1..=4 {
        let id = event(number, 0).id;
        all.push(format!("{:#?}", events::get(&mut tx, TENANT, id).await.unwrap()));
        all.push(format!("{:#?}", events::raw(&mut tx, TENANT, id).await.unwrap()));
        all.push(format!("{:#?}", events::burials(&mut tx, TENANT, id).await.unwrap()));
        all.push(format!("{:#?}", deliveries::of_event(&mut tx, TENANT, id).await.unwrap()));
        all.push(format!("{:#?}", deliveries::attempts(&mut tx, TENANT, delivery(number)).await.unwrap()));
    }
    all.concat()
}

async fn a_whole_story_can_be_read_back(empty: Empty) {
    let store = empty.open().await;
    let dropped = What::Dropped {
        event: Box::new(event(2, 20)),
        ending: Ending::Muted,
        reason: "mute `noreply@*`".into(),
        mute: None,
    };
    let facts = [
        analysed(1, 10, Severity::Error),
        routed(1, 11, None),
        attempt(1, 12, 1, AttemptOutcome::Failed),
        attempt(1, 13, 2, AttemptOutcome::RateLimited),
        attempt(1, 14, 2, AttemptOutcome::Delivered),
        fact(event(2, 20).id, 20, dropped),
        fact(event(3, 30).id, 30, What::Buried { reason: "unreadable payload".into() }),
    ];
    record(&store, &facts).await;
    let mut tx = store.begin_read().await.unwrap();
    let first = events::get(&mut tx, TENANT, event(1, 0).id).await.unwrap().unwrap();
    let alert = alert(1, 10, Severity::Error);
    assert_eq!((&first.event, first.alert), (&alert.event, Some(alert.id)));
    assert_eq!(first.analysis.as_ref(), Some(&alert.analysis));
    assert_eq!(first.routing.unwrap().reasons, ["rule `databases` matched"]);
    let raw = events::raw(&mut tx, TENANT, event(1, 0).id).await.unwrap().unwrap();
    assert_eq!((&raw.0[..], raw.1), (&b"From: z\0\xff\r\n"[..], true));
    let sent = deliveries::of_event(&mut tx, TENANT, event(1, 0).id).await.unwrap().remove(0);
    assert_eq!((sent.state, sent.attempts, sent.detail.as_str()), (State::Delivered, 2, "answer 14"));
    assert_eq!((sent.alert, sent.channel), (Some(alert.id), ChannelId(3)));
    assert_eq!(deliveries::attempts(&mut tx, TENANT, sent.id).await.unwrap().len(), 3);
    let muted = events::get(&mut tx, TENANT, event(2, 0).id).await.unwrap().unwrap();
    assert_eq!(muted.dropped, Some((Ending::Muted, "mute `noreply@*`".into())));
    assert_eq!((muted.alert, muted.analysis, muted.routing), (None, None, None));
    let burials = events::burials(&mut tx, TENANT, event(3, 0).id).await.unwrap();
    assert_eq!(burials, [(30, "unreadable payload".to_owned())]);
}

async fn any_order_and_any_repetition_leave_the_same_rows(empty: Empty) {
    let silenced = Analysis { severity: Severity::Critical, ..alert(2, 20, Severity::Warning).analysis };
    let repeat = What::Deduplicated { delivery: delivery(3), channel: ChannelId(3) };
    let mut facts = vec![
        analysed(1, 10, Severity::Error),
        analysed(2, 20, Severity::Warning),
        analysed(3, 15, Severity::Info),
        routed(1, 11, None),
        routed(2, 21, Some(silenced)),
        routed(3, 16, None),
        fact(event(3, 0).id, 17, repeat),
        enriched(2, 24, Analysis { origin: Origin::Model, ..alert(2, 20, Severity::Error).analysis }),
        enriched(3, 26, Analysis { origin: Origin::Model, ..alert(3, 15, Severity::Info).analysis }),
        attempt(1, 12, 1, AttemptOutcome::Failed),
        attempt(1, 13, 2, AttemptOutcome::Dead),
        attempt(2, 22, 1, AttemptOutcome::RateLimited),
        attempt(2, 23, 1, AttemptOutcome::Delivered),
        fact(event(4, 0).id, 30, What::Buried { reason: "no such channel".into() }),
    ];
    let store = empty.open().await;
    record(&store, &facts).await;
    let expected = everything(&store).await;
    record(&store, &facts).await;
    assert_eq!(everything(&store).await, expected, "twice");
    let doubled: Vec<_> = facts.iter().chain(&facts).cloned().collect();
    store.close().await;

    for round in 0..12 {
        // Rotations and reversals, each fact in its own batch, then all of them twice in one.
        facts.rotate_left(5);
        if round % 3 == 0 {
            facts.reverse();
        }
        let another = if empty.file().exists() { Empty::sqlite() } else { Empty::postgres() };
        let store = another.open().await;
        if round % 4 == 0 {
            let mut mixed = doubled.clone();
            mixed.rotate_right(round);
            record(&store, &mixed).await;
        } else {
            for fact in &facts {
                record(&store, std::slice::from_ref(fact)).await;
            }
        }
        assert_eq!(everything(&store).await, expected, "round {round}");
        store.close().await;
    }
}

async fn an_older_event_does_not_move_its_alert_back(empty: Empty) {
    let store = empty.open().await;
    record(&store, &[analysed(1, 100, Severity::Info)]).await;
    record(&store, &[analysed(2, 50, Severity::Critical), analysed(2, 50, Severity::Critical)]).await;
    let mut tx = store.begin_read().await.unwrap();
    let alert = alerts::get(&mut tx, TENANT, alert_id()).await.unwrap().unwrap();
    assert_eq!((alert.first_seen, alert.last_seen, alert.count), (50, 100, 2));
    assert_eq!(alert.analysis.status, Status::Resolved);
    assert_eq!(alert.analysis.severity, Severity::Info);
}

async fn what_routing_understood_stands_in_the_alert(empty: Empty) {
    let store = empty.open().await;
    let raised =
        Analysis { severity: Severity::Critical, origin: Origin::Human, ..alert(1, 10, Severity::Warning).analysis };
    record(&store, &[routed(1, 11, Some(raised.clone()))]).await;
    record(&store, &[analysed(1, 10, Severity::Warning)]).await;
    let mut tx = store.begin_read().await.unwrap();
    let alert = alerts::get(&mut tx, TENANT, alert_id()).await.unwrap().unwrap();
    assert_eq!(alert.analysis, raised);
}

async fn a_late_answer_of_a_model_stands_in_the_event_and_in_the_alert(empty: Empty) {
    let store = empty.open().await;
    let words = Analysis {
        summary: "the model's words".into(),
        action: "look at the disk".into(),
        origin: Origin::Model,
        confidence: 0.75,
        ..alert(1, 10, Severity::Warning).analysis
    };
    record(&store, &[enriched(1, 20, words.clone())]).await;
    record(&store, &[analysed(1, 10, Severity::Warning), routed(1, 11, None)]).await;
    let mut tx = store.begin_read().await.unwrap();
    let known = events::get(&mut tx, TENANT, event(1, 0).id).await.unwrap().unwrap();
    assert_eq!(known.analysis.unwrap().origin, Origin::Rules, "what the rules said is kept beside it");
    let reasons = vec!["rule `databases` matched again".to_owned()];
    assert_eq!(known.enrichment, Some(events::Enrichment { at: 20, reasons, analysis: words.clone() }));
    assert_eq!(alerts::get(&mut tx, TENANT, alert_id()).await.unwrap().unwrap().analysis, words);
    let sent = deliveries::of_event(&mut tx, TENANT, event(1, 0).id).await.unwrap();
    let mut ids: Vec<_> = sent.iter().map(|sent| (sent.id, sent.state, sent.alert)).collect();
    ids.sort_unstable_by_key(|(id, ..)| *id != delivery(1));
    assert_eq!(ids, [1, 101].map(|id| (delivery(id), State::Pending, Some(alert_id()))));
}

async fn a_delivered_delivery_stays_delivered_and_a_replayed_one_forgets_its_death(empty: Empty) {
    let store = empty.open().await;
    record(&store, &[attempt(1, 10, 1, AttemptOutcome::Delivered), attempt(1, 20, 2, AttemptOutcome::Failed)]).await;
    record(&store, &[attempt(2, 10, 7, AttemptOutcome::Dead)]).await;
    record(&store, &[attempt(2, 20, 1, AttemptOutcome::Failed)]).await;
    let mut tx = store.begin_read().await.unwrap();
    let first = deliveries::of_event(&mut tx, TENANT, event(1, 0).id).await.unwrap().remove(0);
    assert_eq!((first.state, first.attempts), (State::Delivered, 2));
    let second = deliveries::of_event(&mut tx, TENANT, event(2, 0).id).await.unwrap().remove(0);
    assert_eq!((second.state, second.attempts), (State::Failed, 2));
}

async fn a_delivery_is_named_by_its_event_and_weighed_as_routing_saw_it(empty: Empty) {
    let store = empty.open().await;
    let escalated = Analysis { severity: Severity::Critical, ..alert(2, 20, Severity::Warning).analysis };
    record(&store, &[analysed(1, 10, Severity::Warning), routed(1, 11, None)]).await;
    record(&store, &[analysed(2, 20, Severity::Warning), routed(2, 21, Some(escalated))]).await;
    record(&store, &[attempt(3, 30, 1, AttemptOutcome::Failed)]).await;
    let mut tx = store.begin_read().await.unwrap();
    let known = [
        (1, Some("disk full 1".to_owned()), Some(Severity::Warning)),
        (2, Some("disk full 2".to_owned()), Some(Severity::Critical)),
        (3, None, None),
    ];
    let listed = deliveries::list(&mut tx, TENANT, &deliveries::Filter::default(), None, 10).await.unwrap().items;
    for (number, subject, severity) in known {
        let one = deliveries::get(&mut tx, TENANT, delivery(number)).await.unwrap().unwrap();
        assert!(listed.contains(&one), "{listed:?}");
        assert_eq!(deliveries::of_event(&mut tx, TENANT, one.event).await.unwrap(), std::slice::from_ref(&one));
        assert_eq!((one.subject, one.severity), (subject, severity));
    }
}

async fn another_tenants_history_is_not_there(empty: Empty) {
    let store = empty.open().await;
    let buried = fact(event(1, 0).id, 30, What::Buried { reason: "x".into() });
    record(&store, &[analysed(1, 10, Severity::Error), routed(1, 11, None), buried]).await;
    record(&store, &[attempt(1, 12, 1, AttemptOutcome::Failed)]).await;
    let (other, id) = (TenantId(2), event(1, 0).id);
    let mut tx = store.begin_read().await.unwrap();
    assert_eq!(events::get(&mut tx, other, id).await.unwrap(), None);
    assert_eq!(events::raw(&mut tx, other, id).await.unwrap(), None);
    assert!(events::burials(&mut tx, other, id).await.unwrap().is_empty());
    assert!(events::list(&mut tx, other, &events::Filter::default(), None, 10).await.unwrap().items.is_empty());
    assert_eq!(alerts::get(&mut tx, other, alert_id()).await.unwrap(), None);
    assert!(alerts::list(&mut tx, other, &alerts::Filter::default(), None, 10).await.unwrap().items.is_empty());
    assert!(deliveries::of_event(&mut tx, other, id).await.unwrap().is_empty());
    assert!(deliveries::attempts(&mut tx, other, delivery(1)).await.unwrap().is_empty());
}

async fn texts_that_postgres_refuses_are_kept_readable(empty: Empty) {
    let store = empty.open().await;
    let mut odd = alert(1, 10, Severity::Error);
    odd.event.subject = "a\0b".into();
    odd.event.text = "\0\u{10ffff}\u{feff}".into();
    odd.event.labels = BTreeMap::from([("k\0".to_owned(), "v\0".to_owned())]);
    odd.event.from = vec!["\0@x".into()];
    odd.analysis.summary = "s\0".into();
    let id = odd.event.id;
    record(&store, &[fact(id, 10, What::Analysed { alert: Box::new(odd), raw_truncated: false })]).await;
    record(&store, &[fact(id, 11, What::Buried { reason: "r\0".into() })]).await;
    let mut tx = store.begin_read().await.unwrap();
    let event = events::get(&mut tx, TENANT, id).await.unwrap().unwrap().event;
    assert_eq!(event.subject, "a\u{fffd}b");
    assert_eq!(event.text, "\u{fffd}\u{10ffff}\u{feff}");
    assert_eq!(event.labels["k\0"], "v\0");
}

async fn lists_are_newest_first_and_go_on_where_they_ended(empty: Empty) {
    let store = empty.open().await;
    let facts: Vec<_> = (1..=5).map(|number| analysed(number, i64::from(number / 2), Severity::Error)).collect();
    record(&store, &facts).await;
    let mut tx = store.begin_read().await.unwrap();
    let mut seen = Vec::new();
    let (all, mut before) = (events::Filter::default(), None);
    loop {
        let page = events::list(&mut tx, TENANT, &all, before.as_ref(), 2).await.unwrap();
        seen.extend(page.items.into_iter().map(|story| (story.event.received_at, story.event.id)));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    assert_eq!(alerts::list(&mut tx, TENANT, &alerts::Filter::default(), None, 10).await.unwrap().items.len(), 1);
}
