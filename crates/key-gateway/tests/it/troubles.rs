//! Clients and upstreams that misbehave: each gets its defined answer, or its connection ends.

use std::{future, time::Duration};

use axum::{body::Body, response::IntoResponse as _};
use tokio::{io::AsyncWriteExt as _, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::harness::{Gateway, PATIENCE, Place, free_port, raw_upstream, telling_upstream, upstream};

#[tokio::test]
async fn an_upstream_that_is_down_is_a_502_and_one_that_is_silent_a_504() {
    let place = Place::sqlite();
    let gateway = Gateway::start(&place, free_port(), &[]).await;
    let mut client = gateway.connect().await;
    client.get("/", "sk-1").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("\"code\":\"bad_gateway\""), "{}", answer.text());
    gateway.stop().await;

    let (silent, _tasks) = raw_upstream(async |mut client| drop(client.rest().await)).await;
    let gateway = Gateway::start(&place, silent, &[("RESPONSE_TIMEOUT", "300ms")]).await;
    let mut client = gateway.connect().await;
    client.get("/", "sk-1").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("gateway_timeout"));
    gateway.stop().await;
}

#[tokio::test]
async fn an_upstream_that_answers_garbage_is_a_502() {
    for garbage in [
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "",
    ] {
        let place = Place::sqlite();
        let (address, _tasks) = raw_upstream(move |mut client| async move {
            client.head().await;
            client.send(garbage).await;
        })
        .await;
        let gateway = Gateway::start(&place, address, &[]).await;
        assert_eq!(gateway.status("127.0.0.1", "sk-1").await, 502, "{garbage:?}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_passed_off_as_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
    ] {
        let place = Place::sqlite();
        let (address, _tasks) = raw_upstream(move |mut client| async move {
            client.head().await;
            client.send(answer).await;
        })
        .await;
        let gateway = Gateway::start(&place, address, &[]).await;
        let mut client = gateway.connect().await;
        client.get("/", "sk-1").await;
        let whole = client.rest().await;
        assert!(!whole.contains("0\r\n\r\n"), "{answer:?}: {whole}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_431() {
    let place = Place::sqlite();
    let (address, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, address, &[("HEAD_MAX_BYTES", "8192")]).await;
    for request in [
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(10_000)),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(200)),
    ] {
        let mut client = gateway.connect().await;
        client.send(request).await;
        assert!(client.rest().await.starts_with("HTTP/1.1 431"));
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_says_nothing_or_only_half_a_head_is_let_go() {
    let place = Place::sqlite();
    let (address, _told, _tasks) = telling_upstream().await;
    let more = [("HEAD_TIMEOUT", "200ms"), ("KEEP_ALIVE", "200ms")];
    let gateway = Gateway::start(&place, address, &more).await;
    for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = gateway.connect().await;
        client.send(begun).await;
        assert_eq!(client.rest().await, "", "{begun:?}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_head_that_trickles_does_not_outlast_its_time() {
    let place = Place::sqlite();
    let (address, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, address, &[("HEAD_TIMEOUT", "300ms")]).await;
    let mut client = gateway.connect().await;
    client.send("GET / HTTP/1.1\r\nX: ").await;
    let trickled = tokio::time::timeout(Duration::from_secs(10), async {
        while client.stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(trickled.await.is_ok(), "it went on trickling");
    gateway.stop().await;
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_a_408_and_one_that_never_ends_passes_on() {
    let place = Place::sqlite();
    let (address, _tasks) = upstream(async |request| {
        let _ = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        "whole".into_response()
    })
    .await;
    let gateway = Gateway::start(&place, address, &[("IDLE_TIMEOUT", "400ms")]).await;
    let mut client = gateway.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    // Longer in all than the limit, but never still for as long.
    for _ in 0..8 {
        client.send("1\r\nx\r\n").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(client.rest().await.starts_with("HTTP/1.1 408"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_breaks_off_its_body_leaves_nothing_behind() {
    let place = Place::sqlite();
    let (address, mut told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client.send("POST /broken HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    client.stream.shutdown().await.unwrap();
    client.rest().await;
    assert_eq!(gateway.status("127.0.0.1", "sk-1").await, 200);
    while let Some(head) = told.recv().await {
        if head.starts_with("GET /v1/models") {
            break;
        }
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_slow_reader_holds_up_its_upstream_and_is_let_go_when_it_stops() {
    let place = Place::sqlite();
    let let_go = CancellationToken::new();
    let answered = let_go.clone();
    let (address, _tasks) = upstream(move |_| {
        let unread = answered.clone().drop_guard();
        let endless = futures_util::stream::repeat_with(move || {
            let _held = &unread;
            Ok::<_, std::io::Error>(vec![b'x'; 65_536])
        });
        future::ready(Body::from_stream(endless).into_response())
    })
    .await;
    let more = [("IDLE_TIMEOUT", "500ms"), ("RESPONSE_TIMEOUT", "1s")];
    let gateway = Gateway::start(&place, address, &more).await;
    let mut client = gateway.connect().await;
    client.get("/", "sk-1").await;
    assert!(client.head().await.starts_with("http/1.1 200"));
    // It reads nothing; an endless answer would fill all memory if it were kept. The connection ends instead.
    timeout(PATIENCE, let_go.cancelled()).await.expect("the upstream is let go");
    let received = client.rest().await.len();
    assert!(received < 64 * 1024 * 1024, "{received} bytes were on their way");
    gateway.stop().await;
}

#[tokio::test]
async fn a_stopping_gateway_finishes_what_it_has_in_hand() {
    let place = Place::sqlite();
    let (address, _tasks) = raw_upstream(async |mut client| {
        client.head().await;
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await;
        client.until("never").await;
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client.get("/", "sk-1").await;
    client.until("hello").await;
    // The upstream never ends its answer: past the drain limit, the gateway does.
    gateway.stop().await;
    client.rest().await;
}

#[tokio::test]
async fn more_connections_than_there_may_be_wait_for_their_turn() {
    let place = Place::sqlite();
    let (address, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, address, &[("CONNECTIONS_MAX", "2")]).await;
    let mut held = [gateway.connect().await, gateway.connect().await];
    for client in &mut held {
        client.get("/", "sk-1").await;
        assert_eq!(client.answer().await.status, 200);
    }
    let mut waiting = gateway.connect().await;
    waiting.get("/", "sk-1").await;
    let early = tokio::time::timeout(Duration::from_millis(300), waiting.answer()).await;
    assert!(early.is_err(), "a third connection was served");
    drop(held);
    assert_eq!(waiting.answer().await.status, 200);
    gateway.stop().await;
}
