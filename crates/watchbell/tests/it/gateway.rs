//! The key gateway in the whole product: a stolen key becomes a message.

use std::time::Duration;

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
};
use watchbell_harness::{Product, Sink, eventually, free_address};

use crate::one_channel;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_used_from_elsewhere_becomes_a_message() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    let router = Router::new().route("/v1/models", get(|| async { "models" }));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let gateway = free_address();
    let sink = Sink::start().await;
    let more = [
        ("WATCHBELL_GATEWAY_UPSTREAM", upstream.as_str()),
        ("WATCHBELL_GATEWAY_LISTEN", &gateway.to_string()),
        ("WATCHBELL_GATEWAY_ALERT_THRESHOLD_COUNT", "3"),
    ];
    let mut product = Product::embedded_with(&one_channel(&sink), &more).await;
    let ask = async |source: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(gateway).await.unwrap();
        let request =
            "GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Api-Key: sk-0123456789abcdefghij\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer[9..12].parse::<u16>().unwrap()
    };
    assert_eq!(ask("127.0.0.2").await, 200);
    for _ in 0..3 {
        assert_eq!(ask("127.0.0.3").await, 403);
    }
    sink.wait_for(1, Duration::from_secs(20)).await;
    eventually("the books balance", Duration::from_secs(10), || {
        let balanced = product.command(&["books", "--audit"]).status.success();
        std::future::ready(balanced.then_some(()))
    })
    .await;
    let metrics = product.get("/metrics").await;
    assert!(metrics.contains("watchbell_gateway_interceptions_total{reason=\"elsewhere\"} 3"), "{metrics}");
    product.serve().terminate(Duration::from_secs(30)).await;
}
