//! HTTP intake: an alert comes in by push token, a dialect reads it, the queue has it, then the sender is told.
//!
//! [`intake`] leads one request from its token to its answer; what senders speak is in [`watchbell_dialects`].

pub mod intake;
mod meters;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    routing::{MethodRouter, post},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use watchbell_common::{
    binding::doors::{self, Guarded},
    http,
    shared::Shared,
};
use watchbell_dialects::{self as dialects, Dialect};

use intake::Door;

/// The intake routes: for each dialect its path with the push token behind it, and without for a bearer token. Where
/// push tokens are bound, `guarded` says from where each may be used.
pub fn router(shared: Shared, guarded: Option<Guarded>) -> Router {
    let door = Arc::new(Door::new(shared, guarded));
    dialects::ALL.iter().fold(Router::new(), |router, dialect| {
        router
            .route(&format!("{}/{{token}}", dialect.path), with_token_in_path(dialect, door.clone()))
            .route(dialect.path, with_bearer_token(dialect, door.clone()))
    })
}

fn with_token_in_path(dialect: &'static Dialect, door: Arc<Door>) -> MethodRouter {
    post(move |request: Request| async move {
        let (token, request) = intake::token_in_path(request).await;
        intake::take(&door, dialect, &token, request).await
    })
}

fn with_bearer_token(dialect: &'static Dialect, door: Arc<Door>) -> MethodRouter {
    post(move |request: Request| async move {
        let token = intake::bearer_token(request.headers())?;
        intake::take(&door, dialect, &token, request).await
    })
}

/// The service on its own: intake, health and metrics on one listener, until `stop`.
pub async fn run(
    shared: Shared,
    listener: TcpListener,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (guarded, beside) = Guarded::push_tokens(&shared)?.unzip();
    let router = router(shared.clone(), guarded).merge(shared.health_router(metrics));
    let ended = CancellationToken::new();
    let serving = async {
        let _ended = ended.clone().drop_guard();
        http::serve(listener, router, &shared.settings.http, stop.clone()).await
    };
    tokio::try_join!(serving, doors::run(beside, None, stop.clone(), ended.clone()))?;
    Ok(())
}
