//! Which key a request carries, wherever and however it is written.

use crate::harness::{Gateway, Place, telling_upstream};

#[tokio::test]
async fn requests_without_a_key_pass_unless_they_are_refused_and_keys_that_differ_never_pass() {
    let place = Place::sqlite();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    let mut client = gateway.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sk-mine\r\nX-Api-Key: sk-stolen\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("keys_differ"));
    gateway.stop().await;
    let gateway = Gateway::start(&place, upstream, &[("WITHOUT_KEY", "refuse")]).await;
    let mut client = gateway.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 401);
    gateway.stop().await;
}

#[tokio::test]
async fn a_key_with_odd_bytes_is_refused() {
    let place = Place::sqlite();
    let (upstream, mut told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[]).await;
    let mut client = gateway.connect().await;
    for key in [&b"sk-\xff\xfe\xc3\x28'\"; DROP TABLE bindings"[..], b"sk-stolen\xc2\xa0", b"Bearer sk- stolen"] {
        client.send([b"GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: ", key, b"\r\n\r\n"].concat()).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("\"code\":\"bad_key\""), "{}", answer.text());
    }
    assert!(told.try_recv().is_err(), "nothing of it reached the upstream");
    gateway.stop().await;
}

/// Every form in which New API or `LiteLLM` would take the key.
#[tokio::test]
async fn a_stolen_key_does_not_pass_in_another_place_or_spelling() {
    let place = Place::sqlite();
    let (upstream, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, upstream, &[("KEY_PREFIX", "sk-")]).await;
    assert_eq!(gateway.status("127.0.0.2", "sk-stolen").await, 200);
    let mut thief = gateway.connect_from("127.0.0.3").await;
    for (target, header) in [
        ("/", "Authorization: Bearer stolen"),
        ("/", "Authorization: sk-stolen"),
        ("/", "Authorization: stolen"),
        ("/", "Authorization: Basic sk-stolen"),
        ("/", "x-api-key: Bearer sk-stolen"),
        ("/", "mj-api-secret: sk-stolen"),
        ("/", "x-litellm-api-key: sk-stolen"),
        ("/", "x-goog-api-key: sk-stolen"),
        ("/", "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.sk-stolen"),
        ("/v1beta/models?key=sk-stolen", "Accept: */*"),
        ("/v1beta/models?%6bey=%73k-stolen", "Accept: */*"),
    ] {
        thief.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n")).await;
        assert_eq!(thief.answer().await.status, 403, "{target} {header}");
    }
    gateway.stop().await;
}
