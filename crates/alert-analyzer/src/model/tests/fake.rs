//! A model's server on loopback that answers as a test says.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::model::testing::answer;

type Behave = Box<dyn Fn(usize, &Value) -> Response + Send + Sync>;

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) authorization: String,
    pub(super) body: Value,
}

struct Inner {
    behave: Behave,
    seen: Mutex<Vec<Seen>>,
}

/// The server; ends when dropped.
pub(super) struct Fake {
    pub(super) base: String,
    inner: Arc<Inner>,
    _tasks: JoinSet<()>,
}

impl Fake {
    /// `behave` is given the number of the request, from 0, and its body.
    pub(super) async fn start(behave: impl Fn(usize, &Value) -> Response + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Inner { behave: Box::new(behave), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(inner.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, inner, _tasks: tasks }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }
}

async fn take(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let authorization = head.headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    let seen = Seen { path: head.uri.path().to_owned(), authorization, body: serde_json::from_slice(&body).unwrap() };
    let number = {
        let mut all = inner.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    (inner.behave)(number, &seen.body)
}

/// A completion with this content and reason for its end.
pub(super) fn completion(content: impl Into<Value>, reason: &str) -> Response {
    let choice =
        json!({ "index": 0, "message": { "role": "assistant", "content": content.into() }, "finish_reason": reason });
    let usage = json!({ "prompt_tokens": 700, "completion_tokens": 100, "total_tokens": 800 });
    Json(json!({ "id": "c1", "object": "chat.completion", "choices": [choice], "usage": usage })).into_response()
}

/// A completion with a good answer.
pub(super) fn right() -> Response {
    completion(good(), "stop")
}

pub(super) fn good() -> String {
    serde_json::to_string(&answer()).unwrap()
}

pub(super) fn status(status: u16, body: &str) -> Response {
    Response::builder().status(status).body(Body::from(body.to_owned())).unwrap()
}
