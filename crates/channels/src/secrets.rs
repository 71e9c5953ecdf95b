//! What no error, receipt or log line may show, however the other side repeats it.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::config::OpenChannel;

use crate::render;

/// How much of what the other side said stands in an error, in bytes.
const EXCERPT_MAX_BYTES: usize = 200;

/// A shorter value is not looked for when secrets are blotted out: it would blot out innocent text.
const SECRET_MIN_BYTES: usize = 4;

/// What the channel's bot has in that field; nothing when it is empty.
pub(crate) fn of_bot<'c>(channel: &'c OpenChannel, field: &str) -> Option<&'c str> {
    channel.secrets.get(field).map(|secret| secret.expose_secret().trim()).filter(|text| !text.is_empty())
}

/// The secrets of one channel, in every form in which they are sent.
pub(crate) struct Secrets(Vec<SecretString>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Secrets {
    pub(crate) fn new(mut secrets: Vec<SecretString>) -> Self {
        secrets.retain(|secret| secret.expose_secret().len() >= SECRET_MIN_BYTES);
        // The longest first: one may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self(secrets)
    }

    /// One clean short line without any of the secrets.
    pub(crate) fn blot(&self, text: &str) -> String {
        let blotted = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "***"));
        render::line(&blotted, EXCERPT_MAX_BYTES)
    }
}
