//! Lists that look at a bounded number of rows, and history that ends.

use super::{
    Empty,
    history::{TENANT, alert, alert_id, analysed, attempt, delivery, event, record, routed},
    on_both,
};
use crate::{
    alert::{Severity, Status},
    clock::millis,
    ids::{ActionId, AuditId, ChannelId, MuteId, SilenceId, TenantId, UserId},
    payload::{AttemptOutcome, Fact, FactHead, What as Said},
    queue::Ending,
    store::{
        SCANNED_MAX, alerts, audit, changes,
        channel_health::{self, Health},
        deliveries, events, filling,
        hidden::{self, Hidden},
        marks::{self, Action, What},
        retention,
        senders::{self, Sender},
        tallies,
    },
};

on_both!(
    a_search_looks_at_a_bounded_number_of_rows_and_goes_on_in_the_next_page,
    old_history_goes_with_everything_that_belongs_to_it,
    one_source_goes_with_all_its_events,
    what_was_hidden_is_counted_once,
    senders_are_counted,
    minutes_are_added_up_once,
    changes_are_noted_and_forgotten,
    the_audit_log_is_read_by_person_kind_and_time,
    channels_are_well_or_fail_since_a_time,
);

async fn a_search_looks_at_a_bounded_number_of_rows_and_goes_on_in_the_next_page(empty: Empty) {
    let store = empty.open().await;
    let count = i64::from(SCANNED_MAX) + 100;
    filling::fill(&store, count * 5, 1_000_000_000).await.unwrap();
    let mut tx = store.begin_read().await.unwrap();
    let oldest = format!("f{}", count * 4);
    let search = alerts::Filter { text: oldest.to_uppercase(), ..alerts::Filter::default() };
    let first = alerts::list(&mut tx, TENANT, &search, None, 10).await.unwrap();
    assert!(first.items.is_empty());
    let second = alerts::list(&mut tx, TENANT, &search, first.next.as_ref(), 10).await.unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
    assert_eq!(second.items[0].fingerprint, oldest);

    // Several values of one index are read one after the other, and merged.
    let both = alerts::Filter { systems: vec!["host1".into(), "host2".into()], ..alerts::Filter::default() };
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = alerts::list(&mut tx, TENANT, &both, before.as_ref(), 7).await.unwrap();
        seen.extend(page.items.iter().map(|alert| (alert.last_seen, alert.id.to_string())));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert!(seen.is_sorted_by(|a, b| a > b), "latest first, none twice");
    assert_eq!(seen.len(), usize::try_from(count / 250).unwrap());

    let facets = alerts::facets(&mut tx, TENANT, &alerts::Filter::default()).await.unwrap();
    assert_eq!((facets.counted, facets.more), (SCANNED_MAX as usize, true));
    let firing = alerts::Filter { statuses: vec![Status::Firing], ..alerts::Filter::default() };
    let facets = alerts::facets(&mut tx, TENANT, &firing).await.unwrap();
    assert_eq!((facets.counted, facets.more), (101, false));
    let counts = alerts::count(&mut tx, TENANT).await.unwrap();
    assert_eq!((counts.firing, counts.resolved), (101, count - 101));
}

async fn old_history_goes_with_everything_that_belongs_to_it(empty: Empty) {
    let store = empty.open().await;
    let sent = |number| attempt(number, 12, 1, AttemptOutcome::Delivered);
    record(&store, &[analysed(1, 10, Severity::Error), routed(1, 11, None), sent(1)]).await;
    record(&store, &[analysed(2, 500, Severity::Error), routed(2, 501, None), sent(2)]).await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(retention::remove(&mut tx, TENANT, 500).await.unwrap(), 1);
    assert_eq!(retention::remove(&mut tx, TENANT, 500).await.unwrap(), 0);
    for (number, kept) in [(1, false), (2, true)] {
        let id = event(number, 0).id;
        assert_eq!(events::get(&mut tx, TENANT, id).await.unwrap().is_some(), kept);
        assert_eq!(events::raw(&mut tx, TENANT, id).await.unwrap().is_some(), kept);
        assert_eq!(deliveries::get(&mut tx, TENANT, delivery(number)).await.unwrap().is_some(), kept);
        assert_eq!(!deliveries::attempts(&mut tx, TENANT, delivery(number)).await.unwrap().is_empty(), kept);
    }
    let alert = alerts::get(&mut tx, TENANT, alert_id()).await.unwrap().unwrap();
    let (id, at, comment) = (ActionId::at(600), 600, String::new());
    let (what, actor) = (What::Acknowledge, "ops".to_owned());
    let action = Action { id, alert: alert.id, at, event: alert.last_event, what, actor, comment, label: None };
    marks::act(&mut tx, TENANT, &alert, &action).await.unwrap();
    assert_eq!(retention::remove(&mut tx, TENANT, 501).await.unwrap(), 1, "the event");
    assert_eq!(retention::remove(&mut tx, TENANT, 501).await.unwrap(), 1, "the alert");
    assert_eq!(alerts::get(&mut tx, TENANT, alert.id).await.unwrap(), None);
    assert!(marks::of_alerts(&mut tx, TENANT, &[alert.id]).await.unwrap().is_empty());
    assert!(marks::actions(&mut tx, TENANT, alert.id, 10).await.unwrap().is_empty());
}

async fn one_source_goes_with_all_its_events(empty: Empty) {
    let store = empty.open().await;
    let sent = attempt(2, 502, 1, AttemptOutcome::Delivered);
    let facts = [analysed(1, 400, Severity::Error), analysed(2, 500, Severity::Error), routed(2, 501, None), sent];
    record(&store, &facts).await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(retention::remove_source(&mut tx, TENANT, "sample", 9).await.unwrap(), 0);
    assert_eq!(retention::remove_source(&mut tx, TenantId(2), "mail", 9).await.unwrap(), 0);
    assert!(alerts::get(&mut tx, TENANT, alert_id()).await.unwrap().is_some());
    assert_eq!(retention::remove_source(&mut tx, TENANT, "mail", 9).await.unwrap(), 1);
    assert_eq!(alerts::get(&mut tx, TENANT, alert_id()).await.unwrap(), None);
    for number in [1, 2] {
        assert_eq!(events::get(&mut tx, TENANT, event(number, 0).id).await.unwrap(), None);
    }
    assert!(deliveries::attempts(&mut tx, TENANT, delivery(2)).await.unwrap().is_empty());
    let found = changes::after(&mut tx, TENANT, crate::ids::ChangeId::first_at(0), 10).await.unwrap();
    assert_eq!(found.last().unwrap().alerts, None, "those who watch begin anew");
}

async fn what_was_hidden_is_counted_once(empty: Empty) {
    let store = empty.open().await;
    let head = |number, at, what| Fact {
        head: FactHead { tenant: TENANT, event: event(number, at).id, at, what },
        raw: bytes::Bytes::new(),
    };
    let dropped = |number, at| {
        let (event, reason) = (Box::new(event(number, at)), "muted".to_owned());
        head(number, at, Said::Dropped { event, ending: Ending::Muted, reason, mute: Some(MuteId(4)) })
    };
    let silenced = head(
        3,
        31,
        Said::Routed {
            alert: alert_id(),
            reasons: Vec::new(),
            rules: Vec::new(),
            deliveries: Vec::new(),
            ending: Some(Ending::Silenced),
            silence: Some(SilenceId(5)),
            analysis: None,
        },
    );
    let facts = [dropped(1, 10), dropped(2, 20), silenced];
    record(&store, &facts).await;
    record(&store, &facts).await;
    let mut tx = store.begin_read().await.unwrap();
    // 24 parts of a millisecond each: the first event came before them, the last one behind.
    let time = 15..31;
    let parts = |filled| {
        let mut parts = [0; hidden::PARTS];
        parts[filled] = 1;
        parts
    };
    let muted = hidden::by_mute(&mut tx, TENANT, MuteId(4), &time).await.unwrap();
    assert_eq!(muted, Hidden { count: 2, last_at: Some(20), parts: parts(5) });
    let silenced = hidden::by_silence(&mut tx, TENANT, SilenceId(5), &(2..3)).await.unwrap();
    assert_eq!(silenced, Hidden { count: 1, last_at: Some(31), parts: parts(23) });
    assert_eq!(hidden::by_mute(&mut tx, TENANT, MuteId(5), &time).await.unwrap(), Hidden::default());
    assert_eq!(hidden::by_silence(&mut tx, TenantId(2), SilenceId(5), &time).await.unwrap(), Hidden::default());
}

async fn senders_are_counted(empty: Empty) {
    let store = empty.open().await;
    record(&store, &[10, 20, 30].map(|at| analysed(u8::try_from(at).unwrap(), at, Severity::Error))).await;
    let mut tx = store.begin_read().await.unwrap();
    let found = senders::list(&mut tx, TENANT, 20).await.unwrap();
    let (source, from, peer) = ("mail".to_owned(), vec!["zabbix@example.com".to_owned()], "192.0.2.7".to_owned());
    assert_eq!(found, [Sender { source, from, peer: Some(peer), count: 2, last_at: 30 }]);
    assert!(senders::list(&mut tx, TenantId(2), 0).await.unwrap().is_empty());
}

async fn minutes_are_added_up_once(empty: Empty) {
    let store = empty.open().await;
    let failed = attempt(1, 60_500, 1, AttemptOutcome::Failed);
    let facts = [analysed(1, 59_999, Severity::Error), failed, attempt(1, 61_000, 2, AttemptOutcome::Delivered)];
    record(&store, &facts).await;
    record(&store, &facts).await;
    record(&store, &[analysed(2, 59_000, Severity::Error)]).await;
    let mut tx = store.begin_read().await.unwrap();
    let minutes = tallies::between(&mut tx, TENANT, (0, 120_000)).await.unwrap();
    assert_eq!(minutes.iter().map(|minute| minute.at).collect::<Vec<_>>(), [0, 60_000]);
    assert_eq!((minutes[0].received, minutes[0].delivered), (2, 0));
    assert_eq!((minutes[1].received, minutes[1].failed, minutes[1].delivered), (0, 1, 1));
}

async fn changes_are_noted_and_forgotten(empty: Empty) {
    let store = empty.open().await;
    let now = 1_795_295_524_584;
    let mut tx = store.begin().await.unwrap();
    changes::add(&mut tx, TENANT, &[alert(1, 0, Severity::Error).id].into(), 2, now).await.unwrap();
    let many = (0..=changes::NAMED_MAX).map(|n| crate::ids::AlertId::derived(&[&n.to_be_bytes()])).collect();
    changes::add(&mut tx, TENANT, &many, 0, now + 1).await.unwrap();
    let begin = crate::ids::ChangeId::first_at(0);
    let found = changes::after(&mut tx, TENANT, begin, 10).await.unwrap();
    assert_eq!((found[0].alerts.as_deref(), found[0].deliveries), (Some(&[alert_id()][..]), 2));
    assert_eq!(found[1].alerts, None, "too many to be named");
    assert_eq!(changes::after(&mut tx, TENANT, found[0].id, 10).await.unwrap(), found[1..]);
    retention::forget_changes(&mut tx, TENANT, now + millis(changes::KEPT) + 1).await.unwrap();
    assert_eq!(changes::after(&mut tx, TENANT, begin, 10).await.unwrap(), found[1..]);
}

async fn the_audit_log_is_read_by_person_kind_and_time(empty: Empty) {
    let store = empty.open().await;
    let mut tx = store.begin().await.unwrap();
    let entry = |at: i64, tenant, user: Option<i64>, kind: &str| audit::Entry {
        id: AuditId::at(at),
        tenant,
        at,
        user: user.map(UserId),
        actor: "ops".into(),
        address: String::new(),
        action: "update".into(),
        kind: kind.into(),
        item: at.to_string(),
        before: None,
        after: None,
    };
    for (at, user, kind) in
        [(10, Some(1), "rule"), (20, Some(2), "rule"), (30, Some(1), "bot"), (40, None, "bot"), (50, Some(1), "rule")]
    {
        audit::add(&mut tx, &entry(at, TENANT, user, kind)).await.unwrap();
        audit::add(&mut tx, &entry(at, TenantId(2), user, kind)).await.unwrap();
    }
    let by = |user: Option<i64>, kind: Option<&str>, since, before| {
        let (user, kind) = (user.map(UserId), kind.map(str::to_owned));
        audit::Filter { user, kind, since, before }
    };
    for (filter, expected) in [
        (by(None, None, None, None), &[50, 40, 30, 20, 10][..]),
        (by(Some(1), None, None, None), &[50, 30, 10]),
        (by(None, Some("bot"), None, None), &[40, 30]),
        (by(Some(1), Some("rule"), None, None), &[50, 10]),
        (by(None, None, Some(20), Some(40)), &[30, 20]),
        (by(Some(1), Some("rule"), Some(11), Some(50)), &[]),
    ] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = audit::list(&mut tx, TENANT, &filter, before.as_ref(), 2).await.unwrap();
            seen.extend(page.items.iter().inspect(|entry| assert_eq!(entry.tenant, TENANT)).map(|entry| entry.at));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{filter:?}");
    }
    for (filter, index) in [
        (by(Some(1), Some("rule"), None, None), "audit_by_user"),
        (by(None, Some("rule"), None, None), "audit_by_kind"),
        (by(None, None, Some(20), None), "audit_by_time"),
    ] {
        let plan = audit::explain(&mut tx, TENANT, &filter).await.unwrap().join("\n");
        // PostgreSQL reads a table of ten rows as a whole.
        assert!(plan.contains(index) || plan.contains("Seq Scan"), "{index}: {plan}");
    }
}

async fn channels_are_well_or_fail_since_a_time(empty: Empty) {
    let store = empty.open().await;
    let health = async || channel_health::list(&mut store.begin_read().await.unwrap(), TENANT).await.unwrap();
    assert_eq!(health().await, []);
    record(&store, &[routed(4, 5, None)]).await;
    let untried = Health { channel: ChannelId(3), delivered_at: None, failing_since: None, failing: 0 };
    assert_eq!(health().await, [untried]);
    let facts = [
        attempt(1, 10, 1, AttemptOutcome::Dead),
        attempt(2, 20, 1, AttemptOutcome::Delivered),
        attempt(3, 30, 1, AttemptOutcome::RateLimited),
    ];
    record(&store, &facts).await;
    let well = Health { delivered_at: Some(20), ..untried };
    assert_eq!(health().await, [well]);
    record(&store, &[attempt(5, 40, 1, AttemptOutcome::Failed), attempt(6, 50, 1, AttemptOutcome::Dead)]).await;
    assert_eq!(health().await, [Health { failing_since: Some(40), failing: 2, ..well }]);
    record(&store, &[attempt(5, 60, 2, AttemptOutcome::Delivered)]).await;
    assert_eq!(health().await, [Health { delivered_at: Some(60), ..well }]);
    let other = channel_health::list(&mut store.begin_read().await.unwrap(), TenantId(2)).await.unwrap();
    assert_eq!(other, []);
}
