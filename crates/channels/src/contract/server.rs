//! A local server that keeps what it was sent and answers as it is told.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::Response,
};
use tokio::{net::TcpListener, task::JoinSet};

/// Is [`StatusCode::IM_A_TEAPOT`] what it is told, it never answers.
pub(crate) struct Server {
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Told {
    requests: Arc<Mutex<Vec<String>>>,
    answer: Arc<dyn Fn(&str) -> Response + Send + Sync>,
}

impl Server {
    pub(crate) async fn answering(answer: fn(&str) -> Response) -> Self {
        Self::answering_with(Arc::new(answer)).await
    }

    pub(crate) async fn answering_with(answer: Arc<dyn Fn(&str) -> Response + Send + Sync>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::default();
        let router = Router::new().fallback(keep).with_state(Told { requests: Arc::clone(&requests), answer });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, requests, _tasks: tasks }
    }

    /// What it was sent since this was last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// The one request that it was sent.
    pub(super) fn request(&self) -> String {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "one message, one request");
        requests.remove(0)
    }
}

async fn keep(State(told): State<Told>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut lines =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect::<Vec<_>>();
    lines.sort();
    let body = serde_json::from_slice(&body).map_or_else(
        |_| String::from_utf8_lossy(&body).into_owned(),
        |json: serde_json::Value| serde_json::to_string_pretty(&json).unwrap(),
    );
    let request = format!("{method} {uri}\n{}\n\n{body}", lines.join("\n"));
    let response = (told.answer)(&request);
    told.requests.lock().unwrap().push(request);
    if response.status() == StatusCode::IM_A_TEAPOT {
        std::future::pending::<()>().await;
    }
    response
}

/// The JSON that a [`Server`] was sent.
pub(crate) fn json_body(request: &str) -> Option<serde_json::Value> {
    serde_json::from_str(request.split_once("\n\n")?.1).ok()
}

/// A header that a [`Server`] was sent.
pub(crate) fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// How long the body was that a [`Server`] was sent.
pub(crate) fn body_bytes(request: &str) -> usize {
    header(request, "content-length").unwrap().parse().unwrap()
}
