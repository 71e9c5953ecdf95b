//! `GET /healthz` (alive), `GET /readyz` (can take work) and `GET /metrics` (Prometheus).

use std::{future::Future, time::Duration};

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// How long `ready` may take until the answer is "no". Orchestrators give a probe one second by default.
const READY_MAX: Duration = Duration::from_millis(900);

/// How often measured durations are moved into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// The three routes. `ready` says whether the service can take work, or why not; it is asked on every probe.
/// Merge it into any router that is served by [`super::serve`].
pub fn health_router<R, F>(ready: R, metrics: PrometheusHandle) -> Router
where
    R: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let readyz = move || {
        let ready = ready.clone();
        async move { readiness(tokio::time::timeout(READY_MAX, ready()).await.ok()) }
    };
    let metrics = move || {
        let metrics = metrics.clone();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()) }
    };
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

fn readiness(answer: Option<Result<(), String>>) -> Response {
    let refuse = |reason: &str| {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable", "reason": reason}))).into_response()
    };
    match answer {
        Some(Ok(())) => Json(json!({"status": "ready"})).into_response(),
        Some(Err(reason)) => refuse(&reason),
        None => refuse("the check took too long"),
    }
}

/// Keeps the memory of the metrics bounded until `stop`, also when nobody scrapes them. Once per process.
pub async fn upkeep(metrics: PrometheusHandle, stop: CancellationToken) -> anyhow::Result<()> {
    while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        metrics.run_upkeep();
    }
    Ok(())
}
