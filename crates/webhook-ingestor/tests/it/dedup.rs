//! Repeats at the door: dropped in the same step as the push, recorded, and never invented.

use std::sync::atomic::Ordering;

use watchbell_common::{payload::What, queue::Ending};

use crate::support::{Server, TOKEN, TOKEN_DEDUP};

#[tokio::test]
async fn a_repeat_is_dropped_and_a_change_of_state_is_not() {
    let server = Server::start().await;
    let body = |percent: u32, status: &str, time: &str| {
        format!(r#"{{"title":"disk {percent}% full","host":"db01","status":"{status}","time":"{time}"}}"#)
    };
    assert_eq!(server.push(TOKEN_DEDUP, body(91, "firing", "10:00")).await.status, 202);
    let repeat = server.push(TOKEN_DEDUP, body(92, "firing", "10:05")).await;
    assert_eq!((repeat.status, repeat.body.trim()), (200, r#"{"dropped":true,"reason":"dedup"}"#));
    assert_eq!(server.push(TOKEN_DEDUP, body(12, "resolved", "10:09")).await.status, 202);
    assert_eq!(server.push(TOKEN_DEDUP, body(91, "firing", "10:11")).await.status, 202);
    // Without a window nothing is dropped.
    assert_eq!(server.push(TOKEN, body(91, "firing", "10:00")).await.status, 202);
    assert_eq!(server.push(TOKEN, body(91, "firing", "10:00")).await.status, 202);
}

#[tokio::test]
async fn a_dropped_repeat_is_recorded_with_its_raw_body() {
    let server = Server::start_with(&[("history.raw_max_bytes", "10")]).await;
    let body = r#"{"title":"x","from":"Cron@DB01"}"#;
    server.push(TOKEN_DEDUP, body).await;
    server.push(TOKEN_DEDUP, body).await;
    let fact = server.queue.facts().remove(0);
    assert_eq!(fact.raw, &body[..10]);
    let What::Dropped { event, ending, reason, .. } = fact.head.what else { panic!("{fact:?}") };
    assert_eq!((ending, event.id), (Ending::Deduplicated, fact.head.event));
    assert_eq!((event.subject.as_str(), event.from.as_slice()), ("x", &["cron@db01".to_owned()][..]));
    assert_eq!(reason, "repeat within the 300 s of channel `channel-2`");
}

#[tokio::test]
async fn a_push_that_failed_is_not_remembered_as_seen() {
    let server = Server::start().await;
    let body = r#"{"title":"x","dedup_key":"k"}"#;
    server.queue.down.store(true, Ordering::SeqCst);
    assert_eq!(server.push(TOKEN_DEDUP, body).await.status, 503);
    server.queue.down.store(false, Ordering::SeqCst);
    assert_eq!(server.push(TOKEN_DEDUP, body).await.status, 202);
    assert_eq!(server.push(TOKEN_DEDUP, body).await.status, 200);
}

#[tokio::test]
async fn the_senders_own_key_decides_and_different_hosts_are_different() {
    let server = Server::start().await;
    for (body, expected) in [
        (r#"{"dedup_key":"k","text":"a","status":"down"}"#, 202),
        (r#"{"dedup_key":"k","text":"quite another","status":"down"}"#, 200),
        (r#"{"dedup_key":"k","title":"up again","status":"up"}"#, 202),
        (r#"{"dedup_key":"K","text":"a","status":"down"}"#, 202),
        (r#"{"title":"down","host":"db01"}"#, 202),
        (r#"{"title":"down","host":"db02"}"#, 202),
        (r#"{"title":"down","host":"db01"}"#, 200),
        (r#"{"id":"7","host":"a","severity":"High","message":"cpu is busy"}"#, 202),
        (r#"{"id":"7","host":"a","severity":"High","message":"cpu is fine again"}"#, 202),
        (r#"{"event_id":"22","subject":"Problem: x"}"#, 202),
        (r#"{"event_id":"22","subject":"Resolved: x"}"#, 202),
    ] {
        assert_eq!(server.push(TOKEN_DEDUP, body).await.status, expected, "{body}");
    }
}
