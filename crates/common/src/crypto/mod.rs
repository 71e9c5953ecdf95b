//! Secrets at rest: AES-256-GCM under a ring of master keys.
//!
//! A sealed value names the key that sealed it and is bound to its [`Place`] (tenant, table, column, row), so that a
//! ciphertext moved elsewhere does not open. The newest key seals, the older ones open what they sealed.
//! `docs/decisions/0012-key-ring.md` says how keys are changed while the services run.

mod place;
mod ring;
#[cfg(test)]
mod tests;

use std::{fmt, path::Path, sync::Arc};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use aws_lc_rs::{
    aead::{Aad, NONCE_LEN, Nonce},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use self::ring::{KeyFile, Ring};
pub use self::{
    place::{Column, Place},
    ring::{KEY_FILE, secret_in},
};

/// The length of a master key in bytes (AES-256).
pub const KEY_BYTES: usize = 32;

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    #[error("a master key must be {KEY_BYTES} bytes in base64 (`openssl rand -base64 32` makes one)")]
    BadKey,
    #[error("the hash key must be {KEY_BYTES} bytes in base64 (`watchbell keys hash-key` prints the present one)")]
    BadHashKey,
    #[error(
        "sealed with key {0}, which this process does not have: set security.master_key, or security.old_keys \
         beside it, to the one that sealed it"
    )]
    UnknownKey(String),
    #[error("the sealed value was damaged or moved from its place")]
    Damaged,
}

/// A secret that can be stored: ciphertext, the id of its key and the place it belongs to. The default opens to nobody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    key: String,
    place: String,
    nonce: String,
    text: String,
}

impl Sealed {
    /// The id of the key that sealed it; empty when none did.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.place)
    }
}

/// Holds the master keys and what is derived from them.
pub struct Vault {
    ring: ArcSwap<Ring>,
    /// Where the ring was read from and is read again; absent when the settings hold the keys.
    file: Option<KeyFile>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault(key {})", self.ring.load().active_id())
    }
}

impl Vault {
    /// Takes one master key as it stands in the settings.
    pub fn from_base64(key: &SecretString) -> Result<Self, CryptoError> {
        Self::from_keys(key, &[], &SecretString::default())
    }

    /// Takes the keys of the settings: the active one, the older ones from new to old, and the hash key, which may
    /// be empty for that of the oldest.
    pub fn from_keys(active: &SecretString, old: &[SecretString], hash: &SecretString) -> Result<Self, CryptoError> {
        let keys: Vec<_> = std::iter::once(active).chain(old).cloned().collect();
        Ok(Self { ring: ArcSwap::from_pointee(Ring::new(&keys, hash)?), file: None })
    }

    /// Reads the key file in a data folder, or makes one that only its owner can read.
    pub fn from_data_dir(dir: &Path) -> anyhow::Result<Self> {
        let file = KeyFile::of(dir);
        Ok(Self { ring: ArcSwap::from_pointee(file.read_or_make()?), file: Some(file) })
    }

    /// Seals a secret for its place.
    pub fn seal(&self, place: &Place, secret: &SecretString) -> Sealed {
        // Another process may have put a newer key into the file; what it re-seals must not be sealed with the old
        // one again. Sealing is rare.
        if self.file.is_some()
            && let Err(error) = self.read_again()
        {
            tracing::warn!("sealing with the key that is known, for want of the key file: {error:#}");
        }
        let ring = self.ring.load();
        let place = place.to_string();
        let mut text = secret.expose_secret().as_bytes().to_vec();
        let nonce = ring
            .sealing()
            .seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut text)
            .expect("AES-GCM seals anything shorter than 64 GiB");
        Sealed {
            key: ring.active_id().to_owned(),
            place,
            nonce: STANDARD.encode(nonce.as_ref()),
            text: STANDARD.encode(text),
        }
    }

    /// Opens a secret that was found at that place.
    pub fn open(&self, sealed: &Sealed, place: &Place) -> Result<SecretString, CryptoError> {
        if sealed.place != place.to_string() && sealed.place != place.without_tenant() {
            return Err(CryptoError::Damaged);
        }
        let ring = self.ring_for(&sealed.key)?;
        let key = ring.key(&sealed.key).ok_or_else(|| CryptoError::UnknownKey(sealed.key.clone()))?;
        let damaged = |_| CryptoError::Damaged;
        let nonce = STANDARD.decode(&sealed.nonce).map_err(damaged)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| CryptoError::Damaged)?;
        let mut text = STANDARD.decode(&sealed.text).map_err(damaged)?;
        let open = key
            .sealing
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(sealed.place.as_bytes()), &mut text)
            .map_err(|_| CryptoError::Damaged)?;
        String::from_utf8(open.to_vec()).map(Into::into).map_err(|_| CryptoError::Damaged)
    }

    /// The same secret under the active key; nothing when it is already, or when nothing was ever sealed.
    pub fn reseal(&self, sealed: &Sealed, place: &Place) -> Result<Option<Sealed>, CryptoError> {
        if *sealed == Sealed::default() || sealed.key == self.ring.load().active_id() {
            return Ok(None);
        }
        Ok(Some(self.seal(place, &self.open(sealed, place)?)))
    }

    /// A keyed hash, in hex: finds a secret in the store without storing it. Stays the same when keys are rotated.
    pub fn hash(&self, text: &str) -> String {
        hex(hmac::sign(&self.ring.load().hashing, text.as_bytes()).as_ref())
    }

    /// The ids of the keys, the active one first.
    pub fn key_ids(&self) -> Vec<String> {
        self.ring.load().keys.iter().map(|key| key.id.clone()).collect()
    }

    /// The key of [`Vault::hash`] in base64, for `security.hash_key`.
    pub fn hash_key(&self) -> SecretString {
        self.ring.load().hash.clone()
    }

    /// Whether its keys are in a key file, and not in the settings.
    pub const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Makes a new active key in the key file. The present one stays and opens what it sealed.
    ///
    /// # Errors
    /// When the settings hold the keys, or the file cannot be replaced.
    pub fn add_key(&self) -> anyhow::Result<()> {
        self.file.as_ref().context("the keys are in the settings, which only people change")?.add_key()?;
        self.read_again()
    }

    /// The ring that has a key: the present one, or what the file holds by now.
    fn ring_for(&self, key: &str) -> Result<Arc<Ring>, CryptoError> {
        let ring = self.ring.load_full();
        if ring.key(key).is_some() || self.file.is_none() {
            return Ok(ring);
        }
        self.read_again().map_err(|error| {
            tracing::warn!("{error:#}");
            CryptoError::UnknownKey(key.to_owned())
        })?;
        Ok(self.ring.load_full())
    }

    fn read_again(&self) -> anyhow::Result<()> {
        if let Some(file) = &self.file {
            self.ring.store(Arc::new(file.read()?));
        }
        Ok(())
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
