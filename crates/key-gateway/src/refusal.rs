//! What the gateway answers itself: status, a code for programs, a sentence for people.

use std::time::Duration;

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderValue},
};
use serde_json::json;
use watchbell_common::binding::{keeper::Denied, token::Unclear};

use crate::framing::Doubt;

/// Why a request did not get the upstream's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The key is bound to other addresses.
    Elsewhere,
    /// A person blocked the key.
    Blocked,
    KeysDiffer,
    /// Services would read different keys from the same bytes.
    BadKey,
    KeyMissing,
    /// Too many new keys from this address.
    TooManyNewKeys,
    /// Too many bindings in all.
    TooManyBindings,
    /// Nobody can say what the key is bound to.
    BindingsUnavailable,
    /// The request can be read in two ways.
    Doubtful(Doubt),
    Connect,
    BadTarget,
    /// The client broke off its body, or sent a malformed one.
    BadBody,
    /// The client stopped in the middle of its body.
    SlowBody,
    /// The upstream cannot be reached, or its answer is not HTTP.
    BadGateway,
    /// The upstream did not begin to answer.
    GatewayTimeout,
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Elsewhere => Self::Elsewhere,
            Denied::Blocked => Self::Blocked,
            Denied::TooManyNew => Self::TooManyNewKeys,
            Denied::TooManyBindings => Self::TooManyBindings,
            Denied::Unavailable => Self::BindingsUnavailable,
        }
    }
}

impl From<Unclear> for Refusal {
    fn from(unclear: Unclear) -> Self {
        match unclear {
            Unclear::Differ => Self::KeysDiffer,
            Unclear::Odd => Self::BadKey,
        }
    }
}

impl Refusal {
    /// The status and the code, which is also the outcome in the metrics.
    pub(crate) const fn status(self) -> (StatusCode, &'static str) {
        match self {
            Self::Elsewhere => (StatusCode::FORBIDDEN, "key_elsewhere"),
            Self::Blocked => (StatusCode::FORBIDDEN, "key_blocked"),
            Self::KeysDiffer => (StatusCode::BAD_REQUEST, "keys_differ"),
            Self::BadKey => (StatusCode::BAD_REQUEST, "bad_key"),
            Self::KeyMissing => (StatusCode::UNAUTHORIZED, "key_missing"),
            Self::TooManyNewKeys => (StatusCode::TOO_MANY_REQUESTS, "too_many_new_keys"),
            Self::TooManyBindings => (StatusCode::SERVICE_UNAVAILABLE, "too_many_bindings"),
            Self::BindingsUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "bindings_unavailable"),
            Self::Doubtful(_) => (StatusCode::BAD_REQUEST, "ambiguous_request"),
            Self::Connect => (StatusCode::METHOD_NOT_ALLOWED, "connect_refused"),
            Self::BadTarget => (StatusCode::BAD_REQUEST, "bad_target"),
            Self::BadBody => (StatusCode::BAD_REQUEST, "bad_body"),
            Self::SlowBody => (StatusCode::REQUEST_TIMEOUT, "slow_body"),
            Self::BadGateway => (StatusCode::BAD_GATEWAY, "bad_gateway"),
            Self::GatewayTimeout => (StatusCode::GATEWAY_TIMEOUT, "gateway_timeout"),
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Elsewhere => "this key is bound to another address",
            Self::Blocked => "this key is blocked",
            Self::KeysDiffer => "the request carries several keys that differ; send one",
            Self::BadKey => "a key has only visible ASCII characters and no blanks",
            Self::KeyMissing => "the request carries no key",
            Self::TooManyNewKeys => "too many new keys from this address; try again in a minute",
            Self::TooManyBindings => "no new key can be bound at the moment",
            Self::BindingsUnavailable => "it cannot be checked at the moment where this key may be used; try again",
            Self::Doubtful(doubt) => doubt.as_str(),
            Self::Connect => "this is a gateway to one service, not a proxy to any",
            Self::BadTarget => "the request names no path",
            Self::BadBody => "the request's body broke off or is malformed",
            Self::SlowBody => "the request's body stopped arriving",
            Self::BadGateway => "the service behind the gateway did not give an answer",
            Self::GatewayTimeout => "the service behind the gateway did not answer in time",
        }
    }

    const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::TooManyNewKeys | Self::TooManyBindings => Some(Duration::from_mins(1)),
            Self::BindingsUnavailable => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// Whether what follows on the connection cannot be trusted to be a request.
    const fn closes(self) -> bool {
        matches!(self, Self::Doubtful(_) | Self::Connect | Self::BadBody | Self::SlowBody)
    }

    /// The answer, in the shape of all errors of this product, which clients of model services read as well.
    pub(crate) fn response(self) -> Response<Bytes> {
        let (status, code) = self.status();
        let body = json!({"error": {"code": code, "message": self.message()}}).to_string();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(after) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, after.as_secs().into());
        }
        if self == Self::KeyMissing {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.closes() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
