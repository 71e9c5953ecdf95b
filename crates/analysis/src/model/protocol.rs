//! The two ways to ask a model: chat completions as `OpenAI` defined them, which most servers speak, and Ollama's own.
//!
//! Servers differ in what they understand. A request begins with everything we would like and drops what the server
//! refuses, one thing at a time; [`Abilities`] are what is left and are remembered by the caller once they worked.

use std::sync::Arc;

use async_openai::{config::Config, error::OpenAIError, middleware::HttpRequestFactory};
use bytes::Bytes;
use reqwest::{
    Method, Request, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tower::{BoxError, service_fn};
use watchbell_common::{
    ai::{Kind, OpenProvider},
    clock::Clock,
    outbound::Http,
};

use super::{
    Usage, answer,
    exchange::{Failure, exchange},
    prompt::ANSWER_TOKENS_MAX,
};
use crate::decode::cut;

/// What a server can do, from all to little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) format: Format,
    /// Some models take no temperature but their own.
    temperature: bool,
    /// The newer name `max_completion_tokens` for `max_tokens`.
    newer_limit: bool,
}

/// How well a server can be held to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// It writes nothing that does not fit the schema.
    Schema,
    /// It writes some JSON.
    Object,
    /// It writes what it likes.
    Text,
}

impl Default for Abilities {
    fn default() -> Self {
        Self { format: Format::Schema, temperature: true, newer_limit: false }
    }
}

impl Abilities {
    /// What to try after a refusal; `None` when there is nothing left to drop, or when that would not help. A complaint
    /// that names an option drops that one; one about the form of the answer, or about nothing that is known, the form.
    fn after(self, complaint: &str) -> Option<Self> {
        let complaint = complaint.to_lowercase();
        let speaks_of = |words: &[&str]| words.iter().any(|word| complaint.contains(word));
        if self.temperature && complaint.contains("temperature") {
            return Some(Self { temperature: false, ..self });
        }
        if !self.newer_limit && complaint.contains("max_tokens") {
            return Some(Self { newer_limit: true, ..self });
        }
        if speaks_of(&OF_SOMETHING_ELSE) && !speaks_of(&OF_THE_FORM) {
            return None;
        }
        let format = match self.format {
            Format::Schema => Format::Object,
            Format::Object => Format::Text,
            Format::Text => return None,
        };
        Some(Self { format, ..self })
    }
}

/// How much of an unknown reason for the end of an answer is repeated, in bytes.
const REASON_MAX_BYTES: usize = 40;

/// What complaints about the form of the answer speak of, in lower case.
const OF_THE_FORM: [&str; 5] = ["format", "schema", "json_object", "structured", "grammar"];

/// What complaints speak of that another form does not help with: the model's name, the length of the prompt, the
/// account, what the alert says.
const OF_SOMETHING_ELSE: [&str; 9] =
    ["model", "context", "too long", "api key", "api_key", "credit", "quota", "policy", "content filter"];

/// Statuses with which servers refuse an option they do not know.
const OPTION_REFUSED: [u16; 3] = [400, 422, 501];

/// What a model said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) usage: Usage,
    /// Why the text is no answer: it was cut off, held back, or there is none.
    pub(crate) flaw: Option<String>,
    /// What the server could do in the end.
    pub(crate) abilities: Abilities,
}

/// A model behind one of the protocols.
pub(crate) enum Protocol {
    OpenAi { client: Box<async_openai::Client<Server>>, model: String },
    Ollama { line: Line, url: Url, model: String, context_tokens: u32 },
}

/// How requests travel.
#[derive(Clone)]
pub(crate) struct Line {
    http: Http,
    clock: Arc<dyn Clock>,
    key: Option<SecretString>,
}

/// A server for async-openai. Unlike the crate's own configuration it reads no environment and cannot panic.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    base: String,
    headers: HeaderMap,
    key: SecretString,
}

impl Config for Server {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

impl Protocol {
    /// Fails with what is wrong with the configuration. Shows no secret.
    pub(crate) fn new(provider: &OpenProvider, http: Http, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let model = provider.model.name.clone();
        let base = provider.model.base_url.trim_end_matches('/').to_owned();
        let line = Line { http, clock, key: provider.api_key.clone() };
        let headers = line.headers()?;
        Ok(match provider.model.kind {
            Kind::Openai => {
                let key = provider.api_key.clone().unwrap_or_default();
                let client = async_openai::Client::build(line.http.client().clone(), Server { base, headers, key });
                // In place of the crate's own transport, which reads answers of any length, logs them, and tries
                // again by itself.
                let transport = service_fn(move |request: HttpRequestFactory| {
                    let line = line.clone();
                    async move {
                        let body = line.send(request.build().await?).await?;
                        Ok::<reqwest::Response, BoxError>(hyper::Response::new(body).into())
                    }
                });
                Self::OpenAi { client: Box::new(client.with_http_service(transport)), model }
            }
            Kind::Ollama => {
                // People copy the address of its compatible side, which shortens prompts without a word.
                let base = base.strip_suffix("/v1").or_else(|| base.strip_suffix("/api")).unwrap_or(&base);
                let url = format!("{base}/api/chat").parse().map_err(|error| format!("base_url: {error}"))?;
                Self::Ollama { line, url, model, context_tokens: provider.model.context_tokens }
            }
        })
    }

    /// Asks once; more often only while the server refuses options, with one fewer each time.
    pub(crate) async fn chat(&self, messages: &[Value], mut abilities: Abilities) -> Result<Said, Failure> {
        loop {
            match self.once(messages, abilities).await {
                Err(Failure::Refused { status, detail }) if OPTION_REFUSED.contains(&status) => {
                    abilities = abilities.after(&detail).ok_or(Failure::Refused { status, detail })?;
                }
                said => return said,
            }
        }
    }

    async fn once(&self, messages: &[Value], abilities: Abilities) -> Result<Said, Failure> {
        match self {
            Self::OpenAi { client, model } => {
                let body = completion(model, messages, abilities);
                let answer: Value = client.chat().create_byot(body).await.map_err(failure)?;
                Ok(read_completion(&answer, abilities))
            }
            Self::Ollama { line, url, model, context_tokens } => {
                let body = ollama_chat(model, messages, *context_tokens, abilities);
                let mut request = Request::new(Method::POST, url.clone());
                *request.headers_mut() = line.headers().map_err(Failure::Unusable)?;
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *request.body_mut() = Some(body.to_string().into());
                let answer = line.send(request).await?;
                let answer = serde_json::from_slice(&answer).map_err(|error| Failure::Broken(error.to_string()))?;
                Ok(read_ollama(&answer, abilities))
            }
        }
    }
}

impl Line {
    fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            let value = format!("Bearer {}", key.expose_secret());
            let mut value =
                HeaderValue::from_str(&value).map_err(|_| "api_key: cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }

    async fn send(&self, request: Request) -> Result<Bytes, Failure> {
        exchange(&self.http, &*self.clock, self.key.as_ref(), request).await
    }
}

/// Our transport's own failure comes back through the crate's error.
fn failure(error: OpenAIError) -> Failure {
    match error {
        OpenAIError::Boxed(error) => match error.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(error) => Failure::Broken(error.to_string()),
        },
        OpenAIError::Reqwest(error) => Failure::Unreachable(watchbell_common::outbound::explain(error)),
        other => Failure::Broken(other.to_string()),
    }
}

fn completion(model: &str, messages: &[Value], abilities: Abilities) -> Value {
    let mut body = json!({ "model": model, "messages": messages, "stream": false });
    let limit = if abilities.newer_limit { "max_completion_tokens" } else { "max_tokens" };
    body[limit] = ANSWER_TOKENS_MAX.into();
    if abilities.temperature {
        body["temperature"] = 0.into();
    }
    match abilities.format {
        Format::Schema => {
            let schema = json!({ "name": "alert", "strict": true, "schema": answer::schema() });
            body["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
        }
        Format::Object => body["response_format"] = json!({ "type": "json_object" }),
        Format::Text => {}
    }
    body
}

fn read_completion(answer: &Value, abilities: Abilities) -> Said {
    let usage = Usage {
        prompt_tokens: answer["usage"]["prompt_tokens"].as_u64().unwrap_or_default(),
        completion_tokens: answer["usage"]["completion_tokens"].as_u64().unwrap_or_default(),
    };
    let choice = &answer["choices"][0];
    let text = match &choice["message"]["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    };
    let flaw = flaw(choice["finish_reason"].as_str(), &text);
    Said { text, usage, flaw, abilities }
}

fn ollama_chat(model: &str, messages: &[Value], context_tokens: u32, abilities: Abilities) -> Value {
    let options = json!({ "num_ctx": context_tokens, "num_predict": ANSWER_TOKENS_MAX, "temperature": 0 });
    let mut body = json!({ "model": model, "messages": messages, "stream": false, "options": options });
    match abilities.format {
        Format::Schema => body["format"] = answer::schema(),
        Format::Object => body["format"] = "json".into(),
        Format::Text => {}
    }
    body
}

fn read_ollama(answer: &Value, abilities: Abilities) -> Said {
    let usage = Usage {
        prompt_tokens: answer["prompt_eval_count"].as_u64().unwrap_or_default(),
        completion_tokens: answer["eval_count"].as_u64().unwrap_or_default(),
    };
    let text = answer["message"]["content"].as_str().unwrap_or_default().to_owned();
    let flaw = flaw(answer["done_reason"].as_str(), &text);
    Said { text, usage, flaw, abilities }
}

/// What is wrong with an answer by the reason for its end: `stop`, or nothing from servers that do not say, is right.
fn flaw(reason: Option<&str>, text: &str) -> Option<String> {
    match reason {
        Some("stop" | "eos") | None => text.trim().is_empty().then(|| "it is empty".to_owned()),
        Some("length") => Some("it was cut off".to_owned()),
        Some(other) => Some(format!("it ended with `{}`", cut(other.to_owned(), REASON_MAX_BYTES))),
    }
}
