//! A model's server on loopback that answers as a test says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use super::answer;

type Behave = Box<dyn Fn(usize, &Value) -> Response + Send + Sync>;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    /// The header as it came; empty when there is none.
    pub authorization: String,
    pub body: Value,
}

struct Inner {
    behave: Behave,
    seen: Mutex<Vec<Seen>>,
}

/// The server; ends when dropped.
pub struct Fake {
    /// The address to configure.
    pub base: String,
    inner: Arc<Inner>,
    _tasks: JoinSet<()>,
}

impl Fake {
    /// Starts one. `behave` is given the number of the request, from 0, and its body.
    pub async fn start(behave: impl Fn(usize, &Value) -> Response + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Inner { behave: Box::new(behave), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let base = format!("http://{}/v1", listener.local_addr().expect("a bound listener has an address"));
        let router = Router::new().fallback(take).with_state(inner.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.expect("it serves until it is dropped") });
        Self { base, inner, _tasks: tasks }
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.inner.seen).clone()
    }
}

async fn take(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("the whole request");
    let authorization =
        head.headers.get("authorization").map_or("", |value| value.to_str().expect("a key is ASCII")).to_owned();
    let seen = Seen {
        path: head.uri.path().to_owned(),
        authorization,
        body: serde_json::from_slice(&body).expect("requests are JSON"),
    };
    let number = {
        let mut all = lock(&inner.seen);
        all.push(seen.clone());
        all.len() - 1
    };
    (inner.behave)(number, &seen.body)
}

/// A completion with this content and reason for its end.
pub fn completion(content: impl Into<Value>, reason: &str) -> Response {
    let choice =
        json!({ "index": 0, "message": { "role": "assistant", "content": content.into() }, "finish_reason": reason });
    let usage = json!({ "prompt_tokens": 700, "completion_tokens": 100, "total_tokens": 800 });
    Json(json!({ "id": "c1", "object": "chat.completion", "choices": [choice], "usage": usage })).into_response()
}

/// A completion with a good answer.
pub fn right() -> Response {
    completion(good(), "stop")
}

/// The text of a good answer.
pub fn good() -> String {
    serde_json::to_string(&answer()).expect("an answer is texts and numbers")
}

/// An answer of that status.
pub fn status(status: u16, body: &str) -> Response {
    Response::builder().status(status).body(Body::from(body.to_owned())).expect("a status that exists")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
