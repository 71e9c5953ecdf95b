//! What passes through, and how.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    time::timeout,
};

use crate::harness::{Gateway, PATIENCE, Place, eventually, raw_upstream, telling_upstream, upstream};

#[tokio::test]
async fn any_method_path_and_body_reaches_the_upstream_and_its_answer_comes_back() {
    let place = Place::sqlite();
    let (address, _tasks) = upstream(async |request| {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body));
        (axum::http::StatusCode::IM_A_TEAPOT, [("x-upstream", "yes")], text).into_response()
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    for (request, expected) in [
        ("PATCH /a/b%2F?q=1&r=%20 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz", "PATCH /a/b%2F?q=1&r=%20 xyz"),
        (
            "BREW / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            "BREW / abc",
        ),
        ("GET http://other.test/absolute HTTP/1.1\r\nHost: other.test\r\n\r\n", "GET /absolute "),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * "),
        ("GET //double//slash HTTP/1.1\r\nHost: a\r\n\r\n", "GET //double//slash "),
    ] {
        // All on one connection.
        client.send(request).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.text().as_str()), (418, expected), "{request:?}");
        assert!(answer.head.contains("x-upstream: yes"));
    }
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.head().await.contains("content-length: 7"));
    gateway.stop().await;
}

#[tokio::test]
async fn hop_by_hop_headers_stay_and_the_upstream_learns_whose_request_it_is() {
    let place = Place::sqlite();
    let (address, mut told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect_from("127.0.0.9").await;
    client
        .send(
            "GET / HTTP/1.1\r\nHost: api.test\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n\
             TE: trailers, deflate\r\nProxy-Connection: x\r\nX-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\n\
             X-Real-IP: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Kept: yes\r\n\r\n",
        )
        .await;
    assert_eq!(client.answer().await.status, 200);
    let head = told.recv().await.unwrap();
    for gone in ["x-secret", "keep-alive", "proxy-connection", "1.1.1.1", "deflate", "https"] {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
    for there in [
        &format!("host: {address}\n"),
        "te: trailers\n",
        "x-forwarded-for: 127.0.0.9\n",
        "forwarded: for=127.0.0.9;proto=http;host=\"api.test\"\n",
        "x-real-ip: 127.0.0.9\n",
        "x-forwarded-proto: http\n",
        "x-forwarded-host: api.test\n",
        "via: 1.1 watchbell\n",
        "x-kept: yes\n",
    ] {
        assert!(head.contains(there), "{there}: {head}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_added_to_the_list() {
    let place = Place::sqlite();
    let (address, mut told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, address, &[("TRUSTED_PROXIES", "127.0.0.9/32")]).await;
    let mut client = gateway.connect_from("127.0.0.9").await;
    client
        .send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.5\r\nX-Forwarded-Proto: https\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 200);
    let head = told.recv().await.unwrap();
    for there in
        ["x-forwarded-for: 6.6.6.6, 203.0.113.5, 127.0.0.9\n", "x-real-ip: 203.0.113.5\n", "x-forwarded-proto: https\n"]
    {
        assert!(head.contains(there), "{there}: {head}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn the_proxy_protocol_names_the_client_when_a_trusted_proxy_speaks_it() {
    let place = Place::sqlite();
    let (address, mut told, _tasks) = telling_upstream().await;
    let more = [("TRUSTED_PROXIES", "127.0.0.9/32"), ("PROXY_PROTOCOL", "true")];
    let gateway = Gateway::start(&place, address, &more).await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut client = gateway.connect_from("127.0.0.9").await;
    client.send("PROXY TCP4 203.0.113.7 ").await;
    client.send(format!("192.0.2.1 4711 443\r\n{request}")).await;
    assert_eq!(client.answer().await.status, 200);
    assert!(told.recv().await.unwrap().contains("x-real-ip: 203.0.113.7\n"));
    // Without its header, a trusted proxy is not served; with one, a stranger sends nonsense.
    let mut client = gateway.connect_from("127.0.0.9").await;
    client.send(request).await;
    assert_eq!(client.rest().await, "");
    let mut client = gateway.connect_from("127.0.0.8").await;
    client.send(format!("PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n{request}")).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 400"));
    gateway.stop().await;
}

#[tokio::test]
async fn events_arrive_one_by_one_as_they_are_sent() {
    let place = Place::sqlite();
    let (events, source) = mpsc::unbounded_channel::<&str>();
    let source = std::sync::Mutex::new(Some(source));
    let (address, _tasks) = upstream(move |_| {
        let mut source = source.lock().unwrap().take().unwrap();
        async move {
            let stream = futures_util::stream::poll_fn(move |cx| source.poll_recv(cx));
            let body = Body::from_stream(stream.map(Ok::<_, std::io::Error>));
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client.get("/v1/chat/completions", "sk-1").await;
    assert!(client.head().await.contains("text/event-stream"));
    for event in ["data: one\n\n", "data: two\n\n", "data: three\n\n"] {
        // The next is sent only when this one has arrived.
        events.send(event).unwrap();
        assert!(client.until(event).await.ends_with(event));
    }
    drop(events);
    assert!(client.until("0\r\n\r\n").await.ends_with("0\r\n\r\n"));
    gateway.stop().await;
}

/// More than any buffer on the way holds.
const SIZE: usize = 256 * 1024 * 1024;

#[tokio::test]
async fn an_upload_waits_for_the_upstream_instead_of_filling_memory() {
    let place = Place::sqlite();
    let (go_on, went_on) = tokio::sync::watch::channel(false);
    let (address, _tasks) = upstream(move |request| {
        let mut went_on = went_on.clone();
        async move {
            went_on.wait_for(|go| *go).await.unwrap();
            let mut bytes = 0;
            let mut body = request.into_body().into_data_stream();
            while let Some(chunk) = body.next().await {
                bytes += chunk.unwrap().len();
            }
            bytes.to_string().into_response()
        }
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n")).await;
    let piece = vec![b'x'; 1024 * 1024];
    let mut sent = 0;
    // Until nothing more is taken: what then is between the two is in buffers, ours and the kernel's.
    while let Ok(written) = tokio::time::timeout(Duration::from_millis(500), client.stream.write(&piece)).await {
        sent += written.unwrap();
        assert!(sent < SIZE / 4, "nobody reads, and {sent} bytes were taken");
    }
    go_on.send(true).unwrap();
    while sent < SIZE {
        let end = piece.len().min(SIZE - sent);
        sent += client.stream.write(&piece[..end]).await.unwrap();
    }
    assert_eq!(client.answer().await.text(), SIZE.to_string());
    gateway.stop().await;
}

#[tokio::test]
async fn trailers_pass_in_both_directions() {
    let place = Place::sqlite();
    let (address, _tasks) = raw_upstream(async |mut client| {
        let request = client.until("x-sum: 7\r\n\r\n").await;
        assert!(request.to_lowercase().contains("trailer: x-sum"), "{request}");
        client
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-after\r\n\r\n2\r\nok\r\n0\r\nx-after: 8\r\n\r\n")
            .await;
        client.rest().await;
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client
        .send(
            "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n\
             1\r\na\r\n0\r\nx-sum: 7\r\n\r\n",
        )
        .await;
    assert!(client.head().await.contains("trailer: x-after"));
    assert!(client.until("x-after: 8\r\n\r\n").await.contains("ok"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_websocket_passes_in_both_directions_and_is_guarded_like_any_request() {
    let place = Place::sqlite();
    let (address, _tasks) = raw_upstream(async |mut client| {
        let head = client.head().await;
        assert!(head.contains("upgrade: websocket") && head.contains("sec-websocket-key: abc"), "{head}");
        client
            .send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
            .await;
        client.until("GET / HTTP/1.1 is no request here").await;
        client.send(b"\x81\x02hi\n").await;
        client.rest().await;
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let request = "GET /v1/realtime HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sk-ws\r\nConnection: Upgrade\r\n\
                   Upgrade: WebSocket\r\nSec-WebSocket-Key: abc\r\n\r\n";
    let mut client = gateway.connect_from("127.0.0.2").await;
    client.send(request).await;
    let head = client.head().await;
    assert!(head.starts_with("http/1.1 101") && head.contains("sec-websocket-accept: x"), "{head}");
    client.send("GET / HTTP/1.1 is no request here").await;
    assert!(client.until("\n").await.ends_with("hi\n"));
    let mut thief = gateway.connect_from("127.0.0.3").await;
    thief.send(request).await;
    assert_eq!(thief.answer().await.status, 403);
    drop(client);
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_upstream_before_and_during_the_answer() {
    for begin in [false, true] {
        let place = Place::sqlite();
        let (gone, mut went) = mpsc::unbounded_channel();
        let (address, _tasks) = raw_upstream(move |mut client| {
            let gone = gone.clone();
            async move {
                client.head().await;
                if begin {
                    client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n").await;
                }
                gone.send("asked").unwrap();
                client.rest().await;
                gone.send("gone").unwrap();
            }
        })
        .await;
        let gateway = Gateway::start(&place, address, &[]).await;
        let mut client = gateway.connect().await;
        client.get("/", "sk-1").await;
        assert_eq!(went.recv().await, Some("asked"));
        if begin {
            client.until("a\r\n").await;
        }
        drop(client);
        let noticed = tokio::time::timeout(Duration::from_secs(5), went.recv()).await;
        assert_eq!(noticed.expect("at once"), Some("gone"), "the answer had begun: {begin}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn connections_to_the_upstream_are_used_again() {
    let place = Place::sqlite();
    let (opened, mut seen) = mpsc::unbounded_channel();
    let (address, _tasks) = raw_upstream(move |mut client| {
        let opened = opened.clone();
        async move {
            opened.send(()).unwrap();
            loop {
                client.head().await;
                client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    for _ in 0..20 {
        assert_eq!(gateway.status("127.0.0.1", "sk-1").await, 200);
    }
    seen.recv().await.unwrap();
    eventually("few connections", async || seen.len() < 5).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_meanwhile_is_replaced() {
    let place = Place::sqlite();
    let (closed, mut seen) = mpsc::unbounded_channel();
    let (address, _tasks) = raw_upstream(move |mut client| {
        let closed = closed.clone();
        async move {
            client.head().await;
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            drop(client);
            closed.send(()).unwrap();
        }
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    for _ in 0..20 {
        client.get("/", "sk-1").await;
        assert_eq!(client.answer().await.status, 200);
        seen.recv().await.unwrap();
    }
    gateway.stop().await;
}

/// Enough to fill every buffer on the way, in both directions.
#[tokio::test]
async fn an_upload_goes_on_while_the_client_does_not_read_the_answer_yet() {
    const BYTES: usize = 32 * 1024 * 1024;
    let place = Place::sqlite();
    let (address, _tasks) = raw_upstream(async |mut client| {
        client.head().await;
        client.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {BYTES}\r\n\r\n")).await;
        let (mut from, mut to) = client.stream.split();
        let answer = async { tokio::io::copy(&mut tokio::io::repeat(b'a').take(BYTES as u64), &mut to).await };
        let upload = async { tokio::io::copy(&mut (&mut from).take(BYTES as u64), &mut tokio::io::sink()).await };
        let _ = tokio::join!(answer, upload);
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {BYTES}\r\n\r\n")).await;
    timeout(PATIENCE, client.send(vec![b'a'; BYTES])).await.expect("the upload ends");
    assert_eq!(client.answer().await.body.len(), BYTES);
    gateway.stop().await;
}

#[tokio::test]
async fn a_prefix_of_the_upstream_stands_before_every_path() {
    let place = Place::sqlite();
    let (address, mut told, _tasks) = telling_upstream().await;
    let url = format!("http://{address}/base/");
    let gateway = Gateway::start(&place, address, &[("UPSTREAM", &url)]).await;
    assert_eq!(gateway.status("127.0.0.1", "sk-1").await, 200);
    assert!(told.recv().await.unwrap().starts_with("GET /base/v1/models\n"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_whether_to_go_on_is_told_to() {
    let place = Place::sqlite();
    let (address, _tasks) = upstream(async |request| {
        assert!(!request.headers().contains_key("expect"));
        let body: Bytes = axum::body::to_bytes(request.into_body(), 99).await.unwrap();
        body.into_response()
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await;
    assert!(client.head().await.starts_with("http/1.1 100"));
    client.send("hi").await;
    assert_eq!(client.answer().await.text(), "hi");
    gateway.stop().await;
}

#[tokio::test]
async fn interim_answers_of_the_upstream_stay_and_the_final_one_passes() {
    let place = Place::sqlite();
    let (address, _tasks) = raw_upstream(move |mut client| async move {
        client.head().await;
        client.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n").await;
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    })
    .await;
    let gateway = Gateway::start(&place, address, &[]).await;
    let mut client = gateway.connect().await;
    client.get("/", "sk-1").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.text()), (200, "ok".into()));
    gateway.stop().await;
}

#[tokio::test]
async fn a_key_that_may_not_be_used_is_refused_before_its_body_is_asked_for() {
    let place = Place::sqlite();
    let (address, _told, _tasks) = telling_upstream().await;
    let gateway = Gateway::start(&place, address, &[]).await;
    assert_eq!(gateway.status("127.0.0.1", "sk-1").await, 200);
    let mut client = gateway.connect_from("127.0.0.2").await;
    let headers = "Host: a\r\nAuthorization: Bearer sk-1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n";
    client.send(format!("POST / HTTP/1.1\r\n{headers}\r\n")).await;
    assert!(client.head().await.starts_with("http/1.1 403"));
    gateway.stop().await;
}
