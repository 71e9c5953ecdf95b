//! A language model behind the usual chat completions protocol: it says the same to everybody, or what it is
//! told to, or nonsense, and counts.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, response::Response, routing::post};
use serde_json::{Value, json};

use crate::{Behaviour, free_address, serve};

/// What is said to what, which may be anything.
pub(crate) type Says = fn(&str) -> String;

#[derive(Debug)]
struct Inner {
    delay: Duration,
    says: Says,
    behaviour: Mutex<Behaviour>,
    calls: AtomicU64,
}

/// A model on loopback; ends with the runtime that started it.
#[derive(Debug, Clone)]
pub struct Model {
    address: SocketAddr,
    /// Where nobody listens.
    nobody: SocketAddr,
    inner: Arc<Inner>,
}

impl Model {
    /// Starts one that gives each call the same good answer after `delay`.
    pub async fn start(delay: Duration) -> Self {
        Self::saying(delay, |_| Self::answer("warning")).await
    }

    /// Starts one that says this after `delay`, given all that it was told.
    pub async fn saying(delay: Duration, says: Says) -> Self {
        let behaviour = Mutex::new(Behaviour::Right);
        let inner = Arc::new(Inner { delay, says, behaviour, calls: AtomicU64::new(0) });
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(inner.clone());
        Self { address: serve(router).await, nobody: free_address(), inner }
    }

    /// An answer as it should be.
    pub fn answer(severity: &str) -> String {
        let answer = json!({
            "severity": severity, "category": "performance", "system": "host", "summary": "A host is busy",
            "action": "Look at what it does", "confidence": 0.9,
        });
        answer.to_string()
    }

    /// Does this from now on. For [`Behaviour::Down`] ask for [`Model::base_url`] afterwards.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.inner.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// What is configured as `ai.base_url`.
    pub fn base_url(&self) -> String {
        let down = self.inner.behaviour() == Behaviour::Down;
        format!("http://{}/v1", if down { self.nobody } else { self.address })
    }

    /// The calls that were made.
    pub fn calls(&self) -> u64 {
        self.inner.calls.load(Ordering::SeqCst)
    }
}

impl Inner {
    fn behaviour(&self) -> Behaviour {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn complete(State(inner): State<Arc<Inner>>, Json(request): Json<Value>) -> Response {
    inner.calls.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(inner.delay).await;
    let messages = request["messages"].as_array().into_iter().flatten();
    let told: Vec<&str> = messages.filter_map(|message| message["content"].as_str()).collect();
    inner.behaviour().answer(&(inner.says)(&told.join("\n")))
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
