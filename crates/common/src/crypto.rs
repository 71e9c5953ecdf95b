//! Secrets at rest: AES-256-GCM under the master key.
//!
//! A sealed value names the key that sealed it and is bound to its place (table, column, row), so that a
//! ciphertext moved elsewhere does not open.

use std::{fmt, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// The length of a master key in bytes (AES-256).
pub const KEY_BYTES: usize = 32;

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    #[error("the master key must be {KEY_BYTES} bytes in base64 (`openssl rand -base64 32` makes one)")]
    BadKey,
    #[error("sealed with key {0}, which this process does not have: is security.master_key the one that sealed it?")]
    UnknownKey(String),
    #[error("the sealed value was damaged or moved from its place")]
    Damaged,
}

/// A secret that can be stored: ciphertext, the id of its key and the place it belongs to. The default opens to nobody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    key: String,
    place: String,
    nonce: String,
    text: String,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.place)
    }
}

/// Holds the master key and what is derived from it.
pub struct Vault {
    id: String,
    sealing: RandomizedNonceKey,
    hashing: hmac::Key,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault(key {})", self.id)
    }
}

impl Vault {
    /// Takes a master key as it stands in the settings.
    pub fn from_base64(key: &SecretString) -> Result<Self, CryptoError> {
        let bytes = STANDARD.decode(key.expose_secret().trim()).map_err(|_| CryptoError::BadKey)?;
        Self::from_bytes(&bytes)
    }

    fn from_bytes(master: &[u8]) -> Result<Self, CryptoError> {
        if master.len() != KEY_BYTES {
            return Err(CryptoError::BadKey);
        }
        // Each use has a key of its own, derived with HMAC as RFC 5869 §2.3 expands one block.
        let root = hmac::Key::new(hmac::HMAC_SHA256, master);
        let sealing = hmac::sign(&root, b"watchbell seal\x01");
        let hashing = hmac::sign(&root, b"watchbell hash\x01");
        let id = hex(&digest(&SHA256, sealing.as_ref()).as_ref()[..4]);
        Ok(Self {
            id,
            sealing: RandomizedNonceKey::new(&AES_256_GCM, sealing.as_ref()).map_err(|_| CryptoError::BadKey)?,
            hashing: hmac::Key::new(hmac::HMAC_SHA256, hashing.as_ref()),
        })
    }

    /// Reads the key file in a data folder, or makes one that only its owner can read.
    pub fn from_data_dir(dir: &Path) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let key = secret_in(dir, "master.key")?;
        Self::from_base64(&key).with_context(|| format!("reading {}", dir.join("master.key").display()))
    }

    /// Seals a secret for a place, for example `channels/push_token/7`.
    pub fn seal(&self, place: &str, secret: &SecretString) -> Sealed {
        let mut text = secret.expose_secret().as_bytes().to_vec();
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut text)
            .expect("AES-GCM seals anything shorter than 64 GiB");
        Sealed {
            key: self.id.clone(),
            place: place.to_owned(),
            nonce: STANDARD.encode(nonce.as_ref()),
            text: STANDARD.encode(text),
        }
    }

    /// Opens a secret.
    pub fn open(&self, sealed: &Sealed) -> Result<SecretString, CryptoError> {
        if sealed.key != self.id {
            return Err(CryptoError::UnknownKey(sealed.key.clone()));
        }
        let damaged = |_| CryptoError::Damaged;
        let nonce = STANDARD.decode(&sealed.nonce).map_err(damaged)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| CryptoError::Damaged)?;
        let mut text = STANDARD.decode(&sealed.text).map_err(damaged)?;
        let open = self
            .sealing
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(sealed.place.as_bytes()), &mut text)
            .map_err(|_| CryptoError::Damaged)?;
        String::from_utf8(open.to_vec()).map(Into::into).map_err(|_| CryptoError::Damaged)
    }

    /// A keyed hash, in hex: finds a secret in the store without storing it.
    pub fn hash(&self, text: &str) -> String {
        hex(hmac::sign(&self.hashing, text.as_bytes()).as_ref())
    }
}

/// Reads a secret from a file in a data folder, or makes one, 32 random bytes in base64, that only its owner can read.
pub fn secret_in(dir: &Path, name: &str) -> anyhow::Result<SecretString> {
    use anyhow::Context as _;
    let path = dir.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = STANDARD.encode(rand::random::<[u8; KEY_BYTES]>());
            fs::create_dir_all(dir).with_context(|| format!("making the data folder {}", dir.display()))?;
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .with_context(|| format!("making {}", path.display()))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(text.into())
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::from_bytes(&[byte; KEY_BYTES]).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_in_its_place_only() {
        let vault = vault(7);
        let mut sealed = vault.seal("channels/push_token/7", &"hunter2".into());
        assert_eq!(vault.open(&sealed).unwrap().expose_secret(), "hunter2");
        sealed.place = "channels/push_token/8".into();
        assert!(matches!(vault.open(&sealed), Err(CryptoError::Damaged)));
    }

    #[test]
    fn another_key_is_named_in_the_error() {
        let sealed = vault(1).seal("x", &"secret".into());
        assert!(matches!(vault(2).open(&sealed), Err(CryptoError::UnknownKey(_))));
    }

    #[test]
    fn nothing_prints_a_secret() {
        let vault = vault(7);
        let sealed = vault.seal("x", &"hunter2".into());
        assert!(!format!("{vault:?} {sealed:?}").contains("hunter2"));
    }

    #[test]
    fn a_key_file_is_made_once_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let sealed = Vault::from_data_dir(dir.path()).unwrap().seal("x", &"hunter2".into());
        let again = Vault::from_data_dir(dir.path()).unwrap();
        assert_eq!(again.open(&sealed).unwrap().expose_secret(), "hunter2");
        let mode = fs::metadata(dir.path().join("master.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
