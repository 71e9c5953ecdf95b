//! Around every request: its id, its metrics, its log line, the headers of the answer and the last resort.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::ApiError;

/// The longest request id that is taken over from a client.
const REQUEST_ID_MAX_BYTES: usize = 64;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Sent with every answer that does not say otherwise. API answers are never pages: nothing may load or frame.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Runs a request. Only the template of its route is logged and counted, never the path.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|panic| panicked(&*panic));
    dress(&mut response, &id, &route);
    let (status, seconds) = (response.status(), started.elapsed().as_secs_f64());
    tracing::debug!(http.route = route, http.status = status.as_u16(), seconds, request.id = ?id, "answered");
    metrics::counter!("watchbell_http_requests_total", "route" => route.clone(), "status" => class(status))
        .increment(1);
    metrics::histogram!("watchbell_http_request_seconds", "route" => route).record(seconds);
    response
}

/// Gives errors their envelope and every answer its headers.
fn dress(response: &mut Response, id: &HeaderValue, route: &str) {
    let error = match response.extensions_mut().remove::<ApiError>() {
        // The router's own answers, to unknown paths and wrong methods, have no body and no type.
        None if response.headers().contains_key(header::CONTENT_TYPE) => None,
        None => match response.status() {
            StatusCode::NOT_FOUND => Some(ApiError::not_found("no such path")),
            status @ StatusCode::METHOD_NOT_ALLOWED => {
                Some(ApiError::new(status, "METHOD_NOT_ALLOWED", "this path does not take that method"))
            }
            _ => None,
        },
        known => known,
    };
    if let Some(error) = error {
        let id = id.to_str().unwrap_or_default();
        if let Some(cause) = error.cause() {
            tracing::warn!(http.route = route, http.status = error.status.as_u16(), request.id = id, "{cause}");
        }
        let allow = response.headers_mut().remove(header::ALLOW);
        *response = error.render(Some(id));
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.clone());
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Response {
    use axum::response::IntoResponse as _;
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    ApiError::internal().because(format!("a handler panicked: {}", text.unwrap_or("no message"))).into_response()
}

/// The client's own id, if it is sane; else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |id: &&HeaderValue| {
        (1..=REQUEST_ID_MAX_BYTES).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers.get(REQUEST_ID).filter(sane).cloned().unwrap_or_else(|| {
        let id = format!("req_{:016x}", rand::random::<u64>());
        HeaderValue::try_from(id).expect("hexadecimal digits are allowed in a header")
    })
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
