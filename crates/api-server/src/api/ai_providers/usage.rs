//! What a tenant's models were asked today and on the days before, and what is left of the budget.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    ai::{
        self,
        usage::{Calls, Saved},
    },
    clock::{DAY_MS, show_time},
    http::ApiError,
    ids::AiProviderId,
    store::config,
};

use super::super::{Shelf, body::Params, caller::Viewer, errors::Common, paging::Items, time::Time};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(ai_usage)).routes(routes!(ai_usage_days))
}

/// What the models were asked today (UTC).
#[derive(Debug, Serialize, ToSchema)]
struct AiUsageView {
    /// When the day ends and the budget is whole again.
    #[schema(example = "2027-02-01T00:00:00Z")]
    ends_at: String,
    /// Prompts and answers of all models.
    spent_tokens: u64,
    /// The limit of a day; absent when there is none.
    daily_tokens: Option<u64>,
    /// What is left of it. At 0 the rules read alone.
    left_tokens: Option<u64>,
    /// In the currency of the prices; 0 without prices.
    cost: f64,
    /// Alerts whose answer was remembered from one like them.
    remembered: u64,
    /// Calls that were not made: the remembered, and those that shared a call with others.
    saved_calls: u64,
    /// In the order in which they are asked.
    providers: Vec<AiProviderUsage>,
}

/// What one model was asked today.
#[derive(Debug, Serialize, ToSchema)]
struct AiProviderUsage {
    /// Absent: the installation's own, from its settings.
    #[schema(value_type = Option<i64>)]
    id: Option<AiProviderId>,
    model: String,
    calls: u64,
    /// Calls without an answer that could be used.
    unanswered: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    cost: f64,
}

/// What the models were asked today, and what is left of the budget
#[utoipa::path(
    get, path = "/api/v1/ai-providers/usage", tag = "ai", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = AiUsageView), Common)
)]
async fn ai_usage(State(api): State<Shelf>, Viewer(caller): Viewer) -> Result<Json<AiUsageView>, ApiError> {
    let (queue, tenant, now) = (&*api.shared.queue, caller.tenant, api.shared.clock.now_ms());
    let settings = &api.shared.settings.ai;
    let own = settings.provider().map(|own| (None, own.model.name));
    let ai = config::ai(&mut *api.read().await?, tenant).await?;
    let made = ai.providers.into_iter().map(|provider| (Some(provider.id), provider.model.name));
    let mut providers = Vec::new();
    for (id, model) in own.into_iter().chain(made) {
        let Calls { calls, unanswered, prompt_tokens, completion_tokens, cost_micros } =
            ai::usage::calls(queue, tenant, now, id).await?;
        let cost = currency(cost_micros);
        providers.push(AiProviderUsage { id, model, calls, unanswered, prompt_tokens, completion_tokens, cost });
    }
    let Saved { remembered, shared } = ai::usage::save(queue, tenant, now, Saved::default()).await?;
    let spent_tokens = ai::usage::spent(queue, tenant, now).await?;
    let daily_tokens = Some(settings.daily_tokens).filter(|tokens| *tokens > 0);
    Ok(Json(AiUsageView {
        ends_at: show_time((now.div_euclid(DAY_MS) + 1) * DAY_MS),
        spent_tokens,
        daily_tokens,
        left_tokens: daily_tokens.map(|tokens| tokens.saturating_sub(spent_tokens)),
        cost: providers.iter().map(|provider| provider.cost).sum(),
        remembered,
        saved_calls: remembered + shared,
        providers,
    }))
}

/// How many days are asked for when the request does not say.
const DAYS_DEFAULT: u16 = 14;

/// Of which days.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AiUsageDays {
    /// How many days up to today: 1 to 30, 14 when absent.
    #[param(minimum = 1, maximum = 30)]
    days: Option<u16>,
}

/// What all models were asked on one day.
#[derive(Debug, Serialize, ToSchema)]
struct AiUsageDay {
    /// When the day began (UTC).
    at: Time,
    calls: u64,
    /// Prompts and answers.
    tokens: u64,
    /// In the currency of the prices; 0 without prices.
    cost: f64,
    /// Calls that were not made, because an answer was remembered or shared.
    saved_calls: u64,
}

/// What the models were asked on the latest days, oldest first
///
/// Every day of the time that was asked for, with zeros where nothing was asked. Models that are gone are counted too.
#[utoipa::path(
    get, path = "/api/v1/ai-providers/usage/days", tag = "ai", params(AiUsageDays),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = Items<AiUsageDay>), Common)
)]
async fn ai_usage_days(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Params(asked): Params<AiUsageDays>,
) -> Result<Json<Items<AiUsageDay>>, ApiError> {
    let days = asked.days.unwrap_or(DAYS_DEFAULT).clamp(1, ai::usage::DAYS_MAX);
    let known = ai::usage::days(&*api.shared.queue, caller.tenant, api.shared.clock.now_ms(), days).await?;
    let view = |day: ai::usage::Day| AiUsageDay {
        at: Time(day.at),
        calls: day.calls,
        tokens: day.tokens,
        cost: currency(day.cost_micros),
        saved_calls: day.saved.remembered + day.saved.shared,
    };
    Ok(Json(Items { items: known.into_iter().map(view).collect() }))
}

/// Millionths as a number for people.
#[expect(clippy::cast_precision_loss, reason = "a figure for people: 53 bits are enough")]
pub(super) fn currency(micros: u64) -> f64 {
    micros as f64 / 1e6
}
