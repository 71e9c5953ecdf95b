//! Delivery is at least once: when a message comes twice, and how that is told.

use std::time::Duration;

use serde_json::json;
use watchbell_common::{
    ids::{DeliveryId, TenantId},
    store::{Store, deliveries},
};
use watchbell_harness::{Product, Received, Service, Sink, eventually};

use crate::{TOKEN, one_channel};

/// Longer than the lease of the harness, three seconds. That so much time passes is what is tested: while a process
/// stands still there is nothing else to wait for.
const TOO_LONG: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(10);

/// What the destination took of one alert, each delivery once: a repeat comes right behind what it repeats.
pub(crate) async fn each_once(product: &Product, sink: &Sink) -> Vec<Received> {
    are_explained(product, sink).await;
    let mut received = sink.received();
    received.dedup_by(|next, last| next.text("delivery_id") == last.text("delivery_id"));
    received
}

/// A repeat has the id of what it repeats, and the history says why there may be one.
async fn are_explained(product: &Product, sink: &Sink) {
    for (delivery, times) in sink.deliveries() {
        if times > 1 {
            let why = format!("the history to say why {delivery} came {times} times");
            eventually(&why, SOON, || async { is_marked(product, &delivery).await.then_some(()) }).await;
        }
    }
}

async fn is_marked(product: &Product, delivery: &str) -> bool {
    let delivery: DeliveryId = delivery.parse().unwrap();
    let store = Store::open(&product.database(), &product.data_dir()).await.unwrap();
    let mut read = store.begin_read().await.unwrap();
    let attempts = deliveries::attempts(&mut read, TenantId::DEFAULT, delivery).await.unwrap();
    attempts.iter().any(|attempt| attempt.detail.starts_with("possibly duplicated"))
}

async fn push(product: &Product, events: std::ops::Range<usize>) {
    for number in events {
        let answer = product.push(TOKEN, &json!({ "title": format!("event {number}") })).await;
        assert_eq!(answer.status(), 202);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_sleeps_for_longer_than_a_lease_repeats_nothing() {
    const EVENTS: usize = 60;
    let sink = Sink::start().await;
    let mut product = Product::embedded(&one_channel(&sink)).await;
    sink.delay(Duration::from_millis(500));
    for round in 0..3 {
        push(&product, round * EVENTS / 3..(round + 1) * EVENTS / 3).await;
        let asked = sink.requests();
        eventually("a request to be under way", SOON, || async { (sink.requests() > asked).then_some(()) }).await;
        product.serve().stand_still();
        tokio::time::sleep(TOO_LONG).await;
        product.serve().go_on();
    }
    let books = product.settled(Duration::from_mins(1)).await;
    assert_eq!((&books["delivered"], &books["unaccounted"]), (&json!(EVENTS), &json!(0)));
    assert_eq!((sink.deliveries().len(), sink.count()), (EVENTS, EVENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dispatcher_sent_that_was_silent_for_too_long_is_sent_again_under_its_id_and_marked() {
    const EVENTS: usize = 20;
    let sink = Sink::start().await;
    let mut product = Product::distributed(&one_channel(&sink)).await;
    sink.delay(Duration::from_millis(500));
    push(&product, 0..EVENTS).await;
    eventually("a request to be under way", SOON, || async { (sink.requests() > 0).then_some(()) }).await;
    product.process(Service::Dispatcher).stand_still();
    tokio::time::sleep(TOO_LONG).await;
    product.process(Service::Dispatcher).go_on();
    let books = product.settled(Duration::from_mins(1)).await;
    assert_eq!((&books["delivered"], &books["unaccounted"]), (&json!(EVENTS), &json!(0)));
    assert!(sink.count() > EVENTS, "what was under way was sent again");
    assert_eq!(sink.deliveries().len(), EVENTS);
    are_explained(&product, &sink).await;
}
