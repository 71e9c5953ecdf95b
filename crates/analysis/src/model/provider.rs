//! One model on one server: its share of calls at a time, its time limit, its circuit breaker, and what its server was
//! found to be able to do.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use watchbell_common::{
    ai::{Kind, Model, OpenProvider, usage::Call},
    alert::Alert,
    clock::Clock,
    outbound::Http,
};

use super::{
    Answer, Usage,
    breaker::Breaker,
    exchange::Failure,
    prompt::Prompt,
    protocol::{Abilities, Format, Protocol},
};
use crate::decode::cut;

/// How much of a wrong answer a model is shown again, in bytes.
const REPAIR_EXCERPT_BYTES: usize = 2_000;

/// How long a call waits for its turn, before the next model is asked.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Ollama's port. Its OpenAI-compatible side shortens prompts to a default window without a word.
const OLLAMA_PORT: &str = ":11434";

/// A model that can be asked.
pub(crate) struct Provider {
    pub(crate) of: OpenProvider,
    protocol: Protocol,
    calls: Semaphore,
    breaker: Mutex<Breaker>,
    abilities: Mutex<Abilities>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of.fmt(f)
    }
}

/// What asking came to, with what was spent on it either way.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) result: Result<Answer, Failure>,
    /// Absent when nobody was called.
    pub(crate) call: Option<Call>,
}

impl Provider {
    /// Fails with what is wrong with the configuration. Shows no secret.
    pub(crate) fn new(of: OpenProvider, http: Http, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let protocol = Protocol::new(&of, http, clock)?;
        if of.model.kind == Kind::Openai && of.model.base_url.contains(OLLAMA_PORT) {
            tracing::warn!(
                "{} looks like Ollama, whose /v1 shortens long prompts without a word: set `kind` to ollama",
                of.model.base_url
            );
        }
        Ok(Self {
            protocol,
            calls: Semaphore::new(usize::try_from(of.model.concurrency).unwrap_or(Semaphore::MAX_PERMITS)),
            breaker: Mutex::default(),
            abilities: Mutex::default(),
            of,
        })
    }

    /// Asks about an alert, when a call is free and the breaker lets it pass.
    pub(crate) async fn ask(&self, alert: &Alert) -> Asked {
        let began = Instant::now();
        let mut usage = Usage::default();
        let result = self.call(alert, &mut usage).await;
        let called = !matches!(result, Err(Failure::Busy | Failure::Resting));
        let call = called.then(|| Call {
            provider: self.of.id,
            answered: result.is_ok(),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            cost_micros: cost_micros(&self.of.model, usage),
        });
        count(&self.of.model.name, &result, call, began.elapsed());
        Asked { result, call }
    }

    async fn call(&self, alert: &Alert, usage: &mut Usage) -> Result<Answer, Failure> {
        let Ok(_call) = timeout(PATIENCE, self.calls.acquire()).await else { return Err(Failure::Busy) };
        if !lock(&self.breaker).admits(Instant::now()) {
            return Err(Failure::Resting);
        }
        let context_tokens = usize::try_from(self.of.model.context_tokens).unwrap_or(usize::MAX);
        let prompt = Prompt::new(alert, context_tokens, rand::random);
        let limit = self.of.model.timeout();
        let result = timeout(limit, self.converse(&prompt, usage)).await;
        let result = result.unwrap_or(Err(Failure::TimedOut(limit)));
        if *usage == Usage::default() && may_have_cost(&result) {
            // The server did not say, or fell silent with the prompt in hand: better too much than free of charge.
            usage.prompt_tokens = prompt.tokens();
        }
        self.note(&result);
        result
    }

    /// How well its server can be held to a form, as far as it was found out.
    pub(crate) fn format(&self) -> Format {
        lock(&self.abilities).format
    }

    /// Whether its breaker keeps calls away now.
    pub(crate) fn rests(&self) -> bool {
        lock(&self.breaker).rests(Instant::now())
    }

    /// Asks, and when the answer is not one, says why and asks once more.
    async fn converse(&self, prompt: &Prompt, usage: &mut Usage) -> Result<Answer, Failure> {
        let mut messages = vec![message("system", &prompt.system), message("user", &prompt.user)];
        let (wrong, why) = match self.turn(&messages, usage).await {
            Ok(text) => match Answer::read(&text) {
                Ok(answer) => return Ok(answer),
                Err(why) => (text, why.to_string()),
            },
            Err(Failure::Unusable(why)) => (String::new(), why),
            Err(failure) => return Err(failure),
        };
        if !wrong.trim().is_empty() {
            messages.push(message("assistant", &cut(wrong, REPAIR_EXCERPT_BYTES)));
        }
        let repair = format!("Your answer cannot be used: {why}. Answer with the JSON object only, and keep it short.");
        messages.push(message("user", &repair));
        let text = self.turn(&messages, usage).await?;
        Answer::read(&text).map_err(|why| Failure::Unusable(why.to_string()))
    }

    async fn turn(&self, messages: &[Value], usage: &mut Usage) -> Result<String, Failure> {
        let abilities = *lock(&self.abilities);
        let said = self.protocol.chat(messages, abilities).await?;
        *usage += said.usage;
        if said.abilities != abilities {
            tracing::info!(
                model = self.of.model.name,
                "the server refused options and is asked without them: {:?}",
                said.abilities
            );
            *lock(&self.abilities) = said.abilities;
        }
        said.flaw.map_or(Ok(said.text), |flaw| Err(Failure::Unusable(flaw)))
    }

    /// Tells the breaker. A failure is logged when it opens the circuit, not each time.
    fn note(&self, result: &Result<Answer, Failure>) {
        let mut breaker = lock(&self.breaker);
        let (now, model) = (Instant::now(), &self.of.model.name);
        match result {
            Ok(_) => breaker.succeeded(),
            Err(Failure::Limited { retry_after }) => {
                tracing::info!(model, "the model's server limits the rate: {retry_after:?}");
                breaker.limited(now, *retry_after);
            }
            Err(failure) => {
                tracing::debug!(model, "a model did not answer: {failure}");
                if breaker.failed(now) {
                    tracing::warn!(model, "a model failed repeatedly and is left alone for a while: {failure}");
                }
            }
        }
    }
}

/// A price per million is a price in millionths for one.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a figure for people: 53 bits are enough, and prices are checked not to be negative"
)]
fn cost_micros(model: &Model, usage: Usage) -> u64 {
    let cost =
        usage.prompt_tokens as f64 * model.prompt_price + usage.completion_tokens as f64 * model.completion_price;
    cost.round() as u64
}

fn count(model: &str, result: &Result<Answer, Failure>, call: Option<Call>, took: Duration) {
    let outcome = result.as_ref().err().map_or("answered", Failure::as_str);
    let name = || model.to_owned();
    metrics::counter!("watchbell_ai_calls_total", "model" => name(), "outcome" => outcome).increment(1);
    metrics::histogram!("watchbell_ai_call_seconds", "model" => name()).record(took);
    let Some(call) = call else { return };
    metrics::counter!("watchbell_ai_tokens_total", "model" => name(), "kind" => "prompt").increment(call.prompt_tokens);
    metrics::counter!("watchbell_ai_tokens_total", "model" => name(), "kind" => "completion")
        .increment(call.completion_tokens);
    metrics::counter!("watchbell_ai_cost_micros_total", "model" => name()).increment(call.cost_micros);
}

fn may_have_cost(result: &Result<Answer, Failure>) -> bool {
    matches!(result, Ok(_) | Err(Failure::TimedOut(_) | Failure::TooLong | Failure::Unusable(_)))
}

fn message(role: &str, content: &str) -> Value {
    json!({ "role": role, "content": content })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
