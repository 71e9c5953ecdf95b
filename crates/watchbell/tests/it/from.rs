//! Requests that come from an address of one's choice: all of 127.0.0.0/8 is this machine.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

/// A connection from `source`.
pub(crate) async fn connect(source: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// The status of an answer, and all of it.
async fn send(source: &str, to: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = connect(source, to).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

/// Uses a key at a key gateway; the status.
pub(crate) async fn use_key(source: &str, gateway: SocketAddr, key: &str) -> u16 {
    let request = format!("GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Api-Key: {key}\r\n\r\n");
    send(source, gateway, &request).await.0
}

/// Pushes an alert with a token; the status and the answer.
pub(crate) async fn push(source: &str, to: SocketAddr, token: &str, title: &str) -> (u16, String) {
    let body = format!("{{\"title\": \"{title}\"}}");
    let length = body.len();
    let request = format!(
        "POST /api/v1/push/{token} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    send(source, to, &request).await
}

/// Logs in as `ops` with the password `hunter2`; the answer.
pub(crate) async fn log_in(source: &str, smtp: SocketAddr) -> String {
    let mut stream = connect(source, smtp).await;
    // NUL ops NUL hunter2.
    stream.write_all(b"EHLO a\r\nAUTH PLAIN AG9wcwBodW50ZXIy\r\nQUIT\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let lines: Vec<_> = answer.lines().collect();
    lines[lines.len() - 2].to_owned()
}

/// A model service that answers everything; its address. It ends with the tasks.
pub(crate) async fn model_service() -> (String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    let router = axum::Router::new().fallback(|| async { "models" });
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, tasks)
}
