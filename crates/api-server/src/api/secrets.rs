//! Sealing and opening the secrets of configured items: the one place here that knows where each belongs.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{
    config::{Bot, Channel},
    crypto::{CryptoError, Place, Sealed, Vault},
    http::ApiError,
    ids::{BotId, ChannelId, TenantId},
};

/// The random part of a push token: 32 characters of base64url.
const TOKEN_BYTES: usize = 24;

/// From this length on, the last four characters tell a person which secret it is and a stranger nothing.
const SHOWN_FROM: usize = 16;

/// Whose secret it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Safe<'v> {
    pub(super) vault: &'v Vault,
    pub(super) tenant: TenantId,
}

impl Safe<'_> {
    pub(super) fn seal_credential(self, bot: BotId, field: &str, secret: &SecretString) -> Sealed {
        self.vault.seal(&Place::bot(self.tenant, bot, field), secret)
    }

    pub(super) fn seal_option(self, channel: ChannelId, field: &str, secret: &SecretString) -> Sealed {
        self.vault.seal(&Place::channel(self.tenant, channel, field), secret)
    }

    pub(super) fn seal_push_token(self, channel: ChannelId, token: &SecretString) -> Sealed {
        self.vault.seal(&Place::push_token(self.tenant, channel), token)
    }

    pub(super) fn seal_model_key(self, key: &SecretString) -> Sealed {
        self.vault.seal(&Place::models(self.tenant), key)
    }

    pub(super) fn credentials(self, bot: &Bot) -> Result<BTreeMap<String, SecretString>, ApiError> {
        self.open_all(&bot.credentials, |field| Place::bot(self.tenant, bot.id, field))
    }

    pub(super) fn options(self, channel: &Channel) -> Result<BTreeMap<String, SecretString>, ApiError> {
        self.open_all(&channel.secrets, |field| Place::channel(self.tenant, channel.id, field))
    }

    pub(super) fn push_token(self, channel: &Channel) -> Result<SecretString, ApiError> {
        self.vault
            .open(&channel.push_token, &Place::push_token(self.tenant, channel.id))
            .map_err(|error| unreadable(&error))
    }

    fn open_all(
        self,
        sealed: &BTreeMap<String, Sealed>,
        place: impl Fn(&str) -> Place,
    ) -> Result<BTreeMap<String, SecretString>, ApiError> {
        let open = |(field, sealed): (&String, &Sealed)| Ok((field.clone(), self.vault.open(sealed, &place(field))?));
        sealed.iter().map(open).collect::<Result<_, CryptoError>>().map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &CryptoError) -> ApiError {
    ApiError::internal().because(format!("a secret in the store: {error}"))
}

/// A push token that nobody can guess.
pub(super) fn new_push_token() -> SecretString {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>()).into()
}

/// The end of a secret, for people who compare; empty for a short one.
pub(super) fn last4(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    let count = text.chars().count();
    if count < SHOWN_FROM { String::new() } else { text.chars().skip(count - 4).collect() }
}
