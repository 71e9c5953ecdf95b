//! One attempt against a local server, whatever it answers.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::{Router, http::StatusCode, response::IntoResponse as _, routing::post};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};
use watchbell_channels::Tools;
use watchbell_common::{
    alert::{Analysis, Origin},
    answers,
    clock::ManualClock,
    config::{Document, Escalate, ParseMode, Template, TemplateUse},
    crypto::Place,
    ids::{BotId, TemplateId, TenantId},
    payload::{EnrichPayload, Fact},
    queue::QueueName,
};

use super::*;
use crate::{
    enrich,
    jobs::{Part, delivery_id},
    testing::{self, NOW, OPS, SINK, TIMEOUT, TestQueue},
};

mod telegram;

/// What a server that answers with `status` and `retry-after` leads to.
async fn attempt(status: u16, change: impl FnOnce(&mut Document, &mut Lease)) -> Outcome {
    attempt_and_see(status, change).await.0
}

/// The same, and the body that the server got.
async fn attempt_and_see(status: u16, change: impl FnOnce(&mut Document, &mut Lease)) -> (Outcome, String) {
    let (seen, mut bodies) = mpsc::unbounded_channel();
    let answer = move |body: String| async move {
        seen.send(body).unwrap();
        (StatusCode::from_u16(status).unwrap(), [("retry-after", "17")]).into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut document = testing::document();
    document.tenants[0].channels[1].target = format!("http://{}/alerts", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, Router::new().route("/alerts", post(answer))).await });
    let mut lease = lease(false);
    change(&mut document, &mut lease);
    let queue = testing::queue();
    let outcome = deliver(&document, &queue).step(&lease).await;
    (outcome, bodies.try_recv().unwrap_or_default())
}

fn deliver(document: &Document, queue: &TestQueue) -> Deliver {
    deliver_by(&ManualClock::at(NOW), document, queue, testing::tools())
}

fn deliver_by(clock: &ManualClock, document: &Document, queue: &TestQueue, tools: Tools) -> Deliver {
    let config = Arc::new(ConfigCell::default());
    config.accept(&document.publish(), &testing::vault()).unwrap();
    let (clock, queue) = (Arc::new(clock.clone()), queue.queue.clone());
    let holds = Holds::new(queue.clone(), clock.clone());
    Deliver { queue, config, clock, holds, senders: Senders::new(tools), timeout: TIMEOUT }
}

fn lease(update: bool) -> Lease {
    lease_of(Severity::Warning, update)
}

fn lease_of(severity: Severity, update: bool) -> Lease {
    let mut alert = testing::alert();
    alert.analysis.severity = severity;
    let part = if update { Part::Update } else { Part::Message };
    let delivery = delivery_id(alert.event.id, SINK, part);
    let payload =
        DeliverPayload { delivery, channel: SINK, alert: alert.clone(), count: 3, since: None, update }.encode();
    testing::lease(QueueName::Deliver, &alert, payload)
}

fn said(outcome: &Outcome) -> (u32, AttemptOutcome, String) {
    let what = outcome.facts.iter().map(|fact| Fact::decode(fact).unwrap().head.what).collect::<Vec<_>>();
    let [What::Attempt { number, outcome, detail, .. }] = &what[..] else { panic!("{what:?}") };
    (*number, *outcome, detail.clone())
}

#[tokio::test]
async fn a_delivery_completes_and_is_a_fact() {
    let outcome = attempt(202, |_, _| ()).await;
    assert!(matches!(outcome.verdict, Verdict::Complete { ending: Some(Ending::Delivered), .. }), "{outcome:?}");
    assert_eq!(said(&outcome), (1, AttemptOutcome::Delivered, "202 Accepted".to_owned()));
}

#[tokio::test]
async fn what_a_worker_may_have_sent_before_it_vanished_is_marked() {
    let outcome = attempt(202, |_, lease| lease.lapses = 1).await;
    let detail = "possibly duplicated, since a worker vanished with it: 202 Accepted".to_owned();
    assert_eq!(said(&outcome), (1, AttemptOutcome::Delivered, detail));
}

#[tokio::test]
async fn a_template_writes_the_message_and_one_that_fails_costs_nothing() {
    let with = |body: &str| {
        let body = body.to_owned();
        move |document: &mut Document, _: &mut Lease| {
            let tenant = &mut document.tenants[0];
            let (id, name) = (TemplateId(4), "brief".to_owned());
            tenant.templates = vec![Template { id, name, body, parse_mode: ParseMode::None }];
            tenant.channels[1].templates = vec![TemplateUse { template: id, when: None }];
        }
    };
    let (outcome, body) = attempt_and_see(202, with("{{ .severity }} on {{ .system }}")).await;
    assert_eq!(said(&outcome).1, AttemptOutcome::Delivered);
    assert!(body.contains(r#""text":"warning on db1""#), "{body}");
    let (outcome, body) = attempt_and_see(202, with("{{ date `15` .system }}")).await;
    assert_eq!(said(&outcome).1, AttemptOutcome::Delivered);
    assert!(body.contains("Template failed: brief: line 1 column 4: `db1` is not a time"), "{body}");
}

#[tokio::test]
async fn an_update_is_delivered_outside_the_books() {
    let outcome = attempt(202, |_, job| *job = lease(true)).await;
    assert!(matches!(outcome.verdict, Verdict::Complete { ending: None, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_failing_server_is_tried_again_and_at_last_given_up() {
    let outcome = attempt(503, |_, lease| lease.attempts = 1).await;
    let Verdict::Retry { after, .. } = outcome.verdict else { panic!("{outcome:?}") };
    assert_eq!(after, Duration::from_secs(17), "what the server asked for is longer than the schedule");
    assert_eq!(said(&outcome), (2, AttemptOutcome::Failed, "503 Service Unavailable".to_owned()));

    let outcome = attempt(503, |_, lease| lease.attempts = 6).await;
    assert!(matches!(outcome.verdict, Verdict::Bury { .. }), "{outcome:?}");
    assert_eq!(said(&outcome).1, AttemptOutcome::Dead);
}

#[tokio::test]
async fn a_rate_limit_of_the_platform_pauses_the_channel() {
    let outcome = attempt(429, |_, _| ()).await;
    let Verdict::Defer { after, scope: Scope::Lane } = outcome.verdict else { panic!("{outcome:?}") };
    assert_eq!(after, Duration::from_secs(17));
    assert_eq!(said(&outcome).1, AttemptOutcome::RateLimited);
}

#[tokio::test]
async fn what_is_critical_waits_for_the_platform_too() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let answer = move || async move {
        counted.fetch_add(1, Ordering::SeqCst);
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "17")])
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut document = testing::document();
    document.tenants[0].channels[1].target = format!("http://{}/alerts", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, Router::new().route("/alerts", post(answer))).await });
    let (clock, queue) = (ManualClock::at(NOW), testing::queue());
    let deliver = deliver_by(&clock, &document, &queue, testing::tools());
    deliver.step(&lease(false)).await;
    clock.advance(Duration::from_secs(16));
    let outcome = deliver.step(&lease_of(Severity::Critical, false)).await;
    let Verdict::Defer { after, scope: Scope::Lane } = outcome.verdict else { panic!("{outcome:?}") };
    assert_eq!((after, outcome.facts.len(), calls.load(Ordering::SeqCst)), (Duration::from_secs(1), 0, 1));
    clock.advance(after);
    deliver.step(&lease_of(Severity::Critical, false)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2, "its time was over");
}

#[tokio::test]
async fn a_rule_for_what_is_critical_rings_the_phone_when_the_answer_is_late() {
    let (seen, mut texts) = mpsc::unbounded_channel();
    let answer = move |body: String| async move { seen.send(body).unwrap() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/send", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, Router::new().route("/send", post(answer))).await });
    let mut document = testing::document();
    let tenant = &mut document.tenants[0];
    tenant.bots = vec![testing::bot(BotId(1), "sms", &[("provider", "generic")])];
    let phone = &mut tenant.channels[1];
    (phone.platform, phone.bot, phone.target) = ("sms".to_owned(), Some(BotId(1)), "+4915112345678".to_owned());
    phone.options = [("url".to_owned(), url.into()), ("body".to_owned(), "text={text}".into())].into();
    tenant.rules[0].set_severity = None;
    tenant.rules[0].channels = vec![OPS];
    tenant.rules[0].escalate = Some(Escalate { severity_at_least: Severity::Critical, channels: vec![SINK] });

    let (queue, alert) = (testing::queue(), testing::alert());
    let answer = Analysis { severity: Severity::Critical, origin: Origin::Model, ..alert.analysis.clone() };
    answers::leave(&*queue.queue, alert.event.id, Some(&answer), Duration::from_mins(1)).await.unwrap();
    let payload =
        EnrichPayload { alert: alert.clone(), count: 1, since: None, channels: vec![OPS], answer_by: NOW }.encode();
    let late = testing::lease(QueueName::Enrich, &alert, payload);
    let outcome = enrich::step(&*queue.queue, &testing::snapshot(&document), &late, NOW).await;
    let Verdict::Complete { follow_ups, .. } = outcome.verdict else { panic!("{outcome:?}") };
    let (_, call) = follow_ups.into_iter().find(|(_, job)| job.lane == format!("c{SINK}!")).unwrap();
    let outcome = deliver(&document, &queue).step(&testing::lease(QueueName::Deliver, &alert, call.payload)).await;
    assert!(matches!(outcome.verdict, Verdict::Complete { ending: Some(Ending::Delivered), .. }), "{outcome:?}");
    assert!(texts.try_recv().unwrap().starts_with("text=CRITICAL"), "it rang");
    assert!(!said(&outcome).2.contains("not sent"));
}

#[tokio::test]
async fn a_rejection_is_a_dead_letter_at_once() {
    let outcome = attempt(404, |_, _| ()).await;
    assert!(matches!(&outcome.verdict, Verdict::Bury { reason } if reason.starts_with("404 Not Found")), "{outcome:?}");
    assert_eq!(said(&outcome).1, AttemptOutcome::Dead);
}

#[tokio::test]
async fn our_own_rate_pauses_the_lane_and_leaves_a_slot_for_what_is_critical() {
    let queue = testing::queue();
    let mut document = testing::document();
    document.tenants[0].channels[1].rate_per_min = 3;
    let deliver = deliver(&document, &queue);
    let tried = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Retry { .. });
    let warning = lease(false);
    for _ in 0..2 {
        let outcome = deliver.step(&warning).await;
        assert!(tried(&outcome), "nobody listens: {outcome:?}");
    }
    let outcome = deliver.step(&warning).await;
    let Verdict::Defer { after, scope: Scope::Lane } = outcome.verdict else { panic!("{outcome:?}") };
    assert_eq!((after, outcome.facts.len()), (Duration::from_secs(20), 0));
    let critical = lease_of(Severity::Critical, false);
    assert!(tried(&deliver.step(&critical).await), "one slot was left for it");
    let outcome = deliver.step(&critical).await;
    assert!(matches!(outcome.verdict, Verdict::Defer { scope: Scope::Lane, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_channel_that_is_gone_leaves_a_dead_letter_with_the_reason() {
    let outcome = attempt(202, |document, _| document.tenants[0].channels.truncate(1)).await;
    let (number, kind, detail) = said(&outcome);
    assert_eq!((number, kind, detail.as_str()), (1, AttemptOutcome::Dead, "channel 2 does not exist"));
    assert!(matches!(outcome.verdict, Verdict::Bury { .. }));
}

#[tokio::test]
async fn a_drill_fails_attempts_until_its_time_and_nothing_is_sent() {
    let drill = |until| {
        move |document: &mut Document, _: &mut Lease| {
            document.tenants[0].drills.insert(SINK, until);
        }
    };
    let (outcome, body) = attempt_and_see(202, drill(NOW + 1)).await;
    assert_eq!(said(&outcome), (1, AttemptOutcome::Failed, "drill: the channel pretends to be down".to_owned()));
    assert!(matches!(outcome.verdict, Verdict::Retry { .. }) && body.is_empty(), "{outcome:?} {body}");
    let (outcome, _) = attempt_and_see(202, drill(NOW)).await;
    assert_eq!(said(&outcome).1, AttemptOutcome::Delivered);
}

#[tokio::test]
async fn before_any_configuration_a_delivery_waits() {
    let outcome = deliver(&Document::default(), &testing::queue()).step(&lease(false)).await;
    assert!(matches!(outcome.verdict, Verdict::Defer { scope: Scope::Job, .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_unreadable_payload_is_buried() {
    let outcome = attempt(202, |_, lease| lease.payload = "nonsense".into()).await;
    assert!(matches!(&outcome.verdict, Verdict::Bury { reason } if reason.contains("unreadable")), "{outcome:?}");
    assert_eq!(outcome.facts.len(), 1);
}

#[tokio::test]
async fn a_channel_that_edits_is_given_what_it_kept_of_the_alerts_last_message() {
    let methods = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = methods.clone();
    let discord = move |method: axum::http::Method| {
        seen.lock().unwrap().push(method.to_string());
        async { axum::Json(serde_json::json!({ "id": "4711", "channel_id": "1" })) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/webhooks/1/token", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, Router::new().fallback(discord)).await });
    let mut document = testing::document();
    let channel = &mut document.tenants[0].channels[1];
    (channel.platform, channel.target) = ("discord".to_owned(), String::new());
    let secret = testing::vault().seal(&Place::channel(TenantId::DEFAULT, channel.id, "webhook_url"), &url.into());
    channel.secrets.insert("webhook_url".to_owned(), secret);
    let queue = testing::queue();
    let first = deliver(&document, &queue);
    for deliver in [&first, &deliver(&document, &queue)] {
        // What is critical takes both of the webhook's slots.
        let outcome = deliver.step(&lease_of(Severity::Critical, false)).await;
        assert!(matches!(outcome.verdict, Verdict::Complete { .. }), "{outcome:?}");
    }
    assert_eq!(*methods.lock().unwrap(), ["POST", "PATCH"], "another process knows it, too");
}
