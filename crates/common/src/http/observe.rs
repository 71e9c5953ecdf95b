//! Around every request: its id, its metrics, its log line, the headers of the answer and the last resort.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt as _;
use metrics::{Counter, Histogram};
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

/// The classes of answers that are counted.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The figures of all routes. Looking one's handles up costs more than to use them, so they are kept by the route.
#[derive(Default)]
pub(super) struct Meters(RwLock<HashMap<String, Arc<RouteMeters>>>);

/// The figures of a route. A class of answers is counted from its first one on.
struct RouteMeters {
    requests: [OnceLock<Counter>; CLASSES.len()],
    seconds: Histogram,
}

impl Meters {
    fn of(&self, route: &str) -> Arc<RouteMeters> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(route) {
            return known.clone();
        }
        let seconds = metrics::histogram!("watchbell_http_request_seconds", "route" => route.to_owned());
        let fresh = Arc::new(RouteMeters { requests: Default::default(), seconds });
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(route.to_owned()).or_insert(fresh).clone()
    }

    fn record(&self, route: &str, status: StatusCode, seconds: f64) {
        let meters = self.of(route);
        // Not below 100, which `StatusCode` does not allow; the last class takes whatever is above.
        let class = usize::from(status.as_u16() / 100 - 1).min(CLASSES.len() - 1);
        let labels = || [("route", route.to_owned()), ("status", CLASSES[class].to_owned())];
        let requests =
            meters.requests[class].get_or_init(|| metrics::counter!("watchbell_http_requests_total", &labels()));
        requests.increment(1);
        meters.seconds.record(seconds);
    }
}

/// Runs a request. Only the template of its route is logged and counted, never the path.
pub(super) async fn observe(State(meters): State<Arc<Meters>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|panic| panicked(&*panic));
    dress(&mut response, &id, route);
    let (status, seconds) = (response.status(), started.elapsed().as_secs_f64());
    tracing::debug!(http.route = route, http.status = status.as_u16(), seconds, request.id = ?id, "answered");
    meters.record(route, status, seconds);
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
    headers.reserve(1 + HEADERS.len());
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
