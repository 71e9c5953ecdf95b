//! What a `PulseGuard` encrypted: nonce, ciphertext and tag in one, AES-256-GCM without associated data.

use anyhow::{Context as _, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use watchbell_common::{
    crypto::KEY_BYTES,
    store::pulseguard::{Bot, Source},
};

/// Its master key.
pub(super) struct OldKey(RandomizedNonceKey);

impl OldKey {
    /// Reads the key as it stands in its settings.
    pub(super) fn read(text: &SecretString) -> anyhow::Result<Self> {
        let key = STANDARD.decode(text.expose_secret().trim()).unwrap_or_default();
        ensure!(
            key.len() == KEY_BYTES,
            "the master key is not {KEY_BYTES} bytes in base64: it is PulseGuard's security.master_key_b64"
        );
        RandomizedNonceKey::new(&AES_256_GCM, &key).map(Self).ok().context("the master key cannot be used")
    }

    /// The secret in a blob, unless another key encrypted it. A blob of nothing holds none.
    pub(super) fn open(&self, blob: &[u8]) -> Option<SecretString> {
        let (nonce, sealed) = blob.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let open = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut sealed).ok()?;
        String::from_utf8(open.to_vec()).ok().map(Into::into)
    }

    /// Whether it is the key of that file, as far as the file holds anything to tell by.
    pub(super) fn check(&self, source: &Source) -> anyhow::Result<()> {
        let mut blobs = Vec::new();
        for tenant in source.tenants()? {
            let secrets = |bot: Bot| [bot.token_enc, bot.smtp_password_enc];
            blobs.extend(source.bots(tenant.id)?.into_iter().flat_map(secrets).filter(|blob| !blob.is_empty()));
        }
        let fits = blobs.is_empty() || blobs.iter().any(|blob| self.open(blob).is_some());
        ensure!(fits, "the master key opens none of the secrets in this file: it is that of another PulseGuard");
        Ok(())
    }
}
