//! The section of the installation's own model.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{SettingsError, bad, duration};
use crate::ai::{self, Model, OpenProvider};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ai {
    /// Empty: no model of the installation's own.
    pub base_url: String,
    pub model: String,
    pub api_key: SecretString,
    pub kind: ai::Kind,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    pub concurrency: u32,
    pub context_tokens: u32,
    #[serde(deserialize_with = "duration")]
    pub max_wait: Duration,
    /// Per tenant; 0 for no limit.
    pub daily_tokens: u64,
    #[serde(deserialize_with = "duration")]
    pub cache_ttl: Duration,
    /// Per million tokens.
    pub prompt_price: f64,
    pub completion_price: f64,
}

impl Ai {
    /// The installation's own model, when one is set.
    pub fn provider(&self) -> Option<OpenProvider> {
        (!self.base_url.is_empty()).then(|| OpenProvider {
            id: None,
            model: Model {
                kind: self.kind,
                base_url: self.base_url.clone(),
                name: self.model.clone(),
                timeout_ms: u32::try_from(self.timeout.as_millis()).unwrap_or(u32::MAX),
                concurrency: self.concurrency,
                context_tokens: self.context_tokens,
                prompt_price: self.prompt_price,
                completion_price: self.completion_price,
            },
            api_key: (!self.api_key.expose_secret().is_empty()).then(|| self.api_key.clone()),
            trusted: true,
        })
    }

    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        if self.base_url.is_empty() {
            return Ok(());
        }
        ai::check_url(&self.base_url).map_err(|why| bad("ai.base_url", why))?;
        if self.model.is_empty() {
            return Err(bad("ai.model", "is missing: ai.base_url is set"));
        }
        let problem = self.provider().and_then(|provider| provider.model.problem());
        problem.map_or(Ok(()), |(field, what)| Err(bad(format!("ai.{field}"), what)))
    }
}
