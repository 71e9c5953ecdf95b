//! The bot of an SMS channel: which provider, and the account there.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Url;
use watchbell_common::config::OpenChannel;

use crate::{ConfigureError, secrets};

/// Reads the bot's fields; never shows a value.
pub(super) struct Bot<'c>(pub(super) &'c OpenChannel);

impl<'c> Bot<'c> {
    /// A field, if the bot has it.
    pub(super) fn text(&self, name: &str) -> Option<&'c str> {
        secrets::of_bot(self.0, name)
    }

    /// A field that this provider cannot do without.
    pub(super) fn needed(&self, name: &str) -> Result<&'c str, ConfigureError> {
        let provider = self.text("provider").unwrap_or_default();
        self.text(name).ok_or_else(|| ConfigureError::new(name, format!("is missing in the bot; {provider} needs one")))
    }

    /// User name and password as basic authentication sends them.
    pub(super) fn basic(&self) -> Option<String> {
        self.pair("username", "password")
    }

    /// The Twilio account as basic authentication sends it.
    pub(super) fn basic_of_twilio(&self) -> Option<String> {
        self.pair("account_sid", "auth_token")
    }

    fn pair(&self, user: &str, password: &str) -> Option<String> {
        Some(STANDARD.encode(format!("{}:{}", self.text(user)?, self.text(password)?)))
    }

    /// Where the provider's API is.
    pub(super) fn base(&self, default: &str) -> Result<String, ConfigureError> {
        let Some(base) = self.text("base_url") else { return Ok(default.to_owned()) };
        let good = Url::parse(base).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        let base = good.then(|| base.trim_end_matches('/').to_owned());
        base.ok_or_else(|| ConfigureError::new("base_url", "must be a URL that starts with http:// or https://"))
    }
}
