//! The language models that a tenant set up, in the order in which they are asked.

mod test;
mod usage;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_common::{
    ai::{self, Ai, Model, Provider},
    http::ApiError,
    ids::{AiProviderId, TenantId},
    store::{
        Connection,
        config::{self, Kind},
    },
};

use super::{
    Shelf,
    body::{self, Id},
    caller::{Editor, Viewer},
    configured::{kept_by_the_file, wrong},
    errors::{ChangeErrors, Common, ReadErrors},
    paging::Items,
    rules::{duration, duration_ms},
    secrets::Safe,
};

/// What a body does not say is as the settings of the same names have it by default.
const DEFAULTS: Model = Model {
    kind: ai::Kind::Openai,
    base_url: String::new(),
    name: String::new(),
    timeout_ms: 20_000,
    concurrency: 4,
    context_tokens: 8_192,
    prompt_price: 0.0,
    completion_price: 0.0,
};

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new()
        .routes(routes!(list_ai_providers, create_ai_provider))
        .routes(routes!(order_ai_providers))
        .routes(routes!(get_ai_provider, update_ai_provider, delete_ai_provider))
        .merge(test::routes())
        .merge(usage::routes())
}

/// A model on a server.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"base_url": "http://127.0.0.1:11434/v1", "model": "llama3"}))]
struct AiProviderBody {
    /// For example `https://api.example.com/v1`.
    base_url: String,
    /// The server's name for the model.
    model: String,
    /// What the server speaks: `openai` (the default) or `ollama`.
    kind: Option<ai::Kind>,
    /// Blank or absent keeps the one that is there, unless `base_url` changes.
    api_key: Option<String>,
    /// How long one call may take; `20s` when absent.
    timeout: Option<String>,
    /// Calls at a time; 4 when absent.
    concurrency: Option<u32>,
    /// What prompt and answer may take together; 8192 when absent.
    context_tokens: Option<u32>,
    /// The price of a million tokens, in whatever currency.
    prompt_price: Option<f64>,
    completion_price: Option<f64>,
}

/// A model on a server.
#[derive(Debug, Serialize, ToSchema)]
struct AiProviderView {
    #[schema(value_type = i64)]
    id: AiProviderId,
    base_url: String,
    model: String,
    kind: ai::Kind,
    api_key_set: bool,
    #[schema(example = "20s")]
    timeout: String,
    concurrency: u32,
    context_tokens: u32,
    prompt_price: f64,
    completion_price: f64,
    /// Kept by the provisioning file.
    provisioned: bool,
}

/// The order in which models are asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AiOrderBody {
    /// Each model that the provisioning file does not keep, once. Those of the file come first in any case.
    #[schema(value_type = Vec<i64>)]
    ids: Vec<AiProviderId>,
}

/// The models, in the order in which they are asked
#[utoipa::path(
    get, path = "/api/v1/ai-providers", tag = "ai", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Items<AiProviderView>), Common)
)]
async fn list_ai_providers(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
) -> Result<Json<Items<AiProviderView>>, ApiError> {
    let mut tx = api.read().await?;
    let ai = config::ai(&mut tx, caller.tenant).await?;
    Ok(Json(Items { items: ai.providers.iter().map(view).collect() }))
}

/// Adds a model, the last to be asked
#[utoipa::path(
    post, path = "/api/v1/ai-providers", tag = "ai", request_body = AiProviderBody,
    extensions(("x-role" = json!("editor"))), responses((status = 201, body = AiProviderView), ChangeErrors)
)]
async fn create_ai_provider(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<AiProviderBody>,
) -> Result<(StatusCode, Json<AiProviderView>), ApiError> {
    let mut change = api.change(&caller).await?;
    let mut ai = config::ai(change.tx(), caller.tenant).await?;
    let id = AiProviderId(config::next_id(change.tx(), Kind::AiProvider).await?);
    let provider = body.provider(id, None, Safe { vault: &api.shared.vault, tenant: caller.tenant })?;
    let view = view(&provider);
    ai.providers.push(provider);
    config::set_ai(change.tx(), caller.tenant, &ai).await?;
    change.audit("create", "ai_provider", id, (None, Some(&view))).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Puts the models into another order
#[utoipa::path(
    put, path = "/api/v1/ai-providers/order", tag = "ai", request_body = AiOrderBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = Items<AiProviderView>), ChangeErrors)
)]
async fn order_ai_providers(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    body::Json(body): body::Json<AiOrderBody>,
) -> Result<Json<Items<AiProviderView>>, ApiError> {
    let mut change = api.change(&caller).await?;
    let mut ai = config::ai(change.tx(), caller.tenant).await?;
    let (mut ordered, mut by_hand): (Vec<_>, Vec<_>) =
        ai.providers.into_iter().partition(|provider| provider.provisioned);
    let before: Vec<_> = by_hand.iter().map(|provider| provider.id).collect();
    for id in &body.ids {
        let place = by_hand.iter().position(|provider| provider.id == *id).ok_or_else(every_one)?;
        ordered.push(by_hand.remove(place));
    }
    if !by_hand.is_empty() {
        return Err(every_one());
    }
    ai.providers = ordered;
    config::set_ai(change.tx(), caller.tenant, &ai).await?;
    change.audit("reorder", "ai_providers", "", (Some(&before), Some(&body.ids))).await?;
    change.commit().await?;
    Ok(Json(Items { items: ai.providers.iter().map(view).collect() }))
}

/// One model
#[utoipa::path(
    get, path = "/api/v1/ai-providers/{id}", tag = "ai", params(("id" = i64, Path)),
    extensions(("x-role" = json!("viewer"))), responses((status = 200, body = AiProviderView), ReadErrors)
)]
async fn get_ai_provider(
    State(api): State<Shelf>,
    Viewer(caller): Viewer,
    Id(id): Id<AiProviderId>,
) -> Result<Json<AiProviderView>, ApiError> {
    let mut tx = api.read().await?;
    let (ai, place) = place_of(&mut tx, caller.tenant, id).await?;
    Ok(Json(view(&ai.providers[place])))
}

/// Replaces a model, at its place
#[utoipa::path(
    put, path = "/api/v1/ai-providers/{id}", tag = "ai", params(("id" = i64, Path)), request_body = AiProviderBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = AiProviderView), ChangeErrors)
)]
async fn update_ai_provider(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<AiProviderId>,
    body::Json(body): body::Json<AiProviderBody>,
) -> Result<Json<AiProviderView>, ApiError> {
    let mut change = api.change(&caller).await?;
    let (mut ai, place) = place_to_change(change.tx(), caller.tenant, id).await?;
    let present = &ai.providers[place];
    let before = view(present);
    let safe = Safe { vault: &api.shared.vault, tenant: caller.tenant };
    let provider = body.provider(id, Some(present), safe)?;
    let view = view(&provider);
    ai.providers[place] = provider;
    config::set_ai(change.tx(), caller.tenant, &ai).await?;
    change.audit("update", "ai_provider", id, (Some(&before), Some(&view))).await?;
    change.commit().await?;
    Ok(Json(view))
}

/// Deletes a model
#[utoipa::path(
    delete, path = "/api/v1/ai-providers/{id}", tag = "ai", params(("id" = i64, Path)),
    extensions(("x-role" = json!("editor"))), responses((status = 204), ChangeErrors)
)]
async fn delete_ai_provider(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<AiProviderId>,
) -> Result<StatusCode, ApiError> {
    let mut change = api.change(&caller).await?;
    let (mut ai, place) = place_to_change(change.tx(), caller.tenant, id).await?;
    let before = view(&ai.providers.remove(place));
    config::set_ai(change.tx(), caller.tenant, &ai).await?;
    change.audit("delete", "ai_provider", id, (Some(&before), None)).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn every_one() -> ApiError {
    wrong("ids", "must name each model that the provisioning file does not keep, once")
}

async fn place_of(connection: &mut Connection, tenant: TenantId, id: AiProviderId) -> Result<(Ai, usize), ApiError> {
    let ai = config::ai(connection, tenant).await?;
    let place = ai.providers.iter().position(|provider| provider.id == id);
    Ok((ai, place.ok_or_else(|| ApiError::not_found("not found"))?))
}

async fn place_to_change(
    connection: &mut Connection,
    tenant: TenantId,
    id: AiProviderId,
) -> Result<(Ai, usize), ApiError> {
    let (ai, place) = place_of(connection, tenant, id).await?;
    if ai.providers[place].provisioned { Err(kept_by_the_file()) } else { Ok((ai, place)) }
}

fn view(provider: &Provider) -> AiProviderView {
    let model = provider.model.clone();
    AiProviderView {
        id: provider.id,
        base_url: model.base_url,
        model: model.name,
        kind: model.kind,
        api_key_set: provider.api_key.is_some(),
        timeout: duration(model.timeout_ms),
        concurrency: model.concurrency,
        context_tokens: model.context_tokens,
        prompt_price: model.prompt_price,
        completion_price: model.completion_price,
        provisioned: provider.provisioned,
    }
}

impl AiProviderBody {
    fn provider(self, id: AiProviderId, present: Option<&Provider>, safe: Safe<'_>) -> Result<Provider, ApiError> {
        ai::check_url(&self.base_url).map_err(|why| wrong("base_url", why))?;
        if self.model.trim().is_empty() {
            return Err(wrong("model", "must not be empty"));
        }
        let timeout = self.timeout.as_deref().map(duration_ms).transpose().map_err(|why| wrong("timeout", why))?;
        let model = Model {
            kind: self.kind.unwrap_or(DEFAULTS.kind),
            base_url: self.base_url,
            name: self.model,
            timeout_ms: timeout.unwrap_or(DEFAULTS.timeout_ms),
            concurrency: self.concurrency.unwrap_or(DEFAULTS.concurrency),
            context_tokens: self.context_tokens.unwrap_or(DEFAULTS.context_tokens),
            prompt_price: self.prompt_price.unwrap_or(DEFAULTS.prompt_price),
            completion_price: self.completion_price.unwrap_or(DEFAULTS.completion_price),
        };
        if let Some((field, why)) = model.problem() {
            return Err(wrong(field, why));
        }
        // A key goes to the server it was given for, and to no other.
        let kept = present.filter(|present| present.model.base_url == model.base_url);
        let given = self.api_key.filter(|key| !key.is_empty());
        let api_key = match given {
            Some(key) => Some(safe.seal_model_key(&key.into())),
            None => kept.and_then(|present| present.api_key.clone()),
        };
        Ok(Provider { id, provisioned: false, model, api_key })
    }
}
