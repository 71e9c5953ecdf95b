//! From door to channel, in both ways to run.

use std::time::{Duration, Instant};

use serde_json::json;
use watchbell_harness::{Mood, Product, Service, Sink, eventually};

use crate::{TOKEN, mail, one_channel, repeats::each_once};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sees_the_sample_mail_on_the_console_within_a_second() {
    let mut product = Product::embedded("").await;
    let banner = eventually("the banner with a line to copy", SOON, || {
        let banner = product.serve().output();
        std::future::ready((banner.contains("send-test") && banner.ends_with('\n')).then_some(banner))
    })
    .await;
    let line = banner.lines().find(|line| line.contains("send-test")).expect("it was waited for");
    assert!(line.contains(&product.smtp.to_string()), "{line}");

    // Other tests can only make it slower, so the best of some tries counts.
    let mut shown = banner.clone();
    let mut took = Vec::new();
    while !took.iter().any(|took| *took < Duration::from_secs(1)) {
        assert!(took.len() < 10, "never within a second: {took:?}");
        let before = shown.len();
        let sent = product.command(&["send-test"]);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        let acknowledged = Instant::now();
        shown = eventually("the message on the console", SOON, || {
            let output = product.serve().output();
            std::future::ready(output[before..].contains("High CPU load").then_some(output))
        })
        .await;
        took.push(acknowledged.elapsed());
    }
    let shown = &shown[banner.len()..];
    assert!(shown.contains("Datenbank Prod 01 磁盘"), "{shown}");
    assert!(shown.to_lowercase().contains("critical") || shown.to_lowercase().contains("error"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_mail_and_push_reach_a_webhook_and_the_books_balance() {
    let sink = Sink::start().await;
    let product = Product::embedded(&one_channel(&sink)).await;
    mail_and_push(&product, &sink).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn distributed_mail_and_push_reach_a_webhook_and_the_books_balance() {
    let sink = Sink::start().await;
    let product = Product::distributed(&one_channel(&sink)).await;
    mail_and_push(&product, &sink).await;
}

async fn mail_and_push(product: &Product, sink: &Sink) {
    product.mail("probe@corp.example", "ops@corp.example", &mail("CRITICAL: db1 is down")).await;
    let answer = product.push(TOKEN, &json!({ "title": "disk full", "host": "db1", "level": "critical" })).await;
    assert_eq!(answer.status(), 202);
    let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["status"], "queued");

    let received = sink.wait_for(2, SOON).await;
    let by_subject = |subject: &str| {
        received.iter().find(|message| message.text("subject") == subject).unwrap_or_else(|| panic!("{received:#?}"))
    };
    let pushed = by_subject("disk full");
    assert_eq!(pushed.text("event_id"), body["push_id"]);
    assert_eq!(pushed.text("severity"), "critical");
    assert_eq!(pushed.text("status"), "firing");
    assert_eq!(pushed.text("origin"), "rules");
    assert_eq!(pushed.text("system"), "db1");
    assert_eq!(pushed.headers["idempotency-key"], *pushed.text("delivery_id"));
    assert_eq!(by_subject("CRITICAL: db1 is down").text("severity"), "critical");

    let books = product.settled(SOON).await;
    assert_eq!((&books["received"], &books["delivered"], &books["unaccounted"]), (&json!(2), &json!(2), &json!(0)));
    eventually("the figures on /metrics", SOON, || async {
        let metrics = product.get("/metrics").await;
        let shown = metrics
            .lines()
            .any(|line| line.starts_with("watchbell_events{") && line.contains("delivered") && line.ends_with(" 2"));
        (shown && metrics.contains("watchbell_unaccounted")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_send_alerts_where_they_say_and_mutes_drop_them() {
    let sink = Sink::start().await;
    let (ops, all) = (sink.url("ops"), sink.url("all"));
    let product = Product::embedded(&format!(
        "channels:
  - {{ name: ops, platform: webhook, target: '{ops}' }}
  - {{ name: all, platform: webhook, target: '{all}' }}
rules:
  - name: databases
    match: {{ from: '*@db-servers.local' }}
    channels: [ops]
    continue: true
  - name: critical everywhere
    match: {{ severity_at_least: critical }}
    channels: [ops, all]
default_channels: [all]
mutes:
  - {{ from: 'noreply@*', comment: newsletter }}
"
    ))
    .await;
    product.mail("root@db-servers.local", "ops@corp.example", &mail("WARNING: replication lag")).await;
    product.mail("noreply@shop.example", "ops@corp.example", &mail("CRITICAL offers")).await;
    product.mail("root@web1.example", "ops@corp.example", &mail("CRITICAL: web1 is down")).await;
    product.mail("root@web1.example", "ops@corp.example", &mail("WARNING: disk at 81%")).await;
    let books = product.settled(SOON).await;
    assert_eq!(books["muted"], 1);
    assert_eq!(books["delivered"], 3);
    let mut subjects: Vec<_> = sink.received().iter().map(|message| message.text("subject").to_owned()).collect();
    subjects.sort();
    let critical = "CRITICAL: web1 is down";
    assert_eq!(subjects, [critical, critical, "WARNING: disk at 81%", "WARNING: replication lag"]);
}

/// Two destinations, of which the first takes its time, and a channel for each.
async fn noisy_and_quiet() -> (Sink, Sink, String) {
    let (noisy, quiet) = (Sink::start().await, Sink::start().await);
    noisy.delay(Duration::from_secs(5));
    let provision = format!(
        "channels:
  - {{ name: noisy, platform: webhook, target: '{}', push_token: noisy-{TOKEN} }}
  - {{ name: quiet, platform: webhook, target: '{}', push_token: quiet-{TOKEN} }}
",
        noisy.url("n"),
        quiet.url("q"),
    );
    (noisy, quiet, provision)
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_a_noisy_channel_delays_another_by_less_than_two_seconds() {
    let (noisy, quiet, provision) = noisy_and_quiet().await;
    delayed_little(&Product::embedded(&provision).await, &noisy, &quiet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn distributed_a_noisy_channel_delays_another_by_less_than_two_seconds() {
    let (noisy, quiet, provision) = noisy_and_quiet().await;
    delayed_little(&Product::distributed(&provision).await, &noisy, &quiet).await;
}

async fn delayed_little(product: &Product, noisy: &Sink, quiet: &Sink) {
    const WAITING: usize = 10_000;
    // What the slow destination may have taken before the last one is sent.
    const NOISE: usize = WAITING + 1_000;
    let mut senders = tokio::task::JoinSet::new();
    let client = reqwest::Client::default();
    for sender in 0..8 {
        let (client, url) = (client.clone(), format!("http://{}/api/v1/push/noisy-{TOKEN}", product.http));
        senders.spawn(async move {
            for number in (sender..NOISE).step_by(8) {
                let answer = client
                    .post(&url)
                    .body(json!({ "title": format!("noise {number}") }).to_string())
                    .send()
                    .await
                    .unwrap();
                assert_eq!(answer.status(), 202);
            }
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    let sent = Instant::now();
    let answer = product.push(&format!("quiet-{TOKEN}"), &json!({ "title": "the one that matters" })).await;
    assert_eq!(answer.status(), 202);
    quiet.wait_for(1, SOON).await;
    assert!(sent.elapsed() < Duration::from_secs(2), "took {:?}", sent.elapsed());
    assert!(noisy.count() <= NOISE - WAITING, "{} of the noise were not waiting any more", noisy.count());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_waited_for_and_a_rejection_is_a_dead_letter_that_can_be_replayed() {
    let sink = Sink::start().await;
    let product = Product::embedded(&one_channel(&sink)).await;
    sink.mood(Mood::Limits(1));
    product.push(TOKEN, &json!({ "title": "limited" })).await;
    sink.wait_for(1, SOON).await;

    sink.mood(Mood::Answers(400));
    product.push(TOKEN, &json!({ "title": "rejected" })).await;
    let dead = eventually("a dead letter", SOON, || {
        let list = product.command(&["dead", "list", "--json"]);
        let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap_or_default();
        std::future::ready(list.get(0).cloned())
    })
    .await;
    assert_eq!(dead["queue"], "deliver");
    assert!(dead["reason"].as_str().unwrap().contains("400"), "{dead}");
    assert_eq!(product.settled(SOON).await["dead"], 1);

    sink.mood(Mood::Good);
    let replayed = product.command(&["dead", "replay", dead["id"].as_str().unwrap()]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    sink.wait_for(2, SOON).await;
    let books = product.settled(SOON).await;
    assert_eq!((&books["delivered"], &books["dead"], &books["unaccounted"]), (&json!(2), &json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_of_an_alert_arrive_in_order_through_failures_and_are_counted() {
    let sink = Sink::start().await;
    let product = Product::embedded(&one_channel(&sink)).await;
    sink.mood(Mood::FailsEach(2));
    for number in 0..6 {
        let body = json!({ "dedup_key": "the same", "title": format!("step {number}"), "level": "error" });
        assert_eq!(product.push(TOKEN, &body).await.status(), 202);
    }
    eventually("six deliveries", Duration::from_mins(1), || async { (sink.deliveries().len() == 6).then_some(()) })
        .await;
    let received = each_once(&product, &sink).await;
    let titles: Vec<_> = received.iter().map(|message| message.text("subject").to_owned()).collect();
    assert_eq!(titles, ["step 0", "step 1", "step 2", "step 3", "step 4", "step 5"], "{received:?}");
    let counts: Vec<_> = received.iter().map(|message| message.body["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6]);
    assert!(received.iter().all(|message| message.text("alert_id") == received[0].text("alert_id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_stay_in_order_between_several_analyzers_and_dispatchers() {
    const REPEATS: usize = 300;
    let sink = Sink::start().await;
    let mut product = Product::distributed(&one_channel(&sink)).await;
    for service in [Service::AlertAnalyzer, Service::Dispatcher] {
        product.start(service);
    }
    product.ready().await;
    for number in 0..REPEATS {
        let body = json!({ "dedup_key": "the same", "title": format!("step {number}"), "level": "error" });
        assert_eq!(product.push(TOKEN, &body).await.status(), 202);
    }
    eventually("all deliveries", Duration::from_mins(1), || async {
        (sink.deliveries().len() == REPEATS).then_some(())
    })
    .await;
    let received = each_once(&product, &sink).await;
    let titles: Vec<_> = received.iter().map(|message| message.text("subject").to_owned()).collect();
    assert_eq!(titles, (0..REPEATS).map(|number| format!("step {number}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_inside_the_window_are_dropped_at_the_door_and_on_the_way() {
    let sink = Sink::start().await;
    let product = Product::embedded(&format!(
        "channels:\n  - {{ name: sink, platform: webhook, target: '{}', push_token: {TOKEN}, dedup_window_s: 300 }}\ndefault_channels: [sink]\n",
        sink.url("a")
    ))
    .await;
    let body = json!({ "title": "disk full", "host": "db1" });
    assert_eq!(product.push(TOKEN, &body).await.status(), 202);
    let again = product.push(TOKEN, &body).await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.text().await.unwrap().trim_end(), r#"{"dropped":true,"reason":"dedup"}"#);
    for _ in 0..3 {
        product.mail("probe@corp.example", "ops@corp.example", &mail("ERROR: job 17 failed")).await;
    }
    let books = product.settled(SOON).await;
    assert_eq!((&books["received"], &books["delivered"], &books["deduplicated"]), (&json!(5), &json!(2), &json!(3)));
    assert_eq!(sink.count(), 2);
}
