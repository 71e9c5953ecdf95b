//! The error envelope of every API answer: `{"error":{"code","message","request_id"}}`.

use std::{borrow::Cow, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{queue::QueueError, store::StoreError};

/// What a client is told to wait when store or queue are away: both come back within seconds or not soon.
const RETRY_SHORTLY: Duration = Duration::from_secs(2);

/// So much of a message is shown, of its beginning and of its end: what a request brought stands in the middle.
const BEGINNING_MAX_CHARS: usize = 600;
const END_MAX_CHARS: usize = 200;

/// A failed request: status, a stable code for programs, a sentence for people. What went wrong inside stays in
/// the log ([`ApiError::because`]) and never leaves.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: Cow<'static, str>,
    retry_after: Option<Duration>,
    closes: bool,
    cause: Option<String>,
}

impl ApiError {
    /// An error with a code of its own.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, closes: false, cause: None }
    }

    /// 400 `VALIDATION`: the request makes no sense; sending it again changes nothing.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION", message)
    }

    /// 404 `NOT_FOUND`.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// 401 `UNAUTHORIZED`: nobody known sent this.
    pub fn unauthorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
    }

    /// 403 `FORBIDDEN`: whoever sent this may not.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    /// 409 `CONFLICT`: it contradicts what is there.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    /// 429 `RATE_LIMITED` with `Retry-After`.
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message);
        Self { retry_after: Some(retry_after), ..error }
    }

    /// 503 `UNAVAILABLE` with `Retry-After`: nothing was taken, try again.
    pub fn unavailable(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message);
        Self { retry_after: Some(retry_after), ..error }
    }

    /// 500 `INTERNAL`.
    pub fn internal() -> Self {
        let message = "something went wrong here; the log has the details under this request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message)
    }

    /// The connection is closed after the answer, because the rest of the request is not read.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// What is logged with the request id.
    #[must_use]
    pub fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// What is logged with the request id, if anything.
    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer, with the request id when it is known.
    pub(super) fn render(&self, request_id: Option<&str>) -> Response {
        #[derive(Serialize)]
        struct Envelope<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
        }
        let envelope = Envelope { error: Inner { code: self.code, message: &shortened(&self.message), request_id } };
        let mut text = serde_json::to_string(&envelope).expect("an envelope is three texts");
        text.push('\n');
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// A message without the middle of a long text that it quotes.
fn shortened(message: &str) -> Cow<'_, str> {
    let beginning = message.char_indices().nth(BEGINNING_MAX_CHARS).map(|(at, _)| at);
    let end = message.char_indices().nth_back(END_MAX_CHARS - 1).map(|(at, _)| at);
    match (beginning, end) {
        (Some(beginning), Some(end)) if beginning < end => {
            format!("{} … {}", &message[..beginning], &message[end..]).into()
        }
        _ => message.into(),
    }
}

/// What a request's failure in the store means to its sender.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => {
                let message = "the store is not reachable; alerts still flow, try again shortly";
                Self::unavailable(message, RETRY_SHORTLY).because(error.to_string())
            }
            StoreError::Busy(_) => {
                let message = "the store is busy with other requests; nothing was changed, try again shortly";
                Self::unavailable(message, RETRY_SHORTLY).because(error.to_string())
            }
            StoreError::Conflict(_) => {
                let message = "that name is taken, or something still uses what should go";
                Self::conflict(message).because(error.to_string())
            }
            StoreError::Missing { .. } => Self::not_found("not found"),
            StoreError::Damaged { .. } | StoreError::Unusable(_) | StoreError::Refused(_) => {
                Self::internal().because(error.to_string())
            }
        }
    }
}

/// What a request's failure on the queue means to its sender.
impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Unavailable(_) => {
                let message = "the queue is not reachable; try again shortly";
                Self::unavailable(message, RETRY_SHORTLY).because(error.to_string())
            }
            QueueError::StaleLease | QueueError::BadJob(_) => Self::internal().because(error.to_string()),
        }
    }
}

/// Carries the error along in the extensions, where the server finds it and adds the request id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.render(None);
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_beginning_and_its_end() {
        assert_eq!(shortened("name: is missing"), "name: is missing");
        for letter in ["x", "ö"] {
            let short = format!("mode: `{}` is not a mode", letter.repeat(600));
            assert_eq!(shortened(&short), short);
            let long = shortened(&format!("mode: `{}` is not a mode", letter.repeat(10_000))).into_owned();
            assert!(long.starts_with("mode: `") && long.ends_with("` is not a mode"), "{long}");
            assert!(long.chars().count() < 810, "{long}");
        }
    }
}
