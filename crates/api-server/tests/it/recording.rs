//! History: recorded, given back while the store is away, and caught up.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use watchbell_common::{
    alert::{Alert, Analysis, Event, Origin, Severity, Status},
    ids::{EventId, JobId, TenantId},
    payload::{Fact, FactHead, Payload as _, What},
    queue::{DeadFilter, NewJob, QueueName, facts},
    store::{Store, alerts, events},
    testing::PostgresServer,
};

use crate::house::{House, until};

fn fact(number: u32) -> Fact {
    let event = Event {
        id: EventId::derived(&[&number.to_be_bytes()]),
        tenant: TenantId::DEFAULT,
        received_at: i64::from(number),
        source: "mail".into(),
        channel: None,
        peer: None,
        from: vec!["zabbix@example.com".into()],
        to: Vec::new(),
        subject: format!("disk full {number}"),
        text: "92 %".into(),
        labels: BTreeMap::new(),
        attachments: Vec::new(),
    };
    let analysis = Analysis {
        severity: Severity::Error,
        status: Status::Firing,
        category: "disk".into(),
        system: "db1".into(),
        summary: "disk full".into(),
        action: String::new(),
        origin: Origin::Rules,
        confidence: 1.0,
    };
    let id = Alert::id_of(TenantId::DEFAULT, "f");
    let alert = Box::new(Alert { event, analysis, fingerprint: "f".into(), id });
    let head = FactHead {
        tenant: TenantId::DEFAULT,
        event: alert.event.id,
        at: i64::from(number),
        what: What::Analysed { alert, raw_truncated: false },
    };
    Fact { head, raw: Bytes::from_static(b"raw") }
}

pub(crate) async fn push(house: &House, numbers: std::ops::Range<u32>) {
    push_payloads(house, numbers.map(|number| fact(number).encode()).collect()).await;
}

async fn push_payloads(house: &House, payloads: Vec<Bytes>) {
    let job = |payload: Bytes| NewJob::new(JobId::derived(&[&payload]), TenantId::DEFAULT, None, "facts", payload);
    house.queue().push(QueueName::History, payloads.into_iter().map(job).collect()).await.unwrap();
}

/// Several facts in one job, as the queue puts them together.
fn bundle(facts: &[Bytes]) -> Bytes {
    let mut bundle = BytesMut::new();
    for fact in facts {
        facts::add(&mut bundle, fact);
    }
    bundle.freeze()
}

async fn recorded(store: &Store) -> i64 {
    let mut tx = store.begin_read().await.unwrap();
    let alert = alerts::get(&mut tx, TenantId::DEFAULT, Alert::id_of(TenantId::DEFAULT, "f")).await.unwrap();
    alert.map_or(0, |alert| alert.count)
}

async fn until_recorded(house: &House, count: i64) {
    let store = house.store().await;
    until(&format!("{count} events recorded"), async || recorded(&store).await == count).await;
    store.close().await;
    until("the queue is empty", async || waiting(house).await == 0).await;
}

/// Facts that are not decided yet.
async fn waiting(house: &House) -> u64 {
    let depths = house.queue().depths().await.unwrap();
    let (_, depth) = depths.into_iter().find(|(queue, _)| *queue == QueueName::History).unwrap();
    depth.ready + depth.leased + depth.waiting + depth.held
}

#[tokio::test]
async fn history_catches_up_after_the_store_was_away() {
    let server = PostgresServer::start();
    let mut house = House::build(&server.database(), &[("HISTORY_BATCH", "10")]).await;
    house.start();
    push(&house, 0..50).await;
    until_recorded(&house, 50).await;

    server.stop();
    push(&house, 50..200).await;
    until("the recorder has met the outage", async || waiting(&house).await == 150).await;
    server.start_again();
    until_recorded(&house, 200).await;
    house.stop().await;
}

#[tokio::test]
async fn a_store_that_is_down_at_the_start_is_waited_for() {
    let server = PostgresServer::start();
    let database = server.database();
    server.stop();
    let mut house = House::build(&database, &[]).await;
    house.start();
    push(&house, 0..20).await;
    assert!(house.shared.queue.ping().await.is_ok(), "the queue is there, and that is what counts");
    server.start_again();
    until_recorded(&house, 20).await;
    assert_eq!(house.published_channels().await, ["console"]);
    house.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_buried_with_its_bytes_and_holds_up_nothing() {
    let mut house = House::embedded(&[]).await;
    // In the middle of a bundle, and the end of another cut off.
    let broken = bundle(&[fact(0).encode(), Bytes::from_static(b"{\"v\":\"9\"}\n\xff\0rest"), fact(1).encode()]);
    let cut_off = bundle(&[fact(9).encode()]).slice(..40);
    push_payloads(&house, vec![broken.clone(), cut_off.clone(), fact(2).encode()]).await;
    house.start();
    until("three are recorded, two jobs are buried", async || {
        let dead = house.queue().dead(&DeadFilter::default(), 0, 10).await.unwrap();
        let dead: Vec<_> = dead.into_iter().map(|job| job.payload).collect();
        dead.len() == 2 && dead.contains(&broken) && dead.contains(&cut_off) && waiting(&house).await == 0
    })
    .await;
    // To replay a bundle records what is good in it a second time, which changes nothing.
    house.queue().replay(&DeadFilter::default(), 10).await.unwrap();
    until("they are buried again", async || {
        house.queue().dead(&DeadFilter::default(), 0, 10).await.unwrap().len() == 2
    })
    .await;
    house.stop().await;
    assert_eq!(recorded(&house.store().await).await, 3);
}

#[tokio::test]
async fn a_fact_that_the_database_refuses_holds_up_no_other() {
    let server = PostgresServer::start();
    let database = server.database();
    let mut house = House::build(&database, &[]).await;
    // The database grows a rule that one of the facts breaks.
    let store = house.store().await;
    server.execute(&database, "ALTER TABLE events ADD CHECK (subject <> 'disk full 3')");
    push(&house, 0..6).await;
    house.start();
    until_recorded(&house, 5).await;
    let dead = house.queue().dead(&DeadFilter::default(), 0, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].reason.contains("the store refused"), "{}", dead[0].reason);
    let mut tx = store.begin_read().await.unwrap();
    let refused = EventId::derived(&[&3_u32.to_be_bytes()]);
    assert_eq!(events::get(&mut tx, TenantId::DEFAULT, refused).await.unwrap(), None);
    drop(tx);
    house.stop().await;
}
