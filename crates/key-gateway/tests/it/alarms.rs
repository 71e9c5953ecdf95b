//! What is intercepted is logged, counted over all gateways, and becomes an alert.

use axum::response::IntoResponse as _;
use tokio::sync::mpsc;
use watchbell_common::{
    alert::Severity,
    payload::{AlertPayload, Content, Payload as _},
    queue::{QueueName, Want, WorkerId},
    store::interceptions::{self, Interception},
    testing::RedisServer,
};

use crate::harness::{Gateway, Place, TENANT, eventually, telling_upstream, upstream};

async fn log(gateway: &Gateway) -> Vec<Interception> {
    gateway.commit(async |tx| interceptions::list(tx, TENANT, &interceptions::Filter::default(), 99).await).await
}

#[tokio::test]
async fn interceptions_are_logged_without_the_key_and_without_the_query() {
    let place = Place::sqlite();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-0123456789abcdefghij").await, 200);
    for _ in 0..3 {
        let mut thief = gateway.connect_from("127.0.0.3").await;
        thief.get("/v1/chat/completions?secret=1", "sk-0123456789abcdefghij").await;
        assert_eq!(thief.answer().await.status, 403);
    }
    eventually("three uses in the log", async || log(&gateway).await.iter().map(|line| line.uses).sum::<i64>() == 3)
        .await;
    let line = &log(&gateway).await[0];
    assert_eq!((line.masked.as_str(), line.path.as_str()), ("sk-012…ghij", "/v1/chat/completions"));
    assert_eq!((line.bound.as_str(), line.attempted.as_str()), ("127.0.0.2/32", "127.0.0.3"));
    assert!(line.refused);
    gateway.stop().await;
}

#[tokio::test]
async fn enough_of_them_in_two_gateways_together_are_one_alert_and_one_post() {
    let redis = RedisServer::start();
    let place = Place { queue: redis.url(), ..Place::postgres() };
    let (posts, mut posted) = mpsc::unbounded_channel();
    let (webhook, _hook) = upstream(move |request| {
        let posts = posts.clone();
        async move {
            let body = axum::body::to_bytes(request.into_body(), 65_536).await.unwrap();
            posts.send(serde_json::from_slice::<serde_json::Value>(&body).unwrap()).unwrap();
            "".into_response()
        }
    })
    .await;
    let (upstream, _told, _tasks) = telling_upstream().await;
    let url = format!("http://{webhook}/hook");
    let more = [("ALERT_THRESHOLD_COUNT", "4"), ("ALERT_WEBHOOK", url.as_str())];
    let gateways = [Gateway::start(&place, upstream, &more).await, Gateway::start(&place, upstream, &more).await];
    assert_eq!(gateways[0].status("127.0.0.2", "sk-0123456789abcdefghij").await, 200);
    for number in 0..6 {
        assert_eq!(gateways[number % 2].status("127.0.0.3", "sk-0123456789abcdefghij").await, 403);
    }
    eventually("all are in the log", async || log(&gateways[0]).await.iter().map(|line| line.uses).sum::<i64>() == 6)
        .await;
    let post = posted.recv().await.unwrap();
    assert_eq!((&post["key"], &post["source"]), (&"sk-012…ghij".into(), &"gateway".into()));
    let queue = &gateways[0].shared.queue;
    let worker = WorkerId("test".into());
    queue.keep_alive(&worker, std::time::Duration::from_mins(1)).await.unwrap();
    eventually("the alert is queued", async || {
        let leased = queue.lease(QueueName::Intake, &worker, Want::up_to(9)).await.unwrap();
        let any = !leased.is_empty();
        if any {
            assert_eq!(leased.len(), 1);
            let payload = AlertPayload::decode(&leased[0].payload).unwrap();
            let Content::Item(item) = payload.head.content else { panic!("an item") };
            assert_eq!((item.source.as_str(), item.severity), ("gateway", Some(Severity::Error)));
            assert_eq!(item.labels["attempted"], "127.0.0.3");
            assert!(!item.text.contains("sk-0123456789abcdefghij"));
        }
        any
    })
    .await;
    for gateway in gateways {
        gateway.stop().await;
    }
    assert!(posted.try_recv().is_err(), "one post");
}
