//! How much bound secrets are used: per day, and which the most.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{http::ApiError, store::usage};

use super::key_of;
use crate::api::{Shelf, body::Params, caller::Viewer, errors::Common};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(gateway_usage))
}

/// Days of which the counts are asked for when the request does not say, and at most: no more are kept.
const DAYS_DEFAULT: i64 = 30;
const DAYS_MAX: i64 = 400;

/// How many secrets are named.
const BUSIEST: i64 = 10;

/// Of which days, of which key.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageFilter {
    /// How many days up to today: 1 to 400, 30 when absent.
    #[param(minimum = 1, maximum = 400)]
    days: Option<i64>,
    /// The id of a binding; absent: all requests, those without a key included.
    key: Option<String>,
}

/// How much bound secrets are used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageView {
    /// Every day of the time that was asked for, oldest first, with zeros where nothing was used.
    days: Vec<UsageDay>,
    /// The secrets with the most requests in that time.
    busiest: Vec<BusyKey>,
}

/// The requests of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageDay {
    /// When the day began (UTC), unix milliseconds.
    at: i64,
    allowed: i64,
    intercepted: i64,
}

/// The requests with one secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BusyKey {
    /// The id of the binding.
    key: String,
    /// The secret as people may see it; absent for one that is not bound any more.
    #[schema(example = "sk-012…ghij")]
    masked: Option<String>,
    allowed: i64,
    intercepted: i64,
}

/// How much bound secrets are used, per day
///
/// Counts follow a few seconds late.
#[utoipa::path(
    get, path = "/api/v1/gateway/usage", tag = "gateway", params(UsageFilter),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = UsageView), Common)
)]
async fn gateway_usage(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(filter): Params<UsageFilter>,
) -> Result<Json<UsageView>, ApiError> {
    let key = key_of(filter.key.as_deref())?;
    let today = usage::day_of(api.shared.clock.now_ms());
    let since = today - filter.days.unwrap_or(DAYS_DEFAULT).clamp(1, DAYS_MAX) + 1;
    let mut tx = api.read().await?;
    let counted = usage::days(&mut tx, caller.tenant, key, since).await?;
    let busiest = usage::busiest(&mut tx, caller.tenant, since, BUSIEST).await?;
    let of_day = |day| {
        let counts = counted.iter().find(|counts| counts.day == day);
        let (allowed, intercepted) = counts.map_or((0, 0), |counts| (counts.allowed, counts.intercepted));
        UsageDay { at: usage::start_of(day), allowed, intercepted }
    };
    let busy = |busy: usage::Busy| BusyKey {
        key: busy.key.to_string(),
        masked: busy.masked,
        allowed: busy.allowed,
        intercepted: busy.intercepted,
    };
    Ok(Json(UsageView {
        days: (since..=today).map(of_day).collect(),
        busiest: busiest.into_iter().map(busy).collect(),
    }))
}
