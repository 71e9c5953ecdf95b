//! The language models that an operator set up: where they are, what they cost, how much they may be asked.

pub mod usage;

use std::{fmt, str::FromStr, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    crypto::{CryptoError, Place, Sealed, Vault},
    ids::{AiProviderId, TenantId},
};

/// The least context that leaves room for an alert beside the instructions (some 700 tokens) and the answer (800).
pub const CONTEXT_TOKENS_MIN: u32 = 2_048;

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = AiKind)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `POST <base_url>/chat/completions`, as most servers do.
    Openai,
    /// Ollama's own `POST <base_url>/api/chat`: through its `/v1` it shortens long prompts without a word.
    Ollama,
}

impl Kind {
    /// The word used in settings and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Ollama => "ollama",
        }
    }
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = [Self::Openai, Self::Ollama].into_iter().find(|kind| kind.as_str() == text);
        known.ok_or("is neither openai nor ollama")
    }
}

/// A model on a server, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub kind: Kind,
    pub base_url: String,
    /// The server's name for it.
    pub name: String,
    /// How long one call may take.
    pub timeout_ms: u32,
    /// Calls at a time.
    pub concurrency: u32,
    /// What prompt and answer may take together.
    pub context_tokens: u32,
    /// The price of a million tokens, in whatever currency: what is written here is what is counted.
    pub prompt_price: f64,
    pub completion_price: f64,
}

impl Model {
    /// How long one call may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }

    /// The first number that cannot be meant, and why.
    pub fn problem(&self) -> Option<(&'static str, String)> {
        let price = |price: f64| !price.is_finite() || price < 0.0;
        if self.timeout_ms == 0 {
            Some(("timeout", "must be more than nothing".to_owned()))
        } else if self.concurrency == 0 {
            Some(("concurrency", "must be at least 1".to_owned()))
        } else if self.context_tokens < CONTEXT_TOKENS_MIN {
            Some((
                "context_tokens",
                format!("must be at least {CONTEXT_TOKENS_MIN}, for instructions, alert and answer"),
            ))
        } else if price(self.prompt_price) {
            Some(("prompt_price", "must not be negative".to_owned()))
        } else if price(self.completion_price) {
            Some(("completion_price", "must not be negative".to_owned()))
        } else {
            None
        }
    }
}

/// A model with its sealed key, as it is stored and published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provider {
    /// 0 in documents from before models had ids.
    #[serde(default = "no_id")]
    pub id: AiProviderId,
    pub model: Model,
    pub api_key: Option<Sealed>,
    /// Whether the operator's provisioning file names it: then it may be an address inside. Absent in what was stored
    /// before tenants could configure models themselves.
    #[serde(default = "yes")]
    pub provisioned: bool,
}

impl Provider {
    /// One of a tenant's, with its key open.
    pub fn open(&self, tenant: TenantId, vault: &Vault) -> Result<OpenProvider, CryptoError> {
        let place = Place::models(tenant);
        let api_key = self.api_key.as_ref().map(|key| vault.open(key, &place)).transpose()?;
        Ok(OpenProvider { id: Some(self.id), model: self.model.clone(), api_key, trusted: self.provisioned })
    }
}

const fn no_id() -> AiProviderId {
    AiProviderId(0)
}

const fn yes() -> bool {
    true
}

/// A tenant's models, in the order in which they are asked: those of the provisioning file first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ai {
    pub providers: Vec<Provider>,
    /// The longest that a route may wait for an answer; absent: as the settings say.
    pub max_wait_ms: Option<u32>,
}

/// A model with its key open.
#[derive(Clone)]
pub struct OpenProvider {
    /// Absent: the installation's own, from the settings.
    pub id: Option<AiProviderId>,
    pub model: Model,
    pub api_key: Option<SecretString>,
    /// Whether it may be an address inside: the operator named it.
    pub trusted: bool,
}

impl PartialEq for OpenProvider {
    fn eq(&self, other: &Self) -> bool {
        let key = |provider: &'_ Self| provider.api_key.as_ref().map(|key| key.expose_secret().to_owned());
        (self.id, &self.model, self.trusted) == (other.id, &other.model, other.trusted) && key(self) == key(other)
    }
}

impl fmt::Debug for OpenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.model.fmt(f)
    }
}

/// [`Ai`] with its keys open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenAi {
    pub providers: Vec<OpenProvider>,
    pub max_wait: Option<Duration>,
}

/// Why an address cannot be one of a model's server. Does not show it: it may hold a password.
pub fn check_url(text: &str) -> Result<(), &'static str> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
    if host.is_empty() || text.contains(char::is_whitespace) {
        return Err("must be a URL that starts with http:// or https://");
    }
    if host.split('/').next().is_some_and(|authority| authority.contains('@')) {
        return Err("must not hold a password: put the key into `api_key`");
    }
    Ok(())
}
