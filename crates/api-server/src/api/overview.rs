//! The overview: the books first, then where alerts stand, how fast messages go, what is in trouble.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    ai::usage,
    clock::UnixMillis,
    http::ApiError,
    ids::TenantId,
    queue::Books,
    store::{alerts, deliveries, tallies},
};

use super::{
    Api, Shelf,
    body::Params,
    caller::Viewer,
    deliveries::Names,
    errors::Common,
    services::{QueueView, ServiceView, queue_views, service_views},
    time::Time,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(overview)).routes(routes!(series))
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// How far back a destination counts as failing.
const TROUBLE_HOURS: i64 = 24;

/// A tenant's books: received is the sum of the others.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct BooksView {
    received: u64,
    delivered: u64,
    silenced: u64,
    deduplicated: u64,
    unrouted: u64,
    muted: u64,
    /// Events whose only remaining jobs are dead.
    dead: u64,
    /// Events with a live job.
    pending: u64,
    /// 0 unless something was lost (positive) or counted twice (negative).
    unaccounted: i64,
}

impl From<Books> for BooksView {
    fn from(books: Books) -> Self {
        let unaccounted = books.unaccounted();
        let Books { received, delivered, silenced, deduplicated, unrouted, muted, dead, pending } = books;
        Self { received, delivered, silenced, deduplicated, unrouted, muted, dead, pending, unaccounted }
    }
}

/// How many alerts stand where; 10,000 means that many or more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertCounts {
    firing: i64,
    acknowledged: i64,
    resolved: i64,
    /// Whose last event a silence kept from the channels.
    silenced: i64,
}

/// A channel whose deliveries did not get through in the last 24 hours.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailingChannel {
    channel: i64,
    /// Absent when the channel is gone.
    name: Option<String>,
    /// Deliveries that wait for another attempt, or for a rate limit.
    waiting: i64,
    /// Deliveries that gave up.
    dead: i64,
    /// When that was last so.
    last_at: Time,
}

/// The language model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelView {
    /// Names of the models, in the order in which they are asked.
    models: Vec<String>,
    /// Tokens spent today (UTC); counted only where there is a limit.
    spent_tokens: Option<u64>,
    /// The limit of a day; absent when there is none.
    daily_tokens: Option<u64>,
}

/// Everything at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    books: BooksView,
    alerts: AlertCounts,
    /// Worst first.
    failing: Vec<FailingChannel>,
    /// Of the whole installation; empty for those who do not run it.
    queues: Vec<QueueView>,
    services: Vec<ServiceView>,
    /// Absent when the tenant has no model.
    model: Option<ModelView>,
    /// The last 3 hours, in steps of 5 minutes. `GET /metrics/series` has more.
    series: Vec<Point>,
}

/// What happened in one step of time.
#[derive(Debug, Default, Clone, Serialize, ToSchema)]
pub(crate) struct Point {
    /// When the step begins.
    at: Time,
    received: i64,
    delivered: i64,
    /// Attempts that will be repeated.
    failed: i64,
    /// Deliveries that gave up.
    dead: i64,
    /// From the arrival to the delivery, on average; absent when nothing was delivered.
    latency_ms: Option<i64>,
    /// The longest.
    latency_ms_max: Option<i64>,
}

/// Everything at a glance
#[utoipa::path(
    get, path = "/api/v1/overview", tag = "overview",
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Overview), Common)
)]
async fn overview(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<Overview>, ApiError> {
    let now = api.shared.clock.now_ms();
    let tenant = caller.tenant;
    let books = api.shared.queue.books().await?;
    let books = books.into_iter().find(|(of, _)| *of == tenant).map(|(_, books)| books).unwrap_or_default();
    let queues = if caller.platform_admin { queue_views(&api).await? } else { Vec::new() };
    let (services, model) = (service_views(&api, &caller).await?, model(&api, tenant, now).await?);
    let mut tx = api.read().await?;
    let alerts::Counts { firing, acknowledged, resolved, silenced } = alerts::count(&mut tx, tenant).await?;
    let names = Names::new(&api, tenant);
    let failing = deliveries::troubles(&mut tx, tenant, now - TROUBLE_HOURS * HOUR_MS).await?;
    let failing = failing.into_iter().map(|trouble| FailingChannel {
        channel: trouble.channel.0,
        name: names.channel(trouble.channel),
        waiting: trouble.waiting,
        dead: trouble.dead,
        last_at: Time(trouble.last_at),
    });
    let step = Step { minutes: 5, count: 36 };
    let tallies = tallies::between(&mut tx, tenant, (step.from(now), now + MINUTE_MS)).await?;
    Ok(Json(Overview {
        books: books.into(),
        alerts: AlertCounts { firing, acknowledged, resolved, silenced },
        failing: failing.collect(),
        queues,
        services,
        model,
        series: step.points(now, &tallies),
    }))
}

async fn model(api: &Api, tenant: TenantId, now: UnixMillis) -> Result<Option<ModelView>, ApiError> {
    let snapshot = api.shared.config.load();
    let own = snapshot.ai(tenant).map(|ai| ai.providers.iter().map(|provider| provider.model.name.clone()));
    let mut models: Vec<_> = own.into_iter().flatten().collect();
    let settings = &api.shared.settings.ai;
    if models.is_empty() && !settings.model.is_empty() {
        models.push(settings.model.clone());
    }
    if models.is_empty() {
        return Ok(None);
    }
    let daily_tokens = Some(settings.daily_tokens).filter(|tokens| *tokens > 0);
    let spent_tokens = match daily_tokens {
        Some(_) => Some(usage::spent(&*api.shared.queue, tenant, now).await?),
        None => None,
    };
    Ok(Some(ModelView { models, spent_tokens, daily_tokens }))
}

/// Steps of a series, the last of which holds the present.
#[derive(Clone, Copy)]
struct Step {
    minutes: i64,
    count: i64,
}

impl Step {
    fn millis(self) -> i64 {
        self.minutes * MINUTE_MS
    }

    fn from(self, now: UnixMillis) -> UnixMillis {
        (now.div_euclid(self.millis()) - self.count + 1) * self.millis()
    }

    /// One point per step, those in which nothing happened included.
    fn points(self, now: UnixMillis, tallies: &[tallies::Tally]) -> Vec<Point> {
        let begin = self.from(now);
        let point = |index| {
            let at = begin + index * self.millis();
            let here = tallies.iter().filter(|tally| (at..at + self.millis()).contains(&tally.at));
            let mut point = Point { at: Time(at), ..Point::default() };
            let (mut latency, mut longest) = (0, 0);
            for tally in here {
                point.received += tally.received;
                point.delivered += tally.delivered;
                point.failed += tally.failed;
                point.dead += tally.dead;
                latency += tally.latency_ms;
                longest = longest.max(tally.latency_ms_max);
            }
            point.latency_ms = (point.delivered > 0).then(|| latency / point.delivered);
            point.latency_ms_max = (point.delivered > 0).then_some(longest);
            point
        };
        (0..self.count).map(point).collect()
    }
}

/// Which stretch of time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Stretch {
    /// How many hours back: 1 to 168, 24 when absent.
    #[param(minimum = 1, maximum = 168)]
    hours: Option<i64>,
    /// How many minutes a step has: 1 to 1440; when absent, so many that there are about a hundred steps.
    #[param(minimum = 1, maximum = 1440)]
    step_minutes: Option<i64>,
}

/// A series.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    /// How many minutes a step has.
    step_minutes: i64,
    /// Oldest first; every step is there.
    points: Vec<Point>,
}

/// How many steps a series may have.
const STEPS_MAX: i64 = 1_500;

/// Throughput and latency over time
#[utoipa::path(
    get, path = "/api/v1/metrics/series", tag = "overview", params(Stretch),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Series), Common)
)]
async fn series(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(Stretch { hours, step_minutes }): Params<Stretch>,
) -> Result<Json<Series>, ApiError> {
    let hours = hours.unwrap_or(24);
    if !(1..=168).contains(&hours) {
        return Err(ApiError::validation("hours: must be 1 to 168"));
    }
    let minutes = step_minutes.unwrap_or_else(|| (hours * 60 / 96).max(1));
    if !(1..=1_440).contains(&minutes) {
        return Err(ApiError::validation("step_minutes: must be 1 to 1440"));
    }
    let step = Step { minutes, count: (hours * 60 / minutes).max(1) };
    if step.count > STEPS_MAX {
        return Err(ApiError::validation(format!("step_minutes: would be more than {STEPS_MAX} steps")));
    }
    let now = api.shared.clock.now_ms();
    let mut tx = api.read().await?;
    let tallies = tallies::between(&mut tx, caller.tenant, (step.from(now), now + MINUTE_MS)).await?;
    Ok(Json(Series { step_minutes: minutes, points: step.points(now, &tallies) }))
}
