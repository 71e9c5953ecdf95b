//! One request to a model's server and its answer, with what can go wrong named once for all protocols.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use watchbell_common::{
    clock::Clock,
    outbound::{self, CallError, Http},
};

use crate::decode::{cut, one_line};

/// How much of a server's answer is read. An answer of ours has about 1 kB, one that thinks aloud some 10 kB; what is
/// longer is not worth the memory.
pub(crate) const ANSWER_MAX_BYTES: usize = 256 * 1024;

/// How much of a server's complaint stands in a log, in bytes.
const DETAIL_MAX_BYTES: usize = 200;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("not reachable: {0}")]
    Unreachable(String),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("rate limited")]
    Limited { retry_after: Option<Duration> },
    /// The server does not want this request: a wrong key, an unknown model, an option that it does not have.
    #[error("refused: {status}: {detail}")]
    Refused { status: u16, detail: String },
    /// The server failed, perhaps while it said 200.
    #[error("failed: {0}")]
    Broken(String),
    #[error("the answer has more than {} kB", ANSWER_MAX_BYTES / 1024)]
    TooLong,
    /// An answer, but not to the question.
    #[error("unusable: {0}")]
    Unusable(String),
    /// The circuit breaker keeps calls away.
    #[error("left alone for now")]
    Resting,
    #[error("too many calls wait for it")]
    Busy,
    #[error("no model is configured")]
    NoModel,
}

impl Failure {
    /// The word for metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut(_) => "timed_out",
            Self::Limited { .. } => "limited",
            Self::Refused { .. } => "refused",
            Self::Broken(_) => "broken",
            Self::TooLong => "too_long",
            Self::Unusable(_) => "unusable",
            Self::Resting => "resting",
            Self::Busy => "busy",
            Self::NoModel => "no_model",
        }
    }
}

/// Sends a request and reads the answer: a JSON object without an `error` in it.
pub(crate) async fn exchange(
    http: &Http,
    clock: &dyn Clock,
    key: Option<&SecretString>,
    request: Request,
) -> Result<Bytes, Failure> {
    let response = http.execute(request).await.map_err(|error| match error {
        CallError::Refused(refused) => Failure::Unreachable(refused.to_string()),
        CallError::Failed(error) => Failure::Unreachable(outbound::explain(error)),
    })?;
    let (status, headers) = (response.status(), response.headers().clone());
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::Limited { retry_after: outbound::retry_after(&headers, clock.now_ms()) });
    }
    let (body, more) = outbound::read_capped(response, ANSWER_MAX_BYTES)
        .await
        .map_err(|error| Failure::Unreachable(outbound::explain(error)))?;
    if !status.is_success() {
        let detail = detail(&complaint(&body).unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned()), key);
        if status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED {
            return Err(Failure::Refused { status: status.as_u16(), detail });
        }
        return Err(Failure::Broken(format!("{status}: {detail}")));
    }
    if more {
        return Err(Failure::TooLong);
    }
    match complaint(&body) {
        Some(complaint) => Err(Failure::Broken(format!("200 with an error: {}", detail(&complaint, key)))),
        None if serde_json::from_slice::<serde_json::Map<String, Value>>(&body).is_ok() => Ok(body),
        None => Err(Failure::Broken("the answer is not a JSON object".to_owned())),
    }
}

/// What a server complains about: `error` as a text or an object with a `message`, and the `param` it names.
fn complaint(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let error = value.get("error").filter(|error| !error.is_null())?;
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    Some(match error {
        Value::String(text) => text.clone(),
        _ => format!("{} {}", text("message"), text("param")),
    })
}

/// In one line, short, and without the key, which servers like to repeat.
fn detail(text: &str, key: Option<&SecretString>) -> String {
    let text = key.map_or_else(|| text.to_owned(), |key| text.replace(key.expose_secret(), "***"));
    cut(one_line(&super::mask::secrets(&text)), DETAIL_MAX_BYTES)
}
