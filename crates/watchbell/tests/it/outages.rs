//! What it depends on goes away and comes back.

use std::time::Duration;

use serde_json::json;
use watchbell_harness::{Product, Service, Sink, eventually, mail as smtp};

use crate::{TOKEN, mail, one_channel};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn with_the_store_stopped_mails_reach_their_channel_and_history_catches_up() {
    let sink = Sink::start().await;
    let mut product = Product::distributed(&one_channel(&sink)).await;
    product.mail("probe@corp.example", "ops@corp.example", &mail("before")).await;
    sink.wait_for(1, SOON).await;
    eventually("the first event in the history", SOON, || async { (recorded(&product) == Some(1)).then_some(()) })
        .await;

    product.postgres().stop();
    for number in 0..20 {
        product.mail("probe@corp.example", "ops@corp.example", &mail(&format!("during {number}"))).await;
    }
    sink.wait_for(21, SOON).await;
    // A dispatcher that starts now has only the queue to read its configuration from.
    product.process(Service::Dispatcher).restart();
    product.mail("probe@corp.example", "ops@corp.example", &mail("after a restart")).await;
    sink.wait_for(22, SOON).await;

    product.postgres().start_again();
    eventually("the history to catch up", SOON, || std::future::ready((recorded(&product) == Some(22)).then_some(())))
        .await;
    assert_eq!(product.settled(SOON).await["delivered"], 22);
}

/// How many deliveries the history knows as delivered; `None` while the store is away.
fn recorded(product: &Product) -> Option<usize> {
    product.query("select count(*) from deliveries where state = 'delivered'")?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis_gone_senders_are_told_to_try_again_and_nothing_acknowledged_is_lost() {
    let sink = Sink::start().await;
    let mut product = Product::distributed(&one_channel(&sink)).await;
    product.mail("probe@corp.example", "ops@corp.example", &mail("before")).await;
    product.redis().kill9();
    let refused = smtp::send(product.smtp, "probe@corp.example", "ops@corp.example", &mail("during")).await;
    assert!(refused.unwrap_err().to_string().starts_with("451"));
    assert_eq!(product.push(TOKEN, &json!({ "title": "during" })).await.status(), 503);

    product.redis().restart();
    product.ready().await;
    product.mail("probe@corp.example", "ops@corp.example", &mail("after")).await;
    sink.wait_for(2, SOON).await;
    let books = product.settled(SOON).await;
    assert_eq!((&books["received"], &books["delivered"], &books["unaccounted"]), (&json!(2), &json!(2), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_disk_full_senders_are_told_to_try_again_until_there_is_space() {
    let sink = Sink::start().await;
    let mut product = Product::embedded(&one_channel(&sink)).await;
    product.mail("probe@corp.example", "ops@corp.example", &mail("before")).await;
    sink.wait_for(1, SOON).await;
    product.serve().limit_files(Some(4_096));
    for _ in 0..3 {
        let refused = smtp::send(product.smtp, "probe@corp.example", "ops@corp.example", &mail("during")).await;
        assert!(refused.as_ref().is_err_and(|error| error.to_string().starts_with("451")), "{refused:?}");
        assert_eq!(product.push(TOKEN, &json!({ "title": "during" })).await.status(), 503);
    }
    product.serve().limit_files(None);
    product.mail("probe@corp.example", "ops@corp.example", &mail("after")).await;
    assert_eq!(product.push(TOKEN, &json!({ "title": "after" })).await.status(), 202);
    sink.wait_for(3, SOON).await;
    let books = product.settled(SOON).await;
    assert_eq!((&books["received"], &books["delivered"], &books["unaccounted"]), (&json!(3), &json!(3), &json!(0)));
    let audit = product.command(&["books", "--audit"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_everything_acknowledged_is_delivered() {
    let sink = Sink::start().await;
    let mut product = Product::embedded(&one_channel(&sink)).await;
    sink.delay(Duration::from_millis(100));
    for number in 0..50 {
        product.mail("probe@corp.example", "ops@corp.example", &mail(&format!("event {number}"))).await;
        if number % 10 == 9 {
            product.serve().restart();
            product.ready().await;
        }
    }
    let books = product.settled(Duration::from_mins(1)).await;
    assert_eq!((&books["delivered"], &books["unaccounted"]), (&json!(50), &json!(0)));
    assert_eq!(sink.deliveries().len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_loses_nothing_to_the_others() {
    let sink = Sink::start().await;
    let mut product = Product::distributed(&one_channel(&sink)).await;
    sink.delay(Duration::from_millis(200));
    for number in 0..40 {
        product.mail("probe@corp.example", "ops@corp.example", &mail(&format!("event {number}"))).await;
    }
    for service in [Service::Dispatcher, Service::AlertAnalyzer, Service::ApiServer, Service::Dispatcher] {
        product.process(service).restart();
    }
    product.ready().await;
    let books = product.settled(Duration::from_mins(1)).await;
    assert_eq!((&books["delivered"], &books["unaccounted"]), (&json!(40), &json!(0)));
    assert_eq!(sink.deliveries().len(), 40);
    let audit = product.command(&["books", "--audit"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}
