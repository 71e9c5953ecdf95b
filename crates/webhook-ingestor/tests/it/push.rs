//! The good way: an object goes in, a job is on the queue, the answer names it.

use std::{net::IpAddr, sync::atomic::Ordering};

use watchbell_common::{
    alert::Severity,
    ids::{ChannelId, TenantId},
};

use crate::support::{NOW_MS, Server, TOKEN, TOKEN_DISABLED};

#[tokio::test]
async fn an_accepted_push_is_on_the_queue_with_its_raw_body() {
    let server = Server::start().await;
    let body = r#"{"title":"CPU high","host":"db01","level":"critical","value":9007199254740993}"#;
    let answer = server.push(TOKEN, body).await;
    let job = server.queue.pushes()[0][0].clone();
    assert_eq!(answer.job_id(), job.id);
    assert_eq!((job.lane.as_str(), job.tenant, job.dedup.is_none()), ("c1", TenantId::DEFAULT, true));
    let payload = server.queue.payloads().remove(0);
    assert_eq!(payload.raw, body);
    assert_eq!(payload.head.event.uuid(), job.id.uuid());
    assert_eq!((payload.head.channel, payload.head.received_at), (Some(ChannelId(1)), NOW_MS));
    assert_eq!(payload.head.peer, Some(IpAddr::from([127, 0, 0, 1])));
    let item = server.queue.items().remove(0);
    assert_eq!((item.title.as_str(), item.severity), ("CPU high", Some(Severity::Critical)));
    assert_eq!(item.labels["value"], "9007199254740993");
}

#[tokio::test]
async fn the_token_is_also_taken_as_a_bearer() {
    let server = Server::start().await;
    let bearer = format!("Authorization: bearer {TOKEN}\r\n");
    for path in ["/api/v1/push", "/api/v1/in/alertmanager"] {
        assert_eq!(server.post(path, &bearer, "{}").await.status, 202);
        let unknown = server.post(path, "Authorization: Bearer nonsense\r\n", "{}").await;
        assert_eq!(unknown.error(), ("NOT_FOUND".into(), "unknown push token".into()));
        for none in ["", "Authorization: Basic dXNlcjpwYXNz\r\n"] {
            let answer = server.post(path, none, "{}").await;
            assert_eq!((answer.status, answer.error().0.as_str()), (401, "UNAUTHORIZED"));
        }
    }
    assert_eq!(server.queue.pushes().len(), 2);
}

#[tokio::test]
async fn unknown_tokens_and_disabled_channels_are_refused_before_the_body_is_looked_at() {
    let server = Server::start().await;
    for token in ["nonsense", "%ff%fe", "a%2Fb"] {
        let answer = server.push(token, "not json").await;
        assert_eq!((answer.status, answer.error().1.as_str()), (404, "unknown push token"), "{token}");
    }
    let answer = server.push(TOKEN_DISABLED, "not json").await;
    assert_eq!((answer.status, answer.error()), (410, ("CHANNEL_DISABLED".into(), "channel disabled".into())));
    assert!(server.queue.pushes().is_empty());
}

#[tokio::test]
async fn a_queue_that_is_down_is_a_503_that_says_when_to_try_again() {
    let server = Server::start().await;
    server.queue.down.store(true, Ordering::SeqCst);
    let answer = server.push(TOKEN, "{}").await;
    assert_eq!((answer.status, answer.error().0.as_str()), (503, "UNAVAILABLE"));
    assert!(answer.head.contains("retry-after: 5"), "{answer:?}");
    assert!(!answer.body.contains("inside-detail"), "{answer:?}");
    assert_eq!((server.get("/readyz").await.status, server.get("/healthz").await.status), (503, 200));
    server.queue.down.store(false, Ordering::SeqCst);
    assert_eq!(server.push(TOKEN, "{}").await.status, 202);
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_about_the_client() {
    let server = Server::start_with(&[("http.trusted_proxies", "127.0.0.0/8")]).await;
    server.post(&format!("/api/v1/push/{TOKEN}"), "X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n", "{}").await;
    assert_eq!(server.queue.payloads()[0].head.peer, Some("203.0.113.9".parse().unwrap()));
}

#[tokio::test]
async fn other_methods_and_paths_are_answered_in_the_envelope() {
    let server = Server::start().await;
    let answer = server.get(&format!("/api/v1/push/{TOKEN}")).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (405, "METHOD_NOT_ALLOWED"));
    let answer = server.push(&format!("{TOKEN}/more"), "{}").await;
    assert_eq!((answer.status, answer.error().0.as_str()), (404, "NOT_FOUND"));
}
