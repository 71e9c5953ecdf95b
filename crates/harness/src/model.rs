//! A language model behind the usual chat completions protocol: it says the same to everybody, or what it is
//! told to, and counts.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};

use crate::serve;

/// What is said to what, which may be anything.
pub(crate) type Says = fn(&str) -> String;

#[derive(Debug)]
struct Inner {
    delay: Duration,
    says: Says,
    calls: AtomicU64,
}

/// A model on loopback; ends with the runtime that started it.
#[derive(Debug, Clone)]
pub struct Model {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl Model {
    /// Starts one that gives each call the same good answer after `delay`.
    pub async fn start(delay: Duration) -> Self {
        Self::saying(delay, |_| Self::answer("warning")).await
    }

    /// Starts one that says this after `delay`, given all that it was told.
    pub async fn saying(delay: Duration, says: Says) -> Self {
        let inner = Arc::new(Inner { delay, says, calls: AtomicU64::new(0) });
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(inner.clone());
        Self { address: serve(router).await, inner }
    }

    /// An answer as it should be.
    pub fn answer(severity: &str) -> String {
        let answer = json!({
            "severity": severity, "category": "performance", "system": "host", "summary": "A host is busy",
            "action": "Look at what it does", "confidence": 0.9,
        });
        answer.to_string()
    }

    /// What is configured as `ai.base_url`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The calls that were made.
    pub fn calls(&self) -> u64 {
        self.inner.calls.load(Ordering::SeqCst)
    }
}

async fn complete(State(inner): State<Arc<Inner>>, Json(request): Json<Value>) -> Json<Value> {
    let number = inner.calls.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(inner.delay).await;
    let messages = request["messages"].as_array().into_iter().flatten();
    let told: Vec<&str> = messages.filter_map(|message| message["content"].as_str()).collect();
    let said = (inner.says)(&told.join("\n"));
    Json(json!({
        "id": format!("chatcmpl-{number}"), "object": "chat.completion", "created": 0, "model": "harness",
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": said },
        }],
        "usage": { "prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 460 },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_answers_in_the_usual_form_and_counts() {
        let model = Model::start(Duration::ZERO).await;
        let request =
            watchbell_common::outbound::client().unwrap().post(format!("{}/chat/completions", model.base_url()));
        let answer: Value =
            request.json(&json!({ "model": "x", "messages": [] })).send().await.unwrap().json().await.unwrap();
        let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(content).unwrap()["severity"], "warning");
        assert_eq!(model.calls(), 1);
    }
}
