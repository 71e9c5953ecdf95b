//! Asking a model once, by the code of the analyzer, to see whether it is set up right.

use std::time::Duration;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use watchbell_analysis::model::{Answer, Failure, Format, Trial, merge};
use watchbell_common::{
    ai::{OpenProvider, usage},
    alert::{Alert, Origin, Severity},
    http::ApiError,
    ids::{AiProviderId, AlertId, EventId},
    outbound::Http,
    store::events,
};

use super::{
    super::{
        Api, Shelf,
        body::{self, Id},
        caller::{Caller, Editor},
        errors::ChangeErrors,
        events::AnalysisView,
        sample::Sample,
        trial,
        words::SeverityWord,
    },
    place_of,
    usage::currency,
};

/// The longest that a test waits, whatever the model may take otherwise: somebody looks on.
const WAIT_MAX: Duration = Duration::from_mins(1);

pub(super) fn routes() -> OpenApiRouter<Shelf> {
    OpenApiRouter::new().routes(routes!(test_ai_provider))
}

/// What to ask about: one of these, or nothing for a built-in alert.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
struct AiTestBody {
    /// A stored event.
    #[schema(value_type = Option<String>)]
    event_id: Option<EventId>,
    /// An alert: its newest event.
    #[schema(value_type = Option<String>)]
    alert_id: Option<AlertId>,
    event: Option<Sample>,
}

/// What asking a model came to.
#[derive(Debug, Serialize, ToSchema)]
struct AiTestView {
    /// What it said, checked but unchanged. Absent when it failed.
    answer: Option<AiAnswerView>,
    /// What people would see: the rules' analysis with what a model may add to it.
    analysis: Option<AnalysisView>,
    /// Why there is no answer.
    failure: Option<AiFailureView>,
    /// How well the server can be held to a form. Absent when it said nothing.
    form: Option<AiAnswerForm>,
    latency_ms: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    /// In the currency of the prices; absent without prices.
    cost: Option<f64>,
}

/// What a model says about an alert.
#[derive(Debug, Serialize, ToSchema)]
struct AiAnswerView {
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    category: String,
    system: String,
    summary: String,
    action: String,
    /// 0 to 1.
    confidence: f32,
}

/// Why a model gave no answer.
#[derive(Debug, Serialize, ToSchema)]
struct AiFailureView {
    class: AiFailureClass,
    /// The same for people, with what the server said.
    #[schema(example = "refused: 401: Incorrect API key provided")]
    message: String,
}

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AiFailureClass {
    /// No connection, or to an address that tenants may not call.
    Unreachable,
    TimedOut,
    /// 401 or 403: the key is wrong, or may not use this model.
    KeyRefused,
    RateLimited,
    /// The server does not want the request: an unknown model, for example.
    Refused,
    /// The server failed.
    Broken,
    /// There was an answer, and it was none to the question.
    WrongAnswer,
    /// The day's tokens are spent; nobody was called.
    OverBudget,
    /// The configuration cannot be used; nobody was called.
    Unusable,
}

/// How well a server can be held to a form.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AiAnswerForm {
    /// It writes nothing that does not fit the schema.
    JsonSchema,
    /// It writes some JSON.
    JsonObject,
    /// It writes what it likes.
    Text,
}

/// Asks a model about one alert, as the analyzer would
///
/// The call counts like any other against the tenant's budget.
#[utoipa::path(
    post, path = "/api/v1/ai-providers/{id}/test", tag = "ai", params(("id" = i64, Path)), request_body = AiTestBody,
    extensions(("x-role" = json!("editor"))), responses((status = 200, body = AiTestView), ChangeErrors)
)]
async fn test_ai_provider(
    State(api): State<Shelf>,
    Editor(caller): Editor,
    Id(id): Id<AiProviderId>,
    body::Json(body): body::Json<AiTestBody>,
) -> Result<Json<AiTestView>, ApiError> {
    let provider = open(&api, &caller, id).await?;
    let alert = body.alert(&api, &caller).await?;
    let (queue, tenant, now) = (&*api.shared.queue, caller.tenant, api.shared.clock.now_ms());
    let daily_tokens = api.shared.settings.ai.daily_tokens;
    if daily_tokens > 0 && usage::spent(queue, tenant, now).await? >= daily_tokens {
        let message = format!("the {daily_tokens} tokens of the day are spent, until midnight UTC");
        return Ok(Json(AiTestView::failed(AiFailureClass::OverBudget, message)));
    }
    let (http, clock) = (http(&api, &provider)?, api.shared.clock.clone());
    let priced = provider.model.prompt_price > 0.0 || provider.model.completion_price > 0.0;
    let trial = match Trial::run(provider, http, clock, &alert).await {
        Ok(trial) => trial,
        Err(why) => return Ok(Json(AiTestView::failed(AiFailureClass::Unusable, why))),
    };
    usage::add(queue, tenant, now, trial.call.as_slice()).await?;
    Ok(Json(AiTestView::of(trial, priced, &alert)))
}

/// The model as the store has it, with its key open.
async fn open(api: &Api, caller: &Caller, id: AiProviderId) -> Result<OpenProvider, ApiError> {
    let (ai, place) = place_of(&mut *api.read().await?, caller.tenant, id).await?;
    let open = ai.providers[place].open(caller.tenant, &api.shared.vault);
    let mut open = open.map_err(|error| ApiError::internal().because(error.to_string()))?;
    let longest = u32::try_from(WAIT_MAX.as_millis()).expect("a minute has 60000 ms");
    open.model.timeout_ms = open.model.timeout_ms.min(longest);
    Ok(open)
}

/// The operator's models may be anywhere, those of tenants where the guard lets them.
fn http(api: &Api, provider: &OpenProvider) -> Result<Http, ApiError> {
    let tools = api.tools()?;
    Ok(if provider.trusted { tools.http.clone() } else { tools.guarded.clone() })
}

impl AiTestBody {
    async fn alert(self, api: &Api, caller: &Caller) -> Result<Alert, ApiError> {
        let now = api.shared.clock.now_ms();
        match (self.event_id, self.alert_id, self.event) {
            (Some(event), None, None) => trial::stored(api, caller.tenant, event).await,
            (None, Some(alert), None) => newest(api, caller, alert).await,
            (None, None, sample) => Ok(sample.unwrap_or_else(built_in).alert(caller.tenant, EventId::at(now), now)),
            _ => Err(ApiError::validation("give one of `event_id`, `alert_id` and `event`, or none")),
        }
    }
}

async fn newest(api: &Api, caller: &Caller, alert: AlertId) -> Result<Alert, ApiError> {
    let filter = events::Filter { alert: Some(alert), ..events::Filter::default() };
    let found = events::list(&mut *api.read().await?, caller.tenant, &filter, None, 1).await?;
    let newest = found.items.into_iter().find_map(trial::alert);
    newest.ok_or_else(|| ApiError::validation("alert_id not found"))
}

fn built_in() -> Sample {
    Sample {
        from: vec!["monitoring@example.org".to_owned()],
        subject: Some("Disk almost full on db1".to_owned()),
        text: Some("Filesystem /var/lib/postgresql on db1 is 91 % full, 4.1 GB left.".to_owned()),
        source: Some("mail".to_owned()),
        severity: Some(Severity::Warning),
        system: Some("db1".to_owned()),
        category: Some("disk".to_owned()),
        ..Sample::default()
    }
}

impl AiTestView {
    fn failed(class: AiFailureClass, message: String) -> Self {
        Self {
            answer: None,
            analysis: None,
            failure: Some(AiFailureView { class, message }),
            form: None,
            latency_ms: 0,
            prompt_tokens: 0,
            completion_tokens: 0,
            cost: None,
        }
    }

    fn of(trial: Trial, priced: bool, alert: &Alert) -> Self {
        let Trial { result, call, format, latency } = trial;
        let (answer, failure) = match result {
            Ok(answer) => (Some(answer), None),
            Err(failure) => (None, Some(AiFailureView { class: class(&failure), message: failure.to_string() })),
        };
        let merged = |answer: &Answer| merge(&alert.analysis, answer, &alert.event, Origin::Model);
        Self {
            analysis: answer.as_ref().map(merged).map(AnalysisView::from),
            answer: answer.map(AiAnswerView::from),
            failure,
            form: format.map(AiAnswerForm::from),
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            prompt_tokens: call.map_or(0, |call| call.prompt_tokens),
            completion_tokens: call.map_or(0, |call| call.completion_tokens),
            cost: call.filter(|_| priced).map(|call| currency(call.cost_micros)),
        }
    }
}

impl From<Answer> for AiAnswerView {
    fn from(answer: Answer) -> Self {
        let Answer { severity, category, system, summary, action, confidence } = answer;
        Self { severity, category, system, summary, action, confidence }
    }
}

impl From<Format> for AiAnswerForm {
    fn from(format: Format) -> Self {
        match format {
            Format::Schema => Self::JsonSchema,
            Format::Object => Self::JsonObject,
            Format::Text => Self::Text,
        }
    }
}

fn class(failure: &Failure) -> AiFailureClass {
    match failure {
        Failure::Unreachable(_) => AiFailureClass::Unreachable,
        Failure::TimedOut(_) => AiFailureClass::TimedOut,
        Failure::Limited { .. } | Failure::Busy | Failure::Resting => AiFailureClass::RateLimited,
        Failure::Refused { status: 401 | 403, .. } => AiFailureClass::KeyRefused,
        Failure::Refused { .. } => AiFailureClass::Refused,
        Failure::Broken(_) => AiFailureClass::Broken,
        Failure::TooLong | Failure::Unusable(_) => AiFailureClass::WrongAnswer,
        Failure::NoModel => AiFailureClass::Unusable,
    }
}
