//! The server against raw sockets: what a client sees of limits, errors and a stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, extract::Request, routing::get, routing::post};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::settings::{self, Settings};

/// Long enough for a slow machine, short enough to fail a test.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    addr: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

fn http_settings() -> settings::Http {
    Settings::load_with(None, &[], &[]).unwrap().http
}

#[expect(clippy::disallowed_methods, reason = "the test awaits the task itself")]
async fn start(router: Router, settings: settings::Http) -> Server {
    let listener = bind("127.0.0.1:0".parse().unwrap(), "test").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move { serve(listener, router, &settings, stopped).await });
    Server { addr, stop, task }
}

/// Sends bytes and reads until the server closes.
async fn exchange(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read_all(&mut stream).await
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

fn get_request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
}

async fn take_body(request: Request) -> Result<String, ApiError> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, 100_000, Duration::from_millis(300)).await?;
    Ok(body.len().to_string())
}

fn router() -> Router {
    async fn boom() {
        panic!("on purpose")
    }
    Router::new()
        .route("/hello/{name}", get(|| async { "hello" }))
        .route("/peer", get(|Extension(Peer(peer)): Extension<Peer>| async move { peer.ip().to_string() }))
        .route("/boom", get(boom))
        .route("/body", post(take_body))
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_security_headers() {
    let server = start(router(), http_settings()).await;
    let answer = exchange(server.addr, &get_request("/hello/x", "X-Request-Id: abc-1\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for header in ["x-request-id: abc-1", "x-content-type-options: nosniff", "cache-control: no-store"] {
        assert!(answer.contains(header), "{header}: {answer}");
    }
    for bad in ["X-Request-Id: a b\r\n".to_owned(), format!("X-Request-Id: {}\r\n", "a".repeat(65))] {
        let answer = exchange(server.addr, &get_request("/hello/x", &bad)).await;
        assert!(answer.contains("x-request-id: req_"), "{answer}");
    }
}

#[tokio::test]
async fn unknown_paths_wrong_methods_and_panics_are_answered_in_the_envelope() {
    let server = start(router(), http_settings()).await;
    let answer = exchange(server.addr, &get_request("/nowhere", "X-Request-Id: r1\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(
        answer.contains(r#"{"error":{"code":"NOT_FOUND","message":"no such path","request_id":"r1"}}"#),
        "{answer}"
    );
    let answer = exchange(server.addr, &get_request("/body", "")).await;
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("METHOD_NOT_ALLOWED"), "{answer}");
    assert!(answer.contains("allow: POST"), "{answer}");
    let answer = exchange(server.addr, &get_request("/boom", "")).await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("INTERNAL"), "{answer}");
    assert!(!answer.contains("on purpose"), "{answer}");
}

#[tokio::test]
async fn the_peer_is_known_to_handlers() {
    let server = start(router(), http_settings()).await;
    assert!(exchange(server.addr, &get_request("/peer", "")).await.ends_with("127.0.0.1"));
}

#[tokio::test]
async fn a_head_that_is_too_slow_or_too_large_ends_the_connection() {
    let settings = settings::Http { head_timeout: Duration::from_millis(200), ..http_settings() };
    let server = start(router(), settings).await;
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    slow.write_all(b"GET /hello/x HTTP/1.1\r\nHost:").await.unwrap();
    assert_eq!(read_all(&mut slow).await, "");
    let answer =
        exchange(server.addr, &get_request("/hello/x", &format!("X: {}\r\n", "a".repeat(HEAD_MAX_BYTES)))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_body_is_bounded_in_size_and_time() {
    let server = start(router(), http_settings()).await;
    let head = "POST /body HTTP/1.1\r\nHost: x\r\n";
    let answer = exchange(server.addr, &format!("{head}Connection: close\r\nContent-Length: 3\r\n\r\nabc")).await;
    assert!(answer.ends_with("\r\n\r\n3"), "{answer}");
    // Declared too large: refused before anything is read.
    let answer = exchange(server.addr, &format!("{head}Content-Length: 100001\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("100000 bytes"), "{answer}");
    // Not declared: refused when the limit is reached.
    let chunk = format!("8000\r\n{}\r\n", "a".repeat(0x8000));
    let answer = exchange(server.addr, &format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(4))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let answer = exchange(server.addr, &format!("{head}Content-Length: 10\r\n\r\nabc")).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("TIMEOUT"), "{answer}");
}

#[tokio::test]
async fn a_client_in_the_middle_of_a_large_upload_still_reads_the_answer() {
    let server = start(router(), http_settings()).await;
    let body = "a".repeat(20_000_000);
    let request = format!("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert!(exchange(server.addr, &request).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_stop_finishes_the_request_in_hand_and_closes_idle_connections() {
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (seen, release) = (entered.clone(), go.clone());
    let slow = || async move {
        entered.notify_one();
        go.notified().await;
        "done"
    };
    let server = start(router().route("/slow", get(slow)), http_settings()).await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    idle.write_all(b"GET /hello/x HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    let mut busy = TcpStream::connect(server.addr).await.unwrap();
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    seen.notified().await;
    server.stop.cancel();
    assert!(read_all(&mut idle).await.ends_with("hello"));
    drop(idle);
    release.notify_one();
    assert!(read_all(&mut busy).await.ends_with("done"));
    drop(busy);
    tokio::time::timeout(PATIENCE, server.task).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(server.addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn connections_past_the_limit_wait_their_turn() {
    let server = start(router(), settings::Http { connections_max: 1, ..http_settings() }).await;
    let mut first = TcpStream::connect(server.addr).await.unwrap();
    first.write_all(b"GET /hello/x HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    first.read_exact(&mut [0; 12]).await.unwrap();
    let mut second = TcpStream::connect(server.addr).await.unwrap();
    second.write_all(get_request("/hello/x", "").as_bytes()).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(100), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered although the only place was taken");
    drop(first);
    assert!(read_all(&mut second).await.ends_with("hello"));
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_the_setting() {
    let taken = bind("127.0.0.1:0".parse().unwrap(), "x").await.unwrap();
    let error = bind(taken.local_addr().unwrap(), "http.listen").await.unwrap_err();
    assert!(error.to_string().contains("http.listen"), "{error}");
}

#[tokio::test]
async fn health_says_alive_ready_and_why_not() {
    let handle = PrometheusBuilder::new().build_recorder().handle();
    let well = health_router(|| async { Ok(()) }, handle.clone());
    let ill = Router::new().nest("/ill", health_router(|| async { Err("no queue".to_owned()) }, handle.clone()));
    let stuck = Router::new().nest("/stuck", health_router(std::future::pending, handle));
    let server = start(well.merge(ill).merge(stuck), http_settings()).await;
    for (path, status, text) in [
        ("/healthz", "200", "ok"),
        ("/readyz", "200", r#"{"status":"ready"}"#),
        ("/metrics", "200", ""),
        ("/ill/healthz", "200", "ok"),
        ("/ill/readyz", "503", "no queue"),
        ("/stuck/readyz", "503", "took too long"),
    ] {
        let answer = exchange(server.addr, &get_request(path, "")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(text), "{path}: {answer}");
    }
}
